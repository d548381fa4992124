//! `diffs`: what a turn changed so far.

use agentlog::record::{Field, Shape};
use serde_json::Value;

use crate::tools::{sha256, text_at};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "diffs",
    about: "what a turn changed so far",
    sources: "turn.diff",
    own: OWN,
    key: &["sid", "sha256"],
    table: &["t", "provider", "sid", "files", "added", "removed"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::new(Diffs),
};

const OWN: &[Field] = &[
    field("files", Shape::Json, "the paths of the files"),
    field("added", Shape::Count, "lines added"),
    field("removed", Shape::Count, "lines removed"),
    field("bytes", Shape::Count, "bytes of the diff"),
    field("sha256", Shape::Text, "SHA-256 of the diff, in hex"),
    field("diff", Shape::Text, "the diff, unified"),
];

struct Diffs;

impl Mode for Diffs {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let Some(facts) = row.facts.filter(|facts| &*facts.name == "turn.diff") else { return };
        let Some(diff) = text_at(&facts.payload, &["unified_diff"]) else { return };
        let Changes { files, added, removed } = changes(diff);
        let values = vec![
            files.into(),
            added.into(),
            removed.into(),
            diff.len().into(),
            sha256(diff).into(),
            diff.into(),
        ];
        out.push(Record::new(&INFO, row.event, values));
    }
}

/// What a unified diff changes.
pub(super) struct Changes {
    pub files: Vec<Value>,
    pub added: u64,
    pub removed: u64,
}

/// Counts the lines of a unified diff. Lines of a file that look like its headers are told apart by
/// the length that each hunk states.
pub(super) fn changes(diff: &str) -> Changes {
    let (mut files, mut added, mut removed) = (Vec::new(), 0, 0);
    let (mut old_left, mut new_left) = (0u64, 0u64);
    let mut old_name = "";
    for line in diff.lines() {
        if old_left > 0 || new_left > 0 {
            match line.as_bytes().first() {
                Some(b'+') => (added, new_left) = (added + 1, new_left.saturating_sub(1)),
                Some(b'-') => (removed, old_left) = (removed + 1, old_left.saturating_sub(1)),
                Some(b'\\') => {}
                _ => {
                    (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1));
                }
            }
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            (old_left, new_left) = lengths(hunk);
        } else if let Some(name) = line.strip_prefix("--- ") {
            old_name = name;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            let name = if name == "/dev/null" { old_name } else { name };
            let name = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name);
            files.push(Value::from(name.split('\t').next().unwrap_or(name)));
        }
    }
    Changes { files, added, removed }
}

/// The numbers of old and new lines that the head of a hunk states: `-1,3 +1,4 @@`. A length that is
/// not stated is 1.
fn lengths(hunk: &str) -> (u64, u64) {
    let length = |sign: char| {
        let part = hunk.split(' ').find_map(|part| part.strip_prefix(sign))?;
        part.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok())
    };
    (length('-').unwrap_or(0), length('+').unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use crate::given::{records, turn};
    use serde_json::json;

    #[test]
    fn files_and_lines_are_counted() {
        let diff = "diff --git a/x.rs b/x.rs\n--- a/x.rs\n+++ b/x.rs\n@@ -1,2 +1,3 @@\n a\n--- b\n+++ c\n+d\n\
                    --- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+one\n";
        let found = records("diffs", &[turn(5, "turn.diff", "1", &json!({"unified_diff": diff}))]);
        assert_eq!(found.len(), 1);
        let record = &found[0];
        assert_eq!(record["files"], json!(["x.rs", "new"]));
        assert_eq!((&record["added"], &record["removed"]), (&json!(3), &json!(1)));
        assert_eq!(
            (&record["t"], &record["turn_id"]),
            (&json!("2026-01-01T00:00:00.005Z"), &json!("1"))
        );
    }
}

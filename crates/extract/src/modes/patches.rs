//! `patches`: a patch that Codex applied.
//!
//! Begin and end belong together by session and `call_id`, as those of `exec_runs` do. The lines of
//! a file that is added or deleted are those of its content; those of one that is changed are
//! counted from its diff, by the lengths that its hunks state, or, in a diff without hunks, by the
//! signs at the start of its lines.

use agentlog::event::Tool;
use agentlog::record::{Field, Shape};
use serde_json::{Value, json};

use super::diffs::changes;
use super::runs::{Kind, Run, RunRow, Runs, Told};
use crate::tools::{or_null, text_at};
use crate::{Info, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "patches",
    about: "a patch that Codex applied",
    sources: "turn.patch_apply.begin and .end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "state", "ok", "files"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<Runs<Patches>>::default(),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field(
        "state",
        Shape::OneOf(&["ended", "never_ended", "end_only"]),
        "which of its rows are there",
    ),
    field("auto_approved", Shape::Bool, "whether nobody was asked"),
    field(
        "files",
        Shape::Json,
        "for each file {path, change, move_path, added, removed}: lines added and removed",
    ),
    field("added", Shape::Count, "lines added"),
    field("removed", Shape::Count, "lines removed"),
    field("ok", Shape::Bool, "whether it went well"),
    field("stdout", Shape::Text, "what was said of it"),
    field("stderr", Shape::Text, "what went wrong"),
    field("t_end", Shape::Time, "when it ended"),
];

struct Patches;

/// What both rows may tell.
#[derive(Default)]
struct Patch {
    call_id: Option<String>,
    auto_approved: Option<bool>,
    files: Option<Files>,
}

/// What is changed.
struct Files {
    list: Vec<Value>,
    added: u64,
    removed: u64,
}

/// What the end tells.
#[derive(Default)]
struct End {
    ok: Option<bool>,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Kind for Patches {
    const INFO: &'static Info = &INFO;
    const TOOL: Tool = Tool::Patch;
    type Told = Patch;
    type End = End;

    fn end(run: &RunRow<'_>) -> End {
        let owned = |key| run.text(key).map(String::from);
        let by_status = || match run.text("status")? {
            "completed" => Some(true),
            "failed" | "declined" => Some(false),
            _ => None,
        };
        End {
            ok: run.flag("success").or_else(by_status).or_else(|| run.read_ok()),
            stdout: owned("stdout"),
            stderr: owned("stderr"),
        }
    }

    fn values(run: Run<Patch, End>) -> Vec<Value> {
        let Run { state, told, end, t_end, .. } = run;
        let end = end.unwrap_or_default();
        let (added, removed) =
            told.files.as_ref().map(|files| (files.added, files.removed)).unzip();
        vec![
            or_null(told.call_id),
            state.into(),
            or_null(told.auto_approved),
            or_null(told.files.map(|files| files.list)),
            or_null(added),
            or_null(removed),
            or_null(end.ok),
            or_null(end.stdout),
            or_null(end.stderr),
            or_null(t_end),
        ]
    }
}

impl Told for Patch {
    fn of(run: &RunRow<'_>) -> Self {
        Self {
            call_id: run.call_id.map(String::from),
            auto_approved: run.flag("auto_approved"),
            files: run.value("changes").and_then(Files::of),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            call_id: self.call_id.or(other.call_id),
            auto_approved: self.auto_approved.or(other.auto_approved),
            files: self.files.or(other.files),
        }
    }
}

impl Files {
    /// Reads `{path: {type, content | unified_diff, move_path}}`, or `{path: {type: {…}}}` of older
    /// builds.
    fn of(told: &Value) -> Option<Self> {
        let mut files = Self { list: Vec::new(), added: 0, removed: 0 };
        for (path, told) in told.as_object()? {
            let (change, told) = match text_at(told, &["type"]) {
                Some(change) => (Some(change), told),
                None => match told.as_object().and_then(|told| told.iter().next()) {
                    Some((change, told)) => (Some(change.as_str()), told),
                    None => (None, told),
                },
            };
            let (added, removed) = lines(change, told);
            files.added += added.unwrap_or(0);
            files.removed += removed.unwrap_or(0);
            let move_path = text_at(told, &["move_path"]);
            files.list.push(json!({
                "path": path, "change": change, "move_path": move_path, "added": added, "removed": removed,
            }));
        }
        Some(files)
    }
}

/// Lines added and removed, as far as the change tells.
fn lines(change: Option<&str>, told: &Value) -> (Option<u64>, Option<u64>) {
    let content = || text_at(told, &["content"]).map(|text| text.lines().count() as u64);
    match (change, text_at(told, &["unified_diff"])) {
        (_, Some(diff)) => {
            let (added, removed) = lines_of_diff(diff);
            (Some(added), Some(removed))
        }
        (Some("add"), None) => (content(), Some(0)),
        (Some("delete"), None) => (Some(0), content()),
        _ => (None, None),
    }
}

fn lines_of_diff(diff: &str) -> (u64, u64) {
    if diff.lines().any(|line| line.starts_with("@@ ")) {
        let found = changes(diff);
        return (found.added, found.removed);
    }
    let signed = |sign| diff.lines().filter(|line| line.starts_with(sign)).count() as u64;
    (signed('+'), signed('-'))
}

#[cfg(test)]
mod tests {
    use crate::given::{records, turn};
    use serde_json::{Value, json};

    fn begin(ms: i64, changes: &Value) -> String {
        let told = json!({"call_id": "a", "auto_approved": true, "changes": changes});
        turn(ms, "turn.patch_apply.begin", "1", &told)
    }

    fn end(ms: i64, success: bool) -> String {
        let told =
            json!({"call_id": "a", "stdout": "", "stderr": "no such hunk", "success": success});
        turn(ms, "turn.patch_apply.end", "1", &told)
    }

    #[test]
    fn lines_of_all_changes_are_counted() {
        let changes = json!({
            "/w/new": {"type": "add", "content": "a\nb\n"},
            "/w/old": {"type": "delete", "content": "c"},
            "/w/x": {"type": "update", "unified_diff": "@@ -1,2 +1,3 @@\n a\n--- b\n+++ c\n+d\n", "move_path": "/w/y"},
        });
        let found = records("patches", &[begin(0, &changes), end(20, false)]);
        assert_eq!(
            found,
            [json!({
                "t": "2026-01-01T00:00:00.000Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "state": "ended", "auto_approved": true,
                "files": [
                    {"path": "/w/new", "change": "add", "move_path": null, "added": 2, "removed": 0},
                    {"path": "/w/old", "change": "delete", "move_path": null, "added": 0, "removed": 1},
                    {"path": "/w/x", "change": "update", "move_path": "/w/y", "added": 2, "removed": 1},
                ],
                "added": 4, "removed": 2, "ok": false, "stdout": "", "stderr": "no such hunk",
                "t_end": "2026-01-01T00:00:00.020Z", "line": 1,
            })]
        );
    }

    #[test]
    fn older_shapes_and_diffs_without_hunks_are_read() {
        let changes = json!({"/w/x": {"update": {"unified_diff": "-a\n+b\n+c\n", "move_path": null}}, "/w/z": 7});
        let patch = &records("patches", &[begin(0, &changes)])[0];
        assert_eq!(
            (&patch["state"], &patch["added"], &patch["removed"]),
            (&json!("never_ended"), &json!(2), &json!(1))
        );
        assert_eq!(patch["files"][0]["change"], "update");
        assert_eq!(patch["files"][1]["added"], Value::Null);
        assert_eq!((&patch["ok"], &patch["t_end"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn an_end_alone_tells_no_files() {
        let patch = &records("patches", &[end(0, true)])[0];
        assert_eq!((&patch["state"], &patch["ok"]), (&json!("end_only"), &json!(true)));
        for key in ["files", "added", "removed", "auto_approved"] {
            assert_eq!(patch[key], Value::Null, "{key}");
        }
    }

    #[test]
    fn ends_of_rollouts_tell_the_changes() {
        let changes = json!({"/w/new": {"type": "add", "content": "a\n"}});
        let row = |payload: Value| {
            json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "event_msg", "payload": payload}).to_string()
        };
        let event = json!({"type": "patch_apply_end", "call_id": "a", "stdout": "done", "stderr": "", "success": true, "changes": changes});
        let item = json!({"type": "item_completed", "item": {"type": "FileChange", "id": "b", "changes": changes, "status": "completed"}});
        let found = records("patches", &[row(event), row(item)]);
        assert_eq!(found.len(), 2);
        for (patch, id) in found.iter().zip(["a", "b"]) {
            assert_eq!((&patch["call_id"], &patch["state"]), (&json!(id), &json!("end_only")));
            assert_eq!((&patch["added"], &patch["ok"]), (&json!(1), &json!(true)));
        }
    }
}

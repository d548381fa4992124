//! `--dedup`, and limits on the number of records.

use super::records;
use crate::programs::{codex, column, lines};
use serde_json::{Value, json};
use testkit::{Row, Workdir};

fn diff(ms: i64, text: &str) -> Row {
    codex(ms, "turn.diff").payload(json!({"unified_diff": text}))
}

fn found(args: &[&str]) -> Vec<Value> {
    let (a, b) =
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n", "--- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n");
    let rows = [diff(0, a), diff(0, a), diff(10, b), diff(20, a), diff(30, b)];
    let dir = Workdir::new();
    records("diffs", args, &dir.write("sse_lines.jsonl", &lines(&rows)))
}

/// The files of each record's diff, how many records it stands for, and the line of its row.
fn told(args: &[&str]) -> Vec<(String, u64, u64)> {
    let number = |value: &Value| value.as_u64().expect("a number");
    let told = |record: &Value| {
        (
            record["files"][0].as_str().expect("a file").to_owned(),
            number(&record["count"]),
            number(&record["src"]["line"]),
        )
    };
    found(args).iter().map(told).collect()
}

fn x(count: u64, line: u64) -> (String, u64, u64) {
    ("x".into(), count, line)
}

fn y(count: u64, line: u64) -> (String, u64, u64) {
    ("y".into(), count, line)
}

#[test]
fn records_that_say_the_same_are_left_out_as_asked() {
    assert_eq!(told(&[]), [x(1, 1), x(1, 2), y(1, 3), x(1, 4), y(1, 5)]);
    assert_eq!(told(&["--dedup", "none"]), told(&[]));
    assert_eq!(told(&["--dedup", "exact"]), [x(2, 1), y(1, 3), x(1, 4), y(1, 5)]);
    assert_eq!(told(&["--dedup", "content"]), [x(3, 1), y(2, 3)]);
    assert_eq!(told(&["--dedup", "last"]), [x(3, 4), y(2, 5)]);
}

#[test]
fn limits_are_for_each_mode() {
    assert_eq!(told(&["-n", "2"]), [x(1, 4), y(1, 5)]);
    assert_eq!(told(&["--first", "1"]), [x(1, 1)]);
    assert_eq!(told(&["--first", "1", "--dedup", "content"]), [x(3, 1)]);
    let rows = [diff(0, "--- a/x\n+++ b/x\n"), diff(9, "--- a/y\n+++ b/y\n")];
    let dir = Workdir::new();
    let path = dir.write("sse_lines.jsonl", &lines(&rows));
    let both = records("diffs,rounds", &["-n", "1"], &path);
    assert_eq!(column(&both, "schema"), ["alog.extract.rounds/1", "alog.extract.diffs/1"]);
    assert_eq!(column(&both, "index"), ["1", "2"]);
}

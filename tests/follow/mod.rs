//! Logs that are followed: what grows, comes, goes and changes its name is read, each row once.

mod emit;
mod ends;
mod idle;
mod names;
mod pipe;
mod storm;

use crate::live::child::Child;
use crate::programs::{EVENTS, claude};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use testkit::{Row, Workdir};

/// The ways to learn of changes.
const WAYS: [&[&str]; 2] = [&[], &["--poll", "100ms"]];

/// How long nothing may come for it to be sure that nothing will.
const QUIET: Duration = Duration::from_millis(700);

/// A row whose payload says its number; its time, too, so that rows are in order by number.
fn row(n: i64) -> Row {
    claude(n, "claude.numbered").payload(json!({ "n": n }))
}

fn rows(numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    numbers.into_iter().flat_map(|n| row(n).to_bytes()).collect()
}

/// `alog-events -f` on a directory.
fn follow(args: &[&str], path: &Path) -> Child {
    let path = path.to_str().expect("UTF-8");
    Child::on(EVENTS, ["-f"].iter().chain(args).chain(&[path]))
}

fn number(record: &Value) -> i64 {
    record["payload"]["n"].as_i64().unwrap_or_else(|| panic!("no number in {record}"))
}

/// The numbers of the next records.
fn next(child: &mut Child, count: usize) -> Vec<i64> {
    (0..count).map(|_| number(&child.next())).collect()
}

#[test]
fn what_is_there_comes_first_and_then_what_is_written() {
    for way in WAYS {
        let dir = Workdir::new();
        dir.write("a.jsonl", &rows([1, 3]));
        dir.write("b.jsonl", &rows([2, 4]));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 4), [1, 2, 3, 4]);
        assert!(child.is_silent_for(QUIET));
        dir.append("b.jsonl", &rows([5]));
        let record = child.next();
        assert_eq!(
            (number(&record), &record["index"], &record["src"]["line"]),
            (5, &json!(5), &json!(3))
        );
        dir.append("a.jsonl", &rows([6, 7]));
        assert_eq!(next(&mut child, 2), [6, 7]);
    }
}

#[test]
fn half_a_line_waits_for_its_rest_and_a_torn_one_for_the_next() {
    let dir = Workdir::new();
    let (first, second) = (row(1).to_bytes(), row(2).to_bytes());
    let (head, rest) = first.split_at(first.len() / 2);
    // Half a line is there before, and after.
    dir.write("a.jsonl", head);
    let mut child = follow(&["--summary"], dir.path());
    assert!(child.is_silent_for(QUIET));
    dir.append("a.jsonl", rest);
    assert_eq!(next(&mut child, 1), [1]);
    dir.append("a.jsonl", &second[..second.len() / 2]);
    assert!(child.is_silent_for(QUIET));
    // Another writer's row stands in the same line.
    dir.append("a.jsonl", &rows([3]));
    let record = child.next();
    let offset = first.len() + second.len() / 2;
    assert_eq!((number(&record), &record["src"]["offset"]), (3, &json!(offset)));
    dir.append("a.jsonl", b"{\"event\":");
    child.signal("TERM");
    let ended = child.end();
    assert_eq!((ended.code, ended.rest.as_str()), (Some(143), ""));
    assert!(ended.stderr.contains("\"bad_lines\":1,\"partial_lines\":1"), "{}", ended.stderr);
}

#[test]
fn a_last_row_without_a_line_feed_is_read_at_the_end() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1]));
    let mut child = follow(&["--until-idle", "500ms"], dir.path());
    assert_eq!(next(&mut child, 1), [1]);
    dir.append("a.jsonl", row(2).to_bytes().trim_ascii_end());
    let ended = child.end();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.rest.lines().count(), 1, "{}", ended.rest);
}

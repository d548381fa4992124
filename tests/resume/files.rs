//! What becomes of logs between two runs: rotation, compression, truncation, replacement, deletion.

use super::{Growing, rows, set};
use crate::programs::{EVENTS, PROMPTS, TURNS};
use serde_json::Value;
use std::fs;
use testkit::{Detail, LogBuilder, Workdir};

/// A log of Codex.
fn log(seed: u64) -> Vec<u8> {
    LogBuilder::new(seed).codex_sessions(1).claude_sessions(0).detail(Detail::Brief).build().codex
}

fn lines_of(log: &[u8]) -> usize {
    log.split_inclusive(|byte| *byte == b'\n').count()
}

/// Where a line near the middle starts.
fn middle(log: &[u8]) -> usize {
    let half = log.len() / 2;
    half + log[half..].iter().position(|byte| *byte == b'\n').expect("a line feed") + 1
}

/// Rows, wherever they stand.
fn rows_of(records: Vec<Value>) -> Vec<String> {
    let without_path = |mut record: Value| {
        record["src"]["path"].take();
        record
    };
    set(records.into_iter().map(without_path).collect())
}

/// Two runs; between them `meanwhile` happens to `x.jsonl`, of which the first part was read, and which
/// has grown to its end by the second. All rows are printed once.
fn each_row_once(named: &str, meanwhile: impl FnOnce(&Growing)) -> String {
    let (growing, log) = (Growing::new(EVENTS, &[]), log(311));
    growing.write("x.jsonl", &log[..middle(&log)]);
    let run = || {
        let state = growing.dir.path().join("state");
        let command = testkit::Cmd::new(EVENTS).cwd(growing.dir.path()).arg("--state").arg(state);
        command.args(["--flush-open", named]).run().expect_code(0)
    };
    // The last five seconds are printed by both: they are open.
    let first = run();
    growing.append("x.jsonl", &log[middle(&log)..]);
    meanwhile(&growing);
    let second = run();
    let mut printed = rows_of([first.rows(), second.rows()].concat());
    printed.dedup();
    let plain = Growing::new(EVENTS, &[]);
    plain.write("x.jsonl", &log);
    assert_eq!(printed, rows_of(plain.plain().rows()), "{}", second.stderr);
    let read_again = first.rows().len() + second.rows().len() - printed.len();
    assert!(read_again < first.rows().len(), "it was read from its start");
    second.stderr
}

fn rename(growing: &Growing, to: &str) {
    fs::rename(growing.logs().join("x.jsonl"), growing.logs().join(to)).expect("to rename it");
}

#[test]
fn a_log_that_was_rotated_is_read_on() {
    let said = each_row_once("logs", |growing| rename(growing, "x.jsonl.1"));
    assert_eq!(said, "");
    // Who names the file means what it was, too.
    let said = each_row_once("logs/x.jsonl", |growing| {
        rename(growing, "x.jsonl.1");
        growing.write("x.jsonl", b"");
    });
    assert_eq!(said, "");
}

#[test]
fn rows_after_a_rename_have_the_new_path() {
    let (growing, log) = (Growing::new(EVENTS, &[]), log(312));
    growing.write("x.jsonl", &log[..middle(&log)]);
    growing.run();
    growing.append("x.jsonl", &log[middle(&log)..]);
    rename(&growing, "y.jsonl");
    let printed = growing.run().rows();
    assert!(!printed.is_empty());
    assert!(printed.iter().all(|row| row["src"]["path"] == "logs/y.jsonl"), "{printed:#?}");
}

#[test]
fn a_log_that_was_copied_and_truncated_is_read_on_in_the_copy() {
    let next = log(313);
    let said = each_row_once("logs", |growing| {
        fs::copy(growing.logs().join("x.jsonl"), growing.logs().join("x.jsonl.1")).expect("a copy");
        fs::File::create(growing.logs().join("x.jsonl")).expect("to truncate it");
    });
    assert_eq!(said, "");
    let growing = Growing::new(EVENTS, &[]);
    growing.write("x.jsonl", &next);
    growing.run();
    fs::copy(growing.logs().join("x.jsonl"), growing.logs().join("x.jsonl.1")).expect("a copy");
    let (path, new) = (growing.logs().join("x.jsonl"), log(314));
    fs::write(&path, &new).expect("to write anew");
    let printed = rows(&growing.next(&["--flush-open"]).run().expect_code(0).stdout);
    let lines = lines_of(&new);
    let of_new = printed.iter().filter(|row| row["src"]["path"] == "logs/x.jsonl").count();
    assert_eq!(of_new, lines, "the new log is read from its start");
}

#[test]
fn a_log_that_was_compressed_is_read_on() {
    for end in ["gz", "zst"] {
        let said = each_row_once("logs", |growing| {
            let path = growing.logs().join("x.jsonl");
            let (bytes, name) = (fs::read(&path).expect("the log"), format!("logs/x.jsonl.{end}"));
            match end {
                "gz" => growing.dir.write_gz(&name, &bytes),
                _ => growing.dir.write_zst(&name, &bytes),
            };
            fs::remove_file(path).expect("to remove it");
        });
        assert_eq!(said, "", "{end}");
    }
}

#[test]
fn a_log_that_was_replaced_is_read_from_its_start() {
    let growing = Growing::new(EVENTS, &[]);
    growing.write("x.jsonl", &log(315));
    growing.run();
    // In its place, and as another file.
    for (anew, seed) in [(true, 316), (false, 323)] {
        let path = growing.logs().join("x.jsonl");
        if anew {
            fs::remove_file(&path).expect("to remove it");
        }
        let new = log(seed);
        fs::write(&path, &new).expect("a new log");
        let ran = growing.next(&["--flush-open"]).run().expect_code(0);
        assert!(ran.stderr.contains("logs/x.jsonl: truncated or replaced"), "{}", ran.stderr);
        assert_eq!(ran.rows().len(), lines_of(&new));
        assert_eq!(growing.run().stderr, "", "it is told once");
    }
}

#[test]
fn a_log_that_is_gone_is_told_once_and_its_turn_stays() {
    let (growing, log) = (Growing::new(TURNS, &[]), log(317));
    let open = Workdir::new();
    let cut = log.len() * 2 / 3;
    growing.write("x.jsonl", &log[..cut]);
    growing.write("other.jsonl", &self::log(318));
    open.write("x.jsonl", &log[..cut]);
    let first = growing.run().rows();
    fs::remove_file(growing.logs().join("x.jsonl")).expect("to remove it");
    let second = growing.run();
    assert!(second.stderr.contains("logs/x.jsonl: gone since the last run"), "{}", second.stderr);
    let third = growing.next(&["--flush-open"]).run().expect_code(0);
    assert!(!third.stderr.contains("gone"), "{}", third.stderr);
    let of_x: Vec<Value> = [first, second.rows(), third.rows()].concat();
    let of_x = of_x.into_iter().filter(|turn| turn["src"]["path"] == "logs/x.jsonl");
    let alone = testkit::Cmd::new(TURNS).arg(open.path()).run().expect_code(0).rows();
    assert!(alone.iter().any(|turn| turn["status"] == "open"), "no turn is open");
    assert!(of_x.count() >= alone.len(), "a turn was lost");
}

#[test]
fn new_logs_are_found() {
    let (growing, one, two) = (Growing::new(PROMPTS, &[]), log(319), log(320));
    growing.write("x.jsonl", &one);
    let first = growing.run().rows();
    growing.dir.write("logs/sub/y.jsonl", &two);
    let second = growing.next(&["--flush-open"]).run().expect_code(0).rows();
    let of = |name: &str| second.iter().filter(|row| row["src"]["path"] == name).count();
    let prompts = |log: &[u8]| {
        let dir = Workdir::new();
        testkit::Cmd::new(PROMPTS).arg(dir.write("x.jsonl", log)).run().rows().len()
    };
    assert_eq!(of("logs/sub/y.jsonl"), prompts(&two));
    assert_eq!(first.len() + of("logs/x.jsonl"), prompts(&one));
    let numbers: Vec<u64> =
        first.iter().chain(&second).map(|row| row["index"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_line_without_an_end_waits() {
    let (growing, log) = (Growing::new(EVENTS, &[]), log(321));
    // Whole JSON, but for its line feed.
    growing.write("x.jsonl", &log[..middle(&log) - 1]);
    let first = growing.next(&["--summary", "--flush-open"]).run().expect_code(0);
    assert_eq!(first.summary()["partial_lines"], 1);
    growing.append("x.jsonl", b"\n");
    let second = growing.next(&["--summary", "--flush-open"]).run().expect_code(0);
    let (first, second) = (first.rows(), second.rows());
    let last = |rows: &[Value]| rows.iter().filter_map(|r| r["src"]["line"].as_u64()).max();
    assert_eq!(last(&first).map(|line| line + 1), last(&second));
}

#[test]
fn bad_lines_are_told_once() {
    let (growing, log) = (Growing::new(EVENTS, &[]), log(322));
    let mut bad = log.clone();
    bad.splice(middle(&log)..middle(&log), *b"no row at all\n");
    growing.write("x.jsonl", &bad[..middle(&log) + 14]);
    let counts =
        |ran: &testkit::Ran| (ran.summary()["bad_lines"].clone(), ran.summary()["lines"].clone());
    let first = growing.next(&["--summary"]).run().expect_code(0);
    growing.append("x.jsonl", &bad[middle(&log) + 14..]);
    let second = growing.next(&["--summary"]).run().expect_code(0);
    let third = growing.next(&["--summary"]).run().expect_code(0);
    let (first, second, third) = (counts(&first), counts(&second), counts(&third));
    assert_eq!((first.0, second.0, third.0), (1.into(), 0.into(), 0.into()));
    let lines = lines_of(&bad) as u64;
    let read = [first.1, second.1, third.1].iter().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(read, lines, "lines are counted once");
}

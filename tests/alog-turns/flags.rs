//! The flags of `alog-turns`, and what `--explain` tells.

use crate::programs::{TURNS, Written};
use serde_json::Value;
use testkit::{Fault, LogBuilder};

fn written() -> Written {
    let faults = [Fault::Aborted, Fault::Superseded, Fault::MissingIdle, Fault::BadArgs];
    Written::new(&LogBuilder::new(91).turns(3).faults(&faults))
}

fn all(written: &Written, args: &[&str]) -> Vec<Value> {
    written.run(TURNS, args).expect_code(0).rows()
}

fn prompts(turns: &[Value]) -> Vec<&str> {
    turns.iter().filter_map(|turn| turn["prompt"].as_str()).collect()
}

#[test]
fn only_turns_that_ended_so() {
    let written = written();
    let turns = all(&written, &[]);
    for (list, names) in
        [("aborted", &["aborted"][..]), ("superseded,open", &["superseded", "open"])]
    {
        let some = all(&written, &["--status", list]);
        let is_one = |turn: &&Value| turn["status"].as_str().is_some_and(|s| names.contains(&s));
        let want: Vec<Value> = turns.iter().filter(is_one).cloned().collect();
        assert!(!some.is_empty());
        assert_eq!(prompts(&some), prompts(&want));
    }
    let wrong = written.run(TURNS, &["--status", "done"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("superseded"), "{}", wrong.stderr);
}

#[test]
fn only_turns_with_an_idle_row() {
    let written = written();
    let turns = all(&written, &[]);
    let idle = all(&written, &["--idle"]);
    assert!(!idle.is_empty() && idle.len() < turns.len());
    assert!(idle.iter().all(|turn| turn["idle_t"].is_string()));
}

#[test]
fn texts_are_left_out() {
    for turn in all(&written(), &["--no-text"]) {
        assert!(turn["prompt"].is_null() && turn["reply"].is_null(), "{turn}");
    }
}

#[test]
fn the_latest_turns() {
    let written = written();
    let turns = all(&written, &[]);
    let last = all(&written, &["-n", "2"]);
    assert_eq!(prompts(&last), prompts(&turns[turns.len() - 2..]));
}

/// Rows by what they counted for add up to the record.
#[test]
fn explained_rows_add_up() {
    let written = Written::faulty(92);
    for turn in all(&written, &["--explain"]) {
        let rows = turn["rows"].as_array().expect("rows");
        let count = |uses: &[&str]| {
            rows.iter().filter(|row| uses.contains(&row["use"].as_str().unwrap_or(""))).count()
        };
        assert_eq!(turn["tool_calls"], count(&["tool call"]), "{turn}");
        assert_eq!(turn["responses"], count(&["request"]), "{turn}");
        assert_eq!(count(&["prompt"]), 1, "{turn}");
        let added = |key: &str| rows.iter().filter_map(|row| row[key].as_u64()).sum::<u64>();
        for (key, sum) in turn["tokens"].as_object().into_iter().flatten() {
            assert_eq!(*sum, added(key), "{key} of {turn}");
        }
        assert!(!turn["tokens"].is_null() || added("total_tokens") == 0, "{turn}");
        let said = count(&["reply", "reply, whole"]);
        assert!(said == 0 || turn["replies"] == said, "{turn}");
    }
}

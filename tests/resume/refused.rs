//! States that cannot be gone on with, and flags that cannot be meant.

use super::Growing;
use crate::programs::{CALLS, EVENTS, PROMPTS, TOKENS, TURNS};
use std::fs::{self, File};
use testkit::{Cmd, LogBuilder};

fn growing() -> Growing {
    let growing = Growing::new(TURNS, &[]);
    let log = LogBuilder::new(331).codex_sessions(1).claude_sessions(0).build();
    growing.write("x.jsonl", &log.codex);
    growing.run();
    growing
}

/// What a run says that is refused; nothing is printed.
fn refused(command: Cmd) -> String {
    let ran = command.run().expect_code(2);
    assert!(ran.stdout.is_empty());
    ran.stderr
}

#[test]
fn a_state_of_other_wishes() {
    let growing = growing();
    let said = refused(growing.next(&["--status", "open"]));
    assert!(said.contains("it was made with no --status, not with --status open"), "{said}");
    let said = refused(growing.next(&["--tz", "+01:00"]));
    assert!(said.contains("with --tz auto, not with --tz +01:00"), "{said}");
    let other = Growing { program: PROMPTS, ..growing };
    let said = refused(other.next(&[]));
    assert!(said.contains("it was made with alog-turns, not with alog-prompts"), "{said}");
    assert!(said.contains("remove this one to read all from the start"), "{said}");
}

#[test]
fn how_records_are_shown_is_free() {
    let growing = growing();
    let more = ["--summary", "-j", "1", "--pretty", "--quiet", "--flush-open", "-o", "csv"];
    let ran = growing.next(&more).run().expect_code(0);
    assert!(!ran.stdout.is_empty());
}

#[test]
fn a_state_that_is_damaged_or_none() {
    let growing = growing();
    let path = growing.dir.path().join("state");
    let good = fs::read(&path).expect("the state");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&b""[..], b"{}\n", &good[..good.len() - 1], &flipped] {
        fs::write(&path, bad).expect("to damage it");
        let said = refused(growing.next(&[]));
        assert!(said.contains("name another --state-file, or remove this one"), "{said}");
    }
    fs::write(&path, &good).expect("to mend it");
    growing.run();
}

#[test]
fn a_log_that_is_shorter_than_it_was() {
    let growing = growing();
    let log = File::options().write(true).open(growing.logs().join("x.jsonl")).expect("the log");
    log.set_len(log.metadata().expect("its length").len() - 5000).expect("to shorten it");
    let said = refused(growing.next(&[]));
    assert!(said.contains("logs/x.jsonl: it begins as before, but"), "{said}");
}

#[test]
fn two_runs_at_once() {
    let growing = growing();
    let lock = File::open(growing.dir.path().join("state.lock")).expect("the lock");
    lock.lock().expect("to lock it");
    let said = refused(growing.next(&[]));
    assert!(said.contains("another run is at work with it"), "{said}");
    drop(lock);
    growing.run();
}

#[test]
fn flags_that_cannot_be_meant() {
    let growing = growing();
    for flags in [&["-n", "3"][..], &["--first", "3"], &["-o", "table"], &["-o", "json"]] {
        let said = refused(growing.next(flags));
        assert!(said.contains("--state-file prints what is new"), "{said}");
    }
    let state = growing.dir.path().join("other");
    let said = refused(Cmd::new(EVENTS).arg("--state").arg(&state).stdin(b"{}\n"));
    assert!(said.contains("only files can be read on"), "{said}");
    refused(Cmd::new(TOKENS).args(["--flush-open"]).arg(growing.logs()));
    refused(Cmd::new(CALLS).arg("--stats").arg("--state-file").arg(&state).arg(growing.logs()));
}

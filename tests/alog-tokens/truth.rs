//! Sums of sessions and of turns against logs whose truth is known, each fault by itself and all
//! at once.

use super::by;
use crate::programs::{Written, by_keys_of, expect_true};
use serde_json::{Value, json};
use testkit::{Detail, Fault, LogBuilder, differences};

/// What is wrong with the sums of sessions.
fn of_sessions(written: &Written) -> Vec<String> {
    differences(&written.log.truth.tokens, &by(written, "session", &[]), &["provider", "sid"])
}

/// What is wrong with the sums of turns, as far as the truth tells them.
fn of_turns(written: &Written) -> Vec<String> {
    let got = by(written, "turn", &[]);
    let mut found = Vec::new();
    for turn in written.log.truth.turns.iter().filter(|turn| turn["tokens"].is_object()) {
        let is_it = |record: &&Value| {
            ["provider", "sid", "session_turn"].iter().all(|key| record[key] == turn[key])
        };
        let record = got.iter().find(is_it).unwrap_or(&Value::Null);
        if by_keys_of(&turn["tokens"], record) != turn["tokens"] {
            let place = json!([turn["sid"], turn["session_turn"]]);
            found.push(format!("turn {place}: {} and not {record}", turn["tokens"]));
        }
    }
    found
}

fn untrue(builder: &LogBuilder) -> Vec<String> {
    let written = Written::new(builder);
    let mut found = of_sessions(&written);
    found.extend(of_turns(&written));
    found.truncate(4);
    found
}

fn each_fault(faults: &[Fault]) {
    let one = |fault: &Fault| {
        let builder = LogBuilder::new(71).turns(2).fault(*fault);
        (format!("{fault:?}"), untrue(&builder))
    };
    expect_true(faults.iter().map(one));
}

#[test]
fn each_fault_alone_first_half() {
    each_fault(&Fault::ALL[..Fault::ALL.len() / 2]);
}

#[test]
fn each_fault_alone_second_half() {
    each_fault(&Fault::ALL[Fault::ALL.len() / 2..]);
}

#[test]
fn all_faults_in_some_zones() {
    let one = |(seed, offset): (u64, i64)| {
        let builder = LogBuilder::new(80 + seed).turns(2).faults(&Fault::ALL);
        let builder = builder.detail(Detail::Brief).offset_minutes(offset);
        (format!("seed {seed}, offset {offset}"), untrue(&builder))
    };
    expect_true((0..).zip([0, 420, -570]).map(one));
}

#[test]
fn many_sessions_with_all_faults() {
    let one = |seed: u64| {
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(2);
        (format!("seed {seed}"), untrue(&builder.detail(Detail::Brief).faults(&Fault::ALL)))
    };
    expect_true((90..94).map(one));
}

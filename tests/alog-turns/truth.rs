//! Turns of logs whose truth is known, each fault by itself and all at once.

use crate::programs::{CALLS, TURNS, Written, expect_true, untrue};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Detail, Fault, LogBuilder};

fn findings(builder: &LogBuilder) -> Vec<String> {
    let written = Written::new(builder);
    let ran = written.run(TURNS, &[]).expect_code(0);
    untrue(&written.log.truth.turns, &ran, &["provider", "sid", "session_turn"])
}

#[test]
fn each_fault_alone() {
    expect_true(Fault::ALL.map(|fault| {
        let builder = LogBuilder::new(61).turns(2).fault(fault);
        (format!("{fault:?}"), findings(&builder))
    }));
}

#[test]
fn all_faults_in_every_zone() {
    expect_true((70..).zip([0, 420, -570, 345, 780]).map(|(seed, offset)| {
        let builder = LogBuilder::new(seed).turns(1).faults(&Fault::ALL);
        let builder = builder.detail(Detail::Brief).offset_minutes(offset);
        (format!("offset {offset}"), findings(&builder))
    }));
}

#[test]
fn many_sessions_with_all_faults() {
    expect_true((80..83).map(|seed| {
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(2);
        let builder = builder.detail(Detail::Brief).faults(&Fault::ALL);
        (format!("seed {seed}"), findings(&builder))
    }));
}

/// What `alog-calls` says of a turn's calls is what the turn says.
#[test]
fn calls_and_turns_agree() {
    for seed in 85..88 {
        let written = Written::faulty(seed);
        let mut calls: BTreeMap<(String, u64), (u64, u64)> = BTreeMap::new();
        let turn_of = |record: &Value| {
            Some((record["sid"].as_str()?.to_owned(), record["session_turn"].as_u64()?))
        };
        for call in written.run(CALLS, &[]).expect_code(0).rows() {
            let (Some(turn), true) = (turn_of(&call), call["state"] != "orphan") else { continue };
            let sums = calls.entry(turn).or_default();
            sums.0 += 1;
            sums.1 += u64::from(call["state"] == "failed");
        }
        for turn in written.run(TURNS, &[]).expect_code(0).rows() {
            let key = turn_of(&turn).expect("a turn has a session and an ordinal");
            let (announced, failed) = calls.get(&key).copied().unwrap_or_default();
            assert_eq!(turn["tool_calls"], announced, "{turn}");
            assert_eq!(turn["tool_errors"], failed, "{turn}");
        }
    }
}

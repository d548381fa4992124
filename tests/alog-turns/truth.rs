//! Turns of logs whose truth is known, each fault by itself and all at once.

use crate::programs::{TURNS, Written, untrue};
use testkit::{Detail, Fault, LogBuilder};

fn findings(builder: &LogBuilder) -> Vec<String> {
    let written = Written::new(builder);
    let ran = written.run(TURNS, &[]).expect_code(0);
    untrue(&written.log.truth.turns, &ran, &["provider", "sid", "session_turn"])
}

fn expect_true(logs: impl Iterator<Item = (String, LogBuilder)>) {
    let wrong = logs.filter_map(|(name, builder)| {
        let found = findings(&builder);
        (!found.is_empty()).then(|| format!("{name}:\n    {}", found.join("\n    ")))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} logs are read wrongly:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_fault_alone() {
    expect_true(
        Fault::ALL
            .iter()
            .map(|fault| (format!("{fault:?}"), LogBuilder::new(61).turns(2).fault(*fault))),
    );
}

#[test]
fn all_faults_in_every_zone() {
    expect_true([0, 420, -570, 345, 780].into_iter().enumerate().map(|(seed, offset)| {
        let builder = LogBuilder::new(70 + seed as u64).turns(1).faults(&Fault::ALL);
        (format!("offset {offset}"), builder.detail(Detail::Brief).offset_minutes(offset))
    }));
}

#[test]
fn many_sessions_with_all_faults() {
    expect_true((80..83).map(|seed| {
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(2);
        (format!("seed {seed}"), builder.detail(Detail::Brief).faults(&Fault::ALL))
    }));
}

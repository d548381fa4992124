//! Against logs whose truth is known: each fault by itself, all at once, in many seeds and zones.

use crate::programs::{CALLS, Written, expect_true};
use testkit::{Detail, Fault, LogBuilder, differences};

/// Everything wrong with the calls of that log.
fn untrue(builder: &LogBuilder) -> Vec<String> {
    let written = Written::new(builder);
    let ran = written.run(CALLS, &[]).expect_code(0);
    let mut found =
        differences(&written.log.truth.calls, &ran.rows(), &["provider", "sid", "call_id"]);
    found.truncate(4);
    found
}

#[test]
fn each_fault_alone() {
    expect_true(Fault::ALL.iter().map(|fault| {
        let builder = LogBuilder::new(71).turns(2).fault(*fault);
        (format!("{fault:?}"), untrue(&builder))
    }));
}

/// The faults of calls, and those of turns that decide what becomes of calls.
const OF_CALLS: [Fault; 21] = [
    Fault::BadArgs,
    Fault::ArgsMismatch,
    Fault::LateDelta,
    Fault::DuplicateCall,
    Fault::MissingOutput,
    Fault::DuplicateOutput,
    Fault::OrphanOutput,
    Fault::EndWithoutBegin,
    Fault::NeverEnded,
    Fault::OutOfOrder,
    Fault::ExitMismatch,
    Fault::ForkReusedIds,
    Fault::NoResults,
    Fault::NoDeltas,
    Fault::NoArgTool,
    Fault::ScrambledTies,
    Fault::RepeatedDelta,
    Fault::AbortedUnanswered,
    Fault::OpenTurn,
    Fault::Superseded,
    Fault::ShutdownInTurn,
];

#[test]
fn the_faults_of_calls_in_many_seeds() {
    expect_true(OF_CALLS.iter().flat_map(|fault| {
        (300..306).map(move |seed| {
            let builder = LogBuilder::new(seed).turns(3).fault(*fault);
            (format!("{fault:?}, seed {seed}"), untrue(&builder))
        })
    }));
}

#[test]
fn no_fault_in_every_zone() {
    expect_true([0, 420, -570, 345, 780].map(|offset| {
        let builder = LogBuilder::new(72).codex_sessions(3).claude_sessions(3).turns(3);
        (format!("offset {offset}"), untrue(&builder.offset_minutes(offset)))
    }));
}

#[test]
fn all_faults_at_once() {
    expect_true((80..86).map(|seed| {
        let builder = LogBuilder::new(seed).codex_sessions(3).claude_sessions(3).turns(2);
        (format!("seed {seed}"), untrue(&builder.detail(Detail::Brief).faults(&Fault::ALL)))
    }));
}

#[test]
fn a_clean_log_passes_the_check() {
    for seed in 90..94 {
        let written = Written::new(&LogBuilder::new(seed).codex_sessions(2).turns(3));
        let ran = written.run(CALLS, &["--check", "--fail-on", "warn"]).expect_code(0);
        assert_eq!(ran.text(), "", "seed {seed}");
    }
}

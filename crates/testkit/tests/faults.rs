//! Each fault shows in the bytes when it is on, and only then.

use crate::checks::{Check, bytes, calls, prompts, rows, streams};
use crate::reading::Reading;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Fault, Log, LogBuilder};

fn built(faults: &[Fault]) -> Log {
    LogBuilder::new(5).turns(1).faults(faults).build()
}

fn tables() -> BTreeMap<Fault, Check> {
    let tables = [&rows::CHECKS[..], &prompts::CHECKS, &streams::CHECKS, &calls::CHECKS];
    tables.into_iter().flatten().chain(&bytes::CHECKS).copied().collect()
}

#[test]
fn a_fault_shows_only_when_it_is_on() {
    let clean = built(&[]);
    let clean = [Reading::new(&clean.codex), Reading::new(&clean.claude)];
    let tables = tables();
    for fault in Fault::ALL {
        let shows = tables.get(&fault).unwrap_or_else(|| panic!("{fault:?} has no check"));
        let log = built(&[fault]);
        let files = [Reading::new(&log.codex), Reading::new(&log.claude)];
        assert!(files.iter().any(shows), "{fault:?} does not show");
        assert!(!clean.iter().any(shows), "{fault:?} shows in a clean log");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let [one, two] = [built(&Fault::ALL), built(&Fault::ALL)];
    assert_eq!(one.codex, two.codex);
    assert_eq!(one.claude, two.claude);
    assert_ne!(LogBuilder::new(6).build().codex, LogBuilder::new(5).build().codex);
}

#[test]
fn a_fault_leaves_the_turns_before_it_alone() {
    let (clean, with) = (built(&[]), built(&[Fault::Steering]));
    let shutdown = b"turn.shutdown_complete";
    let end = clean.codex.windows(22).position(|window| window == shutdown).expect("an end");
    assert_eq!(clean.codex[..end - 20], with.codex[..end - 20]);
}

#[test]
fn counts_are_those_of_a_naive_reader() {
    for fault in Fault::ALL {
        let log = built(&[fault]);
        for (bytes, counts) in [(&log.codex, log.truth.codex), (&log.claude, log.truth.claude)] {
            let lines = line_starts(bytes).len() as u64 - 1;
            let tail = u64::from(bytes.last() != Some(&b'\n'));
            assert_eq!(counts.lines, lines + tail, "{fault:?}");
            // A row behind junk shares its line with it.
            let glued = u64::from([Fault::TwoWriters, Fault::NulBytes].contains(&fault));
            let kinds = counts.events + counts.bad_lines + counts.blank_lines;
            let kinds = kinds + counts.framing_rows + counts.partial_lines;
            assert_eq!(kinds - glued, counts.lines, "{fault:?}");
        }
        let bad = fault == Fault::TornRow || fault == Fault::NotJson;
        assert!(!bad || log.truth.all.bad_lines == 2, "{fault:?}");
        assert_eq!(log.truth.all.events, log.truth.events.len() as u64);
    }
}

#[test]
fn a_tail_that_is_torn_leaves_the_row_before_it_whole() {
    let log = built(&[Fault::NoFinalNewline, Fault::PartialTail]);
    assert_eq!(log.truth.all.partial_lines, 2);
    assert_eq!(Reading::new(&log.codex).rows.len() as u64, log.truth.codex.events);
}

#[test]
fn places_point_at_the_rows() {
    let log = built(&Fault::ALL);
    let [codex, claude] = [&log.codex, &log.claude].map(|bytes| line_starts(bytes));
    for event in log.truth.events.iter().chain(&log.truth.prompts) {
        let of_codex = event["provider"] == "codex";
        let (bytes, starts) = if of_codex { (&log.codex, &codex) } else { (&log.claude, &claude) };
        let number = |key: &str| event["src"][key].as_u64().expect("a number") as usize;
        let row = &bytes[number("offset")..number("offset") + number("len")];
        let row: Value = serde_json::from_slice(row).expect("a whole row");
        assert!(row.get("line").is_some());
        let line = starts.partition_point(|&start| start <= number("offset"));
        assert_eq!(line, number("line"));
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

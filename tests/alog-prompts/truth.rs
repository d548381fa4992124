//! Both commands against logs whose truth is known, each fault by itself and all at once.

use crate::programs::{
    EVENTS, PROMPTS, Written, by_keys_of, expect_true, untrue as untrue_records,
};
use serde_json::{Value, json};
use testkit::{Detail, Fault, LogBuilder};

/// UTC, +07:00, -09:30, +05:45, +13:00.
const OFFSETS: [i64; 5] = [0, 420, -570, 345, 780];

/// What is wrong with the counts of a run over the whole log.
fn miscounts(written: &Written) -> Vec<String> {
    let ran = written.run(EVENTS, &["--summary", "-n", "0"]).expect_code(0);
    let truth = written.log.truth.all;
    let bytes = written.log.codex.len() + written.log.claude.len();
    let want = json!({
        "files": written.paths.len(), "files_skipped": 0, "bytes": bytes, "lines": truth.lines,
        "events": truth.events, "records": 0, "bad_lines": truth.bad_lines,
        "partial_lines": truth.partial_lines, "late_rows": truth.late_rows, "unknown_files": 0,
    });
    let got = by_keys_of(&want, &ran.summary());
    let mut found = Vec::new();
    if !ran.stdout.is_empty() {
        found.push("records in spite of -n 0".to_owned());
    }
    if got != want {
        found.push(format!("counted {got} instead of {want}"));
    }
    found
}

/// Everything wrong with both commands on that log.
fn untrue(builder: &LogBuilder) -> Vec<String> {
    let written = Written::new(builder);
    let prompts = written.run(PROMPTS, &[]).expect_code(0);
    let events = written.run(EVENTS, &[]).expect_code(0);
    let truth = &written.log.truth;
    let mut found = untrue_records(&truth.prompts, &prompts, &["provider", "sid", "t", "text"]);
    found.extend(untrue_records(&truth.events, &events, &["provider", "sid", "t", "event", "seq"]));
    let errors = events.rows().iter().filter(|event| !event["payload_error"].is_null()).count();
    let expected = truth.all.payload_errors + broken_metadata(&written.log.codex);
    if errors as u64 != expected {
        found.push(format!("{errors} payload errors instead of {expected}"));
    }
    found.extend(miscounts(&written));
    found
}

/// Rows whose metadata is not JSON say so in `payload_error` too; the truth counts payloads only.
fn broken_metadata(log: &[u8]) -> u64 {
    let is_broken = |row: &&[u8]| {
        let row: Option<Value> = serde_json::from_slice(row).ok();
        let metadata = row.as_ref().and_then(|row| row.get("metadata")?.as_str());
        metadata.is_some_and(|text| serde_json::from_str::<Value>(text).is_err())
    };
    log.split(|byte| *byte == b'\n').filter(is_broken).count() as u64
}

fn each_fault(faults: &[Fault]) {
    let one = |fault: &Fault| {
        let builder = LogBuilder::new(31).turns(2).fault(*fault);
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
fn no_fault_in_every_zone() {
    let one = |offset: &i64| {
        let builder = LogBuilder::new(32).codex_sessions(2).claude_sessions(2);
        (format!("offset {offset}"), untrue(&builder.turns(2).offset_minutes(*offset)))
    };
    expect_true(OFFSETS.iter().map(one));
}

#[test]
fn all_faults_in_every_zone() {
    let one = |(seed, offset): (u64, &i64)| {
        let builder = LogBuilder::new(40 + seed).turns(1).faults(&Fault::ALL);
        let builder = builder.detail(Detail::Brief);
        (format!("seed {seed}, offset {offset}"), untrue(&builder.offset_minutes(*offset)))
    };
    expect_true((0..).zip(&OFFSETS).map(one));
}

#[test]
fn many_sessions_with_all_faults() {
    let one = |seed: u64| {
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(2);
        (format!("seed {seed}"), untrue(&builder.detail(Detail::Brief).faults(&Fault::ALL)))
    };
    expect_true((50..53).map(one));
}

//! Against logs whose truth is known: each fault by itself, all at once, in every way to read.

use crate::programs::{DELTAS, Written, expect_true, placeless};
use serde_json::Value;
use testkit::{Cmd, Detail, Fault, LogBuilder, Ran, differences};

/// What names an item of each agent.
const NAMES: [(&str, &[&str]); 2] =
    [("codex", &["sid", "item_id"]), ("claude", &["sid", "request_id", "block_index"])];

/// What is wrong with the records of a log, if they are not its truth.
fn untrue(builder: &LogBuilder, args: &[&str]) -> Vec<String> {
    let written = Written::new(builder);
    let ran = written.run(DELTAS, args);
    let mut found = misplaced(&ran);
    let (want, got) = (&written.log.truth.deltas, ran.rows());
    for (provider, names) in NAMES {
        let of = |rows: &[Value]| -> Vec<Value> {
            rows.iter().filter(|row| row["provider"] == provider).cloned().collect()
        };
        found.extend(differences(&of(want), &of(&got), names));
    }
    found.truncate(4);
    found.iter().map(|text| text.chars().take(700).collect()).collect()
}

/// Records out of order, and keys that contradict each other.
fn misplaced(ran: &Ran) -> Vec<String> {
    let rows = ran.rows();
    let t = |row: &Value| row["t"].as_str().unwrap_or_default().to_owned();
    let late = rows.windows(2).filter(|pair| t(&pair[0]) > t(&pair[1]));
    let mut found: Vec<String> = late.map(|pair| format!("too late: {}", pair[1])).collect();
    for row in &rows {
        let bytes = row["text"].as_str().map(|text| text.len() as u64);
        if row["bytes"].as_u64() != bytes {
            found.push(format!("bytes are not those of the text: {row}"));
        }
        if (row["deltas"] == 0) != row["t_last"].is_null() {
            found.push(format!("a time of the last delta, or none: {row}"));
        }
    }
    found
}

#[test]
fn each_fault_alone() {
    let one = |fault: Fault| {
        let builder = LogBuilder::new(231).turns(2).fault(fault);
        (format!("{fault:?}"), untrue(&builder, &[]))
    };
    expect_true(Fault::ALL.into_iter().map(one));
}

#[test]
fn all_faults_at_once_in_every_zone() {
    let one = |(seed, offset): (u64, i64)| {
        let builder = LogBuilder::new(240 + seed).turns(1).faults(&Fault::ALL);
        let builder = builder.detail(Detail::Brief).offset_minutes(offset);
        (format!("seed {seed}, offset {offset}"), untrue(&builder, &["--strict"]))
    };
    expect_true((0..).zip([0, 420, -570, 345, 780]).map(one));
}

#[test]
fn many_sessions_with_all_faults() {
    let one = |seed: u64| {
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(2);
        (format!("seed {seed}"), untrue(&builder.faults(&Fault::ALL), &[]))
    };
    expect_true((250..256).map(one));
}

#[test]
fn every_way_in_gives_the_same_records() {
    let written = Written::new(&LogBuilder::new(261).turns(1).faults(&Fault::ALL));
    let plain = written.run(DELTAS, &[]).expect_code(0);
    for args in [&["-j1"][..], &["-j8"]] {
        assert!(written.run(DELTAS, args).stdout == plain.stdout, "{args:?}");
    }
    let turned = Cmd::new(DELTAS).args(written.paths.iter().rev()).run().expect_code(0);
    same(&sorted(turned.rows()), &sorted(plain.rows()));
    for (path, bytes) in written.paths.iter().zip([&written.log.codex, &written.log.claude]) {
        let want = sorted(Cmd::new(DELTAS).arg(path).run().expect_code(0).rows());
        let gz = written.dir.write_gz("packed.jsonl.gz", bytes);
        same(&sorted(Cmd::new(DELTAS).arg(gz).run().expect_code(0).rows()), &want);
        let piped = Cmd::new(DELTAS).arg("-").stdin(bytes).run().expect_code(0);
        same(&sorted(piped.rows()), &want);
    }
}

fn same(got: &[String], want: &[String]) {
    let differs = got.iter().zip(want).find(|(got, want)| got != want);
    assert!(differs.is_none() && got.len() == want.len(), "{differs:#?}");
}

/// Records as they are, but for where the log was read from, in an order of their own.
fn sorted(records: Vec<Value>) -> Vec<String> {
    let mut lines: Vec<String> = placeless(records).iter().map(Value::to_string).collect();
    lines.sort();
    lines
}

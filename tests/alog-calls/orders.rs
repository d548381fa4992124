//! Ways to the same records: threads, the order of files, compression, pipes, damaged order.

use crate::live::child::Child;
use crate::programs::{CALLS, Written, placeless, spelled_alike};
use serde_json::Value;
use std::path::PathBuf;
use testkit::{Cmd, Escape, Fault, Generation, LogBuilder, MetadataForm, Prng, Spelling, Workdir};

const FAULTS: [Fault; 14] = [
    Fault::Disorder,
    Fault::ScrambledTies,
    Fault::DuplicateCall,
    Fault::DuplicateOutput,
    Fault::MissingOutput,
    Fault::OrphanOutput,
    Fault::NeverEnded,
    Fault::EndWithoutBegin,
    Fault::LateDelta,
    Fault::AbortedUnanswered,
    Fault::Superseded,
    Fault::NoResults,
    Fault::ForkReusedIds,
    Fault::PromptAfterFollowers,
];

fn builder(seed: u64) -> LogBuilder {
    LogBuilder::new(seed).codex_sessions(2).claude_sessions(2).turns(3).faults(&FAULTS)
}

fn sorted(records: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = records.iter().map(ToString::to_string).collect();
    all.sort();
    all
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let written = Written::new(&builder(97).giant_bytes(3 << 20).fault(Fault::NestedLog));
    for args in [&[][..], &["--explain"], &["--check"], &["--stats"], &["-o", "csv"]] {
        let with = |jobs: &str| {
            let ran = written.run(CALLS, &[args, &[jobs]].concat());
            (ran.code, ran.stdout)
        };
        let one = with("-j1");
        assert!(with("-j8") == one && with("-j3") == one, "{args:?}");
    }
}

#[test]
fn rotated_parts_may_be_named_in_any_order() {
    for seed in [98, 99] {
        let written = Written::new(&builder(seed));
        let whole = spelled_alike(without_places(written.run(CALLS, &[]).rows()));
        let mut parts: Vec<PathBuf> = Vec::new();
        for (name, log) in [("c", &written.log.codex), ("a", &written.log.claude)] {
            let rows: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
            for (i, part) in rows.chunks(rows.len().div_ceil(4)).enumerate() {
                parts.push(written.dir.write(&format!("parts/{name}.{i}.jsonl"), &part.concat()));
            }
        }
        let backwards: Vec<PathBuf> = parts.iter().rev().cloned().collect();
        for order in [&parts, &backwards] {
            let told = Cmd::new(CALLS).args(order).run().expect_code(0).rows();
            let told = spelled_alike(without_places(told));
            assert_eq!(sorted(&told), sorted(&whole), "seed {seed}");
        }
    }
}

/// Violations point into files, too.
fn without_places(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        for broken in record["violations"].as_array_mut().into_iter().flatten() {
            broken["src"].take();
        }
    }
    records
}

#[test]
fn a_pipe_and_compressed_logs_tell_the_same() {
    let written = Written::new(&builder(101));
    let log = &written.log.codex;
    let of_path = |path: &PathBuf| {
        placeless(without_places(Cmd::new(CALLS).arg(path).run().expect_code(0).rows()))
    };
    let plain = sorted(&of_path(&written.paths[0]));
    assert!(plain.len() > 10);
    let dir = Workdir::new();
    assert_eq!(sorted(&of_path(&dir.write_gz("c.jsonl.gz", log))), plain);
    let mut child = Child::start(CALLS, &[]);
    for part in log.chunks(9973) {
        child.write(part);
    }
    let piped = child.end().rest;
    let piped = piped.lines().map(|line| serde_json::from_str(line).expect("a record"));
    assert_eq!(sorted(&placeless(without_places(piped.collect()))), plain);
}

#[test]
fn a_spelling_changes_no_record() {
    let of = |spelling: Spelling| {
        let written = Written::new(&builder(102).spelling(spelling));
        spelled_alike(without_places(written.run(CALLS, &[]).expect_code(0).rows()))
    };
    let today = Spelling::default();
    let want = of(today);
    for spelling in [
        Spelling { escape: Escape::Letters, ..today },
        Spelling { spaced: true, shuffle: Some(3), ..today },
        Spelling { metadata: MetadataForm::Object, escape: Escape::Outer, ..today },
        Spelling::of(Generation::G4),
    ] {
        assert!(of(spelling) == want, "{spelling:?}");
    }
}

/// Rows moved by up to three seconds in the file change nothing: their times tell.
#[test]
fn rows_within_the_window_may_stand_anywhere() {
    for seed in 103..107 {
        let written = Written::new(&LogBuilder::new(seed).codex_sessions(2).turns(3));
        let want = sorted(&spelled_alike(without_places(written.run(CALLS, &[]).rows())));
        let mut prng = Prng::new(seed);
        let mut rows: Vec<(u64, &[u8])> = Vec::new();
        for (i, row) in written.log.codex.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let late = if prng.percent(5) { prng.range(1, 12) } else { 0 };
            rows.push((i as u64 + late, row));
        }
        rows.sort_by_key(|(place, _)| *place);
        let moved: Vec<u8> = rows.iter().flat_map(|(_, row)| row.iter().copied()).collect();
        let path = written.dir.write("moved.jsonl", &moved);
        let told = Cmd::new(CALLS).arg(path).arg(&written.paths[1]).run().expect_code(0).rows();
        assert_eq!(sorted(&spelled_alike(without_places(told))), want, "seed {seed}");
    }
}

//! A log read in parts, in any parts, gives what it gives when it is read at once.

use super::{FOLDS, GROUPS, Growing, rows, set};
use crate::programs::TOKENS;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Detail, Fault, LogBuilder, NativeBuilder, NativeCase, Prng};

/// Logs by name, and the lengths that they have from run to run.
struct Split<'a> {
    logs: Vec<(&'a str, &'a [u8])>,
    lengths: Vec<Vec<usize>>,
}

impl<'a> Split<'a> {
    /// All at once.
    fn none(logs: &[(&'a str, &'a [u8])]) -> Self {
        let lengths = vec![logs.iter().map(|(_, log)| log.len()).collect()];
        Self { logs: logs.to_vec(), lengths }
    }

    /// One log at any bytes; of several, each goes as far as the others in time.
    fn random(logs: &[(&'a str, &'a [u8])], prng: &mut Prng) -> Self {
        let mut lengths = Vec::new();
        let parts = prng.range(2, 7);
        if let [(_, log)] = logs {
            lengths.extend((1..parts).map(|_| vec![prng.range(0, log.len() as u64) as usize]));
        } else {
            let mut times: Vec<String> = logs.iter().flat_map(|(_, log)| times_of(log)).collect();
            times.sort();
            for _ in 1..parts {
                let t = &times[prng.range(0, times.len() as u64 - 1) as usize];
                lengths.push(logs.iter().map(|(_, log)| length_at(log, t)).collect());
            }
        }
        lengths.sort();
        lengths.push(logs.iter().map(|(_, log)| log.len()).collect());
        Self { logs: logs.to_vec(), lengths }
    }

    /// What the runs print, one after the other.
    fn printed(&self, program: &'static str, args: &[&str]) -> Vec<u8> {
        let growing = Growing::new(program, args);
        let mut printed = Vec::new();
        let mut have = vec![0; self.logs.len()];
        for lengths in &self.lengths {
            for (((name, log), length), have) in self.logs.iter().zip(lengths).zip(&mut have) {
                let path = growing.logs().join(name);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
                growing.append(name, &log[*have..*length]);
                *have = *length;
            }
            printed.extend(growing.printed());
        }
        printed
    }
}

/// The text of a line's time: as text, times of one log are in order.
fn time_of(line: &[u8]) -> Option<String> {
    let row: Value = serde_json::from_slice(line).ok()?;
    Some(row.get("t").or(row.get("timestamp"))?.as_str()?.get(..23)?.to_owned())
}

fn times_of(log: &[u8]) -> impl Iterator<Item = String> + '_ {
    log.split(|byte| *byte == b'\n').filter_map(time_of)
}

/// How much of a log is there when time has come to `t`.
fn length_at(log: &[u8], t: &str) -> usize {
    let mut length = 0;
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        if time_of(line).is_some_and(|own| own.as_str() >= t) {
            break;
        }
        length += line.len();
    }
    length
}

/// Splits of the logs print what no split does.
fn check(logs: &[(&str, &[u8])], splits: usize, seed: u64) {
    let mut prng = Prng::new(seed);
    for (program, args) in FOLDS {
        let whole = Split::none(logs).printed(program, args);
        for n in 0..splits {
            let split = Split::random(logs, &mut prng);
            let printed = split.printed(program, args);
            assert!(
                printed == whole,
                "{program} {args:?}: split {n} at {:?}\n{}\ninstead of\n{}",
                split.lengths,
                String::from_utf8_lossy(&printed),
                String::from_utf8_lossy(&whole)
            );
        }
    }
    check_tokens(logs, splits.div_ceil(2), &mut prng);
}

/// The last records of each group are those of a run over all.
fn check_tokens(logs: &[(&str, &[u8])], splits: usize, prng: &mut Prng) {
    for by in GROUPS {
        let args = ["--by", by, "--rate-limits"];
        let last = |printed: &[u8]| -> BTreeMap<String, String> {
            let records = rows(printed).into_iter().map(|mut record| {
                record["index"].take();
                let keys = ["sid", "call", "session_turn", "model", "provider"];
                let key: Vec<String> = keys.iter().map(|key| record[key].to_string()).collect();
                (key.join(" "), record.to_string())
            });
            records.collect()
        };
        let whole = last(&Split::none(logs).printed(TOKENS, &args));
        for _ in 0..splits {
            let split = Split::random(logs, prng);
            let printed = last(&split.printed(TOKENS, &args));
            // What was told of a group that went by another name since, for its model, say, stays.
            let wrong: Vec<_> =
                whole.iter().filter(|(key, group)| printed.get(*key) != Some(*group)).collect();
            assert!(wrong.is_empty(), "--by {by}: split at {:?}: {wrong:#?}", split.lengths);
        }
    }
}

/// All runs together tell what a plain run does, once the last tells what is open, too.
fn check_all_is_told(logs: &[(&str, &[u8])]) {
    let mut times: Vec<String> = logs.iter().flat_map(|(_, log)| times_of(log)).collect();
    times.sort();
    let middle = &times[times.len() / 2];
    for (program, args) in FOLDS.into_iter().filter(|(_, args)| *args != ["--raw"]) {
        let growing = Growing::new(program, args);
        for (name, log) in logs {
            growing.write(name, &log[..length_at(log, middle)]);
        }
        let mut printed = growing.printed();
        for (name, log) in logs {
            growing.append(name, &log[length_at(log, middle)..]);
        }
        printed.extend(growing.next(&["--flush-open"]).run().expect_code(0).stdout);
        let plain = Growing::new(program, args);
        for (name, log) in logs {
            plain.write(name, log);
        }
        assert_eq!(set(rows(&printed)), set(plain.plain().rows()), "{program} {args:?}");
    }
}

fn brief(seed: u64) -> LogBuilder {
    LogBuilder::new(seed).turns(2).detail(Detail::Brief)
}

#[test]
fn logs_in_order() {
    for seed in [301, 302] {
        let log = brief(seed).codex_sessions(2).claude_sessions(2).build();
        check(&[("codex.jsonl", &log.codex)], 6, seed);
        check(&[("claude.jsonl", &log.claude)], 6, seed);
        check_all_is_told(&[("codex.jsonl", &log.codex)]);
        check_all_is_told(&[("claude.jsonl", &log.claude)]);
    }
}

#[test]
fn logs_with_all_faults() {
    let log = LogBuilder::new(303).turns(1).detail(Detail::Brief).faults(&Fault::ALL).build();
    check(&[("codex.jsonl", &log.codex)], 5, 303);
    check(&[("claude.jsonl", &log.claude)], 5, 304);
}

#[test]
fn several_logs_that_grow_together() {
    let log = brief(305).codex_sessions(2).claude_sessions(2).build();
    check(&[("a.jsonl", &log.codex), ("b.jsonl", &log.claude)], 6, 305);
    check_all_is_told(&[("a.jsonl", &log.codex), ("b.jsonl", &log.claude)]);
}

#[test]
fn transcripts_and_rollouts() {
    let log = NativeBuilder::new(306).turns(1).cases(&NativeCase::all()).build();
    let enough =
        log.files.iter().filter(|file| file.bytes == file.plain && file.bytes.len() > 9000);
    let files: Vec<(&str, &[u8])> = enough.map(|file| (&*file.path, &file.bytes[..])).collect();
    assert!(files.len() > 5, "{}", files.len());
    for (n, file) in files.iter().enumerate().step_by(9) {
        check(&[*file], 2, 306 + n as u64);
    }
}

#[test]
fn many_transcripts_and_rollouts() {
    let log = NativeBuilder::new(307).claude_sessions(3).codex_threads(3).turns(2).build();
    let files: Vec<(&str, &[u8])> =
        log.files.iter().map(|file| (&*file.path, &file.bytes[..])).collect();
    check(&files, 4, 307);
    check_all_is_told(&files);
}

//! However logs grow from run to run, and whichever views are asked for when, the tables are those of a
//! run over the logs as they are.

use super::{Keeping, VIEWS, codex};
use serde_json::Value;
use std::fs;
use std::time::SystemTime;
use testkit::{Detail, Fault, LogBuilder, NativeBuilder, Prng};

/// Logs by their names.
type Logs<'a> = [(&'a str, &'a [u8])];

/// Lets logs grow in some steps, and compares some views after each, all at last. One log is cut at any
/// byte; of several, each goes as far as the others in time.
fn check(logs: &Logs<'_>, steps: u64, seed: u64) {
    let mut prng = Prng::new(seed);
    let keeping = Keeping::new();
    let mut have = vec![0; logs.len()];
    let mut times: Vec<String> = logs.iter().flat_map(|(_, log)| times_of(log)).collect();
    times.sort();
    for step in 1..=steps {
        let share = prng.range(0, 100) as usize;
        let until = times.get(times.len() * step as usize / steps as usize);
        for ((name, log), have) in logs.iter().zip(&mut have) {
            let to = match (until, logs) {
                (None, _) => log.len(),
                (_, [_]) => cut(log, *have + (log.len() - *have) * share / 100),
                (Some(until), _) => length_at(log, until),
            };
            keeping.append(name, &log[*have..to]);
            *have = to;
        }
        let views: Vec<&str> = VIEWS.into_iter().filter(|_| prng.range(0, 3) == 0).collect();
        let views = if step == steps { &VIEWS[..] } else { &views[..] };
        if !views.is_empty() {
            keeping.check(views, &format!("seed {seed}, step {step}, {have:?}, {views:?}"));
        }
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
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    let before = |line: &&[u8]| time_of(line).is_none_or(|own| own.as_str() < t);
    lines.take_while(before).map(<[u8]>::len).sum()
}

/// A place to cut. A line that lacks nothing but its line feed is read by a run without a file, while
/// one that goes on waits for it.
fn cut(log: &[u8], at: usize) -> usize {
    if log.get(at) == Some(&b'\n') { at + 1 } else { at }
}

#[test]
fn one_log() {
    for seed in [401, 402, 403] {
        let log = LogBuilder::new(seed).turns(2).codex_sessions(2).claude_sessions(2);
        let log = log.detail(Detail::Brief).build();
        check(&[("codex.jsonl", &log.codex)], 5, seed);
        check(&[("claude.jsonl", &log.claude)], 5, seed + 10);
    }
}

#[test]
fn logs_of_both_agents_that_grow_together() {
    let log = LogBuilder::new(415).turns(2).codex_sessions(2).detail(Detail::Brief).build();
    check(&[("codex.jsonl", &log.codex), ("claude.jsonl", &log.claude)], 5, 415);
}

#[test]
fn logs_with_all_faults() {
    for seed in [421, 422] {
        let log = LogBuilder::new(seed).turns(1).detail(Detail::Brief).faults(&Fault::ALL).build();
        check(&[("codex.jsonl", &log.codex)], 4, seed);
        check(&[("claude.jsonl", &log.claude)], 4, seed + 10);
    }
}

#[test]
fn transcripts_and_rollouts() {
    let log = NativeBuilder::new(441).claude_sessions(2).codex_threads(2).turns(2).build();
    let files: Vec<(&str, &[u8])> =
        log.files.iter().map(|file| (&*file.path, &file.bytes[..])).collect();
    check(&files, 3, 441);
    for (n, file) in files.iter().enumerate() {
        check(&[*file], 3, 442 + n as u64);
    }
}

#[test]
fn logs_that_come_one_after_the_other() {
    let log = LogBuilder::new(451).turns(1).detail(Detail::Brief).build();
    let keeping = Keeping::new();
    keeping.check(&VIEWS, "no log");
    for (name, bytes) in [("a.jsonl", &log.codex), ("b/c.jsonl", &log.claude)] {
        keeping.write(name, bytes);
        keeping.check(&VIEWS, name);
    }
}

#[test]
fn records_are_numbered_in_order_of_time() {
    let (keeping, log) = (Keeping::new(), codex(452));
    keeping.write("x.jsonl", &log[..super::middle(&log)]);
    let numbered = "SELECT \"index\", t, src FROM events ORDER BY \"index\"";
    keeping.told(numbered);
    keeping.append("x.jsonl", &log[super::middle(&log)..]);
    let fresh = testkit::Cmd::new(super::SQL).cwd(keeping.dir.path()).args([numbered, "logs"]);
    let (kept, fresh) = (keeping.told(numbered), fresh.run().expect_code(0));
    assert_eq!(kept.text(), fresh.text());
    assert_eq!(kept.rows()[0]["index"], 1);
}

#[test]
fn nothing_new_writes_nothing() {
    let (keeping, log) = (Keeping::new(), codex(453));
    keeping.write("x.jsonl", &log);
    let all = super::all_of(&VIEWS);
    let first = keeping.told(&all);
    let seen = || -> (Vec<u8>, SystemTime) {
        let modified = fs::metadata(keeping.file()).and_then(|file| file.modified());
        (fs::read(keeping.file()).expect("the file"), modified.expect("its time"))
    };
    let before = seen();
    assert_eq!(super::sorted(&keeping.told(&all)), super::sorted(&first));
    assert!(seen() == before, "the file was written");
    let beside: Vec<_> = fs::read_dir(keeping.dir.path()).expect("the folder").flatten().collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
    let counts = keeping.ask(&all).arg("--summary").run().expect_code(0).summary();
    assert_eq!((&counts["files"], &counts["bytes"]), (&0.into(), &0.into()), "it was read again");
}

//! Runs that are killed: what they printed may come again, and nothing is lost.

use crate::programs::{EVENTS, TURNS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Cmd, Prng, Workdir, big};

/// Rows by their places.
fn places(printed: &[u8]) -> Vec<(String, u64)> {
    let whole = printed.split_inclusive(|byte| *byte == b'\n').filter(|l| l.ends_with(b"\n"));
    let place = |line: &[u8]| {
        let row: Value = serde_json::from_slice(line).expect("a record");
        let src = &row["src"];
        (src["path"].to_string(), src["offset"].as_u64().expect("a number"))
    };
    whole.map(place).collect()
}

/// Starts the command again and again, kills it after a while, and lets it end at last. Returns all
/// that was printed.
fn printed_by_pieces(program: &str, dir: &Workdir, prng: &mut Prng, kills: u32) -> Vec<u8> {
    let mut printed = Vec::new();
    let mut whole = Duration::from_secs(2);
    for n in 0..=kills {
        let out = dir.path().join(format!("out{n}"));
        let command = || {
            let mut command = Command::new(program);
            command.current_dir(dir.path()).args(["--state-file", "state", "x.jsonl"]);
            command
        };
        let file = File::create(&out).expect("a file for the output");
        let mut child = command().stdout(Stdio::from(file)).spawn().expect("the program");
        let start = Instant::now();
        if n < kills {
            thread::sleep(Duration::from_micros(prng.range(0, whole.as_micros() as u64)));
            child.kill().expect("to kill it");
        }
        let status = child.wait().expect("its end");
        if status.success() {
            whole = start.elapsed().max(Duration::from_millis(50));
        }
        printed.extend(std::fs::read(&out).expect("the output"));
    }
    printed
}

#[test]
fn no_record_is_lost() {
    let mut prng = Prng::new(341);
    for program in [EVENTS, TURNS] {
        let dir = Workdir::new();
        let log = dir.path().join("x.jsonl");
        big(&log, 24 << 20, 341).expect("a log");
        let pieces = printed_by_pieces(program, &dir, &mut prng, 10);
        let whole = Cmd::new(program).cwd(dir.path()).args(["--state-file", "other", "x.jsonl"]);
        let whole = places(&whole.run().expect_code(0).stdout);
        let pieces: BTreeSet<_> = places(&pieces).into_iter().collect();
        let lost: Vec<_> = whole.iter().filter(|place| !pieces.contains(*place)).collect();
        assert!(lost.is_empty(), "{program}: {} of {} are lost", lost.len(), whole.len());
        assert_eq!(pieces.len(), whole.len(), "{program}: more than there is");
    }
}

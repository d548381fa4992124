//! Logs made by hand, of which it is known what they come to.

use super::lines::Spelled;
use super::shared;
use crate::programs::TOKENS;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::{Cmd, Ran, Workdir};

/// Fresh input, cache read, cache write, output, total.
type Counts = [u64; 5];

const KEYS: [&str; 5] =
    ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "total_tokens"];

const CLAUDE: &str = "claude_stream_dup_torn.jsonl";
const CODEX: &str = "codex_reemit.jsonl";
const FORK: &str = "codex_fork_replay.jsonl";

fn run(paths: &[PathBuf]) -> Ran {
    Cmd::new(TOKENS).args(["--by", "all", "--summary"]).args(paths).run().expect_code(0)
}

fn counts(ran: &Ran) -> Counts {
    let rows = ran.rows();
    assert_eq!(rows.len(), 1, "{}", ran.stderr);
    KEYS.map(|key| rows[0].get(key).and_then(Value::as_u64).expect(key))
}

/// The files in all spellings and packings, each set in a folder of its own.
fn each_form(cases: &Path, names: &[&str], check: &dyn Fn(&str, &[PathBuf])) {
    type Write = fn(&Workdir, &str, &[u8]) -> PathBuf;
    let packings: [(&str, Write); 3] =
        [("plain", Workdir::write), ("gzip", Workdir::write_gz), ("zstd", Workdir::write_zst)];
    for spelled in Spelled::ALL {
        for (packing, write) in packings {
            let dir = Workdir::new();
            let paths: Vec<PathBuf> = names
                .iter()
                .map(|name| {
                    let text = fs::read(cases.join(name)).expect("a case");
                    write(&dir, name, &spelled.lines(&text))
                })
                .collect();
            check(&format!("{names:?} {spelled:?} {packing}"), &paths);
        }
    }
}

fn expect(names: &[&str], want: impl Fn(Counts) -> bool) {
    let Some(cases) = shared("cases/usage") else { return };
    each_form(&cases, names, &|form, paths| {
        let counts = counts(&run(paths));
        assert!(want(counts), "{form}: {counts:?}");
    });
}

#[test]
fn a_streamed_message_counts_once_and_a_torn_line_is_told() {
    expect(&[CLAUDE], |counts| counts == [1003, 200, 100, 209, 1512]);
    let Some(cases) = shared("cases/usage") else { return };
    each_form(&cases, &[CLAUDE], &|form, paths| {
        let ran = run(paths);
        let summary = ran.summary();
        let bad = ["bad_lines", "partial_lines"].map(|key| summary[key].as_u64().expect(key));
        assert_eq!(bad.iter().sum::<u64>(), 1, "{form}: {}", ran.stderr);
        assert!(ran.stderr.lines().count() > 1, "{form}: nothing was said");
    });
}

#[test]
fn counts_that_are_told_again_or_restart() {
    let want: Counts = [1900, 900, 0, 500, 3300];
    expect(&[CODEX], |counts| counts == want);
    let Some(cases) = shared("cases/usage") else { return };
    assert_eq!(counts(&run(&[cases.join(format!("{CODEX}.zst"))])), want);
}

#[test]
fn a_fork_counts_without_its_parents_history() {
    expect(&[CODEX, FORK], |[.., total]| total == 4400);
    expect(&[FORK, CODEX], |[.., total]| total == 4400);
    expect(&[FORK], |[.., total]| total == 1100);
}

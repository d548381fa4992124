//! Logs that do not fit in the memory that the command allows itself, and lines that fill it.

use crate::programs::{
    EVENTS, PROMPTS, codex, codex_prompt, column, events, lines, prompts, t, with_stdin_from,
};
use serde_json::json;
use std::path::Path;
use testkit::{Prng, Ran, Row, Workdir};

/// What may be kept in memory is 64 MiB.
const MORE_THAN_FITS: usize = 70 << 20;
const PADDING: usize = 90_000;

/// A log of over 64 MiB in few rows, in disorder: some ms late, some hours; and all its times.
fn large_log() -> (Vec<u8>, Vec<i64>) {
    let mut prng = Prng::new(141);
    let padding = "x".repeat(PADDING);
    let mut rows = codex_prompt(0, "evidence of the zone").to_bytes();
    let mut times = vec![0];
    for i in 1i64.. {
        if rows.len() > MORE_THAN_FITS {
            break;
        }
        let late = match prng.range(0, 9) {
            0 => 2_000,
            1 => 4_000_000,
            _ => 0,
        };
        let ms = 10_000_000 + i * 1000 - late;
        let row = codex(ms, "turn.diff").payload(json!({"i": i, "pad": "PADDING"})).to_bytes();
        let row = String::from_utf8(row).expect("UTF-8").replace("PADDING", &padding);
        rows.extend(row.into_bytes());
        times.push(ms);
    }
    (rows, times)
}

/// Time and number of each row, in order. Rows are large, and all that counts is at their start.
fn told(ran: &Ran) -> Vec<(String, i64)> {
    let one = |row: &[u8]| {
        let head = String::from_utf8_lossy(&row[..row.len().min(700)]).into_owned();
        let after = |key: &str| head.split_once(key).map_or("", |(_, rest)| rest);
        let t = after("\"t\":\"").chars().take(24).collect();
        let number = after("\"payload\":{\"i\":").split(',').next().and_then(|n| n.parse().ok());
        assert!(row.ends_with(b"}}"), "a whole record");
        (t, number.unwrap_or(0))
    };
    let rows = ran.stdout.split(|byte| *byte == b'\n').filter(|row| !row.is_empty());
    rows.map(one).collect()
}

fn with_threads(path: &Path, jobs: &str, args: &[&str]) -> Ran {
    events().arg(jobs).args(args).args(["--summary"]).arg(path).run().expect_code(0)
}

#[test]
fn a_log_larger_than_memory_is_sorted_and_whole() {
    let (bytes, times) = large_log();
    let mut sorted: Vec<(i64, usize)> = times.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    let want: Vec<(String, i64)> = sorted.iter().map(|(ms, i)| (t(*ms), *i as i64)).collect();
    let dir = Workdir::new();
    let path = dir.write("large.jsonl", &bytes);
    let one = with_threads(&path, "-j1", &[]);
    assert!(told(&one) == want, "rows are lost or out of order");
    let summary = one.summary();
    let counted = ["events", "records", "lines"].map(|key| summary[key].as_u64());
    assert_eq!(counted, [Some(times.len() as u64); 3]);
    assert_eq!((&summary["bytes"], &summary["files"]), (&json!(bytes.len()), &json!(1)));
    assert!(with_threads(&path, "-j8", &[]).stdout == one.stdout, "-j changes bytes");
    let last = with_threads(&path, "-j2", &["-n", "9"]);
    assert!(told(&last) == want[want.len() - 9..], "-n 9 of a large log");
    let first = with_threads(&path, "-j2", &["--first", "9"]);
    assert!(told(&first) == want[..9], "--first 9 of a large log");
    let middle = [t(20_000_000), t(20_100_000)];
    let some = with_threads(&path, "-j2", &["--since", &middle[0], "--until", &middle[1]]);
    let wanted: Vec<_> =
        want.iter().filter(|(t, _)| (&middle[0]..&middle[1]).contains(&t)).collect();
    assert!(told(&some).iter().collect::<Vec<_>>() == wanted, "a part of a large log");
}

#[test]
fn a_large_log_comes_in_by_every_way() {
    let (bytes, times) = large_log();
    let dir = Workdir::new();
    let path = dir.write("large.jsonl", &bytes);
    let zst = dir.write_zst("large.jsonl.x", &bytes);
    assert!(std::fs::metadata(&zst).is_ok_and(|meta| meta.len() < 8 << 20), "small on disk");
    let plain = told(&events().arg(&path).run().expect_code(0));
    assert_eq!(plain.len(), times.len());
    assert!(told(&events().arg(&zst).run().expect_code(0)) == plain, "zstd");
    assert!(told(&with_stdin_from(EVENTS, &[], &path).run().expect_code(0)) == plain, "< FILE");
    let last = events().args(["-n", "9"]).stdin(&bytes).run().expect_code(0);
    assert!(told(&last) == plain[plain.len() - 9..], "a pipe, the last");
    let raw = events().args(["--raw", "-e", "turn.user_message"]).arg(&zst).run().expect_code(0);
    assert_eq!(raw.stdout, codex_prompt(0, "evidence of the zone").to_bytes());
}

#[test]
fn a_made_log_of_deltas_is_printed_whole_and_in_order() {
    let dir = Workdir::new();
    let path = dir.path().join("big.jsonl");
    let big = testkit::big(&path, 6 << 20, 142).expect("a log");
    let ran = events().arg("--summary").arg(&path).run().expect_code(0);
    assert_eq!(ran.summary()["records"], big.rows);
    let times = column(&ran.rows(), "t");
    assert!(times.is_sorted());
    let told = prompts().arg("--summary").arg(&path).run().expect_code(0);
    assert_eq!(told.rows().len() as u64, big.prompts);
    assert_eq!(told.summary()["bytes"], big.bytes);
}

/// Good rows around one of 20 MB, which spans many chunks.
fn giant() -> (Vec<u8>, usize) {
    let stdout = "a \"line\" of output\n".repeat(1_000_000);
    let giant = codex(5, "turn.exec.end").payload(json!({"stdout": stdout, "exit_code": 0}));
    let len = giant.to_bytes().len();
    assert!(len > 20_000_000);
    let rows: Vec<Row> =
        vec![codex_prompt(0, "before"), giant, codex_prompt(9, "after").turn_id("2")];
    (lines(&rows), len)
}

/// The program itself, and buffers of a megabyte a thread or two.
const SMALL: u64 = 48 << 20;

#[test]
fn a_giant_line_is_passed_over_by_prompts_and_printed_by_events() {
    let (bytes, len) = giant();
    let dir = Workdir::new();
    let path = dir.write("giant.jsonl", &bytes);
    let told = prompts().arg(&path).run().expect_code(0);
    assert_eq!(column(&told.rows(), "text"), ["before", "after"]);
    expect_memory(&told, SMALL, "prompts of a giant line");
    let some = events().args(["-e", "turn.user_message"]).arg(&path).run().expect_code(0);
    assert_eq!(some.rows().len(), 2);
    let all = events().arg(&path).run().expect_code(0);
    expect_memory(&all, SMALL + len as u64 * 5 / 2, "events of a giant line");
    let rows = all.rows();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["src"]["len"], len - 1);
    assert_eq!(rows[1]["payload"]["stdout"].as_str().map(str::len), Some(19_000_000));
    let raw = events().arg("--raw").arg(&path).run().expect_code(0);
    assert!(raw.stdout == bytes, "the source lines");
}

#[test]
fn a_giant_line_comes_through_a_pipe() {
    let (bytes, len) = giant();
    for program in [EVENTS, PROMPTS] {
        let ran = testkit::Cmd::new(program).arg("-").stdin(&bytes).run().expect_code(0);
        assert_eq!(ran.rows().len(), if program == EVENTS { 3 } else { 2 });
        expect_memory(&ran, SMALL + len as u64 * 5 / 2, "a giant line in a pipe");
        let limited = ["--max-line", "8M", "--strict", "-"];
        let ran = testkit::Cmd::new(program).args(limited).stdin(&bytes).run().expect_code(2);
        assert_eq!(ran.rows().len(), 2);
        expect_memory(&ran, SMALL + (16 << 20), "a line that is too long for --max-line");
    }
}

/// Memory is only known on Linux.
fn expect_memory(ran: &Ran, most: u64, what: &str) {
    let Some(peak) = ran.peak_rss else {
        crate::programs::skip("no way to measure memory here");
        return;
    };
    assert!(peak <= most, "{what}: {} MiB, at most {} MiB", peak >> 20, most >> 20);
}

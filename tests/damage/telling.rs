//! How bad input is told: on stderr, in `--bad-lines FILE`, by `--strict`.

use crate::contract::{BadLine, checked};
use crate::programs::{BOTH, EVENTS, PROMPTS, Written, codex, codex_prompt, events, lines, run_on};
use serde_json::{Value, json};
use std::fs;
use testkit::{Cmd, Fault, LogBuilder, Workdir};

/// A good row, then what no one can read, then a row that ends without its end.
fn damaged() -> Vec<u8> {
    let torn = codex(0, "turn.exec.end").to_bytes();
    let prompt = codex_prompt(0, "x").to_bytes();
    let glued = [&torn[..60], &prompt].concat();
    let tail = &torn[..80];
    [&prompt[..], b"no JSON\n", b"[1]\n", b"\"caf\xe9 \\u0000\"\n", &glued, tail].concat()
}

fn bad_lines(program: &str, args: &[&str], bytes: &[u8]) -> Vec<Value> {
    let dir = Workdir::new();
    let (log, list) = (dir.write("log.jsonl", bytes), dir.path().join("bad.jsonl"));
    let run = Cmd::new(program).args(args).arg(&log).arg("--bad-lines").arg(&list).run();
    assert_ne!(run.code, None);
    let text = fs::read_to_string(&list).expect("the file of bad lines");
    let told: Vec<Value> = text.lines().map(checked::<BadLine>).collect();
    assert!(told.iter().all(|bad| bad["path"] == log.display().to_string()));
    told
}

#[test]
fn each_bad_line_is_written_down() {
    let bytes = damaged();
    let told = bad_lines(EVENTS, &[], &bytes);
    let places: Vec<(u64, u64, u64)> = told
        .iter()
        .map(|bad| ["line", "offset", "len"].map(|key| bad[key].as_u64().expect("a number")))
        .map(|[line, offset, len]| (line, offset, len))
        .collect();
    let start = codex_prompt(0, "x").to_bytes().len() as u64;
    let glued = start + 8 + 4 + 14;
    let tail = glued + 60 + start;
    let want =
        [(2, start, 7), (3, start + 8, 3), (4, start + 12, 13), (5, glued, 60), (6, tail, 80)];
    assert_eq!(places, want);
    assert!(told.iter().all(|bad| bad["schema"] == "alog.bad_line/1" && bad["reason"] != ""));
    assert_eq!((&told[0]["text"], &told[1]["text"]), (&json!("no JSON"), &json!("[1]")));
    assert_eq!(told[2]["text"], json!("\"caf\u{fffd} \\u0000\""));
    let whole = String::from_utf8_lossy(&bytes);
    assert!(told[3]["text"].as_str().is_some_and(|text| whole.contains(text)));
}

#[test]
fn a_clean_log_leaves_an_empty_file() {
    assert_eq!(bad_lines(PROMPTS, &[], &codex_prompt(0, "x").to_bytes()), [Value::Null; 0]);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let dir = Workdir::new();
    let log = dir.write("log.jsonl", &codex_prompt(0, "x").to_bytes());
    let list = dir.path().join("nowhere/bad.jsonl");
    let ran = events().arg(log).arg("--bad-lines").arg(&list).run().expect_code(2);
    assert!(ran.stderr.contains("nowhere/bad.jsonl"), "{}", ran.stderr);
}

#[test]
fn one_line_says_how_many_and_where_the_first_is() {
    let ran = run_on(EVENTS, &[], &damaged()).expect_code(0);
    let about: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("bad")).collect();
    assert_eq!(about.len(), 1, "{}", ran.stderr);
    assert!(about[0].contains('4') && about[0].contains("sse_lines.jsonl:2"), "{}", about[0]);
    let clean = run_on(EVENTS, &[], &codex_prompt(0, "x").to_bytes());
    assert_eq!(clean.stderr, "");
}

#[test]
fn strict_reads_all_and_says_so_by_its_status() {
    let bad = [&codex_prompt(0, "x").to_bytes()[..], b"bad line\n"].concat();
    for program in BOTH {
        let ran = run_on(program, &["--strict"], &bad).expect_code(2);
        assert_eq!(ran.rows().len(), 1, "all that is good is printed");
        assert_eq!(run_on(program, &[], &bad).code, Some(0));
        assert_eq!(run_on(program, &["--strict"], &codex_prompt(0, "x").to_bytes()).code, Some(0));
        let limited = run_on(program, &["--strict", "--first", "1"], &bad);
        assert_eq!(limited.code, Some(2), "--first never shortens the reading");
    }
    assert_eq!(run_on(PROMPTS, &["--strict", "--fail-empty"], b"bad\n").code, Some(2), "2 beats 1");
}

#[test]
fn strict_prompts_see_every_bad_line() {
    let bytes: Vec<Fault> = vec![
        Fault::TornRow,
        Fault::NotJson,
        Fault::NotAnObject,
        Fault::NoKnownKeys,
        Fault::InvalidUtf8,
        Fault::NulBytes,
        Fault::TwoWriters,
    ];
    let written = Written::new(&LogBuilder::new(5).turns(1).faults(&bytes));
    let want = written.log.truth.all.bad_lines;
    let strict = written.run(PROMPTS, &["--strict", "--summary"]).expect_code(2).summary();
    assert_eq!(strict["bad_lines"], want);
    assert_eq!(strict["lines"], written.log.truth.all.lines);
    let quick = written.run(PROMPTS, &["--summary"]).expect_code(0).summary();
    assert!(quick["bad_lines"].as_u64().is_some_and(|count| count <= want), "{quick}");
}

#[test]
fn the_limits_never_shorten_the_reading() {
    let bytes = [lines(&[codex_prompt(0, "a"), codex_prompt(5, "b")]), b"bad\n".to_vec()].concat();
    for args in [&["-n", "1"][..], &["--first", "1"], &["-n", "0"], &["--first", "0"]] {
        for program in BOTH {
            let all = [args, &["--summary", "--strict"]].concat();
            let summary = run_on(program, &all, &bytes).expect_code(2).summary();
            assert_eq!(
                (&summary["bad_lines"], &summary["lines"]),
                (&json!(1), &json!(3)),
                "{args:?}"
            );
            let count = usize::from(args[1] == "1");
            assert_eq!(summary["records"], count, "{args:?}");
        }
    }
}

//! How a run that follows logs ends, and what it prints at first.

use super::{QUIET, follow, next, rows};
use crate::live::child::{Child, SOON};
use crate::programs::{EVENTS, TURNS, claude_prompt, codex, codex_prompt};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{Cmd, Workdir};

#[test]
fn signals_end_it_as_the_end_of_the_input_would() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let dir = Workdir::new();
        dir.write("a.jsonl", &codex_prompt(0, "first").to_bytes());
        let mut child = Child::on(TURNS, ["-f", dir.path().to_str().expect("UTF-8"), "--summary"]);
        dir.append("a.jsonl", &codex(900, "turn.response.completed").payload(json!({})).to_bytes());
        dir.append("a.jsonl", &codex(901, "codex.idle").to_bytes());
        assert_eq!(child.next()["status"], "completed");
        dir.append("a.jsonl", &codex_prompt(5000, "second").turn_id("2").to_bytes());
        std::thread::sleep(QUIET);
        child.signal(signal);
        let ended = child.end();
        assert_eq!(ended.code, Some(status));
        assert!(ended.rest.contains("\"status\":\"open\""), "{}", ended.rest);
        assert!(ended.stderr.contains("\"records\":2"), "{}", ended.stderr);
    }
}

#[test]
fn a_reader_that_goes_ends_it_even_if_nothing_comes() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1]));
    let script = r#"{ "$1" -f "$2"; echo "status $?" >&2; } | head -1"#;
    let begin = Instant::now();
    let ran = Cmd::new("sh").args(["-c", script, "sh", EVENTS]).arg(dir.path()).run();
    assert_eq!((ran.text().lines().count(), ran.stderr.as_str()), (1, "status 0\n"));
    assert!(begin.elapsed() < SOON);
}

#[test]
fn it_ends_after_a_time_or_when_nothing_comes() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1]));
    let begin = Instant::now();
    let ended = follow(&["--for", "1s"], dir.path()).end();
    assert_eq!((ended.code, ended.rest.lines().count()), (Some(0), 1));
    assert!((1.0..2.5).contains(&begin.elapsed().as_secs_f64()), "{:?}", begin.elapsed());
    let mut child = follow(&["--until-idle", "500ms"], dir.path());
    assert_eq!(next(&mut child, 1), [1]);
    for n in 2..5 {
        std::thread::sleep(Duration::from_millis(300));
        dir.append("a.jsonl", &rows([n]));
    }
    let ended = child.end();
    assert_eq!((ended.code, ended.rest.lines().count()), (Some(0), 3));
}

#[test]
fn the_last_of_what_is_there_and_then_what_comes() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1, 4]));
    dir.write("b.jsonl", &rows([2, 3]));
    let mut child = follow(&["-n", "2"], dir.path());
    assert_eq!(next(&mut child, 2), [3, 4]);
    dir.append("a.jsonl", &rows([5, 6, 7]));
    assert_eq!(next(&mut child, 3), [5, 6, 7]);
    // The same where records are made of many rows.
    let dir = Workdir::new();
    let prompt = |n: i64| claude_prompt(n * 10_000, &format!("p{n}"), &format!("u{n}"));
    for n in 1..4 {
        dir.append("a.jsonl", &prompt(n).to_bytes());
    }
    let path = dir.path().to_str().expect("UTF-8");
    let mut child = Child::on(TURNS, ["-f", "-n", "1", path]);
    dir.append("a.jsonl", &prompt(4).to_bytes());
    dir.append("a.jsonl", &prompt(5).to_bytes());
    let prompts: Vec<_> = (0..3).map(|_| child.next()["prompt"].clone()).collect();
    assert!(prompts.ends_with(&[json!("p3"), json!("p4")]), "{prompts:?}");
}

#[test]
fn only_what_begins_from_now_on() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1, 2]));
    let mut child = follow(&["--since", "now"], dir.path());
    assert!(child.is_silent_for(QUIET));
    // Long ago, too, by its own time: that is what --since asks for.
    dir.append("a.jsonl", &rows([3]));
    let later = rows([100 * 365 * 86_400_000]);
    dir.append("a.jsonl", &later);
    assert_eq!(next(&mut child, 1), [100 * 365 * 86_400_000]);
}

#[test]
fn the_first_and_no_more() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &rows([1]));
    let mut child = follow(&["--first", "2"], dir.path());
    assert_eq!(next(&mut child, 1), [1]);
    dir.append("a.jsonl", &rows([2, 3]));
    let ended = child.end();
    assert_eq!((ended.code, ended.rest.lines().count()), (Some(0), 1));
}

#[test]
fn what_cannot_be_followed_is_a_usage_error() {
    let dir = Workdir::new();
    let log = dir.write("a.jsonl", &rows([1]));
    for args in [&["--for", "1s"][..], &["--until-idle", "1s"], &["-f", "--poll", "0"]] {
        let ran = Cmd::new(EVENTS).args(args).arg(&log).run().expect_code(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}");
    }
    let ran = Cmd::new(EVENTS).args(["-f", "-"]).arg(&log).stdin(b"").run().expect_code(2);
    assert!(ran.stderr.contains("only input"), "{}", ran.stderr);
    // A pipe alone is followed anyway.
    let ran = Cmd::new(EVENTS).args(["-f", "-"]).stdin(&rows([1])).run().expect_code(0);
    assert_eq!(ran.rows().len(), 1);
}

//! A log that is still being written, through a pipe: records come as soon as they are final, long
//! before the input ends.

pub mod child;

use crate::programs::{
    BOTH, EVENTS, PROMPTS, claude, claude_prompt, codex, codex_prompt, column, lines, t,
};
use child::{Child, SOON};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{Cmd, Row};

fn prompts() -> Child {
    Child::start(PROMPTS, &[])
}

#[test]
fn a_prompt_is_printed_without_an_end_of_the_input() {
    for row in [codex_prompt(0, "now"), claude_prompt(0, "now", "u1")] {
        let mut child = prompts();
        child.write(&row.to_bytes());
        let record = child.next();
        assert_eq!((&record["text"], &record["t"]), (&json!("now"), &json!(t(0))));
        assert_eq!(record["src"]["path"], "-");
        child.write(&codex_prompt(5000, "and then").turn_id("2").to_bytes());
        assert_eq!(child.next()["text"], "and then");
        assert_eq!(child.end().code, Some(0));
    }
}

#[test]
fn an_event_is_printed_without_an_end_of_the_input() {
    let mut child = Child::start(EVENTS, &[]);
    for (ms, name) in [(0, "turn.user_message"), (5, "turn.diff"), (9, "codex.idle")] {
        child.write(&codex(ms, name).to_bytes());
        assert_eq!(child.next()["event"], name);
    }
    child.write(&claude(20, "claude.stop").to_bytes());
    assert_eq!(child.next()["event"], "claude.stop");
    assert_eq!(child.end().rest, "");
}

#[test]
fn every_form_that_can_be_streamed_is_flushed() {
    for args in [
        &["-0"][..],
        &["-o", "csv"],
        &["-o", "tsv"],
        &["--raw"],
        &["-e", "turn.*"],
        &["--grep", "diff"],
        &["--first", "5"],
    ] {
        let mut child = Child::start(EVENTS, args);
        child.write(&codex(0, "turn.diff").to_bytes());
        assert!(child.bytes_come(), "{args:?}");
        assert_eq!(child.end().code, Some(0));
    }
}

#[test]
fn half_a_line_waits_for_its_rest() {
    for program in BOTH {
        let mut child = Child::start(program, &["--summary"]);
        let row = codex_prompt(0, "whole").to_bytes();
        let (head, tail) = row.split_at(row.len() / 2);
        child.write(head);
        assert!(child.is_silent_for(Duration::from_millis(700)), "{program}");
        child.write(tail);
        let record = child.next();
        assert_eq!(
            record["src"],
            json!({"path": "-", "line": 1, "offset": 0, "len": row.len() - 1})
        );
        let ended = child.end();
        assert_eq!((ended.code, ended.rest.as_str()), (Some(0), ""));
        assert!(ended.stderr.contains("\"bad_lines\":0,\"partial_lines\":0"), "{}", ended.stderr);
    }
}

#[test]
fn an_older_form_waits_for_its_twin_and_not_for_ever() {
    let legacy =
        |ms: i64, text: &str| codex(ms, "codex.user_prompt").payload(json!({"text": text}));
    let mut child = prompts();
    let start = Instant::now();
    child.write(&legacy(0, "alone").to_bytes());
    assert_eq!(child.next()["text"], "alone");
    assert!(start.elapsed() >= Duration::from_millis(1900), "{:?}", start.elapsed());
    child.write(&legacy(60_000, "twin").to_bytes());
    child.write(&codex_prompt(60_300, "twin").turn_id("2").to_bytes());
    let record = child.next();
    assert_eq!((&record["text"], &record["t"]), (&json!("twin"), &json!(t(60_300))));
    assert_eq!(child.end().rest, "");
}

#[test]
fn log_time_makes_a_record_final_without_waiting() {
    let mut child = prompts();
    let start = Instant::now();
    let legacy = codex(0, "codex.user_prompt").payload(json!({"text": "alone"}));
    child.write(&lines(&[legacy, codex_prompt(20_000, "later").turn_id("2")]));
    assert_eq!((&child.next()["text"], &child.next()["text"]), (&json!("alone"), &json!("later")));
    assert!(start.elapsed() < SOON);
    assert_eq!(child.end().rest, "");
}

#[test]
fn a_queued_prompt_is_final_at_its_removal() {
    let queue = |ms: i64, operation: &str| {
        claude(ms, "claude.queue_operation")
            .payload(json!({"operation": operation, "content": "wait"}))
    };
    let mut child = prompts();
    child.write(&queue(0, "enqueue").to_bytes());
    assert!(child.is_silent_for(Duration::from_millis(2500)), "it may still be taken back");
    child.write(&queue(9000, "remove").to_bytes());
    let record = child.next();
    assert_eq!((&record["kind"], &record["t"]), (&json!("queued"), &json!(t(0))));
    assert_eq!(child.end().rest, "");
}

#[test]
fn what_needs_the_end_waits_for_it() {
    for program in BOTH {
        for args in [&["-n", "1"][..], &["-o", "table"]] {
            let mut child = Child::start(program, args);
            child.write(&codex_prompt(0, "first").to_bytes());
            child.write(&codex_prompt(9, "second").turn_id("2").to_bytes());
            assert!(child.is_silent_for(Duration::from_millis(800)), "{args:?}");
            let rest = child.end().rest;
            assert!(rest.contains("second"), "{args:?}: {rest}");
            assert_eq!(rest.contains("first"), args[0] == "-o", "{args:?}: {rest}");
        }
    }
}

#[test]
fn bad_lines_stop_no_stream() {
    let mut child = Child::start(PROMPTS, &["--strict"]);
    child.write(b"no row\n\xff\xfe\n");
    child.write(&codex_prompt(0, "after it").to_bytes());
    assert_eq!(child.next()["text"], "after it");
    let ended = child.end();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("2 bad lines"), "{}", ended.stderr);
}

#[test]
fn a_pipe_of_many_rows_is_the_same_as_a_file() {
    let log = testkit::LogBuilder::new(131).turns(4).fault(testkit::Fault::Disorder).build();
    for program in BOTH {
        let mut child = Child::start(program, &[]);
        for part in log.codex.chunks(7919) {
            child.write(part);
        }
        let piped = child.end().rest;
        let dir = testkit::Workdir::new();
        let path = dir.write("log.jsonl", &log.codex);
        let file = Cmd::new(program).arg(path).run().expect_code(0);
        let places = |text: &str| {
            let mut rows: Vec<String> = text
                .lines()
                .map(|line| {
                    let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    format!("{} {}", record["t"], record["src"]["offset"])
                })
                .collect();
            rows.sort();
            rows
        };
        assert_eq!(places(&piped), places(file.text()), "{program}");
    }
}

#[test]
fn nothing_for_two_seconds_is_told() {
    let child = Child::start_without_path(PROMPTS);
    std::thread::sleep(Duration::from_millis(2600));
    let ended = child.end();
    assert!(ended.stderr.contains("--discover"), "{}", ended.stderr);
    let asked = Child::start(PROMPTS, &[]);
    std::thread::sleep(Duration::from_millis(2600));
    assert_eq!(asked.end().stderr, "");
}

#[test]
fn an_interrupt_is_130() {
    for program in BOTH {
        let mut child = Child::start(program, &[]);
        child.write(&codex_prompt(0, "before").to_bytes());
        assert_eq!(child.next()["index"], 1);
        assert_eq!(child.interrupt(), 130);
    }
}

#[test]
fn sessions_of_a_stream_are_told_apart_by_what_came() {
    let rows: Vec<Row> = ["aaaa-1", "aaaa-2"].map(|sid| codex_prompt(0, sid).sid(sid)).into();
    let mut child = Child::start(PROMPTS, &["--session", "aaaa-1"]);
    child.write(&lines(&rows));
    assert_eq!(child.next()["sid"], "aaaa-1");
    assert_eq!(child.end().rest, "");
    let told = Cmd::new(EVENTS).args(["--session", "aaaa-2", "-"]).stdin(&lines(&rows)).run();
    assert_eq!(column(&told.expect_code(0).rows(), "sid"), ["aaaa-2"]);
}

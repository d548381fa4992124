//! What the flags choose, and what the exit status says.

use super::given::{added, codes, completed, output, prompt, raw_call, whole_turn};
use crate::programs::{CALLS, Written, codex, column, lines, records, run_on};
use serde_json::{Value, json};
use testkit::{Fault, LogBuilder, Row};

/// One good call, one with a warning, one with an error.
fn mixed() -> Vec<Row> {
    let mut rows = whole_turn();
    let end = rows.pop().expect("the end");
    rows.extend([
        raw_call(720, "shell", "warned", "{}"),
        output(730, "warned", json!("x")),
        output(740, "warned", json!("x")),
        raw_call(800, "shell", "wrong", "{}"),
    ]);
    rows.push(end);
    rows
}

#[test]
fn check_prints_what_is_broken_and_fails() {
    let ran = run_on(CALLS, &["--check"], &lines(&mixed())).expect_code(1);
    assert_eq!(column(&ran.rows(), "call_id"), ["warned", "wrong"]);
    let ran = run_on(CALLS, &["--check", "--code", "duplicate_output"], &lines(&mixed()));
    assert_eq!(column(&ran.expect_code(0).rows(), "call_id"), ["warned"]);
    let args = ["--check", "--code", "duplicate_output", "--fail-on", "warn"];
    let _ = run_on(CALLS, &args, &lines(&mixed())).expect_code(1);
    let args = ["--check", "--state", "completed"];
    let ran = run_on(CALLS, &args, &lines(&mixed())).expect_code(0);
    assert_eq!(column(&ran.rows(), "call_id"), ["warned"]);
    let ran = run_on(CALLS, &["--check"], &lines(&whole_turn())).expect_code(0);
    assert_eq!(ran.text(), "");
    let _ = run_on(CALLS, &["--check", "--fail-empty"], &lines(&whole_turn())).expect_code(1);
    let _ = run_on(CALLS, &[], &lines(&mixed())).expect_code(0);
}

#[test]
fn bad_lines_beat_a_failed_check() {
    let bytes = [&b"no row\n"[..], &lines(&mixed())].concat();
    let _ = run_on(CALLS, &["--check"], &bytes).expect_code(1);
    let _ = run_on(CALLS, &["--check", "--strict"], &bytes).expect_code(2);
}

#[test]
fn the_check_looks_at_selected_calls_only() {
    let other = raw_call(100, "x", "twice", "{}").sid("another");
    let rows = [&mixed()[..], &[other.clone(), other]].concat();
    let ran = run_on(CALLS, &["--check", "--session", "another"], &lines(&rows)).expect_code(1);
    assert_eq!(column(&ran.rows(), "call_id"), ["twice"]);
    let _ = run_on(CALLS, &["--check", "--since", "2025-11-19"], &lines(&rows)).expect_code(0);
    // What -n leaves out was still found.
    let ran = run_on(CALLS, &["--check", "-n", "0"], &lines(&rows)).expect_code(1);
    assert_eq!(ran.text(), "");
}

#[test]
fn lists_of_states_and_codes() {
    let told = |args: &[&str]| column(&records(CALLS, args, &mixed()), "call_id");
    assert_eq!(told(&["--state", "completed"]), ["c1", "warned"]);
    assert_eq!(told(&["--state", "unanswered,orphan"]), ["wrong"]);
    assert_eq!(told(&["--code", "missing_output,bad_args"]), ["wrong"]);
    assert_eq!(told(&["--state", "completed", "--code", "missing_output"]), [""; 0]);
    for args in [
        &["--state", "done"][..],
        &["--code", "T02"],
        &["--tolerance", "soon"],
        &["--tolerance", "-1"],
        &["--fail-on", "error"],
        &["--stats", "--check"],
    ] {
        let _ = run_on(CALLS, args, &lines(&mixed())).expect_code(2);
    }
}

#[test]
fn stats_add_the_calls_up_by_tool() {
    let rows = records(CALLS, &["--stats"], &mixed());
    assert_eq!(column(&rows, "schema"), ["alog.call_stats/1", "alog.call_stats/1"]);
    assert_eq!(column(&rows, "kind"), ["function", "shell"], "most calls first");
    let keys = ["calls", "completed", "unanswered", "failures", "violating", "output_bytes"];
    let of = |row: &Value| keys.map(|key| row[key].as_u64().expect("a number"));
    assert_eq!((of(&rows[0]), of(&rows[1])), ([2, 1, 1, 0, 2, 1], [1, 1, 0, 0, 0, 43]));
    assert_eq!((&rows[1]["p50_ms"], &rows[1]["p95_ms"]), (&json!(500), &json!(500)));
    assert_eq!(records(CALLS, &["--stats", "--state", "unanswered"], &mixed())[0]["calls"], 1);
}

#[test]
fn stats_and_records_agree() {
    let written = Written::new(&LogBuilder::new(95).codex_sessions(2).claude_sessions(2));
    let calls = written.run(CALLS, &[]).expect_code(0).rows();
    let stats = written.run(CALLS, &["--stats"]).expect_code(0).rows();
    let sum = |rows: &[Value], key: &str| rows.iter().filter_map(|r| r[key].as_u64()).sum::<u64>();
    assert_eq!(sum(&stats, "calls"), calls.len() as u64);
    for key in ["args_bytes", "output_bytes"] {
        assert_eq!(sum(&stats, key), sum(&calls, key), "{key}");
    }
    let failed = calls.iter().filter(|call| call["ok"] == false).count() as u64;
    assert_eq!(sum(&stats, "failures"), failed);
}

#[test]
fn explain_names_every_row() {
    let told = records(CALLS, &["--explain"], &whole_turn());
    let rows = told[0]["rows"].as_array().expect("rows");
    let line = |row: &Value| row["src"]["line"].as_u64().expect("a line");
    assert_eq!(rows.iter().map(line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let uses: Vec<&str> = rows.iter().filter_map(|row| row["use"].as_str()).collect();
    let want = [
        "announced",
        "delta of the arguments",
        "delta of the arguments",
        "whole arguments",
        "whole item",
        "item of the conversation",
        "begin",
        "end",
        "result",
    ];
    assert_eq!(uses, want);
    assert!(records(CALLS, &[], &whole_turn())[0].get("rows").is_none());
}

#[test]
fn the_table_shows_codes() {
    let ran = run_on(CALLS, &["-o", "table"], &lines(&mixed())).expect_code(0);
    let last = ran.text().lines().last().expect("a line").to_owned();
    assert!(last.ends_with("missing_output"), "{}", ran.text());
    assert!(!ran.text().contains('['), "{}", ran.text());
}

#[test]
fn a_strict_run_reads_all_and_says_the_same() {
    let written = Written::new(&LogBuilder::new(96).turns(2).faults(&[
        Fault::DuplicateOutput,
        Fault::MissingOutput,
        Fault::OutOfOrder,
        Fault::WrongFlowId,
    ]));
    for args in [&[][..], &["--explain"], &["--check"], &["--stats"]] {
        let quick = written.run(CALLS, args);
        let whole = written.run(CALLS, &[args, &["--strict"]].concat());
        assert_eq!((quick.code, &quick.stdout), (whole.code, &whole.stdout), "{args:?}");
        assert!(!quick.stdout.is_empty());
    }
}

#[test]
fn a_call_in_a_turn_without_a_prompt_is_told() {
    let rows = [added(100, "x", "c1"), output(200, "c1", json!("x")), completed(900)];
    let told = records(CALLS, &[], &rows);
    assert_eq!((&told[0]["state"], &told[0]["session_turn"]), (&json!("completed"), &Value::Null));
    let rows = [codex(50, "turn.task_started"), added(100, "x", "c1"), prompt()];
    assert_eq!(codes(&records(CALLS, &[], &rows)[0]), [""; 0]);
}

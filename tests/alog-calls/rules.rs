//! When a rule is broken, and when it is not: at its edges.

use super::given::{
    added, args_done, begin, codes, completed, delta, done, end, input_delta, only, output, prompt,
    raw_call, stop, tool_result, tool_use, whole_turn,
};
use crate::programs::{CALLS, claude, claude_prompt, codex, records};
use serde_json::{Value, json};
use testkit::Row;

/// A whole turn with some of its rows changed.
fn changed(change: impl FnOnce(&mut Vec<Row>)) -> Value {
    let mut rows = whole_turn();
    change(&mut rows);
    only(&rows)
}

/// The only rule that a call broke: its severity, number, detail and line.
fn broken(call: &Value, code: &str) -> (String, String, String, u64) {
    assert_eq!(codes(call), [code], "{call}");
    let broken = &call["violations"][0];
    let text = |key: &str| broken[key].as_str().expect("a text").to_owned();
    let line = broken["src"]["line"].as_u64().expect("a line");
    (text("severity"), text("rule"), text("detail"), line)
}

#[test]
fn the_figures_of_each_rule() {
    let error = |rule: &str, detail: &str, line| ("error".into(), rule.into(), detail.into(), line);
    let warn = |rule: &str, detail: &str, line| ("warn".into(), rule.into(), detail.into(), line);
    let args = r#"{"command":["ls"]}"#;

    let call = changed(|rows| rows.insert(7, raw_call(150, "shell", "c1", args)));
    let want = error("T01", "2 rows of one kind (raw item) announce it", 8);
    assert_eq!(broken(&call, "duplicate_call"), want);

    let mut rows = whole_turn();
    let _ = rows.remove(9);
    rows.insert(1, output(50, "c0", json!("tells that results are logged")));
    let told = records(CALLS, &["--code", "missing_output"], &rows);
    let want = error("T02", "its turn was completed 800 ms after the call without a result", 11);
    assert_eq!(broken(&told[0], "missing_output"), want);

    let call = changed(|rows| rows[3] = delta(120, "c1", 2, r#"nd":["lS"]}"#));
    let want = error(
        "T08",
        "18 bytes were streamed, 18 are said in the end: they differ from byte 14 on",
        5,
    );
    assert_eq!(broken(&call, "args_mismatch"), want);

    let call = changed(|rows| {
        let late = delta(250, "c1", 2, r#"nd":["ls"]}"#);
        let _ = rows.remove(3);
        rows.insert(7, late);
    });
    let want = error("T11", "a delta came 120 ms after the end of the arguments", 8);
    assert_eq!(broken(&call, "late_delta"), want);

    let call = only(&[prompt(), output(100, "c9", json!("late"))]);
    let want = warn("T03", "a result of 4 bytes, and no call with its id in the session", 2);
    assert_eq!(broken(&call, "orphan_output"), want);

    let call = changed(|rows| rows.insert(10, output(730, "c1", json!("another"))));
    let want = warn("T04", "2 results: the second, 20 ms after the first, says something else", 11);
    assert_eq!(broken(&call, "duplicate_output"), want);

    let call = changed(|rows| drop(rows.remove(7)));
    let want = warn("T05", "1 ends of executions, 0 begins", 8);
    assert_eq!(broken(&call, "end_without_begin"), want);
    assert_eq!(call["duration_ms"], 1005, "the end row's own");

    let call = changed(|rows| drop(rows.remove(8)));
    assert_eq!(broken(&call, "never_ended"), warn("T05", "1 begins of executions, 0 ends", 8));

    let call = changed(|rows| {
        let early = output(649, "c1", json!(r#"{"output":"","metadata":{"exit_code":0}}"#));
        let _ = rows.remove(9);
        rows.insert(8, early);
    });
    let want = warn("T06", "the result came 51 ms before the end", 9);
    assert_eq!(broken(&call, "out_of_order"), want);

    let call = changed(|rows| {
        let args = r#"{"command":["ls"]"#;
        rows[3] = delta(120, "c1", 2, r#"nd":["ls"]"#);
        rows[4] = args_done(130, "c1", args);
        rows[5] = done(130, "shell", "c1", args);
        rows[6] = raw_call(150, "shell", "c1", args);
    });
    assert_eq!(broken(&call, "bad_args"), warn("T07", "17 bytes that are no JSON object", 5));

    let call = changed(|rows| rows[6] = raw_call(150, "shell", "c1", r#"{"command":["rm"]}"#));
    let want = "18 bytes were streamed, 18 are said in the end: they differ from byte 13 on";
    assert_eq!(broken(&call, "args_mismatch"), error("T08", want, 7));

    let call = changed(|rows| rows[8] = end(700, "c1", 3));
    let want = warn("T13", "the execution ended with 3, the result says 0", 10);
    assert_eq!(broken(&call, "exit_mismatch"), want);
}

#[test]
fn the_tolerance_decides_what_is_late() {
    let early = |ms| {
        let mut rows = whole_turn();
        rows[9] = output(ms, "c1", json!("x"));
        rows.swap(8, 9);
        rows
    };
    let late = |ms| {
        let mut rows = whole_turn();
        let _ = rows.remove(3);
        rows.insert(6, delta(ms, "c1", 2, r#"nd":["ls"]}"#));
        rows
    };
    for (tolerance, rows, want) in [
        ("50ms", early(650), &[][..]),
        ("50ms", early(649), &["out_of_order"]),
        ("1s", early(201), &[]),
        ("0", early(699), &["out_of_order"]),
        ("50", late(180), &[]),
        ("50", late(181), &["late_delta"]),
        ("0ms", late(131), &["late_delta"]),
    ] {
        let told = records(CALLS, &["--tolerance", tolerance], &rows);
        assert_eq!(codes(&told[0]), want, "{tolerance}");
    }
}

#[test]
fn rows_that_stand_in_another_order_break_nothing() {
    let mut rows = whole_turn();
    rows.swap(2, 3);
    rows.swap(4, 5);
    rows.insert(4, delta(120, "c1", 1, r#"{"comma"#));
    assert_eq!(codes(&only(&rows)), [""; 0], "a delta said twice counts once");
    // Items of the conversation are logged when the whole response is there.
    let call = changed(|rows| {
        let raw = rows.remove(6);
        rows.insert(8, raw.t("2025-11-18T21:55:53.112"));
    });
    assert_eq!(codes(&call), [""; 0]);
}

#[test]
fn a_cut_stream_is_no_bad_arguments_unless_its_turn_went_on() {
    let cut = [prompt(), added(100, "x", "c1"), delta(110, "c1", 1, "{\"a\":")];
    let result = output(50, "c0", json!("tells that results are logged"));
    let aborted = codex(900, "turn.response.aborted").payload(json!({"reason": "interrupted"}));
    let codes_with = |last: Option<Row>| {
        let rows: Vec<Row> = cut.iter().chain([&result]).cloned().chain(last).collect();
        let told = records(CALLS, &["--state", "cancelled,pending,unanswered"], &rows);
        codes(&told[0]).join(" ")
    };
    assert_eq!(codes_with(Some(aborted.clone())), "");
    assert_eq!(codes_with(None), "");
    assert_eq!(codes_with(Some(completed(900))), "bad_args", "it was never ready to run");
    let said = [&cut[..], &[args_done(120, "c1", "{\"a\":"), aborted]].concat();
    assert_eq!(codes(&only(&said)), ["bad_args"], "the whole text was said, and is bad");
}

#[test]
fn only_functions_and_tools_take_json() {
    let custom = json!({"type": "custom_tool_call", "name": "apply_patch", "call_id": "c1",
        "input": "*** Begin Patch"});
    let rows = [
        prompt(),
        super::given::raw(100, &custom),
        super::given::raw(
            200,
            &json!({"type": "custom_tool_call_output", "call_id": "c1", "output": "Success"}),
        ),
    ];
    let call = only(&rows);
    assert_eq!((codes(&call), &call["kind"]), (vec![], &json!("custom")));
    for (text, want) in
        [("", &[][..]), ("{}", &[]), ("[]", &["bad_args"]), ("{\"a\":", &["bad_args"])]
    {
        let rows = [
            claude_prompt(0, "go on", "u1"),
            tool_use(100, 0, "toolu_1", "TodoRead"),
            input_delta(110, 0, ""),
            input_delta(120, 0, text),
            stop(130, 0),
            tool_result(200, &["toolu_1"], false),
        ];
        assert_eq!(codes(&only(&rows)), want, "{text:?}");
    }
}

#[test]
fn a_log_that_begins_within_a_stream_holds_its_end() {
    let rows = [
        delta(100, "c1", 8, "1}"),
        done(120, "x", "c1", "{\"a\":1}"),
        output(200, "c1", json!("x")),
    ];
    assert_eq!(codes(&only(&rows)), [""; 0]);
}

#[test]
fn several_rules_stand_in_the_order_of_the_table() {
    let rows = [
        prompt(),
        raw_call(100, "x", "c1", "{"),
        raw_call(100, "x", "c1", "{"),
        begin(200, "c1"),
        output(210, "c1", json!("x")),
        output(220, "c1", json!("x")),
        completed(900),
    ];
    let want = ["duplicate_call", "duplicate_output", "never_ended", "bad_args"];
    assert_eq!(codes(&only(&rows)), want);
}

#[test]
fn doubled_blocks_of_claude_announce_a_call_twice() {
    let rows = [
        claude_prompt(0, "go on", "u1"),
        tool_use(100, 0, "toolu_1", "Bash"),
        tool_use(100, 0, "toolu_1", "Bash"),
        input_delta(110, 0, "{}"),
        stop(130, 0),
        tool_result(200, &["toolu_1"], false),
        claude(900, "claude.stop").payload(json!({"is_subagent": false})),
    ];
    assert_eq!(codes(&only(&rows)), ["duplicate_call"]);
}

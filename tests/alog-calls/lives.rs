//! What a record says of a call, whatever rows tell of it.

use super::given::{
    added, begin, codes, completed, delta, done, end, input_delta, only, output, prompt, raw,
    raw_call, stop, tool_result, tool_use, whole_turn,
};
use crate::programs::{CALLS, claude, claude_prompt, codex, codex_prompt, column, records, t};
use serde_json::{Value, json};
use testkit::Row;

#[test]
fn the_whole_life_of_a_command() {
    let call = only(&whole_turn());
    for (key, want) in [
        ("t", json!(t(100))),
        ("call_id", json!("c1")),
        ("item_id", json!("fc_c1")),
        ("request_id", Value::Null),
        ("name", json!("shell")),
        ("kind", json!("shell")),
        ("state", json!("completed")),
        ("ok", json!(true)),
        ("exit_code", json!(0)),
        ("t_begin", json!(t(200))),
        ("t_end", json!(t(700))),
        ("duration_ms", json!(500)),
        ("args_bytes", json!(18)),
        ("output_bytes", json!(43)),
        ("truncated", json!(false)),
        ("session_turn", json!(1)),
        ("violations", json!([])),
        ("turn_id", json!("1")),
    ] {
        assert_eq!(call[key], want, "{key}");
    }
    assert_eq!(call["src"]["line"], 2);
}

#[test]
fn the_whole_life_of_a_claude_tool() {
    let rows = [
        claude_prompt(0, "go on", "u1"),
        tool_use(100, 1, "toolu_1", "Bash"),
        input_delta(110, 1, ""),
        input_delta(120, 1, "{\"command\":"),
        input_delta(130, 1, "\"ls\"}"),
        stop(150, 1),
        tool_result(1150, &["toolu_1"], false),
        claude(1500, "claude.stop").payload(json!({"is_subagent": false})),
    ];
    let call = only(&rows);
    for (key, want) in [
        ("t", json!(t(100))),
        ("call_id", json!("toolu_1")),
        ("item_id", Value::Null),
        ("request_id", json!("req_1")),
        ("kind", json!("tool")),
        ("state", json!("completed")),
        ("ok", json!(true)),
        ("t_begin", json!(t(150))),
        ("t_end", json!(t(1150))),
        ("duration_ms", json!(1000)),
        ("args_bytes", json!(16)),
        ("output_bytes", json!(4)),
        ("violations", json!([])),
    ] {
        assert_eq!(call[key], want, "{key}");
    }
}

#[test]
fn one_row_may_hold_the_results_of_several_calls() {
    let rows = [
        claude_prompt(0, "go on", "u1"),
        tool_use(100, 0, "toolu_1", "Read"),
        stop(110, 0),
        tool_use(120, 1, "toolu_2", "mcp__docs__find"),
        stop(130, 1),
        tool_result(900, &["toolu_1", "toolu_2"], true),
    ];
    let calls = records(CALLS, &[], &rows);
    assert_eq!(column(&calls, "state"), ["failed", "failed"]);
    assert_eq!(column(&calls, "kind"), ["tool", "mcp"]);
    assert_eq!(column(&calls, "ok"), ["false", "false"]);
}

/// What tells of failure, by the rows that follow the announcement.
#[test]
fn how_a_call_went() {
    let mcp = |ms, result: Value| {
        codex(ms, "turn.mcp_tool_call.end").payload(json!({"call_id": "c1",
            "invocation": {"server": "docs", "tool": "find"},
            "duration": {"secs": 0, "nanos": 1}, "result": result}))
    };
    let patch = |ms, ok: bool| {
        codex(ms, "turn.patch_apply.end")
            .payload(json!({"call_id": "c1", "stdout": "", "stderr": "", "success": ok}))
    };
    let said = |output_of: Value| vec![output(700, "c1", output_of)];
    let ran = |row: Row| vec![row, output(700, "c1", json!("text"))];
    for (rows, state, kind, exit_code) in [
        (said(json!("text")), "completed", "function", Value::Null),
        (said(json!({"content": "x", "success": false})), "failed", "function", Value::Null),
        (said(json!({"content": "x", "success": true})), "completed", "function", Value::Null),
        (said(json!([{"type": "input_text", "text": "x"}])), "completed", "function", Value::Null),
        (
            said(json!(r#"{"output":"","metadata":{"exit_code":-1}}"#)),
            "failed",
            "function",
            json!(-1),
        ),
        (ran(end(600, "c1", 0)), "completed", "shell", json!(0)),
        (ran(end(600, "c1", 137)), "failed", "shell", json!(137)),
        (ran(patch(600, true)), "completed", "patch", Value::Null),
        (ran(patch(600, false)), "failed", "patch", Value::Null),
        (ran(mcp(600, json!({"Err": "gone"}))), "failed", "mcp", Value::Null),
        (
            ran(mcp(600, json!({"Ok": {"content": [], "is_error": true}}))),
            "failed",
            "mcp",
            Value::Null,
        ),
        (ran(mcp(600, json!({"Ok": {"content": []}}))), "completed", "mcp", Value::Null),
    ] {
        let mut all = vec![prompt(), raw_call(100, "tool", "c1", "{}")];
        all.extend(rows);
        let call = only(&all);
        assert_eq!((&call["state"], &call["kind"]), (&json!(state), &json!(kind)), "{call}");
        assert_eq!(call["exit_code"], exit_code, "{call}");
        assert_eq!(call["ok"], state == "completed");
    }
}

#[test]
fn a_call_that_is_run_again_ends_with_its_last_execution() {
    let rows = [
        prompt(),
        raw_call(100, "shell", "c1", "{}"),
        begin(200, "c1"),
        end(300, "c1", 1),
        begin(400, "c1"),
        end(600, "c1", 0),
        output(610, "c1", json!("fine")),
    ];
    let call = only(&rows);
    assert_eq!((&call["state"], &call["exit_code"]), (&json!("completed"), &json!(0)));
    assert_eq!((&call["t_begin"], &call["t_end"]), (&json!(t(200)), &json!(t(600))));
    assert_eq!(codes(&call), [""; 0]);
}

#[test]
fn states_of_calls_without_a_result() {
    let other = [raw_call(10, "x", "other", "{}"), output(20, "other", json!("x"))];
    let aborted = codex(900, "turn.response.aborted").payload(json!({"reason": "interrupted"}));
    let shutdown = codex(900, "turn.shutdown_complete").payload(Value::Null);
    let next = codex_prompt(900, "next").turn_id("2");
    for (last, results, want, broken) in [
        (Some(completed(900)), true, "unanswered", &["missing_output"][..]),
        (Some(completed(900)), false, "unknown", &[]),
        (Some(aborted), true, "cancelled", &[]),
        (Some(shutdown), true, "cancelled", &[]),
        (Some(next), true, "cancelled", &[]),
        (None, true, "pending", &[]),
    ] {
        let mut rows = vec![prompt()];
        rows.extend(other.iter().filter(|_| results).cloned());
        // Run it was, and well; without a result that changes nothing.
        rows.extend([raw_call(100, "shell", "c1", "{}"), begin(200, "c1"), end(300, "c1", 0)]);
        rows.extend(last);
        let calls = records(CALLS, &[], &rows);
        let call = calls.iter().find(|call| call["call_id"] == "c1").expect("the call");
        assert_eq!((&call["state"], codes(call)), (&json!(want), broken.to_vec()));
        assert_eq!((&call["ok"], &call["exit_code"]), (&json!(true), &json!(0)));
    }
}

#[test]
fn a_first_result_of_the_session_tells_that_results_are_logged() {
    let mut rows = vec![prompt(), raw_call(100, "shell", "c1", "{}"), completed(900)];
    rows.extend([
        codex_prompt(60_000, "next").turn_id("2"),
        raw_call(60_100, "shell", "c2", "{}").turn_id("2"),
        output(60_200, "c2", json!("x")).turn_id("2"),
    ]);
    assert_eq!(column(&records(CALLS, &[], &rows), "state"), ["unanswered", "completed"]);
}

#[test]
fn a_result_of_nobodys_call_is_an_orphan() {
    let rows = [prompt(), output(100, "c9", json!("late"))];
    let call = only(&rows);
    assert_eq!((&call["state"], &call["t"]), (&json!("orphan"), &json!(t(100))));
    assert_eq!((&call["name"], &call["kind"]), (&Value::Null, &Value::Null));
    assert_eq!(codes(&call), ["orphan_output"]);
    let known_elsewhere =
        [raw_call(50, "x", "c9", "{}").sid("another"), prompt(), output(100, "c9", json!("x"))];
    let mut states = column(&records(CALLS, &["--tz", "+07:00"], &known_elsewhere), "state");
    states.sort();
    assert_eq!(states, ["orphan", "pending"]);
}

#[test]
fn results_are_found_whatever_the_process() {
    let rows = [
        prompt(),
        raw_call(100, "x", "c1", "{}"),
        output(200, "c1", json!("x")).pid(7),
        raw_call(300, "x", "c1", "{}").sid("forked"),
        output(400, "c1", json!("x")).sid("forked"),
    ];
    let told = records(CALLS, &[], &rows);
    assert_eq!(column(&told, "state"), ["completed", "completed"]);
    assert_eq!(column(&told, "violations"), ["[]", "[]"]);
    assert_eq!(column(&told, "pid"), ["null", "4100"], "what the rows agree on");
}

#[test]
fn what_the_user_runs_is_no_call() {
    let by_user = codex(100, "turn.exec.begin")
        .payload(json!({"call_id": "u1", "command": ["ls"], "source": "user_shell"}));
    let rows = [prompt(), by_user, end(200, "u1", 0), end(9000, "u1", 0), completed(9900)];
    assert_eq!(records(CALLS, &[], &rows), Vec::<Value>::new());
}

#[test]
fn an_execution_alone_is_a_call() {
    let call = only(&[prompt(), begin(100, "c1"), end(400, "c1", 0), completed(900)]);
    assert_eq!((&call["kind"], &call["state"]), (&json!("shell"), &json!("unknown")));
    assert_eq!((&call["t"], &call["duration_ms"]), (&json!(t(100)), &json!(300)));
}

#[test]
fn calls_without_an_id_do_not_vanish() {
    let shell = |ms| {
        raw(
            ms,
            &json!({"type": "local_shell_call", "call_id": null, "status": "completed",
            "action": {"type": "exec", "command": ["ls"]}}),
        )
    };
    let nameless_output = raw(300, &json!({"type": "function_call_output", "output": "x"}));
    let rows = [prompt(), shell(100), shell(200), nameless_output, completed(900)];
    let told = records(CALLS, &[], &rows);
    assert_eq!(column(&told, "kind"), ["shell", "shell"]);
    assert_eq!(column(&told, "state"), ["completed", "unanswered"]);
    assert_eq!(column(&told, "call_id"), ["null", "null"]);
}

#[test]
fn what_the_server_runs_needs_no_result() {
    let search = json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
        "action": {"type": "search", "query": "rust"}});
    let mut bare = search.clone();
    bare.as_object_mut().expect("an object").remove("id");
    let rows = [
        prompt(),
        codex(100, "response.output_item.added").payload(json!({"item": search})),
        codex(300, "response.output_item.done").payload(json!({"item": search})),
        raw(400, &bare),
        completed(900),
    ];
    let call = only(&rows);
    assert_eq!((&call["kind"], &call["state"]), (&json!("web_search"), &json!("completed")));
    assert_eq!((&call["item_id"], &call["call_id"]), (&json!("ws_1"), &Value::Null));
    assert_eq!(codes(&call), [""; 0]);
    let rows = [
        claude_prompt(0, "go on", "u1"),
        tool_use(100, 0, "srvtoolu_1", "web_search"),
        stop(200, 0),
        claude(900, "claude.stop").payload(json!({"is_subagent": false})),
    ];
    assert_eq!(only(&rows)["state"], "completed");
}

#[test]
fn a_result_that_comes_again_later_has_a_record_of_its_own() {
    let mut rows = whole_turn();
    rows.push(output(20_000, "c1", json!("once more")));
    let told = records(CALLS, &[], &rows);
    assert_eq!(column(&told, "state"), ["completed", "completed"]);
    assert_eq!((codes(&told[0]), codes(&told[1])), (vec![], vec!["duplicate_output"]));
    assert_eq!((&told[1]["call_id"], &told[1]["t"]), (&json!("c1"), &json!(t(20_000))));
}

#[test]
fn a_result_that_comes_after_its_turn_has_one_too() {
    let rows = [
        prompt(),
        raw_call(100, "shell", "c0", "{}"),
        output(110, "c0", json!("x")),
        raw_call(120, "shell", "c1", "{}"),
        completed(900),
        output(60_000, "c1", json!({"content": "x", "success": false})),
    ];
    let told = records(CALLS, &[], &rows);
    assert_eq!(column(&told, "state"), ["completed", "unanswered", "failed"]);
    assert_eq!(codes(&told[2]), [""; 0]);
}

#[test]
fn what_was_cut_is_told() {
    let cut = "x [truncated after 2048 bytes, omitted 9 bytes]";
    let rows = [prompt(), raw_call(100, "x", "c1", "{}"), output(200, "c1", json!(cut))];
    assert_eq!(only(&rows)["truncated"], true);
    let shell = json!({"output": cut, "metadata": {"exit_code": 0}}).to_string();
    let rows = [prompt(), raw_call(100, "x", "c1", "{}"), output(200, "c1", json!(shell))];
    assert_eq!(only(&rows)["truncated"], true);
    let rows = [
        prompt(),
        added(100, "x", "c1"),
        delta(110, "c1", 1, "{\"a\":1}"),
        done(120, "x", "c1", "{\"a [truncated after 5 bytes, omitted 9 bytes]"),
        output(200, "c1", json!("x")),
    ];
    let call = only(&rows);
    assert_eq!((&call["truncated"], codes(&call)), (&json!(true), vec![]));
    assert_eq!(only(&[prompt(), raw_call(1, "x", "c", "{}")])["truncated"], false);
}

/// Slash commands and notices make the agent work, but open no turn.
#[test]
fn calls_after_a_turn_that_is_over_wait_for_their_results() {
    let stopped = |ms| claude(ms, "claude.stop").payload(json!({"is_subagent": false}));
    let command = "<command-name>/review</command-name>";
    let rows = |last: Vec<Row>| {
        let first = [claude_prompt(0, "go on", "u1"), stopped(1000)];
        let second = [
            claude_prompt(60_000, command, "u2"),
            tool_use(60_100, 0, "toolu_1", "Bash"),
            stop(60_110, 0),
            tool_result(60_120, &["toolu_0"], false),
        ];
        [&first[..], &second, &last].concat()
    };
    for (last, want, broken) in [
        (vec![tool_result(90_000, &["toolu_1"], false)], "completed", vec![]),
        (vec![stopped(90_000)], "unanswered", vec!["missing_output"]),
        (vec![claude_prompt(90_000, "next", "u3"), stopped(99_000)], "cancelled", vec![]),
        (vec![claude(90_000, "claude.session_end")], "cancelled", vec![]),
        (vec![], "pending", vec![]),
    ] {
        let told = records(CALLS, &[], &rows(last));
        let calls: Vec<&Value> = told.iter().filter(|c| c["call_id"] == "toolu_1").collect();
        assert_eq!(calls.len(), 1, "{told:?}");
        assert_eq!((&calls[0]["state"], codes(calls[0])), (&json!(want), broken));
        assert_eq!(calls[0]["session_turn"], 1);
    }
}

#[test]
fn of_rows_that_were_cut_the_ids_count() {
    let notice = "[truncated after 40 bytes, omitted 900 bytes]";
    let end = r#"data: {"type":"turn.exec.end","payload":{"call_id":"c1","stdout":"log in a log: {\"payload\":{..."#;
    let result = r#"data: {"type":"turn.raw_response_item","payload":{"item":{"type":"function_call_output","call_id":"c1","output":"xxx... "#;
    let rows = [
        prompt(),
        raw_call(100, "shell", "c1", "{}"),
        begin(200, "c1"),
        codex(300, "turn.exec.end").line_text(&format!("{end}{notice}")),
        codex(310, "turn.raw_response_item").line_text(&format!("{result}{notice}")),
        completed(900),
    ];
    let call = only(&rows);
    assert_eq!((&call["state"], codes(&call)), (&json!("completed"), vec![]));
    assert_eq!((&call["truncated"], &call["t_end"]), (&json!(true), &json!(t(300))));
}

#[test]
fn an_item_is_found_before_its_start_row() {
    let rows = [
        prompt(),
        delta(100, "c1", 5, "{\"a\":"),
        delta(100, "c1", 6, "1}"),
        added(100, "x", "c1"),
        done(120, "x", "c1", "{\"a\":1}"),
        output(200, "c1", json!("x")),
    ];
    let call = only(&rows);
    assert_eq!((codes(&call), &call["args_bytes"]), (vec![], &json!(7)));
}

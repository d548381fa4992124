//! The rows of a call's life, one function each.

use crate::programs::{CALLS, claude, codex, codex_prompt, records};
use serde_json::{Value, json};
use testkit::Row;

/// The only call of these rows.
pub fn only(rows: &[Row]) -> Value {
    let mut told = records(CALLS, &[], rows);
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

/// The codes of the rules that a call broke, in order of the table.
pub fn codes(call: &Value) -> Vec<&str> {
    let list = call["violations"].as_array().expect("violations");
    list.iter().map(|broken| broken["code"].as_str().expect("a code")).collect()
}

pub fn prompt() -> Row {
    codex_prompt(0, "go on")
}

fn item(name: &str, phase: &str, id: &str, arguments: &str) -> Value {
    json!({"item": {"type": "function_call", "id": format!("fc_{id}"), "status": phase,
        "name": name, "call_id": id, "arguments": arguments}})
}

pub fn added(ms: i64, name: &str, id: &str) -> Row {
    codex(ms, "response.output_item.added").payload(item(name, "in_progress", id, ""))
}

pub fn delta(ms: i64, id: &str, seq: u64, text: &str) -> Row {
    codex(ms, "response.function_call_arguments.delta")
        .payload(json!({"item_id": format!("fc_{id}"), "sequence_number": seq, "delta": text}))
}

pub fn args_done(ms: i64, id: &str, text: &str) -> Row {
    codex(ms, "response.function_call_arguments.done")
        .payload(json!({"item_id": format!("fc_{id}"), "arguments": text}))
}

pub fn done(ms: i64, name: &str, id: &str, arguments: &str) -> Row {
    codex(ms, "response.output_item.done").payload(item(name, "completed", id, arguments))
}

pub fn raw(ms: i64, item: &Value) -> Row {
    codex(ms, "turn.raw_response_item").payload(json!({"item": item}))
}

pub fn raw_call(ms: i64, name: &str, id: &str, arguments: &str) -> Row {
    let item = json!({"type": "function_call", "name": name, "call_id": id,
        "arguments": arguments});
    raw(ms, &item)
}

pub fn output(ms: i64, id: &str, output: impl Into<Value>) -> Row {
    let output: Value = output.into();
    raw(ms, &json!({"type": "function_call_output", "call_id": id, "output": output}))
}

pub fn begin(ms: i64, id: &str) -> Row {
    codex(ms, "turn.exec.begin").payload(json!({"call_id": id, "command": ["ls"]}))
}

pub fn end(ms: i64, id: &str, exit_code: i64) -> Row {
    codex(ms, "turn.exec.end").payload(json!({"call_id": id, "stdout": "", "stderr": "",
        "aggregated_output": "", "exit_code": exit_code, "duration": {"secs": 1, "nanos": 5_000_000},
        "formatted_output": ""}))
}

pub fn completed(ms: i64) -> Row {
    codex(ms, "turn.response.completed").payload(json!({"last_agent_message": "done"}))
}

/// A whole turn with one shell call: prompt at 0, announced at 100, run from 200 to 700, result
/// at 710, end at 900.
pub fn whole_turn() -> Vec<Row> {
    let args = r#"{"command":["ls"]}"#;
    vec![
        prompt(),
        added(100, "shell", "c1"),
        delta(110, "c1", 1, r#"{"comma"#),
        delta(120, "c1", 2, r#"nd":["ls"]}"#),
        args_done(130, "c1", args),
        done(130, "shell", "c1", args),
        raw_call(150, "shell", "c1", args),
        begin(200, "c1"),
        end(700, "c1", 0),
        output(710, "c1", json!(r#"{"output":"a\n","metadata":{"exit_code":0}}"#)),
        completed(900),
    ]
}

/// A Claude block that calls a tool.
pub fn tool_use(ms: i64, index: u64, id: &str, name: &str) -> Row {
    claude(ms, "claude.content_block_start").payload(json!({"index": index, "request_id": "req_1",
        "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}}))
}

pub fn input_delta(ms: i64, index: u64, text: &str) -> Row {
    claude(ms, "claude.content_block_delta").payload(json!({"index": index, "request_id": "req_1",
        "delta_type": "input_json_delta",
        "delta": {"type": "input_json_delta", "partial_json": text}}))
}

pub fn stop(ms: i64, index: u64) -> Row {
    claude(ms, "claude.content_block_stop").payload(json!({"index": index, "request_id": "req_1"}))
}

pub fn tool_result(ms: i64, ids: &[&str], is_error: bool) -> Row {
    let part = |id: &&str| {
        json!({"type": "tool_result", "tool_use_id": id, "content": "four",
            "is_error": is_error})
    };
    let content: Vec<Value> = ids.iter().map(part).collect();
    claude(ms, "claude.tool_result")
        .payload(json!({"message": {"role": "user", "content": content}, "tool_use_ids": ids}))
}

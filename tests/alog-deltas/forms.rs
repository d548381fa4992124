//! Flags, and what they leave of the records.

use crate::programs::{
    DELTAS, Written, claude, codex, codex_prompt, column, lines, records, run_on,
};
use serde_json::{Value, json};
use testkit::{Fault, LogBuilder, Row};

/// A Codex delta of the item.
fn delta(ms: i64, id: &str, seq: u64, text: &str) -> Row {
    let payload = json!({"item_id": id, "sequence_number": seq, "content_index": 0, "delta": text});
    codex(ms, "response.output_text.delta").inner(payload)
}

fn done(ms: i64, id: &str, text: &str) -> Row {
    let payload = json!({"item_id": id, "sequence_number": 99, "content_index": 0, "text": text});
    codex(ms, "response.output_text.done").inner(payload)
}

/// A call with its arguments.
fn call(ms: i64, id: &str, arguments: &str) -> Vec<Row> {
    let item = |phase: &str, text: &str| {
        let item = json!({"id": id, "type": "function_call", "name": "shell", "call_id": "call_9", "arguments": text});
        codex(ms, &format!("response.output_item.{phase}")).inner(json!({"item": item}))
    };
    let piece = json!({"item_id": id, "sequence_number": 5, "delta": arguments});
    let piece = codex(ms, "response.function_call_arguments.delta").inner(piece);
    vec![item("added", ""), piece, item("done", arguments)]
}

fn block(ms: i64, kind: &str, request: &str, more: &Value) -> Row {
    let mut payload = json!({"index": 0, "request_id": request});
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    claude(ms, &format!("claude.content_block_{kind}")).payload(payload)
}

/// Items of every kind and status.
fn log() -> Vec<Row> {
    let text = |text: &str| json!({"delta": {"type": "text_delta", "text": text}});
    let mut rows = vec![
        // It tells the offset of the Codex rows.
        codex_prompt(0, "go"),
        delta(0, "msg_a", 1, "whole "),
        delta(1, "msg_a", 2, "text"),
        done(2, "msg_a", "whole text"),
        delta(10, "msg_b", 1, "cut"),
        delta(20, "msg_c", 1, "other"),
        done(21, "msg_c", "text"),
    ];
    rows.extend(call(30, "fc_d", "{\"a\": [1, \"x  y\"]}"));
    rows.extend(call(40, "fc_e", "{\"a\":"));
    rows.push(block(50, "delta", "req_f", &text("lost start")).flow_id("msg_one"));
    rows.push(block(51, "stop", "req_f", &json!({})).flow_id("msg_one"));
    let thinking = json!({"content_block": {"type": "thinking", "thinking": ""}});
    rows.push(block(60, "start", "req_g", &thinking).flow_id("msg_two"));
    let thought = json!({"delta": {"type": "thinking_delta", "thinking": "hm"}});
    rows.push(block(61, "delta", "req_g", &thought).flow_id("msg_one"));
    let signature = json!({"delta": {"type": "signature_delta", "signature": "xyz"}});
    rows.push(block(62, "delta", "req_g", &signature).flow_id("msg_two"));
    rows.push(block(63, "stop", "req_g", &json!({})).flow_id("msg_two"));
    rows
}

fn ids(args: &[&str]) -> Vec<String> {
    let found = records(DELTAS, args, &log());
    let id = |record: &Value| {
        let id = record["item_id"].as_str().or(record["request_id"].as_str()).unwrap_or("none");
        id.rsplit('_').next().unwrap_or_default().to_owned()
    };
    found.iter().map(id).collect()
}

#[test]
fn statuses_and_counts() {
    let found = records(DELTAS, &[], &log());
    let status = ["complete", "open", "mismatch", "complete", "invalid_json", "orphan", "complete"];
    assert_eq!(column(&found, "status"), status);
    let kinds = ["text", "text", "text", "tool_args", "tool_args", "text", "reasoning"];
    assert_eq!(column(&found, "kind"), kinds);
    // Signatures do not count.
    assert_eq!(column(&found, "deltas"), ["2", "1", "1", "1", "1", "1", "1"]);
    assert_eq!((&found[3]["call_id"], &found[3]["name"]), (&json!("call_9"), &json!("shell")));
    assert_eq!((&found[6]["flow_id"], &found[6]["block_index"]), (&Value::Null, &json!(0)));
}

#[test]
fn flags_choose_items() {
    for (args, want) in [
        (&[][..], &["a", "b", "c", "d", "e", "f", "g"][..]),
        (&["--kind", "text"], &["a", "b", "c", "f"]),
        (&["--kind", "tool_args,reasoning"], &["d", "e", "g"]),
        (&["--status", "open,orphan"], &["b", "f"]),
        (&["--status", "mismatch", "--status", "invalid_json"], &["c", "e"]),
        (&["--item", "msg_b"], &["b"]),
        (&["--call", "call_9"], &["d", "e"]),
        (&["--call", "call_8"], &[]),
        (&["--flow", "_one"], &["f"]),
        (&["--flow", "two"], &["g"]),
        (&["--provider", "claude"], &["f", "g"]),
        (&["--kind", "text", "-n", "2"], &["c", "f"]),
        (&["--status", "complete", "--first", "1"], &["a"]),
    ] {
        assert_eq!(ids(args), want, "{args:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for args in [
        &["--kind", "words"][..],
        &["--status", "done"],
        &["--stream", "both"],
        &["--text-only", "-o", "csv"],
        &["--text-only", "--explain"],
    ] {
        assert_eq!(run_on(DELTAS, args, &lines(&log())).code, Some(2), "{args:?}");
    }
}

#[test]
fn arguments_are_parsed_if_asked_for() {
    let plain = records(DELTAS, &["--kind", "tool_args"], &log());
    assert!(plain.iter().all(|record| record["json"].is_null()));
    let ran = run_on(DELTAS, &["--kind", "tool_args", "--parse"], &lines(&log())).expect_code(0);
    assert!(ran.text().contains(r#""json":{"a":[1,"x  y"]},"#), "{}", ran.text());
    assert_eq!(ran.rows()[1]["json"], Value::Null);
    let tool = json!({"content_block": {"type": "tool_use", "id": "toolu_1", "name": "TodoRead"}});
    let empty = json!({"delta": {"type": "input_json_delta", "partial_json": ""}});
    let rows = [
        block(0, "start", "r", &tool),
        block(1, "delta", "r", &empty),
        block(2, "stop", "r", &json!({})),
    ];
    let found = records(DELTAS, &["--parse"], &rows);
    assert_eq!((&found[0]["json"], &found[0]["status"]), (&json!({}), &json!("complete")));
}

#[test]
fn texts_alone() {
    let text = |args: &[&str]| {
        let ran = run_on(DELTAS, &[&["--text-only"], args].concat(), &lines(&log()));
        ran.expect_code(0).text().to_owned()
    };
    assert_eq!(text(&["--kind", "text", "-n", "3"]), "cut\n\nother\n\nlost start\n");
    assert_eq!(text(&["--item", "msg_a", "-0"]), "whole text\0");
    let silent = [codex(0, "response.output_item.added")
        .inner(json!({"item": {"type": "reasoning", "id": "rs_1"}}))];
    let ran = run_on(DELTAS, &["--text-only", "--fail-empty"], &lines(&silent));
    assert_eq!((ran.code, ran.text()), (Some(1), ""));
}

#[test]
fn rows_tell_what_they_counted_for() {
    let mut rows = log();
    rows.insert(2, delta(0, "msg_a", 1, "again"));
    let found = records(DELTAS, &["--explain", "--item", "msg_a"], &rows);
    let uses = column(found[0]["rows"].as_array().expect("rows"), "use");
    assert_eq!(uses, ["delta", "repeated delta", "delta", "done row"]);
    let found = records(DELTAS, &["--explain", "--call", "call_9"], &rows);
    let uses = column(found[0]["rows"].as_array().expect("rows"), "use");
    assert_eq!(uses, ["start row", "delta", "done row of the item"]);
}

#[test]
fn the_twin_stream_can_be_asked_for() {
    let written = Written::new(&LogBuilder::new(271).claude_sessions(0).turns(2));
    let ours = written.run(DELTAS, &["--kind", "text,reasoning"]).expect_code(0).rows();
    let twins = written
        .run(DELTAS, &["--kind", "text,reasoning", "--stream", "turn"])
        .expect_code(0)
        .rows();
    assert!(!ours.is_empty());
    for key in ["item_id", "text", "status", "deltas", "kind"] {
        assert_eq!(column(&ours, key), column(&twins, key), "{key}");
    }
    let both =
        written.run(DELTAS, &["--stream", "turn", "--kind", "tool_args"]).expect_code(0).rows();
    assert!(both.iter().all(|record| record["deltas"] == 0), "they have no twins");
}

#[test]
fn a_turn_of_twins_alone_is_found_in_a_second_reading() {
    let builder = LogBuilder::new(272).claude_sessions(0).turns(2).fault(Fault::TwinsOnly);
    let written = Written::new(&builder);
    for args in [&["--summary"][..], &["--summary", "--strict"]] {
        let ran = written.run(DELTAS, args).expect_code(0);
        assert_eq!(ran.rows().len(), written.log.truth.deltas.len());
        // Nothing is counted twice.
        assert_eq!(ran.summary()["lines"], json!(written.log.truth.all.lines));
    }
}

#[test]
fn every_spelling_and_strictness_gives_the_same() {
    let written = Written::new(&LogBuilder::new(273).turns(1).faults(&Fault::ALL));
    let quick = written.run(DELTAS, &["--explain"]).expect_code(0);
    let strict = written.run(DELTAS, &["--explain", "--strict"]);
    assert!(quick.stdout == strict.stdout && !quick.stdout.is_empty());
}

//! The payload is the log's own text: nothing is rounded, reordered, unescaped or lost.

use crate::programs::{EVENTS, codex, lines, records, run_on};
use serde_json::{Value, json};
use testkit::{Ran, Row};

fn row_with(payload: &str) -> Row {
    codex(0, "turn.x").line_text(&format!(r#"data: {{"type":"turn.x","payload":{payload}}}"#))
}

fn printed(payload: &str) -> Ran {
    run_on(EVENTS, &[], &lines(&[row_with(payload)])).expect_code(0)
}

fn expect_payload(sent: &str, want: &str) {
    let ran = printed(sent);
    let part = format!(r#","payload":{want},"payload_error":null,"src":"#);
    assert!(ran.text().contains(&part), "{want} is not in {}", ran.text());
}

#[test]
fn numbers_key_order_and_escapes_are_as_written() {
    for text in [
        r#"{"z":1,"a":2,"m":{"b":1,"a":2}}"#,
        r#"{"n":[1.0,1.10,1e5,1E+05,-0.0,0.1e-9,123456789012345678901234567890]}"#,
        r#"{"s":"\u0041\/\b\u000b \\ \" \ud83e\udd80 é"}"#,
        r#"{"s":"\ud800 lone \udc00"}"#,
        r#"{"twice":1,"twice":2}"#,
        r#"{"":[],"empty":{},"null":null,"t":true}"#,
    ] {
        expect_payload(text, text);
    }
}

#[test]
fn only_white_space_between_tokens_is_removed() {
    let sent = "{ \"a b\" :\t[ 1 , 2.50 ] ,\r\n \"c\" : \"  kept \\n  \" , \"d\" : { } }";
    expect_payload(sent, r#"{"a b":[1,2.50],"c":"  kept \n  ","d":{}}"#);
}

#[test]
fn payloads_that_are_no_objects_leave_the_inner_json() {
    let inner = r#"{"type":"turn.user_message","payload":"hi"}"#;
    let row = codex(0, "turn.user_message").line_text(&format!("data: {inner}"));
    assert_eq!(
        records(EVENTS, &[], &[row])[0]["payload"],
        json!({"type": "turn.user_message", "payload": "hi"})
    );
    let flat = json!({"type": "response.output_text.delta", "delta": "x", "sequence_number": 9});
    let row = codex(0, "response.output_text.delta").inner(flat.clone());
    assert_eq!(records(EVENTS, &[], &[row])[0]["payload"], flat);
}

#[test]
fn a_payload_cut_short_keeps_its_envelope() {
    let cut = r#"data: {"type":"turn.exec.end","payload":{"stdout":"aaa... [truncated after 3 bytes, omitted 9 bytes]"#;
    let row = codex(0, "turn.exec.end").data_count(Some(7)).line_text(cut);
    let event = &records(EVENTS, &[], &[row])[0];
    assert_eq!(event["payload"], Value::Null);
    assert!(event["payload_error"].as_str().is_some_and(|text| !text.is_empty()), "{event}");
    assert_eq!((&event["event"], &event["seq"]), (&json!("turn.exec.end"), &json!(7)));
    assert_eq!((&event["pid"], &event["turn_id"]), (&json!(4100), &json!("1")));
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1))
}

#[test]
fn deep_payloads_are_read_to_depth_1024_and_not_crashed_by() {
    let deep = format!(r#"{{"a":{}}}"#, nested(1024));
    expect_payload(&deep, &deep);
    for depth in [1025, 200_000] {
        let ran = printed(&format!(r#"{{"a":{}}}"#, nested(depth)));
        let event = &ran.rows()[0];
        assert_eq!(event["payload"], Value::Null, "depth {depth}");
        assert!(event["payload_error"].is_string(), "depth {depth}");
        assert_eq!(event["sid"], "019a9776-4f00-7000-8000-0000000000c0");
    }
}

#[test]
fn large_payloads_are_as_written_too() {
    let text = "x\\n\\ud800 ".repeat(200_000);
    let sent = format!(r#"{{ "a": "{text}", "n": 1.50 }}"#);
    expect_payload(&sent, &format!(r#"{{"a":"{text}","n":1.50}}"#));
}

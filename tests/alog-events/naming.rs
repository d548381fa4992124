//! The head of an event: its name, and what its row says of itself.

use crate::programs::{EVENTS, claude, codex, column, records, run_on};
use serde_json::{Value, json};
use testkit::{Generation, MetadataForm, PidForm, Row, Spelling};

fn named(line: &str) -> Vec<String> {
    let row = json!({"t": "2025-11-18T21:55:52.402", "line": line, "sid": "s", "flow_id": "f"});
    let ran = run_on(EVENTS, &[], format!("{row}\n").as_bytes()).expect_code(0);
    column(&ran.rows(), "event")
}

#[test]
fn without_an_envelope_name_the_inner_json_names_the_event() {
    let stop = r#"data: {"timestamp":"2025-11-18T03:00:01.005Z","type":"event_msg","payload":{"type":"stop"}}"#;
    assert_eq!(named(stop), ["claude.stop"]);
    assert_eq!(named(r#"data:{"type":"response.created","response":{}}"#), ["response.created"]);
    assert_eq!(named(r#"data: {"what":"ever"}"#), ["unknown"]);
}

#[test]
fn framing_of_the_stream_is_no_event_and_not_bad() {
    for text in ["event: claude.stop", ": ping", "data: [DONE]", ""] {
        let row = json!({"t": "2025-11-18T21:55:52.402", "line": text, "sid": "s", "flow_id": "f"});
        let ran = run_on(EVENTS, &["--summary"], format!("{row}\n").as_bytes()).expect_code(0);
        let summary = ran.summary();
        assert_eq!(ran.text(), "", "{text:?}");
        assert_eq!((&summary["bad_lines"], &summary["events"]), (&json!(0), &json!(0)), "{text:?}");
    }
}

#[test]
fn unknown_events_and_fields_stop_nothing() {
    let rows = [
        codex(0, "turn.invented_tomorrow").payload(json!({"x": 1})).extra("new_key", json!([1])),
        codex(1, "wholly.unknown").metadata("more", json!({"a": 1})),
        codex(2, "turn.diff"),
    ];
    let told = records(EVENTS, &[], &rows);
    assert_eq!(column(&told, "event"), ["turn.invented_tomorrow", "wholly.unknown", "turn.diff"]);
    assert_eq!(told[0]["payload"], json!({"x": 1}));
    assert_eq!(told[0]["provider"], "codex");
}

#[test]
fn what_a_row_does_not_say_is_null() {
    let row = codex(0, "turn.diff").sid("").flow_id("").without_round().data_count(None);
    let row = row.metadata("cwd", json!("")).metadata("ver", Value::Null);
    let event = &records(EVENTS, &[], &[row])[0];
    for key in ["sid", "flow_id", "round", "seq", "cwd", "ver", "model", "request_id"] {
        assert_eq!(event[key], Value::Null, "{key}");
    }
    assert_eq!(event["payload"], json!({}));
}

#[test]
fn the_head_says_what_the_row_says() {
    let message = json!({"message": {"id": "msg_01AAA", "model": "claude-x", "role": "assistant"},
        "request_id": "req_01X"});
    let event = &records(EVENTS, &[], &[claude(0, "claude.message_start").payload(message)])[0];
    let want = json!({"provider": "claude", "sid": "6f0c8a52-1f6e-4b7a-9d25-3c1a0e5b7d10",
        "pid": 81, "turn_id": null, "flow_id": "msg_01AAA", "cwd": "/w/app",
        "ver": "claude-code-2.0.42", "model": "claude-x", "request_id": "req_01X", "seq": 0});
    for (key, value) in want.as_object().into_iter().flatten() {
        assert_eq!(event[key], *value, "{key}");
    }
}

#[test]
fn older_envelopes_say_the_same() {
    let say = |spelling: Spelling| {
        let row = claude(0, "claude.stop").payload(json!({"agent_id": "x"})).spelling(spelling);
        let event = records(EVENTS, &[], &[row]).remove(0);
        ["event", "t", "sid", "pid", "cwd", "flow_id", "seq", "payload"]
            .map(|key| event[key].clone())
    };
    let today = say(Spelling::default());
    for generation in [Generation::G0, Generation::G1, Generation::G2, Generation::G3Prime] {
        assert_eq!(say(Spelling::of(generation)), today, "{generation:?}");
    }
    let pid = Spelling { pid: PidForm::Text, ..Spelling::default() };
    assert_eq!(say(pid), today);
    let object = Spelling { metadata: MetadataForm::Object, ..Spelling::default() };
    assert_eq!(say(object), today);
}

#[test]
fn a_g0_pair_is_one_event_with_the_place_of_its_data() {
    let row = claude(0, "claude.stop").spelling(Spelling::of(Generation::G0));
    let told = records(EVENTS, &[], std::slice::from_ref(&row));
    assert_eq!(column(&told, "event"), ["claude.stop"]);
    let bytes = row.to_bytes();
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("two lines");
    let len = bytes.len() - first - 2;
    let want = json!({"line": 2, "offset": first + 1, "len": len});
    assert_eq!(crate::programs::by_keys_of(&want, &told[0]["src"]), want);
}

#[test]
fn a_released_stamp_settles_the_time_of_its_row() {
    // 2025-11-18T14:55:52.402Z in nanoseconds; the clock of the row is UTC-05:00.
    let row = Row::codex("turn.diff").t("2025-11-18T09:55:52.402").without_round();
    let row = row.released(1_763_477_752_402_000_000).spelling(Spelling::of(Generation::G4));
    assert_eq!(records(EVENTS, &[], &[row])[0]["t"], "2025-11-18T14:55:52.402Z");
}

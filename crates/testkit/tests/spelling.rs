//! Single rows in every spelling.

use serde_json::{Value, json};
use testkit::{Escape, Generation, LineForm, MetadataForm, PidForm, Row, Spelling};

fn text(row: &Row) -> String {
    String::from_utf8(row.to_bytes()).expect("UTF-8")
}

#[test]
fn the_default_is_what_writers_write() {
    let row = Row::codex("turn.user_message").payload(json!({"message": "hi", "images": []}));
    let want = concat!(
        r#"{"event":"turn.user_message","t":"2025-11-18T21:55:52.402","line":"data: "#,
        r#"{\"type\":\"turn.user_message\",\"payload\":{\"message\":\"hi\",\"images\":[]}}","#,
        r#""metadata":"{\"turn_id\":\"1\",\"ver\":\"codex.0.60.1\",\"pid\":4100,"#,
        r#"\"cwd\":\"/w/app\"}","flow_id":"019a9776-4f00-7000-8000-0000000000c0__turn_1","#,
        r#""round":"019a9777-0a51-7000-8000-0000000000d0","data_count":0,"#,
        r#""sid":"019a9776-4f00-7000-8000-0000000000c0"}"#,
        "\n"
    );
    assert_eq!(text(&row), want);
}

#[test]
fn inner_json_is_wrapped_as_each_writer_does() {
    let inner = |row: Row| -> Value {
        let row: Value = serde_json::from_slice(&row.to_bytes()).expect("JSON");
        let line = row["line"].as_str().expect("text").to_owned();
        serde_json::from_str(line.strip_prefix("data: ").expect("data")).expect("JSON")
    };
    assert_eq!(inner(Row::codex("codex.idle")), json!({"type": "codex.idle"}));
    let claude = Row::claude("claude.stop").payload(json!({"is_subagent": false}));
    let want = json!({
        "timestamp": "2025-11-18T14:55:52.402Z", "type": "event_msg",
        "payload": {"type": "stop", "is_subagent": false},
    });
    assert_eq!(inner(claude.clone()), want);
    let short = json!({"type": "stop", "payload": {"type": "stop", "is_subagent": false}});
    assert_eq!(inner(claude.without_utc()), short);
    assert_eq!(inner(Row::codex("x").inner(json!([1]))), json!([1]));
}

#[test]
fn g0_is_two_rows() {
    let spelling = Spelling::of(Generation::G0);
    let text = text(&Row::claude("claude.stop").spelling(spelling));
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["line"], "event: claude.stop");
    assert_eq!(rows[1]["pid"], "81");
    assert!(rows.iter().all(|row| row.get("event").is_none() && row.get("metadata").is_none()));
}

#[test]
fn every_spelling_reads_back_the_same() {
    let payload = json!({"message": "naïve 🚀 \"x\"\n\\", "images": []});
    let row = Row::codex("turn.user_message").payload(payload.clone()).released(7);
    for bits in 0..96_u32 {
        let generation = [Generation::G2, Generation::G3, Generation::G3Prime, Generation::G4];
        let escape = [Escape::None, Escape::Outer, Escape::Inner, Escape::Letters];
        let line = [LineForm::Data, LineForm::DataNoSpace, LineForm::Object];
        let spelling = Spelling {
            generation: generation[bits as usize % 4],
            escape: escape[bits as usize / 4 % 4],
            line: line[bits as usize / 16 % 3],
            spaced: bits & 1 > 0,
            shuffle: (bits & 2 > 0).then_some(u64::from(bits)),
            metadata: if bits & 4 > 0 { MetadataForm::Object } else { MetadataForm::Text },
            pid: if bits & 8 > 0 { PidForm::Text } else { PidForm::Number },
        };
        let text = text(&row.clone().spelling(spelling));
        assert!(text.contains("turn.user_message"), "the name stays readable: {text}");
        let row: Value = serde_json::from_str(&text).expect("JSON");
        let inner: Value = match &row["line"] {
            Value::String(line) => {
                serde_json::from_str(line.trim_start_matches("data:")).expect("JSON")
            }
            object => object.clone(),
        };
        assert_eq!(inner["payload"], payload, "{spelling:?}");
    }
}

//! `thinking`: reasoning that can be read.
//!
//! Each is told once, by the best of its sources (`reasoning.rs` says which that is): its stream; the
//! done row, or item, of an SSE log where nothing was streamed; blocks of transcripts and items of
//! rollouts; and events that repeat an item's text only in turns where nothing else can be read.
//! `status` is that of `alog-deltas` for what was streamed. `item_id` of a block of Claude is request
//! and block: `req_1:0`.

use agentlog::record::{Field, Shape};

use super::reasoning::{Reasoning, Reasonings};
use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "thinking",
    about: "reasoning that can be read",
    sources: "SSE logs, transcripts, rollouts",
    own: OWN,
    key: &["sid", "item_id", "text"],
    table: &["t", "provider", "sid", "item_id", "bytes", "text"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<Thinking>::default(),
};

const OWN: &[Field] = &[
    field("item_id", Shape::Text, "what names it: item, or request and block"),
    field("source", Shape::OneOf(&["stream", "item", "transcript"]), "where it was found"),
    field(
        "status",
        Shape::Text,
        "the status that alog-deltas gives what was streamed; null of others",
    ),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the text"),
];

struct Thinking {
    reasonings: Reasonings,
    found: Vec<Reasoning>,
}

impl Default for Thinking {
    fn default() -> Self {
        Self { reasonings: Reasonings::new(false), found: Vec::new() }
    }
}

impl Thinking {
    fn give(&mut self, out: &mut Vec<Record>) {
        out.extend(self.found.drain(..).filter(|one| one.text_bytes > 0).map(record));
    }
}

impl Mode for Thinking {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        self.reasonings.feed(row, &mut self.found);
        self.give(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.reasonings.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.reasonings.finish(&mut self.found);
        self.give(out);
    }
}

fn record(one: Reasoning) -> Record {
    let Reasoning { t, src, head, item_id, source, status, text_bytes, text, .. } = one;
    let values =
        vec![or_null(item_id), source.into(), or_null(status), text_bytes.into(), text.into()];
    Record { info: &INFO, t, src, head, values }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, sse, turn};
    use serde_json::{Value, json};

    fn told(found: &[Value]) -> Vec<(&str, &str, Option<&str>, Option<&str>)> {
        let told = |one| {
            let of = |key: &str| Value::get(one, key).unwrap().as_str();
            (of("text").unwrap(), of("source").unwrap(), of("status"), of("item_id"))
        };
        found.iter().map(told).collect()
    }

    fn delta(ms: i64, id: &str, part: i64, seq: i64, text: &str) -> String {
        let payload =
            json!({"item_id": id, "summary_index": part, "sequence_number": seq, "delta": text});
        sse(ms, "response.reasoning_summary_text.delta", "1", &payload)
    }

    fn summary(parts: &[&str]) -> Value {
        parts.iter().map(|text| json!({"type": "summary_text", "text": text})).collect()
    }

    fn done(ms: i64, id: &str, parts: &[&str]) -> String {
        let item = json!({"id": id, "type": "reasoning", "summary": summary(parts)});
        sse(ms, "response.output_item.done", "1", &json!({"output_index": 0, "item": item}))
    }

    fn raw(ms: i64, parts: &[&str]) -> String {
        let item =
            json!({"type": "reasoning", "summary": summary(parts), "encrypted_content": null});
        turn(ms, "turn.raw_response_item", "1", &json!({"item": item}))
    }

    fn event(ms: i64, text: &str) -> String {
        turn(ms, "turn.reasoning", "1", &json!({"text": text}))
    }

    fn end(ms: i64) -> String {
        turn(ms, "turn.response.completed", "1", &json!({}))
    }

    #[test]
    fn a_stream_and_all_that_repeats_it() {
        let twin =
            |ms: i64, text: &str| turn(ms, "turn.reasoning.delta", "1", &json!({"delta": text}));
        let rows = [
            delta(1, "rs_1", 0, 1, "one"),
            twin(1, "one"),
            delta(2, "rs_1", 1, 2, "two"),
            twin(2, "two"),
            event(3, "one"),
            event(3, "two"),
            raw(3, &["one", "two"]),
            done(3, "rs_1", &["one", "two"]),
            end(9),
        ];
        let found = records("thinking", &rows);
        assert_eq!(told(&found), [("one\n\ntwo", "stream", Some("complete"), Some("rs_1"))]);
        assert_eq!((&found[0]["bytes"], &found[0]["line"]), (&json!(8), &json!(1)));
    }

    #[test]
    fn what_differs_from_its_done_row_is_told_once_all_the_same() {
        let rows =
            [delta(1, "rs_1", 0, 1, "on"), done(3, "rs_1", &["one"]), raw(3, &["one"]), end(9)];
        let found = records("thinking", &rows);
        assert_eq!(told(&found), [("on", "stream", Some("mismatch"), Some("rs_1"))]);
    }

    #[test]
    fn twins_with_the_items_that_repeat_them() {
        let twin =
            |ms: i64, text: &str| turn(ms, "turn.reasoning.delta", "1", &json!({"delta": text}));
        let rows = [
            twin(1, "one"),
            twin(2, "two"),
            event(3, "one"),
            event(3, "two"),
            raw(3, &["one", "two"]),
            end(9),
        ];
        let found = records("thinking", &rows);
        assert_eq!(told(&found), [("onetwo", "stream", Some("open"), None)]);
    }

    #[test]
    fn items_that_were_not_streamed() {
        let found = records("thinking", &[done(3, "rs_1", &["one"]), raw(3, &["one"]), end(9)]);
        assert_eq!(told(&found), [("one", "item", None, Some("rs_1"))]);
        let found = records(
            "thinking",
            &[event(2, "one"), event(2, "two"), raw(3, &["one", "two"]), end(9)],
        );
        assert_eq!(told(&found), [("one\n\ntwo", "item", None, None)]);
        // In a turn in which another was streamed.
        let rows = [
            delta(1, "rs_1", 0, 1, "one"),
            done(2, "rs_1", &["one"]),
            raw(2, &["one"]),
            raw(5, &["two"]),
            end(9),
        ];
        let texts: Vec<_> =
            records("thinking", &rows).iter().map(|one| one["text"].clone()).collect();
        assert_eq!(texts, ["one", "two"]);
        assert!(records("thinking", &[done(3, "rs_1", &[]), end(9)]).is_empty());
    }

    #[test]
    fn events_where_nothing_else_can_be_read() {
        let completed = |ms: i64| {
            turn(
                ms,
                "turn.item.completed",
                "1",
                &json!({"item": {"type": "Reasoning", "id": "rs_1", "summary_text": ["one"]}}),
            )
        };
        let found = records("thinking", &[event(2, "one"), raw(3, &[]), end(9)]);
        assert_eq!(told(&found), [("one", "item", None, None)]);
        let found = records("thinking", &[event(2, "one"), completed(2), end(9)]);
        assert_eq!(told(&found), [("one", "item", None, Some("rs_1"))]);
    }

    #[test]
    fn a_stream_without_an_end_that_an_item_told_already() {
        let later = turn(60_000, "turn.user_message", "2", &json!({"message": "on"}));
        let rows = [delta(1, "rs_1", 0, 1, "one"), raw(3, &["one"]), end(9), later];
        let found = records("thinking", &rows);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["text"], "one");
    }

    fn block(ms: i64, kind: &str, index: i64, key: &str, value: &Value) -> String {
        let mut payload = json!({"type": kind, "index": index, "request_id": "req_1"});
        payload[key] = value.clone();
        claude(ms, &payload)
    }

    fn transcript(ms: i64, uuid: &str, block: &Value) -> String {
        let message = json!({"id": "msg_1", "role": "assistant", "content": [block]});
        json!({"type": "assistant", "uuid": uuid, "sessionId": "c", "requestId": "req_1", "timestamp": format!("2026-01-01T00:00:00.{ms:03}Z"), "message": message}).to_string()
    }

    #[test]
    fn blocks_of_claude_and_their_transcript() {
        let thinking =
            |text: &str| json!({"type": "thinking", "thinking": text, "signature": "sig"});
        let rows = [
            block(
                1,
                "content_block_start",
                0,
                "content_block",
                &json!({"type": "thinking", "thinking": ""}),
            ),
            block(
                2,
                "content_block_delta",
                0,
                "delta",
                &json!({"type": "thinking_delta", "thinking": "Hm"}),
            ),
            block(
                3,
                "content_block_delta",
                0,
                "delta",
                &json!({"type": "signature_delta", "signature": "sig"}),
            ),
            block(4, "content_block_stop", 0, "x", &Value::Null),
            transcript(5, "a", &thinking("Hm")),
            transcript(6, "b", &json!({"type": "text", "text": "so"})),
            transcript(7, "d", &json!({"type": "thinking", "thinking": "Oh", "signature": "gis"})),
        ];
        let found = records("thinking", &rows);
        assert_eq!(
            told(&found),
            [
                ("Hm", "stream", Some("complete"), Some("req_1:0")),
                ("Oh", "transcript", None, Some("req_1:2")),
            ]
        );
        let found = records(
            "thinking",
            &[transcript(5, "a", &thinking("")), transcript(6, "b", &thinking("x"))],
        );
        assert_eq!(told(&found), [("x", "transcript", None, Some("req_1:1"))]);
    }

    #[test]
    fn rollouts_tell_it_twice() {
        let row = |ms: i64, kind: &str, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:00.{ms:03}Z"), "type": kind, "payload": payload}).to_string()
        };
        let said = |ms: i64, text: &str| {
            row(ms, "event_msg", json!({"type": "agent_reasoning", "text": text}))
        };
        let item = |ms: i64, parts: &[&str]| {
            row(
                ms,
                "response_item",
                json!({"type": "reasoning", "summary": summary(parts), "encrypted_content": "xyz"}),
            )
        };
        let meta = row(0, "session_meta", json!({"id": "s", "cwd": "/w"}));
        let found = records(
            "thinking",
            &[meta.clone(), said(1, "one"), said(1, "two"), item(2, &["one", "two"])],
        );
        assert_eq!(told(&found), [("one\n\ntwo", "transcript", None, None)]);
        assert_eq!(found[0]["sid"], "s");
        let found = records("thinking", &[meta, said(1, "one"), item(2, &[])]);
        assert_eq!(told(&found), [("one", "transcript", None, None)]);
    }
}

//! `reasoning_presence`: reasoning that was there, whether it can be read or not.
//!
//! Each is told once, by the best of its sources (`reasoning.rs` says which that is). A stream has
//! the encrypted content and summaries of its done row, and the signature of its own deltas. Blocks
//! of Claude that are redacted have their data as encrypted content. Captured requests tell what no
//! log told: what is the same (by id, encrypted content, signature or words) as reasoning that was
//! told is not told again. Sizes are bytes of the strings as they were sent; nothing is decrypted.

use agentlog::record::{Field, Shape};

use super::reasoning::{Reasoning, Reasonings};
use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "reasoning_presence",
    about: "reasoning that was there, whether it can be read or not",
    sources: "SSE logs, transcripts, rollouts, captured requests",
    own: OWN,
    key: &["sid", "item_id"],
    table: &["t", "provider", "sid", "item_id", "source", "text_bytes", "encrypted_bytes"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<ReasoningPresence>::default(),
};

const OWN: &[Field] = &[
    field("item_id", Shape::Text, "what names it: item, or request and block"),
    field(
        "source",
        Shape::OneOf(&["stream", "item", "request", "transcript"]),
        "where it was found",
    ),
    field("has_text", Shape::Bool, "whether some of it can be read"),
    field("text_bytes", Shape::Count, "bytes that can be read"),
    field("summaries", Shape::Count, "summaries that it has"),
    field("encrypted_bytes", Shape::Count, "bytes of its encrypted content, as sent"),
    field("signature_bytes", Shape::Count, "bytes of its signature"),
];

struct ReasoningPresence {
    reasonings: Reasonings,
    found: Vec<Reasoning>,
}

impl Default for ReasoningPresence {
    fn default() -> Self {
        Self { reasonings: Reasonings::new(true), found: Vec::new() }
    }
}

impl ReasoningPresence {
    fn give(&mut self, out: &mut Vec<Record>) {
        out.extend(self.found.drain(..).map(record));
    }
}

impl Mode for ReasoningPresence {
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
    let Reasoning { t, src, head, item_id, source, text_bytes, summaries, .. } = one;
    let values = vec![
        or_null(item_id),
        source.into(),
        (text_bytes > 0).into(),
        text_bytes.into(),
        summaries.into(),
        one.encrypted_bytes.into(),
        one.signature_bytes.into(),
    ];
    Record { info: &INFO, t, src, head, values }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, sse, turn};
    use serde_json::{Value, json};

    /// Source, bytes of text, summaries, encrypted bytes, bytes of the signature.
    fn told(found: &[Value]) -> Vec<(&str, u64, u64, u64, u64)> {
        let told = |one| {
            let of = |key: &str| Value::get(one, key).unwrap();
            let count = |key: &str| of(key).as_u64().unwrap();
            assert_eq!(of("has_text"), &json!(count("text_bytes") > 0));
            let source = of("source").as_str().unwrap();
            let (text, summaries) = (count("text_bytes"), count("summaries"));
            (source, text, summaries, count("encrypted_bytes"), count("signature_bytes"))
        };
        found.iter().map(told).collect()
    }

    fn reasoning(id: Option<&str>, text: Option<&str>, encrypted: &str) -> Value {
        let part = |text| json!({"type": "summary_text", "text": text});
        let summary: Vec<Value> = text.into_iter().map(part).collect();
        let mut item =
            json!({"type": "reasoning", "summary": summary, "encrypted_content": encrypted});
        if let Some(id) = id {
            item["id"] = id.into();
        }
        item
    }

    fn item(ms: i64, event: &str, item: &Value) -> String {
        sse(ms, event, "1", &json!({"output_index": 0, "item": item}))
    }

    fn raw(ms: i64, item: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({"item": item}))
    }

    #[test]
    fn codex_streams_items_and_sends_back() {
        let (first, second) = (reasoning(None, Some("one"), "xyz"), reasoning(None, None, "wxyz"));
        let delta =
            json!({"item_id": "rs_1", "summary_index": 0, "sequence_number": 1, "delta": "one"});
        let body = json!({"model": "m", "input": [first, second, reasoning(None, None, "older")]});
        let rows = [
            item(1, "response.output_item.added", &reasoning(Some("rs_1"), None, "")),
            sse(2, "response.reasoning_summary_text.delta", "1", &delta),
            raw(3, &first),
            item(3, "response.output_item.done", &reasoning(Some("rs_1"), Some("one"), "xyz")),
            item(4, "response.output_item.done", &reasoning(Some("rs_2"), None, "wxyz")),
            raw(4, &second),
            request(50, "responses", &body),
            request(60, "responses", &json!({"model": "m", "input": [second, first]})),
        ];
        let found = records("reasoning_presence", &rows);
        assert_eq!(
            told(&found),
            [("stream", 3, 1, 3, 0), ("item", 0, 0, 4, 0), ("request", 0, 0, 5, 0)]
        );
        assert_eq!((&found[0]["item_id"], &found[1]["item_id"]), (&json!("rs_1"), &json!("rs_2")));
    }

    #[test]
    fn only_the_items_or_only_the_requests() {
        let one = reasoning(None, Some("one"), "xyz");
        assert_eq!(told(&records("reasoning_presence", &[raw(1, &one)])), [("item", 3, 1, 3, 0)]);
        let body = json!({"model": "m", "input": [one]});
        let rows = [request(1, "responses", &body), request(2, "responses", &body)];
        assert_eq!(told(&records("reasoning_presence", &rows)), [("request", 3, 1, 3, 0)]);
    }

    #[test]
    fn an_item_that_says_nothing_is_that_of_the_stream() {
        let nothing = json!({"type": "reasoning", "summary": []});
        let named = json!({"type": "reasoning", "summary": [], "id": "rs_1"});
        let rows = [item(1, "response.output_item.done", &named), raw(1, &nothing)];
        assert_eq!(told(&records("reasoning_presence", &rows)), [("item", 0, 0, 0, 0)]);
        assert_eq!(told(&records("reasoning_presence", &rows[1..])), [("item", 0, 0, 0, 0)]);
    }

    fn block(ms: i64, kind: &str, index: i64, key: &str, value: &Value) -> String {
        let mut payload = json!({"type": kind, "index": index, "request_id": "req_1"});
        payload[key] = value.clone();
        claude(ms, &payload)
    }

    #[test]
    fn signatures_and_redacted_blocks_of_claude() {
        let signature = |ms: i64, part: &str| {
            block(
                ms,
                "content_block_delta",
                0,
                "delta",
                &json!({"type": "signature_delta", "signature": part}),
            )
        };
        let thinking = json!({"type": "thinking", "thinking": "Hm", "signature": "signed"});
        let redacted = json!({"type": "redacted_thinking", "data": "secret"});
        let start = |ms: i64, index: i64, of: &Value| {
            block(ms, "content_block_start", index, "content_block", of)
        };
        let message = json!({"role": "assistant", "content": [thinking, redacted, {"type": "text", "text": "so"}]});
        let rows = [
            start(1, 0, &json!({"type": "thinking", "thinking": "", "signature": ""})),
            block(
                2,
                "content_block_delta",
                0,
                "delta",
                &json!({"type": "thinking_delta", "thinking": "Hm"}),
            ),
            signature(3, "sig"),
            signature(4, "ned"),
            block(5, "content_block_stop", 0, "x", &Value::Null),
            start(6, 1, &redacted),
            block(6, "content_block_stop", 1, "x", &Value::Null),
            request(50, "messages", &json!({"model": "m", "messages": [message]})),
        ];
        let found = records("reasoning_presence", &rows);
        let mut sizes = told(&found);
        sizes.sort_unstable();
        assert_eq!(sizes, [("stream", 0, 0, 6, 0), ("stream", 2, 0, 0, 6)]);
        let body = json!({"model": "m", "messages": [message]});
        let found = records("reasoning_presence", &[request(1, "messages", &body)]);
        assert_eq!(told(&found), [("request", 2, 0, 0, 6), ("request", 0, 0, 6, 0)]);
    }

    #[test]
    fn a_signature_of_which_nothing_else_is_known() {
        let rows = [block(
            1,
            "content_block_delta",
            3,
            "delta",
            &json!({"type": "signature_delta", "signature": "abc"}),
        )];
        let found = records("reasoning_presence", &rows);
        assert_eq!(told(&found), [("stream", 0, 0, 0, 3)]);
        assert_eq!(found[0]["item_id"], "req_1:3");
    }

    #[test]
    fn transcripts_and_rollouts() {
        let content = json!([{"type": "thinking", "thinking": "", "signature": "abcd"}]);
        let message = json!({"id": "msg_1", "role": "assistant", "content": content});
        let transcript = json!({"type": "assistant", "uuid": "a", "sessionId": "c", "requestId": "req_1", "timestamp": "2026-01-01T00:00:00Z", "message": message});
        let payload = reasoning(None, Some("one"), "xyz");
        let rollout = json!({"timestamp": "2026-01-01T00:00:01Z", "type": "response_item", "payload": payload});
        let found = records("reasoning_presence", &[transcript.to_string(), rollout.to_string()]);
        let mut sizes = told(&found);
        sizes.sort_unstable();
        assert_eq!(sizes, [("transcript", 0, 0, 0, 4), ("transcript", 3, 1, 3, 0)]);
    }
}

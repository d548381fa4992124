//! `agg_deltas`: a streamed item put together from its deltas, as alog-deltas gives it.
//!
//! Only SSE logs have deltas. The `turn.*` twins of Codex's deltas are fed to the fold with the rest,
//! as from a pipe: it uses them in turns that have no `response.*` deltas. `json` is null, as it is
//! without `--parse`.

use agentlog::fold::Fold;
use agentlog::fold::deltas::{Delta, Deltas};

use crate::modes::folded::{of_delta, tells_of_items};
use crate::{Info, Mode, Record, Row, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "agg_deltas",
    about: "a streamed item put together from its deltas, as alog-deltas gives it",
    sources: "as alog-deltas",
    own: agentlog::record::DELTA.own,
    key: &["sid", "item_id", "request_id", "block_index"],
    table: &["t", "provider", "sid", "kind", "status", "text"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<AggDeltas>::default(),
};

#[derive(Default)]
struct AggDeltas {
    deltas: Deltas,
    found: Vec<Delta>,
}

impl AggDeltas {
    fn give(&mut self, out: &mut Vec<Record>) {
        out.extend(self.found.drain(..).map(|item| of_delta(&INFO, item)));
    }
}

impl Mode for AggDeltas {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if tells_of_items(row) {
            self.deltas.feed(row.event, &mut self.found);
            self.give(out);
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.deltas.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.deltas.finish(&mut self.found);
        self.give(out);
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, sse, turn};
    use serde_json::{Value, json};

    fn text(ms: i64, seq: i64, delta: &str) -> String {
        let payload = json!({"type": "response.output_text.delta", "item_id": "msg_1", "content_index": 0, "sequence_number": seq, "delta": delta});
        sse(ms, "response.output_text.delta", "1", &payload)
    }

    #[test]
    fn by_sequence_number_and_without_the_twins() {
        let twin = |ms: i64, delta: &str| {
            turn(ms, "turn.agent_message.delta", "1", &json!({"delta": delta}))
        };
        let done = json!({"item_id": "msg_1", "content_index": 0, "text": "Hello"});
        let rows = [
            twin(1, "Hel"),
            text(1, 5, "lo"),
            text(1, 4, "Hel"),
            twin(1, "lo"),
            sse(2, "response.output_text.done", "1", &done),
        ];
        let found = records("agg_deltas", &rows);
        assert_eq!(found.len(), 1, "{found:#?}");
        let one = &found[0];
        assert_eq!((&one["kind"], &one["text"]), (&json!("text"), &json!("Hello")));
        assert_eq!((&one["status"], &one["deltas"]), (&json!("complete"), &json!(2)));
        assert_eq!(
            (&one["t_last"], &one["json"]),
            (&json!("2026-01-01T00:00:00.001Z"), &Value::Null)
        );
    }

    #[test]
    fn twins_count_where_there_is_nothing_else() {
        let rows = [
            turn(1, "turn.reasoning.delta", "1", &json!({"delta": "Hm"})),
            turn(2, "turn.reasoning.delta", "1", &json!({"delta": "m"})),
            turn(3, "turn.response.completed", "1", &json!({})),
        ];
        let found = records("agg_deltas", &rows);
        assert_eq!((&found[0]["kind"], &found[0]["text"]), (&json!("reasoning"), &json!("Hmm")));
    }

    #[test]
    fn blocks_of_claude_by_their_request() {
        let block = |ms: i64, kind: &str, more: Value| {
            let mut payload = json!({"type": kind, "index": 1, "request_id": "r"});
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claude(ms, &payload)
        };
        let tool = json!({"content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}});
        let args =
            |json: &str| json!({"delta": {"type": "input_json_delta", "partial_json": json}});
        let rows = [
            block(1, "content_block_start", tool),
            block(2, "content_block_delta", args("")),
            block(3, "content_block_delta", args("{\"a\":1}")),
            block(4, "content_block_stop", json!({})),
        ];
        let found = records("agg_deltas", &rows);
        let one = &found[0];
        assert_eq!((&one["request_id"], &one["block_index"]), (&json!("r"), &json!(1)));
        assert_eq!((&one["call_id"], &one["name"]), (&json!("toolu_1"), &json!("Bash")));
        assert_eq!((&one["status"], &one["text"]), (&json!("complete"), &json!("{\"a\":1}")));
    }

    #[test]
    fn items_of_rollouts_were_not_streamed() {
        let item = json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "shell", "arguments": "{}"});
        let row =
            json!({"timestamp": "2026-01-01T00:00:00Z", "type": "response_item", "payload": item});
        assert!(records("agg_deltas", &[row.to_string()]).is_empty());
    }
}

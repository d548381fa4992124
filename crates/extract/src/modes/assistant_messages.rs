//! `assistant_messages`: something the agent said, whole.
//!
//! Messages and turns are those of `alog-turns`: `turn.agent_message` (in rollouts `agent_message`),
//! else items that are messages, else what the end of the turn repeats; the text of Claude's blocks
//! of a request, joined by a blank line, once the request is over; messages of transcripts. What was
//! cut off is not whole, and not here.
//!
//! `final` is the last of its turn, however that ended: it is the turn's `reply`. All others of the
//! turn are `interim`. Messages wait for the end of their turn, since only that tells. What stands in
//! no turn that has a prompt has neither phase nor turn. `item_id` is the item of Codex (also of an
//! event, if an item of the turn says the same), the request of Claude, else the message.

use agentlog::fold::Fold;
use agentlog::fold::turns::{Options, Said, Turn, Turns};
use agentlog::record::{Field, Shape};
use serde_json::Value;

use crate::modes::folded::tells_of_turns;
use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "assistant_messages",
    about: "something the agent said, whole",
    sources: "logs of both agents",
    own: OWN,
    key: &["sid", "item_id", "text"],
    table: &["t", "provider", "sid", "phase", "bytes", "text"],
    // Of Claude's SSE logs only deltas tell what was said.
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<AssistantMessages>::default(),
};

const OWN: &[Field] = &[
    field("phase", Shape::OneOf(&["interim", "final"]), "whether it ended its turn"),
    field("item_id", Shape::Text, "what names the message"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "what was said"),
    field("session_turn", Shape::Count, "ordinal of the turn's prompt in its session, from 1"),
];

struct AssistantMessages {
    turns: Turns,
    found: Vec<Turn>,
}

impl Default for AssistantMessages {
    fn default() -> Self {
        let options = Options { no_text: true, ..Options::default() };
        Self { turns: Turns::new(options).with_messages(), found: Vec::new() }
    }
}

impl AssistantMessages {
    fn give(&mut self, out: &mut Vec<Record>) {
        for Turn { messages, session_turn, .. } in self.found.drain(..) {
            let last = messages.iter().rposition(|said| !said.text.as_bytes().is_empty());
            for (i, said) in messages.into_iter().enumerate() {
                let phase = if Some(i) == last { "final" } else { "interim" };
                out.extend(record(said, phase.into(), or_null(session_turn)));
            }
        }
        let outside = self.turns.outside().into_iter();
        out.extend(outside.filter_map(|said| record(said, Value::Null, Value::Null)));
    }
}

impl Mode for AssistantMessages {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if tells_of_turns(row.event) {
            self.turns.feed(row.event, &mut self.found);
            self.give(out);
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.turns.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.turns.finish(&mut self.found);
        self.give(out);
    }
}

/// The record of a message; none if it says nothing.
fn record(said: Said, phase: Value, session_turn: Value) -> Option<Record> {
    let Said { t, src, head, id, text } = said;
    let text = text.to_str_lossy();
    if text.is_empty() {
        return None;
    }
    let values = vec![phase, or_null(id), text.len().into(), (*text).into(), session_turn];
    Some(Record { info: &INFO, t, src, head, values })
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, sse, turn};
    use serde_json::{Value, json};

    fn prompt(ms: i64, id: &str) -> String {
        turn(ms, "turn.user_message", id, &json!({"message": "go"}))
    }

    fn said(ms: i64, text: &str) -> String {
        turn(ms, "turn.agent_message", "1", &json!({"message": text}))
    }

    fn item(ms: i64, id: &str, text: &str) -> String {
        let content = json!([{"type": "output_text", "text": text}]);
        let item = json!({"id": id, "type": "message", "role": "assistant", "content": content});
        sse(ms, "response.output_item.done", "1", &json!({"output_index": 0, "item": item}))
    }

    fn end(ms: i64, text: &str) -> String {
        turn(ms, "turn.response.completed", "1", &json!({"last_agent_message": text}))
    }

    fn told(found: &[Value]) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let told = |one| {
            let text = |key: &str| Value::get(one, key)?.as_str();
            (text("text").unwrap(), text("phase"), text("item_id"))
        };
        found.iter().map(told).collect()
    }

    #[test]
    fn the_last_of_a_turn_is_final() {
        let rows = [
            prompt(0, "1"),
            item(10, "msg_1", "looking"),
            said(11, "looking"),
            said(20, "done"),
            item(21, "msg_2", "done"),
            end(30, "done"),
        ];
        let found = records("assistant_messages", &rows);
        assert_eq!(
            told(&found),
            [("looking", Some("interim"), Some("msg_1")), ("done", Some("final"), Some("msg_2")),]
        );
        assert_eq!((&found[1]["session_turn"], &found[1]["bytes"]), (&json!(1), &json!(4)));
        assert_eq!(
            (&found[1]["t"], &found[1]["line"]),
            (&json!("2026-01-01T00:00:00.020Z"), &json!(4))
        );
    }

    #[test]
    fn items_or_the_end_where_no_event_tells() {
        let items = [prompt(0, "1"), item(10, "msg_1", "so"), end(30, "so")];
        assert_eq!(
            told(&records("assistant_messages", &items)),
            [("so", Some("final"), Some("msg_1"))]
        );
        let only_end = [prompt(0, "1"), end(30, "so")];
        let found = records("assistant_messages", &only_end);
        assert_eq!(told(&found), [("so", Some("final"), None)]);
        assert_eq!(found[0]["line"], 2);
    }

    #[test]
    fn what_stands_outside_of_turns() {
        let found = records("assistant_messages", &[said(5, "late"), prompt(9, "2")]);
        assert_eq!(told(&found), [("late", None, None)]);
        assert_eq!(found[0]["session_turn"], Value::Null);
    }

    #[test]
    fn blocks_of_a_request_of_claude_are_a_message_when_it_is_over() {
        let delta = |ms: i64, request: &str, index: i64, text: &str| {
            let delta = json!({"type": "text_delta", "text": text});
            claude(
                ms,
                &json!({"type": "content_block_delta", "index": index, "delta": delta, "request_id": request}),
            )
        };
        let stop = |ms: i64, request: &str| {
            claude(ms, &json!({"type": "message_stop", "request_id": request}))
        };
        let rows = [
            claude(0, &json!({"type": "user_prompt", "prompt": "go", "message_uuid": "u"})),
            delta(10, "req_1", 0, "I "),
            delta(11, "req_2", 0, "cut"),
            delta(12, "req_1", 0, "look"),
            delta(13, "req_1", 1, "here"),
            stop(14, "req_1"),
            delta(20, "req_3", 0, "done"),
            stop(21, "req_3"),
            claude(30, &json!({"type": "stop", "is_subagent": false})),
        ];
        let found = records("assistant_messages", &rows);
        assert_eq!(
            told(&found),
            [
                ("I look\n\nhere", Some("interim"), Some("req_1")),
                ("done", Some("final"), Some("req_3")),
            ]
        );
        assert_eq!(found[0]["t"], "2026-01-01T00:00:00.010Z");
    }

    #[test]
    fn transcripts_and_rollouts() {
        let row = |t: &str, kind: &str, message: Value| {
            json!({"type": kind, "uuid": t, "sessionId": "c", "requestId": format!("req_{t}"), "timestamp": t, "message": message}).to_string()
        };
        let text =
            |text: &str| json!({"role": "assistant", "content": [{"type": "text", "text": text}]});
        let rows = [
            row("2026-01-01T00:00:00Z", "user", json!({"role": "user", "content": "go"})),
            row("2026-01-01T00:00:01Z", "assistant", text("looking")),
            row("2026-01-01T00:00:02Z", "assistant", text("done")),
        ];
        let found = records("assistant_messages", &rows);
        let phases: Vec<_> =
            told(&found).into_iter().map(|(text, phase, _)| (text, phase)).collect();
        assert_eq!(phases, [("looking", Some("interim")), ("done", Some("final"))]);
        assert_eq!(found[0]["item_id"], "req_2026-01-01T00:00:01Z");

        let row = |ms: i64, kind: &str, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:00.{ms:03}Z"), "type": kind, "payload": payload}).to_string()
        };
        let content = json!([{"type": "output_text", "text": "done"}]);
        let rows = [
            row(0, "session_meta", json!({"id": "s", "cwd": "/w"})),
            row(1, "event_msg", json!({"type": "user_message", "message": "go"})),
            row(2, "event_msg", json!({"type": "agent_message", "message": "done"})),
            row(
                3,
                "response_item",
                json!({"type": "message", "role": "assistant", "content": content}),
            ),
        ];
        let found = records("assistant_messages", &rows);
        assert_eq!(told(&found), [("done", Some("final"), None)]);
    }
}

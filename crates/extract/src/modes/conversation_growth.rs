//! `conversation_growth`: what a request added to its conversation, and what it took away.
//!
//! Each captured call is one: no token counts, titles or other hosts. It is compared with the call
//! before it in its session, item by item (a message, or an input item), by what the items say.
//!
//! * `change`: `first` of the session; `grew` where all items of the call before come first, and more
//!   behind them; `same` where nothing is added or removed (a retry); `shrank` where it is a beginning
//!   of the call before; else `rewritten`. Sub-agents of Claude talk under the session's id, so that
//!   theirs and the main conversation `rewrite` each other.
//! * `reason`, only where it shrank or was rewritten: `compaction` where it is a request to compact,
//!   or where at least half of the items before are gone and an item that is new is a summary (Claude's
//!   "This session is being continued from a previous conversation", Codex's "Another language model
//!   started to solve this problem", or an item of compaction); `rewind` where it starts with items
//!   of the call before, is shorter, and nothing that was removed comes again behind; else `edit`.
//! * `system_changed`: whether `system`, `instructions` or `tools` differ from the call before, but for
//!   `cache_control`; null for the first.
//! * `context_tokens` and `cache_read_tokens` are told by the answer ([`super::linkage`]):
//!   Claude's `message_start` (fresh input, cache writes and cache reads together), Codex's
//!   `response.completed` of the response, which is waited for for an hour of log time. Null where no
//!   answer tells.

use std::collections::{HashMap, HashSet, VecDeque};

use agentlog::event::{Provider, ResponsePhase, Usage, What};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::instructions::text_of;
use super::linkage::Links;
use super::prints::{Spelled, print};
use crate::tools::or_null;
use crate::{Asked, Info, Mode, Piece, Place, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "conversation_growth",
    about: "what a request added to its conversation, and what it took away",
    sources: "captured requests; the rows of SSE logs that tell what their answers used up",
    own: OWN,
    key: &["src"],
    table: &[
        "t",
        "provider",
        "sid",
        "call",
        "change",
        "items",
        "added",
        "removed",
        "common_prefix",
    ],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<ConversationGrowth>::default(),
};

const OWN: &[Field] = &[
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field("items", Shape::Count, "messages or input items in it"),
    field("bytes", Shape::Count, "bytes of them, as JSON"),
    field("added", Shape::Count, "items behind the common prefix"),
    field("removed", Shape::Count, "items of the request before that are not in the common prefix"),
    field("common_prefix", Shape::Count, "items that it starts with, and the request before too"),
    field("common_prefix_bytes", Shape::Count, "bytes of those: what a prompt cache can have kept"),
    field(
        "change",
        Shape::OneOf(&["first", "grew", "same", "shrank", "rewritten"]),
        "what became of the conversation",
    ),
    field(
        "reason",
        Shape::OneOf(&["compaction", "rewind", "edit"]),
        "why it shrank or was rewritten, as far as it can be told",
    ),
    field(
        "system_changed",
        Shape::Bool,
        "whether the system prompt or the tools changed, so that nothing was cached",
    ),
    field("context_tokens", Shape::Count, "tokens of the whole request, as its answer tells"),
    field(
        "cache_read_tokens",
        Shape::Count,
        "tokens of it that were read from the cache, as its answer tells",
    ),
];

#[derive(Default)]
struct ConversationGrowth {
    links: Links<Box<Record>>,
    /// Requests whose answers have begun, but did not tell what they used up, by their prints.
    answering: HashMap<u64, Box<Record>, FixedState>,
    /// The same in the order in which they began.
    begun: VecDeque<(i64, u64)>,
    /// What names system prompt and tools of the last request of a session.
    systems: HashMap<Option<String>, u64, FixedState>,
}

/// How long the end of an answer is waited for, in milliseconds of log time.
const ANSWERING_MS: i64 = 3_600_000;

/// How many answers may be waited for.
const ANSWERING: usize = 4096;

impl Mode for ConversationGrowth {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if let Some((asked, place)) = row.asked() {
            if asked.is_call() && !asked.is_aside() && row.event.left_out.is_none() {
                let record = self.record(row, asked, place);
                self.links.ask(row.event, asked, Box::new(record));
            }
        } else {
            let _ = self.links.hear(row);
            self.ended(row, out);
        }
        self.give_out(row.event.head.sid.as_deref(), out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.links.advance(t);
        self.give_out(None, out);
        let over = |since: i64| since.saturating_add(ANSWERING_MS) < t;
        while let Some((_, id)) = self.begun.front().filter(|(since, _)| over(*since)) {
            out.extend(self.answering.remove(id).map(|record| *record));
            self.begun.pop_front();
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.links.finish();
        self.give_out(None, out);
        for (_, id) in std::mem::take(&mut self.begun) {
            out.extend(self.answering.remove(&id).map(|record| *record));
        }
    }
}

impl ConversationGrowth {
    fn record(&mut self, row: &Row<'_>, asked: &Asked, place: &Place) -> Record {
        let system = system_print(asked);
        let before = self.systems.insert(row.event.head.sid.clone(), system);
        let growth = Growth::of(asked, place);
        let bytes = |items: &[Piece]| items.iter().map(|item| item.bytes).sum::<u64>();
        let common = place.common.min(asked.items.len());
        let values = vec![
            place.call.into(),
            asked.items.len().into(),
            bytes(&asked.items).into(),
            growth.added.into(),
            growth.removed.into(),
            common.into(),
            bytes(&asked.items[..common]).into(),
            growth.change.into(),
            or_null(growth.reason),
            or_null(before.map(|before| before != system)),
            Value::Null,
            Value::Null,
        ];
        Record::new(&INFO, row.event, values)
    }

    /// Gives out what is known by now. A row of session `sid` may have made that known.
    fn give_out(&mut self, sid: Option<&str>, out: &mut Vec<Record>) {
        for (record, answer) in self.links.settled() {
            let Some(answer) = answer else {
                out.push(*record);
                continue;
            };
            let id = answer.response_id.filter(|_| answer.provider == Some(Provider::Codex));
            match (id, answer.usage) {
                // The beginning of a response does not know yet.
                (Some(id), _) => self.await_end(print(sid, id), answer.t, record, out),
                (None, Some(usage)) => out.push(with_usage(*record, answer.provider, usage)),
                (None, None) => out.push(*record),
            }
        }
    }

    fn await_end(&mut self, id: u64, t: i64, record: Box<Record>, out: &mut Vec<Record>) {
        if self.begun.len() >= ANSWERING
            && let Some((_, oldest)) = self.begun.pop_front()
        {
            out.extend(self.answering.remove(&oldest).map(|record| *record));
        }
        self.begun.push_back((t, id));
        out.extend(self.answering.insert(id, record).map(|old| *old));
    }

    /// Takes the row that ends an answer.
    fn ended(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let What::Response(response) = row.event.what else { return };
        let is_end = matches!(response.phase, ResponsePhase::Ended | ResponsePhase::Failed);
        let Some(id) = response.id.filter(|_| is_end && !self.answering.is_empty()) else { return };
        let id = print(row.event.head.sid.as_deref(), row.event.name(id));
        let Some(record) = self.answering.remove(&id) else { return };
        self.begun.retain(|(_, begun)| *begun != id);
        out.push(match response.usage {
            Some(usage) => with_usage(*record, row.event.head.provider, usage),
            None => *record,
        });
    }
}

/// The record with what its answer tells of tokens. Codex counts what was cached as input, Claude
/// does not.
fn with_usage(mut record: Record, provider: Option<Provider>, usage: Usage) -> Record {
    let cached = usage.cache_read.max(0);
    let beside = match provider {
        Some(Provider::Claude) => cached.saturating_add(usage.cache_write.max(0)),
        _ => 0,
    };
    record.values.truncate(OWN.len() - 2);
    record.values.push(usage.input.max(0).saturating_add(beside).into());
    record.values.push(cached.into());
    record
}

/// What names the system prompt and the tools of a request.
fn system_print(asked: &Asked) -> u64 {
    const MOVES: &[&str] = &["cache_control"];
    let mut parts = Vec::new();
    for part in
        ["system", "instructions", "tools"].into_iter().filter_map(|key| asked.body.get(key))
    {
        match part {
            Value::Array(blocks) => {
                parts.extend(
                    blocks.iter().map(|value| print(None, Spelled { value, without: MOVES })),
                );
            }
            one => parts.push(print(None, Spelled::all(one))),
        }
        parts.push(0);
    }
    print(None, parts)
}

/// What became of a conversation.
struct Growth {
    added: usize,
    removed: usize,
    change: &'static str,
    reason: Option<&'static str>,
}

impl Growth {
    fn of(asked: &Asked, place: &Place) -> Self {
        let added = asked.items.len().saturating_sub(place.common);
        let removed = place.before.len().saturating_sub(place.common);
        let change = match (added, removed) {
            _ if place.before.is_empty() => "first",
            (0, 0) => "same",
            (_, 0) => "grew",
            (0, _) => "shrank",
            _ => "rewritten",
        };
        let reason = matches!(change, "shrank" | "rewritten").then(|| reason(asked, place));
        Self { added, removed, change, reason }
    }
}

fn reason(asked: &Asked, place: &Place) -> &'static str {
    if asked.kind == "compact" {
        return "compaction";
    }
    let tail = asked.items.get(place.common..).unwrap_or_default();
    let now: HashSet<u64, FixedState> = tail.iter().map(|item| item.hash).collect();
    let removed = place.before.get(place.common..).unwrap_or_default();
    let gone = removed.iter().filter(|item| !now.contains(&item.hash)).count();
    let mut fresh = asked.conversation().iter().zip(&place.fresh).skip(place.common);
    if gone * 2 >= place.before.len() && fresh.any(|(item, fresh)| *fresh && is_summary(item)) {
        "compaction"
    } else if place.common > 0 && gone == removed.len() && asked.items.len() < place.before.len() {
        "rewind"
    } else {
        "edit"
    }
}

/// Whether an item stands for a conversation that was compacted.
fn is_summary(item: &Value) -> bool {
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "compaction" | "compaction_summary" | "context_compaction") {
        return true;
    }
    let starts = |text: &str| SUMMARIES.iter().any(|start| text.trim_start().starts_with(start));
    match item.get("content") {
        Some(Value::String(text)) => starts(text),
        Some(Value::Array(blocks)) => blocks.iter().filter_map(text_of).any(starts),
        _ => false,
    }
}

/// How summaries begin.
const SUMMARIES: [&str; 3] = [
    "This session is being continued from a previous conversation",
    "Another language model started to solve this problem",
    "<summary>",
];

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, sse};
    use serde_json::{Value, json};

    fn ask(ms: i64, texts: &[&str]) -> String {
        let messages: Vec<Value> =
            texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
        request(ms, "messages", &json!({"model": "m", "messages": messages}))
    }

    /// Change, reason, added, removed, common prefix of each request.
    fn changes(rows: &[String]) -> Vec<Value> {
        let found = records("conversation_growth", rows);
        found
            .iter()
            .map(|r| {
                json!([r["change"], r["reason"], r["added"], r["removed"], r["common_prefix"]])
            })
            .collect()
    }

    #[test]
    fn what_becomes_of_a_conversation() {
        let summary = "This session is being continued from a previous conversation that ran out";
        for (texts, expected) in [
            (&["a", "b", "c", "d"][..], json!(["same", null, 0, 0, 4])),
            (&["a", "b", "c", "d", "e", "f"], json!(["grew", null, 2, 0, 4])),
            (&["a", "b"], json!(["shrank", "rewind", 0, 2, 2])),
            (&["a", "b", "z"], json!(["rewritten", "rewind", 1, 2, 2])),
            (&["a", "b", "C", "d", "e"], json!(["rewritten", "edit", 3, 2, 2])),
            (&["a", "c", "d"], json!(["rewritten", "edit", 2, 3, 1])),
            (&["x"], json!(["rewritten", "edit", 1, 4, 0])),
            (&[summary, "next"], json!(["rewritten", "compaction", 2, 4, 0])),
            (&["a", summary], json!(["rewritten", "compaction", 1, 3, 1])),
        ] {
            let found = changes(&[ask(0, &["a", "b", "c", "d"]), ask(1, texts)]);
            assert_eq!(found, [json!(["first", null, 4, 0, 0]), expected], "{texts:?}");
        }
    }

    #[test]
    fn an_item_of_compaction() {
        let input = |items: Value| json!({"model": "m", "input": items});
        let long =
            json!([{"role": "user", "content": "a"}, {"type": "reasoning"}, {"role": "assistant"}]);
        let rows = [
            request(0, "responses", &input(long)),
            request(1, "responses/compact", &input(json!([{"role": "user", "content": "b"}]))),
            request(
                2,
                "responses",
                &input(json!([{"type": "compaction", "encrypted_content": "x"}])),
            ),
        ];
        let found = changes(&rows);
        assert_eq!(found[1], json!(["rewritten", "compaction", 1, 3, 0]));
        assert_eq!(found[2], json!(["rewritten", "compaction", 1, 1, 0]));
    }

    #[test]
    fn tokens_of_claude() {
        let start = json!({"type": "message_start", "request_id": "req_1", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 2, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 400, "output_tokens": 1}}});
        let found = records("conversation_growth", &[ask(0, &["a"]), claude(5, &start)]);
        let expected = json!({
            "t": "2026-01-01T00:00:00.000Z", "provider": "claude", "sid": "c", "pid": 1, "model": "m",
            "call": 1, "items": 1, "bytes": 29, "added": 1, "removed": 0, "common_prefix": 0,
            "common_prefix_bytes": 0, "change": "first", "reason": null, "system_changed": null,
            "context_tokens": 432, "cache_read_tokens": 400, "line": 1,
        });
        assert_eq!(found, [expected]);
    }

    #[test]
    fn tokens_of_codex_come_with_the_end() {
        let ask =
            |ms, items: Value| request(ms, "responses", &json!({"model": "m", "input": items}));
        let row = |ms, event: &str, response: Value| {
            sse(ms, event, "1", &json!({"type": event, "response": response}))
        };
        let usage = json!({"input_tokens": 500, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 9, "total_tokens": 509});
        let rows = [
            ask(0, json!([{"role": "user", "content": "a"}])),
            row(10, "response.created", json!({"id": "r1", "model": "m", "usage": null})),
            ask(20, json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])),
            row(30, "response.created", json!({"id": "r2", "model": "m"})),
            row(40, "response.completed", json!({"id": "r1", "usage": usage})),
        ];
        let found = records("conversation_growth", &rows);
        let tokens: Vec<_> = found
            .iter()
            .map(|r| json!([r["call"], r["context_tokens"], r["cache_read_tokens"]]))
            .collect();
        assert_eq!(tokens, [json!([1, 500, 400]), json!([2, null, null])]);
        assert_eq!(found[1]["common_prefix_bytes"], json!(29));
    }

    #[test]
    fn the_system_prompt_changes_but_not_with_the_end_of_the_cache() {
        let ask = |ms, system: Value, tools: Value| {
            request(
                ms,
                "messages",
                &json!({"system": system, "tools": tools, "messages": [{"content": "a"}]}),
            )
        };
        let block = json!([{"text": "s"}]);
        let cached = json!([{"text": "s", "cache_control": {"type": "ephemeral"}}]);
        let rows = [
            ask(0, block, json!([])),
            ask(1, cached.clone(), json!([])),
            ask(2, cached.clone(), json!([{"name": "Bash"}])),
            ask(3, json!("t"), json!([{"name": "Bash"}])),
        ];
        let found = records("conversation_growth", &rows);
        let changed: Vec<_> = found.iter().map(|r| r["system_changed"].clone()).collect();
        assert_eq!(json!(changed), json!([null, false, true, true]));
    }

    #[test]
    fn a_title_is_no_part_of_it() {
        let title = request(
            1,
            "messages",
            &json!({"system": "Write a title", "messages": [{"content": "x"}]}),
        );
        let found = changes(&[ask(0, &["a"]), title, ask(2, &["a", "b"])]);
        assert_eq!(found, [json!(["first", null, 1, 0, 0]), json!(["grew", null, 1, 0, 1])]);
    }
}

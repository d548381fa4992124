//! Writes the rows of a Codex process into `codex/sse_lines.jsonl`.

use super::stage::{BASE_MS, Id, Put, Stage, Whose, utc};
use crate::calendar::stamp;
use crate::row::Row;
use crate::spelling::{Generation, Spelling};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How far the writers' clocks are ahead of UTC.
pub(super) const AHEAD_MS: i64 = 7 * 3_600_000;
/// The version that all rows name.
pub(super) const VER: &str = "codex.0.60.1";
/// The context of all models.
pub(super) const WINDOW: u64 = 258_400;
pub(super) const MODEL: &str = "gpt-5.1-codex";

const G3_KEYS: &str = "event,t,line,metadata,flow_id,round,data_count,sid";
const G4_KEYS: &str = "event,t,line,metadata,flow_id,round,data_count,released,sid";

/// A `UUIDv7` that was minted at a time of the story.
pub(super) fn uuid7(ms: i64, tail: u64) -> String {
    let ms = (BASE_MS + ms) as u64;
    format!("{:08x}-{:04x}-7000-8000-{tail:012x}", ms >> 16, ms & 0xffff)
}

/// A process of Codex that writes.
pub(super) struct Pen<'s> {
    pub stage: &'s mut Stage,
    pub whose: Whose,
    pub cwd: &'static str,
    pub turn: &'static str,
    pub round: String,
    /// Ordinal of the turn in its session.
    pub nth: u64,
    pub generation: Generation,
    pub sequence: u64,
    counts: BTreeMap<String, u64>,
    /// Input, cached, output, reasoning: the totals of the process.
    pub totals: [u64; 4],
}

impl<'s> Pen<'s> {
    pub(super) fn new(stage: &'s mut Stage, sid: String, pid: u64, cwd: &'static str) -> Self {
        let whose = Whose { provider: "codex", sid, pid: Some(pid) };
        Self {
            stage,
            whose,
            cwd,
            turn: "0",
            round: String::new(),
            nth: 0,
            generation: Generation::G3,
            sequence: 0,
            counts: BTreeMap::new(),
            totals: [0; 4],
        }
    }

    /// A new round, and what is to be told of it.
    pub(super) fn round(&mut self, ms: i64, turn: &'static str, record: &Value) {
        self.turn = turn;
        self.round = uuid7(ms, self.whose.pid.unwrap_or_default() * 16 + ms as u64 % 13);
        let mut record = record.clone();
        record["minted"] = utc(ms).into();
        self.stage.round(&self.whose, &self.round, record);
    }

    fn row(&mut self, ms: i64, event: &str, flow: &str, payload: Value) -> Id {
        let count = self.counts.entry(flow.to_owned()).or_default();
        let row = Row::codex(event)
            .payload(payload)
            .t(&stamp(BASE_MS + ms + AHEAD_MS))
            .sid(&self.whose.sid)
            .pid(self.whose.pid.unwrap_or_default())
            .turn_id(self.turn)
            .metadata("cwd", self.cwd.into())
            .metadata("ver", VER.into())
            .flow_id(flow)
            .round(&self.round)
            .data_count(Some(*count))
            .released((BASE_MS + ms) * 1_000_000)
            .spelling(Spelling { generation: self.generation, ..Spelling::default() });
        *count += 1;
        let keys = if self.generation == Generation::G4 { G4_KEYS } else { G3_KEYS };
        self.stage.put(Put {
            path: "codex/sse_lines.jsonl".into(),
            ms,
            bytes: row.to_bytes(),
            event: event.into(),
            whose: self.whose.clone(),
            round: Some(self.round.clone()),
            keys: Some(keys),
            logged: true,
        })
    }

    /// A row of the turn's own flow.
    pub(super) fn turn(&mut self, ms: i64, event: &str, payload: Value) -> Id {
        let flow = format!("{}__turn_{}", self.whose.sid, self.turn);
        self.row(ms, event, &flow, payload)
    }

    /// A row of the response stream, with the next sequence number.
    pub(super) fn stream(&mut self, ms: i64, event: &str, mut payload: Value) -> Id {
        self.sequence += 1;
        payload["sequence_number"] = self.sequence.into();
        let flow = self.whose.sid.clone();
        self.row(ms, event, &flow, payload)
    }

    /// A record of a row of this process.
    pub(super) fn tell(&mut self, mode: &'static str, row: Id, record: Value) {
        self.stage.tell(mode, row, record);
    }

    /// The start of an answer.
    pub(super) fn created(&mut self, ms: i64, id: &str, model: &str) -> Id {
        self.sequence = 0;
        let head = json!({"id": id, "object": "response", "status": "in_progress", "model": model});
        self.stream(ms, "response.created", json!({"response": head}))
    }

    /// The end of an answer, what it cost, and the account's limits: percent used up of each.
    /// Gives the row of the counts.
    pub(super) fn completed(&mut self, ms: i64, id: &str, cost: [u64; 4], limits: [f64; 2]) -> Id {
        let [input, cached, output, reasoning] = cost;
        let usage = json!({
            "input_tokens": input, "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": output, "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": input + output,
        });
        let whole = json!({
            "id": id, "object": "response", "status": "completed", "model": MODEL, "output": [],
            "usage": usage,
        });
        self.stream(ms, "response.completed", json!({"response": whole}));
        for (sum, more) in self.totals.iter_mut().zip(cost) {
            *sum += more;
        }
        let info = json!({
            "total_token_usage": counted(self.totals), "last_token_usage": counted(cost),
            "model_context_window": WINDOW,
        });
        let payload = json!({"info": info, "rate_limits": rate_limits(limits)});
        self.turn(ms + 1, "codex.token_count", payload.clone());
        let row = self.turn(ms + 1, "turn.token_count", payload);
        self.stage.spend(row, Some(MODEL), self.nth, [input - cached, 0, cached, output]);
        row
    }

    /// A whole message, streamed in pieces at their times; it begins 10 ms before the first.
    /// Tells of it in all modes but the turns.
    pub(super) fn says(&mut self, id: &str, pieces: &[(i64, &str)], phase: &str, turn: u64) {
        let (first, last) = (pieces[0].0, pieces[pieces.len() - 1].0);
        let text: String = pieces.iter().map(|(_, piece)| *piece).collect();
        let item = |status: &str, content: Value| {
            json!({"item": {
                "id": id, "type": "message", "status": status, "role": "assistant",
                "content": content,
            }})
        };
        self.stream(first - 10, "response.output_item.added", item("in_progress", json!([])));
        let mut begins = None;
        for (ms, piece) in pieces {
            let delta =
                json!({"item_id": id, "output_index": 0, "content_index": 0, "delta": piece});
            let row = self.stream(*ms, "response.output_text.delta", delta);
            begins.get_or_insert(row);
            self.turn(*ms, "turn.agent_message.delta", json!({"delta": piece}));
        }
        let done = json!({"item_id": id, "content_index": 0, "text": text});
        self.stream(last + 1, "response.output_text.done", done);
        let content = json!([{"type": "output_text", "text": text}]);
        self.stream(last + 2, "response.output_item.done", item("completed", content.clone()));
        let said = self.turn(last + 3, "turn.agent_message", json!({"message": text}));
        let raw = json!({"item": {"type": "message", "role": "assistant", "content": content}});
        self.turn(last + 4, "turn.raw_response_item", raw);
        self.tell(
            "agg_deltas",
            begins.unwrap_or(said),
            json!({
                "kind": "text", "item_id": id, "request_id": null, "block_index": null,
                "call_id": null, "name": null, "t_last": utc(last), "deltas": pieces.len(),
                "bytes": text.len(), "status": "complete", "text": text, "json": null,
            }),
        );
        // The message is told by several rows within a few milliseconds: which of them the record
        // starts from, and whether it knows the item, is not laid down.
        self.tell(
            "assistant_messages",
            said,
            json!({
                "phase": phase, "bytes": text.len(), "text": text, "session_turn": turn,
                "unsure": ["t", "src"],
            }),
        );
        self.tell(
            "transcript",
            said,
            json!({
                "role": "assistant", "call_id": null, "text": text, "unsure": ["t", "src"],
            }),
        );
    }

    /// Reasoning with a summary in two pieces, and sealed content.
    pub(super) fn thinks(&mut self, ms: i64, id: &str, pieces: [&str; 2], sealed: &str) {
        let text = pieces.concat();
        let begun = json!({"item": {"id": id, "type": "reasoning", "summary": []}});
        self.stream(ms, "response.output_item.added", begun);
        let mut begins = None;
        for (piece, at) in pieces.iter().zip([10, 20]) {
            let delta =
                json!({"item_id": id, "output_index": 0, "summary_index": 0, "delta": piece});
            let row = self.stream(ms + at, "response.reasoning_summary_text.delta", delta);
            begins.get_or_insert(row);
        }
        let done = json!({"item_id": id, "summary_index": 0, "text": text});
        self.stream(ms + 21, "response.reasoning_summary_text.done", done);
        let summary = json!([{"type": "summary_text", "text": text}]);
        let item = json!({"item": {
            "id": id, "type": "reasoning", "summary": summary, "encrypted_content": sealed,
        }});
        let row = self.stream(ms + 22, "response.output_item.done", item);
        self.turn(ms + 23, "turn.reasoning", json!({"text": text}));
        let begins = begins.unwrap_or(row);
        self.tell(
            "agg_deltas",
            begins,
            json!({
                "kind": "reasoning", "item_id": id, "request_id": null, "block_index": null,
                "call_id": null, "name": null, "t_last": utc(ms + 20), "deltas": 2,
                "bytes": text.len(), "status": "complete", "text": text, "json": null,
            }),
        );
        self.tell(
            "thinking",
            begins,
            json!({
                "item_id": id, "source": "stream", "status": "complete", "bytes": text.len(),
                "text": text,
            }),
        );
        // Found in the stream and in the item: which of them it is said to be from is not sure.
        self.tell(
            "reasoning_presence",
            begins,
            json!({
                "item_id": id, "has_text": true, "text_bytes": text.len(), "summaries": 1,
                "encrypted_bytes": sealed.len(), "unsure": ["t", "src"],
            }),
        );
        self.tell(
            "transcript",
            begins,
            json!({
                "role": "thinking", "text": text, "unsure": ["t", "src"],
            }),
        );
    }
}

/// Codex's counts: cached is a part of input, reasoning of output.
pub(super) fn counted([input, cached, output, reasoning]: [u64; 4]) -> Value {
    json!({
        "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": reasoning, "total_tokens": input + output,
    })
}

/// The same as records tell it.
pub(super) fn spent([input, cached, output, reasoning]: [u64; 4]) -> Value {
    json!({
        "input_tokens": input - cached, "cache_read_tokens": cached, "cache_write_tokens": 0,
        "output_tokens": output, "reasoning_tokens": reasoning, "total_tokens": input + output,
    })
}

/// When the windows of the limits start anew, in seconds after the story's begin.
pub(super) const RESETS: [i64; 2] = [5 * 3600, 6 * 86_400];

/// What the account has used up; a negative number is a limit that is not told.
pub(super) fn rate_limits(percent: [f64; 2]) -> Value {
    let window = |at: usize, minutes: u64| {
        (percent[at] >= 0.0).then(|| {
            json!({
                "used_percent": percent[at], "window_minutes": minutes,
                "resets_at": BASE_MS / 1000 + RESETS[at],
            })
        })
    };
    json!({"primary": window(0, 300), "secondary": window(1, 10_080)})
}

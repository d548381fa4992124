//! Writes the rows of a Claude process into `claude/sse_lines.jsonl`.

use super::codex_pen::{AHEAD_MS, uuid7};
use super::stage::{BASE_MS, Id, Put, Stage, Whose, utc};
use crate::calendar::stamp;
use crate::row::Row;
use crate::spelling::{Generation, Spelling};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const SONNET: &str = "claude-sonnet-4-5-20250929";

const G3_KEYS: &str = "event,t,line,metadata,flow_id,round,data_count,sid";
const G3_PRIME_KEYS: &str = "event,t,line,round,metadata,flow_id,data_count,sid";

/// A process of Claude Code that writes.
pub(super) struct Pen<'s> {
    pub stage: &'s mut Stage,
    pub whose: Whose,
    pub cwd: &'static str,
    pub generation: Generation,
    pub round: String,
    pub flow: &'static str,
    pub request: &'static str,
    /// Ordinal of the turn; none if another source tells what was used up.
    pub nth: Option<u64>,
    input: [u64; 3],
    counts: BTreeMap<&'static str, u64>,
}

/// A block of a message: what it holds, in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) enum Block<'a> {
    Thinking(&'a [&'a str]),
    Text(&'a [&'a str]),
    /// The id, the name, the arguments.
    Tool(&'a str, &'a str, &'a str),
}

/// The signature under all thoughts.
pub(super) const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLXRoZS1zY2VuZQ==";

impl<'s> Pen<'s> {
    pub(super) fn new(stage: &'s mut Stage, sid: &str, pid: u64, cwd: &'static str) -> Self {
        let whose = Whose { provider: "claude", sid: sid.into(), pid: Some(pid) };
        Self {
            stage,
            whose,
            cwd,
            generation: Generation::G3,
            round: String::new(),
            flow: "unknown",
            request: "",
            nth: None,
            input: [0; 3],
            counts: BTreeMap::new(),
        }
    }

    /// A new round, and what is to be told of it.
    pub(super) fn round(&mut self, ms: i64, record: &Value) {
        self.round = uuid7(ms, self.whose.pid.unwrap_or_default());
        let mut record = record.clone();
        record["minted"] = utc(ms).into();
        self.stage.round(&self.whose, &self.round, record);
    }

    /// A row of the flow; `kind` is its event's name without `claude.`.
    pub(super) fn row(&mut self, ms: i64, kind: &str, payload: Value) -> Id {
        let flow = if kind == "user_prompt" { "unknown" } else { self.flow };
        let count = self.counts.entry(flow).or_default();
        let event = format!("claude.{kind}");
        let row = Row::claude(&event)
            .payload(payload)
            .t(&stamp(BASE_MS + ms + AHEAD_MS))
            .utc(&utc(ms))
            .sid(&self.whose.sid)
            .pid(self.whose.pid.unwrap_or_default())
            .metadata("cwd", self.cwd.into())
            .flow_id(flow)
            .round(&self.round)
            .data_count(Some(*count))
            .spelling(Spelling { generation: self.generation, ..Spelling::default() });
        *count += 1;
        let keys = if self.generation == Generation::G3 { G3_KEYS } else { G3_PRIME_KEYS };
        self.stage.put(Put {
            path: "claude/sse_lines.jsonl".into(),
            ms,
            bytes: row.to_bytes(),
            event,
            whose: self.whose.clone(),
            round: Some(self.round.clone()),
            keys: Some(keys),
            logged: true,
        })
    }

    /// The start of an answer: input, cache writes and cache reads.
    pub(super) fn starts(
        &mut self,
        ms: i64,
        flow: &'static str,
        request: &'static str,
        input: [u64; 3],
    ) -> Id {
        (self.flow, self.request, self.input) = (flow, request, input);
        let usage = json!({
            "input_tokens": input[0], "cache_creation_input_tokens": input[1],
            "cache_read_input_tokens": input[2], "output_tokens": 1,
        });
        let message = json!({
            "id": flow, "type": "message", "role": "assistant", "model": SONNET, "content": [],
            "stop_reason": null, "usage": usage,
        });
        self.row(ms, "message_start", json!({"message": message, "request_id": request}))
    }

    /// A block: its start, its pieces 10 ms apart, its end 1 ms after the last. Gives its start.
    pub(super) fn block(&mut self, ms: i64, index: u64, block: Block<'_>) -> Id {
        let (content, kind, key, pieces): (Value, &str, &str, Vec<&str>) = match block {
            Block::Thinking(pieces) => (
                json!({"type": "thinking", "thinking": ""}),
                "thinking_delta",
                "thinking",
                pieces.into(),
            ),
            Block::Text(pieces) => {
                (json!({"type": "text", "text": ""}), "text_delta", "text", pieces.into())
            }
            Block::Tool(id, name, args) => {
                let content = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
                let (one, two) = args.split_at(args.len() / 2);
                (content, "input_json_delta", "partial_json", vec!["", one, two])
            }
        };
        let request = self.request;
        let start = json!({"index": index, "content_block": content, "request_id": request});
        let row = self.row(ms, "content_block_start", start);
        let mut begins = None;
        let mut at = ms;
        for piece in &pieces {
            at += 10;
            let begun = self.delta(at, index, json!({"type": kind, key: piece}));
            begins.get_or_insert(begun);
        }
        if matches!(block, Block::Thinking(_)) {
            self.delta(at, index, json!({"type": "signature_delta", "signature": SIGNATURE}));
        }
        let stop = json!({"index": index, "request_id": request});
        self.row(at + 1, "content_block_stop", stop);
        let text = pieces.concat();
        let (kind, call_id, name) = match block {
            Block::Thinking(_) => ("reasoning", None, None),
            Block::Text(_) => ("text", None, None),
            Block::Tool(id, name, _) => ("tool_args", Some(id), Some(name)),
        };
        let begins = begins.unwrap_or(row);
        self.stage.tell(
            "agg_deltas",
            begins,
            json!({
                "kind": kind, "item_id": null, "request_id": request, "block_index": index,
                "call_id": call_id, "name": name, "t_last": utc(at), "deltas": pieces.len(),
                "bytes": text.len(), "status": "complete", "text": text, "unsure": ["json"],
            }),
        );
        if kind == "reasoning" {
            self.thought(begins, &text);
        }
        row
    }

    fn delta(&mut self, ms: i64, index: u64, delta: Value) -> Id {
        let payload = json!({
            "index": index, "delta_type": delta["type"], "delta": delta,
            "request_id": self.request,
        });
        self.row(ms, "content_block_delta", payload)
    }

    /// The record's item is the request and the block: how they are joined is not laid down.
    fn thought(&mut self, begins: Id, text: &str) {
        self.stage.tell(
            "thinking",
            begins,
            json!({
                "source": "stream", "status": "complete", "bytes": text.len(), "text": text,
            }),
        );
        self.stage.tell(
            "reasoning_presence",
            begins,
            json!({
                "source": "stream", "has_text": true, "text_bytes": text.len(),
                "signature_bytes": SIGNATURE.len(), "unsure": ["t", "src"],
            }),
        );
        self.stage.tell(
            "transcript",
            begins,
            json!({
                "role": "thinking", "text": text, "unsure": ["t", "src"],
            }),
        );
    }

    /// Something said as a whole, in a block that starts with that row.
    pub(super) fn said(&mut self, row: Id, text: &str, phase: &str, turn: u64) {
        note_said(self.stage, row, text, phase, turn);
    }

    /// The end of an answer.
    pub(super) fn ends(&mut self, ms: i64, reason: &str, output: u64) {
        let delta = json!({"stop_reason": reason, "stop_sequence": null});
        let usage = json!({"output_tokens": output});
        let payload = json!({"delta": delta, "usage": usage, "request_id": self.request});
        let row = self.row(ms, "message_delta", payload);
        if let Some(nth) = self.nth {
            let [input, write, read] = self.input;
            self.stage.spend(row, Some(SONNET), nth, [input, write, read, output]);
        }
        self.row(ms + 1, "message_stop", json!({"request_id": self.request}));
    }

    /// The result of a tool.
    pub(super) fn result(
        &mut self,
        ms: i64,
        id: &str,
        text: &str,
        is_error: bool,
        is_api: bool,
    ) -> Id {
        let part = json!({
            "tool_use_id": id, "type": "tool_result", "content": text, "is_error": is_error,
        });
        self.row(
            ms,
            "tool_result",
            json!({
                "message": {"role": "user", "content": [part]},
                "uuid": format!("{:08x}-0000-4000-8000-000000000000", ms),
                "parent_tool_use_id": null, "tool_use_ids": [id], "session_id": self.whose.sid,
                "is_replay": false, "is_api_error": is_api,
            }),
        )
    }

    /// The end of a turn.
    pub(super) fn stops(&mut self, ms: i64) {
        let stop = json!({"agent_id": self.whose.sid, "is_subagent": false});
        self.row(ms, "stop", stop);
        self.row(ms + 1, "turn_end", json!({"reason": "synthetic_stop_hook"}));
    }
}

/// Notes something the agent said. Which of the rows that tell it the record starts from is not
/// laid down.
pub(super) fn note_said(stage: &mut Stage, row: Id, text: &str, phase: &str, turn: u64) {
    stage.tell(
        "assistant_messages",
        row,
        json!({
            "phase": phase, "bytes": text.len(), "text": text, "session_turn": turn,
            "unsure": ["t", "src"],
        }),
    );
    stage.tell(
        "transcript",
        row,
        json!({
            "role": "assistant", "call_id": null, "text": text, "unsure": ["t", "src"],
        }),
    );
}

/// What requests of Claude used up, as turns tell it: fresh input, cache writes, cache reads, output.
pub(super) fn spent([input, write, read, output]: [u64; 4]) -> Value {
    json!({
        "input_tokens": input, "cache_read_tokens": read, "cache_write_tokens": write,
        "output_tokens": output, "total_tokens": input + write + read + output,
    })
}

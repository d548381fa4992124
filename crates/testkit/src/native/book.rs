//! What one session of a native log really says, noted while its rows are written.

use crate::calendar::utc_stamp;
use crate::truth::Counts;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// The truth of a native log, in the keys of the commands' records, each table in order of `t`.
/// A key that a row leaves out is not known for sure: compare those that are there.
#[derive(Clone, Debug, Default)]
pub struct NativeTruth {
    /// One row a prompt: `provider, sid, t, kind, text, session_turn`, `images` where it has some.
    /// Slash commands (`kind: command`) are among them, without a text.
    pub prompts: Vec<Value>,
    /// One row a turn: `provider, sid, session_turn, t, prompt, reply, tool_calls, tool_errors`,
    /// `status` where the format tells it, `tokens` where it used some.
    pub turns: Vec<Value>,
    /// One row a call: `provider, sid, call_id, state, session_turn`, `name` where it has one.
    pub calls: Vec<Value>,
    /// One row a session with usage, as `--by session`; without `t`. Sub-agents count for the
    /// session that they work for.
    pub tokens: Vec<Value>,
    /// For each session: how much of its cache writes is kept for an hour.
    pub cache_write_1h: BTreeMap<String, u64>,
    /// Counts of all files that are read.
    pub all: Counts,
}

/// What was used up; no part is in another, but for `cache_write_1h` in `cache_write` and
/// `reasoning` in `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) cache_write_1h: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }
}

impl Used {
    fn record(self) -> Value {
        json!({
            "input_tokens": self.input, "cache_read_tokens": self.cache_read,
            "cache_write_tokens": self.cache_write, "output_tokens": self.output,
            "reasoning_tokens": self.reasoning,
            "total_tokens": self.input + self.cache_read + self.cache_write + self.output,
        })
    }
}

#[derive(Clone, Debug)]
struct OpenTurn {
    ordinal: u64,
    t: String,
    prompt: String,
    reply: Option<String>,
    used: Option<Used>,
    /// Where its calls are among all.
    calls: Vec<usize>,
}

/// The notes of one session.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    provider: &'static str,
    pub(crate) sid: String,
    prompts: Vec<Value>,
    turns: Vec<Value>,
    calls: Vec<Value>,
    used: Used,
    requests: u64,
    turn: Option<OpenTurn>,
    opened: u64,
    /// Whether the format tells how turns end.
    pub(crate) tells_ends: bool,
}

impl Book {
    pub(crate) fn new(provider: &'static str, sid: &str) -> Self {
        let (prompts, turns, calls) = (Vec::new(), Vec::new(), Vec::new());
        let (used, sid) = (Used::default(), sid.to_owned());
        let (requests, turn, opened, tells_ends) = (0, None, 0, true);
        Self { provider, sid, prompts, turns, calls, used, requests, turn, opened, tells_ends }
    }

    /// A prompt that opens a turn; the turn before it ends as `superseded` if it is still open.
    pub(crate) fn prompt(&mut self, ms: i64, text: &str) {
        self.close("superseded");
        self.opened += 1;
        let row = self.prompt_row(ms, "prompt", Some(text), Some(self.opened));
        self.prompts.push(row);
        let (ordinal, t, prompt) = (self.opened, utc_stamp(ms), text.to_owned());
        let (reply, used, calls) = (None, None, Vec::new());
        self.turn = Some(OpenTurn { ordinal, t, prompt, reply, used, calls });
    }

    /// A prompt that was typed while the agent worked.
    pub(crate) fn queued(&mut self, ms: i64, text: &str) {
        let row = self.prompt_row(ms, "queued", Some(text), None);
        self.prompts.push(row);
    }

    /// A slash command.
    pub(crate) fn command(&mut self, ms: i64) {
        let mut row = self.prompt_row(ms, "command", None, None);
        if let Some(row) = row.as_object_mut() {
            row.remove("text");
            row.remove("session_turn");
        }
        self.prompts.push(row);
    }

    fn prompt_row(&self, ms: i64, kind: &str, text: Option<&str>, ordinal: Option<u64>) -> Value {
        json!({
            "provider": self.provider, "sid": self.sid, "t": utc_stamp(ms), "kind": kind,
            "text": text, "session_turn": ordinal,
        })
    }

    /// The images of the prompt that came last.
    pub(crate) fn images(&mut self, count: u64) {
        if let Some(prompt) = self.prompts.last_mut() {
            prompt["images"] = count.into();
        }
    }

    /// What the agent says, the last of which is the reply.
    pub(crate) fn said(&mut self, text: &str) {
        if let Some(turn) = &mut self.turn {
            turn.reply = Some(text.to_owned());
        }
    }

    /// A request that was paid for.
    pub(crate) fn spent(&mut self, used: Used) {
        self.used += used;
        self.requests += 1;
        if let Some(turn) = &mut self.turn {
            *turn.used.get_or_insert_default() += used;
        }
    }

    /// A call without a result so far.
    pub(crate) fn called(&mut self, call_id: &str, name: Option<&str>) {
        let turn = self.turn.as_mut();
        let mut row = json!({
            "provider": self.provider, "sid": self.sid, "call_id": call_id, "state": null,
            "session_turn": turn.as_ref().map(|turn| turn.ordinal),
        });
        if let Some(name) = name {
            row["name"] = name.into();
        }
        if let Some(turn) = turn {
            turn.calls.push(self.calls.len());
        }
        self.calls.push(row);
    }

    /// The result of a call.
    pub(crate) fn answered(&mut self, call_id: &str, ok: bool) {
        let is_it = |call: &&mut Value| call["call_id"] == call_id;
        if let Some(call) = self.calls.iter_mut().find(is_it) {
            call["state"] = if ok { "completed" } else { "failed" }.into();
        }
    }

    /// Ends the open turn, if there is one.
    pub(crate) fn close(&mut self, status: &str) {
        let Some(turn) = self.turn.take() else { return };
        let left = match status {
            "completed" => "unanswered",
            "open" => "pending",
            _ => "cancelled",
        };
        let mut errors = 0;
        for at in &turn.calls {
            let call = &mut self.calls[*at];
            if call["state"].is_null() {
                call["state"] = left.into();
            }
            errors += u64::from(call["state"] == "failed");
        }
        let mut row = json!({
            "provider": self.provider, "sid": self.sid, "session_turn": turn.ordinal, "t": turn.t,
            "prompt": turn.prompt, "reply": turn.reply, "tool_calls": turn.calls.len(),
            "tool_errors": errors,
        });
        if self.tells_ends {
            row["status"] = status.into();
        }
        if let Some(used) = turn.used {
            row["tokens"] = used.record();
        }
        self.turns.push(row);
    }

    /// Adds the notes to the truth of the log.
    pub(crate) fn tell(mut self, truth: &mut NativeTruth) {
        self.close("open");
        truth.prompts.append(&mut self.prompts);
        truth.turns.append(&mut self.turns);
        truth.calls.append(&mut self.calls);
        if self.requests > 0 {
            let mut row = self.used.record();
            row["provider"] = self.provider.into();
            row["sid"] = self.sid.as_str().into();
            row["calls"] = self.requests.into();
            truth.tokens.push(row);
        }
        *truth.cache_write_1h.entry(self.sid).or_default() += self.used.cache_write_1h;
    }
}

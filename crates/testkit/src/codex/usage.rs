//! Token usage: what a response cost, what the counters of the process say, and what was spent.

use super::Codex;
use crate::fault::Fault;
use serde_json::{Value, json};

const WINDOW: u64 = 258_400;

/// One usage as Codex counts it: cached is a part of input, reasoning a part of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    pub(super) total: u64,
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.input += other.input;
        self.cached += other.cached;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.total += other.total;
    }

    fn json(self) -> Value {
        json!({
            "input_tokens": self.input, "cached_input_tokens": self.cached,
            "output_tokens": self.output, "reasoning_output_tokens": self.reasoning,
            "total_tokens": self.total,
        })
    }

    /// As records name the parts: `input_tokens` is fresh input only.
    pub(super) fn spent(self) -> Value {
        json!({
            "input_tokens": self.input - self.cached, "cache_read_tokens": self.cached,
            "cache_write_tokens": 0, "output_tokens": self.output,
            "reasoning_tokens": self.reasoning, "total_tokens": self.input + self.output,
        })
    }
}

/// The counters of the running process and the session's true sum.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    totals: Usage,
    spent: Usage,
    /// The totals that the running process said last.
    said: Option<Usage>,
    calls: u64,
    duplicates: u64,
    resets: u64,
    overflowed: bool,
}

impl Ledger {
    pub(super) fn new_process(&mut self, restored: bool) {
        if !restored {
            self.totals = Usage::default();
        }
        self.said = None;
    }

    fn spend(&mut self, last: Usage) {
        self.totals.add(last);
        self.spent.add(last);
        self.calls += 1;
    }

    fn say(&mut self) {
        let smaller = |said: &Usage| self.totals.total < said.total;
        self.resets += u64::from(self.said.as_ref().is_some_and(smaller));
        self.duplicates += u64::from(self.said == Some(self.totals));
        self.said = Some(self.totals);
    }

    /// The session's row of the truth; none if nothing was counted.
    pub(super) fn record(&self, sid: &str) -> Option<Value> {
        let mut record = json!({"provider": "codex", "sid": sid, "calls": self.calls});
        let map = record.as_object_mut()?;
        map.extend(self.spent.spent().as_object()?.clone());
        if !self.overflowed {
            map.insert("duplicates".into(), self.duplicates.into());
            map.insert("resets".into(), self.resets.into());
        }
        (self.calls > 0).then_some(record)
    }
}

impl Codex {
    /// What one response costs; counted at once.
    pub(super) fn usage(&mut self) -> Usage {
        let prng = &mut self.pen.prng;
        let (input, output) = (prng.range(2000, 90_000), prng.range(20, 3000));
        let (cached, reasoning) = (prng.range(0, input), prng.range(0, output));
        let mut last = Usage { input, cached, output, reasoning, total: input + output };
        if self.pen.once(Fault::TokenReset) {
            self.ledger.totals = Usage::default();
            last = Usage { input: 900, cached: 400, output: 60, reasoning: 32, total: 960 };
        }
        self.ledger.spend(last);
        self.turn.spent.get_or_insert_default().add(last);
        last
    }

    /// The counters' rows after a response, in both of their streams.
    pub(super) fn token_rows(&mut self, last: Usage) {
        if !self.brief() {
            self.token_row("codex.token_count", last);
        }
        self.token_row("turn.token_count", last);
        if self.pen.once(Fault::TokenDuplicate) {
            self.pen.tick(1, 900);
            self.token_row("turn.token_count", last);
        }
        if self.pen.once(Fault::TokenOverflow) {
            self.pen.tick(1, 9);
            self.ledger.overflowed = true;
            self.ledger.totals = Usage { total: WINDOW, ..Usage::default() };
            self.token_row("codex.token_count", Usage::default());
            self.token_row("turn.token_count", Usage::default());
        }
    }

    /// The first row of a session: rate limits, and nothing counted yet.
    pub(super) fn heartbeat(&mut self) {
        let primary =
            json!({"used_percent": 7.0, "window_minutes": 300, "resets_at": 1_763_456_400});
        let limits = json!({"primary": primary, "secondary": null});
        self.turn_row("turn.token_count", json!({"info": null, "rate_limits": limits}));
    }

    fn token_row(&mut self, event: &str, last: Usage) {
        if event == "turn.token_count" {
            self.ledger.say();
        }
        let info = json!({
            "total_token_usage": self.ledger.totals.json(), "last_token_usage": last.json(),
            "model_context_window": WINDOW,
        });
        let week = json!({
            "used_percent": 41.0, "window_minutes": 10_080, "resets_at": 1_763_942_400,
        });
        let hours =
            json!({"used_percent": 12.0, "window_minutes": 300, "resets_at": 1_763_456_400});
        let limits = json!({"primary": hours, "secondary": week});
        self.turn_row(event, json!({"info": info, "rate_limits": limits}));
    }
}

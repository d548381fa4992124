//! A Claude turn from its prompt to its end, and its row of the truth.

use super::Claude;
use super::message::{Spent, Step};
use crate::calendar::utc_stamp;
use crate::fault::Fault;
use serde_json::{Value, json};

/// How a turn ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fate {
    #[default]
    Completed,
    Superseded,
    Open,
    Shutdown,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Superseded => "superseded",
            Self::Open => "open",
            Self::Shutdown => "shutdown",
        }
    }

    /// The state of a call that such a turn leaves without a result.
    pub(super) fn of_call(self) -> &'static str {
        match self {
            Self::Completed => "unanswered",
            Self::Open => "pending",
            Self::Superseded | Self::Shutdown => "cancelled",
        }
    }
}

/// What has happened in the turn so far.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) fate: Fate,
    pub(super) start: i64,
    pub(super) prompt: String,
    pub(super) reply: Option<String>,
    pub(super) responses: u64,
    pub(super) tool_calls: u64,
    pub(super) spent: Spent,
}

impl Claude {
    pub(super) fn one_turn(&mut self) {
        let fate = match self.pen.fault {
            Some(Fault::Superseded) => Fate::Superseded,
            Some(Fault::OpenTurn) => Fate::Open,
            Some(Fault::ShutdownInTurn) => Fate::Shutdown,
            _ => Fate::Completed,
        };
        self.turn = Turn { fate, start: self.pen.ms, ..Turn::default() };
        self.session_turn += 1;
        self.open_turn();
        self.oddities();
        let wanted = self.pen.fault.is_some_and(Fault::needs_call) || self.session_turn == 1;
        let settings = self.pen.settings.clone();
        for step in 0..settings.steps(&mut self.pen.prng, wanted) {
            self.message(Step::Tools);
            if step == 0 {
                self.typed_meanwhile();
            }
        }
        if self.pen.once(Fault::WrongFlowId) {
            self.overlapping();
        } else {
            self.message(if fate == Fate::Completed { Step::Answer } else { Step::Cut });
        }
        self.pen.tick(1, 30);
        self.close_turn();
    }

    /// Rows that belong to no story, and requests beside it.
    fn oddities(&mut self) {
        match self.pen.fault {
            Some(Fault::AbandonedFlow) => self.abandoned_flow(),
            Some(Fault::SubAgent) => self.sub_agent(),
            Some(Fault::UnknownEvent) => self.row("future_thing", json!({"level": 3})),
            Some(Fault::EmptySid) => {
                let row = self.draft("session_start", json!({"source": "new"})).sid("");
                self.pen.put(row);
            }
            _ => {}
        }
    }

    fn close_turn(&mut self) {
        let end = self.pen.now();
        let mut idle = Value::Null;
        match self.turn.fate {
            Fate::Completed => {
                if !self.pen.on(Fault::MissingStop) {
                    let stop = json!({"agent_id": self.sid, "is_subagent": false});
                    self.row("stop", stop);
                    idle = end.clone();
                }
                self.row("turn_end", json!({"reason": "synthetic_stop_hook"}));
            }
            Fate::Shutdown => self.row("session_end", json!({"reason": "SIGINT"})),
            Fate::Superseded | Fate::Open => {}
        }
        let turn = &self.turn;
        let ended = !matches!(turn.fate, Fate::Superseded | Fate::Open);
        let mut row = json!({
            "t": utc_stamp(turn.start), "provider": "claude", "sid": self.sid, "pid": self.pid,
            "session_turn": self.session_turn, "prompt": turn.prompt,
            "status": turn.fate.name(),
            "t_end": ended.then_some(end),
            "duration_ms": ended.then_some(self.pen.ms - turn.start),
            "idle_t": idle, "reply": turn.reply, "responses": turn.responses,
            "tool_calls": turn.tool_calls, "tokens": turn.spent.json(),
        });
        let unsure = match self.pen.fault {
            Some(Fault::SubAgent | Fault::WrongFlowId | Fault::AbandonedFlow) => "responses",
            Some(Fault::DeltaOrphan) => "reply",
            _ if turn.fate != Fate::Completed => "reply",
            _ => "",
        };
        if let Some(map) = row.as_object_mut() {
            map.remove(unsure);
        }
        self.tables.turns.push(row);
    }
}

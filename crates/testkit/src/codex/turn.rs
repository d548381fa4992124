//! A turn from its start to its end, and its row of the truth.

use super::Codex;
use super::response::Step;
use super::usage::Usage;
use crate::fault::Fault;
use serde_json::{Value, json};

/// How a turn ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fate {
    #[default]
    Completed,
    Aborted,
    Superseded,
    Open,
    Shutdown,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Aborted => "aborted",
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
            _ => "cancelled",
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
    pub(super) replies: u64,
    pub(super) responses: u64,
    pub(super) tool_calls: u64,
    pub(super) spent: Option<Usage>,
    /// The call whose item is logged twice.
    pub(super) doubled: Option<String>,
}

impl Codex {
    pub(super) fn one_turn(&mut self) {
        let fate = match self.pen.fault {
            Some(Fault::Aborted | Fault::AbortedUnanswered) => Fate::Aborted,
            Some(Fault::Superseded) => Fate::Superseded,
            Some(Fault::OpenTurn) => Fate::Open,
            Some(Fault::ShutdownInTurn) => Fate::Shutdown,
            _ => Fate::Completed,
        };
        self.turn = Turn { fate, start: self.pen.ms, ..Turn::default() };
        self.session_turn += 1;
        self.open_turn();
        self.oddities();
        if self.session_turn == 1 {
            self.pen.tick(100, 900);
            self.heartbeat();
        }
        for step in 0..self.steps() {
            self.response(Step::Tools);
            if step == 0 && self.pen.on(Fault::Steering) {
                self.steer();
            }
        }
        self.response(match (fate, self.pen.fault) {
            (Fate::Completed, _) => Step::Answer,
            (_, Some(Fault::AbortedUnanswered | Fault::OpenTurn)) => Step::CutCall,
            _ => Step::CutText,
        });
        self.pen.tick(1, 40);
        self.close_turn();
    }

    /// Requests that end in tool calls, before the last request.
    fn steps(&mut self) -> usize {
        let wanted = match self.pen.fault {
            None => self.session_turn == 1,
            Some(Fault::TwinsOnly) => return 0,
            Some(fault) => fault.needs_call(),
        };
        let settings = self.pen.settings.clone();
        settings.steps(&mut self.pen.prng, wanted)
    }

    /// Rows that belong to no story.
    fn oddities(&mut self) {
        let background = self.row("turn.background_event", json!({"message": "index is fresh"}));
        let row = match self.pen.fault {
            Some(Fault::MetadataBroken) => {
                let mut row = background;
                row.metadata.insert("pid".into(), json!(self.pid));
                return self.broken_metadata(row);
            }
            Some(Fault::EmptySid) => background.sid(""),
            Some(Fault::UnknownEvent) => self.row("turn.future_thing", json!({"level": 3})),
            Some(Fault::TruncatedInner) => background.line_text(concat!(
                r#"data: {"type":"turn.background_event","payload":{"message":"a long list: a, b"#,
                "... [truncated after 64 bytes, omitted 5122 bytes]"
            )),
            _ => match &self.kin.mistaken_for {
                Some(other) if self.session_turn == 1 => background.sid(&other.clone()),
                _ => return,
            },
        };
        self.pen.put(row);
    }

    fn close_turn(&mut self) {
        let end = self.pen.now();
        let mut idle = Value::Null;
        match self.turn.fate {
            Fate::Completed => {
                let missing = self.pen.on(Fault::MissingIdle);
                let first = self.pen.on(Fault::IdleFirst);
                if !missing {
                    idle = end.clone();
                }
                if first {
                    self.idle_row();
                }
                let reply = self.turn.reply.clone();
                self.turn_row("turn.response.completed", json!({"last_agent_message": reply}));
                if !(missing || first) {
                    self.idle_row();
                }
            }
            Fate::Aborted => {
                self.turn_row("turn.response.aborted", json!({"reason": "interrupted"}));
            }
            Fate::Shutdown => self.turn_row("turn.shutdown_complete", Value::Null),
            Fate::Superseded | Fate::Open => {}
        }
        let row = self.turn_truth(&end, &idle);
        self.tables.turns.push(row);
    }

    fn idle_row(&mut self) {
        let row = self.row("codex.idle", json!({})).flow_id(&self.sid);
        self.pen.put(row);
    }

    fn turn_truth(&self, end: &Value, idle: &Value) -> Value {
        let turn = &self.turn;
        let ended = !matches!(turn.fate, Fate::Superseded | Fate::Open);
        let mut row = json!({
            "t": crate::calendar::utc_stamp(turn.start), "provider": "codex", "sid": self.sid,
            "pid": self.pid, "turn_id": self.turn_id.to_string(),
            "session_turn": self.session_turn, "prompt": turn.prompt,
            "status": turn.fate.name(),
            "t_end": ended.then_some(end),
            "duration_ms": ended.then_some(self.pen.ms - turn.start),
            "idle_t": idle, "reply": turn.reply, "replies": turn.replies,
            "responses": turn.responses, "tool_calls": turn.tool_calls,
        });
        let unsure: &[&str] = match self.pen.fault {
            Some(Fault::RandomTurnId) => &["turn_id"],
            Some(Fault::TwinsOnly) => &["responses"],
            Some(Fault::SeveralParts) => &["reply"],
            Some(Fault::NoTime) => &["t", "duration_ms"],
            _ => &[],
        };
        if let Some(map) = row.as_object_mut() {
            map.retain(|key, _| !unsure.contains(&key.as_str()));
            if let Some(spent) = turn.spent.filter(|_| !self.pen.on(Fault::TokenOverflow)) {
                map.insert("tokens".into(), spent.spent());
            }
        }
        row
    }
}

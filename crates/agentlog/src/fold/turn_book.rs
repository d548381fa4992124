//! Which turn each row belongs to, and how turns end: what turns, tokens and calls all ask.

use super::prompts::Prompt;
use crate::event::Event;

/// Names a turn, or what may become one: the rows of a turn can come before its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnKey(u64);

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnStatus {
    /// The agent was done.
    Completed,
    /// The user interrupted it.
    Aborted,
    /// The session ended first.
    Shutdown,
    /// A later prompt of the same session came, in any process.
    Superseded,
    /// The log ends first.
    Open,
}

impl TurnStatus {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Shutdown => "shutdown",
            Self::Superseded => "superseded",
            Self::Open => "open",
        }
    }
}

/// What became of a turn.
#[derive(Clone, Debug)]
pub enum TurnNews {
    /// Its prompt is known, and with it its ordinal in the session (`prompt.session_turn`). Rows
    /// may have been placed in it before.
    Opened {
        /// Which turn.
        key: TurnKey,
        /// The prompt that opened it.
        prompt: Box<Prompt>,
    },
    /// It ended. Rows may still be placed in it until it is final.
    Ended {
        /// Which turn.
        key: TurnKey,
        /// How it ended.
        status: TurnStatus,
        /// When, if it was completed, aborted or shut down.
        t: Option<i64>,
        /// The row that ended it, likewise.
        src: Option<crate::event::Src>,
    },
    /// Nothing more belongs to it.
    Final {
        /// Which turn.
        key: TurnKey,
        /// When the agent was idle again, if that was logged.
        idle_t: Option<i64>,
        /// Whether the round or the place of its rows contradicted it.
        repaired: bool,
    },
}

/// Places rows in turns.
#[derive(Debug, Default)]
pub struct TurnBook {}

impl TurnBook {
    /// The turn that the event belongs to; none if it stands outside of all turns. What becomes
    /// of turns by it is appended to `news`, first what ended before it.
    pub fn place(&mut self, _event: &Event<'_>, _news: &mut Vec<TurnNews>) -> Option<TurnKey> {
        None
    }

    /// Log time has come to `t`.
    pub fn advance(&mut self, _t: i64, _news: &mut Vec<TurnNews>) {}

    /// Whether a turn waits for time to pass.
    pub fn waits(&self) -> bool {
        false
    }

    /// The input is over: all that is open ends as [`TurnStatus::Open`].
    pub fn finish(&mut self, _news: &mut Vec<TurnNews>) {}
}

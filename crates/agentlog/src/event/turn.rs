//! How sessions, turns and requests begin and end.

use super::{Span, Usage};

/// A process took up a session or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// `turn.session_configured`, `claude.session_start`. Messages of old turns inside mean that
    /// it was resumed or forked.
    Started {
        /// Whether the session was there before.
        resumed: bool,
    },
    /// `turn.shutdown_complete`, `claude.session_end`.
    Ended,
}

/// A turn began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// `turn.task_started`: may stand before the prompt, and carry the round before.
    Started,
    /// `turn.response.completed`.
    Completed {
        /// `last_agent_message`.
        reply: Option<Span>,
    },
    /// `turn.response.aborted`, or Claude's note that the user interrupted it.
    Aborted,
    /// `claude.stop` of the main agent.
    Stopped,
    /// `claude.turn_end`, which sub-agents write too.
    Over,
    /// `codex.idle`.
    Idle,
}

/// A row about one request to the model. The rows of a Claude message and of a Codex response
/// are the same in this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// How far the request is.
    pub phase: ResponsePhase,
    /// The response's id (Codex) or the request's (Claude).
    pub id: Option<Span>,
    /// Whether the row says why the model stopped: what it said is whole then.
    pub stopped: bool,
    /// What it used up, as far as this row tells.
    pub usage: Option<Usage>,
    /// Whether Codex wrote it down for good (`token_usage_record`).
    pub recorded: bool,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePhase {
    /// `response.created`, `claude.message_start`.
    Started,
    /// `response.in_progress`, `claude.message_delta`.
    Going,
    /// `response.completed`, `claude.message_stop`.
    Ended,
    /// `response.failed`, `response.incomplete`.
    Failed,
}

//! What is told of a call.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::Rule;
use crate::event::{Head, Src};
use crate::fold::Used;

/// A tool call with its life, final.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it was announced, in milliseconds since the epoch, UTC; else its first row's time.
    pub t: Option<i64>,
    /// The row that announced it, else its first row.
    pub src: Src,
    /// What its rows agree on.
    pub head: Arc<Head>,
    /// `call_…`, `toolu_…`.
    pub call_id: Option<Box<str>>,
    /// `fc_…`, `ctc_…` (Codex).
    pub item_id: Option<Box<str>>,
    /// The request that announced it (Claude).
    pub request_id: Option<Box<str>>,
    /// The tool's name.
    pub name: Option<Box<str>>,
    /// What kind of tool it is; none if nothing tells.
    pub kind: Option<CallKind>,
    /// What became of it.
    pub state: State,
    /// Whether it went well, by its result and its execution; none if neither tells.
    pub ok: Option<bool>,
    /// Exit code of a command.
    pub exit_code: Option<i64>,
    /// When it began to run, or its arguments were complete if no execution is logged.
    pub t_begin: Option<i64>,
    /// When it ended, or its result came if no execution is logged.
    pub t_end: Option<i64>,
    /// From begin to end, in milliseconds; what the end row says if its begin is not logged.
    pub duration_ms: Option<i64>,
    /// Bytes of the arguments (UTF-8, unescaped).
    pub args_bytes: Option<u64>,
    /// Bytes of the result, likewise.
    pub output_bytes: Option<u64>,
    /// Whether the writer cut arguments or output short; none if there is neither.
    pub truncated: Option<bool>,
    /// Ordinal of its turn's prompt in the session.
    pub session_turn: Option<u64>,
    /// Rules that it broke, in the order of the table of rules.
    pub violations: Vec<Violation>,
    /// The rows that were read for it, with `Options::explain`.
    pub rows: Vec<Used>,
}

/// What kind of tool is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallKind {
    /// A command.
    Shell,
    /// A tool of an MCP server.
    Mcp,
    /// A patch that is applied.
    Patch,
    /// Another function (Codex).
    Function,
    /// A custom tool, whose input is any text (Codex).
    Custom,
    /// A search that the model's server runs (Codex).
    WebSearch,
    /// A tool of Claude's own.
    Tool,
}

impl CallKind {
    /// The names in records.
    pub const NAMES: [&'static str; 7] =
        ["shell", "mcp", "patch", "function", "custom", "web_search", "tool"];

    /// The name in records.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// It has a result, and nothing says that it failed.
    Completed,
    /// It has a result, and failed.
    Failed,
    /// Its turn ended normally without a result of it.
    Unanswered,
    /// Its turn was aborted, superseded or shut down before there was a result.
    Cancelled,
    /// Its turn is open.
    Pending,
    /// As unanswered, but the log holds no result at all for its session.
    Unknown,
    /// A result of a call that is not in the log.
    Orphan,
}

impl State {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::Completed,
        Self::Failed,
        Self::Unanswered,
        Self::Cancelled,
        Self::Pending,
        Self::Unknown,
        Self::Orphan,
    ];

    /// The names in records.
    pub const NAMES: [&'static str; 7] =
        ["completed", "failed", "unanswered", "cancelled", "pending", "unknown", "orphan"];

    /// The name in records.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A rule that a call broke.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub rule: &'static Rule,
    /// How, with the figures.
    pub detail: Box<str>,
    /// The row that broke it.
    pub src: Src,
}

/// How bad it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Odd, but logs that are cut or doubled look like that.
    Warn,
    /// The agent or its logger did wrong.
    Error,
}

impl Severity {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

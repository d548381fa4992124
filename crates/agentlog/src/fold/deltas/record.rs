//! What the fold of deltas is asked for, and what it gives out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Head, Src, StreamKind};
use crate::fold::Used;
use crate::json::Text;

/// What to make of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Keep what was used for each record.
    pub explain: bool,
    /// Say what JSON arguments spell.
    pub parse: bool,
    /// Take the `turn.*` twins for the stream, whatever else is there.
    pub twins: bool,
}

/// How far an item came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Claude: without a start row.
    Orphan,
    /// Without a done or stop row.
    Open,
    /// The text differs from the done row.
    Mismatch,
    /// The arguments of a function call are no JSON object.
    InvalidJson,
    /// None of these.
    Complete,
}

impl Status {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Open => "open",
            Self::Mismatch => "mismatch",
            Self::InvalidJson => "invalid_json",
            Self::Complete => "complete",
        }
    }
}

/// The name of a kind of stream in records: arguments of functions and input of custom tools have
/// the same.
pub fn kind_name(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Text => "text",
        StreamKind::Reasoning => "reasoning",
        StreamKind::Arguments | StreamKind::Input => "tool_args",
    }
}

/// A streamed item, final.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The first delta's time, else the start row's: milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// What its rows agree on.
    pub head: Arc<Head>,
    /// What its first row says.
    pub first: Arc<Head>,
    /// What was streamed.
    pub kind: Option<StreamKind>,
    /// Codex.
    pub item_id: Option<String>,
    /// Claude.
    pub request_id: Option<String>,
    /// Claude: `index` of the block.
    pub block_index: Option<i64>,
    /// The call that arguments belong to.
    pub call_id: Option<String>,
    /// The tool that is called.
    pub name: Option<String>,
    /// The last delta's time.
    pub t_last: Option<i64>,
    /// Deltas that count.
    pub deltas: u64,
    /// How far it came.
    pub status: Status,
    /// What was streamed; of an item without deltas what its done row says.
    pub text: Option<Text>,
    /// Whether to say what JSON arguments spell.
    pub parse: bool,
    /// The row of the first delta, else the start row.
    pub src: Src,
    /// The rows that were read for it, with [`Options::explain`].
    pub rows: Vec<Used>,
}

//! Text, reasoning and arguments as they are streamed.

use serde::{Deserialize, Serialize};

use super::Span;

/// A part of a streamed item, or the whole of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which item it belongs to.
    pub stream: Stream,
    /// What is streamed.
    pub kind: StreamKind,
    /// `content_index`, `summary_index`: items may have several texts.
    pub part: i64,
    /// `sequence_number`: the order of Codex's deltas.
    pub seq: Option<i64>,
    /// The text.
    pub text: Span,
}

/// Names a streamed item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `item_id` of a Codex response.
    Item(Span),
    /// A block of a Claude message.
    Block {
        /// `request_id`; none in rows that lack it.
        request: Option<Span>,
        /// `index`.
        index: i64,
    },
    /// The `turn.*` twin of a Codex stream.
    Twin {
        /// `item_id`, which only `turn.response.delta` has.
        item: Option<Span>,
    },
}

/// What is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StreamKind {
    /// What the agent says.
    Text,
    /// What it thinks.
    Reasoning,
    /// Arguments of a function call: JSON.
    Arguments,
    /// Input of a custom tool: any text.
    Input,
}

/// A block of a Claude message started or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// `claude.content_block_start`.
    Start {
        /// `request_id`.
        request: Option<Span>,
        /// `index`.
        index: i64,
        /// What it is.
        kind: BlockKind,
    },
    /// `claude.content_block_stop`.
    Stop {
        /// `request_id`.
        request: Option<Span>,
        /// `index`.
        index: i64,
    },
}

/// What a block of a Claude message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Text, or reasoning.
    Words(StreamKind),
    /// A tool call, of Claude's own tools or of one that the server runs (`server_tool_use`).
    Tool {
        /// `toolu_…`.
        call_id: Option<Span>,
        /// The tool's name.
        name: Option<Span>,
    },
    /// Anything else, such as the result of a server's tool.
    Other,
}

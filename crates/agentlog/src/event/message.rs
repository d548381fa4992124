//! Messages and calls as Claude's transcripts tell them: whole, not streamed.

use super::{Span, Usage};

/// A message of Claude, as far as one row tells it. A message has a row for each of its blocks,
/// each with the usage known by then: the largest is that of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Message {
    /// `message.id`.
    pub id: Option<Span>,
    /// `requestId`; gateways leave it out.
    pub request: Option<Span>,
    /// What it used up, as far as the row tells.
    pub usage: Option<Usage>,
    /// The model to be charged, where it is not that of the row.
    pub model: Option<Span>,
    /// What the agent says in it.
    pub text: Option<Span>,
    /// Whether the agent has no more to do, as far as the row tells.
    pub ends: bool,
    /// Whether a sub-agent said it.
    pub sub_agent: bool,
}

/// A tool call of Claude, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolUse {
    /// `toolu_…`.
    pub call_id: Option<Span>,
    /// The tool's name.
    pub name: Option<Span>,
    /// Its input: JSON.
    pub input: Option<Span>,
    /// `requestId`.
    pub request: Option<Span>,
}

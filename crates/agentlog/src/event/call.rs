//! Tool calls: announced, run, answered.

use serde::{Deserialize, Serialize};

use super::Span;

/// An item of a Codex conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which row it stands in.
    pub phase: ItemPhase,
    /// What it is.
    pub kind: ItemKind,
    /// `fc_…`, `ctc_…`, `msg_…`, `rs_…`: names its stream.
    pub item_id: Option<Span>,
    /// `call_…`: names the call, in all rows about it.
    pub call_id: Option<Span>,
    /// The tool's name.
    pub name: Option<Span>,
    /// Arguments, input, or what a message or a summary says (parts joined by a blank line); none
    /// if it has none, or none yet.
    pub text: Option<Span>,
    /// What came out, in results.
    pub output: Option<Output>,
}

/// The rows that items stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemPhase {
    /// `response.output_item.added`.
    Added,
    /// `response.output_item.done`.
    Done,
    /// `turn.raw_response_item`.
    Raw,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ItemKind {
    /// A message of the agent.
    Message,
    /// Reasoning.
    Reasoning,
    /// `function_call`.
    FunctionCall,
    /// `custom_tool_call`.
    CustomCall,
    /// `local_shell_call`.
    LocalShell,
    /// `web_search_call`.
    WebSearch,
    /// `function_call_output`, `custom_tool_call_output`, `local_shell_call_output`.
    Result,
}

impl ItemKind {
    /// Whether it announces a tool call.
    pub fn is_call(self) -> bool {
        matches!(self, Self::FunctionCall | Self::CustomCall | Self::LocalShell | Self::WebSearch)
    }
}

/// What a result says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Bytes of the text, as the model was given it (UTF-8, unescaped).
    pub bytes: u64,
    /// A hash of it: equal for results that say the same.
    pub hash: u64,
    /// `metadata.exit_code` of a shell result.
    pub exit_code: Option<i64>,
    /// Whether the result itself says that the call failed (`is_error`, `success:false`).
    pub failed: Option<bool>,
    /// Whether the writer cut it short.
    pub truncated: bool,
}

/// A result that Claude was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// `tool_use_id`.
    pub call_id: Option<Span>,
    /// What came out.
    pub output: Output,
}

/// Something Codex ran for a call. Its end is not what the model was given: that is an [`Item`]. What
/// is kept of it longer than its row (see [`crate::state`]) has no texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Begin or end.
    pub phase: Phase,
    /// What ran.
    pub tool: Tool,
    /// Which call it was for.
    #[serde(skip)]
    pub call_id: Option<Span>,
    /// `server__tool` of an MCP call.
    #[serde(skip)]
    pub name: Option<Span>,
    /// Whether the user ran it (`source` is `user_shell`): there is no call of the model then.
    pub by_user: bool,
    /// Exit code of a command.
    pub exit_code: Option<i64>,
    /// Whether it failed: exit code not 0, `Err`, `is_error`, `success:false`; none if the row
    /// does not say.
    pub failed: Option<bool>,
    /// How long it says that it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whether its output was cut short by the writer.
    pub truncated: bool,
}

/// Begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It begins.
    Begin,
    /// It ends.
    End,
    /// It ends, and its begin is never told.
    Whole,
}

/// What was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Tool {
    /// `turn.exec.*`.
    Shell,
    /// `turn.mcp_tool_call.*`.
    Mcp,
    /// `turn.patch_apply.*`.
    Patch,
}

/// Whether the writer's notice of a cut stands at the end of a text.
pub fn is_cut(text: &[u8]) -> bool {
    const NOTICE: &[u8] = b"[truncated after ";
    let tail = &text[text.len().saturating_sub(96)..];
    tail.ends_with(b"]") && memchr::memmem::find(tail, NOTICE).is_some()
}

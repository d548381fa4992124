//! Events that the fold reads, by what they are to it: not all are read in every run.

/// Rows that tell of streamed items, besides the deltas themselves.
pub const ITEMS: [&str; 9] = [
    "response.output_text.done",
    "response.reasoning_summary_text.done",
    "response.reasoning_text.done",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.done",
    "response.output_item.added",
    "response.output_item.done",
    "claude.content_block_start",
    "claude.content_block_stop",
];

/// The deltas.
pub const DELTAS: [&str; 6] = [
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "claude.content_block_delta",
];

/// The same deltas once more, of Codex.
pub const TWINS: [&str; 3] =
    ["turn.response.delta", "turn.agent_message.delta", "turn.reasoning.delta"];

/// Rows that end a turn, and with it what twins alone tell of.
pub const ENDS: [&str; 2] = ["turn.response.completed", "turn.response.aborted"];

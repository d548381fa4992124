//! `mcp_calls`: a call of an MCP tool.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "mcp_calls",
    about: "a call of an MCP tool",
    sources: "turn.mcp_tool_call.begin and .end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "server", "tool", "state", "ok", "duration_ms"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(McpCalls),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field(
        "state",
        Shape::OneOf(&["ended", "never_ended", "end_only"]),
        "which of its rows are there",
    ),
    field("server", Shape::Text, "the MCP server"),
    field("tool", Shape::Text, "the tool"),
    field("args", Shape::Json, "the arguments"),
    field("ok", Shape::Bool, "whether it went well"),
    field("error", Shape::Text, "what went wrong"),
    field("result_bytes", Shape::Count, "bytes of the result, as JSON"),
    field("duration_ms", Shape::Integer, "milliseconds that it took"),
    field("t_end", Shape::Time, "when it ended"),
];

struct McpCalls;

impl Mode for McpCalls {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `tool_calls`: a tool call with its arguments.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_calls",
    about: "a tool call with its arguments",
    sources: "logs of both agents; captured requests where no log tells the call",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "kind", "name", "status"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(ToolCalls),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("kind", Shape::Text, "shell, mcp, patch, function, custom, web_search or tool"),
    field("name", Shape::Text, "the tool's name"),
    field("args", Shape::Json, "the arguments, if they are JSON"),
    field("args_text", Shape::Text, "the arguments as text, if they are not JSON"),
    field("args_bytes", Shape::Count, "bytes of the arguments"),
    field("complete", Shape::Bool, "whether the arguments are whole"),
    field("status", Shape::Text, "how the call ended: the state that alog-calls gives it"),
    field("t_end", Shape::Time, "when its result came"),
    field("source", Shape::OneOf(&["log", "request"]), "where it was found"),
];

struct ToolCalls;

impl Mode for ToolCalls {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

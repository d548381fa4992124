//! `tool_results`: what a tool call gave back to the model.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_results",
    about: "what a tool call gave back to the model",
    sources: "logs of both agents; captured requests where no log tells the result",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "name", "ok", "exit_code", "bytes"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(ToolResults),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("name", Shape::Text, "the tool's name, if its call is known"),
    field("kind", Shape::Text, "the kind of the call, if it is known"),
    field("ok", Shape::Bool, "whether it went well; null if nothing tells"),
    field("exit_code", Shape::Integer, "exit code of a command"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("duration_ms", Shape::Integer, "milliseconds that it took, as the log says"),
    field("truncated", Shape::Bool, "whether the writer cut it short"),
    field(
        "text",
        Shape::Text,
        "the text that the model was given; parts that are no text are left out",
    ),
    field("source", Shape::OneOf(&["log", "request"]), "where it was found"),
];

struct ToolResults;

impl Mode for ToolResults {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `transcript`: a paragraph of what was said and done, for people to read.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "transcript",
    about: "a paragraph of what was said and done, for people to read",
    sources: "logs of both agents",
    own: OWN,
    key: &["src", "role"],
    table: &["t", "provider", "sid", "role", "name", "text"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::new(Transcript),
};

const OWN: &[Field] = &[
    field(
        "role",
        Shape::OneOf(&["user", "assistant", "thinking", "tool", "tool_result", "event"]),
        "who or what speaks",
    ),
    field("name", Shape::Text, "the tool, or the event"),
    field("call_id", Shape::Text, "what names the call"),
    field("text", Shape::Text, "the paragraph"),
];

struct Transcript;

impl Mode for Transcript {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

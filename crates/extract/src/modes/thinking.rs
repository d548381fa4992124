//! `thinking`: reasoning that can be read.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "thinking",
    about: "reasoning that can be read",
    sources: "SSE logs, transcripts, rollouts",
    own: OWN,
    key: &["sid", "item_id", "text"],
    table: &["t", "provider", "sid", "item_id", "bytes", "text"],
    takes: Takes { deltas: true, left_out: true, selected: false },
    make: |_| Box::new(Thinking),
};

const OWN: &[Field] = &[
    field("item_id", Shape::Text, "what names it: item, or request and block"),
    field("source", Shape::OneOf(&["stream", "item", "transcript"]), "where it was found"),
    field(
        "status",
        Shape::Text,
        "the status that alog-deltas gives what was streamed; null of others",
    ),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the text"),
];

struct Thinking;

impl Mode for Thinking {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

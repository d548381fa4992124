//! `reasoning_presence`: reasoning that was there, whether it can be read or not.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "reasoning_presence",
    about: "reasoning that was there, whether it can be read or not",
    sources: "SSE logs, transcripts, rollouts, captured requests",
    own: OWN,
    key: &["sid", "item_id"],
    table: &["t", "provider", "sid", "item_id", "source", "text_bytes", "encrypted_bytes"],
    takes: Takes { deltas: true, left_out: false, selected: false },
    make: |_| Box::new(ReasoningPresence),
};

const OWN: &[Field] = &[
    field("item_id", Shape::Text, "what names it: item, or request and block"),
    field(
        "source",
        Shape::OneOf(&["stream", "item", "request", "transcript"]),
        "where it was found",
    ),
    field("has_text", Shape::Bool, "whether some of it can be read"),
    field("text_bytes", Shape::Count, "bytes that can be read"),
    field("summaries", Shape::Count, "summaries that it has"),
    field("encrypted_bytes", Shape::Count, "bytes of its encrypted content, as sent"),
    field("signature_bytes", Shape::Count, "bytes of its signature"),
];

struct ReasoningPresence;

impl Mode for ReasoningPresence {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

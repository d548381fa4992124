//! `system_prompts`: a system prompt, or a block of one, once for each text and session.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "system_prompts",
    about: "a system prompt, or a block of one, once for each text and session",
    sources: "captured requests, turn_context, session_meta",
    own: OWN,
    key: &["sid", "sha256", "role"],
    table: &["t", "provider", "sid", "role", "block", "bytes", "uses", "text"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(SystemPrompts),
};

const OWN: &[Field] = &[
    field("role", Shape::OneOf(&["system", "developer", "instructions"]), "how it was given"),
    field("block", Shape::Count, "place among the blocks, from 0"),
    field("sha256", Shape::Text, "SHA-256 of the text, in hex"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the text"),
    field("uses", Shape::Count, "how many requests or rows held it"),
    field("t_last", Shape::Time, "when it was told last"),
];

struct SystemPrompts;

impl Mode for SystemPrompts {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

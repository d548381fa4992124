//! `reminders_policies`: a block or line by which agent or user rules the model, once for each text and session.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "reminders_policies",
    about: "a block or line by which agent or user rules the model, once for each text and session",
    sources: "captured requests, transcripts, rollouts",
    own: OWN,
    key: &["sid", "sha256"],
    table: &["t", "provider", "sid", "rule", "tag", "found_in", "bytes", "uses", "text"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(RemindersPolicies),
};

const OWN: &[Field] = &[
    field(
        "rule",
        Shape::OneOf(&["block", "heading", "line"]),
        "what marks it: a tag around it, a known heading, or a word in capitals in a line of a system prompt",
    ),
    field("tag", Shape::Text, "the tag, the heading, or the word"),
    field(
        "found_in",
        Shape::OneOf(&["system", "user", "tool_result", "instructions"]),
        "the text that holds it",
    ),
    field(
        "item",
        Shape::Count,
        "place of the message that holds it among those of its request, from 0; null if it is none",
    ),
    field("sha256", Shape::Text, "SHA-256 of the text, in hex"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the block or line"),
    field("uses", Shape::Count, "how often it was found"),
    field("t_last", Shape::Time, "when it was found last"),
];

struct RemindersPolicies;

impl Mode for RemindersPolicies {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `assistant_messages`: something the agent said, whole.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "assistant_messages",
    about: "something the agent said, whole",
    sources: "logs of both agents",
    own: OWN,
    key: &["sid", "item_id", "text"],
    table: &["t", "provider", "sid", "phase", "bytes", "text"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(AssistantMessages),
};

const OWN: &[Field] = &[
    field("phase", Shape::OneOf(&["interim", "final"]), "whether it ended its turn"),
    field("item_id", Shape::Text, "what names the message"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "what was said"),
    field("session_turn", Shape::Count, "ordinal of the turn's prompt in its session, from 1"),
];

struct AssistantMessages;

impl Mode for AssistantMessages {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `event_counts`: how many rows an event has, and whether the counts fit each other.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "event_counts",
    about: "how many rows an event has, and whether the counts fit each other",
    sources: "all logs",
    own: OWN,
    key: &["kind", "provider", "name"],
    table: &["provider", "kind", "name", "rows", "bytes", "ok"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::new(EventCounts),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["event", "expectation"]), "whether rows are counted or compared"),
    field("name", Shape::Text, "the event, or what is expected"),
    field("rows", Shape::Count, "rows of the event, or what was counted"),
    field("expected", Shape::Count, "what was expected"),
    field("ok", Shape::Bool, "whether that is so"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("sessions", Shape::Count, "sessions with such rows"),
    field("t_last", Shape::Time, "when the last was written"),
];

struct EventCounts;

impl Mode for EventCounts {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

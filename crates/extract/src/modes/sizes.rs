//! `sizes`: the largest rows, sizes by event, and what a limit on the size would save.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "sizes",
    about: "the largest rows, sizes by event, and what a limit on the size would save",
    sources: "all logs",
    own: OWN,
    key: &["kind", "event", "cap_bytes", "rank"],
    table: &["kind", "rank", "event", "rows", "bytes", "p50_bytes", "p99_bytes", "max_bytes"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::new(Sizes),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["row", "event", "cap"]), "a large row, an event, or a limit"),
    field("rank", Shape::Count, "place among the largest, from 1"),
    field("event", Shape::Text, "the event"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of them"),
    field("p50_bytes", Shape::Count, "median size of a row"),
    field("p90_bytes", Shape::Count, "90th percentile"),
    field("p99_bytes", Shape::Count, "99th percentile"),
    field("max_bytes", Shape::Count, "the largest"),
    field("cap_bytes", Shape::Count, "the limit"),
    field("saved_bytes", Shape::Count, "what it would save"),
];

struct Sizes;

impl Mode for Sizes {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

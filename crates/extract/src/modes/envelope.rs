//! `envelope`: a form in which rows of SSE logs are written.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "envelope",
    about: "a form in which rows of SSE logs are written",
    sources: "SSE logs",
    own: OWN,
    key: &["ver", "keys"],
    table: &["t", "provider", "ver", "generation", "rows", "keys"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::new(Envelope),
};

const OWN: &[Field] = &[
    field(
        "generation",
        Shape::OneOf(&["G0", "G1", "G2", "G3", "G3'", "G4", "other"]),
        "the generation of writers that has this order of keys",
    ),
    field("keys", Shape::Text, "the keys in their order, joined by commas"),
    field(
        "missing",
        Shape::Json,
        "keys of the generation before metadata and round that rows lack: those of event, t, line, flow_id, data_count, sid",
    ),
    field("events", Shape::Count, "how many kinds of events are written so"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("p50_bytes", Shape::Count, "median size of a row"),
    field("p95_bytes", Shape::Count, "95th percentile of the sizes"),
    field("max_bytes", Shape::Count, "the largest row"),
    field("t_last", Shape::Time, "when the last was written"),
];

struct Envelope;

impl Mode for Envelope {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

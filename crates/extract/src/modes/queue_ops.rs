//! `queue_ops`: a prompt that was queued, and what became of it.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "queue_ops",
    about: "a prompt that was queued, and what became of it",
    sources: "claude.queue_operation, queue-operation in transcripts",
    own: OWN,
    key: &["sid", "text", "t"],
    table: &["t", "provider", "sid", "state", "waited_ms", "text"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::new(QueueOps),
};

const OWN: &[Field] = &[
    field("text", Shape::Text, "what was typed"),
    field("state", Shape::OneOf(&["queued", "dequeued", "removed", "popped"]), "what became of it"),
    field("t_end", Shape::Time, "when that was"),
    field("waited_ms", Shape::Integer, "how long it waited"),
];

struct QueueOps;

impl Mode for QueueOps {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

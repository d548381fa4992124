//! `plans`: a plan of the agent, each time it changed.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "plans",
    about: "a plan of the agent, each time it changed",
    sources: "turn.plan_update, calls of update_plan, calls of TodoWrite",
    own: OWN,
    key: &["sid", "explanation", "steps"],
    table: &["t", "provider", "sid", "pending", "in_progress", "completed", "explanation"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(Plans),
};

const OWN: &[Field] = &[
    field("explanation", Shape::Text, "why it changed"),
    field("steps", Shape::Json, "the steps: {step, status}"),
    field("pending", Shape::Count, "steps not begun"),
    field("in_progress", Shape::Count, "steps begun"),
    field("completed", Shape::Count, "steps done"),
    field(
        "source",
        Shape::OneOf(&["plan_update", "update_plan", "TodoWrite"]),
        "where it was told",
    ),
];

struct Plans;

impl Mode for Plans {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `sessions`: what a process did in a session.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "sessions",
    about: "what a process did in a session",
    sources: "all logs",
    own: OWN,
    key: &["sid", "pid"],
    table: &["t", "provider", "sid", "pid", "t_end", "prompts", "rounds", "rows", "end"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::new(Sessions),
};

const OWN: &[Field] = &[
    field("t_end", Shape::Time, "when its last row was written"),
    field("resumed", Shape::Bool, "whether the session was there before; null if nothing tells"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("rounds", Shape::Count, "rounds"),
    field("prompts", Shape::Count, "prompts"),
    field("turns_completed", Shape::Count, "turns that ended as they should"),
    field("turns_aborted", Shape::Count, "turns that were aborted"),
    field("models", Shape::Json, "the models that were named, in order"),
    field("cwds", Shape::Json, "the working directories that were named, in order"),
    field(
        "end",
        Shape::OneOf(&["shutdown", "session_end", "idle", "open"]),
        "how it ends: what its last rows tell",
    ),
    field("end_reason", Shape::Text, "the reason that is told"),
];

struct Sessions;

impl Mode for Sessions {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `rounds`: a round of the writer, and what is wrong with it.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "rounds",
    about: "a round of the writer, and what is wrong with it",
    sources: "SSE logs",
    own: OWN,
    key: &["sid", "pid", "round"],
    table: &["t", "provider", "sid", "round", "rows", "prompts", "ends", "violations"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::new(Rounds),
};

const OWN: &[Field] = &[
    field("t_last", Shape::Time, "when its last row was written"),
    field("minted", Shape::Time, "the time inside the round's UUID"),
    field("rows", Shape::Count, "rows"),
    field("prompts", Shape::Count, "prompts"),
    field("ends", Shape::Count, "ends of turns"),
    field("idles", Shape::Count, "idle events"),
    field("turn_ids", Shape::Json, "the submission ids in it"),
    field(
        "violations",
        Shape::Json,
        "codes of what is wrong: no_prompt, two_prompts, two_ends, early, late, two_sessions, not_a_uuid7",
    ),
];

struct Rounds;

impl Mode for Rounds {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

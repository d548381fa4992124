//! `user_prompts`: something the user said, with what was added around it taken off.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "user_prompts",
    about: "something the user said, with what was added around it taken off",
    sources: "logs of both agents; captured requests where a session has no log",
    own: OWN,
    key: &["sid", "text", "t"],
    table: &["t", "provider", "sid", "kind", "text"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(UserPrompts),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["prompt", "queued", "command"]), "how it was given"),
    field("text", Shape::Text, "what was typed, without blocks that the agent added"),
    field("images", Shape::Count, "how many images came with it"),
    field("injected", Shape::Bool, "whether it was not typed but put in by the agent"),
    field("reminders", Shape::Count, "how many blocks that the agent added were taken off"),
    field("source", Shape::OneOf(&["log", "request"]), "where it was found"),
    field("session_turn", Shape::Count, "ordinal of the prompt in its session, from 1"),
];

struct UserPrompts;

impl Mode for UserPrompts {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `config`: the settings of an agent, once for each that differ.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "config",
    about: "the settings of an agent, once for each that differ",
    sources: "captured requests, turn.session_configured, turn_context",
    own: OWN,
    key: &["sid", "hash"],
    table: &["t", "provider", "sid", "model", "source", "uses", "changed"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(Config),
};

const OWN: &[Field] = &[
    field(
        "source",
        Shape::OneOf(&["request", "session_configured", "turn_context"]),
        "where the settings were told first",
    ),
    field("hash", Shape::Text, "what names these settings: 16 hex digits of SHA-256"),
    field("config", Shape::Json, "the settings, without prompts, tools and messages"),
    field(
        "changed",
        Shape::Json,
        "what differs from the settings of the session before: for each key [before, now]; null for the first",
    ),
    field("uses", Shape::Count, "how often they were told"),
    field("t_last", Shape::Time, "when they were told last"),
];

struct Config;

impl Mode for Config {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

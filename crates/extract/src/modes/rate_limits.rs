//! `rate_limits`: a limit of the account, each time it changed.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "rate_limits",
    about: "a limit of the account, each time it changed",
    sources: "turn.token_count, codex.token_count, token_count in rollouts",
    own: OWN,
    key: &["provider", "window", "used_percent", "resets_at"],
    table: &["t", "provider", "sid", "window", "used_percent", "window_minutes", "resets_at"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::new(RateLimits),
};

const OWN: &[Field] = &[
    field("window", Shape::OneOf(&["primary", "secondary"]), "which limit"),
    field("used_percent", Shape::Number, "how much of it is used up"),
    field("window_minutes", Shape::Count, "how long its window is"),
    field("resets_at", Shape::Time, "when it starts anew"),
    field("plan_type", Shape::Text, "the plan of the account"),
    field("rows", Shape::Count, "rows in a row that told the same"),
    field("t_last", Shape::Time, "when it was told last"),
];

struct RateLimits;

impl Mode for RateLimits {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

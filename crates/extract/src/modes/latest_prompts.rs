//! `latest_prompts`: a prompt of the user, as alog-prompts gives it.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "latest_prompts",
    about: "a prompt of the user, as alog-prompts gives it",
    sources: "as alog-prompts",
    own: agentlog::record::PROMPT.own,
    key: &["sid", "text", "t"],
    table: &["t", "provider", "sid", "kind", "text"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(LatestPrompts),
};

struct LatestPrompts;

impl Mode for LatestPrompts {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

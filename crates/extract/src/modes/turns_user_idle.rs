//! `turns_user_idle`: a turn from the user's prompt to the agent's idle event.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "turns_user_idle",
    about: "a turn from the user's prompt to the agent's idle event",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "idle_t", "prompt"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(TurnsUserIdle),
};

struct TurnsUserIdle;

impl Mode for TurnsUserIdle {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

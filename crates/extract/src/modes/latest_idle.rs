//! `latest_idle`: a turn after which the agent was idle; its time is that of the idle event.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "latest_idle",
    about: "a turn after which the agent was idle; its time is that of the idle event",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "prompt"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(LatestIdle),
};

struct LatestIdle;

impl Mode for LatestIdle {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `turns_user_assistant`: a turn from the user's prompt to the agent's last reply.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "turns_user_assistant",
    about: "a turn from the user's prompt to the agent's last reply",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "prompt", "reply"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(TurnsUserAssistant),
};

struct TurnsUserAssistant;

impl Mode for TurnsUserAssistant {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `turns_user_idle`: a turn from the user's prompt to the agent's idle event.
//!
//! All turns as `alog-turns` gives them: those whose idle event is missing are there with `idle_t`
//! null, since the missing ones are what people look for.

use crate::modes::folded::TurnRecords;
use crate::{Info, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "turns_user_idle",
    about: "a turn from the user's prompt to the agent's idle event",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "idle_t", "prompt"],
    // Of Claude's SSE logs only deltas tell what was said.
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::new(TurnRecords::new(&INFO, |_| true, |turn| turn.t)),
};

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, turn};
    use serde_json::json;

    #[test]
    fn turns_with_and_without_their_idle() {
        let rows = [
            turn(0, "turn.user_message", "1", &json!({"message": "go"})),
            turn(900, "turn.response.completed", "1", &json!({"last_agent_message": "done"})),
            turn(950, "codex.idle", "1", &json!({})),
            turn(5000, "turn.user_message", "2", &json!({"message": "on"})),
            turn(6000, "turn.response.aborted", "2", &json!({"reason": "interrupted"})),
            claude(7000, &json!({"type": "user_prompt", "prompt": "hi", "message_uuid": "u"})),
        ];
        let found = records("turns_user_idle", &rows);
        let told: Vec<_> = found.iter().map(|turn| (&turn["status"], &turn["idle_t"])).collect();
        let idle = json!("2026-01-01T00:00:00.950Z");
        assert_eq!(
            told,
            [
                (&json!("completed"), &idle),
                (&json!("aborted"), &json!(null)),
                (&json!("open"), &json!(null)),
            ]
        );
        assert_eq!(found[0]["t_end"], "2026-01-01T00:00:00.900Z");
    }
}

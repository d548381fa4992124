//! `latest_idle`: a turn after which the agent was idle; its time is that of the idle event.
//!
//! The turns of `alog-turns` whose `idle_t` is known. The record starts from the prompt's row; only
//! its time is that of the idle event, so that the latest ones are the last.

use crate::modes::folded::TurnRecords;
use crate::{Info, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "latest_idle",
    about: "a turn after which the agent was idle; its time is that of the idle event",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "prompt"],
    // Of Claude's SSE logs only deltas tell what was said.
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::new(TurnRecords::new(&INFO, |turn| turn.idle_t.is_some(), |turn| turn.idle_t)),
};

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, turn};
    use serde_json::json;

    #[test]
    fn a_turn_is_there_when_its_idle_is_known_and_at_its_time() {
        let rows = [
            turn(0, "turn.user_message", "1", &json!({"message": "go"})),
            turn(900, "turn.response.completed", "1", &json!({"last_agent_message": "done"})),
            turn(950, "codex.idle", "1", &json!({})),
            turn(5000, "turn.user_message", "2", &json!({"message": "stop"})),
            turn(6000, "turn.response.aborted", "2", &json!({"reason": "interrupted"})),
        ];
        let found = records("latest_idle", &rows);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["t"], "2026-01-01T00:00:00.950Z");
        assert_eq!(found[0]["idle_t"], found[0]["t"]);
        assert_eq!((&found[0]["prompt"], &found[0]["line"]), (&json!("go"), &json!(1)));
    }

    #[test]
    fn claude_is_idle_when_it_stops() {
        let rows = [
            claude(0, &json!({"type": "user_prompt", "prompt": "go", "message_uuid": "u"})),
            claude(700, &json!({"type": "stop", "is_subagent": false})),
        ];
        let found = records("latest_idle", &rows);
        assert_eq!(found[0]["t"], "2026-01-01T00:00:00.700Z");
    }
}

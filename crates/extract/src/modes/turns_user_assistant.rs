//! `turns_user_assistant`: a turn from the user's prompt to the agent's last reply.
//!
//! All turns as `alog-turns` gives them, `reply` null where the agent said nothing that is whole.

use crate::modes::folded::TurnRecords;
use crate::{Info, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "turns_user_assistant",
    about: "a turn from the user's prompt to the agent's last reply",
    sources: "as alog-turns",
    own: agentlog::record::TURN.own,
    key: &["sid", "session_turn"],
    table: &["t", "provider", "sid", "session_turn", "status", "prompt", "reply"],
    // Of Claude's SSE logs only deltas tell what was said.
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::new(TurnRecords::new(&INFO, |_| true, |turn| turn.t)),
};

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, turn};
    use serde_json::{Value, json};

    fn delta(ms: i64, text: &str) -> String {
        let delta = json!({"type": "text_delta", "text": text});
        claude(
            ms,
            &json!({"type": "content_block_delta", "index": 0, "delta": delta, "request_id": "r"}),
        )
    }

    #[test]
    fn the_last_reply_of_a_turn() {
        let rows = [
            turn(0, "turn.user_message", "1", &json!({"message": "go"})),
            turn(400, "turn.agent_message", "1", &json!({"message": "looking"})),
            turn(800, "turn.agent_message", "1", &json!({"message": "done"})),
            turn(900, "turn.response.completed", "1", &json!({"last_agent_message": "done"})),
            turn(5000, "turn.user_message", "2", &json!({"message": "on"})),
        ];
        let found = records("turns_user_assistant", &rows);
        assert_eq!((&found[0]["prompt"], &found[0]["reply"]), (&json!("go"), &json!("done")));
        assert_eq!((&found[0]["replies"], &found[1]["reply"]), (&json!(2), &Value::Null));
    }

    #[test]
    fn claude_says_it_in_deltas() {
        let rows = [
            claude(0, &json!({"type": "user_prompt", "prompt": "go", "message_uuid": "u"})),
            delta(10, "do"),
            delta(20, "ne"),
            claude(30, &json!({"type": "message_stop", "request_id": "r"})),
            claude(40, &json!({"type": "stop", "is_subagent": false})),
        ];
        assert_eq!(records("turns_user_assistant", &rows)[0]["reply"], "done");
    }

    #[test]
    fn a_transcript_tells_the_same() {
        let row = |t: &str, kind: &str, message: Value| {
            json!({"type": kind, "uuid": t, "sessionId": "c", "timestamp": t, "message": message})
                .to_string()
        };
        let said = json!({"id": "m", "content": [{"type": "text", "text": "done"}]});
        let rows = [
            row("2026-01-01T00:00:00.000Z", "user", json!({"role": "user", "content": "go"})),
            row("2026-01-01T00:00:01.000Z", "assistant", said),
        ];
        let found = records("turns_user_assistant", &rows);
        assert_eq!((&found[0]["prompt"], &found[0]["reply"]), (&json!("go"), &json!("done")));
    }
}

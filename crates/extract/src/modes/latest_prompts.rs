//! `latest_prompts`: a prompt of the user, as alog-prompts gives it.
//!
//! Slash commands are left out, as `alog-prompts` does unless it is asked for them: `user_prompts`
//! has them.

use agentlog::event::What;
use agentlog::fold::Fold;
use agentlog::fold::prompts::{Kind, Prompt, Prompts};

use crate::modes::folded::of_prompt;
use crate::{Info, Mode, Record, Row, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "latest_prompts",
    about: "a prompt of the user, as alog-prompts gives it",
    sources: "as alog-prompts",
    own: agentlog::record::PROMPT.own,
    key: &["sid", "text", "t"],
    table: &["t", "provider", "sid", "kind", "text"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<LatestPrompts>::default(),
};

#[derive(Default)]
struct LatestPrompts {
    prompts: Prompts,
    found: Vec<Prompt>,
}

impl LatestPrompts {
    fn give(&mut self, out: &mut Vec<Record>) {
        let typed = self.found.drain(..).filter(|prompt| prompt.kind != Kind::Command);
        out.extend(typed.map(|prompt| of_prompt(&INFO, prompt)));
    }
}

impl Mode for LatestPrompts {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if matches!(row.event.what, What::Prompt(_) | What::Queue(_)) {
            self.prompts.feed(row.event, &mut self.found);
            self.give(out);
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.prompts.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.prompts.finish(&mut self.found);
        self.give(out);
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, turn};
    use serde_json::json;

    #[test]
    fn prompts_of_both_agents_each_once() {
        let queue = |ms: i64, operation: &str, content: &str| {
            claude(
                ms,
                &json!({"type": "queue_operation", "operation": operation, "content": content}),
            )
        };
        let rows = [
            turn(
                0,
                "turn.user_message",
                "1",
                &json!({"message": "go\nYour agent Id is: s", "images": []}),
            ),
            turn(3, "codex.user_prompt", "1", &json!({"text": "go"})),
            claude(10, &json!({"type": "user_prompt", "prompt": "hi", "message_uuid": "u"})),
            claude(11, &json!({"type": "user_prompt", "prompt": "hi", "message_uuid": "u"})),
            queue(20, "enqueue", "wait"),
            queue(30, "remove", ""),
        ];
        let found = records("latest_prompts", &rows);
        let told: Vec<_> = found.iter().map(|one| (&one["kind"], &one["text"])).collect();
        let (prompt, queued) = (json!("prompt"), json!("queued"));
        let (go, hi, wait) = (json!("go"), json!("hi"), json!("wait"));
        assert_eq!(told, [(&prompt, &go), (&prompt, &hi), (&queued, &wait)]);
        assert_eq!((&found[0]["images"], &found[0]["session_turn"]), (&json!(0), &json!(1)));
    }

    #[test]
    fn slash_commands_are_none() {
        let row = |uuid: &str, content: &str| {
            let message = json!({"role": "user", "content": content});
            json!({"type": "user", "uuid": uuid, "sessionId": "c", "timestamp": "2026-01-01T00:00:00Z", "message": message})
                .to_string()
        };
        let rows = [
            row("a", "<command-name>/cost</command-name><command-args></command-args>"),
            row("b", "hi"),
        ];
        let found = records("latest_prompts", &rows);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["text"], "hi");
    }
}

//! How a Claude turn begins, and the prompts that are typed while it runs.

use super::Claude;
use crate::fault::Fault;
use crate::scribe::Said;
use serde_json::json;

impl Claude {
    pub(super) fn open_turn(&mut self) {
        let ordinal = self.session_turn as usize - 1;
        let settings = self.pen.settings.clone();
        let text = settings.prompt(ordinal, &mut self.pen.prng);
        if self.pen.on(Fault::QueueDequeued) {
            self.queue("enqueue", &text, None);
            self.pen.tick(5, 300);
            self.queue("dequeue", "", None);
            self.pen.tick(1, 20);
            self.turn.start = self.pen.ms;
        }
        let minted = self.pen.prng.uuid7(self.pen.ms);
        let old = std::mem::replace(&mut self.round, minted);
        let flow = if self.pen.on(Fault::FlowIdle) { "idle" } else { "unknown" };
        self.flow = flow.into();
        self.turn.prompt.clone_from(&text);
        let mut payload = json!({"prompt": text, "mode": "prompt"});
        if !self.pen.on(Fault::DoubledPromptNoUuid) {
            payload["message_uuid"] = json!(self.pen.prng.uuid4());
        }
        let mut row = self.draft("user_prompt", payload);
        if self.pen.on(Fault::RoundOffByOne) {
            row = row.round(&old);
        }
        let said = Said { kind: "prompt", text, session_turn: Some(self.session_turn) };
        self.pen.put_as(row.clone(), 0, Some(said));
        if self.pen.on(Fault::DoubledPrompt) || self.pen.on(Fault::DoubledPromptNoUuid) {
            self.pen.tick(10, 80);
            self.pen.put(row);
        }
    }

    /// What the user types while the agent works.
    pub(super) fn typed_meanwhile(&mut self) {
        let settings = self.pen.settings.clone();
        let note = settings.addition(&mut self.pen.prng);
        self.pen.tick(5, 300);
        if self.pen.once(Fault::QueuedPrompt) {
            let said = Said { kind: "queued", text: note.clone(), session_turn: None };
            self.queue("enqueue", &note, Some(said));
            self.pen.tick(50, 2500);
            self.queue("remove", &note, None);
        } else if self.pen.once(Fault::QueuePopped) {
            self.queue("enqueue", &note, None);
            self.pen.tick(50, 900);
            self.queue("enqueue", &format!("{note}, please"), None);
            self.pen.tick(50, 900);
            self.queue("popAll", "", None);
        }
    }

    fn queue(&mut self, operation: &str, content: &str, said: Option<Said>) {
        let payload = json!({"operation": operation, "content": content});
        let row = self.draft("queue_operation", payload);
        self.pen.put_as(row, 0, said);
    }
}

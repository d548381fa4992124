//! How a turn begins: the round, the start of the task, the prompt's row and its mirrors.

use super::Codex;
use crate::fault::Fault;
use crate::row::Row;
use crate::scribe::Said;
use crate::spelling::MetadataForm;
use serde_json::{Value, json};

/// A session that no log has.
const FOREIGN: &str = "019a0000-0000-7000-8000-00000000f0f0";

impl Codex {
    pub(super) fn open_turn(&mut self) {
        let ordinal = self.session_turn as usize - 1;
        let settings = self.pen.settings.clone();
        let text = settings.prompt(ordinal, &mut self.pen.prng);
        if self.pen.on(Fault::LegacyPromptTwin) {
            self.attached = false;
            self.legacy_row(&text, None);
            self.pen.tick(300, 300);
            self.turn.start = self.pen.ms;
        }
        self.new_round();
        let text = match self.pen.fault {
            Some(Fault::ForeignAgentId) => format!("{text}\nYour agent Id is: {FOREIGN}"),
            _ => text,
        };
        let sent = if self.attached {
            format!("{text}\nYour agent Id is: {}", self.sid)
        } else {
            text.clone()
        };
        self.attached = false;
        self.turn.prompt.clone_from(&text);
        self.task_started();
        let said = self.said("prompt", &text);
        if self.pen.on(Fault::LegacyPrompt) {
            self.legacy_row(&text, Some(said));
        } else {
            self.prompt_row(&sent, said);
            self.mirrors(&sent);
        }
        self.injected(&sent);
        if self.pen.on(Fault::LegacyPromptTwin) {
            self.pen.tick(500, 500);
            self.legacy_row(&text, None);
        }
    }

    /// A new turn id, and a new round unless the writer forgot it.
    fn new_round(&mut self) {
        if self.pen.on(Fault::TailNewRound) {
            let round = self.pen.prng.uuid7(self.pen.ms);
            let diff = json!({"unified_diff": "--- a\n+++ b\n"});
            let row = self.row("turn.diff", diff).round(&round);
            self.pen.put(row);
            self.old_round = std::mem::replace(&mut self.round, round);
        } else if !self.pen.on(Fault::SharedRound) {
            let round = self.pen.prng.uuid7(self.pen.ms);
            self.old_round = std::mem::replace(&mut self.round, round);
        }
        self.turn_id += self.pen.prng.range(1, 2);
    }

    fn task_started(&mut self) {
        let row = self.row("turn.task_started", json!({"model_context_window": 258_400}));
        let old = self.pen.on(Fault::TaskStartedOldRound);
        let row = if old { row.round(&self.old_round) } else { row };
        self.pen.put(row);
    }

    fn said(&self, kind: &'static str, text: &str) -> Said {
        let session_turn = (kind == "prompt").then_some(self.session_turn);
        Said { kind, text: text.into(), session_turn }
    }

    fn prompt_row(&mut self, sent: &str, said: Said) {
        let event = "turn.user_message";
        let row = match self.pen.fault {
            Some(Fault::PromptPayloadText) => self.row(event, json!(sent)),
            Some(Fault::PromptPayloadNested) => {
                self.row(event, json!({"message": {"content": sent}}))
            }
            Some(Fault::RandomTurnId) => {
                let random = self.pen.prng.uuid4();
                self.row(event, json!({"message": sent, "images": []})).turn_id(&random)
            }
            _ => self.row(event, json!({"message": sent, "images": []})),
        };
        let late_us = if self.pen.on(Fault::PromptAfterFollowers) { 400 } else { 0 };
        self.pen.put_as(row, late_us, Some(said));
    }

    fn legacy_row(&mut self, text: &str, said: Option<Said>) {
        let row = self.row("codex.user_prompt", json!({"text": text}));
        self.pen.put_as(row, 0, said);
    }

    /// A further prompt inside the open turn.
    pub(super) fn steer(&mut self) {
        self.pen.tick(50, 900);
        let settings = self.pen.settings.clone();
        let text = settings.addition(&mut self.pen.prng);
        let said = self.said("queued", &text);
        let row = self.row("turn.user_message", json!({"message": text, "images": []}));
        self.pen.put_as(row, 0, Some(said));
        self.pen.tick(5, 50);
    }

    fn mirrors(&mut self, sent: &str) {
        if self.brief() {
            return;
        }
        let content = json!([{"type": "text", "text": sent}]);
        let id = self.pen.prng.id("u", 8);
        let item = json!({"type": "UserMessage", "id": id, "content": content});
        for event in ["turn.item.started", "turn.item.completed"] {
            self.item_row(event, &item);
        }
    }

    /// A row of an item's life, with the thread and the turn that it belongs to.
    pub(super) fn item_row(&mut self, event: &str, item: &Value) {
        let turn_id = self.turn_id.to_string();
        self.turn_row(event, json!({"thread_id": self.sid, "turn_id": turn_id, "item": item}));
    }

    /// What is sent to the model in the user's name: no prompts.
    fn injected(&mut self, sent: &str) {
        if self.brief() {
            return;
        }
        let here =
            format!("<environment_context>\n<cwd>{}</cwd>\n</environment_context>", self.cwd);
        for text in [&here, sent] {
            let content = json!([{"type": "input_text", "text": text}]);
            let item = json!({"type": "message", "role": "user", "content": content});
            self.turn_row("turn.raw_response_item", json!({"item": item}));
        }
    }

    pub(super) fn broken_metadata(&mut self, row: Row) {
        let form = self.pen.settings.spelling.metadata;
        self.pen.settings.spelling.metadata = MetadataForm::Broken;
        self.pen.put(row);
        self.pen.settings.spelling.metadata = form;
    }
}

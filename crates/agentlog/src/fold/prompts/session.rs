//! What the fold of prompts holds open for one session.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::queue::PromptQueue;
use super::{Kind, Prompt, TWIN_MS};
use crate::event::{Head, PromptForm, Src};
use crate::fold::Used;
use crate::json::Text;

/// How soon a Claude prompt without an id may be logged again, in milliseconds.
const AGAIN_MS: i64 = 500;

/// How many prompts of a session are compared with the next.
const LATELY: usize = 256;

/// Why the older form of a Codex prompt is dropped.
pub(super) const TWIN: &str = "said by turn.user_message too";

/// Why an item of a rollout is no prompt.
pub(super) const ITEM: &str = "said by user_message too";

/// What a session holds open.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Session {
    prompts: u64,
    /// The last event of a rollout that told a prompt: items tell none then.
    event: Option<Src>,
    /// Records in order of their rows; the first waits for its twin.
    line: VecDeque<Held>,
    /// What was told lately.
    lately: VecDeque<Told>,
    /// For each process: the turn that its last prompt opened.
    #[serde(serialize_with = "crate::state::sorted_map")]
    turn: HashMap<Option<i64>, String>,
    /// What was typed while the agent was busy.
    pub queue: PromptQueue,
}

/// A prompt that was told, as far as later rows may repeat it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub t: Option<i64>,
    pub form: PromptForm,
    /// What was typed, if the row lets it be read: what cannot be read repeats nothing.
    pub text: Option<Text>,
    pub src: Src,
}

impl Told {
    fn is_repeated_by(&self, later: &Self, within_ms: i64) -> bool {
        let near = match (self.t, later.t) {
            (Some(a), Some(b)) => (a - b).abs() <= within_ms,
            _ => true,
        };
        near && self.text.is_some() && self.text == later.text
    }
}

#[derive(Debug, Serialize, Deserialize, Clone)]
struct Held {
    record: Prompt,
    told: Told,
}

impl Held {
    /// The time until which a twin may still replace the record.
    fn until(&self) -> Option<i64> {
        let waits = matches!(self.told.form, PromptForm::CodexPrompt | PromptForm::CodexItem);
        self.told.t.filter(|_| waits).map(|t| t + TWIN_MS)
    }
}

impl Session {
    /// The record that said the same before, and why the row is dropped.
    pub fn told_before(&mut self, told: &Told) -> Option<(Src, &'static str)> {
        if let Some(now) = told.t {
            let old = |t: &Told| t.t.is_some_and(|t| now - t > TWIN_MS);
            // Rows without a time, or ahead of it, must not pile up.
            while self.lately.front().is_some_and(old) || self.lately.len() > LATELY {
                self.lately.pop_front();
            }
        }
        let (form, within, how) = match told.form {
            PromptForm::CodexMessage => return None,
            PromptForm::CodexPrompt => (PromptForm::CodexMessage, TWIN_MS, TWIN),
            form @ (PromptForm::Claude | PromptForm::Transcript) => {
                (form, AGAIN_MS, "said again within 500 ms")
            }
            PromptForm::CodexEvent => {
                self.event = Some(told.src);
                return None;
            }
            PromptForm::CodexItem => return self.event.map(|src| (src, ITEM)),
        };
        let repeats = |t: &&Told| t.form == form && t.is_repeated_by(told, within);
        self.lately.iter().find(repeats).map(|t| (t.src, how))
    }

    /// A `turn.user_message` came: the rows that hold its older form are dropped.
    pub fn drop_twins(&mut self, told: &Told) -> Vec<Used> {
        let mut dropped = Vec::new();
        self.line.retain(|held| {
            let twin = match (told.form, held.told.form) {
                (PromptForm::CodexMessage, PromptForm::CodexPrompt) => {
                    held.told.is_repeated_by(told, TWIN_MS).then_some(TWIN)
                }
                // The same prompt, though images and the editor's words may be told otherwise.
                (PromptForm::CodexEvent, PromptForm::CodexItem) => Some(ITEM),
                _ => None,
            };
            dropped.extend(twin.map(|how| Used { src: held.told.src, how }));
            twin.is_none()
        });
        dropped
    }

    /// A further prompt with the open turn's id is steering; a slash command is told by its tag,
    /// and its text is what was typed for it.
    pub fn kind_of(
        &mut self,
        head: &Head,
        form: PromptForm,
        text: Option<&Text>,
    ) -> (Kind, Option<Text>) {
        let turn = match form {
            PromptForm::CodexMessage => head.numeric_turn_id(),
            PromptForm::CodexEvent => head.turn_id.as_deref(),
            _ => None,
        };
        if let Some(turn) = turn {
            let open = self.turn.insert(head.pid, turn.to_owned());
            let steers = open.as_deref() == Some(turn);
            return (if steers { Kind::Queued } else { Kind::Prompt }, None);
        }
        let of_claude = matches!(form, PromptForm::Claude | PromptForm::Transcript);
        match text.filter(|_| of_claude).and_then(command) {
            Some(command) => (Kind::Command, Some(command)),
            None => (Kind::Prompt, None),
        }
    }

    /// Takes a record, behind those that wait.
    pub fn take(&mut self, record: Prompt, told: Told) {
        self.lately.push_back(told.clone());
        self.line.push_back(Held { record, told });
    }

    /// Whether a record waits.
    pub fn holds(&self) -> bool {
        !self.line.is_empty()
    }

    /// Whether the record of that row waits.
    pub fn holds_row(&self, src: Src) -> bool {
        self.line.iter().any(|held| held.record.src == src)
    }

    /// Gives out what waits no longer: at time `now`, or if it never waited.
    pub fn release(&mut self, now: Option<i64>, out: &mut Vec<Prompt>) {
        while let Some(held) = self.line.front() {
            if held.until().is_some_and(|until| now.is_none_or(|now| now <= until)) {
                return;
            }
            let Some(Held { mut record, .. }) = self.line.pop_front() else { return };
            if record.kind == Kind::Prompt {
                self.prompts += 1;
                record.session_turn = Some(self.prompts);
            }
            out.push(record);
        }
        // Sessions are many, and most hold nothing.
        self.line = VecDeque::new();
    }

    /// Notes a dropped row with the record of row `of`, if that is still here.
    pub fn note(&mut self, of: Src, used: Used, out: &mut [Prompt]) {
        let waiting = self.line.iter_mut().map(|held| &mut held.record);
        let record = waiting.chain(out.iter_mut()).find(|record| record.src == of);
        if let Some(record) = record.filter(|record| !record.rows.is_empty()) {
            record.rows.push(used);
        }
    }
}

/// What was typed for a slash command, if the text is one.
fn command(text: &Text) -> Option<Text> {
    let text = text.to_str_lossy();
    if !text.starts_with("<command-name>") && !text.starts_with("<command-message>") {
        return None;
    }
    let tag = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim().to_owned())
    };
    let name = tag("command-name").unwrap_or_default();
    let args = tag("command-args").unwrap_or_default();
    Some(Text::from([name, args].join(" ").trim()))
}

//! The texts by which a request or a row instructs the model.

use serde_json::Value;

use crate::{Asked, Facts, Form};

/// A text that instructs the model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction<'v> {
    /// `system`, `developer`, `instructions`.
    pub role: &'static str,
    /// Its place among the texts of its role, from 0.
    pub block: usize,
    /// The place of the message that holds it; none if it is none.
    pub item: Option<usize>,
    /// The text.
    pub text: &'v str,
}

/// Those of a request: `system`, `instructions`, and messages or items of the roles `system` and
/// `developer`.
pub(super) fn of_request(asked: &Asked) -> Vec<Instruction<'_>> {
    let mut list = List::default();
    list.add("system", None, asked.body.get("system"));
    list.add("instructions", None, asked.body.get("instructions"));
    for (i, item) in asked.conversation().iter().enumerate() {
        let role = match item.get("role").and_then(Value::as_str) {
            Some("system") => "system",
            Some("developer") => "developer",
            _ => continue,
        };
        list.add(role, Some(i), item.get("content"));
    }
    list.found
}

/// Those of a row of a rollout: what a session starts with, and what a turn adds.
pub(super) fn of_row(facts: &Facts) -> Vec<Instruction<'_>> {
    let mut list = List::default();
    if facts.form != Form::Rollout {
        return list.found;
    }
    // The first row of an old rollout has no payload around it.
    let payload = facts.payload.get("payload").unwrap_or(&facts.payload);
    match &*facts.name {
        "session_meta" => {
            list.add("instructions", None, payload.get("base_instructions"));
            list.add("instructions", None, payload.get("instructions"));
        }
        "turn_context" => {
            list.add("instructions", None, payload.get("base_instructions"));
            list.add("instructions", None, payload.get("user_instructions"));
            list.add("developer", None, payload.get("developer_instructions"));
            let mode = payload.get("collaboration_mode").and_then(|mode| mode.get("settings"));
            list.add("developer", None, mode.and_then(|mode| mode.get("developer_instructions")));
        }
        _ => {}
    }
    list.found
}

#[derive(Default)]
struct List<'v> {
    found: Vec<Instruction<'v>>,
    /// How many there are of each role.
    counts: [usize; 3],
}

impl<'v> List<'v> {
    /// Adds the texts of a value: a string, `{text}`, or a list of blocks. Blocks without a text
    /// have a place all the same.
    fn add(&mut self, role: &'static str, item: Option<usize>, content: Option<&'v Value>) {
        match content {
            Some(Value::Array(blocks)) => {
                for block in blocks {
                    self.text(role, item, text_of(block));
                }
            }
            Some(Value::Null) | None => {}
            Some(one) => self.text(role, item, text_of(one)),
        }
    }

    fn text(&mut self, role: &'static str, item: Option<usize>, text: Option<&'v str>) {
        let count = &mut self.counts[match role {
            "system" => 0,
            "developer" => 1,
            _ => 2,
        }];
        let block = *count;
        *count += 1;
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.found.push(Instruction { role, block, item, text });
        }
    }
}

/// The text of a block: itself, or what its `text` says.
pub(super) fn text_of(block: &Value) -> Option<&str> {
    block.as_str().or_else(|| block.get("text")?.as_str())
}

//! `system_prompts`: a system prompt, or a block of one, once for each text and session.
//!
//! A request tells its `system` and `instructions`, and its messages or items of the roles `system`
//! and `developer`; a rollout tells `base_instructions` and `instructions` of `session_meta`, and
//! `base_instructions`, `user_instructions` and `developer_instructions` of `turn_context`. Each block
//! of a list is a text of its own, and so is each part of a message. Requests that are no calls
//! (titles, token counts, other hosts) tell none.
//!
//! A text is told once for each session and role. `block` is its place among the texts of its role
//! where it was told first; `uses` counts the requests and rows that held it, one again and again for
//! each time that it stands in them.

use agentlog::record::{Field, Shape};

use super::instructions::{Instruction, of_request, of_row};
use super::prints::print;
use crate::tools::{Tallies, Tally, or_null, sha256};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "system_prompts",
    about: "a system prompt, or a block of one, once for each text and session",
    sources: "captured requests, turn_context, session_meta",
    own: OWN,
    key: &["sid", "sha256", "role"],
    table: &["t", "provider", "sid", "role", "block", "bytes", "uses", "text"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<SystemPrompts>::default(),
};

const OWN: &[Field] = &[
    field("role", Shape::OneOf(&["system", "developer", "instructions"]), "how it was given"),
    field("block", Shape::Count, "place among the blocks, from 0"),
    field("sha256", Shape::Text, "SHA-256 of the text, in hex"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the text"),
    field("uses", Shape::Count, "how many requests or rows held it"),
    field("t_last", Shape::Time, "when it was told last"),
];

#[derive(Default)]
struct SystemPrompts {
    known: Tallies<u64, Prompt>,
}

struct Prompt {
    role: &'static str,
    block: usize,
    text: Box<str>,
}

impl Mode for SystemPrompts {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let sid = row.event.head.sid.as_deref();
        for Instruction { role, block, text, .. } in told_in(row) {
            let key = print(sid, (role, text));
            self.known.told(key, row.event, || Prompt { role, block, text: text.into() });
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let values = |known: &Tally<Prompt>| {
            let Prompt { role, block, text } = &known.what;
            vec![
                (*role).into(),
                (*block).into(),
                sha256(&**text).into(),
                text.len().into(),
                (&**text).into(),
                known.uses.into(),
                or_null(known.t_last),
            ]
        };
        self.known.records(&INFO, values, out);
    }
}

/// The texts by which a row instructs the model.
pub(super) fn told_in<'r>(row: &Row<'r>) -> Vec<Instruction<'r>> {
    match (row.asked(), row.facts) {
        (Some((asked, _)), _) if asked.is_call() && !asked.is_aside() => of_request(asked),
        (None, Some(facts)) => of_row(facts),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{records, request};
    use crate::tools::sha256;
    use serde_json::{Value, json};

    fn found(rows: &[String]) -> Vec<(Value, Value, Value, Value)> {
        let get = |r: &Value, key: &str| r[key].clone();
        let found = records("system_prompts", rows);
        found
            .iter()
            .map(|r| (get(r, "role"), get(r, "block"), get(r, "text"), get(r, "uses")))
            .collect()
    }

    #[test]
    fn blocks_of_claude() {
        let ask = |ms, second: &str| {
            request(
                ms,
                "messages",
                &json!({"system": [{"type": "text", "text": "You are"}, {"type": "text", "text": second}], "messages": []}),
            )
        };
        let rows = [ask(0, "one"), ask(1, "two"), ask(2, "one")];
        let expected = [(0, "You are", 3), (1, "one", 2), (1, "two", 1)];
        let expected = expected.map(|(b, t, u)| (json!("system"), json!(b), json!(t), json!(u)));
        assert_eq!(found(&rows), expected);
        let record = &records("system_prompts", &rows)[1];
        assert_eq!((&record["sha256"], &record["bytes"]), (&json!(sha256("one")), &json!(3)));
        assert_eq!(
            (&record["line"], &record["t_last"]),
            (&json!(1), &json!("2026-01-01T00:00:00.002Z"))
        );
    }

    #[test]
    fn instructions_and_developer_items_of_codex() {
        let body = json!({"instructions": "base", "input": [
            {"role": "developer", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
            {"role": "user", "content": "u"},
            {"role": "system", "content": "base"},
        ]});
        let rows = [request(0, "responses", &body), request(1, "responses", &body)];
        let expected = [
            ("system", 0, "base"),
            ("instructions", 0, "base"),
            ("developer", 0, "a"),
            ("developer", 1, "b"),
        ];
        let mut all = found(&rows);
        all.sort_by_key(|(role, ..)| {
            ["system", "instructions", "developer"].iter().position(|r| *r == role)
        });
        assert_eq!(all, expected.map(|(r, b, t)| (json!(r), json!(b), json!(t), json!(2))));
    }

    #[test]
    fn rollouts() {
        let row = |kind: &str, payload: Value| {
            json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": kind, "payload": payload})
                .to_string()
        };
        let rows = [
            row("session_meta", json!({"id": "s", "base_instructions": {"text": "base"}})),
            row(
                "turn_context",
                json!({"user_instructions": "user", "collaboration_mode": {"settings": {"developer_instructions": "dev"}}}),
            ),
        ];
        let expected = [("instructions", "base"), ("instructions", "user"), ("developer", "dev")];
        assert_eq!(found(&rows), expected.map(|(r, t)| (json!(r), json!(0), json!(t), json!(1))));
        let old =
            json!({"id": "s", "timestamp": "2026-01-01T00:00:00.000Z", "instructions": "old"});
        assert_eq!(found(&[old.to_string()])[0].2, "old");
    }

    #[test]
    fn what_cannot_be_read_tells_none() {
        let title = request(0, "messages", &json!({"system": "Write a title", "messages": []}));
        let odd =
            request(1, "messages", &json!({"system": [1, {"text": 2}, null, ""], "messages": "x"}));
        assert!(found(&[title, odd]).is_empty());
    }
}

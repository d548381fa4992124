//! `reminders_policies`: a block or line by which agent or user rules the model, once for each text and session.
//!
//! What is read: the texts by which a call instructs the model (`found_in` is `instructions` for those
//! of that name, `system` for the roles system and developer), the user's messages in it, and what
//! tools gave back; the same of the rows of transcripts (`user`) and rollouts (`session_meta`,
//! `turn_context`, messages and outputs). Requests that are no calls tell none.
//!
//! * `block`: `<tag>…</tag>` of a tag that agents write (the list below, and all that end in
//!   `instructions`), and in a developer's text any tag that it begins with. Blocks inside a block are a
//!   part of it. A block that is not closed ends with its text. A tag right behind a backtick is only
//!   spoken of. In what tools gave back only `system-reminder` counts: files are full of tags.
//! * `heading`: from `# AGENTS.md instructions for …` to the end of the `<INSTRUCTIONS>` behind it, else
//!   of the text. `tag` is `AGENTS.md instructions`.
//! * `line`: a line of a system prompt, developer's text or instructions outside of all blocks, with
//!   IMPORTANT, NEVER or MUST as a whole word; `tag` is the first of them, `text` the line without the
//!   space around it.
//!
//! A text is told once for each session. `uses` counts each message that is new in its session and
//! holds it (requests repeat their history), and each request or row whose instructions hold it.

use std::collections::HashMap;

use agentlog::event::Event;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::instructions::text_of;
use super::prints::print;
use super::system_prompts::told_in;
use crate::tools::{Tallies, Tally, or_null, sha256};
use crate::{Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "reminders_policies",
    about: "a block or line by which agent or user rules the model, once for each text and session",
    sources: "captured requests, transcripts, rollouts",
    own: OWN,
    key: &["sid", "sha256"],
    table: &["t", "provider", "sid", "rule", "tag", "found_in", "bytes", "uses", "text"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<RemindersPolicies>::default(),
};

const OWN: &[Field] = &[
    field(
        "rule",
        Shape::OneOf(&["block", "heading", "line"]),
        "what marks it: a tag around it, a known heading, or a word in capitals in a line of a system prompt",
    ),
    field("tag", Shape::Text, "the tag, the heading, or the word"),
    field(
        "found_in",
        Shape::OneOf(&["system", "user", "tool_result", "instructions"]),
        "the text that holds it",
    ),
    field(
        "item",
        Shape::Count,
        "place of the message that holds it among those of its request, from 0; null if it is none",
    ),
    field("sha256", Shape::Text, "SHA-256 of the text, in hex"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("text", Shape::Text, "the block or line"),
    field("uses", Shape::Count, "how often it was found"),
    field("t_last", Shape::Time, "when it was found last"),
];

#[derive(Default)]
struct RemindersPolicies {
    known: Tallies<u64, Rule>,
    /// What was found in texts of instructions: the keys of their rules. Requests repeat them.
    read: HashMap<u64, Vec<u64>, FixedState>,
}

/// What rules the model.
struct Rule {
    mark: &'static str,
    tag: Box<str>,
    found_in: &'static str,
    item: Option<usize>,
    text: Box<str>,
}

/// A rule in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found<'t> {
    mark: &'static str,
    tag: &'t str,
    text: &'t str,
}

/// Who wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    System,
    Developer,
    Instructions,
    User,
    Tool,
}

/// Tags that agents put around what rules the model.
const TAGS: &[&str] = &[
    "system-reminder",
    "system_reminder",
    "environment_context",
    "INSTRUCTIONS",
    "turn_aborted",
    "skill",
    "collaboration_mode",
    "personality_spec",
    "model_switch",
    "goal_context",
    "hook_prompt",
    "recommended_plugins",
    "image_resize_notice",
    "subagent_notification",
    "user-prompt-submit-hook",
    "session-start-hook",
    "user-memory-input",
    "env",
    "policy",
    "policies",
    "rules",
    "important",
    "guidelines",
];

const HEADING: &str = "# AGENTS.md instructions for ";
const WORDS: [&str; 3] = ["IMPORTANT", "NEVER", "MUST"];

/// How many texts of instructions are remembered.
const TEXTS: usize = 4096;

impl Mode for RemindersPolicies {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        for told in told_in(row) {
            let is_fresh = match (told.item, row.place) {
                (Some(item), Some(place)) => place.fresh.get(item) == Some(&true),
                _ => true,
            };
            let voice = match told.role {
                "system" => Voice::System,
                "developer" => Voice::Developer,
                _ => Voice::Instructions,
            };
            if is_fresh {
                self.instruction(row.event, voice, told.item, told.text);
            }
        }
        if let Some((asked, place)) = row.asked() {
            let items = asked.conversation().iter().zip(&place.fresh).enumerate();
            for (i, (item, _)) in items.filter(|(_, (_, fresh))| **fresh) {
                self.item(row.event, Some(i), item);
            }
        } else if let Some(facts) = row.facts {
            match facts.form {
                Form::Transcript if &*facts.name == "user" => {
                    let message = facts.payload.get("message").unwrap_or(&Value::Null);
                    self.item(row.event, None, message);
                }
                Form::Rollout if facts.name.starts_with("response_item") => {
                    // The items of old rollouts have nothing around them.
                    let item = facts.payload.get("payload").unwrap_or(&facts.payload);
                    self.item(row.event, None, item);
                    if item.get("role").and_then(Value::as_str) == Some("developer") {
                        each_text(item.get("content"), &mut |text| {
                            self.rules(row.event, Voice::Developer, None, text);
                        });
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let values = |known: &Tally<Rule>| {
            let Rule { mark, tag, found_in, item, text } = &known.what;
            vec![
                (*mark).into(),
                (&**tag).into(),
                (*found_in).into(),
                or_null(*item),
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

impl RemindersPolicies {
    /// Takes a text of instructions. One that was read before need not be read again.
    fn instruction(&mut self, event: &Event<'_>, voice: Voice, item: Option<usize>, text: &str) {
        let of = print(event.head.sid.as_deref(), (voice as u8, text));
        if let Some(keys) = self.read.get(&of) {
            for key in keys {
                // They are known: nothing is made.
                self.known.told(*key, event, || Rule {
                    mark: "",
                    tag: "".into(),
                    found_in: "",
                    item: None,
                    text: "".into(),
                });
            }
            return;
        }
        let keys = self.rules(event, voice, item, text);
        if self.read.len() >= TEXTS {
            self.read.clear();
        }
        self.read.insert(of, keys);
    }

    /// Takes a message or item of a conversation: what the user says, and what tools gave back.
    fn item(&mut self, event: &Event<'_>, item: Option<usize>, message: &Value) {
        let text = |key| message.get(key).and_then(Value::as_str).unwrap_or_default();
        let content = message.get("content");
        match (text("role"), text("type")) {
            ("tool", _) => self.texts(event, Voice::Tool, item, content),
            ("user", _) => {
                for block in content.and_then(Value::as_array).into_iter().flatten() {
                    if block.get("type").and_then(Value::as_str) == Some("tool_result") {
                        self.texts(event, Voice::Tool, item, block.get("content"));
                    }
                }
                self.texts(event, Voice::User, item, content);
            }
            (_, kind) if kind.ends_with("_output") => {
                self.texts(event, Voice::Tool, item, message.get("output"));
            }
            _ => {}
        }
    }

    fn texts(
        &mut self,
        event: &Event<'_>,
        voice: Voice,
        item: Option<usize>,
        content: Option<&Value>,
    ) {
        each_text(content, &mut |text| {
            self.rules(event, voice, item, text);
        });
    }

    /// Takes the rules of a text; returns their keys.
    fn rules(
        &mut self,
        event: &Event<'_>,
        voice: Voice,
        item: Option<usize>,
        text: &str,
    ) -> Vec<u64> {
        let found_in = match voice {
            Voice::System | Voice::Developer => "system",
            Voice::Instructions => "instructions",
            Voice::User => "user",
            Voice::Tool => "tool_result",
        };
        let tell = |Found { mark, tag, text }: Found<'_>| {
            let key = print(event.head.sid.as_deref(), text);
            let make = || Rule { mark, tag: tag.into(), found_in, item, text: text.into() };
            self.known.told(key, event, make);
            key
        };
        rules_in(voice, text).into_iter().map(tell).collect()
    }
}

/// Visits the texts of a content: a string, or blocks with texts.
fn each_text<'v>(content: Option<&'v Value>, visit: &mut dyn FnMut(&'v str)) {
    match content {
        Some(Value::String(text)) => visit(text),
        Some(Value::Array(blocks)) => blocks.iter().filter_map(text_of).for_each(visit),
        _ => {}
    }
}

/// The rules in a text, in their order.
fn rules_in(voice: Voice, text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut closed_at = HashMap::new();
    while let Some((start, end, mark, tag)) = next_block(voice, text, at, &mut closed_at) {
        lines_in(voice, &text[at..start], &mut found);
        found.push(Found { mark, tag, text: text[start..end].trim_end() });
        at = end;
    }
    lines_in(voice, &text[at..], &mut found);
    found
}

/// How many tags of a text are looked for.
const MOST_TAGS: usize = 64;

/// Where a tag is closed next, by tag: so that tags that are opened a thousand times and never
/// closed are looked for once.
type Closed<'t> = HashMap<&'t str, Option<usize>>;

/// The next block or heading of a text from a place on: its start and end, what marks it, its tag.
fn next_block<'t>(
    voice: Voice,
    text: &'t str,
    from: usize,
    closed_at: &mut Closed<'t>,
) -> Option<(usize, usize, &'static str, &'t str)> {
    const HEADING_TAG: &str = "AGENTS.md instructions";
    for (i, _) in text[from..].match_indices(['<', '#']) {
        let start = from + i;
        let rest = &text[start..];
        if rest.starts_with(HEADING) && voice != Voice::Tool {
            let open = rest.find("<INSTRUCTIONS>").map(|i| start + i);
            let end = open.and_then(|open| close_of("INSTRUCTIONS", text, open, closed_at));
            return Some((start, end.unwrap_or(text.len()), "heading", HEADING_TAG));
        }
        let Some(tag) = tag_of(rest).filter(|_| !text[..start].ends_with('`')) else { continue };
        let begins = voice == Voice::Developer && text[..start].trim().is_empty();
        let counts = match voice {
            Voice::Tool => tag == "system-reminder",
            _ => TAGS.contains(&tag) || tag.ends_with("instructions") || begins,
        };
        if !counts {
            continue;
        }
        match close_of(tag, text, start, closed_at) {
            Some(end) => return Some((start, end, "block", tag)),
            // A word in angles in the middle of a line opens nothing unless it is closed.
            None if text[..start].ends_with('\n') || start == 0 => {
                return Some((start, text.len(), "block", tag));
            }
            None => {}
        }
    }
    None
}

/// The end of the block that a tag opens at a place: behind the `</tag>` that is its own, if the
/// tag is opened and closed inside it as often, else behind the first.
fn close_of<'t>(tag: &'t str, text: &'t str, from: usize, known: &mut Closed<'t>) -> Option<usize> {
    const DEEPEST: usize = 64;
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let next = |from: usize| text[from..].find(&close).map(|i| from + i + close.len());
    if known.len() >= MOST_TAGS && !known.contains_key(tag) {
        return None;
    }
    if known.get(tag).is_none_or(|end| end.is_some_and(|end| end <= from)) {
        known.insert(tag, next(from));
    }
    let first = known.get(tag).copied().flatten()?;
    let (mut depth, mut inside, mut end) = (0, from + 1, first);
    for _ in 0..DEEPEST {
        depth += text[inside..end].matches(&open).count();
        if depth == 0 {
            return Some(end);
        }
        depth -= 1;
        let Some(further) = next(end) else { break };
        (inside, end) = (end, further);
    }
    Some(first)
}

/// The tag that a text opens with: `<name>`, `<name key="…">`, and names of two words.
fn tag_of(text: &str) -> Option<&str> {
    const LONGEST: usize = 200;
    let inside = text.strip_prefix('<')?;
    let end = inside.bytes().take(LONGEST).position(|b| b == b'>')?;
    let inside = &inside[..end];
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b' '))
    };
    if inside.ends_with(" instructions") && is_name(inside) {
        return Some(inside);
    }
    let name = inside.split(' ').next()?;
    is_name(name).then_some(name)
}

/// The lines that rule, if the text is one that instructs.
fn lines_in<'t>(voice: Voice, text: &'t str, found: &mut Vec<Found<'t>>) {
    if matches!(voice, Voice::User | Voice::Tool) {
        return;
    }
    for line in text.lines() {
        if let Some(tag) = word_in(line) {
            found.push(Found { mark: "line", tag, text: line.trim() });
        }
    }
}

/// The first of the words in capitals that stands in a line.
fn word_in(line: &str) -> Option<&str> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let at = |word: &str| {
        let stands = |(i, _): &(usize, &str)| {
            !line[..*i].ends_with(is_letter) && !line[i + word.len()..].starts_with(is_letter)
        };
        Some((line.match_indices(word).find(stands)?.0, word.len()))
    };
    let (start, len) = WORDS.iter().filter_map(|word| at(word)).min()?;
    Some(&line[start..start + len])
}

#[cfg(test)]
mod tests {
    use super::{Voice, rules_in};
    use crate::given::{records, request};
    use crate::tools::sha256;
    use serde_json::{Value, json};

    fn rules(voice: Voice, text: &str) -> Vec<Value> {
        rules_in(voice, text).iter().map(|r| json!([r.mark, r.tag, r.text])).collect()
    }

    #[test]
    fn blocks_and_lines_of_a_system_prompt() {
        let text = "You are.\n  IMPORTANT: do. \nUNIMPORTANT\n<env>\nYou MUST\n</env> you MUST NEVER\n<example>x</example>";
        let expected = [
            json!(["line", "IMPORTANT", "IMPORTANT: do."]),
            json!(["block", "env", "<env>\nYou MUST\n</env>"]),
            json!(["line", "MUST", "you MUST NEVER"]),
        ];
        assert_eq!(rules(Voice::System, text), expected);
    }

    #[test]
    fn tags() {
        let reminder = "<system-reminder>a</system-reminder>";
        for (voice, text, expected) in [
            (
                Voice::User,
                "x <system-reminder>a</system-reminder> NEVER",
                vec![json!(["block", "system-reminder", reminder])],
            ),
            (Voice::User, "see <env> and `<policy>`", vec![]),
            (Voice::User, "see `<policy>p</policy>`", vec![]),
            (
                Voice::User,
                "<environment_context>\n<cwd>/w",
                vec![json!(["block", "environment_context", "<environment_context>\n<cwd>/w"])],
            ),
            (
                Voice::User,
                "<skill><env>a</env></skill>",
                vec![json!(["block", "skill", "<skill><env>a</env></skill>"])],
            ),
            (
                Voice::User,
                "<permissions instructions>p</permissions instructions>",
                vec![json!([
                    "block",
                    "permissions instructions",
                    "<permissions instructions>p</permissions instructions>"
                ])],
            ),
            (
                Voice::Tool,
                "<env>a</env><system-reminder>a</system-reminder>",
                vec![json!(["block", "system-reminder", reminder])],
            ),
            (
                Voice::Developer,
                "<other>a</other>",
                vec![json!(["block", "other", "<other>a</other>"])],
            ),
            (Voice::User, "<other>a</other>", vec![]),
            (
                Voice::User,
                "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nYou MUST\n</INSTRUCTIONS>\nbye",
                vec![json!([
                    "heading",
                    "AGENTS.md instructions",
                    "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nYou MUST\n</INSTRUCTIONS>"
                ])],
            ),
            (
                Voice::User,
                "# AGENTS.md instructions for /w\nall",
                vec![json!([
                    "heading",
                    "AGENTS.md instructions",
                    "# AGENTS.md instructions for /w\nall"
                ])],
            ),
        ] {
            assert_eq!(rules(voice, text), expected, "{text}");
        }
    }

    #[test]
    fn blocks_inside_blocks_of_the_same_tag() {
        let whole = "<env>a `<env>b</env>` <env>c</env> d</env>";
        let found = rules(Voice::User, &format!("{whole} e</env>"));
        assert_eq!(found, [json!(["block", "env", whole])]);
        let open = rules(Voice::User, "<env>a <env>b</env> c");
        assert_eq!(open, [json!(["block", "env", "<env>a <env>b</env>"])]);
    }

    #[test]
    fn hostile_texts_are_read_in_time() {
        let opened = "<env> é<".repeat(100_000);
        assert_eq!(rules(Voice::System, &opened).len(), 1);
        let nested = "<env><env></env>".repeat(50_000);
        assert_eq!(rules(Voice::User, &nested).len(), 50_000);
        let many: Vec<_> = (0..100_000).map(|i| format!("x <t{i}_instructions>")).collect();
        let many = many.join(" ");
        assert_eq!(rules(Voice::User, &many), Vec::<Value>::new());
    }

    #[test]
    fn requests_repeat_their_history() {
        let reminder = "<system-reminder>be brief</system-reminder>";
        let user = json!({"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": "hi"}]});
        let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": format!("out\n{reminder}")}]}]});
        let system = json!([{"type": "text", "text": "You MUST"}]);
        let rows = [
            request(0, "messages", &json!({"system": system, "messages": [user]})),
            request(
                1,
                "messages",
                &json!({"system": system, "messages": [user, {"role": "assistant", "content": reminder}, result]}),
            ),
        ];
        let found = records("reminders_policies", &rows);
        assert_eq!(found.len(), 2);
        let expected = json!({
            "t": "2026-01-01T00:00:00.000Z", "provider": "claude", "sid": "c", "pid": 1, "rule": "block",
            "tag": "system-reminder", "found_in": "user", "item": 0, "sha256": sha256(reminder),
            "bytes": reminder.len(), "text": reminder, "uses": 2, "t_last": "2026-01-01T00:00:00.001Z", "line": 1,
        });
        assert_eq!(found[1], expected);
        assert_eq!(
            (&found[0]["rule"], &found[0]["uses"], &found[0]["item"]),
            (&json!("line"), &json!(2), &json!(null))
        );
    }

    #[test]
    fn items_of_codex() {
        let part = |text: &str| json!([{"type": "input_text", "text": text}]);
        let body = json!({"instructions": "NEVER", "input": [
            {"type": "message", "role": "developer", "content": part("<permissions instructions>p</permissions instructions>")},
            {"type": "message", "role": "user", "content": part("<environment_context>e</environment_context>")},
            {"type": "function_call_output", "call_id": "c", "output": "<system-reminder>r</system-reminder>"},
        ]});
        let found = records(
            "reminders_policies",
            &[request(0, "responses", &body), request(1, "responses", &body)],
        );
        let shown: Vec<_> =
            found.iter().map(|r| json!([r["tag"], r["found_in"], r["item"], r["uses"]])).collect();
        let expected = [
            json!(["NEVER", "instructions", null, 2]),
            json!(["permissions instructions", "system", 0, 1]),
            json!(["environment_context", "user", 1, 1]),
            json!(["system-reminder", "tool_result", 2, 1]),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn rows_of_transcripts_and_rollouts() {
        let t = "2026-01-01T00:00:00.000Z";
        let rows = [
            json!({"timestamp": t, "type": "user", "uuid": "u", "sessionId": "t", "message": {"role": "user", "content": "<system-reminder>a</system-reminder>"}}),
            json!({"timestamp": t, "type": "session_meta", "payload": {"id": "s", "base_instructions": {"text": "You MUST"}}}),
            json!({"timestamp": t, "type": "response_item", "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<turn_aborted>x</turn_aborted>"}]}}),
            json!({"timestamp": t, "type": "response_item", "payload": {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<apps_instructions>x</apps_instructions>"}]}}),
        ];
        let found = records("reminders_policies", &rows.map(|row| row.to_string()));
        let shown: Vec<_> =
            found.iter().map(|r| json!([r["tag"], r["found_in"], r["item"]])).collect();
        let expected = [
            json!(["system-reminder", "user", null]),
            json!(["MUST", "instructions", null]),
            json!(["turn_aborted", "user", null]),
            json!(["apps_instructions", "system", null]),
        ];
        assert_eq!(shown, expected);
    }
}

//! `transcript`: a paragraph of what was said and done, for people to read.
//!
//! What is told, each once: prompts (those of `alog-prompts`, slash commands too); what the agent says
//! and thinks; tool calls, by the tool's name and the argument that tells most, in one line; what tools
//! gave back, by its first ten lines; ends of turns and of sessions.
//!
//! Several rows of Codex tell one text (`response.output_item.done`, `turn.raw_response_item`,
//! `turn.agent_message`): a row tells a paragraph if its kind told the text more often than any other
//! kind did before. So do `agent_reasoning` and the reasoning items of a rollout, part by part. Claude's
//! SSE logs tell texts, thinking and arguments by deltas alone: they are put together as `alog-deltas`
//! does it. Of Codex's streams only those are told that were cut off. A call
//! and its result are told once for each id, whichever row tells it first. Rows of sub-agents are left
//! out where the log marks them: the call that started them and its result are there.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use agentlog::event::{
    Block, BlockKind, Event, Execution, Head, Item, ItemKind, ItemPhase, Phase, Session, Src,
    StreamKind, Tool, Turn, What,
};
use agentlog::fold::Fold;
use agentlog::fold::deltas::{Delta, Deltas, Status};
use agentlog::fold::prompts::{Prompt, Prompts};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use crate::tools::{or_null, text_at};
use crate::{Facts, Form, Info, Mode, Record, Redact, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "transcript",
    about: "a paragraph of what was said and done, for people to read",
    sources: "logs of both agents",
    own: OWN,
    key: &["sid", "t", "role", "call_id", "text"],
    table: &["t", "provider", "sid", "role", "name", "text"],
    takes: Takes { deltas: true, left_out: false, select: Select::Records },
    make: |options| {
        Box::new(Transcript { redact: options.redact.clone(), ..Transcript::default() })
    },
};

const OWN: &[Field] = &[
    field(
        "role",
        Shape::OneOf(&["user", "assistant", "thinking", "tool", "tool_result", "event"]),
        "who or what speaks",
    ),
    field("name", Shape::Text, "the tool, or the event"),
    field("call_id", Shape::Text, "what names the call"),
    field("text", Shape::Text, "the paragraph"),
];

/// How many calls, and how many texts of a session, are remembered to be told once.
const REMEMBERED: usize = 4096;
/// How many texts of a session are compared with what other rows tell.
const LATELY: usize = 64;
/// How many lines of a result are told, and how many characters.
const RESULT: (usize, usize) = (10, 1000);
/// How many characters of an argument are told.
const ARGUMENT: usize = 300;

/// The rows that tell a text of Codex.
#[derive(Clone, Copy)]
enum Teller {
    Said,
    Done,
    Raw,
    Streamed,
}

/// A text of a session: how often each kind of row told it, and how often it was given out.
struct Heard {
    hash: u64,
    told: [u32; 4],
    given: u32,
}

/// Texts that were told lately in a session.
#[derive(Default)]
struct Lately(VecDeque<Heard>);

impl Lately {
    /// Whether a row tells something that no other kind of row told before.
    fn is_new(&mut self, hash: u64, teller: Teller) -> bool {
        let at = self.0.iter().position(|heard| heard.hash == hash);
        let at = at.unwrap_or_else(|| {
            if self.0.len() >= LATELY {
                self.0.pop_front();
            }
            self.0.push_back(Heard { hash, told: [0; 4], given: 0 });
            self.0.len() - 1
        });
        let Some(heard) = self.0.get_mut(at) else { return true };
        let told = &mut heard.told[teller as usize];
        *told += 1;
        let is_new = *told > heard.given;
        heard.given = heard.given.max(*told);
        is_new
    }
}

/// A call that was told.
#[derive(Default)]
struct Call {
    name: Option<String>,
    called: bool,
    answered: bool,
}

/// The calls that were told lately, by their ids.
#[derive(Default)]
struct Calls {
    known: HashMap<u64, Call, FixedState>,
    order: VecDeque<u64>,
}

impl Calls {
    fn of(&mut self, sid: Option<&str>, id: &str) -> &mut Call {
        let key = FixedState::with_seed(0).hash_one((sid, id));
        if !self.known.contains_key(&key) {
            if self.order.len() >= REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(key);
        }
        self.known.entry(key).or_default()
    }
}

/// Where a paragraph starts.
struct Place {
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
}

impl Place {
    fn of(event: &Event<'_>) -> Self {
        Self { t: event.t, src: event.src, head: Arc::clone(event.head) }
    }
}

#[derive(Default)]
struct Transcript {
    prompts: Prompts,
    deltas: Deltas,
    found: Vec<Prompt>,
    streamed: Vec<Delta>,
    texts: HashMap<Option<String>, Lately, FixedState>,
    calls: Calls,
    /// Secrets are hashed before texts are cut: a part of one would not be known for one.
    redact: Option<Arc<Redact>>,
}

impl Mode for Transcript {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        if event.left_out.is_some() || event.head.agent.is_some() {
            return;
        }
        match event.what {
            What::Prompt(_) | What::Queue(_) => self.prompts.feed(event, &mut self.found),
            What::Delta(_) | What::Done(_) | What::Block(_) => {
                self.block_begins(event);
                self.deltas.feed(event, &mut self.streamed);
            }
            What::Item(item) => {
                self.deltas.feed(event, &mut self.streamed);
                self.hear(out);
                self.item(event, item, row.facts, out);
            }
            What::Said(text) => {
                let text = lossy(event.bytes(*text));
                self.say(Place::of(event), "assistant", Teller::Said, &text, out);
            }
            What::Message(message) if !message.sub_agent => {
                if let Some(text) = message.text {
                    give(Place::of(event), "assistant", None, None, &lossy(event.bytes(text)), out);
                }
            }
            What::ToolUse(tool) => {
                let [id, name, input] = [tool.call_id, tool.name, tool.input]
                    .map(|span| span.map(|span| lossy(event.bytes(span))));
                self.call(Place::of(event), id, name, input.as_deref(), out);
            }
            What::Execution(run) if run.phase == Phase::Begin => self.begin(event, run, row, out),
            What::Turn(turn) => {
                self.deltas.feed(event, &mut self.streamed);
                end_of_turn(event, *turn, row.facts, out);
            }
            What::Session(Session::Ended) => {
                let reason = row.facts.and_then(|facts| text_at(&facts.payload, &["reason"]));
                give_event(event, "session ended", reason, out);
            }
            _ => {}
        }
        if let Some(facts) = row.facts {
            self.whole_row(event, facts, out);
        }
        self.hear(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.prompts.advance(t, &mut self.found);
        self.deltas.advance(t, &mut self.streamed);
        self.hear(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.prompts.finish(&mut self.found);
        self.deltas.finish(&mut self.streamed);
        self.hear(out);
    }
}

impl Transcript {
    /// The name of a tool is known before its arguments are whole: its result may come first.
    fn block_begins(&mut self, event: &Event<'_>) {
        if let What::Block(Block::Start { kind, .. }) = event.what
            && let BlockKind::Tool { call_id: Some(id), name: Some(name) } = *kind
        {
            let call = self.calls.of(event.head.sid.as_deref(), event.name(id));
            call.name = Some(event.name(name).to_owned());
        }
    }

    /// What the folds gave out.
    fn hear(&mut self, out: &mut Vec<Record>) {
        for prompt in self.found.drain(..) {
            let place = Place { t: prompt.t, src: prompt.src, head: prompt.head };
            let text = prompt.text.map(|text| text.to_str_lossy().into_owned());
            give(place, "user", None, None, &text.unwrap_or_default(), out);
        }
        for item in std::mem::take(&mut self.streamed) {
            self.streamed(item, out);
        }
    }

    /// A streamed item. Those of Codex are told by other rows when they are whole.
    fn streamed(&mut self, item: Delta, out: &mut Vec<Record>) {
        let of_claude = item.block_index.is_some();
        if !of_claude && item.status != Status::Open {
            return;
        }
        let place = Place { t: item.t, src: item.src, head: item.first };
        let text = item.text.map(|text| text.to_str_lossy().into_owned());
        match item.kind {
            Some(StreamKind::Text | StreamKind::Reasoning) => {
                let text = text.unwrap_or_default();
                let thinks = item.kind == Some(StreamKind::Reasoning);
                let role = if thinks { "thinking" } else { "assistant" };
                if of_claude {
                    give(place, role, None, None, &text, out);
                } else {
                    self.say(place, role, Teller::Streamed, &text, out);
                }
            }
            Some(StreamKind::Arguments | StreamKind::Input) => {
                self.call(place, item.call_id, item.name, text.as_deref(), out);
            }
            None => {}
        }
    }

    /// A text that several kinds of rows tell.
    fn say(
        &mut self,
        place: Place,
        role: &'static str,
        teller: Teller,
        text: &str,
        out: &mut Vec<Record>,
    ) {
        let hash = FixedState::with_seed(0).hash_one((role, text.trim()));
        let known = self.texts.contains_key(&place.head.sid);
        if !known && self.texts.len() >= REMEMBERED {
            self.texts.clear();
        }
        let lately = self.texts.entry(place.head.sid.clone()).or_default();
        if lately.is_new(hash, teller) {
            give(place, role, None, None, text, out);
        }
    }

    fn item(
        &mut self,
        event: &Event<'_>,
        item: &Item,
        facts: Option<&Facts>,
        out: &mut Vec<Record>,
    ) {
        let teller = match item.phase {
            ItemPhase::Added => return,
            ItemPhase::Done => Teller::Done,
            ItemPhase::Raw => Teller::Raw,
        };
        let text = item.text.map(|text| lossy(event.bytes(text)));
        match item.kind {
            // That of a rollout is read part by part, from its row as a whole.
            ItemKind::Reasoning if facts.is_none() => {}
            ItemKind::Message | ItemKind::Reasoning => {
                let thinks = item.kind == ItemKind::Reasoning;
                let role = if thinks { "thinking" } else { "assistant" };
                // The word for a reasoning item has no summary where its content is null.
                let thought = || Some(thoughts(facts?.payload.get("item")?).join("\n\n"));
                let text = thinks.then(thought).flatten().or(text).unwrap_or_default();
                self.say(Place::of(event), role, teller, &text, out);
            }
            ItemKind::Result => {
                let payload = facts.map(|facts| &facts.payload);
                let output =
                    payload.map(|p| p.get("item").unwrap_or(p)).and_then(|i| i.get("output"));
                if let (Some(id), Some(output)) = (item.call_id, output) {
                    self.result(event, event.name(id), output, out);
                }
            }
            _ => {
                let id = item.call_id.or(item.item_id).map(|id| lossy(event.bytes(id)));
                let name = item.name.map(|name| lossy(event.bytes(name)));
                let name = name.or_else(|| match item.kind {
                    ItemKind::LocalShell => Some("local_shell".to_owned()),
                    ItemKind::WebSearch => Some("web_search".to_owned()),
                    _ => None,
                });
                self.call(Place::of(event), id, name, text.as_deref(), out);
            }
        }
    }

    /// Something begins to run: told if nothing told the call, as what the user ran has none.
    fn begin(&mut self, event: &Event<'_>, run: &Execution, row: &Row<'_>, out: &mut Vec<Record>) {
        let name = match run.tool {
            Tool::Shell => "shell".to_owned(),
            Tool::Patch => "apply_patch".to_owned(),
            Tool::Mcp => run.name.map_or_else(|| "mcp".to_owned(), |n| event.name(n).to_owned()),
        };
        let Some(facts) = row.facts else { return };
        let arguments = match run.tool {
            Tool::Mcp => facts.payload.get("invocation").and_then(|i| i.get("arguments")),
            Tool::Shell | Tool::Patch => Some(&facts.payload),
        };
        let id = run.call_id.map(|id| event.name(id).to_owned());
        let arguments = arguments.map(Value::to_string);
        self.call(Place::of(event), id, Some(name), arguments.as_deref(), out);
    }

    /// A call, once.
    fn call(
        &mut self,
        place: Place,
        id: Option<String>,
        name: Option<String>,
        arguments: Option<&str>,
        out: &mut Vec<Record>,
    ) {
        if let Some(id) = &id {
            let call = self.calls.of(place.head.sid.as_deref(), id);
            if std::mem::replace(&mut call.called, true) {
                return;
            }
            call.name.clone_from(&name);
        }
        let text = main_argument(&clean(self.redact.as_deref(), arguments.unwrap_or_default()));
        give_whole(place, "tool", name, id, text, out);
    }

    /// A result, once for each call.
    fn result(&mut self, event: &Event<'_>, id: &str, output: &Value, out: &mut Vec<Record>) {
        let call = self.calls.of(event.head.sid.as_deref(), id);
        if std::mem::replace(&mut call.answered, true) {
            return;
        }
        let name = call.name.clone();
        let text = first_lines(&clean(self.redact.as_deref(), &said(output)));
        give_whole(Place::of(event), "tool_result", name, Some(id.to_owned()), text, out);
    }

    /// What only the row as a whole tells: thinking in transcripts, and what tools gave back.
    fn whole_row(&mut self, event: &Event<'_>, facts: &Facts, out: &mut Vec<Record>) {
        let payload = &facts.payload;
        match (facts.form, &*facts.name) {
            (Form::Transcript, "assistant") => {
                for block in blocks(payload) {
                    match text_at(block, &["type"]).unwrap_or_default() {
                        "thinking" => {
                            let text = text_at(block, &["thinking"]).unwrap_or_default();
                            give(Place::of(event), "thinking", None, None, text, out);
                        }
                        kind if kind.ends_with("_tool_result") => self.block(event, block, out),
                        _ => {}
                    }
                }
            }
            (Form::Transcript, "user") | (Form::Sse, "claude.tool_result") => {
                for block in blocks(payload) {
                    if text_at(block, &["type"]) == Some("tool_result") {
                        self.block(event, block, out);
                    }
                }
            }
            (Form::Sse, "turn.exec.end") => {
                let keys = ["aggregated_output", "formatted_output", "stdout"];
                let full = |value: &&Value| value.as_str().is_some_and(|text| !text.is_empty());
                let output = keys.iter().filter_map(|key| payload.get(key)).find(full);
                if let Some(id) = text_at(payload, &["call_id"]) {
                    self.result(event, id, output.unwrap_or(&Value::Null), out);
                }
            }
            (Form::Rollout, "event_msg.agent_reasoning") => {
                let text = text_at(payload, &["payload", "text"]).unwrap_or_default();
                self.say(Place::of(event), "thinking", Teller::Said, text, out);
            }
            (Form::Rollout, "response_item.reasoning") => {
                for text in thoughts(payload.get("payload").unwrap_or(payload)) {
                    self.say(Place::of(event), "thinking", Teller::Raw, text, out);
                }
            }
            (Form::Rollout, name) if name.ends_with("_output") => {
                let item = payload.get("payload").unwrap_or(payload);
                if let (Some(id), Some(output)) = (text_at(item, &["call_id"]), item.get("output"))
                {
                    self.result(event, id, output, out);
                }
            }
            _ => {}
        }
    }

    fn block(&mut self, event: &Event<'_>, block: &Value, out: &mut Vec<Record>) {
        let content = block.get("content").unwrap_or(&Value::Null);
        if let Some(id) = text_at(block, &["tool_use_id"]) {
            self.result(event, id, content, out);
        }
    }
}

/// The blocks of a message.
fn blocks(payload: &Value) -> &[Value] {
    let content = payload.get("message").and_then(|message| message.get("content"));
    content.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The parts of a reasoning item that can be read: its summary, else its content.
fn thoughts(item: &Value) -> Vec<&str> {
    let parts = |key: &str| -> Vec<&str> {
        let parts = item.get(key).and_then(Value::as_array);
        parts.into_iter().flatten().filter_map(|part| text_at(part, &["text"])).collect()
    };
    let summary = parts("summary");
    if summary.is_empty() { parts("content") } else { summary }
}

fn end_of_turn(event: &Event<'_>, turn: Turn, facts: Option<&Facts>, out: &mut Vec<Record>) {
    let reason = || {
        let payload = &facts?.payload;
        text_at(payload, &["reason"]).or_else(|| text_at(payload, &["payload", "reason"]))
    };
    match turn {
        Turn::Completed { .. } | Turn::Stopped => give_event(event, "turn completed", None, out),
        Turn::Aborted => give_event(event, "turn aborted", reason(), out),
        Turn::Started | Turn::Over | Turn::Idle => {}
    }
}

fn give_event(event: &Event<'_>, what: &str, reason: Option<&str>, out: &mut Vec<Record>) {
    let text = reason.map_or_else(|| what.to_owned(), |reason| format!("{what}: {reason}"));
    give_whole(Place::of(event), "event", Some(what.replace(' ', "_")), None, Some(text), out);
}

/// Gives out a paragraph, if it says something.
fn give(
    place: Place,
    role: &'static str,
    name: Option<String>,
    call_id: Option<String>,
    text: &str,
    out: &mut Vec<Record>,
) {
    let text = text.trim();
    if !text.is_empty() {
        give_whole(place, role, name, call_id, Some(text.to_owned()), out);
    }
}

fn give_whole(
    place: Place,
    role: &'static str,
    name: Option<String>,
    call_id: Option<String>,
    text: Option<String>,
    out: &mut Vec<Record>,
) {
    let Place { t, src, head } = place;
    let values = vec![role.into(), or_null(name), or_null(call_id), or_null(text)];
    out.push(Record { info: &INFO, t, src, head, values });
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Keys of arguments, the one that tells most of a call first.
const MAIN: &[&str] = &[
    "command",
    "cmd",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "skill",
    "prompt",
    "description",
    "action",
    "changes",
    "explanation",
    "chars",
    "plan",
    "todos",
];

/// The argument that tells most of a call, in one line; none if there are no arguments.
fn main_argument(arguments: &str) -> Option<String> {
    let told = match serde_json::from_str::<Value>(arguments) {
        Ok(Value::Object(object)) => {
            let main = MAIN.iter().find_map(|key| object.get(*key).filter(|value| is_told(value)));
            let main = main.or_else(|| object.values().find(|value| value.is_string()));
            let main = main.map(argument);
            main.or_else(|| (!object.is_empty()).then(|| Value::Object(object).to_string()))?
        }
        Ok(value) if !value.is_null() => argument(&value),
        Ok(_) => return None,
        Err(_) => patched(arguments),
    };
    let line = told.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| cut(&line, ARGUMENT))
}

fn is_told(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => false,
    }
}

/// An argument as people write it: a command as its words, and of `bash -lc …` what the shell is given.
fn argument(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            match words[..] {
                [shell, "-lc" | "-c", script] if shell.ends_with("sh") => script.to_owned(),
                _ => words.join(" "),
            }
        }
        Value::Object(object) => {
            let main = ["command", "query", "url"].iter().find_map(|key| object.get(*key));
            let files = || object.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
            main.map_or_else(files, argument)
        }
        other => other.to_string(),
    }
}

/// Of a patch, the files that it changes; of another text, all.
fn patched(text: &str) -> String {
    let files: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("*** ")?.split_once(" File: "))
        .map(|(_, file)| file.trim())
        .collect();
    if files.is_empty() { text.chars().take(4 * ARGUMENT).collect() } else { files.join(" ") }
}

/// What a result says, in words: text, a list of parts, or what a shell wraps around its output.
fn said(output: &Value) -> Cow<'_, str> {
    match output {
        Value::String(text) if text.starts_with("{\"output\"") => {
            match serde_json::from_str::<Value>(text) {
                Ok(inner) => {
                    text_at(&inner, &["output"]).map_or(text.into(), |o| o.to_owned().into())
                }
                Err(_) => text.into(),
            }
        }
        Value::String(text) => text.into(),
        Value::Array(parts) => {
            let part = |part: &Value| match text_at(part, &["text"]) {
                Some(text) => Some(text.to_owned()),
                None => Some(format!("[{}]", text_at(part, &["type"])?)),
            };
            parts.iter().filter_map(part).collect::<Vec<_>>().join("\n").into()
        }
        Value::Object(object) => match object.get("content").or_else(|| object.get("output")) {
            Some(content) if !content.is_object() => said(content),
            _ => output.to_string().into(),
        },
        _ => "".into(),
    }
}

/// A text without its secrets, if they are to be hidden.
fn clean<'t>(redact: Option<&Redact>, text: &'t str) -> Cow<'t, str> {
    redact.map_or(Cow::Borrowed(text), |redact| redact.text(text))
}

/// The first lines of a text, and how many there are more; none of nothing.
fn first_lines(text: &str) -> Option<String> {
    let (lines, characters) = RESULT;
    let text = text.trim_end();
    let count = text.lines().count();
    let first = text.lines().take(lines).collect::<Vec<_>>().join("\n");
    let first = cut(&first, characters);
    match count.saturating_sub(lines) {
        _ if text.is_empty() => None,
        0 => Some(first),
        1 => Some(format!("{first}\n… 1 line more")),
        more => Some(format!("{first}\n… {more} lines more")),
    }
}

/// A text, cut to so many characters.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => [&text[..at], "…"].concat(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::main_argument;
    use crate::given::{claude, records, sse, turn};

    fn told(found: &[Value]) -> Vec<(String, String, String)> {
        let mut found: Vec<&Value> = found.iter().collect();
        found.sort_by_key(|r| (r["t"].as_str().map(String::from), r["line"].as_u64()));
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        found.iter().map(|r| (text(&r["role"]), text(&r["name"]), text(&r["text"]))).collect()
    }

    fn told_of(rows: &[String]) -> Vec<(String, String, String)> {
        told(&records("transcript", rows))
    }

    fn line(role: &str, name: &str, text: &str) -> (String, String, String) {
        (role.to_owned(), name.to_owned(), text.to_owned())
    }

    fn raw(ms: i64, item: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({"item": item}))
    }

    fn done(ms: i64, item: &Value) -> String {
        sse(
            ms,
            "response.output_item.done",
            "1",
            &json!({"type": "response.output_item.done", "item": item}),
        )
    }

    #[test]
    fn a_turn_of_codex_is_told_once() {
        let message = json!({"type": "message", "role": "assistant", "id": "m1", "content": [{"type": "output_text", "text": "All done."}]});
        let thought = json!({"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "Look first"}]});
        let call = json!({"type": "function_call", "id": "f1", "call_id": "call_1", "name": "shell", "arguments": "{\"command\":[\"bash\",\"-lc\",\"ls -la\\npwd\"]}"});
        let output = json!({"type": "function_call_output", "call_id": "call_1", "output": "{\"output\":\"a\\nb\\n\",\"metadata\":{\"exit_code\":0}}"});
        let delta = json!({"type": "response.output_text.delta", "item_id": "m1", "delta": "All done.", "sequence_number": 1});
        let rows = [
            turn(0, "turn.user_message", "1", &json!({"message": "list files"})),
            done(100, &thought),
            raw(101, &thought),
            done(200, &call),
            raw(201, &call),
            turn(
                210,
                "turn.exec.begin",
                "1",
                &json!({"call_id": "call_1", "command": ["bash", "-lc", "ls -la"]}),
            ),
            turn(
                220,
                "turn.exec.end",
                "1",
                &json!({"call_id": "call_1", "aggregated_output": "a\nb\n", "exit_code": 0}),
            ),
            raw(230, &output),
            sse(300, "response.output_text.delta", "1", &delta),
            done(310, &message),
            raw(311, &message),
            turn(320, "turn.agent_message", "1", &json!({"message": "All done."})),
            turn(330, "turn.response.completed", "1", &json!({"last_agent_message": "All done."})),
        ];
        let lines = [
            line("user", "-", "list files"),
            line("thinking", "-", "Look first"),
            line("tool", "shell", "ls -la pwd"),
            line("tool_result", "shell", "a\nb"),
            line("assistant", "-", "All done."),
            line("event", "turn_completed", "turn completed"),
        ];
        assert_eq!(told_of(&rows), lines);
        let found = records("transcript", &rows);
        let call = found.iter().find(|r| r["role"] == "tool").unwrap();
        assert_eq!((&call["call_id"], &call["line"]), (&json!("call_1"), &json!(4)));
    }

    #[test]
    fn a_summary_is_told_beside_a_content_that_is_null() {
        let part = json!({"type": "summary_text", "text": "Look first"});
        let thought = json!({"type": "reasoning", "summary": [part], "content": null});
        let lines = [line("thinking", "-", "Look first")];
        assert_eq!(told_of(&[done(1, &thought), raw(2, &thought)]), lines);
    }

    #[test]
    fn the_same_words_said_twice_are_told_twice() {
        let rows = [
            turn(0, "turn.agent_message", "1", &json!({"message": "ok"})),
            turn(10, "turn.agent_message", "1", &json!({"message": "ok"})),
        ];
        assert_eq!(told_of(&rows).len(), 2);
    }

    #[test]
    fn a_stream_that_was_cut_is_told_as_far_as_it_came() {
        let delta = |ms, text: &str, seq: i64| {
            let delta = json!({"type": "response.output_text.delta", "item_id": "m1", "delta": text, "sequence_number": seq});
            sse(ms, "response.output_text.delta", "1", &delta)
        };
        let rows = [
            delta(1, "half a ", 1),
            delta(2, "sentence", 2),
            turn(5, "turn.response.aborted", "1", &json!({"reason": "interrupted"})),
        ];
        let lines = [
            line("assistant", "-", "half a sentence"),
            line("event", "turn_aborted", "turn aborted: interrupted"),
        ];
        assert_eq!(told_of(&rows), lines);
    }

    #[test]
    fn a_turn_of_claude_is_put_together() {
        let block = |ms, index: i64, what: &str, more: Value| {
            let mut payload = json!({"type": what, "index": index, "request_id": "r"});
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claude(ms, &payload)
        };
        let rows = [
            claude(0, &json!({"type": "user_prompt", "prompt": "list", "message_uuid": "u"})),
            block(10, 0, "content_block_start", json!({"content_block": {"type": "thinking"}})),
            block(
                11,
                0,
                "content_block_delta",
                json!({"delta": {"type": "thinking_delta", "thinking": "hm"}}),
            ),
            block(12, 0, "content_block_stop", json!({})),
            block(20, 1, "content_block_start", json!({"content_block": {"type": "text"}})),
            block(
                21,
                1,
                "content_block_delta",
                json!({"delta": {"type": "text_delta", "text": "I look"}}),
            ),
            block(22, 1, "content_block_stop", json!({})),
            block(
                30,
                2,
                "content_block_start",
                json!({"content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash"}}),
            ),
            block(
                31,
                2,
                "content_block_delta",
                json!({"delta": {"type": "input_json_delta", "partial_json": "{\"command\":\"ls\"}"}}),
            ),
            block(32, 2, "content_block_stop", json!({})),
            claude(
                40,
                &json!({"type": "tool_result", "message": {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}]}}),
            ),
            claude(90, &json!({"type": "stop", "is_subagent": false})),
            claude(91, &json!({"type": "turn_end"})),
            claude(99, &json!({"type": "session_end", "reason": "clear"})),
        ];
        let lines = [
            line("user", "-", "list"),
            line("thinking", "-", "hm"),
            line("assistant", "-", "I look"),
            line("tool", "Bash", "ls"),
            line("tool_result", "Bash", "a\n[image]"),
            line("event", "turn_completed", "turn completed"),
            line("event", "session_ended", "session ended: clear"),
        ];
        assert_eq!(told_of(&rows), lines);
    }

    #[test]
    fn a_transcript_of_claude() {
        let row = |kind: &str, s: i64, content: Value| {
            json!({"type": kind, "uuid": format!("u{s}"), "sessionId": "c", "timestamp": format!("2026-01-01T00:00:0{s}.000Z"),
                "message": {"id": format!("m{s}"), "role": kind, "model": "x", "content": content}}).to_string()
        };
        let long = (1..=12).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
        let rows = [
            row("user", 1, json!("hello")),
            row("assistant", 2, json!([{"type": "thinking", "thinking": "hm"}])),
            row("assistant", 3, json!([{"type": "text", "text": "I look"}])),
            row(
                "assistant",
                4,
                json!([{"type": "tool_use", "id": "t1", "name": "Read", "input": {"limit": 5, "file_path": "/w/a"}}]),
            ),
            row("user", 5, json!([{"type": "tool_result", "tool_use_id": "t1", "content": long}])),
        ];
        let found = told_of(&rows);
        assert_eq!(
            found[..4],
            [
                line("user", "-", "hello"),
                line("thinking", "-", "hm"),
                line("assistant", "-", "I look"),
                line("tool", "Read", "/w/a"),
            ]
        );
        assert_eq!((&*found[4].0, &*found[4].1), ("tool_result", "Read"));
        assert!(
            found[4].2.starts_with("line 1\n") && found[4].2.ends_with("line 10\n… 2 lines more")
        );
    }

    #[test]
    fn a_rollout_of_codex() {
        let row = |s: i64, kind: &str, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "type": kind, "payload": payload}).to_string()
        };
        let rows = [
            row(
                0,
                "session_meta",
                json!({"id": "019a9900-0000-7000-8000-000000000001", "cwd": "/w"}),
            ),
            row(1, "event_msg", json!({"type": "user_message", "message": "hi"})),
            row(
                2,
                "response_item",
                json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}),
            ),
            row(
                3,
                "response_item",
                json!({"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch",
                "input": "*** Begin Patch\n*** Update File: /w/a.rs\n@@\n-a\n+b\n*** End Patch"}),
            ),
            row(
                4,
                "response_item",
                json!({"type": "custom_tool_call_output", "call_id": "c1", "output": "{\"output\":\"Success\"}"}),
            ),
            row(5, "event_msg", json!({"type": "agent_message", "message": "bye"})),
            row(
                6,
                "response_item",
                json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "bye"}]}),
            ),
            row(7, "event_msg", json!({"type": "task_complete", "last_agent_message": "bye"})),
        ];
        assert_eq!(
            told_of(&rows),
            [
                line("user", "-", "hi"),
                line("tool", "apply_patch", "/w/a.rs"),
                line("tool_result", "apply_patch", "Success"),
                line("assistant", "-", "bye"),
                line("event", "turn_completed", "turn completed"),
            ]
        );
    }

    #[test]
    fn a_rollout_tells_each_part_of_its_reasoning_once() {
        let row = |s: i64, kind: &str, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "type": kind, "payload": payload}).to_string()
        };
        let part = |text: &str| json!({"type": "summary_text", "text": text});
        let item = |parts: &[Value]| json!({"type": "reasoning", "summary": parts});
        let rows = [
            row(1, "event_msg", json!({"type": "agent_reasoning", "text": "one"})),
            row(2, "response_item", item(&[part("one"), part("two")])),
            row(3, "response_item", item(&[part("three")])),
        ];
        let lines = ["one", "two", "three"].map(|text| line("thinking", "-", text));
        assert_eq!(told_of(&rows), lines);
    }

    #[test]
    fn main_arguments() {
        for (arguments, main) in [
            (r#"{"command":["bash","-lc","a  b"]}"#, Some("a b")),
            (r#"{"command":["git","status"],"workdir":"/w"}"#, Some("git status")),
            (r#"{"limit":5,"file_path":"/a"}"#, Some("/a")),
            (r#"{"x":1,"name":"n"}"#, Some("n")),
            (r#"{"x":1}"#, Some(r#"{"x":1}"#)),
            (r#"{"type":"exec","command":["ls"]}"#, Some("ls")),
            (r#"{"changes":{"/a":{},"/b":{}}}"#, Some("/a /b")),
            ("{}", None),
            ("", None),
            ("not json\nat all", Some("not json at all")),
        ] {
            assert_eq!(main_argument(arguments).as_deref(), main, "{arguments}");
        }
        assert_eq!(
            main_argument(&format!("{{\"command\":\"{}\"}}", "é".repeat(400)))
                .unwrap()
                .chars()
                .count(),
            301
        );
    }
}

//! `call_linkage`: what a request, or a tool call inside one, belongs to.
//!
//! Two kinds of records, told apart by `link`.
//!
//! `request`: a captured call (no token counts, titles or other hosts) and its answer: `linked`, or
//! `unlinked` where none was found. Which answer it got is told by [`super::linkage`]. Of identical
//! calls in a row (retries) the last has the answer; the others are `unlinked`.
//!
//! `function_call`: a tool call in the messages or input of the calls of a session, once for each id:
//! `answered` where an output of that id is there, or comes in a later request; `unanswered` where none
//! ever came; `orphan` for an output whose call is not there (only its own keys are filled). `call` is
//! the request that held the call first (of an orphan: the output), and the record starts from that
//! request; `call_item` and `output_item` are places in the requests that held them first. Calls without
//! an id cannot be told apart and are left out. Which answer announced a call is not told: `flow`,
//! `response_id`, `request_id` and `gap_ms` are of requests.
//!
//! `session_turn` and `prompt` are those of the turn in which the answer began, by the same turn book as
//! `alog-turns`; where no answer is known, or a session's own log counts for the SSE log, of the turn
//! that was open when the request was sent. Requests often miss their process, so that in this case
//! that of the session's latest process is meant. A record waits for its prompt for at most 4 s of log
//! time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use agentlog::event::{Event, Head};
use agentlog::fold::SETTLE_MS;
use agentlog::fold::turn_book::{TurnBook, TurnKey, TurnNews};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::linkage::{Links, names_of};
use super::prints::print;
use crate::tools::{or_null, text_at};
use crate::{Asked, Info, Mode, Place, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "call_linkage",
    about: "what a request, or a tool call inside one, belongs to",
    sources: "captured requests with SSE logs",
    own: OWN,
    key: &["sid", "link", "call", "call_id"],
    table: &["t", "provider", "sid", "link", "call", "call_id", "state", "flow"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<CallLinkage>::default(),
};

const OWN: &[Field] = &[
    field("link", Shape::OneOf(&["request", "function_call"]), "what is linked"),
    field(
        "state",
        Shape::OneOf(&["linked", "unlinked", "answered", "unanswered", "orphan"]),
        "whether the answer, or the output, is there",
    ),
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field("call_id", Shape::Text, "what names the tool call"),
    field("name", Shape::Text, "the tool's name"),
    field("call_item", Shape::Count, "place of the call in the messages or input, from 0"),
    field("output_item", Shape::Count, "place of its output"),
    field("flow", Shape::Text, "the flow of the answer"),
    field("response_id", Shape::Text, "the id of the answer: message or response"),
    field("request_id", Shape::Text, "the provider's id of the request"),
    field("gap_ms", Shape::Integer, "milliseconds from the request to its answer"),
    field("session_turn", Shape::Count, "ordinal of the turn's prompt in its session, from 1"),
    field("prompt", Shape::Text, "the prompt of the turn"),
];

#[derive(Default)]
struct CallLinkage {
    book: TurnBook,
    news: Vec<TurnNews>,
    /// The turns that are not final.
    turns: HashMap<TurnKey, Turn, FixedState>,
    links: Links<Pending>,
    /// Records that wait for the prompts of their turns, with the times since when.
    waiting: VecDeque<(Option<i64>, Pending)>,
    sessions: HashMap<Option<String>, Tools, FixedState>,
}

/// What is known of a turn, shared by the records that are about it.
type Turn = Arc<OnceLock<Opened>>;

struct Opened {
    session_turn: Option<u64>,
    prompt: Option<String>,
}

/// A record that may yet learn its answer or turn.
struct Pending {
    record: Record,
    turn: Option<Turn>,
}

/// The tool calls in the requests of a session.
#[derive(Default)]
struct Tools {
    /// Calls without an output, by the prints of their ids.
    open: HashMap<u64, Pending, FixedState>,
    /// The prints of the ids of all calls that are known, and of the outputs.
    calls: HashSet<u64, FixedState>,
    outputs: HashSet<u64, FixedState>,
}

/// How long a prompt is waited for: a row may stand before it, and it may take 2 s to be final.
const PROMPT_MS: i64 = 2 * SETTLE_MS;

impl Mode for CallLinkage {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if let Some((asked, place)) = row.asked() {
            let is_part = asked.is_call() && !asked.is_aside();
            if is_part && row.event.left_out.is_none() {
                self.request(row.event, asked, place);
            }
        } else {
            let key = self.book.place(row.event, &mut self.news);
            let turn = key.and_then(|key| self.turn(key));
            let _ = self.links.hear(row);
            self.hear_news();
            self.settle(row.event.t, turn.as_ref());
        }
        self.give_out(row.event.t, out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.book.advance(t, &mut self.news);
        self.hear_news();
        self.links.advance(t);
        self.settle(Some(t), None);
        self.give_out(Some(t), out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.book.finish(&mut self.news);
        self.hear_news();
        self.links.finish();
        self.settle(None, None);
        self.give_out(Some(i64::MAX), out);
        let sessions = std::mem::take(&mut self.sessions);
        let open = sessions.into_values().flat_map(|tools| tools.open.into_values());
        let mut left: Vec<_> = open.map(Pending::finish).collect();
        left.sort_by_key(|record| (record.t, record.src, record.value("call_item").as_u64()));
        out.append(&mut left);
    }
}

impl CallLinkage {
    fn request(&mut self, event: &Event<'_>, asked: &Asked, place: &Place) {
        let turn = self.turn_of_request(event);
        for pending in self.tool_calls(event, asked, place, turn.as_ref()) {
            self.waiting.push_back((event.t, pending));
        }
        let mut values = vec![Value::Null; OWN.len()];
        values[LINK] = "request".into();
        values[CALL] = place.call.into();
        let record = Record::new(&INFO, event, values);
        self.links.ask(event, asked, Pending { record, turn });
        self.hear_news();
        self.settle(event.t, None);
    }

    /// The turn that is open when a request is sent. Its process says nothing: native logs tell
    /// none, and a process of its own would part the turns of the session.
    fn turn_of_request(&mut self, event: &Event<'_>) -> Option<Turn> {
        event.head.sid.as_ref()?;
        let head = &event.head;
        let (provider, sid) = (head.provider, head.sid.clone());
        let head = Arc::new(Head { provider, sid, ..Head::default() });
        let key = self.book.place(&Event { head: &head, ..*event }, &mut self.news);
        self.hear_news();
        key.and_then(|key| self.turn(key))
    }

    fn turn(&mut self, key: TurnKey) -> Option<Turn> {
        if let Some(known) = self.turns.get(&key) {
            return Some(Arc::clone(known));
        }
        self.book.is_open(key).then(|| Arc::clone(self.turns.entry(key).or_default()))
    }

    fn hear_news(&mut self) {
        for news in std::mem::take(&mut self.news) {
            match news {
                TurnNews::Opened { key, prompt } => {
                    let turn = self.turns.entry(key).or_default();
                    let text = prompt.text.as_ref().map(|text| text.to_str_lossy().into_owned());
                    // A turn is opened once.
                    let _ = turn.set(Opened { session_turn: prompt.session_turn, prompt: text });
                }
                TurnNews::Ended { .. } => {}
                TurnNews::Final { key, .. } => drop(self.turns.remove(&key)),
            }
        }
    }

    /// Takes what is known of requests by now. An answer is one that the row in hand begins, whose
    /// turn is given.
    fn settle(&mut self, t: Option<i64>, turn: Option<&Turn>) {
        for (mut pending, answer) in self.links.settled() {
            let values = &mut pending.record.values;
            let state = if answer.is_some() { "linked" } else { "unlinked" };
            values[STATE] = state.into();
            let names = names_of(answer.as_ref());
            values.splice(FLOW..FLOW + names.len(), names);
            if let Some(answer) = answer {
                values[GAP] = answer.gap_ms.into();
                pending.turn = turn.cloned().or(pending.turn);
            }
            self.waiting.push_back((t, pending));
        }
    }

    /// Gives out the records whose turns are known, or will not be known any more.
    fn give_out(&mut self, t: Option<i64>, out: &mut Vec<Record>) {
        while let Some((since, pending)) = self.waiting.front() {
            let over = match (t, since) {
                (_, None) => true,
                (None, _) => false,
                (Some(t), Some(since)) => since.saturating_add(PROMPT_MS) < t,
            };
            let known = pending.turn.as_ref().is_none_or(|turn| turn.get().is_some());
            if !known && !over {
                return;
            }
            let next = self.waiting.pop_front();
            out.extend(next.map(|(_, pending)| pending.finish()));
        }
    }

    /// Takes the tool calls and outputs in the items that are new; returns what is known.
    fn tool_calls(
        &mut self,
        event: &Event<'_>,
        asked: &Asked,
        place: &Place,
        turn: Option<&Turn>,
    ) -> Vec<Pending> {
        let mut uses = Vec::new();
        let items = asked.conversation().iter().zip(&place.fresh).enumerate();
        for (i, (item, _)) in items.filter(|(_, (_, fresh))| **fresh) {
            tool_uses(item, &mut |tool| uses.push((i, tool)));
        }
        let mut known = Vec::new();
        if uses.is_empty() {
            return known;
        }
        let tools = self.sessions.entry(event.head.sid.clone()).or_default();
        let pending = |tool: &ToolUse<'_>, state: &str| {
            let mut values = vec![Value::Null; OWN.len()];
            values[LINK] = "function_call".into();
            values[STATE] = state.into();
            values[CALL] = place.call.into();
            values[CALL_ID] = tool.id.into();
            values[NAME] = or_null(tool.name);
            Pending { record: Record::new(&INFO, event, values), turn: turn.cloned() }
        };
        let (calls, outputs): (Vec<_>, Vec<_>) =
            uses.into_iter().partition(|(_, tool)| tool.is_call);
        for (i, tool) in calls {
            let id = print(None, tool.id);
            if tools.calls.insert(id) {
                let mut call = pending(&tool, "unanswered");
                call.record.values[CALL_ITEM] = i.into();
                tools.open.insert(id, call);
            }
        }
        for (i, tool) in outputs {
            let id = print(None, tool.id);
            if !tools.outputs.insert(id) {
                continue;
            }
            let mut answered = match tools.open.remove(&id) {
                Some(call) => call,
                None => pending(&tool, "orphan"),
            };
            if !answered.record.values[CALL_ITEM].is_null() {
                answered.record.values[STATE] = "answered".into();
            }
            answered.record.values[OUTPUT_ITEM] = i.into();
            known.push(answered);
        }
        known
    }
}

/// Where the values stand in a record.
const LINK: usize = 0;
const STATE: usize = 1;
const CALL: usize = 2;
const CALL_ID: usize = 3;
const NAME: usize = 4;
const CALL_ITEM: usize = 5;
const OUTPUT_ITEM: usize = 6;
const FLOW: usize = 7;
const GAP: usize = 10;
const TURN: usize = 11;
const PROMPT: usize = 12;

impl Pending {
    fn finish(mut self) -> Record {
        if let Some(opened) = self.turn.as_ref().and_then(|turn| turn.get()) {
            self.record.values[TURN] = or_null(opened.session_turn);
            self.record.values[PROMPT] = or_null(opened.prompt.as_deref());
        }
        self.record
    }
}

/// A tool call, or the output of one, inside a request.
#[derive(Clone, Copy)]
struct ToolUse<'v> {
    is_call: bool,
    id: &'v str,
    name: Option<&'v str>,
}

/// Visits the tool calls and outputs of a message or item.
fn tool_uses<'v>(item: &'v Value, visit: &mut dyn FnMut(ToolUse<'v>)) {
    let text = |of: &'v Value, path: &[&str]| text_at(of, path);
    let mut call = |id: Option<&'v str>, name: Option<&'v str>| {
        if let Some(id) = id {
            visit(ToolUse { is_call: true, id, name });
        }
    };
    match text(item, &["type"]) {
        Some("function_call" | "custom_tool_call") => {
            return call(text(item, &["call_id"]), text(item, &["name"]));
        }
        Some("local_shell_call") => {
            let id = text(item, &["call_id"]).or_else(|| text(item, &["id"]));
            return call(id, Some("local_shell"));
        }
        _ => {}
    }
    for chat in item.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        let name = text(chat, &["function", "name"]).or_else(|| text(chat, &["custom", "name"]));
        call(text(chat, &["id"]), name);
    }
    for block in item.get("content").and_then(Value::as_array).into_iter().flatten() {
        if text(block, &["type"]) == Some("tool_use") {
            call(text(block, &["id"]), text(block, &["name"]));
        }
    }
    outputs(item, visit);
}

fn outputs<'v>(item: &'v Value, visit: &mut dyn FnMut(ToolUse<'v>)) {
    let mut output = |id: Option<&'v str>| {
        if let Some(id) = id {
            visit(ToolUse { is_call: false, id, name: None });
        }
    };
    let kind = text_at(item, &["type"]);
    if let Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") =
        kind
    {
        return output(text_at(item, &["call_id"]).or_else(|| text_at(item, &["id"])));
    }
    if text_at(item, &["role"]) == Some("tool") {
        output(text_at(item, &["tool_call_id"]));
    }
    for block in item.get("content").and_then(Value::as_array).into_iter().flatten() {
        if text_at(block, &["type"]) == Some("tool_result") {
            output(text_at(block, &["tool_use_id"]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::INFO;
    use crate::given::{claude, records, request, sse, turn};
    use serde_json::{Value, json};

    #[test]
    fn values_stand_where_they_are_put() {
        let names: Vec<_> = INFO.own.iter().map(|field| field.name).collect();
        let expected = [
            "link",
            "state",
            "call",
            "call_id",
            "name",
            "call_item",
            "output_item",
            "flow",
            "response_id",
            "request_id",
            "gap_ms",
            "session_turn",
            "prompt",
        ];
        assert_eq!(names, expected);
    }

    fn ask(ms: i64, messages: &Value) -> String {
        request(ms, "messages", &json!({"model": "m", "messages": messages}))
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    fn start(ms: i64, id: &str) -> String {
        claude(
            ms,
            &json!({"type": "message_start", "request_id": format!("req_{id}"), "message": {"id": format!("msg_{id}"), "model": "m"}}),
        )
    }

    fn prompt(ms: i64, text: &str) -> String {
        claude(
            ms,
            &json!({"type": "user_prompt", "prompt": text, "mode": "prompt", "message_uuid": text}),
        )
    }

    #[test]
    fn a_request_its_answer_and_its_prompt() {
        let rows = [
            prompt(0, "first"),
            ask(10, &json!([user("first")])),
            start(300, "A"),
            claude(400, &json!({"type": "stop", "is_subagent": false})),
            prompt(5000, "second"),
            ask(5010, &json!([user("first"), user("second")])),
        ];
        let found = records("call_linkage", &rows);
        let expected = json!({
            "t": "2026-01-01T00:00:00.010Z", "provider": "claude", "sid": "c", "pid": 1, "model": "m",
            "link": "request", "state": "linked", "call": 1, "call_id": null, "name": null, "call_item": null,
            "output_item": null, "flow": "msg_1", "response_id": "msg_A", "request_id": "req_A", "gap_ms": 290,
            "session_turn": 1, "prompt": "first", "line": 2,
        });
        assert_eq!(found[0], expected);
        let second = &found[1];
        assert_eq!(
            json!([second["state"], second["session_turn"], second["prompt"], second["flow"]]),
            json!(["unlinked", 2, "second", null])
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_prompt_may_stand_behind_the_answer() {
        let created = json!({"type": "response.created", "response": {"id": "r1"}});
        let rows = [
            request(0, "responses", &json!({"input": [user("hi")]})),
            sse(20, "response.created", "7", &created),
            turn(21, "turn.user_message", "7", &json!({"message": "hi"})),
            turn(5000, "turn.diff", "7", &json!({})),
        ];
        let found = records("call_linkage", &rows);
        assert_eq!(found.len(), 1);
        let r = &found[0];
        assert_eq!(
            json!([r["state"], r["response_id"], r["session_turn"], r["prompt"]]),
            json!(["linked", "r1", 1, "hi"])
        );
    }

    /// State, call, id, name and places of the tool calls.
    fn tools(rows: &[String]) -> Vec<Value> {
        let found = records("call_linkage", rows);
        found
            .iter()
            .filter(|r| r["link"] == "function_call")
            .map(|r| {
                json!([
                    r["state"],
                    r["call"],
                    r["call_id"],
                    r["name"],
                    r["call_item"],
                    r["output_item"]
                ])
            })
            .collect()
    }

    #[test]
    fn tool_calls_of_claude() {
        let uses = json!({"role": "assistant", "content": [
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}},
            {"type": "tool_use", "id": "t2", "name": "Read", "input": {}},
        ]});
        let result = |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]});
        let rows = [
            ask(0, &json!([user("a")])),
            ask(1, &json!([user("a"), uses, result("t1"), result("t9")])),
            ask(2, &json!([user("a"), uses, result("t1"), result("t9"), user("b")])),
        ];
        let expected = [
            json!(["answered", 2, "t1", "Bash", 1, 2]),
            json!(["orphan", 2, "t9", null, null, 3]),
            json!(["unanswered", 2, "t2", "Read", 1, null]),
        ];
        assert_eq!(tools(&rows), expected);
    }

    #[test]
    fn tool_calls_of_codex_and_of_chats() {
        let input = json!([
            {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": ""},
            {"type": "local_shell_call", "call_id": null, "id": "c3"},
            {"type": "function_call", "name": "nameless"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": ""},
            {"type": "function_call_output", "call_id": "c1", "output": ""},
            {"type": "function_call_output", "call_id": "c1", "output": "again"},
            {"type": "local_shell_call_output", "id": "c3", "output": ""},
        ]);
        let chat = json!([
            {"role": "assistant", "tool_calls": [{"id": "c4", "type": "function", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "c4", "content": "x"},
        ]);
        let rows = [
            request(0, "responses", &json!({"input": input})),
            request(1, "chat/completions", &json!({"messages": chat})),
        ];
        let expected = [
            json!(["answered", 1, "c2", "apply_patch", 1, 4]),
            json!(["answered", 1, "c1", "shell", 0, 5]),
            json!(["answered", 1, "c3", "local_shell", 2, 7]),
            json!(["answered", 2, "c4", "f", 0, 1]),
        ];
        assert_eq!(tools(&rows), expected);
    }

    #[test]
    fn an_output_may_come_later() {
        let call = json!({"type": "function_call", "call_id": "c1", "name": "shell"});
        let output = json!({"type": "function_call_output", "call_id": "c1"});
        let rows = [
            request(0, "responses", &json!({"input": [call]})),
            request(1, "responses", &json!({"input": [call, output]})),
        ];
        assert_eq!(tools(&rows), [json!(["answered", 1, "c1", "shell", 0, 1])]);
    }

    #[test]
    fn of_retries_the_last_is_linked_and_titles_are_none() {
        let title = request(
            5,
            "messages",
            &json!({"model": "m", "system": "Write a title", "messages": [user("a")]}),
        );
        let rows =
            [ask(0, &json!([user("a")])), title, ask(20, &json!([user("a")])), start(30, "A")];
        let found = records("call_linkage", &rows);
        let mut states: Vec<_> = found.iter().map(|r| json!([r["call"], r["state"]])).collect();
        states.sort_by_key(|state| state[0].as_u64());
        assert_eq!(states, [json!([1, "unlinked"]), json!([3, "linked"])]);
    }
}

//! `tool_calls`: a tool call with its arguments.
//!
//! What became of a call, its kind and name are what `alog-calls` tells; results without a call are
//! left to `tool_results`. The arguments are those of the item when it was done (Codex, rollouts,
//! transcripts), else what was streamed of them: an empty stream of Claude that was stopped is `{}`.
//! `args` is an object or a list; other texts are `args_text`. They are whole if a row tells them
//! whole and no writer cut them short, or if the stream was stopped; and if they are JSON, which
//! custom tools alone do not ask for.
//!
//! A session may have a log and captured requests: each call gives one record, and the log's comes
//! first. A call that only requests tell is told at the end of the input, as of the first request
//! that holds it; its status is that of its result in a request, else unknown.

use std::collections::{HashMap, HashSet, VecDeque};

use agentlog::event::Event;
use agentlog::fold::calls::{Call, CallKind, State};
use agentlog::fold::deltas::Delta;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::asked_calls::{AskedCall, AskedResult, Told, fresh};
use super::call_args::{Args, StreamedArgs, whole_args};
use super::call_fold::{CallFold, Start, call_key, key_of_call, sort_from};
use super::results::Said;
use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_calls",
    about: "a tool call with its arguments",
    sources: "logs of both agents; captured requests where no log tells the call",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "kind", "name", "status"],
    takes: Takes { deltas: true, left_out: false, select: Select::Records },
    make: |_| Box::<ToolCalls>::default(),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("kind", Shape::Text, "shell, mcp, patch, function, custom, web_search or tool"),
    field("name", Shape::Text, "the tool's name"),
    field("args", Shape::Json, "the arguments, if they are JSON"),
    field("args_text", Shape::Text, "the arguments as text, if they are not JSON"),
    field("args_bytes", Shape::Count, "bytes of the arguments"),
    field("complete", Shape::Bool, "whether the arguments are whole, and JSON if they have to be"),
    field("status", Shape::Text, "how the call ended: the state that alog-calls gives it"),
    field("t_end", Shape::Time, "when its execution ended; without one, when its result came"),
    field("source", Shape::OneOf(&["log", "request"]), "where it was found"),
];

#[derive(Default)]
struct ToolCalls {
    calls: CallFold,
    streams: StreamedArgs,
    /// Arguments of calls that are open.
    args: HashMap<u64, Args, FixedState>,
    /// The same, of calls that nothing names; the oldest first.
    nameless: VecDeque<(u64, Args)>,
    /// Calls that are over, but of which no arguments are known yet: their stream may be open, or
    /// a request may tell them.
    waiting: HashMap<u64, Call, FixedState>,
    /// Calls of requests which no log has told yet.
    asked: HashMap<u64, Asked, FixedState>,
    /// The calls that were given out.
    given: HashSet<u64, FixedState>,
    over: Vec<Call>,
    streamed: Vec<Delta>,
}

/// How many calls without any id may be open.
const NAMELESS: usize = 256;

/// A call of a request.
struct Asked {
    start: Start,
    call_id: String,
    kind: &'static str,
    name: Option<String>,
    args: Option<Args>,
    status: Option<State>,
}

impl Mode for ToolCalls {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        if let Some((asked, place)) = row.asked() {
            for told in fresh(asked, place) {
                match told {
                    Told::Call(call) => self.asked_call(event, &call),
                    Told::Result(result) => self.asked_result(event, &result),
                }
            }
        }
        self.whole_args(event, out);
        self.streams.feed(event, &mut self.streamed);
        self.calls.feed(event, &mut self.over);
        self.give_out(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.streams.advance(t, &mut self.streamed);
        self.calls.advance(t, &mut self.over);
        self.give_out(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let from = out.len();
        self.streams.finish(&mut self.streamed);
        self.calls.finish(&mut self.over);
        self.give_out(out);
        for (key, call) in std::mem::take(&mut self.waiting) {
            self.give(key, &call, None, out);
        }
        out.extend(self.asked.drain().map(|(_, asked)| asked.record()));
        sort_from(from, out);
    }
}

impl ToolCalls {
    fn whole_args(&mut self, event: &Event<'_>, out: &mut Vec<Record>) {
        let Some(whole) = whole_args(event) else { return };
        let args = whole.args(event);
        if !whole.named {
            if self.nameless.len() >= NAMELESS {
                self.nameless.pop_front();
            }
            self.nameless.push_back((whole.key, args));
            return;
        }
        self.args_of(whole.key, args, out);
    }

    /// Takes arguments of a call. Whole ones are better than others, the first better than later.
    fn args_of(&mut self, key: u64, args: Args, out: &mut Vec<Record>) {
        if self.given.contains(&key) {
            return;
        }
        if let Some(call) = self.waiting.remove(&key) {
            return self.give(key, &call, Some(args), out);
        }
        let known = self.args.get(&key);
        if known.is_none_or(|known| args.complete && !known.complete) {
            self.args.insert(key, args);
        }
    }

    /// Gives out the calls that are over.
    fn give_out(&mut self, out: &mut Vec<Record>) {
        if self.streamed.is_empty() && self.over.is_empty() {
            return;
        }
        for delta in std::mem::take(&mut self.streamed) {
            if let Some((key, args)) = Args::of_stream(&delta) {
                self.args_of(key, args, out);
            }
        }
        for call in std::mem::take(&mut self.over) {
            self.call(call, out);
        }
    }

    fn call(&mut self, call: Call, out: &mut Vec<Record>) {
        let key = key_of_call(&call);
        let nameless = self.nameless.iter().position(|(of, _)| *of == key);
        let nameless = nameless.and_then(|at| self.nameless.remove(at)).map(|(_, args)| args);
        let args = self.args.remove(&key).or(nameless);
        if self.given.contains(&key) || call.state == State::Orphan && args.is_none() {
            return;
        }
        if args.is_some() {
            self.give(key, &call, args, out);
        } else {
            self.waiting.entry(key).or_insert(call);
        }
    }

    /// Gives out a call of the log.
    fn give(&mut self, key: u64, call: &Call, args: Option<Args>, out: &mut Vec<Record>) {
        self.given.insert(key);
        let asked = self.asked.remove(&key);
        let (asked_args, asked_name) = asked.map(|asked| (asked.args, asked.name)).unzip();
        let args = args.or(asked_args.flatten());
        let name = call.name.as_deref().map(String::from).or(asked_name.flatten());
        let bytes = call.args_bytes.or(args.as_ref().map(|args| args.text.len() as u64));
        let complete = args.as_ref().map(|args| args.complete);
        let (args, args_text) = Args::split(args);
        let start = Start::of_call(call);
        let values = vec![
            or_null(call.call_id.as_deref()),
            or_null(call.kind.map(CallKind::name)),
            or_null(name),
            args,
            args_text,
            or_null(bytes),
            or_null(complete),
            call.state.name().into(),
            or_null(call.t_end),
            "log".into(),
        ];
        out.push(start.record(&INFO, values));
    }

    fn asked_call(&mut self, event: &Event<'_>, call: &AskedCall<'_>) {
        let key = call_key(event.head, call.call_id);
        if self.given.contains(&key) || self.asked.contains_key(&key) {
            return;
        }
        let asked = Asked {
            start: Start::of(event),
            call_id: call.call_id.to_owned(),
            kind: call.kind,
            name: call.name.map(String::from),
            args: call.args(),
            status: None,
        };
        self.asked.insert(key, asked);
    }

    fn asked_result(&mut self, event: &Event<'_>, result: &AskedResult<'_>) {
        let key = call_key(event.head, result.call_id);
        let Some(asked) = self.asked.get_mut(&key) else { return };
        if asked.status.is_none() {
            let failed = Said::of(result.content).failed(result.is_error);
            let state = if failed == Some(true) { State::Failed } else { State::Completed };
            asked.status = Some(state);
        }
    }
}

impl Asked {
    fn record(self) -> Record {
        let (bytes, complete) =
            self.args.as_ref().map(|args| (args.text.len(), args.complete)).unzip();
        let (args, args_text) = Args::split(self.args);
        let values = vec![
            self.call_id.into(),
            self.kind.into(),
            or_null(self.name),
            args,
            args_text,
            or_null(bytes),
            or_null(complete),
            or_null(self.status.map(State::name)),
            serde_json::Value::Null,
            "request".into(),
        ];
        self.start.record(&INFO, values)
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, sse, turn};
    use serde_json::{Value, json};

    fn function(call: &str, args: &str) -> Value {
        json!({"type": "function_call", "id": format!("fc_{call}"), "name": "shell", "arguments": args, "call_id": call})
    }

    fn raw(ms: i64, item: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({ "item": item }))
    }

    fn output(call: &str, said: &str) -> Value {
        json!({"type": "function_call_output", "call_id": call, "output": said})
    }

    fn prompt(ms: i64) -> String {
        turn(ms, "turn.user_message", "1", &json!({"message": "go"}))
    }

    #[test]
    fn a_call_of_codex_has_the_arguments_of_its_item() {
        let done = json!({"type": "response.output_item.done", "item": function("a", "{\"x\":1}")});
        let rows = [
            prompt(0),
            sse(5, "response.output_item.done", "1", &done),
            raw(6, &function("a", "{\"x\":1}")),
            turn(7, "turn.exec.begin", "1", &json!({"call_id": "a"})),
            turn(30, "turn.exec.end", "1", &json!({"call_id": "a", "exit_code": 0})),
            raw(40, &output("a", "ok")),
        ];
        assert_eq!(
            records("tool_calls", &rows),
            [json!({
                "t": "2026-01-01T00:00:00.005Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "kind": "shell", "name": "shell", "args": {"x": 1},
                "args_text": null, "args_bytes": 7, "complete": true, "status": "completed",
                "t_end": "2026-01-01T00:00:00.030Z", "source": "log", "line": 2,
            })]
        );
    }

    #[test]
    fn input_that_is_no_json_is_text() {
        let item = json!({"type": "custom_tool_call", "call_id": "p", "name": "apply_patch", "input": "*** Begin"});
        let call = &records("tool_calls", &[prompt(0), raw(5, &item)])[0];
        assert_eq!((&call["args"], &call["args_text"]), (&Value::Null, &json!("*** Begin")));
        assert_eq!((&call["kind"], &call["status"]), (&json!("custom"), &json!("pending")));
        let bad = &records("tool_calls", &[raw(5, &function("a", "{\"x\":"))])[0];
        assert_eq!((&bad["args_text"], &bad["complete"]), (&json!("{\"x\":"), &json!(false)));
    }

    fn start(ms: i64, index: u64, id: &str) -> String {
        let block = json!({"type": "tool_use", "id": id, "name": "Bash", "input": {}});
        claude(
            ms,
            &json!({"type": "content_block_start", "index": index, "content_block": block, "request_id": "r"}),
        )
    }

    fn delta(ms: i64, index: u64, text: &str) -> String {
        let delta = json!({"type": "input_json_delta", "partial_json": text});
        claude(
            ms,
            &json!({"type": "content_block_delta", "index": index, "delta_type": "input_json_delta", "delta": delta, "request_id": "r"}),
        )
    }

    fn stop(ms: i64, index: u64) -> String {
        claude(ms, &json!({"type": "content_block_stop", "index": index, "request_id": "r"}))
    }

    fn result(ms: i64, id: &str) -> String {
        let block = json!({"type": "tool_result", "tool_use_id": id, "content": "a"});
        claude(ms, &json!({"type": "tool_result", "message": {"role": "user", "content": [block]}}))
    }

    #[test]
    fn a_call_of_claude_has_the_arguments_that_were_streamed() {
        let rows = [
            claude(-5, &json!({"type": "user_prompt", "prompt": "go", "message_uuid": "u"})),
            start(0, 1, "toolu_1"),
            delta(1, 1, ""),
            delta(2, 1, "{\"command\":"),
            start(3, 2, "toolu_2"),
            delta(4, 1, "\"ls\"}"),
            stop(5, 1),
            stop(6, 2),
            start(7, 3, "toolu_3"),
            delta(8, 3, "{\"com"),
            result(9, "toolu_1"),
            result(10, "toolu_2"),
            claude(60_000, &json!({"type": "session_end", "reason": "other"})),
        ];
        let found = records("tool_calls", &rows);
        let of = |id: &str| found.iter().find(|call| call["call_id"] == id).unwrap();
        assert_eq!(
            (&of("toolu_1")["args"], &of("toolu_1")["complete"]),
            (&json!({"command": "ls"}), &json!(true))
        );
        assert_eq!(
            (&of("toolu_2")["args"], &of("toolu_2")["complete"]),
            (&json!({}), &json!(true))
        );
        assert_eq!(
            (&of("toolu_3")["args_text"], &of("toolu_3")["complete"]),
            (&json!("{\"com"), &json!(false))
        );
        assert_eq!(
            (&of("toolu_1")["status"], &of("toolu_3")["status"]),
            (&json!("completed"), &json!("cancelled"))
        );
        assert_eq!(found.len(), 3);
    }

    fn messages(ms: i64, more: &[Value]) -> String {
        request(ms, "messages", &json!({"model": "m", "messages": more}))
    }

    #[test]
    fn requests_tell_calls_that_no_log_tells() {
        let used = |id: &str| json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "mcp__docs__find", "input": {"q": 1}}]});
        let answer = |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x", "is_error": true}]});
        let conversation = [used("toolu_1"), answer("toolu_1"), used("toolu_9"), answer("toolu_9")];
        let rows = [
            messages(0, &conversation[2..3]),
            start(0, 1, "toolu_1"),
            stop(5, 1),
            result(9, "toolu_1"),
            messages(10, &conversation),
            messages(9000, &conversation),
        ];
        let found = records("tool_calls", &rows);
        let told: Vec<_> =
            found.iter().map(|call| (&call["call_id"], &call["source"], &call["line"])).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&(&json!("toolu_1"), &json!("log"), &json!(2))), "{told:?}");
        assert!(told.contains(&(&json!("toolu_9"), &json!("request"), &json!(1))), "{told:?}");
        let asked = found.iter().find(|call| call["source"] == "request").unwrap();
        assert_eq!(
            (&asked["kind"], &asked["args"], &asked["status"]),
            (&json!("mcp"), &json!({"q": 1}), &json!("failed"))
        );
        assert_eq!(asked["t_end"], Value::Null);
    }

    #[test]
    fn items_of_codex_requests_and_chats_are_read() {
        let input = json!([function("a", "{}"), output("a", "ok"), {"type": "custom_tool_call", "call_id": "p", "name": "apply_patch", "input": "x"}]);
        let chat = json!([{"role": "assistant", "tool_calls": [{"id": "k", "type": "function", "function": {"name": "f", "arguments": "{\"y\":2}"}}]}]);
        let rows = [
            request(0, "responses", &json!({ "input": input })),
            request(5, "chat/completions", &json!({ "messages": chat })),
        ];
        let found = records("tool_calls", &rows);
        let told = |i: usize| (found[i]["call_id"].clone(), found[i]["status"].clone());
        assert_eq!(found.len(), 3);
        let (first, second) = (told(0), told(1));
        assert!([&first, &second].contains(&&(json!("a"), json!("completed"))));
        assert!([&first, &second].contains(&&(json!("p"), Value::Null)));
        assert_eq!((&found[2]["call_id"], &found[2]["args"]), (&json!("k"), &json!({"y": 2})));
    }

    #[test]
    fn transcripts_and_rollouts_tell_calls_whole() {
        let native = |kind: &str, more: Value| {
            let mut row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": kind});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row.to_string()
        };
        let used = json!({"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "/w/a"}});
        let transcript = native(
            "assistant",
            json!({"sessionId": "c", "uuid": "u", "message": {"id": "m", "role": "assistant", "content": [used]}}),
        );
        let call = &records("tool_calls", &[transcript])[0];
        assert_eq!(
            (&call["args"], &call["kind"], &call["name"]),
            (&json!({"file_path": "/w/a"}), &json!("tool"), &json!("Read"))
        );
        let search = json!({"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}});
        let rows = [
            native("response_item", json!({ "payload": function("a", "{}") })),
            native("response_item", json!({ "payload": search })),
        ];
        let found = records("tool_calls", &rows);
        assert_eq!((&found[0]["args"], &found[0]["kind"]), (&json!({}), &json!("function")));
        assert_eq!(
            (&found[1]["args"]["query"], &found[1]["kind"]),
            (&json!("q"), &json!("web_search"))
        );
    }

    #[test]
    fn a_result_alone_is_no_call() {
        assert!(records("tool_calls", &[raw(5, &output("a", "ok"))]).is_empty());
    }
}

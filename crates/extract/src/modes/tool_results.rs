//! `tool_results`: what a tool call gave back to the model.
//!
//! A record starts from the row with the result: a `*_output` item of Codex, or a `tool_result` of
//! Claude. The text is what the model was given: a string as it stands, parts of a list joined by a
//! line feed; of a shell's `{output, metadata}` the output. Name and kind are those that `alog-calls`
//! tells of the call. Whether it went well, the exit code and the duration are what the result
//! itself or the end of the execution says: a result that says nothing of failure is not taken for
//! one that went well, and times of rows are no duration. Of several results with one id in a
//! session the first counts.
//!
//! A session may have a log and captured requests: what the log tells comes first. A result that
//! only requests tell is given out when its call is over without one, or at the end of the input,
//! as of the first request that holds it.

use std::collections::{HashMap, HashSet};

use agentlog::event::{Event, Execution, Phase, What};
use agentlog::fold::calls::{Call, CallKind};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::asked_calls::{AskedResult, Told, call_of, fresh};
use super::call_fold::{CallFold, Start, call_key, key_of_call, sort_from};
use super::results::{LogResult, Said, each_result};
use crate::tools::or_null;
use crate::{Asked, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_results",
    about: "what a tool call gave back to the model",
    sources: "logs of both agents; captured requests where no log tells the result",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "name", "ok", "exit_code", "bytes"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<ToolResults>::default(),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("name", Shape::Text, "the tool's name, if its call is known"),
    field("kind", Shape::Text, "the kind of the call, if it is known"),
    field("ok", Shape::Bool, "whether it went well; null if nothing tells"),
    field("exit_code", Shape::Integer, "exit code of a command"),
    field("bytes", Shape::Count, "bytes of the text"),
    field("duration_ms", Shape::Integer, "milliseconds that it took, if the log says so"),
    field("truncated", Shape::Bool, "whether the writer cut it short"),
    field(
        "text",
        Shape::Text,
        "the text that the model was given; parts that are no text are left out",
    ),
    field("source", Shape::OneOf(&["log", "request"]), "where it was found"),
];

#[derive(Default)]
struct ToolResults {
    calls: CallFold,
    /// Results of the log whose calls are not over.
    open: HashMap<u64, Held, FixedState>,
    /// Results of requests which no log has told yet.
    asked: HashMap<u64, Held, FixedState>,
    /// The calls whose results were given out.
    given: HashSet<u64, FixedState>,
    /// How executions of calls ended that are not over.
    ended: HashMap<u64, Ended, FixedState>,
    over: Vec<Call>,
}

/// What the end of an execution says.
#[derive(Clone, Copy, Default)]
struct Ended {
    exit_code: Option<i64>,
    failed: Option<bool>,
    duration_ms: Option<i64>,
}

/// A result, and what it tells.
struct Held {
    start: Start,
    call_id: Option<String>,
    name: Option<String>,
    kind: Option<&'static str>,
    is_error: Option<bool>,
    said: Said,
    source: &'static str,
}

impl Mode for ToolResults {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if let Some((asked, place)) = row.asked() {
            for told in fresh(asked, place) {
                if let Told::Result(result) = told {
                    self.asked_result(row.event, asked, &result);
                }
            }
        }
        if let What::Execution(run) = row.event.what {
            self.execution(row.event, run);
        }
        each_result(row, |result| self.log_result(row.event, &result, out));
        self.calls.feed(row.event, &mut self.over);
        self.give_out(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.calls.advance(t, &mut self.over);
        self.give_out(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let from = out.len();
        self.calls.finish(&mut self.over);
        self.give_out(out);
        let rest = self.open.drain().chain(self.asked.drain());
        let ended = std::mem::take(&mut self.ended);
        let ended = |key: &u64| ended.get(key).copied().unwrap_or_default();
        out.extend(rest.map(|(key, held)| held.record(None, ended(&key))));
        sort_from(from, out);
    }
}

impl ToolResults {
    /// Takes the end of an execution; of several the last counts.
    fn execution(&mut self, event: &Event<'_>, run: &Execution) {
        let call_id = run.call_id.map(|id| event.name(id)).filter(|id| !id.is_empty());
        if run.phase == Phase::Begin || run.by_user {
            return;
        }
        if let Some(key) = call_id.map(|id| call_key(event.head, id))
            && !self.given.contains(&key)
        {
            let Execution { exit_code, failed, duration_ms, .. } = *run;
            self.ended.insert(key, Ended { exit_code, failed, duration_ms });
        }
    }

    fn log_result(&mut self, event: &Event<'_>, result: &LogResult<'_>, out: &mut Vec<Record>) {
        let mut said = Said::of(result.content);
        said.truncated |= result.cut;
        let call_id = result.call_id.filter(|id| !id.is_empty());
        let held = Held {
            start: Start::of(event),
            call_id: call_id.map(String::from),
            name: None,
            kind: None,
            is_error: result.is_error,
            said,
            source: "log",
        };
        let Some(call_id) = call_id else { return out.push(held.record(None, Ended::default())) };
        let key = call_key(event.head, call_id);
        if !self.given.contains(&key) {
            self.asked.remove(&key);
            self.open.entry(key).or_insert(held);
        }
    }

    fn asked_result(&mut self, event: &Event<'_>, asked: &Asked, result: &AskedResult<'_>) {
        let key = call_key(event.head, result.call_id);
        let maps = [&self.open, &self.asked];
        if self.given.contains(&key) || maps.iter().any(|map| map.contains_key(&key)) {
            return;
        }
        let call = call_of(asked, result);
        let held = Held {
            start: Start::of(event),
            call_id: Some(result.call_id.to_owned()),
            name: call.as_ref().and_then(|call| call.name).map(String::from),
            kind: call.map(|call| call.kind),
            is_error: result.is_error,
            said: Said::of(result.content),
            source: "request",
        };
        self.asked.insert(key, held);
    }

    /// Gives out the results of calls that are over.
    fn give_out(&mut self, out: &mut Vec<Record>) {
        for call in std::mem::take(&mut self.over) {
            let key = key_of_call(&call);
            let held = self.open.remove(&key);
            let asked = self.asked.remove(&key);
            let ended = self.ended.remove(&key).unwrap_or_default();
            if let Some(held) = held.or(asked)
                && self.given.insert(key)
            {
                out.push(held.record(Some(&call), ended));
            }
        }
    }
}

impl Held {
    /// The record; the call may be unknown.
    fn record(self, call: Option<&Call>, ended: Ended) -> Record {
        let ok = self.ok(call, ended);
        let name = call.and_then(|call| call.name.as_deref()).map(String::from).or(self.name);
        let kind = call.and_then(|call| call.kind).map(CallKind::name).or(self.kind);
        let Said { text, exit_code, duration_ms, truncated, .. } = self.said;
        let values = vec![
            or_null(self.call_id),
            or_null(name),
            or_null(kind),
            or_null(ok),
            or_null(exit_code.or(ended.exit_code)),
            or_null(text.as_ref().map(String::len)),
            or_null(duration_ms.or(ended.duration_ms.filter(|ms| *ms >= 0))),
            truncated.into(),
            or_null(text),
            self.source.into(),
        ];
        self.start.record(&INFO, values)
    }

    /// Whether it went well, as far as the result, its execution or its call tells. That nothing
    /// tells of a failure is not enough.
    fn ok(&self, call: Option<&Call>, ended: Ended) -> Option<bool> {
        let signs = [
            self.said.failed(self.is_error),
            ended.failed,
            ended.exit_code.map(|code| code != 0),
            call.and_then(|call| call.ok).filter(|ok| !ok).map(|_| true),
        ];
        signs.into_iter().flatten().reduce(|a, b| a | b).map(|failed| !failed)
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, turn};
    use serde_json::{Value, json};

    fn raw(ms: i64, item: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({ "item": item }))
    }

    fn function(call: &str) -> Value {
        json!({"type": "function_call", "name": "shell", "arguments": "{}", "call_id": call})
    }

    fn output(call: &str, said: &Value) -> Value {
        json!({"type": "function_call_output", "call_id": call, "output": said})
    }

    #[test]
    fn a_shell_tells_output_exit_code_and_duration() {
        let said =
            json!("{\"output\":\"a\\n\",\"metadata\":{\"exit_code\":2,\"duration_seconds\":0.25}}");
        let rows = [
            raw(0, &function("a")),
            turn(1, "turn.exec.begin", "1", &json!({"call_id": "a"})),
            turn(251, "turn.exec.end", "1", &json!({"call_id": "a", "exit_code": 2})),
            raw(260, &output("a", &said)),
        ];
        assert_eq!(
            records("tool_results", &rows),
            [json!({
                "t": "2026-01-01T00:00:00.260Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "name": "shell", "kind": "shell", "ok": false, "exit_code": 2,
                "bytes": 2, "duration_ms": 250, "truncated": false, "text": "a\n", "source": "log", "line": 4,
            })]
        );
    }

    #[test]
    fn what_the_result_does_not_tell_the_execution_does() {
        let rows = [
            raw(0, &function("a")),
            turn(10, "turn.exec.begin", "1", &json!({"call_id": "a"})),
            turn(
                40,
                "turn.exec.end",
                "1",
                &json!({"call_id": "a", "exit_code": 7, "duration": {"secs": 0, "nanos": 25_000_000}}),
            ),
            raw(
                50,
                &output(
                    "a",
                    &json!([{"type": "input_text", "text": "x"}, {"type": "input_image"}, {"type": "input_text", "text": "y"}]),
                ),
            ),
        ];
        let found = &records("tool_results", &rows)[0];
        assert_eq!((&found["text"], &found["bytes"]), (&json!("x\ny"), &json!(3)));
        assert_eq!(
            (&found["exit_code"], &found["duration_ms"], &found["ok"]),
            (&json!(7), &json!(25), &json!(false))
        );
    }

    #[test]
    fn the_first_of_several_results_counts_and_calls_may_be_missing() {
        let rows = [
            raw(0, &output("a", &json!("one"))),
            raw(5, &output("a", &json!("two"))),
            raw(60_000, &output("a", &json!("three"))),
            raw(60_001, &json!({"type": "function_call_output", "output": "nobody's"})),
        ];
        let found = records("tool_results", &rows);
        let texts: Vec<_> = found.iter().map(|result| &result["text"]).collect();
        assert_eq!(texts, [&json!("one"), &json!("nobody's")]);
        for result in &found {
            assert_eq!(
                (&result["name"], &result["kind"], &result["ok"]),
                (&Value::Null, &Value::Null, &Value::Null)
            );
        }
    }

    #[test]
    fn what_nothing_tells_is_null() {
        let rows = [
            raw(0, &function("a")),
            turn(10, "turn.exec.begin", "1", &json!({"call_id": "a"})),
            turn(40, "turn.exec.end", "1", &json!({"call_id": "a"})),
            raw(50, &output("a", &json!("x"))),
        ];
        let silent = &records("tool_results", &rows)[0];
        assert_eq!((&silent["ok"], &silent["duration_ms"]), (&Value::Null, &Value::Null));
        let row = claude(0, &json!({"type": "tool_result", "message": answer("toolu_1", "x")}));
        assert_eq!(records("tool_results", &[row])[0]["ok"], true);
    }

    #[test]
    fn results_that_were_cut_short_are_told_as_such() {
        let cut = json!("abc... [truncated after 3 bytes, omitted 9 bytes]");
        let found = records("tool_results", &[raw(0, &output("a", &cut))]);
        assert_eq!(found[0]["truncated"], true);
        let line = "data: {\"type\":\"turn.raw_response_item\",\"payload\":{\"item\":{\"type\":\"function_call_output\",\"call_id\":\"b\",\"output\":\"xx... [truncated after 2 bytes, omitted 9 bytes]";
        let row = json!({"event": "turn.raw_response_item", "t": "2026-01-01T00:00:01.000", "line": line, "metadata": "{}", "flow_id": "s", "data_count": 0, "sid": "s"});
        let found = &records("tool_results", &[row.to_string()])[0];
        assert_eq!(
            (&found["call_id"], &found["truncated"], &found["text"], &found["bytes"]),
            (&json!("b"), &json!(true), &Value::Null, &Value::Null)
        );
    }

    fn used(id: &str) -> Value {
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "Read", "input": {}}]})
    }

    fn answer(id: &str, text: &str) -> Value {
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": text}], "is_error": false}]})
    }

    #[test]
    fn the_log_comes_before_requests() {
        let conversation = [
            used("toolu_1"),
            answer("toolu_1", "asked"),
            used("toolu_2"),
            answer("toolu_2", "only asked"),
        ];
        let asked = |ms| request(ms, "messages", &json!({ "messages": conversation }));
        let log = |ms| {
            claude(ms, &json!({"type": "tool_result", "message": answer("toolu_1", "logged")}))
        };
        for rows in [[asked(0), log(5), asked(9000)], [log(0), asked(5), asked(9000)]] {
            let found = records("tool_results", &rows);
            let mut told: Vec<_> = found
                .iter()
                .map(|r| (r["text"].as_str().unwrap(), r["source"].as_str().unwrap()))
                .collect();
            told.sort_unstable();
            assert_eq!(told, [("logged", "log"), ("only asked", "request")]);
            let of_request = found.iter().find(|r| r["source"] == "request").unwrap();
            assert_eq!(
                (&of_request["name"], &of_request["kind"]),
                (&json!("Read"), &json!("tool"))
            );
        }
    }

    #[test]
    fn transcripts_and_rollouts_tell_results() {
        let native = |kind: &str, more: Value| {
            let mut row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": kind});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row.to_string()
        };
        let mut failed = answer("toolu_1", "Exit code 127\nsh: x: not found");
        failed["content"][0]["is_error"] = true.into();
        let rows = [
            native("assistant", json!({"sessionId": "c", "uuid": "u", "message": used("toolu_1")})),
            native("user", json!({"sessionId": "c", "uuid": "v", "message": failed})),
        ];
        let found = records("tool_results", &rows);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0]["name"], &found[0]["ok"], &found[0]["exit_code"]),
            (&json!("Read"), &json!(false), &json!(127))
        );
        let said = "Chunk ID: a\nWall time: 0.5 seconds\nProcess exited with code 0\nOutput:\nx";
        let rows = [
            native("response_item", json!({"payload": function("a")})),
            native("response_item", json!({"payload": output("a", &json!(said))})),
        ];
        let result = &records("tool_results", &rows)[0];
        assert_eq!(
            (&result["text"], &result["exit_code"], &result["duration_ms"]),
            (&json!(said), &json!(0), &json!(500))
        );
        assert_eq!((&result["kind"], &result["ok"]), (&json!("function"), &json!(true)));
    }
}

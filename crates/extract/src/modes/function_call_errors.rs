//! `function_call_errors`: a tool call that went wrong.
//!
//! A call went wrong if its result, its execution or its arguments say so: an exit code other than
//! 0, `is_error`, `success:false`, `Err`, arguments that are no JSON object. Where none of these
//! tells, whether good or bad, a result that starts with words of failure does (`Error:`,
//! `failed`, a timeout …). The class is the first that fits:
//!
//! - `timeout`: exit code 124, or the text says so. Of a command that tells its exit code only the
//!   start of the text is asked: the rest is its own output. So it is with all texts below.
//! - `rejected`: the user, or a rule of theirs, did not allow it.
//! - `not_found`: exit code 127, or the text misses a tool, a file or the like.
//! - `bad_args`: the arguments are no JSON object, or the text finds fault with them.
//! - `exit_code`: a command ended with another code than 0.
//! - `is_error`: the result says so, of Claude or of an MCP server.
//! - `failed`: it failed otherwise.
//! - `text`: nothing but the text tells of it.
//!
//! The excerpt is that of the result, without the heading of a shell; of a call without a result,
//! or with an empty one, what its execution said. Where nothing but the arguments is wrong, as
//! Codex may let pass, it says what is wrong with them. A record
//! starts from the call; one that only captured requests tell from the first request with it.

use std::collections::HashMap;
use std::sync::Arc;

use agentlog::event::{Event, Phase, Tool};
use agentlog::fold::calls::Call;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::asked_calls::{AskedResult, Told, call_of, fresh};
use super::call_fold::{CallFold, Start, call_key, key_of_call, sort_from};
use super::mcp_calls::message;
use super::results::{LogResult, Said, each_result, text_of, without_heading};
use super::runs::{McpResult, RunRow, mcp_result, run_of};
use crate::tools::or_null;
use crate::{Asked, Info, Mode, Record, Redact, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "function_call_errors",
    about: "a tool call that went wrong",
    sources: "logs of both agents; captured requests where no log tells it",
    own: OWN,
    key: &["sid", "call_id", "class"],
    table: &["t", "provider", "sid", "call_id", "name", "class", "exit_code", "excerpt"],
    takes: Takes { deltas: true, left_out: false, select: Select::Records },
    make: |options| {
        Box::new(FunctionCallErrors { redact: options.redact.clone(), ..Default::default() })
    },
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("name", Shape::Text, "the tool's name"),
    field(
        "class",
        Shape::OneOf(&[
            "timeout",
            "rejected",
            "not_found",
            "bad_args",
            "exit_code",
            "is_error",
            "failed",
            "text",
        ]),
        "what went wrong, the first that fits",
    ),
    field("exit_code", Shape::Integer, "exit code of a command"),
    field("excerpt", Shape::Text, "the first 500 characters that tell of it"),
];

#[derive(Default)]
struct FunctionCallErrors {
    calls: CallFold,
    /// What is known of open calls.
    open: HashMap<u64, Clues, FixedState>,
    /// What went wrong by requests, and no log has told yet.
    asked: HashMap<u64, AskedError, FixedState>,
    /// The calls that are over.
    known: HashMap<u64, Known, FixedState>,
    over: Vec<Call>,
    /// Secrets are hashed before texts are cut: a part of one would not be known for one.
    redact: Option<Arc<Redact>>,
}

/// What is remembered of a call that is over.
#[derive(Clone, Copy, Default)]
struct Known {
    has_result: bool,
    /// Whether it gave a record.
    told: bool,
}

/// What tells how a call went.
#[derive(Clone, Default)]
struct Clues {
    has_result: bool,
    exit_code: Option<i64>,
    /// Whether it failed, by its result and by its execution.
    failed: Option<bool>,
    /// Whether a result itself says that it is an error.
    is_error: bool,
    /// What is wrong with the arguments, if something is.
    bad_args: Option<Box<str>>,
    /// The start of what the model was given, else of what the execution said.
    excerpt: String,
}

/// What went wrong by a request.
struct AskedError {
    start: Start,
    call_id: String,
    name: Option<String>,
    class: &'static str,
    clues: Clues,
}

impl Mode for FunctionCallErrors {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if let Some((asked, place)) = row.asked() {
            for told in fresh(asked, place) {
                if let Told::Result(result) = told {
                    self.asked_result(row.event, asked, &result);
                }
            }
        }
        each_result(row, |result| self.log_result(row.event, &result, out));
        if let Some(run) = run_of(row).filter(|run| run.phase != Phase::Begin)
            && run.text("source") != Some("user_shell")
            && let Some(call_id) = run.call_id
        {
            self.open.entry(call_key(row.event.head, call_id)).or_default().run(&run);
        }
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
        let redact = self.redact.clone();
        out.extend(self.asked.drain().map(|(_, error)| {
            let AskedError { start, call_id, name, class, clues } = error;
            clues.record(redact.as_deref(), start, Some(&call_id), name.as_deref(), class)
        }));
        sort_from(from, out);
    }
}

impl FunctionCallErrors {
    fn log_result(&mut self, event: &Event<'_>, result: &LogResult<'_>, out: &mut Vec<Record>) {
        let said = Said::of(result.content);
        let Some(call_id) = result.call_id.filter(|id| !id.is_empty()) else {
            let mut clues = Clues::default();
            clues.result(&said, result.is_error);
            if let Some(class) = clues.class() {
                out.push(clues.record(self.redact.as_deref(), Start::of(event), None, None, class));
            }
            return;
        };
        let key = call_key(event.head, call_id);
        self.asked.remove(&key);
        if !self.known.get(&key).is_some_and(|known| known.told) {
            self.open.entry(key).or_default().result(&said, result.is_error);
        }
    }

    fn asked_result(&mut self, event: &Event<'_>, asked: &Asked, result: &AskedResult<'_>) {
        let key = call_key(event.head, result.call_id);
        let told = |known: &Known| known.has_result || known.told;
        if self.known.get(&key).is_some_and(told)
            || self.open.get(&key).is_some_and(|clues| clues.has_result)
            || self.asked.contains_key(&key)
        {
            return;
        }
        let mut clues = Clues::default();
        clues.result(&Said::of(result.content), result.is_error);
        let Some(class) = clues.class() else { return };
        let name = call_of(asked, result).and_then(|call| call.name).map(String::from);
        let (start, call_id) = (Start::of(event), result.call_id.to_owned());
        self.asked.insert(key, AskedError { start, call_id, name, class, clues });
    }

    /// Judges the calls that are over.
    fn give_out(&mut self, out: &mut Vec<Record>) {
        for call in std::mem::take(&mut self.over) {
            let key = key_of_call(&call);
            let mut clues = self.open.remove(&key).unwrap_or_default();
            clues.call(&call);
            let class = clues.class();
            let known = self.known.entry(key).or_default();
            let told_before = known.told;
            known.has_result |= clues.has_result;
            known.told |= class.is_some();
            if known.has_result || known.told {
                self.asked.remove(&key);
            }
            if let Some(class) = class.filter(|_| !told_before) {
                let (id, name) = (call.call_id.as_deref(), call.name.as_deref());
                out.push(clues.record(
                    self.redact.as_deref(),
                    Start::of_call(&call),
                    id,
                    name,
                    class,
                ));
            }
        }
    }
}

impl Clues {
    fn result(&mut self, said: &Said, is_error: Option<bool>) {
        if self.has_result {
            return;
        }
        self.has_result = true;
        self.is_error |= is_error == Some(true);
        self.exit_code = self.exit_code.or(said.exit_code);
        self.add(said.failed(is_error));
        let text = start_of(without_heading(said.text.as_deref().unwrap_or_default()));
        if !text.is_empty() {
            self.excerpt = text;
        }
    }

    /// The end of an execution.
    fn run(&mut self, run: &RunRow<'_>) {
        let mut said = None;
        let text = |key| run.text(key).filter(|text| !text.trim_ascii().is_empty());
        let exit_code = run.exit_code();
        // Its exit code is better known than what the result tells of it.
        self.exit_code = exit_code.or(self.exit_code);
        self.add(exit_code.map(|code| code != 0).or(run.read_ok().map(|ok| !ok)));
        match run.tool {
            Tool::Shell => {
                said = ["stderr", "aggregated_output", "stdout"].into_iter().find_map(text);
            }
            Tool::Patch => {
                self.add(run.flag("success").map(|success| !success));
                said = ["stderr", "stdout"].into_iter().find_map(text);
            }
            Tool::Mcp => match mcp_result(run) {
                Some(McpResult::Came(result, is_error)) => {
                    self.is_error |= is_error;
                    self.add(Some(is_error));
                    self.or_excerpt(&text_of(result).unwrap_or_default());
                }
                Some(McpResult::Failed(error)) => {
                    self.add(Some(true));
                    self.or_excerpt(&message(error).unwrap_or_default());
                }
                None => {}
            },
        }
        self.or_excerpt(said.unwrap_or_default());
    }

    /// What the fold says of the whole call.
    fn call(&mut self, call: &Call) {
        self.exit_code = call.exit_code.or(self.exit_code);
        self.add(call.ok.filter(|ok| !ok).map(|_| true));
        self.has_result |= call.output_bytes.is_some();
        if let Some(bad) = call.violations.iter().find(|bad| bad.rule.code == "bad_args") {
            self.bad_args = Some(bad.detail.clone());
        }
    }

    fn add(&mut self, failed: Option<bool>) {
        self.failed = [self.failed, failed].into_iter().flatten().reduce(|a, b| a | b);
    }

    fn or_excerpt(&mut self, text: &str) {
        if self.excerpt.is_empty() {
            self.excerpt = start_of(text);
        }
    }

    /// What went wrong, if something did.
    fn class(&self) -> Option<&'static str> {
        let text = excerpt(&self.excerpt).to_lowercase();
        let failed = self.failed == Some(true);
        let by_text = self.failed.is_none() && starts(&text, FAILURES);
        if !failed && self.bad_args.is_none() && !by_text {
            return None;
        }
        let code = self.exit_code.filter(|code| *code != 0);
        let says = |marks: &[&str]| code.is_none() && marks.iter().any(|mark| text.contains(mark));
        Some(match () {
            () if code == Some(124) || starts(&text, TIMEOUTS) || says(TIMED_OUT) => "timeout",
            () if starts(&text, REJECTIONS) || says(REJECTED) => "rejected",
            () if code == Some(127) || says(MISSING) => "not_found",
            () if self.bad_args.is_some() || says(BAD_ARGS) => "bad_args",
            () if code.is_some() => "exit_code",
            () if self.is_error => "is_error",
            () if failed => "failed",
            () => "text",
        })
    }

    fn record(
        self,
        redact: Option<&Redact>,
        start: Start,
        id: Option<&str>,
        name: Option<&str>,
        class: &'static str,
    ) -> Record {
        // What the result says of a call that went on tells nothing of its arguments.
        let went_wrong = self.failed == Some(true) || class != "bad_args";
        let said = Some(self.excerpt).filter(|excerpt| !excerpt.is_empty() && went_wrong);
        let clean = |said: String| match redact {
            Some(redact) => excerpt(&redact.text(&said)),
            None => excerpt(&said),
        };
        let excerpt = said.map(clean).or(self.bad_args.map(String::from));
        let values = vec![
            or_null(id),
            or_null(name),
            class.into(),
            or_null(self.exit_code),
            or_null(excerpt),
        ];
        start.record(&INFO, values)
    }
}

/// How results start that tell of a failure, in lower case. So with all marks.
const FAILURES: &[&str] = &[
    "err:",
    "error:",
    "error ",
    "error\n",
    "failed",
    "failure",
    "timed out",
    "timeout",
    "command timed out",
    "<tool_use_error>",
    "unsupported call",
    "apply_patch verification failed",
    "exec_command failed",
    "execution error",
];

const TIMEOUTS: &[&str] =
    &["timed out", "timeout", "command timed out", "error: command timed out"];
const TIMED_OUT: &[&str] = &["timed out", "timeout after", "timeout exceeded", "deadline exceeded"];

const REJECTIONS: &[&str] = &["the user doesn't want to", "[request interrupted by user"];
const REJECTED: &[&str] = &[
    "the user doesn't want to",
    "[request interrupted by user",
    "rejected",
    "requires approval",
    "haven't granted it",
    "permission to use",
    "was denied",
    "has been denied",
    "declined",
    "was blocked",
];

const MISSING: &[&str] = &[
    "no such file",
    "no such tool",
    "no such command",
    "not found",
    "does not exist",
    "doesn't exist",
    "unknown tool",
    "unsupported call",
    "enoent",
];

const BAD_ARGS: &[&str] = &[
    "inputvalidationerror",
    "failed to parse function arguments",
    "failed to parse arguments",
    "invalid arguments",
    "invalid params",
    "missing field",
    "required parameter",
];

fn starts(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| text.starts_with(mark))
}

/// The first 500 characters of a text.
/// As much of a text as is kept: more than is shown, since secrets are found in whole texts only.
const START: usize = 16_384;

fn start_of(text: &str) -> String {
    text.chars().take(START).collect()
}

/// The first characters that tell of what went wrong.
fn excerpt(text: &str) -> String {
    text.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, turn};
    use serde_json::{Value, json};

    fn raw(ms: i64, item: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({ "item": item }))
    }

    fn function(ms: i64, args: &str) -> String {
        raw(
            ms,
            &json!({"type": "function_call", "name": "shell", "arguments": args, "call_id": "a"}),
        )
    }

    fn output(ms: i64, said: &Value) -> String {
        raw(ms, &json!({"type": "function_call_output", "call_id": "a", "output": said}))
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_exit_code() {
        let said = json!("{\"output\":\"not found\",\"metadata\":{\"exit_code\":2}}");
        let rows = [function(0, "{}"), output(5, &said)];
        assert_eq!(
            records("function_call_errors", &rows),
            [json!({
                "t": "2026-01-01T00:00:00.000Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "name": "shell", "class": "exit_code", "exit_code": 2,
                "excerpt": "not found", "line": 1,
            })]
        );
    }

    fn class(said: &Value) -> Value {
        let found = records("function_call_errors", &[function(0, "{}"), output(5, said)]);
        found.first().map_or(Value::Null, |error| error["class"].clone())
    }

    #[test]
    fn the_first_class_that_fits_counts() {
        let shell =
            |code: i64| json!(json!({"output": "x", "metadata": {"exit_code": code}}).to_string());
        for (said, want) in [
            (shell(0), Value::Null),
            (shell(1), json!("exit_code")),
            (shell(124), json!("timeout")),
            (shell(127), json!("not_found")),
            (json!("Plan updated"), Value::Null),
            (json!("err: what"), json!("text")),
            (json!("Error: timed out after 5 s"), json!("timeout")),
            (json!("unsupported call: x"), json!("not_found")),
            (
                json!("failed to parse function arguments: missing field `command`"),
                json!("bad_args"),
            ),
            (json!({"content": "failed: no such hunk", "success": false}), json!("failed")),
            (json!({"content": "patch rejected by user", "success": false}), json!("rejected")),
            (json!("Exit code: 0\nWall time: 0 seconds\nOutput:\nerror: in a file"), Value::Null),
            (
                json!("Wall time: 1 seconds\nProcess exited with code 3\nOutput:\nx timed out"),
                json!("exit_code"),
            ),
        ] {
            assert_eq!(class(&said), want, "{said}");
        }
    }

    #[test]
    fn arguments_that_are_no_object_are_wrong_without_a_result() {
        let found = records("function_call_errors", &[function(0, "{\"x\":")]);
        assert_eq!(found[0]["class"], "bad_args");
        assert_eq!(found[0]["excerpt"], "5 bytes that are no JSON object");
        let rows = [function(0, "{\"x\":"), output(5, &json!("Plan updated"))];
        let found = records("function_call_errors", &rows);
        assert_eq!(found[0]["excerpt"], "5 bytes that are no JSON object");
    }

    #[test]
    fn executions_tell_what_went_wrong_where_the_result_does_not() {
        let mcp = |result: Value| {
            let told = json!({"call_id": "a", "invocation": {"server": "d", "tool": "f"}, "result": result});
            turn(3, "turn.mcp_tool_call.end", "1", &told)
        };
        let is_error =
            json!({"Ok": {"content": [{"type": "text", "text": "bad"}], "is_error": true}});
        let patch = json!({"call_id": "a", "stdout": "", "stderr": "no hunk", "success": false});
        for (end, class, excerpt) in [
            (mcp(is_error), "is_error", "bad"),
            (mcp(json!({"Err": "gone"})), "failed", "gone"),
            (turn(3, "turn.patch_apply.end", "1", &patch), "failed", "no hunk"),
        ] {
            let error = &records("function_call_errors", &[function(0, "{}"), end])[0];
            assert_eq!((&error["class"], &error["excerpt"]), (&json!(class), &json!(excerpt)));
        }
    }

    fn answer(text: &str, is_error: Option<bool>) -> Value {
        let mut block = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": text});
        if let Some(is_error) = is_error {
            block["is_error"] = is_error.into();
        }
        json!({"role": "user", "content": [block]})
    }

    fn result(text: &str, is_error: Option<bool>) -> String {
        claude(5, &json!({"type": "tool_result", "message": answer(text, is_error)}))
    }

    #[test]
    fn results_of_claude_tell_of_errors() {
        for (text, is_error, want) in [
            ("File has changed", Some(true), json!("is_error")),
            ("The user doesn't want to proceed with this tool use.", Some(true), json!("rejected")),
            (
                "<tool_use_error>Error: No such tool available: X</tool_use_error>",
                Some(true),
                json!("not_found"),
            ),
            (
                "<tool_use_error>InputValidationError: x</tool_use_error>",
                Some(true),
                json!("bad_args"),
            ),
            ("Exit code 1\nno such file", Some(true), json!("exit_code")),
            ("Command timed out after 2m 0.0s", Some(true), json!("timeout")),
            ("error: in a file", Some(false), Value::Null),
            ("<tool_use_error>x</tool_use_error>", None, json!("text")),
        ] {
            let found = records("function_call_errors", &[result(text, is_error)]);
            let class = found.first().map_or(Value::Null, |error| error["class"].clone());
            assert_eq!(class, want, "{text}");
        }
        let long = "é".repeat(600);
        let found = records("function_call_errors", &[result(&long, Some(true))]);
        assert_eq!(found[0]["excerpt"].as_str().map(|text| text.chars().count()), Some(500));
    }

    #[test]
    fn requests_tell_errors_that_no_log_tells() {
        let used = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Edit", "input": {}}]});
        let body = json!({"messages": [used, answer("bad", Some(true))]});
        let asked = |ms| request(ms, "messages", &body);
        let found = records("function_call_errors", &[asked(0), asked(10)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0]["name"], &found[0]["class"], &found[0]["line"]),
            (&json!("Edit"), &json!("is_error"), &json!(1))
        );
        for rows in
            [[asked(0), result("fine", Some(false))], [result("fine", Some(false)), asked(9000)]]
        {
            assert!(records("function_call_errors", &rows).is_empty());
        }
        assert_eq!(
            records("function_call_errors", &[result("bad", Some(true)), asked(9000)]).len(),
            1
        );
    }
}

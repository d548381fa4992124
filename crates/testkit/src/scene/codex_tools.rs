//! What a Codex process writes of prompts, turns and tool calls.

use super::codex_pen::Pen;
use super::stage::{Id, Stage, Whose, utc};
use super::sums::Used;
use serde_json::{Value, json};

/// A tool call, as it is announced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub item: &'static str,
    pub id: &'static str,
    /// As records name it.
    pub kind: &'static str,
    pub name: &'static str,
    pub args: &'static str,
}

impl Call {
    fn is_custom(&self) -> bool {
        self.item.starts_with("ctc_")
    }

    /// The item as it is sent.
    pub(super) fn item(&self) -> Value {
        let (kind, key) = if self.is_custom() {
            ("custom_tool_call", "input")
        } else {
            ("function_call", "arguments")
        };
        json!({"type": kind, "name": self.name, "call_id": self.id, key: self.args})
    }
}

/// How a call ended: the status, and when: the end of its execution if that is told, else its
/// result, as `alog-calls` has it.
pub(super) type End = (&'static str, Option<i64>);

/// Notes a call and what it counts for. `row` is the one that announced it.
pub(super) fn note_call(stage: &mut Stage, row: Id, call: &Call, end: End, source: &str) {
    let put = stage.row(row);
    let (whose, ms): (Whose, i64) = (put.whose.clone(), put.ms);
    let parsed: Option<Value> = serde_json::from_str(call.args).ok();
    let is_custom = call.is_custom();
    let args_text = if parsed.is_some() { Value::Null } else { call.args.into() };
    stage.tell("tool_calls", row, json!({
        "call_id": call.id, "kind": call.kind, "name": call.name, "args": parsed,
        "args_text": args_text, "args_bytes": call.args.len(), "complete": parsed.is_some() || is_custom,
        "status": end.0, "t_end": end.1.map(utc), "source": source,
    }));
    if source != "log" {
        return;
    }
    stage.tell(
        "transcript",
        row,
        json!({
            "role": "tool", "name": call.name, "call_id": call.id, "unsure": ["t", "src"],
        }),
    );
    stage.calls.push(Used {
        row,
        whose,
        ms,
        kind: call.kind,
        name: call.name.into(),
        failed: end.0 == "failed",
        args_bytes: call.args.len(),
    });
}

/// Notes a result in all modes that tell of results. `record` says what is sure beside its names.
pub(super) fn note_result(stage: &mut Stage, row: Id, call: &Call, mut record: Value) {
    record["call_id"] = call.id.into();
    record["name"] = call.name.into();
    record["kind"] = call.kind.into();
    record["source"] = "log".into();
    stage.tell("tool_results", row, record);
    stage.tell(
        "transcript",
        row,
        json!({
            "role": "tool_result", "name": call.name, "call_id": call.id, "unsure": ["t", "src"],
        }),
    );
}

impl Pen<'_> {
    /// Announces a call: the stream of its arguments, and the item as a whole. The arguments come in
    /// two pieces 10 and 20 ms later, the item's end 22 ms later. Gives the row that announces it.
    pub(super) fn call(&mut self, ms: i64, call: &Call) -> Id {
        let item = |status: &str, args: &str| {
            let mut item = Call { args: "", ..*call }.item();
            item["id"] = call.item.into();
            item["status"] = status.into();
            item[if call.is_custom() { "input" } else { "arguments" }] = args.into();
            json!({"item": item})
        };
        let (stem, key) = if call.is_custom() {
            ("response.custom_tool_call_input", "input")
        } else {
            ("response.function_call_arguments", "arguments")
        };
        let row = self.stream(ms, "response.output_item.added", item("in_progress", ""));
        let (one, two) = call.args.split_at(call.args.len() / 2);
        let delta = |piece: &str| json!({"item_id": call.item, "output_index": 1, "delta": piece});
        let begins = self.stream(ms + 10, &format!("{stem}.delta"), delta(one));
        self.stream(ms + 20, &format!("{stem}.delta"), delta(two));
        let done = json!({"item_id": call.item, "output_index": 1, key: call.args});
        self.stream(ms + 21, &format!("{stem}.done"), done);
        self.stream(ms + 22, "response.output_item.done", item("completed", call.args));
        self.turn(ms + 23, "turn.raw_response_item", json!({"item": call.item()}));
        let parses = call.is_custom() || serde_json::from_str::<Value>(call.args).is_ok();
        self.tell(
            "agg_deltas",
            begins,
            json!({
                "kind": "tool_args", "item_id": call.item, "request_id": null, "block_index": null,
                "call_id": call.id, "name": call.name, "t_last": utc(ms + 20), "deltas": 2,
                "bytes": call.args.len(), "text": call.args, "unsure": ["json"],
                "status": if parses { "complete" } else { "invalid_json" },
            }),
        );
        row
    }

    /// What a call gave back to the model.
    pub(super) fn output(&mut self, ms: i64, call: &Call, output: &str) -> Id {
        let kind =
            if call.is_custom() { "custom_tool_call_output" } else { "function_call_output" };
        let item = json!({"type": kind, "call_id": call.id, "output": output});
        self.turn(ms, "turn.raw_response_item", json!({"item": item}))
    }

    /// Runs a command from `ms` on for so many milliseconds; gives its result to the model 1 ms
    /// later. Tells of the run and of the result.
    pub(super) fn runs(
        &mut self,
        ms: i64,
        call: &Call,
        took: i64,
        end: (&str, &str, i64),
        said: &str,
    ) {
        let (stdout, stderr, code) = end;
        let parsed: Value = serde_json::from_str(call.args).unwrap_or_default();
        let (command, cwd) = (parsed["command"].clone(), self.cwd);
        let parsed = json!([{"type": "unknown", "cmd": command[2]}]);
        let begin = json!({
            "call_id": call.id, "turn_id": self.turn, "command": command, "cwd": cwd,
            "parsed_cmd": parsed, "source": "agent",
        });
        let row = self.turn(ms, "turn.exec.begin", begin);
        let all = format!("{stdout}{stderr}");
        let duration = json!({"secs": took / 1000, "nanos": took % 1000 * 1_000_000});
        self.turn(
            ms + took,
            "turn.exec.end",
            json!({
                "call_id": call.id, "stdout": stdout, "stderr": stderr, "aggregated_output": all,
                "exit_code": code, "duration": duration, "formatted_output": all,
            }),
        );
        self.tell(
            "exec_runs",
            row,
            json!({
                "call_id": call.id, "state": "ended", "source": "agent", "command": command,
                "workdir": cwd, "parsed": parsed, "exit_code": code, "ok": code == 0,
                "duration_ms": took, "stdout_bytes": stdout.len(), "stderr_bytes": stderr.len(),
                "truncated": false, "t_end": utc(ms + took),
            }),
        );
        let seconds = took as f64 / 1000.0;
        let metadata = json!({"exit_code": code, "duration_seconds": seconds});
        let output = json!({"output": said, "metadata": metadata}).to_string();
        let row = self.output(ms + took + 1, call, &output);
        // Whether the text is the JSON that was sent or the output inside it is not laid down.
        note_result(
            self.stage,
            row,
            call,
            json!({
                "ok": code == 0, "exit_code": code, "duration_ms": took, "truncated": false,
            }),
        );
    }

    /// The prompt of a turn. `sent` is its text as the row has it.
    pub(super) fn prompt(
        &mut self,
        ms: i64,
        text: &str,
        sent: &str,
        images: &[&str],
        nth: u64,
    ) -> Id {
        self.nth = nth;
        let row = self.turn(ms, "turn.user_message", json!({"message": sent, "images": images}));
        let about =
            json!({"kind": "prompt", "text": text, "images": images.len(), "session_turn": nth});
        note_prompt(self.stage, row, &about);
        row
    }

    /// Tells of a turn in the modes of turns.
    pub(super) fn turn_truth(&mut self, prompt: Id, mut turn: Value) {
        turn["pid"] = self.whose.pid.into();
        turn["turn_id"] = self.turn.into();
        note_turn(self.stage, prompt, &turn);
    }
}

/// Notes a prompt in all modes of prompts.
pub(super) fn note_prompt(stage: &mut Stage, row: Id, about: &Value) {
    stage.tell("latest_prompts", row, about.clone());
    let mut own = about.clone();
    own["injected"] = false.into();
    own["source"] = "log".into();
    if own["reminders"].is_null() {
        own["reminders"] = 0.into();
    }
    stage.tell("user_prompts", row, own);
    stage.tell(
        "transcript",
        row,
        json!({
            "role": "user", "call_id": null, "text": about["text"], "unsure": ["t", "src"],
        }),
    );
}

/// Notes a turn in all modes of turns.
pub(super) fn note_turn(stage: &mut Stage, prompt: Id, turn: &Value) {
    stage.tell("turns_user_idle", prompt, turn.clone());
    stage.tell("turns_user_assistant", prompt, turn.clone());
    if turn["idle_t"].is_string() {
        let mut idle = turn.clone();
        idle["t"] = turn["idle_t"].clone();
        idle["unsure"] = json!(["src"]);
        stage.tell("latest_idle", prompt, idle);
    }
}

//! Tool calls: what the model asks for, what becomes of it, and the rules that it breaks.

use super::Codex;
use super::response::Response;
use super::stream::{Item, Kind};
use crate::calendar::utc_stamp;
use crate::fault::Fault;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Shell,
    Plan,
    Patch,
    Mcp,
}

/// A call that was announced.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) tool: Tool,
    pub(super) id: String,
    item_id: String,
    name: &'static str,
    announced: i64,
    codes: Vec<&'static str>,
    must: Vec<&'static str>,
}

/// How the execution of a call went.
#[derive(Debug)]
pub(super) struct Outcome {
    /// As records name it.
    pub(super) kind: &'static str,
    pub(super) ok: bool,
    pub(super) exit_code: Option<i64>,
    /// The result given back to the model.
    pub(super) output: String,
    /// The result has been written already.
    pub(super) written: bool,
}

impl Codex {
    /// Streams the calls of one response.
    pub(super) fn announce(&mut self, response: &mut Response) -> Vec<Call> {
        let tools = match self.pen.fault {
            Some(_) => vec![Tool::Shell],
            None if self.brief() => vec![Tool::Shell],
            None => {
                let count = self.pen.prng.pick(&[1, 1, 1, 2, 3]);
                let all = [Tool::Shell, Tool::Plan, Tool::Patch, Tool::Mcp];
                (0..count).map(|_| self.pen.prng.pick(&all)).collect()
            }
        };
        tools.into_iter().map(|tool| self.announce_one(response, tool)).collect()
    }

    fn announce_one(&mut self, response: &mut Response, tool: Tool) -> Call {
        let name = match tool {
            Tool::Shell => "shell",
            Tool::Plan => "update_plan",
            Tool::Patch => "apply_patch",
            Tool::Mcp => "docs__find",
        };
        let id = match self.kin.forked.take() {
            Some((_, old_call)) => old_call,
            None => self.pen.prng.id("call_", 24),
        };
        let custom = tool == Tool::Patch;
        let item_id = self.pen.prng.id(if custom { "ctc_" } else { "fc_" }, 30);
        let mut call = Call {
            tool,
            id,
            item_id,
            name,
            announced: self.pen.ms,
            codes: Vec::new(),
            must: Vec::new(),
        };
        self.turn.tool_calls += 1;
        let item = self.call_item(&mut call);
        self.stream(response, &item);
        call
    }

    fn call_item(&mut self, call: &mut Call) -> Item {
        let mut text = self.arguments(call.tool);
        let (mut final_text, mut late) = (None, false);
        if self.pen.once(Fault::BadArgs) {
            text.pop();
            call.codes.push("bad_args");
        } else if self.pen.once(Fault::ArgsMismatch) {
            final_text = Some(text.replacen("\"workdir\"", "\"again\":true,\"workdir\"", 1));
            call.codes.push("args_mismatch");
        } else if self.pen.once(Fault::DuplicateCall) {
            self.turn.doubled = Some(call.id.clone());
            call.codes.push("duplicate_call");
        } else if self.pen.once(Fault::LateDelta) {
            late = true;
            call.must.push("late_delta");
        }
        let said = final_text.as_ref().unwrap_or(&text);
        let (kind, key, tool_type) = match call.tool {
            Tool::Patch => (Kind::Input, "input", "custom_tool_call"),
            _ => (Kind::Arguments, "arguments", "function_call"),
        };
        let done = json!({
            "id": call.item_id, "type": tool_type, "status": "completed", "name": call.name,
            "call_id": call.id, key: said,
        });
        let id = call.item_id.clone();
        Item { kind, id, done, parts: vec![text], final_text, cut: false, late }
    }

    fn arguments(&mut self, tool: Tool) -> String {
        let (settings, brief) = (self.pen.settings.clone(), self.brief());
        let words = |prng: &mut _, high| settings.words(prng, 2, high);
        let prng = &mut self.pen.prng;
        match tool {
            Tool::Patch => format!(
                "*** Begin Patch\n*** Update File: a.txt\n@@\n-a\n+{}\n*** End Patch",
                words(prng, 9)
            ),
            Tool::Shell if brief => {
                json!({"command": ["bash", "-lc", "cargo test --quiet"], "workdir": self.cwd})
                    .to_string()
            }
            Tool::Shell => {
                json!({"command": ["bash", "-lc", words(prng, 12)], "workdir": self.cwd})
                    .to_string()
            }
            Tool::Mcp => json!({"q": words(prng, 5)}).to_string(),
            Tool::Plan => {
                json!({"plan": [{"step": words(prng, 6), "status": "pending"}]}).to_string()
            }
        }
    }

    /// Carries the call out, gives its result back, and writes its row of the truth.
    pub(super) fn answer_call(&mut self, call: &Call, cut: bool) {
        if cut {
            let plain = if call.tool == Tool::Patch { "custom" } else { "function" };
            let kind = if call.tool == Tool::Mcp { "mcp" } else { plain };
            return self.call_truth(call, (kind, None), self.unanswered(), &[]);
        }
        self.pen.tick(1, 60);
        let mut codes = Vec::new();
        let outcome = self.execute(call, &mut codes);
        let known = (outcome.kind, outcome.exit_code);
        if self.pen.once(Fault::MissingOutput) {
            codes.push("missing_output");
            return self.call_truth(call, known, self.unanswered(), &codes);
        }
        if !outcome.written {
            self.pen.tick(0, 4);
            self.output_row(call.tool, &call.id, &outcome.output);
        }
        if self.pen.once(Fault::DuplicateOutput) {
            self.pen.tick(1, 50);
            self.output_row(call.tool, &call.id, &outcome.output);
            codes.push("duplicate_output");
        }
        let state = if outcome.ok { "completed" } else { "failed" };
        self.call_truth(call, known, state, &codes);
        if self.pen.once(Fault::OrphanOutput) {
            self.orphan();
        }
    }

    pub(super) fn output_row(&mut self, tool: Tool, call_id: &str, output: &str) {
        let custom = tool == Tool::Patch;
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        let item = json!({"type": kind, "call_id": call_id, "output": output});
        self.turn_row("turn.raw_response_item", json!({"item": item}));
        self.has_results = true;
    }

    fn orphan(&mut self) {
        self.pen.tick(1, 9);
        let call_id = self.pen.prng.id("call_", 24);
        self.output_row(Tool::Shell, &call_id, "a late answer");
        self.tables.calls.push(json!({
            "t": utc_stamp(self.pen.ms), "provider": "codex", "sid": self.sid,
            "call_id": call_id, "name": null, "state": "orphan", "violations": ["orphan_output"],
        }));
    }

    fn call_truth(
        &mut self,
        call: &Call,
        (kind, exit_code): (&str, Option<i64>),
        state: &str,
        more: &[&'static str],
    ) {
        let mut codes = [&call.codes[..], more].concat();
        codes.sort_unstable();
        let mut row = json!({
            "t": utc_stamp(call.announced), "provider": "codex", "sid": self.sid,
            "call_id": call.id, "item_id": call.item_id, "name": call.name, "kind": kind,
            "state": state, "exit_code": exit_code, "violations": codes,
        });
        if let (Some(map), false) = (row.as_object_mut(), call.must.is_empty()) {
            map.remove("violations");
            map.insert("must_violate".into(), json!(call.must));
        }
        if let (Some(map), true) = (row.as_object_mut(), self.pen.on(Fault::TwinsOnly)) {
            map.retain(|key, _: &mut Value| key != "t" && key != "item_id");
        }
        self.tables.calls.push(row);
    }
}

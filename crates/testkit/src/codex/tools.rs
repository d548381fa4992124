//! The execution of a call: its begin and end rows, by kind of tool.

use super::Codex;
use super::calls::{Call, Outcome, Tool};
use crate::fault::Fault;
use serde_json::{Value, json};

impl Codex {
    pub(super) fn execute(&mut self, call: &Call, codes: &mut Vec<&'static str>) -> Outcome {
        let ok = self.pen.fault.is_some() || self.pen.prng.percent(85);
        match call.tool {
            Tool::Shell => self.shell(call, ok, codes),
            Tool::Patch => self.patch(call, ok),
            Tool::Mcp => self.mcp(call),
            Tool::Plan => outcome("function", true, "Plan updated"),
        }
    }

    fn shell(&mut self, call: &Call, ok: bool, codes: &mut Vec<&'static str>) -> Outcome {
        let failed = self.pen.prng.pick(&[1, 2, 101, 124, 137]);
        let mismatch = self.pen.once(Fault::ExitMismatch);
        let exit_code = if mismatch {
            1
        } else if ok {
            0
        } else {
            failed
        };
        let ran = self.pen.prng.range(5, 4000);
        let stdout = self.stdout();
        if self.pen.once(Fault::EndWithoutBegin) {
            codes.push("end_without_begin");
        } else {
            self.exec_begin(call);
        }
        self.pen.ms += ran as i64;
        let said = if mismatch { 0 } else { exit_code };
        let mut outcome = outcome("shell", exit_code == 0, &shell_result(&stdout, said, ran));
        outcome.exit_code = Some(exit_code);
        if mismatch {
            codes.push("exit_mismatch");
        }
        if self.pen.once(Fault::OutOfOrder) {
            codes.push("out_of_order");
            self.output_row(call.tool, &call.id, &outcome.output);
            outcome.written = true;
            self.pen.tick(500, 500);
        }
        if self.pen.once(Fault::NeverEnded) {
            codes.push("never_ended");
        } else {
            self.exec_end(call, &stdout, exit_code, ran);
        }
        outcome
    }

    fn exec_begin(&mut self, call: &Call) {
        let command = json!(["bash", "-lc", "x"]);
        let begin = json!({
            "call_id": call.id, "turn_id": self.turn_id.to_string(), "command": command,
            "cwd": self.cwd, "parsed_cmd": [],
        });
        self.turn_row("turn.exec.begin", begin);
    }

    fn exec_end(&mut self, call: &Call, stdout: &str, exit_code: i64, ran: u64) {
        let formatted: String = stdout.chars().take(200).collect();
        let end = json!({
            "call_id": call.id, "stdout": stdout, "stderr": "", "aggregated_output": stdout,
            "exit_code": exit_code,
            "duration": {"secs": ran / 1000, "nanos": ran % 1000 * 1_000_000},
            "formatted_output": formatted,
        });
        self.turn_row("turn.exec.end", end);
    }

    /// What a command prints: words, or with `NestedLog` the log itself.
    fn stdout(&mut self) -> String {
        if !self.pen.once(Fault::NestedLog) {
            let settings = self.pen.settings.clone();
            return settings.words(&mut self.pen.prng, 1, 80);
        }
        // Written twice, and its quotes escaped twice.
        let size = (self.pen.settings.giant_bytes / 3).max(2048);
        let rows: Vec<u8> =
            self.pen.rows.iter().flat_map(|written| written.row.to_bytes()).collect();
        let log = String::from_utf8_lossy(&rows).into_owned();
        let mut out = String::with_capacity(size + log.len());
        while out.len() < size {
            out.push_str(&log);
        }
        let whole = (0..=size.min(out.len())).rev().find(|&at| out.is_char_boundary(at));
        out.truncate(whole.unwrap_or(0));
        out
    }

    fn patch(&mut self, call: &Call, ok: bool) -> Outcome {
        let update = json!({"type": "update", "unified_diff": "-a\n+b\n", "move_path": null});
        let changes = json!({"/w/a.txt": update});
        let begin = json!({"call_id": call.id, "auto_approved": true, "changes": changes});
        self.turn_row("turn.patch_apply.begin", begin);
        self.pen.tick(2, 90);
        let stderr = if ok { "" } else { "hunk 1 does not apply" };
        let end = json!({"call_id": call.id, "stdout": "", "stderr": stderr, "success": ok});
        self.turn_row("turn.patch_apply.end", end);
        outcome("patch", ok, if ok { "Success" } else { "error: hunk 1 does not apply" })
    }

    fn mcp(&mut self, call: &Call) -> Outcome {
        let invocation = json!({"server": "docs", "tool": "find", "arguments": {"q": "x"}});
        let begin = json!({"call_id": call.id, "invocation": invocation});
        self.turn_row("turn.mcp_tool_call.begin", begin);
        self.pen.tick(5, 900);
        let content: Value = json!([{"type": "text", "text": "one hit"}]);
        let end = json!({
            "call_id": call.id, "invocation": invocation,
            "duration": {"secs": 0, "nanos": 5_000_000},
            "result": {"Ok": {"content": content, "is_error": false}},
        });
        self.turn_row("turn.mcp_tool_call.end", end);
        outcome("mcp", true, &content.to_string())
    }
}

fn outcome(kind: &'static str, ok: bool, output: &str) -> Outcome {
    Outcome { kind, ok, exit_code: None, output: output.into(), written: false }
}

/// What the model is told of a command: the start of its output, and how it ended.
fn shell_result(stdout: &str, exit_code: i64, ran_ms: u64) -> String {
    let head: String = stdout.chars().take(500).collect();
    let seconds = ran_ms as f64 / 1000.0;
    json!({"output": head, "metadata": {"exit_code": exit_code, "duration_seconds": seconds}})
        .to_string()
}

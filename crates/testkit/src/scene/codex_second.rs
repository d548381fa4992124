//! The second session of Codex: a plain turn; then another process goes on with it, another model
//! answers, and its turn is open when the log ends. Its rows are those of the newest writer.

use super::codex_first::limit;
use super::codex_pen::{MODEL, Pen, counted, rate_limits, spent, uuid7};
use super::codex_tools::{Call, note_call, note_result};
use super::stage::{Stage, utc};
use crate::spelling::Generation;
use serde_json::{Value, json};

const BEGIN: i64 = 600_000;
const CWD: &str = "/w/tools";
const SMALL: &str = "gpt-5.1-codex-mini";
const FIND: Call =
    Call { item: "fc_51", id: "call_51", kind: "mcp", name: "docs__find", args: r#"{"q":"y"}"# };
const LAST: Call = Call {
    item: "fc_61",
    id: "call_61",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","make"],"workdir":"/w/tools"}"#,
};

fn sid() -> String {
    uuid7(BEGIN, 0xc2)
}

pub(super) fn play(stage: &mut Stage) {
    let mut pen = Pen::new(stage, sid(), 4201, CWD);
    pen.generation = Generation::G4;
    asks(&mut pen);
    let whose = pen.whose.clone();
    stage.session(
        &whose,
        json!({
            "resumed": false, "rounds": 2, "prompts": 1, "turns_completed": 1, "turns_aborted": 0,
            "models": [MODEL], "cwds": [CWD], "end": "idle", "end_reason": null,
        }),
    );
    let mut pen = Pen::new(stage, sid(), 4202, CWD);
    pen.generation = Generation::G4;
    goes_on(&mut pen);
    let whose = pen.whose.clone();
    stage.session(
        &whose,
        json!({
            "resumed": true, "rounds": 2, "prompts": 1, "turns_completed": 0, "turns_aborted": 0,
            "models": [MODEL, SMALL], "cwds": [CWD], "end": "open", "end_reason": null,
        }),
    );
}

fn configured(pen: &mut Pen<'_>, ms: i64, history: Option<Value>) -> super::stage::Id {
    let none = json!({"prompts": 0, "ends": 0, "idles": 0, "violations": []});
    pen.round(ms, "0", &none);
    let mut payload = json!({
        "session_id": sid(), "model": MODEL, "approval_policy": "on-request",
        "sandbox_policy": {"type": "read-only"}, "cwd": CWD, "history_log_id": 2,
        "history_entry_count": 0, "rollout_path": "/h/r2.jsonl",
    });
    if let Some(history) = history {
        payload["initial_messages"] = history;
    }
    pen.turn(ms, "turn.session_configured", payload)
}

fn asks(pen: &mut Pen<'_>) {
    let row = configured(pen, BEGIN, None);
    // The process that goes on with the session has the same settings.
    pen.tell(
        "config",
        row,
        json!({
            "source": "session_configured", "changed": null, "uses": 2, "t_last": utc(700_000),
        }),
    );
    let cwd = json!({"kind": "cwd", "path": CWD, "unsure": ["t", "src"]});
    pen.tell("paths_repo_hints", row, cwd);
    // What was asked for and what answered is known at the first answer.
    pen.tell("model_identity_cutoff", row, json!({
        "claimed": null, "claimed_id": null, "cutoff": null, "requested": MODEL, "served": MODEL,
        "mismatch": false, "unsure": ["t", "src"],
    }));
    let one = json!({"prompts": 1, "ends": 1, "idles": 1, "turn_ids": ["1"], "violations": []});
    pen.round(610_000, "1", &one);
    let sent = format!("status?\nYour agent Id is: {}", sid());
    let prompt = pen.prompt(610_000, "status?", &sent, &[], 1);
    pen.turn(610_000, "turn.task_started", json!({"model_context_window": 258_400}));
    pen.created(610_100, "resp_51", MODEL);
    let call = pen.call(610_110, &FIND);
    let row = pen.completed(610_150, "resp_51", [800, 0, 50, 0], [6.0, 41.0]);
    limit(pen, row, 0, 6.0);
    limit(pen, row, 1, 41.0);
    let invocation = json!({"server": "docs", "tool": "find", "arguments": {"q": "y"}});
    let begin = json!({"call_id": FIND.id, "invocation": invocation});
    let row = pen.turn(610_200, "turn.mcp_tool_call.begin", begin);
    let found = json!({"content": [{"type": "text", "text": "one hit"}], "is_error": false});
    pen.turn(
        610_260,
        "turn.mcp_tool_call.end",
        json!({
            "call_id": FIND.id, "invocation": invocation,
            "duration": {"secs": 0, "nanos": 60_000_000}, "result": {"Ok": found},
        }),
    );
    pen.tell(
        "mcp_calls",
        row,
        json!({
            "call_id": FIND.id, "state": "ended", "server": "docs", "tool": "find",
            "args": {"q": "y"}, "ok": true, "error": null, "duration_ms": 60, "t_end": utc(610_260),
        }),
    );
    let row = pen.output(610_261, &FIND, "one hit");
    note_result(
        pen.stage,
        row,
        &FIND,
        json!({
            "ok": true, "exit_code": null, "bytes": 7, "duration_ms": 60, "truncated": false,
            "text": "one hit",
        }),
    );
    note_call(pen.stage, call, &FIND, ("completed", Some(610_260)), "log");
    pen.created(610_300, "resp_52", MODEL);
    pen.says("msg_52", &[(610_400, "All "), (610_500, "well")], "final", 1);
    pen.completed(610_520, "resp_52", [900, 800, 10, 0], [6.0, 41.0]);
    // The same totals once more count once.
    let info = json!({
        "total_token_usage": counted([1700, 800, 60, 0]),
        "last_token_usage": counted([900, 800, 10, 0]), "model_context_window": 258_400,
    });
    let again = json!({"info": info, "rate_limits": rate_limits([6.0, 41.0])});
    pen.turn(610_530, "turn.token_count", again);
    pen.turn(610_540, "codex.idle", json!({}));
    pen.turn(610_540, "turn.response.completed", json!({"last_agent_message": "All well"}));
    pen.turn_truth(
        prompt,
        json!({
            "session_turn": 1, "prompt": "status?", "status": "completed", "t_end": utc(610_540),
            "duration_ms": 540, "idle_t": utc(610_540), "reply": "All well", "replies": 1,
            "responses": 2, "tool_calls": 1, "tool_errors": 0, "tokens": spent([1700, 800, 60, 0]),
            "repaired": false,
        }),
    );
    pen.tell(
        "telemetry",
        prompt,
        json!({
            "session_turn": 1, "status": "completed", "ttft_ms": 120, "duration_ms": 540,
            "deltas": 4, "delta_bytes": FIND.args.len() + 8, "stalls": 0, "longest_gap_ms": 100,
            "responses": 2, "errors": 0, "background": 0, "mcp_failed": null,
        }),
    );
}

fn goes_on(pen: &mut Pen<'_>) {
    let old = json!([
        {"type": "user_message", "message": "status?", "kind": "plain"},
        {"type": "agent_message", "message": "All well"},
    ]);
    configured(pen, 700_000, Some(old));
    let row = pen.turn(700_001, "turn.warning", json!({"message": "the config key x is old"}));
    pen.tell("api_errors", row, json!({"kind": "warning", "message": "the config key x is old"}));
    let one = json!({"prompts": 1, "ends": 0, "idles": 0, "turn_ids": ["1"], "violations": []});
    pen.round(710_000, "1", &one);
    let sent = format!("build it\nYour agent Id is: {}", sid());
    let prompt = pen.prompt(710_000, "build it", &sent, &[], 2);
    pen.turn(710_001, "turn.task_started", json!({"model_context_window": 258_400}));
    let row = pen.created(710_100, "resp_61", SMALL);
    pen.tell("model_identity_cutoff", row, json!({
        "claimed": null, "claimed_id": null, "cutoff": null, "requested": MODEL, "served": SMALL,
        "mismatch": true, "unsure": ["t", "src"],
    }));
    let call = pen.call(710_110, &LAST);
    let begin = json!({
        "call_id": LAST.id, "turn_id": "1", "command": ["bash", "-lc", "make"], "cwd": CWD,
        "parsed_cmd": [], "source": "agent",
    });
    let row = pen.turn(710_200, "turn.exec.begin", begin);
    pen.tell(
        "exec_runs",
        row,
        json!({
            "call_id": LAST.id, "state": "never_ended", "source": "agent",
            "command": ["bash", "-lc", "make"], "workdir": CWD, "exit_code": null, "ok": null,
            "duration_ms": null, "t_end": null,
        }),
    );
    note_call(pen.stage, call, &LAST, ("pending", None), "log");
    pen.turn_truth(
        prompt,
        json!({
            "session_turn": 2, "prompt": "build it", "status": "open", "t_end": null,
            "duration_ms": null, "idle_t": null, "reply": null, "replies": 0, "responses": 1,
            "tool_calls": 1, "tool_errors": 0, "tokens": null, "repaired": false,
        }),
    );
    pen.tell(
        "telemetry",
        prompt,
        json!({
            "session_turn": 2, "status": "open", "ttft_ms": 120, "duration_ms": null, "deltas": 2,
            "delta_bytes": LAST.args.len(), "stalls": 0, "longest_gap_ms": 10, "responses": 1,
            "errors": 0, "background": 0, "mcp_failed": null,
        }),
    );
}

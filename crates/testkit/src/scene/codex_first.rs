//! The first session of Codex: four turns, one of them full of tools, and captured requests.

use super::codex_pen::{MODEL, Pen, rate_limits, spent, uuid7};
use super::codex_tools::{Call, note_call};
use super::stage::{Id, Stage, utc};
use serde_json::{Value, json};

pub(super) const PID: u64 = 4101;
pub(super) const CWD: &str = "/w/app";

/// The session's id.
pub(super) fn sid() -> String {
    uuid7(0, 0xc1)
}

const LS: Call = Call {
    item: "fc_11",
    id: "call_11",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","ls"],"workdir":"/w/app"}"#,
};
const WAITS: Call = Call {
    item: "fc_31",
    id: "call_31",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","sleep 99"],"workdir":"/w/app"}"#,
};

pub(super) fn play(stage: &mut Stage) {
    let mut pen = Pen::new(stage, sid(), PID, CWD);
    begins(&mut pen);
    looks(&mut pen);
    super::codex_calls::works(&mut pen);
    fails(&mut pen);
    ends(&mut pen);
    let whose = pen.whose.clone();
    // What was typed into a turn is a prompt of the session too.
    stage.session(
        &whose,
        json!({
            "resumed": false, "rounds": 5, "prompts": 5, "turns_completed": 2, "turns_aborted": 1,
            "cwds": [CWD], "end": "shutdown", "models": [MODEL],
        }),
    );
}

fn begins(pen: &mut Pen<'_>) {
    let fine = json!({"prompts": 0, "ends": 0, "idles": 0, "violations": []});
    pen.round(0, "0", &fine);
    let configured = json!({
        "session_id": sid(), "model": MODEL, "approval_policy": "never",
        "sandbox_policy": {"type": "workspace-write"}, "cwd": CWD, "reasoning_effort": "medium",
        "history_log_id": 1, "history_entry_count": 0, "rollout_path": "/h/r1.jsonl",
    });
    let row = pen.turn(0, "turn.session_configured", configured);
    pen.tell(
        "config",
        row,
        json!({
            "source": "session_configured", "changed": null, "uses": 1, "t_last": utc(0),
        }),
    );
    // Told by the metadata of each row, the row of the settings, calls and requests.
    let cwd = json!({"kind": "cwd", "path": CWD, "unsure": ["t", "src"]});
    pen.tell("paths_repo_hints", row, cwd);
}

/// A limit that was told; where the row stands is sure, how many rows told it is not.
pub(super) fn limit(pen: &mut Pen<'_>, row: Id, window: usize, percent: f64) {
    let (name, minutes) = [("primary", 300), ("secondary", 10_080)][window];
    let resets = super::codex_pen::RESETS[window] * 1000;
    pen.tell(
        "rate_limits",
        row,
        json!({
            "window": name, "used_percent": percent, "window_minutes": minutes,
            "resets_at": utc(resets), "plan_type": null, "unsure": ["src"],
        }),
    );
}

/// Turn 1: an image, the blocks of the agent, reasoning, a command, and an answer that stalls.
fn looks(pen: &mut Pen<'_>) {
    let one = json!({"prompts": 1, "ends": 1, "idles": 1, "turn_ids": ["1"], "violations": []});
    pen.round(10_000, "1", &one);
    pen.turn(10_000, "turn.task_started", json!({"model_context_window": 258_400}));
    let sent = format!("list the files\nYour agent Id is: {}", sid());
    let image = ["data:image/png;base64,iVBORw0KGgo="];
    let prompt = pen.prompt(10_000, "list the files", &sent, &image, 1);
    let content = json!([{"type": "text", "text": sent}]);
    let item = json!({"type": "UserMessage", "id": "u1", "content": content});
    let item = json!({"thread_id": sid(), "turn_id": "1", "item": item});
    pen.turn(10_001, "turn.item.completed", item);
    let context = "<environment_context>\n  <cwd>/w/app</cwd>\n</environment_context>";
    for text in [context, &*sent] {
        let content = json!([{"type": "input_text", "text": text}]);
        let item = json!({"type": "message", "role": "user", "content": content});
        pen.turn(10_002, "turn.raw_response_item", json!({"item": item}));
    }
    pen.turn(10_003, "turn.background_event", json!({"message": "indexing"}));
    let ready = json!({"server": "docs", "status": {"state": "ready"}});
    pen.turn(10_003, "turn.mcp_startup.update", ready);
    let failed = json!([{"server": "web", "error": "no token"}]);
    let complete = json!({"ready": ["docs"], "failed": failed, "cancelled": []});
    pen.turn(10_003, "turn.mcp_startup.complete", complete);
    let heartbeat = json!({"info": null, "rate_limits": rate_limits([2.0, -1.0])});
    let row = pen.turn(10_004, "turn.token_count", heartbeat);
    limit(pen, row, 0, 2.0);

    pen.created(10_100, "resp_11", MODEL);
    pen.thinks(10_110, "rs_11", ["Look ", "around"], "gAAAAABsealed-content");
    let call = pen.call(10_200, &LS);
    let row = pen.completed(10_230, "resp_11", [900, 400, 60, 32], [2.0, 40.0]);
    limit(pen, row, 1, 40.0);
    pen.runs(10_240, &LS, 300, ("a.txt\n", "", 0), "a.txt\n");
    note_call(pen.stage, call, &LS, ("completed", Some(10_540)), "log");

    pen.created(10_650, "resp_12", MODEL);
    pen.says("msg_12", &[(10_700, "Two "), (16_700, "files")], "final", 1);
    let row = pen.completed(16_710, "resp_12", [1100, 900, 40, 0], [3.0, 40.0]);
    limit(pen, row, 0, 3.0);
    pen.turn(16_730, "turn.response.completed", json!({"last_agent_message": "Two files"}));
    pen.turn(16_731, "codex.idle", json!({}));
    pen.turn_truth(
        prompt,
        json!({
            "session_turn": 1, "prompt": "list the files", "status": "completed",
            "t_end": utc(16_730), "duration_ms": 6730, "idle_t": utc(16_731), "reply": "Two files",
            "replies": 1, "responses": 2, "tool_calls": 1, "tool_errors": 0,
            "tokens": spent([2000, 1300, 100, 32]), "repaired": false,
        }),
    );
    pen.tell(
        "telemetry",
        prompt,
        json!({
            "session_turn": 1, "status": "completed", "ttft_ms": 120, "duration_ms": 6730,
            "deltas": 6, "delta_bytes": 11 + LS.args.len() + 9, "stalls": 1, "longest_gap_ms": 6000,
            "responses": 2, "errors": 0, "background": 1, "mcp_failed": failed,
        }),
    );
}

/// Turn 3: errors of the provider, and a command that never ends since the user interrupts.
fn fails(pen: &mut Pen<'_>) {
    let one = json!({"prompts": 1, "ends": 1, "idles": 0, "turn_ids": ["4"], "violations": []});
    pen.round(60_000, "4", &one);
    let prompt = pen.prompt(60_000, "go on", "go on", &[], 3);
    pen.turn(60_001, "turn.task_started", json!({"model_context_window": 258_400}));
    let message = "stream disconnected before completion: retrying 1/5";
    let row = pen.turn(60_100, "turn.stream_error", json!({"message": message}));
    pen.tell(
        "api_errors",
        row,
        json!({
            "kind": "stream_error", "message": message, "response_id": null,
        }),
    );
    pen.created(60_200, "resp_30", MODEL);
    let error = json!({"code": "server_error", "message": "The server had an error."});
    let response = json!({"id": "resp_30", "status": "failed", "error": error});
    let row = pen.stream(60_300, "response.failed", json!({"response": response}));
    pen.tell("api_errors", row, json!({
        "kind": "response_failed", "code": "server_error", "message": "The server had an error.",
        "response_id": "resp_30", "status": null,
    }));
    pen.created(60_400, "resp_31", MODEL);
    let call = pen.call(60_410, &WAITS);
    let row = pen.completed(60_440, "resp_31", [500, 100, 20, 0], [5.0, 40.0]);
    limit(pen, row, 0, 5.0);
    let command = json!(["bash", "-lc", "sleep 99"]);
    let begin = json!({
        "call_id": WAITS.id, "turn_id": "4", "command": command, "cwd": CWD, "parsed_cmd": [],
    });
    let row = pen.turn(60_450, "turn.exec.begin", begin);
    pen.tell(
        "exec_runs",
        row,
        json!({
            "call_id": WAITS.id, "state": "never_ended", "command": command, "workdir": CWD,
            "parsed": [], "exit_code": null, "ok": null, "duration_ms": null, "stdout_bytes": null,
            "stderr_bytes": null, "t_end": null,
        }),
    );
    let row = pen.turn(61_000, "turn.error", json!({"message": "unexpected status 500"}));
    pen.tell(
        "api_errors",
        row,
        json!({
            "kind": "error", "message": "unexpected status 500", "response_id": null,
        }),
    );
    pen.turn(62_000, "turn.response.aborted", json!({"reason": "interrupted"}));
    note_call(pen.stage, call, &WAITS, ("cancelled", None), "log");
    pen.turn_truth(prompt, json!({
        "session_turn": 3, "prompt": "go on", "status": "aborted", "t_end": utc(62_000),
        "duration_ms": 2000, "idle_t": null, "reply": null, "replies": 0, "responses": 2,
        "tool_calls": 1, "tool_errors": 0, "tokens": spent([500, 100, 20, 0]), "repaired": false,
    }));
    // What failed is an answer of the model or is none.
    pen.tell("telemetry", prompt, json!({
        "session_turn": 3, "status": "aborted", "ttft_ms": 420, "duration_ms": 2000, "deltas": 2,
        "delta_bytes": WAITS.args.len(), "stalls": 0, "longest_gap_ms": 10, "errors": 3,
        "background": 0, "mcp_failed": null,
    }));
}

/// Turn 4: a prompt is typed into it, and the session is shut down in its middle.
fn ends(pen: &mut Pen<'_>) {
    pen.round(90_000, "6", &json!({"idles": 0, "turn_ids": ["6"]}));
    let prompt = pen.prompt(90_000, "stop now", "stop now", &[], 4);
    let queued = json!({"message": "and clean up", "images": []});
    let row = pen.turn(91_000, "turn.user_message", queued);
    let about =
        json!({"kind": "queued", "text": "and clean up", "images": 0, "session_turn": null});
    super::codex_tools::note_prompt(pen.stage, row, &about);
    pen.turn(92_000, "turn.shutdown_complete", Value::Null);
    pen.turn_truth(
        prompt,
        json!({
            "session_turn": 4, "prompt": "stop now", "status": "shutdown", "t_end": utc(92_000),
            "duration_ms": 2000, "idle_t": null, "reply": null, "replies": 0, "responses": 0,
            "tool_calls": 0, "tool_errors": 0, "tokens": null, "repaired": false,
        }),
    );
    pen.tell(
        "telemetry",
        prompt,
        json!({
            "session_turn": 4, "status": "shutdown", "ttft_ms": null, "duration_ms": 2000,
            "deltas": 0, "delta_bytes": 0, "stalls": 0, "longest_gap_ms": null, "responses": 0,
            "errors": 0, "background": 0, "mcp_failed": null,
        }),
    );
}

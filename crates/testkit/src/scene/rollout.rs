//! A rollout of Codex that no SSE log tells of.

use super::claude_pen::note_said;
use super::codex_pen::{MODEL, WINDOW, counted, rate_limits, spent, uuid7};
use super::codex_tools::{Call, note_call, note_prompt, note_result, note_turn};
use super::paper::Paper;
use super::stage::{Id, Stage, utc};
use serde_json::{Value, json};

const BEGIN: i64 = 3_000_000;
const CWD: &str = "/w/core";
const MAX: &str = "gpt-5.1-codex-max";
const LIST: Call = Call {
    item: "",
    id: "call_R1",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","ls"],"workdir":"/w/core"}"#,
};
const PATCH: Call = Call {
    item: "ctc_",
    id: "call_R2",
    kind: "patch",
    name: "apply_patch",
    args: "*** Begin Patch\n*** End Patch",
};
const FIND: Call =
    Call { item: "", id: "call_R3", kind: "mcp", name: "docs__find", args: r#"{"q":"z"}"# };
const PLAN: Call = Call {
    item: "",
    id: "call_R4",
    kind: "function",
    name: "update_plan",
    args: r#"{"plan":[{"step":"write","status":"pending"}]}"#,
};

pub(super) fn play(stage: &mut Stage) {
    let sid = uuid7(BEGIN, 0xd1);
    let path = format!("native/sessions/2026/03/02/rollout-2026-03-02T15-50-00-{sid}.jsonl");
    let paper = Paper::codex(&path, &sid);
    begins(&paper, stage);
    writes(&paper, stage);
    plans(&paper, stage);
    stage.session(
        &paper.whose,
        json!({
            "prompts": 2, "turns_completed": 1, "turns_aborted": 1, "models": [MODEL, MAX],
            "cwds": [CWD],
        }),
    );
}

fn event(paper: &Paper, stage: &mut Stage, ms: i64, kind: &str, mut payload: Value) -> Id {
    payload["type"] = kind.into();
    paper.line(stage, ms, "event_msg", payload)
}

fn item(paper: &Paper, stage: &mut Stage, ms: i64, payload: Value) -> Id {
    paper.line(stage, ms, "response_item", payload)
}

fn message(role: &str, text: &str) -> Value {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

fn begins(paper: &Paper, stage: &mut Stage) {
    let text = "You are a coding agent of the terminal.";
    let meta = paper.line(
        stage,
        BEGIN,
        "session_meta",
        json!({
            "id": paper.whose.sid, "timestamp": utc(BEGIN), "cwd": CWD,
            "originator": "codex_cli_rs", "cli_version": "0.60.1", "source": "cli",
            "model_provider": "openai", "base_instructions": {"text": text},
            "git": {"commit_hash": "0a1b2c3d", "branch": "dev"},
        }),
    );
    stage.tell("system_prompts", meta, json!({"bytes": text.len(), "text": text, "uses": 1}));
    // What is told of Git makes the directory a repository.
    for (kind, path) in [("cwd", CWD), ("repo", CWD), ("branch", "dev")] {
        stage.tell(
            "paths_repo_hints",
            meta,
            json!({
                "kind": kind, "path": path, "unsure": ["t", "src"],
            }),
        );
    }
}

/// What a turn begins with: settings, and for the first one what is put in the user's name.
fn turn(paper: &Paper, stage: &mut Stage, ms: i64, id: &str, model: &str, effort: &str) -> Id {
    event(paper, stage, ms, "task_started", json!({"turn_id": id, "model_context_window": WINDOW}));
    let context = paper.line(
        stage,
        ms,
        "turn_context",
        json!({
            "turn_id": id, "cwd": CWD, "approval_policy": "never",
            "sandbox_policy": {"type": "read-only"}, "model": model, "effort": effort,
            "summary": "auto",
        }),
    );
    stage.tell(
        "model_identity_cutoff",
        context,
        json!({
            "claimed": null, "requested": model, "served": null,
        }),
    );
    context
}

fn writes(paper: &Paper, stage: &mut Stage) {
    let context = turn(paper, stage, 3_010_000, "1", MODEL, "medium");
    stage.tell(
        "config",
        context,
        json!({
            "source": "turn_context", "changed": null, "uses": 1, "t_last": utc(3_010_000),
        }),
    );
    let agents = "# AGENTS.md instructions for /w/core\n\nUse rg.";
    let row = item(paper, stage, 3_010_001, message("user", agents));
    stage.tell("reminders_policies", row, json!({"rule": "heading", "found_in": "user"}));
    let env = "<environment_context>\n  <cwd>/w/core</cwd>\n</environment_context>";
    let row = item(paper, stage, 3_010_002, message("user", env));
    stage.tell("reminders_policies", row, json!({"rule": "block", "found_in": "user"}));
    item(paper, stage, 3_010_003, message("user", "write docs"));
    let asked = event(
        paper,
        stage,
        3_010_004,
        "user_message",
        json!({"message": "write docs", "images": []}),
    );
    note_prompt(stage, asked, &json!({"kind": "prompt", "text": "write docs", "session_turn": 1}));
    let summary = json!([{"type": "summary_text", "text": "Think first"}]);
    let sealed = "gAAAAABrollout";
    let row = item(
        paper,
        stage,
        3_010_100,
        json!({
            "type": "reasoning", "summary": summary, "content": null, "encrypted_content": sealed,
        }),
    );
    stage.tell(
        "reasoning_presence",
        row,
        json!({
            "has_text": true, "text_bytes": 11, "summaries": 1, "encrypted_bytes": sealed.len(),
        }),
    );
    stage.tell(
        "thinking",
        row,
        json!({
            "status": null, "bytes": 11, "text": "Think first", "unsure": ["source"],
        }),
    );
    stage.tell("transcript", row, json!({"role": "thinking", "text": "Think first"}));
    calls(paper, stage);
    for row in [("assistant", 3_011_000), ("", 3_011_001)] {
        if row.0.is_empty() {
            let said = json!({"message": "Docs are written"});
            let said = event(paper, stage, row.1, "agent_message", said);
            note_said(stage, said, "Docs are written", "final", 1);
        } else {
            item(paper, stage, row.1, message("assistant", "Docs are written"));
        }
    }
    let used = [1000, 600, 80, 20];
    let info = json!({
        "total_token_usage": counted(used), "last_token_usage": counted(used),
        "model_context_window": WINDOW,
    });
    let counts = json!({"info": info, "rate_limits": rate_limits([9.5, -1.0])});
    let row = event(paper, stage, 3_011_010, "token_count", counts);
    stage.spend(row, Some(MODEL), 1, [400, 0, 600, 80]);
    stage.tell("rate_limits", row, json!({
        "window": "primary", "used_percent": 9.5, "window_minutes": 300, "plan_type": null,
        "resets_at": utc(super::codex_pen::RESETS[0] * 1000), "rows": 1, "t_last": utc(3_011_010),
    }));
    let end = json!({"turn_id": "1", "last_agent_message": "Docs are written"});
    event(paper, stage, 3_011_020, "task_complete", end);
    note_turn(
        stage,
        asked,
        &json!({
            "session_turn": 1, "prompt": "write docs", "status": "completed", "t_end": utc(3_011_020),
            "duration_ms": 1016, "idle_t": null, "reply": "Docs are written", "replies": 1, "tool_calls": 3,
            "tool_errors": 0, "tokens": spent(used),
        }),
    );
    stage.tell(
        "telemetry",
        asked,
        json!({
            "session_turn": 1, "status": "completed", "duration_ms": 1016, "responses": null,
        }),
    );
}

/// Three calls with their results and the ends that rollouts keep.
fn calls(paper: &Paper, stage: &mut Stage) {
    let output = |call: &Call, text: &str| {
        let custom = if call.item.is_empty() { "" } else { "custom_tool_" };
        let kind =
            if custom.is_empty() { "function_call_output" } else { "custom_tool_call_output" };
        json!({"type": kind, "call_id": call.id, "output": text})
    };
    let call = item(paper, stage, 3_010_200, LIST.item());
    event(
        paper,
        stage,
        3_010_290,
        "exec_command_end",
        json!({
            "call_id": LIST.id, "turn_id": "1", "command": ["bash", "-lc", "ls"], "cwd": CWD,
            "parsed_cmd": [], "source": "agent", "stdout": "", "stderr": "",
            "aggregated_output": "doc\n", "exit_code": 0,
            "duration": {"secs": 0, "nanos": 80_000_000}, "formatted_output": "",
        }),
    );
    stage.tell(
        "exec_runs",
        call,
        json!({
            "call_id": LIST.id, "exit_code": 0, "ok": true, "unsure": ["t", "src"],
        }),
    );
    let text = json!({"output": "doc\n", "metadata": {"exit_code": 0, "duration_seconds": 0.08}});
    let row = item(paper, stage, 3_010_300, output(&LIST, &text.to_string()));
    note_result(stage, row, &LIST, json!({"ok": true, "exit_code": 0}));
    let at = Some(3_010_290);
    note_call(stage, call, &LIST, ("completed", at), "log");

    let call = item(paper, stage, 3_010_400, PATCH.item());
    let changes = json!({"b.txt": {"type": "add", "content": "x\n"}});
    let end = event(
        paper,
        stage,
        3_010_450,
        "patch_apply_end",
        json!({
            "call_id": PATCH.id, "turn_id": "1", "stdout": "Success", "stderr": "", "success": true,
            "changes": changes,
        }),
    );
    stage.tell("patches", end, json!({
        "call_id": PATCH.id, "state": "end_only", "auto_approved": null, "ok": true, "added": 1,
        "removed": 0, "stdout": "Success", "t_end": utc(3_010_450), "unsure": ["t", "src"],
        "files": [{"path": "b.txt", "change": "add", "move_path": null, "added": 1, "removed": 0}],
    }));
    let row = item(paper, stage, 3_010_460, output(&PATCH, "Success"));
    note_result(stage, row, &PATCH, json!({"text": "Success", "bytes": 7}));
    note_call(stage, call, &PATCH, ("completed", Some(3_010_450)), "log");

    let call = item(paper, stage, 3_010_500, FIND.item());
    let found = json!({"content": [{"type": "text", "text": "z"}], "is_error": false});
    let end = event(
        paper,
        stage,
        3_010_590,
        "mcp_tool_call_end",
        json!({
            "call_id": FIND.id, "duration": {"secs": 0, "nanos": 90_000_000},
            "invocation": {"server": "docs", "tool": "find", "arguments": {"q": "z"}},
            "result": {"Ok": found},
        }),
    );
    stage.tell("mcp_calls", end, json!({
        "call_id": FIND.id, "state": "end_only", "server": "docs", "tool": "find",
        "args": {"q": "z"}, "ok": true, "error": null, "duration_ms": 90, "t_end": utc(3_010_590),
        "unsure": ["t", "src"],
    }));
    let row = item(paper, stage, 3_010_600, output(&FIND, "z"));
    note_result(stage, row, &FIND, json!({"text": "z", "bytes": 1}));
    note_call(stage, call, &FIND, ("completed", Some(3_010_590)), "log");
}

/// Turn 2: other settings, a plan, an error, and the user's interruption.
fn plans(paper: &Paper, stage: &mut Stage) {
    let context = turn(paper, stage, 3_020_000, "2", MAX, "high");
    stage.tell(
        "config",
        context,
        json!({
            "source": "turn_context", "uses": 1, "t_last": utc(3_020_000),
            "changed": {"model": [MODEL, MAX], "effort": ["medium", "high"]},
        }),
    );
    let asked =
        event(paper, stage, 3_020_001, "user_message", json!({"message": "plan it", "images": []}));
    note_prompt(stage, asked, &json!({"kind": "prompt", "text": "plan it", "session_turn": 2}));
    let call = item(paper, stage, 3_020_100, PLAN.item());
    note_call(stage, call, &PLAN, ("cancelled", None), "log");
    stage.tell(
        "plans",
        call,
        json!({
            "explanation": null, "steps": [{"step": "write", "status": "pending"}], "pending": 1,
            "in_progress": 0, "completed": 0, "source": "update_plan",
        }),
    );
    let error = json!({"message": "stream closed: retrying 2/5"});
    let row = event(paper, stage, 3_020_200, "stream_error", error);
    stage.tell(
        "api_errors",
        row,
        json!({
            "kind": "stream_error", "message": "stream closed: retrying 2/5",
        }),
    );
    let end = json!({"turn_id": "2", "reason": "interrupted"});
    event(paper, stage, 3_021_000, "turn_aborted", end);
    note_turn(
        stage,
        asked,
        &json!({
            "session_turn": 2, "prompt": "plan it", "status": "aborted", "t_end": utc(3_021_000),
            "duration_ms": 999, "idle_t": null, "reply": null, "replies": 0, "tool_calls": 1,
            "tool_errors": 0, "tokens": null,
        }),
    );
    stage.tell(
        "telemetry",
        asked,
        json!({
            "session_turn": 2, "status": "aborted", "duration_ms": 999, "responses": null,
        }),
    );
}

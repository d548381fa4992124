//! A transcript of Claude Code that no SSE log tells of.

use super::claude_pen::{note_said, spent};
use super::codex_tools::{Call, note_call, note_prompt, note_result, note_turn};
use super::paper::{INTERRUPTED, Paper};
use super::stage::{Id, Stage, utc};
use serde_json::json;

const SID: &str = "70000000-1f6e-4b7a-9d25-3c1a0e5b7d30";
const CWD: &str = "/w/lib";
const MODEL: &str = "claude-opus-4-5-20251101";
const READ: Call = Call {
    item: "",
    id: "toolu_T1",
    kind: "tool",
    name: "Read",
    args: r#"{"file_path":"/w/lib/src/a.rs"}"#,
};
const BUILD: Call = Call {
    item: "",
    id: "toolu_T2",
    kind: "tool",
    name: "Bash",
    args: r#"{"command":"cargo build"}"#,
};
const SIGNATURE: &str = "dHJhbnNjcmlwdA==";

pub(super) fn play(stage: &mut Stage) {
    let base = json!({
        "parentUuid": null, "isSidechain": false, "userType": "external", "cwd": CWD,
        "version": "2.1.17", "gitBranch": "feature/x",
    });
    let paper = Paper::claude(&format!("native/projects/p/{SID}.jsonl"), SID, base);
    let first = plans(&paper, stage);
    builds(&paper, stage);
    note_turn(
        stage,
        first,
        &json!({
            "session_turn": 1, "prompt": "plan the lib", "status": "completed",
            "t_end": utc(2_403_000), "duration_ms": 3000, "idle_t": null, "reply": "Planned.", "replies": 2,
            "responses": 3, "tool_calls": 2, "tool_errors": 1, "tokens": spent([9, 30, 600, 102]),
        }),
    );
    stage.tell("telemetry", first, json!({"session_turn": 1}));
    stops(&paper, stage);
    for (kind, path) in [("cwd", CWD), ("branch", "feature/x"), ("file", "/w/lib/src/a.rs")] {
        stage.tell(
            "paths_repo_hints",
            first,
            json!({
                "kind": kind, "path": path, "unsure": ["t", "src"],
            }),
        );
    }
    stage.session(&paper.whose, json!({"prompts": 3, "models": [MODEL], "cwds": [CWD]}));
}

/// Turn 1: a reminder beside the prompt, an image, thoughts, a file.
fn plans(paper: &Paper, stage: &mut Stage) -> Id {
    let reminder = "<system-reminder>\nNEVER push\n</system-reminder>";
    let image = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let content = json!([
        {"type": "text", "text": reminder}, {"type": "text", "text": "plan the lib"},
        {"type": "image", "source": image},
    ]);
    let row = paper.user(stage, 2_400_000, content, json!({}));
    let about = json!({
        "kind": "prompt", "text": "plan the lib", "images": 1, "session_turn": 1, "reminders": 1,
    });
    let mut prompt = about.clone();
    prompt["unsure"] = json!(["reminders"]);
    note_prompt(stage, row, &prompt);
    stage.tell(
        "reminders_policies",
        row,
        json!({
            "rule": "block", "tag": "system-reminder", "found_in": "user", "item": null,
        }),
    );
    let of = ["msg_T1", "req_T1", MODEL];
    let thought = json!({"type": "thinking", "thinking": "Let me think", "signature": SIGNATURE});
    let thinking = paper.answer(stage, 2_400_900, of, thought, [4, 30, 100, 5]);
    stage.tell(
        "thinking",
        thinking,
        json!({
            "source": "transcript", "status": null, "bytes": 12, "text": "Let me think",
        }),
    );
    stage.tell(
        "reasoning_presence",
        thinking,
        json!({
            "source": "transcript", "has_text": true, "text_bytes": 12,
            "signature_bytes": SIGNATURE.len(),
        }),
    );
    stage.tell("transcript", thinking, json!({"role": "thinking", "text": "Let me think"}));
    stage.tell(
        "model_identity_cutoff",
        thinking,
        json!({
            "claimed": null, "claimed_id": null, "cutoff": null, "served": MODEL,
        }),
    );
    let text = json!({"type": "text", "text": "First I read."});
    let said = paper.answer(stage, 2_401_000, of, text, [4, 30, 100, 20]);
    note_said(stage, said, "First I read.", "interim", 1);
    let call = tool(paper, stage, 2_401_100, of, &READ, [4, 30, 100, 60]);
    stage.spend(call, Some(MODEL), 1, [4, 30, 100, 60]);
    let result = paper.result(stage, 2_401_300, READ.id, "fn a() {}", false);
    note_result(stage, result, &READ, json!({"ok": true, "bytes": 9, "text": "fn a() {}"}));
    note_call(stage, call, &READ, ("completed", Some(2_401_300)), "log");
    row
}

fn tool(
    paper: &Paper,
    stage: &mut Stage,
    ms: i64,
    of: [&str; 3],
    call: &Call,
    usage: [u64; 4],
) -> Id {
    let input: serde_json::Value = serde_json::from_str(call.args).unwrap_or_default();
    let block = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input});
    paper.answer(stage, ms, of, block, usage)
}

/// The turn goes on: a queued prompt, a build that fails, an error of the provider, the answer.
fn builds(paper: &Paper, stage: &mut Stage) {
    let queue = |stage: &mut Stage, ms: i64, more: serde_json::Value| {
        paper.row(stage, ms, "queue-operation", more)
    };
    let enqueue = json!({"operation": "enqueue", "content": "also docs"});
    let row = queue(stage, 2_401_200, enqueue);
    queue(stage, 2_402_100, json!({"operation": "remove"}));
    stage.tell(
        "queue_ops",
        row,
        json!({
            "text": "also docs", "state": "removed", "t_end": utc(2_402_100), "waited_ms": 900,
        }),
    );
    note_prompt(stage, row, &json!({"kind": "queued", "text": "also docs", "session_turn": null}));
    let of = ["msg_T2", "req_T2", MODEL];
    let call = tool(paper, stage, 2_402_000, of, &BUILD, [3, 0, 200, 30]);
    stage.spend(call, Some(MODEL), 1, [3, 0, 200, 30]);
    let result = paper.result(stage, 2_402_300, BUILD.id, "error: boom", true);
    note_result(stage, result, &BUILD, json!({"ok": false, "bytes": 11, "text": "error: boom"}));
    note_call(stage, call, &BUILD, ("failed", Some(2_402_300)), "log");
    stage.tell(
        "function_call_errors",
        result,
        json!({
            "call_id": BUILD.id, "name": "Bash", "class": "is_error", "unsure": ["t", "src"],
        }),
    );
    let cause = json!({"type": "overloaded_error", "message": "Overloaded"});
    let row = paper.row(
        stage,
        2_402_500,
        "system",
        json!({
            "subtype": "api_error", "level": "error", "retryInMs": 500, "retryAttempt": 1,
            "maxRetries": 10,
            "error": {"status": 529, "error": {"type": "error", "error": cause}},
        }),
    );
    stage.tell("api_errors", row, json!({"kind": "api_error", "status": 529}));
    let text = json!({"type": "text", "text": "Planned."});
    let said = paper.answer(stage, 2_403_000, ["msg_T3", "req_T3", MODEL], text, [2, 0, 300, 12]);
    stage.spend(said, Some(MODEL), 1, [2, 0, 300, 12]);
    note_said(stage, said, "Planned.", "final", 1);
}

/// The conversation is compacted; turn 2 is interrupted.
fn stops(paper: &Paper, stage: &mut Stage) {
    paper.row(
        stage,
        2_410_000,
        "system",
        json!({
            "subtype": "compact_boundary", "content": "Conversation compacted",
            "compactMetadata": {"trigger": "manual", "preTokens": 1000},
        }),
    );
    let summary = "This session is being continued from a previous conversation.";
    let more = json!({"isCompactSummary": true, "isVisibleInTranscriptOnly": true});
    paper.user(stage, 2_410_001, json!(summary), more);
    let row = paper.user(stage, 2_420_000, json!("use serde"), json!({}));
    let about = json!({"kind": "prompt", "text": "use serde", "session_turn": 2});
    note_prompt(stage, row, &about);
    let text = json!({"type": "text", "text": "With serde"});
    let said = paper.answer(stage, 2_420_900, [INTERRUPTED, "req_T4", MODEL], text, [5, 0, 50, 4]);
    stage.spend(said, Some(MODEL), 2, [5, 0, 50, 4]);
    note_said(stage, said, "With serde", "final", 2);
    let marker = json!([{"type": "text", "text": "[Request interrupted by user]"}]);
    paper.user(stage, 2_421_000, marker, json!({}));
    note_turn(
        stage,
        row,
        &json!({
            "session_turn": 2, "prompt": "use serde", "status": "aborted", "t_end": utc(2_421_000),
            "duration_ms": 1000, "idle_t": null, "reply": "With serde", "replies": 1, "responses": 1,
            "tool_calls": 0, "tool_errors": 0, "tokens": spent([5, 0, 50, 4]),
        }),
    );
    stage.tell(
        "telemetry",
        row,
        json!({
            "session_turn": 2, "status": "aborted", "duration_ms": 1000,
        }),
    );
}

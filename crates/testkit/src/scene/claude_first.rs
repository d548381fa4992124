//! The first session of Claude: its SSE log and the mirror of its transcript, which tells the same
//! a little earlier. What the mirror tells counts; streams are told by the SSE log alone.

use super::claude_pen::{Block, Pen, SONNET, note_said, spent};
use super::codex_tools::{Call, note_call, note_prompt, note_result, note_turn};
use super::paper::Paper;
use super::stage::{Id, Stage};
use crate::spelling::Generation;
use serde_json::json;

const SID: &str = "c1000000-1f6e-4b7a-9d25-3c1a0e5b7d10";
const CWD: &str = "/w/blog";
const COUNT: Call =
    Call { item: "", id: "toolu_11", kind: "tool", name: "Bash", args: r#"{"command":"wc -l a"}"# };

pub(super) fn play(stage: &mut Stage) {
    let base = json!({
        "parentUuid": null, "isSidechain": false, "userType": "external", "cwd": CWD,
        "version": "2.0.42", "gitBranch": "main",
    });
    let mirror = Paper::claude("claude/sessions.jsonl", SID, base);
    streams(stage);
    let first = asks(&mirror, stage, 1_209_970, "say hi", 1);
    let row = mirror.answer(
        stage,
        1_210_500,
        ["msg_02A", "req_02A", SONNET],
        json!({"type": "text", "text": "hi there"}),
        [20, 0, 100, 7],
    );
    stage.spend(row, Some(SONNET), 1, [20, 0, 100, 7]);
    note_said(stage, row, "hi there", "final", 1);
    turn(stage, first, 1, "say hi", "hi there", 0, [20, 0, 100, 7]);
    let second = asks(&mirror, stage, 1_219_970, "and count", 2);
    counts(&mirror, stage);
    turn(stage, second, 2, "and count", "Three lines", 1, [42, 10, 250, 35]);
    for (kind, path) in [("cwd", CWD), ("branch", "main")] {
        stage.tell(
            "paths_repo_hints",
            first,
            json!({
                "kind": kind, "path": path, "unsure": ["t", "src"],
            }),
        );
    }
    stage.tell(
        "model_identity_cutoff",
        row,
        json!({
            "claimed": null, "claimed_id": null, "cutoff": null, "served": SONNET,
            "unsure": ["t", "src"],
        }),
    );
    // The process wrote the SSE log; rows of the mirror name no process.
    stage.session(&mirror.whose, json!({}));
}

fn asks(mirror: &Paper, stage: &mut Stage, ms: i64, text: &str, nth: u64) -> Id {
    let row = mirror.user(stage, ms, json!(text), json!({}));
    note_prompt(stage, row, &json!({"kind": "prompt", "text": text, "session_turn": nth}));
    row
}

fn turn(
    stage: &mut Stage,
    row: Id,
    nth: u64,
    prompt: &str,
    reply: &str,
    calls: u64,
    used: [u64; 4],
) {
    note_turn(
        stage,
        row,
        &json!({
            "session_turn": nth, "prompt": prompt, "reply": reply, "tool_calls": calls,
            "tool_errors": 0, "tokens": spent(used),
        }),
    );
    // How fast it went only the streams of the SSE log tell.
    let (ttft, deltas) = if nth == 1 { (550, 2) } else { (500, 5) };
    stage.tell("telemetry", row, json!({
        "session_turn": nth, "status": "completed", "ttft_ms": ttft, "deltas": deltas, "stalls": 0,
    }));
}

fn counts(mirror: &Paper, stage: &mut Stage) {
    let input: serde_json::Value = serde_json::from_str(COUNT.args).unwrap_or_default();
    let call = mirror.answer(
        stage,
        1_220_500,
        ["msg_02B", "req_02B", SONNET],
        json!({"type": "tool_use", "id": COUNT.id, "name": "Bash", "input": input}),
        [21, 10, 100, 20],
    );
    stage.spend(call, Some(SONNET), 2, [21, 10, 100, 20]);
    let row = mirror.result(stage, 1_220_700, COUNT.id, "3 a", false);
    note_result(stage, row, &COUNT, json!({"ok": true, "bytes": 3, "text": "3 a"}));
    note_call(stage, call, &COUNT, ("completed", Some(1_220_700)), "log");
    let row = mirror.answer(
        stage,
        1_221_000,
        ["msg_02C", "req_02C", SONNET],
        json!({"type": "text", "text": "Three lines"}),
        [21, 0, 150, 15],
    );
    stage.spend(row, Some(SONNET), 2, [21, 0, 150, 15]);
    note_said(stage, row, "Three lines", "final", 2);
}

/// The SSE log of the same.
fn streams(stage: &mut Stage) {
    let mut pen = Pen::new(stage, SID, 91, CWD);
    pen.generation = Generation::G3Prime;
    pen.round(1_200_000, &json!({"prompts": 0, "ends": 0, "violations": []}));
    pen.row(1_200_000, "session_start", json!({"source": "resume"}));
    let one = json!({"prompts": 1, "ends": 1, "violations": []});
    let prompt = |pen: &mut Pen<'_>, ms: i64, text: &str| {
        pen.round(ms, &one);
        let uuid = format!("{:08x}-2222-4222-8222-{:012x}", ms - 30, 21);
        pen.row(ms, "user_prompt", json!({"prompt": text, "mode": "prompt", "message_uuid": uuid}));
    };
    prompt(&mut pen, 1_210_000, "say hi");
    pen.starts(1_210_500, "msg_02A", "req_02A", [20, 0, 100]);
    pen.block(1_210_510, 0, Block::Text(&["hi ", "there"]));
    pen.ends(1_210_550, "end_turn", 7);
    pen.stops(1_210_560);
    prompt(&mut pen, 1_220_000, "and count");
    pen.starts(1_220_450, "msg_02B", "req_02B", [21, 10, 100]);
    pen.block(1_220_460, 0, Block::Tool(COUNT.id, "Bash", COUNT.args));
    pen.ends(1_220_500, "tool_use", 20);
    pen.result(1_220_740, COUNT.id, "3 a", false, false);
    pen.starts(1_220_950, "msg_02C", "req_02C", [21, 0, 150]);
    pen.block(1_220_960, 0, Block::Text(&["Three ", "lines"]));
    pen.ends(1_221_000, "end_turn", 15);
    pen.stops(1_221_010);
    let whose = pen.whose.clone();
    stage.session(&whose, json!({"resumed": true, "rounds": 3, "cwds": [CWD]}));
}

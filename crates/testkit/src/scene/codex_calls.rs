//! The second turn of Codex's first session: every kind of tool, and every kind of failure.

use super::codex_first::{CWD, limit, sid};
use super::codex_pen::{MODEL, Pen, spent};
use super::codex_tools::{Call, note_call, note_result};
use super::stage::{Id, utc};
use serde_json::{Value, json};

const PATCH: Call = Call {
    item: "ctc_21",
    id: "call_21",
    kind: "patch",
    name: "apply_patch",
    args: "*** Begin Patch\n*** Update File: src/lib.rs\n@@\n a\n-b\n+c\n*** Add File: new.txt\n+one\n+two\n*** End Patch",
};
const FIND: Call =
    Call { item: "fc_22", id: "call_22", kind: "mcp", name: "docs__find", args: r#"{"q":"x"}"# };
const PLAN: Call = Call {
    item: "fc_23",
    id: "call_23",
    kind: "function",
    name: "update_plan",
    args: r#"{"explanation":"two steps","plan":[{"step":"look","status":"completed"},{"step":"fix","status":"in_progress"}]}"#,
};
const TEST: Call = Call {
    item: "fc_24",
    id: "call_24",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","cargo test"],"workdir":"/w/app"}"#,
};
const SLOW: Call = Call {
    item: "fc_26",
    id: "call_26",
    kind: "shell",
    name: "shell",
    args: r#"{"command":["bash","-lc","sleep 60"],"workdir":"/w/app","timeout_ms":1000}"#,
};
const BROKEN: Call = Call {
    item: "fc_27",
    id: "call_27",
    kind: "function",
    name: "update_plan",
    args: r#"{"plan":[{"step":"#,
};
const DIFFS: [&str; 2] = [
    "diff --git a/src/lib.rs b/src/lib.rs\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n",
    "diff --git a/src/lib.rs b/src/lib.rs\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n",
];

/// Turn 2.
pub(super) fn works(pen: &mut Pen<'_>) {
    let one = json!({"prompts": 1, "ends": 1, "idles": 0, "turn_ids": ["3"], "violations": []});
    pen.round(30_000, "3", &one);
    let prompt = pen.prompt(30_000, "fix it", "fix it", &[], 2);
    pen.turn(30_001, "turn.task_started", json!({"model_context_window": 258_400}));
    first_answer(pen);
    second_answer(pen);
    pen.created(34_700, "resp_23", MODEL);
    pen.says("msg_23", &[(34_800, "All "), (34_810, "fixed")], "final", 2);
    pen.completed(34_820, "resp_23", [3000, 2500, 30, 0], [4.0, 40.0]);
    pen.turn(34_840, "turn.response.completed", json!({"last_agent_message": "All fixed"}));
    pen.turn_truth(
        prompt,
        json!({
            "session_turn": 2, "prompt": "fix it", "status": "completed", "t_end": utc(34_840),
            "duration_ms": 4840, "idle_t": null, "reply": "All fixed", "replies": 2, "responses": 3,
            "tool_calls": 7, "tool_errors": 3, "tokens": spent([7500, 5500, 330, 60]),
            "repaired": false,
        }),
    );
    let calls = [PATCH, FIND, PLAN, TEST, SLOW, BROKEN];
    let bytes: usize = calls.iter().map(|call| call.args.len()).sum();
    pen.tell(
        "telemetry",
        prompt,
        json!({
            "session_turn": 2, "status": "completed", "ttft_ms": 120, "duration_ms": 4840,
            "deltas": 16, "delta_bytes": bytes + "Trying againAll fixed".len(), "stalls": 0,
            "longest_gap_ms": 40, "responses": 3, "errors": 0, "background": 0, "mcp_failed": null,
        }),
    );
}

fn first_answer(pen: &mut Pen<'_>) {
    pen.created(30_100, "resp_21", MODEL);
    let rows = [PATCH, FIND, PLAN, TEST].map(|call| {
        let at = ["call_21", "call_22", "call_23", "call_24"].iter().position(|id| *id == call.id);
        pen.call(30_110 + 40 * at.unwrap_or_default() as i64, &call)
    });
    let row = pen.completed(30_270, "resp_21", [2000, 1000, 200, 50], [4.0, 40.0]);
    limit(pen, row, 0, 4.0);
    patch(pen, rows[0]);
    find(pen, rows[1]);
    plan(pen, rows[2]);
    pen.runs(31_000, &TEST, 2000, ("1 failed\n", "boom\n", 101), "1 failed\nboom\n");
    note_call(pen.stage, rows[3], &TEST, ("failed", Some(33_000)), "log");
    error(pen, rows[3], &TEST, "exit_code", Some(101));
    diff(pen, 33_100, DIFFS[0], [1, 1]);
}

fn patch(pen: &mut Pen<'_>, call: Id) {
    let update = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
    let changes = json!({
        "src/lib.rs": {"type": "update", "unified_diff": update, "move_path": null},
        "new.txt": {"type": "add", "content": "one\ntwo\n"},
    });
    let begin = json!({"call_id": PATCH.id, "auto_approved": true, "changes": changes});
    let row = pen.turn(30_280, "turn.patch_apply.begin", begin);
    let end = json!({"call_id": PATCH.id, "stdout": "Success", "stderr": "", "success": true});
    pen.turn(30_380, "turn.patch_apply.end", end);
    pen.tell("patches", row, json!({
        "call_id": PATCH.id, "state": "ended", "auto_approved": true, "added": 3, "removed": 1,
        "files": [
            {"path": "src/lib.rs", "change": "update", "move_path": null, "added": 1, "removed": 1},
            {"path": "new.txt", "change": "add", "move_path": null, "added": 2, "removed": 0},
        ],
        "ok": true, "stdout": "Success", "t_end": utc(30_380),
    }));
    let row = pen.output(30_381, &PATCH, "Success");
    note_result(
        pen.stage,
        row,
        &PATCH,
        json!({
            "ok": true, "exit_code": null, "bytes": 7, "truncated": false, "text": "Success",
        }),
    );
    note_call(pen.stage, call, &PATCH, ("completed", Some(30_380)), "log");
}

fn find(pen: &mut Pen<'_>, call: Id) {
    let invocation = json!({"server": "docs", "tool": "find", "arguments": {"q": "x"}});
    let begin = json!({"call_id": FIND.id, "invocation": invocation});
    let row = pen.turn(30_400, "turn.mcp_tool_call.begin", begin);
    let error_text = "connection reset by peer";
    pen.turn(
        30_900,
        "turn.mcp_tool_call.end",
        json!({
            "call_id": FIND.id, "invocation": invocation,
            "duration": {"secs": 0, "nanos": 500_000_000}, "result": {"Err": error_text},
        }),
    );
    pen.tell(
        "mcp_calls",
        row,
        json!({
            "call_id": FIND.id, "state": "ended", "server": "docs", "tool": "find",
            "args": {"q": "x"}, "ok": false, "error": error_text, "duration_ms": 500,
            "t_end": utc(30_900),
        }),
    );
    let row = pen.output(30_901, &FIND, error_text);
    note_result(
        pen.stage,
        row,
        &FIND,
        json!({
            "ok": false, "exit_code": null, "bytes": error_text.len(), "duration_ms": 500,
            "truncated": false, "text": error_text,
        }),
    );
    note_call(pen.stage, call, &FIND, ("failed", Some(30_900)), "log");
    error(pen, call, &FIND, "failed", None);
}

/// The plan is told by its call and by an event of its own: once, whichever comes first.
fn plan(pen: &mut Pen<'_>, call: Id) {
    let payload: Value = serde_json::from_str(PLAN.args).unwrap_or_default();
    pen.turn(30_910, "turn.plan_update", payload.clone());
    pen.tell(
        "plans",
        call,
        json!({
            "explanation": "two steps", "steps": payload["plan"], "pending": 0, "in_progress": 1,
            "completed": 1, "unsure": ["t", "src"],
        }),
    );
    let row = pen.output(30_911, &PLAN, "Plan updated");
    note_result(
        pen.stage,
        row,
        &PLAN,
        json!({
            "exit_code": null, "bytes": 12, "truncated": false, "text": "Plan updated",
        }),
    );
    note_call(pen.stage, call, &PLAN, ("completed", Some(30_911)), "log");
}

fn second_answer(pen: &mut Pen<'_>) {
    pen.created(33_200, "resp_22", MODEL);
    let action = json!({"type": "search", "query": "rust fold"});
    let begun =
        json!({"item": {"id": "ws_25", "type": "web_search_call", "status": "in_progress"}});
    let search = pen.stream(33_210, "response.output_item.added", begun);
    let item = json!({
        "id": "ws_25", "type": "web_search_call", "status": "completed", "action": action,
    });
    pen.stream(33_240, "response.output_item.done", json!({"item": item}));
    // The provider runs it: what names it, and how it ended, is not laid down.
    pen.tell("tool_calls", search, json!({"kind": "web_search", "source": "log"}));
    pen.tell("transcript", search, json!({"role": "tool", "unsure": ["t", "src"]}));
    pen.tell(
        "tool_usage_stats",
        search,
        json!({
            "kind": "web_search", "calls": 1, "sessions": 1, "failed": 0,
            "parallel": 1, "unsure": ["sid", "src", "t"],
        }),
    );
    pen.says("msg_22", &[(33_260, "Trying"), (33_270, " again")], "interim", 2);
    let slow = pen.call(33_300, &SLOW);
    let broken = pen.call(33_340, &BROKEN);
    pen.completed(33_380, "resp_22", [2500, 2000, 100, 10], [4.0, 40.0]);
    let said = "command timed out after 1000 milliseconds";
    pen.runs(33_400, &SLOW, 1000, ("", said, 124), said);
    note_call(pen.stage, slow, &SLOW, ("failed", Some(34_400)), "log");
    error(pen, slow, &SLOW, "timeout", Some(124));
    let said = "failed to parse function arguments: EOF while parsing a value";
    let row = pen.output(34_500, &BROKEN, said);
    note_result(
        pen.stage,
        row,
        &BROKEN,
        json!({
            "exit_code": null, "bytes": said.len(), "truncated": false, "text": said,
        }),
    );
    note_call(pen.stage, broken, &BROKEN, ("completed", Some(34_500)), "log");
    error(pen, broken, &BROKEN, "bad_args", None);
    diff(pen, 34_600, DIFFS[1], [2, 1]);
}

/// A call that went wrong: the record starts from its call or from its result.
fn error(pen: &mut Pen<'_>, row: Id, call: &Call, class: &str, exit_code: Option<i64>) {
    pen.tell(
        "function_call_errors",
        row,
        json!({
            "call_id": call.id, "name": call.name, "class": class, "exit_code": exit_code,
            "unsure": ["t", "src"],
        }),
    );
}

fn diff(pen: &mut Pen<'_>, ms: i64, diff: &str, [added, removed]: [u64; 2]) {
    let row = pen.turn(ms, "turn.diff", json!({"unified_diff": diff}));
    pen.tell(
        "diffs",
        row,
        json!({
            "files": ["src/lib.rs"], "added": added, "removed": removed, "bytes": diff.len(),
            "diff": diff, "cwd": CWD, "sid": sid(), "turn_id": "3",
        }),
    );
}

//! The second session of Claude, told by its SSE log alone: thinking, tools, a failure, the queue.

use super::claude_pen::{Block, Pen, spent};
use super::codex_tools::{Call, note_call, note_prompt, note_result, note_turn};
use super::stage::{Id, Stage, utc};
use serde_json::{Value, json};

pub(super) const SID: &str = "c2000000-1f6e-4b7a-9d25-3c1a0e5b7d20";
pub(super) const PID: u64 = 81;
pub(super) const CWD: &str = "/w/site";

const fn tool(id: &'static str, name: &'static str, args: &'static str) -> Call {
    Call { item: "", id, kind: "tool", name, args }
}

const READ: Call = tool("toolu_21", "Read", r#"{"file_path":"/w/site/README.md"}"#);
const MAKE: Call = tool("toolu_22", "Bash", r#"{"command":"make"}"#);
const TODO: Call = tool(
    "toolu_23",
    "TodoWrite",
    r#"{"todos":[{"content":"a","status":"completed","activeForm":"Doing a"},{"content":"b","status":"pending","activeForm":"Doing b"}]}"#,
);
const TASK: Call = tool("toolu_24", "Task", r#"{"prompt":"dig"}"#);

pub(super) fn play(stage: &mut Stage) {
    let mut pen = Pen::new(stage, SID, PID, CWD);
    let none = json!({"prompts": 0, "ends": 0, "violations": []});
    pen.round(1_800_000, &none);
    let row = pen.row(1_800_000, "session_start", json!({"source": "new"}));
    // Told by rows and by requests.
    let cwd = json!({"kind": "cwd", "path": CWD, "unsure": ["t", "src"]});
    pen.stage.tell("paths_repo_hints", row, cwd);
    first(&mut pen);
    second(&mut pen);
    queue(&mut pen, 1_830_000, "enqueue", "left over");
    pen.row(1_840_000, "session_end", json!({"reason": "prompt_input_exit"}));
    let whose = pen.whose.clone();
    stage.session(
        &whose,
        json!({
            "resumed": false, "rounds": 3, "prompts": 4, "turns_completed": 2, "turns_aborted": 0, "cwds": [CWD],
            "end": "session_end", "end_reason": "prompt_input_exit",
        }),
    );
}

fn prompt(pen: &mut Pen<'_>, ms: i64, text: &str, nth: u64) -> Id {
    let one = json!({"prompts": 1, "ends": 1, "turn_ids": [], "violations": []});
    pen.round(ms, &one);
    let uuid = format!("{ms:08x}-1111-4111-8111-111111111111");
    let payload = json!({"prompt": text, "mode": "prompt", "message_uuid": uuid});
    let row = pen.row(ms, "user_prompt", payload);
    pen.nth = Some(nth);
    note_prompt(pen.stage, row, &json!({"kind": "prompt", "text": text, "session_turn": nth}));
    row
}

fn queue(pen: &mut Pen<'_>, ms: i64, operation: &str, content: &str) -> Id {
    let row = pen.row(ms, "queue_operation", json!({"operation": operation, "content": content}));
    if content == "left over" {
        // It was not delivered, nor taken back: whoever reads the log takes it for delivered.
        queued(pen.stage, row, content, "queued", None);
        note_prompt(
            pen.stage,
            row,
            &json!({"kind": "queued", "text": content, "session_turn": null}),
        );
    }
    row
}

fn queued(stage: &mut Stage, row: Id, text: &str, state: &str, end: Option<(i64, i64)>) {
    stage.tell(
        "queue_ops",
        row,
        json!({
            "text": text, "state": state, "t_end": end.map(|(ms, _)| utc(ms)),
            "waited_ms": end.map(|(_, waited)| waited),
        }),
    );
}

fn first(pen: &mut Pen<'_>) {
    let asked = prompt(pen, 1_810_000, "read the readme", 1);
    pen.starts(1_810_500, "msg_01A", "req_01A", [10, 200, 1000]);
    pen.block(1_810_510, 0, Block::Thinking(&["Hm, ", "ok"]));
    let said = pen.block(1_810_540, 1, Block::Text(&["I will ", "read."]));
    pen.said(said, "I will read.", "interim", 1);
    let read = pen.block(1_810_580, 2, Block::Tool(READ.id, READ.name, READ.args));
    let make = pen.block(1_810_620, 3, Block::Tool(MAKE.id, MAKE.name, MAKE.args));
    pen.ends(1_810_660, "tool_use", 55);
    let row = pen.result(1_811_000, READ.id, "hello\n", false, false);
    note_result(
        pen.stage,
        row,
        &READ,
        json!({
            "ok": true, "exit_code": null, "bytes": 6, "truncated": false, "text": "hello\n",
        }),
    );
    note_call(pen.stage, read, &READ, ("completed", Some(1_811_000)), "log");
    let file = json!({"kind": "file", "path": "/w/site/README.md", "unsure": ["t", "src"]});
    pen.stage.tell("paths_repo_hints", read, file);
    let row = pen.result(1_811_500, MAKE.id, "make: no rule", true, false);
    note_result(
        pen.stage,
        row,
        &MAKE,
        json!({
            "ok": false, "exit_code": null, "bytes": 13, "truncated": false, "text": "make: no rule",
        }),
    );
    note_call(pen.stage, make, &MAKE, ("failed", Some(1_811_500)), "log");
    pen.stage.tell(
        "function_call_errors",
        make,
        json!({
            "call_id": MAKE.id, "name": "Bash", "class": "is_error", "exit_code": null,
            "unsure": ["t", "src"],
        }),
    );
    let row = queue(pen, 1_811_600, "enqueue", "use rg");
    queue(pen, 1_811_900, "remove", "");
    queued(pen.stage, row, "use rg", "removed", Some((1_811_900, 300)));
    note_prompt(pen.stage, row, &json!({"kind": "queued", "text": "use rg", "session_turn": null}));
    pen.starts(1_812_000, "msg_01B", "req_01B", [5, 100, 1200]);
    let said = pen.block(1_812_010, 0, Block::Text(&["Done."]));
    pen.said(said, "Done.", "final", 1);
    pen.ends(1_812_040, "end_turn", 12);
    pen.stops(1_812_050);
    note_turn(
        pen.stage,
        asked,
        &json!({
            "pid": PID, "session_turn": 1, "prompt": "read the readme", "status": "completed",
            "t_end": utc(1_812_050), "duration_ms": 2050, "idle_t": utc(1_812_050), "reply": "Done.",
            "replies": 2, "responses": 2, "tool_calls": 2, "tool_errors": 1,
            "tokens": spent([15, 300, 2200, 67]),
        }),
    );
    // The signature is no delta, as `alog-deltas` has it.
    pen.stage.tell(
        "telemetry",
        asked,
        json!({
            "session_turn": 1, "status": "completed", "ttft_ms": 520, "duration_ms": 2050,
            "deltas": 11, "delta_bytes": "Hm, okI will read.Done.".len() + READ.args.len() + MAKE.args.len(),
            "stalls": 0, "longest_gap_ms": 30, "responses": 2, "errors": 0, "background": 0,
            "mcp_failed": null,
        }),
    );
}

fn second(pen: &mut Pen<'_>) {
    let row = queue(pen, 1_820_000, "enqueue", "next one");
    queue(pen, 1_820_400, "dequeue", "");
    queued(pen.stage, row, "next one", "dequeued", Some((1_820_400, 400)));
    let asked = prompt(pen, 1_820_410, "next one", 2);
    pen.starts(1_821_000, "msg_01C", "req_01C", [7, 50, 1300]);
    let todo = pen.block(1_821_010, 0, Block::Tool(TODO.id, TODO.name, TODO.args));
    let task = pen.block(1_821_050, 1, Block::Tool(TASK.id, TASK.name, TASK.args));
    pen.ends(1_821_090, "tool_use", 30);
    let row = pen.result(1_821_100, TODO.id, "Todos have been modified", false, false);
    note_result(
        pen.stage,
        row,
        &TODO,
        json!({
            "ok": true, "exit_code": null, "bytes": 24, "text": "Todos have been modified",
        }),
    );
    note_call(pen.stage, todo, &TODO, ("completed", Some(1_821_100)), "log");
    pen.stage.tell(
        "plans",
        todo,
        json!({
            "explanation": null, "pending": 1, "in_progress": 0, "completed": 1,
            "steps": [{"step": "a", "status": "completed"}, {"step": "b", "status": "pending"}],
            "source": "TodoWrite", "unsure": ["t", "src"],
        }),
    );
    fails(pen, task);
    let row = queue(pen, 1_821_200, "enqueue", "never mind");
    queue(pen, 1_821_700, "popAll", "never mind");
    queued(pen.stage, row, "never mind", "popped", Some((1_821_700, 500)));
    pen.starts(1_822_000, "msg_01D", "req_01D", [3, 20, 1400]);
    let said = pen.block(1_822_010, 0, Block::Text(&["Next is ", "done"]));
    pen.said(said, "Next is done", "final", 2);
    pen.ends(1_822_040, "end_turn", 9);
    pen.stops(1_822_050);
    note_turn(
        pen.stage,
        asked,
        &json!({
            "pid": PID, "session_turn": 2, "prompt": "next one", "status": "completed",
            "t_end": utc(1_822_050), "duration_ms": 1640, "idle_t": utc(1_822_050),
            "reply": "Next is done", "replies": 1, "responses": 2, "tool_calls": 2, "tool_errors": 1,
            "tokens": spent([10, 70, 2700, 39]),
        }),
    );
    pen.stage.tell(
        "telemetry",
        asked,
        json!({
            "session_turn": 2, "status": "completed", "ttft_ms": 610, "duration_ms": 1640,
            "deltas": 8, "delta_bytes": TODO.args.len() + TASK.args.len() + 12, "stalls": 0,
            "longest_gap_ms": 20, "responses": 2, "background": 0, "mcp_failed": null,
        }),
    );
}

/// A tool that failed since the provider did.
fn fails(pen: &mut Pen<'_>, task: Id) {
    let text = "API Error: 529 overloaded_error";
    let row = pen.result(1_821_150, TASK.id, text, true, true);
    note_result(pen.stage, row, &TASK, json!({"ok": false, "bytes": text.len(), "text": text}));
    note_call(pen.stage, task, &TASK, ("failed", Some(1_821_150)), "log");
    pen.stage.tell(
        "function_call_errors",
        task,
        json!({
            "call_id": TASK.id, "name": "Task", "class": "is_error", "unsure": ["t", "src"],
        }),
    );
    let told: Value = json!({"kind": "api_error", "message": text, "response_id": null});
    pen.stage.tell("api_errors", row, told);
}

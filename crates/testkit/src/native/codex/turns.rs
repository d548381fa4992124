//! A turn of a Codex thread for each case.

use super::super::NativeCase;
use super::pen::{Pen, Totals};
use serde_json::{Value, json};

/// Writes the turn that shows the case.
pub(super) fn write(pen: &mut Pen, case: NativeCase) {
    match case {
        NativeCase::EditorPrompt => return editor(pen),
        NativeCase::MetaAgain => return meta_again(pen),
        NativeCase::ModelSwitch => pen.model = "gpt-5.1-codex",
        NativeCase::TurnNames => pen.says_turn = true,
        _ => {}
    }
    pen.open();
    pen.step();
    match case {
        NativeCase::ParallelCalls => parallel(pen),
        NativeCase::CustomTool => custom(pen),
        NativeCase::LocalShell => local_shell(pen),
        NativeCase::WebSearch => web_search(pen),
        NativeCase::McpEnd => mcp(pen),
        NativeCase::Unanswered => drop(pen.call("write_stdin", &json!({"session_id": 3}))),
        NativeCase::Steering => {
            pen.tick(300, 2500);
            let text = format!("and also: {}", pen.next_text());
            pen.says(&text, &text, false);
            pen.step();
        }
        NativeCase::Reemitted | NativeCase::NullInfo => again(pen, case),
        NativeCase::TotalsRestart => restart(pen),
        NativeCase::CompactCounts => compaction(pen),
        NativeCase::Injected => injected(pen),
        NativeCase::TurnAborted => return aborted(pen),
        NativeCase::NoEnd => return,
        _ => {}
    }
    pen.finish();
    pen.says_turn = false;
}

fn parallel(pen: &mut Pen) {
    let calls = ["ls", "cat none", "pwd"].map(|cmd| pen.call("exec_command", &json!({"cmd": cmd})));
    for (at, code) in [(2, 0), (0, 0), (1, 1)] {
        pen.result(&calls[at], code);
    }
    pen.count();
}

fn custom(pen: &mut Pen) {
    let id = pen.prng.id("call_", 22);
    pen.tick(20, 900);
    let patch = "*** Begin Patch\n*** Update File: a.rs\n-a\n+b\n*** End Patch\n";
    pen.item(json!({
        "type": "custom_tool_call", "status": "completed", "call_id": id, "name": "apply_patch",
        "input": patch,
    }));
    pen.book.called(&id, Some("apply_patch"));
    pen.tick(20, 300);
    let changes = json!({"/w/app/a.rs": {"type": "update", "unified_diff": "-a\n+b\n"}});
    pen.event(
        "patch_apply_end",
        json!({
            "call_id": id, "turn_id": pen.turn_id, "stdout": "Success", "stderr": "",
            "success": true, "changes": changes, "status": "completed",
        }),
    );
    let output = "{\"output\":\"Success\",\"metadata\":{\"exit_code\":0}}";
    pen.item(json!({"type": "custom_tool_call_output", "call_id": id, "output": output}));
    pen.book.answered(&id, true);
    pen.count();
}

fn local_shell(pen: &mut Pen) {
    let id = pen.prng.id("call_", 22);
    pen.tick(20, 900);
    let action = json!({"type": "exec", "command": ["ls"], "timeout_ms": null});
    let item = json!({
        "type": "local_shell_call", "call_id": id, "status": "completed", "action": action,
    });
    pen.item(item);
    pen.book.called(&id, None);
    pen.result(&id, 0);
    pen.count();
}

/// The model's own search: it has no result of ours, and no call of ours either.
fn web_search(pen: &mut Pen) {
    pen.tick(20, 900);
    let action = json!({"type": "search", "query": "memchr docs"});
    pen.event("web_search_end", json!({"call_id": "ws_1", "query": "memchr docs"}));
    let item = json!({"type": "web_search_call", "status": "completed", "action": action});
    pen.item(item);
    pen.count();
}

fn mcp(pen: &mut Pen) {
    let id = pen.call("mcp__docs__find", &json!({"q": "x"}));
    pen.tick(20, 900);
    let invocation = json!({"server": "docs", "tool": "find", "arguments": {"q": "x"}});
    let content = json!([{"type": "text", "text": "one hit"}]);
    pen.event(
        "mcp_tool_call_end",
        json!({
            "call_id": id, "invocation": invocation, "duration": {"secs": 0, "nanos": 5_000_000},
            "result": {"Ok": {"content": content, "is_error": false}},
        }),
    );
    let item = json!({"type": "function_call_output", "call_id": id, "output": content});
    pen.item(item);
    pen.book.answered(&id, true);
    pen.count();
}

/// Counts that say nothing new.
fn again(pen: &mut Pen, case: NativeCase) {
    for _ in 0..2 {
        pen.tick(50, 2500);
        match case {
            NativeCase::NullInfo => pen.count_row(&Value::Null),
            _ => pen.told(pen.totals, Totals { input: 9, output: 1, total: 10, ..pen.totals }),
        }
    }
    pen.step();
}

/// Totals from 0 again, which is seen since they are smaller than they were.
fn restart(pen: &mut Pen) {
    pen.totals = Totals::default();
    pen.count_of(Totals { input: 300, cached: 100, output: 20, reasoning: 5, total: 320 });
    pen.step();
}

/// What is told around a compaction: no part but a total; then totals of nothing but the window.
fn compaction(pen: &mut Pen) {
    pen.tick(50, 2500);
    let estimate = Totals { total: 9000, ..Totals::default() };
    pen.told(pen.totals, estimate);
    let history = json!([{"type": "message", "role": "user",
        "content": [{"type": "input_text", "text": "What was asked before?"}]}]);
    pen.line("compacted", json!({"message": "", "replacement_history": history}));
    pen.event("context_compacted", json!({}));
    pen.step();
    let window = Totals { total: 258_400, ..Totals::default() };
    pen.tick(50, 2500);
    pen.told(window, window);
    pen.totals = window;
    pen.step();
}

fn injected(pen: &mut Pen) {
    for text in [
        "# AGENTS.md instructions for /w/app\n\n<INSTRUCTIONS>Be brief.</INSTRUCTIONS>",
        "<skill>\n<name>x</name>\n</skill>",
        "<turn_aborted>\nThe user interrupted.\n</turn_aborted>",
    ] {
        pen.tick(5, 90);
        pen.message("user", text);
    }
}

fn aborted(pen: &mut Pen) {
    pen.call("exec_command", &json!({"cmd": "sleep 60"}));
    pen.tick(500, 5000);
    let end = json!({
        "turn_id": pen.turn_id, "reason": "interrupted",
        "completed_at": pen.now.div_euclid(1000), "duration_ms": 800,
    });
    pen.event("turn_aborted", end);
    pen.book.close("aborted");
}

fn editor(pen: &mut Pen) {
    // Readers take the text without the space around it.
    let text = pen.next_text().trim().to_owned();
    let around = "# Context from my IDE setup:\n\n## Open tabs:\n- a.rs: a.rs\n\n";
    pen.open_with(&text, &format!("{around}## My request for Codex:\n{text}\n"));
    pen.finish();
}

fn meta_again(pen: &mut Pen) {
    pen.tick(500, 5000);
    let meta = pen.meta(&json!({}));
    pen.line("session_meta", meta);
    pen.line("world_state", json!({"full": true, "state": {"user_message": "no"}}));
    pen.line("a_kind_of_next_year", json!({"type": "user_messages"}));
    pen.event("thread_goal_updated", json!({"goal": "Ship it"}));
    pen.open();
    pen.finish();
}

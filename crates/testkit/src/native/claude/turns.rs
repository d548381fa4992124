//! A turn of a Claude session for each case.

use super::super::NativeCase;
use super::pen::{Pen, append};
use super::{agents, queue};
use serde_json::{Value, json};

/// Writes the turn that shows the case.
pub(super) fn write(pen: &mut Pen, case: NativeCase) {
    match case {
        NativeCase::AgentBeside
        | NativeCase::AgentBelow
        | NativeCase::AgentInline
        | NativeCase::AgentProgress
        | NativeCase::AgentProgressAlone
        | NativeCase::SideQuestion => agents::write(pen, case),
        NativeCase::QueuedThenPrompt
        | NativeCase::QueuedRemoved
        | NativeCase::QueuedAttachment
        | NativeCase::QueuePopped
        | NativeCase::QueuedNotice => queue::write(pen, case),
        NativeCase::GrowingOutput | NativeCase::NoRequestId | NativeCase::HourCache => {
            settings(pen, case);
        }
        NativeCase::SyntheticNotice => synthetic(pen),
        NativeCase::SlashCommand | NativeCase::ShellMode => between(pen, case),
        NativeCase::MetaRows | NativeCase::Automation => injected(pen, case),
        NativeCase::CompactSummary => compaction(pen),
        NativeCase::Interrupted | NativeCase::InterruptedTool => interrupted(pen, case),
        NativeCase::Rewind => rewind(pen),
        NativeCase::StateRows => state_rows(pen),
        NativeCase::PromptBlocks | NativeCase::PlanPrompt => prompts(pen, case),
        NativeCase::Superseded => superseded(pen),
        NativeCase::ParallelTools => parallel(pen),
        _ => {}
    }
}

fn turn(pen: &mut Pen) {
    pen.prompt();
    pen.step();
    pen.finish();
}

/// A turn in which all requests are told otherwise.
fn settings(pen: &mut Pen, case: NativeCase) {
    match case {
        NativeCase::GrowingOutput => pen.growing = true,
        NativeCase::NoRequestId => pen.names_requests = false,
        _ => pen.for_an_hour = true,
    }
    turn(pen);
    (pen.growing, pen.names_requests, pen.for_an_hour) = (false, true, false);
}

fn synthetic(pen: &mut Pen) {
    pen.prompt();
    pen.tick(900, 4000);
    let id = pen.prng.uuid4();
    pen.row(
        "assistant",
        json!({
            "message": {"id": id, "model": "<synthetic>", "role": "assistant", "type": "message",
                "stop_reason": "stop_sequence", "stop_sequence": "",
                "usage": {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0},
                "content": [{"type": "text", "text": "API Error: overloaded"}]},
            "isApiErrorMessage": true,
        }),
    );
    pen.step();
    pen.finish();
}

/// What stands between turns and is none.
fn between(pen: &mut Pen, case: NativeCase) {
    if case == NativeCase::SlashCommand {
        let caveat = "<local-command-caveat>Caveat: The messages below</local-command-caveat>";
        pen.user(json!(caveat), json!({"isMeta": true}));
        let command = "<command-name>/model</command-name>\n            \
            <command-message>model</command-message>\n            \
            <command-args>sonnet</command-args>";
        pen.user(json!(command), json!({}));
        pen.book.command(pen.now);
        let said = "<local-command-stdout>Set model to sonnet</local-command-stdout>";
        pen.user(json!(said), json!({}));
    } else {
        pen.user(json!("<bash-input>git status</bash-input>"), json!({}));
        let said = "<bash-stdout>clean</bash-stdout><bash-stderr></bash-stderr>";
        pen.user(json!(said), json!({}));
    }
    turn(pen);
}

/// Rows in the user's name that nobody typed.
fn injected(pen: &mut Pen, case: NativeCase) {
    pen.prompt();
    pen.step();
    if case == NativeCase::MetaRows {
        let skill = json!([{"type": "text", "text": "Base directory for this skill: /w/skill"}]);
        pen.user(skill, json!({"isMeta": true, "sourceToolUseID": "toolu_skill"}));
        pen.user(json!("Continue from where you left off."), json!({"isMeta": true}));
    } else {
        let notice = "<task-notification>\n<task-id>b1</task-id> done</task-notification>";
        pen.user(json!(notice), json!({"origin": {"kind": "task-notification"}}));
        pen.user(
            json!("<teammate-message teammate_id=\"ada\">ready</teammate-message>"),
            json!({}),
        );
        pen.user(json!("Stop hook feedback: lint fails"), json!({}));
    }
    pen.finish();
}

fn compaction(pen: &mut Pen) {
    pen.prompt();
    pen.step();
    pen.tick(2000, 9000);
    let before = pen.voice.parent.take();
    pen.row(
        "system",
        json!({
            "subtype": "compact_boundary", "content": "Conversation compacted", "isMeta": false,
            "level": "info", "logicalParentUuid": before,
            "compactMetadata": {"trigger": "auto", "preTokens": 155_000},
        }),
    );
    let summary = "This session is being continued from a previous conversation that ran out of \
        context. The user asked for a test.";
    let marks = json!({"isCompactSummary": true, "isVisibleInTranscriptOnly": true});
    pen.user(json!(summary), marks);
    pen.step();
    pen.finish();
}

fn interrupted(pen: &mut Pen, case: NativeCase) {
    pen.prompt();
    pen.step();
    let call = pen.call("Bash", &json!({"command": "sleep 60"}));
    pen.respond(vec![call.clone()]);
    let mut mark = "[Request interrupted by user]";
    if case == NativeCase::InterruptedTool {
        pen.result(&call, false);
        mark = "[Request interrupted by user for tool use]";
    }
    pen.user(json!([{"type": "text", "text": mark}]), json!({}));
    pen.book.close("aborted");
}

/// Two prompts on one row: the second takes the first back, and both were typed.
fn rewind(pen: &mut Pen) {
    turn(pen);
    let fork = pen.voice.parent.clone();
    turn(pen);
    pen.voice.parent = fork;
    turn(pen);
}

fn state_rows(pen: &mut Pen) {
    let sid = pen.book.sid.clone();
    let leaf = pen.voice.parent.clone();
    pen.state(json!({"type": "summary", "summary": "Offsets in bytes", "leafUuid": leaf}));
    pen.prompt();
    let snapshot = json!({"messageId": leaf, "trackedFileBackups": {},
        "timestamp": "2026-01-01T00:00:00.000Z"});
    pen.state(json!({
        "type": "file-history-snapshot", "messageId": leaf, "snapshot": snapshot,
        "isSnapshotUpdate": false,
    }));
    pen.step();
    for (kind, key, value) in [
        ("permission-mode", "permissionMode", "plan"),
        ("mode", "mode", "normal"),
        ("last-prompt", "lastPrompt", "Is this typed? It is not."),
        ("ai-title", "aiTitle", "A title"),
        ("a-kind-of-next-year", "value", "?"),
    ] {
        let mut row = json!({"type": kind, "sessionId": sid});
        append(&mut row, Value::Object([(key.to_owned(), json!(value))].into_iter().collect()));
        pen.state(row);
    }
    pen.finish();
}

/// Prompts that are more than a text.
fn prompts(pen: &mut Pen, case: NativeCase) {
    let text = pen.next_text();
    if case == NativeCase::PlanPrompt {
        let plan = format!("Implement the following plan:\n\n{text}");
        pen.prompt_of(&plan, json!(plan), json!({"planContent": text}));
        pen.finish();
        return;
    }
    let image = json!({"type": "base64", "media_type": "image/png", "data": "aGk="});
    let opened = "<ide_opened_file>The user opened /w/app/a.rs</ide_opened_file>";
    let blocks = json!([
        {"type": "text", "text": opened}, {"type": "text", "text": text},
        {"type": "image", "source": image},
        {"type": "text", "text": "<system-reminder>Be short.</system-reminder>"},
    ]);
    let members = json!({"promptSource": "typed", "origin": {"kind": "human"}});
    pen.prompt_of(&text, blocks, members);
    pen.book.images(1);
    pen.finish();
    let text = "Which test fails?";
    let content = format!("{text}\n<system-reminder>\nBe short.\n</system-reminder>");
    pen.prompt_of(text, json!(content), json!({}));
    pen.finish();
}

fn superseded(pen: &mut Pen) {
    pen.prompt();
    pen.step();
    let call = pen.call("Bash", &json!({"command": "make"}));
    pen.respond(vec![call]);
    turn(pen);
}

fn parallel(pen: &mut Pen) {
    pen.prompt();
    let inputs = ["src/a.rs", "src/b.rs", "src/none.rs"].map(|path| json!({"file_path": path}));
    let calls = inputs.map(|input| pen.call("Read", &input));
    let mut blocks = vec![pen.text()];
    blocks.extend(calls.iter().cloned());
    pen.respond(blocks);
    for (at, ok) in [(1, true), (2, false), (0, true)] {
        pen.result(&calls[at], ok);
    }
    pen.finish();
}

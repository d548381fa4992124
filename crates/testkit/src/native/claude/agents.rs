//! Sub-agents of a Claude session, in the three places where their rows have been written, and
//! the rows that tell their usage again.

use super::super::NativeCase;
use super::super::sheet::Sheet;
use super::pen::{Pen, Voice, append};
use serde_json::{Value, json};

/// A turn in which a sub-agent works.
pub(super) fn write(pen: &mut Pen, case: NativeCase) {
    pen.prompt();
    if case == NativeCase::SideQuestion {
        return side_question(pen);
    }
    let input = json!({"description": "Find it", "prompt": "Find the lock", "subagent_type": "x"});
    let task = pen.call("Task", &input);
    pen.respond(vec![task.clone()]);
    if case == NativeCase::AgentProgressAlone {
        alone(pen, &task);
    } else {
        let told = work(pen, case);
        for response in told.iter().filter(|_| case == NativeCase::AgentProgress) {
            progress(pen, &task, response);
        }
    }
    pen.result(&task, true);
    pen.finish();
}

/// Two requests of a sub-agent; returns what they said.
fn work(pen: &mut Pen, case: NativeCase) -> [Value; 2] {
    let id = pen.prng.id("", 8).to_lowercase();
    let voice = match case {
        NativeCase::AgentInline => Voice { sidechain: true, ..Voice::default() },
        NativeCase::AgentBeside => agent_file(pen, "", &id),
        _ => agent_file(pen, "/subagents", &id),
    };
    let main = std::mem::replace(&mut pen.voice, voice);
    pen.user(json!("Find the lock"), json!({}));
    let call = pen.call("Grep", &json!({"pattern": "lock"}));
    let first = pen.respond(vec![call.clone()]);
    pen.result(&call, true);
    let text = pen.text();
    let second = pen.respond(vec![text]);
    pen.voice = main;
    [first, second]
}

/// A file for a sub-agent: beside the transcript, or in a folder of the session's.
fn agent_file(pen: &mut Pen, folder: &str, id: &str) -> Voice {
    let project = ".claude/projects/-w-app";
    let path = match folder {
        "" => format!("{project}/agent-{id}.jsonl"),
        _ => format!("{project}/{}{folder}/agent-{id}.jsonl", pen.book.sid),
    };
    pen.sheets.push(Sheet::new(path));
    let sheet = pen.sheets.len() - 1;
    Voice { sheet, sidechain: true, agent: Some(id.to_owned()), parent: None }
}

/// A row that tells a sub-agent's response again.
fn progress(pen: &mut Pen, task: &Value, response: &Value) {
    pen.tick(10, 400);
    let mut message = json!({"type": "assistant", "uuid": pen.prng.uuid4()});
    append(&mut message, response.clone());
    let data = json!({"type": "agent_progress", "message": message, "prompt": "", "agentId": "a1"});
    pen.row(
        "progress",
        json!({"data": data, "toolUseID": "agent_msg", "parentToolUseID": task["id"]}),
    );
}

/// A sub-agent of which only the parent's progress rows are left: usage, but no calls.
fn alone(pen: &mut Pen, task: &Value) {
    let mut aside = pen.clone();
    aside.voice = agent_file(&mut aside, "/subagents", "gone");
    let text = aside.text();
    let response = aside.respond(vec![text]);
    (pen.prng, pen.now, pen.book) = (aside.prng, aside.now, aside.book);
    progress(pen, task, &response);
}

/// `/btw`: a file that repeats what the session was told, and asks one more request.
fn side_question(pen: &mut Pen) {
    let text = pen.text();
    let call = pen.call("Bash", &json!({"command": "ls"}));
    let told = pen.respond(vec![text, call.clone()]);
    pen.result(&call, true);
    let voice = agent_file(pen, "/subagents", "aside_question-1");
    let main = std::mem::replace(&mut pen.voice, voice);
    pen.tick(100, 900);
    let request = pen.prng.id("req_01", 22);
    pen.row("assistant", json!({"requestId": request, "message": told["message"]}));
    pen.user(json!("By the way, which file is it?"), json!({}));
    let text = pen.text();
    pen.respond(vec![text]);
    pen.voice = main;
    pen.finish();
}

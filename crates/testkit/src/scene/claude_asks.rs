//! Requests of Claude's second session: the first file does not know its session, marks for the
//! cache move, system prompt, tools and settings change, and the conversation is wound back.

use super::asked::{Answer, Asked, Growth, header, system, tool};
use super::claude_pen::SONNET;
use super::claude_second::{CWD, PID, SID};
use super::stage::{Id, Stage, Whose, utc};
use serde_json::{Value, json};

const URL: &str = "https://api.anthropic.com/v1/messages?beta=true";
const OPUS: &str = "claude-opus-4-1-20250805";
const WHO: &str = "You are Claude Code, Anthropic's official CLI for Claude.";
const FIRST: &str = "You MUST be brief.\n<env>\nWorking directory: /w/site\nIs directory a git repo: Yes\n</env>\nYou are powered by the model named Sonnet 4.5. The exact model ID is claude-sonnet-4-5-20250929.\n\nAssistant knowledge cutoff is January 2025.";
const SECOND: &str = "You MUST be brief.\n<env>\nWorking directory: /w/site\nIs directory a git repo: Yes\n</env>\nYou are powered by the model named Opus 4.1. The exact model ID is claude-opus-4-1-20250805.\n\nAssistant knowledge cutoff is January 2025.";

fn define(name: &str, key: &str) -> Value {
    json!({
        "name": name, "description": format!("The tool {name}."),
        "input_schema": {"type": "object", "properties": {key: {"type": "string"}}},
    })
}

fn tools(more: bool) -> Vec<Value> {
    let mut tools = vec![define("Read", "file_path"), define("Bash", "command")];
    if more {
        tools.extend([define("TodoWrite", "todos"), define("Task", "prompt")]);
    }
    tools
}

fn body(messages: &[Value], later: bool) -> Value {
    let told = if later { SECOND } else { FIRST };
    json!({
        "model": SONNET, "max_tokens": if later { 64_000 } else { 32_000 }, "temperature": 1,
        "stream": true,
        "system": [
            {"type": "text", "text": WHO},
            {"type": "text", "text": told, "cache_control": {"type": "ephemeral"}},
        ],
        "tools": tools(later), "messages": messages,
        "metadata": {"user_id": format!("user_5f2a_account_0000_session_{SID}")},
    })
}

fn asked(ms: i64, call: u64, body: Value) -> Asked {
    let whose = Whose { provider: "claude", sid: SID.into(), pid: Some(PID) };
    let headers = json!({
        "x-api-key": "sk-ant-api03-scene", "Anthropic-Version": "2023-06-01",
        "User-Agent": "claude-cli/2.0.42 (external, cli)",
    });
    Asked {
        whose,
        ms,
        name: SID.into(),
        kind: "messages",
        url: URL,
        headers,
        body,
        call,
        names_session: true,
    }
}

/// The messages before each request; the last block of the last one carries the mark of the cache.
fn history() -> [Vec<Value>; 5] {
    let reminder = "<system-reminder>\nNEVER guess\n</system-reminder>";
    let text = |text: &str| json!({"type": "text", "text": text});
    let used = |id: &str, name: &str, input: Value| json!({"type": "tool_use", "id": id, "name": name, "input": input});
    let result =
        |id: &str, text: &str| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    let user = |blocks: Vec<Value>| json!({"role": "user", "content": blocks});
    let assistant = |blocks: Vec<Value>| json!({"role": "assistant", "content": blocks});
    let read = used("toolu_21", "Read", json!({"file_path": "/w/site/README.md"}));
    let make = used("toolu_22", "Bash", json!({"command": "make"}));
    let todos = used("toolu_23", "TodoWrite", json!({"todos": []}));
    let task = used("toolu_24", "Task", json!({"prompt": "dig"}));
    let all = [
        user(vec![text(reminder), text("read the readme")]),
        assistant(vec![text("I will read."), read, make]),
        user(vec![
            result("toolu_21", "hello\n"),
            result("toolu_22", "make: no rule"),
            text("use rg"),
        ]),
        assistant(vec![text("Done.")]),
        user(vec![text("next one")]),
        assistant(vec![todos, task]),
        user(vec![result("toolu_23", "ok"), result("toolu_24", "API Error: 529 overloaded_error")]),
    ];
    [1, 3, 5, 7, 3].map(|len| {
        let mut messages = all[..len].to_vec();
        if let Some(last) = messages.last_mut().and_then(|last| last["content"].as_array_mut())
            && let Some(block) = last.last_mut()
        {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        messages
    })
}

const MS: [i64; 5] = [1_810_400, 1_811_950, 1_820_900, 1_821_950, 1_835_000];
/// Ordinals: the count of tokens is the first request, that to another host the fourth.
const CALLS: [u64; 5] = [2, 3, 5, 6, 7];

pub(super) fn play(stage: &mut Stage) {
    let rows = conversation(stage);
    let count = json!({
        "model": SONNET, "messages": [{"role": "user", "content": "read the readme"}],
    });
    let counts = Asked {
        kind: "count_tokens",
        url: "https://api.anthropic.com/v1/messages/count_tokens?beta=true",
        ..asked(1_810_300, 1, count)
    };
    let first = counts.write(stage, None);
    let events = json!({"events": [{"eventName": "start"}]});
    let other = Asked {
        kind: "other",
        url: "https://statsig.anthropic.com/v1/rgstr",
        ..asked(1_811_960, 4, events)
    };
    other.write(stage, None);
    for (name, value) in [
        ("x-api-key", None),
        ("anthropic-version", Some("2023-06-01")),
        ("user-agent", Some("claude-cli/2.0.42 (external, cli)")),
    ] {
        header(stage, first, name, value, [1, 7]);
    }
    settings(stage, &rows);
}

fn conversation(stage: &mut Stage) -> Vec<Id> {
    let histories = history();
    let (one, two) = (Some((1, "read the readme")), Some((2, "next one")));
    let answers = [
        Some((1_810_500, "msg_01A", "req_01A", one, [1210, 1000])),
        Some((1_812_000, "msg_01B", "req_01B", one, [1305, 1200])),
        Some((1_821_000, "msg_01C", "req_01C", two, [1357, 1300])),
        Some((1_822_000, "msg_01D", "req_01D", two, [1423, 1400])),
        None,
    ];
    let growth = [
        (0, "first", None),
        (1, "grew", None),
        (3, "grew", None),
        (5, "grew", None),
        (3, "shrank", Some("rewind")),
    ];
    let mut rows = Vec::new();
    for (at, messages) in histories.iter().enumerate() {
        let mut request = asked(MS[at], CALLS[at], body(messages, at >= 2));
        if at == 0 {
            (request.name, request.names_session) = ("unknown".into(), false);
        }
        let answer = answers[at].map(|(ms, flow, id, turn, _)| Answer {
            ms,
            flow,
            id: flow,
            request_id: Some(id),
            turn,
        });
        let row = request.write(stage, answer);
        request.link(stage, row, answer);
        match at {
            1 => {
                request.call(stage, row, "toolu_21", Some("Read"), [Some(1), Some(2)]);
                request.call(stage, row, "toolu_22", Some("Bash"), [Some(1), Some(2)]);
            }
            3 => {
                request.call(stage, row, "toolu_23", Some("TodoWrite"), [Some(5), Some(6)]);
                request.call(stage, row, "toolu_24", Some("Task"), [Some(5), Some(6)]);
            }
            _ => {}
        }
        let (common, change, reason) = growth[at];
        let before = at.checked_sub(1).map(|before| histories[before].len());
        let (system_changed, tokens) = (at == 2, answers[at].map(|(.., tokens)| tokens));
        request.grew(stage, row, Growth { common, before, change, reason, system_changed, tokens });
        rows.push(row);
    }
    rows
}

fn settings(stage: &mut Stage, rows: &[Id]) {
    let (change, last) = (rows[2], MS[4]);
    system(stage, rows[0], "system", 0, WHO, [5, last]);
    system(stage, rows[0], "system", 1, FIRST, [2, MS[1]]);
    system(stage, change, "system", 1, SECOND, [3, last]);
    for (at, definition) in tools(true).iter().enumerate() {
        let (row, uses) = if at < 2 { (rows[0], 5) } else { (change, 3) };
        tool(stage, row, definition, uses, last);
    }
    stage.tell(
        "config",
        rows[0],
        json!({
            "source": "request", "changed": null, "uses": 2, "t_last": utc(MS[1]),
        }),
    );
    stage.tell("config", change, json!({
        "source": "request", "changed": {"max_tokens": [32_000, 64_000]}, "uses": 3, "t_last": utc(last),
    }));
    let cutoff = "January 2025";
    stage.tell(
        "model_identity_cutoff",
        rows[0],
        json!({
            "claimed": "Sonnet 4.5", "claimed_id": SONNET, "cutoff": cutoff, "requested": SONNET,
            "served": SONNET, "mismatch": false,
        }),
    );
    stage.tell(
        "model_identity_cutoff",
        change,
        json!({
            "claimed": "Opus 4.1", "claimed_id": OPUS, "cutoff": cutoff, "requested": SONNET,
            "served": SONNET, "mismatch": true,
        }),
    );
    // The last request has no answer.
    stage.tell(
        "model_identity_cutoff",
        rows[4],
        json!({
            "claimed": "Opus 4.1", "claimed_id": OPUS, "cutoff": cutoff, "requested": SONNET,
            "served": null, "mismatch": true,
        }),
    );
    stage.tell(
        "reminders_policies",
        rows[0],
        json!({
            "rule": "line", "tag": "MUST", "found_in": "system", "item": null,
            "text": "You MUST be brief.", "bytes": 18,
        }),
    );
    stage.tell(
        "reminders_policies",
        rows[0],
        json!({
            "rule": "block", "tag": "env", "found_in": "system", "item": null,
        }),
    );
    stage.tell(
        "reminders_policies",
        rows[0],
        json!({
            "rule": "block", "tag": "system-reminder", "found_in": "user", "item": 0,
        }),
    );
    let repo = json!({"kind": "repo", "path": CWD, "unsure": ["t", "src"]});
    stage.tell("paths_repo_hints", rows[0], repo);
}

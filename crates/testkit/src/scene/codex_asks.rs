//! Requests of Codex: those of its first session, and those of a session that no log tells of.

use super::asked::{Answer, Asked, Growth, header, system, tool};
use super::codex_first::{PID, sid};
use super::codex_pen::{MODEL, uuid7};
use super::codex_tools::{Call, note_call};
use super::stage::{Id, Stage, Whose, utc};
use serde_json::{Value, json};

const URL: &str = "https://chatgpt.com/backend-api/codex/responses";
const RULES: &str = "You are a coding agent in a terminal.\nIMPORTANT: Keep diffs small.\nBe kind.";
const AGENTS: &str = "# AGENTS.md instructions for /w/app\n\nUse rg.";
const ENV: &str = "<environment_context>\n  <cwd>/w/app</cwd>\n</environment_context>";
/// A call that only requests tell of, and that nobody answered.
const LOST: Call = Call {
    item: "",
    id: "call_99",
    kind: "function",
    name: "shell",
    args: r#"{"command":["bash","-lc","true"]}"#,
};
/// A call of the session without a log.
const ALONE: Call = Call {
    item: "",
    id: "call_71",
    kind: "function",
    name: "shell",
    args: r#"{"command":["bash","-lc","date"]}"#,
};

fn said(role: &str, text: &str) -> Value {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "name": name, "arguments": arguments, "call_id": id})
}

fn output(id: &str, text: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": text})
}

fn shell() -> Value {
    json!({
        "type": "function", "name": "shell", "description": "Runs a command.", "strict": false,
        "parameters": {"type": "object", "properties": {"command": {"type": "array"}}},
    })
}

fn body(input: &[Value], more_tools: bool, sid: &str) -> Value {
    let mut tools = vec![shell()];
    if more_tools {
        tools.push(json!({"type": "web_search"}));
    }
    json!({
        "model": MODEL, "instructions": RULES, "input": input, "tools": tools,
        "tool_choice": "auto", "parallel_tool_calls": more_tools,
        "reasoning": {"effort": "medium", "summary": "auto"}, "store": false, "stream": true,
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": sid,
    })
}

fn asked(ms: i64, nth: u64, input: &[Value], more_tools: bool) -> Asked {
    let whose = Whose { provider: "codex", sid: sid(), pid: Some(PID) };
    let headers = json!([
        ["authorization", "Bearer eyJtYWRlIjoidXAifQ.e30.scene"],
        ["originator", "codex_cli_rs"],
        ["conversation_id", sid()],
    ]);
    let body = body(input, more_tools, &sid());
    Asked {
        whose,
        ms,
        name: sid(),
        kind: "responses",
        url: URL,
        headers,
        body,
        call: nth,
        names_session: true,
    }
}

/// What is in the conversation before each request, as the log tells it.
fn history() -> [Vec<Value>; 7] {
    let sealed = json!({
        "type": "reasoning", "id": "rs_11", "encrypted_content": "gAAAAABsealed-content",
        "summary": [{"type": "summary_text", "text": "Look around"}],
    });
    let first = vec![said("user", AGENTS), said("user", ENV), said("user", "list the files")];
    let args = r#"{"command":["bash","-lc","ls"],"workdir":"/w/app"}"#;
    let mut second = first.clone();
    second.extend([sealed, call("call_11", "shell", args), output("call_11", "a.txt\n")]);
    let mut third = second.clone();
    third.extend([said("assistant", "Two files"), said("user", "fix it")]);
    let mut fourth = third.clone();
    let patch = json!({
        "type": "custom_tool_call", "name": "apply_patch", "call_id": "call_21",
        "input": "*** Begin Patch\n*** End Patch",
    });
    let patched =
        json!({"type": "custom_tool_call_output", "call_id": "call_21", "output": "Success"});
    fourth.extend([
        patch,
        call("call_22", "docs__find", r#"{"q":"x"}"#),
        call("call_23", "update_plan", r#"{"plan":[]}"#),
        call("call_24", "shell", args),
        call(LOST.id, LOST.name, LOST.args),
        patched,
        output("call_22", "connection reset by peer"),
        output("call_23", "Plan updated"),
        output("call_24", "1 failed\nboom\n"),
        output("call_98", "an answer to nothing"),
    ]);
    let mut fifth = fourth.clone();
    fifth.extend([
        said("assistant", "Trying again"),
        call("call_26", "shell", args),
        call("call_27", "update_plan", r#"{"plan":[{"step":"#),
        output("call_26", "command timed out after 1000 milliseconds"),
        output("call_27", "failed to parse function arguments"),
    ]);
    let summary = json!({"type": "compaction", "encrypted_content": "gAAAAABcompacted"});
    let mut sixth = first.clone();
    sixth.extend([said("user", "fix it"), summary, said("user", "go on")]);
    let seventh = sixth.clone();
    [first, second, third, fourth, fifth, sixth, seventh]
}

const MS: [i64; 7] = [10_050, 10_600, 30_050, 33_150, 34_650, 60_150, 60_350];

pub(super) fn play(stage: &mut Stage) {
    let rows = first_session(stage);
    settings(stage, &rows);
    second_session(stage);
    for (name, value, record) in [
        ("authorization", None, [1, 9]),
        ("originator", Some("codex_cli_rs"), [1, 9]),
        ("conversation_id", None, [2, 9]),
    ] {
        header(stage, rows[0], name, value, record);
    }
}

fn first_session(stage: &mut Stage) -> Vec<Id> {
    let histories = history();
    let (one, two, three) = ((1, "list the files"), (2, "fix it"), (3, "go on"));
    let answers = [
        (10_100, "resp_11", one, Some([900, 400])),
        (10_650, "resp_12", one, Some([1100, 900])),
        (30_100, "resp_21", two, Some([2000, 1000])),
        (33_200, "resp_22", two, Some([2500, 2000])),
        (34_700, "resp_23", two, Some([3000, 2500])),
        (60_200, "resp_30", three, None),
        (60_400, "resp_31", three, Some([500, 100])),
    ];
    let growth = [
        (0, "first", None),
        (3, "grew", None),
        (6, "grew", None),
        (8, "grew", None),
        (18, "grew", None),
        // More was taken away than added: whether it shrank or was rewritten is not laid down.
        (3, "", Some("compaction")),
        (6, "same", None),
    ];
    let mut rows = Vec::new();
    for (at, input) in histories.iter().enumerate() {
        let request = asked(MS[at], at as u64 + 1, input, at >= 2);
        let flow = sid();
        let (ms, id, turn, tokens) = answers[at];
        let answer = Some(Answer { ms, flow: &flow, id, request_id: None, turn: Some(turn) });
        let row = request.write(stage, answer);
        request.link(stage, row, answer);
        calls(stage, &request, row, at);
        let (common, change, reason) = growth[at];
        let before = at.checked_sub(1).map(|before| histories[before].len());
        let system_changed = at == 2;
        request.grew(stage, row, Growth { common, before, change, reason, system_changed, tokens });
        rows.push(row);
    }
    rows
}

/// The calls that are new in a request.
fn calls(stage: &mut Stage, request: &Asked, row: Id, at: usize) {
    let mut tell = |id: &str, name: Option<&str>, at: [Option<u64>; 2]| {
        request.call(stage, row, id, name, at);
    };
    match at {
        1 => tell("call_11", Some("shell"), [Some(4), Some(5)]),
        3 => {
            tell("call_21", Some("apply_patch"), [Some(8), Some(13)]);
            tell("call_22", Some("docs__find"), [Some(9), Some(14)]);
            tell("call_23", Some("update_plan"), [Some(10), Some(15)]);
            tell("call_24", Some("shell"), [Some(11), Some(16)]);
            tell("call_99", Some("shell"), [Some(12), None]);
            tell("call_98", None, [None, Some(17)]);
            only_asked(stage, row);
        }
        4 => {
            tell("call_26", Some("shell"), [Some(19), Some(21)]);
            tell("call_27", Some("update_plan"), [Some(20), Some(22)]);
        }
        _ => {}
    }
}

/// What no log tells of: a call, and an output of another.
fn only_asked(stage: &mut Stage, row: Id) {
    stage.tell(
        "tool_calls",
        row,
        json!({
            "call_id": LOST.id, "name": LOST.name, "args_bytes": LOST.args.len(), "t_end": null,
            "args": {"command": ["bash", "-lc", "true"]}, "args_text": null, "source": "request",
        }),
    );
    stage.tell(
        "tool_results",
        row,
        json!({
            "call_id": "call_98", "name": null, "bytes": 20, "text": "an answer to nothing",
            "source": "request",
        }),
    );
}

/// What the requests of the first session tell of instructions, tools and settings.
fn settings(stage: &mut Stage, rows: &[Id]) {
    let last = MS[6];
    system(stage, rows[0], "instructions", 0, RULES, [7, last]);
    tool(stage, rows[0], &shell(), 7, last);
    tool(stage, rows[2], &json!({"type": "web_search"}), 5, last);
    stage.tell(
        "config",
        rows[0],
        json!({
            "source": "request", "uses": 2, "t_last": utc(MS[1]),
        }),
    );
    stage.tell(
        "config",
        rows[2],
        json!({
            "source": "request", "uses": 5, "t_last": utc(last),
            "changed": {"parallel_tool_calls": [false, true]},
        }),
    );
    stage.tell("model_identity_cutoff", rows[0], json!({
        "claimed": null, "claimed_id": null, "cutoff": null, "requested": MODEL, "served": MODEL,
        "mismatch": false, "unsure": ["t", "src"],
    }));
    policies(stage, rows[0], 0);
}

fn policies(stage: &mut Stage, row: Id, first: u64) {
    let line = "IMPORTANT: Keep diffs small.";
    stage.tell(
        "reminders_policies",
        row,
        json!({
            "rule": "line", "tag": "IMPORTANT", "found_in": "instructions", "item": null,
            "bytes": line.len(), "text": line,
        }),
    );
    let heading = json!({"rule": "heading", "found_in": "user", "item": first});
    stage.tell("reminders_policies", row, heading);
    stage.tell(
        "reminders_policies",
        row,
        json!({
            "rule": "block", "tag": "environment_context", "found_in": "user", "item": first + 1,
        }),
    );
}

/// A session that only its requests tell of: an answer, and the request that compacts it.
fn second_session(stage: &mut Stage) {
    let sid = uuid7(3_600_000, 0xc3);
    let whose = Whose { provider: "codex", sid: sid.clone(), pid: Some(4301) };
    let sealed = json!({
        "type": "reasoning", "id": "rs_71", "summary": [], "encrypted_content": "gAAAAABalone",
    });
    let developer = "Answer in one line.";
    let input = [
        said("developer", developer),
        said("user", AGENTS),
        said("user", ENV),
        said("user", "what is it?"),
        sealed,
        call(ALONE.id, ALONE.name, ALONE.args),
        output(ALONE.id, "Monday"),
    ];
    let headers = json!([
        ["authorization", "Bearer eyJtYWRlIjoidXAifQ.e30.scene"],
        ["originator", "codex_cli_rs"],
        ["conversation_id", sid],
    ]);
    let one = Asked {
        whose: whose.clone(),
        ms: 3_610_000,
        name: "unknown".into(),
        kind: "responses",
        url: URL,
        headers: headers.clone(),
        body: body(&input, false, &sid),
        call: 1,
        names_session: false,
    };
    let row = one.write(stage, None);
    one.link(stage, row, None);
    one.call(stage, row, ALONE.id, Some(ALONE.name), [Some(5), Some(6)]);
    one.grew(
        stage,
        row,
        Growth {
            common: 0,
            before: None,
            change: "first",
            reason: None,
            system_changed: false,
            tokens: None,
        },
    );
    let mut compacted = json!({"model": MODEL, "instructions": RULES, "input": input});
    compacted["tools"] = json!([shell()]);
    let two = Asked {
        whose,
        ms: 3_620_000,
        name: "unknown".into(),
        kind: "compact",
        url: "https://chatgpt.com/backend-api/codex/responses/compact",
        headers,
        body: compacted,
        call: 2,
        names_session: false,
    };
    let last = two.write(stage, None);
    two.link(stage, last, None);
    two.grew(
        stage,
        last,
        Growth {
            common: 7,
            before: Some(7),
            change: "same",
            reason: None,
            system_changed: false,
            tokens: None,
        },
    );
    alone(stage, row, last, developer);
}

fn alone(stage: &mut Stage, row: Id, last: Id, developer: &str) {
    let at = 3_620_000;
    system(stage, row, "instructions", 0, RULES, [2, at]);
    stage.tell(
        "system_prompts",
        row,
        json!({
            "role": "developer", "bytes": developer.len(), "text": developer, "uses": 2,
            "t_last": utc(at),
        }),
    );
    tool(stage, row, &shell(), 2, at);
    stage.tell("config", row, json!({"source": "request", "changed": null, "uses": 1}));
    stage.tell("config", last, json!({"source": "request", "changed": null, "uses": 1}));
    stage.tell(
        "user_prompts",
        row,
        json!({
            "kind": "prompt", "text": "what is it?", "images": 0, "injected": false,
            "source": "request", "session_turn": 1,
        }),
    );
    stage.tell(
        "model_identity_cutoff",
        row,
        json!({
            "claimed": null, "claimed_id": null, "cutoff": null, "requested": MODEL, "served": null,
        }),
    );
    policies(stage, row, 1);
    let cwd = json!({"kind": "cwd", "path": "/w/app", "unsure": ["t", "src"]});
    stage.tell("paths_repo_hints", row, cwd);
    stage.tell(
        "reasoning_presence",
        row,
        json!({
            "item_id": "rs_71", "source": "request", "has_text": false, "encrypted_bytes": 12,
        }),
    );
    // Its end is told by a request too; what counts as the state of such a call is not laid down.
    note_call(stage, row, &ALONE, ("completed", None), "request");
    stage.tell(
        "tool_results",
        row,
        json!({
            "call_id": ALONE.id, "name": ALONE.name, "bytes": 6, "text": "Monday",
            "source": "request",
        }),
    );
}

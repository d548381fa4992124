//! Requests of Codex CLI to `OpenAI`'s API.

use super::CaptureCase as Case;
use super::claude::faults;
use super::pen::{Body, Pen, Sent};
use serde_json::{Value, json};

const RESPONSES: &str = "https://chatgpt.com/backend-api/codex/responses";

/// A session of so many requests; the first one has the cases that add files.
pub(super) fn session(pen: &mut Pen<'_>, steps: usize, is_first: bool) {
    let context = "<environment_context>\n  <cwd>/home/u/project</cwd>\n</environment_context>";
    let mut history = vec![said("user", context)];
    for step in 0..steps {
        let call = format!("call_{:02}", step / 2);
        history.push(if step % 2 == 0 {
            said("user", &pen.prng.text(3, 12))
        } else {
            let output = json!({"output": pen.prng.text(3, 30), "metadata": {"exit_code": 0}});
            json!({"type": "function_call_output", "call_id": call, "output": output.to_string()})
        });
        pen.write(Sent {
            event: "request.responses",
            url: RESPONSES.into(),
            body: response(pen, &history),
        });
        let sealed = pen.prng.id("gAAAAA", 40);
        history.push(json!({"type": "reasoning", "summary": [], "encrypted_content": sealed}));
        history.push(if step % 2 == 0 {
            let arguments = json!({"command": ["bash", "-lc", "ls"], "workdir": "/home/u/project"});
            json!({"type": "function_call", "name": "shell", "call_id": call, "arguments": arguments.to_string()})
        } else {
            said("assistant", &pen.prng.text(3, 12))
        });
    }
    if is_first {
        extras(pen, &history);
    }
}

fn said(role: &str, text: &str) -> Value {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

fn response(pen: &Pen<'_>, history: &[Value]) -> Body {
    let shell = json!({
        "type": "function", "name": "shell", "description": "Runs a command.", "strict": false,
        "parameters": {"type": "object", "properties": {"command": {"type": "array"}}},
    });
    let mut body = json!({
        "model": "gpt-5-codex", "instructions": "You are Codex, based on GPT-5.",
        "input": history, "tools": [shell, {"type": "web_search"}], "tool_choice": "auto",
        "parallel_tool_calls": false, "reasoning": {"effort": "medium", "summary": "auto"},
        "store": false, "stream": true, "include": ["reasoning.encrypted_content"],
    });
    if pen.has_session_in_body() {
        body["prompt_cache_key"] = pen.sid.as_str().into();
    }
    Body::Json(body)
}

fn extras(pen: &mut Pen<'_>, history: &[Value]) {
    let other = "https://ab.chatgpt.com/otlp/v1/metrics";
    if pen.has(Case::Compact) {
        let body = json!({"model": "gpt-5-codex", "instructions": "Summarize.", "input": history});
        let url = format!("{RESPONSES}/compact");
        pen.write(Sent { event: "request.responses", url, body: Body::Json(body) });
    }
    if pen.has(Case::ChatCompletions) {
        let messages =
            json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]);
        let body = json!({"model": "gpt-oss:20b", "messages": messages, "stream": true});
        let url = "http://localhost:11434/v1/chat/completions".into();
        pen.write(Sent { event: "request.chat_completions", url, body: Body::Json(body) });
    }
    if pen.has(Case::Telemetry) {
        let body = json!({"resourceMetrics": []});
        pen.write(Sent { event: "request.other", url: other.into(), body: Body::Json(body) });
    }
    if pen.has(Case::FormBody) {
        let body = Body::Form("grant_type=refresh_token&client_id=1".into());
        pen.write(Sent {
            event: "request.other",
            url: "https://auth.openai.com/oauth/token".into(),
            body,
        });
    }
    if pen.has(Case::NoBody) {
        let url = "https://chatgpt.com/backend-api/wham/usage".into();
        pen.write(Sent { event: "request.other", url, body: Body::None });
    }
    if pen.has(Case::Large) {
        let mut history = history.to_vec();
        history.push(said("user", &"a \"quoted\" line\n".repeat(90_000)));
        let body = response(pen, &history);
        pen.write(Sent { event: "request.responses", url: RESPONSES.into(), body });
    }
    faults(pen);
}

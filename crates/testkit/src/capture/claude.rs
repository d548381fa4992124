//! Requests of Claude Code to Anthropic's API.

use super::CaptureCase as Case;
use super::pen::{Body, Pen, Sent};
use serde_json::{Value, json};

const MESSAGES: &str = "https://api.anthropic.com/v1/messages?beta=true";

/// A session of so many requests; the first one has the cases that add files.
pub(super) fn session(pen: &mut Pen<'_>, steps: usize, is_first: bool) {
    let mut history: Vec<Value> = Vec::new();
    for step in 0..steps {
        let call = format!("toolu_{:02}", step / 2);
        let asked = if step % 2 == 0 {
            json!([{"type": "text", "text": pen.prng.text(3, 12)}])
        } else {
            json!([{"type": "tool_result", "tool_use_id": call, "content": pen.prng.text(3, 30)}])
        };
        history.push(json!({"role": "user", "content": asked}));
        pen.write(Sent {
            event: "request.messages",
            url: MESSAGES.into(),
            body: message(pen, &history),
        });
        let mut said = vec![json!({"type": "text", "text": pen.prng.text(3, 12)})];
        if step % 2 == 0 {
            let input = json!({"command": format!("ls {}", pen.prng.text(1, 1))});
            said.push(json!({"type": "tool_use", "id": call, "name": "Bash", "input": input}));
        }
        history.push(json!({"role": "assistant", "content": said}));
    }
    if is_first {
        extras(pen, &history);
    }
}

fn message(pen: &Pen<'_>, history: &[Value]) -> Body {
    let tool = |name: &str, key: &str| {
        json!({
            "name": name, "description": format!("Made-up tool {name}."),
            "input_schema": {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]},
        })
    };
    let mut body = json!({
        "model": "claude-sonnet-4-5-20250929", "max_tokens": 32_000, "stream": true, "temperature": 1,
        "system": [
            {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude."},
            {"type": "text", "text": "<env>\nWorking directory: /home/u/project\n</env>"},
        ],
        "tools": [tool("Bash", "command"), tool("Read", "file_path"), tool("Edit", "file_path")],
        "messages": history,
    });
    if pen.has_session_in_body() {
        let (sid, account) = (&pen.sid, &pen.account);
        let user = if pen.has(Case::SessionInUserJson) {
            json!({"device_id": "d1", "account_uuid": account, "session_id": sid}).to_string()
        } else {
            format!("user_5f2a_account_{account}_session_{sid}")
        };
        body["metadata"] = json!({"user_id": user});
    }
    Body::Json(body)
}

fn extras(pen: &mut Pen<'_>, history: &[Value]) {
    let other = "https://statsig.anthropic.com/v1/rgstr";
    if pen.has(Case::CountTokens) {
        let body = json!({"model": "claude-sonnet-4-5-20250929", "messages": history});
        let url = "https://api.anthropic.com/v1/messages/count_tokens?beta=true".into();
        pen.write(Sent { event: "request.count_tokens", url, body: Body::Json(body) });
    }
    if pen.has(Case::Telemetry) {
        let body =
            json!({"events": [{"eventName": "tengu_init", "time": 1}], "statsigMetadata": {}});
        pen.write(Sent { event: "request.other", url: other.into(), body: Body::Json(body) });
    }
    if pen.has(Case::FormBody) {
        let body = Body::Form("grant_type=refresh_token&client_id=1".into());
        let url = "https://console.anthropic.com/v1/oauth/token".into();
        pen.write(Sent { event: "request.other", url, body });
    }
    if pen.has(Case::NoBody) {
        let url = "https://api.anthropic.com/api/oauth/profile".into();
        pen.write(Sent { event: "request.other", url, body: Body::None });
    }
    if pen.has(Case::Large) {
        let mut history = history.to_vec();
        let text = "a \"quoted\" line\n".repeat(90_000);
        history.push(json!({"role": "user", "content": text}));
        let body = message(pen, &history);
        pen.write(Sent { event: "request.messages", url: MESSAGES.into(), body });
    }
    faults(pen);
}

/// Files that cannot be read.
pub(super) fn faults(pen: &mut Pen<'_>) {
    let last = pen.last();
    if pen.has(Case::CutShort) {
        pen.write_faulty(&last[..last.len() * 3 / 5]);
    }
    if pen.has(Case::Empty) {
        pen.write_faulty(b"");
    }
    if pen.has(Case::NotJson) {
        pen.write_faulty(b"upstream connect error\nor disconnect\n");
    }
    if pen.has(Case::NoRequest) {
        pen.write_faulty(b"{\"name\": \"no request\"}\n");
    }
}

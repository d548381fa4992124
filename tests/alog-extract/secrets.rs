//! Secrets: twenty kinds and more of them, in every place where texts come from, are in no mode's
//! output; every other byte is.

use super::{extract, modes, records};
use crate::programs::{claude, codex, codex_prompt, lines};
use serde_json::{Value, json};
use std::path::Path;
use testkit::Workdir;

/// Letters and digits that no word has, different for each kind.
fn noise(seed: usize, len: usize) -> String {
    const LETTERS: &[u8] = b"aB3dE5fG7hJ9kLmN2pQrS4tUvW6xYz8AbC1DeF0gHi";
    let letter = |i: usize| LETTERS[(seed * 17 + i * 7 + i * i) % LETTERS.len()] as char;
    (0..len).map(letter).collect()
}

fn upper(seed: usize, len: usize) -> String {
    noise(seed, len * 2).to_uppercase()[..len].to_owned()
}

fn hex(seed: usize, len: usize) -> String {
    (0..len).map(|i| char::from(b"0123456789abcdef"[(seed * 7 + i * 5 + i * i) % 16])).collect()
}

/// Texts around secrets: what stands before, the secret, what stands behind. They are put together
/// here, so that no scanner takes this file for a leak.
fn planted() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("key ", format!("sk-ant-{}-{}", "api03", noise(1, 93)), " end"),
        ("key ", format!("sk-proj-{}", noise(2, 64)), "\nnext"),
        ("key ", format!("sk-{}", noise(3, 48)), "; "),
        ("token ", format!("ghp_{}", noise(4, 36)), " ok"),
        ("token ", format!("github_pat_{}_{}", noise(5, 22), noise(6, 59)), " ok"),
        ("token ", format!("gho_{}", noise(7, 36)), " ok"),
        ("lab ", format!("glpat-{}", noise(8, 20)), " ok"),
        ("slack ", format!("xoxb-{}-{}-{}", "123456789012", "1234567890123", noise(9, 24)), " ok"),
        ("aws ", format!("AKIA{}", upper(10, 16)), " ok"),
        ("AWS_SECRET_ACCESS_KEY=", noise(11, 40), "\n"),
        ("google ", format!("AIza{}", noise(12, 35)), " ok"),
        ("stripe ", format!("sk_live_{}", noise(13, 24)), " ok"),
        ("npm ", format!("npm_{}", noise(14, 36)), " ok"),
        ("hf ", format!("hf_{}", noise(15, 34)), " ok"),
        ("grid ", format!("SG.{}.{}", noise(16, 22), noise(17, 43)), " ok"),
        ("jwt ", format!("eyJ{}.eyJ{}.{}", noise(18, 30), noise(19, 60), noise(20, 43)), " ok"),
        ("Authorization: Bearer ", noise(21, 48), "\n"),
        ("postgres://app:", format!("pw{}", noise(22, 14)), "@db.internal/app"),
        (
            "",
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----",
                noise(23, 64),
                noise(24, 64)
            ),
            "\n",
        ),
        ("pypi ", format!("pypi-AgEIcHlwaS5vcmc{}", noise(25, 80)), " ok"),
        ("do ", format!("dop_v1_{}", hex(26, 64)), " ok"),
        ("password: ", format!("Pw-{}", noise(27, 16)), "\n"),
    ]
}

/// A text with all of them in it, and much that only looks so.
fn text() -> String {
    let mut text = String::from(
        "uuid 019a9776-b774-7de6-aa56-cbd6599008c5 commit 3f2b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7 \
         msg_01AbCdEfGhIjKlMnOpQrStUv toolu_01AbCdEfGhIjKlMnOpQrStUv call_AbCdEfGhIjKlMnOpQrStUvWx \
         task-runner risk-free sk-learn é \u{1f600}\n",
    );
    for (before, secret, behind) in planted() {
        text.extend([before, &secret, behind, "|"]);
    }
    text
}

fn is_hash(text: &str) -> bool {
    let digits = text.strip_prefix("hash:").unwrap_or_default();
    digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Checks that a text is the planted one, but for a hash in place of each secret; gives the hashes.
fn hashes(printed: &str) -> Vec<String> {
    let (first, mut rest) = (text(), printed);
    let head = first.find("key sk-ant").expect("the first secret");
    rest = rest.strip_prefix(&first[..head]).expect("what only looks like a secret");
    let mut hashes = Vec::new();
    for (before, secret, behind) in planted() {
        rest = rest
            .strip_prefix(before)
            .unwrap_or_else(|| panic!("{before:?} before {secret} in {rest}"));
        let (hash, behind_hash) = rest.split_at(21.min(rest.len()));
        assert!(is_hash(hash), "{hash:?} in place of {secret}");
        let left = behind_hash.strip_prefix(behind).and_then(|rest| rest.strip_prefix('|'));
        rest = left.unwrap_or_else(|| panic!("{behind:?} behind {secret} in {behind_hash}"));
        hashes.push(hash.to_owned());
    }
    assert_eq!(rest, "");
    hashes
}

/// A capture of both agents with the text in every place that modes read.
fn capture(dir: &Workdir) {
    let said = text();
    let call = json!({"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": json!({"command": ["echo", said]}).to_string()});
    let output = json!({"type": "function_call_output", "call_id": "call_1", "output": said});
    let (exec, item) = ("turn.exec.end", |item: &Value| json!({"item": item}));
    let mut rows = vec![
        codex_prompt(0, &said),
        codex(5, "turn.raw_response_item").payload(item(&call)),
        codex(10, "turn.exec.begin").payload(json!({"call_id": "call_1", "command": ["echo", said], "cwd": "/w"})),
        codex(20, exec).payload(json!({"call_id": "call_1", "stdout": said, "stderr": said, "aggregated_output": said, "exit_code": 1, "duration": {"secs": 1, "nanos": 0}, "formatted_output": said})),
        codex(30, "turn.raw_response_item").payload(item(&output)),
        codex(35, "turn.agent_message").payload(json!({"message": said})),
        codex(36, "turn.plan_update").payload(json!({"explanation": said, "plan": [{"step": said, "status": "pending"}]})),
        codex(37, "turn.diff").payload(json!({"unified_diff": format!("--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+{said}")})),
        codex(38, "turn.stream_error").payload(json!({"message": said})),
        codex(39, "turn.mcp_tool_call.begin").payload(json!({"call_id": "call_2", "invocation": {"server": "s", "tool": "t", "arguments": {"q": said}}})),
        codex(40, "turn.response.completed").payload(json!({"last_agent_message": said})),
    ];
    // A stream whose deltas part the secrets.
    for (i, part) in said.as_bytes().chunks(7).enumerate() {
        let part = String::from_utf8_lossy(part).replace('\u{fffd}', "?");
        let delta = json!({"type": "response.output_text.delta", "item_id": "msg_1", "content_index": 0, "delta": part, "sequence_number": i});
        rows.push(codex(32, "response.output_text.delta").inner(delta));
    }
    dir.write("codex/sse_lines.jsonl", &lines(&rows));
    let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": said, "is_error": true}]});
    let rows = [
        claude(0, "claude.user_prompt")
            .payload(json!({"prompt": said, "mode": "prompt", "message_uuid": "u1"})),
        claude(5, "claude.queue_operation")
            .payload(json!({"operation": "enqueue", "content": said})),
        claude(10, "claude.tool_result")
            .payload(json!({"message": result, "tool_use_ids": ["toolu_1"]})),
        claude(20, "claude.stop").payload(json!({"is_subagent": false})),
    ];
    dir.write("claude/sse_lines.jsonl", &lines(&rows));
    let bearer = format!("Bearer {}", noise(30, 48));
    let request = json!({
        "ts": "2025-11-18T14:55:52.000Z", "pid": 7, "session_id": "c-1", "method": "POST",
        "url": "https://api.anthropic.com/v1/messages",
        "headers": {"Authorization": bearer, "x-api-key": noise(31, 40), "Cookie": noise(32, 40), "user-agent": "claude-cli/2.0.42"},
        "body": {"model": "m", "system": [{"type": "text", "text": said}], "max_tokens": 1000,
            "tools": [{"name": "T", "description": said, "input_schema": {"type": "object", "description": said}}],
            "messages": [{"role": "user", "content": format!("<system-reminder>{said}</system-reminder>{said}")}]},
    });
    dir.write(
        "claude/requests/c-1__2025_11_18_14_55_52_000000.json",
        request.to_string().as_bytes(),
    );
}

fn secrets() -> Vec<String> {
    let planted = planted().into_iter().map(|(_, secret, _)| secret);
    // Of a key over several lines each line is one.
    let lines = planted.flat_map(|secret| secret.lines().map(String::from).collect::<Vec<_>>());
    let lines = lines.filter(|line| !line.starts_with("-----"));
    lines.chain([noise(30, 48), noise(31, 40), noise(32, 40)]).collect()
}

fn of_mode(mode: &str, args: &[&str], path: &Path) -> String {
    extract(&[&["--mode", mode], args].concat(), path).expect_code(0).text().to_owned()
}

#[test]
fn no_mode_prints_a_secret() {
    let dir = Workdir::new();
    capture(&dir);
    let mut with_some = 0;
    for mode in modes() {
        let (hidden, open) =
            (of_mode(&mode, &[], dir.path()), of_mode(&mode, &["--no-redact"], dir.path()));
        for secret in secrets() {
            assert!(!hidden.contains(&secret), "{mode} prints {secret}:\n{hidden}");
        }
        with_some += usize::from(secrets().iter().any(|secret| open.contains(secret)));
    }
    assert!(with_some >= 20, "only {with_some} modes have any text of the capture");
}

#[test]
fn all_else_stays_as_it_was_and_the_same_secret_is_the_same_hash() {
    let dir = Workdir::new();
    capture(&dir);
    let results = records("tool_results", &[], dir.path());
    assert_eq!(results.len(), 2, "{results:?}");
    let of: Vec<Vec<String>> =
        results.iter().map(|record| hashes(record["text"].as_str().expect("a text"))).collect();
    assert_eq!(of[0], of[1]);
    let prompts = records("latest_prompts", &[], dir.path());
    for prompt in prompts.iter().filter(|prompt| prompt["kind"] == "prompt") {
        assert_eq!(hashes(prompt["text"].as_str().expect("a text")), of[0]);
    }
    let open = records("tool_results", &["--no-redact"], dir.path());
    assert!(open.iter().all(|record| record["text"] == text()));
}

#[test]
fn headers_that_hold_secrets_are_hashed_whole() {
    let dir = Workdir::new();
    capture(&dir);
    let headers = records("headers", &[], dir.path());
    let value = |name: &str| {
        let header = headers.iter().find(|header| header["name"] == name).expect(name);
        header["value"].as_str().expect("a value").to_owned()
    };
    for name in ["authorization", "x-api-key", "cookie"] {
        assert!(is_hash(&value(name)), "{name}: {}", value(name));
    }
    assert_eq!(value("user-agent"), "claude-cli/2.0.42");
}

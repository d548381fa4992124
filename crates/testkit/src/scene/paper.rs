//! Writes rows of native logs: transcripts of Claude Code and rollouts of Codex.

use super::stage::{Id, Put, Stage, Whose, utc};
use serde_json::{Value, json};

/// The message that is interrupted.
pub(super) const INTERRUPTED: &str = "msg_T4";

/// A native log, or a mirror of one.
pub(super) struct Paper {
    pub path: String,
    pub whose: Whose,
    /// What all rows of a transcript say.
    pub base: Value,
}

impl Paper {
    pub(super) fn claude(path: &str, sid: &str, base: Value) -> Self {
        let whose = Whose { provider: "claude", sid: sid.into(), pid: None };
        Self { path: path.into(), whose, base }
    }

    pub(super) fn codex(path: &str, sid: &str) -> Self {
        let whose = Whose { provider: "codex", sid: sid.into(), pid: None };
        Self { path: path.into(), whose, base: Value::Null }
    }

    fn put(&self, stage: &mut Stage, ms: i64, event: String, row: &Value) -> Id {
        stage.put(Put {
            path: self.path.clone(),
            ms,
            bytes: format!("{row}\n").into_bytes(),
            event,
            whose: self.whose.clone(),
            round: None,
            keys: None,
            logged: true,
        })
    }

    /// A row of a transcript; `more` has what is its own.
    pub(super) fn row(&self, stage: &mut Stage, ms: i64, kind: &str, more: Value) -> Id {
        let mut row = self.base.clone();
        row["type"] = kind.into();
        row["sessionId"] = self.whose.sid.as_str().into();
        row["uuid"] = format!("{ms:08x}-2222-4222-8222-{:012x}", self.path.len()).into();
        row["timestamp"] = utc(ms).into();
        if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
            row.extend(more);
        }
        let event = match row["subtype"].as_str() {
            Some(subtype) => format!("{kind}.{subtype}"),
            None => kind.to_owned(),
        };
        self.put(stage, ms, event, &row)
    }

    /// What the user says, or a tool gives back.
    pub(super) fn user(&self, stage: &mut Stage, ms: i64, content: Value, more: Value) -> Id {
        let mut more = more;
        more["message"] = json!({"role": "user", "content": content});
        self.row(stage, ms, "user", more)
    }

    /// A block of an answer. `usage` is fresh input, cache writes, cache reads, output.
    pub(super) fn answer(
        &self,
        stage: &mut Stage,
        ms: i64,
        id: [&str; 3],
        block: Value,
        usage: [u64; 4],
    ) -> Id {
        let [message, request, model] = id;
        let [input, write, read, output] = usage;
        // An answer that the user interrupts has no reason to stop.
        let stop = match block["type"].as_str() {
            Some("tool_use") => Some("tool_use"),
            _ if message == INTERRUPTED => None,
            _ => Some("end_turn"),
        };
        self.row(
            stage,
            ms,
            "assistant",
            json!({
                "requestId": request,
                "message": {
                    "id": message, "type": "message", "role": "assistant", "model": model,
                    "content": [block], "stop_reason": stop, "stop_sequence": null,
                    "usage": {
                        "input_tokens": input, "cache_creation_input_tokens": write,
                        "cache_read_input_tokens": read, "output_tokens": output,
                    },
                },
            }),
        )
    }

    /// The result of a tool.
    pub(super) fn result(
        &self,
        stage: &mut Stage,
        ms: i64,
        id: &str,
        text: &str,
        is_error: bool,
    ) -> Id {
        let part = json!({
            "tool_use_id": id, "type": "tool_result", "content": text, "is_error": is_error,
        });
        self.user(stage, ms, json!([part]), json!({"toolUseResult": {"stdout": text}}))
    }

    /// A line of a rollout.
    pub(super) fn line(&self, stage: &mut Stage, ms: i64, kind: &str, payload: Value) -> Id {
        let event = match payload["type"].as_str() {
            Some(subtype) if kind != "session_meta" => format!("{kind}.{subtype}"),
            _ => kind.to_owned(),
        };
        let row = json!({"timestamp": utc(ms), "type": kind, "payload": payload});
        self.put(stage, ms, event, &row)
    }
}

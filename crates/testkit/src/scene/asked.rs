//! Captured requests: their files, and what every mode tells of every request.

use super::stage::{BASE_MS, Id, Put, Stage, Whose, utc};
use crate::calendar::stamp;
use serde_json::{Value, json};

/// A request.
pub(super) struct Asked {
    pub whose: Whose,
    pub ms: i64,
    /// The session in the file's name.
    pub name: String,
    /// `messages`, `responses` and so on, as records name it.
    pub kind: &'static str,
    pub url: &'static str,
    pub headers: Value,
    pub body: Value,
    /// Ordinal in its session.
    pub call: u64,
    /// Whether the document itself names its session.
    pub names_session: bool,
}

/// What answered a request.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub ms: i64,
    pub flow: &'a str,
    pub id: &'a str,
    pub request_id: Option<&'a str>,
    /// The turn that it belongs to, and its prompt.
    pub turn: Option<(u64, &'a str)>,
}

/// What became of a conversation: items in common with the request before, items of that request,
/// the change (if it is sure), the reason.
#[derive(Clone, Copy)]
pub(super) struct Growth<'a> {
    pub common: usize,
    pub before: Option<usize>,
    pub change: &'a str,
    pub reason: Option<&'a str>,
    pub system_changed: bool,
    /// Tokens of the request, and those of them that were read from the cache.
    pub tokens: Option<[u64; 2]>,
}

impl Asked {
    /// The messages or items.
    pub(super) fn items(&self) -> &[Value] {
        let list = self.body.get("messages").or_else(|| self.body.get("input"));
        list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Writes the file. Tells of it in `call_index`.
    pub(super) fn write(&self, stage: &mut Stage, answer: Option<Answer<'_>>) -> Id {
        let is_claude = self.whose.provider == "claude";
        let mut document = json!({"pid": self.whose.pid});
        document[if is_claude { "ts" } else { "t" }] = utc(self.ms).into();
        if self.names_session {
            document[if is_claude { "session_id" } else { "sid" }] = self.whose.sid.as_str().into();
        } else if is_claude {
            document["session_id"] = "unknown".into();
        }
        if is_claude {
            document["cwd"] = super::claude_second::CWD.into();
        }
        document["method"] = "POST".into();
        document["url"] = self.url.into();
        document["headers"] = self.headers.clone();
        document["body"] = self.body.clone();
        let time = stamp(BASE_MS + self.ms).replace(['-', 'T', ':'], "_");
        let (time, millis) = time.split_once('.').unwrap_or((&time, "000"));
        let gap = if is_claude { "_" } else { "_." };
        let (provider, name) = (self.whose.provider, &self.name);
        let row = stage.put(Put {
            path: format!("{provider}/requests/{name}__{time}{gap}{millis}123.json"),
            ms: self.ms,
            bytes: format!("{document}\n").into_bytes(),
            event: format!("request.{}", self.kind),
            whose: self.whose.clone(),
            round: None,
            keys: None,
            logged: false,
        });
        let host = self.url.trim_start_matches("https://").split('/').next();
        let count = |key: &str| self.body.get(key).and_then(Value::as_array).map(Vec::len);
        let messages = count("messages").or_else(|| count("input"));
        let tools = count("tools");
        stage.tell(
            "call_index",
            row,
            json!({
                "pid": self.whose.pid, "call": self.call, "kind": self.kind, "method": "POST",
                "url": self.url, "host": host, "messages": messages, "tools": tools,
                "body_bytes": self.body.to_string().len(), "stream": self.body.get("stream"),
                "linked_flow": answer.map(|answer| answer.flow),
                "linked_response": answer.map(|answer| answer.id),
                "linked_request_id": answer.and_then(|answer| answer.request_id),
                "linked_t": answer.map(|answer| utc(answer.ms)),
                "link_gap_ms": answer.map(|answer| answer.ms - self.ms),
            }),
        );
        row
    }

    /// Tells what the request belongs to.
    pub(super) fn link(&self, stage: &mut Stage, row: Id, answer: Option<Answer<'_>>) {
        let turn = answer.and_then(|answer| answer.turn);
        let mut record = json!({
            "link": "request", "call": self.call, "call_id": null, "name": null,
            "call_item": null, "output_item": null,
            "state": if answer.is_some() { "linked" } else { "unlinked" },
            "flow": answer.map(|answer| answer.flow),
            "response_id": answer.map(|answer| answer.id),
            "request_id": answer.and_then(|answer| answer.request_id),
            "gap_ms": answer.map(|answer| answer.ms - self.ms),
            "session_turn": turn.map(|turn| turn.0), "prompt": turn.map(|turn| turn.1),
        });
        if turn.is_none() {
            record["unsure"] = json!(["session_turn", "prompt"]);
        }
        stage.tell("call_linkage", row, record);
    }

    /// Tells of a call among the items: where it and its output stand.
    pub(super) fn call(
        &self,
        stage: &mut Stage,
        row: Id,
        id: &str,
        name: Option<&str>,
        at: [Option<u64>; 2],
    ) {
        let state = match at {
            [Some(_), Some(_)] => "answered",
            [Some(_), None] => "unanswered",
            _ => "orphan",
        };
        stage.tell(
            "call_linkage",
            row,
            json!({
                "link": "function_call", "call": self.call, "call_id": id, "name": name,
                "state": state, "call_item": at[0], "output_item": at[1],
            }),
        );
    }

    /// Tells what became of the conversation.
    pub(super) fn grew(&self, stage: &mut Stage, row: Id, growth: Growth<'_>) {
        let sizes: Vec<usize> = self.items().iter().map(|item| item.to_string().len()).collect();
        let removed = growth.before.map_or(0, |before| before - growth.common);
        let mut record = json!({
            "call": self.call, "items": sizes.len(), "bytes": sizes.iter().sum::<usize>(),
            "added": sizes.len() - growth.common, "removed": removed,
            "common_prefix": growth.common,
            "common_prefix_bytes": sizes[..growth.common].iter().sum::<usize>(),
            "change": growth.change, "reason": growth.reason,
            "system_changed": growth.before.map(|_| growth.system_changed),
            "context_tokens": growth.tokens.map(|tokens| tokens[0]),
            "cache_read_tokens": growth.tokens.map(|tokens| tokens[1]),
        });
        if growth.change.is_empty() {
            record["unsure"] = json!(["change"]);
        }
        stage.tell("conversation_growth", row, record);
    }
}

/// A header that all of so many requests had.
pub(super) fn header(
    stage: &mut Stage,
    row: Id,
    name: &str,
    value: Option<&str>,
    record: [u64; 2],
) {
    let [distinct, uses] = record;
    let mut told = json!({
        "name": name, "value": value, "distinct": distinct, "uses": uses,
        "unsure": ["sid", "src"],
    });
    // What is secret, or differs, is told in a form of its own.
    if value.is_none() {
        told["unsure"] = json!(["sid", "src", "value"]);
    }
    stage.tell("headers", row, told);
}

/// A tool as a request defines it.
pub(super) fn tool(stage: &mut Stage, row: Id, definition: &Value, uses: u64, last: i64) {
    let name = definition.get("name").or_else(|| definition.get("type"));
    let schema = definition.get("parameters").or_else(|| definition.get("input_schema"));
    // A tool of Claude without a type is one of its user's own: how that is called is not laid down.
    let unsure: &[&str] = if definition.get("type").is_none() { &["kind"] } else { &[] };
    stage.tell(
        "tools_defined",
        row,
        json!({
            "name": name, "kind": definition.get("type"), "unsure": unsure,
            "bytes": definition.to_string().len(), "description": definition.get("description"),
            "parameters": schema, "uses": uses, "t_last": utc(last),
        }),
    );
}

/// A block of a system prompt.
pub(super) fn system(
    stage: &mut Stage,
    row: Id,
    role: &str,
    block: u64,
    text: &str,
    uses: [i64; 2],
) {
    stage.tell(
        "system_prompts",
        row,
        json!({
            "role": role, "block": block, "bytes": text.len(), "text": text, "uses": uses[0],
            "t_last": utc(uses[1]),
        }),
    );
}

//! Tool calls and results in what captured requests carry: messages of Claude, items of Codex,
//! messages of chat completions.

use serde_json::Value;

use super::call_args::{Args, is_json};
use crate::{Asked, Place};

/// What an item of a request tells.
pub(super) enum Told<'v> {
    Call(AskedCall<'v>),
    Result(AskedResult<'v>),
}

/// A call in a request.
pub(super) struct AskedCall<'v> {
    pub call_id: &'v str,
    pub kind: &'static str,
    pub name: Option<&'v str>,
    /// Where its arguments stand.
    input: Option<&'v Value>,
}

/// A result in a request.
pub(super) struct AskedResult<'v> {
    pub call_id: &'v str,
    pub content: Option<&'v Value>,
    /// `is_error`, where it is told.
    pub is_error: Option<bool>,
    /// Which message or item of the conversation holds it.
    pub at: usize,
}

impl AskedCall<'_> {
    /// The arguments, as text.
    pub fn args(&self) -> Option<Args> {
        let text = match self.input? {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            value => value.to_string(),
        };
        let complete = self.kind == "custom" || is_json(&text);
        Some(Args { text, complete })
    }
}

/// The calls and results of a request that no earlier request of the session held.
pub(super) fn fresh<'v>(asked: &'v Asked, place: &Place) -> Vec<Told<'v>> {
    let mut told = Vec::new();
    for (at, item) in asked.conversation().iter().enumerate() {
        if place.fresh.get(at) == Some(&true) {
            each_told(item, at, &mut |one| told.push(one));
        }
    }
    told
}

/// The call that a result answers: the nearest one before it in the conversation of its request.
pub(super) fn call_of<'v>(asked: &'v Asked, result: &AskedResult<'_>) -> Option<AskedCall<'v>> {
    let conversation = asked.conversation();
    let before = conversation.get(..=result.at)?.iter().enumerate().rev();
    let mut found = None;
    for (at, item) in before {
        each_told(item, at, &mut |one| {
            if let Told::Call(call) = one
                && call.call_id == result.call_id
            {
                found = Some(call);
            }
        });
        if found.is_some() {
            break;
        }
    }
    found
}

fn each_told<'v>(item: &'v Value, at: usize, each: &mut impl FnMut(Told<'v>)) {
    let kind = text(item, "type").unwrap_or_default();
    if let Some(call) = codex_call(item, kind) {
        return each(Told::Call(call));
    }
    if is_output(kind) {
        return each_result(item, "call_id", "output", at, each);
    }
    if text(item, "role") == Some("tool") {
        return each_result(item, "tool_call_id", "content", at, each);
    }
    let list = |key| item.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for block in list("content") {
        let kind = text(block, "type").unwrap_or_default();
        if matches!(kind, "tool_use" | "server_tool_use" | "mcp_tool_use") {
            if let Some(call) = call(block, "id", kind_of_claude, text(block, "name"), "input") {
                each(Told::Call(call));
            }
        } else if kind == "tool_result" || kind.ends_with("_tool_result") {
            each_result(block, "tool_use_id", "content", at, each);
        }
    }
    for chat in list("tool_calls") {
        let Some(function) = chat.get("function") else { continue };
        let Some(call_id) = id(chat, "id") else { continue };
        let name = text(function, "name");
        let (kind, input) = (kind_of_function(name), function.get("arguments"));
        each(Told::Call(AskedCall { call_id, kind, name, input }));
    }
}

fn codex_call<'v>(item: &'v Value, kind: &str) -> Option<AskedCall<'v>> {
    let name = text(item, "name");
    match kind {
        "function_call" => call(item, "call_id", kind_of_function, name, "arguments"),
        "custom_tool_call" => call(item, "call_id", |_| "custom", name, "input"),
        "local_shell_call" => call(item, "call_id", |_| "shell", name, "action")
            .or_else(|| call(item, "id", |_| "shell", name, "action")),
        "web_search_call" => call(item, "id", |_| "web_search", name, "action"),
        _ => None,
    }
}

fn call<'v>(
    item: &'v Value,
    id_key: &str,
    kind: impl Fn(Option<&str>) -> &'static str,
    name: Option<&'v str>,
    input: &str,
) -> Option<AskedCall<'v>> {
    let call_id = id(item, id_key)?;
    Some(AskedCall { call_id, kind: kind(name), name, input: item.get(input) })
}

fn each_result<'v>(
    item: &'v Value,
    id_key: &str,
    content: &str,
    at: usize,
    each: &mut impl FnMut(Told<'v>),
) {
    let Some(call_id) = id(item, id_key) else { return };
    let is_error = item.get("is_error").and_then(Value::as_bool);
    each(Told::Result(AskedResult { call_id, content: item.get(content), is_error, at }));
}

/// Whether an item of that type is a result.
pub(super) fn is_output(kind: &str) -> bool {
    matches!(kind, "function_call_output" | "custom_tool_call_output" | "local_shell_call_output")
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn id<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    text(value, key).filter(|id| !id.is_empty())
}

fn kind_of_claude(name: Option<&str>) -> &'static str {
    if is_mcp_name(name) { "mcp" } else { "tool" }
}

fn kind_of_function(name: Option<&str>) -> &'static str {
    if is_mcp_name(name) { "mcp" } else { "function" }
}

/// `server__tool`, `mcp__server__tool`.
fn is_mcp_name(name: Option<&str>) -> bool {
    let parts = name.and_then(|name| name.split_once("__"));
    parts.is_some_and(|(server, tool)| !server.is_empty() && !tool.is_empty())
}

//! Items, executions and results: what is known of tool calls.

use std::hash::{BuildHasher, Hasher};

use super::{keep, object, whole};
use crate::event::{Execution, Item, ItemKind, ItemPhase, Output, Phase, Span, Tool, is_cut};
use crate::event::{ToolResult, What};
use crate::json::{self, Kind, Value};
use crate::sse::{Row, member};

/// An item in `response.output_item.*` or `turn.raw_response_item`, there also as the payload
/// itself. What the user said, and items that no command asks for, are none.
pub(super) fn item(row: &Row<'_>, phase: ItemPhase, arena: &mut Vec<u8>) -> Option<What> {
    if let Some(item) = object(row, "item").or(row.inner.payload) {
        return item_of(item, phase, arena).map(What::Item);
    }
    let mut read = Read::default();
    each_before_cut(row, &["payload", "item"], |key, value| read.set(key, value))?;
    read.truncated = true;
    read.item(phase, arena).map(What::Item)
}

/// The item that an object is.
pub(crate) fn item_of(object: Value<'_>, phase: ItemPhase, arena: &mut Vec<u8>) -> Option<Item> {
    let mut read = Read::default();
    json::fields(object.raw, |key, value| read.set(key, value)).ok()?;
    read.item(phase, arena)
}

/// The members of an item.
#[derive(Default)]
struct Read<'a> {
    kind: Option<Value<'a>>,
    role: Option<Value<'a>>,
    id: Option<Value<'a>>,
    call_id: Option<Value<'a>>,
    name: Option<Value<'a>>,
    /// `arguments` or `input`.
    input: Option<Value<'a>>,
    /// `content` or `summary`.
    parts: Option<Value<'a>>,
    /// What a local shell or a web search is to do.
    action: Option<Value<'a>>,
    output: Option<Value<'a>>,
    truncated: bool,
}

/// Whether a list of parts has none.
fn is_nothing(parts: Value<'_>) -> bool {
    parts.kind == Kind::Null || matches!(parts.raw, "[]" | "")
}

impl<'a> Read<'a> {
    fn set(&mut self, key: &str, value: Value<'a>) {
        let slot = match key {
            "type" => &mut self.kind,
            "role" => &mut self.role,
            "id" => &mut self.id,
            "call_id" => &mut self.call_id,
            "name" => &mut self.name,
            "arguments" | "input" => &mut self.input,
            // Reasoning has both: what it can be read from counts, whichever comes last.
            "content" | "summary" if is_nothing(value) && self.parts.is_some() => return,
            "content" | "summary" => &mut self.parts,
            "action" => &mut self.action,
            "output" => &mut self.output,
            "output_truncated" => return self.truncated = value.raw == "true",
            _ => return,
        };
        *slot = Some(value).filter(|v| v.kind != Kind::Null);
    }

    /// The item that the members make.
    fn item(&self, phase: ItemPhase, arena: &mut Vec<u8>) -> Option<Item> {
        let kind = match &*self.kind?.str()? {
            "message" if self.role.is_none_or(|role| role.raw == "assistant") => ItemKind::Message,
            "reasoning" => ItemKind::Reasoning,
            "function_call" => ItemKind::FunctionCall,
            "custom_tool_call" => ItemKind::CustomCall,
            "local_shell_call" => ItemKind::LocalShell,
            "web_search_call" => ItemKind::WebSearch,
            "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => {
                ItemKind::Result
            }
            _ => return None,
        };
        let keep = |value: Option<Value<'_>>, arena: &mut Vec<u8>| {
            keep(value.filter(|v| !v.raw.is_empty())?, arena)
        };
        Some(Item {
            phase,
            kind,
            item_id: keep(self.id, arena),
            call_id: keep(self.call_id, arena),
            name: keep(self.name, arena),
            text: self.text(kind, arena),
            output: (kind == ItemKind::Result).then(|| {
                let output = self.output.map(output).unwrap_or_default();
                Output { truncated: output.truncated || self.truncated, ..output }
            }),
        })
    }

    fn text(&self, kind: ItemKind, arena: &mut Vec<u8>) -> Option<Span> {
        match kind {
            ItemKind::Message | ItemKind::Reasoning => joined(self.parts?, arena),
            ItemKind::FunctionCall | ItemKind::CustomCall => match self.input?.kind {
                Kind::String { .. } => keep(self.input?, arena),
                // Some builds give the arguments as the object that they spell.
                _ => Some(compact(self.input?, arena)),
            },
            ItemKind::LocalShell | ItemKind::WebSearch => Some(compact(self.action?, arena)),
            ItemKind::Result => None,
        }
    }
}

pub(crate) fn compact(value: Value<'_>, arena: &mut Vec<u8>) -> Span {
    let start = arena.len();
    json::compact_into(&value, arena);
    Span::since(start, arena)
}

/// The texts of a list of parts, with a blank line between.
pub(crate) fn joined(parts: Value<'_>, arena: &mut Vec<u8>) -> Option<Span> {
    let start = arena.len();
    let mut some = false;
    json::items(parts.raw, |part| {
        let Some(text) = member(part, "text").filter(Value::is_string) else { return };
        if some {
            arena.extend_from_slice(b"\n\n");
        }
        some |= keep(text, arena).is_some();
    })
    .ok()?;
    some.then(|| Span::since(start, arena))
}

/// What a result says: text, `{content, success}`, or a list of parts. A shell's text is JSON
/// itself, with the exit code in its metadata.
fn output(value: Value<'_>) -> Output {
    let (mut text, mut failed) = (Vec::new(), None);
    match value.kind {
        Kind::String { escaped } => json::unescape_onto(value.raw, escaped, &mut text),
        Kind::Object => {
            failed = member(value, "success").map(|v| v.raw == "false");
            if let Some(content) = member(value, "content") {
                return Output { failed, ..output(content) };
            }
            json::compact_into(&value, &mut text);
        }
        Kind::Array => {
            joined(value, &mut text);
        }
        _ => {}
    }
    let shell = std::str::from_utf8(&text).ok().and_then(shell_result);
    let (exit_code, cut) = shell.unwrap_or_default();
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(&text);
    let (bytes, hash) = (text.len() as u64, hasher.finish());
    Output { bytes, hash, exit_code, failed, truncated: cut || is_cut(&text) }
}

/// The exit code in what newer shells put before the output: `Process exited with code 0`, or
/// `Exit code: 0`, a line of its own.
fn exit_code_in_words(text: &str) -> Option<i64> {
    if !["Chunk ID: ", "Wall time: ", "Exit code: "].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let header = text.lines().take(8).take_while(|line| *line != "Output:");
    let mut codes = header.filter_map(|line| {
        line.strip_prefix("Process exited with code ").or_else(|| line.strip_prefix("Exit code: "))
    });
    codes.next()?.trim().parse().ok()
}

/// The exit code in a shell's result, and whether its output was cut short.
fn shell_result(text: &str) -> Option<(Option<i64>, bool)> {
    if !text.starts_with('{') {
        return exit_code_in_words(text).map(|code| (Some(code), false));
    }
    let whole_text = json::value(text).ok()?;
    let code = member(whole_text, "metadata").and_then(|m| member(m, "exit_code")).and_then(whole);
    let cut = member(whole_text, "output").is_some_and(|output| is_cut(output.raw.as_bytes()));
    Some((code, cut))
}

/// Begin or end of something that was run.
pub(super) fn execution(
    row: &Row<'_>,
    tool: Tool,
    phase: Phase,
    arena: &mut Vec<u8>,
) -> Option<What> {
    if let Some(payload) = row.inner.payload {
        return execution_of(tool, phase, arena, |set| {
            json::fields(payload.raw, set).ok().map(drop)
        })
        .map(What::Execution);
    }
    let run = execution_of(tool, phase, arena, |set| each_before_cut(row, &["payload"], set))?;
    Some(What::Execution(Execution { truncated: true, ..run }))
}

/// The run that an object tells; `each` calls what it is given with the members.
pub(crate) fn execution_of<'a>(
    tool: Tool,
    phase: Phase,
    arena: &mut Vec<u8>,
    each: impl FnOnce(&mut dyn FnMut(&'a str, Value<'a>)) -> Option<()>,
) -> Option<Execution> {
    let mut run = Execution {
        phase,
        tool,
        call_id: None,
        name: None,
        by_user: false,
        exit_code: None,
        failed: None,
        duration_ms: None,
        truncated: false,
    };
    let mut set = |key: &str, value: Value<'_>| match key {
        "call_id" => run.call_id = keep(value, arena).filter(|id| !id.is_empty()),
        "exit_code" => run.exit_code = whole(value),
        "success" => run.failed = Some(value.raw == "false"),
        "result" => run.failed = mcp_failed(value),
        "duration" => run.duration_ms = duration_ms(value),
        "source" => run.by_user = value.raw == "user_shell",
        "invocation" => run.name = mcp_name(value, arena),
        "stdout" | "stderr" | "aggregated_output" | "formatted_output" => {
            run.truncated |= is_cut(value.raw.as_bytes());
        }
        _ if key.ends_with("_truncated") => run.truncated |= value.raw == "true",
        _ => {}
    };
    each(&mut set)?;
    run.failed = run.failed.or(run.exit_code.map(|code| code != 0));
    Some(run)
}

/// Calls `visit` with the members of an object inside a row that the writer cut short, up to the
/// one that is cut. Some writers cut the text of the whole row, and the long text is seldom first:
/// the ids before it tell that something ended, or was answered.
fn each_before_cut<'a>(
    row: &Row<'a>,
    path: &[&str],
    visit: impl FnMut(&'a str, Value<'a>),
) -> Option<()> {
    row.inner.error.as_ref()?;
    let mut text = row.inner.text;
    for key in path {
        // Inside of strings its quotes are escaped.
        let at = text.find(&format!("\"{key}\":"))? + key.len() + 3;
        text = text[at..].trim_start();
    }
    // It fails where the text was cut.
    let _ = json::leading_fields(text, visit);
    Some(())
}

/// `{"Ok": {is_error}}` or `{"Err": …}`.
pub(crate) fn mcp_failed(result: Value<'_>) -> Option<bool> {
    if member(result, "Err").is_some() {
        return Some(true);
    }
    let ok = member(result, "Ok")?;
    Some(member(ok, "is_error").or_else(|| member(ok, "isError")).is_some_and(|v| v.raw == "true"))
}

fn mcp_name(invocation: Value<'_>, arena: &mut Vec<u8>) -> Option<Span> {
    let (server, tool) = (member(invocation, "server")?, member(invocation, "tool")?);
    let start = arena.len();
    keep(server, arena)?;
    arena.extend_from_slice(b"__");
    keep(tool, arena)?;
    Some(Span::since(start, arena))
}

/// `{secs, nanos}`.
fn duration_ms(value: Value<'_>) -> Option<i64> {
    let secs = member(value, "secs").and_then(whole)?;
    let nanos = member(value, "nanos").and_then(whole).unwrap_or(0);
    Some(secs.saturating_mul(1000).saturating_add(nanos / 1_000_000))
}

/// `claude.tool_result`: a message with one result or more.
pub(super) fn results(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<What> {
    results_of(member(object(row, "message")?, "content")?, arena).map(What::Results)
}

/// The results in the content of a message.
pub(crate) fn results_of(content: Value<'_>, arena: &mut Vec<u8>) -> Option<Vec<ToolResult>> {
    let mut results = Vec::new();
    json::items(content.raw, |block| {
        let kind = member(block, "type").and_then(|kind| kind.str());
        if !matches!(kind.as_deref(), Some("tool_result")) {
            return;
        }
        results.push(result_of(block, arena));
    })
    .ok()?;
    Some(results)
}

/// The result that a block of a message is.
pub(crate) fn result_of(block: Value<'_>, arena: &mut Vec<u8>) -> ToolResult {
    let call_id = member(block, "tool_use_id").and_then(|id| keep(id, arena));
    let said = member(block, "content").map(output).unwrap_or_default();
    let failed = member(block, "is_error").map(|v| v.raw == "true");
    ToolResult { call_id, output: Output { failed, ..said } }
}

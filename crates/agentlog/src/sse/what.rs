//! From a row to what happened: one small reader for each kind of row.

pub(crate) mod call;
mod stream;
mod turn;
pub(crate) mod usage;

use std::sync::LazyLock;

use ledger::Source;
use memchr::memmem::Finder;

use super::inner::member;
use super::{PROMPT_EVENTS, Row, prompt_of};
use crate::event::ItemPhase;
use crate::event::{Block, Phase, ResponsePhase, Session, Span, StreamKind, Tool, Turn, What};
use crate::json::{self, Kind, Value};

/// What happened in a row, if it is of a known kind. Texts are appended to `arena`.
pub fn what_of(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<What> {
    let name = &*row.name;
    if let Some((stem, "delta")) = name.rsplit_once('.')
        && let Some(kind) = codex_stream(stem)
    {
        return stream::codex(row, kind, "delta", arena).map(What::Delta);
    }
    match name {
        _ if PROMPT_EVENTS.contains(&name) => prompt_of(row),
        _ if name.starts_with("claude.") => claude(row, arena),
        _ if name.starts_with("response.") => response(row, arena),
        _ => codex_turn(row, arena),
    }
}

/// Whether a row, told by its name and text, tells nothing of calls: an item that is neither call
/// nor result, a delta of words.
pub fn tells_no_call(event: &[u8], row: &[u8]) -> bool {
    lacks(event, row, b"turn.raw_response_item", &CALL)
        || lacks(event, row, b"claude.content_block_delta", &ARGUMENTS)
}

/// Whether a row tells neither of calls nor of what the agent says.
pub fn tells_no_turn(event: &[u8], row: &[u8]) -> bool {
    lacks(event, row, b"turn.raw_response_item", &CALL)
        || lacks(event, row, b"claude.content_block_delta", &WORDS)
}

/// In the type of every call and result: `function_call`, `custom_tool_call_output`, …
static CALL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("_call"));
/// The key of a piece of arguments.
static ARGUMENTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("partial_json"));
/// The key of a piece of text, and in its type.
static WORDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("text"));
/// A letter may be spelled so; then what a row says cannot be told from its text.
static SPELLED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u"));

fn lacks(event: &[u8], row: &[u8], of: &[u8], word: &Finder<'_>) -> bool {
    event == of && word.find(row).is_none() && SPELLED.find(row).is_none()
}

fn claude(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<What> {
    match &*row.name {
        "claude.content_block_delta" => stream::claude(row, arena).map(What::Delta),
        "claude.content_block_start" => Some(What::Block(stream::block_start(row, arena))),
        "claude.content_block_stop" => {
            let (request, index) = stream::block_of(row, arena);
            Some(What::Block(Block::Stop { request, index }))
        }
        "claude.message_start" => Some(turn::message(row, ResponsePhase::Started, arena)),
        "claude.message_delta" => Some(turn::message(row, ResponsePhase::Going, arena)),
        "claude.message_stop" => Some(turn::message(row, ResponsePhase::Ended, arena)),
        "claude.tool_result" => call::results(row, arena),
        "claude.session_start" => Some(What::Session(Session::Started {
            resumed: text_of(row, "source").is_some_and(|source| source != "new"),
        })),
        "claude.session_end" => Some(What::Session(Session::Ended)),
        "claude.stop" => {
            let of_subagent = row.inner.member("is_subagent").is_some_and(|v| v.raw == "true");
            (!of_subagent).then_some(What::Turn(Turn::Stopped))
        }
        "claude.turn_end" => Some(What::Turn(Turn::Over)),
        _ => None,
    }
}

fn response(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<What> {
    let phase = match &*row.name {
        "response.created" => ResponsePhase::Started,
        "response.in_progress" => ResponsePhase::Going,
        "response.completed" => ResponsePhase::Ended,
        "response.failed" | "response.incomplete" => ResponsePhase::Failed,
        "response.output_item.added" => return call::item(row, ItemPhase::Added, arena),
        "response.output_item.done" => return call::item(row, ItemPhase::Done, arena),
        name => {
            let stem = name.strip_suffix(".done")?;
            let kind = codex_stream(stem)?;
            let key = match kind {
                StreamKind::Text | StreamKind::Reasoning => "text",
                StreamKind::Arguments => "arguments",
                StreamKind::Input => "input",
            };
            return stream::codex(row, kind, key, arena).map(What::Done);
        }
    };
    Some(turn::response(row, phase, arena))
}

fn codex_turn(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<What> {
    let end = |what: Turn| Some(What::Turn(what));
    match &*row.name {
        "turn.response.delta" | "turn.agent_message.delta" | "turn.reasoning.delta" => {
            stream::twin(row, arena).map(What::Delta)
        }
        "turn.token_count" => usage::count(row, Source::Turn),
        "codex.token_count" => usage::count(row, Source::Codex),
        "turn.raw_response_item" => call::item(row, ItemPhase::Raw, arena),
        "turn.exec.begin" => call::execution(row, Tool::Shell, Phase::Begin, arena),
        "turn.exec.end" => call::execution(row, Tool::Shell, Phase::End, arena),
        "turn.mcp_tool_call.begin" => call::execution(row, Tool::Mcp, Phase::Begin, arena),
        "turn.mcp_tool_call.end" => call::execution(row, Tool::Mcp, Phase::End, arena),
        "turn.patch_apply.begin" => call::execution(row, Tool::Patch, Phase::Begin, arena),
        "turn.patch_apply.end" => call::execution(row, Tool::Patch, Phase::End, arena),
        "turn.session_configured" => Some(What::Session(Session::Started {
            resumed: row.inner.member("initial_messages").is_some(),
        })),
        "turn.shutdown_complete" => Some(What::Session(Session::Ended)),
        "turn.task_started" => end(Turn::Started),
        "turn.response.completed" => {
            let reply = row.inner.member("last_agent_message");
            end(Turn::Completed { reply: reply.and_then(|text| keep(text, arena)) })
        }
        "turn.response.aborted" => end(Turn::Aborted),
        "codex.idle" => end(Turn::Idle),
        "turn.agent_message" => keep(row.inner.member("message")?, arena).map(What::Said),
        _ => None,
    }
}

/// What a stream of a Codex response carries, by the stem of its events.
fn codex_stream(stem: &str) -> Option<StreamKind> {
    match stem {
        "response.output_text" => Some(StreamKind::Text),
        "response.reasoning_summary_text" | "response.reasoning_text" => {
            Some(StreamKind::Reasoning)
        }
        "response.function_call_arguments" => Some(StreamKind::Arguments),
        "response.custom_tool_call_input" => Some(StreamKind::Input),
        _ => None,
    }
}

/// Keeps a string in the arena; a number as the string of its digits.
pub(crate) fn keep(value: Value<'_>, arena: &mut Vec<u8>) -> Option<Span> {
    let start = arena.len();
    match value.kind {
        Kind::String { escaped } => json::unescape_onto(value.raw, escaped, arena),
        Kind::Number => arena.extend_from_slice(value.raw.as_bytes()),
        _ => return None,
    }
    Some(Span::since(start, arena))
}

/// A number, whole, of either sign.
pub(crate) fn whole(value: Value<'_>) -> Option<i64> {
    let of_float = || {
        let number: f64 = value.raw.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    };
    value.integer().or_else(|| value.raw.parse().ok()).or_else(of_float)
}

fn text_of<'a>(row: &Row<'a>, key: &str) -> Option<std::borrow::Cow<'a, str>> {
    row.inner.member(key)?.str()
}

/// A member of the effective payload that is an object.
fn object<'a>(row: &Row<'a>, key: &str) -> Option<Value<'a>> {
    member(row.inner.payload?, key).filter(|v| v.kind == Kind::Object)
}

//! Codex rollouts: `{timestamp, type, payload}`, or bare items in files of early 2025.

use std::borrow::Cow;

use super::thread::{Meta, Told};
use super::{Row, Wants, joined};
use crate::event::{
    Head, ItemPhase, Phase, Prompt, PromptForm, Provider, Response, ResponsePhase, Tool, Turn, What,
};
use crate::json::{self, Kind, Text, Value};
use crate::sse::what::call::{self, execution_of, item_of};
use crate::sse::what::{keep, usage, whole};
use crate::sse::{inner_member_or_empty, member};
use crate::time::Stamp;
use ledger::Source;

/// Types of items that stand in files of early 2025 without anything around them.
pub(super) fn is_bare_item(kind: &str) -> bool {
    matches!(
        kind,
        "message"
            | "reasoning"
            | "function_call"
            | "function_call_output"
            | "custom_tool_call"
            | "custom_tool_call_output"
            | "local_shell_call"
            | "local_shell_call_output"
            | "web_search_call"
    )
}

/// The shapes of lines.
enum Shape {
    /// `{timestamp, type, payload}`.
    Line,
    /// An item.
    Bare,
    /// `{id, timestamp, instructions, git}`.
    Header,
    /// `{record_type}`.
    Marker,
}

fn shape(row: &Row<'_>) -> Shape {
    match () {
        () if row.keys.has_payload => Shape::Line,
        () if row.keys.record_type.is_some() => Shape::Marker,
        () if row.keys.kind.is_some() => Shape::Bare,
        () => Shape::Header,
    }
}

pub(super) fn name<'a>(row: &Row<'a>) -> Cow<'a, str> {
    let kind = || row.keys.kind.and_then(|kind| kind.str()).unwrap_or_default();
    match shape(row) {
        Shape::Line => {
            let subtype = row.keys.payload.and_then(|payload| member(payload, "type"));
            joined(kind(), subtype.and_then(|kind| kind.str()))
        }
        Shape::Bare => joined("response_item".into(), Some(kind())),
        Shape::Header => "session_meta".into(),
        Shape::Marker => row.keys.record_type.and_then(|kind| kind.str()).unwrap_or_default(),
    }
}

/// What the row itself says. Only a few tell more than the agent.
pub(super) fn head(row: &Row<'_>) -> Head {
    let text = |key| member(row.payload, key).and_then(|v| Some(v.label()?.into_owned()));
    let is_meta = row.kind() == "session_meta" || matches!(shape(row), Shape::Header);
    Head {
        provider: Some(Provider::Codex),
        sid: if is_meta { text("id") } else { None },
        turn_id: text("turn_id"),
        cwd: text("cwd"),
        ver: text("cli_version"),
        model: model(row).and_then(|model| Some(model.str()?.into_owned())),
        ..Head::default()
    }
}

pub(super) fn model<'a>(row: &Row<'a>) -> Option<Value<'a>> {
    let found = match row.kind() {
        "turn_context" => {
            member(row.payload, "model").or_else(|| member(row.payload, "model_name"))
        }
        "event_msg" => match event_type(row) {
            "token_count" => member(row.payload, "model")
                .or_else(|| member(member(row.payload, "info")?, "model")),
            "thread_settings_applied" => member(member(row.payload, "thread_settings")?, "model"),
            _ => None,
        },
        _ => None,
    };
    found.filter(Value::is_string)
}

fn event_type<'a>(row: &Row<'a>) -> &'a str {
    member(row.payload, "type").filter(Value::is_string).map_or("", |kind| kind.raw)
}

/// What happened in a row of a rollout.
pub(super) fn decode(
    row: &Row<'_>,
    wants: Wants,
    arena: &mut Vec<u8>,
    each: &mut impl FnMut(What, &mut Vec<u8>),
) {
    match (shape(row), row.kind()) {
        (Shape::Header, _) | (Shape::Line, "session_meta") => {
            each(tell(Told::Meta(meta(row))), arena);
        }
        (Shape::Line, "turn_context") => each(tell(context(row)), arena),
        (Shape::Line, kind) if kind.starts_with("inter_agent_communication") && triggers(row) => {
            each(tell(Told::Triggered), arena);
        }
        (Shape::Line, "token_usage_record") if wants.usage || wants.turns => {
            let id = member(row.payload, "response_id").and_then(|id| keep(id, arena));
            let usage = member(row.payload, "usage").and_then(usage::usage);
            let (phase, recorded) = (ResponsePhase::Ended, true);
            each(tell(Told::Usage { thread: owned(member(row.payload, "thread_id")) }), arena);
            each(What::Response(Response { phase, id, stopped: true, usage, recorded }), arena);
        }
        (Shape::Line, "event_msg") => event(row, wants, arena, each),
        (Shape::Line, "response_item") | (Shape::Bare, _) => item(row, wants, arena, each),
        _ => {}
    }
}

/// Whether a message of another agent starts a turn.
fn triggers(row: &Row<'_>) -> bool {
    member(row.payload, "trigger_turn").is_some_and(super::is_true)
}

/// The thread, if the row tells it.
pub(super) fn meta_of(row: &Row<'_>) -> Option<Meta> {
    let tells = matches!(shape(row), Shape::Header) || row.kind() == "session_meta";
    tells.then(|| meta(row))
}

fn meta(row: &Row<'_>) -> Meta {
    let text = |key| owned(member(row.payload, key));
    let sub_agent = member(row.payload, "source").and_then(|source| member(source, "subagent"));
    let spawn = sub_agent.and_then(|kind| member(kind, "thread_spawn"));
    let spawned_by = || owned(member(spawn?, "parent_thread_id"));
    Meta {
        id: text("id").unwrap_or_default(),
        session: text("session_id"),
        parent: text("parent_thread_id").or_else(spawned_by),
        forked_from: text("forked_from_id"),
        is_sub_agent: sub_agent.is_some(),
        born: member(row.payload, "timestamp").and_then(instant),
        cwd: text("cwd"),
        ver: text("cli_version"),
        own_from: member(row.payload, "subagent_history_start_ordinal").and_then(whole),
    }
}

fn context(row: &Row<'_>) -> Told {
    Told::Context {
        turn_id: owned(member(row.payload, "turn_id")),
        model: owned(model(row)),
        cwd: owned(member(row.payload, "cwd")),
    }
}

fn owned(value: Option<Value<'_>>) -> Option<String> {
    Some(value?.label()?.into_owned())
}

/// A time as RFC 3339, or in seconds.
fn instant(value: Value<'_>) -> Option<i64> {
    match value.kind {
        Kind::String { .. } => match Stamp::parse(&value.str()?)? {
            Stamp::Utc(ms) | Stamp::Local(ms) => Some(ms),
        },
        _ => value.integer().map(|seconds| seconds.saturating_mul(1000)),
    }
}

fn event(
    row: &Row<'_>,
    wants: Wants,
    arena: &mut Vec<u8>,
    each: &mut impl FnMut(What, &mut Vec<u8>),
) {
    let text_of = |key| member(row.payload, key);
    match event_type(row) {
        "token_count" if wants.usage || wants.turns => {
            if let Some(model) = owned(model(row)) {
                each(tell(Told::Context { turn_id: None, model: Some(model), cwd: None }), arena);
            }
            let count = usage::count_of(row.payload, Source::Turn);
            each(What::TokenCount(Box::new(count)), arena);
        }
        "thread_settings_applied" => {
            let model = owned(model(row));
            each(tell(Told::Context { turn_id: None, model, cwd: None }), arena);
        }
        "user_message" if wants.prompts => each(user_message(row), arena),
        "agent_message" if wants.turns => {
            if let Some(text) = text_of("message").and_then(|text| keep(text, arena)) {
                each(What::Said(text), arena);
            }
        }
        "item_completed" => {
            if let Some(item) = text_of("item") {
                completed(item, wants, arena, each);
            }
        }
        "exec_command_end" if wants.calls => run(row, Tool::Shell, arena, each),
        "mcp_tool_call_end" if wants.calls => run(row, Tool::Mcp, arena, each),
        "patch_apply_end" if wants.calls => run(row, Tool::Patch, arena, each),
        kind => turn(row, kind, wants, arena, each),
    }
}

/// How a turn begins and ends.
fn turn(
    row: &Row<'_>,
    kind: &str,
    wants: Wants,
    arena: &mut Vec<u8>,
    each: &mut impl FnMut(What, &mut Vec<u8>),
) {
    let (told, turn) = match kind {
        "task_started" | "turn_started" => {
            let turn_id = owned(member(row.payload, "turn_id"));
            let started_at = member(row.payload, "started_at").and_then(instant);
            let told = Told::Started { turn_id, started_at, ordinal: row.seq() };
            // What follows is the turn's own, and its start is already.
            each(tell(told), arena);
            (None, Turn::Started)
        }
        "task_complete" | "turn_complete" => {
            let reply = member(row.payload, "last_agent_message").filter(|_| wants.turns);
            let reply = reply.and_then(|text| keep(text, arena));
            (Some(Told::Ended), Turn::Completed { reply })
        }
        "turn_aborted" => (Some(Told::Ended), Turn::Aborted),
        _ => return,
    };
    if wants.turns {
        each(What::Turn(turn), arena);
    }
    if let Some(told) = told {
        each(tell(told), arena);
    }
}

fn tell(told: Told) -> What {
    What::Thread(Box::new(told))
}

fn user_message(row: &Row<'_>) -> What {
    let lists = ["images", "local_images"].map(|key| member(row.payload, key).and_then(count));
    let images = lists.into_iter().flatten().reduce(|a, b| a + b);
    let text = inner_member_or_empty(row.payload, "message").and_then(|text| text.text());
    prompt(PromptForm::CodexEvent, text, images)
}

fn run(row: &Row<'_>, tool: Tool, arena: &mut Vec<u8>, each: &mut impl FnMut(What, &mut Vec<u8>)) {
    let members = |set: &mut dyn FnMut(_, _)| json::fields(row.payload.raw, set).ok().map(drop);
    if let Some(run) = execution_of(tool, Phase::Whole, arena, members) {
        each(What::Execution(run), arena);
    }
}

/// An item of a paginated thread, which has these instead of the events.
fn completed(
    item: Value<'_>,
    wants: Wants,
    arena: &mut Vec<u8>,
    each: &mut impl FnMut(What, &mut Vec<u8>),
) {
    let Some(content) = member(item, "content") else { return };
    match member(item, "type").map_or("", |kind| kind.raw) {
        "UserMessage" if wants.prompts => {
            let (text, images) = said(content);
            each(prompt(PromptForm::CodexEvent, Some(text), Some(images)), arena);
        }
        "AgentMessage" if wants.turns => {
            if let Some(text) = call::joined(content, arena) {
                each(What::Said(text), arena);
            }
        }
        _ => {}
    }
}

fn item(
    row: &Row<'_>,
    wants: Wants,
    arena: &mut Vec<u8>,
    each: &mut impl FnMut(What, &mut Vec<u8>),
) {
    let role = member(row.payload, "role").map_or("", |role| role.raw);
    if role == "user" {
        let content = member(row.payload, "content").filter(|_| wants.prompts);
        if let Some((text, images)) = content.map(said)
            && !is_injected(&text)
        {
            // Where items stand alone, no event tells the prompt again.
            let alone = matches!(shape(row), Shape::Bare);
            let form = if alone { PromptForm::CodexEvent } else { PromptForm::CodexItem };
            each(prompt(form, Some(text), Some(images)), arena);
        }
        return;
    }
    let wanted = wants.calls || (wants.turns && role == "assistant");
    if !wanted {
        return;
    }
    // An item is written down when it is whole.
    if let Some(item) = item_of(row.payload, ItemPhase::Done, arena) {
        each(What::Item(item), arena);
    }
}

fn prompt(form: PromptForm, text: Option<Text>, images: Option<u64>) -> What {
    let text = text.map(without_ide_context);
    What::Prompt(Prompt { form, text, images, message_uuid: None })
}

fn count(list: Value<'_>) -> Option<u64> {
    let mut count = 0;
    if list.kind != Kind::Array {
        return None;
    }
    json::items(list.raw, |_| count += 1).ok()?;
    Some(count)
}

/// Text and number of images of a message's content.
fn said(content: Value<'_>) -> (Text, u64) {
    let (mut text, mut images, mut some) = (Text::default(), 0, false);
    if content.is_string() {
        return (content.text().unwrap_or_default(), 0);
    }
    let _ = json::items(content.raw, |part| {
        let kind = member(part, "type").map_or("", |kind| kind.raw);
        images += u64::from(kind.contains("image"));
        let Some(more) = member(part, "text").and_then(|text| text.text()) else { return };
        if some {
            text.push_str("\n");
        }
        text.push(&more);
        some = true;
    });
    (text, images)
}

/// What editors put around a prompt.
fn without_ide_context(text: Text) -> Text {
    const MARK: &[u8] = b"## My request for Codex:";
    match memchr::memmem::find(text.as_bytes(), MARK) {
        Some(at) => Text::from_wtf8(text.as_bytes()[at + MARK.len()..].trim_ascii()),
        None => text,
    }
}

/// Whether a message was put in by the program, in the user's name.
fn is_injected(text: &Text) -> bool {
    let text = text.as_bytes().trim_ascii_start();
    INJECTED.iter().any(|mark| text.starts_with(mark.as_bytes()))
}

const INJECTED: &[&str] = &[
    "# AGENTS.md instructions for",
    "<turn_aborted>",
    "<skill>",
    "<environment_context>",
    "<user_instructions>",
    "<INSTRUCTIONS>",
    "<user_shell_command>",
    "<subagent_notification>",
    "<recommended_plugins>",
    "<goal_context>",
    "<hook_prompt",
    "<image_resize_notice>",
    "<model_switch>",
    "<personality_spec>",
    "<collaboration_mode>",
    "<permissions instructions>",
];

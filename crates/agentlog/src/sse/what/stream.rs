//! Pieces of streams, and the blocks of Claude's messages.

use super::{keep, object, whole};
use crate::event::{Block, BlockKind, Piece, Span, Stream, StreamKind};
use crate::json;
use crate::sse::{Row, member};

/// A delta or done row of a Codex response; `key` holds the text.
pub(super) fn codex(
    row: &Row<'_>,
    kind: StreamKind,
    key: &str,
    arena: &mut Vec<u8>,
) -> Option<Piece> {
    let (mut item, mut text, mut seq, mut part) = (None, None, None, 0);
    json::fields(row.inner.payload?.raw, |name, value| match name {
        "item_id" => item = Some(value),
        "sequence_number" => seq = whole(value),
        "content_index" | "summary_index" => part = whole(value).unwrap_or(0),
        _ if name == key => text = Some(value),
        _ => {}
    })
    .ok()?;
    let stream = Stream::Item(keep(item?, arena)?);
    Some(Piece { stream, kind, part, seq, text: keep(text?, arena)? })
}

/// A `turn.*` twin: the union of both kinds has an item and, for reasoning, a summary's number.
pub(super) fn twin(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<Piece> {
    let summary = row.inner.member("summary_index").and_then(whole);
    let kind = match &*row.name {
        "turn.agent_message.delta" => StreamKind::Text,
        "turn.reasoning.delta" => StreamKind::Reasoning,
        _ if summary.is_some() => StreamKind::Reasoning,
        _ => StreamKind::Text,
    };
    let item = row.inner.member("item_id").and_then(|id| keep(id, arena));
    let text = match row.inner.member("delta") {
        Some(text) => keep(text, arena)?,
        None => Span::since(arena.len(), arena),
    };
    let part = summary.or_else(|| row.inner.member("content_index").and_then(whole)).unwrap_or(0);
    Some(Piece { stream: Stream::Twin { item }, kind, part, seq: None, text })
}

/// A delta of a Claude block; signatures are none.
pub(super) fn claude(row: &Row<'_>, arena: &mut Vec<u8>) -> Option<Piece> {
    let (mut request, mut index, mut delta) = (None, None, None);
    json::fields(row.inner.payload?.raw, |name, value| match name {
        "request_id" => request = Some(value),
        "index" => index = whole(value),
        "delta" => delta = Some(value),
        _ => {}
    })
    .ok()?;
    let (mut kind, mut text) = (None, None);
    json::fields(delta?.raw, |name, value| {
        let of = match name {
            "text" => StreamKind::Text,
            "thinking" => StreamKind::Reasoning,
            "partial_json" => StreamKind::Arguments,
            _ => return,
        };
        (kind, text) = (Some(of), Some(value));
    })
    .ok()?;
    let request = request.and_then(|id| keep(id, arena));
    let stream = Stream::Block { request, index: index.unwrap_or(0) };
    Some(Piece { stream, kind: kind?, part: 0, seq: None, text: keep(text?, arena)? })
}

/// The request and index of a Claude block.
pub(super) fn block_of(row: &Row<'_>, arena: &mut Vec<u8>) -> (Option<Span>, i64) {
    let request = row.inner.member("request_id").and_then(|id| keep(id, arena));
    (request, row.inner.member("index").and_then(whole).unwrap_or(0))
}

/// `claude.content_block_start`.
pub(super) fn block_start(row: &Row<'_>, arena: &mut Vec<u8>) -> Block {
    let (request, index) = block_of(row, arena);
    let block = object(row, "content_block");
    let mut of = |key| keep(member(block?, key)?, arena);
    let kind = block.and_then(|block| member(block, "type")).and_then(|kind| kind.str());
    let kind = match kind.as_deref() {
        Some("text") => BlockKind::Words(StreamKind::Text),
        Some("thinking") => BlockKind::Words(StreamKind::Reasoning),
        Some("tool_use" | "server_tool_use" | "mcp_tool_use") => {
            BlockKind::Tool { call_id: of("id"), name: of("name") }
        }
        _ => BlockKind::Other,
    };
    Block::Start { request, index, kind }
}

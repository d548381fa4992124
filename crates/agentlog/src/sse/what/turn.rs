//! Requests to the model: responses of Codex, messages of Claude.

use super::usage::usage;
use super::{keep, object};
use crate::event::{Response, ResponsePhase, What};
use crate::sse::{Row, member};

/// `response.created` and the like: `{response: {id, usage}}`.
pub(super) fn response(row: &Row<'_>, phase: ResponsePhase, arena: &mut Vec<u8>) -> What {
    let response = object(row, "response");
    let of = |key| member(response?, key);
    What::Response(Response {
        phase,
        id: of("id").and_then(|id| keep(id, arena)),
        stopped: phase == ResponsePhase::Ended,
        recorded: false,
        usage: of("usage").and_then(usage),
    })
}

/// `claude.message_start`, `…_delta`, `…_stop`. A start has its usage inside `message`.
pub(super) fn message(row: &Row<'_>, phase: ResponsePhase, arena: &mut Vec<u8>) -> What {
    let own = row.inner.member("usage");
    let inside = || member(object(row, "message")?, "usage");
    let reason = || member(object(row, "delta")?, "stop_reason");
    What::Response(Response {
        phase,
        stopped: phase == ResponsePhase::Ended || reason().is_some(),
        recorded: false,
        id: row.inner.member("request_id").and_then(|id| keep(id, arena)),
        usage: own.or_else(inside).and_then(usage),
    })
}

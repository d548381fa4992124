//! Arguments of calls: as rows tell them whole, and as they are put together from deltas.

use agentlog::event::{
    Block, BlockKind, Event, ItemKind, ItemPhase, Piece, Span, StreamKind, What, is_cut,
};
use agentlog::fold::Fold;
use agentlog::fold::deltas::{Delta, Deltas, Options, Status};
use agentlog::json;
use serde_json::Value;

use super::call_fold::key_of_ids;
use crate::value_of;

/// The fold of `alog-deltas`, for streams of arguments alone.
pub(super) struct StreamedArgs {
    deltas: Deltas,
    now: i64,
}

impl Default for StreamedArgs {
    fn default() -> Self {
        Self { deltas: Deltas::new(Options::default()), now: i64::MIN }
    }
}

impl StreamedArgs {
    /// Takes a row. Arguments that are final by its time are appended to `out`.
    pub fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Delta>) {
        if is_of_args(event.what) {
            self.now = self.now.max(event.t.unwrap_or(i64::MIN));
            self.deltas.feed(event, out);
        } else if let Some(t) = event.t {
            self.advance(t, out);
        }
    }

    /// Log time has come to `t`.
    pub fn advance(&mut self, t: i64, out: &mut Vec<Delta>) {
        if t > self.now {
            self.now = t;
            self.deltas.advance(t, out);
        }
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Delta>) {
        self.deltas.finish(out);
    }
}

fn is_of_args(what: &What) -> bool {
    let is_args = |piece: &Piece| matches!(piece.kind, StreamKind::Arguments | StreamKind::Input);
    match what {
        What::Delta(piece) | What::Done(piece) => is_args(piece),
        What::Item(item) => item.kind.is_call(),
        // A block that stops, but was not seen to start, is nothing to the fold.
        What::Block(Block::Start { kind, .. }) => matches!(kind, BlockKind::Tool { .. }),
        What::Block(Block::Stop { .. }) => true,
        _ => false,
    }
}

/// Arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Args {
    pub text: String,
    /// Whether nothing of them is missing.
    pub complete: bool,
}

/// Arguments that a row tells whole.
pub(super) struct WholeArgs<'a> {
    /// The key of the call (see [`key_of_ids`]).
    pub key: u64,
    /// Whether the row names the call or its item.
    pub named: bool,
    pub tool: Option<&'a str>,
    /// Whether they may be any text, as those of custom tools are.
    free: bool,
    span: Span,
}

impl WholeArgs<'_> {
    /// The arguments; `event` is that of the row.
    pub fn args(&self, event: &Event<'_>) -> Args {
        let text = event.text(self.span).to_str_lossy().into_owned();
        let complete = !is_cut(event.bytes(self.span)) && (self.free || is_json(&text));
        Args { text, complete }
    }
}

/// The arguments that the row of an event tells whole: in an item that is done, or in a tool call
/// of a transcript.
pub(super) fn whole_args<'a>(event: &Event<'a>) -> Option<WholeArgs<'a>> {
    let (call_id, item_id, name, span, free) = match event.what {
        What::Item(item) if item.kind.is_call() && item.phase != ItemPhase::Added => {
            let free = item.kind == ItemKind::CustomCall;
            (item.call_id, item.item_id, item.name, item.text?, free)
        }
        What::ToolUse(tool) => (tool.call_id, None, tool.name, tool.input?, false),
        _ => return None,
    };
    let of = |span: Option<_>| span.map(|span| event.name(span)).filter(|text| !text.is_empty());
    let (call_id, item_id) = (of(call_id), of(item_id));
    Some(WholeArgs {
        key: key_of_ids(event.head, call_id, item_id, event.src),
        named: call_id.or(item_id).is_some(),
        tool: of(name),
        free,
        span,
    })
}

/// Whether a text is JSON, as the arguments of all but custom tools have to be.
pub(super) fn is_json(text: &str) -> bool {
    json::value(text).is_ok()
}

impl Args {
    /// What was streamed of the arguments of a call; none if it is not known of which call.
    pub fn of_stream(delta: &Delta) -> Option<(u64, Self)> {
        let call_id = delta.call_id.as_deref().filter(|id| !id.is_empty())?;
        let key = key_of_ids(&delta.head, Some(call_id), None, delta.src);
        let text = delta.text.as_ref().map(json::Text::to_str_lossy).unwrap_or_default();
        let is_over =
            matches!(delta.status, Status::Complete | Status::Mismatch | Status::InvalidJson);
        // A Claude tool without arguments streams nothing.
        let is_empty = text.is_empty() && delta.block_index.is_some() && is_over;
        let text = if is_empty { "{}".to_owned() } else { text.into_owned() };
        let free = delta.kind == Some(StreamKind::Input) && delta.block_index.is_none();
        let complete = is_over && (free || is_json(&text));
        Some((key, Self { text, complete }))
    }

    /// The arguments as JSON, if they are an object or a list, else as text.
    pub fn split(args: Option<Self>) -> (Value, Value) {
        let Some(Self { text, .. }) = args else { return (Value::Null, Value::Null) };
        let starts = text.trim_ascii_start().starts_with(['{', '[']);
        match json::value(&text) {
            Ok(value) if starts => (value_of(value), Value::Null),
            _ => (Value::Null, text.into()),
        }
    }
}

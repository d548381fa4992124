//! What a turn took: requests to the model and tool calls.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use crate::event::{Block, BlockKind, Event, Execution, Item, ItemKind, Output, Phase, Span};
use crate::event::{ToolResult, ToolUse};
use crate::fold::calls::outcome;

/// The requests and calls of a turn, by the hashes of their ids.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Work {
    #[serde(serialize_with = "crate::state::sorted_set")]
    responses: HashSet<u64, FixedState>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    calls: HashMap<u64, Call, FixedState>,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Call {
    announced: bool,
    /// The end of its last execution.
    end: Option<Execution>,
    result: Option<Output>,
}

impl Call {
    /// Whether a result was given back that is an error: then it is one for `alog-calls`, too.
    fn is_error(&self) -> bool {
        let failed = || outcome(self.end.as_ref(), self.result.as_ref()).failed;
        self.announced && self.result.is_some() && failed() == Some(true)
    }
}

/// The sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub responses: u64,
    pub calls: u64,
    pub errors: u64,
}

impl Work {
    /// A row about a request; says so if it is the request's first.
    pub fn response(&mut self, event: &Event<'_>, id: Option<Span>) -> Option<&'static str> {
        self.responses.insert(hash(event.bytes(id?))).then_some("request")
    }

    /// An item: a call, or the result of one.
    pub fn item(&mut self, event: &Event<'_>, item: &Item) -> Option<&'static str> {
        if item.kind == ItemKind::Result {
            return Some(self.result(event.bytes(item.call_id?), item.output.unwrap_or_default()));
        }
        let id = item.call_id.or(item.item_id).filter(|_| item.kind.is_call())?;
        Some(self.announced(event.bytes(id)))
    }

    /// A block of a Claude message.
    pub fn block(&mut self, event: &Event<'_>, block: &Block) -> Option<&'static str> {
        let Block::Start { kind: BlockKind::Tool { call_id, .. }, .. } = block else { return None };
        Some(self.announced(event.bytes((*call_id)?)))
    }

    /// A call of Claude, whole.
    pub fn tool_use(&mut self, event: &Event<'_>, tool: &ToolUse) -> Option<&'static str> {
        Some(self.announced(event.bytes(tool.call_id?)))
    }

    /// Something ran for a call. It makes the call known, too: items may be left out of a log.
    pub fn execution(&mut self, event: &Event<'_>, run: &Execution) -> Option<&'static str> {
        let id = event.bytes(run.call_id.filter(|_| !run.by_user)?);
        if run.phase == Phase::Begin {
            return Some(self.announced(id));
        }
        let call = self.calls.entry(hash(id)).or_default();
        call.end = Some(*run);
        Some("end of a tool's run")
    }

    /// Results that Claude was given.
    pub fn results(&mut self, event: &Event<'_>, results: &[ToolResult]) -> &'static str {
        for result in results {
            let Some(id) = result.call_id else { continue };
            self.result(event.bytes(id), result.output);
        }
        "result"
    }

    fn announced(&mut self, id: &[u8]) -> &'static str {
        let call = self.calls.entry(hash(id)).or_default();
        let again = std::mem::replace(&mut call.announced, true);
        if again { "tool call, again" } else { "tool call" }
    }

    fn result(&mut self, id: &[u8], output: Output) -> &'static str {
        self.calls.entry(hash(id)).or_default().result.get_or_insert(output);
        "result"
    }

    /// The sums.
    pub fn finish(self) -> Done {
        let calls = || self.calls.values().filter(|call| call.announced);
        Done {
            responses: self.responses.len() as u64,
            calls: calls().count() as u64,
            errors: calls().filter(|call| call.is_error()).count() as u64,
        }
    }
}

/// A hash of an id: turns keep no texts that they do not print.
pub(super) fn hash(id: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(id)
}

//! The fold of `alog-calls`, as modes feed it: they see every row of the log, the fold reads only
//! those that tell of turns and calls.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use agentlog::event::{Event, Head, ItemKind, Src, StreamKind, What};
use agentlog::fold::Fold;
use agentlog::fold::calls::{Call, Calls, Options};
use foldhash::quality::FixedState;
use serde_json::Value;

use crate::{Info, Record};

/// Tells what became of calls.
pub(super) struct CallFold {
    calls: Calls,
    /// The latest time that the fold has heard of.
    now: i64,
}

impl Default for CallFold {
    fn default() -> Self {
        Self { calls: Calls::new(Options::default()), now: i64::MIN }
    }
}

impl CallFold {
    /// Takes a row. Calls that are final by its time are appended to `out`.
    pub fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Call>) {
        if is_read(event.what) {
            self.now = self.now.max(event.t.unwrap_or(i64::MIN));
            self.calls.feed(event, out);
        } else if let Some(t) = event.t {
            self.advance(t, out);
        }
    }

    /// Log time has come to `t`.
    pub fn advance(&mut self, t: i64, out: &mut Vec<Call>) {
        if t > self.now {
            self.now = t;
            self.calls.advance(t, out);
        }
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Call>) {
        self.calls.finish(out);
    }
}

/// Whether `alog-calls` reads such rows.
fn is_read(what: &What) -> bool {
    match what {
        What::Delta(piece) | What::Done(piece) => {
            matches!(piece.kind, StreamKind::Arguments | StreamKind::Input)
        }
        What::Item(item) => item.kind.is_call() || item.kind == ItemKind::Result,
        What::Said(_) | What::Response(_) | What::TokenCount(_) | What::Row | What::Thread(_) => {
            false
        }
        _ => true,
    }
}

/// Names a call among those of all sessions: 64 bits, so that what is remembered of calls that
/// are over stays small.
pub(super) fn call_key(head: &Head, id: &str) -> u64 {
    key(head.sid.as_deref(), b'c', id.as_bytes())
}

/// The key of a call as the fold gives it out: by its id, else by that of its item, else by the
/// row that announced it.
pub(super) fn key_of_call(call: &Call) -> u64 {
    key_of_ids(&call.head, call.call_id.as_deref(), call.item_id.as_deref(), call.src)
}

/// The key of the call that an item announces.
pub(super) fn key_of_ids(
    head: &Head,
    call_id: Option<&str>,
    item_id: Option<&str>,
    src: Src,
) -> u64 {
    let is_some = |id: &&str| !id.is_empty();
    match (call_id.filter(is_some), item_id.filter(is_some)) {
        (Some(id), _) => call_key(head, id),
        (None, Some(id)) => key(head.sid.as_deref(), b'i', id.as_bytes()),
        (None, None) => {
            let place = [u64::from(src.file).to_le_bytes(), src.offset.to_le_bytes()].concat();
            key(head.sid.as_deref(), b'r', &place)
        }
    }
}

/// A hash of a session and of something in it.
pub(super) fn key(sid: Option<&str>, what: u8, name: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(sid.unwrap_or_default().as_bytes());
    hasher.write_u8(what);
    hasher.write(name);
    hasher.finish()
}

/// What a record starts from.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub t: Option<i64>,
    pub src: Src,
    pub head: Arc<Head>,
}

impl Start {
    pub fn of(event: &Event<'_>) -> Self {
        Self { t: event.t, src: event.src, head: Arc::clone(event.head) }
    }

    pub fn of_call(call: &Call) -> Self {
        Self { t: call.t, src: call.src, head: Arc::clone(&call.head) }
    }

    /// What records that are given out at one moment are ordered by.
    pub fn order(&self) -> (Option<i64>, Src) {
        (self.t, self.src)
    }

    pub fn record(self, info: &'static Info, values: Vec<Value>) -> Record {
        debug_assert_eq!(values.len(), info.own.len(), "{}", info.name);
        Record { info, t: self.t, src: self.src, head: self.head, values }
    }
}

/// Puts the records from `from` on in order of time.
pub(super) fn sort_from(from: usize, out: &mut [Record]) {
    if let Some(new) = out.get_mut(from..) {
        new.sort_by_key(|record| (record.t, record.src));
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, sse, turn};
    use serde_json::{Value, json};

    /// Rows that lack what they should have, or have something else.
    fn odd_rows() -> Vec<String> {
        let mut rows = Vec::new();
        for odd in [json!(null), json!(7), json!("x"), json!([[], 1, {}]), json!({"x": {}})] {
            for (event, key) in [
                ("turn.raw_response_item", "item"),
                ("turn.exec.begin", "command"),
                ("turn.exec.end", "exit_code"),
                ("turn.mcp_tool_call.end", "result"),
                ("turn.patch_apply.begin", "changes"),
                ("turn.plan_update", "plan"),
                ("turn.error", "message"),
            ] {
                rows.push(turn(0, event, "1", &json!({key: odd, "call_id": odd})));
                rows.push(turn(1, event, "1", &odd));
            }
            for kind in ["function_call", "function_call_output", "web_search_call"] {
                let item = json!({"type": kind, "call_id": odd, "name": odd, "arguments": odd, "output": odd, "action": odd});
                rows.push(turn(2, "turn.raw_response_item", "1", &json!({ "item": item })));
                rows.push(request(3, "responses", &json!({"input": [item, odd]})));
                let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "response_item", "payload": item});
                rows.push(row.to_string());
            }
            for kind in ["tool_use", "tool_result"] {
                let block = json!({"type": kind, "id": odd, "tool_use_id": odd, "name": odd, "input": odd, "content": odd, "is_error": odd});
                let message = json!({"role": "user", "content": [block, odd]});
                rows.push(claude(
                    4,
                    &json!({"type": "tool_result", "message": message, "is_api_error": true}),
                ));
                rows.push(request(5, "messages", &json!({"messages": [message, odd]})));
                let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "assistant", "sessionId": "c", "message": message, "isApiErrorMessage": true});
                rows.push(row.to_string());
            }
            let delta = json!({"type": "content_block_delta", "index": odd, "delta": {"type": "input_json_delta", "partial_json": odd}});
            rows.push(claude(6, &delta));
            rows.push(sse(
                7,
                "response.failed",
                "1",
                &json!({"type": "response.failed", "response": odd, "error": odd}),
            ));
            let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "system", "subtype": "api_error", "sessionId": "c", "error": odd, "retryAttempt": odd});
            rows.push(row.to_string());
            let item =
                json!({"type": "CommandExecution", "id": odd, "command": odd, "duration": odd});
            let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "event_msg", "payload": {"type": "item_completed", "item": item}});
            rows.push(row.to_string());
        }
        rows
    }

    #[test]
    fn odd_rows_do_no_harm() {
        let rows = odd_rows();
        for (mode, some) in [
            ("tool_calls", true),
            ("tool_results", true),
            ("function_call_errors", false),
            ("tool_usage_stats", true),
            ("exec_runs", true),
            ("mcp_calls", true),
            ("patches", true),
            ("plans", true),
            ("api_errors", true),
        ] {
            let found: Vec<Value> = records(mode, &rows);
            assert!(!some || !found.is_empty(), "{mode}");
        }
    }
}

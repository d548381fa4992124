//! `tool_usage_stats`: how a tool was used.
//!
//! Calls are told apart by agent, kind and name, and counted once for each id and session. What
//! failed, and how long calls took, is what `alog-calls` tells; results without a call are left
//! out. A call is open from its announcement to its end, by the times that `alog-calls` gives it;
//! one that ends when another begins is not open beside it. A call without an end counts at the
//! moment of its announcement. Of each call a few bytes are kept to the end of the input.

use std::collections::{BTreeMap, HashMap, HashSet};

use agentlog::event::Provider;
use agentlog::fold::Agreed;
use agentlog::fold::calls::{Call, CallKind, State};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::call_fold::{CallFold, Start, key, key_of_call};
use crate::tools::{or_null, percentile};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_usage_stats",
    about: "how a tool was used",
    sources: "logs of both agents",
    own: OWN,
    key: &["provider", "kind", "name"],
    table: &["provider", "kind", "name", "calls", "failed", "p50_ms", "p95_ms"],
    takes: Takes { deltas: true, left_out: false, select: Select::Rows },
    make: |_| Box::<ToolUsageStats>::default(),
};

const OWN: &[Field] = &[
    field("kind", Shape::Text, "the kind of its calls"),
    field("name", Shape::Text, "the tool's name"),
    field("sessions", Shape::Count, "sessions that called it"),
    field("calls", Shape::Count, "calls"),
    field("failed", Shape::Count, "calls that failed"),
    field("p50_ms", Shape::Integer, "median duration in milliseconds, of calls that tell it"),
    field("p95_ms", Shape::Integer, "95th percentile of the durations"),
    field("bytes_in", Shape::Count, "bytes of all arguments"),
    field("bytes_out", Shape::Count, "bytes of all results"),
    field("parallel", Shape::Count, "most calls of it that were open at once in a session"),
    field("t_last", Shape::Time, "when it was called last"),
];

#[derive(Default)]
struct ToolUsageStats {
    calls: CallFold,
    tools: BTreeMap<Tool, Usage>,
    counted: HashSet<u64, FixedState>,
    over: Vec<Call>,
}

/// Tells tools apart.
type Tool = (Option<Provider>, Option<CallKind>, Option<Box<str>>);

/// How a tool was used.
struct Usage {
    /// The first call.
    start: Start,
    agreed: Agreed,
    /// When its calls were open, by session.
    sessions: HashMap<u64, Vec<(i64, i64)>, FixedState>,
    calls: u64,
    failed: u64,
    durations: Vec<i64>,
    bytes_in: u64,
    bytes_out: u64,
    t_last: Option<i64>,
}

impl Mode for ToolUsageStats {
    fn feed(&mut self, row: &Row<'_>, _: &mut Vec<Record>) {
        self.calls.feed(row.event, &mut self.over);
        self.count();
    }

    fn advance(&mut self, t: i64, _: &mut Vec<Record>) {
        self.calls.advance(t, &mut self.over);
        self.count();
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.calls.finish(&mut self.over);
        self.count();
        let mut all: Vec<(Tool, Usage)> = std::mem::take(&mut self.tools).into_iter().collect();
        all.sort_by_key(|(_, usage)| usage.start.order());
        out.extend(all.into_iter().map(|(tool, usage)| usage.record(tool)));
    }
}

impl ToolUsageStats {
    /// Counts the calls that are over.
    fn count(&mut self) {
        for call in std::mem::take(&mut self.over) {
            if call.state == State::Orphan || !self.counted.insert(key_of_call(&call)) {
                continue;
            }
            let tool = (call.head.provider, call.kind, call.name.clone());
            self.tools.entry(tool).or_insert_with(|| Usage::new(&call)).add(&call);
        }
    }
}

impl Usage {
    fn new(first: &Call) -> Self {
        Self {
            start: Start::of_call(first),
            agreed: Agreed::default(),
            sessions: HashMap::default(),
            calls: 0,
            failed: 0,
            durations: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            t_last: None,
        }
    }

    fn add(&mut self, call: &Call) {
        if (call.t, call.src) < self.start.order() {
            self.start = Start::of_call(call);
        }
        self.agreed.add(&call.head);
        let session = key(call.head.sid.as_deref(), b's', b"");
        let open = self.sessions.entry(session).or_default();
        if let Some(t) = call.t {
            open.push((t, call.t_end.unwrap_or(t).max(t)));
        }
        self.calls += 1;
        self.failed += u64::from(call.ok == Some(false));
        self.durations.extend(call.duration_ms);
        self.bytes_in += call.args_bytes.unwrap_or(0);
        self.bytes_out += call.output_bytes.unwrap_or(0);
        self.t_last = self.t_last.max(call.t);
    }

    fn record(mut self, (_, kind, name): Tool) -> Record {
        self.durations.sort_unstable();
        let parallel = self.sessions.values_mut().map(|open| most_open(open)).max();
        let values = vec![
            or_null(kind.map(CallKind::name)),
            or_null(name.as_deref()),
            self.sessions.len().into(),
            self.calls.into(),
            self.failed.into(),
            or_null(percentile(&self.durations, 50)),
            or_null(percentile(&self.durations, 95)),
            self.bytes_in.into(),
            self.bytes_out.into(),
            or_null(parallel.filter(|most| *most > 0)),
            or_null(self.t_last),
        ];
        let head = std::sync::Arc::clone(self.agreed.head());
        Start { head, ..self.start }.record(&INFO, values)
    }
}

/// How many of these spans are open at once at the most.
fn most_open(spans: &mut [(i64, i64)]) -> usize {
    spans.sort_unstable();
    let mut ends: BTreeMap<i64, usize> = BTreeMap::new();
    let (mut open, mut most) = (0, 0);
    for (from, to) in &*spans {
        // What ended by then is over; so is what lasted no time, unless it began then, too.
        while let Some(first) = ends.first_entry().filter(|first| first.key() <= from) {
            open -= first.remove();
        }
        open += 1;
        most = most.max(open);
        *ends.entry((*to).max(from + 1)).or_default() += 1;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::most_open;
    use crate::given::{claude, records, turn};
    use serde_json::{Value, json};

    fn call(ms: i64, id: &str, name: &str) -> String {
        let item =
            json!({"type": "function_call", "name": name, "arguments": "{\"x\":1}", "call_id": id});
        turn(ms, "turn.raw_response_item", "1", &json!({ "item": item }))
    }

    fn run(ms: i64, phase: &str, id: &str, code: i64) -> String {
        turn(ms, &format!("turn.exec.{phase}"), "1", &json!({"call_id": id, "exit_code": code}))
    }

    fn output(ms: i64, id: &str) -> String {
        let item = json!({"type": "function_call_output", "call_id": id, "output": "abc"});
        turn(ms, "turn.raw_response_item", "1", &json!({ "item": item }))
    }

    #[test]
    fn calls_of_a_tool_are_added_up() {
        let rows = [
            call(0, "a", "shell"),
            call(1, "b", "shell"),
            run(2, "begin", "a", 0),
            run(3, "begin", "b", 0),
            run(12, "end", "a", 0),
            run(33, "end", "b", 1),
            output(40, "a"),
            output(41, "b"),
            call(50, "c", "update_plan"),
            output(60, "c"),
            output(70, "nobody's"),
            output(9000, "a"),
        ];
        let found = records("tool_usage_stats", &rows);
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0],
            json!({
                "t": "2026-01-01T00:00:00.000Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "kind": "shell", "name": "shell", "sessions": 1, "calls": 2, "failed": 1,
                "p50_ms": 10, "p95_ms": 30, "bytes_in": 14, "bytes_out": 6, "parallel": 2,
                "t_last": "2026-01-01T00:00:00.001Z", "line": 1,
            })
        );
        assert_eq!(
            (&found[1]["name"], &found[1]["kind"]),
            (&json!("update_plan"), &json!("function"))
        );
        assert_eq!((&found[1]["p50_ms"], &found[1]["parallel"]), (&Value::Null, &json!(1)));
    }

    #[test]
    fn arguments_of_claude_are_counted_as_they_are_streamed() {
        let block = json!({"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}});
        let delta = json!({"type": "input_json_delta", "partial_json": "{\"p\":1}"});
        let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "ab", "is_error": true});
        let rows = [
            claude(
                0,
                &json!({"type": "content_block_start", "index": 1, "content_block": block, "request_id": "r"}),
            ),
            claude(
                1,
                &json!({"type": "content_block_delta", "index": 1, "delta_type": "input_json_delta", "delta": delta, "request_id": "r"}),
            ),
            claude(2, &json!({"type": "content_block_stop", "index": 1, "request_id": "r"})),
            claude(
                102,
                &json!({"type": "tool_result", "message": {"role": "user", "content": [result]}}),
            ),
        ];
        let found = &records("tool_usage_stats", &rows)[0];
        assert_eq!(
            (&found["kind"], &found["name"], &found["failed"]),
            (&json!("tool"), &json!("Read"), &json!(1))
        );
        assert_eq!(
            (&found["bytes_in"], &found["bytes_out"], &found["p50_ms"]),
            (&json!(7), &json!(2), &json!(100))
        );
    }

    #[test]
    fn spans_that_touch_are_not_open_at_once() {
        assert_eq!(most_open(&mut [(0, 5), (5, 9), (9, 9)]), 1);
        assert_eq!(most_open(&mut [(0, 5), (4, 9), (2, 3)]), 2);
        assert_eq!(most_open(&mut [(3, 3), (3, 3)]), 2);
        assert_eq!(most_open(&mut []), 0);
    }
}

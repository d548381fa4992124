//! `plans`: a plan of the agent, each time it changed.
//!
//! Codex tells a plan twice: as `turn.plan_update`, and as the call of `update_plan` that made it.
//! The call counts only if no `turn.plan_update` of its session told the same plan within two
//! seconds. Claude tells it as a call of `TodoWrite`. A call counts once for its id and session,
//! and only where its arguments are whole and hold a plan; it counts for itself, whatever became
//! of it. A plan that only captured requests tell is given out at the end of the input, as of the
//! first request that holds it, unless the log told the same plan in that session.

use std::collections::{HashMap, HashSet, VecDeque};

use agentlog::event::Event;
use agentlog::fold::SETTLE_MS;
use agentlog::fold::deltas::Delta;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::{Value, json};

use super::asked_calls::{AskedCall, Told, fresh};
use super::call_args::{Args, StreamedArgs, whole_args};
use super::call_fold::{Start, call_key, key, sort_from};
use crate::tools::{or_null, text_at};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "plans",
    about: "a plan of the agent, each time it changed",
    sources: "turn.plan_update, calls of update_plan, calls of TodoWrite",
    own: OWN,
    key: &["sid", "explanation", "steps"],
    table: &["t", "provider", "sid", "pending", "in_progress", "completed", "explanation"],
    takes: Takes { deltas: true, left_out: false, select: Select::Records },
    make: |_| Box::<Plans>::default(),
};

const OWN: &[Field] = &[
    field("explanation", Shape::Text, "why it changed"),
    field("steps", Shape::Json, "the steps: {step, status}"),
    field("pending", Shape::Count, "steps not begun"),
    field("in_progress", Shape::Count, "steps begun"),
    field("completed", Shape::Count, "steps done"),
    field(
        "source",
        Shape::OneOf(&["plan_update", "update_plan", "TodoWrite"]),
        "where it was told",
    ),
];

#[derive(Default)]
struct Plans {
    streams: StreamedArgs,
    streamed: Vec<Delta>,
    /// Plans of `turn.plan_update` of the last two seconds, by time.
    updates: VecDeque<(i64, u64)>,
    /// Calls of `update_plan` for which an update may still come.
    held: VecDeque<Held>,
    /// Calls of requests which no log has told yet.
    asked: HashMap<u64, Held, FixedState>,
    /// Calls that the log told.
    calls: HashSet<u64, FixedState>,
    /// Plans that the log told.
    told: HashSet<u64, FixedState>,
}

/// A plan that may turn out to be told already.
struct Held {
    start: Start,
    /// What names the plan in its session.
    name: u64,
    plan: Plan,
}

/// A plan.
struct Plan {
    explanation: Option<String>,
    /// `{step, status}`.
    steps: Vec<Value>,
    source: &'static str,
}

impl Mode for Plans {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        if let Some(t) = event.t {
            self.settle(t, out);
        }
        if let Some((asked, place)) = row.asked() {
            for told in fresh(asked, place) {
                if let Told::Call(call) = told {
                    self.asked_call(event, &call);
                }
            }
        }
        if let Some(facts) = row.facts.filter(|facts| &*facts.name == "turn.plan_update")
            && let Some(plan) = Plan::of(&facts.payload, "plan_update")
        {
            self.update(Start::of(event), plan, out);
        }
        if let Some(whole) = whole_args(event)
            && let Some(source) = source_of(whole.tool)
        {
            let plan = Plan::of_args(whole.args(event), source);
            self.call(whole.key, Start::of(event), plan, out);
        }
        self.streams.feed(event, &mut self.streamed);
        self.streamed_calls(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.settle(t, out);
        self.streams.advance(t, &mut self.streamed);
        self.streamed_calls(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let from = out.len();
        self.streams.finish(&mut self.streamed);
        self.streamed_calls(out);
        self.settle(i64::MAX, out);
        for (_, held) in std::mem::take(&mut self.asked) {
            if !self.told.contains(&held.name) {
                out.push(held.record());
            }
        }
        sort_from(from, out);
    }
}

/// The source by the name of a tool that tells plans.
fn source_of(tool: Option<&str>) -> Option<&'static str> {
    match tool? {
        "update_plan" => Some("update_plan"),
        "TodoWrite" => Some("TodoWrite"),
        _ => None,
    }
}

impl Plans {
    /// `turn.plan_update`.
    fn update(&mut self, start: Start, plan: Plan, out: &mut Vec<Record>) {
        let held = Held::new(start, plan);
        self.held.retain(|call| call.name != held.name || apart(call.start.t, held.start.t));
        if let Some(t) = held.start.t {
            self.updates.push_back((t, held.name));
        }
        self.give(held, out);
    }

    /// A call that the log tells.
    fn call(&mut self, key: u64, start: Start, plan: Option<Plan>, out: &mut Vec<Record>) {
        let Some(plan) = plan else { return };
        self.asked.remove(&key);
        if !self.calls.insert(key) {
            return;
        }
        let held = Held::new(start, plan);
        if held.plan.source == "TodoWrite" {
            return self.give(held, out);
        }
        let is_told = |(t, name): &(i64, u64)| *name == held.name && !apart(Some(*t), held.start.t);
        if !self.updates.iter().any(is_told) {
            self.held.push_back(held);
        }
    }

    fn streamed_calls(&mut self, out: &mut Vec<Record>) {
        for delta in std::mem::take(&mut self.streamed) {
            let Some(source) = source_of(delta.name.as_deref()) else { continue };
            let Some((key, args)) = Args::of_stream(&delta) else { continue };
            let (t, src) = (delta.t, delta.src);
            let start = Start { t, src, head: delta.head };
            self.call(key, start, Plan::of_args(args, source), out);
            self.settle(t.unwrap_or(i64::MIN), out);
        }
    }

    fn asked_call(&mut self, event: &Event<'_>, call: &AskedCall<'_>) {
        let Some(source) = source_of(call.name) else { return };
        let key = call_key(event.head, call.call_id);
        if self.calls.contains(&key) || self.asked.contains_key(&key) {
            return;
        }
        let plan = call.args().and_then(|args| Plan::of_args(args, source));
        if let Some(plan) = plan {
            self.asked.insert(key, Held::new(Start::of(event), plan));
        }
    }

    /// Log time has come to `t`: calls that waited long enough are given out.
    fn settle(&mut self, t: i64, out: &mut Vec<Record>) {
        let is_over = |before: i64| t.saturating_sub(before) > SETTLE_MS;
        while self.updates.front().is_some_and(|(before, _)| is_over(*before)) {
            self.updates.pop_front();
        }
        while self.held.front().is_some_and(|held| held.start.t.is_none_or(is_over)) {
            if let Some(held) = self.held.pop_front() {
                self.give(held, out);
            }
        }
    }

    fn give(&mut self, held: Held, out: &mut Vec<Record>) {
        self.told.insert(held.name);
        out.push(held.record());
    }
}

/// Whether two times are more than two seconds apart.
fn apart(one: Option<i64>, other: Option<i64>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.abs_diff(other) > SETTLE_MS as u64)
}

impl Held {
    fn new(start: Start, plan: Plan) -> Self {
        let said = json!([plan.explanation, plan.steps]).to_string();
        let name = key(start.head.sid.as_deref(), b'p', said.as_bytes());
        Self { start, name, plan }
    }

    fn record(self) -> Record {
        let Plan { explanation, steps, source } = self.plan;
        let of = |status: &str| {
            let is = |step: &&Value| text_at(step, &["status"]) == Some(status);
            steps.iter().filter(is).count().into()
        };
        let [pending, in_progress, completed]: [Value; 3] =
            ["pending", "in_progress", "completed"].map(of);
        let values = vec![
            or_null(explanation),
            steps.into(),
            pending,
            in_progress,
            completed,
            source.into(),
        ];
        self.start.record(&INFO, values)
    }
}

impl Plan {
    /// Reads `{explanation, plan: [{step, status}]}`, or `{todos: [{content, status}]}`.
    fn of(told: &Value, source: &'static str) -> Option<Self> {
        let (list, step) = match source {
            "TodoWrite" => ("todos", "content"),
            _ => ("plan", "step"),
        };
        let explanation = text_at(told, &["explanation"]).map(String::from);
        let item = |item: &Value| {
            let of = |key| text_at(item, &[key]);
            json!({"step": of(step), "status": of("status")})
        };
        let steps = told.get(list)?.as_array()?.iter().map(item).collect();
        Some(Self { explanation, steps, source })
    }

    fn of_args(args: Args, source: &'static str) -> Option<Self> {
        let (told, _) = Args::split(Some(args).filter(|args| args.complete));
        Self::of(&told, source)
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, request, turn};
    use serde_json::{Value, json};

    fn plan(status: &str) -> Value {
        json!({"explanation": "why", "plan": [{"step": "look", "status": "completed"}, {"step": "write", "status": status}]})
    }

    fn update(ms: i64, plan: &Value) -> String {
        turn(ms, "turn.plan_update", "1", plan)
    }

    fn item(call: &str, plan: &Value) -> Value {
        json!({"type": "function_call", "name": "update_plan", "arguments": plan.to_string(), "call_id": call})
    }

    fn call(ms: i64, id: &str, plan: &Value) -> String {
        turn(ms, "turn.raw_response_item", "1", &json!({"item": item(id, plan)}))
    }

    #[test]
    fn an_update_is_a_plan() {
        assert_eq!(
            records("plans", &[update(5, &plan("in_progress"))]),
            [json!({
                "t": "2026-01-01T00:00:00.005Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "explanation": "why",
                "steps": [{"step": "look", "status": "completed"}, {"step": "write", "status": "in_progress"}],
                "pending": 0, "in_progress": 1, "completed": 1, "source": "plan_update", "line": 1,
            })]
        );
    }

    fn sources(rows: &[String]) -> Vec<String> {
        let found = records("plans", rows);
        found.iter().map(|plan| plan["source"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_call_counts_where_no_update_tells_the_same_plan() {
        let (one, other) = (plan("pending"), plan("completed"));
        assert_eq!(sources(&[call(0, "a", &one), update(1500, &one)]), ["plan_update"]);
        assert_eq!(sources(&[update(0, &one), call(1500, "a", &one)]), ["plan_update"]);
        assert_eq!(
            sources(&[update(0, &one), call(2500, "a", &one)]),
            ["plan_update", "update_plan"]
        );
        assert_eq!(
            sources(&[call(0, "a", &one), update(5, &other)]),
            ["plan_update", "update_plan"]
        );
        assert_eq!(sources(&[call(0, "a", &one), call(9, "a", &one)]), ["update_plan"]);
        assert!(sources(&[call(0, "a", &json!({"x": 1}))]).is_empty());
    }

    fn used(id: &str, status: &str) -> Value {
        let todos = json!([{"content": "look", "status": status, "activeForm": "Looking"}]);
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "TodoWrite", "input": {"todos": todos}}]})
    }

    #[test]
    fn claude_tells_plans_in_transcripts_and_streams() {
        let row = json!({"type": "assistant", "timestamp": "2026-01-01T00:00:00.000Z", "sessionId": "c", "uuid": "u", "message": used("toolu_1", "pending")});
        let found = records("plans", &[row.to_string()]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["steps"], json!([{"step": "look", "status": "pending"}]));
        assert_eq!((&found[0]["pending"], &found[0]["explanation"]), (&json!(1), &Value::Null));
        let block = json!({"type": "tool_use", "id": "toolu_2", "name": "TodoWrite", "input": {}});
        let text = json!({"todos": [{"content": "look", "status": "completed"}]}).to_string();
        let delta = json!({"type": "input_json_delta", "partial_json": text});
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
        ];
        let found = records("plans", &rows);
        assert_eq!((&found[0]["completed"], &found[0]["source"]), (&json!(1), &json!("TodoWrite")));
        assert!(records("plans", &rows[..2]).is_empty());
    }

    #[test]
    fn requests_tell_plans_that_no_log_tells() {
        let asked = request(
            0,
            "messages",
            &json!({"messages": [used("toolu_1", "pending"), used("toolu_2", "completed")]}),
        );
        let row = json!({"type": "assistant", "timestamp": "2026-01-01T00:00:05.000Z", "sessionId": "c", "uuid": "u", "message": used("toolu_1", "pending")});
        let found = records("plans", &[asked, row.to_string()]);
        let lines: Vec<_> = found.iter().map(|plan| (&plan["line"], &plan["completed"])).collect();
        assert_eq!(lines, [(&json!(2), &json!(0)), (&json!(1), &json!(1))]);
        let body = json!({"input": [item("a", &plan("pending")), item("b", &plan("completed"))]});
        let rows = [update(0, &plan("pending")), request(60_000, "responses", &body)];
        assert_eq!(sources(&rows), ["plan_update", "update_plan"]);
    }
}

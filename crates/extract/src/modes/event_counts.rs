//! `event_counts`: how many rows an event has, and whether the counts fit each other.
//!
//! Every row of a log counts, by its name and agent. Then the counts are compared: each expectation is
//! a formula of counts that a log which misses nothing fulfils (a prompt ends in one of two ways, what
//! begins ends, twins are as many). Where it does not hold, rows are missing or turns went on, were
//! steered or cut off; a writer may also have been told to leave an event out. An expectation is told
//! only if one of its events is there; that of items only if both their starts and ends are, since
//! there are writers that tell ends alone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use agentlog::event::{Head, Provider, Src};
use agentlog::fold::Agreed;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::memo::{Memo, Names};
use crate::tools::or_null;
use crate::{Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "event_counts",
    about: "how many rows an event has, and whether the counts fit each other",
    sources: "all logs",
    own: OWN,
    key: &["kind", "provider", "name"],
    table: &["provider", "kind", "name", "rows", "bytes", "ok"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::<EventCounts>::default(),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["event", "expectation"]), "whether rows are counted or compared"),
    field("name", Shape::Text, "the event, or what is expected"),
    field("rows", Shape::Count, "rows of the event, or what was counted"),
    field("expected", Shape::Count, "what was expected"),
    field("ok", Shape::Bool, "whether that is so"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("sessions", Shape::Count, "sessions with such rows"),
    field("t_last", Shape::Time, "when the last was written"),
];

/// What is expected: a formula, the events that are counted, and those whose rows they should be as
/// many as, less those that come without.
struct Expectation {
    name: &'static str,
    provider: Provider,
    counted: &'static [&'static str],
    expected: &'static [&'static str],
    without: &'static [&'static str],
    /// Whether it is told only if both sides are there.
    both: bool,
}

macro_rules! expectation {
    ($provider:ident, $name:literal, $counted:expr, $expected:expr $(, less $without:expr)?) => {
        Expectation {
            name: $name,
            provider: Provider::$provider,
            counted: &$counted,
            expected: &$expected,
            without: &[$($without)?],
            both: false,
        }
    };
}

const EXPECTATIONS: &[Expectation] = &[
    expectation!(
        Codex,
        "turn.response.completed + turn.response.aborted = turn.user_message",
        ["turn.response.completed", "turn.response.aborted"],
        ["turn.user_message"]
    ),
    expectation!(
        Codex,
        "codex.idle = turn.user_message - turn.response.aborted",
        ["codex.idle"],
        ["turn.user_message"],
        less "turn.response.aborted"
    ),
    expectation!(
        Codex,
        "turn.task_started = turn.user_message",
        ["turn.task_started"],
        ["turn.user_message"]
    ),
    expectation!(
        Codex,
        "turn.shutdown_complete = turn.session_configured",
        ["turn.shutdown_complete"],
        ["turn.session_configured"]
    ),
    expectation!(
        Codex,
        "response.completed + response.failed + response.incomplete = response.created",
        ["response.completed", "response.failed", "response.incomplete"],
        ["response.created"]
    ),
    expectation!(
        Codex,
        "response.output_item.done = response.output_item.added",
        ["response.output_item.done"],
        ["response.output_item.added"]
    ),
    // Newer writers tell some items by their end alone.
    Expectation {
        both: true,
        ..expectation!(
            Codex,
            "turn.item.completed = turn.item.started",
            ["turn.item.completed"],
            ["turn.item.started"]
        )
    },
    expectation!(Codex, "turn.exec.end = turn.exec.begin", ["turn.exec.end"], ["turn.exec.begin"]),
    expectation!(
        Codex,
        "turn.mcp_tool_call.end = turn.mcp_tool_call.begin",
        ["turn.mcp_tool_call.end"],
        ["turn.mcp_tool_call.begin"]
    ),
    expectation!(
        Codex,
        "turn.patch_apply.end = turn.patch_apply.begin",
        ["turn.patch_apply.end"],
        ["turn.patch_apply.begin"]
    ),
    expectation!(
        Codex,
        "turn.token_count = codex.token_count",
        ["turn.token_count"],
        ["codex.token_count"]
    ),
    expectation!(
        Codex,
        "turn.agent_message.delta = response.output_text.delta",
        ["turn.agent_message.delta"],
        ["response.output_text.delta"]
    ),
    expectation!(
        Codex,
        "turn.reasoning.delta = response.reasoning_summary_text.delta",
        ["turn.reasoning.delta"],
        ["response.reasoning_summary_text.delta"]
    ),
    expectation!(
        Codex,
        "turn.response.delta = turn.agent_message.delta + turn.reasoning.delta",
        ["turn.response.delta"],
        ["turn.agent_message.delta", "turn.reasoning.delta"]
    ),
    expectation!(
        Codex,
        "event_msg.task_complete + event_msg.turn_aborted = event_msg.task_started",
        ["event_msg.task_complete", "event_msg.turn_aborted"],
        ["event_msg.task_started"]
    ),
    expectation!(
        Claude,
        "claude.stop = claude.user_prompt",
        ["claude.stop"],
        ["claude.user_prompt"]
    ),
    expectation!(
        Claude,
        "claude.message_stop = claude.message_start",
        ["claude.message_stop"],
        ["claude.message_start"]
    ),
    expectation!(
        Claude,
        "claude.content_block_stop = claude.content_block_start",
        ["claude.content_block_stop"],
        ["claude.content_block_start"]
    ),
    expectation!(
        Claude,
        "claude.session_end = claude.session_start",
        ["claude.session_end"],
        ["claude.session_start"]
    ),
];

/// Rows of one event.
struct Count {
    name: Arc<str>,
    provider: Option<Provider>,
    t: Option<i64>,
    src: Src,
    agreed: Agreed,
    rows: u64,
    bytes: u64,
    sessions: HashSet<usize, FixedState>,
    /// The session of the last row.
    session: Option<usize>,
    t_last: Option<i64>,
}

#[derive(Default)]
struct EventCounts {
    names: Names,
    heads: Memo<Head>,
    /// Numbers of sessions; 0 is that of rows without one.
    sessions: HashMap<String, usize, FixedState>,
    counts: Vec<Count>,
    known: HashMap<(Option<Provider>, usize), usize, FixedState>,
}

impl EventCounts {
    fn session(&mut self, head: &Arc<Head>) -> usize {
        if let Some(number) = self.heads.get(head) {
            return number;
        }
        let next = self.sessions.len() + 1;
        let number = match &head.sid {
            Some(sid) => *self.sessions.entry(sid.clone()).or_insert(next),
            None => 0,
        };
        self.heads.put(head, number);
        number
    }

    fn of(&self, provider: Provider, names: &[&str]) -> Vec<&Count> {
        let is_of =
            |count: &&Count| count.provider == Some(provider) && names.contains(&&*count.name);
        self.counts.iter().filter(is_of).collect()
    }

    fn compare(&self, expectation: &Expectation) -> Option<Record> {
        let Expectation { name, provider, counted, expected, without, both } = expectation;
        let [counted, expected, without] =
            [counted, expected, without].map(|names| self.of(*provider, names));
        if *both && (counted.is_empty() || expected.is_empty()) {
            return None;
        }
        let sum = |counts: &[&Count]| counts.iter().map(|count| count.rows).sum::<u64>();
        let (rows, all) = (sum(&counted), sum(&expected));
        let wanted = all.saturating_sub(sum(&without));
        let sides = || counted.iter().chain(&expected).chain(&without).copied();
        let first = sides().min_by_key(|count| (count.t, count.src))?;
        let mut agreed = first.agreed.clone();
        sides().for_each(|count| agreed.absorb(&count.agreed));
        let values = vec![
            "expectation".into(),
            (*name).into(),
            rows.into(),
            wanted.into(),
            (rows == wanted).into(),
            Value::Null,
            Value::Null,
            or_null(sides().filter_map(|count| count.t_last).max()),
        ];
        let head = Arc::clone(agreed.head());
        Some(Record { info: &INFO, t: first.t, src: first.src, head, values })
    }
}

impl Mode for EventCounts {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let Some(facts) = row.facts.filter(|facts| facts.form != Form::Request) else { return };
        let event = row.event;
        let session = self.session(event.head);
        let key = (event.head.provider, self.names.number(&facts.name));
        let next = self.counts.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            self.counts.push(Count {
                name: Arc::clone(&facts.name),
                provider: event.head.provider,
                t: event.t,
                src: event.src,
                agreed: Agreed::new(event.head),
                rows: 0,
                bytes: 0,
                sessions: HashSet::default(),
                session: None,
                t_last: None,
            });
        }
        let count = &mut self.counts[at];
        count.agreed.add(event.head);
        count.rows += 1;
        count.bytes += event.src.len;
        count.t_last = count.t_last.max(event.t);
        if count.session.replace(session) != Some(session) && session != 0 {
            count.sessions.insert(session);
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        out.extend(EXPECTATIONS.iter().filter_map(|expectation| self.compare(expectation)));
        for count in self.counts.drain(..) {
            let values = vec![
                "event".into(),
                (*count.name).into(),
                count.rows.into(),
                Value::Null,
                Value::Null,
                count.bytes.into(),
                count.sessions.len().into(),
                or_null(count.t_last),
            ];
            let head = Arc::clone(count.agreed.head());
            out.push(Record { info: &INFO, t: count.t, src: count.src, head, values });
        }
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{claude, records, request, sse, turn};

    fn named<'r>(found: &'r [Value], name: &str) -> &'r Value {
        found.iter().find(|record| record["name"] == name).unwrap_or(&Value::Null)
    }

    #[test]
    fn rows_bytes_and_sessions_of_events() {
        let other = turn(9, "turn.diff", "1", &json!({})).replace("\"sid\":\"s\"", "\"sid\":\"z\"");
        let rows =
            [turn(1, "turn.diff", "1", &json!({})), turn(2, "turn.diff", "2", &json!({})), other];
        let found = records("event_counts", &rows);
        assert_eq!(found.len(), 1);
        let bytes: usize = rows.iter().map(String::len).sum();
        assert_eq!(found[0]["kind"], "event");
        assert_eq!((&found[0]["rows"], &found[0]["sessions"]), (&json!(3), &json!(2)));
        assert_eq!((&found[0]["bytes"], &found[0]["ok"]), (&json!(bytes), &Value::Null));
        assert_eq!(found[0]["t_last"], "2026-01-01T00:00:00.009Z");
        assert_eq!((found[0].get("sid"), found[0].get("turn_id")), (None, None));
        assert_eq!(found[0]["provider"], "codex");
    }

    #[test]
    fn deltas_count_and_requests_do_not() {
        let delta = json!({"type": "response.output_text.delta", "item_id": "m", "delta": "x"});
        let rows = [
            sse(1, "response.output_text.delta", "1", &delta),
            sse(2, "response.output_text.delta", "1", &delta),
            request(3, "responses", &json!({"input": []})),
        ];
        let found = records("event_counts", &rows);
        assert_eq!(named(&found, "response.output_text.delta")["rows"], 2);
        let twins = named(&found, "turn.agent_message.delta = response.output_text.delta");
        assert_eq!(
            (&twins["rows"], &twins["expected"], &twins["ok"]),
            (&json!(0), &json!(2), &json!(false))
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn prompts_idle_and_aborted_are_compared() {
        let prompt = |ms, id: &str| turn(ms, "turn.user_message", id, &json!({"message": "x"}));
        let idle = |ms, id: &str| sse(ms, "codex.idle", id, &json!({"type": "codex.idle"}));
        let rows = [
            prompt(1, "1"),
            turn(2, "turn.response.completed", "1", &json!({})),
            idle(3, "1"),
            prompt(4, "2"),
            turn(5, "turn.response.aborted", "2", &json!({"reason": "interrupted"})),
        ];
        let found = records("event_counts", &rows);
        let idle = named(&found, "codex.idle = turn.user_message - turn.response.aborted");
        assert_eq!(
            (&idle["rows"], &idle["expected"], &idle["ok"]),
            (&json!(1), &json!(1), &json!(true))
        );
        assert_eq!((&idle["kind"], &idle["line"]), (&json!("expectation"), &json!(1)));
        let started = named(&found, "turn.task_started = turn.user_message");
        assert_eq!((&started["expected"], &started["ok"]), (&json!(2), &json!(false)));
        let ends = "turn.response.completed + turn.response.aborted = turn.user_message";
        assert_eq!(named(&found, ends)["ok"], true);
    }

    #[test]
    fn items_are_compared_only_where_both_ends_are_told() {
        let item = |ms, event| turn(ms, event, "1", &json!({"item": {"id": "i"}}));
        let name = "turn.item.completed = turn.item.started";
        let alone = records("event_counts", &[item(1, "turn.item.completed")]);
        assert_eq!(named(&alone, name), &Value::Null);
        let rows = [item(1, "turn.item.started"), item(2, "turn.item.completed")];
        assert_eq!(named(&records("event_counts", &rows), name)["ok"], true);
    }

    #[test]
    fn claude_has_expectations_of_its_own() {
        let rows = [
            claude(1, &json!({"type": "user_prompt", "prompt": "x"})),
            claude(2, &json!({"type": "stop", "is_subagent": false})),
            claude(3, &json!({"type": "message_start", "message": {"id": "m"}})),
        ];
        let found = records("event_counts", &rows);
        assert_eq!(named(&found, "claude.stop = claude.user_prompt")["ok"], true);
        assert_eq!(named(&found, "claude.message_stop = claude.message_start")["ok"], false);
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn rows_of_transcripts_count_once() {
        let row = json!({"type": "assistant", "uuid": "u", "sessionId": "c", "timestamp": "2026-01-01T00:00:00.000Z",
            "message": {"id": "m", "role": "assistant", "model": "x", "content": [
                {"type": "text", "text": "a"}, {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]}});
        let found = records("event_counts", &[row.to_string()]);
        assert_eq!((&found[0]["name"], &found[0]["rows"]), (&json!("assistant"), &json!(1)));
    }
}

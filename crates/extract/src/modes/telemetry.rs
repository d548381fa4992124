//! `telemetry`: how fast a turn went.
//!
//! Turns are those of `alog-turns`. Deltas are those of SSE logs, whatever tells the turns: where a
//! transcript or rollout does, those belong to the turn that is open when they come. Of the twins of
//! Codex's deltas one kind counts in each turn: `response.*`, else `turn.response.delta`, else the
//! rest. `ttft_ms` is the time to the first delta of any kind, an empty one too.
//!
//! A gap lies between two deltas of one answer of the model: the request of Claude decides; an
//! answer of Codex, whose flows go on through all answers of a session, begins and ends with its
//! `response.*` rows. So the time that tools take is no stall.
//!
//! What only SSE logs tell is null in turns of which no SSE row is there, and the answers in those
//! that a rollout tells: it does not tell them. MCP servers start before
//! the first prompt: their failures are told in the turn that comes next, or is open.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use agentlog::event::{Event, Piece, Provider, ResponsePhase, Stream, What};
use agentlog::fold::Fold;
use agentlog::fold::turn_book::TurnKey;
use agentlog::fold::turns::{Options, Turn, Turns};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::{Value, json};

use crate::modes::folded::tells_of_turns;
use crate::tools::{or_null, text_at};
use crate::{Facts, Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "telemetry",
    about: "how fast a turn went",
    sources: "SSE logs; in transcripts and rollouts what they tell",
    own: OWN,
    key: &["sid", "session_turn"],
    table: &[
        "t",
        "provider",
        "sid",
        "session_turn",
        "status",
        "ttft_ms",
        "duration_ms",
        "deltas_per_s",
    ],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<Telemetry>::default(),
};

const OWN: &[Field] = &[
    field("session_turn", Shape::Count, "ordinal of the prompt in its session, from 1"),
    field("status", Shape::Text, "how the turn ended"),
    field("ttft_ms", Shape::Integer, "milliseconds from the prompt to the first delta"),
    field("duration_ms", Shape::Integer, "milliseconds from the prompt to the end"),
    field("deltas", Shape::Count, "deltas streamed"),
    field("delta_bytes", Shape::Count, "bytes streamed"),
    field("deltas_per_s", Shape::Number, "deltas a second, from the first to the last"),
    field("stalls", Shape::Count, "gaps of 5 s or more between deltas of one flow"),
    field("longest_gap_ms", Shape::Integer, "the longest gap between deltas of one flow"),
    field("responses", Shape::Count, "answers of the model; null if nothing tells them"),
    field("errors", Shape::Count, "errors told in the turn"),
    field("background", Shape::Count, "background events"),
    field(
        "mcp_failed",
        Shape::Json,
        "MCP servers that failed to start, with why; null if nothing tells",
    ),
];

/// From which length on a gap is a stall, in milliseconds.
const STALL_MS: i64 = 5000;

/// How many servers are kept of one startup.
const SERVERS: usize = 256;

struct Telemetry {
    turns: Turns,
    found: Vec<Turn>,
    /// What is known of turns that are not final.
    open: HashMap<TurnKey, OpenTurn, FixedState>,
    /// How many there may be before those are looked for that never got a prompt.
    most: usize,
    /// The turn that the last prompt of a session opened: deltas may come from another log.
    latest: HashMap<String, TurnKey, FixedState>,
    /// MCP servers that started since the last turn of a session.
    startups: HashMap<String, Startup, FixedState>,
}

impl Default for Telemetry {
    fn default() -> Self {
        let options = Options { no_text: true, ..Options::default() };
        Self {
            turns: Turns::new(options),
            found: Vec::new(),
            open: HashMap::default(),
            most: 256,
            latest: HashMap::default(),
            startups: HashMap::default(),
        }
    }
}

/// What is known of a turn that is not final.
#[derive(Default)]
struct OpenTurn {
    /// Whether SSE rows tell of it.
    by_sse: bool,
    /// Whether an SSE row counts for it: else a transcript or rollout tells the turn.
    of_sse: bool,
    first_delta: Option<i64>,
    /// The stream itself, twins that name their items, and those that do not.
    streams: [Deltas; 3],
    errors: u64,
    background: u64,
}

/// The deltas of a turn of one kind.
#[derive(Default)]
struct Deltas {
    count: u64,
    bytes: u64,
    first: Option<i64>,
    last: Option<i64>,
    stalls: u64,
    longest: Option<i64>,
    /// When each answer that goes on had its last delta.
    flows: HashMap<u64, i64, FixedState>,
}

/// MCP servers that failed to start.
struct Startup {
    t: Option<i64>,
    failed: Vec<(String, Value)>,
}

/// What a row is to this mode beside what it tells of turns.
enum Note {
    Error,
    Background,
    Startup,
}

impl Note {
    fn of(facts: &Facts) -> Option<Self> {
        Some(match &*facts.name {
            "turn.error"
            | "turn.stream_error"
            | "response.failed"
            | "response.error"
            | "error"
            | "claude.error"
            | "claude.api_error"
            | "event_msg.error"
            | "event_msg.stream_error"
            | "system.api_error" => Self::Error,
            "assistant" if facts.payload["isApiErrorMessage"] == true => Self::Error,
            "turn.background_event" => Self::Background,
            "turn.mcp_startup.update" | "turn.mcp_startup.complete" => Self::Startup,
            _ => return None,
        })
    }
}

impl Mode for Telemetry {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        let note = row.facts.and_then(Note::of);
        let is_delta = matches!(event.what, What::Delta(_));
        if note.is_none() && !is_delta && !tells_of_turns(event) {
            return;
        }
        let placed = self.turns.place(event, &mut self.found);
        self.give(out);
        let sid = event.head.sid.as_deref().unwrap_or_default();
        if let (Some(Note::Startup), Some(facts)) = (&note, row.facts) {
            self.startups
                .entry(sid.to_owned())
                .or_insert_with(|| Startup::at(event.t))
                .read(&facts.payload);
        }
        if let (What::Prompt(_), Some(key)) = (event.what, placed) {
            self.latest.insert(sid.to_owned(), key);
        }
        let of_sse = is_delta || row.facts.is_some_and(|facts| facts.form == Form::Sse);
        let elsewhere = || self.latest.get(sid).copied().filter(|key| self.turns.is_open(*key));
        let key = if event.left_out.is_some() && of_sse { elsewhere() } else { placed };
        let Some(key) = key else { return };
        let turn = self.open.entry(key).or_default();
        turn.by_sse |= of_sse;
        turn.of_sse |= of_sse && event.left_out.is_none();
        match note {
            Some(Note::Error) if event.left_out.is_none() => turn.errors += 1,
            Some(Note::Background) => turn.background += 1,
            _ => {}
        }
        turn.row(event);
        self.forget();
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.turns.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.turns.finish(&mut self.found);
        self.give(out);
    }
}

impl Telemetry {
    fn give(&mut self, out: &mut Vec<Record>) {
        for turn in self.found.drain(..) {
            let known = self.open.remove(&turn.key).unwrap_or_default();
            let sid = turn.head.sid.as_deref().unwrap_or_default();
            let told = self.startups.get(sid);
            let in_time = |startup: &Startup| turn.t_end.is_none_or(|end| startup.t <= Some(end));
            let startup = if told.is_some_and(in_time) { self.startups.remove(sid) } else { None };
            let values = known.values(&turn, startup);
            let Turn { t, src, head, .. } = turn;
            out.push(Record { info: &INFO, t, src, head, values });
        }
    }

    /// Drops what is known of turns that never got a prompt, and never will.
    fn forget(&mut self) {
        if self.open.len() > self.most {
            self.open.retain(|key, _| self.turns.is_open(*key));
            self.most = 256.max(2 * self.open.len());
        }
    }
}

impl OpenTurn {
    fn row(&mut self, event: &Event<'_>) {
        match event.what {
            What::Delta(piece) => self.delta(event, piece),
            What::Response(response) if event.head.provider == Some(Provider::Claude) => {
                if response.phase == ResponsePhase::Ended
                    && let Some(id) = response.id
                {
                    self.streams[0].flows.remove(&flow(event.bytes(id)));
                }
            }
            What::Response(_) => self.streams.iter_mut().for_each(|deltas| deltas.flows.clear()),
            _ => {}
        }
    }

    fn delta(&mut self, event: &Event<'_>, piece: &Piece) {
        self.first_delta = [self.first_delta, event.t].into_iter().flatten().min();
        let (kind, flow) = match piece.stream {
            Stream::Item(_) => (0, 0),
            Stream::Block { request: Some(request), .. } => (0, flow(event.bytes(request))),
            Stream::Block { request: None, .. } => {
                (0, flow(event.head.flow_id.as_deref().unwrap_or_default().as_bytes()))
            }
            Stream::Twin { item: Some(_) } => (1, 0),
            Stream::Twin { item: None } => (2, 0),
        };
        self.streams[kind].add(event.t, piece.text.len() as u64, flow);
    }

    fn values(self, turn: &Turn, startup: Option<Startup>) -> Vec<Value> {
        let Self { by_sse, of_sse, first_delta, streams, errors, background } = self;
        let told = of_sse || turn.head.provider == Some(Provider::Claude) || turn.responses > 0;
        let deltas = streams.into_iter().find(|deltas| deltas.count > 0).unwrap_or_default();
        let ttft = first_delta.zip(turn.t).map(|(first, t)| first - t).filter(|ms| *ms >= 0);
        let sse = |n: u64| or_null(by_sse.then_some(n));
        vec![
            or_null(turn.session_turn),
            turn.status.name().into(),
            or_null(ttft),
            or_null(turn.duration_ms()),
            sse(deltas.count),
            sse(deltas.bytes),
            or_null(deltas.a_second()),
            sse(deltas.stalls),
            or_null(deltas.longest),
            or_null(told.then_some(turn.responses)),
            errors.into(),
            sse(background),
            startup.map_or(Value::Null, Startup::value),
        ]
    }
}

/// Names the flow of a request.
fn flow(request: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(request);
    hasher.finish()
}

impl Deltas {
    fn add(&mut self, t: Option<i64>, bytes: u64, flow: u64) {
        self.count += 1;
        self.bytes += bytes;
        let Some(t) = t else { return };
        self.first = [self.first, Some(t)].into_iter().flatten().min();
        self.last = self.last.max(Some(t));
        if let Some(before) = self.flows.insert(flow, t) {
            let gap = (t - before).max(0);
            self.stalls += u64::from(gap >= STALL_MS);
            self.longest = self.longest.max(Some(gap));
        }
    }

    /// Deltas a second, to three decimals.
    fn a_second(&self) -> Option<f64> {
        let ms = self.last? - self.first?;
        (ms > 0).then(|| (self.count as f64 * 1_000_000.0 / ms as f64).round() / 1000.0)
    }
}

impl Startup {
    fn at(t: Option<i64>) -> Self {
        Self { t, failed: Vec::new() }
    }

    /// Takes `{server, status: {state, error}}` or `{failed: [{server, error}]}`.
    fn read(&mut self, payload: &Value) {
        if text_at(payload, &["status", "state"]) == Some("failed")
            && let Some(server) = text_at(payload, &["server"])
        {
            self.failed(server, &payload["status"]["error"]);
        }
        for one in payload["failed"].as_array().into_iter().flatten() {
            if let Some(server) = text_at(one, &["server"]) {
                self.failed(server, &one["error"]);
            }
        }
    }

    fn failed(&mut self, server: &str, error: &Value) {
        if let Some((_, known)) = self.failed.iter_mut().find(|(known, _)| known == server) {
            if known.is_null() {
                known.clone_from(error);
            }
        } else if self.failed.len() < SERVERS {
            self.failed.push((server.to_owned(), error.clone()));
        }
    }

    fn value(self) -> Value {
        let failed = self.failed.into_iter();
        failed.map(|(server, error)| json!({"server": server, "error": error})).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, sse, turn};
    use serde_json::{Value, json};

    fn prompt(ms: i64, id: &str) -> String {
        turn(ms, "turn.user_message", id, &json!({"message": "go"}))
    }

    fn delta(ms: i64, seq: i64, text: &str) -> String {
        let payload =
            json!({"item_id": "msg_1", "content_index": 0, "sequence_number": seq, "delta": text});
        sse(ms, "response.output_text.delta", "1", &payload)
    }

    fn response(ms: i64, event: &str, id: &str) -> String {
        sse(ms, event, "1", &json!({"response": {"id": id}}))
    }

    fn end(ms: i64) -> String {
        turn(ms, "turn.response.completed", "1", &json!({}))
    }

    #[test]
    fn a_turn_its_deltas_and_what_went_wrong() {
        let twin = |ms: i64| turn(ms, "turn.agent_message.delta", "1", &json!({"delta": "He"}));
        let failed =
            json!({"server": "docs", "status": {"state": "failed", "error": "no such file"}});
        let rows = [
            turn(0, "turn.mcp_startup.update", "", &failed),
            turn(
                1,
                "turn.mcp_startup.complete",
                "",
                &json!({"ready": ["a"], "failed": [{"server": "docs", "error": "no such file"}], "cancelled": []}),
            ),
            prompt(100, "1"),
            turn(110, "turn.background_event", "1", &json!({"message": "x"})),
            response(200, "response.created", "r1"),
            delta(1100, 1, "He"),
            twin(1100),
            delta(1600, 2, "llo"),
            delta(7000, 3, "!"),
            response(7100, "response.completed", "r1"),
            // A tool took its time.
            response(20_000, "response.created", "r2"),
            delta(21_100, 1, "."),
            turn(21_200, "turn.stream_error", "1", &json!({"message": "lost"})),
            response(21_300, "response.completed", "r2"),
            end(21_400),
        ];
        let found = records("telemetry", &rows);
        assert_eq!(found.len(), 1);
        let one = &found[0];
        let of = |keys: &[&str]| keys.iter().map(|key| one[*key].clone()).collect::<Vec<_>>();
        assert_eq!(
            of(&["session_turn", "status", "ttft_ms", "duration_ms"]),
            [json!(1), json!("completed"), json!(1000), json!(21_300)]
        );
        assert_eq!(
            of(&["deltas", "delta_bytes", "deltas_per_s"]),
            [json!(4), json!(7), json!(0.2)]
        );
        assert_eq!(of(&["stalls", "longest_gap_ms"]), [json!(1), json!(5400)]);
        assert_eq!(of(&["responses", "errors", "background"]), [json!(2), json!(1), json!(1)]);
        assert_eq!(one["mcp_failed"], json!([{"server": "docs", "error": "no such file"}]));
    }

    #[test]
    fn twins_count_where_there_is_nothing_else_and_the_better_ones_of_them() {
        let twin = |ms: i64, event: &str, more: Value| turn(ms, event, "1", &more);
        let rows = [
            prompt(0, "1"),
            twin(5, "turn.agent_message.delta", json!({"delta": "ab"})),
            twin(5, "turn.response.delta", json!({"item_id": "m", "delta": "ab"})),
            twin(1005, "turn.response.delta", json!({"item_id": "m", "delta": "c"})),
            end(2000),
        ];
        let one = &records("telemetry", &rows)[0];
        assert_eq!((&one["deltas"], &one["delta_bytes"]), (&json!(2), &json!(3)));
        assert_eq!((&one["ttft_ms"], &one["mcp_failed"]), (&json!(5), &Value::Null));
    }

    #[test]
    fn gaps_of_claude_are_those_of_one_request() {
        let delta = |ms: i64, request: &str| {
            let delta = json!({"type": "text_delta", "text": "ab"});
            claude(
                ms,
                &json!({"type": "content_block_delta", "index": 0, "delta": delta, "request_id": request}),
            )
        };
        let rows = [
            claude(0, &json!({"type": "user_prompt", "prompt": "go", "message_uuid": "u"})),
            delta(100, "a"),
            delta(3000, "b"),
            delta(5100, "a"),
            delta(9000, "b"),
            claude(9500, &json!({"type": "stop", "is_subagent": false})),
        ];
        let one = &records("telemetry", &rows)[0];
        assert_eq!((&one["stalls"], &one["longest_gap_ms"]), (&json!(2), &json!(6000)));
        assert_eq!((&one["deltas"], &one["background"]), (&json!(4), &json!(0)));
    }

    #[test]
    fn rollouts_do_not_tell_answers() {
        let row = |s: i64, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "type": "event_msg", "payload": payload}).to_string()
        };
        let rows = [
            row(0, json!({"type": "user_message", "message": "hi"})),
            row(1, json!({"type": "agent_message", "message": "bye"})),
            row(2, json!({"type": "task_complete", "last_agent_message": "bye"})),
        ];
        let one = &records("telemetry", &rows)[0];
        assert_eq!((&one["status"], &one["responses"]), (&json!("completed"), &Value::Null));
    }

    #[test]
    fn without_deltas_nothing_is_known_of_them() {
        let silent = &records("telemetry", &[prompt(0, "1"), end(50)])[0];
        assert_eq!((&silent["deltas"], &silent["deltas_per_s"]), (&json!(0), &Value::Null));
        let row = |t: &str, kind: &str, more: Value| {
            let mut row = json!({"type": kind, "uuid": t, "sessionId": "c", "timestamp": t});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row.to_string()
        };
        let rows = [
            row(
                "2026-01-01T00:00:00Z",
                "user",
                json!({"message": {"role": "user", "content": "go"}}),
            ),
            row("2026-01-01T00:00:01Z", "system", json!({"subtype": "api_error", "error": {}})),
            row(
                "2026-01-01T00:00:02Z",
                "assistant",
                json!({"message": {"id": "m", "content": [{"type": "text", "text": "done"}]}}),
            ),
        ];
        let native = &records("telemetry", &rows)[0];
        assert_eq!((&native["deltas"], &native["background"]), (&Value::Null, &Value::Null));
        assert_eq!((&native["errors"], &native["responses"]), (&json!(1), &json!(1)));
        assert_eq!((&native["stalls"], &native["duration_ms"]), (&Value::Null, &json!(2000)));
    }
}

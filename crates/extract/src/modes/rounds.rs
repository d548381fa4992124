//! `rounds`: a round of the writer, and what is wrong with it.
//!
//! A round is told for each process (session and pid) that has rows in it. Its prompts are those that
//! `alog-prompts` tells, each once; its ends are `turn.response.completed`, `turn.response.aborted`,
//! `claude.stop` and interruptions. What can be wrong:
//!
//! - `no_prompt`: it is not the first of its process, and holds none;
//! - `two_prompts`, `two_ends`: more than one;
//! - `early`: a row of an answer (a delta, a response, a block, a tool's work, an end) stands before its
//!   prompt. Rows that open a turn may stand there;
//! - `late`: a row of it stands behind the prompt of a round that began after it, in a later
//!   millisecond. A message of Claude stays in the round in which it began, and is not late;
//! - `two_sessions`: another session has a round of that name;
//! - `not_a_uuid7`: its name is no UUID of version 7, so that nothing tells when it was made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use agentlog::event::{Event, Head, ItemPhase, Provider, Src, Turn, What};
use agentlog::fold::prompts::{Prompt, Prompts};
use agentlog::fold::{Agreed, Fold};
use agentlog::record::{Field, Shape};
use agentlog::time::uuid7_ms;
use foldhash::fast::FixedState;

use super::memo::Memo;
use crate::tools::or_null;
use crate::{Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "rounds",
    about: "a round of the writer, and what is wrong with it",
    sources: "SSE logs",
    own: OWN,
    key: &["sid", "pid", "round"],
    table: &["t", "provider", "sid", "round", "rows", "prompts", "ends", "violations"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<Rounds>::default(),
};

const OWN: &[Field] = &[
    field("t_last", Shape::Time, "when its last row was written"),
    field("minted", Shape::Time, "the time inside the round's UUID"),
    field("rows", Shape::Count, "rows"),
    field("prompts", Shape::Count, "prompts"),
    field("ends", Shape::Count, "ends of turns"),
    field("idles", Shape::Count, "idle events"),
    field("turn_ids", Shape::Json, "the submission ids in it"),
    field(
        "violations",
        Shape::Json,
        "codes of what is wrong: no_prompt, two_prompts, two_ends, early, late, two_sessions, not_a_uuid7",
    ),
];

/// How many submission ids of a round are told.
const TURN_IDS: usize = 64;

/// When and where a row stands: rows of one moment are in the order of the file.
type Position = (Option<i64>, Src);

/// A round of a process.
struct Round {
    name: String,
    agreed: Agreed,
    process: usize,
    first: Position,
    t_last: Option<i64>,
    rows: u64,
    prompts: u64,
    ends: u64,
    idles: u64,
    turn_ids: Vec<String>,
    /// The first row of an answer.
    answer: Option<Position>,
    /// The first prompt.
    prompt: Option<Position>,
    /// Whether a row stands behind the prompt of a later round.
    late: bool,
}

/// A process in a session.
#[derive(Default)]
struct Process {
    sid: Option<String>,
    /// The round that came first.
    first: Option<usize>,
    /// The round of the last prompt, and when that was given.
    open: Option<(usize, Option<i64>)>,
}

#[derive(Default)]
struct Rounds {
    heads: Memo<Head>,
    list: Vec<Round>,
    processes: Vec<Process>,
    by_name: HashMap<(usize, String), usize, FixedState>,
    by_pid: HashMap<(Option<String>, Option<i64>), usize, FixedState>,
    prompts: Prompts,
    found: Vec<Prompt>,
}

/// Whether a row is a part of an answer, or ends one: such rows belong behind the prompt.
fn answers(event: &Event<'_>, name: &str) -> bool {
    match event.what {
        What::Delta(_)
        | What::Done(_)
        | What::Response(_)
        | What::Block(_)
        | What::Said(_)
        | What::Results(_)
        | What::Execution(_) => true,
        What::Item(item) => item.phase != ItemPhase::Raw,
        What::Turn(turn) => *turn != Turn::Started,
        _ => name.starts_with("response."),
    }
}

impl Rounds {
    /// The number of a row's round.
    fn round(&mut self, event: &Event<'_>, round: &str) -> usize {
        if let Some(at) = self.heads.get(event.head) {
            return at;
        }
        let head = event.head;
        let next = self.processes.len();
        let process = *self.by_pid.entry((head.sid.clone(), head.pid)).or_insert(next);
        if process == next {
            self.processes.push(Process { sid: head.sid.clone(), ..Process::default() });
        }
        let next = self.list.len();
        let at = *self.by_name.entry((process, round.to_owned())).or_insert(next);
        if at == next {
            self.processes[process].first.get_or_insert(at);
            self.list.push(Round {
                name: round.to_owned(),
                agreed: Agreed::new(head),
                process,
                first: (event.t, event.src),
                t_last: None,
                rows: 0,
                prompts: 0,
                ends: 0,
                idles: 0,
                turn_ids: Vec::new(),
                answer: None,
                prompt: None,
                late: false,
            });
        }
        let of = &mut self.list[at];
        of.agreed.add(head);
        let id = head.turn_id.as_ref().filter(|id| *id != "unknown");
        if let Some(id) = id.filter(|id| of.turn_ids.len() < TURN_IDS && !of.turn_ids.contains(id))
        {
            of.turn_ids.push(id.clone());
        }
        self.heads.put(head, at);
        at
    }

    /// Whether a row of a round stands behind the prompt of a round that began later. Rows of one
    /// moment have no order, and a message of Claude stays in the round in which it began.
    fn is_late(&self, at: usize, event: &Event<'_>) -> bool {
        let Some((open, t)) = self.processes[self.list[at].process].open else { return false };
        let goes_on = || event.head.flow_id.as_deref().is_some_and(|id| id.starts_with("msg_"));
        open != at
            && self.list[open].first > self.list[at].first
            && event.t > t
            && !(event.head.provider == Some(Provider::Claude) && goes_on())
    }

    /// Counts what turned out to be prompts.
    fn take_prompts(&mut self) {
        for prompt in self.found.drain(..) {
            let head = &prompt.head;
            let process = self.by_pid.get(&(head.sid.clone(), head.pid));
            let Some((process, name)) = process.zip(head.round.clone()) else { continue };
            let Some(at) = self.by_name.get(&(*process, name)) else { continue };
            let round = &mut self.list[*at];
            round.prompts += 1;
            let position = (prompt.t, prompt.src);
            round.prompt = Some(round.prompt.map_or(position, |known| known.min(position)));
        }
    }

    fn violations(&self, at: usize, shared: bool) -> Vec<&'static str> {
        let round = &self.list[at];
        let is_first = self.processes[round.process].first == Some(at);
        let early = round.prompt.zip(round.answer).is_some_and(|(prompt, answer)| answer < prompt);
        let codes = [
            ("no_prompt", round.prompts == 0 && !is_first),
            ("two_prompts", round.prompts > 1),
            ("two_ends", round.ends > 1),
            ("early", early),
            ("late", round.late),
            ("two_sessions", shared),
            ("not_a_uuid7", uuid7_ms(&round.name).is_none()),
        ];
        codes.into_iter().filter(|(_, holds)| *holds).map(|(code, _)| code).collect()
    }
}

impl Mode for Rounds {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let event = row.event;
        let Some(facts) = row.facts.filter(|facts| facts.form == Form::Sse) else { return };
        let Some(round) = &event.head.round else { return };
        let at = self.round(event, round);
        let late = self.is_late(at, event);
        let of = &mut self.list[at];
        of.rows += 1;
        of.t_last = of.t_last.max(event.t);
        of.late |= late;
        if of.answer.is_none() && answers(event, &facts.name) {
            of.answer = Some((event.t, event.src));
        }
        match event.what {
            What::Turn(Turn::Completed { .. } | Turn::Aborted | Turn::Stopped) => of.ends += 1,
            What::Turn(Turn::Idle) => of.idles += 1,
            What::Prompt(_) => {
                let process = of.process;
                self.processes[process].open = Some((at, event.t));
                // Whether the session has a better source is no matter of its rounds.
                let event = Event { left_out: None, ..*event };
                self.prompts.feed(&event, &mut self.found);
                self.take_prompts();
            }
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.prompts.finish(&mut self.found);
        self.take_prompts();
        let mut sessions: HashMap<&str, HashSet<Option<&str>>, FixedState> = HashMap::default();
        for round in &self.list {
            let sid = self.processes[round.process].sid.as_deref();
            sessions.entry(&round.name).or_default().insert(sid);
        }
        for (at, round) in self.list.iter().enumerate() {
            let shared = sessions.get(&*round.name).is_some_and(|sids| sids.len() > 1);
            let values = vec![
                or_null(round.t_last),
                or_null(uuid7_ms(&round.name)),
                round.rows.into(),
                round.prompts.into(),
                round.ends.into(),
                round.idles.into(),
                round.turn_ids.clone().into(),
                self.violations(at, shared).into(),
            ];
            let ((t, src), head) = (round.first, Arc::clone(round.agreed.head()));
            out.push(Record { info: &INFO, t, src, head, values });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{claude, records, turn};

    const BOOT: &str = "019b7715-0000-7000-8000-000000000001";
    const FIRST: &str = "019b7715-0001-7000-8000-000000000001";
    const SECOND: &str = "019b7715-0002-7000-8000-000000000001";

    fn within(round: &str, row: &str) -> String {
        row.replace("\"data_count\":", &format!("\"round\":\"{round}\",\"data_count\":"))
    }

    fn codex(ms: i64, round: &str, event: &str, id: &str) -> String {
        within(round, &turn(ms, event, id, &json!({"message": "x", "delta": "d", "item_id": "i"})))
    }

    fn prompt(ms: i64, round: &str, id: &str) -> String {
        codex(ms, round, "turn.user_message", id)
    }

    fn codes(record: &Value) -> Vec<&str> {
        record["violations"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect()
    }

    #[test]
    fn rounds_as_they_should_be() {
        let rows = [
            codex(0, BOOT, "turn.session_configured", "0"),
            codex(5, FIRST, "turn.task_started", "1"),
            prompt(5, FIRST, "1"),
            codex(6, FIRST, "turn.response.delta", "1"),
            codex(9, FIRST, "turn.response.completed", "1"),
            codex(9, FIRST, "codex.idle", "1"),
        ];
        let found = records("rounds", &rows);
        assert_eq!(found.len(), 2);
        assert_eq!((codes(&found[0]), codes(&found[1])), (vec![], vec![]));
        assert_eq!((&found[1]["round"], &found[1]["turn_ids"]), (&json!(FIRST), &json!(["1"])));
        let numbers =
            ["rows", "prompts", "ends", "idles"].map(|key| found[1][key].as_u64().unwrap());
        assert_eq!(numbers, [5, 1, 1, 1]);
        assert_eq!(found[0]["minted"], "2026-01-01T01:03:43.616Z");
        assert_eq!(
            (&found[1]["t"], &found[1]["t_last"]),
            (&json!("2026-01-01T00:00:00.005Z"), &json!("2026-01-01T00:00:00.009Z"))
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        let rows = [
            codex(0, BOOT, "turn.session_configured", "0"),
            codex(4, FIRST, "turn.response.delta", "1"),
            prompt(5, FIRST, "1"),
            prompt(6, FIRST, "2"),
            codex(7, FIRST, "turn.response.completed", "1"),
            codex(8, FIRST, "turn.response.aborted", "2"),
            prompt(9, "r-9", "3"),
            codex(20, FIRST, "turn.diff", "2"),
            codex(21, SECOND, "turn.diff", "2"),
        ];
        let found = records("rounds", &rows);
        assert_eq!(codes(&found[0]), Vec::<&str>::new());
        assert_eq!(codes(&found[1]), ["two_prompts", "two_ends", "early", "late"]);
        assert_eq!(codes(&found[2]), ["not_a_uuid7"]);
        assert_eq!(found[2]["minted"], Value::Null);
        assert_eq!(codes(&found[3]), ["no_prompt"]);
    }

    #[test]
    fn rows_of_one_moment_are_not_late() {
        let rows = [
            prompt(5, FIRST, "1"),
            prompt(50, SECOND, "2"),
            codex(50, FIRST, "turn.task_started", "2"),
        ];
        let found = records("rounds", &rows);
        assert!(found.iter().all(|round| codes(round).is_empty()), "{found:?}");
    }

    #[test]
    fn prompts_of_claude_in_the_round_before() {
        let row = |ms, round: &str, payload: Value| within(round, &claude(ms, &payload));
        let asked = |ms, round: &str, uuid: &str| {
            row(ms, round, json!({"type": "user_prompt", "prompt": "x", "message_uuid": uuid}))
        };
        let rows = [
            row(0, BOOT, json!({"type": "session_start", "source": "new"})),
            asked(10, BOOT, "u1"),
            asked(12, BOOT, "u1"),
            row(
                20,
                FIRST,
                json!({"type": "message_start", "message": {"id": "m"}, "request_id": "r"}),
            ),
            row(30, FIRST, json!({"type": "stop", "is_subagent": false})),
            asked(40, FIRST, "u2"),
            row(
                50,
                SECOND,
                json!({"type": "message_start", "message": {"id": "m2"}, "request_id": "r2"}),
            ),
        ];
        let found = records("rounds", &rows);
        let told: Vec<_> =
            found.iter().map(|r| (codes(r), r["prompts"].as_u64().unwrap())).collect();
        assert_eq!(told, [(vec![], 1), (vec!["early"], 1), (vec!["no_prompt"], 0)]);
    }

    #[test]
    fn a_round_in_two_sessions() {
        let rows = [
            prompt(1, FIRST, "1"),
            prompt(2, FIRST, "1").replace("\"sid\":\"s\"", "\"sid\":\"z\""),
        ];
        let found = records("rounds", &rows);
        assert_eq!(
            found.iter().map(codes).collect::<Vec<_>>(),
            [vec!["two_sessions"], vec!["two_sessions"]]
        );
    }

    #[test]
    fn rows_without_a_round_are_none() {
        assert!(records("rounds", &[turn(1, "turn.diff", "1", &json!({}))]).is_empty());
    }
}

//! `sessions`: what a process did in a session.
//!
//! A process is a session and a pid; logs without pids have one record for a session, and a session
//! that stands in several sources has one for each form. All its rows count, also those that are copies
//! or have a better source; its prompts (`alog-prompts`' without slash commands) and turns
//! (`alog-turns`') count once, where these commands count them.
//!
//! `end` is told by the last row that tells it: `turn.shutdown_complete` and `claude.session_end` say so
//! themselves; the end of a turn and `codex.idle` leave it `idle`; a prompt, the start of a turn and the
//! start of a session leave it `open`. An idle row that comes behind the shutdown changes nothing.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use agentlog::event::{Event, Head, LeftOut, Provider, Session, Src, Turn, What};
use agentlog::fold::prompts::{Kind, Prompt, Prompts};
use agentlog::fold::turn_book::{TurnBook, TurnKey, TurnNews, TurnStatus};
use agentlog::fold::{Agreed, Fold};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::memo::Memo;
use crate::tools::{or_null, text_at};
use crate::{Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "sessions",
    about: "what a process did in a session",
    sources: "all logs",
    own: OWN,
    key: &["sid", "pid"],
    table: &["t", "provider", "sid", "pid", "t_end", "prompts", "rounds", "rows", "end"],
    takes: Takes { deltas: true, left_out: true, select: Select::Records },
    make: |_| Box::<Sessions>::default(),
};

const OWN: &[Field] = &[
    field("t_end", Shape::Time, "when its last row was written"),
    field("resumed", Shape::Bool, "whether the session was there before; null if nothing tells"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("rounds", Shape::Count, "rounds"),
    field("prompts", Shape::Count, "prompts"),
    field("turns_completed", Shape::Count, "turns that ended as they should"),
    field("turns_aborted", Shape::Count, "turns that were aborted"),
    field("models", Shape::Json, "the models that were named, in order"),
    field("cwds", Shape::Json, "the working directories that were named, in order"),
    field(
        "end",
        Shape::OneOf(&["shutdown", "session_end", "idle", "open"]),
        "how it ends: what its last rows tell",
    ),
    field("end_reason", Shape::Text, "the reason that is told"),
];

/// How many models, and how many working directories, are told of a process.
const NAMES: usize = 64;

/// How a process left a session, as far as its rows tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Something goes on, or was started and nothing came of it.
    #[default]
    Open,
    /// The agent was done.
    Idle,
    Shutdown,
    Left,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Idle => "idle",
            Self::Shutdown => "shutdown",
            Self::Left => "session_end",
        }
    }

    /// What the next row makes of it.
    fn then(self, event: &Event<'_>) -> Self {
        let idle = if self == Self::Open { Self::Idle } else { self };
        match event.what {
            What::Session(Session::Started { .. })
            | What::Prompt(_)
            | What::Turn(Turn::Started) => Self::Open,
            What::Session(Session::Ended) if event.head.provider == Some(Provider::Claude) => {
                Self::Left
            }
            What::Session(Session::Ended) => Self::Shutdown,
            What::Turn(Turn::Completed { .. } | Turn::Aborted | Turn::Stopped | Turn::Idle) => idle,
            What::Message(message) if !message.sub_agent => {
                if message.ends {
                    idle
                } else {
                    Self::Open
                }
            }
            _ => self,
        }
    }
}

/// A process in a session.
struct Process {
    agreed: Agreed,
    t: Option<i64>,
    src: Src,
    t_end: Option<i64>,
    resumed: Option<bool>,
    rows: u64,
    bytes: u64,
    /// Hashes of the names of its rounds.
    rounds: HashSet<u64, FixedState>,
    prompts: u64,
    completed: u64,
    aborted: u64,
    models: Vec<String>,
    cwds: Vec<String>,
    end: End,
    reason: Option<String>,
}

impl Process {
    fn new(event: &Event<'_>) -> Self {
        Self {
            agreed: Agreed::new(event.head),
            t: event.t,
            src: event.src,
            t_end: None,
            resumed: None,
            rows: 0,
            bytes: 0,
            rounds: HashSet::default(),
            prompts: 0,
            completed: 0,
            aborted: 0,
            models: Vec::new(),
            cwds: Vec::new(),
            end: End::default(),
            reason: None,
        }
    }

    /// Takes a head that was not met lately.
    fn head(&mut self, head: &Arc<Head>) {
        self.agreed.add(head);
        if let Some(round) = &head.round {
            self.rounds.insert(FixedState::with_seed(0).hash_one(round));
        }
        for (names, name) in [(&mut self.models, &head.model), (&mut self.cwds, &head.cwd)] {
            let Some(name) = name.as_ref().filter(|name| *name != "<synthetic>") else { continue };
            if names.len() < NAMES && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }

    fn record(self) -> Record {
        let or_none = |names: Vec<String>| {
            if names.is_empty() { Value::Null } else { names.into() }
        };
        let values = vec![
            or_null(self.t_end),
            or_null(self.resumed),
            self.rows.into(),
            self.bytes.into(),
            self.rounds.len().into(),
            self.prompts.into(),
            self.completed.into(),
            self.aborted.into(),
            or_none(self.models),
            or_none(self.cwds),
            self.end.name().into(),
            or_null(self.reason),
        ];
        let head = Arc::clone(self.agreed.head());
        Record { info: &INFO, t: self.t, src: self.src, head, values }
    }
}

type Key = (Option<Provider>, Option<String>, Option<i64>);

#[derive(Default)]
struct Sessions {
    heads: Memo<Head>,
    known: HashMap<Key, usize, FixedState>,
    processes: Vec<Process>,
    prompts: Prompts,
    book: TurnBook,
    /// The processes of turns that are open.
    turns: HashMap<TurnKey, usize, FixedState>,
    found: Vec<Prompt>,
    news: Vec<TurnNews>,
}

impl Sessions {
    fn process(&mut self, event: &Event<'_>) -> usize {
        if let Some(at) = self.heads.get(event.head) {
            return at;
        }
        let head = event.head;
        let next = self.processes.len();
        let at = *self.known.entry(key_of(head)).or_insert(next);
        if at == next {
            self.processes.push(Process::new(event));
        }
        self.processes[at].head(head);
        self.heads.put(head, at);
        at
    }

    fn hear(&mut self) {
        for prompt in self.found.drain(..).filter(|prompt| prompt.kind != Kind::Command) {
            if let Some(at) = self.known.get(&key_of(&prompt.head)) {
                self.processes[*at].prompts += 1;
            }
        }
        for news in self.news.drain(..) {
            match news {
                TurnNews::Opened { key, prompt } => {
                    let at = self.known.get(&key_of(&prompt.head)).copied();
                    self.turns.extend(at.map(|at| (key, at)));
                }
                TurnNews::Ended { key, status, .. } => {
                    let Some(at) = self.turns.get(&key) else { continue };
                    match status {
                        TurnStatus::Completed => self.processes[*at].completed += 1,
                        TurnStatus::Aborted => self.processes[*at].aborted += 1,
                        _ => {}
                    }
                }
                TurnNews::Final { key, .. } => drop(self.turns.remove(&key)),
            }
        }
    }
}

fn key_of(head: &Head) -> Key {
    (head.provider, head.sid.clone(), head.pid)
}

impl Mode for Sessions {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let event = row.event;
        if row.facts.is_some_and(|facts| facts.form == Form::Request) {
            return;
        }
        let at = self.process(event);
        let process = &mut self.processes[at];
        if let Some(facts) = row.facts {
            process.rows += 1;
            process.bytes += event.src.len;
            process.t_end = process.t_end.max(event.t);
            if matches!(event.what, What::Session(Session::Ended)) {
                process.reason = text_at(&facts.payload, &["reason"]).map(String::from);
            }
        }
        if event.head.agent.is_none() && event.left_out != Some(LeftOut::Copy) {
            process.end = process.end.then(event);
        }
        let of_turns = matches!(
            event.what,
            What::Prompt(_) | What::Queue(_) | What::Session(_) | What::Turn(_) | What::Message(_)
        );
        if !of_turns {
            return;
        }
        if let What::Session(Session::Started { resumed }) = event.what {
            process.resumed.get_or_insert(*resumed);
        }
        if process.end == End::Open {
            process.reason = None;
        }
        self.prompts.feed(event, &mut self.found);
        self.book.place(event, &mut self.news);
        self.hear();
    }

    fn advance(&mut self, t: i64, _out: &mut Vec<Record>) {
        self.prompts.advance(t, &mut self.found);
        self.book.advance(t, &mut self.news);
        self.hear();
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.prompts.finish(&mut self.found);
        self.book.finish(&mut self.news);
        self.hear();
        // A thread may be told before its first row, and have none.
        let told = self.processes.drain(..).filter(|process| process.rows > 0);
        out.extend(told.map(Process::record));
        self.known.clear();
        self.heads = Memo::default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{claude, records, request, sse, turn};

    fn started(ms: i64, payload: &Value) -> String {
        turn(ms, "turn.session_configured", "0", payload)
    }

    fn prompt(ms: i64, id: &str) -> String {
        turn(ms, "turn.user_message", id, &json!({"message": format!("prompt {id}")}))
    }

    fn idle(ms: i64, id: &str) -> String {
        sse(ms, "codex.idle", id, &json!({"type": "codex.idle"}))
    }

    #[test]
    fn a_process_and_what_it_did() {
        let rows = [
            started(0, &json!({"model": "gpt-x", "cwd": "/w"})),
            prompt(1000, "1"),
            turn(2000, "turn.response.completed", "1", &json!({"last_agent_message": "done"})),
            idle(2001, "1"),
            prompt(5000, "2"),
            turn(6000, "turn.response.aborted", "2", &json!({"reason": "interrupted"})),
            turn(9000, "turn.shutdown_complete", "2", &Value::Null),
            request(9500, "responses", &json!({"input": []})),
        ];
        let found = records("sessions", &rows);
        assert_eq!(found.len(), 1);
        let record = &found[0];
        let bytes: usize = rows[..7].iter().map(String::len).sum();
        assert_eq!((&record["rows"], &record["bytes"]), (&json!(7), &json!(bytes)));
        assert_eq!((&record["prompts"], &record["resumed"]), (&json!(2), &json!(false)));
        assert_eq!((&record["turns_completed"], &record["turns_aborted"]), (&json!(1), &json!(1)));
        assert_eq!((&record["models"], &record["cwds"]), (&json!(["gpt-x"]), &json!(["/w"])));
        assert_eq!((&record["end"], &record["end_reason"]), (&json!("shutdown"), &Value::Null));
        assert_eq!(
            (&record["t"], &record["t_end"]),
            (&json!("2026-01-01T00:00:00.000Z"), &json!("2026-01-01T00:00:09.000Z"))
        );
        assert_eq!(
            (record["sid"].as_str(), record["pid"].as_i64(), record.get("turn_id")),
            (Some("s"), Some(1), None)
        );
    }

    #[test]
    fn how_it_ends_is_told_by_the_last_telling_row() {
        let end = |rows: &[String]| {
            let found = records("sessions", rows);
            (found[0]["end"].clone(), found[0]["end_reason"].clone())
        };
        let only = |name: &str| (json!(name), Value::Null);
        assert_eq!(end(&[started(0, &json!({}))]), only("open"));
        assert_eq!(end(&[prompt(1, "1"), idle(2, "1")]), only("idle"));
        assert_eq!(end(&[prompt(1, "1"), idle(2, "1"), prompt(3, "2")]), only("open"));
        let down = turn(3, "turn.shutdown_complete", "1", &Value::Null);
        assert_eq!(end(&[prompt(1, "1"), down.clone(), idle(3, "1")]), only("shutdown"));
        assert_eq!(end(&[down, prompt(4, "2")]), only("open"));
        let over = claude(9, &json!({"type": "session_end", "reason": "clear"}));
        assert_eq!(end(std::slice::from_ref(&over)), (json!("session_end"), json!("clear")));
        let asked = claude(10, &json!({"type": "user_prompt", "prompt": "x"}));
        assert_eq!(end(&[over, asked]), only("open"));
    }

    #[test]
    fn each_process_of_a_session_has_a_record() {
        let other = |row: String| row.replace("\\\"pid\\\":1,", "\\\"pid\\\":7,");
        let rows = [
            started(0, &json!({})),
            prompt(1, "1"),
            other(started(
                50,
                &json!({"initial_messages": [{"type": "user_message", "message": "old"}]}),
            )),
            other(prompt(60, "1")).replace("prompt 1", "prompt 7"),
        ];
        let found = records("sessions", &rows);
        let told: Vec<_> = found
            .iter()
            .map(|r| (r["pid"].as_i64(), r["resumed"].as_bool(), r["prompts"].as_u64()))
            .collect();
        assert_eq!(told, [(Some(1), Some(false), Some(1)), (Some(7), Some(true), Some(1))]);
    }

    #[test]
    fn transcripts_have_sessions_without_processes() {
        let row = |kind: &str, s: i64, message: Value| {
            json!({"type": kind, "uuid": format!("u{s}"), "sessionId": "c", "cwd": "/x", "version": "2.0.1",
                "timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "message": message}).to_string()
        };
        let rows = [
            row("user", 1, json!({"role": "user", "content": "hello"})),
            row(
                "assistant",
                2,
                json!({"id": "m", "role": "assistant", "model": "claude-x", "content": [{"type": "text", "text": "hi"}]}),
            ),
        ];
        let found = records("sessions", &rows);
        assert_eq!(found.len(), 1);
        let record = &found[0];
        assert_eq!(
            (&record["rows"], &record["prompts"], &record["end"]),
            (&json!(2), &json!(1), &json!("idle"))
        );
        assert_eq!((&record["resumed"], &record["models"]), (&Value::Null, &json!(["claude-x"])));
        assert_eq!((&record["rounds"], &record["cwds"]), (&json!(0), &json!(["/x"])));
    }
}

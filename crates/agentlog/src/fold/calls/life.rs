//! All that is known of one call while it is open.

use serde::{Deserialize, Serialize};

use super::args::Args;
use super::outcome::{Outcome, outcome};
use super::record::{Call, CallKind, State};
use super::rules::{Facts, RULES};
use crate::event::{Event, Execution, ItemKind, Output, Src, Tool};
use crate::fold::turn_book::{TurnKey, TurnStatus};
use crate::fold::{Agreed, SETTLE_MS, Used};

/// A row, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub t: Option<i64>,
    pub src: Src,
}

impl Mark {
    pub fn of(event: &Event<'_>) -> Self {
        Self { t: event.t, src: event.src }
    }
}

/// The steps of a call that are counted row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `response.output_item.added`, `claude.content_block_start`.
    Added,
    /// `response.output_item.done`.
    Done,
    /// `turn.raw_response_item` with the call.
    Raw,
    Begin,
    End,
    Result,
}

impl Step {
    pub const ALL: [Self; 6] =
        [Self::Added, Self::Done, Self::Raw, Self::Begin, Self::End, Self::Result];

    /// What a row of it counts for, the first time and again.
    fn uses(self) -> [&'static str; 2] {
        match self {
            Self::Added => ["announced", "announced again"],
            Self::Done => ["whole item", "whole item again"],
            Self::Raw => ["item of the conversation", "item of the conversation again"],
            Self::Begin => ["begin", "begin again"],
            Self::End => ["end", "end again"],
            Self::Result => ["result", "result again"],
        }
    }
}

/// The rows of one step.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub count: u64,
    pub first: Option<Mark>,
    pub second: Option<Mark>,
    pub last: Option<Mark>,
}

/// What is remembered of a call that was given out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Past {
    pub state: State,
    /// The steps that had rows, one bit each.
    steps: u8,
    pub by_user: bool,
}

impl Past {
    pub fn had(self, step: Step) -> bool {
        self.steps & (1 << step as u8) != 0
    }
}

/// How the turn of a call ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Fate {
    /// None for a turn that was never seen to end.
    pub status: Option<TurnStatus>,
    /// The row that ended it.
    pub end: Option<Mark>,
    /// When it ended, or the log time by which it was over.
    pub t: i64,
}

/// A call that is open.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct Life {
    pub agreed: Agreed,
    pub first: Mark,
    /// The first row that announced it.
    pub announced: Option<Mark>,
    pub session: u32,
    /// Its name among the session's calls.
    pub key: Option<u64>,
    /// The stream of its arguments.
    pub stream: Option<u64>,
    pub call_id: Option<Box<str>>,
    pub item_id: Option<Box<str>>,
    pub request_id: Option<Box<str>>,
    pub name: Option<Box<str>>,
    /// What it was announced as, by Codex.
    pub item: Option<ItemKind>,
    /// What ran for it.
    pub ran: Option<Tool>,
    pub steps: [Seen; Step::ALL.len()],
    pub args: Args,
    /// When its arguments were complete.
    pub stop: Option<Mark>,
    /// The last end of an execution.
    pub end: Option<Execution>,
    pub result: Option<Output>,
    /// Whether the second result says the same as the first.
    pub same_again: Option<bool>,
    pub by_user: bool,
    /// A call with this id was given out before.
    pub past: Option<Past>,
    pub turn: Option<TurnKey>,
    /// Known when the turn is final.
    pub fate: Option<Fate>,
    /// The ordinal of its turn, likewise.
    pub session_turn: Option<u64>,
    /// The last row's time.
    pub last_t: i64,
    /// When it is to be given out.
    pub due: Option<i64>,
    /// Whether it waits for a first result in its session.
    pub unsure: bool,
    pub rows: Option<Vec<Used>>,
}

impl Life {
    pub fn new(event: &Event<'_>, session: u32, now: i64, explain: bool) -> Self {
        Self {
            agreed: Agreed::new(event.head),
            first: Mark::of(event),
            announced: None,
            session,
            key: None,
            stream: None,
            call_id: None,
            item_id: None,
            request_id: None,
            name: None,
            item: None,
            ran: None,
            steps: Default::default(),
            args: Args::default(),
            stop: None,
            end: None,
            result: None,
            same_again: None,
            by_user: false,
            past: None,
            turn: None,
            fate: None,
            session_turn: None,
            last_t: now,
            due: None,
            unsure: false,
            rows: explain.then(Vec::new),
        }
    }

    /// Counts a row of a step.
    pub fn step(&mut self, step: Step, event: &Event<'_>, now: i64) {
        let mark = Mark::of(event);
        let seen = &mut self.steps[step as usize];
        seen.count += 1;
        if seen.count == 2 {
            seen.second = Some(mark);
        }
        seen.first = seen.first.or(Some(mark));
        seen.last = Some(mark);
        if matches!(step, Step::Added | Step::Done | Step::Raw) {
            self.announced = self.announced.or(Some(mark));
        }
        let again = self.count(step) > 1 || self.past.is_some_and(|past| past.had(step));
        self.note(event, now, step.uses()[usize::from(again)]);
    }

    /// Takes what all rows have.
    pub fn note(&mut self, event: &Event<'_>, now: i64, how: &'static str) {
        self.agreed.add(event.head);
        self.last_t = self.last_t.max(now);
        if let Some(rows) = &mut self.rows {
            rows.push(Used { src: event.src, how });
        }
    }

    pub fn seen(&self, step: Step) -> &Seen {
        &self.steps[step as usize]
    }

    pub fn count(&self, step: Step) -> u64 {
        self.seen(step).count
    }

    /// Whether it was announced, or run.
    pub fn is_known(&self) -> bool {
        self.announced.is_some() || self.count(Step::Begin) + self.count(Step::End) > 0
    }

    /// Whether its announcement is whole. One that breaks off is never run: the request failed, and
    /// was made again.
    pub fn is_ready(&self) -> bool {
        self.stop.is_some() || self.args.is_whole() || self.count(Step::Raw) > 0
    }

    /// Whether the model's server runs the tool, so that its result is no row of its own.
    fn is_served(&self) -> bool {
        let id = self.call_id.as_deref().unwrap_or_default();
        let by_id = ["srvtoolu_", "mcptoolu_"].iter().any(|prefix| id.starts_with(prefix));
        by_id || self.item == Some(ItemKind::WebSearch)
    }

    /// Whether what was asked for came: a result, or the end of what the server runs.
    pub fn is_answered(&self) -> bool {
        let served = || self.stop.is_some() || self.count(Step::Raw) > 0;
        self.result.is_some() || self.by_user && self.end.is_some() || self.is_served() && served()
    }

    /// Whether something was begun that has not ended.
    pub fn is_running(&self) -> bool {
        self.count(Step::Begin) > self.count(Step::End)
    }

    /// When nothing can change it any more, if that is known.
    pub fn settles(&self) -> Option<i64> {
        let after = |t: i64| Some(t.saturating_add(SETTLE_MS));
        if self.past.is_some() || self.is_answered() && !self.is_running() {
            return after(self.last_t);
        }
        after(self.last_t.max(self.fate?.t))
    }

    /// What became of it. `results` says whether its session has any result.
    pub fn state(&self, results: bool) -> State {
        let told = self.past.map(|past| past.state);
        if let Some(state @ (State::Completed | State::Failed | State::Orphan)) = told {
            return state;
        }
        if self.is_answered() {
            return match self.outcome().failed {
                _ if !self.is_known() && told.is_none() => State::Orphan,
                Some(true) => State::Failed,
                _ => State::Completed,
            };
        }
        told.unwrap_or_else(|| match self.fate.map(|fate| fate.status) {
            Some(Some(TurnStatus::Completed)) if results => State::Unanswered,
            Some(Some(TurnStatus::Completed)) => State::Unknown,
            None | Some(Some(TurnStatus::Open)) => State::Pending,
            Some(_) => State::Cancelled,
        })
    }

    /// Whether its arguments have to be a JSON object.
    pub fn takes_json(&self) -> bool {
        matches!(self.item, None | Some(ItemKind::FunctionCall))
    }

    pub fn outcome(&self) -> Outcome {
        outcome(self.end.as_ref(), self.result.as_ref())
    }

    /// What is remembered of it once it was given out.
    pub fn past(&self, state: State) -> Past {
        let of = |step: &Step| u8::from(self.count(*step) > 0) << *step as u8;
        let before = self.past.map_or(0, |past| past.steps);
        let steps = before | Step::ALL.iter().map(of).sum::<u8>();
        Past { state, steps, by_user: self.by_user }
    }

    fn kind(&self) -> Option<CallKind> {
        let named_mcp = || self.name.as_deref().is_some_and(is_mcp_name);
        let of_tool = |tool| match tool {
            Tool::Shell => CallKind::Shell,
            Tool::Mcp => CallKind::Mcp,
            Tool::Patch => CallKind::Patch,
        };
        let of_item = |item| match item {
            ItemKind::CustomCall => CallKind::Custom,
            ItemKind::LocalShell => CallKind::Shell,
            ItemKind::WebSearch => CallKind::WebSearch,
            _ if named_mcp() => CallKind::Mcp,
            _ => CallKind::Function,
        };
        let of_claude = || if named_mcp() { CallKind::Mcp } else { CallKind::Tool };
        let claude = self.announced.is_some() && self.item.is_none();
        let item = || self.item.map(of_item);
        self.ran.map(of_tool).or_else(item).or_else(|| claude.then(of_claude))
    }

    /// When it began and ended, and how long it took.
    fn times(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        let (begin, end) = (self.seen(Step::Begin), self.seen(Step::End));
        let ran = begin.count + end.count > 0;
        let time = |mark: Option<Mark>| mark.and_then(|mark| mark.t);
        let (t_begin, t_end) = if ran {
            (time(begin.first), time(end.last))
        } else {
            (time(self.stop), time(self.seen(Step::Result).first))
        };
        let between = t_begin.zip(t_end).map(|(from, to)| to - from);
        let told = || self.end.filter(|_| t_begin.is_none())?.duration_ms;
        (t_begin, t_end, between.or_else(told).filter(|ms| *ms >= 0))
    }

    /// The record of it.
    pub fn record(mut self, state: State, session_turn: Option<u64>, tolerance_ms: i64) -> Call {
        let Outcome { exit_code, failed } = self.outcome();
        let facts = Facts { life: &self, state, tolerance_ms };
        let violations = RULES.iter().filter_map(|rule| rule.broken_by(&facts)).collect();
        let (t_begin, t_end, duration_ms) = self.times();
        let start = self.announced.unwrap_or(self.first);
        let cut = [
            self.args.is_cut(),
            self.end.map(|end| end.truncated),
            self.result.map(|result| result.truncated),
        ];
        let well = matches!(state, State::Completed) || self.is_answered();
        Call {
            t: start.t,
            src: start.src,
            kind: self.kind(),
            state,
            ok: failed.map(|failed| !failed).or(well.then_some(true)),
            exit_code,
            t_begin,
            t_end,
            duration_ms,
            args_bytes: self.args.bytes(),
            output_bytes: self.result.map(|result| result.bytes),
            truncated: cut.into_iter().flatten().reduce(|a, b| a | b),
            session_turn,
            violations,
            rows: self.rows.take().unwrap_or_default(),
            head: self.agreed.head().clone(),
            call_id: self.call_id,
            item_id: self.item_id,
            request_id: self.request_id,
            name: self.name,
        }
    }
}

/// `server__tool`, `mcp__server__tool`.
fn is_mcp_name(name: &str) -> bool {
    name.split_once("__").is_some_and(|(server, tool)| !server.is_empty() && !tool.is_empty())
}

//! Tool calls: each with its life, from the announcement to the result, and the rules that it
//! broke.
//!
//! A call is named by its id within its session, whatever the process. It is given out two seconds
//! after its result, so that what comes twice is seen; if something runs for it still, or it has no
//! result, two seconds after its turn is final. Where a session never logged a result, calls
//! without one wait for the end of the input: only then it is known that there is none. Rows that
//! come later still make a record of their own: of finished calls a few bytes are remembered.

mod args;
mod life;
mod outcome;
mod record;
mod rows;
mod rules;
mod sessions;
mod stats;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::Fold;
use super::resume::{self, Resume};
use super::turn_book::{TurnBook, TurnKey, TurnNews, TurnStatus};
use crate::event::Event;
use crate::state::{self, BadState};
use life::{Fate, Life, Mark};
use sessions::{Sessions, Slot, StreamOf};

pub use outcome::{Outcome, outcome};
pub use record::{Call, CallKind, Severity, State, Violation};
pub use rules::{RULES, Rule};
pub use stats::{CallStats, stats};

/// Events that the fold reads beside those of the turn book.
pub const EVENTS: &[&str] = &[
    "response.output_item.added",
    "response.output_item.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta",
    "response.custom_tool_call_input.done",
    "turn.raw_response_item",
    "turn.exec.begin",
    "turn.exec.end",
    "turn.mcp_tool_call.begin",
    "turn.mcp_tool_call.end",
    "turn.patch_apply.begin",
    "turn.patch_apply.end",
    "claude.content_block_start",
    "claude.content_block_delta",
    "claude.content_block_stop",
    "claude.tool_result",
];

/// What the words of rows may be, see [`super::Used`].
pub(super) const HOWS: &[&str] = &[
    "announced",
    "announced again",
    "whole item",
    "whole item again",
    "item of the conversation",
    "item of the conversation again",
    "begin",
    "begin again",
    "end",
    "end again",
    "result",
    "result again",
    "whole arguments",
    "delta of the arguments",
    "end of the arguments",
    rows::SAID_BEFORE,
];

/// How long a stream of arguments waits for its call, in milliseconds: the start row may be lost,
/// and the done row tells the call, too.
const LOOSE_MS: i64 = 60_000;

/// Of how many turns the ordinals are known after they were final, for rows that come later.
const FINALS: usize = 256;

/// How calls are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How far rows may be out of order, in milliseconds.
    pub tolerance_ms: i64,
    /// Keep what was used for each record.
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { tolerance_ms: 50, explain: false }
    }
}

/// The fold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Calls {
    options: Options,
    book: TurnBook,
    /// Empty between rows.
    #[serde(skip)]
    news: Vec<TurnNews>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    turns: HashMap<TurnKey, Turn, FixedState>,
    /// The ordinals of turns that are final, oldest first.
    finals: VecDeque<(TurnKey, Option<u64>)>,
    sessions: Sessions,
    /// Open calls; a place that is free is used again.
    lives: Vec<Option<Box<Life>>>,
    free: Vec<Slot>,
    /// What is due when. An entry whose call has another time by now means nothing.
    #[serde(serialize_with = "crate::state::sorted_heap")]
    due: BinaryHeap<Reverse<(i64, Due)>>,
    /// The latest time that the log has come to.
    now: i64,
}

/// What waits for time to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Due {
    Call(Slot),
    /// A loose stream, by session and name.
    Stream(u32, u64),
}

/// A turn that is not final.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Turn {
    /// Of its prompt, in the session.
    ordinal: Option<u64>,
    status: Option<TurnStatus>,
    end: Option<Mark>,
    /// The calls that were placed in it.
    calls: Vec<Slot>,
}

impl Calls {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self { options, now: i64::MIN, ..Self::default() }
    }

    /// Takes what became of turns.
    fn hear(&mut self) {
        if self.news.is_empty() {
            return;
        }
        for news in std::mem::take(&mut self.news) {
            match news {
                TurnNews::Opened { key, prompt } => {
                    self.turns.entry(key).or_default().ordinal = prompt.session_turn;
                    let session = self.sessions.number(&prompt.head);
                    self.end_astray(session, TurnStatus::Superseded, prompt.t, None);
                }
                TurnNews::Ended { key, status, t, src } => {
                    let turn = self.turns.entry(key).or_default();
                    turn.status = Some(status);
                    turn.end = src.map(|src| Mark { t, src });
                }
                TurnNews::Final { key, .. } => self.turn_is_final(key),
            }
        }
    }

    fn turn_is_final(&mut self, key: TurnKey) {
        let turn = self.turns.remove(&key).unwrap_or_default();
        let Turn { ordinal, status, end, calls } = turn;
        let t = end.and_then(|end| end.t).unwrap_or(self.now);
        for slot in calls {
            if let Some(life) = self.life(slot).filter(|life| life.turn == Some(key)) {
                life.fate = Some(Fate { status, end, t });
                life.session_turn = ordinal;
                self.schedule(slot);
            }
        }
        if self.finals.len() >= FINALS {
            self.finals.pop_front();
        }
        self.finals.push_back((key, ordinal));
    }

    /// Places a call in a turn. What follows a turn that is final has no prompt, or none that
    /// counts: a slash command, a notice. Such calls go astray until something ends them.
    fn join(&mut self, slot: Slot, turn: Option<TurnKey>) {
        let Some(key) = turn else { return };
        let open = self.book.is_open(key) || self.turns.contains_key(&key);
        let ordinal = self.finals.iter().rev().find(|(other, _)| *other == key);
        let ordinal = ordinal.and_then(|(_, ordinal)| *ordinal);
        let Some(life) = self.life(slot) else { return };
        (life.turn, life.fate, life.session_turn) = (turn, None, ordinal);
        let session = life.session;
        if open {
            self.turns.entry(key).or_default().calls.push(slot);
        } else {
            self.sessions.get(session).astray.push(slot);
        }
    }

    /// Ends the astray calls of a session that began by then, as their turn would.
    fn end_astray(&mut self, session: u32, how: TurnStatus, t: Option<i64>, end: Option<Mark>) {
        for slot in std::mem::take(&mut self.sessions.get(session).astray) {
            let now = t.unwrap_or(self.now);
            let Some(life) = self.life(slot) else { continue };
            if life.first.t.is_some_and(|first| first > now) {
                self.sessions.get(session).astray.push(slot);
            } else {
                life.fate = Some(Fate { status: Some(how), end, t: now });
                self.schedule(slot);
            }
        }
    }

    fn life(&mut self, slot: Slot) -> Option<&mut Life> {
        self.lives.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Sees to it that a call is given out in time, after something happened to it.
    fn schedule(&mut self, slot: Slot) {
        let Some(life) = self.life(slot) else { return };
        let due = life.settles();
        if let Some(due) = due.filter(|_| due != life.due) {
            self.due.push(Reverse((due, Due::Call(slot))));
        }
        if let Some(life) = self.life(slot) {
            life.due = due;
        }
    }

    /// A first result came in a session: whoever waited for that goes out.
    fn wake(&mut self, session: u32) {
        for slot in std::mem::take(&mut self.sessions.get(session).unsure) {
            let now = self.now;
            if let Some(life) = self.life(slot).filter(|life| life.unsure) {
                (life.unsure, life.due) = (false, Some(now));
                self.due.push(Reverse((now, Due::Call(slot))));
            }
        }
    }

    /// Gives out what is due before `t`; what is due at once, in order of time.
    fn release(&mut self, t: i64, out: &mut Vec<Call>) {
        let mut group = (i64::MIN, out.len());
        while let Some(Reverse((due, what))) = self.due.peek().copied() {
            if due >= t && t != i64::MAX {
                break;
            }
            self.due.pop();
            if due != group.0 {
                sort(&mut out[group.1..]);
                group = (due, out.len());
            }
            match what {
                Due::Stream(session, name) => self.drop_loose(session, name, t),
                Due::Call(slot) => {
                    if self.life(slot).is_some_and(|life| life.due == Some(due)) {
                        self.give_out(slot, false, out);
                    }
                }
            }
        }
        sort(&mut out[group.1..]);
    }

    /// Lets a stream go that no call came for.
    fn drop_loose(&mut self, session: u32, name: u64, t: i64) {
        let streams = &mut self.sessions.get(session).streams;
        let Some(StreamOf::Loose(loose)) = streams.get(&name) else { return };
        let until = loose.last_t.saturating_add(LOOSE_MS);
        if until < t {
            streams.remove(&name);
        } else {
            self.due.push(Reverse((until, Due::Stream(session, name))));
        }
    }

    /// Ends a call: its record, unless it has to wait, and what is remembered of it. `over` says
    /// that the input is.
    fn give_out(&mut self, slot: Slot, over: bool, out: &mut Vec<Call>) {
        let Some(mut life) = self.lives.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        let session = self.sessions.get(life.session);
        let state = life.state(session.has_results);
        if state == State::Unknown && !over {
            (life.unsure, life.due) = (true, None);
            session.unsure.push(slot);
            self.lives[slot as usize] = Some(life);
            return;
        }
        self.free.push(slot);
        session.nameless.retain(|other| *other != slot);
        session.astray.retain(|other| *other != slot);
        let past = life.past(state);
        if let Some(name) = life.key {
            session.calls.remove(&name);
            session.past.insert(name, past);
        }
        if let Some(name) = life.stream {
            session.streams.remove(&name);
            session.past.insert(name, past);
        }
        if life.by_user {
            return;
        }
        let turn = life.turn.and_then(|key| self.turns.get(&key));
        let session_turn = life.session_turn.or(turn.and_then(|turn| turn.ordinal));
        out.push(life.record(state, session_turn, self.options.tolerance_ms));
    }
}

impl Fold for Calls {
    type Record = Call;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Call>) {
        if let Some(t) = event.t.filter(|t| *t > self.now) {
            // What was over before this row must not take it, however long nothing came.
            self.book.advance(t, &mut self.news);
            self.hear();
            self.now = t;
            self.release(t, out);
        }
        let turn = self.book.place(event, &mut self.news);
        self.hear();
        self.take(event, turn);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Call>) {
        self.book.advance(t, &mut self.news);
        self.hear();
        if t != i64::MAX {
            self.now = self.now.max(t);
        }
        self.release(t, out);
    }

    fn waits(&self) -> bool {
        !self.due.is_empty() || self.book.waits()
    }

    fn open_records(&self, out: &mut Vec<Call>) {
        let from = out.len();
        let lives = self.lives.iter().flatten().map(|life| &**life);
        for life in lives.filter(|life| !life.by_user && life.announced.is_some()) {
            let state = match life.state(self.sessions.have_results(life.session)) {
                State::Unknown => State::Pending,
                state => state,
            };
            let turn = life.turn.and_then(|key| self.turns.get(&key));
            let session_turn = life.session_turn.or(turn.and_then(|turn| turn.ordinal));
            out.push(life.clone().record(state, session_turn, self.options.tolerance_ms));
        }
        sort(&mut out[from..]);
    }

    fn finish(&mut self, out: &mut Vec<Call>) {
        self.book.finish(&mut self.news);
        self.hear();
        let from = out.len();
        for slot in 0..self.lives.len() as Slot {
            self.give_out(slot, true, out);
        }
        sort(&mut out[from..]);
    }
}

/// What stays for ever: of each call that was given out, and of its stream, some ten bytes, and what
/// the turn book keeps of sessions.
impl Resume for Calls {
    fn save(&self, out: &mut Vec<u8>) {
        state::write("calls", self, out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        resume::load("calls", bytes, self, |fold| fold.options)
    }
}

/// Puts calls that are final at once in order of time.
fn sort(calls: &mut [Call]) {
    calls.sort_by_key(|call| (call.t, call.src));
}

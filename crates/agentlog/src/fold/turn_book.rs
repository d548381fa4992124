//! Which turn each row belongs to, and how turns end: what turns, tokens and calls all ask.
//!
//! Rows of one millisecond have no order among themselves (Codex writes them from several tasks),
//! so nothing is decided before the log has come to a later time.

mod process;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::Fold;
use super::prompts::{self, Kind, Prompt, Prompts};
use crate::event::{Event, Head, Session, Src, Turn, What};
use process::Sessions;
use slot::{End, Slot};

/// Events whose rows open, end or place turns. Rows of other events can be placed, too.
pub const EVENTS: &[&str] = &[
    "turn.user_message",
    "codex.user_prompt",
    "claude.user_prompt",
    "claude.queue_operation",
    "turn.session_configured",
    "turn.task_started",
    "turn.response.completed",
    "turn.response.aborted",
    "turn.shutdown_complete",
    "codex.idle",
    "claude.session_start",
    "claude.session_end",
    "claude.stop",
    "claude.turn_end",
];

/// Names a turn, or what may become one: the rows of a turn can come before its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TurnKey(u64);

/// How a turn ended; the better known comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TurnStatus {
    /// The agent was done.
    Completed,
    /// The user interrupted it.
    Aborted,
    /// The session ended first.
    Shutdown,
    /// A later prompt of the same session came, in any process.
    Superseded,
    /// The log ends first.
    Open,
}

impl TurnStatus {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Shutdown => "shutdown",
            Self::Superseded => "superseded",
            Self::Open => "open",
        }
    }
}

/// What became of a turn.
#[derive(Clone, Debug)]
pub enum TurnNews {
    /// Its prompt is known, and with it its ordinal in the session (`prompt.session_turn`). Rows
    /// may have been placed in it before.
    Opened {
        /// Which turn.
        key: TurnKey,
        /// The prompt that opened it.
        prompt: Box<Prompt>,
    },
    /// It ended. Rows may still be placed in it until it is final.
    Ended {
        /// Which turn.
        key: TurnKey,
        /// How it ended.
        status: TurnStatus,
        /// When, if it was completed, aborted or shut down.
        t: Option<i64>,
        /// The row that ended it, likewise.
        src: Option<Src>,
    },
    /// Nothing more belongs to it: a row that is placed in it now comes too late.
    Final {
        /// Which turn.
        key: TurnKey,
        /// When the agent was idle again, if that was logged.
        idle_t: Option<i64>,
        /// Whether the rounds of its prompt, task start and end contradicted each other.
        repaired: bool,
    },
}

/// How long after the next prompt a completed turn still waits for its idle, in milliseconds.
const IDLE_AFTER_PROMPT_MS: i64 = 100;

/// Places rows in turns.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub struct TurnBook {
    /// Tells which rows are prompts.
    prompts: Prompts,
    sessions: Sessions,
    /// Turns that are not final.
    #[serde(serialize_with = "crate::state::sorted_map")]
    slots: HashMap<TurnKey, Slot, FixedState>,
    /// Turns with an end.
    ended: Vec<TurnKey>,
    /// Idle rows of which it is not known yet whose they are.
    idles: Vec<Idle>,
    /// Turns whose rows came, but never a prompt, and that nothing names any more.
    forgotten: Vec<TurnKey>,
    next: u64,
    /// The time up to which ends were decided.
    settled_t: i64,
    /// Lent to the fold of prompts; empty between rows.
    #[serde(skip)]
    found: Vec<Prompt>,
}

#[derive(Debug, Serialize, Deserialize, Clone)]
struct Idle {
    t: i64,
    #[serde(with = "crate::state::head")]
    head: Arc<Head>,
}

impl Default for TurnBook {
    fn default() -> Self {
        let options = prompts::Options { explain: true, ..prompts::Options::default() };
        Self {
            prompts: Prompts::new(options),
            sessions: Sessions::default(),
            slots: HashMap::default(),
            ended: Vec::new(),
            idles: Vec::new(),
            forgotten: Vec::new(),
            next: 0,
            settled_t: i64::MIN,
            found: Vec::new(),
        }
    }
}

impl TurnBook {
    /// The turn that the event belongs to; none if it stands outside of all turns. What becomes
    /// of turns by it is appended to `news`, first what ended before it. The turn may be final
    /// already, or never get a prompt.
    pub fn place(&mut self, event: &Event<'_>, news: &mut Vec<TurnNews>) -> Option<TurnKey> {
        if let Some(t) = event.t {
            self.advance(t, news);
        }
        if event.left_out.is_some() {
            return None;
        }
        if event.head.agent.is_some() {
            // What a sub-agent does is a part of the turn that is open.
            return self.turn_of(event.head, event.t);
        }
        match event.what {
            What::Prompt(_) | What::Queue(_) => return self.prompt(event, news),
            What::Session(Session::Started { .. }) => return None,
            What::Session(Session::Ended) => {
                self.session_ended(event);
                return self.turn_of(event.head, event.t);
            }
            What::Turn(Turn::Idle) => {
                self.idles.extend(event.t.map(|t| Idle { t, head: Arc::clone(event.head) }));
            }
            _ => {}
        }
        let key = self.turn_of(event.head, event.t)?;
        let Some(slot) = self.slots.get_mut(&key) else { return Some(key) };
        match event.what {
            What::Turn(turn) => slot.turn_row(turn, event),
            What::Message(message) if !message.sub_agent => slot.message(message.ends, event),
            _ => {}
        }
        if slot.end.is_some() {
            note(&mut self.ended, key, slot);
        }
        Some(key)
    }

    /// Log time has come to `t`: what stands before that is decided.
    pub fn advance(&mut self, t: i64, news: &mut Vec<TurnNews>) {
        if self.prompts.waits() {
            let mut found = std::mem::take(&mut self.found);
            self.prompts.advance(t, &mut found);
            self.open_all(&mut found, news);
            self.found = found;
        }
        if self.idles.first().is_some_and(|idle| idle.t < t) {
            self.settle_idles(t);
        }
        // At one time all is looked at once: turns of one instant may be many.
        if !self.ended.is_empty() && (t > self.settled_t || t == i64::MAX) {
            // That says that nothing comes for now; time goes on from where it was.
            if t != i64::MAX {
                self.settled_t = t;
            }
            self.settle(t, news);
        }
        news.extend(self.forgotten.drain(..).map(|key| TurnNews::Final {
            key,
            idle_t: None,
            repaired: false,
        }));
    }

    /// Whether rows may still be placed in a turn.
    pub fn is_open(&self, key: TurnKey) -> bool {
        self.slots.contains_key(&key)
    }

    /// How a turn ended as far as is known by now, and when: rows of that millisecond may still say
    /// otherwise.
    pub fn end_by_now(&self, key: TurnKey) -> Option<(TurnStatus, Option<i64>)> {
        let end = self.slots.get(&key)?.end.as_ref()?;
        Some((end.status, end.t.filter(|_| end.status < TurnStatus::Superseded)))
    }

    /// Whether a turn waits for time to pass.
    pub fn waits(&self) -> bool {
        !self.ended.is_empty() || !self.idles.is_empty() || self.prompts.waits()
    }

    /// The input is over: what is open ends as [`TurnStatus::Open`], unless a `claude.turn_end`
    /// tells that it was completed.
    pub fn finish(&mut self, news: &mut Vec<TurnNews>) {
        let mut found = std::mem::take(&mut self.found);
        self.prompts.finish(&mut found);
        self.open_all(&mut found, news);
        self.settle_idles(i64::MAX);
        let mut left: Vec<TurnKey> = self.slots.keys().copied().collect();
        left.sort_unstable();
        for key in left {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.close(TurnStatus::Open, None);
                note(&mut self.ended, key, slot);
            }
        }
        self.settle(i64::MAX, news);
    }

    /// A prompt, or a change of the queue.
    fn prompt(&mut self, event: &Event<'_>, news: &mut Vec<TurnNews>) -> Option<TurnKey> {
        let mut found = std::mem::take(&mut self.found);
        self.prompts.feed(event, &mut found);
        let opened = self.open_all(&mut found, news);
        self.found = found;
        if let Some((key, _)) = opened.filter(|(_, src)| *src == event.src) {
            return Some(key);
        }
        if self.prompts.holds(event.head.sid.as_ref(), event.src) {
            // Rows that follow belong to it, if it turns out to be a prompt.
            return Some(self.start(event.head, event.t, Some(event.src)));
        }
        self.turn_of(event.head, event.t)
    }

    /// Opens turns for those of the records that are prompts; returns the last.
    fn open_all(
        &mut self,
        found: &mut Vec<Prompt>,
        news: &mut Vec<TurnNews>,
    ) -> Option<(TurnKey, Src)> {
        let mut last = None;
        for prompt in found.drain(..) {
            if prompt.kind == Kind::Prompt {
                let src = prompt.src;
                last = Some((self.open(prompt, news), src));
            }
        }
        last
    }

    fn open(&mut self, prompt: Prompt, news: &mut Vec<TurnNews>) -> TurnKey {
        let (head, t) = (Arc::clone(&prompt.head), prompt.t);
        let process = self.sessions.process(&head);
        let waiting = process.waiting(&prompt, &self.slots);
        let key = waiting.unwrap_or_else(|| self.start(&head, t, None));
        let round = head.round.clone();
        let session = self.sessions.of(head.sid.as_deref());
        for open in session.open.drain(..).filter(|open| *open != key) {
            if let Some(slot) = self.slots.get_mut(&open) {
                slot.superseded(t);
                note(&mut self.ended, open, slot);
            }
        }
        session.open.push(key);
        let process = session.process(&head);
        let shared = round.is_some() && process.round == round;
        process.round.clone_from(&round);
        process.open(t, key);
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.opened(t, round.as_deref(), shared);
        }
        news.push(TurnNews::Opened { key, prompt: Box::new(prompt) });
        key
    }

    /// The turn of a row by its `turn_id`, else the one that was opened last in its process.
    fn turn_of(&mut self, head: &Arc<Head>, t: Option<i64>) -> Option<TurnKey> {
        let process = self.sessions.process(head);
        let Some(id) = head.numeric_turn_id() else { return process.at(t) };
        if let Some(key) = process.by_id(id) {
            return Some(key);
        }
        let current = process.current;
        if let Some(key) = current
            && self.slots.get_mut(&key).is_some_and(Slot::takes_id)
        {
            // The prompt's row has no id that can be trusted; its followers have.
            self.sessions.process(head).name(id, key);
            return Some(key);
        }
        Some(self.start(head, t, None))
    }

    /// A turn whose prompt is not known yet.
    fn start(&mut self, head: &Arc<Head>, t: Option<i64>, waits_for: Option<Src>) -> TurnKey {
        let id = head.numeric_turn_id();
        if let Some(key) = id.and_then(|id| self.sessions.process(head).by_id(id))
            && let Some(slot) = self.slots.get_mut(&key)
            && slot.prompt_t.is_none()
        {
            slot.waits_for = waits_for.or(slot.waits_for);
            return key;
        }
        let key = TurnKey(self.next);
        self.next += 1;
        self.slots.insert(key, Slot::new(t, id.is_some(), waits_for));
        let process = self.sessions.process(head);
        let forgotten = match id {
            Some(id) => process.name(id, key),
            None => process.nameless.replace(key),
        };
        if waits_for.is_some() {
            process.current = Some(key);
        }
        if let Some(old) = forgotten
            && self.slots.get(&old).is_some_and(|slot| slot.prompt_t.is_none())
        {
            self.slots.remove(&old);
            self.forgotten.push(old);
        }
        key
    }

    /// The process ends: so do the turns that are open in it.
    fn session_ended(&mut self, event: &Event<'_>) {
        let session = self.sessions.of(event.head.sid.as_deref());
        let pid = event.head.pid;
        let whole = session.processes.iter().filter(|p| pid.is_none() || p.pid == pid);
        for key in whole.filter_map(|process| process.current) {
            if let Some(slot) = self.slots.get_mut(&key).filter(|slot| slot.prompt_t.is_some()) {
                slot.close(TurnStatus::Shutdown, Some((event.t, event.src)));
                note(&mut self.ended, key, slot);
            }
        }
    }

    /// Gives idle rows before `t` to the latest turn that ended by then, else to the one that is
    /// open.
    fn settle_idles(&mut self, t: i64) {
        let due = self.idles.iter().position(|idle| idle.t >= t).unwrap_or(self.idles.len());
        let idles: Vec<Idle> = self.idles.drain(..due).collect();
        for idle in idles {
            let process = self.sessions.process(&idle.head);
            let candidates = process.keys();
            let ended = |key: &TurnKey| {
                let slot = self.slots.get(key)?;
                let end_t = slot.end.as_ref()?.t.filter(|t| *t <= idle.t)?;
                slot.idle_t.is_none_or(|early| early < end_t).then_some((end_t, *key))
            };
            let owner = candidates.iter().filter_map(ended).max().map(|(_, key)| key);
            let owner = owner.or(self.sessions.process(&idle.head).current);
            if let Some(slot) = owner.and_then(|key| self.slots.get_mut(&key)) {
                slot.idle_t = Some(idle.t);
            }
        }
    }

    /// Tells of ends before `t`, and of turns that are final by then.
    fn settle(&mut self, t: i64, news: &mut Vec<TurnNews>) {
        let slots = &mut self.slots;
        let mut finals = Vec::new();
        self.ended.retain(|key| {
            let Some(slot) = slots.get_mut(key) else { return false };
            if slot.awaits_prompt(t) {
                return true;
            }
            let Some(End { status, t: end_t, src, told }) = &mut slot.end else { return false };
            if end_t.is_some_and(|end_t| end_t >= t) && t != i64::MAX {
                return true;
            }
            if !*told {
                *told = true;
                let real = *status < TurnStatus::Superseded;
                let (key, status) = (*key, *status);
                let (t, src) = (end_t.filter(|_| real), src.filter(|_| real));
                news.push(TurnNews::Ended { key, status, t, src });
            }
            let is_final = slot.is_final(t);
            if is_final {
                finals.push(*key);
            }
            !is_final
        });
        for key in finals {
            let Some(slot) = self.slots.remove(&key) else { continue };
            let (idle_t, repaired) = (slot.idle_of_turn(), slot.rounds.differ());
            news.push(TurnNews::Final { key, idle_t, repaired });
        }
    }
}

/// Notes that a turn has an end.
fn note(ended: &mut Vec<TurnKey>, key: TurnKey, slot: &mut Slot) {
    if !std::mem::replace(&mut slot.noted, true) {
        ended.push(key);
    }
}

//! The turns of a session, process by process.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::slot::Slot;
use super::{Prompt, TurnKey};
use crate::event::Head;
use crate::zone::ZoneKey;

/// How many turns of a process are known by their ids: late rows still find theirs.
const NAMED: usize = 32;

/// How far a prompt without a trustworthy id may be from the first row of its turn, in
/// milliseconds.
const NEAR_MS: i64 = 50;

/// All sessions, by id.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Sessions {
    #[serde(serialize_with = "crate::state::sorted_map")]
    places: HashMap<ZoneKey, usize, FixedState>,
    all: Vec<SessionTurns>,
}

impl Sessions {
    /// The session of that id.
    pub fn of(&mut self, sid: Option<&str>) -> &mut SessionTurns {
        let next = self.all.len();
        let at = *self.places.entry(ZoneKey::new(sid, None)).or_insert(next);
        if at == next {
            self.all.push(SessionTurns::default());
        }
        &mut self.all[at]
    }

    /// The process that wrote a row.
    pub fn process(&mut self, head: &Head) -> &mut Process {
        self.of(head.sid.as_deref()).process(head)
    }
}

/// The turns of a session.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct SessionTurns {
    pub processes: Vec<Process>,
    /// Turns with a prompt that were not superseded.
    pub open: Vec<TurnKey>,
}

/// The turns of one process.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Process {
    pub pid: Option<i64>,
    /// The latest turns by `turn_id`, oldest first.
    named: VecDeque<(String, TurnKey)>,
    /// The latest turn without an id, if its prompt is awaited.
    pub nameless: Option<TurnKey>,
    /// The turn that the last prompt opened, or may have.
    pub current: Option<TurnKey>,
    /// The latest turns with the times of their prompts, oldest first.
    opened: VecDeque<(i64, TurnKey)>,
    /// The round of the last prompt.
    pub round: Option<String>,
}

impl SessionTurns {
    /// The process of a row; one without a process id belongs to the latest.
    pub fn process(&mut self, head: &Head) -> &mut Process {
        let found = match head.pid {
            Some(_) => self.processes.iter().rposition(|process| process.pid == head.pid),
            None => self.processes.len().checked_sub(1),
        };
        let at = found.unwrap_or_else(|| {
            self.processes.push(Process { pid: head.pid, ..Process::default() });
            self.processes.len() - 1
        });
        &mut self.processes[at]
    }
}

impl Process {
    /// The turn of that id.
    pub fn by_id(&self, id: &str) -> Option<TurnKey> {
        self.named.iter().rev().find(|(name, _)| name == id).map(|(_, key)| *key)
    }

    /// Names a turn; returns one whose name is forgotten for it.
    pub fn name(&mut self, id: &str, key: TurnKey) -> Option<TurnKey> {
        self.named.push_back((id.to_owned(), key));
        if self.named.len() > NAMED { self.named.pop_front().map(|(_, key)| key) } else { None }
    }

    /// A prompt opened a turn.
    pub fn open(&mut self, t: Option<i64>, key: TurnKey) {
        self.current = Some(key);
        self.opened.push_back((t.unwrap_or(i64::MIN), key));
        if self.opened.len() > NAMED {
            self.opened.pop_front();
        }
    }

    /// The turn of a row that names none: the one that was open then. Rows that stand too late in
    /// their file are not those of the turn that they stand in.
    pub fn at(&self, t: Option<i64>) -> Option<TurnKey> {
        match (t, self.opened.back()) {
            (Some(t), Some((begun, _))) if t < *begun => {
                self.opened.iter().rev().find(|(begun, _)| *begun <= t).map(|(_, key)| *key)
            }
            _ => self.current,
        }
    }

    /// The latest turns.
    pub fn keys(&self) -> Vec<TurnKey> {
        let named = self.named.iter().map(|(_, key)| *key);
        named.chain(self.nameless).chain(self.current).collect()
    }

    /// The turn that waits for this prompt: named by its id, or holding one of its rows, or begun
    /// in the same instant by rows with an id that the prompt's row lacks.
    pub fn waiting(
        &self,
        prompt: &Prompt,
        slots: &HashMap<TurnKey, Slot, FixedState>,
    ) -> Option<TurnKey> {
        let waits = |key: &TurnKey| slots.get(key).is_some_and(|slot| slot.prompt_t.is_none());
        let id = prompt.head.numeric_turn_id();
        let holds = |key: &TurnKey| {
            // The older form of a prompt may carry the id of the turn before.
            let slot = slots.get(key).filter(|slot| id.is_none() || !slot.is_named());
            let of = slot.and_then(|slot| slot.waits_for);
            of.is_some_and(|src| prompt.rows.iter().any(|row| row.src == src))
        };
        if let Some(key) = id.and_then(|id| self.by_id(id)).filter(waits) {
            return Some(key);
        }
        let keys = self.keys();
        if let Some(key) = keys.iter().copied().filter(waits).find(|key| holds(key)) {
            return Some(key);
        }
        if id.is_some() {
            return None;
        }
        let near = |key: &TurnKey| {
            let begun = slots.get(key).and_then(|slot| slot.begun_t);
            matches!((begun, prompt.t), (Some(a), Some(b)) if (a - b).abs() <= NEAR_MS)
        };
        keys.into_iter().rev().find(|key| waits(key) && near(key))
    }
}

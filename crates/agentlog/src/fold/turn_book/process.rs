//! The turns of a session, process by process.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use super::slot::Slot;
use super::{Prompt, TurnKey};
use crate::event::Head;

/// How many turns of a process are known by their ids: late rows still find theirs.
const NAMED: usize = 32;

/// How far a prompt without a trustworthy id may be from the first row of its turn, in
/// milliseconds.
const NEAR_MS: i64 = 50;

/// All sessions, by id.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    places: HashMap<Option<String>, usize, FixedState>,
    all: Vec<SessionTurns>,
}

impl Sessions {
    /// The session of that id.
    pub fn of(&mut self, sid: &Option<String>) -> &mut SessionTurns {
        let at = match self.places.get(sid) {
            Some(at) => *at,
            None => {
                // Only a session that is new costs a copy of its id.
                self.places.insert(sid.clone(), self.all.len());
                self.all.push(SessionTurns::default());
                self.all.len() - 1
            }
        };
        &mut self.all[at]
    }

    /// The process that wrote a row.
    pub fn process(&mut self, head: &Head) -> &mut Process {
        self.of(&head.sid).process(head)
    }
}

/// The turns of a session.
#[derive(Debug, Default)]
pub(super) struct SessionTurns {
    pub processes: Vec<Process>,
    /// Turns with a prompt that were not superseded.
    pub open: Vec<TurnKey>,
}

/// The turns of one process.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub pid: Option<i64>,
    /// The latest turns by `turn_id`, oldest first.
    named: VecDeque<(String, TurnKey)>,
    /// The latest turn without an id, if its prompt is awaited.
    pub nameless: Option<TurnKey>,
    /// The turn that the last prompt opened.
    pub current: Option<TurnKey>,
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
        let holds = |key: &TurnKey| {
            let of = slots.get(key).and_then(|slot| slot.waits_for);
            of.is_some_and(|src| prompt.rows.iter().any(|row| row.src == src))
        };
        let keys = self.keys();
        if let Some(key) = keys.iter().copied().filter(waits).find(|key| holds(key)) {
            return Some(key);
        }
        if let Some(id) = prompt.head.numeric_turn_id() {
            return self.by_id(id).filter(waits);
        }
        let near = |key: &TurnKey| {
            let begun = slots.get(key).and_then(|slot| slot.begun_t);
            matches!((begun, prompt.t), (Some(a), Some(b)) if (a - b).abs() <= NEAR_MS)
        };
        keys.into_iter().rev().find(|key| waits(key) && near(key))
    }
}

//! The `turn.*` twins of Codex's deltas: which turns need them. A turn that has `response.*`
//! deltas does not; else `turn.response.delta`, which names its items, is better than
//! `turn.agent_message.delta` and `turn.reasoning.delta`, which do not.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::Lately;
use crate::event::{Head, StreamKind};

/// Names a turn: a hash of session, process and submission id, which starts anew in each process.
pub fn turn_key(head: &Head) -> u64 {
    let mut hasher = process_hasher(head);
    hasher.write(head.turn_id.as_deref().unwrap_or_default().as_bytes());
    hasher.finish()
}

fn process_key(head: &Head) -> u64 {
    process_hasher(head).finish()
}

fn process_hasher(head: &Head) -> impl Hasher + use<> {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(head.sid.as_deref().unwrap_or_default().as_bytes());
    hasher.write_i64(head.pid.unwrap_or(-1));
    hasher
}

/// The turns that are told by twins so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Twins {
    /// Turns that have `response.*` deltas.
    streamed: Lately,
    #[serde(serialize_with = "crate::state::sorted_map")]
    open: HashMap<u64, Turn, FixedState>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Turn {
    process: u64,
    /// Whether there are twins that name their items.
    named: bool,
    /// Items of twins that name them.
    items: Vec<u64>,
    /// Items of twins that do not: a run of one kind is one item.
    runs: Vec<u64>,
    kind: Option<StreamKind>,
}

/// What becomes of a twin.
pub(super) enum Place {
    /// It is not needed.
    Nowhere,
    /// It belongs to the item that it names. Items of twins that name none are not needed.
    Named(Vec<u64>),
    /// It belongs to the so many-th run of its turn.
    Run(usize),
}

impl Twins {
    /// Whether a turn is told by twins, as far as is known.
    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether this turn is one of them.
    pub(super) fn is_open(&self, turn: u64) -> bool {
        self.open.contains_key(&turn)
    }

    /// Finds the place of a twin.
    pub(super) fn place(&mut self, head: &Head, kind: StreamKind, named: bool) -> Place {
        let key = turn_key(head);
        if self.streamed.has(key) {
            return Place::Nowhere;
        }
        let turn = self.open.entry(key).or_insert_with(|| Turn {
            process: process_key(head),
            named: false,
            items: Vec::new(),
            runs: Vec::new(),
            kind: None,
        });
        if named {
            turn.named = true;
            return Place::Named(std::mem::take(&mut turn.runs));
        }
        if turn.named {
            return Place::Nowhere;
        }
        let goes_on = turn.kind.replace(kind) == Some(kind);
        Place::Run(turn.runs.len() - usize::from(goes_on && !turn.runs.is_empty()))
    }

    /// An item of the turn has a piece of a twin.
    pub(super) fn add(&mut self, turn: u64, item: u64, named: bool) {
        let Some(turn) = self.open.get_mut(&turn) else { return };
        let items = if named { &mut turn.items } else { &mut turn.runs };
        if items.last() != Some(&item) && !items.contains(&item) {
            items.push(item);
        }
    }

    /// The turn has a `response.*` delta: returns the items whose twins are not needed.
    pub(super) fn streams(&mut self, turn: u64) -> Vec<u64> {
        self.streamed.add(turn);
        self.end(turn)
    }

    /// The turn is over: returns the items that twins tell of.
    pub(super) fn end(&mut self, turn: u64) -> Vec<u64> {
        let Some(Turn { items, runs, .. }) = self.open.remove(&turn) else { return Vec::new() };
        [items, runs].concat()
    }

    /// Another turn of the same process goes on: the others are over.
    pub(super) fn end_others(&mut self, head: &Head) -> Vec<u64> {
        if head.turn_id.is_none() {
            return Vec::new();
        }
        let (process, now) = (process_key(head), turn_key(head));
        let over = self.open.iter().filter(|(key, turn)| turn.process == process && **key != now);
        let mut over: Vec<u64> = over.map(|(key, _)| *key).collect();
        over.sort_unstable();
        over.into_iter().flat_map(|turn| self.end(turn)).collect()
    }
}

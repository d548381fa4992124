//! Earlier states of records: which of them were printed, and which are news.

use std::collections::HashMap;
use std::hash::BuildHasher;

use agentlog::event::Src;
use foldhash::fast::FixedState;

use crate::flags::Emit;

/// Which states are printed, and what was printed of records that are not final.
pub(super) struct States {
    start: bool,
    update: bool,
    pub end: bool,
    /// By what names a record: a hash of what was printed of it, or would have been.
    open: HashMap<(Src, Option<String>), u64, FixedState>,
}

impl States {
    /// None if records are printed as they stay, and no other way.
    pub fn new(emit: &[Emit]) -> Option<Self> {
        let has = |state| emit.contains(&state);
        let (start, update, end) = (has(Emit::Start), has(Emit::Update), has(Emit::End));
        (start || update).then(|| Self { start, update, end, open: HashMap::default() })
    }

    /// Whether this state of a record, which is not final, is to be printed.
    pub fn is_news(&mut self, src: Src, id: Option<&str>, text: &[u8]) -> bool {
        let hash = FixedState::with_seed(0).hash_one(text);
        match self.open.insert((src, id.map(str::to_owned)), hash) {
            None => self.start || self.update,
            Some(before) => self.update && before != hash,
        }
    }

    /// A record is final.
    pub fn is_final(&mut self, src: Src, id: Option<&str>) {
        self.open.remove(&(src, id.map(str::to_owned)));
    }
}

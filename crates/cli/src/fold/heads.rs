//! Heads that the rows of many blocks share.

use std::collections::HashSet;
use std::sync::Arc;

use agentlog::event::Head;
use foldhash::fast::FixedState;

/// Heads of the last blocks: equal ones are made the same one.
#[derive(Default)]
pub(crate) struct SharedHeads {
    heads: HashSet<Arc<Head>, FixedState>,
}

/// How many heads are remembered.
const HEADS: usize = 4096;

impl SharedHeads {
    /// Makes a head the same as an equal one before it.
    pub fn share(&mut self, head: &mut Arc<Head>) {
        if let Some(same) = self.heads.get(head) {
            *head = Arc::clone(same);
            return;
        }
        if self.heads.len() >= HEADS {
            self.heads.clear();
        }
        self.heads.insert(Arc::clone(head));
    }
}

//! What a row means by where it stands: whose it is, if only the rows before it say so, and
//! whether it is a copy or has a better source.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use agentlog::event::{Head, LeftOut, Src};
use agentlog::native::{Thread, ThreadRow};
use agentlog::zone::Clock;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::rows::{Kept, Memory, Origin};
use crate::flags::Source;
use crate::inputs::Sessions;
use crate::run::{Row, Rows};

/// The state of one log, fed its rows as they stand in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Context {
    thread: Thread,
    /// Sessions of rows that were left out, since they have a better source.
    #[serde(skip)]
    pub doubled: BTreeSet<String>,
}

impl Context {
    /// Gives the rows of a block their heads, and marks those that count for nothing.
    pub fn place(&mut self, block: &mut Rows<Kept, Memory>, sessions: &Sessions, source: Source) {
        for row in block.rows.iter_mut().filter(|row| row.value.origin == Origin::Rollout) {
            let t = match row.clock {
                Clock::Utc(t) => Some(t),
                _ => None,
            };
            if self.thread.row(t, &row.value.what) == ThreadRow::Copy {
                row.value.left_out = Some(LeftOut::Copy);
            }
            row.value.head = block.arena.place_of(self.thread.head());
        }
        if source != Source::Native && !sessions.is_empty() {
            self.leave_out(block, sessions, source);
        }
    }

    fn leave_out(&mut self, block: &mut Rows<Kept, Memory>, sessions: &Sessions, source: Source) {
        let heads = &block.arena.heads;
        let doubled = |head: &Arc<Head>| sessions.have_better(source, head.sid.as_deref());
        let better: Vec<bool> = heads.iter().map(doubled).collect();
        for (head, _) in heads.iter().zip(&better).filter(|(_, better)| **better) {
            self.doubled.extend(head.sid.clone());
        }
        for row in block.rows.iter_mut().filter(|row| better[row.value.head as usize]) {
            row.value.left_out = Some(LeftOut::OtherSource);
        }
    }
}

/// Tells rows of transcripts that were told before: resumed and forked sessions start with a copy
/// of what they go on from. Copies keep their times, so that they come when their originals do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Copies {
    /// Where each row stands that was told lately, by the hash of what names it.
    #[serde(serialize_with = "agentlog::state::sorted_map")]
    first: HashMap<u64, Src, FixedState>,
    order: VecDeque<u64>,
}

/// How many things that rows tell are remembered; a row may tell several.
const REMEMBERED: usize = 1 << 12;

impl Copies {
    /// Why a row counts for nothing, copies among them; asked in the order in which rows are fed.
    pub fn left_out(&mut self, row: &Row<Kept>) -> Option<LeftOut> {
        let known = row.value.left_out;
        // What one row tells is compared with what others tell of the same kind, so that it does not
        // matter what else a command reads.
        let of_kind = |name: u64| {
            let kind = std::mem::discriminant(&row.value.what);
            FixedState::with_seed(0).hash_one((name, kind))
        };
        let (uuid, is_named) = match row.value.origin {
            Origin::Transcript(uuid) => (of_kind(uuid), true),
            Origin::Unnamed(hash) => (of_kind(hash), false),
            Origin::Once | Origin::Rollout => return known,
        };
        let first = *self.first.entry(uuid).or_insert(row.src);
        if first != row.src && !is_named && first.file == row.src.file {
            return known;
        }
        if first != row.src {
            return known.or(Some(LeftOut::Copy));
        }
        if self.order.back() != Some(&uuid) {
            self.order.push_back(uuid);
            if self.order.len() > REMEMBERED {
                let oldest = self.order.pop_front();
                oldest.and_then(|oldest| self.first.remove(&oldest));
            }
        }
        known
    }
}

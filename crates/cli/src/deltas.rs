//! The rows that streamed items are read from: with the `turn.*` twins of deltas,
//! half of a log, only where a turn has nothing else.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use agentlog::fold::deltas::events::{DELTAS, ENDS, ITEMS, TWINS};
use agentlog::fold::deltas::turn_key;
use agentlog::fold::{Fold, Resume};
use agentlog::sse;
use agentlog::zone::Clock;
use anyhow::Result;
use foldhash::fast::FixedState;

use crate::flags::{CommonFlags, StateFlags};
use crate::fold::{Kept, Memory, Sink, fold};
use crate::look::Look;
use crate::records::{Record, Records};
use crate::resume::fold_stated;
use crate::run::Run;
use crate::scan::Decode;

/// Which twins are read.
#[derive(Debug)]
enum Twins {
    /// All of them.
    All,
    /// None; but which turns have twins, and which have deltas, is noted.
    Noted(Mutex<Turns>),
    /// Those of these turns.
    Of(Set),
}

type Set = HashSet<u64, FixedState>;

/// Turns by their keys: eight bytes each is all that is kept of them.
#[derive(Debug, Default)]
struct Turns {
    twins: Set,
    deltas: Set,
}

/// The rows of streamed items.
pub(crate) struct DeltaRows {
    twins: Twins,
}

impl DeltaRows {
    pub fn with_twins() -> Self {
        Self { twins: Twins::All }
    }

    fn noting() -> Self {
        Self { twins: Twins::Noted(Mutex::default()) }
    }

    /// The rows of a second reading: with the twins of turns that have no deltas, if there are any.
    fn with_missing(self) -> Option<Self> {
        let Twins::Noted(turns) = self.twins else { return None };
        let Turns { twins, deltas } = turns.into_inner().unwrap_or_else(PoisonError::into_inner);
        let missing: Set = twins.difference(&deltas).copied().collect();
        (!missing.is_empty()).then_some(Self { twins: Twins::Of(missing) })
    }

    /// Whether a twin is read, or else what turn it is of is noted.
    fn needs_twin(&self, row: &sse::Row<'_>) -> bool {
        let turn = || turn_key(&row.head());
        match &self.twins {
            Twins::All => true,
            Twins::Of(turns) => turns.contains(&turn()),
            Twins::Noted(turns) => {
                lock(turns).twins.insert(turn());
                false
            }
        }
    }

    /// Notes that the turn of a delta has deltas.
    #[inline]
    fn note_delta(&self, kept: &Kept, memory: &mut Memory) {
        if let Twins::Noted(turns) = &self.twins
            && memory.is_first_delta(kept)
        {
            lock(turns).deltas.insert(turn_key(memory.head_of(kept)));
        }
    }
}

fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Decode for DeltaRows {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, event: &str) -> bool {
        let ends = || !matches!(self.twins, Twins::Noted(_)) && ENDS.contains(&event);
        DELTAS.contains(&event) || TWINS.contains(&event) || ITEMS.contains(&event) || ends()
    }

    fn passes(&self, event: &[u8], row: &[u8], memory: &mut Memory) -> bool {
        // Of the events that are wanted only twins are called so.
        event.starts_with(b"turn.") && event.ends_with(b".delta") && memory.passes(row)
    }

    fn alike(&self, event: &[u8], row: &[u8], memory: &mut Memory) -> Option<(Clock, Kept)> {
        let (clock, kept) = memory.read_alike(event, row)?;
        self.note_delta(&kept, memory);
        Some((clock, kept))
    }

    fn value(&self, row: &sse::Row<'_>, raw: &[u8], memory: &mut Memory) -> Option<Kept> {
        if TWINS.contains(&&*row.name) && !self.needs_twin(row) {
            memory.pass(row, raw);
            return None;
        }
        let kept = memory.keep(row, sse::what_of)?;
        memory.learn(row, raw, &kept);
        self.note_delta(&kept, memory);
        Some(kept)
    }
}

/// Feeds the rows of streamed items that are new to a fold, as [`fold_stated`] does. Which turns have
/// no deltas is never known for good, so twins are read with the rest, and the fold chooses.
pub fn fold_deltas_stated<F>(
    run: &mut Run,
    flags: (&StateFlags, &CommonFlags),
    look: Look<'_>,
    fold: F,
    records: Records<F::Record>,
) -> Result<()>
where
    F: Resume<Record: Record + Send> + Send,
{
    fold_stated(run, flags, (look, &DeltaRows::with_twins()), fold, records)
}

/// Feeds the rows of streamed items to a fold, as [`fold`] does. With `twins` all twins are read;
/// else those of turns that have no deltas.
///
/// Which turns these are is known when all is read, so files are read a second time if there are
/// any. From a pipe, and where logs are followed, twins are read with the rest, and the fold chooses.
pub fn fold_deltas<F: Fold<Record: Send> + Send>(
    run: &mut Run,
    look: Look<'_>,
    twins: bool,
    make: impl Fn() -> F,
    sink: &mut (impl Sink<F::Record> + Send),
) -> Result<()> {
    if twins || run.live || run.is_following() {
        return fold(run, look, &DeltaRows::with_twins(), make, sink);
    }
    let rows = DeltaRows::noting();
    fold(run, look, &rows, &make, sink)?;
    if let Some(rows) = rows.with_missing() {
        sink.restart();
        fold(run, look, &rows, make, sink)?;
    }
    Ok(())
}

//! Rows on their way from sources to whoever takes them: held until their time is known, and until
//! nothing can come before them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::zone::{Clock, ZoneKey};
use anyhow::Result;
use foldhash::fast::FixedState;

use crate::order::WINDOW_MS;
use crate::run::Row;
use crate::zones::Zones;

/// A row with its time, as far as it is known.
type Timed<T, M> = (Option<i64>, Row<T>, Arc<M>);

/// A row, with when and in which round it came.
struct Came<T, M> {
    at: Instant,
    round: u64,
    row: Row<T>,
    memory: Arc<M>,
}

/// Rows that wait: for the offset of their session in the order they came, then for their turn.
///
/// Sources are read in rounds. A row that was read in a round may be passed on when the next is
/// over: what could be read before it has been read by then, wherever it stands.
pub(super) struct Waiting<T, M> {
    rows: VecDeque<Came<T, M>>,
    newest_local: i64,
    /// How long a row waits for its offset.
    window: Duration,
    /// Sessions and processes whose offset was waited for in vain: nobody waits for it again.
    given_up: HashSet<ZoneKey, FixedState>,
    /// Rows of known time in their order, with the rounds in which they were read. Of one source
    /// they stay as they came.
    ready: VecDeque<(u64, Timed<T, M>)>,
    many: bool,
    round: u64,
}

impl<T, M> Waiting<T, M> {
    /// Nothing waits yet. `many` says whether there may be several sources.
    pub fn new(window: Duration, many: bool) -> Self {
        Self {
            rows: VecDeque::new(),
            newest_local: i64::MIN,
            window,
            given_up: HashSet::default(),
            ready: VecDeque::new(),
            many,
            round: 0,
        }
    }

    pub fn push(&mut self, row: Row<T>, memory: &Arc<M>) {
        if let Clock::Local(ms, _) = row.clock {
            self.newest_local = self.newest_local.max(ms);
        }
        let (at, round, memory) = (Instant::now(), self.round, Arc::clone(memory));
        self.rows.push_back(Came { at, round, row, memory });
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ready.is_empty()
    }

    /// All sources were read once more.
    pub fn round_is_over(&mut self) {
        self.round += 1;
    }

    /// Passes on the rows that have waited enough; all of them if it is `over`.
    pub fn pass(
        &mut self,
        zones: &Zones,
        over: bool,
        mut take: impl FnMut(Timed<T, M>) -> Result<()>,
    ) -> Result<()> {
        while let Some(Came { at, row, .. }) = self.rows.front() {
            let behind = match row.clock {
                Clock::Local(ms, key) => {
                    self.newest_local - ms > WINDOW_MS || self.given_up.contains(&key)
                }
                _ => false,
            };
            let known = behind || zones.knows(row.clock);
            if !(over || known || at.elapsed() >= self.window) {
                break;
            }
            if let (Clock::Local(_, key), false) = (row.clock, known) {
                self.given_up.insert(key);
            }
            let Some(Came { round, row, memory, .. }) = self.rows.pop_front() else { break };
            let timed = (zones.utc(row.clock), row, memory);
            if self.many { self.sort_in(round, timed) } else { take(timed)? }
        }
        while let Some((read_in, _)) = self.ready.front()
            && (over || read_in + 1 < self.round)
        {
            let Some((_, timed)) = self.ready.pop_front() else { break };
            take(timed)?;
        }
        Ok(())
    }

    fn sort_in(&mut self, round: u64, timed: Timed<T, M>) {
        let key = |(t, row, _): &Timed<T, M>| (*t, row.src.file, row.src.offset);
        let new = key(&timed);
        let place = match self.ready.back() {
            Some((_, last)) if key(last) > new => {
                self.ready.partition_point(|(_, other)| key(other) <= new)
            }
            _ => self.ready.len(),
        };
        self.ready.insert(place, (round, timed));
    }
}

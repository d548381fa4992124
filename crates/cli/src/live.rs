//! A log that comes through a pipe: rows are passed on as they come. A row waits only for the
//! offset of its session, and not for long.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::zone::Clock;
use anyhow::Result;
use jsonl::Batch;

use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::run::{Placer, Row, Rows, Run};
use crate::scan::{self, Decode, Scanned};
use crate::zones::Zones;

/// How long a row may be held back on the clock of this machine.
pub const HOLD: Duration = Duration::from_millis(500);
/// How often held rows are looked at while nothing comes.
const TICK: Duration = Duration::from_millis(50);

/// What happens in a pipe.
pub enum Step<T, M> {
    /// A row came; its time in UTC is settled. With it comes the memory of its block.
    Row(Option<i64>, Row<T>, Arc<M>),
    /// The log has come to this time.
    Time(i64),
    /// All that came was passed on; nothing has come for that long.
    Pause(Duration),
}

impl Run {
    /// Reads the one log that is a pipe, to its end. `prepare` gets the rows of each block as they
    /// stand in it; `step` says whether it holds anything back
    /// and so wants to be called again soon.
    pub fn read_live<D: Decode>(
        &mut self,
        look: Look<'_>,
        decode: &D,
        mut prepare: impl FnMut(&mut Rows<D::Value, D::Memory>),
        mut step: impl FnMut(Step<D::Value, D::Memory>) -> Result<bool>,
    ) -> Result<()> {
        let Some(log) = self.log_mut(0) else { return Ok(()) };
        let source = log.open_seen()?;
        let mut reader = self.logs[0].reader(source, &self.options);
        let mut placer = Placer::new(0, &self.logs[0]);
        let mut waiting = Waiting::default();
        let mut last_came = Instant::now();
        let mut kind = Kind::default();
        loop {
            match reader.next(&|block| scan::block(block, self.logs[0].about(), look, decode)) {
                Ok(Batch::Blocks(blocks)) => {
                    last_came = Instant::now();
                    for block in blocks {
                        kind.see(&block.value);
                        self.tell(0, &block);
                        let mut came = placer.place(block);
                        prepare(&mut came);
                        self.zones.learn_first(came.evidence.into_iter().map(|(_, told)| told));
                        let memory = Arc::new(came.arena);
                        for row in came.rows {
                            waiting.push(row, &memory);
                        }
                        waiting.pass(&self.zones, false, &mut step)?;
                        if let (true, Some(t)) = (waiting.is_empty(), self.zones.utc(came.last)) {
                            step(Step::Time(t))?;
                        }
                    }
                }
                Ok(Batch::Quiet) => waiting.pass(&self.zones, false, &mut step)?,
                Ok(Batch::End) => break,
                Err(e) => {
                    self.unreadable(0, &e);
                    break;
                }
            }
            let held = step(Step::Pause(last_came.elapsed()))? || !waiting.is_empty();
            reader.set_patience(held.then_some(TICK));
        }
        waiting.pass(&self.zones, true, &mut step)?;
        self.count((reader.lines(), reader.bytes()));
        self.remark_unknown(0, &kind);
        Ok(())
    }

    /// A pipe's kind cannot be told beforehand: without one row of ours it was no log of ours.
    pub(crate) fn remark_unknown(&mut self, file: usize, kind: &Kind) {
        if kind.something && !kind.known && !self.was_read() {
            self.report.counts.unknown_files += 1;
            let path = self.logs[file].path.display();
            self.report.trouble(&format!("{path}: not a log of a known format"));
        }
    }
}

/// What is known of the kind of log that comes.
#[derive(Default)]
pub(crate) struct Kind {
    something: bool,
    known: bool,
}

impl Kind {
    pub(crate) fn see<T, M>(&mut self, found: &Scanned<T, M>) {
        self.something |= !found.blank;
        self.known |= found.known;
    }
}

/// Rows whose offset may still become known, in the order they came.
struct Waiting<T, M> {
    rows: VecDeque<(Instant, Row<T>, Arc<M>)>,
    newest_local: i64,
}

impl<T, M> Default for Waiting<T, M> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), newest_local: i64::MIN }
    }
}

impl<T, M> Waiting<T, M> {
    fn push(&mut self, row: Row<T>, memory: &Arc<M>) {
        if let Clock::Local(ms, _) = row.clock {
            self.newest_local = self.newest_local.max(ms);
        }
        self.rows.push_back((Instant::now(), row, Arc::clone(memory)));
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Passes on the rows that have waited enough.
    fn pass(
        &mut self,
        zones: &Zones,
        over: bool,
        step: &mut impl FnMut(Step<T, M>) -> Result<bool>,
    ) -> Result<()> {
        while let Some((since, row, _)) = self.rows.front() {
            let behind = match row.clock {
                Clock::Local(ms, _) => self.newest_local - ms > WINDOW_MS,
                _ => false,
            };
            if !(over || behind || zones.knows(row.clock) || since.elapsed() >= HOLD) {
                break;
            }
            let Some((_, row, memory)) = self.rows.pop_front() else { break };
            step(Step::Row(zones.utc(row.clock), row, memory))?;
        }
        Ok(())
    }
}

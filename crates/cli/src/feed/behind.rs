//! A log of which a later run is to read on: what it will have to know, and what an earlier run left.
//!
//! What a row's time is must not depend on how far the log was read when it was fed. So the evidence of
//! offsets holds from its own row on, and a row whose writer told none yet waits for it, as long as the
//! log does not go on by more than the window.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use agentlog::event::LeftOut;
use agentlog::zone::Clock;
use jsonl::ReaderOptions;

use super::cursor::{Cursor, Waiting};
use super::{Fed, read};
use crate::fold::{Copies, Kept, Memory, ReadRows, SharedHeads};
use crate::inputs::{Log, Place};
use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::resume::{LogPoint, WaitingRow, When};
use crate::run::{Placer, Rows};
use crate::zones::Zones;

/// What is known of a log beside its rows.
pub(super) struct Behind {
    /// Up to where its rows were taken.
    next: Place,
    /// Rows whose writers told no offset yet, with all that stand behind them.
    held: VecDeque<Held>,
    newest_local: i64,
    offset: Option<i64>,
}

struct Held {
    clock: Clock,
    block: usize,
    row: usize,
}

/// What an earlier run left of a log, for who takes it up.
pub(super) struct Earlier<'a, D> {
    pub log: &'a Log,
    pub point: &'a LogPoint,
    pub options: &'a ReaderOptions,
    pub look: Look<'a>,
    pub rows: &'a D,
}

impl Cursor {
    /// Goes on where an earlier run stopped: the rows that wait are read again.
    pub fn take_up<D: ReadRows>(
        &mut self,
        earlier: &Earlier<'_, D>,
        heads: &mut SharedHeads,
    ) -> io::Result<()> {
        let Earlier { log, point, options, look, rows } = *earlier;
        self.placer = Placer::starting_at(self.file as u32, point.last);
        self.context = point.context.clone();
        self.newest = point.newest;
        self.behind = Some(Box::new(Behind {
            next: point.next,
            held: VecDeque::new(),
            newest_local: point.newest_local,
            offset: point.offset,
        }));
        let mut waiting = point.waiting.iter().peekable();
        if point.waiting.is_empty() {
            return Ok(());
        }
        let mut reader = log.reread(point.waiting_from, point.next.0, options)?;
        while let Some(found) = read(&mut reader, log.about(), look, rows)? {
            for block in found {
                let mut block = Placer::starting_at(self.file as u32, Clock::Missing).place(block);
                block.arena.share(heads);
                self.take_again(block, &mut waiting);
            }
        }
        match waiting.next() {
            None => Ok(()),
            Some(row) => {
                let text =
                    format!("it was changed where it was read before, at byte {}", row.offset);
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
        }
    }

    /// Takes those rows of a block that wait, as they were.
    fn take_again<'p>(
        &mut self,
        mut block: Rows<Kept, Memory>,
        waiting: &mut std::iter::Peekable<impl Iterator<Item = &'p WaitingRow>>,
    ) {
        let at = self.next_block();
        let mut left = 0;
        for row in 0..block.rows.len() {
            let offset = block.rows[row].src.offset;
            let Some(was) = waiting.next_if(|was| was.offset == offset) else { continue };
            let kept = &mut block.rows[row].value;
            block.arena.give_back(kept, (was.head.as_ref(), was.left_out));
            left += 1;
            match (was.when, &mut self.behind) {
                (When::Known { t, key }, _) => self.put(Waiting { key, t, block: at, row }),
                (When::Unknown(clock), Some(behind)) => {
                    behind.held.push_back(Held { clock, block: at, row });
                }
                (When::Unknown(_), None) => {}
            }
        }
        if left > 0 {
            self.blocks.push_back((Arc::new(block), left));
        }
    }

    /// Takes a block of a log that a later run is to read on. Rows before `fed` come late.
    pub fn take_behind(&mut self, block: Rows<Kept, Memory>, zones: &mut Zones, fed: i64) {
        let Some(mut behind) = self.behind.take() else { return };
        let at = self.next_block();
        let block = Arc::new(block);
        if !block.rows.is_empty() {
            self.blocks.push_back((Arc::clone(&block), block.rows.len()));
        }
        let mut evidence = block.evidence.iter().peekable();
        for (i, row) in block.rows.iter().enumerate() {
            while let Some((_, told)) = evidence.next_if(|(at, _)| *at <= row.src.offset) {
                zones.learn_some([*told]);
            }
            if let Clock::Local(ms, _) = row.clock {
                behind.newest_local = behind.newest_local.max(ms);
            }
            behind.held.push_back(Held { clock: row.clock, block: at, row: i });
            self.release(&mut behind, zones, fed);
        }
        zones.learn_some(evidence.map(|(_, told)| *told));
        self.release(&mut behind, zones, fed);
        self.behind = Some(behind);
    }

    /// Sorts rows in that were held and need not be any more.
    fn release(&mut self, behind: &mut Behind, zones: &Zones, fed: i64) {
        while let Some(Held { clock, .. }) = behind.held.front() {
            let known = match clock {
                Clock::Local(ms, key) => {
                    zones.knows(*clock)
                        || (key.is_partial() && behind.offset.is_some())
                        || behind.newest_local - ms > WINDOW_MS
                }
                _ => true,
            };
            if !known {
                break;
            }
            self.release_first(behind, zones, fed);
        }
    }

    fn release_first(&mut self, behind: &mut Behind, zones: &Zones, fed: i64) {
        let Some(Held { clock, block, row }) = behind.held.pop_front() else { return };
        let t = zones.utc_behind(clock, &mut behind.offset);
        let late = self.late;
        self.sort_in(t, (block, row));
        let was_passed = self.late == late && t.is_some_and(|t| t < fed);
        self.late += u64::from(was_passed);
    }

    /// The log stands still: rows whose writers told no offset are taken by the best guess, if all that
    /// could still come is later than the horizon.
    pub fn release_before(&mut self, horizon: i64, zones: &Zones, fed: i64) {
        let Some(mut behind) = self.behind.take() else { return };
        while let Some(Held { clock, .. }) = behind.held.front() {
            let guess = zones.utc_behind(*clock, &mut behind.offset.clone());
            if guess.is_some_and(|t| t >= horizon.saturating_sub(WINDOW_MS)) {
                break;
            }
            self.release_first(&mut behind, zones, fed);
        }
        self.behind = Some(behind);
    }

    /// What was read up to there was taken.
    pub fn has_taken(&mut self, reached: Place) {
        if let Some(behind) = &mut self.behind {
            behind.next = reached;
        }
    }

    /// Whether rows are held that no one knows the time of.
    pub fn holds_rows(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| !behind.held.is_empty())
    }

    /// Where reading the log stopped.
    pub fn point(&self, before: &LogPoint) -> LogPoint {
        let Some(behind) = &self.behind else { return before.clone() };
        let rows = self.waiting_rows(behind);
        LogPoint {
            path: before.path.clone(),
            next: behind.next,
            last: self.placer.last(),
            newest: self.newest,
            newest_local: behind.newest_local,
            offset: behind.offset,
            context: self.context.clone(),
            waiting_from: rows.first().map_or(behind.next, |(from, _)| *from),
            waiting: rows.into_iter().map(|(_, row)| row).collect(),
            ..*before
        }
    }

    /// The rows that wait, in the order of the log, each with its place.
    fn waiting_rows(&self, behind: &Behind) -> Vec<(Place, WaitingRow)> {
        let known = self.window.iter().map(|Waiting { key, t, block, row }| {
            ((*block, *row), When::Known { t: *t, key: *key })
        });
        let unknown = behind.held.iter();
        let unknown = unknown.map(|row| ((row.block, row.row), When::Unknown(row.clock)));
        let mut all: Vec<_> = known.chain(unknown).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        let of = |((block, row), when): ((usize, usize), When)| {
            let (rows, _) = &self.blocks[block - self.first_block];
            let (src, kept) = (rows.rows[row].src, &rows.rows[row].value);
            let (head, left_out) = rows.arena.of_place(kept);
            ((src.offset, src.line), WaitingRow { offset: src.offset, when, head, left_out })
        };
        all.into_iter().map(of).collect()
    }

    /// The rows that wait, with their places in the order of all.
    pub fn unfed(&mut self, zones: &Zones) -> Vec<(super::Key, Unfed)> {
        self.release_before(i64::MAX, zones, i64::MIN);
        let window = std::mem::take(&mut self.window);
        let of = |Waiting { key, t, block, row }| {
            let (rows, _) = &self.blocks[block - self.first_block];
            ((key, self.rank), Unfed { t, block: Arc::clone(rows), row })
        };
        window.into_iter().map(of).collect()
    }
}

/// A row that waits for a later run.
pub(super) struct Unfed {
    t: Option<i64>,
    block: Arc<Rows<Kept, Memory>>,
    row: usize,
}

impl Unfed {
    /// The row as if its turn had come.
    pub fn fed(self, copies: &mut Copies) -> Fed {
        let Self { t, block, row } = self;
        let left_out: Option<LeftOut> = copies.left_out(&block.rows[row]);
        Fed { t, block, row, left_out }
    }
}

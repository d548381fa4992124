//! One log that is being read: its rows in order of time, as far as nothing can come before them.

use std::collections::VecDeque;
use std::sync::Arc;

use agentlog::zone::Clock;
use anyhow::Result;
use jsonl::Reader;

use super::behind::Behind;
use super::{Fed, Found, Key, TakeRows};
use crate::fold::{Context, Copies, Kept, Memory};
use crate::inputs::Place;
use crate::live::Kind;
use crate::order::WINDOW_MS;
use crate::run::{Placer, Rows, Run};

/// A log that is being read.
pub(super) struct Cursor {
    pub file: usize,
    pub rank: usize,
    /// None once all is read: the file is closed then.
    pub reader: Option<Reader>,
    /// Lines and bytes that were read, once that is all.
    pub read: (u64, u64),
    /// Up to where it was read, `ahead` included.
    pub reached: Place,
    pub placer: Placer,
    pub context: Context,
    pub kind: Kind,
    /// Blocks with rows that are not fed yet; `window` counts them from `first_block`.
    pub blocks: VecDeque<(Arc<Rows<Kept, Memory>>, usize)>,
    pub first_block: usize,
    /// Rows that are not fed yet, in order.
    pub window: VecDeque<Waiting>,
    pub newest: i64,
    pub late: u64,
    /// What was read ahead.
    pub ahead: Found,
    pub over: bool,
    /// Whether it could not be read to its end.
    pub broken: bool,
    /// The latest time that was fed.
    pub fed: i64,
    /// What a later run has to know, if one is to go on from this.
    pub behind: Option<Box<Behind>>,
}

/// A row that waits for its turn.
pub(super) struct Waiting {
    /// By which it is ordered: its time, or where a late row stands.
    pub key: i64,
    pub t: Option<i64>,
    pub block: usize,
    pub row: usize,
}

impl Cursor {
    pub fn new(run: &Run, (file, rank): (usize, usize), reader: Option<Reader>) -> Self {
        Self {
            file,
            rank,
            reader,
            read: (0, 0),
            reached: run.logs[file].place(),
            placer: Placer::new(file, &run.logs[file]),
            context: Context::default(),
            kind: Kind::default(),
            blocks: VecDeque::new(),
            first_block: 0,
            window: VecDeque::new(),
            newest: i64::MIN,
            late: 0,
            ahead: Vec::new(),
            over: false,
            broken: false,
            fed: i64::MIN,
            behind: None,
        }
    }

    /// Takes a block: its rows are sorted in. Rows are mostly in order already.
    pub fn take(&mut self, block: Rows<Kept, Memory>, mut utc: impl FnMut(Clock) -> Option<i64>) {
        if block.rows.is_empty() {
            return;
        }
        let at = self.next_block();
        for (i, row) in block.rows.iter().enumerate() {
            self.sort_in(utc(row.clock), (at, i));
        }
        let rows = block.rows.len();
        self.blocks.push_back((Arc::new(block), rows));
    }

    /// The number of the next block.
    pub fn next_block(&self) -> usize {
        self.first_block + self.blocks.len()
    }

    /// Takes the next row in physical order, with its time.
    #[inline]
    pub fn sort_in(&mut self, t: Option<i64>, (block, row): (usize, usize)) {
        let time = t.unwrap_or(i64::MIN);
        let oldest = self.newest.saturating_sub(WINDOW_MS);
        self.late += u64::from(time < oldest);
        self.newest = self.newest.max(time);
        self.put(Waiting { key: time.max(oldest), t, block, row });
    }

    /// Puts a row in its place.
    #[inline]
    pub fn put(&mut self, waiting: Waiting) {
        match self.window.back() {
            Some(last) if last.key > waiting.key => {
                let place = self.window.partition_point(|other| other.key <= waiting.key);
                self.window.insert(place, waiting);
            }
            _ => self.window.push_back(waiting),
        }
    }

    /// Whether nothing of it is left to be fed, as far as is known now.
    pub fn is_done(&self) -> bool {
        self.over && self.window.is_empty() && self.ahead.is_empty()
    }

    /// The rows that may be fed, and the reader if there is to be read.
    pub fn parts(&mut self, limit: Key) -> (Ready<'_>, Option<&mut Reader>) {
        let all_came = self.over && self.ahead.is_empty();
        let ready = Ready {
            blocks: &mut self.blocks,
            window: &mut self.window,
            fed: &mut self.fed,
            first_block: self.first_block,
            oldest: if all_came { i64::MAX } else { self.newest.saturating_sub(WINDOW_MS) },
            rank: self.rank,
            limit,
        };
        let goes_on = self.ahead.is_empty() && !self.over;
        (ready, self.reader.as_mut().filter(|_| goes_on))
    }

    /// Takes what was read, and closes the file if that was the last.
    pub fn came(&mut self, found: std::io::Result<Option<Found>>) -> std::io::Result<()> {
        if let Some(reader) = &self.reader {
            self.reached = reader.reached();
        }
        let broken = match found {
            Ok(Some(found)) => {
                self.ahead = found;
                return Ok(());
            }
            Ok(None) => Ok(()),
            Err(e) => Err(e),
        };
        (self.over, self.broken) = (true, broken.is_err());
        if let Some(reader) = self.reader.take() {
            self.read = (reader.lines(), reader.bytes());
        }
        broken
    }

    /// Lets go of blocks whose rows were all fed.
    pub fn let_go(&mut self) {
        while self.blocks.front().is_some_and(|(_, left)| *left == 0) {
            self.blocks.pop_front();
            self.first_block += 1;
        }
    }

    /// Counts what was read.
    pub fn close(&mut self, run: &mut Run) {
        run.count(self.read);
        run.keep_end(self.file, self.read, &self.placer);
        run.doubled.append(&mut self.context.doubled);
        if let Some(follow) = &mut run.follow {
            follow.contexts.insert(self.file, std::mem::take(&mut self.context));
        }
        if !run.was_read() {
            run.report.counts.late_rows += self.late;
        }
        if run.logs[self.file].unseen {
            run.remark_unknown(self.file, &self.kind);
        }
    }
}

/// The rows of a log that wait.
pub(super) struct Ready<'c> {
    blocks: &'c mut VecDeque<(Arc<Rows<Kept, Memory>>, usize)>,
    window: &'c mut VecDeque<Waiting>,
    fed: &'c mut i64,
    first_block: usize,
    /// Nothing that is still to come stands before this time.
    oldest: i64,
    rank: usize,
    /// The next row of another log.
    limit: Key,
}

impl Ready<'_> {
    /// Feeds rows that nothing can come before any more, as long as they are before the limit.
    /// Returns the key of the next such row, if it is not.
    pub fn feed(&mut self, copies: &mut Copies, to: &mut impl TakeRows) -> Result<Option<Key>> {
        while let Some(next) = self.window.front()
            && next.key < self.oldest
        {
            if (next.key, self.rank) >= self.limit {
                return Ok(Some((next.key, self.rank)));
            }
            let Some(next) = self.window.pop_front() else { break };
            let (block, left) = &mut self.blocks[next.block - self.first_block];
            let left_out = copies.left_out(&block.rows[next.row]);
            *self.fed = next.key;
            to.row(&Fed { t: next.t, block: Arc::clone(block), row: next.row, left_out })?;
            *left -= 1;
        }
        Ok(None)
    }
}

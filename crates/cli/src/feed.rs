//! The ordered stage for files: rows of all logs in order of time, with no more of them in memory
//! than the reorder window and what is read ahead.
//!
//! Offsets are learnt on the way. Rows whose offset is not known yet go by the offset of their
//! neighbours; if the whole input tells otherwise in the end, it is read again.

mod ahead;
mod at_sight;
mod begin;
mod behind;
mod cursor;
mod track;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use agentlog::event::{Event, LeftOut};
use anyhow::Result;
use jsonl::Placed;

use crate::fold::{Copies, Kept, Memory, ReadRows, SharedHeads};
use crate::look::Look;
use crate::progress::Progress;
use crate::resume::ResumePoint;
use crate::run::{Rows, Run};
use crate::scan::Scanned;
use crate::zones::Guesses;
pub(crate) use ahead::Ahead;
use ahead::{Reading, SmallLogs, read};
use cursor::Cursor;
use track::Track;

type Found = Vec<Placed<Scanned<Kept, Memory>>>;

/// The place of a row in the order: time, then rank of the file among all by when they begin. A log
/// may be rotated within a millisecond, and its parts are named in any order.
type Key = (i64, usize);

/// Later than every row.
const NEVER: Key = (i64::MAX, usize::MAX);

/// A row whose turn has come.
#[derive(Clone)]
pub(crate) struct Fed {
    t: Option<i64>,
    block: Arc<Rows<Kept, Memory>>,
    row: usize,
    left_out: Option<LeftOut>,
}

impl Fed {
    /// When it was written, in milliseconds since the epoch.
    pub fn t(&self) -> Option<i64> {
        self.t
    }

    /// How long the row is.
    pub fn bytes(&self) -> u64 {
        self.block.rows[self.row].src.len
    }

    /// The row as a fold is fed it.
    pub fn event(&self) -> Event<'_> {
        self.block.arena.event(self.t, &self.block.rows[self.row], self.left_out)
    }
}

/// Takes rows whose turn has come.
pub(crate) trait TakeRows: Send {
    /// Takes the next row.
    fn row(&mut self, fed: &Fed) -> Result<()>;

    /// All rows before this point were fed: what is known by now may be kept.
    fn pause(&mut self, at: &ResumePoint) -> Result<()>;
}

/// A function that is called with each row.
struct Each<F>(F);

impl<F: FnMut(&Fed) -> Result<()> + Send> TakeRows for Each<F> {
    fn row(&mut self, fed: &Fed) -> Result<()> {
        (self.0)(fed)
    }

    fn pause(&mut self, _: &ResumePoint) -> Result<()> {
        Ok(())
    }
}

impl Run {
    /// Calls `feed` with the rows of all logs in order of time. Returns whether all their offsets
    /// were what the whole input says; if not, what was fed is to be forgotten, and a second call
    /// feeds it right.
    pub(crate) fn feed(
        &mut self,
        look: Look<'_>,
        rows: &impl ReadRows,
        feed: impl FnMut(&Fed) -> Result<()> + Send,
    ) -> Result<bool> {
        self.hold_live()?;
        self.mark_ends()?;
        let first = !self.was_read();
        let waiting = self.opening_times();
        let (guesses, copies) =
            self.merge(look, rows, (waiting, None), Each(feed), |merge, _| {
                (merge.guesses, merge.copies)
            })?;
        if let Some(follow) = &mut self.follow {
            follow.copies = copies;
        }
        let right = self.zones.settle(&guesses);
        if first {
            self.mark_read();
        }
        Ok(right)
    }

    /// Feeds what the logs gained since the run's resume point, which becomes that of the next run.
    /// Returns the rows that wait for it.
    pub(crate) fn feed_on(
        &mut self,
        look: Look<'_>,
        rows: &impl ReadRows,
        to: impl TakeRows,
    ) -> Result<Vec<Fed>> {
        let (track, waiting) = Track::new(self);
        #[allow(clippy::redundant_closure_for_method_calls)] // The method is not general enough.
        let (point, unfed) =
            self.merge(look, rows, (waiting, Some(track)), to, |merge, run| merge.stop(run))?;
        self.resume = point;
        self.mark_read();
        Ok(unfed)
    }

    /// Merges logs, of which `waiting` says in what order they are opened, latest first.
    fn merge<D: ReadRows, T: TakeRows, R: Send>(
        &mut self,
        look: Look<'_>,
        rows: &D,
        (waiting, track): (Vec<(i64, usize)>, Option<Track>),
        to: T,
        end: impl FnOnce(Merge<'_, '_, D, T>, &mut Self) -> R + Send,
    ) -> Result<R> {
        let at_sight = self.take_at_sight();
        let (logs, options) = (Arc::clone(&self.logs), self.options.clone());
        let reading = Reading { logs: &logs, options: &options, look, rows };
        rayon::scope_fifo(|scope| {
            let order = waiting.iter().rev().map(|(_, file)| *file);
            let mut merge = Merge {
                open: Vec::new(),
                small: SmallLogs::new(scope, &reading, order, at_sight),
                copies: Copies::default(),
                files: waiting.len(),
                waiting,
                next: BinaryHeap::new(),
                guesses: Guesses::default(),
                heads: SharedHeads::default(),
                progress: Progress::new(self.is_quiet()),
                look,
                rows,
                to,
                track,
            };
            merge.begin(self);
            merge.run(self)?;
            Ok(end(merge, self))
        })
    }
}

struct Merge<'a, 's, D, T> {
    open: Vec<Cursor>,
    small: SmallLogs<'a, 's, D>,
    copies: Copies,
    /// Logs that are not open yet, with the times to open them, latest first.
    waiting: Vec<(i64, usize)>,
    /// How many logs there are.
    files: usize,
    /// The next row of each open log, with its place in `open`.
    next: BinaryHeap<Reverse<(Key, usize)>>,
    guesses: Guesses,
    heads: SharedHeads,
    progress: Progress,
    look: Look<'a>,
    rows: &'a D,
    to: T,
    /// If a later run is to go on from this one.
    track: Option<Track>,
}

impl<D: ReadRows, T: TakeRows> Merge<'_, '_, D, T> {
    fn run(&mut self, run: &mut Run) -> Result<()> {
        let mut free = Vec::new();
        loop {
            let head = self.next.peek().map_or(NEVER, |Reverse((key, _))| *key);
            let horizon = self.horizon();
            if let Some((from, file)) = self.waiting.last().copied()
                && (from <= head.0 || head >= horizon)
            {
                self.waiting.pop();
                let slot = free.pop().unwrap_or(self.open.len());
                if !(self.open_log(run, file, slot) && self.go_on(run, slot)?) {
                    free.push(slot);
                }
                continue;
            }
            if head >= horizon && !self.release_parked(run) {
                return Ok(());
            }
            let Some(Reverse((_, slot))) = self.next.pop() else { continue };
            if !self.go_on(run, slot)? {
                free.push(slot);
            }
        }
    }

    /// Opens a log; false if it cannot be.
    fn open_log(&mut self, run: &mut Run, file: usize, slot: usize) -> bool {
        let opened = match self.small.take(file) {
            Some(ahead) => ahead.map(|ahead| (None, Some(ahead))),
            None => run.logs[file].open().map(|source| {
                let mut options = run.options.clone();
                // Many logs at once must not need more memory than a few.
                options.chunk = ((32 << 20) / (self.next.len() + 1)).clamp(64 << 10, options.chunk);
                (Some(run.logs[file].reader(source, &options)), None)
            }),
        };
        let (reader, ahead) = match opened {
            Ok(opened) => opened,
            Err(e) => {
                run.unreadable(file, &e);
                return false;
            }
        };
        let rank = self.rank(file);
        let mut cursor = Cursor::new(run, (file, rank), reader);
        if let Err(e) = self.take_up(run, &mut cursor) {
            run.unreadable(file, &e);
            return false;
        }
        if let Some(ahead) = ahead {
            (cursor.ahead, cursor.over, cursor.read) = (ahead.found, true, ahead.read);
            cursor.reached = ahead.reached;
            if let Some(e) = ahead.broken {
                cursor.broken = true;
                run.unreadable(file, &e);
            }
        }
        if slot == self.open.len() {
            self.open.push(cursor);
        } else {
            self.open[slot] = cursor;
        }
        true
    }

    /// Feeds the rows of a log up to the next row of another, reading on as needed. False if the
    /// log is over.
    fn go_on(&mut self, run: &mut Run, slot: usize) -> Result<bool> {
        let others = self.next.peek().map_or(NEVER, |Reverse((key, _))| *key);
        let opening = self.waiting.last().map_or(NEVER, |(from, _)| (*from, 0));
        let limit = others.min(opening);
        loop {
            let limit = limit.min(self.horizon());
            let cursor = &mut self.open[slot];
            let (look, rows, to) = (self.look, self.rows, &mut self.to);
            let (copies, about) = (&mut self.copies, run.logs[cursor.file].about());
            let (mut ready, reader) = cursor.parts(limit);
            let next = if let Some(reader) = reader {
                let (next, found) =
                    rayon::join(|| ready.feed(copies, to), || read(reader, about, look, rows));
                if let Err(e) = cursor.came(found) {
                    run.unreadable(cursor.file, &e);
                }
                next?
            } else {
                ready.feed(copies, to)?
            };
            cursor.let_go();
            if let Some(key) = next {
                self.next.push(Reverse((key, slot)));
                return Ok(true);
            }
            if cursor.is_done() {
                return Ok(self.close(run, slot));
            }
            self.take_ahead(run, slot);
            self.pause(run, slot)?;
        }
    }

    /// Puts the rows that were read into their order.
    fn take_ahead(&mut self, run: &mut Run, slot: usize) {
        let cursor = &mut self.open[slot];
        let found = std::mem::take(&mut cursor.ahead);
        for block in &found {
            self.progress.read(block.value.bytes);
            cursor.kind.see(&block.value);
            run.tell(cursor.file, block);
            if self.track.is_none() {
                run.zones.learn_some(block.value.evidence.iter().map(|(_, told)| *told));
            }
        }
        for block in found {
            let mut block = cursor.placer.place(block);
            block.arena.share(&mut self.heads);
            let guesses = &mut self.guesses;
            let source = run.logs[cursor.file].source;
            cursor.context.place(&mut block, &run.sessions, source);
            match &mut self.track {
                None => cursor.take(block, |clock| run.zones.utc_by_now(clock, guesses)),
                Some(track) => track.take(cursor, block, run),
            }
        }
        cursor.has_taken(cursor.reached);
    }
}

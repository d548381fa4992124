//! The ordered stage for files: rows of all logs in order of time, with no more of them in memory
//! than the reorder window and what is read ahead.
//!
//! Offsets are learnt on the way. Rows whose offset is not known yet go by the offset of their
//! neighbours; if the whole input tells otherwise in the end, it is read again.

mod ahead;
mod begin;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use agentlog::event::{Event, LeftOut};
use agentlog::zone::Clock;
use anyhow::Result;
use jsonl::{Batch, Placed, Reader};

use crate::fold::{Context, Copies, Kept, Memory, ReadRows, SharedHeads};
use crate::format::About;
use crate::live::Kind;
use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::progress::Progress;
use crate::run::{Placer, Rows, Run};
use crate::scan::{self, Scanned};
use crate::zones::Guesses;
use ahead::{Reading, SmallLogs};

type Found = Vec<Placed<Scanned<Kept, Memory>>>;

/// The place of a row in the order: time, then rank of the file among all by when they begin. A log
/// may be rotated within a millisecond, and its parts are named in any order.
type Key = (i64, usize);

/// Later than every row.
const NEVER: Key = (i64::MAX, usize::MAX);

/// A log that is being read.
struct Cursor {
    file: usize,
    rank: usize,
    /// None once all is read: the file is closed then.
    reader: Option<Reader>,
    /// Lines and bytes that were read, once that is all.
    read: (u64, u64),
    placer: Placer,
    context: Context,
    kind: Kind,
    /// Blocks with rows that are not fed yet; `window` counts them from `first_block`.
    blocks: VecDeque<(Arc<Rows<Kept, Memory>>, usize)>,
    first_block: usize,
    /// Rows that are not fed yet, in order.
    window: VecDeque<Waiting>,
    newest: i64,
    late: u64,
    /// What was read ahead.
    ahead: Found,
    over: bool,
}

/// A row that waits for its turn.
struct Waiting {
    /// By which it is ordered: its time, or where a late row stands.
    key: i64,
    t: Option<i64>,
    block: usize,
    row: usize,
}

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
        let (logs, options) = (Arc::clone(&self.logs), self.options.clone());
        let reading = Reading { logs: &logs, options: &options, look, rows };
        let (guesses, copies) = rayon::scope_fifo(|scope| {
            let order = waiting.iter().rev().map(|(_, file)| *file);
            let mut merge = Merge {
                open: Vec::new(),
                small: SmallLogs::new(scope, &reading, order),
                copies: Copies::default(),
                files: waiting.len(),
                waiting,
                next: BinaryHeap::new(),
                guesses: Guesses::default(),
                heads: SharedHeads::default(),
                progress: Progress::new(self.is_quiet()),
                look,
                rows,
                feed,
            };
            merge.run(self).map(|()| (merge.guesses, merge.copies))
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
}

struct Merge<'a, 's, D, F> {
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
    feed: F,
}

impl<D: ReadRows, F: FnMut(&Fed) -> Result<()> + Send> Merge<'_, '_, D, F> {
    fn run(&mut self, run: &mut Run) -> Result<()> {
        let mut free = Vec::new();
        loop {
            let head = self.next.peek().map_or(NEVER, |Reverse((key, _))| *key);
            if let Some((from, file)) = self.waiting.last().copied()
                && from <= head.0
            {
                self.waiting.pop();
                let slot = free.pop().unwrap_or(self.open.len());
                if !(self.open_log(run, file, slot) && self.go_on(run, slot)?) {
                    free.push(slot);
                }
                continue;
            }
            let Some(Reverse((_, slot))) = self.next.pop() else { return Ok(()) };
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
        let rank = self.files - self.waiting.len() - 1;
        let mut cursor = Cursor::new(run, (file, rank), reader);
        if let Some(ahead) = ahead {
            (cursor.ahead, cursor.over, cursor.read) = (ahead.found, true, ahead.read);
            if let Some(e) = ahead.broken {
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
            let cursor = &mut self.open[slot];
            let (look, rows, feed) = (self.look, self.rows, &mut self.feed);
            let (copies, about) = (&mut self.copies, run.logs[cursor.file].about());
            let (mut ready, reader) = cursor.parts(limit);
            let next = if let Some(reader) = reader {
                let (next, found) =
                    rayon::join(|| ready.feed(copies, feed), || read(reader, about, look, rows));
                match found {
                    Ok(Some(found)) => cursor.ahead = found,
                    Ok(None) => cursor.over = true,
                    Err(e) => {
                        run.unreadable(cursor.file, &e);
                        cursor.over = true;
                    }
                }
                next?
            } else {
                ready.feed(copies, feed)?
            };
            if cursor.over
                && let Some(reader) = cursor.reader.take()
            {
                cursor.read = (reader.lines(), reader.bytes());
            }
            cursor.let_go();
            if let Some(key) = next {
                self.next.push(Reverse((key, slot)));
                return Ok(true);
            }
            if cursor.over && cursor.window.is_empty() && cursor.ahead.is_empty() {
                cursor.close(run);
                return Ok(false);
            }
            self.take_ahead(run, slot);
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
            run.zones.learn_some(block.value.evidence.iter().copied());
        }
        for block in found {
            let mut block = cursor.placer.place(block);
            block.arena.share(&mut self.heads);
            let guesses = &mut self.guesses;
            let source = run.logs[cursor.file].source;
            cursor.context.place(&mut block, &run.sessions, source);
            cursor.take(block, |clock| run.zones.utc_by_now(clock, guesses));
        }
    }
}

/// The next blocks; none at the end.
fn read(
    reader: &mut Reader,
    about: About<'_>,
    look: Look<'_>,
    rows: &impl ReadRows,
) -> std::io::Result<Option<Found>> {
    let work = |block: &jsonl::Block<'_>| scan::block(block, about, look, rows);
    match reader.next_skimming(&work, Some(&|line| look.peek(about, rows, line)))? {
        Batch::Blocks(blocks) => Ok(Some(blocks)),
        Batch::Quiet => Ok(Some(Vec::new())),
        Batch::End => Ok(None),
    }
}

impl Cursor {
    fn new(run: &Run, (file, rank): (usize, usize), reader: Option<Reader>) -> Self {
        Self {
            file,
            rank,
            reader,
            read: (0, 0),
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
        }
    }

    /// Takes a block: its rows are sorted in. Rows are mostly in order already.
    fn take(&mut self, block: Rows<Kept, Memory>, mut utc: impl FnMut(Clock) -> Option<i64>) {
        if block.rows.is_empty() {
            return;
        }
        let at = self.first_block + self.blocks.len();
        for (i, row) in block.rows.iter().enumerate() {
            let t = utc(row.clock);
            let time = t.unwrap_or(i64::MIN);
            let oldest = self.newest.saturating_sub(WINDOW_MS);
            self.late += u64::from(time < oldest);
            self.newest = self.newest.max(time);
            let waiting = Waiting { key: time.max(oldest), t, block: at, row: i };
            match self.window.back() {
                Some(last) if last.key > waiting.key => {
                    let place = self.window.partition_point(|other| other.key <= waiting.key);
                    self.window.insert(place, waiting);
                }
                _ => self.window.push_back(waiting),
            }
        }
        let rows = block.rows.len();
        self.blocks.push_back((Arc::new(block), rows));
    }

    /// The rows that may be fed, and the reader if there is to be read.
    fn parts(&mut self, limit: Key) -> (Ready<'_>, Option<&mut Reader>) {
        let ready = Ready {
            blocks: &mut self.blocks,
            window: &mut self.window,
            first_block: self.first_block,
            oldest: if self.over { i64::MAX } else { self.newest.saturating_sub(WINDOW_MS) },
            rank: self.rank,
            limit,
        };
        let goes_on = self.ahead.is_empty() && !self.over;
        (ready, self.reader.as_mut().filter(|_| goes_on))
    }

    /// Lets go of blocks whose rows were all fed.
    fn let_go(&mut self) {
        while self.blocks.front().is_some_and(|(_, left)| *left == 0) {
            self.blocks.pop_front();
            self.first_block += 1;
        }
    }

    /// Counts what was read.
    fn close(&mut self, run: &mut Run) {
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
struct Ready<'c> {
    blocks: &'c mut VecDeque<(Arc<Rows<Kept, Memory>>, usize)>,
    window: &'c mut VecDeque<Waiting>,
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
    fn feed(
        &mut self,
        copies: &mut Copies,
        feed: &mut impl FnMut(&Fed) -> Result<()>,
    ) -> Result<Option<Key>> {
        while let Some(next) = self.window.front()
            && next.key < self.oldest
        {
            if (next.key, self.rank) >= self.limit {
                return Ok(Some((next.key, self.rank)));
            }
            let Some(next) = self.window.pop_front() else { break };
            let (block, left) = &mut self.blocks[next.block - self.first_block];
            let left_out = copies.left_out(&block.rows[next.row]);
            feed(&Fed { t: next.t, block: Arc::clone(block), row: next.row, left_out })?;
            *left -= 1;
        }
        Ok(None)
    }
}

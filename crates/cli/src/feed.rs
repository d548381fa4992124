//! The ordered stage for files: rows of all logs in order of time, with no more of them in memory
//! than the reorder window and what is read ahead.
//!
//! Offsets are learnt on the way. Rows whose offset is not known yet go by the offset of their
//! neighbours; if the whole input tells otherwise in the end, it is read again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use agentlog::event::Event;
use anyhow::Result;
use jsonl::{Batch, Placed, Reader, ReaderOptions};

use crate::fold::{Kept, Memory, ReadRows, SharedHeads};
use crate::live::Kind;
use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::progress::Progress;
use crate::run::{Nothing, Placer, Rows, Run};
use crate::scan::{self, Scanned};
use crate::zones::Guesses;

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
    reader: Reader,
    placer: Placer,
    kind: Kind,
    /// Blocks with rows that are not fed yet; `window` counts them from `first_block`.
    blocks: VecDeque<(Rows<Kept, Memory>, usize)>,
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

impl Run {
    /// Calls `feed` with the rows of all logs in order of time. Returns whether all their offsets
    /// were what the whole input says; if not, what was fed is to be forgotten, and a second call
    /// feeds it right.
    pub(crate) fn feed(
        &mut self,
        look: Look<'_>,
        rows: &impl ReadRows,
        feed: impl FnMut(Event<'_>) -> Result<()> + Send,
    ) -> Result<bool> {
        self.hold_live()?;
        let first = !self.was_read();
        let waiting = self.opening_times();
        let mut merge = Merge {
            open: Vec::new(),
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
        merge.run(self)?;
        let guesses = merge.guesses;
        let right = self.zones.settle(&guesses);
        if first {
            self.mark_read();
        }
        Ok(right)
    }

    /// When each log is to be opened, latest first: a little before its first row's time. Logs that
    /// begin at the same time stand in the order in which they were named.
    fn opening_times(&mut self) -> Vec<(i64, usize)> {
        let mut clocks = Vec::new();
        let files = self.logs.len();
        for file in 0..if files > 1 { files } else { 0 } {
            let options = ReaderOptions { chunk: 64 << 10, ..self.options.clone() };
            let Ok(source) = self.logs[file].open() else { continue };
            let first = |block: &jsonl::Block<'_>| {
                let found = scan::block(block, Look::All, &Nothing);
                (scan::first_clock(block), found.evidence)
            };
            if let Ok(Batch::Blocks(blocks)) = Reader::new(source, &options).next(&first) {
                for Placed { value: (clock, evidence), .. } in blocks {
                    self.zones.learn_some(evidence);
                    clocks.push((file, clock));
                }
            }
        }
        let mut times = vec![i64::MIN; files];
        let mut guesses = Guesses::default();
        for (file, clock) in clocks.into_iter().rev() {
            let t = self.zones.utc_by_now(clock, &mut guesses);
            times[file] = t.map_or(times[file], |t| t - WINDOW_MS);
        }
        let mut order: Vec<(i64, usize)> =
            times.into_iter().enumerate().map(|(f, t)| (t, f)).collect();
        order.sort_unstable_by_key(|key| Reverse(*key));
        order
    }
}

struct Merge<'a, D, F> {
    open: Vec<Cursor>,
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

impl<D: ReadRows, F: FnMut(Event<'_>) -> Result<()> + Send> Merge<'_, D, F> {
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
        let source = match run.logs[file].open() {
            Ok(source) => source,
            Err(e) => {
                run.unreadable(file, &e);
                return false;
            }
        };
        let mut options = run.options.clone();
        // Many logs at once must not need more memory than a few.
        options.chunk = ((32 << 20) / (self.next.len() + 1)).clamp(64 << 10, options.chunk);
        let rank = self.files - self.waiting.len() - 1;
        let cursor = Cursor::new(run, (file, rank), Reader::new(source, &options));
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
            let (mut ready, reader) = cursor.parts(limit);
            let next = if let Some(reader) = reader {
                // While rows are fed the next are read.
                let (next, found) = rayon::join(|| ready.feed(feed), || read(reader, look, rows));
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
                ready.feed(feed)?
            };
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
            cursor.take(block, |clock| run.zones.utc_by_now(clock, guesses));
        }
    }
}

/// The next blocks; none at the end.
fn read(
    reader: &mut Reader,
    look: Look<'_>,
    rows: &impl ReadRows,
) -> std::io::Result<Option<Found>> {
    let work = |block: &jsonl::Block<'_>| scan::block(block, look, rows);
    match reader.next_skimming(&work, Some(&|line| look.peek(rows, line)))? {
        Batch::Blocks(blocks) => Ok(Some(blocks)),
        Batch::Quiet => Ok(Some(Vec::new())),
        Batch::End => Ok(None),
    }
}

impl Cursor {
    fn new(run: &Run, (file, rank): (usize, usize), reader: Reader) -> Self {
        Self {
            file,
            rank,
            reader,
            placer: Placer::new(file, &run.logs[file]),
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
    fn take(
        &mut self,
        block: Rows<Kept, Memory>,
        mut utc: impl FnMut(agentlog::zone::Clock) -> Option<i64>,
    ) {
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
        self.blocks.push_back((block, rows));
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
        (ready, (self.ahead.is_empty() && !self.over).then_some(&mut self.reader))
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
        run.count(&self.reader);
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
    blocks: &'c mut VecDeque<(Rows<Kept, Memory>, usize)>,
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
    fn feed(&mut self, feed: &mut impl FnMut(Event<'_>) -> Result<()>) -> Result<Option<Key>> {
        while let Some(next) = self.window.front()
            && next.key < self.oldest
        {
            if (next.key, self.rank) >= self.limit {
                return Ok(Some((next.key, self.rank)));
            }
            let Some(next) = self.window.pop_front() else { break };
            let (block, left) = &mut self.blocks[next.block - self.first_block];
            feed(block.arena.event(next.t, &block.rows[next.row]))?;
            *left -= 1;
        }
        Ok(None)
    }
}

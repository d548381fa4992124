//! Small logs are read before their turn, in the background, so that rows are fed while the next are
//! read, and all cores have something to do though each log is the work of one.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, Sender};

use foldhash::fast::FixedState;
use jsonl::{Batch, Reader, ReaderOptions};
use rayon::{ScopeFifo, Yield};

use super::Found;
use crate::fold::ReadRows;
use crate::format::About;
use crate::inputs::{Log, Place};
use crate::look::Look;
use crate::scan;

/// A log that was read to its end.
pub(crate) struct Ahead {
    /// Lines and bytes that were read.
    pub read: (u64, u64),
    /// Up to where that was.
    pub reached: Place,
    pub found: Found,
    /// Why it could not be read to its end.
    pub broken: Option<io::Error>,
}

type Came = (usize, io::Result<Ahead>);

/// What is small, in bytes.
const SMALL: u64 = 1 << 20;

/// How many logs are read ahead: enough for a thread not to sleep between two of them.
const AHEAD: usize = 256;

/// How much of them, in bytes on disk: what is made of them may be a few times as large.
const AHEAD_BYTES: u64 = 8 << 20;

/// How many of them one thread reads one after the other.
const AT_ONCE: usize = 8;

/// What all readers share.
pub(super) struct Reading<'s, D> {
    pub logs: &'s [Log],
    pub options: &'s ReaderOptions,
    pub look: Look<'s>,
    pub rows: &'s D,
}

/// Reads small logs in the order in which they will be asked for.
pub(super) struct SmallLogs<'p, 's, D> {
    scope: &'p ScopeFifo<'s>,
    reading: &'s Reading<'s, D>,
    /// The small logs that nobody asked the pool for yet.
    left: VecDeque<usize>,
    /// How many are being read, or wait here, and their bytes.
    busy: usize,
    bytes: u64,
    came: HashMap<usize, io::Result<Ahead>, FixedState>,
    /// Logs that were read while they were looked at.
    at_sight: Vec<Option<Box<Ahead>>>,
    send: Sender<Vec<Came>>,
    receive: Receiver<Vec<Came>>,
}

impl<'p, 's, D: ReadRows> SmallLogs<'p, 's, D> {
    /// Starts to read the small ones of `order`.
    pub fn new(
        scope: &'p ScopeFifo<'s>,
        reading: &'s Reading<'s, D>,
        order: impl Iterator<Item = usize>,
        at_sight: Vec<Option<Box<Ahead>>>,
    ) -> Self {
        let is_left = |file: &usize| at_sight[*file].is_none() && reading.is_small(*file);
        let left = order.filter(is_left).collect();
        let (send, receive) = mpsc::channel();
        let came = HashMap::default();
        let (busy, bytes) = (0, 0);
        let mut small = Self { scope, reading, left, busy, bytes, came, at_sight, send, receive };
        small.go_on();
        small
    }

    /// What was read of a log; none if it is not small. Logs are asked for in order.
    pub fn take(&mut self, file: usize) -> Option<io::Result<Ahead>> {
        if let Some(ahead) = self.at_sight[file].take() {
            return Some(Ok(*ahead));
        }
        if !self.reading.is_small(file) {
            return None;
        }
        while !self.came.contains_key(&file) {
            match self.receive.try_recv() {
                Ok(few) => self.came.extend(few),
                // Instead of waiting, this thread reads some of them itself.
                Err(_) if rayon::yield_now() == Some(Yield::Executed) => {}
                Err(_) => self.came.extend(self.receive.recv().ok()?),
            }
        }
        self.busy -= 1;
        self.bytes -= self.reading.size(file);
        self.go_on();
        self.came.remove(&file)
    }

    /// Asks for more, if few are left. Several at a time: waking a thread takes longer than to read
    /// a small file.
    fn go_on(&mut self) {
        if self.busy > AHEAD / 2 || self.bytes > AHEAD_BYTES / 2 {
            return;
        }
        while self.busy < AHEAD && self.bytes < AHEAD_BYTES && !self.left.is_empty() {
            let few: Vec<usize> = self.left.drain(..self.left.len().min(AT_ONCE)).collect();
            self.busy += few.len();
            self.bytes += few.iter().map(|file| self.reading.size(*file)).sum::<u64>();
            let (reading, send) = (self.reading, self.send.clone());
            self.scope.spawn_fifo(move |_| {
                let read = |file| (file, reading.read_or_tell(file));
                let came = few.into_iter().map(read).collect();
                // Whoever does not want it any more has an error of its own to tell.
                drop(send.send(came));
            });
        }
    }
}

impl<D: ReadRows> Reading<'_, D> {
    fn is_small(&self, file: usize) -> bool {
        self.logs[file].size.is_some_and(|size| size <= SMALL)
    }

    fn size(&self, file: usize) -> u64 {
        self.logs[file].size.unwrap_or(0)
    }

    /// As [`Reading::read`]; a panic must not leave others waiting for what will never come.
    fn read_or_tell(&self, file: usize) -> io::Result<Ahead> {
        let read = AssertUnwindSafe(|| self.read(file));
        panic::catch_unwind(read).unwrap_or_else(|_| Err(io::Error::other("reading it failed")))
    }

    fn read(&self, file: usize) -> io::Result<Ahead> {
        let log = &self.logs[file];
        let mut reader = log.reader(log.open()?, self.options);
        let (mut found, mut broken) = (Vec::new(), None);
        loop {
            match read(&mut reader, log.about(), self.look, self.rows) {
                Ok(Some(more)) => found.extend(more),
                Ok(None) => break,
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            }
        }
        let (read, reached) = ((reader.lines(), reader.bytes()), reader.reached());
        Ok(Ahead { read, reached, found, broken })
    }
}

/// The next blocks; none at the end.
pub(super) fn read(
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

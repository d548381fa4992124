//! Streams: a thread reads ahead and cuts blocks at line ends, so that a slow writer is waited
//! for without holding back what is there, and decompression runs beside the work.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rayon::prelude::*;

use crate::block::count_lines;
use crate::reader::{Batch, Placed, ReaderOptions};
use crate::{Block, Origin};

/// Blocks that wait to be worked on.
pub(crate) struct Blocks {
    waiting: Receiver<io::Result<Cut>>,
    first_line: u64,
    line: u64,
    bytes: u64,
    /// Where the lines end that were handed out.
    end: u64,
    max_line: u64,
    failed: Option<io::Error>,
}

/// Whole lines, as they came.
struct Cut {
    bytes: Vec<u8>,
    offset: u64,
    oversize: Option<u64>,
    /// Where the next line starts.
    end: u64,
}

impl Blocks {
    pub(crate) fn spawn(
        source: Box<dyn Read + Send>,
        origin: Origin,
        options: &ReaderOptions,
    ) -> Self {
        let (sender, waiting) = sync_channel(8);
        let cutter = Cutter {
            source,
            sender,
            live: origin == Origin::Live,
            failed: None,
            chunk: match origin {
                Origin::Compressed => options.chunk.max(1),
                Origin::Live => options.chunk.clamp(1, PIPE),
            },
            max_line: options.max_line,
            carry: Vec::new(),
            offset: options.first_offset,
            dropped: 0,
        };
        std::thread::spawn(move || cutter.run());
        let line = options.first_line;
        let max_line = options.max_line;
        Self {
            waiting,
            first_line: line,
            line,
            bytes: 0,
            end: options.first_offset,
            max_line,
            failed: None,
        }
    }

    /// Bytes handed out so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines handed out so far.
    pub(crate) fn lines(&self) -> u64 {
        self.line - self.first_line
    }

    /// Where the first line starts that is still to come, and its number.
    pub(crate) fn reached(&self) -> (u64, u64) {
        (self.end, self.line)
    }

    pub(crate) fn next<T: Send>(
        &mut self,
        work: &(impl Fn(&Block<'_>) -> T + Sync),
        patience: Option<Duration>,
    ) -> io::Result<Batch<T>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let first = match patience {
            None => self.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => self.waiting.recv_timeout(patience),
        };
        let first = match first {
            Ok(cut) => cut?,
            Err(RecvTimeoutError::Timeout) => return Ok(Batch::Quiet),
            Err(RecvTimeoutError::Disconnected) => return Ok(Batch::End),
        };
        let mut cuts = vec![first];
        while cuts.len() < rayon::current_num_threads() * 2 {
            match self.waiting.try_recv() {
                Ok(Ok(cut)) => cuts.push(cut),
                // What came before the error is good: it is handed out first.
                Ok(Err(error)) => {
                    self.failed = Some(error);
                    break;
                }
                Err(_) => break,
            }
        }
        self.bytes += cuts.iter().map(|c| c.oversize.unwrap_or(c.bytes.len() as u64)).sum::<u64>();
        self.end = cuts.last().map_or(self.end, |cut| cut.end);
        let max_line = self.max_line;
        let done: Vec<(u64, T)> = cuts
            .into_par_iter()
            .map(|Cut { bytes, offset, oversize, .. }| {
                let unended = bytes.last().is_some_and(|b| *b != b'\n');
                let lines = count_lines(&bytes) + u64::from(unended);
                (lines, work(&Block { bytes: &bytes, offset, oversize, max_line }))
            })
            .collect();
        let place = |(lines, value)| {
            let first_line = self.line;
            self.line += lines;
            Placed { first_line, value }
        };
        Ok(Batch::Blocks(done.into_iter().map(place).collect()))
    }
}

/// What a pipe holds at most, in bytes: more than that does not come at once.
const PIPE: usize = 64 << 10;

/// Reads and cuts, on its own thread.
struct Cutter {
    source: Box<dyn Read + Send>,
    /// Whether what has come must not wait for more.
    live: bool,
    failed: Option<io::Error>,
    sender: SyncSender<io::Result<Cut>>,
    chunk: usize,
    max_line: u64,
    /// The start of a line whose end has not come.
    carry: Vec<u8>,
    /// Where `carry` starts.
    offset: u64,
    /// Bytes of that line that were let go, since it is over the limit.
    dropped: u64,
}

/// The receiver is gone: nobody wants more.
struct Unwanted;

impl Cutter {
    fn run(mut self) {
        loop {
            let scanned = self.carry.len();
            match self.fill() {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) => {
                    let _ = self.finish();
                    let _ = self.sender.send(Err(e));
                    return;
                }
            }
            if self.cut(scanned).is_err() {
                return;
            }
        }
        let _ = self.finish();
    }

    /// Reads behind what is carried: what there is, or a chunk if nobody waits for it.
    fn fill(&mut self) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let start = self.carry.len();
        let mut end = start;
        self.carry.resize(start + self.chunk, 0);
        let result = loop {
            match self.source.read(&mut self.carry[end..]) {
                Ok(read) => {
                    end += read;
                    if read == 0 || self.live || end == self.carry.len() {
                        break Ok(end - start);
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // What was read before the error is good: it comes first.
                Err(e) if end > start => {
                    self.failed = Some(e);
                    break Ok(end - start);
                }
                Err(e) => break Err(e),
            }
        };
        self.carry.truncate(end);
        result
    }

    /// Sends the whole lines; `scanned` bytes are known to hold no line feed.
    fn cut(&mut self, scanned: usize) -> Result<(), Unwanted> {
        if self.dropped > 0 {
            let Some(end) = memchr::memchr(b'\n', &self.carry[scanned..]) else {
                self.drop_from(scanned);
                return Ok(());
            };
            let rest = self.carry.split_off(scanned + end + 1);
            self.drop_from(scanned);
            self.send_oversize(true)?;
            self.carry = rest;
            return self.cut(0);
        }
        let Some(end) = memchr::memrchr(b'\n', &self.carry[scanned..]) else {
            if self.carry.len() as u64 > self.max_line {
                self.drop_from(self.carry.len().min(4096));
            }
            return Ok(());
        };
        let rest = self.carry.split_off(scanned + end + 1);
        let bytes = std::mem::replace(&mut self.carry, rest);
        self.send(bytes, None, 0)
    }

    fn finish(&mut self) -> Result<(), Unwanted> {
        if self.dropped > 0 {
            return self.send_oversize(false);
        }
        let bytes = std::mem::take(&mut self.carry);
        if bytes.is_empty() { Ok(()) } else { self.send(bytes, None, 0) }
    }

    fn drop_from(&mut self, keep: usize) {
        self.dropped += (self.carry.len() - keep) as u64;
        self.carry.truncate(keep);
    }

    /// Sends the start of a line over the limit; its line feed is not part of its length.
    fn send_oversize(&mut self, ended: bool) -> Result<(), Unwanted> {
        let bytes = std::mem::take(&mut self.carry);
        let len = bytes.len() as u64 + std::mem::take(&mut self.dropped) - u64::from(ended);
        self.send(bytes, Some(len), u64::from(ended))
    }

    /// Sends lines; `behind` are bytes between them and the next.
    fn send(&mut self, bytes: Vec<u8>, oversize: Option<u64>, behind: u64) -> Result<(), Unwanted> {
        let offset = self.offset;
        self.offset += oversize.unwrap_or(bytes.len() as u64) + behind;
        let cut = Cut { bytes, offset, oversize, end: self.offset };
        self.sender.send(Ok(cut)).map_err(|_| Unwanted)
    }
}

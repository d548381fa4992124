//! Regular files: equal chunks, read by position on all cores. A line belongs to the chunk that
//! holds the line feed before it. Lines that reach far past their chunk are put together
//! afterwards, or passed over without being read again.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rayon::prelude::*;

use crate::Block;
use crate::block::count_lines;
use crate::reader::{Placed, ReaderOptions};

/// How far past its chunk a line is read at once.
const OVERSHOOT: usize = 64 << 10;

/// A file, and how far it was read.
pub(crate) struct Chunks {
    file: Arc<File>,
    start: u64,
    /// First byte of the next chunk.
    next: u64,
    end: u64,
    chunk: usize,
    max_line: u64,
    /// Number of the line that the next line feed ends.
    line: u64,
    /// Where a line starts whose end was not found yet.
    long: Option<u64>,
    /// Lines met so far.
    lines: u64,
    /// Where the first line starts that was not handed out or passed over, and its number.
    reached: (u64, u64),
    /// Whether the last line lacks its line feed.
    unended: bool,
    /// How many chunks are read at once.
    at_once: usize,
}

thread_local! {
    /// Memory for a chunk. It outlives the file: many small ones need no more than a large one.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A line that reaches far past its chunk, for a caller who decides whether to read it.
pub struct LongLine<'f> {
    file: &'f File,
    start: u64,
    end: u64,
}

/// What a worker found in a chunk.
struct Chunk<T> {
    /// Whether the first line starts with the chunk, not behind its first line feed.
    owns_first: bool,
    line_feeds: u64,
    /// Where the chunk ends, not counting what its last line has behind it.
    own_to: u64,
    /// Where the lines end that start here and were read; none if none starts here.
    lines_to: Option<u64>,
    /// Whether the source ends here, in a line without a line feed.
    unended: bool,
    first_line_feed: Option<u64>,
    /// Of the lines that start here and end within reach.
    value: Option<T>,
    /// Where a line starts that does not.
    long: Option<u64>,
}

/// Decides whether a long line is worth reading.
pub(crate) type Peek<'p> = &'p (dyn Fn(&LongLine<'_>) -> io::Result<bool> + Sync);

impl Chunks {
    pub(crate) fn new(file: Arc<File>, range: Range<u64>, options: &ReaderOptions) -> Self {
        let chunk = options.chunk.max(1);
        let chunks = (range.end - range.start).div_ceil(chunk as u64).max(1) as usize;
        Self {
            file,
            start: range.start,
            next: range.start,
            end: range.end,
            chunk,
            max_line: options.max_line,
            line: options.first_line,
            long: None,
            lines: 0,
            reached: (range.start, options.first_line),
            unended: false,
            at_once: chunks.min(rayon::current_num_threads() * 2),
        }
    }

    /// Bytes met so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.next - self.start
    }

    /// Lines met so far, read or not.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Where the first line starts that is still to come, and its number.
    pub(crate) fn reached(&self) -> (u64, u64) {
        self.reached
    }

    /// The next chunks; none at the end.
    pub(crate) fn next<T: Send>(
        &mut self,
        work: &(impl Fn(&Block<'_>) -> T + Sync),
        peek: Option<Peek<'_>>,
    ) -> io::Result<Option<Vec<Placed<T>>>> {
        if self.next >= self.end {
            return self.last_long(work, peek);
        }
        let (file, first, start, end) = (&self.file, self.next, self.start, self.end);
        let (size, max_line) = (self.chunk, self.max_line);
        let left = (end - first).div_ceil(size as u64) as usize;
        let read = |i: usize| {
            let from = first + (i * size) as u64;
            let part = Part { from, size, end, owns_first: from == start, max_line };
            let mut buffer = BUFFER.take();
            let chunk = read_chunk(file, &mut buffer, &part, work);
            BUFFER.set(buffer);
            chunk
        };
        let at_once = self.at_once.min(left);
        let found: Vec<io::Result<Chunk<T>>> = match at_once {
            // The pool is not asked for what one thread does.
            1 => vec![read(0)],
            _ => (0..at_once).into_par_iter().map(read).collect(),
        };
        self.next = (first + (found.len() * size) as u64).min(end);
        let mut blocks = Vec::with_capacity(found.len());
        for chunk in found {
            self.place(chunk?, work, peek, &mut blocks)?;
        }
        Ok(Some(blocks))
    }

    fn place<T>(
        &mut self,
        chunk: Chunk<T>,
        work: &impl Fn(&Block<'_>) -> T,
        peek: Option<Peek<'_>>,
        blocks: &mut Vec<Placed<T>>,
    ) -> io::Result<()> {
        if let (Some(start), Some(end)) = (self.long, chunk.first_line_feed) {
            self.read_long(start..end + 1, work, peek, blocks)?;
            self.long = None;
        }
        if let Some(value) = chunk.value {
            let first_line = self.line + u64::from(!chunk.owns_first);
            blocks.push(Placed { first_line, value });
        }
        self.line += chunk.line_feeds;
        if let Some(end) = chunk.lines_to {
            // A line that starts here may end behind the chunk.
            self.reached = (end, self.line + u64::from(end > chunk.own_to));
        }
        self.lines += chunk.line_feeds + u64::from(chunk.unended);
        self.unended |= chunk.unended;
        self.long = chunk.long.or(self.long);
        Ok(())
    }

    /// The file's last line, if it is long and has no line feed.
    fn last_long<T>(
        &mut self,
        work: &impl Fn(&Block<'_>) -> T,
        peek: Option<Peek<'_>>,
    ) -> io::Result<Option<Vec<Placed<T>>>> {
        let Some(start) = self.long.take() else { return Ok(None) };
        self.reached.0 = self.end;
        let mut blocks = Vec::new();
        self.read_long(start..self.end, work, peek, &mut blocks)?;
        Ok(Some(blocks))
    }

    fn read_long<T>(
        &self,
        Range { start, end }: Range<u64>,
        work: &impl Fn(&Block<'_>) -> T,
        peek: Option<Peek<'_>>,
        blocks: &mut Vec<Placed<T>>,
    ) -> io::Result<()> {
        let line = LongLine { file: &self.file, start, end };
        // The line feed is not part of it; only the last line of a file may lack one.
        let len = line.len() - u64::from(end < self.end || !self.unended);
        let oversize = (len > self.max_line).then_some(len);
        if oversize.is_none() && !peek.map_or(Ok(true), |peek| peek(&line))? {
            return Ok(());
        }
        let bytes = if oversize.is_some() { line.head()? } else { line.read()? };
        let block = Block { bytes: &bytes, offset: start, oversize, max_line: self.max_line };
        blocks.push(Placed { first_line: self.line, value: work(&block) });
        Ok(())
    }
}

impl LongLine<'_> {
    /// Its length in bytes, with its end.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Its first 4 KiB.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = vec![0; self.len().min(4096) as usize];
        let read = read_full(self.file, &mut head, self.start)?;
        head.truncate(read);
        Ok(head)
    }

    /// Whether `test` holds for a window of it. Windows of 1 MiB overlap by `overlap` bytes, so
    /// that nothing up to that length hides in a seam.
    pub fn any(&self, overlap: usize, test: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        let mut window = vec![0; 1 << 20];
        let mut at = self.start;
        while at < self.end {
            let want = (self.end - at).min(window.len() as u64) as usize;
            let read = read_full(self.file, &mut window[..want], at)?;
            if test(&window[..read]) {
                return Ok(true);
            }
            if read < want || at + read as u64 == self.end {
                break;
            }
            at += (read - overlap.min(read / 2)) as u64;
        }
        Ok(false)
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        // The file may have shrunk since: do not make room for what is gone.
        let there = self.file.metadata()?.len().saturating_sub(self.start);
        let mut bytes = vec![0; self.len().min(there) as usize];
        let read = read_full(self.file, &mut bytes, self.start)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// A chunk to read.
struct Part {
    from: u64,
    size: usize,
    /// Where the file, or the part of it that is read, ends.
    end: u64,
    owns_first: bool,
    max_line: u64,
}

fn read_chunk<T>(
    file: &File,
    buffer: &mut Vec<u8>,
    part: &Part,
    work: &impl Fn(&Block<'_>) -> T,
) -> io::Result<Chunk<T>> {
    let Part { from, size, end, owns_first, .. } = *part;
    let want = (end - from).min((size + OVERSHOOT.min(size)) as u64) as usize;
    if buffer.len() < want {
        buffer.resize(want, 0);
    }
    let read = read_full(file, &mut buffer[..want], from)?;
    let bytes = &buffer[..read];
    let at_end = read < want || from + read as u64 >= end;
    let own = &bytes[..read.min(size)];
    let first = memchr::memchr(b'\n', own);
    let mut chunk = Chunk {
        owns_first,
        line_feeds: count_lines(own),
        own_to: from + own.len() as u64,
        lines_to: None,
        unended: at_end && read <= size && own.last().is_some_and(|b| *b != b'\n'),
        first_line_feed: first.map(|at| from + at as u64),
        value: None,
        long: None,
    };
    let Some(lines_from) = (if owns_first { Some(0) } else { first.map(|at| at + 1) }) else {
        return Ok(chunk);
    };
    // The last line that starts here ends at the first line feed past the chunk.
    let last_start = memchr::memrchr(b'\n', own).map_or(0, |at| at + 1);
    let lines_to = match memchr::memchr(b'\n', &bytes[own.len()..]) {
        Some(at) => own.len() + at + 1,
        None if at_end => read,
        None => {
            chunk.long = Some(from + last_start as u64);
            last_start
        }
    };
    chunk.lines_to = Some(from + lines_to as u64);
    if lines_from < lines_to {
        let block = Block {
            bytes: &bytes[lines_from..lines_to],
            offset: from + lines_from as u64,
            oversize: None,
            max_line: part.max_line,
        };
        chunk.value = Some(work(&block));
    }
    Ok(chunk)
}

/// Where the last line that has a line feed ends in a part of a file; its start if none has.
pub(crate) fn end_of_lines(file: &File, Range { start, mut end }: Range<u64>) -> io::Result<u64> {
    // Mostly the last byte is one: a little is read first.
    let mut window = vec![0; 4 << 10];
    while start < end {
        let size = (end - start).min(window.len() as u64) as usize;
        let from = end - size as u64;
        let read = read_full(file, &mut window[..size], from)?;
        if let Some(at) = memchr::memrchr(b'\n', &window[..read]) {
            return Ok(from + at as u64 + 1);
        }
        end = from;
        window.resize(1 << 20, 0);
    }
    Ok(start)
}

/// Reads once from the start of a file, which gives all there is of a small one.
pub(crate) fn read_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, 0) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Reads until `buffer` is full or the file ends, which it may do early: it may have shrunk.
pub(crate) fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(read)
}

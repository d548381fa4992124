//! Standard output: buffered, flushed when asked, and quiet when the reader has gone.

use std::io::{self, Write};

/// The reader of the output has closed its end: nobody wants more.
#[derive(Debug, thiserror::Error)]
#[error("the output was closed")]
pub struct Closed;

/// Writes records, each ended by a terminator.
pub struct Writer<W> {
    out: W,
    buffer: Vec<u8>,
    terminator: u8,
}

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

impl<W: Write> Writer<W> {
    /// Writes to `out`; every record ends with `terminator`.
    pub fn new(out: W, terminator: u8) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER + (64 << 10)), terminator }
    }

    /// The buffer that the next record is built in. End it with [`Writer::end_record`].
    pub fn record(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends a part of the record; a large one is not gathered first.
    pub fn pass_through(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() < BUFFER {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.drain()?;
        self.out.write_all(bytes).map_err(tell_closed)
    }

    /// Ends the record.
    pub fn end_record(&mut self) -> io::Result<()> {
        self.buffer.push(self.terminator);
        self.spill()
    }

    /// Writes what was gathered if it is much.
    pub fn spill(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER { self.drain() } else { Ok(()) }
    }

    /// Writes everything through to the reader.
    pub fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.out.flush().map_err(tell_closed)
    }

    fn drain(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.buffer).map_err(tell_closed);
        self.buffer.clear();
        // One huge record must not keep its memory for the rest of the run.
        self.buffer.shrink_to(BUFFER + (64 << 10));
        written
    }
}

/// Marks the error of a closed pipe, so that one place can tell it from the others.
fn tell_closed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, Closed),
        _ => error,
    }
}

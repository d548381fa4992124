//! Sources that are one text, such as a document over many lines: read at once, and handed out as
//! one block. Neither its line ends nor its being empty part it or take it away.

use std::cell::Cell;
use std::io::{self, Read};

use crate::reader::Placed;
use crate::{Block, Opened};

/// A source that is read at once, once.
pub(crate) struct Whole {
    source: Option<Opened>,
    first_line: u64,
    /// The longest text that is read, in bytes.
    most: u64,
    bytes: u64,
    lines: u64,
}

/// How much of a longer text is handed out, in bytes.
const START: u64 = 4096;

/// The largest memory that is used again, in bytes.
const KEPT: usize = 4 << 20;

thread_local! {
    /// Memory for a text: many small ones need no more than a large one.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Whole {
    pub(crate) fn new(source: Opened, first_line: u64, most: u64) -> Self {
        Self { source: Some(source), first_line, most, bytes: 0, lines: 0 }
    }

    /// Bytes met so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Texts met so far: each counts as a line.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// What `work` makes of the text; none the second time.
    pub(crate) fn next<T>(
        &mut self,
        work: &impl Fn(&Block<'_>) -> T,
    ) -> io::Result<Option<Placed<T>>> {
        let Some(source) = self.source.take() else { return Ok(None) };
        let mut buffer = BUFFER.take();
        let read = self.read(source, &mut buffer);
        let placed = read.map(|(offset, oversize)| {
            let block = Block { bytes: &buffer, offset, oversize, max_line: self.most };
            Some(Placed { first_line: self.first_line, value: work(&block) })
        });
        if buffer.capacity() > KEPT {
            buffer = Vec::new();
        }
        BUFFER.set(buffer);
        placed
    }

    /// Reads the text, or its start if it is too long. Returns where it starts, and its length if
    /// that is too much.
    fn read(&mut self, source: Opened, buffer: &mut Vec<u8>) -> io::Result<(u64, Option<u64>)> {
        buffer.clear();
        // The length of a file is known beforehand.
        let (offset, known) = match &source {
            Opened::File { start, end, .. } => (*start, Some(end.saturating_sub(*start))),
            Opened::Stream { .. } => (0, None),
        };
        let mut bytes = source.into_reader();
        let too_long = known.filter(|len| *len > self.most);
        let limit = if too_long.is_some() { START } else { self.most.saturating_add(1) };
        buffer.reserve(known.unwrap_or(0).min(limit) as usize);
        bytes.by_ref().take(limit).read_to_end(buffer)?;
        let mut len = too_long.unwrap_or(buffer.len() as u64);
        if too_long.is_none() && len > self.most {
            len += io::copy(&mut bytes, &mut io::sink())?;
            buffer.truncate(START as usize);
        }
        (self.bytes, self.lines) = (len, 1);
        Ok((offset, Some(len).filter(|len| *len > self.most)))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Batch, Block, Opened, Reader, ReaderOptions};
    use std::io::{Cursor, Write};

    /// Offset, text, length if it is too much; lines and bytes in the end.
    type Seen = (Vec<(u64, u64, Vec<u8>, Option<u64>)>, u64, u64);

    fn read(source: Opened, most: u64) -> Seen {
        let mut reader = Reader::whole(source, &ReaderOptions::default(), most);
        let work = |block: &Block<'_>| (block.offset, block.bytes.to_vec(), block.oversize);
        let mut seen = Vec::new();
        while let Batch::Blocks(blocks) = reader.next(&work).unwrap() {
            let all = blocks.into_iter().map(|b| (b.first_line, b.value));
            seen.extend(all.map(|(line, (offset, text, len))| (line, offset, text, len)));
        }
        (seen, reader.lines(), reader.bytes())
    }

    #[test]
    fn a_text_is_one_block_however_many_lines_it_has() {
        let long = "x\n".repeat(50_000);
        for text in ["", "\n\n", "{\n \"a\": 1\n}\n", "{}", &long] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let stream = || Opened::from_reader(Cursor::new(text.to_owned()));
            let len = text.len() as u64;
            let whole = (vec![(1, 0, text.as_bytes().to_vec(), None)], 1, len);
            assert_eq!(read(Opened::path(file.path()).unwrap(), len), whole);
            assert_eq!(read(stream(), len), whole);
            let Some(most) = len.checked_sub(1) else { continue };
            let start = text.as_bytes()[..text.len().min(4096)].to_vec();
            let cut = (vec![(1, 0, start, Some(len))], 1, len);
            assert_eq!(read(Opened::path(file.path()).unwrap(), most), cut);
            assert_eq!(read(stream(), most), cut);
        }
    }
}

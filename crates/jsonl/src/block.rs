//! A block of whole lines, and the lines in it.

/// Whole lines that stand together in a source.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The lines with their ends; only a source's last line may lack one.
    pub bytes: &'a [u8],
    /// Where they start in the source, in (decompressed) bytes.
    pub offset: u64,
    /// If the block is one line longer than the limit: its length. `bytes` is then its start.
    pub oversize: Option<u64>,
    /// The limit, in bytes. Lines that end within their block are handed out all the same.
    pub max_line: u64,
}

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The text, without `\n` or `\r\n`, and without a byte order mark.
    pub bytes: &'a [u8],
    /// Lines before it in its block.
    pub number: u64,
    /// Where it starts in the source, in bytes.
    pub offset: u64,
    /// Whether a line feed ends it.
    pub ended: bool,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<'a> Block<'a> {
    /// All lines of a source of these bytes.
    pub fn of_all(bytes: &'a [u8], max_line: u64) -> Self {
        Self { bytes, offset: 0, oversize: None, max_line }
    }

    /// How many lines there are, the last of a source with or without its end.
    pub fn line_count(&self) -> u64 {
        count_lines(self.bytes) + u64::from(self.bytes.last().is_some_and(|last| *last != b'\n'))
    }

    /// The lines, in order.
    pub fn lines(&self) -> Lines<'a> {
        Lines { block: *self, at: 0, number: 0 }
    }

    /// The line that starts at byte `start` of the block, as the `number`th.
    pub fn line_at(&self, start: usize, number: u64) -> Line<'a> {
        let rest = &self.bytes[start..];
        let (text, ended) = match memchr::memchr(b'\n', rest) {
            Some(end) => (&rest[..end], true),
            None => (rest, false),
        };
        self.line_of(start, text, number, ended)
    }

    fn line_of(&self, start: usize, text: &'a [u8], number: u64, ended: bool) -> Line<'a> {
        let mut offset = self.offset + start as u64;
        let mut bytes = text.strip_suffix(b"\r").unwrap_or(text);
        if let (0, Some(rest)) = (offset, bytes.strip_prefix(BYTE_ORDER_MARK)) {
            bytes = rest;
            offset = BYTE_ORDER_MARK.len() as u64;
        }
        Line { bytes, number, offset, ended }
    }
}

/// Iterates over the lines of a [`Block`].
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    block: Block<'a>,
    at: usize,
    number: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.at >= self.block.bytes.len() {
            return None;
        }
        let rest = &self.block.bytes[self.at..];
        let end = memchr::memchr(b'\n', rest);
        let text = &rest[..end.unwrap_or(rest.len())];
        let line = self.block.line_of(self.at, text, self.number, end.is_some());
        self.at += text.len() + 1;
        self.number += 1;
        Some(line)
    }
}

/// Line feeds in `bytes`.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

//! The line filter of `--grep`: a regular expression on the raw bytes of each line.

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};

use crate::{Block, Line};

/// A regular expression that a line must match, in the syntax of ripgrep.
#[derive(Clone, Debug)]
pub struct Grep {
    matcher: RegexMatcher,
}

/// A regular expression that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--grep")]
pub struct GrepError(#[from] grep_regex::Error);

impl Grep {
    /// Compiles the expression.
    pub fn new(pattern: &str) -> Result<Self, GrepError> {
        let matcher = RegexMatcherBuilder::new().line_terminator(Some(b'\n')).build(pattern)?;
        Ok(Self { matcher })
    }

    /// Calls `each` for every line of the block that matches, in order.
    pub fn lines<'a>(&self, block: &Block<'a>, each: impl FnMut(Line<'a>)) {
        // Without these a NUL byte would end the search in silence, and a UTF-16 mark would
        // shift every offset.
        let mut searcher = SearcherBuilder::new()
            .binary_detection(BinaryDetection::none())
            .bom_sniffing(false)
            .line_number(true)
            .build();
        let mut sink = Lines { block, each };
        // Searching a slice does no I/O, and this sink has no error of its own.
        let _ = searcher.search_slice(&self.matcher, block.bytes, &mut sink);
    }
}

struct Lines<'b, 'a, F> {
    block: &'b Block<'a>,
    each: F,
}

impl<'a, F: FnMut(Line<'a>)> Sink for Lines<'_, 'a, F> {
    type Error = std::io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, Self::Error> {
        let start = found.absolute_byte_offset() as usize;
        let number = found.line_number().unwrap_or(1) - 1;
        (self.each)(self.block.line_at(start, number));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_lines_with_their_places() {
        let block = Block {
            bytes: b"\xff\xfea\0b\nxab\r\nnone\nab",
            offset: 5,
            oversize: None,
            max_line: u64::MAX,
        };
        let mut seen = Vec::new();
        Grep::new("a.?b").unwrap().lines(&block, |l| seen.push((l.number, l.offset, l.bytes)));
        let want: [(u64, u64, &[u8]); 3] =
            [(0, 5, b"\xff\xfea\0b"), (1, 11, b"xab"), (3, 21, b"ab")];
        assert_eq!(seen, want);
        assert!(Grep::new("(").is_err());
    }
}

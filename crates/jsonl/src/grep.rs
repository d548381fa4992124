//! The line filter of `--grep`: a regular expression on the raw bytes of each line.

use grep_matcher::LineTerminator;
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
        let matcher = RegexMatcherBuilder::new().multi_line(true).crlf(true).build(pattern)?;
        Ok(Self { matcher })
    }

    /// Without these settings a NUL byte would end the search in silence, and a UTF-16 mark would
    /// shift every offset. The line's end must be the one that the matcher was built for.
    fn searcher() -> Searcher {
        SearcherBuilder::new()
            .binary_detection(BinaryDetection::none())
            .bom_sniffing(false)
            .line_terminator(LineTerminator::crlf())
            .line_number(true)
            .build()
    }

    /// Calls `each` for every line of the block that matches, in order.
    pub fn lines<'a>(&self, block: &Block<'a>, each: impl FnMut(Line<'a>)) {
        let mut sink = Lines { block, each };
        let searched = Self::searcher().search_slice(&self.matcher, block.bytes, &mut sink);
        // Searching a slice does no I/O, this sink has no error of its own, and searcher and
        // matcher are built for each other: a test sees to that.
        debug_assert!(searched.is_ok(), "{searched:?}");
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
        let mut ends = Vec::new();
        Grep::new("b$").unwrap().lines(&block, |line| ends.push(line.number));
        assert_eq!(ends, [0, 1, 3]);
        assert!(Grep::new("(").is_err());
    }
}

//! The prefilter: which lines of a block may matter, told by literal text alone. It may let too
//! much through, never too little.

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem::Finder;

use crate::{Block, Line};

/// A set of literal texts to look for.
#[derive(Clone, Debug)]
pub struct Needles {
    search: Search,
    longest: usize,
}

#[derive(Clone, Debug)]
enum Search {
    /// One needle.
    One(Box<Finder<'static>>),
    /// A few needles, 32 bytes at a time. `AhoCorasick` would choose by rare bytes instead, and
    /// the bytes of event names are rare nowhere in a log.
    Packed(packed::Searcher),
    /// Too many needles, or a processor without vectors.
    Automaton(AhoCorasick),
}

impl Needles {
    /// Prepares the search; none if there is nothing to look for.
    pub fn new(needles: &[&str]) -> Option<Self> {
        if needles.is_empty() || needles.contains(&"") {
            return None;
        }
        let search = match (needles, packed::Searcher::new(needles)) {
            ([one], _) => Search::One(Box::new(Finder::new(one).into_owned())),
            (_, Some(packed)) => Search::Packed(packed),
            (_, None) => Search::Automaton(AhoCorasick::new(needles).ok()?),
        };
        let longest = needles.iter().map(|n| n.len()).max().unwrap_or(0);
        Some(Self { search, longest })
    }

    /// Whether one of the needles stands in `bytes`.
    pub fn found_in(&self, bytes: &[u8]) -> bool {
        self.find(bytes).is_some()
    }

    /// Where the first needle starts.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match &self.search {
            Search::One(finder) => finder.find(bytes),
            Search::Packed(packed) => packed.find(bytes).map(|found| found.start()),
            Search::Automaton(automaton) => automaton.find(bytes).map(|found| found.start()),
        }
    }

    /// Length of the longest needle, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Calls `each` for every line of the block that holds a needle, in order.
    pub fn lines<'a>(&self, block: &Block<'a>, mut each: impl FnMut(Line<'a>)) {
        let bytes = block.bytes;
        let (mut at, mut number, mut counted) = (0, 0, 0);
        while let Some(found) = self.find(&bytes[at..]) {
            let hit = at + found;
            let start = memchr::memrchr(b'\n', &bytes[..hit]).map_or(0, |lf| lf + 1);
            number += crate::block::count_lines(&bytes[counted..start]);
            counted = start;
            each(block.line_at(start, number));
            let Some(end) = memchr::memchr(b'\n', &bytes[hit..]) else { break };
            at = hit + end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_line_with_a_needle_is_lost(text in "[abc\n]{0,200}") {
            let block = Block { bytes: text.as_bytes(), offset: 10, oversize: None, max_line: u64::MAX };
            let needles = Needles::new(&["ab", "cc", "bca"]).unwrap();
            let mut found = Vec::new();
            needles.lines(&block, |line| found.push(line));
            let has = |line: &Line<'_>| {
                let text = std::str::from_utf8(line.bytes).unwrap();
                ["ab", "cc", "bca"].iter().any(|n| text.contains(n))
            };
            prop_assert_eq!(found, block.lines().filter(has).collect::<Vec<_>>());
        }
    }
}

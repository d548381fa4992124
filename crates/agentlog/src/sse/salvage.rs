//! Whole rows inside a line that is not one row: two writers appended to one file at once, so
//! that a torn row and a whole one share a line.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::Envelope;

/// What marks a row inside a line.
const ROW: &[u8] = br#"{"event":""#;

/// How many torn rows a line may hold before the search in it is given up: each could cost a walk
/// over all the rest.
const MOST_TORN: usize = 1000;

/// A bad line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// The whole rows, as byte ranges of the line.
    pub rows: Vec<Range<usize>>,
    /// What is left between them, white space apart.
    pub rest: Vec<Range<usize>>,
}

impl Salvage {
    /// Looks for whole rows in a line that does not read as one.
    pub fn of(line: &[u8]) -> Self {
        let mut found = Self::default();
        let (mut from, mut torn) = (0, 0);
        let mut texts = Texts::new(line);
        for at in memchr::memmem::find_iter(line, ROW) {
            if at < from || torn > MOST_TORN {
                continue;
            }
            match texts.at(at).and_then(Envelope::parse_leading) {
                Some((_, len)) => {
                    found.left(line, from..at);
                    found.rows.push(at..at + len);
                    from = at + len;
                }
                None => torn += 1,
            }
        }
        found.left(line, from..line.len());
        found
    }

    fn left(&mut self, line: &[u8], range: Range<usize>) {
        if !line[range.clone()].trim_ascii().is_empty() {
            self.rest.push(range);
        }
    }
}

/// Whether a line holds the start of a row anywhere but at its own start.
pub fn has_interior_row(line: &[u8]) -> bool {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ROW));
    line.len() > 1 && FINDER.find(&line[1..]).is_some()
}

/// The stretches of a line that are UTF-8, each looked at once.
struct Texts<'a> {
    chunks: std::str::Utf8Chunks<'a>,
    /// The current stretch and where it starts.
    text: &'a str,
    start: usize,
    next: usize,
}

impl<'a> Texts<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self { chunks: line.utf8_chunks(), text: "", start: 0, next: 0 }
    }

    /// The text from byte `at` to where it stops being UTF-8. `at` must not go back.
    fn at(&mut self, at: usize) -> Option<&'a str> {
        while at >= self.start + self.text.len() {
            let chunk = self.chunks.next()?;
            (self.text, self.start) = (chunk.valid(), self.next);
            self.next += chunk.valid().len() + chunk.invalid().len();
        }
        self.text.get(at - self.start..)
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // Ranges are what is found.
mod tests {
    use super::*;

    #[test]
    fn whole_rows_are_found_and_the_rest_is_kept() {
        let whole = r#"{"event":"codex.idle","t":"2025-11-18T21:55:52.402"}"#;
        let torn = r#"{"event":"turn.diff","line":"data: {\"a"#;
        let one = torn.len()..torn.len() + whole.len();
        for (line, rows, rest) in [
            (format!("{torn}{whole}"), vec![one], vec![0..torn.len()]),
            (
                format!("{whole}{torn}"),
                vec![0..whole.len()],
                vec![whole.len()..whole.len() + torn.len()],
            ),
            (
                format!("{whole}{whole} "),
                vec![0..whole.len(), whole.len()..2 * whole.len()],
                vec![],
            ),
            (torn.to_owned(), vec![], vec![0..torn.len()]),
        ] {
            assert_eq!(Salvage::of(line.as_bytes()), Salvage { rows, rest }, "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_spoil_only_themselves() {
        let line = b"\xff\0{\"event\":\"a\"}\xfe";
        assert_eq!(Salvage::of(line), Salvage { rows: vec![2..15], rest: vec![0..2, 15..16] });
    }
}

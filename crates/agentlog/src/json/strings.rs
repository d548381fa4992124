//! Two ways to find where a string ends: looking at its bytes, or looking it up in an index of
//! the whole text, which is faster for rows of common size.

use std::cell::Cell;

use super::JsonError;
use super::scan::{self, StringEnd};

/// Calls `read` with the index of the text's strings, if it is worth one and not at fault.
pub(super) fn with_index<T>(text: &str, read: impl FnOnce(Option<Indexed<'_>>) -> T) -> T {
    thread_local! {
        static QUOTES: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
    }
    if text.len() > scan::INDEXED {
        return read(None);
    }
    // Taken, not borrowed: `read` may come here again.
    let mut quotes = QUOTES.take();
    quotes.clear();
    let good = scan::index_into(text.as_bytes(), &mut quotes);
    let result = read(good.then_some(Indexed { quotes: &quotes, next: 0 }));
    QUOTES.set(quotes);
    result
}

/// A way to find where a string ends.
pub(super) trait Strings {
    /// The end of the string whose opening quote stands at `open`.
    fn end(&mut self, bytes: &[u8], open: usize) -> Result<StringEnd, JsonError>;
}

/// Looks at the bytes.
pub(super) struct Scanned;

impl Strings for Scanned {
    #[inline]
    fn end(&mut self, bytes: &[u8], open: usize) -> Result<StringEnd, JsonError> {
        scan::string_end(bytes, open + 1)
    }
}

/// Looks it up: the quotes of the text were found before, many at a time.
pub(super) struct Indexed<'i> {
    quotes: &'i [u32],
    next: usize,
}

impl Strings for Indexed<'_> {
    #[inline]
    fn end(&mut self, bytes: &[u8], open: usize) -> Result<StringEnd, JsonError> {
        let Some([first, last]) = self.quotes.get(self.next..self.next + 2) else {
            return scan::string_end(bytes, open + 1);
        };
        // Strings come in order, and between them the grammar allows no quote.
        if (first & !scan::ESCAPED) as usize != open {
            return scan::string_end(bytes, open + 1);
        }
        self.next += 2;
        let escaped = last & scan::ESCAPED != 0;
        Ok(StringEnd { quote: (last & !scan::ESCAPED) as usize, escaped })
    }
}

//! Finds the bytes that matter inside a JSON string, 64 at a time: quotes, backslashes and
//! control characters. It knows nothing of grammar beyond a string's escapes.

use super::JsonError;
#[cfg(target_arch = "x86_64")]
use super::lanes;
#[cfg(not(target_arch = "x86_64"))]
use super::words as lanes;

/// Bytes looked at in one step.
pub(super) const BLOCK: usize = 64;

/// Where a string ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringEnd {
    /// Index of the closing quote.
    pub quote: usize,
    /// Whether a backslash stands inside.
    pub escaped: bool,
}

/// Finds the end of the string whose first byte after the opening quote is `bytes[start]`, and
/// checks every escape on the way.
#[inline]
pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
    lanes::string_end(bytes, start)
}

#[allow(clippy::inline_always)] // It must be compiled with its caller's instruction set.
#[inline(always)]
pub(super) fn string_end_by(
    bytes: &[u8],
    start: usize,
    marks_of: impl Fn(&[u8; BLOCK]) -> Marks,
) -> Result<StringEnd, JsonError> {
    let mut at = start;
    let mut escaped = false;
    // Whether the block before ended in a backslash that escapes the first byte of this one.
    let mut carry = false;
    let mut last = [b' '; BLOCK];
    while at < bytes.len() {
        let block = block_of(&bytes[at..], &mut last);
        let marks = marks_of(block);
        let hidden = marks.escaped_by(&mut carry);
        let quotes = marks.quotes & !hidden;
        let inside = quotes.wrapping_sub(1) & !quotes; // the bits below the first free quote
        if marks.controls & inside != 0 {
            let to = at + (marks.controls & inside).trailing_zeros() as usize;
            return Err(JsonError::new(to, "control character in a string"));
        }
        if hidden & inside != 0 {
            escaped = true;
            check_escapes(bytes, at, block, hidden & inside)?;
        }
        if quotes != 0 {
            return Ok(StringEnd { quote: at + quotes.trailing_zeros() as usize, escaped });
        }
        at += BLOCK;
    }
    Err(JsonError::new(bytes.len(), "string without an end"))
}

/// Set in an entry of an index if the string that the quote closes holds a backslash.
pub(super) const ESCAPED: u32 = 1 << 31;

/// Texts longer than this are walked string by string: an index of them could be too large.
pub(super) const INDEXED: usize = 1 << 20;

/// Appends the place of every quote that no backslash hides, opening and closing ones in turn.
/// False if the text is at fault; where, a walk will tell.
#[inline]
pub(super) fn index_into(bytes: &[u8], quotes: &mut Vec<u32>) -> bool {
    lanes::index_into(bytes, quotes)
}

#[allow(clippy::inline_always)] // It must be compiled with its caller's instruction set.
#[inline(always)]
pub(super) fn index_into_by(
    bytes: &[u8],
    index: &mut Vec<u32>,
    marks_of: impl Fn(&[u8; BLOCK]) -> Marks,
    plain_escapes: impl Fn(&[u8; BLOCK]) -> u64,
) -> bool {
    let mut at = 0;
    let mut carry = false;
    let mut last = [b' '; BLOCK];
    // Whether a backslash came since the last quote.
    let mut escaped = 0;
    while at < bytes.len() {
        let block = block_of(&bytes[at..], &mut last);
        let marks = marks_of(block);
        let mut quotes = marks.quotes;
        let mut slashes = marks.backslashes;
        if slashes != 0 || carry {
            let hidden = marks.escaped_by(&mut carry);
            quotes &= !hidden;
            // Most escapes are of quotes and backslashes, and those are known.
            let odd = hidden & !(marks.quotes | marks.backslashes);
            if odd != 0 && check_each(bytes, at, odd & !plain_escapes(block)).is_err() {
                return false;
            }
        }
        if marks.controls != 0 && marks.controls & in_strings(quotes, index.len() % 2 == 1) != 0 {
            return false;
        }
        while quotes != 0 {
            let below = quotes & quotes.wrapping_neg();
            if slashes & (below - 1) != 0 {
                escaped = ESCAPED;
                slashes &= !(below - 1);
            }
            index.push((at + quotes.trailing_zeros() as usize) as u32 | escaped);
            escaped = 0;
            quotes ^= below;
        }
        if slashes != 0 {
            escaped = ESCAPED;
        }
        at += BLOCK;
    }
    !carry && index.len().is_multiple_of(2)
}

/// The bytes between quotes. `open` says whether the block starts inside a string.
fn in_strings(quotes: u64, open: bool) -> u64 {
    let inside = prefix_xor(quotes);
    if open { !inside } else { inside }
}

/// A bit for each place with an odd number of bits up to and with it.
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Checks the characters behind backslashes: `hidden` has a bit for each.
#[inline]
fn check_escapes(
    bytes: &[u8],
    at: usize,
    block: &[u8; BLOCK],
    hidden: u64,
) -> Result<(), JsonError> {
    check_each(bytes, at, hidden & !lanes::plain_escapes(block))
}

/// Checks the escapes that `letters` has a bit for.
pub(super) fn check_each(bytes: &[u8], at: usize, mut letters: u64) -> Result<(), JsonError> {
    while letters != 0 {
        let letter = at + letters.trailing_zeros() as usize;
        escape_len(bytes, letter - 1)?;
        letters &= letters - 1;
    }
    Ok(())
}

/// One bit for each backslash among the 64 bytes from `start`; none past the end of `bytes`.
#[inline]
pub(super) fn backslashes(bytes: &[u8], start: usize) -> u64 {
    lanes::marks(block_of(&bytes[start..], &mut [b' '; BLOCK])).backslashes
}

/// Copies text as far as its escapes are of quotes and backslashes, and there is a fast way to do
/// it: see [`lanes::unhide`].
#[inline]
pub(super) fn unhide(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    lanes::unhide(bytes, out)
}

/// The first 64 bytes of a text; of a shorter one a copy in `last`, which is filled up with spaces.
#[allow(clippy::inline_always)] // A call for each block would cost more than what it does.
#[inline(always)]
fn block_of<'b>(rest: &'b [u8], last: &'b mut [u8; BLOCK]) -> &'b [u8; BLOCK] {
    if let Some(block) = rest.first_chunk() {
        return block;
    }
    last[..rest.len()].copy_from_slice(rest);
    last
}

/// Length of the escape that starts with the backslash at `at`: 2, or 6 for `\uXXXX`.
fn escape_len(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match bytes.get(at + 2..at + 6) {
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => Ok(6),
            _ => Err(JsonError::new(at, "\\u without four hex digits")),
        },
        Some(_) => Err(JsonError::new(at, "unknown escape")),
        None => Err(JsonError::new(at, "string without an end")),
    }
}

/// What stands where in 64 bytes, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub quotes: u64,
    pub backslashes: u64,
    pub controls: u64,
    /// Bytes that are not ASCII.
    pub high: u64,
}

impl Marks {
    /// The same without the first bytes of the block.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn shifted(self, by: u32) -> Self {
        let Self { quotes, backslashes, controls, high } = self;
        Self {
            quotes: quotes >> by,
            backslashes: backslashes >> by,
            controls: controls >> by,
            high: high >> by,
        }
    }

    /// The bytes that an odd run of backslashes escapes. Whole runs are told apart with one
    /// addition: its carry travels along a run and comes out behind it.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn escaped_by(&self, carry: &mut bool) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let before = u64::from(*carry);
        if self.backslashes == 0 {
            *carry = false;
            return before;
        }
        let slashes = self.backslashes & !before;
        let follows = slashes << 1 | before;
        let odd_starts = slashes & !EVEN & !follows;
        let (ends, over) = odd_starts.overflowing_add(slashes);
        *carry = over;
        (EVEN ^ (ends << 1)) & follows
    }
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_to_mark_a_block_agree(bytes in proptest::collection::vec(any::<u8>(), 64)) {
            let block: [u8; 64] = bytes.try_into().unwrap();
            let mark = |test: fn(u8) -> bool| {
                block.iter().enumerate().fold(0u64, |m, (i, b)| m | u64::from(test(*b)) << i)
            };
            let slow = Marks {
                quotes: mark(|b| b == b'"'),
                backslashes: mark(|b| b == b'\\'),
                controls: mark(|b| b < 0x20),
                high: mark(|b| b >= 0x80),
            };
            prop_assert_eq!(lanes::marks(&block), slow);
            prop_assert_eq!(words::marks(&block), slow);
            prop_assert_eq!(lanes::string_end(&block, 0), words::string_end(&block, 0));
            let escapes = mark(|b| b"\"\\/bfnrt".contains(&b));
            prop_assert_eq!(lanes::plain_escapes(&block), escapes);
            prop_assert_eq!(words::plain_escapes(&block), escapes);
        }

        #[test]
        fn an_index_is_what_a_walk_finds(text in "([\"\\\\nu{}:, é\u{1}]|[a-f0-9]{4}|x{20}){0,40}") {
            let bytes = text.as_bytes();
            let (mut index, mut words) = (Vec::new(), Vec::new());
            let good = index_into(bytes, &mut index);
            prop_assert_eq!(words::index_into(bytes, &mut words), good);
            if good {
                prop_assert_eq!(&words, &index);
                for pair in index.as_chunks::<2>().0 {
                    // Between strings a backslash is at fault, which the grammar finds.
                    let from = (pair[0] & !ESCAPED) as usize + 1;
                    let end = StringEnd { quote: (pair[1] & !ESCAPED) as usize, escaped: pair[1] & ESCAPED != 0 };
                    if !bytes[..from - 1].ends_with(b"\\") {
                        prop_assert_eq!(string_end(bytes, from).unwrap(), end);
                    }
                }
            }
        }

        #[test]
        fn a_string_is_one_for_serde_json_too(text in "[a\\\\\"\u{1}nu0é]{0,150}") {
            let ours = string_end(text.as_bytes(), 0).map(|end| end.quote);
            let quoted = format!("\"{text}");
            let mut theirs = serde_json::Deserializer::from_str(&quoted).into_iter::<serde_json::Value>();
            match (ours, theirs.next()) {
                (Ok(quote), Some(Ok(_))) => prop_assert_eq!(quote + 2, theirs.byte_offset()),
                // A lone surrogate is for us a string like any other.
                (Ok(_), Some(Err(e))) => prop_assert!(e.to_string().contains("surrogate"), "{e}"),
                (Err(_), Some(Err(_))) => {}
                (ours, theirs) => prop_assert!(false, "{ours:?} {theirs:?}"),
            }
        }
    }

    #[test]
    fn a_string_ends_at_its_first_free_quote() {
        for fill in 0..140 {
            let text = format!("{}\\\\\\\"\\u12aB\" tail", "x".repeat(fill));
            let end = string_end(text.as_bytes(), 0).unwrap();
            assert_eq!(end, StringEnd { quote: fill + 10, escaped: true });
        }
    }

    #[test]
    fn faults_are_found_where_they_are() {
        for (text, at) in
            [("abc", 3), ("ab\\", 2), ("a\\x\"", 1), ("a\\u12g4\"", 1), ("a\tb\"", 1), ("\\u12", 0)]
        {
            assert_eq!(string_end(text.as_bytes(), 0).unwrap_err().at, at, "{text:?}");
        }
    }
}

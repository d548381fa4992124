//! Finds the bytes that matter inside a JSON string, 64 at a time: quotes, backslashes and
//! control characters. It knows nothing of grammar beyond a string's escapes.

use super::JsonError;

/// Bytes looked at in one step.
const BLOCK: usize = 64;

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

#[inline(always)]
fn string_end_by(
    bytes: &[u8],
    start: usize,
    marks_of: impl Fn(&[u8; BLOCK]) -> Marks,
) -> Result<StringEnd, JsonError> {
    let mut at = start;
    let mut escaped = false;
    // Whether the block before ended in a backslash that escapes the first byte of this one.
    let mut carry = false;
    while at < bytes.len() {
        let padded;
        let block = match bytes[at..].first_chunk() {
            Some(block) => block,
            None => {
                padded = padded_block(&bytes[at..]);
                &padded
            }
        };
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

#[inline(always)]
fn index_into_by(
    bytes: &[u8],
    index: &mut Vec<u32>,
    marks_of: impl Fn(&[u8; BLOCK]) -> Marks,
    plain_escapes: impl Fn(&[u8; BLOCK]) -> u64,
) -> bool {
    let mut at = 0;
    let mut carry = false;
    // Whether a backslash came since the last quote.
    let mut escaped = 0;
    while at < bytes.len() {
        let padded;
        let block = match bytes[at..].first_chunk() {
            Some(block) => block,
            None => {
                padded = padded_block(&bytes[at..]);
                &padded
            }
        };
        let marks = marks_of(block);
        let mut quotes = marks.quotes;
        let mut slashes = marks.backslashes;
        if slashes != 0 || carry {
            let hidden = marks.escaped_by(&mut carry);
            quotes &= !hidden;
            let odd = hidden & !plain_escapes(block);
            if odd != 0 && check_each(bytes, at, odd).is_err() {
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
    !carry && index.len() % 2 == 0
}

/// The bytes between quotes. `open` says whether the block starts inside a string.
fn in_strings(quotes: u64, open: bool) -> u64 {
    let mut inside = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << shift;
    }
    if open { !inside } else { inside }
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
fn check_each(bytes: &[u8], at: usize, mut letters: u64) -> Result<(), JsonError> {
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
    match bytes[start..].first_chunk() {
        Some(block) => lanes::marks(block).backslashes,
        None => lanes::marks(&padded_block(&bytes[start..])).backslashes,
    }
}

/// The last bytes of a text, filled up with spaces.
fn padded_block(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

impl Marks {
    /// The bytes that an odd run of backslashes escapes. Whole runs are told apart with one
    /// addition: its carry travels along a run and comes out behind it.
    #[inline(always)]
    fn escaped_by(&self, carry: &mut bool) -> u64 {
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
struct Marks {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

#[cfg(target_arch = "x86_64")]
mod lanes {
    //! The marks, 16 or 32 bytes at a time.
    #![allow(unsafe_code)]

    use super::{BLOCK, JsonError, Marks, StringEnd, index_into_by, string_end_by};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    /// The escapes of two characters, by their second.
    const PLAIN: &[u8; 8] = b"\"\\/bfnrt";

    #[inline]
    pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: AVX2 was just found to be there.
            unsafe { string_end_avx2(bytes, start) }
        } else {
            string_end_by(bytes, start, marks)
        }
    }

    #[inline]
    pub(super) fn index_into(bytes: &[u8], index: &mut Vec<u32>) -> bool {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: AVX2 was just found to be there.
            unsafe { index_into_avx2(bytes, index) }
        } else {
            index_into_by(bytes, index, marks, plain_escapes)
        }
    }

    #[target_feature(enable = "avx2")]
    fn index_into_avx2(bytes: &[u8], index: &mut Vec<u32>) -> bool {
        let escapes = |block: &[u8; BLOCK]| gather32(block, |v| any32(v, PLAIN));
        index_into_by(bytes, index, |block| marks_avx2(block), escapes)
    }

    /// SSE2 belongs to every x86-64 processor, so it need not be detected.
    #[inline]
    pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
        // SAFETY: SSE2 is there.
        unsafe { marks_sse2(block) }
    }

    #[inline]
    pub(super) fn plain_escapes(block: &[u8; BLOCK]) -> u64 {
        // SAFETY: SSE2 is there.
        unsafe { gather16(block, |v| any16(v, PLAIN)) }
    }

    #[target_feature(enable = "avx2")]
    fn string_end_avx2(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
        string_end_by(bytes, start, |block| marks_avx2(block))
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn marks_sse2(block: &[u8; BLOCK]) -> Marks {
        Marks {
            quotes: gather16(block, |v| any16(v, b"\"")),
            backslashes: gather16(block, |v| any16(v, b"\\")),
            controls: gather16(block, |v| _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v)),
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn marks_avx2(block: &[u8; BLOCK]) -> Marks {
        let control = _mm256_set1_epi8(0x1f);
        Marks {
            quotes: gather32(block, |v| any32(v, b"\"")),
            backslashes: gather32(block, |v| any32(v, b"\\")),
            controls: gather32(block, |v| _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v)),
        }
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn any16<const N: usize>(v: __m128i, set: &[u8; N]) -> __m128i {
        let equal = |b: u8| _mm_cmpeq_epi8(v, _mm_set1_epi8(b.cast_signed()));
        set[1..].iter().fold(equal(set[0]), |found, b| _mm_or_si128(found, equal(*b)))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn any32<const N: usize>(v: __m256i, set: &[u8; N]) -> __m256i {
        let equal = |b: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(b.cast_signed()));
        set[1..].iter().fold(equal(set[0]), |found, b| _mm256_or_si256(found, equal(*b)))
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn gather16(block: &[u8; BLOCK], test: impl Fn(__m128i) -> __m128i) -> u64 {
        let lanes = block.as_chunks::<16>().0.iter().enumerate();
        lanes.fold(0, |bits, (i, lane)| {
            // SAFETY: a lane has the 16 bytes that are loaded, and needs no alignment.
            let v = unsafe { _mm_loadu_si128(lane.as_ptr().cast()) };
            bits | u64::from(_mm_movemask_epi8(test(v)).cast_unsigned()) << (16 * i)
        })
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn gather32(block: &[u8; BLOCK], test: impl Fn(__m256i) -> __m256i) -> u64 {
        let lanes = block.as_chunks::<32>().0.iter().enumerate();
        lanes.fold(0, |bits, (i, lane)| {
            // SAFETY: a lane has the 32 bytes that are loaded, and needs no alignment.
            let v = unsafe { _mm256_loadu_si256(lane.as_ptr().cast()) };
            bits | u64::from(_mm256_movemask_epi8(test(v)).cast_unsigned()) << (32 * i)
        })
    }
}

/// The same with 64-bit arithmetic, for processors without the code above.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
mod words {
    use super::{BLOCK, JsonError, Marks, StringEnd, index_into_by, string_end_by};

    pub(super) fn index_into(bytes: &[u8], index: &mut Vec<u32>) -> bool {
        index_into_by(bytes, index, marks, plain_escapes)
    }

    pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
        string_end_by(bytes, start, marks)
    }

    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;

    pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
        Marks {
            quotes: gather(block, |v| equal(v, b'"')),
            backslashes: gather(block, |v| equal(v, b'\\')),
            controls: gather(block, |v| zeros(v & (ONES * 0xe0))),
        }
    }

    pub(super) fn plain_escapes(block: &[u8; BLOCK]) -> u64 {
        gather(block, |v| b"\"\\/bfnrt".iter().fold(0, |found, b| found | equal(v, *b)))
    }

    fn equal(v: u64, b: u8) -> u64 {
        zeros(v ^ (ONES * u64::from(b)))
    }

    /// The high bit of each byte that is zero; exact, since no carry leaves its byte.
    fn zeros(x: u64) -> u64 {
        !(((x & !HIGH) + !HIGH) | x | !HIGH)
    }

    fn gather(block: &[u8; BLOCK], test: impl Fn(u64) -> u64) -> u64 {
        let words = block.as_chunks::<8>().0.iter().enumerate();
        words.fold(0, |bits, (i, word)| {
            // The multiplication moves the eight high bits into one byte, lowest first.
            let high = test(u64::from_le_bytes(*word)) >> 7;
            bits | (high.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i)
        })
    }
}
#[cfg(not(target_arch = "x86_64"))]
use words as lanes;

#[cfg(test)]
mod tests {
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

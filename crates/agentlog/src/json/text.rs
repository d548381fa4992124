//! Decoding of strings. JSON can spell half of a surrogate pair, UTF-8 cannot: decoded text is
//! kept as WTF-8, so that what was logged can be printed again as it was.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scan;

/// Decoded text: UTF-8, but for lone surrogates, which stand as their three WTF-8 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Vec<u8>);

/// As bytes, since it may be no UTF-8.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(from).map(Self::from_wtf8)
    }
}

impl Text {
    /// Decodes the raw text of a JSON string (without its quotes).
    pub fn unescape(raw: &str) -> Self {
        let mut out = Self(Vec::with_capacity(raw.len()));
        each_piece(raw, |piece| match piece {
            Piece::Plain(s) => out.0.extend_from_slice(s.as_bytes()),
            Piece::Unit(unit) => out.push_unit(unit),
        });
        out
    }

    /// Text from bytes that were [`Text::as_bytes`] of one.
    pub fn from_wtf8(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes, WTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as UTF-8, lone surrogates replaced by U+FFFD.
    pub fn to_str_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Cuts the text to its first `len` bytes, which must end at a character.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Appends text. Halves of a pair that meet at the seam become one character.
    pub fn push(&mut self, more: &Text) {
        if let (Some(high), Some(low)) = (self.last_high(), more.first_low()) {
            self.0.truncate(self.0.len() - 3);
            self.push_char(join(high, low));
            self.0.extend_from_slice(&more.0[3..]);
        } else {
            self.0.extend_from_slice(&more.0);
        }
    }

    /// Appends UTF-8 text.
    pub fn push_str(&mut self, more: &str) {
        self.0.extend_from_slice(more.as_bytes());
    }

    fn push_char(&mut self, c: char) {
        self.0.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn push_unit(&mut self, unit: u32) {
        if let Some(c) = char::from_u32(unit) {
            self.push_char(c);
            return;
        }
        if let (Some(high), true) = (self.last_high(), is_low(unit)) {
            self.0.truncate(self.0.len() - 3);
            self.push_char(join(high, unit));
            return;
        }
        let byte = |shift: u32, tag: u32| (tag | unit >> shift & 0x3f) as u8;
        self.0.extend_from_slice(&[0xe0 | (unit >> 12) as u8, byte(6, 0x80), byte(0, 0x80)]);
    }

    fn last_high(&self) -> Option<u32> {
        let unit = surrogate(*self.0.last_chunk()?)?;
        (!is_low(unit)).then_some(unit)
    }

    fn first_low(&self) -> Option<u32> {
        surrogate(*self.0.first_chunk()?).filter(|unit| is_low(*unit))
    }
}

/// Appends the decoded raw text of a JSON string to `out`, as a text of its own.
pub fn unescape_onto(raw: &str, escaped: bool, out: &mut Vec<u8>) {
    if escaped {
        out.extend_from_slice(Text::unescape(raw).as_bytes());
    } else {
        out.extend_from_slice(raw.as_bytes());
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// The surrogate that three WTF-8 bytes stand for.
pub(super) fn surrogate(bytes: [u8; 3]) -> Option<u32> {
    match bytes {
        [0xed, b @ 0xa0..=0xbf, c] => Some(0xd000 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f)),
        _ => None,
    }
}

fn is_low(unit: u32) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

fn join(high: u32, low: u32) -> char {
    let code = 0x1_0000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Decodes the raw text of a JSON string that holds JSON itself, into `scratch`, and returns the
/// inner text. A lone surrogate cannot stand in a `str`; it is left as its escape, which means
/// the same one level further in.
pub fn unescape_into<'s>(raw: &str, scratch: &'s mut Vec<u8>) -> &'s str {
    let bytes = raw.as_bytes();
    // Room for every byte and one block more, so that whole blocks can be copied blindly.
    if scratch.len() < bytes.len() + COPY {
        scratch.resize(bytes.len() + COPY, 0);
    }
    let (mut from, mut to) = (0, 0);
    loop {
        let (read, wrote) = scan::unhide(&bytes[from..], &mut scratch[to..]);
        (from, to) = (from + read, to + wrote);
        if from >= bytes.len() {
            break;
        }
        let block = from;
        let mut slashes = scan::backslashes(bytes, block);
        while slashes != 0 {
            let at = block + slashes.trailing_zeros() as usize;
            to += copy_run(&bytes[from..], &mut scratch[to..], at - from);
            let (read, wrote) = decode_escape(&bytes[at..], &mut scratch[to..]);
            (from, to) = (at + read, to + wrote);
            slashes &= u64::MAX.checked_shl((from - block) as u32).unwrap_or(0);
        }
        let end = (block + COPY).min(bytes.len());
        if from < end {
            to += copy_run(&bytes[from..], &mut scratch[to..], end - from);
            from = end;
        }
    }
    simdutf8::basic::from_utf8(&scratch[..to]).unwrap_or_default()
}

const COPY: usize = 64;

/// Copies the first `run` bytes, at most 64; as one block of fixed size where there is room.
fn copy_run(bytes: &[u8], out: &mut [u8], run: usize) -> usize {
    if let (true, Some(block), Some(room)) =
        (run <= 16, bytes.first_chunk::<16>(), out.first_chunk_mut())
    {
        *room = *block;
    } else if let (Some(block), Some(room)) = (bytes.first_chunk::<COPY>(), out.first_chunk_mut()) {
        *room = *block;
    } else {
        out[..run].copy_from_slice(&bytes[..run]);
    }
    run
}

/// Decodes the escape at the start of `bytes` into `out`; (bytes read, bytes written).
fn decode_escape(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    // Nearly all are of these two.
    if let Some(c @ (b'"' | b'\\')) = bytes.get(1) {
        out[0] = *c;
        return (2, 1);
    }
    if let Some(c) = bytes.get(1).and_then(|b| short_escape(*b)) {
        out[0] = c;
        return (2, 1);
    }
    let Some(unit) = unit(bytes) else { return (bytes.len(), 0) };
    if let Some(c) = char::from_u32(unit) {
        return (6, c.encode_utf8(out).len());
    }
    match bytes.get(6..).and_then(self::unit) {
        Some(low) if !is_low(unit) && is_low(low) => (12, join(unit, low).encode_utf8(out).len()),
        _ => {
            out[..6].copy_from_slice(&bytes[..6]);
            (6, 6)
        }
    }
}

enum Piece<'a> {
    Plain(&'a str),
    Unit(u32),
}

/// Cuts a checked raw string into plain runs and decoded escapes.
fn each_piece<'a>(raw: &'a str, mut piece: impl FnMut(Piece<'a>)) {
    let bytes = raw.as_bytes();
    let mut from = 0;
    for at in memchr::memchr_iter(b'\\', bytes) {
        if at < from {
            continue; // the second backslash of `\\`
        }
        piece(Piece::Plain(&raw[from..at]));
        let rest = &bytes[at..];
        from = match rest.get(1).and_then(|b| short_escape(*b)) {
            Some(c) => {
                piece(Piece::Unit(u32::from(c)));
                at + 2
            }
            None => match unit(rest) {
                Some(unit) => {
                    piece(Piece::Unit(unit));
                    at + 6
                }
                None => raw.len(),
            },
        };
    }
    piece(Piece::Plain(&raw[from..]));
}

fn short_escape(b: u8) -> Option<u8> {
    Some(match b {
        b'"' | b'\\' | b'/' => b,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// The code unit of a `\uXXXX` at the start of `bytes`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let hex = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spell(units: &[u16]) -> String {
        units.iter().fold(String::new(), |text, unit| text + &format!("\\u{unit:04x}"))
    }

    fn inner(raw: &str) -> String {
        unescape_into(raw, &mut Vec::new()).to_owned()
    }

    proptest! {
        #[test]
        fn decoding_agrees_with_serde_json(text in any::<String>(), spelled in any::<bool>()) {
            let mut raw = serde_json::to_string(&text).unwrap();
            if spelled {
                raw = raw.chars().map(|c| match c {
                    c if c.is_ascii() => c.to_string(),
                    c => spell(c.encode_utf16(&mut [0; 2])),
                }).collect();
            }
            let raw = &raw[1..raw.len() - 1];
            prop_assert_eq!(&inner(raw), &text);
            let decoded = Text::unescape(raw);
            prop_assert_eq!(decoded.as_bytes(), text.as_bytes());
        }

        #[test]
        fn long_inner_text_is_what_piecewise_decoding_gives(
            raw in r#"([a-c]|\\\\|\\"|\\n|\\/|\\u00e9|\\ud83d\\ude80|é|x{15}){0,40}"#,
        ) {
            let pieces = Text::unescape(&raw);
            // With memory that holds something else, as it does from the second row on.
            let mut scratch = vec![b'"'; 40];
            prop_assert_eq!(unescape_into(&raw, &mut scratch).as_bytes(), pieces.as_bytes());
        }

        #[test]
        fn text_cut_anywhere_joins_again(units in proptest::collection::vec(0xd7f0u16..0xe010, 0..8), cut in 0usize..8) {
            let cut = cut.min(units.len());
            let mut joined = Text::unescape(&spell(&units[..cut]));
            joined.push(&Text::unescape(&spell(&units[cut..])));
            prop_assert_eq!(joined, Text::unescape(&spell(&units)));
        }
    }

    #[test]
    fn a_lone_surrogate_stays_an_escape_in_inner_text() {
        assert_eq!(inner("a\\ud800b\\ud83d\\ude80"), "a\\ud800b🚀");
        assert_eq!(inner("\\udc00\\ud800"), "\\udc00\\ud800");
    }
}

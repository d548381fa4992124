//! Objects of strings and whole numbers without white space, as most rows and metadata are. They
//! are checked 64 bytes at a time, by what may stand beside what, and need no walk.
//!
//! False says nothing here: then the grammar has to be asked.

use super::cursor::{Kind, Value};
#[cfg(target_arch = "x86_64")]
use super::lanes;
use super::scan::{self, BLOCK, ESCAPED, INDEXED, Marks};
#[cfg(not(target_arch = "x86_64"))]
use super::words as lanes;

/// What may stand between the strings of a flat object, in 64 bytes, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Punctuation {
    pub colons: u64,
    pub commas: u64,
    pub digits: u64,
    pub zeros: u64,
}

/// Whether a flat object is ASCII. If not, its strings may hold bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flat {
    Ascii,
    Other,
}

/// Whether `bytes` are UTF-8 and a flat object.
#[inline]
pub fn is_flat_object(bytes: &[u8]) -> bool {
    match lanes::flat(bytes) {
        Some(Flat::Ascii) => true,
        Some(Flat::Other) => simdutf8::basic::from_utf8(bytes).is_ok(),
        None => false,
    }
}

/// Calls `visit` with each key and value if `text` is a flat object, else not at all; whether it
/// is one.
pub(super) fn flat_fields<'a>(text: &'a str, visit: &mut impl FnMut(&'a str, Value<'a>)) -> bool {
    if text.len() > INDEXED {
        return false;
    }
    let mut found = Separators::default();
    if lanes::flat_index(text.as_bytes(), &mut found).is_none() {
        return false;
    }
    let mut from = 1;
    for [colon, end] in found.places().as_chunks::<2>().0 {
        let (colon, escaped) = ((colon & !ESCAPED) as usize, end & ESCAPED != 0);
        let end = (end & !ESCAPED) as usize;
        visit(&text[from + 1..colon - 1], member(text, colon + 1, end, escaped));
        from = end + 1;
    }
    true
}

/// Where the members of an object are parted: a colon and a comma in turn, at last the closing
/// brace. [`ESCAPED`] is set if a backslash stands between a separator and the one before.
pub(super) struct Separators {
    places: [u32; 2 * MEMBERS + STRIDE],
    count: usize,
}

/// Objects of more members are left to the walk. Rows have some ten.
const MEMBERS: usize = 32;

/// How many places are written at once: guessing right how many there are would take longer than
/// to write some in vain.
const STRIDE: usize = 4;

impl Default for Separators {
    fn default() -> Self {
        Self { places: [0; 2 * MEMBERS + STRIDE], count: 0 }
    }
}

impl Separators {
    /// Those that were found.
    pub(super) fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// Appends those of the block at `at`. None if they are too many.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn push(&mut self, at: usize, mut separating: u64, escaped: u64) -> Option<()> {
        while separating != 0 {
            let here = self.places.get_mut(self.count..)?.first_chunk_mut::<STRIDE>()?;
            self.count += separating.count_ones().min(STRIDE as u32) as usize;
            for place in here {
                let bit = separating.trailing_zeros();
                let mark = if escaped.unbounded_shr(bit) & 1 == 0 { 0 } else { ESCAPED };
                *place = (at as u32 + bit) | mark;
                separating &= separating.wrapping_sub(1);
            }
        }
        Some(())
    }
}

#[inline]
fn member(text: &str, from: usize, to: usize, escaped: bool) -> Value<'_> {
    if text.as_bytes()[from] == b'"' {
        Value { kind: Kind::String { escaped }, raw: &text[from + 1..to - 1], compact: true }
    } else {
        Value { kind: Kind::Number, raw: &text[from..to], compact: true }
    }
}

/// How 64 bytes are looked at: each set of vector instructions has its own ways.
pub(super) struct Ways<M, E, P, X> {
    /// What [`Marks`] are.
    pub marks: M,
    /// The bytes that make an escape of two characters.
    pub plain_escapes: E,
    /// What [`Punctuation`] is.
    pub punctuation: P,
    /// What [`scan::prefix_xor`] does.
    pub prefix_xor: X,
}

/// Checks an object. With `INDEX`, its separators are appended to `found`, and an object of too
/// many members is none.
#[allow(clippy::inline_always)] // It must be compiled with its caller's instruction set.
#[inline(always)]
pub(super) fn flat_by<const INDEX: bool>(
    bytes: &[u8],
    found: &mut Separators,
    ways: &Ways<
        impl Fn(&[u8; BLOCK]) -> Marks,
        impl Fn(&[u8; BLOCK]) -> u64,
        impl Fn(&[u8; BLOCK]) -> Punctuation,
        impl Fn(u64) -> u64,
    >,
) -> Option<Flat> {
    let text = bytes.strip_suffix(b"}")?;
    let mut walk = Walk::of_start(text)?;
    while let Some(block) = text[walk.at..].first_chunk() {
        walk.step::<INDEX>(text, block, 0, ways, found)?;
    }
    if walk.at < text.len() {
        let shift = (BLOCK - (text.len() - walk.at)) as u32;
        let mut last = [0; BLOCK];
        // The text's last 64 bytes again are cheaper than a copy of what is left.
        let block = text.last_chunk().unwrap_or_else(|| {
            last[shift as usize..].copy_from_slice(&text[walk.at..]);
            &last
        });
        walk.step::<INDEX>(text, block, shift, ways, found)?;
    }
    if INDEX {
        found.push(text.len(), 1, u64::from(walk.escaped))?;
    }
    let whole = walk.inside == 0 && walk.value != 0 && walk.ends;
    whole.then_some(if walk.high == 0 { Flat::Ascii } else { Flat::Other })
}

impl Punctuation {
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn shifted(self, by: u32) -> Self {
        let Self { colons, commas, digits, zeros } = self;
        Self {
            colons: colons >> by,
            commas: commas >> by,
            digits: digits >> by,
            zeros: zeros >> by,
        }
    }
}

/// Where the check stands. What is one bit is 0 or 1; what goes for all of a block is 0 or all
/// ones.
#[derive(Default)]
struct Walk {
    at: usize,
    /// Whether the next block starts inside a string.
    inside: u64,
    /// Whether it starts between a colon and the comma behind it.
    value: u64,
    /// What the byte before the next block is.
    closed: u64,
    colon: u64,
    /// A comma, or the brace at the start.
    comma: u64,
    digit: u64,
    /// A zero that starts a number.
    zero: u64,
    /// Whether the next block's first byte is escaped.
    hidden: bool,
    /// The bytes that are not ASCII.
    high: u64,
    /// Whether the object may end here.
    ends: bool,
    /// Whether a backslash came since the last separator.
    escaped: bool,
}

impl Walk {
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn of_start(text: &[u8]) -> Option<Self> {
        let start = Self { at: 1, comma: 1, ..Self::default() };
        (text.first() == Some(&b'{')).then_some(start)
    }

    /// Checks a block of which the first `shift` bytes were checked before. None if it does not
    /// fit.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn step<const INDEX: bool>(
        &mut self,
        text: &[u8],
        block: &[u8; BLOCK],
        shift: u32,
        ways: &Ways<
            impl Fn(&[u8; BLOCK]) -> Marks,
            impl Fn(&[u8; BLOCK]) -> u64,
            impl Fn(&[u8; BLOCK]) -> Punctuation,
            impl Fn(u64) -> u64,
        >,
        found: &mut Separators,
    ) -> Option<()> {
        let marks = (ways.marks)(block).shifted(shift);
        self.high |= marks.high;
        let mut quotes = marks.quotes;
        if marks.backslashes != 0 || self.hidden {
            let hidden = marks.escaped_by(&mut self.hidden);
            quotes &= !hidden;
            // Most escapes are of quotes and backslashes, and those are known.
            let odd = hidden & !(marks.quotes | marks.backslashes);
            if odd != 0 {
                let plain = (ways.plain_escapes)(block) >> shift;
                scan::check_each(text, self.at, odd & !plain).ok()?;
            }
        }
        if quotes == 0 && self.inside != 0 {
            if marks.controls != 0 {
                return None;
            }
            self.within_a_string(marks.backslashes);
        } else {
            let punctuation = (ways.punctuation)(block).shifted(shift);
            let valid = u64::MAX >> shift;
            let separating =
                self.block(quotes, marks.controls, &punctuation, valid, &ways.prefix_xor)?;
            if INDEX {
                let escaped = self.escaped(separating, marks.backslashes);
                found.push(self.at, separating, escaped)?;
            }
        }
        self.at += BLOCK;
        Some(())
    }

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn within_a_string(&mut self, backslashes: u64) {
        (self.closed, self.colon, self.comma, self.digit, self.zero) = (0, 0, 0, 0, 0);
        self.ends = false;
        self.escaped |= backslashes != 0;
    }

    /// Checks what stands between strings; returns the separators. None if it does not fit.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn block(
        &mut self,
        quotes: u64,
        controls: u64,
        found: &Punctuation,
        valid: u64,
        prefix_xor: &impl Fn(u64) -> u64,
    ) -> Option<u64> {
        let inside = prefix_xor(quotes) ^ self.inside;
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let outside = valid & !(inside | quotes);
        let colons = found.colons & outside;
        let commas = found.commas & outside;
        let digits = found.digits & outside;
        let separating = colons | commas;
        let after = |what: u64, before: u64| what << 1 | before;
        let after_string = after(closing, self.closed);
        let after_colon = after(colons, self.colon);
        let after_comma = after(commas, self.comma);
        let after_digit = after(digits, self.digit);
        let zeros = found.zeros & digits & after_colon;
        // Colons and commas take turns.
        let value = prefix_xor(separating) ^ self.value;
        let fault = controls & inside
            | outside & !(separating | digits)
            | opening & !(after_colon | after_comma)
            | colons & !after_string
            | commas & !(after_string | after_digit)
            | digits & (!(after_colon | after_digit) | after(zeros, self.zero))
            | colons & !value
            | commas & value;
        if fault != 0 {
            return None;
        }
        (self.inside, self.value) = (spread(inside), spread(value));
        let bit = |what: u64| what >> 63;
        (self.closed, self.colon, self.comma) = (bit(closing), bit(colons), bit(commas));
        (self.digit, self.zero) = (bit(digits), bit(zeros));
        let end = valid ^ valid >> 1;
        self.ends = (closing | digits) & end != 0;
        Some(separating)
    }

    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn escaped(&mut self, separating: u64, backslashes: u64) -> u64 {
        // One addition for all: what lies between two separators is all ones, so that a backslash
        // among them carries into the separator behind.
        let (sum, over) = (!separating).overflowing_add(backslashes);
        let (sum, more) = sum.overflowing_add(u64::from(self.escaped));
        self.escaped = over || more;
        sum & separating
    }
}

/// The highest bit in every place.
fn spread(bits: u64) -> u64 {
    (bits.cast_signed() >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::super::{leading_fields, value, words};
    use super::*;
    use proptest::prelude::*;

    /// What a walk finds, if the text is one object without white space.
    fn walked(text: &str) -> Option<Vec<(&str, Value<'_>)>> {
        value(text).ok().filter(|whole| whole.raw == text && whole.compact)?;
        let mut members = Vec::new();
        leading_fields(text, |key, value| members.push((key, value))).ok()?;
        Some(members)
    }

    fn is_flat(members: &[(&str, Value<'_>)]) -> bool {
        let whole = |raw: &str| raw.bytes().all(|b| b.is_ascii_digit());
        !members.is_empty()
            && members.len() <= MEMBERS
            && members.iter().all(|(_, v)| v.is_string() || v.kind == Kind::Number && whole(v.raw))
    }

    /// Holds the check against the walk, and each way to check against the others.
    fn agree(text: &str) -> Result<(), TestCaseError> {
        let mut members = Vec::new();
        let flat = flat_fields(text, &mut |key, value| members.push((key, value)));
        let walked = walked(text).filter(|members| is_flat(members));
        prop_assert_eq!(flat.then_some(&members), walked.as_ref(), "{:?}", text);
        prop_assert!(flat || members.is_empty());
        prop_assert_eq!(is_flat_object(text.as_bytes()), flat);
        let mut found = Separators::default();
        let slow = words::flat_index(text.as_bytes(), &mut found);
        prop_assert_eq!(slow, words::flat(text.as_bytes()));
        #[cfg(target_arch = "x86_64")]
        for (fast, places) in lanes::flat_in_all_ways(text.as_bytes()) {
            prop_assert_eq!(fast, slow, "{:?}", text);
            if fast.is_some() {
                prop_assert_eq!(&places, found.places(), "{:?}", text);
            }
        }
        Ok(())
    }

    /// A string of any length, so that what stands behind it meets the end of a block.
    const STRING: &str = r#""([a-c:,}]|\\\\|\\"|\\n|\\u00e9|é|x{15}){0,9}""#;

    proptest! {
        #[test]
        fn flat_objects_are_what_a_walk_finds(
            members in prop::collection::vec((STRING, prop_oneof![STRING, "0|[1-9][0-9]{0,70}"]), 0..9),
        ) {
            let members: Vec<_> = members.iter().map(|(k, v)| format!("{k}:{v}")).collect();
            agree(&format!("{{{}}}", members.join(",")))?;
        }

        #[test]
        fn damage_is_found_wherever_it_is(
            strings in prop::collection::vec(STRING, 6),
            at in 0usize..1000,
            put in prop::sample::select(vec![
                "", "\"", "\\", ",", ":", "}", "{", "[", "0", "7", "-", " ", "\u{1}", "\\\"", "\\u12",
                "é", "\":\"", "\",\"", ",\"", "\"}", "null", "1.5",
            ]),
            cut in 0usize..4,
        ) {
            let [a, b, c, d, e, f] = &strings[..] else { unreachable!() };
            let good = format!("{{{a}:{b},{c}:120,{d}:0,{e}:{f}}}");
            agree(&good)?;
            let mut at = at % (good.len() + 1);
            let mut end = (at + cut).min(good.len());
            while !good.is_char_boundary(at) { at -= 1; }
            while !good.is_char_boundary(end) { end += 1; }
            agree(&format!("{}{put}{}", &good[..at], &good[end..]))?;
        }

        #[test]
        fn bytes_that_are_not_utf8_are_found(fill in 0usize..150, bad in 0x80u8.., place in any::<u8>()) {
            let mut row = format!(r#"{{"event":"{}","é":1}}"#, "x".repeat(fill)).into_bytes();
            let at = usize::from(place) % row.len();
            row[at] = bad;
            let good = std::str::from_utf8(&row).is_ok_and(|text| value(text).is_ok());
            prop_assert_eq!(is_flat_object(&row), good);
        }
    }

    #[test]
    fn punctuation_is_marked_in_all_ways() {
        for first in 0..=255u8 {
            let block: [u8; BLOCK] = std::array::from_fn(|i| first.wrapping_add(i as u8 * 3));
            let mark = |test: fn(u8) -> bool| {
                block.iter().enumerate().fold(0u64, |m, (i, b)| m | u64::from(test(*b)) << i)
            };
            let slow = Punctuation {
                colons: mark(|b| b == b':'),
                commas: mark(|b| b == b','),
                digits: mark(|b| b.is_ascii_digit()),
                zeros: mark(|b| b == b'0'),
            };
            assert_eq!(lanes::punctuation(&block), slow);
            assert_eq!(words::punctuation(&block), slow);
        }
    }

    #[test]
    fn an_object_of_many_members_is_left_to_the_walk() {
        let object = |n: usize| format!("{{{}}}", vec![r#""k":1"#; n].join(","));
        let mut count = 0;
        assert!(flat_fields(&object(MEMBERS), &mut |_, _| count += 1));
        assert_eq!(count, MEMBERS);
        assert!(!flat_fields(&object(MEMBERS + 1), &mut |_, _| count += 1));
        assert_eq!(count, MEMBERS);
        assert!(is_flat_object(object(100 * MEMBERS).as_bytes()));
    }
}

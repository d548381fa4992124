//! The walk over a JSON text: grammar is checked, values are handed out as slices.

use std::borrow::Cow;

use super::flat::flat_fields;
use super::strings::{Scanned, Strings, with_index};
use super::{JsonError, Text};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 1024;

/// What a value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String { escaped: bool },
    Array,
    Object,
}

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text; a string's without the quotes.
    pub raw: &'a str,
    /// Whether no white space stands between its tokens.
    pub compact: bool,
}

impl<'a> Value<'a> {
    /// A string's text, decoded if it holds escapes (a lone surrogate becomes U+FFFD).
    pub fn str(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::String { escaped: false } => Some(Cow::Borrowed(self.raw)),
            Kind::String { escaped: true } => {
                Some(Cow::Owned(Text::unescape(self.raw).to_str_lossy().into_owned()))
            }
            _ => None,
        }
    }

    /// A string's text, or a number's digits: some writers spell ids as numbers.
    pub fn label(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Number => Some(Cow::Borrowed(self.raw)),
            _ => self.str(),
        }
    }

    /// A string's text.
    pub fn text(&self) -> Option<Text> {
        self.is_string().then(|| Text::unescape(self.raw))
    }

    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        matches!(self.kind, Kind::String { .. })
    }

    /// A number, or a string of digits, as a whole number, 0 or more.
    pub fn integer(&self) -> Option<i64> {
        match self.kind {
            _ if !self.raw.bytes().all(|b| b.is_ascii_digit()) => None,
            Kind::Number | Kind::String { escaped: false } => self.raw.parse().ok(),
            _ => None,
        }
    }
}

/// Walks the object that is the whole of `text` and calls `visit` with each key (its raw text)
/// and value, in order. The whole text is checked, also past what `visit` wants. Returns the
/// object itself.
pub fn fields<'a>(
    text: &'a str,
    mut visit: impl FnMut(&'a str, Value<'a>),
) -> Result<Value<'a>, JsonError> {
    if flat_fields(text, &mut visit) {
        return Ok(Value { kind: Kind::Object, raw: text, compact: true });
    }
    with_index(text, |index| match index {
        Some(index) => Cursor::new(text, index).whole_object(&mut visit),
        None => Cursor::new(text, Scanned).whole_object(&mut visit),
    })
}

/// Walks an object as [`fields`] does, and on the way the members of its member `inside`, if that
/// is an object: `visit` is told so (`true`) and gets these before the member itself. One walk
/// instead of two for what may be most of a row.
pub fn fields_and_inside<'a>(
    text: &'a str,
    inside: &str,
    mut visit: impl FnMut(bool, &'a str, Value<'a>),
) -> Result<Value<'a>, JsonError> {
    with_index(text, |index| match index {
        Some(index) => Cursor::new(text, index).whole_nested(inside, &mut visit),
        None => Cursor::new(text, Scanned).whole_nested(inside, &mut visit),
    })
}

/// Walks the object at the start of `text` as [`fields`] does, and lets anything follow.
pub fn leading_fields<'a>(
    text: &'a str,
    visit: impl FnMut(&'a str, Value<'a>),
) -> Result<Value<'a>, JsonError> {
    Cursor::new(text, Scanned).fields(visit)
}

/// Walks the array that is the whole of `text` and calls `visit` with each item, in order.
pub fn items<'a>(text: &'a str, mut visit: impl FnMut(Value<'a>)) -> Result<(), JsonError> {
    let mut at = Cursor::new(text, Scanned);
    at.space();
    if at.peek() != Some(b'[') {
        return Err(at.fault("not an array"));
    }
    at.pos += 1;
    at.space();
    if at.peek() == Some(b']') {
        at.pos += 1;
        return at.end();
    }
    loop {
        visit(at.value()?);
        if !at.comma_or(b']')? {
            return at.end();
        }
    }
}

/// Reads the one value that is the whole of `text`.
pub fn value(text: &str) -> Result<Value<'_>, JsonError> {
    with_index(text, |index| match index {
        Some(index) => Cursor::new(text, index).whole_value(),
        None => Cursor::new(text, Scanned).whole_value(),
    })
}

struct Cursor<'a, S> {
    strings: S,
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    /// White space passed so far, outside strings.
    spaces: usize,
}

impl<'a, S: Strings> Cursor<'a, S> {
    fn new(text: &'a str, strings: S) -> Self {
        Self { strings, text, bytes: text.as_bytes(), pos: 0, spaces: 0 }
    }

    fn whole_value(mut self) -> Result<Value<'a>, JsonError> {
        self.space();
        let value = self.value()?;
        self.end()?;
        Ok(value)
    }

    fn whole_object(
        mut self,
        visit: &mut impl FnMut(&'a str, Value<'a>),
    ) -> Result<Value<'a>, JsonError> {
        let object = self.fields(visit)?;
        self.end()?;
        Ok(object)
    }

    fn whole_nested(
        mut self,
        inside: &str,
        visit: &mut impl FnMut(bool, &'a str, Value<'a>),
    ) -> Result<Value<'a>, JsonError> {
        let object = self.members(|at, key| {
            let value = if key == inside && at.peek() == Some(b'{') {
                at.fields(|key, value| visit(true, key, value))?
            } else {
                at.value()?
            };
            visit(false, key, value);
            Ok(())
        })?;
        self.end()?;
        Ok(object)
    }

    #[inline]
    fn fields(
        &mut self,
        mut visit: impl FnMut(&'a str, Value<'a>),
    ) -> Result<Value<'a>, JsonError> {
        self.members(|at, key| {
            visit(key, at.value()?);
            Ok(())
        })
    }

    /// Walks an object; `member` is called at each value, and passes it.
    #[inline]
    fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Result<(), JsonError>,
    ) -> Result<Value<'a>, JsonError> {
        self.space();
        let (start, spaces) = (self.pos, self.spaces);
        if self.peek() != Some(b'{') {
            return Err(self.fault("not an object"));
        }
        self.pos += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.pos += 1;
        } else {
            loop {
                let key = self.key()?;
                member(self, key)?;
                if !self.comma_or(b'}')? {
                    break;
                }
            }
        }
        let compact = self.spaces == spaces;
        Ok(Value { kind: Kind::Object, raw: &self.text[start..self.pos], compact })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn fault(&self, what: &'static str) -> JsonError {
        JsonError::new(self.pos, what)
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.pos += 1;
            self.spaces += 1;
        }
    }

    /// Nothing but white space may follow.
    fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.pos == self.bytes.len() { Ok(()) } else { Err(self.fault("text after the value")) }
    }

    /// A key and its colon; stands at the value afterwards.
    #[inline]
    fn key(&mut self) -> Result<&'a str, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key"));
        }
        let start = self.pos + 1;
        let end = self.strings.end(self.bytes, self.pos)?;
        self.pos = end.quote + 1;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected a colon"));
        }
        self.pos += 1;
        self.space();
        Ok(&self.text[start..end.quote])
    }

    /// True after a comma, false after `close`.
    #[inline]
    fn comma_or(&mut self, close: u8) -> Result<bool, JsonError> {
        self.space();
        let found = self.peek();
        self.pos += 1;
        match found {
            Some(b',') => {
                self.space();
                Ok(true)
            }
            Some(c) if c == close => Ok(false),
            _ => {
                self.pos -= 1;
                Err(self.fault("expected a comma or the end of the container"))
            }
        }
    }

    /// The value that starts here.
    #[inline]
    fn value(&mut self) -> Result<Value<'a>, JsonError> {
        let (start, spaces) = (self.pos, self.spaces);
        let kind = match self.peek() {
            Some(b'"') => {
                let end = self.strings.end(self.bytes, start)?;
                self.pos = end.quote + 1;
                let raw = &self.text[start + 1..end.quote];
                let kind = Kind::String { escaped: end.escaped };
                return Ok(Value { kind, raw, compact: true });
            }
            Some(b'{') => {
                self.container()?;
                Kind::Object
            }
            Some(b'[') => {
                self.container()?;
                Kind::Array
            }
            _ => self.scalar()?,
        };
        Ok(Value { kind, raw: &self.text[start..self.pos], compact: self.spaces == spaces })
    }

    /// Passes an array or object with all that is in it, without recursion.
    fn container(&mut self) -> Result<(), JsonError> {
        let mut open = Open::default();
        if !open.push(self)? {
            return Ok(());
        }
        loop {
            // Here a container has just been opened, or a comma passed.
            if open.in_object() {
                self.key()?;
            }
            match self.peek() {
                Some(b'"') => self.pos = self.strings.end(self.bytes, self.pos)?.quote + 1,
                Some(b'{' | b'[') => {
                    if open.push(self)? {
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                }
            }
            while !self.comma_or(open.close())? {
                if open.pop() {
                    return Ok(());
                }
            }
        }
    }

    fn scalar(&mut self) -> Result<Kind, JsonError> {
        match self.peek() {
            Some(b't') => self.word("true", Kind::Bool),
            Some(b'f') => self.word("false", Kind::Bool),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.fault("expected a value")),
            None => Err(self.fault("the text ends early")),
        }
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<Kind, JsonError> {
        if !self.bytes[self.pos..].starts_with(word.as_bytes()) {
            return Err(self.fault("expected a value"));
        }
        self.pos += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<Kind, JsonError> {
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        match self.peek() {
            Some(b'0') => self.pos += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        if self.pos == start { Err(self.fault("expected a digit")) } else { Ok(()) }
    }
}

/// The containers that are open, one bit each (1: object), the innermost last.
#[derive(Default)]
struct Open {
    kinds: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Open {
    /// Opens the container at the cursor; false if it is empty and so closed again.
    fn push<S: Strings>(&mut self, at: &mut Cursor<'_, S>) -> Result<bool, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(at.fault("nested deeper than 1024"));
        }
        let object = at.peek() == Some(b'{');
        at.pos += 1;
        at.space();
        let close = if object { b'}' } else { b']' };
        if at.peek() == Some(close) {
            at.pos += 1;
            return Ok(false);
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if object {
            self.kinds[word] |= bit;
        } else {
            self.kinds[word] &= !bit;
        }
        self.depth += 1;
        Ok(true)
    }

    fn in_object(&self) -> bool {
        let top = self.depth - 1;
        self.kinds[top / 64] >> (top % 64) & 1 == 1
    }

    fn close(&self) -> u8 {
        if self.in_object() { b'}' } else { b']' }
    }

    /// Closes the innermost; true if that was the outermost.
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::is_flat_object;
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> bool {
        is_flat_object(text.as_bytes()) || whole(text)
    }

    fn whole(text: &str) -> bool {
        value(text).is_ok()
    }

    /// Whether `serde_json` finds it well-formed. Numbers may be too large for any type: `2e+3101`.
    fn is_json(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    /// JSON-like text: pieces of the grammar in any order, so that near misses are common.
    fn scraps() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", " ", "\"a\"", "\"\\n\"", "\"\\q\"", "1", "-0", "01",
            "1.5", "1.", "2e+3", "-", "true", "nul", "null", "\"", "\n", "{}", "[]", "\"k\":1",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|p| p.concat())
    }

    proptest! {
        #[test]
        fn the_grammar_is_that_of_serde_json(text in scraps()) {
            let theirs = is_json(&text);
            prop_assert_eq!(whole(&text), theirs, "{:?}", text);
            prop_assert_eq!(check(&text), theirs, "{:?}", text);
        }

        #[test]
        fn a_flat_object_that_is_damaged_is_found_out(
            at in 0usize..60,
            put in prop::sample::select(vec!["", "\"", "\\", ",", ":", "}", "{", "0", "-", " ", "\u{1}", "\\\""]),
            cut in 0usize..3,
        ) {
            let good = r#"{"event":"turn.x","line":"a\"b\\","n":120,"z":0,"sid":"q"}"#;
            assert!(is_flat_object(good.as_bytes()));
            let at = at.min(good.len());
            let text = format!("{}{put}{}", &good[..at], &good[(at + cut).min(good.len())..]);
            prop_assert_eq!(check(&text), is_json(&text), "{:?}", text);
        }

        #[test]
        fn fields_are_those_of_serde_json(map in prop::collection::btree_map("[a-z\"\\\\é]{0,4}", any::<Option<i32>>(), 0..5), pretty in any::<bool>()) {
            let map: serde_json::Map<_, _> = map.into_iter().map(|(k, v)| (k, v.into())).collect();
            let text = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) }.unwrap();
            let mut ours = serde_json::Map::new();
            fields(&text, |k, v| {
                let key = super::super::Text::unescape(k).to_str_lossy().into_owned();
                ours.insert(key, serde_json::from_str(v.raw).unwrap());
            }).unwrap();
            prop_assert_eq!(ours, map);
        }
    }

    #[test]
    fn numbers_too_large_for_any_type_are_json() {
        assert!(whole("2e+3101") && is_json("2e+3101"));
        assert!(check(r#"{"n":-1e999}"#));
    }

    #[test]
    fn depth_has_a_limit_that_is_told() {
        let nested = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(whole(&nested(MAX_DEPTH)));
        assert_eq!(value(&nested(MAX_DEPTH + 1)).unwrap_err().what, "nested deeper than 1024");
    }

    #[test]
    fn items_come_in_order() {
        let mut seen = Vec::new();
        items(" [1, \"x\", {} , []] ", |v| seen.push(v.raw)).unwrap();
        assert_eq!(seen, ["1", "x", "{}", "[]"]);
        assert!(items("[1,]", |_| ()).is_err());
    }
}

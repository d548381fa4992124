//! Who wrote a row: its `metadata`, or the top level before there was `metadata`.

use std::ops::Range;

use super::Envelope;
use super::envelope::present;
use crate::json::{self, JsonError, Kind, Value};

/// What `metadata` says.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Meta<'a> {
    pub turn_id: Option<Value<'a>>,
    pub ver: Option<Value<'a>>,
    pub pid: Option<Value<'a>>,
    pub cwd: Option<Value<'a>>,
    /// Why `metadata` could not be read.
    pub error: Option<JsonError>,
}

impl<'a> Meta<'a> {
    pub(super) fn open(row: &Envelope<'a>, cache: &'a mut MetaCache) -> Self {
        let mut meta = match row.metadata {
            Some(value) if value.is_string() => cache.get(value),
            Some(value) => Self::of(value.raw),
            None => Self::default(),
        };
        meta.pid = meta.pid.or(row.pid);
        meta.cwd = meta.cwd.or(row.cwd);
        meta
    }

    fn of(text: &'a str) -> Self {
        let mut meta = Self::default();
        let read = json::fields(text, |key, value| match key {
            "turn_id" => meta.turn_id = present(value),
            "ver" => meta.ver = present(value),
            "pid" => meta.pid = present(value),
            "cwd" => meta.cwd = present(value),
            _ => {}
        });
        meta.error = read.err();
        meta
    }
}

/// The metadata of the last few writers. All rows of a turn have the same, letter by letter, and
/// the rows of a few sessions alternate: most need not be read again.
#[derive(Debug, Default)]
pub(super) struct MetaCache {
    known: Vec<Known>,
    /// The entry that was asked for last, as the next one will be more often than not.
    last: usize,
    /// The entry that is replaced next.
    next: usize,
}

/// How many writers are remembered.
const WRITERS: usize = 16;

#[derive(Debug)]
struct Known {
    /// As it stands in the row.
    raw: String,
    /// Unescaped.
    text: String,
    parts: [Option<Part>; 4],
    error: Option<JsonError>,
}

/// A value in the unescaped text.
#[derive(Clone, Debug)]
struct Part {
    kind: Kind,
    compact: bool,
    at: Range<usize>,
}

impl MetaCache {
    fn get(&mut self, metadata: Value<'_>) -> Meta<'_> {
        let same = |known: &Known| known.raw == metadata.raw;
        if !self.known.get(self.last).is_some_and(same) {
            let found = self.known.iter().position(same);
            self.last = found.unwrap_or_else(|| self.add(metadata.raw));
        }
        self.known[self.last].meta()
    }

    fn add(&mut self, raw: &str) -> usize {
        let known = Known::new(raw);
        if self.known.len() < WRITERS {
            self.known.push(known);
            return self.known.len() - 1;
        }
        let at = self.next;
        self.next = (at + 1) % WRITERS;
        self.known[at] = known;
        at
    }
}

impl Known {
    fn new(raw: &str) -> Self {
        let text = json::unescape_into(raw, &mut Vec::new()).to_owned();
        let Meta { turn_id, ver, pid, cwd, error } = Meta::of(&text);
        let base = text.as_ptr() as usize;
        let part = |value: Value<'_>| {
            let start = value.raw.as_ptr() as usize - base;
            let at = start..start + value.raw.len();
            Part { kind: value.kind, compact: value.compact, at }
        };
        let parts = [turn_id, ver, pid, cwd].map(|value| value.map(part));
        Self { raw: raw.to_owned(), text, parts, error }
    }

    fn meta(&self) -> Meta<'_> {
        let value = |i: usize| {
            let part = self.parts[i].as_ref()?;
            let raw = &self.text[part.at.clone()];
            Some(Value { kind: part.kind, raw, compact: part.compact })
        };
        Meta { turn_id: value(0), ver: value(1), pid: value(2), cwd: value(3), error: self.error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_reads_the_same() {
        let mut cache = MetaCache::default();
        for round in 0..3 {
            for n in 0..2 * WRITERS {
                let raw = format!(
                    r#"{{\"turn_id\":\"{n}\",\"pid\":{n},\"cwd\":\"/w\\\\x\",\"ver\":\"\"}}"#
                );
                let value =
                    Value { kind: Kind::String { escaped: true }, raw: &raw, compact: true };
                let meta = cache.get(value);
                let (turn, pid) = (meta.turn_id.unwrap().raw, meta.pid.unwrap().integer());
                assert_eq!((turn, pid), (n.to_string().as_str(), Some(n as i64)), "{round}");
                assert_eq!(meta.cwd.unwrap().str().unwrap(), "/w\\x");
                assert!(meta.ver.is_none() && meta.error.is_none());
            }
        }
        let torn = Value { kind: Kind::String { escaped: false }, raw: "{torn", compact: true };
        assert!(cache.get(torn).error.is_some());
    }
}

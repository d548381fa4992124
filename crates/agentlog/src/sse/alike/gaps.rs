//! Where rows of one event differ, and what may stand there.

use std::ops::Range;

use super::{is_number, is_whole, place_in};
use crate::event::{Stream, StreamKind, What};
use crate::json::{self, Kind, Value};
use crate::sse::Row;

#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub what: Holds,
    pub place: Range<usize>,
}

/// What a gap holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// `t` of the envelope.
    Time,
    /// The UTC time in the inner JSON.
    Utc,
    /// `output_index`: a number that nobody asks for.
    Number,
    /// `sequence_number`.
    Sequence,
    /// `item_id`, `request_id`.
    Id,
    /// What is streamed.
    Text,
}

/// What stands in the gaps of a row.
#[derive(Default)]
pub(super) struct Found<'r> {
    pub time: &'r [u8],
    pub utc: Option<&'r [u8]>,
    pub seq: Option<i64>,
    pub id: Option<&'r [u8]>,
    pub text: &'r [u8],
}

impl<'r> Found<'r> {
    #[inline]
    pub(super) fn set(&mut self, what: Holds, value: &'r [u8]) -> Option<()> {
        match what {
            Holds::Time => self.time = value,
            Holds::Utc => self.utc = Some(value),
            Holds::Number => {}
            Holds::Id => self.id = Some(value),
            Holds::Sequence => {
                // No more digits than a number of 64 bits has for sure.
                let digits = value.get(..value.len().min(19)).filter(|_| value.len() < 19)?;
                self.seq = Some(digits.iter().fold(0, |n, d| n * 10 + i64::from(*d - b'0')));
            }
            Holds::Text => self.text = value,
        }
        Some(())
    }
}

impl Gap {
    /// Length of the value at the end of `text`.
    #[inline]
    pub(super) fn len_at_end(&self, text: &[u8]) -> Option<usize> {
        let len = match self.what {
            Holds::Time | Holds::Utc | Holds::Text => self.place.len(),
            Holds::Id => text.iter().rev().take_while(|b| is_id(**b)).count(),
            Holds::Number | Holds::Sequence => {
                text.iter().rev().take_while(|b| b.is_ascii_digit()).count()
            }
        };
        self.is_good(text.get(text.len().checked_sub(len)?..)?).then_some(len)
    }

    #[inline]
    pub(super) fn len_at_start(&self, text: &[u8]) -> Option<usize> {
        let len = match self.what {
            Holds::Time | Holds::Utc | Holds::Text => self.place.len(),
            Holds::Id => text.iter().take_while(|b| is_id(**b)).count(),
            Holds::Number | Holds::Sequence => {
                text.iter().take_while(|b| b.is_ascii_digit()).count()
            }
        };
        self.is_good(text.get(..len)?).then_some(len)
    }

    fn is_good(&self, value: &[u8]) -> bool {
        match self.what {
            Holds::Number | Holds::Sequence => is_number(value),
            // An empty id is none.
            Holds::Id => !value.is_empty(),
            Holds::Time | Holds::Utc | Holds::Text => true,
        }
    }
}

/// Whether a byte is one of those that ids are made of: none that JSON would escape.
fn is_id(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

/// Where rows of one event differ.
pub(super) fn gaps_of(
    row: &Row<'_>,
    raw: &[u8],
    line: &Range<usize>,
    what: &What,
    utc: Option<Value<'_>>,
) -> Option<Vec<Gap>> {
    let time = place_in(raw, row.envelope.t.filter(is_plain)?)?;
    let mut gaps = vec![Gap { what: Holds::Time, place: time }];
    let utc = utc.map(|utc| (Holds::Utc, utc));
    for (what, value) in values_of(row, what)?.into_iter().chain(utc) {
        let fits = match what {
            Holds::Number | Holds::Sequence => is_whole(&value),
            Holds::Text => value.is_string(),
            Holds::Time | Holds::Utc | Holds::Id => is_plain(&value),
        };
        let place = place_in(row.inner.text.as_bytes(), Some(value).filter(|_| fits)?)?;
        let place = escaped_place(&raw[line.clone()], &place)?;
        gaps.push(Gap { what, place: line.start + place.start..line.start + place.end });
    }
    gaps.sort_by_key(|gap| gap.place.start);
    gaps.windows(2).all(|two| two[0].place.end < two[1].place.start).then_some(gaps)
}

/// The values inside a row that differ among those of its event.
fn values_of<'a>(row: &Row<'a>, what: &What) -> Option<Vec<(Holds, Value<'a>)>> {
    let (piece, key) = match what {
        What::Delta(piece) => (piece, "delta"),
        What::Done(piece) => match piece.kind {
            StreamKind::Text | StreamKind::Reasoning => (piece, "text"),
            StreamKind::Arguments => (piece, "arguments"),
            StreamKind::Input => (piece, "input"),
        },
        _ => return None,
    };
    let (id_key, has_id) = match piece.stream {
        Stream::Item(_) => ("item_id", true),
        Stream::Block { request, .. } => ("request_id", request.is_some()),
        Stream::Twin { item } => ("item_id", item.is_some()),
    };
    let (mut text, mut seq, mut id, mut number) = (None, None, None, None);
    json::fields(row.inner.payload?.raw, |name, value| match name {
        _ if name == key => text = Some(value),
        _ if name == id_key => id = Some(value),
        "sequence_number" => seq = Some(value),
        "output_index" => number = Some(value),
        _ => {}
    })
    .ok()?;
    let text = match piece.stream {
        Stream::Block { .. } => words_of(text?)?,
        _ => text?,
    };
    // A number that counts must be told by the gap; one that does not may be anything.
    let seq = seq.filter(|_| piece.seq.is_some()).map(|seq| (Holds::Sequence, seq));
    let number = number.filter(is_whole).map(|number| (Holds::Number, number));
    let id = id.filter(|_| has_id).map(|id| (Holds::Id, id));
    Some([Some((Holds::Text, text)), seq, id, number].into_iter().flatten().collect())
}

/// The words in the delta of a Claude block.
fn words_of(delta: Value<'_>) -> Option<Value<'_>> {
    let mut words = None;
    json::fields(delta.raw, |key, value| {
        if matches!(key, "text" | "thinking" | "partial_json") {
            words = Some(value);
        }
    })
    .ok()?;
    words
}

/// Where a place in a text stands in its escaped spelling; none if that has escapes of more than
/// two characters.
fn escaped_place(escaped: &[u8], place: &Range<usize>) -> Option<Range<usize>> {
    let (mut at, mut plain, mut start) = (0, 0, None);
    loop {
        if plain == place.start && start.is_none() {
            start = Some(at);
        }
        if plain == place.end {
            return Some(start?..at);
        }
        match escaped.get(at..) {
            Some([b'\\', b'u', ..] | []) | None => return None,
            Some([b'\\', ..]) => at += 2,
            Some(_) => at += 1,
        }
        plain += 1;
    }
}

fn is_plain(value: &Value<'_>) -> bool {
    value.kind == Kind::String { escaped: false }
}

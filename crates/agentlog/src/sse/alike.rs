//! Deltas come in runs of rows that are the same letter by letter, but for a time, two counters
//! and a few words. One row of a run is read in full; the others are compared with it, and only
//! what differs is read.
//!
//! This assumes nothing about how rows are spelled: a row that is equal to one that was read, but
//! for digits in place of digits and good string contents in place of such, means the same but for
//! these. What does not fit, or holds what is not quickly decoded, is left to the reader of rows.

use std::ops::Range;

use super::Row;
use crate::event::{Piece, Span, Stream};
use crate::json::{self, Kind, Value};
use crate::time::Stamp;
use crate::zone::{Clock, ZoneKey};

/// Rows that were read, for others like them.
#[derive(Debug, Default)]
pub struct Alike {
    /// Those that fitted last stand first.
    known: Vec<Box<Model>>,
    learnt: usize,
    fitted: usize,
}

/// How many runs go on at once, at the most.
const RUNS: usize = 16;
/// After so many models it shows whether rows are alike at all.
const TRIAL: usize = 64;

/// A delta row that is like one that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlikeRow {
    /// When it was written.
    pub clock: Clock,
    /// What it says; its spans are those of the row that was read, but for the text.
    pub piece: Piece,
    /// What the caller knows of that row's head.
    pub head: u32,
}

/// A row that was read in full.
#[derive(Debug)]
struct Model {
    row: Vec<u8>,
    /// Where others of its run differ, in order.
    gaps: Vec<Gap>,
    /// Which of the gaps holds the text.
    text: usize,
    key: ZoneKey,
    /// Seconds of the last time that was read, as spelled and in milliseconds.
    second: (Vec<u8>, i64),
    piece: Piece,
    head: u32,
}

#[derive(Clone, Debug)]
struct Gap {
    what: What,
    place: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// `t` of the envelope.
    Time,
    /// The UTC time in the inner JSON.
    Utc,
    /// `data_count`.
    Count,
    /// `sequence_number`.
    Sequence,
    /// What is streamed.
    Text,
}

/// What stands in the gaps of a row.
#[derive(Default)]
struct Found<'r> {
    time: &'r [u8],
    utc: Option<&'r [u8]>,
    seq: Option<i64>,
    text: &'r [u8],
}

impl Alike {
    /// Reads a delta row if it is like one that was read. Its text is appended to `arena`.
    pub fn read(&mut self, row: &[u8], arena: &mut Vec<u8>) -> Option<AlikeRow> {
        let fits = |model: &Box<Model>| model.found_in(row);
        let (at, found) =
            self.known.iter().enumerate().find_map(|(at, model)| Some((at, fits(model)?)))?;
        self.known[..=at].rotate_right(1);
        self.fitted += 1;
        self.known[0].read(&found, arena)
    }

    /// Remembers a delta row that was read in full: `piece` and `head` are what was made of it.
    pub fn learn(&mut self, row: &Row<'_>, raw: &[u8], piece: &Piece, head: u32) {
        let in_vain = self.learnt > TRIAL && self.fitted < self.learnt;
        if in_vain || self.known.iter().any(|model| model.found_in(raw).is_some()) {
            return;
        }
        let Some(model) = Model::of(row, raw, piece, head) else { return };
        self.learnt += 1;
        self.known.truncate(RUNS - 1);
        self.known.insert(0, Box::new(model));
    }
}

impl Model {
    fn of(row: &Row<'_>, raw: &[u8], piece: &Piece, head: u32) -> Option<Self> {
        let key = row.zone_key();
        let utc = row.inner.timestamp.filter(|_| row.utc_stamp().is_some());
        let told_elsewhere = row.utc_stamp().is_some() && utc.is_none()
            || row.envelope.released.is_some()
            || row.inner.released.is_some();
        if key.is_partial() || told_elsewhere {
            return None;
        }
        let gaps = gaps_of(row, raw, piece, utc)?;
        let text = gaps.iter().position(|gap| gap.what == What::Text)?;
        let second = (Vec::new(), 0);
        let model = Self { row: raw.to_vec(), gaps, text, key, second, piece: *piece, head };
        model.found_in(raw).map(|_| model)
    }

    /// What stands in the gaps, if everything else is equal. From behind first: there stands the
    /// session, by which runs that go on at once differ.
    #[inline]
    fn found_in<'r>(&self, row: &'r [u8]) -> Option<Found<'r>> {
        let mut found = Found::default();
        let (mut end, mut known) = (row.len(), self.row.len());
        for gap in self.gaps[self.text + 1..].iter().rev() {
            let rest = row[..end].strip_suffix(&self.row[gap.place.end..known])?;
            let start = rest.len() - gap.len_at_end(rest)?;
            found.set(gap.what, &rest[start..])?;
            (end, known) = (start, gap.place.start);
        }
        let text = &self.gaps[self.text].place;
        end = row[..end].strip_suffix(&self.row[text.end..known])?.len();
        let (mut start, mut known) = (0, 0);
        for gap in &self.gaps[..self.text] {
            let rest = row[start..end].strip_prefix(&self.row[known..gap.place.start])?;
            let (value, rest) = rest.split_at(gap.len_at_start(rest)?);
            found.set(gap.what, value)?;
            (start, known) = (end - rest.len(), gap.place.end);
        }
        found.text = row[start..end].strip_prefix(&self.row[known..text.start])?;
        Some(found)
    }

    fn read(&mut self, found: &Found<'_>, arena: &mut Vec<u8>) -> Option<AlikeRow> {
        let stamp = self.stamp(found.time)?;
        let utc = match found.utc {
            Some(utc) => match Stamp::parse(std::str::from_utf8(utc).ok()?)? {
                Stamp::Utc(ms) => Some(ms),
                Stamp::Local(_) => return None,
            },
            None => None,
        };
        let clock = Clock::new(Some(stamp), utc, || self.key);
        let text = decode(found.text, arena)?;
        let piece = Piece { text, seq: found.seq, ..self.piece };
        Some(AlikeRow { clock, piece, head: self.head })
    }

    /// Reads a time; the rows of a run share most of their seconds.
    fn stamp(&mut self, time: &[u8]) -> Option<Stamp> {
        if let [second @ .., b'.', a, b, c] = time
            && *second == *self.second.0
            && [a, b, c].iter().all(|digit| digit.is_ascii_digit())
        {
            let ms = [a, b, c].iter().fold(0, |n, digit| n * 10 + i64::from(**digit - b'0'));
            return Some(Stamp::Local(self.second.1 + ms));
        }
        let stamp = Stamp::parse(std::str::from_utf8(time).ok()?)?;
        if let (Stamp::Local(ms), [second @ .., b'.', _, _, _]) = (stamp, time) {
            let whole = ms.div_euclid(1000) * 1000;
            self.second = (second.to_vec(), whole);
        }
        Some(stamp)
    }
}

impl<'r> Found<'r> {
    #[inline]
    fn set(&mut self, what: What, value: &'r [u8]) -> Option<()> {
        match what {
            What::Time => self.time = value,
            What::Utc => self.utc = Some(value),
            What::Count => {}
            What::Sequence => {
                // No more digits than a number of 64 bits has for sure.
                let digits = value.get(..value.len().min(19)).filter(|_| value.len() < 19)?;
                self.seq = Some(digits.iter().fold(0, |n, d| n * 10 + i64::from(*d - b'0')));
            }
            What::Text => self.text = value,
        }
        Some(())
    }
}

impl Gap {
    /// Length of the value at the end of `text`: as many digits as there are, or as many bytes as
    /// the known row has.
    #[inline]
    fn len_at_end(&self, text: &[u8]) -> Option<usize> {
        if self.is_fixed() {
            return (text.len() >= self.place.len()).then_some(self.place.len());
        }
        let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        is_number(&text[text.len() - digits..]).then_some(digits)
    }

    #[inline]
    fn len_at_start(&self, text: &[u8]) -> Option<usize> {
        if self.is_fixed() {
            return (text.len() >= self.place.len()).then_some(self.place.len());
        }
        let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
        is_number(&text[..digits]).then_some(digits)
    }

    fn is_fixed(&self) -> bool {
        matches!(self.what, What::Time | What::Utc)
    }
}

/// Whether digits are a number as JSON spells it.
fn is_number(digits: &[u8]) -> bool {
    match digits {
        [] => false,
        [b'0', _, ..] => false,
        _ => true,
    }
}

/// Where rows of one run differ.
fn gaps_of(row: &Row<'_>, raw: &[u8], piece: &Piece, utc: Option<Value<'_>>) -> Option<Vec<Gap>> {
    let line = row.envelope.line.filter(|line| line.kind == Kind::String { escaped: true })?;
    let line_at = place_in(raw, line)?;
    let plain = |value: &Value<'_>| value.kind == Kind::String { escaped: false };
    let mut gaps = vec![Gap { what: What::Time, place: place_in(raw, row.envelope.t.filter(plain)?)? }];
    let digits = |value: &Value<'_>| value.kind == Kind::Number && is_digits(value.raw);
    if let Some(count) = row.envelope.data_count.filter(digits) {
        gaps.push(Gap { what: What::Count, place: place_in(raw, count)? });
    }
    let (text, seq) = values_of(row, piece)?;
    if piece.seq.is_some() != seq.is_some() {
        return None;
    }
    let inner = row.inner.text.as_bytes();
    let mut inside = vec![(What::Text, place_in(inner, text)?)];
    if let Some(seq) = seq {
        inside.push((What::Sequence, place_in(inner, Some(seq).filter(digits)?)?));
    }
    if let Some(utc) = utc {
        inside.push((What::Utc, place_in(inner, Some(utc).filter(plain)?)?));
    }
    for (what, place) in inside {
        let place = escaped_place(&raw[line_at.clone()], &place)?;
        gaps.push(Gap { what, place: line_at.start + place.start..line_at.start + place.end });
    }
    gaps.sort_by_key(|gap| gap.place.start);
    gaps.windows(2).all(|two| two[0].place.end < two[1].place.start).then_some(gaps)
}

/// The values of a delta row that hold its text and its sequence number.
fn values_of<'a>(row: &Row<'a>, piece: &Piece) -> Option<(Value<'a>, Option<Value<'a>>)> {
    let (mut text, mut seq) = (None, None);
    json::fields(row.inner.payload?.raw, |key, value| match key {
        "delta" => text = Some(value),
        "sequence_number" => seq = Some(value),
        _ => {}
    })
    .ok()?;
    if !matches!(piece.stream, Stream::Block { .. }) {
        return Some((text.filter(Value::is_string)?, seq));
    }
    let mut inside = None;
    json::fields(text?.raw, |key, value| {
        if matches!(key, "text" | "thinking" | "partial_json") {
            inside = Some(value);
        }
    })
    .ok()?;
    Some((inside.filter(Value::is_string)?, None))
}

/// Where a value stands in the text that it was read from.
fn place_in(text: &[u8], value: Value<'_>) -> Option<Range<usize>> {
    let start = (value.raw.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + value.raw.len();
    (end <= text.len()).then_some(start..end)
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

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Appends the text of a JSON string that stands in a JSON string; none if it is not one, or has
/// escapes that are seldom met.
fn decode(escaped: &[u8], arena: &mut Vec<u8>) -> Option<Span> {
    let start = arena.len();
    let decoded = decode_onto(escaped, arena);
    if decoded.is_none() {
        arena.truncate(start);
    }
    decoded.map(|()| Span::since(start, arena))
}

#[inline]
fn decode_onto(escaped: &[u8], arena: &mut Vec<u8>) -> Option<()> {
    let mut rest = escaped;
    let mut ascii = true;
    loop {
        let run = rest.iter().position(|b| {
            ascii &= b.is_ascii();
            matches!(b, b'"' | b'\\' | 0..=0x1f)
        });
        let Some(run) = run else { break };
        arena.extend_from_slice(&rest[..run]);
        // A backslash of the inner string is two of the outer one, and a quote has its own.
        let (c, len) = match &rest[run..] {
            [b'\\', b'\\', b'\\', c @ (b'"' | b'\\'), ..] => (*c, 4),
            [b'\\', b'\\', b'n', ..] => (b'\n', 3),
            [b'\\', b'\\', b't', ..] => (b'\t', 3),
            [b'\\', b'\\', b'r', ..] => (b'\r', 3),
            _ => return None,
        };
        arena.push(c);
        rest = &rest[run + len..];
    }
    arena.extend_from_slice(rest);
    (ascii || simdutf8::basic::from_utf8(escaped).is_ok()).then_some(())
}

/// How rows of one turn end: with the same metadata, flow, round and session.
#[derive(Debug)]
pub struct Ending {
    /// From the quote that ends `line` to the end of the row.
    text: Vec<u8>,
    /// Where `data_count` stands in it.
    count: Range<usize>,
}

impl Ending {
    /// Takes the end of a row, if all that tells of session, process and turn stands there.
    pub fn of(row: &Row<'_>, raw: &[u8]) -> Option<Self> {
        let line = place_in(raw, row.envelope.line.filter(Value::is_string)?)?;
        let behind = |value: Option<Value<'_>>| Some(place_in(raw, value?)?.start > line.end);
        let told = [row.envelope.metadata, row.envelope.sid, row.envelope.data_count];
        let is_number = row.envelope.data_count.is_some_and(|count| is_digits(count.raw));
        if row.envelope.pid.is_some() || !is_number || !told.into_iter().all(|v| behind(v) == Some(true))
        {
            return None;
        }
        let count = place_in(raw, row.envelope.data_count?)?;
        let text = raw.get(line.end..)?.to_vec();
        Some(Self { text, count: count.start - line.end..count.end - line.end })
    }

    /// Whether a row ends so. If it is JSON at all, it is of the same turn then: no string could
    /// hold the quotes of this ending, and no value could follow it.
    #[inline]
    pub fn fits(&self, row: &[u8]) -> bool {
        let Some(rest) = row.strip_suffix(&self.text[self.count.end..]) else { return false };
        let digits = rest.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        digits > 0 && rest[..rest.len() - digits].ends_with(&self.text[..self.count.start])
    }
}

//! What rows of one event have in common: how they start.

use std::ops::Range;

use super::gaps::{Found, Gap, Holds, gaps_of};
use super::words::decode;
use crate::event::{Piece, Provider, Span, Stream, What};
use crate::sse::{Row, provider_of};
use crate::time::Stamp;

/// A row from its start to the end of `line`.
#[derive(Debug)]
pub(super) struct Front {
    row: Vec<u8>,
    /// Where others of its event differ, in order.
    gaps: Vec<Gap>,
    /// Which of the gaps holds the text.
    text: usize,
    pub provider: Provider,
    /// Seconds of the last time that was read, as spelled and in milliseconds.
    second: (Vec<u8>, i64),
    /// Makes of the piece what the row says.
    wrap: fn(Piece) -> What,
    piece: Piece,
    /// The last item's id, or request's.
    id: Vec<u8>,
}

impl Front {
    pub(super) fn of(row: &Row<'_>, raw: &[u8], line: &Range<usize>, what: &What) -> Option<Self> {
        let (piece, wrap): (_, fn(Piece) -> What) = match what {
            What::Delta(piece) => (*piece, What::Delta),
            What::Done(piece) => (*piece, What::Done),
            _ => return None,
        };
        let provider = provider_of(&row.name).filter(|_| row.model().is_none())?;
        let utc = row.inner.timestamp.filter(|_| row.utc_stamp().is_some());
        if row.inner.released.is_some() || row.utc_stamp().is_some() && utc.is_none() {
            return None;
        }
        let gaps = gaps_of(row, raw, line, what, utc)?;
        let text = gaps.iter().position(|gap| gap.what == Holds::Text)?;
        let (second, id) = ((Vec::new(), 0), Vec::new());
        let front = raw[..line.end].to_vec();
        let front = Self { row: front, gaps, text, provider, second, wrap, piece, id };
        front.found_in(&front.row).is_some().then_some(front)
    }

    /// What stands in the gaps, if everything else is equal.
    #[inline]
    pub(super) fn found_in<'r>(&self, row: &'r [u8]) -> Option<Found<'r>> {
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

    /// What the row says, and its times.
    #[inline]
    pub(super) fn read(
        &mut self,
        found: &Found<'_>,
        arena: &mut Vec<u8>,
    ) -> Option<(What, (Stamp, Option<i64>))> {
        let stamp = self.stamp(found.time)?;
        let utc = match found.utc {
            Some(utc) => match Stamp::parse(std::str::from_utf8(utc).ok()?)? {
                Stamp::Utc(ms) => Some(ms),
                Stamp::Local(_) => return None,
            },
            None => None,
        };
        let text = decode(found.text, arena)?;
        if let Some(id) = found.id
            && *id != *self.id
        {
            let start = arena.len();
            arena.extend_from_slice(id);
            self.id.clear();
            self.id.extend_from_slice(id);
            let id = Span::since(start, arena);
            self.piece.stream = match self.piece.stream {
                Stream::Item(_) => Stream::Item(id),
                Stream::Block { index, .. } => Stream::Block { request: Some(id), index },
                Stream::Twin { .. } => Stream::Twin { item: Some(id) },
            };
        }
        let piece = Piece { text, seq: found.seq, ..self.piece };
        Some(((self.wrap)(piece), (stamp, utc)))
    }

    /// Reads a time; rows that follow each other share most of their seconds.
    #[inline]
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
            self.second = (second.to_vec(), ms.div_euclid(1000) * 1000);
        }
        Some(stamp)
    }
}

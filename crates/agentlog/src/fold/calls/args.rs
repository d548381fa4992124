//! The arguments of one call: as they were streamed, and as they were said to be in the end.

use serde::{Deserialize, Serialize};

use super::life::Mark;
use crate::json::{self, Kind};

/// Arguments of a call. The texts are let go of as soon as the stream equals the final text.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Args {
    /// What was streamed, in order of arrival.
    text: Vec<u8>,
    /// The pieces of `text`, in order of their sequence numbers.
    pieces: Vec<Piece>,
    /// The first delta, and the last.
    pub deltas: Option<(Mark, Mark)>,
    /// The whole text, as long as the stream differs from it.
    last: Option<Box<[u8]>>,
    /// What is known of the whole text.
    whole: Option<Whole>,
    /// The greatest sequence number of a stream that was let go of.
    matched: Option<i64>,
    /// The first whole text, to be compared with those that follow.
    said: Option<Box<[u8]>>,
    /// A whole text that differs from the first, and where.
    contradicts: Option<(Whole, u64)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Piece {
    seq: i64,
    from: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Whole {
    len: u64,
    is_object: bool,
    is_cut: bool,
    mark: Mark,
}

impl Args {
    /// Takes a delta; false if it was said before. One without a number follows the last.
    pub fn delta(&mut self, seq: Option<i64>, text: &[u8], mark: Mark) -> bool {
        let newest = self.pieces.last().map(|piece| piece.seq).max(self.matched);
        let seq = seq.unwrap_or_else(|| newest.map_or(0, |seq| seq.saturating_add(1)));
        if self.matched.is_some_and(|matched| seq <= matched) {
            return false;
        }
        let at = match self.pieces.last() {
            Some(last) if last.seq >= seq => self.pieces.partition_point(|p| p.seq < seq),
            _ => self.pieces.len(),
        };
        if self.pieces.get(at).is_some_and(|piece| piece.seq == seq) {
            return false;
        }
        let piece = Piece { seq, from: self.text.len() as u32, len: text.len() as u32 };
        self.pieces.insert(at, piece);
        self.text.extend_from_slice(text);
        let first = self.deltas.map_or(mark, |(first, _)| first);
        self.deltas = Some((first, mark));
        self.compare();
        true
    }

    /// Takes the whole text; the first one counts, and others must say the same.
    pub fn whole(&mut self, text: &[u8], mark: Mark) {
        let (len, is_cut) = (text.len() as u64, crate::event::is_cut(text));
        let whole = Whole { len, is_object: is_object(text), is_cut, mark };
        if self.whole.is_some() {
            if let (None, false, Some(said)) = (self.contradicts, is_cut, &self.said)
                && **said != *text
            {
                self.contradicts = Some((whole, common(said, text)));
            }
            return;
        }
        self.whole = Some(whole);
        if !is_cut {
            self.said = Some(text.into());
            self.last = Some(text.into());
            self.compare();
        }
    }

    /// Lets go of the texts if they are equal.
    fn compare(&mut self) {
        let Some(last) = &self.last else { return };
        if last.len() == self.text.len() && self.matched.is_none() && **last == *self.streamed() {
            self.matched = self.pieces.last().map(|piece| piece.seq);
            if self.matched.is_some() {
                (self.last, self.text, self.pieces) = (None, Vec::new(), Vec::new());
            }
        }
    }

    /// What was streamed, in order.
    fn streamed(&self) -> Vec<u8> {
        let text = |p: &Piece| &self.text[p.from as usize..][..p.len as usize];
        self.pieces.iter().flat_map(text).copied().collect()
    }

    /// Bytes of the arguments: of the whole text, else of what was streamed.
    pub fn bytes(&self) -> Option<u64> {
        let streamed = self.deltas.map(|_| self.text.len() as u64);
        self.whole.map(|whole| whole.len).or(streamed)
    }

    /// Whether the writer cut the whole text short; none if there is none.
    pub fn is_cut(&self) -> Option<bool> {
        self.whole.map(|whole| whole.is_cut)
    }

    /// Whether the whole text was said.
    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Whether the arguments are no JSON object, with the row that shows it and their bytes.
    pub fn are_bad(&self, empty_is_fine: bool) -> Option<(Mark, u64)> {
        match self.whole {
            Some(whole) if whole.is_object || whole.is_cut => None,
            Some(whole) => Some((whole.mark, whole.len)),
            None => {
                let (_, last) = self.deltas?;
                let text = self.streamed();
                let fine = is_object(&text) || empty_is_fine && text.is_empty();
                (!fine).then_some((last, text.len() as u64))
            }
        }
    }

    /// Whether what was streamed differs from the whole text: the row of that, the bytes streamed
    /// and said, and where they differ first. A log that begins within the stream, as one without
    /// the item's start row may, holds only the end of it.
    pub fn mismatch(&self, started: bool) -> Option<Mismatch> {
        let of_stream = self.mismatch_of_stream(started);
        let contradiction = || {
            let (other, at) = self.contradicts?;
            self.deltas?;
            Some(Mismatch { streamed: self.whole?.len, at, ..other.into() })
        };
        of_stream.or_else(contradiction)
    }

    fn mismatch_of_stream(&self, started: bool) -> Option<Mismatch> {
        let (whole, (_, last_delta)) = (self.whole?, self.deltas?);
        if self.matched.is_some() {
            let more = self.text.len() as u64;
            let (streamed, at) = (whole.len + more, whole.len);
            return (more > 0).then_some(Mismatch {
                mark: last_delta,
                streamed,
                at,
                ..whole.into()
            });
        }
        let (said, streamed) = (self.last.as_deref()?, self.streamed());
        if said == streamed || !started && said.ends_with(&streamed) {
            return None;
        }
        let at = common(said, &streamed);
        Some(Mismatch { streamed: streamed.len() as u64, at, ..whole.into() })
    }
}

/// How many bytes two texts have in common at their start.
fn common(one: &[u8], other: &[u8]) -> u64 {
    one.iter().zip(other).take_while(|(a, b)| a == b).count() as u64
}

/// How a stream differs from the whole text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mismatch {
    pub mark: Mark,
    /// Bytes streamed.
    pub streamed: u64,
    /// Bytes of the whole text.
    pub said: u64,
    /// Where they differ first.
    pub at: u64,
}

impl From<Whole> for Mismatch {
    fn from(whole: Whole) -> Self {
        Self { mark: whole.mark, streamed: 0, said: whole.len, at: 0 }
    }
}

fn is_object(text: &[u8]) -> bool {
    // Half a surrogate pair is no UTF-8, but writers of JSON may spell it.
    let text = String::from_utf8_lossy(text);
    json::value(&text).is_ok_and(|value| value.kind == Kind::Object)
}

//! One text of an item, put together from pieces that may come in any order and more than once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::fold::Used;
use crate::json::Text;

/// Why a delta is dropped.
pub(super) const REPEATED: &str = "repeated delta";

/// A text as far as it was streamed, and its done row.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct Part {
    /// `content_index`, `summary_index`.
    pub index: i64,
    /// What its done row says.
    pub done: Option<Vec<u8>>,
    /// The pieces in the order in which they came: mostly this is the text.
    came: Vec<u8>,
    pieces: Vec<Piece>,
    /// Whether pieces came in another order, or halves of a character meet at a seam.
    torn: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Piece {
    /// Its place among the pieces.
    order: i64,
    /// Where it starts in `came`.
    start: usize,
    /// Its place among the item's rows, with `--explain`.
    row: usize,
}

impl Part {
    pub(super) fn new(index: i64) -> Self {
        let (came, pieces) = (Vec::new(), Vec::new());
        Self { index, done: None, came, pieces, torn: false }
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, order: i64, text: &[u8], row: usize) {
        self.torn |= self.pieces.last().is_some_and(|last| last.order >= order);
        // The second half of a surrogate pair: WTF-8 bytes of U+DC00 to U+DFFF.
        self.torn |= matches!(text, [0xed, 0xb0..=0xbf, ..]);
        self.pieces.push(Piece { order, start: self.came.len(), row });
        self.came.extend_from_slice(text);
    }

    /// Whether something was streamed.
    pub(super) fn streamed(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Whether the text can be what the done row says, told by its length. Not if pieces came
    /// twice: that is found out when the text is asked for.
    pub(super) fn may_agree(&self) -> bool {
        self.done.as_ref().is_some_and(|done| done.len() == self.came.len())
    }

    /// Whether the text is what the done row says; none without one.
    pub(super) fn agrees(&self) -> Option<bool> {
        self.done.as_ref().map(|done| **done == *self.text())
    }

    /// The text.
    pub(super) fn text(&self) -> Cow<'_, [u8]> {
        if !self.torn {
            return Cow::Borrowed(&self.came);
        }
        let mut text = Text::default();
        for at in self.in_order() {
            text.push(&Text::from_wtf8(self.piece(at)));
        }
        Cow::Owned(text.as_bytes().to_vec())
    }

    /// Pieces that count, once each.
    pub(super) fn count(&self) -> usize {
        if self.torn { self.in_order().len() } else { self.pieces.len() }
    }

    /// Marks the rows of repeated pieces.
    pub(super) fn explain(&self, rows: &mut [Used]) {
        let mut kept = vec![false; self.pieces.len()];
        self.in_order().into_iter().for_each(|at| kept[at] = true);
        for (piece, _) in self.pieces.iter().zip(&kept).filter(|(_, kept)| !**kept) {
            if let Some(row) = rows.get_mut(piece.row) {
                row.how = REPEATED;
            }
        }
    }

    /// Places of the pieces in their order. Of those that claim one place the first counts.
    fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        order.sort_by_key(|at| self.pieces[*at].order);
        order.dedup_by_key(|at| self.pieces[*at].order);
        order
    }

    fn piece(&self, at: usize) -> &[u8] {
        let end = self.pieces.get(at + 1).map_or(self.came.len(), |next| next.start);
        &self.came[self.pieces[at].start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_and_repetition_give_the_same_text(
            pieces in proptest::collection::vec("[a-z]{0,3}", 1..12),
            came in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
            seed in any::<u64>(),
        ) {
            let mut order: Vec<usize> = (0..pieces.len()).collect();
            order.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1) >> 7);
            order.extend(came.iter().map(|index| index.index(pieces.len())));
            let mut part = Part::new(0);
            for at in order {
                part.push(at as i64 * 3, pieces[at].as_bytes(), 0);
            }
            let whole = pieces.concat().into_bytes();
            prop_assert_eq!(&*part.text(), &whole);
            prop_assert_eq!(part.count(), pieces.len());
            part.done = Some(whole);
            prop_assert_eq!(part.agrees(), Some(true));
        }
    }

    #[test]
    fn of_pieces_that_claim_one_place_the_first_counts() {
        let mut part = Part::new(0);
        for (order, text) in [(1, "a"), (3, "c"), (2, "b"), (3, "x"), (1, "y")] {
            part.push(order, text.as_bytes(), 0);
        }
        assert_eq!((&*part.text(), part.count()), (&b"abc"[..], 3));
    }

    #[test]
    fn halves_of_a_character_meet_at_a_seam() {
        let mut part = Part::new(0);
        for (order, raw) in [(2, "\\ude80!"), (1, "a\\ud83d")] {
            part.push(order, Text::unescape(raw).as_bytes(), 0);
        }
        assert_eq!(&*part.text(), "a🚀!".as_bytes());
    }
}

//! The ordered stage: rows of one file sorted within a window. Folds are fed from here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How late a row may stand behind its time and still be put in order, in milliseconds.
pub const WINDOW_MS: i64 = 5000;

/// Sorts the rows of one file within [`WINDOW_MS`] of their times. Rows of one millisecond keep
/// their physical order; a row later than the window goes out where it stands.
#[derive(Debug)]
pub struct Window<T> {
    held: BinaryHeap<Reverse<Held<T>>>,
    newest: i64,
    rows: u64,
    late: u64,
}

#[derive(Debug)]
struct Held<T> {
    t: i64,
    row: u64,
    value: T,
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.t, self.row) == (other.t, other.row)
    }
}

impl<T> Eq for Held<T> {}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.t, self.row).cmp(&(other.t, other.row))
    }
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { held: BinaryHeap::new(), newest: i64::MIN, rows: 0, late: 0 }
    }
}

impl<T> Window<T> {
    /// Takes the next row in physical order; rows whose turn has come are appended to `out`.
    pub fn push(&mut self, t: i64, value: T, out: &mut impl Extend<(i64, T)>) {
        self.rows += 1;
        if t < self.newest.saturating_sub(WINDOW_MS) {
            self.late += 1;
            return out.extend([(t, value)]);
        }
        self.held.push(Reverse(Held { t, row: self.rows, value }));
        self.advance(t, out);
    }

    /// The file has come to time `t`.
    pub fn advance(&mut self, t: i64, out: &mut impl Extend<(i64, T)>) {
        self.newest = self.newest.max(t);
        while let Some(Reverse(first)) = self.held.peek()
            && first.t < self.newest.saturating_sub(WINDOW_MS)
        {
            let Some(Reverse(first)) = self.held.pop() else { return };
            out.extend([(first.t, first.value)]);
        }
    }

    /// Gives out everything that is held.
    pub fn release(&mut self, out: &mut impl Extend<(i64, T)>) {
        while let Some(Reverse(first)) = self.held.pop() {
            out.extend([(first.t, first.value)]);
        }
    }

    /// Gives out the first rows as long as `test` holds for them.
    pub fn release_while(&mut self, test: impl Fn(&T) -> bool, out: &mut impl Extend<(i64, T)>) {
        while let Some(Reverse(first)) = self.held.peek()
            && test(&first.value)
        {
            let Some(Reverse(first)) = self.held.pop() else { return };
            out.extend([(first.t, first.value)]);
        }
    }

    /// Rows that came later than the window.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

/// Counts rows that stand later in their file than the window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lateness {
    newest: Option<(u32, i64)>,
    rows: u64,
}

impl Lateness {
    /// Takes the next row of a file, in physical order; files come one after the other.
    pub fn row(&mut self, file: u32, t: i64) {
        match self.newest {
            Some((same, newest)) if same == file => {
                self.rows += u64::from(t < newest.saturating_sub(WINDOW_MS));
                self.newest = Some((file, newest.max(t)));
            }
            _ => self.newest = Some((file, t)),
        }
    }

    /// How many there were.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_order(times: &[i64]) -> (Vec<(i64, usize)>, u64) {
        let (mut window, mut out) = (Window::default(), Vec::new());
        for (i, t) in times.iter().enumerate() {
            window.push(*t, i, &mut out);
        }
        window.release(&mut out);
        (out, window.late())
    }

    proptest! {
        #[test]
        fn within_the_window_all_is_sorted(times in prop::collection::vec(0i64..WINDOW_MS, 0..50)) {
            let mut want: Vec<_> = times.iter().copied().enumerate().map(|(i, t)| (t, i)).collect();
            want.sort_unstable();
            prop_assert_eq!(in_order(&times), (want, 0));
        }

        #[test]
        fn nothing_is_lost(times in prop::collection::vec(0i64..100_000, 0..50)) {
            let (mut out, _) = in_order(&times);
            out.sort_by_key(|(_, i)| *i);
            prop_assert_eq!(out, times.into_iter().enumerate().map(|(i, t)| (t, i)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_row_later_than_the_window_stays_where_it_stands() {
        let (out, late) = in_order(&[0, 10_000, 4999, 5000, 10_000, 20_000]);
        let order: Vec<_> = out.into_iter().map(|(_, i)| i).collect();
        assert_eq!((order, late), (vec![0, 2, 3, 1, 4, 5], 1));
    }
}

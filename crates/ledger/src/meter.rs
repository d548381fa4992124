//! From the counters that a Codex process tells to what each row adds.
//!
//! A row tells the totals of its process and what the last request used up. Totals are said
//! again, start anew, and are taken over from the process before; a context that overflowed is
//! told as totals of nothing but a total. What counts is how much the totals grew; only where
//! they cannot be compared it is the last request.

use serde::{Deserialize, Serialize};

use crate::Tokens;

/// Counters as Codex tells them: `input` includes `cached`, `output` includes `reasoning`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// `input_tokens`.
    pub input: u64,
    /// `cached_input_tokens`.
    pub cached: u64,
    /// `output_tokens`.
    pub output: u64,
    /// `reasoning_output_tokens`.
    pub reasoning: u64,
    /// `total_tokens`; none if the row does not say.
    pub total: Option<u64>,
}

impl Reading {
    /// The total as told, else input and output.
    pub fn total(&self) -> u64 {
        self.total.unwrap_or(self.input.saturating_add(self.output))
    }

    /// The same with the meaning that all providers share.
    pub fn tokens(&self) -> Tokens {
        let cache_read = self.cached.min(self.input);
        Tokens {
            input: self.input - cache_read,
            cache_read,
            output: self.output,
            reasoning: self.reasoning.min(self.output),
            ..Tokens::default()
        }
    }

    /// Whether all parts are 0, whatever the total.
    pub fn is_empty(&self) -> bool {
        self.parts() == [0; 4]
    }

    fn parts(&self) -> [u64; 4] {
        [self.input, self.cached, self.output, self.reasoning]
    }

    /// What it grew by; none if the total or a part is smaller than it was.
    fn since(&self, before: &Self) -> Option<Self> {
        if self.total() < before.total() {
            return None;
        }
        Some(Self {
            input: self.input.checked_sub(before.input)?,
            cached: self.cached.checked_sub(before.cached)?,
            output: self.output.checked_sub(before.output)?,
            reasoning: self.reasoning.checked_sub(before.reasoning)?,
            total: None,
        })
    }
}

/// What a row counted for, or why it was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The first counted row of a process: its last request.
    First,
    /// What the totals grew by.
    Growth,
    /// The totals became smaller: the last request.
    Reset,
    /// A whole request.
    Request,
    /// The totals, or the response, were told before.
    Duplicate,
    /// The row has no counts.
    NoCounts,
    /// All parts are 0: the context overflowed, or nothing was used up.
    Empty,
}

impl How {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Growth,
        Self::Reset,
        Self::Request,
        Self::Duplicate,
        Self::NoCounts,
        Self::Empty,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first of its process: its last request",
            Self::Growth => "growth of the totals",
            Self::Reset => "totals restarted: its last request",
            Self::Request => "its request",
            Self::Duplicate => "dropped: told before",
            Self::NoCounts => "dropped: has no counts",
            Self::Empty => "dropped: all parts are 0",
        }
    }

    /// Whether the row counts as a call.
    pub fn counts(self) -> bool {
        matches!(self, Self::First | Self::Growth | Self::Reset | Self::Request)
    }
}

/// What a row adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// What it counted for.
    pub how: How,
    /// What was used up; nothing in rows that were dropped.
    pub tokens: Tokens,
}

impl Added {
    pub(crate) fn dropped(how: How) -> Self {
        Self { how, tokens: Tokens::default() }
    }
}

/// The counters of one process, as one kind of row tells them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Meter {
    /// The totals of the row before.
    before: Option<Reading>,
    /// Totals that another process of the session told last.
    taken_over: Option<Reading>,
    counted: bool,
}

impl Meter {
    /// A process of a session in which another process told these totals last. If its first row
    /// tells the same, it only repeats them.
    pub fn taking_over(totals: Option<Reading>) -> Self {
        Self { taken_over: totals, ..Self::default() }
    }

    /// Takes totals that a process before told: what follows grows from there.
    pub fn baseline(&mut self, totals: Reading) {
        if !totals.is_empty() {
            (self.before, self.taken_over) = (Some(totals), Some(totals));
        }
    }

    /// The totals that were told last.
    pub fn told(&self) -> Option<Reading> {
        self.before.or(self.taken_over)
    }

    /// Whether a row counted.
    pub fn has_counted(&self) -> bool {
        self.counted
    }

    /// Takes the next row: its totals and its last request.
    pub fn read(&mut self, totals: Option<Reading>, last: Option<Reading>) -> Added {
        let Some(totals) = totals else {
            // Not seen so far: a row that tells its request, but no totals.
            let request = last.filter(|last| !last.is_empty());
            let of = |request| self.add(How::Request, request);
            return request.map_or(Added::dropped(How::NoCounts), of);
        };
        let before = self.before.replace(totals);
        if totals.is_empty() {
            return Added::dropped(How::Empty);
        }
        let repeats = before.or(self.taken_over) == Some(totals);
        if repeats {
            return Added::dropped(How::Duplicate);
        }
        let request = last.unwrap_or(totals);
        match before {
            None => self.add(How::First, request),
            // Only rows that did not count came before.
            Some(_) if !self.counted && self.taken_over.is_none() => self.add(How::First, request),
            Some(before) => match totals.since(&before) {
                Some(growth) => self.add(How::Growth, growth),
                None => self.add(How::Reset, request),
            },
        }
    }

    fn add(&mut self, how: How, what: Reading) -> Added {
        self.counted = true;
        Added { how, tokens: what.tokens() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading([input, cached, output, reasoning]: [u64; 4]) -> Reading {
        Reading { input, cached, output, reasoning, total: Some(input + output) }
    }

    fn plus(a: Reading, b: Reading) -> Reading {
        let sum = |i: usize| a.parts()[i] + b.parts()[i];
        let total = Some(a.total() + b.total());
        Reading { total, ..reading([sum(0), sum(1), sum(2), sum(3)]) }
    }

    const A: [u64; 4] = [900, 400, 60, 32];
    const B: [u64; 4] = [500, 500, 20, 0];

    #[test]
    fn cached_is_a_part_of_input() {
        let tokens = reading(A).tokens();
        assert_eq!((tokens.input, tokens.cache_read, tokens.total()), (500, 400, 960));
        // A writer that says more was cached than sent must not make up tokens.
        let odd = Reading { cached: 1000, ..reading(A) };
        assert_eq!(odd.tokens().total(), 960);
    }

    #[test]
    fn first_growth_duplicate_reset() {
        let mut meter = Meter::default();
        let (a, b) = (reading(A), reading(B));
        assert_eq!(meter.read(None, None).how, How::NoCounts);
        let restored = plus(reading([70_000, 1000, 900, 90]), a);
        let first = meter.read(Some(restored), Some(a));
        assert_eq!((first.how, first.tokens), (How::First, a.tokens()));
        let next = meter.read(Some(plus(restored, b)), Some(a));
        assert_eq!((next.how, next.tokens), (How::Growth, b.tokens()), "not its last request");
        assert_eq!(meter.read(Some(plus(restored, b)), Some(b)).how, How::Duplicate);
        let reset = meter.read(Some(a), Some(b));
        assert_eq!((reset.how, reset.tokens), (How::Reset, b.tokens()));
        let reset = meter.read(Some(reading([1, 0, 1, 0])), None);
        assert_eq!((reset.how, reset.tokens.total()), (How::Reset, 2));
    }

    #[test]
    fn totals_count_where_the_last_request_is_not_told() {
        assert_eq!(Meter::default().read(Some(reading(A)), None).tokens, reading(A).tokens());
    }

    #[test]
    fn a_part_that_became_smaller_is_a_reset_too() {
        let mut meter = Meter::default();
        meter.read(Some(reading(A)), None);
        let odd = reading([2000, 0, 60, 32]);
        let added = meter.read(Some(odd), Some(reading(B)));
        assert_eq!((added.how, added.tokens), (How::Reset, reading(B).tokens()));
    }

    #[test]
    fn an_overflow_counts_nothing_and_is_what_the_next_row_grows_from() {
        let window = Reading { total: Some(258_400), ..Reading::default() };
        for known in [reading(A), reading([900_000, 400, 60, 32])] {
            let mut meter = Meter::default();
            meter.read(Some(known), None);
            assert_eq!(meter.read(Some(window), Some(Reading::default())).how, How::Empty);
            let next = meter.read(Some(plus(window, reading(B))), Some(reading(B)));
            assert_eq!((next.how, next.tokens), (How::Growth, reading(B).tokens()));
        }
        let mut first = Meter::default();
        first.read(Some(window), None);
        let next = first.read(Some(plus(window, reading(B))), Some(reading(A)));
        assert_eq!((next.how, next.tokens), (How::First, reading(A).tokens()));
    }

    #[test]
    fn a_process_that_repeats_what_the_one_before_told_counts_nothing() {
        let (a, b) = (reading(A), reading(B));
        let mut meter = Meter::taking_over(Some(a));
        assert_eq!(meter.read(Some(a), Some(a)).how, How::Duplicate);
        let next = meter.read(Some(plus(a, b)), Some(b));
        assert_eq!((next.how, next.tokens), (How::Growth, b.tokens()));
        // It took over the totals, and its first row is a new request.
        let mut meter = Meter::taking_over(Some(a));
        let first = meter.read(Some(plus(a, b)), Some(b));
        assert_eq!((first.how, first.tokens), (How::First, b.tokens()));
    }

    proptest! {
        /// Whatever is said again, restarts or is restored: what was used up is counted once.
        #[test]
        fn sums_are_those_of_the_requests(
            requests in proptest::collection::vec(
                ((1..90_000u64, 0..90_000u64), (1..3000u64, 0..3000u64), 0..8u8), 0..40),
            restored in proptest::option::of((1..90_000u64, 1..3000u64)),
        ) {
            let mut meter = Meter::default();
            let (mut sum, mut truth) = (Tokens::default(), Tokens::default());
            let mut totals = restored.map_or(Reading::default(), |(i, o)| reading([i, 0, o, 0]));
            for ((input, cached), (output, reasoning), what) in requests {
                let request = reading([input, cached.min(input), output, reasoning.min(output)]);
                match what {
                    0 => totals = Reading::default(),
                    1 => {
                        totals = Reading { total: Some(258_400), ..Reading::default() };
                        sum += meter.read(Some(totals), Some(Reading::default())).tokens;
                    }
                    2 => sum += meter.read(None, None).tokens,
                    _ => {}
                }
                // A restart that cannot be seen: the new totals repeat or exceed the old ones.
                totals = plus(totals, request);
                let unseen = what == 0 && meter.before.is_some_and(|b| totals.since(&b).is_some());
                prop_assume!(!unseen);
                truth += request.tokens();
                for _ in 0..=what % 3 {
                    sum += meter.read(Some(totals), Some(request)).tokens;
                }
            }
            prop_assert_eq!(sum, truth);
        }
    }
}

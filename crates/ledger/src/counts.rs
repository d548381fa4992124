//! Which rows count for a Codex process. It tells the same usage in up to three kinds of rows, any
//! of which a log may lack; all are read, and one is chosen when all is known.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Added, How, Meter, Reading};

/// The kinds of rows in which a Codex process tells its usage. The first that counted is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// `token_usage_record`.
    Record,
    /// `turn.token_count`.
    Turn,
    /// `codex.token_count`.
    Codex,
    /// The usage in `response.completed`.
    Response,
}

impl Source {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Record, Self::Turn, Self::Codex, Self::Response];

    /// Why rows of other kinds are dropped if this one is chosen.
    pub fn instead(self) -> &'static str {
        match self {
            Self::Record => "dropped: token_usage_record counts",
            Self::Turn => "dropped: turn.token_count counts",
            Self::Codex => "dropped: codex.token_count counts",
            Self::Response => "dropped: response.completed counts",
        }
    }
}

/// One value for each kind of row: what it came to if that kind is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerSource<T>([T; 4]);

impl<T> PerSource<T> {
    /// That of one kind.
    pub fn of(&self, source: Source) -> &T {
        &self.0[source as usize]
    }

    /// That of one kind.
    pub fn of_mut(&mut self, source: Source) -> &mut T {
        &mut self.0[source as usize]
    }

    /// Each kind with its value, the best first.
    pub fn into_each(self) -> impl Iterator<Item = (Source, T)> {
        Source::ALL.into_iter().zip(self.0)
    }
}

/// The counts of one process of one session, in all kinds of rows at once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    meters: PerSource<Meter>,
    /// The response that was counted last.
    response: Option<Box<str>>,
    /// The ids of requests that `token_usage_record` told.
    recorded: BTreeSet<Box<str>>,
}

impl Counts {
    /// Those of a process that may have taken over what `other`, of the same session, told last.
    pub fn taking_over(other: &Self) -> Self {
        let meter = |source| Meter::taking_over(other.meters.of(source).told());
        let (response, recorded) = (other.response.clone(), other.recorded.clone());
        Self { meters: PerSource(Source::ALL.map(meter)), response, recorded }
    }

    /// Takes a row that tells totals: its `total_token_usage` and `last_token_usage`.
    pub fn totals(
        &mut self,
        source: Source,
        totals: Option<Reading>,
        last: Option<Reading>,
    ) -> Added {
        self.meters.of_mut(source).read(totals, last)
    }

    /// Takes a `response.completed`: its id and its usage.
    pub fn response(&mut self, id: Option<&str>, usage: Option<Reading>) -> Added {
        let Some(usage) = usage else { return Added::dropped(How::NoCounts) };
        if usage.is_empty() {
            return Added::dropped(How::Empty);
        }
        if id.is_some() && self.response.as_deref() == id {
            return Added::dropped(How::Duplicate);
        }
        self.response = id.map(Box::from);
        self.meters.of_mut(Source::Response).read(None, Some(usage))
    }

    /// Takes a `token_usage_record`: its response's id and its usage. It counts once for each id.
    pub fn record(&mut self, id: Option<&str>, usage: Option<Reading>) -> Added {
        let Some(usage) = usage else { return Added::dropped(How::NoCounts) };
        if usage.is_empty() {
            return Added::dropped(How::Empty);
        }
        if id.is_some_and(|id| !self.recorded.insert(id.into())) {
            return Added::dropped(How::Duplicate);
        }
        self.meters.of_mut(Source::Record).read(None, Some(usage))
    }

    /// Takes totals that another process told: what follows grows from there.
    pub fn baseline(&mut self, source: Source, totals: Option<Reading>) {
        if let Some(totals) = totals {
            self.meters.of_mut(source).baseline(totals);
        }
    }

    /// Whether a row of that kind counted.
    pub fn has_counted(&self, source: Source) -> bool {
        self.meters.of(source).has_counted()
    }

    /// The kind of rows that counts, by what was read so far; none if nothing counted.
    pub fn chosen(&self) -> Option<Source> {
        Source::ALL.into_iter().find(|source| self.has_counted(*source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &mut Counts, id: Option<&str>, input: u64) -> How {
        counts.response(id, Some(used(input, input))).how
    }

    fn used(input: u64, output: u64) -> Reading {
        Reading { input, output, ..Reading::default() }
    }

    #[test]
    fn the_best_kind_of_row_that_counted_is_chosen() {
        let mut counts = Counts::default();
        assert_eq!(counts.chosen(), None);
        assert_eq!(counts.totals(Source::Turn, None, None).how, How::NoCounts);
        assert_eq!(counts.chosen(), None, "a row without counts chooses nothing");
        assert_eq!(counts.response(Some("r1"), Some(used(5, 1))).tokens.total(), 6);
        assert_eq!(counts.chosen(), Some(Source::Response));
        counts.totals(Source::Codex, Some(used(5, 1)), None);
        assert_eq!(counts.chosen(), Some(Source::Codex));
        counts.totals(Source::Turn, Some(used(5, 1)), None);
        assert_eq!(counts.chosen(), Some(Source::Turn));
    }

    #[test]
    fn a_response_counts_once() {
        let mut counts = Counts::default();
        let ids = [Some("r1"), Some("r1"), Some("r2"), None, None];
        let hows = ids.map(|id| of(&mut counts, id, 5));
        let (request, again) = (How::Request, How::Duplicate);
        assert_eq!(hows, [request, again, request, request, request]);
        assert_eq!(of(&mut counts, Some("r3"), 0), How::Empty);
        assert_eq!(counts.response(Some("r3"), None).how, How::NoCounts);
    }

    #[test]
    fn one_value_for_each_kind() {
        let mut sums = PerSource::<u64>::default();
        *sums.of_mut(Source::Codex) += 2;
        assert_eq!((*sums.of(Source::Turn), *sums.of(Source::Codex)), (0, 2));
        assert_eq!(sums.into_each().map(|(_, n)| n).collect::<Vec<_>>(), [0, 0, 2, 0]);
    }
}

//! What a group of calls used up.

use std::sync::Arc;

use ledger::{Added, Cost, How, Tokens};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::event::{Event, Head, RateLimit, RateLimits, Src};
use crate::fold::{Agreed, CountedRow};

/// When and where a row stands; the order of rows.
pub(super) type Place = (Option<i64>, Src);

/// Tokens that a call had in its context, and the most that the model takes.
pub(super) type Context = (Option<u64>, Option<u64>);

/// A group of calls.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Group {
    /// Names of what calls were grouped by, with commas between them.
    #[serde(skip)]
    pub by: Arc<str>,
    /// What makes it a group.
    #[serde(skip)]
    pub key: Key,
    /// Calls that were counted.
    pub calls: u64,
    /// What they used up.
    pub tokens: Tokens,
    /// Rows that said again what was counted.
    pub duplicates: u64,
    /// How often the totals of a process restarted.
    pub resets: u64,
    /// That of the latest call.
    pub(super) context: Context,
    /// What it cost, if that was asked for.
    #[serde(skip)]
    pub cost: Option<Cost>,
    /// The account's limits: the first and the second window.
    pub limits: LimitSpans,
    /// The rows that were read, if they were asked for.
    pub rows: Vec<CountedRow>,
    pub(super) first: Option<Place>,
    pub(super) last: Option<Place>,
    /// What its counted rows agree on.
    pub(super) agreed: Agreed,
    pub(super) model: Named,
}

/// A name on which rows agree or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Named {
    #[default]
    Unknown,
    One(Arc<str>),
    Several,
}

impl Named {
    pub fn add(&mut self, name: Self) {
        *self = match (std::mem::take(self), name) {
            (Self::Unknown, one) | (one, Self::Unknown) => one,
            (one, other) if one == other => one,
            _ => Self::Several,
        };
    }
}

/// The first and the second window of an account; boxed, since most groups of some keys have none.
pub type LimitSpans = [Option<Box<LimitSpan>>; 2];

/// How a limit went, by what its rows said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitSpan {
    /// The first of the rows.
    pub first: RateLimit,
    /// The last.
    pub last: RateLimit,
    /// The most that was used up, in percent.
    pub peak: f64,
    at: (Place, Place),
}

impl LimitSpan {
    fn of(limit: RateLimit, at: Place) -> Self {
        Self { first: limit, last: limit, peak: limit.used_percent, at: (at, at) }
    }

    fn add(&mut self, other: Self) {
        if other.at.0 < self.at.0 {
            (self.first, self.at.0) = (other.first, other.at.0);
        }
        if other.at.1 >= self.at.1 {
            (self.last, self.at.1) = (other.last, other.at.1);
        }
        self.peak = self.peak.max(other.peak);
    }
}

/// What a row adds to a group.
pub(super) struct Addition<'e> {
    pub event: &'e Event<'e>,
    pub added: Added,
    pub context: Context,
}

impl Group {
    /// When the first counted row was written, in milliseconds since the epoch.
    pub fn t(&self) -> Option<i64> {
        self.first.and_then(|(t, _)| t)
    }

    /// When the last one was.
    pub fn t_last(&self) -> Option<i64> {
        self.last.filter(|_| self.calls > 0).and_then(|(t, _)| t)
    }

    /// What its counted rows agree on.
    pub fn head(&self) -> &Arc<Head> {
        self.agreed.head()
    }

    /// The first counted row.
    pub fn src(&self) -> Src {
        self.first.map(|(_, src)| src).unwrap_or_default()
    }

    /// The same, as if its first row stood in this file: for those who write it without the paths of
    /// all files.
    #[must_use]
    pub fn in_file(mut self, file: u32) -> Self {
        if let Some((_, src)) = &mut self.first {
            src.file = file;
        }
        self
    }

    /// Tokens that the latest call had in its context.
    pub fn context_tokens(&self) -> Option<u64> {
        self.context.0
    }

    /// The most that the model of the latest call takes.
    pub fn context_window(&self) -> Option<u64> {
        self.context.1
    }

    /// Takes a row of a Codex process.
    pub(super) fn add(&mut self, row: &Addition<'_>, limits: Option<&RateLimits>) {
        let Addition { event, added, context } = *row;
        let at = (event.t, event.src);
        if added.how.counts() {
            self.resets += u64::from(added.how == How::Reset);
            self.count(at, at, added.tokens, context);
            self.agreed.add(event.head);
        } else if self.calls == 0 {
            self.first.get_or_insert(at);
            self.agreed.add(event.head);
        }
        self.duplicates += u64::from(added.how == How::Duplicate);
        if let Some(limits) = limits {
            let spans = [limits.primary, limits.secondary]
                .map(|limit| Some(LimitSpan::of(limit?, at).into()));
            self.add_limits(spans);
        }
    }

    /// Counts a call, by its first and last row. Its head is for the caller to add.
    pub(super) fn count(&mut self, first: Place, last: Place, tokens: Tokens, context: Context) {
        if self.calls == 0 {
            // What was known before is of rows that did not count.
            (self.first, self.agreed) = (Some(first), Agreed::default());
        }
        self.first = self.first.min(Some(first));
        self.calls += 1;
        self.tokens += tokens;
        if self.last <= Some(last) {
            (self.last, self.context) = (Some(last), context);
        }
    }

    fn add_limits(&mut self, spans: LimitSpans) {
        for (mine, other) in self.limits.iter_mut().zip(spans) {
            match (mine, other) {
                (Some(mine), Some(other)) => mine.add(*other),
                (mine @ None, other) => *mine = other,
                (Some(_), None) => {}
            }
        }
    }

    /// What groups come to together. Their latest context and their limits say nothing of all.
    pub fn total(groups: &[Box<Self>]) -> Box<Self> {
        let mut total = Self::default();
        for group in groups {
            total.merge(Self { rows: Vec::new(), ..Self::clone(group) });
        }
        total.settle();
        Self { context: (None, None), limits: [None, None], ..total }.into()
    }

    /// Takes all of another group. The order in which groups are merged does not matter.
    pub fn merge(&mut self, other: Self) {
        let counted = (self.calls > 0, other.calls > 0);
        if counted == (false, true) {
            (self.first, self.agreed) = (other.first, other.agreed);
        } else if counted.0 == counted.1 {
            self.first = [self.first, other.first].into_iter().flatten().min();
            self.agreed.absorb(&other.agreed);
        }
        if self.last <= other.last {
            (self.last, self.context) = (other.last, other.context);
        }
        self.model.add(other.model);
        self.calls += other.calls;
        self.tokens += other.tokens;
        self.duplicates += other.duplicates;
        self.resets += other.resets;
        self.cost = match (self.cost, other.cost) {
            (Some(cost), Some(more)) => Some(cost.plus(more)),
            (one, other) => one.or(other),
        };
        self.add_limits(other.limits);
        self.rows.extend(other.rows);
    }

    /// Tells the model in the head, and brings the rows into the order of the log.
    pub(super) fn settle(&mut self) {
        self.agreed.set_model(match &self.model {
            Named::One(name) => Some(name),
            Named::Unknown | Named::Several => None,
        });
        self.rows.sort_by_key(|row| row.src);
    }
}

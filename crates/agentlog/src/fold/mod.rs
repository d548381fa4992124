//! Folds: state machines that are fed one event at a time, in order of time, and give out a
//! record as soon as nothing can change it any more. They hold what is open, not the log.

mod agreed;
pub mod calls;
pub mod deltas;
#[cfg(test)]
mod given;
mod how;
pub mod prompts;
mod resume;
mod ties;
pub mod tokens;
pub mod turn_book;
pub mod turns;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Src};

pub use crate::state::BadState;
pub use agreed::Agreed;
pub use resume::Resume;

/// How long a record waits for what may still change it, in milliseconds of log time, or of the
/// clock when nothing comes.
pub const SETTLE_MS: i64 = 2000;

/// A state machine from events to records.
pub trait Fold {
    /// What it makes.
    type Record;

    /// Takes the next event in order of time. Records that are final now are appended to `out`.
    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Self::Record>);

    /// Whether it takes many events at once better than one by one.
    fn takes_many(&self) -> bool {
        false
    }

    /// Takes the next events in order of time.
    fn feed_all(&mut self, events: &[Event<'_>], out: &mut Vec<Self::Record>) {
        for event in events {
            self.feed(event, out);
        }
    }

    /// Log time has come to `t`: nothing older follows.
    fn advance(&mut self, t: i64, out: &mut Vec<Self::Record>);

    /// Whether a record waits for time to pass.
    fn waits(&self) -> bool;

    /// The records that are not final, as they are by now, in order of time. Each has the same `src`
    /// when it is.
    fn open_records(&self, _out: &mut Vec<Self::Record>) {}

    /// Gives out, as if the input were over, what had no row since `t`; again when that has more.
    /// Returns whether something is open that may be given out so later.
    fn give_idle(&mut self, _t: i64, _out: &mut Vec<Self::Record>) -> bool {
        false
    }

    /// The input is over: gives out the rest. These records were still open: more of the log could
    /// have changed them, so that a run that goes on from a state kept before tells of them again
    /// (see [`Resume`]).
    fn finish(&mut self, out: &mut Vec<Self::Record>);

    /// The input is over: gives out a part of the rest, for those that have much. False if that was
    /// the last.
    fn finish_some(&mut self, out: &mut Vec<Self::Record>) -> bool {
        self.finish(out);
        false
    }
}

/// Words of a program, not of a log. The name hides from serde that it is a reference, which it would
/// borrow from what it reads.
type Words = &'static str;

/// A row that a fold read, and what it made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The row.
    pub src: Src,
    /// What it counted for, or why it was dropped.
    #[serde(with = "how")]
    pub how: Words,
}

/// A row that was read for a record of which tokens are a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedRow {
    /// The row.
    pub src: Src,
    /// What it counted for, or why it was dropped.
    #[serde(with = "how")]
    pub how: Words,
    /// The tokens that it added; none if it added none.
    pub tokens: Option<Box<ledger::Tokens>>,
}

impl From<Used> for CountedRow {
    fn from(Used { src, how }: Used) -> Self {
        Self { src, how, tokens: None }
    }
}

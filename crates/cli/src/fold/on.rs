//! A fold that goes on where an earlier run stopped, and can itself be gone on from.

use agentlog::event::Event;
use agentlog::fold::Resume;
use anyhow::Result;

use super::{MANY, MANY_BYTES, Sink, feed_held};
use crate::feed::{Fed, TakeRows};
use crate::fold::ReadRows;
use crate::look::Look;
use crate::resume::ResumePoint;
use crate::run::Run;

/// Rows that wait for a later run: those of the last five seconds.
pub struct Unfed(Vec<Fed>);

impl Unfed {
    /// Feeds them all the same, as if the log were over. For who has kept the fold's state before and
    /// wants to know what is open.
    pub fn feed<F: Resume>(self, fold: &mut F, out: &mut Vec<F::Record>) {
        let events: Vec<Event<'_>> = self.0.iter().map(Fed::event).collect();
        fold.feed_all(&events, out);
    }
}

/// Feeds a fold what the logs gained since the run's resume point ([`Run::go_on_from`]), and gives the
/// records that are final to `sink`. Afterwards [`Run::resume_point`] is where reading stopped, which
/// is to be kept with the fold's state. On the way `keep` is called now and then with what could be
/// kept by then: the records that belong before were given to `sink`.
pub fn fold_on<F, S, K>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    (fold, sink): (&mut F, &mut S),
    keep: K,
) -> Result<Unfed>
where
    F: Resume<Record: Send> + Send,
    S: Sink<F::Record> + Send,
    K: FnMut(&ResumePoint, &F, &mut S) -> Result<()> + Send,
{
    let mut feeder = Feeder { fold, sink, keep, out: Vec::new(), held: Vec::new(), bytes: 0 };
    let unfed = run.feed_on(look, rows, &mut feeder)?;
    feeder.settle()?;
    let Feeder { fold, sink, mut out, .. } = feeder;
    // Nothing older follows, but for what comes late.
    fold.advance(run.resume_point().horizon, &mut out);
    sink.take(&mut out)?;
    run.tell_doubled();
    Ok(Unfed(unfed))
}

struct Feeder<'a, F: Resume, S, K> {
    fold: &'a mut F,
    sink: &'a mut S,
    keep: K,
    out: Vec<F::Record>,
    /// Rows for a fold that takes many at once, and their bytes.
    held: Vec<Fed>,
    bytes: u64,
}

impl<F, S, K> Feeder<'_, F, S, K>
where
    F: Resume<Record: Send> + Send,
    S: Sink<F::Record> + Send,
{
    /// Feeds what is held, and gives out what is final.
    fn settle(&mut self) -> Result<()> {
        feed_held(self.fold, &mut self.held, &mut self.out);
        self.bytes = 0;
        self.sink.take(&mut self.out)
    }
}

impl<F, S, K> TakeRows for &mut Feeder<'_, F, S, K>
where
    F: Resume<Record: Send> + Send,
    S: Sink<F::Record> + Send,
    K: FnMut(&ResumePoint, &F, &mut S) -> Result<()> + Send,
{
    fn row(&mut self, fed: &Fed) -> Result<()> {
        if self.fold.takes_many() {
            self.held.push(fed.clone());
            self.bytes += fed.bytes();
            if self.held.len() == MANY || self.bytes >= MANY_BYTES {
                return self.settle();
            }
        } else {
            self.fold.feed(&fed.event(), &mut self.out);
        }
        // Few at a time: what is not wanted is dropped early.
        if self.out.len() >= 1024 { self.sink.take(&mut self.out) } else { Ok(()) }
    }

    fn pause(&mut self, at: &ResumePoint) -> Result<()> {
        self.settle()?;
        (self.keep)(at, self.fold, self.sink)
    }
}

//! From rows to records through a fold: one driver for all commands that print more than rows.

mod apart;
mod context;
mod heads;
mod live;
mod on;
mod rows;

use std::collections::VecDeque;
use std::time::Duration;

use agentlog::event::Event;
use agentlog::fold::Fold;
use agentlog::record::SrcPath;
use anyhow::Result;

use crate::feed::Fed;
use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::run::Run;
pub(crate) use context::{Context, Copies};
pub(crate) use heads::SharedHeads;
pub use on::{Unfed, fold_on};
pub use rows::{FoldRows, Kept, Memory, NativeRows, ReadRows};

/// Takes the records of a fold.
pub trait Sink<R> {
    /// Takes records in the order in which they became final.
    fn take(&mut self, records: &mut Vec<R>) -> Result<()>;

    /// Forgets what was taken: the offsets of the log turned out to be others than they seemed,
    /// and it is read again.
    fn restart(&mut self);

    /// Hands what was printed to the reader.
    fn flush(&mut self) -> Result<()>;

    /// A log came while others were followed; rows name it by its place among all.
    fn log_came(&mut self, _path: &SrcPath) {}

    /// All that was there when the run began was read: what follows is taken as it comes.
    fn caught_up(&mut self) -> Result<()> {
        Ok(())
    }

    /// How often earlier states of records are wanted, if they are.
    fn wants_open(&self) -> Option<Duration> {
        None
    }

    /// Takes the records that are not final, as they are by now.
    fn take_open(&mut self, records: &mut Vec<R>) -> Result<()> {
        records.clear();
        Ok(())
    }

    /// Whether all that is to be printed was printed.
    fn has_enough(&self) -> bool {
        false
    }
}

/// Feeds all logs to a fold that `make` makes, in order of time, and its records to `sink`.
pub fn fold<F: Fold<Record: Send> + Send>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    make: impl Fn() -> F,
    sink: &mut (impl Sink<F::Record> + Send),
) -> Result<()> {
    if run.live {
        return live::live(run, look, rows, (make(), VecDeque::new()), sink);
    }
    let mut fold = make();
    let mut out = Vec::new();
    let mut again = false;
    let many = fold.takes_many();
    let (mut held, mut held_bytes) = (Vec::new(), 0);
    let mut latest = Latest::default();
    loop {
        let following = run.is_following();
        let take = |fed: &Fed| {
            if following {
                latest.push(fed.clone(), |fed| fold.feed(&fed.event(), &mut out));
            } else if many {
                held.push(fed.clone());
                held_bytes += fed.bytes();
                if held.len() == MANY || held_bytes >= MANY_BYTES {
                    feed_held(&mut fold, &mut held, &mut out);
                    held_bytes = 0;
                }
            } else {
                fold.feed(&fed.event(), &mut out);
            }
            // Few at a time: what is not wanted is dropped early.
            if out.len() >= 1024 { sink.take(&mut out) } else { Ok(()) }
        };
        let known = if !following && !many && apart::pays(run) {
            apart::feed(run, look, rows, take)?
        } else {
            run.feed(look, rows, take)?
        };
        feed_held(&mut fold, &mut held, &mut out);
        if known || again {
            break;
        }
        again = true;
        fold = make();
        latest = Latest::default();
        out.clear();
        sink.restart();
    }
    run.tell_doubled();
    if run.is_following() {
        sink.take(&mut out)?;
        sink.caught_up()?;
        return live::live(run, look, rows, (fold, latest.rows), sink);
    }
    while fold.finish_some(&mut out) {
        sink.take(&mut out)?;
    }
    sink.take(&mut out)
}

/// How many rows are fed at once to folds that take many.
const MANY: usize = 4096;

/// And how many bytes of them: until then their blocks stay.
const MANY_BYTES: u64 = 1 << 20;

fn feed_held<F: Fold>(fold: &mut F, held: &mut Vec<Fed>, out: &mut Vec<F::Record>) {
    let events: Vec<Event<'_>> = held.iter().map(Fed::event).collect();
    fold.feed_all(&events, out);
    drop(events);
    held.clear();
}

/// The rows of the last seconds of what is there. They are held back, since what comes when logs
/// are followed may belong before them.
#[derive(Default)]
struct Latest {
    rows: VecDeque<Fed>,
    newest: i64,
}

impl Latest {
    /// Takes the next row, and feeds those that have come too far back.
    fn push(&mut self, fed: Fed, mut give: impl FnMut(&Fed)) {
        self.newest = self.newest.max(fed.t().unwrap_or(i64::MIN));
        self.rows.push_back(fed);
        let oldest = self.newest.saturating_sub(WINDOW_MS);
        while let Some(first) = self.rows.front()
            && first.t().is_none_or(|t| t < oldest)
        {
            give(first);
            self.rows.pop_front();
        }
    }
}

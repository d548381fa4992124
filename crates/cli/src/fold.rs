//! From rows to records through a fold: one driver for all commands that print more than rows.

mod context;
mod on;
mod rows;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::event::Event;
use agentlog::fold::{Fold, SETTLE_MS};
use anyhow::Result;

use crate::feed::Fed;
use crate::inputs::Sessions;
use crate::live::{HOLD, Step};
use crate::look::Look;
use crate::order::Window;
use crate::run::{Row, Rows, Run};
pub(crate) use context::{Context, Copies};
pub use on::{Unfed, fold_on};
pub(crate) use rows::SharedHeads;
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
        return live(run, look, rows, make(), sink);
    }
    let mut fold = make();
    let mut out = Vec::new();
    let mut again = false;
    let many = fold.takes_many();
    let (mut held, mut held_bytes) = (Vec::new(), 0);
    loop {
        let known = run.feed(look, rows, |fed| {
            if many {
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
        })?;
        feed_held(&mut fold, &mut held, &mut out);
        if known || again {
            break;
        }
        again = true;
        fold = make();
        out.clear();
        sink.restart();
    }
    run.tell_doubled();
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

/// Hands on what is final as it comes.
fn live<F: Fold>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    mut fold: F,
    sink: &mut impl Sink<F::Record>,
) -> Result<()> {
    let mut window: Window<(Instant, Row<Kept>, Arc<Memory>)> = Window::default();
    let (mut next, mut out) = (VecDeque::new(), Vec::new());
    let mut context = Context::default();
    let (mut copies, source) = (Copies::default(), run.logs[0].source);
    let prepare = |rows: &mut Rows<Kept, Memory>| {
        // There is nothing to choose from: it is the only log.
        context.place(rows, &Sessions::default(), source);
        for row in &mut rows.rows {
            row.value.left_out = copies.left_out(row);
        }
    };
    run.read_live(look, rows, prepare, |step| {
        let mut come_to = None;
        match step {
            Step::Row(t, row, memory) => {
                window.push(t.unwrap_or(i64::MIN), (Instant::now(), row, memory), &mut next);
            }
            Step::Time(t) => {
                window.advance(t, &mut next);
                come_to = Some(t).filter(|_| window.is_empty());
            }
            Step::Pause(quiet) => {
                window.release_while(|(came, ..)| came.elapsed() >= HOLD, &mut next);
                let settled = quiet >= Duration::from_millis(SETTLE_MS as u64);
                come_to = Some(i64::MAX).filter(|_| settled && window.is_empty());
            }
        }
        feed_all(&mut fold, &mut next, &mut out);
        if let Some(t) = come_to {
            fold.advance(t, &mut out);
        }
        if !out.is_empty() {
            sink.take(&mut out)?;
            sink.flush()?;
        }
        Ok(!window.is_empty() || fold.waits())
    })?;
    window.release(&mut next);
    feed_all(&mut fold, &mut next, &mut out);
    run.report.counts.late_rows += window.late();
    fold.finish(&mut out);
    sink.take(&mut out)
}

type Came = (i64, (Instant, Row<Kept>, Arc<Memory>));

fn feed_all<F: Fold>(fold: &mut F, next: &mut VecDeque<Came>, out: &mut Vec<F::Record>) {
    for (t, (_, row, memory)) in next.drain(..) {
        let t = Some(t).filter(|t| *t != i64::MIN);
        fold.feed(&memory.event(t, &row, row.value.left_out), out);
    }
}

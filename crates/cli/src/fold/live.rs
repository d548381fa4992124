//! Folds over logs that are still being written: what is final is handed on as it comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::event::Event;
use agentlog::fold::{Fold, SETTLE_MS};
use anyhow::Result;

use super::{Kept, Memory, ReadRows, Sink};
use crate::feed::Fed;
use crate::live::{Step, Wish};
use crate::look::Look;
use crate::order::Window;
use crate::run::{Row, Rows, Run};

/// A fold, and the rows that wait for their turn in it.
struct Live<F: Fold> {
    fold: F,
    window: Window<(Instant, Waiting)>,
    /// Rows whose turn has come.
    next: VecDeque<(i64, (Instant, Waiting))>,
    out: Vec<F::Record>,
    /// How long a row waits for others on the clock of this machine.
    hold: Duration,
    /// The time that the logs have come to.
    log_time: i64,
    /// After which time records are given out that nothing comes for.
    give_up: Option<Duration>,
    /// Whether a row was fed since earlier states of records were handed on, and when that was.
    has_news: bool,
    told: Option<Instant>,
}

/// A row that waits.
#[allow(clippy::large_enum_variant)] // Nearly all are of the large kind.
enum Waiting {
    /// One that was there when the run began.
    Fed(Fed),
    /// One that came.
    Came(Row<Kept>, Arc<Memory>),
}

/// A little longer than a record waits for what may still change it.
const SETTLED_MS: i64 = SETTLE_MS + 1;

/// Reads on with a fold that was fed what there was but for the `latest` rows, and hands on what is
/// final as it comes.
pub(super) fn live<F: Fold>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    (fold, latest): (F, VecDeque<Fed>),
    sink: &mut impl Sink<F::Record>,
) -> Result<()> {
    let mut live = Live::new(fold, latest, run);
    let following = run.is_following();
    let (mut contexts, mut copies) = run.take_contexts();
    let prepare = |run: &Run, file: usize, rows: &mut Rows<Kept, Memory>| {
        let source = run.logs[file].source;
        contexts.entry(file).or_default().place(rows, &run.sessions, source);
        for row in &mut rows.rows {
            row.value.left_out = copies.left_out(row);
        }
    };
    run.read_live(look, rows, prepare, |step| {
        if let Step::Log(path) = step {
            sink.log_came(path);
            return Ok(Wish::More);
        }
        let pauses = matches!(step, Step::Pause(_));
        let mut soon = live.step(step);
        if !live.out.is_empty() {
            sink.take(&mut live.out)?;
            sink.flush()?;
        }
        soon |= pauses && live.tell_open(sink)?;
        Ok(match (following && sink.has_enough(), soon || live.waits()) {
            (true, _) => Wish::Enough,
            (_, true) => Wish::Soon,
            _ => Wish::More,
        })
    })?;
    run.report.counts.late_rows += live.window.late();
    live.finish();
    sink.take(&mut live.out)
}

impl<F: Fold> Live<F> {
    fn new(fold: F, latest: VecDeque<Fed>, run: &Run) -> Self {
        let (mut window, mut next) = (Window::default(), VecDeque::new());
        let now = Instant::now();
        for fed in latest {
            window.push(fed.t().unwrap_or(i64::MIN), (now, Waiting::Fed(fed)), &mut next);
        }
        Self {
            fold,
            window,
            next,
            out: Vec::new(),
            hold: run.window,
            log_time: i64::MIN,
            give_up: run.give_up,
            has_news: true,
            told: None,
        }
    }

    /// Takes a step; says whether something is to be given out if nothing comes for longer.
    fn step(&mut self, step: Step<'_, Kept, Memory>) -> bool {
        let quiet = if let Step::Pause(quiet) = step { Some(quiet) } else { None };
        let settled_time = self.settled_time();
        let (window, next) = (&mut self.window, &mut self.next);
        let mut come_to = None;
        match step {
            Step::Log(_) => {}
            Step::Row(t, row, memory) => {
                let t = t.unwrap_or(i64::MIN);
                self.log_time = self.log_time.max(t);
                window.push(t, (Instant::now(), Waiting::Came(row, memory)), next);
            }
            Step::Time(t) => {
                self.log_time = self.log_time.max(t);
                window.advance(t, next);
                come_to = Some(t).filter(|_| window.is_empty());
            }
            Step::Pause(quiet) => {
                window.release_while(|(came, _)| came.elapsed() >= self.hold, next);
                let settled = quiet.as_millis() as i64 >= SETTLED_MS;
                // What was let go just now may have been held by nothing but the window.
                let known = Some(self.log_time).filter(|t| *t > i64::MIN);
                let t = if settled { Some(settled_time) } else { known };
                come_to = t.filter(|_| window.is_empty());
            }
        }
        self.feed();
        if let Some(t) = come_to {
            self.fold.advance(t, &mut self.out);
        }
        let (Some(give_up), Some(quiet)) = (self.give_up, quiet) else { return false };
        // Log time goes on while nothing comes, as far as is known.
        let now = self.log_time.saturating_add(quiet.as_millis() as i64);
        self.fold.give_idle(now.saturating_sub(give_up.as_millis() as i64), &mut self.out)
    }

    /// Hands on what is not final, if that is wanted and there is news; says whether to come again.
    fn tell_open(&mut self, sink: &mut impl Sink<F::Record>) -> Result<bool> {
        let Some(every) = sink.wants_open().filter(|_| self.has_news) else { return Ok(false) };
        if self.told.is_some_and(|told| told.elapsed() < every) {
            return Ok(true);
        }
        (self.has_news, self.told) = (false, Some(Instant::now()));
        let mut open = Vec::new();
        self.fold.open_records(&mut open);
        sink.take_open(&mut open)?;
        sink.flush()?;
        Ok(false)
    }

    /// The log time by which all that came has settled. Not later: what comes next has its own.
    fn settled_time(&self) -> i64 {
        match self.log_time {
            i64::MIN => i64::MAX,
            t => t.saturating_add(SETTLED_MS),
        }
    }

    /// Whether something is held back.
    fn waits(&self) -> bool {
        !self.window.is_empty() || self.fold.waits()
    }

    fn feed(&mut self) {
        for (t, (_, row)) in self.next.drain(..) {
            (self.log_time, self.has_news) = (self.log_time.max(t), true);
            self.fold.feed(&row.event(t), &mut self.out);
        }
    }

    /// The input is over.
    fn finish(&mut self) {
        self.window.release(&mut self.next);
        self.feed();
        self.fold.finish(&mut self.out);
    }
}

impl Waiting {
    fn event(&self, t: i64) -> Event<'_> {
        match self {
            Self::Fed(fed) => fed.event(),
            Self::Came(row, memory) => {
                let t = Some(t).filter(|t| *t != i64::MIN);
                memory.event(t, row, row.value.left_out)
            }
        }
    }
}

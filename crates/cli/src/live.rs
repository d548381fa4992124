//! Logs that are still being written: rows are passed on as they come. A row waits only for the
//! offset of its session, and not for long, and until what may come before it was read.

mod order;
mod pipe;

use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::record::SrcPath;
use anyhow::Result;
use jsonl::Placed;

use crate::follow::Followed;
use crate::look::Look;
use crate::run::{Placer, Row, Rows, Run};
use crate::scan::{Decode, Scanned};
use order::Waiting;
use pipe::Pipe;

/// How often held rows are looked at while nothing comes.
const TICK: Duration = Duration::from_millis(50);

/// What happens while logs are read as they are written.
pub enum Step<'a, T, M> {
    /// A log came that was not there before. Rows name logs by their place among all.
    Log(&'a SrcPath),
    /// A row came; its time in UTC is settled. With it comes the memory of its block.
    Row(Option<i64>, Row<T>, Arc<M>),
    /// The logs have come to this time.
    Time(i64),
    /// All that came was passed on; nothing has come for that long.
    Pause(Duration),
}

/// What a source gives.
pub(crate) enum Came<T, M> {
    /// Rows of that log, in its order.
    Blocks(usize, Vec<Placed<Scanned<T, M>>>),
    /// All that was there was read once more.
    Round,
    /// Nothing came up to the time given.
    Quiet,
    /// There is no more, and never will be.
    End,
    /// The run is to end: a signal.
    Signal(i32),
    /// The reader of the output has gone.
    Closed,
}

/// What goes on to be read.
enum Source {
    Pipe(Box<Pipe>),
    Files(Box<Followed>),
}

/// When a run that goes on ends by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ending {
    /// At this time.
    pub at: Option<Instant>,
    /// When nothing came for so long.
    pub idle: Option<Duration>,
}

impl Ending {
    /// The time at which it ends if nothing comes.
    fn next(self, last_came: Instant) -> Option<Instant> {
        let idle = self.idle.map(|idle| last_came + idle);
        self.at.into_iter().chain(idle).min()
    }
}

impl Run {
    /// Reads logs as they are written: the one that is a pipe, to its end, or those that are
    /// followed, from where they were read up to. `prepare` gets the rows of each block as they
    /// stand in it, with the place of their log; `step` says whether it holds anything back and so
    /// wants to be called again soon. None of its answers ends the run.
    pub fn read_live<D: Decode>(
        &mut self,
        look: Look<'_>,
        decode: &D,
        mut prepare: impl FnMut(&Run, usize, &mut Rows<D::Value, D::Memory>),
        mut step: impl FnMut(Step<'_, D::Value, D::Memory>) -> Result<Wish>,
    ) -> Result<()> {
        let mut told = self.logs.len();
        let Some(mut source) = Source::open(self)? else { return Ok(()) };
        let mut waiting = Waiting::new(self.window, source.is_many());
        let (mut last_came, mut log_time) = (Instant::now(), i64::MIN);
        let mut tick = None;
        loop {
            let end = self.ending.next(last_came);
            let until = end.into_iter().chain(tick).min();
            let came = source.next(self, look, decode, until);
            for log in &self.logs[told..] {
                step(Step::Log(&log.src))?;
            }
            told = self.logs.len();
            let mut row = |(t, row, memory)| step(Step::Row(t, row, memory)).map(drop);
            match came {
                Came::Blocks(file, blocks) => {
                    last_came = Instant::now();
                    for block in blocks {
                        self.tell(file, &block);
                        let Some(placer) = source.placer(file) else { continue };
                        let mut came = placer.place(block);
                        prepare(self, file, &mut came);
                        self.zones.learn_first(came.evidence.into_iter().map(|(_, told)| told));
                        log_time = log_time.max(self.zones.utc(came.last).unwrap_or(i64::MIN));
                        let memory = Arc::new(came.arena);
                        came.rows.into_iter().for_each(|row| waiting.push(row, &memory));
                        waiting.pass(&self.zones, false, &mut row)?;
                    }
                }
                Came::Round => {
                    waiting.round_is_over();
                    waiting.pass(&self.zones, false, &mut row)?;
                }
                Came::Quiet => waiting.pass(&self.zones, false, &mut row)?,
                Came::End => break,
                Came::Signal(signal) => {
                    self.report.ended_by(signal);
                    source.end();
                }
                Came::Closed => return Err(closed().into()),
            }
            if waiting.is_empty() && log_time > i64::MIN {
                step(Step::Time(log_time))?;
            }
            self.report.flush();
            let wish = step(Step::Pause(last_came.elapsed()))?;
            let held = wish == Wish::Soon || !waiting.is_empty();
            tick = held.then(|| Instant::now() + TICK);
            if wish == Wish::Enough || end.is_some_and(|end| end <= Instant::now()) {
                source.end();
            }
        }
        waiting.pass(&self.zones, true, |(t, row, memory)| {
            step(Step::Row(t, row, memory)).map(drop)
        })?;
        source.close(self);
        Ok(())
    }

    /// A pipe's kind cannot be told beforehand: without one row of ours it was no log of ours.
    pub(crate) fn remark_unknown(&mut self, file: usize, kind: &Kind) {
        if kind.something && !kind.known && !self.was_read() {
            self.report.counts.unknown_files += 1;
            let path = self.logs[file].path.display();
            self.report.trouble(&format!("{path}: not a log of a known format"));
        }
    }
}

/// What whoever takes rows wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What comes, whenever that is.
    More,
    /// To be called again soon: something is held back.
    Soon,
    /// Nothing: all that was asked for was printed.
    Enough,
}

/// The reader of the output has gone.
fn closed() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::BrokenPipe, jsonl::Closed)
}

impl Source {
    fn open(run: &mut Run) -> Result<Option<Self>> {
        if run.live {
            let pipe = Pipe::open(run)?;
            return Ok(pipe.map(|pipe| Self::Pipe(Box::new(pipe))));
        }
        let files = Followed::start(run)?;
        Ok(files.map(|files| Self::Files(Box::new(files))))
    }

    /// Whether there may be several.
    fn is_many(&self) -> bool {
        matches!(self, Self::Files(_))
    }

    fn next<D: Decode>(
        &mut self,
        run: &mut Run,
        look: Look<'_>,
        decode: &D,
        until: Option<Instant>,
    ) -> Came<D::Value, D::Memory> {
        match self {
            Self::Pipe(pipe) => pipe.next(run, look, decode, until),
            Self::Files(files) => files.next(run, look, decode, until),
        }
    }

    /// What gives the rows of a log their places.
    fn placer(&mut self, file: usize) -> Option<&mut Placer> {
        match self {
            Self::Pipe(pipe) => Some(&mut pipe.placer),
            Self::Files(files) => files.placer(file),
        }
    }

    /// What is there is still given, but nothing more is waited for.
    fn end(&mut self) {
        match self {
            Self::Pipe(pipe) => pipe.end(),
            Self::Files(files) => files.end(),
        }
    }

    fn close(self, run: &mut Run) {
        match self {
            Self::Pipe(pipe) => pipe.close(run),
            Self::Files(_) => {}
        }
    }
}

/// What is known of the kind of log that comes.
#[derive(Default)]
pub(crate) struct Kind {
    something: bool,
    known: bool,
}

impl Kind {
    pub(crate) fn see<T, M>(&mut self, found: &Scanned<T, M>) {
        self.something |= !found.blank;
        self.known |= found.known;
    }
}

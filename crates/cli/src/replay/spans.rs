//! The first reading: where rows are in order, and what the log tells of offsets.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use agentlog::event::Src;
use agentlog::zone::{Clock, ZoneKey};
use anyhow::Result;

use crate::look::Look;
use crate::order::Lateness;
use crate::run::Run;
use crate::scan::Decode;
use crate::select::Limit;
use crate::zones::Zones;

/// The place of a row in the output: by time, then by place in the input.
pub(super) type Key = (i64, u32, u64);

/// A part of a file whose rows are in order of time.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Where its first row stands, with its time.
    pub first: Key,
    pub last_t: i64,
    /// Number of the first row's line.
    pub line: u64,
    /// Where its last row ends.
    pub end: u64,
}

/// Finds the spans of all files.
#[derive(Default)]
pub(super) struct Spans {
    pub done: Vec<Span>,
    pub open: Option<Span>,
    pub late: Lateness,
    /// The latest rows, if only so many are wanted.
    pub latest: Option<(u64, BinaryHeap<Reverse<Key>>)>,
}

impl Spans {
    fn new(limit: Limit) -> Self {
        let latest = match limit {
            Limit::Last(n) => Some((n, BinaryHeap::new())),
            _ => None,
        };
        Self { latest, ..Self::default() }
    }

    /// The same with all times `ms` earlier.
    fn shifted(mut self, ms: i64) -> Self {
        for span in self.done.iter_mut().chain(&mut self.open) {
            span.first.0 -= ms;
            span.last_t -= ms;
        }
        if let Some((_, latest)) = &mut self.latest {
            let earlier = |Reverse((t, file, offset))| Reverse((t - ms, file, offset));
            *latest = latest.drain().map(earlier).collect();
        }
        self
    }

    fn row(&mut self, t: i64, src: &Src) {
        let key = (t, src.file, src.offset);
        let end = src.offset + src.len;
        if let Some((n, latest)) = &mut self.latest {
            latest.push(Reverse(key));
            if latest.len() as u64 > *n {
                latest.pop();
            }
        }
        self.late.row(src.file, t);
        if let Some(span) = &mut self.open
            && span.first.1 == src.file
            && t >= span.last_t
        {
            span.last_t = t;
            span.end = end;
            return;
        }
        let next = Span { first: key, last_t: t, line: src.line, end };
        self.done.extend(self.open.replace(next));
    }
}

/// Reads the logs for the order of their wanted rows.
pub(super) fn find_spans<T: Decode>(run: &mut Run, look: Look<'_>, times: &T) -> Result<Spans> {
    run.hold_all()?;
    if !run.zones.are_known() {
        if run.selection.has_times() {
            run.learn_zones()?;
        } else if let Some(spans) = spans_by_wall_clock(run, look, times)? {
            return Ok(spans);
        }
    }
    let mut spans = Spans::new(run.selection.limit);
    let (zones, selection) = (run.zones.clone(), run.selection.clone());
    run.read_all(look, times, |block| {
        for row in block.rows {
            let t = zones.utc(row.clock);
            if selection.time(t) {
                spans.row(t.unwrap_or(i64::MIN), &row.src);
            }
        }
        Ok(())
    })?;
    run.mark_read();
    Ok(spans)
}

/// Finds the spans while the offsets are still being learnt. That is possible if all rows turn out
/// to have the same, as nearly always: then the order of wall clocks is the order of time.
fn spans_by_wall_clock<T: Decode>(
    run: &mut Run,
    look: Look<'_>,
    times: &T,
) -> Result<Option<Spans>> {
    let mut spans = Spans::new(run.selection.limit);
    let (mut walls, mut evidence) = (Walls::default(), Vec::new());
    run.read_all(look, times, |block| {
        evidence.extend(block.evidence.into_iter().map(|(_, told)| told));
        for row in block.rows {
            spans.row(walls.ms(row.clock), &row.src);
        }
        Ok(())
    })?;
    run.mark_read();
    run.zones.learn(evidence);
    Ok(walls.common_offset(&run.zones).map(|offset| spans.shifted(offset)))
}

/// The wall clocks that were met.
#[derive(Default)]
struct Walls {
    keys: HashSet<ZoneKey>,
    last: Option<ZoneKey>,
    /// The offset that rows with a UTC stamp have.
    stamped: Option<i64>,
    /// Whether there is a row whose wall clock is not known, or two that differ.
    mixed: bool,
}

impl Walls {
    fn ms(&mut self, clock: Clock) -> i64 {
        match clock {
            Clock::Local(ms, key) => {
                if self.last.replace(key) != Some(key) {
                    self.keys.insert(key);
                }
                ms
            }
            Clock::Stamped { local, utc } => {
                let offset = local - utc;
                self.mixed |= self.stamped.replace(offset).is_some_and(|other| other != offset);
                local
            }
            Clock::Utc(_) | Clock::Missing => {
                self.mixed = true;
                0
            }
        }
    }

    /// The offset of all rows, if it is one.
    fn common_offset(&self, zones: &Zones) -> Option<i64> {
        let mut offsets = self.keys.iter().map(|key| zones.offset(*key));
        let first = self.stamped.or_else(|| zones.offset(*self.keys.iter().next()?))?;
        (!self.mixed && offsets.all(|offset| offset == Some(first))).then_some(first)
    }
}

//! What a run keeps in view so that a later one can go on from it: where each log stands, how far rows
//! are fed, and when to hand out a resume point on the way.
//!
//! A row is fed when the logs have come more than the window past it: one of them, whichever. So a log
//! that stands still holds no other back, and a later run finds nothing that belongs before what was
//! fed, as long as each log has its rows within the window.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::behind::{Earlier, Unfed};
use super::cursor::Cursor;
use super::{Fed, Key, Merge, NEVER, TakeRows};
use crate::fold::{Copies, Kept, Memory, ReadRows};
use crate::order::WINDOW_MS;
use crate::resume::{LogPoint, ResumePoint};
use crate::run::{Rows, Run};

/// How a run goes on from another.
pub(super) struct Track {
    /// Where each log stands that is not open.
    points: Vec<LogPoint>,
    /// The place of each among all by when they begin.
    ranks: Vec<usize>,
    /// Rows before this time may be fed.
    horizon: i64,
    /// The time of the last row that runs before have fed.
    fed_before: i64,
    /// The time of the last row that was fed.
    fed: i64,
    copies: Copies,
    /// Open logs that have nothing but rows whose time is not known.
    parked: Vec<usize>,
    /// When the next point is handed out.
    next_pause: Instant,
}

/// How long to go on at least before a point is handed out.
const PAUSE: Duration = Duration::from_millis(500);

/// A pause may take a twentieth of the time: what is kept may be large.
const LEAST_SHARE: u32 = 20;

impl Track {
    /// Goes on from the run's resume point. Returns the logs to open, with the times to do so, latest
    /// first.
    pub fn new(run: &mut Run) -> (Self, Vec<(i64, usize)>) {
        let ResumePoint { logs: mut points, horizon, fed, copies, .. } =
            std::mem::take(&mut run.resume);
        let known = points.len();
        points.extend(run.logs[known..].iter().map(LogPoint::start));
        let new: Vec<usize> = (0..points.len()).filter(|file| points[*file].is_start()).collect();
        let mut waiting = run.opening_times_of(&new);
        for (at, (from, file)) in waiting.iter().rev().enumerate() {
            if *file >= known {
                points[*file].begin = (*from, known + at);
            }
        }
        let grown = (0..known).filter(|file| !points[*file].is_start());
        let grown = grown.filter(|file| run.logs[*file].has_more(&points[*file]));
        waiting.extend(grown.map(|file| {
            let point = &points[file];
            let next = point.newest.saturating_sub(WINDOW_MS);
            (if point.waiting.is_empty() { next } else { i64::MIN }, file)
        }));
        waiting.sort_by_key(|(from, file)| Reverse((*from, points[*file].begin)));
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by_key(|file| points[*file].begin);
        let mut ranks = vec![0; points.len()];
        order.into_iter().enumerate().for_each(|(rank, file)| ranks[file] = rank);
        let (parked, next_pause) = (Vec::new(), Instant::now() + PAUSE);
        let fed_before = fed;
        let track = Self { points, ranks, horizon, fed_before, fed, copies, parked, next_pause };
        (track, waiting)
    }

    /// Takes the next rows of a log.
    pub fn take(&mut self, cursor: &mut Cursor, block: Rows<Kept, Memory>, run: &mut Run) {
        let last = block.last;
        cursor.take_behind(block, &mut run.zones, self.fed_before);
        // What no row of ours stands in tells the time, too.
        let come_to = run.zones.utc(last).filter(|_| run.zones.knows(last)).unwrap_or(i64::MIN);
        self.horizon = self.horizon.max(come_to.max(cursor.newest).saturating_sub(WINDOW_MS));
    }
}

impl<D: ReadRows, T: TakeRows> Merge<'_, '_, D, T> {
    /// Takes up what earlier runs knew.
    pub fn begin(&mut self, _: &Run) {
        if let Some(track) = &mut self.track {
            self.copies = std::mem::take(&mut track.copies);
        }
    }

    /// Rows from here on are not fed in this run, as far as is known by now.
    pub fn horizon(&self) -> Key {
        self.track.as_ref().map_or(NEVER, |track| (track.horizon, 0))
    }

    /// The place of a log that is opened now among all.
    pub fn rank(&self, file: usize) -> usize {
        match &self.track {
            Some(track) => track.ranks[file],
            None => self.files - self.waiting.len() - 1,
        }
    }

    /// Goes on with a log where an earlier run stopped.
    pub fn take_up(&mut self, run: &Run, cursor: &mut Cursor) -> std::io::Result<()> {
        let Some(track) = &self.track else { return Ok(()) };
        let (log, point) = (&run.logs[cursor.file], &track.points[cursor.file]);
        let earlier =
            Earlier { log, point, options: &run.options, look: self.look, rows: self.rows };
        cursor.take_up(&earlier, &mut self.heads)
    }

    /// Ends the work on a log of which nothing is left to be fed by now; false if its place is free.
    pub fn close(&mut self, run: &mut Run, slot: usize) -> bool {
        let cursor = &mut self.open[slot];
        let Some(track) = &mut self.track else {
            cursor.close(run);
            return false;
        };
        if cursor.holds_rows() {
            track.parked.push(slot);
            return true;
        }
        self.put_down(run, slot);
        false
    }

    /// Keeps where a log stands that is not read any more.
    fn put_down(&mut self, run: &mut Run, slot: usize) {
        let cursor = &mut self.open[slot];
        cursor.close(run);
        run.tell_unended(cursor.file, cursor.reached);
        if let Some(track) = &mut self.track {
            track.fed = track.fed.max(cursor.fed);
            let mut point = cursor.point(&track.points[cursor.file]);
            point.on_disk = Some(run.logs[cursor.file].on_disk).filter(|_| !cursor.broken);
            track.points[cursor.file] = point;
        }
    }

    /// Takes rows whose time is not known by the best guess, where nothing can tell better in time.
    /// False if there are none.
    pub fn release_parked(&mut self, run: &Run) -> bool {
        let Some(track) = &mut self.track else { return false };
        let mut some = false;
        track.parked.retain(|slot| {
            let cursor = &mut self.open[*slot];
            cursor.release_before(track.horizon, &run.zones, track.fed_before);
            let Some(first) = cursor.window.front() else { return true };
            let key = (first.key, cursor.rank);
            self.next.push(Reverse((key, *slot)));
            some |= key < (track.horizon, 0);
            false
        });
        some
    }

    /// Hands out a resume point, if it is time. `slot` is the log that is being read.
    pub fn pause(&mut self, run: &Run, slot: usize) -> Result<()> {
        let now = Instant::now();
        if self.track.as_ref().is_none_or(|track| now < track.next_pause) {
            return Ok(());
        }
        let slots: Vec<usize> = self.slots().chain([slot]).collect();
        let Some(point) = self.point(run, &slots) else { return Ok(()) };
        self.to.pause(&point)?;
        if let Some(track) = &mut self.track {
            track.next_pause = Instant::now() + PAUSE.max(now.elapsed() * LEAST_SHARE);
        }
        Ok(())
    }

    /// The logs that are open.
    fn slots(&self) -> impl Iterator<Item = usize> {
        let parked = self.track.iter().flat_map(|track| track.parked.iter().copied());
        self.next.iter().map(|Reverse((_, slot))| *slot).chain(parked)
    }

    fn point(&self, run: &Run, slots: &[usize]) -> Option<ResumePoint> {
        let track = self.track.as_ref()?;
        let mut logs = track.points.clone();
        let mut fed = track.fed;
        for cursor in slots.iter().map(|slot| &self.open[*slot]) {
            logs[cursor.file] = cursor.point(&logs[cursor.file]);
            fed = fed.max(cursor.fed);
        }
        Some(ResumePoint {
            logs,
            horizon: track.horizon,
            fed,
            offsets: run.zones.offsets().clone(),
            copies: self.copies.clone(),
            sessions: run.sessions.clone(),
        })
    }

    /// Where reading stopped, and the rows that wait for a later run.
    pub fn stop(mut self, run: &mut Run) -> (ResumePoint, Vec<Fed>) {
        let slots: Vec<usize> = self.slots().collect();
        for slot in &slots {
            self.put_down(run, *slot);
        }
        let point = self.point(run, &[]).unwrap_or_default();
        let mut unfed: Vec<(Key, Unfed)> = Vec::new();
        for slot in slots {
            unfed.extend(self.open[slot].unfed(&run.zones));
        }
        unfed.sort_by_key(|(key, _)| *key);
        let unfed = unfed.into_iter().map(|(_, row)| row.fed(&mut self.copies)).collect();
        (point, unfed)
    }
}

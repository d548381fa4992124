//! When logs begin, which is the order in which they are opened.

use std::collections::HashMap;

use agentlog::zone::{Clock, Evidence};
use foldhash::fast::FixedState;
use jsonl::{Batch, Opened, Reader, ReaderOptions};
use rayon::prelude::*;

use crate::format::Format;
use crate::inputs::Log;
use crate::look::Look;
use crate::order::WINDOW_MS;
use crate::run::{Nothing, Run};
use crate::scan;
use crate::zones::{Guesses, Zones};

impl Run {
    /// When each log is to be opened, latest first: a little before its first row's time. Logs that
    /// begin at the same time stand in the order in which they were named.
    pub(super) fn opening_times(&mut self) -> Vec<(i64, usize)> {
        let files: Vec<usize> = (0..self.logs.len()).collect();
        let mut zones = self.zones.clone();
        let times = self.times_of(&files, &mut zones);
        self.zones = zones;
        times
    }

    /// The same of some logs. Nothing is learnt: what is true of a log must not depend on which others
    /// are there by now.
    pub(super) fn opening_times_of(&self, files: &[usize]) -> Vec<(i64, usize)> {
        self.times_of(files, &mut self.zones.clone())
    }

    fn times_of(&self, files: &[usize], zones: &mut Zones) -> Vec<(i64, usize)> {
        let first = |at: usize| self.logs[files[at]].first;
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            (0..files.len()).partition(|at| first(*at) != Clock::Missing);
        let mut clocks: Vec<_> = known.into_iter().map(|at| (at, first(at))).collect();
        if self.logs.len() > 1 {
            let options = ReaderOptions { chunk: 64 << 10, ..self.options.clone() };
            let begin = |at: &usize| (*at, begin_of(&self.logs[files[*at]], &options));
            let begins: Vec<(usize, Begin)> = unknown.par_iter().map(begin).collect();
            for (at, blocks) in begins {
                for (clock, evidence) in blocks {
                    zones.learn_some(evidence);
                    clocks.push((at, clock));
                }
            }
        }
        let mut times = vec![i64::MIN; files.len()];
        let mut guesses = Guesses::default();
        for (at, clock) in clocks.into_iter().rev() {
            let t = zones.utc_by_now(clock, &mut guesses);
            // A request is one row: none of it stands before its first.
            let early = if self.logs[files[at]].format == Format::Request { 0 } else { WINDOW_MS };
            times[at] = t.map_or(times[at], |t| t - early);
        }
        let mut order: Vec<(i64, usize)> =
            times.into_iter().zip(files).map(|(t, file)| (t, *file)).collect();
        order.sort_unstable();
        for tied in order.chunk_by_mut(|(a, _), (b, _)| a == b).filter(|tied| tied.len() > 1) {
            originals_first(&self.logs, tied);
        }
        order.reverse();
        order
    }
}

/// The first times in a log, and what its first rows tell of offsets.
type Begin = Vec<(Clock, Vec<Evidence>)>;

fn begin_of(log: &Log, options: &ReaderOptions) -> Begin {
    let Ok(source) = log.open() else { return Vec::new() };
    let first = |block: &jsonl::Block<'_>| {
        let found = scan::block(block, log.about(), Look::All, &Nothing);
        let evidence = found.evidence.into_iter().map(|(_, told)| told).collect();
        (scan::first_clock(block, log.about()), evidence)
    };
    match log.reader(source, options).next(&first) {
        Ok(Batch::Blocks(blocks)) => blocks.into_iter().map(|block| block.value).collect(),
        _ => Vec::new(),
    }
}

/// A session that goes on from another may start with a copy of it, with the same first row at the
/// same time. The one that ends first is the original, as far as anything tells. Transcripts whose
/// first row no other has stand before these.
fn originals_first(logs: &[Log], tied: &mut [(i64, usize)]) {
    let mut rows: HashMap<u64, usize, FixedState> = HashMap::default();
    for row in tied.iter().filter_map(|(_, file)| logs[*file].begins_with) {
        *rows.entry(row).or_default() += 1;
    }
    if rows.values().all(|logs| *logs == 1) {
        return;
    }
    let is_copied = |file: usize| logs[file].begins_with.is_some_and(|row| rows[&row] > 1);
    let end = |file: usize| if is_copied(file) { last_time(&logs[file]) } else { i64::MIN };
    let mut ends: Vec<(i64, usize)> =
        tied.par_iter().with_min_len(8).map(|(_, file)| (end(*file), *file)).collect();
    ends.sort_unstable();
    for (place, (_, file)) in tied.iter_mut().zip(ends) {
        place.1 = file;
    }
}

/// The last time at the end of a plain file; later than all if it tells none.
fn last_time(log: &Log) -> i64 {
    const TAIL: u64 = 32 << 10;
    let Ok(Opened::File { file, start, end }) = log.open() else { return i64::MAX };
    let options = ReaderOptions::default();
    let mut reader = Reader::of_range(&file, end.saturating_sub(TAIL).max(start)..end, &options);
    let times = |block: &jsonl::Block<'_>| scan::last_time(block);
    match reader.next(&times) {
        Ok(Batch::Blocks(blocks)) => blocks.into_iter().filter_map(|block| block.value).next_back(),
        _ => None,
    }
    .unwrap_or(i64::MAX)
}

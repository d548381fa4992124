//! The loop from input to rows: opens each log, has its blocks decoded, counts and reports what
//! is bad, and gives rows their place.

mod choice;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agentlog::event::Src;
use agentlog::zone::{Clock, Evidence};
use anyhow::{Context, Result};
use jsonl::{Batch, Needles, Placed, ReaderOptions};

use crate::flags::{CommonFlags, FollowFlags, Source, StateFlags};
use crate::follow::Follow;
use crate::format::Format;
use crate::inputs::{self, How, Log, Place, Sessions};
use crate::live::{Ending, Kind};
use crate::look::Look;
use crate::progress::Progress;
use crate::report::{Report, Verdict};
use crate::resume::ResumePoint;
use crate::scan::{self, Decode, Item, Scanned};
use crate::select::Selection;
use crate::zones::Zones;
use choice::LeftOut;

/// A run of a command.
pub struct Run {
    /// The logs, in the order of the input.
    pub logs: Arc<Vec<Log>>,
    /// Whether the one log is a pipe.
    pub live: bool,
    /// What clocks mean.
    pub zones: Zones,
    /// Which records are wanted.
    pub selection: Selection,
    /// What is told at the end.
    pub report: Report,
    /// Which sessions have logs of their own, if that matters.
    pub(crate) sessions: Sessions,
    /// How to read.
    pub options: ReaderOptions,
    /// Whether every line has to be read.
    pub strict: bool,
    /// Sessions of which rows were left out, since they have a better source.
    pub(crate) doubled: BTreeSet<String>,
    /// Whether the logs were read before, and counted and reported.
    read_before: bool,
    /// The logs that could not be read, or not to their end.
    unreadable: BTreeSet<PathBuf>,
    quiet: bool,
    /// Where the run goes on from, and then where it stopped.
    pub(crate) resume: ResumePoint,
    /// What is followed once all that is there was read.
    pub(crate) follow: Option<Follow>,
    /// When a run that goes on ends by itself.
    pub(crate) ending: Ending,
    /// How long a row may be held back on the clock of this machine.
    pub(crate) window: Duration,
    /// After which time what is open is printed as it is, if nothing comes for it.
    pub give_up: Option<Duration>,
    /// Which logs nobody wants, if they come.
    left_out: LeftOut,
}

/// How long a row of a pipe may be held back.
const HOLD: Duration = Duration::from_millis(500);

/// Bare words that every row with evidence of its writer's zone has in it.
pub const ZONE_NEEDLES: [&str; 3] = ["user_message", "user_prompt", "session_configured"];

/// Keeps no row: for what every reading gathers anyway.
pub(crate) struct Nothing;

impl Decode for Nothing {
    type Value = ();
    type Memory = ();

    fn wants(&self, _: &str) -> bool {
        false
    }

    fn value(&self, _: &agentlog::sse::Row<'_>, _: &[u8], (): &mut ()) -> Option<()> {
        None
    }
}

/// A row in its place.
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// When it was written. Never missing, unless nothing before it in its file has a time and
    /// the file's name has none.
    pub clock: Clock,
    /// Where it stands.
    pub src: Src,
    /// What was kept of it.
    pub value: T,
}

/// The rows of one block, in physical order.
pub struct Rows<T, M> {
    /// The rows.
    pub rows: Vec<Row<T>>,
    /// Memory that they refer to.
    pub arena: M,
    /// What all rows read tell of offsets, each with where its row starts.
    pub evidence: Vec<(u64, Evidence)>,
    /// The time that the log has come to.
    pub last: Clock,
}

impl Run {
    /// Understands the flags and finds the logs.
    pub fn new(flags: &CommonFlags) -> Result<Self> {
        Self::finding(flags, None, How::default())
    }

    /// The same for who wants no records before `since`, in milliseconds since the epoch, whatever
    /// the flags say: files that ended long before are not opened.
    pub fn sparing(flags: &CommonFlags, since: Option<i64>) -> Result<Self> {
        Self::finding(flags, None, How { since, ..How::default() })
    }

    /// The same for a run that may follow the logs, or go on from another.
    pub fn of(flags: &CommonFlags, follow: &FollowFlags, state: &StateFlags) -> Result<Self> {
        if state.file.is_some() {
            return Self::finding(flags, None, How { runs_follow: true, ..How::default() });
        }
        Self::following(flags, follow)
    }

    /// The same for a run that goes on from another, wherever that left its state, and tells in this
    /// report, in which others may have told before. [`Run::use_threads`] comes first.
    pub fn to_go_on(flags: &CommonFlags, report: Report) -> Result<Self> {
        let how = How { runs_follow: true, ..How::default() };
        Self::telling(flags, None, how, report)
    }

    /// Sets how many threads there are, once in a process.
    pub fn use_threads(flags: &CommonFlags) -> Result<()> {
        if let Some(jobs) = flags.input.jobs {
            rayon::ThreadPoolBuilder::new().num_threads(jobs.into()).build_global()?;
        }
        Ok(())
    }

    /// The same; logs that are to be followed need not be there yet.
    pub(crate) fn finding(
        flags: &CommonFlags,
        follow: Option<&FollowFlags>,
        how: How<'_>,
    ) -> Result<Self> {
        Self::use_threads(flags)?;
        Self::telling(flags, follow, how, Report::new(&flags.checks, &flags.output)?)
    }

    fn telling(
        flags: &CommonFlags,
        follow: Option<&FollowFlags>,
        how: How,
        mut report: Report,
    ) -> Result<Self> {
        let selection = Selection::new(&flags.selection)?;
        let zones = Zones::new(&flags.selection.tz)?;
        let named = inputs::paths(&flags.input)?;
        let how = How { since: selection.since.max(how.since), waits: follow.is_some(), ..how };
        let found = inputs::find(&flags.input, &named, how, &mut report)?;
        let follow = follow.filter(|_| !found.live);
        let follow = follow.map(|how| Follow::new(how, named.paths, found.walked));
        let all = flags.input.source == Some(Source::All);
        let sessions = if all { Sessions::default() } else { found.sessions };
        let options = ReaderOptions { max_line: flags.input.max_line, ..ReaderOptions::default() };
        let quiet = flags.output.quiet;
        let strict = flags.checks.strict;
        Ok(Self {
            logs: Arc::new(found.logs),
            live: found.live,
            zones,
            selection,
            report,
            sessions,
            options,
            strict,
            doubled: BTreeSet::new(),
            read_before: false,
            unreadable: BTreeSet::new(),
            quiet,
            resume: ResumePoint::start(),
            follow,
            ending: Ending::default(),
            window: HOLD,
            give_up: None,
            left_out: LeftOut { no_choice: all, ..LeftOut::default() },
        })
    }

    /// Says what has to be said, and what the status is. The process ends then: what is known of the
    /// logs, which may be many, goes with it, and is not let go bit by bit.
    pub fn finish(self) -> Verdict {
        let Self { report, logs, sessions, .. } = self;
        std::mem::forget((logs, sessions));
        report.finish()
    }

    /// Counts what each source of a session tells, and not only the best.
    pub fn take_all_sources(&mut self) {
        self.left_out.no_choice = true;
        self.sessions = Sessions::default();
    }

    /// Says how many sessions were taken from one source of several.
    pub(crate) fn tell_doubled(&mut self) {
        let doubled = std::mem::take(&mut self.doubled);
        if let Some(first) = doubled.first() {
            let n = doubled.len();
            let (s, stand) = if n == 1 { ("", "stands") } else { ("s", "stand") };
            self.report.remark(&format!(
                "{n} session{s} {stand} in several logs: the best of them counts (--source chooses \
                 another); the first is {first}"
            ));
        }
    }

    /// Reads all logs one after the other. `sink` gets the rows of each block, in order.
    pub fn read_all<D: Decode>(
        &mut self,
        look: Look<'_>,
        decode: &D,
        mut sink: impl FnMut(Rows<D::Value, D::Memory>) -> Result<()>,
    ) -> Result<()> {
        let mut progress = Progress::new(self.quiet);
        let mut file = 0;
        while file < self.logs.len() {
            let few = self.requests_from(file);
            file = few.end.max(file + 1);
            if few.is_empty() {
                self.read(few.start, look, decode, &mut progress, &mut sink)?;
            } else if !self.passes_requests(decode) {
                self.read_requests(few, look, decode, &mut progress, &mut sink)?;
            }
        }
        Ok(())
    }

    fn read<D: Decode>(
        &mut self,
        file: usize,
        look: Look<'_>,
        decode: &D,
        progress: &mut Progress,
        sink: &mut impl FnMut(Rows<D::Value, D::Memory>) -> Result<()>,
    ) -> Result<()> {
        if self.logs[file].format == Format::Request && self.passes_requests(decode) {
            return Ok(());
        }
        let source = match self.logs[file].open() {
            Ok(source) => source,
            Err(e) => {
                self.unreadable(file, &e);
                return Ok(());
            }
        };
        let mut reader = self.logs[file].reader(source, &self.options);
        let mut placer = Placer::new(file, &self.logs[file]);
        let mut kind = Kind::default();
        loop {
            let log = &self.logs[file];
            let batch = reader.next_skimming(
                &|block| scan::block(block, log.about(), look, decode),
                Some(&|line| look.peek(log.about(), decode, line)),
            );
            match batch {
                Ok(Batch::Blocks(blocks)) => {
                    for block in blocks {
                        progress.read(block.value.bytes);
                        kind.see(&block.value);
                        self.tell(file, &block);
                        sink(placer.place(block))?;
                    }
                }
                Ok(Batch::Quiet) => {}
                Ok(Batch::End) => break,
                Err(e) => {
                    self.unreadable(file, &e);
                    break;
                }
            }
        }
        self.count((reader.lines(), reader.bytes()));
        self.keep_end(file, (reader.lines(), reader.bytes()), &placer);
        if self.logs[file].unseen {
            self.remark_unknown(file, &kind);
        }
        Ok(())
    }

    /// Whether requests need not even be opened.
    fn passes_requests(&self, decode: &impl Decode) -> bool {
        self.read_before && !decode.wants_requests()
    }

    /// Learns the offsets of all logs beforehand, from the few rows that tell them.
    pub fn learn_zones(&mut self) -> Result<()> {
        let Some(needles) = Needles::new(&ZONE_NEEDLES) else { return Ok(()) };
        let mut evidence = Vec::new();
        self.read_before = true;
        self.read_all(Look::Needles(&needles), &Nothing, |block| {
            evidence.extend(block.evidence.into_iter().map(|(_, told)| told));
            Ok(())
        })?;
        self.read_before = false;
        self.zones.learn(evidence);
        Ok(())
    }

    /// Bytes of the logs on disk, compressed or not.
    pub fn bytes_on_disk(&self) -> u64 {
        self.logs.iter().filter_map(|log| std::fs::metadata(&log.path).ok()).map(|m| m.len()).sum()
    }

    /// Writes a log that comes only once to a temporary file, so that it can be read again.
    pub fn hold_live(&mut self) -> Result<()> {
        let live = |run: &Self, file: &usize| run.logs[*file].is_live();
        let files: Vec<usize> = (0..self.logs.len()).filter(|file| live(self, file)).collect();
        files.into_iter().try_for_each(|file| self.hold(file))
    }

    /// Holds all logs, so that they can be read again and stay the same: see [`Log::hold`].
    pub(crate) fn hold_all(&mut self) -> Result<()> {
        let most = held_at_most(self.logs.len());
        let holds = |run: &Self, file: &usize| *file < most || run.logs[*file].size.is_none();
        let files: Vec<usize> = (0..self.logs.len()).filter(|file| holds(self, file)).collect();
        // The others are opened again each time.
        files.into_iter().try_for_each(|file| self.hold(file))
    }

    fn hold(&mut self, file: usize) -> Result<()> {
        if self.logs[file].is_held() {
            return Ok(());
        }
        let Some(log) = self.log_mut(file) else { return Ok(()) };
        match log.hold() {
            Ok(None) => {}
            Ok(Some(broken)) => self.unreadable(file, &broken),
            Err(e) => return Err(e).with_context(|| self.logs[file].path.display().to_string()),
        }
        Ok(())
    }

    /// Lets go of the files that logs are held by.
    pub(crate) fn forget_held(&mut self) {
        Arc::get_mut(&mut self.logs).into_iter().flatten().for_each(Log::let_go);
    }

    /// A log that nobody reads now.
    pub(crate) fn log_mut(&mut self, file: usize) -> Option<&mut Log> {
        Arc::get_mut(&mut self.logs)?.get_mut(file)
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn was_read(&self) -> bool {
        self.read_before
    }

    /// From now on logs are read again: nothing is counted or reported twice.
    pub fn mark_read(&mut self) {
        self.read_before = true;
    }

    /// What is read from now on was not read before.
    pub(crate) fn read_on(&mut self) {
        self.read_before = false;
    }

    /// Counts more of a log that was counted.
    pub(crate) fn count_more(&mut self, (lines, bytes): (u64, u64)) {
        self.report.counts.lines += lines;
        self.report.counts.bytes += bytes;
    }

    /// Counts a log of which so many lines and bytes were read.
    pub(crate) fn count(&mut self, (lines, bytes): (u64, u64)) {
        if !self.read_before {
            let counts = &mut self.report.counts;
            counts.files += 1;
            counts.lines += lines;
            counts.bytes += bytes;
        }
    }

    /// The logs, which are then to be given back in their order.
    pub(crate) fn take_logs(&mut self) -> Vec<Log> {
        Arc::get_mut(&mut self.logs).map(std::mem::take).unwrap_or_default()
    }

    /// Counts a last line that was left for a later run, since it has no end yet.
    pub(crate) fn tell_unended(&mut self, file: usize, (_, line): Place) {
        if self.logs[file].is_unended() {
            self.report.unended_line(&self.logs[file].path, line);
        }
    }

    /// Tells of a log that cannot be read, or not to its end.
    pub fn unreadable(&mut self, file: usize, error: &std::io::Error) {
        let path = &self.logs[file].path;
        // Who reads again meets it again; but what could be read once may be gone by then.
        if self.unreadable.insert(path.clone()) || !self.read_before {
            self.report.trouble(&format!("{}: {error}", path.display()));
        }
    }

    /// Counts what a block holds, and reports what is bad in it.
    pub(crate) fn tell<T, M>(&mut self, file: usize, block: &Placed<Scanned<T, M>>) {
        if self.read_before {
            return;
        }
        self.report.counts.events += block.value.events;
        let path = &self.logs[file].path;
        for bad in &block.value.bad {
            let mut bad = bad.clone();
            bad.line += block.first_line;
            self.report.bad_line(path, &bad);
        }
        if let Some(partial) = &block.value.partial {
            let mut partial = partial.clone();
            partial.line += block.first_line;
            self.report.partial_line(path, &partial);
        }
    }
}

/// How many files are open beside the logs, at the most.
const SPARE: u64 = 64;

/// How many of so many logs can be held open. The program has taken all the open files that the system
/// grants when it started.
pub(crate) fn held_at_most(files: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let wanted = files as u64 + SPARE;
    match getrlimit(Resource::Nofile).current {
        // Half of them, since those that are not held are open while they are read.
        Some(most) if most < wanted => (most / 2) as usize,
        _ => files,
    }
}

/// Gives the rows of one file their places, and rows without a time that of the row before.
pub(crate) struct Placer {
    file: u32,
    last: Clock,
}

impl Placer {
    pub(crate) fn new(file: usize, log: &Log) -> Self {
        let last = log.name_time().map_or(Clock::Missing, Clock::Utc);
        Self { file: file as u32, last }
    }

    /// For a part of a file: rows without a time before the first row with one get `last`.
    pub(crate) fn starting_at(file: u32, last: Clock) -> Self {
        Self { file, last }
    }

    /// The clock of the last row that has one.
    pub(crate) fn last(&self) -> Clock {
        self.last
    }

    pub(crate) fn place<T, M>(&mut self, block: Placed<Scanned<T, M>>) -> Rows<T, M> {
        let Placed { first_line, value: found } = block;
        let before = self.last;
        let place = |item: Item<T>| Row {
            clock: if item.clock == Clock::Missing { before } else { item.clock },
            src: Src {
                file: self.file,
                offset: item.offset,
                line: first_line + item.line,
                len: item.len,
            },
            value: item.value,
        };
        let rows = found.items.into_iter().map(place).collect();
        if found.last != Clock::Missing {
            self.last = found.last;
        }
        Rows { rows, arena: found.arena, evidence: found.evidence, last: self.last }
    }
}

//! The files that are followed, and in which rounds they are read.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::zone::Clock;
use anyhow::{Context as _, Result};
use jsonl::{Batch, FileId, Growing, Growth, Mark, Reader, ReaderOptions};

use super::bell::Bell;
use super::watch::{Names, Watch};
use super::{End, Follow};
use crate::flags::Source;
use crate::live::Came;
use crate::look::Look;
use crate::run::{Placer, Run};
use crate::scan::{self, Decode};

/// The files that are followed.
pub(crate) struct Followed {
    pub(super) bell: Arc<Bell>,
    pub(super) paths: Vec<PathBuf>,
    pub(super) names: Names,
    pub(super) watch: Option<Watch>,
    /// How often to look without being told, and when that is next.
    pub(super) poll: Option<(Duration, Instant)>,
    /// The source that is read, if only one is.
    pub(super) only: Option<Source>,
    /// By the place of each log among all.
    pub(super) files: HashMap<usize, Followee>,
    placers: HashMap<usize, Placer>,
    pub(super) by_path: HashMap<PathBuf, usize>,
    pub(super) by_id: HashMap<FileId, usize>,
    /// Files that are not read any further, with their sizes when that was decided.
    pub(super) passed: HashMap<PathBuf, (FileId, u64)>,
    /// Contents of files that are gone, the latest last.
    pub(super) past: VecDeque<(PathBuf, Mark)>,
    /// Files that are not looked at before they are quiet, with the times for that, and the one for
    /// which the time has come.
    pub(super) unsettled: BTreeMap<PathBuf, Instant>,
    pub(super) settled: Option<PathBuf>,
    /// What is to be read in this round.
    queue: VecDeque<Task>,
    pub(super) in_round: bool,
    /// Whether something was read in this round: only the next one tells what came before that.
    has_read: bool,
    /// How much may still be read in this round, in bytes.
    left: u64,
    reading: Option<Reading>,
    /// Files that grew lately, the latest first.
    hot: VecDeque<usize>,
    /// How far the end has come, once nothing is waited for.
    over: Option<Over>,
}

/// A file that is followed.
pub(super) struct Followee {
    pub path: PathBuf,
    pub growing: Growing,
    /// Since when its name is another file's, or nobody's.
    pub gone: Option<Instant>,
}

/// What is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The whole lines that a file has grown by.
    Growth(usize),
    /// All that it has grown by.
    Rest(usize),
    /// A file that does not grow.
    Whole(usize),
}

/// What is being read.
struct Reading {
    file: usize,
    reader: Reader,
    /// Up to where, in a file that grows, and whether it has more.
    to: Option<(u64, bool)>,
}

/// What is left to do when nothing more is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// To look what there is.
    Names,
    /// To read it, but for last lines without an end.
    Lines,
    /// To read those.
    Rests,
}

/// How many of the files that grew last are looked at once more before a row is passed on.
const HOT: usize = 256;

/// How much is read in one round, in bytes: its rows are in memory until the next is over.
const AT_ONCE: u64 = 16 << 20;

/// How many contents of files that are gone are remembered.
const PAST: usize = 1024;

impl Followed {
    /// Goes on where the logs were read up to; none if nothing is followed.
    pub fn start(run: &mut Run) -> Result<Option<Self>> {
        run.mark_ends()?;
        let Some(follow) = run.follow.take() else { return Ok(None) };
        let Follow { paths, walked, poll, only, growing, ends, .. } = follow;
        let bell = Arc::new(Bell::default());
        bell.ring_for_signals().context("signals")?;
        bell.ring_for_closed_output();
        let mut followed = Self {
            names: Names::new(&paths),
            bell,
            paths,
            watch: None,
            poll: poll.map(|every| (every, Instant::now() + every)),
            only,
            files: HashMap::new(),
            placers: HashMap::new(),
            by_path: HashMap::new(),
            by_id: HashMap::new(),
            passed: HashMap::new(),
            past: VecDeque::new(),
            unsettled: BTreeMap::new(),
            settled: None,
            queue: VecDeque::new(),
            in_round: false,
            has_read: false,
            left: AT_ONCE,
            reading: None,
            hot: VecDeque::new(),
            over: None,
        };
        for (file, growing) in growing.unwrap_or_default().into_iter().enumerate() {
            followed.go_on(run, file, growing, ends.get(&file));
        }
        run.forget_held();
        run.read_on();
        // The rest was looked at before: it stays what it is until it changes.
        for (path, id, size) in walked {
            if let (Some(id), false) = (id, followed.by_path.contains_key(&path)) {
                followed.passed.entry(path).or_insert((id, size));
            }
        }
        followed.start_watch(run);
        followed.look_at_all(run);
        Ok(Some(followed))
    }

    /// Takes over a log that was read.
    fn go_on(&mut self, run: &Run, file: usize, growing: Option<Growing>, end: Option<&End>) {
        let log = &run.logs[file];
        let Some(mut growing) = growing else { return self.pass_over(&log.path) };
        if let Some(End { lines, bytes, last }) = end.copied() {
            if last != Clock::Missing {
                self.placers.insert(file, Placer::starting_at(file as u32, last));
            }
            if let Err(e) = growing.was_read(bytes, lines) {
                crate::report::say(&format!("{}: {e}", log.path.display()));
            }
        }
        self.placers.entry(file).or_insert_with(|| Placer::new(file, log));
        self.insert(file, log.path.clone(), growing);
    }

    /// Follows a file from now on.
    pub(super) fn insert(&mut self, file: usize, path: PathBuf, growing: Growing) {
        self.by_path.insert(path.clone(), file);
        self.by_id.insert(growing.id(), file);
        self.files.insert(file, Followee { path, growing, gone: None });
    }

    /// A log came.
    pub(super) fn welcome(&mut self, run: &Run, file: usize) {
        self.placers.insert(file, Placer::new(file, &run.logs[file]));
    }

    /// What gives the rows of a log their places.
    pub fn placer(&mut self, file: usize) -> Option<&mut Placer> {
        self.placers.get_mut(&file)
    }

    /// Has something read in the next round.
    pub(super) fn read_soon(&mut self, task: Task) {
        self.queue.push_back(task);
        self.in_round = true;
    }

    /// What is there is still read, but nothing more is waited for.
    pub fn end(&mut self) {
        self.over.get_or_insert(Over::Names);
    }

    /// Whether nothing more is waited for.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// What comes next; waits for it up to a time.
    pub fn next<D: Decode>(
        &mut self,
        run: &mut Run,
        look: Look<'_>,
        decode: &D,
        until: Option<Instant>,
    ) -> Came<D::Value, D::Memory> {
        loop {
            if self.left == 0 {
                // What is left to read is for the next round.
                self.left = AT_ONCE;
                return Came::Round;
            } else if let Some(Reading { file, reader, .. }) = &mut self.reading {
                let about = run.logs[*file].about();
                match reader.next(&|block| scan::block(block, about, look, decode)) {
                    Ok(Batch::Blocks(blocks)) => {
                        let bytes: u64 = blocks.iter().map(|block| block.value.bytes).sum();
                        self.left = self.left.saturating_sub(bytes);
                        return Came::Blocks(*file, blocks);
                    }
                    Ok(Batch::Quiet) => {}
                    Ok(Batch::End) => self.was_read(run),
                    Err(e) => {
                        run.unreadable(*file, &e);
                        self.was_read(run);
                    }
                }
            } else if let Some(task) = self.queue.pop_front() {
                self.begin(run, task);
            } else if std::mem::take(&mut self.in_round) {
                self.next_round();
                return Came::Round;
            } else if self.over == Some(Over::Names) {
                self.over = Some(Over::Lines);
                self.in_round = true;
                self.look_at_all(run);
            } else if self.over.is_some() {
                return Came::End;
            } else if let Some(came) = self.wait(run, until) {
                return came;
            }
        }
    }

    /// A round is over. Rows that it gave may have been written after others that it was too early
    /// for, so there is another, of the files that grew lately.
    fn next_round(&mut self) {
        self.left = AT_ONCE;
        if self.over == Some(Over::Lines) {
            self.over = Some(Over::Rests);
            self.queue.extend(self.files.keys().map(|file| Task::Rest(*file)));
            self.in_round = true;
        } else if std::mem::take(&mut self.has_read) && self.over.is_none() {
            self.queue.extend(self.hot.iter().map(|file| Task::Growth(*file)));
            self.in_round = true;
        }
    }

    /// Looks at a file, and begins to read what is new in it.
    fn begin(&mut self, run: &mut Run, task: Task) {
        let begun = match task {
            Task::Whole(file) => run.logs[file].open().map(|source| {
                let reader = run.logs[file].reader(source, &run.options);
                Some(Reading { file, reader, to: None })
            }),
            Task::Growth(file) => self.begin_growth(run, file),
            Task::Rest(file) => self.begin_rest(&run.options, file),
        };
        match begun {
            Ok(reading) => self.reading = reading,
            Err(e) => {
                let (Task::Growth(file) | Task::Rest(file) | Task::Whole(file)) = task;
                run.unreadable(file, &e);
                self.forget(file);
            }
        }
    }

    fn begin_growth(&mut self, run: &mut Run, file: usize) -> std::io::Result<Option<Reading>> {
        let Some(Followee { growing, .. }) = self.files.get_mut(&file) else { return Ok(None) };
        match growing.look(AT_ONCE)? {
            Growth::None => Ok(None),
            Growth::Lines(end) => {
                let more = end - growing.next() >= AT_ONCE / 2;
                let reader = growing.reader(end, &run.options);
                Ok(Some(Reading { file, reader, to: Some((end, more)) }))
            }
            Growth::Shrunk => {
                self.start_over(run, file, "it was cut short");
                Ok(None)
            }
            Growth::Rewritten => {
                self.start_over(run, file, "it was written anew");
                Ok(None)
            }
        }
    }

    /// The last line of a file, which has no end.
    fn begin_rest(
        &mut self,
        options: &ReaderOptions,
        file: usize,
    ) -> std::io::Result<Option<Reading>> {
        let Some(Followee { growing, .. }) = self.files.get(&file) else { return Ok(None) };
        let reading = growing.half_line()?.map(|end| {
            let reader = growing.reader(end, options);
            Reading { file, reader, to: Some((end, false)) }
        });
        Ok(reading)
    }

    /// What was to be read of a file was read.
    fn was_read(&mut self, run: &mut Run) {
        let Some(Reading { file, reader, to }) = self.reading.take() else { return };
        run.count_more((reader.lines(), reader.bytes()));
        self.has_read = true;
        let Some((end, more)) = to else {
            self.placers.remove(&file);
            return;
        };
        let Some(followee) = self.files.get_mut(&file) else { return };
        if let Err(e) = followee.growing.was_read(end, reader.lines()) {
            run.unreadable(file, &e);
            return self.forget(file);
        }
        if more {
            self.queue.push_back(Task::Growth(file));
        }
        if self.hot.front() != Some(&file) {
            self.hot.retain(|hot| *hot != file);
            self.hot.push_front(file);
            self.hot.truncate(HOT);
        }
    }

    /// The content of a file is another one now: it is read from its start.
    fn start_over(&mut self, run: &mut Run, file: usize, why: &str) {
        let path = run.logs[file].path.clone();
        run.report.remark(&format!("{}: {why}, and is read from its start", path.display()));
        let Some(Followee { path, .. }) = self.files.get(&file) else { return };
        let path = path.clone();
        self.forget(file);
        self.look_at(run, &path);
    }

    /// Follows a file no longer; what it held is remembered.
    pub(super) fn forget(&mut self, file: usize) {
        self.placers.remove(&file);
        self.hot.retain(|hot| *hot != file);
        let Some(Followee { path, growing, .. }) = self.files.remove(&file) else { return };
        self.by_id.remove(&growing.id());
        if self.by_path.get(&path) == Some(&file) {
            self.by_path.remove(&path);
        }
        self.past.push_back((path, growing.mark().clone()));
        if self.past.len() > PAST {
            self.past.pop_front();
        }
    }
}

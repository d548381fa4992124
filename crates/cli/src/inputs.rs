//! From the flags to the logs that are read: paths, standard input, or the default roots.

mod log;
mod mark;
mod name_time;
mod roots;
mod sources;
mod watch;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use foldhash::fast::FixedState;
use jsonl::{FileId, Opened, Origin};
use rayon::prelude::*;

use crate::feed::Ahead;
use crate::flags::{InputFlags, Source};
use crate::format::{self, About, Format, Seen};
use crate::report::Report;
use log::From;
pub use log::Log;
pub(crate) use log::{FIRST, Place};
pub use mark::Mark;
pub use roots::default_roots;
pub use sources::Sessions;
use sources::Sources;
use watch::{Watch, Watched};

/// All the logs of a run.
#[derive(Default)]
pub struct Logs {
    /// In the order of the input.
    pub logs: Vec<Log>,
    /// Whether the one input is a pipe: records are then printed as they become final.
    pub live: bool,
    /// Which sessions have their own logs in the input.
    pub sessions: Sessions,
    /// All files that were found, read or not, with their sizes, for those who wait for more.
    pub walked: Vec<(PathBuf, Option<FileId>, u64)>,
}

/// What was named.
pub(crate) struct Named {
    /// Paths, or the default roots that there are.
    pub paths: Vec<PathBuf>,
    /// Whether the user named them.
    asked: bool,
    /// Whether standard input is read without having been named.
    unasked: bool,
}

/// What the flags name.
pub(crate) fn paths(flags: &InputFlags) -> anyhow::Result<Named> {
    let mut paths = flags.paths.clone();
    if let Some(list) = &flags.files_from {
        paths.extend(listed(list, b'\n')?);
    }
    if let Some(list) = &flags.files0_from {
        paths.extend(listed(list, 0)?);
    }
    let named =
        !flags.paths.is_empty() || flags.files_from.is_some() || flags.files0_from.is_some();
    let unasked = !named && !flags.discover && stdin_is_input();
    if unasked {
        paths.push(PathBuf::from("-"));
    } else if !named {
        paths = default_roots().into_iter().filter(|root| root.exists()).collect();
    }
    Ok(Named { paths, asked: named || unasked, unasked })
}

/// Reads all of a small log, given its text; none if there is no room for what it tells.
pub(crate) type AtSight<'a> = &'a (dyn Fn(&[u8], About<'_>) -> Option<Box<Ahead>> + Sync);

/// How logs are looked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct How<'a> {
    /// Walked files that ended long before this time, in milliseconds, are spared.
    pub since: Option<i64>,
    /// Named files need not be there yet.
    pub waits: bool,
    /// Runs follow each other: files without a whole line wait for a later one.
    pub runs_follow: bool,
    /// Reads small logs while they are looked at: not for those of which more is to be read later.
    pub at_sight: Option<AtSight<'a>>,
}

/// Finds the logs to read.
pub(crate) fn find(
    flags: &InputFlags,
    named: &Named,
    how: How<'_>,
    report: &mut Report,
) -> anyhow::Result<Logs> {
    let Named { paths, asked: named, unasked } = named;
    let (named, unasked) = (*named, *unasked);
    if !named {
        let shown: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        report.note(&match shown.len() {
            0 => "no logs in the default roots: name a PATH, or set ALOG_ROOTS".to_owned(),
            _ => format!("reading {}", shown.join(", ")),
        });
    }
    let mut search = Search {
        source: flags.source,
        since: how.since,
        runs_follow: how.runs_follow,
        named,
        unasked,
        waits: how.waits,
        at_sight: how.at_sight,
        report,
    };
    let found = search.run(paths)?;
    let live = matches!(&found.logs[..], [only] if only.is_live());
    Ok(Logs { live, ..found })
}

struct Search<'a> {
    source: Option<Source>,
    since: Option<i64>,
    /// Whether a later run goes on from this one.
    runs_follow: bool,
    /// Whether the user said what to read.
    named: bool,
    /// Whether standard input is read without having been named.
    unasked: bool,
    /// Whether files that are not there yet are waited for.
    waits: bool,
    at_sight: Option<AtSight<'a>>,
    report: &'a mut Report,
}

impl Search<'_> {
    fn run(&mut self, paths: &[PathBuf]) -> anyhow::Result<Logs> {
        let (mut files, by_name) = self.files(paths);
        let known = |file: &jsonl::Found| (file.path.clone(), file.id, file.size);
        let walked = if self.waits { files.iter().map(known).collect() } else { Vec::new() };
        let all = files.len();
        files.retain(|file| !(file.walked && self.is_over(file.modified)));
        self.report.counts.files_skipped += (all - files.len()) as u64;
        let at_sight = self.at_sight;
        let looked: Vec<io::Result<(Log, Option<Seen>)>> =
            files.par_iter_mut().map(|file| look(file, at_sight)).collect();
        let mut sources = Sources::with_room(looked.len());
        let mut passed = Passed::default();
        let mut ids: HashSet<FileId, FixedState> = HashSet::default();
        let mut is_known = |file: &jsonl::Found| file.id.is_some_and(|id| !ids.insert(id));
        for (file, looked) in files.iter().zip(looked) {
            match looked {
                Ok(_) if by_name && is_known(file) => {}
                Ok((log, _)) if log.path == Path::new("-") => {
                    let log = stdin_log(self.unasked)?;
                    self.keep(log, None, &mut sources, &mut passed);
                }
                Ok((log, seen)) => self.keep(log, seen, &mut sources, &mut passed),
                Err(e) => self.report.trouble(&format!("{}: {e}", file.path.display())),
            }
        }
        let logs = sources.finish(self.waits || self.runs_follow, self.report);
        let nothing_known = logs.logs.is_empty() && self.report.counts.files == 0;
        passed.tell(self.report, nothing_known && self.named);
        Ok(Logs { walked, ..logs })
    }

    /// The files that are named. Whether they are known by name alone, and may have several: who opens
    /// all of them, each once, learns the rest then.
    fn files(&mut self, paths: &[PathBuf]) -> (Vec<jsonl::Found>, bool) {
        let piped = paths.iter().any(|path| path == Path::new("-"));
        let by_name = self.at_sight.is_some() && self.since.is_none() && !piped;
        let inputs = if by_name { jsonl::walk_names(paths) } else { jsonl::walk(paths) };
        for (path, error) in &inputs.unreadable {
            if self.waits && error.kind() == io::ErrorKind::NotFound {
                self.report.remark(&format!("{}: not there yet, waited for", path.display()));
                continue;
            }
            self.report.trouble(&format!("{}: {error}", path.display()));
        }
        let mut files = inputs.files;
        let stdin = fs::metadata("/dev/stdin").ok().filter(|_| piped).map(|m| (m.dev(), m.ino()));
        files.retain(|file| stdin.is_none() || file.id != stdin);
        (files, by_name)
    }

    /// Keeps a log, unless it is to be passed over.
    fn keep(
        &mut self,
        mut log: Log,
        seen: Option<Seen>,
        sources: &mut Sources,
        passed: &mut Passed,
    ) {
        let seen = match seen {
            Some(seen) => seen,
            None if log.is_live() => return sources.add(log),
            None => match log.open().and_then(format::of) {
                Ok(seen) => {
                    log.seen(&seen);
                    seen
                }
                Err(e) => {
                    return self.report.trouble(&format!("{}: {e}", log.path.display()));
                }
            },
        };
        match seen.format {
            format if format.is_read() => {
                if self.source.is_none_or(|source| source == Source::All || source == log.source) {
                    sources.add(log);
                } else {
                    passed.by_source += 1;
                }
            }
            Format::Empty => self.report.counts.files += 1,
            Format::Unknown if self.runs_follow && !seen.has_line => {
                self.report.unended_line(&log.path, 1);
                self.report.counts.files += 1;
            }
            format => passed.add(log.path, format),
        }
    }

    /// Whether a walked file was last written more than a day before the time asked for.
    fn is_over(&self, modified: Option<std::time::SystemTime>) -> bool {
        let (Some(since), Some(modified)) = (self.since, modified) else { return false };
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        (modified.as_millis() as i64) < since - 86_400_000
    }
}

/// A log that came while others were followed, and what it holds.
pub(crate) fn log_at(path: &Path) -> io::Result<(Log, Seen)> {
    let found = jsonl::walk(&[path.to_owned()]).files.into_iter().next();
    let found = found.ok_or(io::ErrorKind::NotFound)?;
    let seen = format::of_file(path)?;
    let mut log = Log::of_path(&found)?;
    log.seen(&seen);
    Ok((log, seen))
}

/// Opens a file and tells what it holds; nothing of one that comes only once.
fn look(file: &mut jsonl::Found, at_sight: Option<AtSight<'_>>) -> io::Result<(Log, Option<Seen>)> {
    if !file.is_regular {
        return Ok((Log::of_path(file)?, None));
    }
    let (seen, told) = match at_sight {
        Some(read) => look_at_all(file, read)?,
        None => (format::of_file(&file.path)?, None),
    };
    let mut log = Log::of_path(file)?;
    log.seen(&seen);
    log.at_sight = told;
    Ok((log, Some(seen)))
}

/// The same of a file that is read at sight, if it is small.
fn look_at_all(
    found: &mut jsonl::Found,
    read: AtSight<'_>,
) -> io::Result<(Seen, Option<Box<Ahead>>)> {
    let file = File::open(&found.path)?;
    found.learn(&file.metadata()?);
    let whole = |text: &[u8], seen: &Seen| {
        seen.format.dialect()?;
        read(text, About { format: seen.format, thread: seen.thread.as_deref() })
    };
    format::of_small_file(&found.path, (file, found.size), whole)
}

/// The logs among some files; what is none, or cannot be read, is passed over.
pub(crate) fn logs_at(paths: &[PathBuf]) -> Vec<Log> {
    let found = jsonl::walk(paths).files.into_iter().filter(|file| file.is_regular);
    let looked = found.filter_map(|mut file| look(&mut file, None).ok());
    let is_known = |seen: &Option<Seen>| seen.as_ref().is_some_and(|seen| seen.format.is_read());
    looked.filter(|(_, seen)| is_known(seen)).map(|(log, _)| log).collect()
}

/// Files that are not read, told once for each kind.
#[derive(Default)]
struct Passed {
    unknown: Vec<PathBuf>,
    not_yet: Vec<(&'static str, Vec<PathBuf>)>,
    /// Logs that `--source` leaves out.
    by_source: u64,
}

/// How many files of no known kind are named one by one.
const NAMED: usize = 10;

impl Passed {
    fn add(&mut self, path: PathBuf, format: Format) {
        match format {
            Format::NotYet(kind) => match self.not_yet.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, paths)) => paths.push(path),
                None => self.not_yet.push((kind, vec![path])),
            },
            _ => self.unknown.push(path),
        }
    }

    fn tell(&self, report: &mut Report, nothing_else: bool) {
        for path in self.unknown.iter().take(NAMED) {
            report.remark(&format!("{}: not a log of a known format, skipped", path.display()));
        }
        if let Some(more) = self.unknown.len().checked_sub(NAMED).filter(|n| *n > 0) {
            report.remark(&format!("{more} more files of no known format, skipped"));
        }
        for (kind, paths) in &self.not_yet {
            let (n, first) = (paths.len(), paths[0].display());
            report.remark(&format!("{kind} are not read: {n} skipped, the first is {first}"));
        }
        report.counts.files_skipped += self.by_source;
        if self.by_source > 0 {
            report.remark(&format!("{} logs are left out by --source", self.by_source));
        }
        let count = self.unknown.len() + self.not_yet.iter().map(|(_, p)| p.len()).sum::<usize>();
        report.counts.unknown_files += count as u64;
        if nothing_else && count > 0 {
            report.trouble("none of the named paths holds a log that can be read");
        }
    }
}

/// Reads a list of paths.
fn listed(list: &Path, end: u8) -> anyhow::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    if list == Path::new("-") {
        io::stdin().lock().read_to_end(&mut text).context("standard input")?;
    } else {
        text = fs::read(list).with_context(|| list.display().to_string())?;
    }
    let paths = text.split(|b| *b == end).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsString::from_vec(path.to_vec()))).collect())
}

/// Whether standard input is something that was given to us: a pipe or a file, not a terminal.
fn stdin_is_input() -> bool {
    let Ok(meta) = fs::metadata("/dev/stdin") else { return false };
    let kind = meta.file_type();
    kind.is_file() || kind.is_fifo() || kind.is_socket()
}

/// Standard input. If nobody asked for it, and nothing comes, that is remarked on.
fn stdin_log(unasked: bool) -> anyhow::Result<Log> {
    let path = PathBuf::from("-");
    // Opening waits for the first bytes, so the watch starts before.
    let watch = unasked.then(Watch::start);
    let opened = Opened::stdin().context("standard input")?;
    if let Opened::Stream { bytes, origin: Origin::Live } = opened {
        let bytes = match watch {
            Some(watch) => Box::new(Watched { bytes, watch }),
            None => bytes,
        };
        let opened = Opened::Stream { bytes, origin: Origin::Live };
        return Ok(Log::new(path, From::Live(Mutex::new(Some(opened)))));
    }
    if let Some(watch) = watch {
        watch.came();
    }
    Ok(Log::new(path, From::StdinFile))
}

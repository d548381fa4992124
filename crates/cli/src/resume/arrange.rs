//! From the logs that were found to those that are read on: which of them an earlier run knew, under
//! whatever name, and which are new.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{LogPoint, ResumePoint};
use crate::format::Format;
use crate::inputs::{self, FIRST, Log};
use crate::run::Run;

impl Run {
    /// Goes on from where an earlier run stopped; [`ResumePoint::start`] is before all. The logs that
    /// it knew keep their numbers, those that are gone too, since open records may start in them. `remedy` says
    /// what one can do if it is not known where to go on.
    pub fn go_on_from(&mut self, mut point: ResumePoint, remedy: &str) -> Result<()> {
        if let Some(log) = self.logs.iter().find(|log| log.id.is_none()) {
            bail!("{}: only files can be read on from where a run stopped", log.path.display());
        }
        let mut found = self.take_logs();
        found.extend(renamed(&point, &found));
        let mut found: Vec<Option<Log>> = found.into_iter().map(Some).collect();
        let mine = matches(&point, &found, remedy)?;
        let paths: HashSet<PathBuf> = found.iter().flatten().map(|log| log.path.clone()).collect();
        let mut logs = Vec::new();
        for (known, at) in point.logs.iter_mut().zip(mine) {
            logs.push(if let Some(log) = at.and_then(|at| found[at].take()) {
                known.taken_up_by(log)
            } else {
                self.tell_gone(known, &paths);
                Log::gone(known.path.clone())
            });
        }
        logs.extend(found.into_iter().flatten().map(|mut log| {
            log.read_from(FIRST);
            log
        }));
        self.sessions.remember(&point.sessions);
        self.zones.take_up(std::mem::take(&mut point.offsets));
        self.logs = logs.into();
        self.resume = point;
        Ok(())
    }

    /// Where reading stopped.
    pub fn resume_point(&self) -> &ResumePoint {
        &self.resume
    }

    /// The numbers of the logs that this run cannot read: they are gone, or no part of its input.
    pub fn absent(&self) -> impl Iterator<Item = usize> {
        self.logs.iter().enumerate().filter(|(_, log)| log.is_gone()).map(|(file, _)| file)
    }

    /// Says once that a log is not there any more.
    fn tell_gone(&self, known: &mut LogPoint, paths: &HashSet<PathBuf>) {
        if std::mem::replace(&mut known.gone, true) {
            return;
        }
        let path = known.path.display();
        let replaced = paths.contains(&known.path);
        let there = fs::metadata(&known.path).ok().filter(fs::Metadata::is_file);
        match there {
            // It is not a part of this input: --since, or another PATH.
            Some(meta) if !replaced && (meta.dev(), meta.ino()) == known.id && meta.len() > 0 => {
                known.gone = false;
            }
            Some(_) => self.report.remark(&format!(
                "{path}: truncated or replaced since the last run, and what was there before is not \
                 found: what is there now is read from its start"
            )),
            None => self.report.remark(&format!("{path}: gone since the last run")),
        }
    }
}

impl Log {
    /// Whether there is something that was not read, or not fed, up to that point.
    pub(crate) fn has_more(&self, point: &LogPoint) -> bool {
        !self.is_gone() && (point.on_disk != Some(self.on_disk) || !point.waiting.is_empty())
    }

    /// Whether it is the log of which that was read, by how it begins.
    fn grew_from(&self, point: &LogPoint) -> bool {
        self.mark.grew_from(point.mark, &self.path)
    }

    /// Whether it is shorter than what was read of it, as far as its length is known.
    fn is_shorter_than(&self, point: &LogPoint) -> bool {
        self.size.is_some_and(|size| size < point.next.0)
    }
}

impl LogPoint {
    /// The log is this one now.
    fn taken_up_by(&mut self, mut log: Log) -> Log {
        self.path.clone_from(&log.path);
        self.gone = false;
        self.mark = log.mark;
        self.id = log.id.unwrap_or_default();
        log.read_from(self.next);
        log
    }
}

/// Logs that were known by a name that is now another's, or nobody's: those that were rotated stand
/// beside it, under a longer name, and may not be a part of the input.
fn renamed(point: &ResumePoint, found: &[Log]) -> Vec<Log> {
    let have: HashSet<_> = found.iter().filter_map(|log| log.id).collect();
    let mut more: Vec<Log> = Vec::new();
    for known in point.logs.iter().filter(|known| !known.gone) {
        if found.iter().any(|log| log.grew_from(known)) {
            continue;
        }
        let beside = inputs::logs_at(&siblings(&known.path)).into_iter();
        let is_it =
            |log: &Log| log.id.is_some_and(|id| !have.contains(&id)) && log.grew_from(known);
        more.extend(beside.filter(is_it).take(1));
    }
    more
}

/// Files whose names start as this one's.
fn siblings(path: &Path) -> Vec<PathBuf> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let (Ok(entries), Some(name)) = (fs::read_dir(dir.unwrap_or(Path::new("."))), path.file_name())
    else {
        return Vec::new();
    };
    let is_longer = |file: &OsStr| file != name && file.as_bytes().starts_with(name.as_bytes());
    let names = entries.flatten().map(|entry| entry.file_name()).filter(|file| is_longer(file));
    let mut paths: Vec<PathBuf> = names.map(|file| path.with_file_name(file)).collect();
    paths.sort();
    paths
}

/// For each known log the number of the one that it is now.
fn matches(point: &ResumePoint, found: &[Option<Log>], remedy: &str) -> Result<Vec<Option<usize>>> {
    let mut taken = vec![false; found.len()];
    let mut mine = vec![None; point.logs.len()];
    // Who is still in his place comes first: copies of him are others.
    for same_file in [true, false] {
        for (known, mine) in point.logs.iter().zip(&mut mine).filter(|(_, mine)| mine.is_none()) {
            let fits = |log: &Log| {
                let is_it =
                    if same_file { log.id == Some(known.id) } else { !log.is_shorter_than(known) };
                is_it && log.grew_from(known)
            };
            let mut logs =
                found.iter().enumerate().filter_map(|(at, log)| Some((at, log.as_ref()?)));
            let Some((at, log)) = logs.find(|(at, log)| !taken[*at] && fits(log)) else { continue };
            // A request is one text: what is longer is another.
            if log.format == Format::Request && log.size != Some(known.next.0) {
                continue;
            }
            if log.is_shorter_than(known) {
                bail!(
                    "{}: it begins as before, but {} bytes of it were read, and it has {} now. What \
                     is new in it cannot be told: {remedy}",
                    log.path.display(),
                    known.next.0,
                    log.on_disk
                );
            }
            taken[at] = true;
            *mine = Some(at);
        }
    }
    Ok(mine)
}

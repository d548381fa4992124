//! What becomes of names: which files are new, were renamed, are copies, or are gone.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonl::{Copied, FileId, Growing, Mark, Opened, id_of};

use super::files::{Followed, Followee, Task};
use super::watch::Watch;
use crate::flags::Source;
use crate::format::Format;
use crate::inputs::{self, Log};
use crate::run::Run;

/// How long a file that is read as a whole has to be quiet before it is: its writer may not be done.
const SETTLED: Duration = Duration::from_secs(1);

/// How often to look where the system grants no more watches.
const POLL: Duration = Duration::from_secs(1);

impl Followed {
    /// Has the system tell what changes, unless that is not wanted or cannot be.
    pub(super) fn start_watch(&mut self, run: &Run) {
        if self.poll.is_some() {
            return;
        }
        match Watch::start(&self.names, &self.bell) {
            Ok(watch) => self.watch = Some(watch),
            Err(e) => self.poll_instead(run, &e),
        }
    }

    /// Looks by itself from now on.
    fn poll_instead(&mut self, run: &Run, why: &notify::Error) {
        let every = POLL.as_secs();
        run.report.remark(&format!("cannot be told of changes, looking every {every} s: {why}"));
        self.watch = None;
        self.poll = Some((POLL, Instant::now() + POLL));
    }

    /// Looks at all that is there.
    pub(super) fn look_at_all(&mut self, run: &mut Run) {
        let paths: Vec<PathBuf> = self.by_path.keys().cloned().collect();
        let found = jsonl::walk(&self.paths).files.into_iter().map(|found| found.path);
        for path in paths.into_iter().chain(found) {
            self.look_at(run, &path);
        }
    }

    /// Looks what a name stands for now.
    pub(super) fn look_at(&mut self, run: &mut Run, path: &Path) {
        let Ok(meta) = fs::metadata(path) else { return self.lose(path) };
        if meta.is_dir() {
            return self.look_below(run, path);
        }
        let id = id_of(&meta);
        if let Some(file) = self.by_path.get(path).copied() {
            if self.files.get(&file).is_some_and(|followee| followee.growing.id() == id) {
                return self.read_soon(Task::Growth(file));
            }
            self.lose(path);
        }
        if let Some(file) = self.by_id.get(&id).copied() {
            return self.rename(file, id, path);
        }
        let is_known = self.passed.get(path) == Some(&(id, meta.len()));
        if meta.is_file() && !is_known && self.names.has(path) {
            self.meet(run, path, &meta);
        }
    }

    /// A directory that is new.
    fn look_below(&mut self, run: &mut Run, dir: &Path) {
        if !self.names.is_below(dir) {
            return;
        }
        if let Some(watch) = &mut self.watch
            && let Err(e) = watch.below(dir)
        {
            self.poll_instead(run, &e);
        }
        for found in jsonl::walk(&[dir.to_owned()]).files {
            self.look_at(run, &found.path);
        }
    }

    /// A name stands for its file no longer: what it holds is read, and it is watched for a while.
    fn lose(&mut self, path: &Path) {
        self.passed.remove(path);
        let Some(file) = self.by_path.remove(path) else { return };
        if let Some(followee) = self.files.get_mut(&file) {
            followee.gone = Some(Instant::now());
            self.read_soon(Task::Growth(file));
        }
    }

    /// A file that is followed has this name, too, or now.
    fn rename(&mut self, file: usize, id: FileId, path: &Path) {
        let Some(Followee { path: name, gone, .. }) = self.files.get_mut(&file) else { return };
        let is_there = |name: &Path| fs::metadata(name).is_ok_and(|meta| id_of(&meta) == id);
        if gone.is_some() || !is_there(name) {
            if self.by_path.get(name.as_path()) == Some(&file) {
                self.by_path.remove(name.as_path());
            }
            (*name, *gone) = (path.to_owned(), None);
            self.by_path.insert(path.to_owned(), file);
        }
        self.read_soon(Task::Growth(file));
    }

    /// Does not look at a file again as long as it stays the same.
    pub(super) fn pass_over(&mut self, path: &Path) {
        if let Ok(meta) = fs::metadata(path) {
            self.passed.insert(path.to_owned(), (id_of(&meta), meta.len()));
        }
    }

    /// A file that was not there before.
    fn meet(&mut self, run: &mut Run, path: &Path, meta: &Metadata) {
        match self.greet(run, path, meta) {
            // It may have gone already.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => {
                run.report.trouble(&format!("{}: {e}", path.display()));
                self.pass_over(path);
            }
            Ok(()) => {}
        }
    }

    fn greet(&mut self, run: &mut Run, path: &Path, meta: &Metadata) -> io::Result<()> {
        let is_quiet = self.is_over() || has_settled(meta);
        let was_waited_for = self.settled.as_deref() == Some(path);
        let (log, seen) = inputs::log_at(path)?;
        if !seen.plain || seen.format == Format::Request {
            if !is_quiet {
                self.wait_for(path);
                return Ok(());
            }
            self.pass_over(path);
            if !seen.plain && self.is_known(path)? {
                return Ok(());
            }
            if let Some(file) = self.admit(run, log, &seen) {
                self.read_soon(Task::Whole(file));
            }
            return Ok(());
        }
        let file = Arc::new(File::open(path)?);
        let growing = match self.content_of(path, &file)? {
            Copied::Start if !(self.is_over() || is_quiet && was_waited_for) => {
                self.wait_for(path);
                return Ok(());
            }
            Copied::To(mark) => Growing::resume(file, mark)?,
            _ => Growing::new(file)?,
        };
        match self.admit(run, log, &seen) {
            Some(file) => {
                self.passed.remove(path);
                self.insert(file, path.to_owned(), growing);
                self.read_soon(Task::Growth(file));
            }
            None => self.pass_over(path),
        }
        Ok(())
    }

    /// Looks at a file later: its writer may not be done.
    fn wait_for(&mut self, path: &Path) {
        self.unsettled.insert(path.to_owned(), Instant::now() + SETTLED);
    }

    /// Takes a log in, unless nobody wants it; gives its place.
    fn admit(&mut self, run: &mut Run, log: Log, seen: &crate::format::Seen) -> Option<usize> {
        let chosen = self.only.is_none_or(|only| only == Source::All || only == log.source);
        match seen.format {
            Format::Empty => return None,
            Format::Unknown | Format::NotYet(_) => {
                // Said once: not again for each time that it grows.
                if !self.passed.contains_key(&log.path) {
                    let path = log.path.display();
                    run.report.remark(&format!("{path}: not a log of a known format, skipped"));
                    run.report.counts.unknown_files += 1;
                }
                return None;
            }
            _ if !chosen || run.leaves_out(&log) => {
                run.report.counts.files_skipped += u64::from(!self.passed.contains_key(&log.path));
                return None;
            }
            _ => {}
        }
        let file = run.add_log(log)?;
        self.welcome(run, file);
        Some(file)
    }

    /// The contents that are known, with the names that they had.
    fn contents(&self) -> impl Iterator<Item = (&Path, &Mark)> {
        let now = self.files.values().map(|file| (file.path.as_path(), file.growing.mark()));
        now.chain(self.past.iter().map(|(path, mark)| (path.as_path(), mark)))
    }

    /// Whether a compressed file holds what was read already.
    fn is_known(&self, path: &Path) -> io::Result<bool> {
        let mut head = vec![0; Mark::HEAD + 1];
        let (read, _) = Opened::head(File::open(path)?, &mut head)?;
        let head = &head[..read];
        Ok(self.contents().any(|(name, mark)| mark.starts(head, is_named_after(path, name))))
    }

    /// Whether a plain file that is named after another holds what was read of that: some rotate by
    /// copying.
    fn content_of(&self, path: &Path, file: &File) -> io::Result<Copied> {
        let mut best = Copied::No;
        for (_, mark) in self.contents().filter(|(name, _)| is_named_after(path, name)) {
            match mark.is_in(file)? {
                Copied::To(mark) => return Ok(Copied::To(mark)),
                Copied::Start => best = Copied::Start,
                Copied::No => {}
            }
        }
        Ok(best)
    }
}

/// Whether a file was not written to for a while.
fn has_settled(meta: &Metadata) -> bool {
    let since = meta.modified().ok().and_then(|at| at.elapsed().ok());
    since.is_none_or(|since| since >= SETTLED)
}

/// Whether a name goes on from another, as `x.jsonl.1` from `x.jsonl`.
fn is_named_after(path: &Path, other: &Path) -> bool {
    let (Some(name), Some(start)) = (path.file_name(), other.file_name()) else { return false };
    let (name, start) = (name.as_encoded_bytes(), start.as_encoded_bytes());
    name.len() > start.len() && name.starts_with(start)
}

//! Logs that are followed: what is there is read as files are, and then this goes on where that
//! ended. Files come and go under their names: they grow, are rotated, cut short, replaced,
//! compressed and deleted. Whatever happens, each row is read once.

mod bell;
mod files;
mod names;
mod waits;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::zone::Clock;
use anyhow::{Context as _, Result, bail};
use jsonl::{FileId, Growing, Growth};

use crate::flags::{CommonFlags, FollowFlags, Source};
use crate::fold::{Context, Copies};
use crate::inputs::How;
use crate::inputs::Log;
use crate::live::Ending;
use crate::run::{Placer, Run, held_at_most};
pub(crate) use files::Followed;

/// What is followed, and where it was read up to.
pub(crate) struct Follow {
    /// What was named, or the default roots.
    paths: Vec<PathBuf>,
    /// The files that were found, with their sizes.
    walked: Vec<(PathBuf, Option<FileId>, u64)>,
    /// How often to look, if the system does not tell what changes.
    poll: Option<Duration>,
    /// The source that is read, if only one is.
    only: Option<Source>,
    /// The logs that grow, by their places among all. Known once reading begins.
    growing: Option<Vec<Option<Growing>>>,
    /// Where each log ended that was read.
    ends: HashMap<usize, End>,
    /// What the rows before tell of those that follow, by log.
    pub contexts: HashMap<usize, Context>,
    /// Rows of transcripts that were met.
    pub copies: Copies,
}

/// Where the part of a log ended that was read as a file is.
#[derive(Clone, Copy)]
struct End {
    lines: u64,
    bytes: u64,
    /// The time that the log had come to.
    last: Clock,
}

impl Run {
    /// Understands the flags and finds the logs, which are followed if that is asked for.
    pub fn following(flags: &CommonFlags, follow: &FollowFlags) -> Result<Self> {
        Self::following_as(flags, follow, How::default())
    }

    /// The same; `how` says what else there is to say of how logs are looked for.
    pub(crate) fn following_as(
        flags: &CommonFlags,
        follow: &FollowFlags,
        how: How<'_>,
    ) -> Result<Self> {
        let mut run = Self::finding(flags, Some(follow).filter(|how| how.follow), how)?;
        run.window = follow.window;
        run.ending = Ending {
            at: follow.lasting.map(|lasting| Instant::now() + lasting),
            idle: follow.until_idle,
        };
        if let Some(follow) = &mut run.follow {
            follow.only = flags.input.source;
            if run.logs.iter().any(Log::is_live) {
                bail!("-f follows files and directories: a pipe has to be the only input");
            }
        }
        Ok(run)
    }

    /// Whether the run goes on when all that is there was read.
    pub fn is_following(&self) -> bool {
        self.follow.is_some()
    }

    /// From now on what the logs hold is what they hold at this moment, up to the last whole line.
    /// What comes behind that is for later.
    pub fn mark_ends(&mut self) -> Result<()> {
        let Some(follow) = self.follow.as_mut().filter(|follow| follow.growing.is_none()) else {
            return Ok(());
        };
        let (n, most) = (self.logs.len(), held_at_most(self.logs.len()));
        if n > most {
            bail!("-f keeps logs open: there are {n}, and the system grants {most} (ulimit -n)");
        }
        let logs = Arc::get_mut(&mut self.logs).context("logs that are being read")?;
        let mut growing = Vec::with_capacity(n);
        for log in logs {
            growing.push(log.grow().with_context(|| log.path.display().to_string())?);
        }
        follow.growing = Some(growing);
        Ok(())
    }

    /// A log was read to where it ended.
    pub(crate) fn keep_end(&mut self, file: usize, (lines, bytes): (u64, u64), placer: &Placer) {
        if let Some(follow) = &mut self.follow {
            follow.ends.insert(file, End { lines, bytes, last: placer.last() });
        }
    }

    /// What the rows that were read tell of those that follow in their logs.
    pub(crate) fn take_contexts(&mut self) -> (HashMap<usize, Context>, Copies) {
        let take = |follow: &mut Follow| {
            (std::mem::take(&mut follow.contexts), std::mem::take(&mut follow.copies))
        };
        self.follow.as_mut().map(take).unwrap_or_default()
    }
}

impl Follow {
    /// Prepares to follow what was named, of which so much was found.
    pub fn new(
        how: &FollowFlags,
        paths: Vec<PathBuf>,
        walked: Vec<(PathBuf, Option<FileId>, u64)>,
    ) -> Self {
        Self {
            paths,
            walked,
            poll: how.poll,
            only: None,
            growing: None,
            ends: HashMap::new(),
            contexts: HashMap::new(),
            copies: Copies::default(),
        }
    }
}

impl Log {
    /// Holds the log as it is now, up to its last whole line; none of one that does not grow, or
    /// cannot be opened, which is told when it is read.
    fn grow(&mut self) -> std::io::Result<Option<Growing>> {
        if !self.grows() {
            return Ok(None);
        }
        let Ok(mut growing) = Growing::open(&self.path) else { return Ok(None) };
        let end = match growing.look(u64::MAX)? {
            Growth::Lines(end) => end,
            _ => 0,
        };
        self.hold_part(growing.file(), 0..end);
        Ok(Some(growing))
    }
}

//! One fact, one source: which files are copies of each other, and which sessions have a better
//! source than an SSE log.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use agentlog::native;
use agentlog::time::is_uuid;
use agentlog::zone::Clock;
use jsonl::{Batch, Block, Reader, ReaderOptions};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Log, Logs};
use crate::flags::Source;
use crate::format::Format;
use crate::report::Report;

/// The sessions that the input has logs of their own for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sessions {
    #[serde(serialize_with = "agentlog::state::sorted_set")]
    native: HashSet<String>,
    /// Those in mirrors of transcripts.
    #[serde(serialize_with = "agentlog::state::sorted_set")]
    mirrored: HashSet<String>,
}

impl Sessions {
    /// Adds those that were known before.
    pub(crate) fn remember(&mut self, before: &Self) {
        self.native.extend(before.native.iter().cloned());
        self.mirrored.extend(before.mirrored.iter().cloned());
    }

    /// Whether there is nothing to choose.
    pub fn is_empty(&self) -> bool {
        self.native.is_empty() && self.mirrored.is_empty()
    }

    /// Learns whose session a log is, as far as it tells before it is read.
    pub fn learn(&mut self, log: &Log) {
        if log.source == Source::Native {
            self.native.extend(log.thread.as_ref().map(|of| of.session().to_owned()));
            self.native.extend(name_of(&log.path));
        }
    }

    /// Whether a session that a row of such a source is of has a better one.
    pub fn have_better(&self, source: Source, sid: Option<&str>) -> bool {
        let Some(sid) = sid else { return false };
        match source {
            Source::Native | Source::All => false,
            Source::Mirror => self.native.contains(sid),
            Source::Sse => self.native.contains(sid) || self.mirrored.contains(sid),
        }
    }
}

/// The logs that were found so far.
pub(super) struct Sources {
    logs: Vec<Log>,
    sessions: Sessions,
}

/// How much is read at once for the first session of a log, in bytes.
const FIRST: usize = 8 << 10;

impl Sources {
    /// With room for so many logs.
    pub fn with_room(logs: usize) -> Self {
        Self { logs: Vec::with_capacity(logs), sessions: Sessions::default() }
    }

    /// Keeps a log.
    pub fn add(&mut self, log: Log) {
        self.logs.push(log);
    }

    /// The logs, each thread once. Whose sessions they are matters if some may stand in several, or
    /// if more logs will come.
    pub fn finish(mut self, more_come: bool, report: &mut Report) -> Logs {
        let others = [Source::Sse, Source::Mirror];
        let has_others = self.logs.iter().any(|log| others.contains(&log.source));
        if has_others || more_come {
            self.logs.iter().for_each(|log| self.sessions.learn(log));
        }
        if has_others {
            self.learn_sessions();
        }
        self.choose_mirrors(report);
        let copies = self.copies();
        if let Some(first) = copies.iter().min() {
            let (n, path) = (copies.len(), self.logs[*first].path.display());
            let (s, are) = if n == 1 { ("", "is") } else { ("s", "are") };
            report.remark(&format!(
                "{n} rollout{s} {are} left out, another file holds the same thread: {path}"
            ));
            report.counts.files_skipped += n as u64;
            let mut at = 0..;
            self.logs.retain(|_| at.next().is_none_or(|at| !copies.contains(&at)));
        }
        Logs { logs: self.logs, sessions: self.sessions, ..Logs::default() }
    }

    /// The places of rollouts whose thread another holds, too, that is read instead.
    fn copies(&self) -> HashSet<usize> {
        let mut threads: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, log) in self.logs.iter().enumerate() {
            if let Some(thread) = thread_of(log) {
                threads.entry(thread).or_default().push(at);
            }
        }
        let mut copies = HashSet::new();
        for files in threads.into_values().filter(|files| files.len() > 1) {
            let best = files.iter().copied().max_by_key(|at| rank(&self.logs[*at]));
            copies.extend(files.into_iter().filter(|at| Some(*at) != best));
        }
        copies
    }

    /// Learns whose sessions the native transcripts hold, which matters where others may hold them
    /// too.
    fn learn_sessions(&mut self) {
        let is_own = |log: &Log| log.source == Source::Native && log.format == Format::Transcript;
        let own: Vec<&Log> = self.logs.iter().filter(|log| is_own(log)).collect();
        let told: Vec<_> = own.into_par_iter().map(|log| sessions_in(log, How::First)).collect();
        self.sessions.native.extend(told.into_iter().flatten());
    }

    /// Where there are SSE logs, learns whose sessions mirrors hold. The mirror of rollouts is left
    /// out then: rows of all threads stand in it, and most do not say whose they are.
    fn choose_mirrors(&mut self, report: &mut Report) {
        if self.logs.iter().all(|log| log.source != Source::Sse) {
            return;
        }
        let is_mirror = |log: &Log| log.source == Source::Mirror;
        let is_mixed = |log: &Log| is_mirror(log) && log.format == Format::Rollout;
        let before = self.logs.len();
        if let Some(log) = self.logs.iter().find(|log| is_mixed(log)) {
            report.remark(&format!(
                "{}: rows of several threads are mixed in it, left out beside the SSE log",
                log.path.display()
            ));
        }
        self.logs.retain(|log| !is_mixed(log));
        report.counts.files_skipped += (before - self.logs.len()) as u64;
        let mirrors = self.logs.iter().filter(|log| is_mirror(log));
        self.sessions.mirrored = mirrors.flat_map(|log| sessions_in(log, How::All)).collect();
    }
}

/// What copies of a rollout share: its thread, and when it begins.
fn thread_of(log: &Log) -> Option<(String, Option<i64>)> {
    if log.format != Format::Rollout {
        return None;
    }
    let named = log.thread.as_ref().map(|thread| thread.id.clone());
    let begins = match log.first {
        Clock::Utc(first) => Some(first),
        _ => None,
    };
    Some((named.or_else(|| name_of(&log.path))?, begins))
}

/// Which of several rollouts of a thread is read: the one that is written to, then the plain one, then
/// the longest.
fn rank(log: &Log) -> (bool, bool, bool, u64) {
    let archived = log.path.iter().any(|part| part == "archived_sessions");
    let compressed = log.path.extension().is_some_and(|end| end == "zst" || end == "gz");
    (log.source == Source::Native, !archived, !compressed, log.on_disk)
}

/// The session or thread that a file is named after: a UUID at the end of its name.
fn name_of(path: &Path) -> Option<String> {
    const LENGTH: usize = 36;
    let name = path.file_name()?.to_str()?;
    let stem = &name[..name.find(".jsonl")?];
    let id = stem.get(stem.len().checked_sub(LENGTH)?..)?;
    is_uuid(id).then(|| id.to_owned())
}

/// How much of a log is read for its sessions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// All of it.
    All,
    /// As much as it takes to find one; logs mostly hold no more.
    First,
}

/// The sessions that the rows of a transcript are of. What cannot be read is told when it is read.
fn sessions_in(log: &Log, how: How) -> HashSet<String> {
    let mut sessions = HashSet::new();
    let Ok(source) = log.open() else { return sessions };
    let mut options = ReaderOptions::default();
    if how == How::First {
        options.chunk = FIRST;
    }
    let mut reader = Reader::new(source, &options);
    let work = |block: &Block<'_>| -> HashSet<String> {
        let rows = block.lines().filter_map(|line| native::Row::parse(line.bytes).ok()?.head().sid);
        rows.collect()
    };
    while let Ok(Batch::Blocks(blocks)) = reader.next(&work) {
        sessions.extend(blocks.into_iter().flat_map(|block| block.value));
        if how == How::First && !sessions.is_empty() {
            break;
        }
    }
    sessions
}

//! Where reading stopped, so that a later run goes on from there: of each log how far it was read,
//! which of its last rows wait, and what is needed to understand the next.
//!
//! It knows nothing of where it is kept (a file, a database), nor of folds: whoever keeps it keeps
//! the state of his fold with it ([`agentlog::fold::Resume`]), as both are of one moment.

mod arrange;
mod file;
mod run;

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentlog::event::{Head, LeftOut};
use agentlog::fold::BadState;
use agentlog::state;
use agentlog::zone::{Clock, Offsets};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fold::{Context, Copies};
use crate::inputs::{FIRST, Log, Mark, Place, Sessions};
pub use file::{StateFile, Stated};
pub use run::{fold_stated, go_on, saved};

/// Where reading stopped. The default is the start of all logs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ResumePoint {
    /// Each log that was ever read, at the number that it has in [`agentlog::event::Src::file`].
    pub(crate) logs: Vec<LogPoint>,
    /// Rows before this time do not wait for others any more, in milliseconds since the epoch.
    pub(crate) horizon: i64,
    /// The time of the last row that was fed.
    pub(crate) fed: i64,
    pub(crate) offsets: Offsets,
    pub(crate) copies: Copies,
    /// Sessions that have logs of their own, though these may be gone.
    pub(crate) sessions: Sessions,
}

/// What its state is called.
const KIND: &str = "resume point";

impl ResumePoint {
    /// The start of all logs.
    pub fn start() -> Self {
        Self { horizon: i64::MIN, fed: i64::MIN, ..Self::default() }
    }

    /// How far each log was read.
    pub fn read(&self) -> impl Iterator<Item = ReadSoFar> {
        self.logs.iter().map(|log| ReadSoFar {
            path: log.path.clone(),
            bytes: log.next.0,
            gone: log.gone,
        })
    }

    /// The same point, but for which logs are gone; a later point of the same logs says that. True if
    /// that is news.
    pub fn learn_gone(&mut self, later: &Self) -> bool {
        let mut is_news = false;
        for (log, later) in self.logs.iter_mut().zip(&later.logs) {
            is_news |= std::mem::replace(&mut log.gone, later.gone) != later.gone;
        }
        is_news
    }

    /// As bytes, for this version alone.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        state::write(KIND, self, &mut bytes);
        bytes
    }

    /// From what [`ResumePoint::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadState> {
        state::read(KIND, bytes)
    }
}

/// How far a log was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSoFar {
    /// Where it was then.
    pub path: PathBuf,
    /// Its bytes up to there, decompressed.
    pub bytes: u64,
    /// Whether it was not there any more.
    pub gone: bool,
}

/// Where reading one log stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogPoint {
    #[serde(serialize_with = "path_as_bytes", deserialize_with = "path_of_bytes")]
    pub path: PathBuf,
    /// Device and inode.
    pub id: (u64, u64),
    pub mark: Mark,
    /// Bytes on disk when it was read to its end, compressed or not; none if it was not.
    pub on_disk: Option<u64>,
    /// Its place among all logs by when they begin: a time, and where it stood among others of that
    /// time.
    pub begin: (i64, usize),
    /// Whether it was not there any more.
    pub gone: bool,
    /// What follows has not been read.
    pub next: Place,
    /// The clock of the last row before `next` that has one.
    pub last: Clock,
    /// The latest time of the rows that were read.
    pub newest: i64,
    /// The latest time on the clock of its writers.
    pub newest_local: i64,
    /// The last offset of its writers, in milliseconds.
    pub offset: Option<i64>,
    pub context: Context,
    /// Rows before `next` that wait, in their order in the log.
    pub waiting: Vec<WaitingRow>,
    /// Where the first of them starts.
    pub waiting_from: Place,
}

/// A row that was read and not fed. It is read again, but what its place in the log told is kept: what
/// came behind it must not change that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WaitingRow {
    pub offset: u64,
    pub when: When,
    /// Whose it is, if only the rows before it say so.
    #[serde(with = "agentlog::state::some_head")]
    pub head: Option<Arc<Head>>,
    pub left_out: Option<LeftOut>,
}

/// When a waiting row was written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum When {
    /// Its time, and the one that it is ordered by.
    Known { t: Option<i64>, key: i64 },
    /// The offset of its writer is not known yet.
    Unknown(Clock),
}

impl LogPoint {
    /// The start of a log.
    pub fn start(log: &Log) -> Self {
        Self {
            path: log.path.clone(),
            id: log.id.unwrap_or_default(),
            mark: log.mark,
            on_disk: None,
            begin: (i64::MIN, 0),
            gone: false,
            next: FIRST,
            last: log.name_time().map_or(Clock::Missing, Clock::Utc),
            newest: i64::MIN,
            newest_local: i64::MIN,
            offset: None,
            context: Context::default(),
            waiting: Vec::new(),
            waiting_from: FIRST,
        }
    }

    /// Whether nothing of it was read.
    pub fn is_start(&self) -> bool {
        self.next == FIRST
    }
}

fn path_as_bytes<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(path.as_os_str().as_bytes())
}

fn path_of_bytes<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Ok(OsString::from_vec(Vec::deserialize(from)?).into())
}

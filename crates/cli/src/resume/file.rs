//! `--state-file FILE`: a resume point in a file, with the fold's state and what the run was asked.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use agentlog::fold::{BadState, Resume};
use agentlog::state;
use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::ResumePoint;

/// A state that is kept in a file, and locked as long as the run goes on.
pub struct StateFile {
    path: PathBuf,
    /// What the run is asked: a state of other wishes cannot be gone on with.
    asked: Vec<(String, String)>,
    /// Held open: the lock is let go with it.
    _lock: File,
}

/// What was kept.
#[derive(Default, Serialize, Deserialize)]
pub struct Stated {
    asked: Vec<(String, String)>,
    /// Where reading stopped.
    pub point: ResumePoint,
    /// The state of the fold; empty if there is none yet.
    pub fold: Vec<u8>,
    /// How many records were printed.
    pub printed: u64,
    /// What the command keeps beside.
    pub beside: Vec<u8>,
}

/// What its state is called.
const KIND: &str = "state file";

/// What one can do about a state that cannot be taken up.
pub(super) const REMEDY: &str =
    "name another --state-file, or remove this one to read all from the start";

impl StateFile {
    /// Opens a state, which may not be there yet; `asked` is all that decides what the run prints.
    pub fn open(path: &Path, asked: Vec<(String, String)>) -> Result<(Self, Stated)> {
        let named = || format!("--state-file {}", path.display());
        let lock = lock(path).with_context(named)?;
        let this = Self { path: path.to_owned(), asked, _lock: lock };
        let stated = this.read().with_context(named)?;
        Ok((this, stated))
    }

    fn read(&self) -> Result<Stated> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Stated { point: ResumePoint::start(), ..Stated::default() });
            }
            Err(e) => return Err(e.into()),
        };
        let stated: Stated = state::read(KIND, &bytes).map_err(|e| anyhow!("{e}: {REMEDY}"))?;
        let mut both = stated.asked.iter().zip(&self.asked);
        if let Some((was, is)) = both.find(|(was, is)| was != is) {
            bail!("it was made with {}, not with {}: {REMEDY}", shown(was), shown(is));
        }
        if stated.asked.len() != self.asked.len() {
            bail!("{}: {REMEDY}", BadState::OtherOptions);
        }
        Ok(stated)
    }

    /// Takes up the state of a fold.
    pub fn load(&self, stated: &Stated, fold: &mut impl Resume) -> Result<()> {
        if stated.fold.is_empty() {
            return Ok(());
        }
        let loaded = fold.load(&stated.fold);
        loaded.map_err(|e| anyhow!("--state-file {}: {e}: {REMEDY}", self.path.display()))
    }

    /// Replaces what was kept; whoever reads it gets all of the old or all of the new.
    pub fn write(
        &self,
        point: &ResumePoint,
        fold: &[u8],
        printed: u64,
        beside: &[u8],
    ) -> Result<()> {
        let mut bytes = Vec::new();
        state::write(KIND, &(&self.asked, point, fold, printed, beside), &mut bytes);
        self.replace(&bytes).with_context(|| format!("--state-file {}", self.path.display()))
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or(Path::new("."));
        let mut aside = tempfile::NamedTempFile::new_in(dir)?;
        aside.write_all(bytes)?;
        aside.as_file().sync_all()?;
        aside.persist(&self.path)?;
        // The name is to last, too.
        File::open(dir)?.sync_all()
    }
}

fn shown((name, value): &(String, String)) -> String {
    match value.as_str() {
        "" if name.starts_with('-') => format!("no {name}"),
        _ => format!("{name} {value}").trim_end().to_owned(),
    }
}

/// Locks a state. The lock is a file of its own, since the state is replaced while it is held; it stays
/// where it is: who removed it would let two runs in.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = File::options().create(true).append(true).open(&name)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!("another run is at work with it"),
        Err(TryLockError::Error(e)) => Err(e.into()),
    }
}

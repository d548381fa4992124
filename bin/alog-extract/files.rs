//! The files of `--out-dir`: written aside and then renamed, so that each is there whole or not at
//! all.

use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use extract::Info;
use tempfile::NamedTempFile;

/// Files that are to be written, one a mode.
pub struct Files {
    dir: PathBuf,
    /// The mode's name, and where its records go.
    open: Vec<(&'static str, BufWriter<NamedTempFile>)>,
    force: bool,
}

impl Files {
    /// Prepares to write into a directory, which is made if it is missing.
    ///
    /// # Errors
    /// A file is in the way and may not be replaced, or the directory cannot be written to.
    pub fn new(dir: &Path, modes: &[&'static Info], force: bool) -> anyhow::Result<Self> {
        let shown = dir.display();
        fs::create_dir_all(dir).with_context(|| format!("--out-dir {shown}"))?;
        let mut open = Vec::new();
        for info in modes {
            let path = path_of(dir, info.name);
            if !force && path.symlink_metadata().is_ok() {
                bail!("{} is there already: --force replaces it", path.display());
            }
            if path.is_dir() {
                bail!("{} is a directory: it is in the way", path.display());
            }
            // As any new file: temporary ones are for their owner alone.
            let rights = fs::Permissions::from_mode(0o666);
            let mut named = tempfile::Builder::new();
            let file = named.prefix(".alog-extract-").permissions(rights).tempfile_in(dir);
            let file = file.with_context(|| format!("--out-dir {shown}"))?;
            open.push((info.name, BufWriter::with_capacity(64 << 10, file)));
        }
        Ok(Self { dir: dir.to_owned(), open, force })
    }

    /// Appends to the file of the mode with that place.
    pub fn write(&mut self, mode: usize, bytes: &[u8]) -> anyhow::Result<()> {
        let (name, file) = &mut self.open[mode];
        file.write_all(bytes).with_context(|| path_of(&self.dir, name).display().to_string())
    }

    /// Gives all files their names.
    pub fn finish(self) -> anyhow::Result<()> {
        let mut whole = Vec::new();
        for (name, file) in self.open {
            let path = path_of(&self.dir, name);
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
            whole.push((file.with_context(|| path.display().to_string())?, path));
        }
        for (file, path) in whole {
            let named =
                if self.force { file.persist(&path) } else { file.persist_noclobber(&path) };
            named.map_err(|e| e.error).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn path_of(dir: &Path, mode: &str) -> PathBuf {
    dir.join(format!("{mode}.jsonl"))
}

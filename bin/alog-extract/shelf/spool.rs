//! Texts that wait: in memory as long as they are few, else in a temporary file without a name.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

/// Texts, in memory up to a limit and then in a file.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    /// The file, and how much is in it: all that came before `memory`.
    file: Option<(File, u64)>,
}

/// How much stays in memory, in bytes.
const ROOM: usize = 16 << 20;

impl Spool {
    /// Appends a text; returns where it is.
    pub fn push(&mut self, text: &[u8]) -> Result<u64> {
        if self.memory.len() + text.len() > ROOM {
            self.spill()?;
        }
        let at = self.file.as_ref().map_or(0, |(_, len)| *len) + self.memory.len() as u64;
        self.memory.extend_from_slice(text);
        Ok(at)
    }

    fn spill(&mut self) -> Result<()> {
        let dir = || format!("temporary file in {}", std::env::temp_dir().display());
        let (mut file, len) = match self.file.take() {
            Some(open) => open,
            None => (tempfile::tempfile().with_context(dir)?, 0),
        };
        file.write_all(&self.memory).with_context(dir)?;
        self.file = Some((file, len + self.memory.len() as u64));
        self.memory.clear();
        Ok(())
    }

    /// The text of that length at that place.
    pub fn get(&self, at: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        let before = self.file.as_ref().map_or(0, |(_, len)| *len);
        if let Some(at) = at.checked_sub(before) {
            let at = at as usize;
            return Ok(self.memory[at..at + len].into());
        }
        let mut text = vec![0; len];
        if let Some((file, _)) = &self.file {
            file.read_exact_at(&mut text, at).context("temporary file")?;
        }
        Ok(text.into())
    }
}

//! What tells a log from others, whatever it is called: how it begins.

use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::Path;

use jsonl::Opened;
use serde::{Deserialize, Serialize};

/// The start of a log, decompressed, as a hash. Rows begin with times and ids, so that logs that
/// begin alike are copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many bytes were there to be hashed.
    len: u64,
    hash: u64,
}

/// How many bytes are hashed at the most.
const MOST: usize = 4096;

impl Mark {
    /// The mark of a log that starts so.
    pub fn of(head: &[u8]) -> Self {
        let head = &head[..head.len().min(MOST)];
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        hasher.write(head);
        Self { len: head.len() as u64, hash: hasher.finish() }
    }

    /// Whether the log that stands at `path`, and has this mark by now, begins as one did that had the
    /// mark `before`: it may have grown.
    pub fn grew_from(self, before: Self, path: &Path) -> bool {
        if self.len <= before.len {
            return self == before;
        }
        let head = |len: u64| -> io::Result<Self> {
            let mut head = vec![0; len as usize];
            let (read, _) = Opened::head(File::open(path)?, &mut head)?;
            Ok(Self::of(&head[..read]))
        };
        head(before.len).is_ok_and(|mark| mark == before)
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;
    use std::io::Write;

    #[test]
    fn a_log_that_grew_is_the_same_log() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut text = String::new();
        let mut before = Vec::new();
        for n in 0..2000 {
            let line = format!("{n}\n");
            file.write_all(line.as_bytes()).unwrap();
            text += &line;
            let now = Mark::of(text.as_bytes());
            before.push(now);
            let (first, last) = (before[n / 2], before[n]);
            assert!(now.grew_from(first, file.path()) && now.grew_from(last, file.path()));
            assert!(!Mark::of(b"0\nx").grew_from(now, file.path()) || n == 0);
        }
        assert!(!before[3].grew_from(before[4], file.path()), "it is shorter");
        assert!(!before[9].grew_from(Mark::of(b"1"), file.path()));
    }
}

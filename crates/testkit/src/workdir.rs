//! A directory of its own for a test: files in it, plain or compressed; gone when it is dropped.

use crate::log::Log;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A temporary directory. Its methods panic where a test cannot go on anyway.
#[derive(Debug)]
pub struct Workdir(TempDir);

impl Default for Workdir {
    fn default() -> Self {
        Self::new()
    }
}

impl Workdir {
    /// An empty directory.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file (its folders too) and gives its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file in the directory")).expect("its folder");
        fs::write(&path, bytes).expect("a writable file");
        path
    }

    /// Adds to a file, as a running agent does.
    pub fn append(&self, name: &str, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let mut file: File =
            options.create(true).append(true).open(self.path().join(name)).expect("a log to grow");
        file.write_all(bytes).expect("a writable file");
    }

    /// Writes a gzip-compressed file; the name is taken as it is.
    pub fn write_gz(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        self.write(name, &encoder.finish().expect("memory"))
    }

    /// Writes a zstd-compressed file; the name is taken as it is.
    pub fn write_zst(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.write(name, &zstd::encode_all(bytes, 3).expect("memory"))
    }

    /// Writes `codex/sse_lines.jsonl` and `claude/sse_lines.jsonl`, as far as there are rows, and
    /// gives their paths in this order.
    pub fn write_log(&self, log: &Log) -> Vec<PathBuf> {
        let files =
            [("codex/sse_lines.jsonl", &log.codex), ("claude/sse_lines.jsonl", &log.claude)];
        let some = files.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        some.map(|(name, bytes)| self.write(name, bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Workdir;
    use std::io::Read;

    #[test]
    fn compressed_files_hold_the_bytes() {
        let dir = Workdir::new();
        let gz = std::fs::File::open(dir.write_gz("a/b.gz", b"rows\n")).expect("the file");
        let mut text = String::new();
        flate2::read::GzDecoder::new(gz).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, "rows\n");
        let zst = std::fs::read(dir.write_zst("b.zst", b"rows\n")).expect("the file");
        assert_eq!(zstd::decode_all(&zst[..]).expect("zstd"), b"rows\n");
    }

    #[test]
    fn a_file_grows() {
        let dir = Workdir::new();
        let path = dir.write("log", b"one\n");
        dir.append("log", b"two\n");
        assert_eq!(std::fs::read(path).expect("the file"), b"one\ntwo\n");
    }
}

//! Files that are still being written: how far each was read, where its last whole line ends, and
//! whether it is still the file that was read. Who watches it, and when, is for the caller.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use crate::chunks::read_full;
use crate::{Reader, ReaderOptions};

/// A regular file that is read as it grows.
#[derive(Debug)]
pub struct Growing {
    file: Arc<File>,
    id: FileId,
    /// What was read.
    mark: Mark,
    /// Up to here there is no line feed in what was not.
    searched: u64,
}

/// Device and inode of a file.
pub type FileId = (u64, u64);

/// What became of a file since it was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// There is no whole line that was not read.
    None,
    /// Whole lines go up to this byte.
    Lines(u64),
    /// It is shorter than what was read of it.
    Shrunk,
    /// It is long enough, but what was read is not in it any more.
    Rewritten,
}

/// What a content is told by when it is met again, in another file or compressed: its first bytes,
/// how far it was read, and the bytes before that place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    head: u64,
    head_len: usize,
    /// Up to where it was read, and the number of the line that starts there.
    at: u64,
    line: u64,
    tail: Vec<u8>,
}

impl Default for Mark {
    fn default() -> Self {
        Self { head: 0, head_len: 0, at: 0, line: 1, tail: Vec::new() }
    }
}

/// Whether a file holds a content that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It does not.
    No,
    /// It starts as that does, but ends before the place up to which that was read.
    Start,
    /// It holds all that was read.
    To(Mark),
}

/// How much before the place up to which it was read.
const TAIL: usize = 512;

/// How much is searched at once for a line feed, in bytes.
const STEP: u64 = 64 << 10;

impl Growing {
    /// Opens a file of which nothing was read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(Arc::new(File::open(path)?))
    }

    /// Nothing of the open file was read.
    pub fn new(file: Arc<File>) -> io::Result<Self> {
        Self::resume(file, Mark::default())
    }

    /// The open file holds what was read elsewhere: see [`Mark::is_in`].
    pub fn resume(file: Arc<File>, mark: Mark) -> io::Result<Self> {
        let id = id_of(&file.metadata()?);
        Ok(Self { file, id, searched: mark.at, mark })
    }

    /// The open file.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Device and inode.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Where the first line starts that was not read.
    pub fn next(&self) -> u64 {
        self.mark.at
    }

    /// What tells what was read.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Looks how far whole lines go; not farther than about `most` bytes, unless a line is longer.
    pub fn look(&mut self, most: u64) -> io::Result<Growth> {
        let (size, next) = (self.file.metadata()?.len(), self.next());
        if size < next {
            return Ok(Growth::Shrunk);
        }
        if size == next || size == self.searched {
            return Ok(Growth::None);
        }
        if !(self.mark.begins(&self.file)? && self.mark.ends_in(&self.file)?) {
            return Ok(Growth::Rewritten);
        }
        // Less than it was, but for the half line: that is another one now.
        let searched = self.searched.clamp(next, size);
        let near = size.min(next.saturating_add(most));
        for end in [near, size] {
            if let Some(end) = last_line_end(&self.file, searched..end)? {
                return Ok(Growth::Lines(end));
            }
        }
        self.searched = size;
        Ok(Growth::None)
    }

    /// Where the file ends now, in a line without an end.
    pub fn half_line(&self) -> io::Result<Option<u64>> {
        let size = self.file.metadata()?.len();
        Ok((size > self.next()).then_some(size))
    }

    /// Reads up to `end`, which [`Growing::look`] gave.
    pub fn reader(&self, end: u64, options: &ReaderOptions) -> Reader {
        let options = ReaderOptions { first_line: self.mark.line, ..options.clone() };
        Reader::of_range(&self.file, self.next()..end, &options)
    }

    /// So many lines were read, up to byte `end`.
    pub fn was_read(&mut self, end: u64, lines: u64) -> io::Result<()> {
        self.searched = end;
        self.mark.line += lines;
        self.mark.go_on(&self.file, end)
    }
}

/// Device and inode of a file.
pub fn id_of(meta: &std::fs::Metadata) -> FileId {
    (meta.dev(), meta.ino())
}

/// The end of the last whole line that ends in a range.
fn last_line_end(file: &File, range: std::ops::Range<u64>) -> io::Result<Option<u64>> {
    let mut buffer = Vec::new();
    let mut end = range.end;
    while end > range.start {
        let from = end.saturating_sub(STEP).max(range.start);
        buffer.resize((end - from) as usize, 0);
        let read = read_full(file, &mut buffer, from)?;
        if let Some(at) = memchr::memrchr(b'\n', &buffer[..read]) {
            return Ok(Some(from + at as u64 + 1));
        }
        end = from;
    }
    Ok(None)
}

impl Mark {
    /// How much of a content's start tells it, in bytes.
    pub const HEAD: usize = 4096;

    /// The content was read up to byte `end`.
    fn go_on(&mut self, file: &File, end: u64) -> io::Result<()> {
        let head_len = end.min(Self::HEAD as u64) as usize;
        if self.head_len < head_len {
            let mut head = vec![0; head_len];
            let read = read_full(file, &mut head, 0)?;
            (self.head, self.head_len) = (hash_of(&head[..read]), read);
        }
        self.tail.resize(end.min(TAIL as u64) as usize, 0);
        let from = end - self.tail.len() as u64;
        let read = read_full(file, &mut self.tail, from)?;
        self.tail.truncate(read);
        self.at = end;
        Ok(())
    }

    /// Whether the file starts as the content does.
    fn begins(&self, file: &File) -> io::Result<bool> {
        let mut head = [0; Self::HEAD];
        let read = read_full(file, &mut head[..self.head_len], 0)?;
        Ok(read == self.head_len && (read == 0 || hash_of(&head[..read]) == self.head))
    }

    /// Whether the bytes before the place up to which the content was read are in the file.
    fn ends_in(&self, file: &File) -> io::Result<bool> {
        let mut tail = vec![0; self.tail.len()];
        let from = self.at.saturating_sub(tail.len() as u64);
        let read = read_full(file, &mut tail, from)?;
        Ok(tail[..read] == self.tail)
    }

    /// Whether a plain file holds the content.
    pub fn is_in(&self, file: &File) -> io::Result<Copied> {
        if self.head_len == 0 || !self.begins(file)? {
            return Ok(Copied::No);
        }
        if file.metadata()?.len() < self.at {
            return Ok(Copied::Start);
        }
        Ok(if self.ends_in(file)? { Copied::To(self.clone()) } else { Copied::No })
    }

    /// Whether another file holds the content, as far as its start tells, of which there has to be
    /// more than [`Mark::HEAD`] if the file has more. A content that is too short to be told so is
    /// told by nothing else than its name, or has to be all there is.
    pub fn starts(&self, head: &[u8], named: bool) -> bool {
        let told = self.head_len > 0
            && head.len() >= self.head_len
            && hash_of(&head[..self.head_len]) == self.head;
        told && (named || self.head_len == Self::HEAD || head.len() == self.head_len)
    }
}

fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Block};
    use std::io::Write;

    struct Log {
        file: tempfile::NamedTempFile,
        growing: Growing,
    }

    impl Log {
        fn new() -> Self {
            let file = tempfile::NamedTempFile::new().unwrap();
            let growing = Growing::open(file.path()).unwrap();
            Self { file, growing }
        }

        fn write(&mut self, text: &str) -> &mut Self {
            self.file.write_all(text.as_bytes()).unwrap();
            self
        }

        /// Number and text of the lines that are new.
        fn read(&mut self) -> Vec<(u64, String)> {
            let Growth::Lines(end) = self.growing.look(1 << 20).unwrap() else { return Vec::new() };
            let mut reader = self.growing.reader(end, &ReaderOptions::default());
            let text = |block: &Block<'_>| -> Vec<String> {
                block.lines().map(|line| String::from_utf8_lossy(line.bytes).into()).collect()
            };
            let mut lines = Vec::new();
            while let Batch::Blocks(blocks) = reader.next(&text).unwrap() {
                for block in blocks {
                    lines.extend((block.first_line..).zip(block.value));
                }
            }
            self.growing.was_read(end, reader.lines()).unwrap();
            lines
        }
    }

    fn line(number: u64, text: &str) -> (u64, String) {
        (number, text.to_owned())
    }

    #[test]
    fn half_a_line_waits() {
        let mut log = Log::new();
        assert_eq!(log.read(), []);
        assert_eq!(log.write("a\nb").read(), [line(1, "a")]);
        assert_eq!(log.write("c").read(), []);
        assert_eq!(log.growing.half_line().unwrap(), Some(4));
        assert_eq!(log.write("\nd\n").read(), [line(2, "bc"), line(3, "d")]);
        assert_eq!(log.growing.half_line().unwrap(), None);
    }

    #[test]
    fn much_is_read_in_parts_and_a_long_line_at_once() {
        let mut log = Log::new();
        log.write("aaa\nbbb\n").write(&"c".repeat(200_000)).write("\nd\n");
        assert_eq!(log.growing.look(5).unwrap(), Growth::Lines(4));
        log.growing.was_read(4, 1).unwrap();
        assert_eq!(log.growing.look(5).unwrap(), Growth::Lines(8));
        log.growing.was_read(8, 1).unwrap();
        assert_eq!(log.growing.look(5).unwrap(), Growth::Lines(200_011));
    }

    #[test]
    fn what_shrank_or_was_rewritten_is_told() {
        let mut log = Log::new();
        log.write("first\nsecond\n").read();
        std::fs::write(log.file.path(), "other\nsec").unwrap();
        assert_eq!(log.growing.look(99).unwrap(), Growth::Shrunk);
        std::fs::write(log.file.path(), "other rows\nas long\n").unwrap();
        assert_eq!(log.growing.look(99).unwrap(), Growth::Rewritten);
        let file = Arc::clone(log.growing.file());
        assert_eq!(Growing::new(file).unwrap().look(99).unwrap(), Growth::Lines(19));
    }

    #[test]
    fn a_content_is_told_again() {
        let (mut log, mut other) = (Log::new(), Log::new());
        log.write("first\nsecond\n").read();
        other.write("first\n");
        let copied = |log: &Log, other: &Log| log.growing.mark().is_in(other.file.as_file());
        assert_eq!(copied(&log, &other).unwrap(), Copied::No);
        other.write("second\nthird\n");
        assert_eq!(copied(&log, &other).unwrap(), Copied::To(log.growing.mark().clone()));
        let file = Arc::clone(other.growing.file());
        other.growing = Growing::resume(file, log.growing.mark().clone()).unwrap();
        assert_eq!(other.read(), [line(3, "third")]);
        let text = "0123456789\n".repeat(1000);
        log.write(&text).read();
        other.file.as_file().set_len(13).unwrap();
        io::Seek::seek(other.file.as_file_mut(), io::SeekFrom::End(0)).unwrap();
        other.write(&text[..6600]);
        assert_eq!(copied(&log, &other).unwrap(), Copied::Start);
        let whole = format!("first\nsecond\n{text}");
        assert!(log.growing.mark().starts(whole.as_bytes(), false));
        assert!(!log.growing.mark().starts(text.as_bytes(), true));
    }
}

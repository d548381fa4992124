//! Blocks of any source, worked on in parallel and given back in order.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::chunks::{Chunks, Peek};
use crate::stream::Blocks;
use crate::whole::Whole;
use crate::{Block, Opened};

/// How to read.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    /// Bytes that a worker takes at once.
    pub chunk: usize,
    /// Longest line that is handed out whole, in bytes.
    pub max_line: u64,
    /// Number of the first line.
    pub first_line: u64,
    /// Where the first byte of a stream stands in its source. Files know that by themselves.
    pub first_offset: u64,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { chunk: 1 << 20, max_line: 1 << 30, first_line: 1, first_offset: 0 }
    }
}

/// A result and its place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// Number of the block's first line.
    pub first_line: u64,
    /// What the worker made of the block.
    pub value: T,
}

/// What one step of reading gave.
#[derive(Debug)]
pub enum Batch<T> {
    /// Results, in the order of the source. May be empty.
    Blocks(Vec<Placed<T>>),
    /// Nothing came for as long as [`Reader::set_patience`] says.
    Quiet,
    /// The end of the source.
    End,
}

/// Reads a source block by block.
pub struct Reader {
    source: Source,
    patience: Option<Duration>,
}

enum Source {
    Chunks(Chunks),
    Stream(Blocks),
    Whole(Whole),
}

impl Reader {
    /// Starts to read a source.
    pub fn new(source: Opened, options: &ReaderOptions) -> Self {
        let source = match source {
            Opened::File { file, start, end } => {
                Source::Chunks(Chunks::new(file, start..end, options))
            }
            Opened::Stream { bytes, origin } => {
                Source::Stream(Blocks::spawn(bytes, origin, options))
            }
        };
        Self { source, patience: None }
    }

    /// Starts to read a part of a file, which must start with a line.
    pub fn of_range(file: &Arc<std::fs::File>, range: Range<u64>, options: &ReaderOptions) -> Self {
        let chunks = Chunks::new(Arc::clone(file), range, options);
        Self { source: Source::Chunks(chunks), patience: None }
    }

    /// Reads a source that is one text over any number of lines: it is one block and counts as one
    /// line, even if it is empty. Of one longer than `most` bytes only the start is read.
    pub fn whole(source: Opened, options: &ReaderOptions, most: u64) -> Self {
        let whole = Whole::new(source, options.first_line, most);
        Self { source: Source::Whole(whole), patience: None }
    }

    /// How long to wait for a slow stream before [`Batch::Quiet`] is returned; forever if none.
    pub fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// Bytes met so far, decompressed.
    pub fn bytes(&self) -> u64 {
        match &self.source {
            Source::Chunks(chunks) => chunks.bytes(),
            Source::Stream(blocks) => blocks.bytes(),
            Source::Whole(whole) => whole.bytes(),
        }
    }

    /// Lines met so far, handed out or passed over.
    pub fn lines(&self) -> u64 {
        match &self.source {
            Source::Chunks(chunks) => chunks.lines(),
            Source::Stream(blocks) => blocks.lines(),
            Source::Whole(whole) => whole.lines(),
        }
    }

    /// Where the first line starts that is still to come, in bytes, and its number: from there
    /// another reader can go on.
    pub fn reached(&self) -> (u64, u64) {
        match &self.source {
            Source::Chunks(chunks) => chunks.reached(),
            Source::Stream(blocks) => blocks.reached(),
            Source::Whole(whole) => (whole.bytes(), whole.lines() + 1),
        }
    }

    /// The next results of `work`, which is called once for each block, on all cores.
    pub fn next<T: Send>(
        &mut self,
        work: &(impl Fn(&Block<'_>) -> T + Sync),
    ) -> io::Result<Batch<T>> {
        self.next_skimming(work, None)
    }

    /// As [`Reader::next`], but lines that reach far past their chunk are read only if `peek`
    /// says so. Streams cannot be skimmed: they hand out every line.
    pub fn next_skimming<T: Send>(
        &mut self,
        work: &(impl Fn(&Block<'_>) -> T + Sync),
        peek: Option<Peek<'_>>,
    ) -> io::Result<Batch<T>> {
        match &mut self.source {
            Source::Chunks(chunks) => {
                Ok(chunks.next(work, peek)?.map_or(Batch::End, Batch::Blocks))
            }
            Source::Stream(blocks) => blocks.next(work, self.patience),
            Source::Whole(whole) => {
                Ok(whole.next(work)?.map_or(Batch::End, |placed| Batch::Blocks(vec![placed])))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Read, Write};

    /// (number, offset, text, ended)
    type Seen = Vec<(u64, u64, Vec<u8>, bool)>;

    fn read(mut reader: Reader) -> Seen {
        reader.set_patience(Some(Duration::from_secs(5)));
        let work = |block: &Block<'_>| -> Seen {
            block.lines().map(|l| (l.number, l.offset, l.bytes.to_vec(), l.ended)).collect()
        };
        let (mut seen, mut reached) = (Seen::new(), Vec::<((u64, u64), usize)>::new());
        loop {
            match reader.next(&work).unwrap() {
                Batch::End => {
                    assert_eq!(reader.lines(), seen.len() as u64);
                    // What was reached on the way is where the next line starts.
                    for ((offset, number), at) in reached {
                        match seen.get(at) {
                            Some(next) => assert_eq!((next.1, next.0), (offset, number)),
                            None => {
                                assert!(seen.last().is_none_or(|l| offset >= l.1 && number >= l.0));
                            }
                        }
                    }
                    return seen;
                }
                Batch::Quiet => {}
                Batch::Blocks(blocks) => {
                    for block in blocks {
                        let placed = block.value.into_iter();
                        seen.extend(placed.map(|(n, o, b, e)| (n + block.first_line, o, b, e)));
                    }
                    reached.push((reader.reached(), seen.len()));
                }
            }
        }
    }

    fn expected(text: &[u8]) -> Seen {
        let mut seen = Seen::new();
        let mut offset = 0;
        for (i, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
            let ended = line.ends_with(b"\n");
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
            seen.push((i as u64 + 1, offset, bare.to_vec(), ended));
            offset += line.len() as u64;
        }
        seen
    }

    /// Hands out at most `step` bytes at a time.
    struct Slow {
        bytes: io::Cursor<Vec<u8>>,
        step: usize,
    }

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = out.len().min(self.step);
            self.bytes.read(&mut out[..len])
        }
    }

    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            4 => "[a-z\r]{0,9}".prop_map(String::into_bytes),
            1 => (0usize..200_000).prop_map(|n| vec![b'x'; n]),
        ];
        (prop::collection::vec(line, 0..12), any::<bool>()).prop_map(|(lines, ended)| {
            let mut text = lines.join(&b'\n');
            if ended && !text.is_empty() {
                text.push(b'\n');
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn all_ways_of_reading_agree(text in texts(), chunk in prop::sample::select(vec![1usize, 7, 100, 65_536, 1 << 20])) {
            // Tiny chunks of huge texts would only cost time.
            let chunk = if text.len() > 500 { chunk.max(16_384) } else { chunk };
            let want = expected(&text);
            let options = ReaderOptions { chunk, ..ReaderOptions::default() };
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&text).unwrap();
            for threads in [1, 2, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let seen = pool.install(|| read(Reader::new(Opened::path(file.path()).unwrap(), &options)));
                prop_assert_eq!(&seen, &want);
            }
            for step in [1, 7, 65_536] {
                let step = if text.len() > 500 { step.max(4096) } else { step };
                let slow = Slow { bytes: io::Cursor::new(text.clone()), step };
                prop_assert_eq!(&read(Reader::new(Opened::from_reader(slow), &options)), &want);
            }
            let zst = zstd::encode_all(&text[..], 1).unwrap();
            file.as_file_mut().set_len(0).unwrap();
            io::Seek::rewind(file.as_file_mut()).unwrap();
            file.write_all(&zst).unwrap();
            prop_assert_eq!(&read(Reader::new(Opened::path(file.path()).unwrap(), &options)), &want);
        }
    }

    #[test]
    fn a_line_over_the_limit_is_told_by_its_length() {
        let text = format!("a\n{}\nb\n", "x".repeat(300_000));
        let options = ReaderOptions { chunk: 4096, max_line: 200_000, ..ReaderOptions::default() };
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let sources =
            [Opened::path(file.path()).unwrap(), Opened::from_reader(io::Cursor::new(text))];
        for source in sources {
            let mut reader = Reader::new(source, &options);
            let mut found = Vec::new();
            while let Batch::Blocks(blocks) =
                reader.next(&|b| (b.offset, b.oversize, b.lines().count())).unwrap()
            {
                found.extend(blocks.into_iter().map(|b| (b.first_line, b.value)));
            }
            assert!(found.contains(&(2, (2, Some(300_000), 1))), "{found:?}");
            assert_eq!(found.last().map(|f| (f.0, f.1.2)), Some((3, 1)));
        }
    }

    #[test]
    fn a_file_that_shrinks_ends_early() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all("0123456789\n".repeat(1000).as_bytes()).unwrap();
        let options = ReaderOptions { chunk: 64, ..ReaderOptions::default() };
        let reader = Reader::new(Opened::path(file.path()).unwrap(), &options);
        file.as_file_mut().set_len(500).unwrap();
        let seen = read(reader);
        assert_eq!(seen.len(), 46);
        assert!(!seen[45].3);
    }
}

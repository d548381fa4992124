//! Opening: a regular file is read by position, anything else as a stream. Compression is told
//! by the first bytes, whatever the name says.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A source of bytes, ready to be read.
pub enum Opened {
    /// A plain regular file: `start..end` of it.
    File {
        /// The open file.
        file: Arc<File>,
        /// First byte to read.
        start: u64,
        /// The file's length when it was opened; what is written later is not read.
        end: u64,
    },
    /// Bytes that come one after the other.
    Stream {
        /// Where they come from, decompressed.
        bytes: Box<dyn Read + Send>,
        /// What kind of stream it is.
        origin: Origin,
    },
}

/// What a stream is fed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A compressed regular file: it has an end, and can be opened again.
    Compressed,
    /// A pipe or the like: it may wait for its writer.
    Live,
}

impl Opened {
    /// All bytes, one after the other.
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        match self {
            Self::File { file, start, end } => Box::new(Part { file, next: start, end }),
            Self::Stream { bytes, .. } => bytes,
        }
    }

    /// Opens a file. A directory is an error of kind `IsADirectory`.
    pub fn path(path: &Path) -> io::Result<Self> {
        Self::file(File::open(path)?, 0)
    }

    /// Opens a regular file that is known not to be compressed.
    pub fn plain(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        Ok(Self::File { file: Arc::new(file), start: 0, end })
    }

    /// The whole lines of a regular file from byte `from` on, for those who will go on behind them
    /// later. A last line without a line feed is left out of a plain file, since its writer may not
    /// have finished; returns whether there is one. What is compressed is not written on: all of it
    /// is there. An error of kind `UnexpectedEof` says that it holds less than `from` bytes.
    pub fn lines_from(file: File, from: u64) -> io::Result<(Self, bool)> {
        match Self::file(file, 0)? {
            Self::File { end, .. } if end < from => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::File { file, end, .. } => {
                let ended = crate::chunks::end_of_lines(&file, from..end)?;
                Ok((Self::File { file, start: from, end: ended }, ended < end))
            }
            Self::Stream { mut bytes, origin } => {
                if io::copy(&mut bytes.by_ref().take(from), &mut io::sink())? < from {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok((Self::Stream { bytes, origin }, false))
            }
        }
    }

    /// Fills `head` with the first bytes of a regular file, decompressed, as many as there are and
    /// as it has room for. Returns how many there are, and whether the file is plain. For a look at
    /// many files, it does without what reading them takes.
    pub fn head(file: File, head: &mut [u8]) -> io::Result<(usize, bool)> {
        let read = crate::chunks::read_start(&file, head)?;
        if Compression::of(&head[..read]).is_none() {
            return Ok((read, true));
        }
        let most = head.len();
        let mut bytes = Self::file(file, 0)?.into_reader();
        let mut filled = 0;
        while filled < most {
            match bytes.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // What came before it is enough to tell what it is; reading it will tell the rest.
                Err(_) if filled > 0 => break,
                Err(e) => return Err(e),
            }
        }
        Ok((filled, false))
    }

    /// Standard input: read by position if it is a regular file (`< FILE`), else as a stream.
    pub fn stdin() -> io::Result<Self> {
        use std::os::fd::AsFd;
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        // A file that was handed over may have been read from before.
        let start = io::Seek::stream_position(&mut file).unwrap_or(0);
        Self::file(file, start)
    }

    /// Reads from anything.
    pub fn from_reader(bytes: impl Read + Send + 'static) -> Self {
        Self::Stream { bytes: Box::new(bytes), origin: Origin::Live }
    }

    /// Whether the bytes come from something that may wait for its writer.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Stream { origin: Origin::Live, .. })
    }

    fn file(file: File, start: u64) -> io::Result<Self> {
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !meta.is_file() {
            return Self::stream(file);
        }
        let mut magic = [0; 4];
        let read = file.read_at(&mut magic, start)?;
        match Compression::of(&magic[..read]) {
            None => Ok(Self::File { file: Arc::new(file), start, end: meta.len() }),
            Some(kind) => {
                // Read by position: a file handed over as standard input shares its own.
                let part = Part { file: Arc::new(file), next: start, end: u64::MAX };
                Ok(Self::Stream { bytes: kind.decoder(part)?, origin: Origin::Compressed })
            }
        }
    }

    fn stream(mut file: File) -> io::Result<Self> {
        let (mut head, mut len) = ([0; 4], 0);
        while len < head.len() {
            match file.read(&mut head[len..]) {
                Ok(0) => break,
                Ok(n) => len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            if Compression::of(&head[..len]).is_none() && !Compression::possible(&head[..len]) {
                break;
            }
        }
        let bytes = io::Cursor::new(head[..len].to_vec()).chain(file);
        let bytes: Box<dyn Read + Send> = match Compression::of(&head[..len]) {
            Some(kind) => kind.decoder(bytes)?,
            None => Box::new(bytes),
        };
        Ok(Self::Stream { bytes, origin: Origin::Live })
    }
}

/// A part of a file, read by position.
struct Part {
    file: Arc<File>,
    next: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let want = (self.end - self.next).min(out.len() as u64) as usize;
        if want == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut out[..want], self.next)?;
        self.next += read as u64;
        Ok(read)
    }
}

#[derive(Clone, Copy)]
enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    const GZIP: &'static [u8] = &[0x1f, 0x8b];
    const ZSTD: &'static [u8] = &[0x28, 0xb5, 0x2f, 0xfd];

    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(Self::GZIP) {
            return Some(Self::Gzip);
        }
        head.starts_with(Self::ZSTD).then_some(Self::Zstd)
    }

    /// Whether more bytes could still make `head` one of the magic numbers.
    fn possible(head: &[u8]) -> bool {
        Self::GZIP.starts_with(head) || Self::ZSTD.starts_with(head)
    }

    fn decoder(self, bytes: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes)?),
        })
    }
}

//! A log: where it comes from, and what is known of it before it is read.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use agentlog::native::Meta;
use agentlog::record::SrcPath;
use agentlog::zone::Clock;
use jsonl::{Opened, Origin, Reader, ReaderOptions};

use super::Mark;
use super::name_time::{epoch_in_name, time_in_name};
use crate::feed::Ahead;
use crate::flags::Source;
use crate::format::{self, About, Format, Seen};

/// A log that is read.
pub struct Log {
    /// Its path as printed; `-` for standard input.
    pub path: PathBuf,
    /// The same, ready to print.
    pub src: SrcPath,
    /// Whether its kind is not known beforehand, since it comes only once.
    pub unseen: bool,
    /// What kind of log it is: an SSE log as long as that is not known.
    pub format: Format,
    /// Which of the sources that a session may have it is.
    pub source: Source,
    /// The thread of a rollout.
    pub thread: Option<Box<Meta>>,
    /// What names its first row, as a hash, if it is a transcript.
    pub begins_with: Option<u64>,
    /// What was read of it while it was looked at: all of it. Whoever takes that has read it.
    pub(crate) at_sight: Option<Box<Ahead>>,
    /// Whether it is known not to be compressed.
    plain: bool,
    /// Its bytes on disk, if it is a regular file.
    pub size: Option<u64>,
    /// The first time in it, if it is a transcript or rollout.
    pub first: Clock,
    /// Device and inode, if it is a regular file.
    pub id: Option<(u64, u64)>,
    /// Its bytes on disk when it was found, compressed or not.
    pub on_disk: u64,
    /// What it begins with.
    pub mark: Mark,
    /// Whether a last line without a line feed was left for the next run.
    unended: AtomicBool,
    from: From,
}

pub(super) enum From {
    Path,
    /// Standard input that is a regular file: it can be read more than once.
    StdinFile,
    /// What comes once: standard input, a named pipe.
    Live(Mutex<Option<Opened>>),
    /// A file that is kept open.
    Held(Arc<File>, Range<u64>),
    /// A file that is read from a line on, and only whole lines of it.
    Lines(Place),
    /// A file that was read once and is not there any more.
    Gone,
}

/// Where a line starts, in decompressed bytes, and its number.
pub(crate) type Place = (u64, u64);

/// The first line.
pub(crate) const FIRST: Place = (0, 1);

impl Log {
    pub(super) fn new(path: PathBuf, from: From) -> Self {
        let src = SrcPath::new(&path);
        let unseen = matches!(from, From::Live(_));
        let (format, source) = (Format::Sse, Source::Sse);
        let (first, size, thread, plain) = (Clock::Missing, None, None, false);
        Self {
            path,
            src,
            unseen,
            format,
            source,
            thread,
            size,
            first,
            begins_with: None,
            at_sight: None,
            plain,
            id: None,
            on_disk: 0,
            mark: Mark::default(),
            unended: AtomicBool::new(false),
            from,
        }
    }

    /// A log on disk; one that is no regular file, such as a named pipe, comes only once. Standard
    /// input is for the caller.
    pub(crate) fn of_path(file: &jsonl::Found) -> io::Result<Self> {
        let path = file.path.clone();
        if file.is_regular || path == Path::new("-") {
            let size = Some(file.size).filter(|_| file.is_regular);
            let (id, on_disk) = (file.id, file.size);
            return Ok(Self { size, id, on_disk, ..Self::new(path, From::Path) });
        }
        let opened = Opened::path(&path)?;
        Ok(Self::new(path, From::Live(Mutex::new(Some(opened)))))
    }

    /// Opens the log. One that comes only once gives an error the second time.
    pub fn open(&self) -> io::Result<Opened> {
        match &self.from {
            From::Path if self.plain => Opened::plain(&self.path),
            From::Path => Opened::path(&self.path),
            From::StdinFile => Opened::stdin(),
            From::Held(file, range) => {
                Ok(Opened::File { file: Arc::clone(file), start: range.start, end: range.end })
            }
            From::Lines(_) if self.format == Format::Request => Opened::path(&self.path),
            From::Lines(place) => self.open_lines(*place),
            From::Gone => Err(io::ErrorKind::NotFound.into()),
            From::Live(once) => {
                let taken = once.lock().ok().and_then(|mut once| once.take());
                taken.ok_or_else(|| io::Error::other("it comes only once, and was read before"))
            }
        }
    }

    /// Opens the log and tells its kind. Of one that comes only once, the first lines are waited
    /// for.
    pub fn open_seen(&mut self) -> io::Result<Opened> {
        match self.open()? {
            Opened::Stream { bytes, origin: Origin::Live } if self.unseen => {
                let (bytes, seen) = format::peek(bytes)?;
                self.seen(&seen);
                Ok(Opened::Stream { bytes, origin: Origin::Live })
            }
            opened => Ok(opened),
        }
    }

    /// Whether it is a captured request.
    pub fn is_request(&self) -> bool {
        self.format == Format::Request
    }

    /// The time that its name tells, in milliseconds since the epoch, taken as UTC; none if its
    /// first row is known to have one.
    pub fn name_time(&self) -> Option<i64> {
        if self.format == Format::Request
            && let Some(ms) = epoch_in_name(&self.path.file_name()?.to_string_lossy())
        {
            return Some(ms);
        }
        let parts = || self.path.iter().rev();
        let told = || parts().find_map(|part| time_in_name(&part.to_string_lossy()));
        if self.first == Clock::Missing { told() } else { None }
    }

    /// What is known of it.
    pub fn about(&self) -> About<'_> {
        About { format: self.format, thread: self.thread.as_deref() }
    }

    /// Takes what was seen of the log. What is of no known kind is read as an SSE log.
    pub(crate) fn seen(&mut self, seen: &Seen) {
        let format = match seen.format {
            Format::Transcript | Format::Rollout | Format::Request => seen.format,
            _ => Format::Sse,
        };
        (self.format, self.first, self.plain) = (format, seen.first, seen.plain);
        self.mark = seen.mark;
        self.begins_with = seen.begins_with;
        if !seen.plain {
            // What it is when it is decompressed is not known.
            self.size = None;
        }
        self.thread.clone_from(&seen.thread);
        let mirror = self.path.file_name().is_some_and(|name| name == "sessions.jsonl");
        self.source = match format.dialect() {
            // They are none of the sources that a session may have.
            None if format == Format::Request => Source::All,
            None => Source::Sse,
            Some(_) if mirror => Source::Mirror,
            Some(_) => Source::Native,
        };
    }

    /// Makes the log one that can be read from any place, any number of times, and is the same
    /// file each time, whatever becomes of its name. What is compressed, or comes only once, is
    /// written to a temporary file without a name; if it cannot be read to its end, the error is
    /// returned, and what came before it is there.
    pub fn hold(&mut self) -> io::Result<Option<io::Error>> {
        let (held, broken) = match self.open()? {
            Opened::File { file, start, end } => ((file, start..end), None),
            Opened::Stream { mut bytes, .. } => {
                let mut file = tempfile::tempfile().map_err(|e| {
                    let dir = env::temp_dir();
                    io::Error::new(e.kind(), format!("temporary file in {}: {e}", dir.display()))
                })?;
                let broken = spool(&mut *bytes, &mut file)?;
                let len = file.metadata()?.len();
                ((Arc::new(file), 0..len), broken)
            }
        };
        self.from = From::Held(held.0, held.1);
        if self.unseen {
            // What cannot be read is told when it is read.
            if let Ok(seen) = self.open().and_then(format::of) {
                self.seen(&seen);
            }
        }
        Ok(broken)
    }

    /// From now on it is read from that line on, as far as its lines have ends.
    pub(crate) fn read_from(&mut self, place: Place) {
        self.from = From::Lines(place);
    }

    /// Where it is read from.
    pub(crate) fn place(&self) -> Place {
        match self.from {
            From::Lines(place) => place,
            _ => FIRST,
        }
    }

    /// A log that is not there any more; records may still name it.
    pub(crate) fn gone(path: PathBuf) -> Self {
        Self::new(path, From::Gone)
    }

    /// Whether it is not there any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.from, From::Gone)
    }

    /// Whether its last line was left for the next run, since it has no line feed.
    pub(crate) fn is_unended(&self) -> bool {
        self.unended.load(Ordering::Relaxed)
    }

    fn open_lines(&self, (from, _): Place) -> io::Result<Opened> {
        let file = File::open(&self.path)?;
        let meta = file.metadata()?;
        if self.id.is_some_and(|id| id != (meta.dev(), meta.ino())) {
            return Err(io::Error::other("another file took its place just now"));
        }
        let (opened, unended) = Opened::lines_from(file, from).map_err(shorter)?;
        self.unended.store(unended, Ordering::Relaxed);
        Ok(opened)
    }

    /// Starts to read again what stands from `place` to `end`.
    pub(crate) fn reread(
        &self,
        (from, first_line): Place,
        end: u64,
        options: &ReaderOptions,
    ) -> io::Result<Reader> {
        let options = ReaderOptions { first_line, first_offset: from, ..options.clone() };
        match self.open_lines((from, first_line))? {
            Opened::File { end: there, .. } if there < end => {
                Err(shorter(io::ErrorKind::UnexpectedEof.into()))
            }
            Opened::File { file, .. } => Ok(Reader::of_range(&file, from..end, &options)),
            Opened::Stream { bytes, origin } => {
                let bytes = Box::new(bytes.take(end - from));
                Ok(Reader::new(Opened::Stream { bytes, origin }, &options))
            }
        }
    }

    /// Whether it is a file of lines that others may add to.
    pub(crate) fn grows(&self) -> bool {
        let by_name = matches!(self.from, From::Path);
        by_name && self.plain && self.size.is_some() && self.format != Format::Request
    }

    /// Reads a part of the open file from now on.
    pub(crate) fn hold_part(&mut self, file: &Arc<File>, part: Range<u64>) {
        self.from = From::Held(Arc::clone(file), part);
    }

    /// Reads what its name stands for from now on.
    pub(crate) fn let_go(&mut self) {
        if matches!(self.from, From::Held(..)) {
            self.from = From::Path;
        }
    }

    /// Whether it is held.
    pub fn is_held(&self) -> bool {
        matches!(self.from, From::Held(..))
    }

    /// The file that is held; one that is not, since too many were open, is opened again.
    pub fn file(&self) -> io::Result<Arc<File>> {
        match &self.from {
            From::Held(file, _) => Ok(Arc::clone(file)),
            _ => Ok(Arc::new(File::open(&self.path)?)),
        }
    }

    /// Whether it comes only once.
    pub fn is_live(&self) -> bool {
        matches!(self.from, From::Live(_))
    }
}

/// Says what an early end means.
fn shorter(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::UnexpectedEof => {
            io::Error::new(kind, "it holds less than was read of it before")
        }
        _ => error,
    }
}

/// Copies what can be read; an error of the source is returned beside it.
fn spool(from: &mut dyn Read, to: &mut File) -> io::Result<Option<io::Error>> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => to.write_all(&buffer[..read])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Ok(Some(e)),
        }
    }
}

//! Which kind of log a file is, told by its first lines.

use std::cell::Cell;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::path::Path;

use agentlog::event::Provider;
use agentlog::native::{self, Dialect, Meta};
use agentlog::zone::Clock;
use foldhash::quality::FixedState;
use jsonl::{Block, Opened};

use crate::captured;
use crate::inputs::Mark;

/// Kinds of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A centralized SSE log.
    Sse,
    /// A transcript of Claude Code.
    Transcript,
    /// A rollout of Codex CLI.
    Rollout,
    /// One captured request: the whole file is one JSON document.
    Request,
    /// A known kind that these commands do not read yet; its name, in the plural.
    NotYet(&'static str),
    /// Nothing known.
    Unknown,
    /// No line at all.
    Empty,
}

impl Format {
    /// Whether such logs are read.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Sse | Self::Transcript | Self::Rollout | Self::Request)
    }

    /// The dialect of logs that agents write by themselves.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Transcript => Some(Dialect::Transcript),
            Self::Rollout => Some(Dialect::Rollout),
            _ => None,
        }
    }
}

/// What is known of a log before it is read.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its kind.
    pub format: Format,
    /// The thread of a rollout.
    pub thread: Option<&'a Meta>,
}

/// How much to look at first, in bytes: mostly enough.
const FIRST: usize = 8 << 10;
/// What is small, in bytes: read while it is looked at.
const SMALL: u64 = 64 << 10;
/// How far to look for the first line of a known kind.
const FAR: usize = 16 << 20;

thread_local! {
    /// Memory for what is looked at: files are many.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads until `head` is full or the source ends; `head` is cut to what there is.
fn fill(bytes: &mut dyn Read, head: &mut Vec<u8>, mut filled: usize) -> io::Result<()> {
    let result = loop {
        match bytes.read(&mut head[filled..]) {
            Ok(0) => break Ok(()),
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => break Err(e),
        }
    };
    head.truncate(filled);
    result
}

/// What the start of a log tells.
#[derive(Debug)]
pub struct Seen {
    /// Its kind.
    pub format: Format,
    /// The first time in a transcript or rollout.
    pub first: Clock,
    /// What names the first row of a transcript that has a name, as a hash: the same in copies of it.
    pub begins_with: Option<u64>,
    /// Whether it is known not to be compressed.
    pub plain: bool,
    /// The thread of a rollout.
    pub thread: Option<Box<Meta>>,
    /// What it begins with, if that was asked for.
    pub mark: Mark,
    /// Whether there is the end of a line in what was looked at.
    pub has_line: bool,
}

/// Looks at the start of a regular file: at little of it, if that is enough.
pub fn of_file(path: &Path) -> io::Result<Seen> {
    let (seen, mark) = look(path, File::open(path)?, FIRST, |head, _| Mark::of(head))?;
    Ok(Seen { mark, ..seen })
}

/// The same for an open file of so many bytes, without its mark. If it is small and plain, `whole` gets
/// all of its text.
pub fn of_small_file<T>(
    path: &Path,
    (file, size): (File, u64),
    whole: impl FnOnce(&[u8], &Seen) -> Option<T>,
) -> io::Result<(Seen, Option<T>)> {
    let small = size <= SMALL;
    // A byte more than there should be: the file may have grown.
    let want = if small { FIRST.max(size as usize + 1) } else { FIRST };
    look(path, file, want, |text, seen| {
        let is_whole = small && seen.plain && text.len() as u64 == size;
        if is_whole { whole(text, seen) } else { None }
    })
}

/// What a file is, and what `then` makes of its first bytes, `want` at the most.
fn look<T>(
    path: &Path,
    file: File,
    want: usize,
    then: impl FnOnce(&[u8], &Seen) -> T,
) -> io::Result<(Seen, T)> {
    let mut buffer = HEAD.take();
    if buffer.len() < want {
        buffer.resize(want, 0);
    }
    let looked = Opened::head(file, &mut buffer[..want]).and_then(|(read, plain)| {
        let seen = of_head(path, &buffer[..read.min(FIRST)], plain)?;
        let told = then(&buffer[..read], &seen);
        Ok((seen, told))
    });
    HEAD.set(buffer);
    looked
}

/// What a file is that starts so.
fn of_head(path: &Path, head: &[u8], plain: bool) -> io::Result<Seen> {
    let (format, row) = of_start(head);
    let format = captured::in_its_place(path, format);
    let enough = match format {
        Format::Unknown | Format::Empty => false,
        Format::Rollout => head.contains(&b'\n'),
        _ => true,
    };
    let seen = if enough { Seen::new(format, head, row) } else { of(Opened::path(path)?)? };
    Ok(Seen { plain, ..seen })
}

/// Looks at the start of a source, which is then used up.
pub fn of(source: Opened) -> io::Result<Seen> {
    let mut bytes = source.into_reader();
    let mut head = Vec::new();
    let mut want = FIRST;
    loop {
        let before = head.len();
        head.resize(want, 0);
        // A compressed file that ends in the middle tells its kind all the same.
        let read = fill(&mut *bytes, &mut head, before);
        let format = of_text(&head);
        let over = head.len() < want || want >= FAR;
        match (format, read) {
            // The row that tells the thread has to be there to its end.
            (Format::Rollout, Ok(())) if !over && !head.contains(&b'\n') => want *= 8,
            (Format::Unknown | Format::Empty, Err(e)) => return Err(e),
            (Format::Unknown | Format::Empty, Ok(())) if !over => want *= 8,
            _ => return Ok(Seen::marked(format, &head)),
        }
    }
}

/// Reads the first lines of a stream to tell its kind; all of it is still to come afterwards.
pub fn peek(mut bytes: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, Seen)> {
    let mut head = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let format = loop {
        let read = match bytes.read(&mut chunk) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        head.extend_from_slice(&chunk[..read]);
        let format = of_text(&head);
        let known = !matches!(format, Format::Unknown | Format::Empty);
        // A request may have no line's end, and is not looked at again for each part of it.
        let whole_line = format == Format::Request || head.contains(&b'\n');
        if read == 0 || head.len() >= FAR || (whole_line && known) {
            break format;
        }
    };
    let seen = Seen::marked(format, &head);
    Ok((Box::new(io::Cursor::new(head).chain(bytes)), seen))
}

impl Seen {
    fn marked(format: Format, head: &[u8]) -> Self {
        Self { mark: Mark::of(head), ..Self::new(format, head, None) }
    }

    /// Looks at the rows of a log, of which the first may have been read already.
    fn new(format: Format, head: &[u8], row: Option<native::Row<'_>>) -> Self {
        let (first, plain) = (Clock::Missing, false);
        let mark = Mark::default();
        let has_line = head.contains(&b'\n');
        let mut seen =
            Self { format, first, begins_with: None, plain, thread: None, mark, has_line };
        if format == Format::Request {
            seen.first = captured::start_clock(head);
        }
        if format.dialect().is_none() {
            return seen;
        }
        let others = lines(head).skip(usize::from(row.is_some()));
        let others = others.filter_map(|line| native::Row::parse(line.bytes).ok());
        for row in row.into_iter().chain(others) {
            if seen.first == Clock::Missing {
                seen.first = row.clock();
            }
            if seen.begins_with.is_none() {
                seen.begins_with =
                    row.uuid().map(|uuid| FixedState::with_seed(0).hash_one(uuid.raw));
            }
            seen.thread = seen.thread.or_else(|| row.meta().map(Box::new));
            let is_named = seen.thread.is_some() || seen.begins_with.is_some();
            if is_named && seen.first != Clock::Missing {
                break;
            }
        }
        seen
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = jsonl::Line<'_>> {
    let block = Block { bytes: head, offset: 0, oversize: None, max_line: u64::MAX };
    block.lines().filter(|line| !line.bytes.trim_ascii().is_empty())
}

pub(crate) fn of_text(head: &[u8]) -> Format {
    of_start(head).0
}

/// What starts so, and the first row if that told it.
fn of_start(head: &[u8]) -> (Format, Option<native::Row<'_>>) {
    let mut format = Format::Empty;
    for (at, line) in lines(head).enumerate() {
        let (kind, row) = of_line(line.bytes);
        match kind {
            Format::Request if format == Format::Empty => {
                return (captured::of_first_line(head), None);
            }
            Format::Unknown if format == Format::Empty && captured::is_start(head) => {
                return (Format::Request, None);
            }
            Format::Unknown | Format::Request => format = Format::Unknown,
            known => return (known, row.filter(|_| at == 0)),
        }
    }
    (format, None)
}

/// Room for the keys of a line: most have fewer.
const KEYS_AT_FIRST: usize = 32;

/// The keys that tell an SSE row, the surest first.
const KEYS: [&str; 2] = ["line", "event"];

/// The keys of the first line of a rollout of early 2025.
const HEADER: [&str; 3] = ["id", "timestamp", "instructions"];

/// The kind of log that a line belongs to, and its row if it is one of those that agents write. The
/// line may be cut short: its first keys are enough.
fn of_line(line: &[u8]) -> (Format, Option<native::Row<'_>>) {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&line[..e.valid_up_to()]).unwrap_or_default(),
    };
    let (mut keys, mut inside) =
        (Vec::with_capacity(KEYS_AT_FIRST), Vec::with_capacity(KEYS_AT_FIRST));
    let (mut provider, mut kind) = (None, None);
    let read = native::Row::read(text, |within, key, value| {
        if within { &mut inside } else { &mut keys }.push(key);
        if key == "type" && !within {
            kind = Some(value.raw);
        }
        if key == "event" && !within {
            provider = value.str().and_then(|name| agentlog::sse::provider_of(&name));
        }
    });
    let start = &text[..text.floor_char_boundary(4096)];
    if read.is_err() {
        // A line that is cut short ends inside a value whose key was read: it is near the start.
        keys.extend(KEYS.iter().find(|key| start.contains(&format!("\"{key}\""))));
    }
    let kind = Members { keys: &keys, inside: &inside, provider, kind, start }.format();
    // A line with bytes that are no text is no row, however whole it is before them.
    (kind, read.ok().flatten().filter(|_| text.len() == line.len()))
}

/// What the members of a line tell.
struct Members<'a> {
    keys: &'a [&'a str],
    /// Those of its `message`.
    inside: &'a [&'a str],
    /// Who writes events of that name.
    provider: Option<Provider>,
    /// Its `type`.
    kind: Option<&'a str>,
    start: &'a str,
}

impl Members<'_> {
    fn format(&self) -> Format {
        let Self { keys, inside, provider, kind, start } = self;
        let has = |key: &str| keys.contains(&key);
        let count = |set: &[&str]| set.iter().filter(|key| has(key)).count();
        if provider.is_some()
            || (has("line") && count(&["event", "t", "sid", "flow_id"]) > 0)
            || (has("event") && count(&["t", "sid", "flow_id", "metadata"]) > 0)
            || (*keys == ["line"] && start.contains("data:"))
        {
            return Format::Sse;
        }
        if count(&["method", "url"]) == 2 {
            return Format::Request;
        }
        if count(&["request", "response"]) == 2 {
            return Format::NotYet("claude-trace pairs");
        }
        if has("type") && has("payload") || has("record_type") || count(&HEADER) == HEADER.len() {
            return Format::Rollout;
        }
        if has("systemPayload") || inside.contains(&"parts") {
            return Format::NotYet("logs of Qwen Code");
        }
        let of_agent = matches!(kind, Some("user" | "assistant")) && has("message");
        // What a workflow did: it stands among transcripts, and tells nothing of its own.
        let of_workflow =
            matches!(kind, Some("started" | "result")) && count(&["key", "agentId"]) == 2;
        let told = count(&["uuid", "parentUuid", "sessionId", "leafUuid", "messageId"]) > 0;
        if has("type") && (told || of_agent || of_workflow) || has("message") && has("sessionId") {
            return Format::Transcript;
        }
        Format::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_is_taken_over_if_all_of_its_line_is_one() {
        let row = br#"{"type":"user","uuid":"1","timestamp":"2030-01-01T00:00:00Z"}"#;
        for (end, is_row) in [(&b"\n"[..], true), (b"", true), (b"\xff\n", false), (b"{}\n", false)]
        {
            let head = [row, end].concat();
            let (format, first) = of_start(&head);
            assert_eq!(first.is_some(), is_row, "{end:?}");
            let of_rows = Seen::new(format, &head, None);
            let seen = Seen::new(format, &head, first);
            assert_eq!((seen.first, seen.begins_with), (of_rows.first, of_rows.begins_with));
        }
    }

    #[test]
    fn kinds_by_their_first_known_line() {
        let sse = Format::Sse;
        let (claude, codex) = (Format::Transcript, Format::Rollout);
        for (text, want) in [
            ("", Format::Empty),
            ("\n \n", Format::Empty),
            ("hello\n[1]\n", Format::Unknown),
            ("{\"a\":1}\nnot json\n{\"event\":\"codex.idle\",\"t\":\"x\"}\n", sse),
            ("{\"event\":\"turn.user_message\",\"t\":\"2025-11", sse),
            ("{\"line\":\"data: {}\",\"sid\":\"\"}", sse),
            ("{\"event\":\"login\",\"level\":\"info\"}", Format::Unknown),
            ("{\"type\":\"user\",\"uuid\":\"1\"}", claude),
            ("{\"timestamp\":\"\",\"type\":\"event_msg\",\"payload\":{}}", codex),
        ] {
            let source = Opened::from_reader(io::Cursor::new(text.as_bytes().to_vec()));
            assert_eq!(of(source).unwrap().format, want, "{text}");
        }
    }
}

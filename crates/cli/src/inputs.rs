//! From the flags to the logs that are read: paths, standard input, or the default roots.

mod watch;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use agentlog::record::SrcPath;
use agentlog::time::{Stamp, days_from_civil};
use anyhow::Context;
use jsonl::{Opened, Origin};

use crate::flags::{InputFlags, Source};
use crate::format::{self, Format};
use crate::report::Report;
use watch::{Watch, Watched};

/// A log that is read.
pub struct Log {
    /// Its path as printed; `-` for standard input.
    pub path: PathBuf,
    /// The same, ready to print.
    pub src: SrcPath,
    /// The time that its name tells, in milliseconds since the epoch, taken as UTC.
    pub name_time: Option<i64>,
    /// Whether its kind is not known beforehand, since it comes only once.
    pub unseen: bool,
    from: From,
}

enum From {
    Path,
    /// Standard input that is a regular file: it can be read more than once.
    StdinFile,
    /// Standard input that comes once.
    Live(Mutex<Option<Opened>>),
    /// A file that is kept open.
    Held(Arc<File>, Range<u64>),
}

/// All the logs of a run.
pub struct Logs {
    /// In the order of the input.
    pub logs: Vec<Log>,
    /// Whether the one input is a pipe: records are then printed as they become final.
    pub live: bool,
}

impl Log {
    fn new(path: PathBuf, from: From) -> Self {
        let src = SrcPath::new(&path);
        let name_time = path.iter().rev().find_map(|part| time_in_name(&part.to_string_lossy()));
        let unseen = matches!(from, From::Live(_));
        Self { path, src, name_time, unseen, from }
    }

    /// A log on disk; one that is no regular file, such as a named pipe, comes only once.
    fn of_path(path: PathBuf) -> io::Result<Self> {
        if fs::metadata(&path)?.is_file() {
            return Ok(Self::new(path, From::Path));
        }
        let opened = Opened::path(&path)?;
        Ok(Self::new(path, From::Live(Mutex::new(Some(opened)))))
    }

    /// Opens the log. One that comes only once gives an error the second time.
    pub fn open(&self) -> io::Result<Opened> {
        match &self.from {
            From::Path => Opened::path(&self.path),
            From::StdinFile => Opened::stdin(),
            From::Held(file, range) => {
                Ok(Opened::File { file: Arc::clone(file), start: range.start, end: range.end })
            }
            From::Live(once) => {
                let taken = once.lock().ok().and_then(|mut once| once.take());
                taken.ok_or_else(|| io::Error::other("standard input was read before"))
            }
        }
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
        Ok(broken)
    }

    /// The file that is held, and the part of it that is read.
    pub fn held(&self) -> Option<(&Arc<File>, Range<u64>)> {
        match &self.from {
            From::Held(file, range) => Some((file, range.clone())),
            _ => None,
        }
    }

    /// Whether it comes only once.
    pub fn is_live(&self) -> bool {
        matches!(self.from, From::Live(_))
    }
}

/// Finds the logs to read. `since`, in milliseconds, spares walked files that ended long before.
pub fn find(flags: &InputFlags, since: Option<i64>, report: &mut Report) -> anyhow::Result<Logs> {
    let mut paths = flags.paths.clone();
    if let Some(list) = &flags.files_from {
        paths.extend(listed(list, b'\n')?);
    }
    if let Some(list) = &flags.files0_from {
        paths.extend(listed(list, 0)?);
    }
    let named =
        !flags.paths.is_empty() || flags.files_from.is_some() || flags.files0_from.is_some();
    let unasked = !named && !flags.discover && stdin_is_input();
    if unasked {
        paths.push(PathBuf::from("-"));
    } else if !named {
        paths = default_roots().into_iter().filter(|root| root.exists()).collect();
        let shown: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        report.note(&match shown.len() {
            0 => "no logs in the default roots: name a PATH, or set ALOG_ROOTS".to_owned(),
            _ => format!("reading {}", shown.join(", ")),
        });
    }
    let mut search =
        Search { source: flags.source, since, named: named || unasked, unasked, report };
    let found = search.run(&paths)?;
    let live = matches!(&found[..], [only] if only.is_live());
    Ok(Logs { logs: found, live })
}

struct Search<'a> {
    source: Source,
    since: Option<i64>,
    /// Whether the user said what to read.
    named: bool,
    /// Whether standard input is read without having been named.
    unasked: bool,
    report: &'a mut Report,
}

impl Search<'_> {
    fn run(&mut self, paths: &[PathBuf]) -> anyhow::Result<Vec<Log>> {
        let inputs = jsonl::walk(paths);
        for (path, error) in &inputs.unreadable {
            self.report.trouble(&format!("{}: {error}", path.display()));
        }
        let mut logs = Vec::new();
        let mut passed = Passed::default();
        let piped = inputs.files.iter().any(|file| file.path == Path::new("-"));
        let stdin = fs::metadata("/dev/stdin").ok().filter(|_| piped).map(|m| (m.dev(), m.ino()));
        for file in inputs.files {
            let id = fs::metadata(&file.path).ok().map(|m| (m.dev(), m.ino()));
            if stdin.is_some() && id == stdin {
                continue;
            }
            if file.walked && self.is_over(file.modified) {
                self.report.counts.files_skipped += 1;
                continue;
            }
            logs.extend(self.log(&file.path, &mut passed)?);
        }
        let nothing_known = logs.is_empty() && self.report.counts.files == 0;
        passed.tell(self.report, nothing_known && self.named);
        Ok(logs)
    }

    /// Opens a path and tells what it holds: a log to read, or something to pass over.
    fn log(&mut self, path: &Path, passed: &mut Passed) -> anyhow::Result<Option<Log>> {
        let log = if path == Path::new("-") {
            stdin_log(self.unasked)?
        } else {
            match Log::of_path(path.to_owned()) {
                Ok(log) => log,
                Err(e) => {
                    self.report.trouble(&format!("{}: {e}", path.display()));
                    return Ok(None);
                }
            }
        };
        if log.is_live() {
            return Ok(Some(log));
        }
        match log.open().and_then(format::of) {
            Ok(Format::Sse) if matches!(self.source, Source::All | Source::Sse) => {
                return Ok(Some(log));
            }
            Ok(Format::Sse) => passed.by_source += 1,
            Ok(Format::Empty) => self.report.counts.files += 1,
            Ok(format) => passed.add(log.path, format),
            Err(e) => self.report.trouble(&format!("{}: {e}", log.path.display())),
        }
        Ok(None)
    }

    /// Whether a walked file was last written more than a day before the time asked for.
    fn is_over(&self, modified: Option<std::time::SystemTime>) -> bool {
        let (Some(since), Some(modified)) = (self.since, modified) else { return false };
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        (modified.as_millis() as i64) < since - 86_400_000
    }
}

/// Files that are not read, told once for each kind.
#[derive(Default)]
struct Passed {
    unknown: Vec<PathBuf>,
    not_yet: Vec<(&'static str, Vec<PathBuf>)>,
    /// SSE logs that `--source` leaves out.
    by_source: u64,
}

/// How many files of no known kind are named one by one.
const NAMED: usize = 10;

impl Passed {
    fn add(&mut self, path: PathBuf, format: Format) {
        match format {
            Format::NotYet(kind) => match self.not_yet.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, paths)) => paths.push(path),
                None => self.not_yet.push((kind, vec![path])),
            },
            _ => self.unknown.push(path),
        }
    }

    fn tell(&self, report: &mut Report, nothing_else: bool) {
        for path in self.unknown.iter().take(NAMED) {
            report.remark(&format!("{}: not a log of a known format, skipped", path.display()));
        }
        if let Some(more) = self.unknown.len().checked_sub(NAMED).filter(|n| *n > 0) {
            report.remark(&format!("{more} more files of no known format, skipped"));
        }
        for (kind, paths) in &self.not_yet {
            let (n, first) = (paths.len(), paths[0].display());
            report.remark(&format!("{kind} are not read yet: {n} skipped, the first is {first}"));
        }
        report.counts.files_skipped += self.by_source;
        if self.by_source > 0 {
            report.remark(&format!("{} SSE logs are left out by --source", self.by_source));
        }
        let count = self.unknown.len() + self.not_yet.iter().map(|(_, p)| p.len()).sum::<usize>();
        report.counts.unknown_files += count as u64;
        if nothing_else && count > 0 {
            report.trouble("none of the named paths holds a log that can be read");
        }
    }
}

/// Reads a list of paths.
fn listed(list: &Path, end: u8) -> anyhow::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    if list == Path::new("-") {
        io::stdin().lock().read_to_end(&mut text).context("standard input")?;
    } else {
        text = fs::read(list).with_context(|| list.display().to_string())?;
    }
    let paths = text.split(|b| *b == end).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsString::from_vec(path.to_vec()))).collect())
}

/// Whether standard input is something that was given to us: a pipe or a file, not a terminal.
fn stdin_is_input() -> bool {
    let Ok(meta) = fs::metadata("/dev/stdin") else { return false };
    let kind = meta.file_type();
    kind.is_file() || kind.is_fifo() || kind.is_socket()
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

/// Standard input. If nobody asked for it, and nothing comes, that is remarked on.
fn stdin_log(unasked: bool) -> anyhow::Result<Log> {
    let path = PathBuf::from("-");
    // Opening waits for the first bytes, so the watch starts before.
    let watch = unasked.then(Watch::start);
    let opened = Opened::stdin().context("standard input")?;
    if let Opened::Stream { bytes, origin: Origin::Live } = opened {
        let bytes = match watch {
            Some(watch) => Box::new(Watched { bytes, watch }),
            None => bytes,
        };
        let opened = Opened::Stream { bytes, origin: Origin::Live };
        return Ok(Log::new(path, From::Live(Mutex::new(Some(opened)))));
    }
    if let Some(watch) = watch {
        watch.came();
    }
    Ok(Log::new(path, From::StdinFile))
}

/// Where the agents keep their logs on this machine.
pub fn default_roots() -> Vec<PathBuf> {
    if let Some(roots) = env::var_os("ALOG_ROOTS").filter(|roots| !roots.is_empty()) {
        return env::split_paths(&roots).collect();
    }
    let home = env::home_dir().unwrap_or_default();
    let mut roots = vec![home.join("centralized-logs")];
    if let Some(dirs) = comma_list("CLAUDE_CONFIG_DIR") {
        roots.extend(dirs.into_iter().map(|dir| {
            let projects = dir.join("projects");
            if dir.ends_with("projects") || !projects.exists() { dir } else { projects }
        }));
    } else {
        let config = env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty());
        let config = config.map_or_else(|| home.join(".config"), PathBuf::from);
        roots.push(home.join(".claude/projects"));
        roots.push(config.join("claude/projects"));
    }
    for dir in comma_list("CODEX_HOME").unwrap_or_else(|| vec![home.join(".codex")]) {
        roots.push(dir.join("sessions"));
        roots.push(dir.join("archived_sessions"));
    }
    roots
}

fn comma_list(name: &str) -> Option<Vec<PathBuf>> {
    let list = env::var(name).ok().filter(|list| !list.is_empty())?;
    Some(list.split(',').map(|dir| PathBuf::from(dir.trim())).collect())
}

/// The time in a name: `…YYYY_MM_DD[_HH_MM_SS]…` or with dashes, as archives and request files
/// have it.
fn time_in_name(name: &str) -> Option<i64> {
    let numbers: Vec<&str> =
        name.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    let at =
        numbers.windows(3).position(|w| w[0].len() == 4 && w[1].len() == 2 && w[2].len() == 2)?;
    let number = |i: usize| numbers.get(at + i).and_then(|n| n.parse::<i64>().ok());
    days_from_civil(number(0)?, number(1)?, number(2)?)?;
    let part = |i: usize| numbers.get(at + i).filter(|n| n.len() == 2).copied();
    let clock = match (part(3), part(4), part(5)) {
        (Some(h), Some(m), Some(s)) => format!("{h}:{m}:{s}"),
        _ => "00:00:00".to_owned(),
    };
    let (y, m, d) = (numbers[at], numbers[at + 1], numbers[at + 2]);
    match Stamp::parse(&format!("{y}-{m}-{d}T{clock}"))? {
        Stamp::Local(ms) | Stamp::Utc(ms) => Some(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_names() {
        let day = 1_763_424_000_000;
        assert_eq!(time_in_name("archive_2025_11_18"), Some(day));
        assert_eq!(time_in_name("x__2025_11_18_01_02_03_.123456.json"), Some(day + 3_723_000));
        assert_eq!(
            time_in_name("rollout-2025-11-18T01-02-03-019a9776-b774.jsonl"),
            Some(day + 3_723_000)
        );
        assert_eq!(time_in_name("2025_13_18"), None);
        assert_eq!(time_in_name("sse_lines.jsonl.1"), None);
    }
}

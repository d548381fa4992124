//! What a run tells about itself: counts, bad lines, remarks, and the exit status.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use agentlog::json::string_into;

use crate::flags::{CheckFlags, OutputFlags};

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// 0: done.
    Done,
    /// 1: a check failed.
    Failed,
    /// 2: input that could not be read, or a bad line with `--strict`.
    Trouble,
    /// 130: ended by the keyboard.
    Interrupted = 130,
    /// 143: ended by whoever manages processes.
    Terminated = 143,
}

/// A line that could not be read.
#[derive(Clone, Debug)]
pub struct BadLine {
    /// Line number from 1.
    pub line: u64,
    /// Where it starts, in bytes.
    pub offset: u64,
    /// Its length, in bytes, without its end.
    pub len: u64,
    /// What is wrong.
    pub reason: String,
    /// The bytes, or their start if the line is over the limit.
    pub text: Vec<u8>,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Counts {
    pub files: u64,
    pub files_skipped: u64,
    pub bytes: u64,
    pub lines: u64,
    pub events: u64,
    pub records: u64,
    pub bad_lines: u64,
    pub partial_lines: u64,
    pub late_rows: u64,
    pub unknown_files: u64,
}

impl Counts {
    /// The most of each, of two readings of the same logs.
    fn most(self, other: Self) -> Self {
        Self {
            files: self.files.max(other.files),
            files_skipped: self.files_skipped.max(other.files_skipped),
            bytes: self.bytes.max(other.bytes),
            lines: self.lines.max(other.lines),
            events: self.events.max(other.events),
            records: self.records.max(other.records),
            bad_lines: self.bad_lines.max(other.bad_lines),
            partial_lines: self.partial_lines.max(other.partial_lines),
            late_rows: self.late_rows.max(other.late_rows),
            unknown_files: self.unknown_files.max(other.unknown_files),
        }
    }
}

/// What was told, where the same logs are read several times.
#[derive(Default)]
struct Told {
    texts: Mutex<HashSet<String>>,
    /// Bad and partial lines, by their logs and numbers.
    lines: HashSet<(PathBuf, u64)>,
    counts: Counts,
}

/// Gathers what is told at the end.
pub struct Report {
    /// What was counted so far.
    pub counts: Counts,
    quiet: bool,
    strict: bool,
    summary: bool,
    fail_empty: bool,
    started: Instant,
    first_bad: Option<String>,
    first_partial: Option<String>,
    bad_lines: Option<(BufWriter<File>, String)>,
    trouble: bool,
    signal: Option<i32>,
    /// None if all is told as it comes.
    told: Option<Told>,
}

impl Report {
    /// Starts a run; opens the file of bad lines.
    pub fn new(checks: &CheckFlags, output: &OutputFlags) -> anyhow::Result<Self> {
        let bad_lines = match &checks.bad_lines {
            Some(path) => {
                let file = File::create(path)
                    .map_err(|e| anyhow::anyhow!("--bad-lines: {}: {e}", path.display()))?;
                Some((BufWriter::new(file), path.display().to_string()))
            }
            None => None,
        };
        Ok(Self {
            counts: Counts::default(),
            quiet: output.quiet,
            strict: checks.strict,
            summary: checks.summary,
            fail_empty: checks.fail_empty,
            started: Instant::now(),
            first_bad: None,
            first_partial: None,
            bad_lines,
            trouble: false,
            signal: None,
            told: None,
        })
    }

    /// A report of several readings of the same logs. Each may begin elsewhere, so that each may meet
    /// what the others did not; what two of them meet is told once.
    #[must_use]
    pub fn of_readings(self) -> Self {
        Self { told: Some(Told::default()), ..self }
    }

    /// Begins the next reading. What readings count is not added up: the most of each is told.
    pub fn begin_reading(&mut self) {
        let Some(told) = &mut self.told else { return };
        told.counts = told.counts.most(self.counts);
        let Counts { bad_lines, partial_lines, .. } = self.counts;
        self.counts = Counts { bad_lines, partial_lines, ..Counts::default() };
    }

    fn is_new_text(&self, text: &str) -> bool {
        let Some(told) = &self.told else { return true };
        told.texts.lock().map_or(true, |mut texts| texts.insert(text.to_owned()))
    }

    fn is_new_line(&mut self, path: &Path, line: u64) -> bool {
        self.told.as_mut().is_none_or(|told| told.lines.insert((path.to_owned(), line)))
    }

    fn say(&self, text: &str) {
        if self.is_new_text(text) {
            say(text);
        }
    }

    /// Tells what is being done; `-q` silences it.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Tells of something that the records do not show. Never silenced.
    pub fn remark(&self, text: &str) {
        self.say(text);
    }

    /// Tells of input that could not be read; the status will say so too.
    pub fn trouble(&mut self, text: &str) {
        self.trouble = true;
        self.say(text);
    }

    /// Hands bad lines that were written to whoever reads them.
    pub(crate) fn flush(&mut self) {
        if let Some((file, name)) = &mut self.bad_lines
            && let Err(e) = file.flush()
        {
            let text = format!("--bad-lines: {name}: {e}");
            self.bad_lines = None;
            self.trouble(&text);
        }
    }

    /// A signal ended the run.
    pub(crate) fn ended_by(&mut self, signal: i32) {
        self.signal = Some(signal);
    }

    /// Counts a bad line.
    pub fn bad_line(&mut self, path: &Path, bad: &BadLine) {
        if !self.is_new_line(path, bad.line) {
            return;
        }
        self.counts.bad_lines += 1;
        let place = || format!("{}:{}: {}", path.display(), bad.line, bad.reason);
        self.first_bad.get_or_insert_with(place);
        self.write_bad(path, bad);
    }

    /// Counts a last line that its writer has not ended yet.
    pub fn partial_line(&mut self, path: &Path, bad: &BadLine) {
        if !self.is_new_line(path, bad.line) {
            return;
        }
        self.counts.partial_lines += 1;
        let place = || format!("{}:{}", path.display(), bad.line);
        self.first_partial.get_or_insert_with(place);
        self.write_bad(path, &BadLine { reason: "partial".into(), ..bad.clone() });
    }

    /// Counts a last line that is left until its writer has ended it.
    pub fn unended_line(&mut self, path: &Path, line: u64) {
        if !self.is_new_line(path, line) {
            return;
        }
        self.counts.partial_lines += 1;
        self.first_partial.get_or_insert_with(|| format!("{}:{line}", path.display()));
    }

    fn write_bad(&mut self, path: &Path, bad: &BadLine) {
        let Some((file, name)) = &mut self.bad_lines else { return };
        let mut record = b"{\"schema\":\"alog.bad_line/1\",\"path\":".to_vec();
        string_into(path.to_string_lossy().as_bytes(), &mut record);
        let (line, offset, len) = (bad.line, bad.offset, bad.len);
        record.extend(
            format!(",\"line\":{line},\"offset\":{offset},\"len\":{len},\"reason\":").bytes(),
        );
        string_into(bad.reason.as_bytes(), &mut record);
        record.extend_from_slice(b",\"text\":");
        string_into(String::from_utf8_lossy(&bad.text).as_bytes(), &mut record);
        record.extend_from_slice(b"}\n");
        if let Err(e) = file.write_all(&record) {
            let text = format!("--bad-lines: {name}: {e}");
            self.bad_lines = None;
            self.trouble(&text);
        }
    }

    /// Says what has to be said, and what the status is.
    pub fn finish(mut self) -> Verdict {
        if let Some(told) = &self.told {
            self.counts = self.counts.most(told.counts);
        }
        if let Some((mut file, name)) = self.bad_lines.take()
            && let Err(e) = file.flush()
        {
            self.trouble(&format!("--bad-lines: {name}: {e}"));
        }
        let plural = |n| if n == 1 { "" } else { "s" };
        if let Some(first) = &self.first_bad {
            let n = self.counts.bad_lines;
            self.remark(&format!("{n} bad line{}, the first at {first}", plural(n)));
        }
        if let Some(first) = &self.first_partial {
            let n = self.counts.partial_lines;
            self.remark(&format!("{n} partial last line{}, the first at {first}", plural(n)));
        }
        let verdict = self.verdict();
        if self.summary {
            let c = &self.counts;
            say_raw(&format!(
                "{{\"schema\":\"alog.summary/1\",\"files\":{},\"files_skipped\":{},\"bytes\":{},\
                 \"lines\":{},\"events\":{},\"records\":{},\"bad_lines\":{},\"partial_lines\":{},\
                 \"late_rows\":{},\"unknown_files\":{},\"elapsed_ms\":{}}}",
                c.files,
                c.files_skipped,
                c.bytes,
                c.lines,
                c.events,
                c.records,
                c.bad_lines,
                c.partial_lines,
                c.late_rows,
                c.unknown_files,
                self.started.elapsed().as_millis()
            ));
        }
        verdict
    }

    fn verdict(&self) -> Verdict {
        if let Some(signal) = self.signal {
            let interrupted = signal == signal_hook::consts::SIGINT;
            if interrupted { Verdict::Interrupted } else { Verdict::Terminated }
        } else if self.trouble || (self.strict && self.counts.bad_lines > 0) {
            Verdict::Trouble
        } else if self.fail_empty && self.counts.records == 0 {
            Verdict::Failed
        } else {
            Verdict::Done
        }
    }
}

pub(crate) fn say(text: &str) {
    say_raw(&format!("{}: {text}", crate::command_name()));
}

/// A closed stderr is no reason to stop.
fn say_raw(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

//! What was typed: the flags that all commands share. Nothing here does any work.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Which files are read.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Input")]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
pub struct InputFlags {
    /// Logs: files, directories, or - for standard input
    ///
    /// Directories are walked for *.jsonl, *.jsonl.* and requests/*.json. Gzip and zstd are told by
    /// content. Without a PATH, standard input is read if it is a pipe or a file, else the default
    /// roots ($ALOG_ROOTS, or the places where the agents keep their logs).
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Read paths from FILE (- for standard input), one a line
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,

    /// Read paths from FILE (- for standard input), ended by NUL
    #[arg(long, value_name = "FILE", conflicts_with = "files_from")]
    pub files0_from: Option<PathBuf>,

    /// Read the default roots, whatever standard input is
    #[arg(long, conflicts_with_all = ["paths", "files_from", "files0_from"])]
    pub discover: bool,

    /// Where sessions are taken from [default: for each the best there is]
    ///
    /// A session may be in several logs. Its own log counts, else its mirror (sessions.jsonl), else
    /// the centralized SSE log. all counts what each of them tells.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<Source>,

    /// Longest line that is read, such as 64M; longer ones are bad
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse_size)]
    pub max_line: u64,

    /// Threads [default: one a core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// Sources of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// Centralized SSE logs
    Sse,
    /// The logs that agents write by themselves
    Native,
    /// sessions.jsonl beside the SSE logs
    Mirror,
    /// All of them
    All,
}

/// Which records are printed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Selection")]
pub struct SelectionFlags {
    /// Only this agent
    #[arg(long, value_name = "NAME")]
    pub provider: Option<ProviderName>,

    /// Only this session: its id, or 4 or more characters of either end
    ///
    /// May be given several times. A part that fits several sessions is refused, with their ids.
    #[arg(long, value_name = "ID")]
    pub session: Vec<String>,

    /// Only what ran in this directory or below
    #[arg(long, value_name = "PATH")]
    pub cwd: Option<String>,

    /// Only from this time on, such as 2h, today, or 2025-11-18T09:30
    ///
    /// RFC 3339, YYYY-MM-DD[THH:MM[:SS]], @EPOCH, now, today, yesterday, a weekday (the latest), or an
    /// age: 90s, 15m, 2h, 7d, 2w.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Only the latest N, still oldest first
    #[arg(short = 'n', long, value_name = "N")]
    pub last: Option<u64>,

    /// Only the first N
    #[arg(long, value_name = "N", conflicts_with = "last")]
    pub first: Option<u64>,

    /// Offset of the times in SSE logs: auto, local, an IANA name, or ±HH:MM
    ///
    /// auto takes it from each session: a UTC stamp in the row, else the UUIDv7 of its rounds,
    /// else the zone of this machine.
    #[arg(long, value_name = "ZONE", default_value = "auto", allow_hyphen_values = true)]
    pub tz: String,

    /// Zone of the days and hours in --since and --until: local, an IANA name, or ±HH:MM
    #[arg(long, value_name = "ZONE", default_value = "local", allow_hyphen_values = true)]
    pub zone: String,
}

/// The agents by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum ProviderName {
    Claude,
    Codex,
}

/// How records are printed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// Form of the output
    #[arg(short = 'o', long, value_name = "FORM", default_value = "ndjson")]
    pub output: Form,

    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,

    /// End records with NUL instead of a line feed
    #[arg(short = '0', long = "null")]
    pub null: bool,

    /// Colour in tables
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,

    /// No progress on stderr; what was bad or left out is told all the same
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Print the record's JSON Schema
    #[arg(long)]
    pub schema: bool,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One JSON object a line
    #[default]
    Ndjson,
    /// Aligned columns, for people
    Table,
    /// Comma-separated, with a header; nested values as JSON
    Csv,
    /// Tab-separated, with a header; nested values as JSON
    Tsv,
    /// One JSON array
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Whether and how logs are followed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Following")]
pub struct FollowFlags {
    /// Go on as the logs grow, and take in new ones
    ///
    /// What is there is printed first. Directories are watched for new files, in new folders too.
    /// Files are followed by name: through rotation, truncation and compression.
    #[arg(short, long)]
    pub follow: bool,

    /// End after so long, such as 90s or 2h
    #[arg(long = "for", value_name = "DURATION", requires = "follow", value_parser = parse_duration)]
    pub lasting: Option<Duration>,

    /// End when nothing came for so long
    #[arg(long, value_name = "DURATION", requires = "follow", value_parser = parse_duration)]
    pub until_idle: Option<Duration>,

    /// How long a row is held back for what may belong before it
    #[arg(long, value_name = "DURATION", default_value = "500ms", value_parser = parse_duration)]
    pub window: Duration,

    /// Look for changes so often, such as 2s, where the system does not tell them
    ///
    /// Bare numbers are seconds. It is needed for network file systems, and taken by itself, once a
    /// second, where the system grants no more watches.
    #[arg(long, value_name = "DURATION", requires = "follow", value_parser = parse_seconds)]
    pub poll: Option<Duration>,
}

/// Which states of records are printed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Following")]
pub struct EmitFlags {
    /// States of records that are printed: start, update, end
    ///
    /// By default a record is printed when nothing can change it any more. With start it is printed,
    /// too, when it begins, with update whenever it is another by then. All have a key `final`
    /// then, which is false in those, and the same `src`.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "end")]
    pub emit: Vec<Emit>,
}

impl EmitFlags {
    /// Whether earlier states are asked for.
    pub fn has_states(&self) -> bool {
        self.emit.iter().any(|state| *state != Emit::End)
    }
}

/// A state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// As it begins
    Start,
    /// As it is by now
    Update,
    /// As it stays
    End,
}

/// What becomes of bad input, and what is told about the run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Checks")]
pub struct CheckFlags {
    /// Read every line, and end with status 2 if one is bad
    #[arg(long)]
    pub strict: bool,

    /// Write bad lines to FILE as NDJSON
    #[arg(long, value_name = "FILE")]
    pub bad_lines: Option<PathBuf>,

    /// End with status 1 if no record was printed
    #[arg(long)]
    pub fail_empty: bool,

    /// Tell what was read, as JSON, in the last line of stderr
    #[arg(long)]
    pub summary: bool,
}

/// What is kept between runs.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Runs")]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
pub struct StateFlags {
    /// Print what is new since the last run, which left its state in FILE
    ///
    /// The first run reads everything. Records are printed when they are final, in that order; what is
    /// open, and the last 5 seconds of the logs, wait for the next run. The state is of one command
    /// with the same flags. Takes neither -n nor --first, and no -o table or json.
    #[arg(id = "state_file", long = "state-file", value_name = "FILE", conflicts_with = "follow")]
    pub file: Option<PathBuf>,

    /// With --state-file, print what is open, too; it stays in the state
    #[arg(long, requires = "state_file")]
    pub flush_open: bool,
}

/// Texts about the command itself.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Help")]
pub struct HelpFlags {
    /// Print a completion script for SHELL
    #[arg(long, value_name = "SHELL")]
    pub completions: Option<clap_complete::Shell>,

    /// Print the manual page (roff)
    #[arg(long)]
    pub man: bool,
}

/// All the shared flags.
#[derive(Args, Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct CommonFlags {
    #[command(flatten)]
    pub input: InputFlags,
    #[command(flatten)]
    pub selection: SelectionFlags,
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub checks: CheckFlags,
    #[command(flatten)]
    pub help: HelpFlags,
}

/// A duration: a number with `ms`, `s`, `m` or `h`; bare, it is milliseconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    duration(text, 1)
}

/// The same; bare, it is seconds, and it must be some time.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let every = duration(text, 1000)?;
    if every.is_zero() { Err("expected more than nothing".into()) } else { Ok(every) }
}

fn duration(text: &str, bare: u64) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => bare,
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("expected a duration, such as 50ms or 2s".into()),
    };
    let number: u32 = digits.parse().map_err(|_| "expected a duration, such as 50ms or 2s")?;
    Ok(Duration::from_millis(u64::from(number) * unit))
}

fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().trim_end_matches('B') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err("expected a number of bytes, such as 500000, 64M or 1G".into()),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number of bytes, such as 64M")?;
    number.checked_mul(unit).ok_or_else(|| "too large".into())
}

//! From the process to the command and back: arguments, texts about the command, exit status.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use agentlog::record::RecordKind;
use anyhow::Result;
use clap::Parser;

use crate::flags::{CommonFlags, HelpFlags};
use crate::output::schema_of;
use crate::report::Verdict;

static COMMAND: OnceLock<&'static str> = OnceLock::new();

/// The flags with their values, those that do not matter to what is printed left out.
static ASKED: OnceLock<Vec<(String, String)>> = OnceLock::new();

/// Flags that say what is read, how it is shown, and what is told beside: with others of these a run can
/// go on from the state of another.
const FREE: [&str; 17] = [
    "paths",
    "files_from",
    "files0_from",
    "discover",
    "jobs",
    "output",
    "pretty",
    "null",
    "color",
    "quiet",
    "strict",
    "bad_lines",
    "fail_empty",
    "summary",
    "state_file",
    "flush_open",
    "schema",
];

/// What decides which records a run prints: its command and flags, each with its value.
pub(crate) fn asked() -> Vec<(String, String)> {
    ASKED.get().cloned().unwrap_or_default()
}

/// `--state` is enough where it is no flag of the command's own.
fn with_short_names(command: clap::Command) -> clap::Command {
    let has = |test: fn(&clap::Arg) -> bool| command.get_arguments().any(test);
    if has(|arg| arg.get_long() == Some("state")) || !has(|arg| arg.get_id() == "state_file") {
        return command;
    }
    command.mut_arg("state_file", |arg| arg.visible_alias("state"))
}

fn asked_by(command: &clap::Command, matches: &clap::ArgMatches) -> Vec<(String, String)> {
    let values = |id: &str| -> String {
        let values = matches.get_raw(id).into_iter().flatten();
        values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let ids = command.get_arguments().map(|arg| arg.get_id().as_str());
    let flags = ids
        .filter(|id| !FREE.contains(id))
        .map(|id| (format!("--{}", id.replace('_', "-")), values(id)));
    [(command.get_name().to_owned(), String::new())].into_iter().chain(flags).collect()
}

/// The name that messages start with.
pub(crate) fn command_name() -> &'static str {
    COMMAND.get().copied().unwrap_or("alog")
}

/// Runs a command: reads its arguments, answers what is about the command itself, and turns the
/// verdict into an exit status. `kind` is the record that the command prints.
pub fn main<A: Parser>(
    name: &'static str,
    kind: Option<&'static RecordKind>,
    common: impl Fn(&A) -> &CommonFlags,
    run: impl FnOnce(&A) -> Result<Verdict>,
) -> ExitCode {
    main_of(name, |_| kind, common, run)
}

/// The same for a command whose flags decide which kind of record it prints.
pub fn main_of<A: Parser>(
    name: &'static str,
    kind: impl Fn(&A) -> Option<&'static RecordKind>,
    common: impl Fn(&A) -> &CommonFlags,
    run: impl FnOnce(&A) -> Result<Verdict>,
) -> ExitCode {
    let _ = COMMAND.set(name);
    allow_many_files();
    let mut command = with_short_names(A::command());
    let matches = command.clone().get_matches();
    let args = match A::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(e) => e.format(&mut command).exit(),
    };
    let _ = ASKED.set(asked_by(&command, &matches));
    let verdict = match about(common(&args), &mut command, kind(&args)) {
        Ok(true) => Ok(Verdict::Done),
        Ok(false) => run(&args),
        Err(e) => Err(e.into()),
    };
    match verdict {
        Ok(verdict) => ExitCode::from(verdict as u8),
        Err(e) if is_closed_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            crate::report::say(&format!("{e:#}"));
            ExitCode::from(Verdict::Trouble as u8)
        }
    }
}

/// Takes all the open files that the system grants: logs are held open while they are merged.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused, it stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Asks the system for memory in small pages from now on. What many small files tell fills it bit by
/// bit: to make and clear huge pages for it took a sixth of the time.
pub(crate) fn take_small_pages() {
    // Refused, it stays as it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Answers `--completions`, `--man` and `--schema`; false if none was asked for.
fn about(
    flags: &CommonFlags,
    command: &mut clap::Command,
    kind: Option<&RecordKind>,
) -> io::Result<bool> {
    let mut text = flags.help.text(command)?;
    if let (true, Some(kind)) = (flags.output.schema, kind) {
        let mut schema = serde_json::to_vec_pretty(&schema_of(kind))?;
        schema.push(b'\n');
        text = Some(schema);
    }
    match text {
        Some(text) => io::stdout().write_all(&text).map(|()| true),
        None => Ok(false),
    }
}

impl HelpFlags {
    /// The text that is asked for: completions or the manual page of `command`.
    pub fn text(&self, command: &mut clap::Command) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        if let Some(shell) = self.completions {
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, command, name, &mut text);
        } else if self.man {
            clap_mangen::Man::new(command.clone()).render(&mut text)?;
        } else {
            return Ok(None);
        }
        Ok(Some(text))
    }
}

/// Whether the reader of the output has gone, which is no error. `serde_json` hides the I/O error
/// from `source()`, so it is asked for its own.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json =
            cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    })
}

//! `alog`: runs the other commands, and alone says which there are and what logs are here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use cli::HelpFlags;
use cli::inputs::default_roots;

/// Run the commands that read the logs of coding agents
///
/// `alog events …` runs alog-events, and so on. Alone, it lists the commands, and the logs in the
/// default roots: ALOG_ROOTS, or the places where the agents keep their logs.
#[derive(Parser)]
#[command(name = "alog", version, disable_help_subcommand = true)]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
struct Args {
    #[command(flatten)]
    help: HelpFlags,

    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(Subcommand)]
enum Sub {
    #[command(external_subcommand)]
    External(Vec<OsString>),
}

fn main() -> ExitCode {
    let args = Args::parse();
    match args.command {
        Some(Sub::External(words)) => run(&words),
        None => match args.help.text(&mut Args::command()) {
            Ok(Some(text)) => print(&text),
            Ok(None) => print(overview().as_bytes()),
            Err(e) => complain(&e.to_string()),
        },
    }
}

/// Becomes the command; returns only if there is none.
fn run(words: &[OsString]) -> ExitCode {
    let Some((name, args)) = words.split_first() else { return complain("no command") };
    let file = format!("alog-{}", name.display());
    let program = commands().remove(&file).unwrap_or_else(|| file.clone().into());
    let error = Command::new(program).args(args).exec();
    match error.kind() {
        io::ErrorKind::NotFound if file == "alog-sql" => {
            complain("alog-sql is not built: make sql does that")
        }
        io::ErrorKind::NotFound => {
            complain(&format!("no command '{}': alog alone lists them", name.display()))
        }
        _ => complain(&format!("{file}: {error}")),
    }
}

/// The programs `alog-…` beside this one, by name: a new command needs no entry here.
fn commands() -> BTreeMap<String, PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let entries = beside.and_then(|dir| dir.read_dir().ok()).into_iter().flatten().flatten();
    let programs = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let meta = entry.metadata().ok()?;
        let runs = meta.is_file() && meta.permissions().mode() & 0o111 != 0;
        let is_ours = name.starts_with("alog-") && !name.contains('.');
        (runs && is_ours).then(|| (name, entry.path()))
    });
    programs.collect()
}

fn overview() -> String {
    let mut text = String::from("Usage: alog COMMAND [FLAGS] [PATH]…\n\nCommands:\n");
    let commands = commands();
    text.extend(commands.iter().map(|(name, path)| {
        let short = name.trim_start_matches("alog-");
        format!("  {short:<8}  {}\n", about(path))
    }));
    text += "\n'alog COMMAND --help' says more. Each command is a program of its own as well.\n";
    text += "\nLogs in the default roots:\n";
    let line = |root: PathBuf| format!("  {}: {}\n", root.display(), holds(&root));
    text.extend(default_roots().into_iter().map(line));
    text
}

/// What a command is for: the first line of its help.
fn about(program: &Path) -> String {
    let help = Command::new(program).arg("-h").output();
    let help = help.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    help.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// What a root holds: how many logs, and how many bytes.
fn holds(root: &Path) -> String {
    if !root.exists() {
        return "not there".into();
    }
    let inputs = jsonl::walk(&[root.to_owned()]);
    let bytes: u64 = inputs.files.iter().map(|file| file.size).sum();
    let count = inputs.files.len();
    let files = if count == 1 { "file" } else { "files" };
    let unreadable = match inputs.unreadable.len() {
        0 => String::new(),
        n => format!(", {n} unreadable"),
    };
    format!("{count} {files}, {}{unreadable}", size(bytes))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn print(text: &[u8]) -> ExitCode {
    // A reader that has gone wants no more, and that is fine.
    let _ = io::stdout().write_all(text);
    ExitCode::SUCCESS
}

fn complain(text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "alog: {text}");
    ExitCode::from(2)
}

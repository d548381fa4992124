//! `alog`: runs the other commands, and alone says which there are and what logs are here.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cli::inputs::default_roots;

/// The commands, with a line each.
const COMMANDS: [(&str, &str); 2] = [
    ("events", "the events of any log, decoded: one shape out, ready for jq"),
    ("prompts", "what the user asked, each prompt once, in order of time"),
];

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let Some(first) = args.next() else { return done(&overview(), 0) };
    match first.to_str() {
        Some("-h" | "--help" | "help") => done(&overview(), 0),
        Some("-V" | "--version") => done(concat!("alog ", env!("CARGO_PKG_VERSION"), "\n"), 0),
        Some(name) if COMMANDS.iter().any(|(command, _)| *command == name) => {
            let error = Command::new(program(name)).args(args).exec();
            complain(&format!("alog-{name}: {error}"))
        }
        _ => complain(&format!("no command '{}': alog alone lists them", first.display())),
    }
}

/// The program of a command: beside this one, else on the search path.
fn program(name: &str) -> PathBuf {
    let file = format!("alog-{name}");
    let beside = std::env::current_exe().ok().map(|exe| exe.with_file_name(&file));
    beside.filter(|path| path.exists()).unwrap_or_else(|| file.into())
}

fn overview() -> String {
    let mut text = String::from("Usage: alog COMMAND [FLAGS] [PATH]…\n\nCommands:\n");
    text.extend(COMMANDS.map(|(name, about)| format!("  {name:<8}  {about}\n")));
    text += "\n'alog COMMAND --help' says more. Each command is a program too: alog-events …\n";
    text += "\nLogs in the default roots:\n";
    let line = |root: PathBuf| format!("  {}: {}\n", root.display(), holds(&root));
    text.extend(default_roots().into_iter().map(line));
    text
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

fn done(text: &str, status: u8) -> ExitCode {
    // A reader that has gone wants no more, and that is fine.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(status)
}

fn complain(text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "alog: {text}");
    ExitCode::from(2)
}

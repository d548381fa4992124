//! `testlog`: writes made logs, large ones for benchmarks and the small committed fixtures.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
usage: testlog big PATH [--bytes SIZE] [--seed N]   a Codex log of SIZE (default 1G)
       testlog requests DIR [--files N] [--seed N]  captured requests, about N (default 20000)
       testlog fixtures DIR                         the small committed logs
       testlog scene DIR                            a capture directory with all modes in it
SIZE is a number of bytes, or one with K, M or G.";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Big { path: PathBuf, bytes: u64, seed: u64 },
    Requests { dir: PathBuf, files: usize, seed: u64 },
    Fixtures { dir: PathBuf },
    Scene { dir: PathBuf },
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = parse(&args) else {
        complain(USAGE);
        return ExitCode::from(2);
    };
    match run(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn parse(args: &[String]) -> Option<Task> {
    let (verb, rest) = args.split_first()?;
    let (place, mut flags) = rest.split_first()?;
    let place = PathBuf::from(place);
    if verb == "fixtures" && flags.is_empty() {
        return Some(Task::Fixtures { dir: place });
    }
    if verb == "scene" && flags.is_empty() {
        return Some(Task::Scene { dir: place });
    }
    let (mut bytes, mut files, mut seed) = (1 << 30, 20_000, 7);
    while let [flag, value, others @ ..] = flags {
        match (verb.as_str(), flag.as_str()) {
            ("big", "--bytes") => bytes = size(value)?,
            ("requests", "--files") => files = value.parse().ok()?,
            (_, "--seed") => seed = value.parse().ok()?,
            _ => return None,
        }
        flags = others;
    }
    match verb.as_str() {
        "big" => Some(Task::Big { path: place, bytes, seed }),
        "requests" => Some(Task::Requests { dir: place, files, seed }),
        _ => None,
    }
}

fn size(text: &str) -> Option<u64> {
    let shift = match text.bytes().last()?.to_ascii_uppercase() {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => return text.parse().ok(),
    };
    let number: f64 = text[..text.len() - 1].parse().ok()?;
    (number >= 0.0).then_some((number * f64::from(1_u32 << shift)) as u64)
}

fn run(task: &Task) -> Result<(), Box<dyn Error>> {
    let named = |path: &Path, error| format!("{}: {error}", path.display());
    match task {
        Task::Big { path, bytes, seed } => {
            let start = Instant::now();
            let big = testkit::big(path, *bytes, *seed).map_err(|error| named(path, error))?;
            let seconds = start.elapsed().as_secs_f64();
            complain(&format!(
                "{}: {} bytes, {} rows, {} prompts in {seconds:.1} s",
                path.display(),
                big.bytes,
                big.rows,
                big.prompts
            ));
        }
        Task::Requests { dir, files, seed } => {
            let written = requests(dir, *files, *seed).map_err(|error| named(dir, error))?;
            complain(&format!("{}: {written} requests", dir.display()));
        }
        Task::Fixtures { dir } => {
            let written = testkit::fixtures::write(dir).map_err(|error| named(dir, error))?;
            for path in written {
                complain(&path.display().to_string());
            }
        }
        Task::Scene { dir } => {
            let truth = testkit::Scene::write(dir).map_err(|error| named(dir, error))?;
            for told in &truth.modes {
                complain(&format!("{}: {} records", told.mode, told.records.len()));
            }
        }
    }
    Ok(())
}

/// How many requests a session has: each holds all that came before it.
const STEPS: usize = 50;

/// How far apart sessions begin, in milliseconds: a few go on at once.
const SESSION_MS: i64 = 10_000;

/// Writes sessions of both agents in turn, one at a time.
fn requests(dir: &Path, files: usize, seed: u64) -> std::io::Result<usize> {
    let mut written = 0;
    for session in 0..files.div_ceil(STEPS) {
        let builder = testkit::CaptureBuilder::new(seed + session as u64).steps(STEPS);
        let builder = builder.later(session as i64 * SESSION_MS);
        let claude = session % 2;
        let log = builder.claude_sessions(claude).codex_sessions(1 - claude).build();
        for file in &log.files {
            let path = dir.join(&file.path);
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, &file.bytes)?;
        }
        written += log.files.len();
    }
    Ok(written)
}

#[expect(clippy::print_stderr, reason = "all that this tool says goes to stderr")]
fn complain(text: &str) {
    eprintln!("{text}");
}

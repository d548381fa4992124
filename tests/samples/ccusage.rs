//! What the samples come to, beside what ccusage makes of them: equal, but where a rule that
//! looks at nothing but the file says why not. `docs/counting.md` tells these rules to people.

use super::{Sample, samples, values};
use crate::programs::{TOKENS, skip};
use agentlog::native::Dialect;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use testkit::{Cmd, Workdir};

const VERSION: &str = "20.0.24";

/// The program, if it is here or npm can get it.
fn ccusage() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(install).as_deref()
}

/// Gets the package into a folder that outlives the run, so that it is got once.
fn install() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ccusage-{VERSION}"));
    if let Some(program) = program_in(&folder) {
        return Some(program);
    }
    let npm = r#"command -v npm >/dev/null && exec npm install --no-save --no-audit --no-fund \
        --fetch-retries=0 --fetch-timeout=20000 --prefix "$0" "$1""#;
    let package = format!("ccusage@{VERSION}");
    let npm = Cmd::new("sh").args(["-c", npm]).arg(&folder).arg(package);
    // The user's settings say where packages come from.
    let npm = std::env::vars_os().fold(npm, |npm, (key, value)| match key.to_str() {
        Some(key) => npm.env(key, value),
        None => npm,
    });
    let ran = npm.timeout(Duration::from_secs(600)).run();
    let program = program_in(&folder);
    if program.is_none() {
        let said = ran.stderr.lines().find(|line| line.contains("error"));
        let said = said.unwrap_or("no npm here");
        skip(&format!("ccusage {VERSION} cannot be got: {said}"));
    }
    program
}

/// The program, if it runs: the one for this machine, which needs no Node.
fn program_in(folder: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(folder.join("node_modules/@ccusage")).into_iter().flatten();
    let native = packages.flatten().map(|package| package.path().join("bin/ccusage"));
    let mut programs = native.chain([folder.join("node_modules/.bin/ccusage")]);
    programs.find(|path| {
        // The package leaves that to its first start.
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
        let version = Cmd::new("sh").args(["-c", "\"$0\" --version"]).arg(path).run();
        version.text().contains(VERSION)
    })
}

/// What it says of one file that is all there is.
fn totals(program: &Path, Sample { path, dialect }: &Sample) -> Value {
    let dir = Workdir::new();
    let (agent, folder) = match dialect {
        Dialect::Transcript => ("claude", "projects/w"),
        Dialect::Rollout => ("codex", "sessions/2026/01/01"),
    };
    let name = path.file_name().expect("a name").to_string_lossy();
    dir.write(&format!("{folder}/{name}"), &fs::read(path).expect("a sample"));
    let ran = Cmd::new(program).args([agent, "session", "--json", "--offline"]);
    let ran = ran.env("CLAUDE_CONFIG_DIR", dir.path()).env("CODEX_HOME", dir.path()).run();
    let all: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    all["totals"].clone()
}

/// What we say of it.
fn ours(path: &Path) -> Value {
    let ran = Cmd::new(TOKENS).args(["--by", "all"]).arg(path).run().expect_code(0);
    ran.rows().pop().unwrap_or_default()
}

/// Counts by their names; what is not told is none used.
fn counts<const N: usize>(of: &Value, keys: [&str; N]) -> [u64; N] {
    keys.map(|key| of[key].as_u64().unwrap_or(0))
}

#[test]
fn transcripts_come_to_what_ccusage_says() {
    let samples: Vec<Sample> =
        samples().into_iter().filter(|s| s.dialect == Dialect::Transcript).collect();
    if samples.is_empty() {
        return;
    }
    let Some(program) = ccusage() else { return };
    let (mut wrong, mut equal) = (Vec::new(), 0);
    for sample in &samples {
        let theirs = ["inputTokens", "cacheReadTokens", "cacheCreationTokens", "outputTokens"];
        let theirs = counts(&totals(program, sample), theirs);
        let keys = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"];
        let ours = counts(&ours(&sample.path), keys);
        // What it passes over is missing there; nothing may be missing here.
        let is_more = || ours.iter().zip(theirs).all(|(ours, theirs)| *ours >= theirs);
        let fits = ours == theirs || is_passed_over(&sample.path) && is_more();
        equal += usize::from(ours == theirs);
        if !fits {
            wrong.push(format!("{}: {ours:?}, ccusage {theirs:?}", sample.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal * 2 > samples.len(), "only {equal} of {} are equal", samples.len());
}

/// Keys that ccusage takes a line for unreadable by, if they are null anywhere in it.
const NEVER_NULL: [&str; 11] = [
    "id",
    "cwd",
    "model",
    "speed",
    "costUSD",
    "version",
    "sessionId",
    "requestId",
    "isApiErrorMessage",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
];

/// Whether a file has a line that tells usage and that ccusage passes over.
fn is_passed_over(path: &Path) -> bool {
    let text = fs::read(path).expect("a sample");
    text.split(|byte| *byte == b'\n').any(|line| {
        let row: Value = serde_json::from_slice(line).unwrap_or_default();
        row["message"]["usage"].is_object() && is_line_passed_over(&row, line)
    })
}

fn is_line_passed_over(row: &Value, line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let is_spaced = !line.contains("\"usage\":{");
    let has_null = NEVER_NULL.iter().any(|key| line.contains(&format!("\"{key}\":null")));
    let version = row["version"].as_str().is_some_and(|version| !is_version(version));
    is_spaced || has_null || version || !row["timestamp"].as_str().is_some_and(is_time)
}

/// Whether a version starts with three numbers.
fn is_version(version: &str) -> bool {
    let parts: Vec<&str> = version.splitn(3, '.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether ccusage takes it for a time: with seconds or exactly milliseconds, and an offset.
fn is_time(time: &str) -> bool {
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let rest = rest.strip_prefix(".000").unwrap_or(rest);
    matches!(rest, "Z" | "+00:00" | "-00:00")
}

#[test]
fn rollouts_come_to_what_ccusage_says() {
    let samples: Vec<Sample> =
        samples().into_iter().filter(|s| s.dialect == Dialect::Rollout).collect();
    if samples.is_empty() {
        return;
    }
    let Some(program) = ccusage() else { return };
    let mut wrong = Vec::new();
    for sample in &samples {
        let theirs = totals(program, sample);
        let parts = ["inputTokens", "cacheReadTokens", "outputTokens", "reasoningOutputTokens"];
        let (theirs, total) = (counts(&theirs, parts), counts(&theirs, ["totalTokens"]));
        let keys = ["input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens"];
        let record = ours(&sample.path);
        let ours = (counts(&record, keys), counts(&record, ["total_tokens"]));
        // It takes the total as it is told, also where reasoning was added once more.
        let is_odd = has_odd_totals(&sample.path);
        if ours.0 != theirs || (ours.1 != total && !is_odd) {
            let path = sample.path.display();
            wrong.push(format!("{path}: {ours:?}, ccusage {theirs:?} {total:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a rollout tells totals that are not the sum of input and output.
fn has_odd_totals(path: &Path) -> bool {
    let odd = |usage: &Value| {
        let [input, output] = counts(usage, ["input_tokens", "output_tokens"]);
        usage["total_tokens"].as_u64().is_some_and(|total| total != input + output)
    };
    let usages = ["total_token_usage", "last_token_usage"];
    let tells = |row: &Value| usages.iter().any(|key| odd(&row["payload"]["info"][key]));
    values(path).iter().any(tells)
}

#[test]
fn the_rules_for_lines_that_ccusage_passes_over() {
    for (time, is) in [
        ("2026-01-02T03:04:05Z", true),
        ("2026-01-02T03:04:05.678Z", true),
        ("2026-01-02T03:04:05.678901Z", false),
        ("2026-01-02T03:04:05.6Z", false),
        ("2026-01-02T03:04:05.678", false),
        ("", false),
    ] {
        assert_eq!(is_time(time), is, "{time}");
    }
    assert!(is_version("2.1.40") && !is_version("2.1") && !is_version("next"));
}

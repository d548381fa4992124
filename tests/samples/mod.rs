//! Transcripts and rollouts as agents wrote them, where such samples stand beside the repository
//! (`../shared`, or what `ALOG_SHARED` says): what is read of them, and what it comes to.

mod ccusage;
mod extract;
mod lines;
mod usage_cases;

use crate::programs::{EVENTS, PROMPTS, repository, skip};
use agentlog::native::{Dialect, Row, user_row};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::Cmd;

/// A folder of what is shared, if it is here.
fn shared(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("ALOG_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| repository().join("../shared")).join(folder);
    if !folder.exists() {
        skip(&format!("no {} here", folder.display()));
        return None;
    }
    Some(folder)
}

/// A file of the samples that some tool takes for a transcript or a rollout.
struct Sample {
    path: PathBuf,
    dialect: Dialect,
}

/// All of them, told by their paths: our own opinion must not choose what is tested.
fn samples() -> Vec<Sample> {
    let Some(root) = shared("samples") else { return Vec::new() };
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let sample = |path: PathBuf| {
        let name = path.strip_prefix(&root).ok()?.to_string_lossy().to_lowercase();
        let dialect = match () {
            () if path.extension().is_none_or(|ending| ending != "jsonl") => return None,
            () if name.contains("codex") => Dialect::Rollout,
            () if name.contains("claude") => Dialect::Transcript,
            () => return None,
        };
        Some(Sample { path, dialect })
    };
    let found: Vec<Sample> = paths.into_iter().filter_map(sample).collect();
    assert!(!found.is_empty(), "{}: no samples in it", root.display());
    found
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// The lines of a file that are JSON.
fn values(path: &Path) -> Vec<Value> {
    let text = fs::read(path).expect("a sample");
    text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[test]
fn every_line_is_an_event_a_reported_bad_line_or_blank() {
    let mut wrong = Vec::new();
    for Sample { path, .. } in samples() {
        let ran = Cmd::new(EVENTS).arg("--summary").arg(&path).run().expect_code(0);
        let (records, summary) = (ran.text().lines().count() as u64, ran.summary());
        let of = |key: &str| summary[key].as_u64().expect(key);
        let text = fs::read(&path).expect("a sample");
        let lines = text.split(|byte| *byte == b'\n');
        let told = lines.filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        let bad = of("bad_lines") + of("partial_lines");
        if of("unknown_files") > 0 || records != of("events") || records + bad != told {
            wrong.push(format!("{}: {told} lines, {records} records, {summary}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn decisions_on_rows_of_the_user() {
    let samples = samples();
    if samples.is_empty() {
        return;
    }
    let mut counts = BTreeMap::new();
    for Sample { path, .. } in samples.iter().filter(|s| s.dialect == Dialect::Transcript) {
        let text = fs::read(path).expect("a sample");
        let lines = text.split(|byte| *byte == b'\n');
        let rows = lines.filter_map(|line| user_row(&Row::parse(line).ok()?));
        rows.for_each(|decision| *counts.entry(decision.name()).or_insert(0) += 1);
    }
    let counts: Vec<(&str, u64)> = counts.into_iter().collect();
    let pinned = [
        ("automation", 5),
        ("command", 22),
        ("empty", 3),
        ("interruption", 10),
        ("meta", 21),
        ("prompt", 131),
        ("results", 828),
        ("shell", 28),
        ("sidechain", 365),
    ];
    assert_eq!(counts, pinned);
}

/// How many rows of a rollout tell a prompt.
fn user_messages(path: &Path) -> usize {
    let tells = |row: &&Value| row["payload"]["type"] == "user_message";
    values(path).iter().filter(tells).count()
}

#[test]
fn prompts_of_rollouts_are_their_user_messages() {
    let Some(root) = shared("samples") else { return };
    let mut paths = Vec::new();
    walk(&root.join("codex"), &mut paths);
    let prompts = |path: &Path| {
        let ran = Cmd::new(PROMPTS).arg("--summary").arg(path).run().expect_code(0);
        (ran.text().lines().count(), ran.summary()["files_skipped"].clone())
    };
    let mut all = 0;
    for path in &paths {
        let count = user_messages(path);
        assert_eq!(prompts(path).0, count, "{}", path.display());
        all += count;
    }
    // One thread is in two files: the shorter one is the start of the other.
    let texts: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a sample")).collect();
    let begins = |i: usize| {
        let longer = |j: usize| texts[j].len() > texts[i].len() && texts[j].starts_with(&texts[i]);
        (0..texts.len()).any(longer)
    };
    let doubled: Vec<&PathBuf> =
        (0..paths.len()).filter(|i| begins(*i)).map(|i| &paths[i]).collect();
    let twice: usize = doubled.iter().map(|path| user_messages(path)).sum();
    assert_eq!(prompts(&root.join("codex")), (all - twice, doubled.len().into()));
}

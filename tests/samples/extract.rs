//! `alog-extract` on logs as agents wrote them: no mode fails, and all that have sources there give
//! records.

use super::shared;
use crate::programs::EXTRACT;
use std::fs;
use std::path::Path;
use testkit::{Cmd, Workdir};

/// Modes that read nothing but SSE logs and captured requests, of which there are no samples.
const WITHOUT: [&str; 9] = [
    "agg_deltas",
    "call_index",
    "call_linkage",
    "conversation_growth",
    "diffs",
    "envelope",
    "headers",
    "rounds",
    "tools_defined",
];

fn records(dir: &Path) -> Vec<(String, usize)> {
    let files = fs::read_dir(dir).expect("the folder").flatten();
    let count = |path: &Path| fs::read_to_string(path).expect("a file").lines().count();
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut found: Vec<_> = files.map(|file| (name(&file.path()), count(&file.path()))).collect();
    found.sort();
    found
}

#[test]
fn every_mode_with_sources_gives_records() {
    let Some(samples) = shared("samples") else { return };
    let out = Workdir::new();
    let dir = out.path().join("out").display().to_string();
    let run = Cmd::new(EXTRACT).args(["--mode", "all", "--out-dir", &dir]);
    let _ = run.arg(samples).run().expect_code(0);
    let found = records(Path::new(&dir));
    assert_eq!(found.len(), 39);
    let empty = found.iter().filter(|(mode, records)| *records == 0 && !WITHOUT.contains(&&**mode));
    assert_eq!(empty.collect::<Vec<_>>(), Vec::<&(String, usize)>::new());
}

//! All modes on one capture directory, against what is known of it.

mod fixtures;
mod forms;
mod truth;

use crate::programs::EXTRACT;
use serde_json::Value;
use std::path::Path;
use testkit::{Cmd, Scene, SceneMode, SceneTruth, Workdir};

/// The scene in a folder of its own.
struct Played {
    dir: Workdir,
    truth: SceneTruth,
}

impl Played {
    fn new() -> Self {
        let dir = Workdir::new();
        let truth = Scene::write(dir.path()).expect("a writable directory");
        Self { dir, truth }
    }

    /// The command on the folder.
    fn extract(&self, args: &[&str]) -> Cmd {
        Cmd::new(EXTRACT).args(args).arg(self.dir.path())
    }

    /// All chosen modes into files; gives the folder of these.
    fn files(&self, args: &[&str]) -> Workdir {
        let out = Workdir::new();
        let to = out.path().display().to_string();
        let _ =
            self.extract(args).args(["--mode", &chosen(), "--out-dir", &to]).run().expect_code(0);
        out
    }

    /// The chosen modes that the truth speaks of.
    fn modes(&self) -> impl Iterator<Item = &SceneMode> {
        self.truth.modes.iter().filter(|told| is_chosen(told.mode))
    }
}

/// The modes to test, as `--mode` takes them: `ALOG_SCENE_MODE`, else all.
fn chosen() -> String {
    std::env::var("ALOG_SCENE_MODE").unwrap_or_else(|_| "all".into())
}

fn is_chosen(mode: &str) -> bool {
    let chosen = chosen();
    chosen == "all" || chosen.split(',').any(|one| one == mode)
}

/// The records of a mode in a folder.
fn records(out: &Path, mode: &str) -> Vec<Value> {
    let path = out.join(format!("{mode}.jsonl"));
    let text = std::fs::read_to_string(&path).expect("the mode's file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

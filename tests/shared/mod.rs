//! The project's own generator and checker of logs, where they stand beside the repository: what
//! they hold true is held by people who have not read our sources.

use crate::programs::{ALOG, repository};
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::{Cmd, Ran, Workdir};

/// The folder of the tools, if they can be run here.
fn tools() -> Option<PathBuf> {
    let tools = repository().join("../shared/tools");
    if !tools.join("gen_sse.py").exists() {
        crate::programs::skip("no ../shared/tools here");
        return None;
    }
    let python = Cmd::new("sh").args(["-c", "command -v python3"]).run();
    if python.code != Some(0) {
        crate::programs::skip("no python3 here");
        return None;
    }
    Some(tools)
}

fn python(script: &Path) -> Cmd {
    let python = Cmd::new("python3").arg(script).timeout(Duration::from_secs(120));
    // Version managers of Python look for themselves there.
    ["HOME", "PYENV_ROOT"].into_iter().fold(python, |python, key| match std::env::var_os(key) {
        Some(value) => python.env(key, value),
        None => python,
    })
}

fn checked(tools: &Path, args: &[&str]) -> Ran {
    let dir = Workdir::new();
    let log = dir.path().join("log");
    let _ = python(&tools.join("gen_sse.py")).arg(&log).args(args).run().expect_code(0);
    let programs = Path::new(ALOG).parent().expect("the folder of the programs");
    let check = python(&tools.join("check_truth.py")).arg(programs).arg(&log);
    check.run()
}

fn expect_truth(runs: &[&[&str]]) {
    let Some(tools) = tools() else { return };
    for args in runs {
        let ran = checked(&tools, args);
        assert_eq!(ran.code, Some(0), "gen_sse.py {args:?}: {}{}", ran.text(), ran.stderr);
        let fine = ran.text().lines().filter(|line| line.starts_with("ok"));
        assert_eq!(fine.count(), 6, "{}", ran.text());
    }
}

#[test]
fn any_seed_in_any_zone() {
    expect_truth(&[
        &["--seed", "1"],
        &["--seed", "2", "--utc-offset", "+00:00"],
        &["--seed", "3", "--utc-offset=-09:30"],
        &["--seed", "4", "--utc-offset", "+05:45"],
        &["--seed", "5", "--utc-offset", "+13:00"],
    ]);
}

#[test]
fn giants_disorder_rotation_and_clean_logs() {
    expect_truth(&[
        &["--seed", "6", "--giant", "2000000"],
        &["--seed", "7", "--disorder", "4"],
        &["--seed", "8", "--rotate", "3"],
        &["--seed", "9", "--clean"],
        &[
            "--seed",
            "10",
            "--giant",
            "300000",
            "--disorder",
            "4",
            "--rotate",
            "3",
            "--utc-offset=-03:30",
        ],
    ]);
}

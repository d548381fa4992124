//! `alog-sql --db`: the tables in the file are those of a run without a file, whatever became of the
//! logs and of the runs in between.

mod at_once;
mod files;
mod growth;
mod killed;
mod refused;
mod told;

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use testkit::{Cmd, Detail, LogBuilder, Ran, Workdir};

const SQL: &str = env!("CARGO_BIN_EXE_alog-sql");

/// All views.
const VIEWS: [&str; 7] =
    ["events", "prompts", "turns", "deltas", "tokens", "tokens_by_call", "calls"];

/// All records of some views, as text, but for their numbers.
fn all_of(views: &[&str]) -> String {
    let one = |view: &&str| {
        format!(
            "SELECT '{view}' AS view, record::VARCHAR AS record \
             FROM (SELECT * EXCLUDE (\"index\") FROM {view}) AS record"
        )
    };
    views.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
}

/// Logs in the folder `logs`, and a file beside it that their records are kept in.
struct Keeping {
    dir: Workdir,
}

impl Keeping {
    fn new() -> Self {
        let keeping = Self { dir: Workdir::new() };
        fs::create_dir(keeping.logs()).expect("a folder");
        keeping
    }

    fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("kept.duckdb")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.dir.write(&format!("logs/{name}"), bytes)
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        let path = self.log(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        self.dir.append(&format!("logs/{name}"), bytes);
    }

    /// A query of what is kept, about to run.
    fn ask(&self, sql: &str) -> Cmd {
        Cmd::new(SQL).cwd(self.dir.path()).args(["--db", "kept.duckdb", sql, "logs"])
    }

    fn told(&self, sql: &str) -> Ran {
        self.ask(sql).run().expect_code(0)
    }

    /// One number of what is kept.
    fn number(&self, sql: &str) -> i64 {
        let rows = self.told(&format!("SELECT ({sql}) AS n")).rows();
        rows[0]["n"].as_i64().expect("a number")
    }

    /// What `--status` says of each view.
    fn status(&self) -> Vec<Value> {
        let command = Cmd::new(SQL).cwd(self.dir.path());
        command.args(["--db", "kept.duckdb", "--status"]).run().expect_code(0).rows()
    }

    /// Panics unless these views hold what a run without a file finds in the logs.
    fn check(&self, views: &[&str], when: &str) {
        let sql = all_of(views);
        let kept = sorted(&self.told(&sql));
        let fresh = Cmd::new(SQL).cwd(self.dir.path()).args([&sql, "logs"]);
        let fresh = sorted(&fresh.run().expect_code(0));
        let only = |some: &[String], others: &[String]| {
            let only = some.iter().filter(|row| others.binary_search(row).is_err());
            only.take(3).cloned().collect::<Vec<_>>().join("\n")
        };
        assert!(
            kept == fresh,
            "{when}: {} records are kept, {} are in the logs\nonly kept:\n{}\nonly in the logs:\n{}",
            kept.len(),
            fresh.len(),
            only(&kept, &fresh),
            only(&fresh, &kept)
        );
    }
}

fn sorted(ran: &Ran) -> Vec<String> {
    let mut rows: Vec<String> = ran.text().lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// A log of Codex.
fn codex(seed: u64) -> Vec<u8> {
    LogBuilder::new(seed).claude_sessions(0).detail(Detail::Brief).build().codex
}

/// Where a line near the middle starts.
fn middle(log: &[u8]) -> usize {
    let half = log.len() / 2;
    half + log[half..].iter().position(|byte| *byte == b'\n').expect("a line feed") + 1
}

fn lines_of(log: &[u8]) -> i64 {
    log.split_inclusive(|byte| *byte == b'\n').count() as i64
}

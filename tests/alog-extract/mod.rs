//! `alog-extract`: the data modes, their files, and what is left out of them.

mod doubles;
mod files;
mod scene;
mod secrets;
mod shapes;

use crate::programs::EXTRACT;
use serde_json::Value;
use std::path::Path;
use testkit::{Cmd, Ran};

/// A run of the command on a folder or file.
fn extract(args: &[&str], path: &Path) -> Ran {
    Cmd::new(EXTRACT).args(args).arg(path).run()
}

/// The records of one mode.
fn records(mode: &str, args: &[&str], path: &Path) -> Vec<Value> {
    let ran = extract(&[&["--mode", mode], args].concat(), path);
    ran.expect_code(0).rows()
}

/// The names of all modes.
fn modes() -> Vec<String> {
    let listed = Cmd::new(EXTRACT).arg("--list").run().expect_code(0);
    let name = |line: &str| line.split_whitespace().next().expect("a name").to_owned();
    listed.text().lines().map(name).collect()
}

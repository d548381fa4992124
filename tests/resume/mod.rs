//! Runs that go on where the last one stopped: what they print together, whatever became of the logs
//! in between.

mod files;
mod killed;
mod refused;
mod splits;

use crate::programs::{CALLS, DELTAS, EVENTS, PROMPTS, TURNS};
use serde_json::Value;
use std::path::PathBuf;
use testkit::{Cmd, Ran, Workdir};

/// The commands whose records are final when they are printed.
const FOLDS: [(&str, &[&str]); 8] = [
    (EVENTS, &[]),
    (EVENTS, &["--raw"]),
    (PROMPTS, &["--commands"]),
    (TURNS, &[]),
    (TURNS, &["--explain"]),
    (DELTAS, &[]),
    (CALLS, &[]),
    (CALLS, &["--explain"]),
];

/// The groups that tokens are counted in.
const GROUPS: [&str; 4] = ["session", "call", "turn,model", "all"];

/// Logs that grow, and a state beside them.
struct Growing {
    dir: Workdir,
    program: &'static str,
    args: Vec<String>,
}

impl Growing {
    fn new(program: &'static str, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { dir: Workdir::new(), program, args }
    }

    /// The command on what stands in the folder `logs`, without a state.
    fn plain(&self) -> Ran {
        let command = Cmd::new(self.program).args(&self.args).cwd(self.dir.path());
        command.arg("logs").run().expect_code(0)
    }

    fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    /// A run from state to state, about to start.
    fn next(&self, more: &[&str]) -> Cmd {
        let state = self.dir.path().join("state");
        let command = Cmd::new(self.program).args(&self.args).args(more).cwd(self.dir.path());
        command.arg("--state-file").arg(state).arg("logs")
    }

    fn run(&self) -> Ran {
        self.next(&[]).run().expect_code(0)
    }

    /// What one more run prints.
    fn printed(&self) -> Vec<u8> {
        self.run().stdout
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.dir.write(&format!("logs/{name}"), bytes)
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        self.dir.append(&format!("logs/{name}"), bytes);
    }
}

/// Records without their number, and in no order.
fn set(records: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<String> = records
        .into_iter()
        .map(|mut record| {
            record["index"].take();
            record.to_string()
        })
        .collect();
    texts.sort();
    texts
}

fn rows(printed: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(printed).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

//! Transcripts and rollouts, as agents write them, against their truth and in many forms.

mod copies;
mod forms;
mod lines;
mod truth;

use crate::programs::{CALLS, PROMPTS, TOKENS, TURNS};
use serde_json::Value;
use std::path::PathBuf;
use testkit::{Cmd, NativeBuilder, NativeCase, NativeLog, NativeStyle, Ran, Workdir, differences};

/// Name, command, flags, truth, and the keys by which rows are told apart.
type Table<'a> =
    (&'static str, &'static str, &'static [&'static str], &'a [Value], &'static [&'static str]);

/// A home with the logs of both agents in it.
struct Home {
    dir: Workdir,
    log: NativeLog,
}

impl Home {
    fn new(builder: &NativeBuilder) -> Self {
        Self::of(builder.build())
    }

    fn styled(builder: &NativeBuilder, style: NativeStyle) -> Self {
        Self::of(builder.build_as(style))
    }

    fn of(log: NativeLog) -> Self {
        let dir = Workdir::new();
        log.write_to(&dir);
        Self { dir, log }
    }

    /// The command on the whole home, about to run.
    fn command(&self, program: &str, args: &[&str]) -> Cmd {
        let by_session = if program == TOKENS { &["--by", "session"][..] } else { &[] };
        Cmd::new(program).args(by_session).args(args).arg(self.dir.path())
    }

    fn run(&self, program: &str, args: &[&str]) -> Ran {
        self.command(program, args).run()
    }

    fn path(&self, part: &str) -> PathBuf {
        self.dir.path().join(&self.log.file(part).path)
    }

    /// Everything wrong with prompts, turns, calls and tokens.
    fn untrue(&self) -> Vec<String> {
        let truth = &self.log.truth;
        let tables: [Table<'_>; 4] = [
            (
                "prompts",
                PROMPTS,
                &["--commands"],
                &truth.prompts,
                &["provider", "sid", "t", "kind"],
            ),
            ("turns", TURNS, &[], &truth.turns, &["provider", "sid", "session_turn"]),
            ("calls", CALLS, &[], &truth.calls, &["provider", "sid", "call_id"]),
            ("tokens", TOKENS, &[], &truth.tokens, &["provider", "sid"]),
        ];
        let mut all = Vec::new();
        for (name, program, args, want, keys) in tables {
            // The truth has none of the searches that models do by themselves.
            let mut rows = self.run(program, args).expect_code(0).rows();
            rows.retain(|row| row["kind"] != "web_search");
            let mut found = differences(want, &rows, keys);
            found.truncate(3);
            all.extend(found.into_iter().map(|text| format!("{name}: {text}")));
        }
        all
    }
}

/// A log of everything at once.
fn full(seed: u64) -> NativeBuilder {
    NativeBuilder::new(seed).cases(&NativeCase::all())
}

/// Records without what depends on where their rows stand.
fn anywhere(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        record["index"].take();
        record["src"].take();
        for violation in record["violations"].as_array_mut().into_iter().flatten() {
            violation["src"].take();
        }
    }
    records
}

/// Records without what depends on the name of their file.
fn in_any_file(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        record["index"].take();
        record["src"]["path"].take();
        for violation in record["violations"].as_array_mut().into_iter().flatten() {
            violation["src"]["path"].take();
        }
    }
    records
}

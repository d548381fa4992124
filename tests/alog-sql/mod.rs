//! `alog-sql`: what it answers beside what the other commands print, on the same logs.

mod errors;
mod export;
mod flags;
mod named;
mod pages;
mod pushed;
mod values;
mod views;

use crate::programs::{
    CALLS, DELTAS, EVENTS, PROMPTS, SQL, TOKENS, TURNS, claude, claude_prompt, codex, codex_prompt,
    lines, repository, skip,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use testkit::{Cmd, Detail, Fault, LogBuilder, NativeBuilder, NativeCase, Ran, Row, Workdir};

/// A view, and the command whose records it holds.
struct View {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
}

const BY_CALL: &[&str] = &["--by", "call,turn,hour,day,week,month,project", "--cost"];

const VIEWS: [View; 7] = [
    View { name: "events", program: EVENTS, args: &[] },
    View { name: "prompts", program: PROMPTS, args: &[] },
    View { name: "turns", program: TURNS, args: &[] },
    View { name: "deltas", program: DELTAS, args: &["--parse"] },
    View { name: "tokens", program: TOKENS, args: &["--cost"] },
    View { name: "tokens_by_call", program: TOKENS, args: BY_CALL },
    View { name: "calls", program: CALLS, args: &[] },
];

/// Logs, and a name to tell of them.
struct Logs {
    name: String,
    paths: Vec<PathBuf>,
    /// Where they are, if they go with it.
    _dir: Option<Workdir>,
}

impl Logs {
    /// Runs a query on them.
    fn sql(&self, query: &str, args: &[&str]) -> Ran {
        Cmd::new(SQL).arg(query).args(args).args(&self.paths).run()
    }

    /// The rows of a query that can be answered.
    fn rows(&self, query: &str, args: &[&str]) -> Vec<Value> {
        let ran = self.sql(query, args);
        assert_eq!(ran.code, Some(0), "{}: {query} {args:?}: {}", self.name, ran.stderr);
        ran.rows()
    }

    /// Runs a command on them.
    fn command(&self, program: &str, args: &[&str]) -> Ran {
        Cmd::new(program).args(args).args(&self.paths).run()
    }

    /// The records of the command that a view holds.
    fn records(&self, view: &View, args: &[&str]) -> Vec<Value> {
        let ran = self.command(view.program, &[view.args, args].concat());
        assert_eq!(ran.code, Some(0), "{}: {}: {}", self.name, view.name, ran.stderr);
        ran.rows()
    }

    /// The logs that are committed.
    fn fixtures() -> Self {
        let folders = ["claude", "codex", "faults.jsonl", "native", "captured"];
        let paths = folders.map(|name| repository().join("tests/fixtures").join(name)).to_vec();
        Self { name: "fixtures".into(), paths, _dir: None }
    }

    /// SSE logs of both agents, with all faults.
    fn sse(seed: u64, turns: usize) -> Self {
        let dir = Workdir::new();
        let builder = LogBuilder::new(seed).codex_sessions(4).claude_sessions(4).turns(turns);
        let paths = dir.write_log(&builder.faults(&Fault::ALL).build());
        Self { name: format!("SSE {seed}"), paths, _dir: Some(dir) }
    }

    /// Transcripts and rollouts, with all that happens in them.
    fn native(seed: u64) -> Self {
        let dir = Workdir::new();
        NativeBuilder::new(seed).turns(3).cases(&NativeCase::all()).build().write_to(&dir);
        let paths = vec![dir.path().to_owned()];
        Self { name: format!("native {seed}"), paths, _dir: Some(dir) }
    }

    /// SSE logs and native ones together.
    fn both(seed: u64) -> Self {
        let dir = Workdir::new();
        NativeBuilder::new(seed).cases(&NativeCase::all()).build().write_to(&dir);
        let builder = LogBuilder::new(seed).turns(1).detail(Detail::Brief);
        let _ = dir.write_log(&builder.faults(&Fault::ALL).build());
        let paths = vec![dir.path().to_owned()];
        Self { name: format!("both {seed}"), paths, _dir: Some(dir) }
    }

    /// These rows as one log.
    fn of(rows: &[Row]) -> Self {
        let dir = Workdir::new();
        let paths = vec![dir.write("sse_lines.jsonl", &lines(rows))];
        Self { name: "rows".into(), paths, _dir: Some(dir) }
    }
}

/// A record, with all numbers as one kind: JSON does not tell 12 from 12.0.
fn leveled(value: Value) -> Value {
    match value {
        Value::Number(n) => {
            n.as_f64().filter(|n| n.abs() < 1e15).map_or(Value::Number(n), Value::from)
        }
        Value::Array(items) => items.into_iter().map(leveled).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, leveled(value))).collect()
        }
        other => other,
    }
}

/// The first difference between records and rows, key by key.
fn difference(records: &[Value], rows: &[Value]) -> Option<String> {
    for (record, row) in records.iter().zip(rows) {
        let (record, row) = (leveled(record.clone()), leveled(row.clone()));
        if record == row {
            continue;
        }
        let (Some(want), Some(got)) = (record.as_object(), row.as_object()) else {
            return Some(format!("{record} and {row}"));
        };
        let keys = |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<Vec<_>>();
        if keys(want) != keys(got) {
            return Some(format!("keys {:?} and {:?}", keys(want), keys(got)));
        }
        let of_key =
            |key: &String| format!("{key}: {} is {} in {}", want[key], got[key], want["src"]);
        return want.keys().find(|key| want[*key] != got[*key]).map(of_key);
    }
    let (want, got) = (records.len(), rows.len());
    (want != got).then(|| format!("{want} records, {got} rows"))
}

//! The programs under test, logs to run them on, and what of a record stays the same wherever
//! the log was read from.

use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use testkit::{Cmd, Detail, Fault, Log, LogBuilder, Ran, Row, Workdir, stamp, utc_stamp};

/// Path of the dispatcher; the other programs stand beside it.
pub const ALOG: &str = env!("CARGO_BIN_EXE_alog");
/// Path of `alog-calls`.
pub const CALLS: &str = env!("CARGO_BIN_EXE_alog-calls");
/// Path of `alog-deltas`.
pub const DELTAS: &str = env!("CARGO_BIN_EXE_alog-deltas");
/// Path of `alog-events`.
pub const EVENTS: &str = env!("CARGO_BIN_EXE_alog-events");
/// Path of `alog-extract`.
pub const EXTRACT: &str = env!("CARGO_BIN_EXE_alog-extract");
/// Path of `alog-prompts`.
pub const PROMPTS: &str = env!("CARGO_BIN_EXE_alog-prompts");
/// Path of `alog-sql`, which is built with the feature `sql` alone.
#[cfg(feature = "sql")]
pub const SQL: &str = env!("CARGO_BIN_EXE_alog-sql");
/// Path of `alog-tokens`.
pub const TOKENS: &str = env!("CARGO_BIN_EXE_alog-tokens");
/// Path of `alog-turns`.
pub const TURNS: &str = env!("CARGO_BIN_EXE_alog-turns");
/// The commands that print records.
pub const ALL: [&str; 6] = [EVENTS, PROMPTS, TURNS, DELTAS, TOKENS, CALLS];
/// Those that give one record for a prompt's row.
pub const BOTH: [&str; 2] = [EVENTS, PROMPTS];

/// `alog-events`, about to run.
pub fn events() -> Cmd {
    Cmd::new(EVENTS)
}

/// `alog-prompts`, about to run.
pub fn prompts() -> Cmd {
    Cmd::new(PROMPTS)
}

/// The command with its standard input from a regular file, as `COMMAND ARGS < FILE` does.
pub fn with_stdin_from(program: &str, args: &[&str], file: &Path) -> Cmd {
    let script = r#"file=$1; shift; exec "$@" < "$file""#;
    Cmd::new("sh").args(["-c", script, "sh"]).arg(file).arg(program).args(args)
}

/// Tells that a test, or a part of it, cannot be run here.
/// The test runner hides what passing tests print with macros; a test that was skipped must not look
/// like one that ran.
pub fn skip(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a log of both agents in it, and where the files are.
pub struct Written {
    pub dir: Workdir,
    pub log: Log,
    pub paths: Vec<PathBuf>,
}

impl Written {
    /// Writes a log into a folder of its own.
    pub fn new(builder: &LogBuilder) -> Self {
        let (dir, log) = (Workdir::new(), builder.build());
        let paths = dir.write_log(&log);
        Self { dir, log, paths }
    }

    /// A log with all faults at once.
    pub fn faulty(seed: u64) -> Self {
        Self::new(&LogBuilder::new(seed).turns(1).detail(Detail::Brief).faults(&Fault::ALL))
    }

    /// A log without faults.
    pub fn clean(seed: u64) -> Self {
        Self::new(&LogBuilder::new(seed).turns(2))
    }

    /// Runs a command on the files.
    pub fn run(&self, program: &str, args: &[&str]) -> Ran {
        Cmd::new(program).args(args).args(&self.paths).run()
    }
}

/// When the testkit's rows say that they were written: 2025-11-18T14:55:52.402Z.
const ROWS_MS: i64 = 1_763_477_752_402;
const SEVEN_HOURS_MS: i64 = 7 * 3_600_000;

/// The time so many milliseconds after the testkit's rows, as records print it.
pub fn t(ms: i64) -> String {
    utc_stamp(ROWS_MS + ms)
}

/// A Codex row that was written so many milliseconds after the testkit's rows.
pub fn codex(ms: i64, event: &str) -> Row {
    Row::codex(event).t(&stamp(ROWS_MS + SEVEN_HOURS_MS + ms))
}

/// A Claude row that was written so many milliseconds after the testkit's rows.
pub fn claude(ms: i64, event: &str) -> Row {
    Row::claude(event).t(&stamp(ROWS_MS + SEVEN_HOURS_MS + ms)).utc(&t(ms))
}

/// The prompt of a Codex user, in turn 1.
pub fn codex_prompt(ms: i64, text: &str) -> Row {
    codex(ms, "turn.user_message").payload(json!({"message": text, "images": []}))
}

/// The prompt of a Claude user; the uuid may be empty for none.
pub fn claude_prompt(ms: i64, text: &str, uuid: &str) -> Row {
    let mut payload = json!({"prompt": text, "mode": "prompt"});
    if !uuid.is_empty() {
        payload["message_uuid"] = uuid.into();
    }
    claude(ms, "claude.user_prompt").payload(payload)
}

/// The rows as a file.
pub fn lines(rows: &[Row]) -> Vec<u8> {
    rows.iter().flat_map(Row::to_bytes).collect()
}

/// A command on a file of these bytes, to its end.
pub fn run_on(program: &str, args: &[&str], bytes: &[u8]) -> Ran {
    let dir = Workdir::new();
    let path = dir.write("sse_lines.jsonl", bytes);
    Cmd::new(program).args(args).arg(path).run()
}

/// The records of a command on these rows. Panics unless its status is 0.
pub fn records(program: &str, args: &[&str], rows: &[Row]) -> Vec<Value> {
    run_on(program, args, &lines(rows)).expect_code(0).rows()
}

/// Records without `index` and `src.path`: what must not depend on where a log came from.
pub fn placeless(records: Vec<Value>) -> Vec<Value> {
    let strip = |mut record: Value| {
        record["index"].take();
        record["src"]["path"].take();
        record
    };
    records.into_iter().map(strip).collect()
}

/// Records without `index` and `src`: what must not depend on how a row was written.
pub fn spelled_alike(records: Vec<Value>) -> Vec<Value> {
    let strip = |mut record: Value| {
        record["index"].take();
        record["src"].take();
        record
    };
    records.into_iter().map(strip).collect()
}

/// The record as far as the truth speaks of it.
pub fn by_keys_of(truth: &Value, record: &Value) -> Value {
    let Some(keys) = truth.as_object() else { return record.clone() };
    let pick = |(key, want): (&String, &Value)| {
        (key.clone(), by_keys_of(want, record.get(key).unwrap_or(&Value::Null)))
    };
    Value::Object(keys.iter().map(pick).collect::<Map<_, _>>())
}

/// What is wrong with the records of a command: missing, wrong, too many, or out of order.
pub fn untrue(truth: &[Value], ran: &Ran, keys: &[&str]) -> Vec<String> {
    let records = ran.rows();
    let same = |(truth, record): (&Value, &Value)| by_keys_of(truth, record) == *truth;
    if truth.len() == records.len() && truth.iter().zip(&records).all(same) {
        return Vec::new();
    }
    let mut found = testkit::differences(truth, &records, keys);
    // Where a time is not sure, neither is the order.
    if found.is_empty() && truth.iter().all(|row| row.get("t").is_some()) {
        let first = truth.iter().zip(&records).find(|pair| !same(*pair));
        found.extend(first.map(|(truth, record)| format!("in place of {truth} came {record}")));
    }
    found.truncate(4);
    found
}

/// One key of all records, as text; null becomes "null".
pub fn column(records: &[Value], key: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    records.iter().map(|record| text(&record[key])).collect()
}

/// Panics with what is wrong, if anything is: findings by the names of their logs.
pub fn expect_true(untrue: impl IntoIterator<Item = (String, Vec<String>)>) {
    let wrong = untrue.into_iter().filter(|(_, found)| !found.is_empty());
    let told: Vec<String> =
        wrong.map(|(name, found)| format!("{name}:\n    {}", found.join("\n    "))).collect();
    assert!(told.is_empty(), "{} logs are read wrongly:\n{}", told.len(), told.join("\n"));
}

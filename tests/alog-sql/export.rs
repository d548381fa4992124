//! `--export`: Parquet that other engines read, and that holds what the views hold.

use super::*;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const CHDB: &str = "4.4.0";

/// A folder with an export of some logs in it.
struct Lake {
    dir: Workdir,
    ran: Ran,
}

impl Lake {
    fn of(logs: &Logs, args: &[&str]) -> Self {
        let dir = Workdir::new();
        let ran = Cmd::new(SQL).arg("--export").arg(dir.path().join("lake")).args(args);
        let ran = ran.args(&logs.paths).run().expect_code(0);
        Self { dir, ran }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("lake")
    }

    /// All Parquet files of a view, as engines name them.
    fn files(&self, view: &str) -> String {
        format!("{}/{view}/*/*/*.parquet", self.path().display())
    }
}

/// Counts of a view: rows, tokens, first and last time, and rows by provider; with JSON's types.
fn told(rows: &[Value]) -> Value {
    rows[0].clone()
}

/// The same question to the views and to Parquet.
fn question(view: &str, from: &str, null_provider: &str) -> String {
    let tokens = match view {
        "turns" => "sum(tokens.total_tokens)",
        "tokens" | "tokens_by_call" => "sum(total_tokens)",
        _ => "0",
    };
    format!(
        "SELECT count(*) AS n, {tokens} AS tokens, min(epoch_ms(t)) AS first, max(epoch_ms(t)) AS last, \
         count(*) FILTER (WHERE provider = 'claude') AS claude, \
         count(*) FILTER (WHERE provider = 'codex') AS codex, \
         count(*) FILTER (WHERE {null_provider}) AS neither FROM {from}"
    )
}

#[test]
fn duckdb_reads_what_was_written() {
    let logs = Logs::both(101);
    for compression in ["zstd", "snappy"] {
        let lake = Lake::of(&logs, &["--compression", compression]);
        let written = lake.ran.rows();
        assert_eq!(written.len(), VIEWS.len());
        for view in &VIEWS {
            let name = view.name;
            let records = logs.records(view, &[]).len();
            let row = written.iter().find(|row| row["view"] == name).expect(name);
            assert_eq!(row["records"], records, "{name}");
            let from = format!("read_parquet('{}', hive_partitioning = true)", lake.files(name));
            let read =
                Cmd::new(SQL).args(["--unsafe", &question(name, &from, "provider IS NULL"), "-"]);
            let read = read.stdin(b"").run().expect_code(0).rows();
            let here = logs.rows(&question(name, name, "provider IS NULL"), &[]);
            assert_eq!(told(&read), told(&here), "{name}");
            assert_eq!(read[0]["n"], records, "{name}");
        }
    }
}

#[test]
fn each_column_comes_back_as_it_was() {
    let logs = Logs::fixtures();
    let lake = Lake::of(&logs, &[]);
    for view in &VIEWS {
        let from = format!("read_parquet('{}', hive_partitioning = true)", lake.files(view.name));
        let texts = match view.name {
            "events" => " REPLACE (payload::JSON AS payload)",
            "deltas" => " REPLACE (json::JSON AS json)",
            _ => "",
        };
        let query = format!("SELECT * EXCLUDE (date){texts} FROM {from} ORDER BY index");
        let read =
            Cmd::new(SQL).args(["--unsafe", &query, "-"]).stdin(b"").run().expect_code(0).rows();
        let sorted = |mut row: Value| {
            row.as_object_mut().expect("a row").sort_keys();
            row
        };
        let [read, records]: [Vec<Value>; 2] =
            [read, logs.records(view, &[])].map(|rows| rows.into_iter().map(sorted).collect());
        assert_eq!(difference(&records, &read), None, "{}", view.name);
    }
}

#[test]
fn partitions_are_named_as_hive_names_them() {
    let nobody = Row::codex("odd.event").metadata("ver", json!("1")).without_t().without_utc();
    let logs = Logs::of(&[nobody, codex_prompt(0, "x"), claude_prompt(36_000_000, "y", "")]);
    let lake = Lake::of(&logs, &["--views", "events,prompts", "--zone", "Asia/Tokyo"]);
    let below = |dir: PathBuf| {
        let entries = fs::read_dir(dir).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(below(lake.path()), ["events", "prompts"]);
    let prompts = lake.path().join("prompts");
    assert_eq!(below(prompts.clone()), ["provider=claude", "provider=codex"]);
    // 14:55 and ten hours later, UTC.
    assert_eq!(below(prompts.join("provider=codex")), ["date=2025-11-18"]);
    assert_eq!(below(prompts.join("provider=claude")), ["date=2025-11-19"]);
    let events = below(lake.path().join("events"));
    assert_eq!(
        events,
        ["provider=__HIVE_DEFAULT_PARTITION__", "provider=claude", "provider=codex"]
    );
}

#[test]
fn what_is_there_is_not_written_over() {
    let logs = Logs::fixtures();
    let lake = Lake::of(&logs, &["--views", "prompts"]);
    let again = |views: &str| {
        let ran = Cmd::new(SQL).arg("--export").arg(lake.path()).args(["--views", views]);
        ran.args(&logs.paths).run()
    };
    let ran = again("prompts").expect_code(2);
    assert!(ran.stderr.contains("prompts"), "{}", ran.stderr);
    let _ = again("turns").expect_code(0);
    let bad = again("nonsense").expect_code(2);
    assert!(bad.stderr.contains("tokens_by_call"), "{}", bad.stderr);
}

#[test]
fn a_failed_export_leaves_nothing_under_the_name() {
    let logs = Logs::fixtures();
    let dir = Workdir::new();
    // A file where DuckDB would make its folder.
    let lake = dir.path().join("lake");
    fs::create_dir(&lake).expect("a folder");
    let _ = Cmd::new("chmod").arg("555").arg(&lake).run();
    let ran = Cmd::new(SQL).arg("--export").arg(&lake).args(["--views", "turns"]);
    let ran = ran.args(&logs.paths).run();
    let _ = Cmd::new("chmod").arg("755").arg(&lake).run();
    if ran.code == Some(0) {
        skip("this user may write where nobody may");
    } else {
        assert_eq!(ran.code, Some(2));
        assert!(!lake.join("turns").exists());
    }
    let ran = Cmd::new(SQL).args(["--export", "/proc/none"]).args(&logs.paths).run();
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("/proc/none"), "{}", ran.stderr);
}

#[test]
fn a_killed_export_leaves_nothing_under_the_name() {
    let logs = Logs::sse(102, 12);
    let dir = Workdir::new();
    let lake = dir.path().join("lake");
    let whole = Lake::of(&logs, &["--views", "events"]);
    let want = whole.ran.rows()[0]["records"].clone();
    let started = Instant::now();
    let _ = Cmd::new(SQL)
        .arg("--export")
        .arg(dir.path().join("first"))
        .args(["--views", "events"])
        .args(&logs.paths)
        .run();
    let time = started.elapsed();
    for tenths in [1, 3, 5, 7, 8, 9] {
        let mut child = Command::new(SQL)
            .arg("--export")
            .arg(&lake)
            .args(["--views", "events"])
            .args(&logs.paths)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program");
        std::thread::sleep(time * tenths / 10);
        let _ = child.kill();
        let ended = child.wait().expect("its end");
        let is_there = lake.join("events").exists();
        assert!(!is_there || ended.success() || counted(&lake) == want, "killed after {tenths}/10");
        if is_there {
            break;
        }
    }
    if !lake.join("events").exists() {
        let _ = Cmd::new(SQL)
            .arg("--export")
            .arg(&lake)
            .args(["--views", "events"])
            .args(&logs.paths)
            .run()
            .expect_code(0);
    }
    assert_eq!(counted(&lake), want, "what was left over does no harm");
}

/// How many events an export holds.
fn counted(lake: &Path) -> Value {
    let files = format!("{}/events/*/*/*.parquet", lake.display());
    let query = format!("SELECT count(*) AS n FROM read_parquet('{files}')");
    let ran = Cmd::new(SQL).args(["--unsafe", &query, "-"]).stdin(b"").run().expect_code(0);
    ran.rows()[0]["n"].clone()
}

/// Python with `chdb` in it, if it is here or pip can get it.
fn clickhouse() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(install).as_deref()
}

/// Gets the package into an environment that outlives the run, so that it is got once.
fn install() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chdb-{CHDB}"));
    let python = folder.join("bin/python3");
    if has_chdb(&python) {
        return Some(python);
    }
    let pip = r#"command -v python3 >/dev/null || { echo 'error: no python3 here' >&2; exit 1; }
        python3 -m venv "$0" && exec "$0/bin/python3" -m pip install --quiet --retries 0 --timeout 20 \
        --disable-pip-version-check "$1""#;
    let pip = Cmd::new("sh").args(["-c", pip]).arg(&folder).arg(format!("chdb=={CHDB}"));
    // The user's settings say where packages come from.
    let pip = std::env::vars_os().fold(pip, |pip, (key, value)| match key.to_str() {
        Some(key) => pip.env(key, value),
        None => pip,
    });
    let ran = pip.timeout(Duration::from_secs(600)).run();
    if has_chdb(&python) {
        return Some(python);
    }
    let said = ran.stderr.lines().find(|line| line.to_lowercase().contains("error"));
    skip(&format!("chdb {CHDB} cannot be got: {}", said.unwrap_or("no pip here")));
    None
}

fn has_chdb(python: &Path) -> bool {
    let version = "import chdb; print(chdb.query('SELECT 1', 'CSV'))";
    python.exists() && Cmd::new(python).args(["-c", version]).run().code == Some(0)
}

#[test]
fn clickhouse_reads_what_was_written() {
    let Some(python) = clickhouse() else { return };
    let logs = Logs::both(103);
    let lake = Lake::of(&logs, &[]);
    for view in &VIEWS {
        let name = view.name;
        let tokens = match name {
            "turns" => "sum(tokens.total_tokens)",
            "tokens" | "tokens_by_call" => "sum(total_tokens)",
            _ => "toInt64(0)",
        };
        let query = format!(
            "SELECT toInt64(count()) AS n, toInt64(coalesce({tokens}, 0)) AS tokens, \
             toUnixTimestamp64Milli(min(t)) AS first, toUnixTimestamp64Milli(max(t)) AS last, \
             toInt64(countIf(provider = 'claude')) AS claude, toInt64(countIf(provider = 'codex')) AS codex, \
             toInt64(countIf(provider = '__HIVE_DEFAULT_PARTITION__')) AS neither \
             FROM file('{}', Parquet) \
             SETTINGS use_hive_partitioning = 1, output_format_json_quote_64bit_integers = 0",
            lake.files(name)
        );
        let script =
            "import chdb, sys; sys.stdout.write(chdb.query(sys.argv[1], 'JSONEachRow').data())";
        let ran =
            Cmd::new(python).args(["-c", script, &query]).timeout(Duration::from_secs(120)).run();
        let read = ran.expect_code(0).rows();
        let here = logs.rows(&question(name, name, "provider IS NULL"), &[]);
        assert_eq!(told(&read), told(&here), "{name}");
    }
}

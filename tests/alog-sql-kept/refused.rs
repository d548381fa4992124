//! What cannot be meant, files that are no files of ours, and queries that would change them.

use super::{Keeping, SQL, codex};
use std::fs;
use testkit::Cmd;

fn keeping(seed: u64) -> Keeping {
    let keeping = Keeping::new();
    keeping.write("x.jsonl", &codex(seed));
    keeping
}

/// What a run says that is refused; nothing is printed.
fn refused(command: Cmd) -> String {
    let ran = command.run().expect_code(2);
    assert!(ran.stdout.is_empty(), "{}", ran.text());
    ran.stderr
}

#[test]
fn flags_that_make_other_records() {
    let keeping = keeping(601);
    let turns = "SELECT count(*) AS n FROM turns";
    let n = keeping.number("SELECT count(*) FROM turns");
    for (flag, value, was) in [
        ("--tz", "+01:00", "--tz auto"),
        ("--source", "sse", "the default"),
        ("--max-line", "5M", "--max-line 1073741824"),
    ] {
        let said = refused(keeping.ask(turns).args([flag, value]));
        assert!(
            said.contains(&format!("turns was read with {was}, and this is with {flag} ")),
            "{said}"
        );
        assert!(said.contains("give the same flags, or --rebuild"), "{said}");
    }
    // A zone is only for what is grouped by days.
    let calls = "SELECT count(*) AS n FROM tokens_by_call";
    keeping.told(calls);
    let said = refused(keeping.ask(calls).args(["--zone", "Asia/Tokyo"]));
    assert!(said.contains("with --zone UTC, and this is with --zone Asia/Tokyo"), "{said}");
    let _ = keeping.ask(calls).env("TZ", "Etc/UTC").run().expect_code(0);
    let ran = keeping.ask(turns).args(["--zone", "Asia/Tokyo"]).run().expect_code(0);
    assert_eq!(ran.rows()[0]["n"], n);
    let _ = keeping.ask(turns).args(["--tz", "+01:00", "--rebuild"]).run().expect_code(0);
    refused(keeping.ask(turns));
}

#[test]
fn flags_that_choose_records() {
    let keeping = keeping(602);
    for flags in [
        ["--since", "2d"],
        ["--until", "now"],
        ["--provider", "codex"],
        ["--session", "0123456789"],
        ["--cwd", "/w"],
    ] {
        let said = refused(keeping.ask("SELECT 1 AS n").args(flags));
        assert!(said.contains("--db keeps all records: --since, --until"), "{said}");
    }
    for flags in [["-n", "3"], ["--first", "3"]] {
        let said = refused(keeping.ask("SELECT 1 AS n").args(flags));
        assert!(said.contains("write LIMIT in the query"), "{said}");
    }
    for flags in [&["--rebuild"][..], &["--status"], &["--wait"]] {
        let said = refused(Cmd::new(SQL).args(flags).arg("SELECT 1"));
        assert!(said.contains("--db <FILE>"), "{said}");
    }
    assert!(!keeping.file().exists());
}

#[test]
fn standard_input() {
    let keeping = keeping(603);
    let command = || {
        let command = Cmd::new(SQL).cwd(keeping.dir.path()).stdin(&codex(603));
        command.args(["--db", "kept.duckdb", "SELECT count(*) FROM turns"])
    };
    for command in [command(), command().arg("-")] {
        let said = refused(command);
        assert!(said.contains("--db: -: only files can be read on"), "{said}");
    }
}

#[test]
fn a_log_that_is_shorter_than_it_was() {
    let keeping = keeping(604);
    let count = "SELECT count(*) FROM events";
    let n = keeping.number(count);
    let log = fs::read(keeping.log("x.jsonl")).expect("the log");
    keeping.write("x.jsonl", &log[..log.len() - 5000]);
    let said = refused(keeping.ask(count));
    assert!(said.contains("--db: logs/x.jsonl: it begins as before, but"), "{said}");
    assert!(said.contains("--rebuild") && !said.contains("--state-file"), "{said}");
    let ran = keeping.ask("SELECT count(*) AS n FROM events").arg("--rebuild").run().expect_code(0);
    assert!(ran.rows()[0]["n"].as_i64() < Some(n));
    assert!(ran.stderr.contains("partial"), "{}", ran.stderr);
}

#[test]
fn files_that_are_no_databases() {
    let keeping = keeping(605);
    let (log, folder) = (keeping.log("x.jsonl"), keeping.logs());
    let bytes = fs::read(&log).expect("the log");
    let nowhere = keeping.dir.path().join("nowhere/kept.duckdb");
    let empty = keeping.dir.write("empty", b"");
    for (file, why) in [
        (&log, "is no DuckDB database"),
        (&empty, "is no DuckDB database"),
        (&folder, "is no DuckDB database"),
        (&nowhere, "No such file or directory"),
    ] {
        for more in [&["SELECT count(*) FROM turns"][..], &["SELECT 1", "--rebuild"], &["--status"]]
        {
            let command =
                Cmd::new(SQL).args(more).arg("--db").arg(file).arg("--files-from=/dev/null");
            let said = refused(command);
            let why = if *file == nowhere && more[0] == "--status" { "no such file" } else { why };
            assert!(said.contains(why) && said.contains(&*file.to_string_lossy()), "{said}");
        }
    }
    assert_eq!(fs::read(&log).expect("the log"), bytes);
    assert!(!nowhere.exists());
}

#[test]
fn names_that_mean_something_to_duckdb() {
    let keeping = keeping(606);
    for name in [":memory:", "md:x", "sqlite:x"] {
        let sql = "SELECT count(*) AS n FROM turns";
        let command = || Cmd::new(SQL).cwd(keeping.dir.path()).args(["--db", name, sql, "logs"]);
        let n = command().run().expect_code(0).rows();
        assert_eq!(command().run().expect_code(0).rows(), n);
        assert!(keeping.dir.path().join(name).is_file(), "{name}");
    }
}

#[test]
fn a_file_that_is_damaged() {
    let keeping = keeping(607);
    let sql = super::all_of(&super::VIEWS);
    keeping.told(&sql);
    let good = fs::read(keeping.file()).expect("the file");
    let command = || {
        let command = Cmd::new(SQL).cwd(keeping.dir.path());
        command.args(["--db", "kept.duckdb", "--memory", "512MB", &sql, "logs"]).run()
    };
    let whole = super::sorted(&command());
    for at in [0, 100, 5000, 9000, good.len() / 2, good.len() - 6000] {
        let mut bad = good.clone();
        bad[at..at + 16].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(keeping.file(), bad).expect("to damage it");
        let ran = command();
        // A block that nothing needs may be bad; else it is told.
        let is_told = ran.code == Some(2) && !ran.stderr.is_empty() && ran.stdout.is_empty();
        assert!(is_told || super::sorted(&ran) == whole, "at {at}: {:?} {}", ran.code, ran.stderr);
    }
    fs::write(keeping.file(), &good[..good.len() / 2]).expect("to cut it short");
    let ran = command();
    assert!(ran.code == Some(2) && ran.stdout.is_empty(), "{:?} {}", ran.code, ran.stderr);
    fs::write(keeping.file(), good).expect("to mend it");
    assert_eq!(super::sorted(&command()), whole);
}

#[test]
fn queries_that_would_change_it() {
    let keeping = keeping(608);
    keeping.number("SELECT count(*) FROM turns");
    let before = fs::read(keeping.file()).expect("the file");
    for sql in [
        "DELETE FROM records.turns",
        "DROP TABLE records.turns",
        "UPDATE records.turns SET status = 'open'",
        "INSERT INTO records.turns SELECT * FROM records.turns",
        "CREATE TABLE mine (n INTEGER)",
        "CREATE VIEW mine AS SELECT 1",
        "SELECT 1; DROP TABLE records.turns",
        "BEGIN; DELETE FROM records.turns; COMMIT",
        "BEGIN; COMMIT; DROP TABLE kept.records.turns",
        "BEGIN; ROLLBACK; DROP SCHEMA kept.records CASCADE",
        "SELECT E'\\''; DROP TABLE records.turns; --'",
        "SELECT $$'$$; DROP TABLE records.turns; SELECT $$'$$",
        "PREPARE change AS DELETE FROM records.turns; EXECUTE change",
        "UPDATE records._read SET fold = NULL; SELECT 1",
        "/* ; */ DELETE FROM kept.records.turns; SELECT 1",
    ] {
        for more in [&[][..], &["--unsafe"]] {
            let said = refused(keeping.ask(sql).args(more));
            assert!(said.contains("read-only"), "{sql}: {said}");
        }
    }
    for sql in [
        "SET threads = 1",
        "ATTACH 'other.duckdb'",
        "COPY turns TO 'turns.csv'",
        "COPY turns TO 'kept.duckdb'",
        "RESET lock_configuration; SET enable_external_access = true",
    ] {
        let said = refused(keeping.ask(sql));
        assert!(said.contains("configuration"), "{sql}: {said}");
    }
    for sql in [
        "SELECT * FROM records._read",
        "DETACH kept",
        "ATTACH 'kept.duckdb' AS other (READ_WRITE); DROP TABLE other.records.turns",
        "USE memory; DETACH kept; ATTACH 'kept.duckdb' AS kept; DROP TABLE kept.records.turns",
        "ATTACH ':memory:' AS m; USE m; DETACH kept; ATTACH 'kept.duckdb'; DROP TABLE kept.records.turns",
    ] {
        for more in [&[][..], &["--unsafe"]] {
            refused(keeping.ask(sql).args(more));
        }
    }
    assert!(fs::read(keeping.file()).expect("the file") == before);
}

#[test]
fn what_status_takes() {
    let keeping = keeping(609);
    let status = || Cmd::new(SQL).cwd(keeping.dir.path()).args(["--db", "kept.duckdb", "--status"]);
    let said = refused(status());
    assert!(said.contains("--db: kept.duckdb: there is no such file"), "{said}");
    assert!(!keeping.file().exists(), "it was made");
    keeping.told("SELECT count(*) FROM turns, prompts");
    let before = fs::read(keeping.file()).expect("the file");
    let told = keeping.status();
    let views: Vec<_> = told.iter().map(|view| view["view"].as_str().expect("a name")).collect();
    assert_eq!(views, ["turns", "prompts"]);
    let bytes = fs::metadata(keeping.log("x.jsonl")).expect("the log").len();
    for view in &told {
        let n = keeping.number(&format!("SELECT count(*) FROM {}", views[0]));
        assert!(view["view"] != "turns" || view["records"] == n, "{view}");
        assert_eq!(
            (&view["logs"], &view["gone"], &view["bytes"]),
            (&1.into(), &0.into(), &bytes.into())
        );
    }
    assert!(fs::read(keeping.file()).expect("the file") == before);
}

//! What cannot be answered is told, and nothing but logs is read or written without leave.

use super::*;

/// What a run that must fail says.
fn complaint(args: &[&str]) -> String {
    let ran = Cmd::new(SQL).args(args).arg("-").stdin(b"").run();
    assert_eq!((ran.code, ran.text()), (Some(2), ""), "{args:?}: {}", ran.stderr);
    ran.stderr
}

#[test]
fn a_caret_shows_where_the_query_is_wrong() {
    for (query, at) in [
        ("SELEC 1", "SELEC"),
        ("SELECT nothing FROM turns", "nothing"),
        ("SELECT 1 FROM nowhere", "nowhere"),
        ("SELECT t\nFROM turns\nWHERE stauts = 'x'", "stauts"),
    ] {
        let told = complaint(&[query]);
        let lines: Vec<&str> = told.lines().collect();
        let caret = lines.iter().position(|line| line.trim() == "^").expect(&told);
        let column = lines[caret].find('^').expect("a caret");
        assert!(lines[caret - 1][column..].starts_with(at), "{told}");
    }
    assert!(complaint(&["SELECT 1 FROM turn"]).contains("\"turns\""));
}

#[test]
fn what_fails_while_it_runs_prints_no_row() {
    let told = complaint(&[
        "SELECT CASE WHEN i = 4000 THEN error('at last') ELSE i END FROM range(5000) r(i)",
    ]);
    assert!(told.contains("at last"), "{told}");
}

#[test]
fn a_query_is_needed() {
    for query in ["", " ;; ", "-- nothing".trim_start_matches('-'), "/* nothing */"] {
        let told = complaint(&[query]);
        assert!(!told.is_empty(), "{query}");
    }
    assert!(complaint(&["/* nothing */ ;"]).contains("no statement"));
    let ran = Cmd::new(SQL).stdin(b"").run().expect_code(2);
    assert!(ran.stderr.contains("--list"), "{}", ran.stderr);
    assert!(complaint(&["@no-such"]).contains("--list"));
    assert!(complaint(&["--file", "/nonexistent/q.sql"]).contains("/nonexistent/q.sql"));
}

#[test]
fn parameters_are_given_by_name() {
    let run = |args: &[&str]| Cmd::new(SQL).args(args).arg("-").stdin(b"").run();
    let query = "SELECT $one AS one, $two::INTEGER + 1 AS two, $one || '!' AS again";
    let ran = run(&[query, "--param", "two=41", "--param", "one=it's = \"x\""]).expect_code(0);
    let want = json!({"one": "it's = \"x\"", "two": 42, "again": "it's = \"x\"!"});
    assert_eq!(ran.rows(), [want]);
    assert!(complaint(&[query, "--param", "one=1"]).contains("--param two=VALUE"));
    assert!(complaint(&["SELECT 1", "--param", "three=3"]).contains("three"));
    assert!(complaint(&["SELECT 1", "--param", "three"]).contains("NAME=VALUE"));
    assert!(complaint(&[query, "--param", "one=1", "--param", "two=x"]).contains("'x'"));
}

#[test]
fn several_statements_read_what_they_name() {
    let logs = Logs::fixtures();
    let n = logs.records(&VIEWS[2], &[]).len();
    for query in [
        "SELECT 1; SELECT count(*) AS n FROM turns",
        "CREATE TEMP TABLE mine AS SELECT * FROM turns; SELECT count(*) AS n FROM mine;",
        "SELECT count(*) AS n FROM turns; -- and nothing else",
        "SELECT count(*) AS n FROM turns WHERE ';' <> '; --'",
        "SELECT count(*) AS n FROM TURNS",
        "SELECT count(*) AS n FROM query_table('turns')",
        "FROM memory.main.turns SELECT count(*) AS n",
    ] {
        assert_eq!(logs.rows(query, &[]), [json!({"n": n})], "{query}");
    }
    let pivot = logs.rows("PIVOT turns ON status USING count(*) GROUP BY schema", &[]);
    let counts = pivot[0].as_object().expect("a row").values().filter_map(Value::as_u64);
    assert_eq!(counts.sum::<u64>(), n as u64);
    let told = logs.rows("FROM (SUMMARIZE turns) SELECT count WHERE column_name = 'sid'", &[]);
    assert_eq!(told, [json!({"count": n})]);
}

#[test]
fn without_leave_a_query_reads_and_writes_no_file() {
    let dir = Workdir::new();
    let csv = dir.write("secret.csv", b"a\n4711\n").display().to_string();
    let out = dir.path().join("out").display().to_string();
    let queries = [
        format!("SELECT * FROM read_csv('{csv}')"),
        format!("SELECT * FROM '{csv}'"),
        format!("SELECT * FROM read_text('{csv}')"),
        format!("SELECT * FROM glob('{}/*')", dir.path().display()),
        format!("SELECT 1 FROM turns; SELECT * FROM read_blob('{csv}')"),
        format!("COPY (SELECT 1) TO '{out}'"),
        format!("EXPORT DATABASE '{out}'"),
        format!("ATTACH '{out}'"),
        format!("SELECT 1; ATTACH '{out}'"),
        "INSTALL httpfs".into(),
        "LOAD httpfs".into(),
        "SET memory_limit = '1GB'".into(),
        "SET enable_external_access = true".into(),
        "PRAGMA threads = 1".into(),
        "SELECT 1; SET lock_configuration = false; SELECT 2".into(),
    ];
    for query in &queries {
        let told = complaint(&[query]);
        assert!(told.contains("--unsafe") && !told.contains("4711"), "{query}: {told}");
    }
    let names = std::fs::read_dir(dir.path()).expect("a folder").count();
    assert_eq!(names, 1, "only what was there");
}

#[test]
fn with_leave_it_does() {
    let dir = Workdir::new();
    let csv = dir.write("more.csv", b"sid,tag\ns,4711\n").display().to_string();
    let out = dir.path().join("out.csv");
    let run =
        |query: &str| Cmd::new(SQL).args(["--unsafe", query, "-"]).stdin(b"").run().expect_code(0);
    let rows = run(&format!("SELECT tag FROM read_csv('{csv}')")).rows();
    assert_eq!(rows, [json!({"tag": 4711})]);
    let _ = run(&format!("COPY (SELECT tag + 1 AS n FROM '{csv}') TO '{}'", out.display()));
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), "n\n4712\n");
    let file = dir.path().join("kept.db");
    let kept = format!(
        "ATTACH '{}' AS kept; CREATE TABLE kept.x AS SELECT 5 AS n; FROM kept.x",
        file.display()
    );
    assert_eq!(run(&kept).rows(), [json!({"n": 5})]);
    assert_eq!(run("SET threads = 1; SELECT 1 AS n").rows(), [json!({"n": 1})]);
}

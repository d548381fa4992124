//! What runs tell beside their rows: bad lines, counts, and the exit status.

use super::{Keeping, codex, lines_of};
use std::collections::BTreeSet;
use testkit::Cmd;

/// A log with that many bad lines behind its rows.
fn bad(seed: u64, bad: usize) -> Vec<u8> {
    let lines = (0..bad).map(|n| format!("no row at all, {n:>60}\n"));
    codex(seed).into_iter().chain(lines.collect::<String>().into_bytes()).collect()
}

const TWO: &str = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM turns) AS n";

fn with_report(keeping: &Keeping, sql: &str, flags: &[&str]) -> Cmd {
    keeping.ask(sql).args(["--summary", "--bad-lines", "bad"]).args(flags)
}

fn written(keeping: &Keeping) -> Vec<String> {
    let text = std::fs::read_to_string(keeping.dir.path().join("bad")).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bad_lines_are_told_by_the_run_that_meets_them_and_once() {
    let (keeping, log) = (Keeping::new(), bad(701, 300));
    keeping.write("x.jsonl", &log);
    let ran = with_report(&keeping, TWO, &[]).run().expect_code(0);
    assert!(ran.stderr.contains("300 bad lines, the first at logs/x.jsonl:"), "{}", ran.stderr);
    let summary = ran.summary();
    assert_eq!((&summary["bad_lines"], &summary["files"]), (&300.into(), &1.into()));
    assert_eq!(summary["lines"], lines_of(&log), "lines are counted once");
    let lines = written(&keeping);
    assert_eq!((lines.len(), lines.iter().collect::<BTreeSet<_>>().len()), (300, 300));
    // Nothing is new in these views, and so nothing is bad.
    let ran = with_report(&keeping, TWO, &["--strict"]).run().expect_code(0);
    assert_eq!((&ran.summary()["bad_lines"], written(&keeping).len()), (&0.into(), 0));
}

#[test]
fn a_query_that_fails_tells_what_was_read_for_it() {
    let (keeping, log) = (Keeping::new(), bad(704, 3));
    keeping.write("x.jsonl", &log);
    let ran = with_report(&keeping, "SELECT error('lost') FROM events", &[]).run().expect_code(2);
    assert!(ran.stderr.contains("3 bad lines, the first at logs/x.jsonl:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("lost"), "{}", ran.stderr);
    assert_eq!(written(&keeping).len(), 3);
    let again = with_report(&keeping, "SELECT count(*) FROM events", &["--strict"]).run();
    assert_eq!(
        (again.expect_code(0).rows().len(), written(&keeping).len()),
        (1, 0),
        "all was told"
    );
}

#[test]
fn a_view_that_is_read_later_tells_what_it_meets() {
    let (keeping, log) = (Keeping::new(), bad(702, 3));
    keeping.write("x.jsonl", &log);
    keeping.number("SELECT count(*) FROM events");
    let ran = with_report(&keeping, TWO, &["--strict"]).run().expect_code(2);
    assert_eq!((&ran.summary()["bad_lines"], written(&keeping).len()), (&3.into(), 3));
    assert_eq!(ran.rows().len(), 1, "what can be answered is answered");
}

#[test]
fn partial_lines_wait() {
    let (keeping, log) = (Keeping::new(), codex(703));
    let cut = super::middle(&log) - 1;
    keeping.write("x.jsonl", &log[..cut]);
    let count = "SELECT count(*) AS n FROM events";
    let ran = keeping.ask(count).arg("--summary").run().expect_code(0);
    assert!(
        ran.stderr.contains("1 partial last line, the first at logs/x.jsonl:"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.summary()["partial_lines"], 1);
    assert_eq!(ran.rows()[0]["n"], lines_of(&log[..cut]) - 1);
    keeping.append("x.jsonl", &log[cut..]);
    assert_eq!(keeping.number("SELECT count(*) FROM events"), lines_of(&log));
}

#[test]
fn no_row_and_a_log_that_is_not_there() {
    let keeping = Keeping::new();
    keeping.write("x.jsonl", &codex(704));
    let none = "SELECT * FROM turns WHERE false";
    for _ in 0..2 {
        let _ = keeping.ask(none).arg("--fail-empty").run().expect_code(1);
        let _ = keeping.ask("SELECT 1").arg("--fail-empty").run().expect_code(0);
        let ran = keeping.ask(TWO).arg("nowhere.jsonl").run().expect_code(2);
        assert_eq!(ran.stderr.matches("nowhere.jsonl").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn any_number_of_threads() {
    let keeping = Keeping::new();
    keeping.write("x.jsonl", &codex(705));
    let _ = keeping.ask(TWO).args(["-j", "2"]).run().expect_code(0);
    keeping.check(&["events", "turns"], "-j 2");
}

//! Two runs with one file: the second is told by whom it is held, or waits.

use super::{Keeping, SQL, codex, middle};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A query that goes on until its reader has gone: it has many rows, which nobody reads but the first.
struct Holding(Child);

impl Holding {
    fn new(keeping: &Keeping) -> Self {
        let sql = "SELECT range, repeat('x', 1000) FROM range(200000)";
        let mut command = Command::new(SQL);
        command.env("TZ", "UTC");
        command.current_dir(keeping.dir.path()).args(["--db", "kept.duckdb", sql, "logs"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program");
        // Once it prints, it has the file open to read.
        let mut first = String::new();
        let out = child.stdout.take().expect("its output");
        let mut out = BufReader::with_capacity(100, out);
        out.read_line(&mut first).expect("a row");
        child.stdout = Some(out.into_inner());
        Self(child)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const COUNT: &str = "SELECT count(*) AS n FROM events";

fn keeping(seed: u64) -> (Keeping, Vec<u8>) {
    let (keeping, log) = (Keeping::new(), codex(seed));
    keeping.write("x.jsonl", &log[..middle(&log)]);
    keeping.told(COUNT);
    (keeping, log)
}

#[test]
fn who_comes_second_is_told_by_whom_it_is_held() {
    let (keeping, log) = keeping(901);
    let holding = Holding::new(&keeping);
    keeping.append("x.jsonl", &log[middle(&log)..]);
    let ran = keeping.ask(COUNT).run().expect_code(2);
    assert!(ran.stdout.is_empty());
    assert!(ran.stderr.contains("kept.duckdb: in use by"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("PID {}", holding.0.id())), "{}", ran.stderr);
    assert!(ran.stderr.trim_end().ends_with("; --wait waits"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("However"), "{}", ran.stderr);
}

#[test]
fn who_waits_is_answered() {
    let (keeping, log) = keeping(902);
    let holding = Holding::new(&keeping);
    keeping.append("x.jsonl", &log[middle(&log)..]);
    let start = Instant::now();
    let releases = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        drop(holding);
    });
    let ran = keeping.ask(COUNT).arg("--wait").run().expect_code(0);
    assert!(start.elapsed() >= Duration::from_millis(600), "it did not wait");
    releases.join().expect("the one before");
    assert_eq!(ran.rows()[0]["n"], super::lines_of(&log));
}

#[test]
fn many_that_wait_all_get_the_answer() {
    let (keeping, log) = (Keeping::new(), codex(903));
    keeping.write("x.jsonl", &log);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || keeping.ask(COUNT).arg("--wait").run().expect_code(0).rows();
        let all: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().expect("a run")).collect()
    });
    assert!(answers.iter().all(|rows| rows[0]["n"] == super::lines_of(&log)), "{answers:?}");
}

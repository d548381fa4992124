//! Runs that are killed, or cannot write: the file is whole, and the next run makes it right.

use super::{SQL, VIEWS};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Cmd, Prng, Workdir, big};

/// What each view comes to.
fn figures() -> String {
    let one = |view: &str| {
        format!(
            "SELECT '{view}' AS view, count(*) AS n, sum(hash(record)) AS sum FROM \
             (SELECT * EXCLUDE (\"index\") FROM {view}) AS record"
        )
    };
    VIEWS.map(one).join(" UNION ALL ")
}

fn on(dir: &Path, args: &[&str]) -> Cmd {
    let command = Cmd::new(SQL).cwd(dir).timeout(Duration::from_secs(300));
    command.args(args).arg(figures()).arg("x.jsonl")
}

fn text(command: Cmd) -> String {
    command.run().expect_code(0).text().to_owned()
}

#[test]
fn a_run_that_is_killed() {
    let mut prng = Prng::new(801);
    let dir = Workdir::new();
    big(&dir.path().join("x.jsonl"), 30 << 20, 801).expect("a log");
    let start = Instant::now();
    let whole = text(on(dir.path(), &[]));
    let takes = start.elapsed().as_millis() as u64;
    for kill in 0..10 {
        if kill == 5 {
            std::fs::remove_file(dir.path().join("kept")).expect("to begin anew");
            let _ = std::fs::remove_file(dir.path().join("kept.wal"));
        }
        let mut command = Command::new(SQL);
        command.env("TZ", "UTC");
        command.current_dir(dir.path()).args(["--db", "kept", &figures(), "x.jsonl"]);
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program");
        thread::sleep(Duration::from_millis(prng.range(takes / 20, takes)));
        child.kill().expect("to kill it");
        child.wait().expect("its end");
        // What is there can be read.
        let status = Cmd::new(SQL).cwd(dir.path()).args(["--db", "kept", "--status"]);
        if dir.path().join("kept").exists() {
            status.run().expect_code(0).rows();
        }
    }
    assert_eq!(text(on(dir.path(), &["--db", "kept"])), whole);
    assert_eq!(text(on(dir.path(), &["--db", "kept"])), whole, "nothing is new");
}

#[test]
fn a_run_that_cannot_write() {
    let dir = Workdir::new();
    big(&dir.path().join("x.jsonl"), 6 << 20, 802).expect("a log");
    let whole = text(on(dir.path(), &[]));
    // Files may have no more than a megabyte, and who goes beyond is told so instead of killed.
    let script = r#"ulimit -f 1024; trap '' XFSZ; exec "$@""#;
    let command = Cmd::new("bash").cwd(dir.path()).args(["-c", script, "bash", SQL]);
    let ran = command.args(["--db", "kept", &figures(), "x.jsonl"]).run().expect_code(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("kept"), "{}", ran.stderr);
    assert_eq!(text(on(dir.path(), &["--db", "kept"])), whole);
}

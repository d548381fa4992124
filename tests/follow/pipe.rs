//! A log that is followed and the same log through `tail -F`: the same records but for the path.

use super::rows;
use crate::live::child::Child;
use crate::programs::{CALLS, DELTAS, EVENTS, PROMPTS, TURNS, skip};
use serde_json::Value;
use std::time::Duration;
use testkit::{Cmd, Detail, Fault, LogBuilder, Workdir};

fn pathless(text: &str) -> Vec<Value> {
    let strip = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        record["src"]["path"].take();
        record
    };
    text.lines().map(strip).collect()
}

#[test]
fn records_are_those_of_a_pipe() {
    if Cmd::new("sh").args(["-c", "command -v tail"]).run().code != Some(0) {
        return skip("no tail");
    }
    let log = LogBuilder::new(77).turns(3).detail(Detail::Brief).fault(Fault::Disorder).build();
    for (program, bytes) in [
        (TURNS, &log.codex),
        (TURNS, &log.claude),
        (CALLS, &log.codex),
        (DELTAS, &log.claude),
        (PROMPTS, &log.codex),
    ] {
        let dir = Workdir::new();
        let (there, later) = bytes.split_at(bytes.len() / 3);
        let path = dir.write("a.jsonl", there);
        let path = path.to_str().expect("UTF-8");
        let script = r#"tail -n +1 -F "$1" 2>/dev/null & tail=$!; (sleep 4; kill $tail) & wait"#;
        let script = format!("{{ {script}; }} | \"$2\" -");
        let piped = Child::on("/bin/sh", ["-c", &script, "sh", path, program]);
        let followed = Child::on(program, ["-f", path, "--for", "4s"]);
        std::thread::sleep(Duration::from_millis(900));
        for part in later.chunks(later.len() / 3 + 1) {
            dir.append("a.jsonl", part);
            std::thread::sleep(Duration::from_millis(100));
        }
        let (piped, followed) = (piped.end(), followed.end());
        let (piped, followed) = (pathless(&piped.rest), pathless(&followed.rest));
        assert!(!followed.is_empty());
        assert_eq!(followed, piped, "{program}");
    }
}

#[test]
fn a_large_log_is_followed_from_where_it_ended() {
    let dir = Workdir::new();
    let path = dir.write("a.jsonl", &rows(0..20_000));
    let mut child = Child::on(EVENTS, ["-f", "-n", "1", path.to_str().expect("UTF-8")]);
    assert_eq!(super::next(&mut child, 1), [19_999]);
    dir.append("a.jsonl", &rows([20_000]));
    let record = child.next();
    assert_eq!((super::number(&record), record["src"]["line"].as_u64()), (20_000, Some(20_001)));
    // Much at once, too.
    dir.append("a.jsonl", &rows(20_001..60_000));
    for n in 20_001..60_000 {
        assert_eq!(super::number(&child.next()), n);
    }
}

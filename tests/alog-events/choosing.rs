//! Which events are printed: `-e`, `--grep`, and `--raw` to have the source lines themselves.

use crate::programs::{
    EVENTS, Written, codex, codex_prompt, column, events, lines, records, run_on,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{Row, Workdir};

const NAMES: [&str; 6] = [
    "turn.user_message",
    "turn.exec.begin",
    "turn.exec.end",
    "response.output_text.delta",
    "turn.agent_message.delta",
    "codex.idle",
];

fn chosen(args: &[&str]) -> Vec<String> {
    let rows: Vec<Row> = (0..).zip(NAMES).map(|(ms, name)| codex(ms, name)).collect();
    column(&records(EVENTS, args, &rows), "event")
}

#[test]
fn globs_choose_and_exclude() {
    assert_eq!(chosen(&["-e", "turn.exec.*"]), ["turn.exec.begin", "turn.exec.end"]);
    assert_eq!(chosen(&["-e", "turn.*", "-e", "!*.delta"]), NAMES[..3]);
    assert_eq!(chosen(&["-e", "!*.delta"]), [NAMES[0], NAMES[1], NAMES[2], NAMES[5]]);
    assert_eq!(chosen(&["--event", "codex.idle,turn.exec.end"]), ["turn.exec.end", "codex.idle"]);
    assert_eq!(chosen(&["-e", "codex.idle", "-e", "*message"]), [NAMES[0], NAMES[5]]);
    assert_eq!(chosen(&["-e", "turn.exec.*,!*.end"]), ["turn.exec.begin"]);
    assert_eq!(chosen(&["-e", "turn.exec.???"]), ["turn.exec.end"]);
    assert_eq!(chosen(&["-e", "exec"]), [""; 0]);
    assert_eq!(chosen(&["-e", "!*"]), [""; 0]);
}

#[test]
fn a_glob_that_is_none_is_a_usage_error() {
    let ran = events().args(["-e", "turn.[", "-"]).stdin(b"").run().expect_code(2);
    assert!(ran.stderr.contains("turn.["), "{}", ran.stderr);
    let ran = events().args(["--grep", "(", "-"]).stdin(b"").run().expect_code(2);
    assert!(ran.stdout.is_empty() && !ran.stderr.is_empty());
}

#[test]
fn the_latest_of_a_kind() {
    let written = Written::clean(3);
    let all = written.run(EVENTS, &["-e", "codex.idle,claude.stop"]).rows();
    assert!(all.len() > 2);
    let last = written.run(EVENTS, &["-e", "codex.idle,claude.stop", "-n", "2"]).rows();
    assert_eq!(column(&last, "t"), column(&all, "t")[all.len() - 2..]);
    assert_eq!(column(&last, "index"), ["1", "2"]);
}

/// A log of small rows, the wanted ones with other bytes around them that could mislead a search.
fn grepped() -> Vec<u8> {
    let rows = |from: i64| {
        let quoted = codex(from, "turn.exec.end").payload(json!({"stdout": "say \"needle\"\n"}));
        [
            codex_prompt(from, "hay"),
            quoted,
            codex_prompt(from + 1, "NEEDLE"),
            codex(from, "turn.diff"),
        ]
    };
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(lines(&rows(0)));
    bytes.extend(b"\0\0 needle of nobody\n");
    bytes.extend(lines(&rows(1000)));
    bytes
}

#[test]
fn grep_looks_at_the_raw_lines() {
    let places = |pattern: &str| {
        let ran = run_on(EVENTS, &["--grep", pattern], &grepped()).expect_code(0);
        ran.rows().iter().map(|event| event["src"]["line"].as_u64()).collect::<Vec<_>>()
    };
    assert_eq!(places("needle"), [Some(2), Some(7)]);
    assert_eq!(places("(?i)needle"), [Some(2), Some(3), Some(7), Some(8)]);
    assert_eq!(places(r#"^\{"event":"turn\.diff""#), [Some(4), Some(9)]);
    assert_eq!(places(r"\}$").len(), 8);
    assert_eq!(places(r#"\\\\\\"needle"#), [Some(2), Some(7)]);
    assert_eq!(places("nowhere"), []);
}

#[test]
fn grep_finds_the_same_in_compressed_logs() {
    let (dir, bytes) = (Workdir::new(), grepped());
    let plain = dir.write("p/sse_lines.jsonl", &bytes);
    let gz = dir.write_gz("g/sse_lines.jsonl.gz", &bytes);
    let zst = dir.write_zst("z/sse_lines.jsonl.zst", &bytes);
    let found = |args: &[&str], path: &std::path::Path| {
        let ran = events().args(["--grep", "needle"]).args(args).arg(path).run().expect_code(0);
        crate::programs::placeless(ran.rows())
    };
    let want = found(&[], &plain);
    assert_eq!(want.len(), 2);
    for path in [&gz, &zst] {
        assert_eq!(found(&[], path), want);
    }
    assert_eq!(found(&["-j1"], &plain), want);
}

#[test]
fn grep_and_names_must_both_hold() {
    let ran = run_on(EVENTS, &["--grep", "needle|hay", "-e", "*.exec.*"], &grepped());
    assert_eq!(column(&ran.expect_code(0).rows(), "event"), ["turn.exec.end", "turn.exec.end"]);
}

#[test]
fn raw_prints_the_source_lines_in_order_of_time() {
    let late = codex(0, "turn.diff").payload(json!({"z": 1.5, "a": "é"}));
    let rows =
        [codex_prompt(10, "b"), codex(9000, "codex.idle"), late.clone(), codex_prompt(20, "c")];
    let ran = run_on(EVENTS, &["--raw"], &lines(&rows)).expect_code(0);
    let sorted = [late, rows[0].clone(), rows[3].clone(), rows[1].clone()];
    assert_eq!(String::from_utf8(lines(&sorted)).expect("UTF-8"), ran.text());
    let ran = run_on(EVENTS, &["--raw", "-e", "codex.*"], &lines(&rows)).expect_code(0);
    assert_eq!(ran.stdout, rows[1].to_bytes());
}

#[test]
fn raw_gives_back_every_row_of_a_damaged_log() {
    let written = Written::faulty(5);
    let raw = written.run(EVENTS, &["--raw"]).expect_code(0);
    let mut wanted: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, bytes) in written.paths.iter().zip([&written.log.codex, &written.log.claude]) {
        wanted.insert(path.display().to_string(), bytes.clone());
    }
    let mut lines = raw.stdout.split(|byte| *byte == b'\n');
    for event in written.run(EVENTS, &[]).expect_code(0).rows() {
        let number = |key: &str| event["src"][key].as_u64().expect("a number") as usize;
        let file = &wanted[event["src"]["path"].as_str().expect("a path")];
        let row = &file[number("offset")..number("offset") + number("len")];
        assert_eq!(lines.next(), Some(row));
    }
    assert_eq!(lines.collect::<Vec<_>>(), [b""]);
}

#[test]
fn raw_goes_with_no_form_of_records() {
    for other in [&["-o", "table"][..], &["-o", "csv"], &["--pretty"]] {
        let ran = events().arg("--raw").args(other).arg("-").stdin(b"").run().expect_code(2);
        assert!(ran.stdout.is_empty());
    }
    let spaced = json!({"event": "turn.diff", "t": "2025-11-18T21:55:52.402", "line": "data: {}"});
    let line = serde_json::to_string_pretty(&spaced).expect("JSON").replace('\n', " ");
    let ran = run_on(EVENTS, &["--raw"], format!("  {line} \n").as_bytes()).expect_code(0);
    assert!(ran.text().contains(&line), "{}", ran.text());
    let told: Vec<Value> = ran.rows();
    assert_eq!(told[0], spaced);
}

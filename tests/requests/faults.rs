//! Files of requests that cannot be read: each is one bad line, and the rest goes on.

use super::Captured;
use crate::programs::{column, events, expect_true, untrue};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use testkit::{CaptureBuilder, CaptureCase as Case, Workdir};

/// The bad lines that a run writes down.
fn bad_lines(captured: &Captured) -> Vec<Value> {
    let out = Workdir::new();
    let told = out.path().join("bad.jsonl");
    let _ = captured.events(&["--bad-lines", &told.display().to_string()]).expect_code(0);
    let text = std::fs::read_to_string(told).expect("the bad lines");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn each_is_one_bad_line() {
    let cases: [&[Case]; 4] = [&[], &[Case::Pretty], &[Case::BodyFirst], &[Case::Large]];
    for more in cases {
        let captured = Captured::new(&CaptureBuilder::new(20).cases(&Case::FAULTS).cases(more));
        let bad = bad_lines(&captured);
        let want: Vec<Value> = captured
            .log
            .faulty()
            .map(|file| {
                json!({
                    "schema": "alog.bad_line/1", "path": captured.path(file), "line": 1,
                    "offset": 0, "len": file.bytes.len(),
                    "text": String::from_utf8_lossy(&file.bytes),
                })
            })
            .collect();
        assert_eq!(want.len(), 8);
        let found = testkit::differences(&want, &bad, &["path"]);
        assert!(found.is_empty(), "{more:?}: {}", found.len());
        let reasons = column(&bad, "reason");
        let keyless = reasons.iter().filter(|why| why.contains("none of the keys"));
        assert_eq!(keyless.count(), 2, "{reasons:?}");
        assert!(reasons.iter().all(|why| why != "partial"), "{reasons:?}");
    }
}

#[test]
fn the_rest_goes_on() {
    expect_true(Case::FAULTS.into_iter().map(|fault| {
        let captured = Captured::new(&CaptureBuilder::new(21).case(fault));
        let ran = captured.events(&[]).expect_code(0);
        assert!(ran.stderr.contains("2 bad lines, the first at "), "{}", ran.stderr);
        let _ = captured.events(&["--strict"]).expect_code(2);
        (format!("{fault:?}"), untrue(&captured.log.events(), &ran, &["t", "provider"]))
    }));
}

#[test]
fn a_file_alone_is_no_reason_to_stop() {
    let captured = Captured::new(&CaptureBuilder::new(22).cases(&Case::FAULTS));
    for file in captured.log.faulty() {
        let ran = events().arg("--summary").arg(captured.path(file)).run().expect_code(0);
        let got = ran.summary();
        let want = json!({"files": 1, "lines": 1, "bad_lines": 1, "unknown_files": 0});
        assert_eq!(crate::programs::by_keys_of(&want, &got), want, "{}", ran.stderr);
    }
}

/// What does not match is not judged, but `--strict` looks at everything.
#[test]
fn grep_passes_over_bad_files() {
    let captured = Captured::new(&CaptureBuilder::new(23).case(Case::NotJson));
    let ran = captured.events(&["--grep", "\"method\"", "--summary"]).expect_code(0);
    assert_eq!(ran.summary()["bad_lines"], 0);
    assert_eq!(ran.rows().len(), captured.log.requests().len());
    let ran = captured.events(&["--grep", "\"method\"", "--summary", "--strict"]).expect_code(2);
    assert_eq!(ran.summary()["bad_lines"], 2);
    assert_eq!(ran.rows().len(), captured.log.requests().len());
}

#[test]
fn what_no_provider_takes_is_not_read() {
    const LARGER: u64 = (32 << 20) + 1;
    let dir = Workdir::new();
    let head = br#"{"ts":1,"method":"POST","url":"https://api.anthropic.com/v1/messages","body":""#;
    let path = dir.write("claude/requests/large.json", head);
    let file = OpenOptions::new().write(true).open(&path).expect("the file");
    file.set_len(LARGER).expect("a sparse file");
    let bad = dir.path().join("bad");
    let ran =
        events().arg("--bad-lines").arg(&bad).arg("--summary").arg(&path).run().expect_code(0);
    assert_eq!((&ran.summary()["bad_lines"], &ran.summary()["bytes"]), (&json!(1), &json!(LARGER)));
    let text = std::fs::read_to_string(bad).expect("the bad line");
    let row: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&row["line"], &row["offset"], &row["len"]), (&json!(1), &json!(0), &json!(LARGER)));
    let reason = row["reason"].as_str().expect("a reason");
    assert!(reason.contains("32 MiB") && reason.contains(&LARGER.to_string()), "{reason}");
    assert!(ran.peak_rss.is_none_or(|peak| peak < 30 << 20), "{:?}", ran.peak_rss);
}

#[test]
fn a_limit_of_lines_holds_for_requests() {
    let captured = Captured::new(&CaptureBuilder::new(24).case(Case::Large).codex_sessions(0));
    let ran = captured.events(&["--max-line", "1M", "--summary"]).expect_code(0);
    assert_eq!(ran.summary()["bad_lines"], 1);
    assert!(ran.stderr.contains("longer than --max-line"), "{}", ran.stderr);
    assert_eq!(ran.rows().len(), captured.log.requests().len() - 1);
}

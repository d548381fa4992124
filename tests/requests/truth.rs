//! `alog-events` against the truth: whose requests are, when they were sent, and what they say.

use super::Captured;
use crate::programs::{
    column, events, expect_true, placeless, spelled_alike, untrue, with_stdin_from,
};
use serde_json::{Value, json};
use testkit::{CaptureBuilder, CaptureCase as Case, Ran, Workdir, utc_stamp};

/// By which events are told apart in reports.
const KEYS: &[&str] = &["t", "provider", "event"];

fn wrong(captured: &Captured, args: &[&str]) -> Vec<String> {
    untrue(&captured.log.events(), &captured.events(args).expect_code(0), KEYS)
}

fn each(cases: &[Case]) {
    expect_true(cases.iter().map(|case| {
        let captured = Captured::new(&CaptureBuilder::new(5).case(*case));
        (format!("{case:?}"), wrong(&captured, &[]))
    }));
}

#[test]
fn plain_conversations() {
    expect_true((1..5).map(|seed| {
        let captured = Captured::new(&CaptureBuilder::new(seed).steps(6));
        (format!("seed {seed}"), wrong(&captured, &[]))
    }));
}

#[test]
fn each_spelling() {
    each(&Case::SPELLINGS);
}

#[test]
fn each_place_of_the_session() {
    each(&Case::SESSIONS);
}

#[test]
fn each_kind_of_request() {
    each(&Case::REQUESTS);
}

#[test]
fn all_kinds_in_all_spellings() {
    expect_true((0..16).map(|bits| {
        let on = |(i, case): (usize, &Case)| (bits >> i & 1 == 1).then_some(*case);
        let cases: Vec<Case> = Case::SPELLINGS.iter().enumerate().filter_map(on).collect();
        let builder = CaptureBuilder::new(6).steps(3).cases(&Case::REQUESTS).cases(&cases);
        let captured = Captured::new(&builder.case(Case::SessionInBody));
        (format!("{cases:?}"), wrong(&captured, &[]))
    }));
}

#[test]
fn times_are_told_by_stamps_zones_and_names() {
    let local = Captured::new(&CaptureBuilder::new(7).case(Case::LocalTimes));
    assert_eq!(wrong(&local, &["--tz", "+07:00"]), Vec::<String>::new());
    let named = Captured::new(&CaptureBuilder::new(7).case(Case::TimeInName));
    assert_eq!(wrong(&named, &[]), Vec::<String>::new());
    // What a file was written at is no time of the request.
    let dir = Workdir::new();
    let file = &named.log.files[0];
    let nameless = dir.write("requests/some.json", &file.bytes);
    assert_eq!(events().arg(&nameless).run().rows()[0]["t"], Value::Null);
    let millis = dir.write("requests/1731400000123_some.json", &file.bytes);
    assert_eq!(events().arg(&millis).run().rows()[0]["t"], utc_stamp(1_731_400_000_123));
}

#[test]
fn form_bodies_say_why_there_is_no_payload() {
    let captured = Captured::new(&CaptureBuilder::new(8).case(Case::FormBody));
    let rows = captured.events(&["-e", "request.other"]).expect_code(0).rows();
    assert_eq!(column(&rows, "payload_error"), ["body: not JSON: expected a value at byte 0"; 2]);
    assert_eq!(column(&rows, "payload"), ["null"; 2]);
}

#[test]
fn threads_change_nothing() {
    let builder = CaptureBuilder::new(9).steps(9).claude_sessions(5).codex_sessions(5);
    let captured = Captured::new(&builder.cases(&Case::REQUESTS).cases(&Case::FAULTS));
    let one = captured.events(&["-j1"]).expect_code(0);
    let eight = captured.events(&["-j8"]).expect_code(0);
    assert_eq!(one.stdout, eight.stdout);
    assert_eq!(one.rows().len(), captured.log.requests().len());
}

/// More than is kept in memory: files are read twice.
#[test]
fn many_large_requests() {
    let cases = [Case::TimeInName, Case::Large, Case::BodyAsText];
    let log = CaptureBuilder::new(10).codex_sessions(0).steps(0).cases(&cases).build();
    let (dir, copies) = (Workdir::new(), 70 * 1_000_000 / log.files[0].bytes.len() + 1);
    for copy in 0..copies {
        // The names stand in another order than the times.
        let ms = 1_770_000_000_000 + copy as i64 * 7919 % 1000;
        let folder = format!("{}/requests", copies - copy);
        dir.write(&format!("{folder}/{ms}_x.json"), &log.files[0].bytes);
    }
    let run = |jobs: &str| events().args([jobs, "--summary"]).arg(dir.path()).run().expect_code(0);
    let (one, eight) = (run("-j1"), run("-j8"));
    assert!(one.stdout == eight.stdout, "-j1 and -j8 differ");
    assert_eq!(one.summary()["records"], copies);
    let rows = one.rows();
    let times = column(&rows, "t");
    assert!(times.is_sorted(), "{times:?}");
    let body = &log.requests()[0].1.body;
    assert!(rows.len() == copies && rows.iter().all(|row| row["payload"] == *body));
}

#[test]
fn events_are_chosen_by_the_same_flags() {
    let captured = Captured::new(&CaptureBuilder::new(11).cases(&Case::REQUESTS));
    let truth = captured.log.events();
    let want = |wanted: &dyn Fn(&Value) -> bool| {
        truth.iter().filter(|row| wanted(row)).cloned().collect::<Vec<_>>()
    };
    let sid = truth[0]["sid"].as_str().expect("a session").to_owned();
    let (from, to) = (truth[3]["t"].clone(), truth[9]["t"].clone());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (from, to) = (text(&from), text(&to));
    let tail = &sid[sid.len() - 8..];
    let runs: [(&[&str], Vec<Value>); 8] = [
        (&["-e", "request.messages"], want(&|row| row["event"] == "request.messages")),
        (&["-e", "!request.other"], want(&|row| row["event"] != "request.other")),
        (&["--provider", "codex"], want(&|row| row["provider"] == "codex")),
        (&["--session", tail], want(&|row| row["sid"] == sid.as_str())),
        (&["--cwd", "/home/u"], want(&|row| row["cwd"] == "/home/u/project")),
        (
            &["--since", &from, "--until", &to],
            want(&|row| text(&row["t"]) >= from && text(&row["t"]) < to),
        ),
        (&["-n", "2"], truth[truth.len() - 2..].to_vec()),
        (&["--grep", "count_tokens"], want(&|row| row["event"] == "request.count_tokens")),
    ];
    expect_true(runs.into_iter().map(|(args, want)| {
        let ran = captured.events(args).expect_code(0);
        assert!(!want.is_empty(), "{args:?}");
        (format!("{args:?}"), untrue(&want, &ran, KEYS))
    }));
}

#[test]
fn raw_is_the_document_as_it_stands() {
    for cases in [&[][..], &[Case::Pretty], &[Case::BodyAsText, Case::Large]] {
        let captured = Captured::new(&CaptureBuilder::new(12).steps(2).cases(cases));
        let requests = captured.log.requests();
        let want: Vec<u8> = requests.iter().flat_map(|(file, _)| file.bytes.clone()).collect();
        assert!(captured.events(&["--raw"]).expect_code(0).stdout == want, "{cases:?}");
    }
}

#[test]
fn a_request_is_the_same_from_everywhere() {
    let captured = Captured::new(&CaptureBuilder::new(13).case(Case::Pretty).steps(1));
    for (file, _) in captured.log.requests() {
        let path = captured.path(file);
        let want = placeless(events().arg(&path).run().expect_code(0).rows());
        assert_eq!(want.len(), 1);
        let same = |ran: Ran| assert_eq!(placeless(ran.expect_code(0).rows()), want);
        same(with_stdin_from(env!("CARGO_BIN_EXE_alog-events"), &[], &path).run());
        same(events().arg("-").stdin(&file.bytes).run());
        same(events().args(["-n", "1", "-"]).stdin(&file.bytes).run());
        same(events().arg(captured.dir.write_gz("a.gz", &file.bytes)).run());
        same(events().arg(captured.dir.write_zst("requests/a.json", &file.bytes)).run());
        let marked = [b"\xef\xbb\xbf", &file.bytes[..]].concat();
        let ran = events().arg(captured.dir.write("marked", &marked)).run().expect_code(0);
        assert_eq!(ran.rows()[0]["src"]["offset"], 3);
        assert_eq!(spelled_alike(ran.rows()), spelled_alike(want.clone()));
    }
}

#[test]
fn keys_behind_a_large_body_are_looked_for_anywhere() {
    let cases = [Case::BodyFirst, Case::Large];
    let captured = Captured::new(&CaptureBuilder::new(14).steps(0).cases(&cases));
    for (file, request) in captured.log.requests() {
        let path = captured.dir.write("elsewhere.txt", &file.bytes);
        let rows = events().arg(path).run().expect_code(0).rows();
        assert_eq!(column(&rows, "event"), [request.event]);
    }
}

#[test]
fn the_summary_counts_requests() {
    let captured = Captured::new(&CaptureBuilder::new(15).case(Case::Pretty));
    let got = captured.events(&["--summary"]).expect_code(0).summary();
    let bytes: usize = captured.log.files.iter().map(|file| file.bytes.len()).sum();
    let files = captured.log.files.len();
    let want = json!({
        "files": files, "files_skipped": 0, "bytes": bytes, "lines": files, "events": files,
        "records": files, "bad_lines": 0, "partial_lines": 0, "unknown_files": 0,
    });
    assert_eq!(crate::programs::by_keys_of(&want, &got), want);
}

//! Every line is an event, bad, the cut end of a file, or blank.

use super::{Home, full};
use crate::programs::{EVENTS, by_keys_of, events, expect_true};
use serde_json::json;
use testkit::{NativeBuilder, NativeCase};

fn miscounts(home: &Home) -> Vec<String> {
    let ran = home.run(EVENTS, &["--summary"]).expect_code(0);
    let (truth, got) = (home.log.truth.all, ran.summary());
    let files = home.log.files.iter().filter(|file| !file.is_copy).count();
    let want = json!({
        "files": files, "lines": truth.lines, "events": truth.events, "records": truth.events,
        "bad_lines": truth.bad_lines, "partial_lines": truth.partial_lines, "unknown_files": 0,
    });
    let mut found = Vec::new();
    if by_keys_of(&want, &got) != want {
        found.push(format!("counted {got} instead of {want}"));
    }
    let told = truth.events + truth.bad_lines + truth.partial_lines + truth.blank_lines;
    if told != truth.lines {
        found.push(format!("the truth does not add up: {truth:?}"));
    }
    if ran.rows().len() as u64 != truth.events {
        found.push(format!("{} records", ran.rows().len()));
    }
    found
}

#[test]
fn each_case_alone() {
    expect_true(NativeCase::all().into_iter().map(|case| {
        let home = Home::new(&NativeBuilder::new(70).turns(1).case(case));
        (format!("{case:?}"), miscounts(&home))
    }));
}

#[test]
fn all_cases_at_once() {
    expect_true((71..74).map(|seed| (format!("seed {seed}"), miscounts(&Home::new(&full(seed))))));
}

/// Each record says where its row is, and what it is called there.
#[test]
fn records_name_their_rows() {
    let home = Home::new(&full(74));
    for file in home.log.files.iter().filter(|file| !file.is_copy) {
        let ran = events().arg(home.dir.path().join(&file.path)).run().expect_code(0);
        for record in ran.rows() {
            let at = |key: &str| record["src"][key].as_u64().expect("a number") as usize;
            let (offset, len) = (at("offset"), at("len"));
            let text = &file.plain[offset..offset + len];
            let row: serde_json::Value = serde_json::from_slice(text).expect("a row");
            let kind = row["type"].as_str().or(row["record_type"].as_str());
            let name = record["event"].as_str().expect("a name");
            let named = kind.is_none_or(|kind| name.split('.').any(|part| part == kind));
            assert!(named, "{name}: {row}");
            assert_eq!(file.plain[..offset].split(|byte| *byte == b'\n').count(), at("line"));
        }
    }
}

#[test]
fn a_bad_line_is_told_once() {
    let home = Home::new(&NativeBuilder::new(75).case(NativeCase::TornMiddle));
    let outside = testkit::Workdir::new();
    let bad = outside.path().join("bad.jsonl");
    let told = bad.display().to_string();
    let _ = home.run(EVENTS, &["--bad-lines", &told]).expect_code(0);
    let text = std::fs::read_to_string(bad).expect("the bad lines");
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 2, "one of each agent: {text}");
    for row in &rows {
        assert_eq!(row["schema"], "alog.bad_line/1");
        let path = row["path"].as_str().expect("a path");
        let file = home.log.files.iter().find(|file| path.ends_with(&file.path));
        let at = |key: &str| row[key].as_u64().expect("a number") as usize;
        let bytes = &file.expect("its file").plain[at("offset")..at("offset") + at("len")];
        assert_eq!(row["text"].as_str().map(str::as_bytes), Some(bytes));
    }
}

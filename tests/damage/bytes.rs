//! What can be wrong with the bytes of a file, and what is read all the same.

use crate::programs::{BOTH, EVENTS, PROMPTS, codex, codex_prompt, column, lines, records, run_on};
use serde_json::{Value, json};
use testkit::{Row, Workdir};

/// Three prompts: of a log that is damaged between and around them.
fn rows() -> [Row; 3] {
    [
        codex_prompt(0, "one"),
        codex_prompt(10, "two").turn_id("2"),
        codex_prompt(20, "three").turn_id("3"),
    ]
}

/// Texts of the prompts, and the counts of bad lines and of partial ones by both commands.
fn read(bytes: &[u8]) -> (Vec<String>, [(u64, u64); 2]) {
    let counts = |program: &str| {
        let summary = run_on(program, &["--summary"], bytes).expect_code(0).summary();
        let count = |key: &str| summary[key].as_u64().expect("a count");
        (count("bad_lines"), count("partial_lines"))
    };
    let told = run_on(PROMPTS, &[], bytes).expect_code(0).rows();
    (column(&told, "text"), BOTH.map(counts))
}

fn expect(bytes: &[u8], texts: &[&str], events: (u64, u64)) {
    let (told, counts) = read(bytes);
    assert_eq!(told, texts, "{}", String::from_utf8_lossy(bytes));
    assert_eq!(counts[0], events, "{}", String::from_utf8_lossy(bytes));
    assert!(counts[1].0 <= events.0 && counts[1].1 <= events.1, "{counts:?}");
}

const ALL: [&str; 3] = ["one", "two", "three"];

#[test]
fn line_ends_of_every_kind() {
    let text = String::from_utf8(lines(&rows())).expect("UTF-8");
    expect(text.replace('\n', "\r\n").as_bytes(), &ALL, (0, 0));
    expect(text.trim_end().as_bytes(), &ALL, (0, 0));
    expect(text.replace('\n', "\n\n  \t\n\r\n").as_bytes(), &ALL, (0, 0));
    expect(format!("\u{feff}{text}").as_bytes(), &ALL, (0, 0));
    expect(format!("\u{feff}\r\n{text}").as_bytes(), &ALL, (0, 0));
}

#[test]
fn the_len_of_a_row_is_without_its_line_end() {
    let row = codex_prompt(0, "one").to_bytes();
    let crlf = [&row[..row.len() - 1], b"\r\n"].concat();
    for bytes in [row.clone(), crlf] {
        let src = &run_on(EVENTS, &[], &bytes).rows()[0]["src"];
        assert_eq!(src["len"], row.len() - 1, "{src}");
    }
    let marked = [b"\xef\xbb\xbf", &row[..]].concat();
    let src = run_on(EVENTS, &[], &marked).rows()[0]["src"].take();
    assert_eq!((&src["offset"], &src["len"]), (&json!(3), &json!(row.len() - 1)));
}

#[test]
fn lines_that_are_no_rows_are_bad() {
    let [one, two, three] = rows().map(|row| row.to_bytes());
    for junk in [
        &b"not JSON at all"[..],
        b"[1,2,3]",
        b"17",
        b"{\"a\":1}",
        b"{}",
        b"{\"event\":\"turn.diff\",\"t\":\"2025-11-18T21:55:52.402\",\"line\":\"\xff\xfe\"}",
        b"\0\0\0\0",
        b"{\"event\":\"turn.diff\",\"sid\":\"x\"} trailing",
        b"{\"event\":\"turn.diff\",}",
        b"{\"event\":\"turn.diff\",\"line\":\"\x01raw control\"}",
    ] {
        expect(&[&one, &two, junk, b"\n", &three].concat(), &ALL, (1, 0));
        expect(&[junk, b"\n", &one, &two, &three].concat(), &ALL, (1, 0));
        expect(&[&one[..], &two, &three, junk, b"\n"].concat(), &ALL, (1, 0));
    }
}

#[test]
fn a_row_torn_at_its_end_is_partial_and_elsewhere_bad() {
    let [one, two, three] = rows().map(|row| row.to_bytes());
    let torn = &two[..two.len() / 2];
    expect(&[&one, torn].concat(), &["one"], (0, 1));
    expect(&[&one, torn, b"\n", &three].concat(), &["one", "three"], (1, 0));
    let said = run_on(EVENTS, &[], &[&one, torn].concat()).expect_code(0).stderr;
    assert!(said.contains("partial") && said.contains(":2"), "{said}");
    assert!(run_on(EVENTS, &["--strict"], &[&one, torn].concat()).code == Some(0), "no error");
}

#[test]
fn two_writers_in_one_line_lose_only_the_torn_part() {
    let [one, two, three] = rows().map(|row| row.to_bytes());
    let torn = &one[..one.len() * 2 / 3];
    let glued = [torn, &two, &three].concat();
    expect(&glued, &["two", "three"], (1, 0));
    let told = run_on(EVENTS, &[], &glued).rows();
    let want = json!({"line": 1, "offset": torn.len(), "len": two.len() - 1});
    assert_eq!(crate::programs::by_keys_of(&want, &told[0]["src"]), want);
    let behind = [&one[..one.len() - 1], &two].concat();
    expect(&[&behind, &three[..]].concat(), &ALL, (0, 0));
    let around = [&one[..one.len() - 1], torn, b"\n", &three].concat();
    expect(&around, &["one", "three"], (1, 0));
    let nul = [&[0; 32], &two[..], &three].concat();
    expect(&nul, &["two", "three"], (1, 0));
}

#[test]
fn a_log_inside_a_log_gives_no_false_record() {
    let inside = String::from_utf8(lines(&rows())).expect("UTF-8");
    let again = codex(30, "turn.exec.end").payload(json!({"stdout": inside, "call_id": "c"}));
    let twice = String::from_utf8(again.to_bytes()).expect("UTF-8");
    let outer = codex(40, "turn.exec.end").payload(json!({"stdout": twice}));
    let unknown = codex(50, "turn.exec.end").inner(json!({"quoted": inside}));
    let log = [codex_prompt(0, "the real one"), again, outer, unknown];
    assert_eq!(column(&records(PROMPTS, &[], &log), "text"), ["the real one"]);
    assert_eq!(records(EVENTS, &[], &log).len(), 4);
    let torn = lines(&log[..3]);
    let torn = &torn[..torn.len() - 40];
    expect(&[torn, b"\n"].concat(), &["the real one"], (1, 0));
}

#[test]
fn a_row_that_is_too_long_is_skipped_and_bad() {
    let long = codex_prompt(10, &"x".repeat(5000));
    let [one, _, three] = rows();
    let bytes = lines(&[one, long, three]);
    for (limit, texts, bad) in [("4k", 2, 1), ("1M", 3, 0), ("4999", 2, 1)] {
        let ran = run_on(PROMPTS, &["--max-line", limit, "--strict", "--summary"], &bytes);
        assert_eq!(ran.rows().len(), texts, "{limit}");
        assert_eq!(ran.summary()["bad_lines"], bad, "{limit}");
        assert_eq!(ran.code, Some(if bad > 0 { 2 } else { 0 }), "{limit}");
    }
    let exact = codex_prompt(0, "exact").to_bytes();
    for (limit, count) in [(exact.len() - 1, 1), (exact.len() - 2, 0)] {
        let ran = run_on(EVENTS, &["--max-line", &limit.to_string()], &exact);
        assert_eq!(ran.rows().len(), count);
    }
}

#[test]
fn an_empty_file_is_nothing_and_not_unknown() {
    for bytes in [&b""[..], b"\n", b"  \n\n"] {
        for program in BOTH {
            let ran = run_on(program, &["--summary"], bytes).expect_code(0);
            assert_eq!((ran.text(), &ran.summary()["unknown_files"]), ("", &json!(0)));
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
}

#[test]
fn a_file_of_no_known_format_is_named_and_skipped() {
    let dir = Workdir::new();
    let unknown = dir.write("notes.jsonl", b"hello\n{\"a\":1}\n");
    let log = dir.write("log.jsonl", &codex_prompt(0, "x").to_bytes());
    for program in BOTH {
        let both = testkit::Cmd::new(program).arg("--summary").arg(&unknown).arg(&log).run();
        let both = both.expect_code(0);
        assert_eq!(both.rows().len(), 1);
        assert!(both.stderr.contains("notes.jsonl"), "{}", both.stderr);
        assert_eq!(both.summary()["unknown_files"], 1);
        let alone = testkit::Cmd::new(program).arg(&unknown).run().expect_code(2);
        assert!(alone.stdout.is_empty() && alone.stderr.contains("notes.jsonl"));
        let bytes = b"hello\n{\"a\":1}\n";
        let piped = testkit::Cmd::new(program).arg("-").stdin(bytes).run().expect_code(2);
        assert!(piped.stdout.is_empty() && !piped.stderr.is_empty());
    }
}

#[test]
fn a_stream_of_random_bytes_stops_nothing() {
    let mut prng = testkit::Prng::new(9);
    let mut junk: Vec<u8> = (0..50_000).map(|_| prng.bits() as u8).collect();
    junk.push(b'\n');
    let bytes = [
        codex_prompt(0, "before").to_bytes(),
        junk,
        codex_prompt(1, "after").turn_id("2").to_bytes(),
    ]
    .concat();
    let (texts, counts) = read(&bytes);
    assert_eq!(texts, ["before", "after"]);
    assert!(counts[0].0 > 100, "{counts:?}");
    let strict = run_on(PROMPTS, &["--strict", "--summary"], &bytes).expect_code(2);
    assert_eq!(strict.summary()["bad_lines"], Value::from(counts[0].0));
}

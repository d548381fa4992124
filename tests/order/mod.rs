//! Records come in order of time, ties by place, and the same bytes come whatever the number of
//! threads and the order in which files are named.

mod zones;

use crate::programs::{
    ALL, BOTH, EVENTS, PROMPTS, Written, codex, codex_prompt, column, events, lines, placeless,
    prompts, records, run_on, spelled_alike, t,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use testkit::{Cmd, Fault, LogBuilder, Row, Workdir};

#[test]
fn the_number_of_threads_changes_no_byte() {
    let builder = LogBuilder::new(91).codex_sessions(3).claude_sessions(2).turns(6);
    let builder = builder.faults(&[Fault::Disorder, Fault::LateRows, Fault::NotJson]);
    let written = Written::new(&builder.giant_bytes(3 << 20).fault(Fault::NestedLog));
    assert!(written.log.codex.len() > 3 << 20, "more than one chunk");
    for args in [&[][..], &["-n", "7"], &["--explain"], &["-o", "csv"]] {
        for program in ALL {
            if program == EVENTS && args.contains(&"--explain") {
                continue;
            }
            let with = |jobs: &str| {
                let ran = written.run(program, &[args, &["--summary", jobs]].concat());
                (ran.code, ran.stdout.clone(), without_time(ran.summary()))
            };
            let one = with("-j1");
            assert!(with("-j8") == one && with("-j3") == one, "{program} {args:?}");
        }
    }
}

fn without_time(mut summary: Value) -> Value {
    summary["elapsed_ms"].take();
    summary
}

#[test]
fn ties_are_settled_by_place() {
    let dir = Workdir::new();
    let rows = |name: &str| {
        (0..3)
            .map(|i| codex(0, "turn.diff").payload(json!({"of": name, "i": i})))
            .collect::<Vec<_>>()
    };
    let a = dir.write("a.jsonl", &lines(&rows("a")));
    let b = dir.write("b.jsonl", &lines(&rows("b")));
    let order = |paths: [&std::path::Path; 2]| {
        let events = events().args(paths).run().expect_code(0).rows();
        let name = |event: &Value| {
            format!("{}{}", event["payload"]["of"].as_str().unwrap_or("?"), event["payload"]["i"])
        };
        events.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order([&a, &b]), "a0 a1 a2 b0 b1 b2");
    assert_eq!(order([&b, &a]), "b0 b1 b2 a0 a1 a2");
}

/// Cuts at line ends into parts, oldest first.
fn parts(bytes: &[u8], count: usize) -> Vec<Vec<u8>> {
    let rows: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    rows.chunks(rows.len().div_ceil(count)).map(<[&[u8]]>::concat).collect()
}

/// Writes the log of each agent in four parts, oldest first, as rotation leaves them.
fn rotated(written: &Written) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (name, bytes) in [("c", &written.log.codex), ("a", &written.log.claude)] {
        let parts = parts(bytes, 4);
        assert_eq!(parts.len(), 4);
        for (number, part) in (0..parts.len()).rev().zip(&parts) {
            let number = if number == 0 { String::new() } else { format!(".{number}") };
            paths.push(written.dir.write(&format!("rotated/{name}.jsonl{number}"), part));
        }
    }
    paths
}

#[test]
fn rotated_parts_may_be_named_in_any_order() {
    for seed in [92, 93] {
        let builder = LogBuilder::new(seed).codex_sessions(2).claude_sessions(2).turns(4);
        let written = Written::new(&builder.faults(&[
            Fault::Disorder,
            Fault::QueuedPrompt,
            Fault::LegacyPromptTwin,
            Fault::DoubledPrompt,
            Fault::Steering,
        ]));
        let told = |paths: &[PathBuf], program: &str| {
            spelled_alike(Cmd::new(program).args(paths).run().expect_code(0).rows())
        };
        let (prompts, events) = (told(&written.paths, PROMPTS), told(&written.paths, EVENTS));
        assert_eq!(prompts.len(), written.log.truth.prompts.len());
        let paths = rotated(&written);
        let backwards: Vec<PathBuf> = paths.iter().rev().cloned().collect();
        for order in [&paths, &backwards, &vec![written.dir.path().join("rotated")]] {
            assert!(told(order, PROMPTS) == prompts, "{order:?}");
            assert_eq!(column(&told(order, EVENTS), "t"), column(&events, "t"));
        }
    }
}

#[test]
fn rows_out_of_order_come_out_sorted_however_late() {
    let times = [50_000, 10, 49_000, 20, 3_600_000, 0, 20];
    let rows: Vec<Row> = times.iter().map(|ms| codex(*ms, "turn.diff")).collect();
    let first = codex_prompt(-1, "evidence of the zone");
    let bytes = [first.to_bytes(), lines(&rows)].concat();
    let ran = run_on(EVENTS, &["--summary"], &bytes).expect_code(0);
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let want: Vec<String> = std::iter::once(-1).chain(sorted).map(t).collect();
    assert_eq!(column(&ran.rows(), "t"), want);
    assert_eq!(ran.summary()["late_rows"], 4);
    let lines: Vec<u64> =
        ran.rows().iter().filter_map(|event| event["src"]["line"].as_u64()).collect();
    assert_eq!(lines, [1, 7, 3, 5, 8, 4, 2, 6], "ties by place");
}

#[test]
fn folds_see_rows_in_order_of_time_within_the_window() {
    // The older form stands first in the file, but was written 1 s after the newer one.
    let legacy = codex(1000, "codex.user_prompt").payload(json!({"text": "twin"}));
    let later = codex_prompt(4900, "next").turn_id("2");
    let told = records(PROMPTS, &[], &[later, legacy, codex_prompt(0, "twin")]);
    assert_eq!(column(&told, "text"), ["twin", "next"]);
    assert_eq!(column(&told, "session_turn"), ["1", "2"]);
    let rows = [codex_prompt(6000, "second").turn_id("2"), codex_prompt(0, "first")];
    let late = run_on(PROMPTS, &["--summary"], &lines(&rows)).expect_code(0);
    assert_eq!(column(&late.rows(), "text"), ["first", "second"], "sorted all the same");
    assert_eq!(late.summary()["late_rows"], 1);
}

#[test]
fn a_row_without_a_time_takes_that_of_the_row_before() {
    let timeless = codex(0, "turn.user_message")
        .payload(json!({"message": "timeless"}))
        .turn_id("2")
        .without_t();
    let rows = [
        codex_prompt(0, "one"),
        codex(5000, "turn.diff"),
        timeless,
        codex_prompt(9000, "two").turn_id("3"),
    ];
    for program in BOTH {
        let told = records(program, &[], &rows);
        let at = if program == EVENTS { 2 } else { 1 };
        assert_eq!(told[at]["t"], t(5000), "{program}");
    }
}

#[test]
fn a_file_that_starts_without_a_time_takes_that_of_its_name() {
    let dir = Workdir::new();
    let row = codex(0, "turn.diff").without_t();
    let path = dir.write("archive_2025_11_17/sse_lines.jsonl", &row.to_bytes());
    let told = events().arg(path).run().expect_code(0).rows();
    let want = "2025-11-17T00:00:00.000Z";
    assert_eq!(told[0]["t"], want);
}

#[test]
fn the_latest_come_oldest_first_and_are_counted_anew() {
    let written = Written::clean(94);
    for program in BOTH {
        let all = written.run(program, &[]).expect_code(0).rows();
        for (flag, n) in [
            ("-n", 1),
            ("-n", 3),
            ("--last", 2),
            ("--first", 2),
            ("-n", 100_000),
            ("-n", 0),
            ("--first", 0),
        ] {
            let some = written.run(program, &[flag, &n.to_string()]).expect_code(0).rows();
            let n = n.min(all.len());
            let want = if flag == "--first" { &all[..n] } else { &all[all.len() - n..] };
            assert_eq!(placeless(some.clone()).len(), n);
            for (i, (got, want)) in some.iter().zip(want).enumerate() {
                assert_eq!((&got["src"], &got["t"]), (&want["src"], &want["t"]));
                assert_eq!(got["index"], json!(i + 1));
            }
        }
    }
    let both = prompts().args(["-n", "1", "--first", "1", "-"]).stdin(b"").run();
    assert_eq!(both.code, Some(2));
}

//! Ways to the same records: other spellings, threads, readers and compressions.

use super::{Home, anywhere, full, in_any_file};
use crate::programs::{ALL, CALLS, EVENTS, PROMPTS, TOKENS, TURNS, with_stdin_from};
use serde_json::{Value, json};
use testkit::{Cmd, NativeBuilder, NativeCase, NativeStyle, Workdir};

const FOLDS: [&str; 4] = [PROMPTS, TURNS, TOKENS, CALLS];

#[test]
fn a_spelling_changes_no_record() {
    let builder = full(51);
    let today = Home::new(&builder);
    let want = FOLDS.map(|program| anywhere(today.run(program, &[]).expect_code(0).rows()));
    for style in [
        NativeStyle { spaced: true, ..NativeStyle::default() },
        NativeStyle { ascii: true, ..NativeStyle::default() },
        NativeStyle { shuffle: Some(5), ..NativeStyle::default() },
        NativeStyle { spaced: true, shuffle: Some(6), ascii: true },
    ] {
        let home = Home::styled(&builder, style);
        assert_ne!(home.log.file("claude").bytes, today.log.file("claude").bytes);
        for (program, want) in FOLDS.into_iter().zip(&want) {
            let got = home.run(program, &[]).expect_code(0).rows();
            let got = anywhere(got);
            let differs = got.iter().zip(want).find(|(got, want)| got != want);
            assert!(differs.is_none(), "{program} {style:?}: {differs:?}");
            assert_eq!(got.len(), want.len(), "{program} {style:?}");
        }
        let found = home.untrue();
        assert!(found.is_empty(), "{style:?}: {found:?}");
    }
}

#[test]
fn threads_change_no_byte() {
    let home = Home::new(&full(52));
    for program in ALL {
        // Its records are made of one row each, which they name.
        let explain: &[&str] = if program == EVENTS { &[] } else { &["--explain"] };
        let run = |jobs| home.run(program, &[&[jobs], explain].concat()).expect_code(0);
        assert!(run("-j1").stdout == run("-j8").stdout, "{program}");
    }
}

#[test]
fn reading_all_changes_no_byte() {
    let undamaged: Vec<NativeCase> =
        NativeCase::all().into_iter().filter(|case| *case != NativeCase::TornMiddle).collect();
    for builder in [full(53), NativeBuilder::new(54).cases(&undamaged)] {
        let home = Home::new(&builder);
        let is_bad = home.log.truth.all.bad_lines > 0;
        for program in FOLDS {
            let quick = home.run(program, &[]).expect_code(0);
            let whole = home.run(program, &["--strict"]).expect_code(if is_bad { 2 } else { 0 });
            assert!(quick.stdout == whole.stdout, "{program}");
            assert!(!quick.stdout.is_empty());
        }
    }
}

/// Records in an order that does not depend on when they became final.
fn by_place(rows: Vec<Value>) -> Vec<String> {
    let mut rows: Vec<String> = in_any_file(rows).iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn a_pipe_and_a_file_give_the_same_records() {
    let home = Home::new(&full(55).cases(&[]));
    for file in home.log.files.iter().filter(|file| !file.plain.is_empty()) {
        if file.path.contains("journal") {
            continue;
        }
        let path = home.dir.path().join(&file.path);
        for program in FOLDS.into_iter().chain([EVENTS]) {
            let read = Cmd::new(program).arg(&path).run().expect_code(0);
            let piped = Cmd::new(program).stdin(&file.plain).run().expect_code(0);
            assert_eq!(by_place(piped.rows()), by_place(read.rows()), "{program} {}", file.path);
            let given = with_stdin_from(program, &[], &path).run().expect_code(0);
            let (given, read) = (in_any_file(given.rows()), in_any_file(read.rows()));
            assert_eq!(given, read, "{program} {}", file.path);
        }
    }
}

#[test]
fn a_compressed_file_gives_the_same_records() {
    let builder = full(56);
    let plain = builder.build();
    for file in plain.files.iter().filter(|file| !file.plain.is_empty()) {
        let dir = testkit::Workdir::new();
        let paths = [
            dir.write("a.jsonl", &file.plain),
            dir.write_zst("b.jsonl.zst", &file.plain),
            dir.write_gz("c.jsonl.gz", &file.plain),
        ];
        for program in FOLDS {
            let [plain, zst, gz] = paths.each_ref().map(|path| Cmd::new(program).arg(path).run());
            let want = in_any_file(plain.expect_code(0).rows());
            assert_eq!(in_any_file(zst.expect_code(0).rows()), want, "{program} {}", file.path);
            assert_eq!(in_any_file(gz.expect_code(0).rows()), want, "{program} {}", file.path);
        }
    }
}

/// With many logs the merge and the fold have a thread each; and what small logs tell is kept from the
/// look at them, but for what finds no room.
#[test]
fn many_small_logs_are_read_as_few_are() {
    const LOGS: usize = 600;
    let dir = Workdir::new();
    let row = |log: usize, row: usize| {
        let t = format!("2026-03-02T09:{:02}:{:02}.{:03}Z", row, log % 60, log % 1000);
        let usage = r#""usage":{"input_tokens":3,"output_tokens":5}"#;
        format!(
            "{{\"type\":\"user\",\"uuid\":\"u{log}-{row}\",\"timestamp\":\"{t}\",\"sessionId\":\"s{log}\",\"message\":{{\"role\":\"user\",\"content\":\"{log} {row}\"}}}}\n\
             {{\"type\":\"assistant\",\"uuid\":\"a{log}-{row}\",\"timestamp\":\"{t}\",\"sessionId\":\"s{log}\",\"requestId\":\"r{log}-{row}\",\"message\":{{\"id\":\"m{log}-{row}\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],{usage}}}}}\n"
        )
    };
    for log in 0..LOGS {
        let rows: String = (0..4).map(|at| row(log, at)).collect();
        dir.write(&format!("projects/p{}/s{log}.jsonl", log % 7), rows.as_bytes());
    }
    for (program, records) in [(PROMPTS, 4 * LOGS), (TOKENS, LOGS), (TURNS, 4 * LOGS)] {
        let run = |jobs: &str| {
            Cmd::new(program).args([jobs, "--summary"]).arg(dir.path()).run().expect_code(0)
        };
        let (one, many) = (run("-j1"), run("-j4"));
        assert!(one.stdout == many.stdout, "{program}");
        assert_eq!(one.rows().len(), records, "{program}");
        let summary = many.summary();
        assert_eq!((&summary["files"], &summary["lines"]), (&json!(LOGS), &json!(8 * LOGS)));
        let times: Vec<_> = one.rows().iter().map(|row| row["t"].to_string()).collect();
        assert!(times.is_sorted(), "{program}");
    }
}

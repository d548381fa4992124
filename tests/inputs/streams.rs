//! The same log as a file, compressed, through a pipe, and as standard input from a file.

use crate::programs::{BOTH, PROMPTS, Written, codex_prompt, placeless, prompts, with_stdin_from};
use serde_json::Value;
use testkit::{Cmd, Ran};

/// In an order that does not depend on the input's.
fn sorted(ran: &Ran) -> Vec<Value> {
    let mut records = placeless(ran.rows());
    records.sort_by_cached_key(|record| (record["t"].to_string(), record.to_string()));
    records
}

/// The records of one file, however it gets in.
fn alike(written: &Written, program: &str, bytes: &[u8], args: &[&str]) {
    let (dir, command) = (&written.dir, || Cmd::new(program).args(args));
    let path = dir.write("same/log.jsonl", bytes);
    let from_file = command().arg(&path).run().expect_code(0);
    let want = placeless(from_file.rows());
    assert!(!want.is_empty());
    let gz = command().arg(dir.write_gz("same/log.gz", bytes)).run().expect_code(0);
    let zst = command().arg(dir.write_zst("same/log.zst", bytes)).run().expect_code(0);
    let given = with_stdin_from(program, args, &path).run().expect_code(0);
    let dash = with_stdin_from(program, &[args, &["-"]].concat(), &path).run().expect_code(0);
    for (how, ran) in [("gzip", gz), ("zstd", zst), ("< FILE", given), ("- < FILE", dash)] {
        assert!(placeless(ran.rows()) == want, "{how} differs");
    }
    let piped = command().stdin(bytes).run().expect_code(0);
    let dash = command().arg("-").stdin(bytes).run().expect_code(0);
    let packed = std::fs::read(dir.path().join("same/log.zst")).expect("zstd");
    let zst = command().arg("-").stdin(&packed).run().expect_code(0);
    let want = sorted(&from_file);
    for (how, ran) in [("a pipe", piped), ("- and a pipe", dash), ("a zstd pipe", zst)] {
        assert!(sorted(&ran) == want, "{how} differs");
    }
}

#[test]
fn one_log_by_every_way_in() {
    let written = Written::clean(75);
    for program in BOTH {
        alike(&written, program, &written.log.codex, &[]);
        alike(&written, program, &written.log.claude, &[]);
        alike(&written, program, &written.log.codex, &["-n", "3"]);
    }
}

#[test]
fn a_damaged_log_by_every_way_in() {
    let written = Written::faulty(76);
    for program in BOTH {
        alike(&written, program, &written.log.codex, &["--tz", "+07:00"]);
        alike(&written, program, &written.log.claude, &["--tz", "+07:00"]);
    }
}

#[test]
fn the_counts_are_the_same_by_every_way_in() {
    let written = Written::faulty(77);
    let bytes = &written.log.codex;
    let counts = |ran: Ran| {
        let summary = ran.summary();
        ["bytes", "lines", "events", "records", "bad_lines", "partial_lines"]
            .map(|key| summary[key].clone())
    };
    let gz = written.dir.write_gz("l.gz", bytes);
    for program in BOTH {
        let strict = || Cmd::new(program).args(["--summary", "--strict"]);
        let want = counts(strict().arg(&written.paths[0]).run());
        assert_eq!(counts(strict().arg(gz.clone()).run()), want);
        assert_eq!(counts(strict().arg("-").stdin(bytes).run()), want);
    }
}

#[test]
fn nothing_on_standard_input_is_told_unless_it_was_asked_for() {
    for program in BOTH {
        let unasked = Cmd::new(program).stdin(b"").run().expect_code(0);
        assert!(unasked.stderr.contains("--discover"), "{}", unasked.stderr);
        let asked = Cmd::new(program).arg("-").stdin(b"").run().expect_code(0);
        assert_eq!(asked.stderr, "");
    }
    let given = prompts().stdin(&codex_prompt(0, "x").to_bytes()).run().expect_code(0);
    assert_eq!((given.rows().len(), given.stderr.as_str()), (1, ""));
}

#[test]
fn standard_input_among_files() {
    let written = Written::clean(78);
    let file = written.paths[0].clone();
    let all = written.run(PROMPTS, &[]).rows();
    for paths in [["-".into(), file.clone()], [file, "-".into()]] {
        let ran = prompts().args(paths).stdin(&written.log.claude).run().expect_code(0);
        assert_eq!(placeless(ran.rows()), placeless(all.clone()));
    }
    let twice = prompts().args(["-", "-"]).stdin(&written.log.claude).run().expect_code(0);
    assert_eq!(sorted(&twice), {
        let once = prompts().arg("-").stdin(&written.log.claude).run();
        sorted(&once)
    });
}

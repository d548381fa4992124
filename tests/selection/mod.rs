//! Which records are printed: by time, session, agent and directory, the same in every command.

mod times;

use crate::programs::{
    BOTH, EVENTS, PROMPTS, Written, claude_prompt, codex_prompt, column, lines, prompts, run_on,
};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::{LogBuilder, Row};

const ONE: &str = "019a9776-4f00-7000-8000-00000000aaaa";
const TWO: &str = "019a9776-4f00-7000-8000-00000000bbbb";
const WHOLE: &str = "019a9776";

fn sessions() -> Vec<u8> {
    let row = |ms: i64, sid: &str| codex_prompt(ms, sid).sid(sid).turn_id(&ms.to_string());
    lines(&[row(0, ONE), row(1, TWO), row(2, "6f0c8a52-bbbb"), row(3, ONE)])
}

/// The sessions that are printed, in order.
fn picked(program: &str, args: &[&str]) -> Vec<String> {
    column(&run_on(program, args, &sessions()).expect_code(0).rows(), "sid")
}

#[test]
fn a_session_by_its_id_or_either_end_of_it() {
    for program in BOTH {
        for id in [ONE, "aaaa", "0000aaaa", "7000-8000-00000000aaaa"] {
            assert_eq!(picked(program, &["--session", id]), [ONE, ONE], "{id}");
        }
        assert_eq!(picked(program, &["--session", "6f0c"]), ["6f0c8a52-bbbb"]);
        assert_eq!(picked(program, &["--session", "6f0c8a52-bbbb"]), ["6f0c8a52-bbbb"]);
        let both = picked(program, &["--session", "aaaa", "--session", "6f0c8"]);
        assert_eq!(both, [ONE, "6f0c8a52-bbbb", ONE]);
        for none in ["zzzz", "aaa", "4f00", "0000-7000-8000-00000000aaa"] {
            assert_eq!(picked(program, &["--session", none]), [""; 0], "{none}");
        }
        assert_eq!(picked(program, &["--session", "aaaa", "-n", "1"]), [ONE]);
    }
}

#[test]
fn an_ambiguous_session_is_a_usage_error_that_lists_the_matches() {
    for program in BOTH {
        for (id, matches) in [(WHOLE, [ONE, TWO]), ("bbbb", [TWO, "6f0c8a52-bbbb"])] {
            for stdin in [false, true] {
                let ran = if stdin {
                    let command = testkit::Cmd::new(program).args(["--session", id, "-"]);
                    command.stdin(&sessions()).run()
                } else {
                    run_on(program, &["--session", id], &sessions())
                };
                let ran = ran.expect_code(2);
                let named = |sid: &&str| ran.stderr.contains(*sid);
                assert!(matches.iter().all(named), "{id}: {}", ran.stderr);
                assert!(stdin || ran.stdout.is_empty());
            }
        }
    }
}

#[test]
fn a_whole_id_is_never_ambiguous() {
    let rows = |sid: &str, ms: i64| codex_prompt(ms, "x").sid(sid).turn_id(&ms.to_string());
    let bytes = lines(&[rows("abcd", 0), rows("abcd-more", 1)]);
    for program in BOTH {
        let ran = run_on(program, &["--session", "abcd"], &bytes).expect_code(0);
        assert_eq!(column(&ran.rows(), "sid"), ["abcd"]);
    }
}

#[test]
fn only_one_agent() {
    let written = Written::new(&LogBuilder::new(101).turns(2));
    for program in BOTH {
        let all = written.run(program, &[]).rows();
        for provider in ["codex", "claude"] {
            let some = written.run(program, &["--provider", provider]).expect_code(0).rows();
            let want: Vec<_> = all.iter().filter(|record| record["provider"] == provider).collect();
            assert!(!want.is_empty());
            assert_eq!(
                column(&some, "src"),
                want.iter().map(|r| r["src"].to_string()).collect::<Vec<_>>()
            );
        }
        let ran = testkit::Cmd::new(program).args(["--provider", "gemini", "-"]).stdin(b"").run();
        assert!(ran.expect_code(2).stderr.contains("claude"));
    }
}

#[test]
fn only_one_directory_and_what_is_below() {
    let dirs = ["/w", "/w/app", "/w/app/src", "/w/apple", "/other/w/app"];
    let rows: Vec<Row> = (0..)
        .zip(dirs)
        .map(|(ms, dir)| codex_prompt(ms, dir).turn_id(&ms.to_string()).metadata("cwd", json!(dir)))
        .chain([codex_prompt(9, "nowhere").turn_id("9").metadata("cwd", json!(""))])
        .collect();
    for program in BOTH {
        for (cwd, want) in [
            ("/w/app", &["/w/app", "/w/app/src"][..]),
            ("/w/app/", &["/w/app", "/w/app/src"]),
            ("/", &dirs),
            ("/w/ap", &[]),
        ] {
            let ran = run_on(program, &["--cwd", cwd], &lines(&rows)).expect_code(0);
            assert_eq!(column(&ran.rows(), "cwd"), want, "{cwd}");
        }
    }
    let dir = testkit::Workdir::new();
    let real = std::fs::canonicalize(dir.path()).expect("it is there");
    let here = codex_prompt(0, "here").metadata("cwd", json!(real));
    let log = dir.write("log.jsonl", &here.to_bytes());
    let ran = prompts().cwd(&real).args(["--cwd", "."]).arg(log).run().expect_code(0);
    assert_eq!(column(&ran.rows(), "text"), ["here"], "a relative path is below this directory");
}

#[test]
fn selections_are_combined() {
    let written = Written::new(&LogBuilder::new(102).codex_sessions(2).claude_sessions(2).turns(3));
    let all = written.run(PROMPTS, &[]).rows();
    let sid = all[4]["sid"].as_str().expect("a session");
    let provider = all[4]["provider"].as_str().expect("an agent");
    let args = ["--session", sid, "--provider", provider, "-n", "2"];
    let some = written.run(PROMPTS, &args).expect_code(0).rows();
    let want: Vec<_> = all.iter().filter(|record| record["sid"] == sid).collect();
    let turns = |records: Vec<&serde_json::Value>| -> Vec<_> {
        records.iter().map(|r| r["session_turn"].clone()).collect()
    };
    assert_eq!(turns(some.iter().collect()), turns(want[want.len() - 2..].to_vec()));
    let ran = written.run(EVENTS, &["--session", sid]).expect_code(0);
    let sids: BTreeSet<String> = column(&ran.rows(), "sid").into_iter().collect();
    assert_eq!(sids, BTreeSet::from([sid.to_owned()]));
}

#[test]
fn a_selection_changes_no_ordinal() {
    let rows = [
        claude_prompt(0, "one", "u1"),
        claude_prompt(60_000, "two", "u2"),
        claude_prompt(120_000, "three", "u3"),
    ];
    let ran = run_on(PROMPTS, &["-n", "1"], &lines(&rows)).expect_code(0);
    assert_eq!(column(&ran.rows(), "session_turn"), ["3"]);
    let since = ["--since", "2025-11-18T14:56:30Z", "--until", "2025-11-18T14:57:30Z"];
    let ran = run_on(PROMPTS, &since, &lines(&rows)).expect_code(0);
    assert_eq!(column(&ran.rows(), "session_turn"), ["2"]);
}

#[test]
fn finding_nothing_is_no_error_unless_it_is_asked_for() {
    for program in BOTH {
        let bytes = codex_prompt(0, "x").to_bytes();
        assert_eq!(run_on(program, &["--provider", "claude"], &bytes).expect_code(0).text(), "");
        let failing = run_on(program, &["--provider", "claude", "--fail-empty"], &bytes);
        assert_eq!(failing.expect_code(1).text(), "");
        assert_eq!(run_on(program, &["--fail-empty"], &bytes).code, Some(0));
        assert_eq!(run_on(program, &["--fail-empty", "-n", "0"], &bytes).code, Some(1));
    }
}

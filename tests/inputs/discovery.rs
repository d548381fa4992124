//! The default roots: where agents keep their logs, read when nothing else is named.

use crate::programs::{BOTH, PROMPTS, Written, codex_prompt, column};
use testkit::{Cmd, Workdir};

fn write(dir: &Workdir, name: &str, ms: i64) {
    let row = codex_prompt(ms, name).turn_id(&ms.to_string());
    dir.write(name, &row.to_bytes());
}

#[test]
fn the_roots_that_are_stated_are_read_and_told() {
    let written = Written::clean(81);
    let root = written.dir.path().display().to_string();
    for program in BOTH {
        let named = Cmd::new(program).arg(&root).run().expect_code(0);
        let found = Cmd::new(program).env("ALOG_ROOTS", &root).run().expect_code(0);
        assert_eq!(found.stdout, named.stdout);
        assert!(found.stderr.contains(&root), "{}", found.stderr);
        assert_eq!(found.stderr.lines().count(), 1, "{}", found.stderr);
        let quiet = Cmd::new(program).arg("-q").env("ALOG_ROOTS", &root).run().expect_code(0);
        assert_eq!((quiet.stdout, quiet.stderr.as_str()), (named.stdout, ""));
        let two = format!("/nonexistent:{root}");
        let found = Cmd::new(program).env("ALOG_ROOTS", two).run().expect_code(0);
        assert_eq!(found.rows().len(), named_count(program, &root));
    }
}

fn named_count(program: &str, root: &str) -> usize {
    Cmd::new(program).arg(root).run().rows().len()
}

#[test]
fn discover_beats_standard_input() {
    let written = Written::clean(82);
    let root = written.dir.path().display().to_string();
    let want = Cmd::new(PROMPTS).arg(&root).run().stdout;
    let row = codex_prompt(0, "piped").to_bytes();
    let ran = Cmd::new(PROMPTS).arg("--discover").env("ALOG_ROOTS", &root).stdin(&row).run();
    assert_eq!(ran.expect_code(0).stdout, want);
    let piped = Cmd::new(PROMPTS).env("ALOG_ROOTS", &root).stdin(&row).run().expect_code(0);
    assert_eq!(column(&piped.rows(), "text"), ["piped"]);
}

#[test]
fn the_places_of_the_agents() {
    let home = Workdir::new();
    for (ms, name) in [
        (1, "centralized-logs/codex/sse_lines.jsonl"),
        (2, ".claude/projects/p/a.jsonl"),
        (3, ".config/claude/projects/p/b.jsonl"),
        (4, ".codex/sessions/2025/c.jsonl"),
        (5, ".codex/archived_sessions/d.jsonl"),
        (6, "elsewhere/e.jsonl"),
        (7, ".codex/history.jsonl"),
        (8, "xdg/claude/projects/f.jsonl"),
        (9, "other-claude/projects/g.jsonl"),
        (10, "other-codex/sessions/h.jsonl"),
    ] {
        write(&home, name, ms);
    }
    let at = |name: &str| home.path().join(name).display().to_string();
    let found = |env: &[(&str, String)]| {
        let command = Cmd::new(PROMPTS).env("HOME", home.path());
        let command = env.iter().fold(command, |command, (key, value)| command.env(key, value));
        let ran = command.run().expect_code(0);
        let texts = column(&ran.rows(), "text");
        texts.iter().filter_map(|text| text.chars().rev().nth(6)).collect::<String>()
    };
    let all = "sabcd";
    assert_eq!(found(&[]), all);
    assert_eq!(found(&[("XDG_CONFIG_HOME", at("xdg"))]), "sacdf");
    assert_eq!(found(&[("CODEX_HOME", at("other-codex"))]), "sabh");
    let both = format!("{},{}", at("other-claude"), at(".claude"));
    assert_eq!(found(&[("CLAUDE_CONFIG_DIR", both)]), "sacdg");
}

#[test]
fn no_logs_anywhere_is_told() {
    for program in BOTH {
        let ran = Cmd::new(program).run().expect_code(0);
        assert!(ran.stdout.is_empty());
        assert!(ran.stderr.contains("ALOG_ROOTS") || ran.stderr.contains("PATH"), "{}", ran.stderr);
        assert_eq!(Cmd::new(program).arg("--fail-empty").run().code, Some(1));
    }
}

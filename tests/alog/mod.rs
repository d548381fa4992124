//! `alog`: hands over to the other commands, and alone says what there is.

use crate::programs::{ALOG, BOTH, Written, codex_prompt};
use testkit::{Cmd, Workdir};

#[test]
fn a_command_is_run_with_its_arguments_input_and_status() {
    let written = Written::clean(121);
    for (name, program) in [("events", BOTH[0]), ("prompts", BOTH[1])] {
        let direct = Cmd::new(program).args(["-n", "2"]).args(&written.paths).run();
        let ran = Cmd::new(ALOG).args([name, "-n", "2"]).args(&written.paths).run();
        assert_eq!((ran.code, &ran.stdout), (direct.code, &direct.stdout));
        let piped = Cmd::new(ALOG).args([name, "-"]).stdin(&codex_prompt(0, "x").to_bytes()).run();
        assert_eq!(piped.expect_code(0).rows().len(), 1);
        assert_eq!(Cmd::new(ALOG).args([name, "/nonexistent"]).run().code, Some(2));
        assert_eq!(Cmd::new(ALOG).args([name, "--fail-empty", "-"]).stdin(b"").run().code, Some(1));
        let help = Cmd::new(ALOG).args([name, "--help"]).run().expect_code(0);
        assert_eq!(help.stdout, Cmd::new(program).arg("--help").run().stdout);
    }
}

#[test]
fn a_command_is_found_on_the_search_path_too() {
    let dir = Workdir::new();
    let copy = dir.path().join("alog");
    // Copied by a process of its own: a file that this one has open for writing may be inherited by
    // the child of another test, and then cannot be run.
    let _ = Cmd::new("cp").arg(ALOG).arg(&copy).run().expect_code(0);
    let path = std::path::Path::new(ALOG).parent().expect("its folder");
    let ran = Cmd::new(&copy).args(["events", "--version"]).env("PATH", path).run();
    assert!(ran.expect_code(0).text().starts_with("alog-events "));
    let lost = Cmd::new(&copy).args(["events", "--version"]).env("PATH", "/nonexistent").run();
    assert!(lost.expect_code(2).stderr.contains("events"));
}

#[test]
fn alone_it_lists_commands_and_the_logs_found_here() {
    let written = Written::clean(122);
    let size = (written.log.codex.len() + written.log.claude.len()) as f64 / 1000.0;
    let root = written.dir.path().display().to_string();
    let roots = format!("{root}:/nonexistent/logs");
    let ran = Cmd::new(ALOG).env("ALOG_ROOTS", roots).run().expect_code(0);
    let commands =
        |name: &str| ran.text().lines().filter(|line| line.trim_start().starts_with(name)).count();
    assert_eq!((commands("events "), commands("prompts ")), (1, 1), "{}", ran.text());
    let line = ran.text().lines().find(|line| line.contains(&root)).expect("the root");
    assert!(line.contains("2 files") && line.contains(&format!("{size:.1} kB")), "{line}");
    assert!(ran.text().lines().any(|line| line.contains("/nonexistent/logs")), "{}", ran.text());
    for flag in ["-h", "--help"] {
        let help = Cmd::new(ALOG).arg(flag).run().expect_code(0);
        assert!(help.text().contains("Usage: alog") && help.stderr.is_empty());
    }
}

#[test]
fn every_program_is_listed() {
    let folder = crate::programs::repository().join("bin");
    let listed = Cmd::new(ALOG).run().expect_code(0).text().to_owned();
    for entry in std::fs::read_dir(folder).expect("the folder of programs") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let Some(command) = name.strip_prefix("alog-") else { continue };
        if command == "sql" && cfg!(not(feature = "sql")) {
            continue;
        }
        let line = |line: &str| line.trim_start().starts_with(&format!("{command} "));
        assert!(listed.lines().any(line), "{command} is missing from: {listed}");
    }
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    for args in [&["sing"][..], &["--no-such-flag"], &["events-and-more", "x"]] {
        let ran = Cmd::new(ALOG).args(args).run().expect_code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(args[0]), "{}", ran.stderr);
    }
}

#[test]
fn alog_sql_is_run_or_it_is_told_how_to_build_it() {
    let dir = Workdir::new();
    let alone = dir.path().join("alog");
    let _ = Cmd::new("cp").arg(ALOG).arg(&alone).run().expect_code(0);
    let lost = Cmd::new(&alone).args(["sql", "SELECT 1"]).env("PATH", "/nonexistent").run();
    assert!(lost.expect_code(2).stderr.contains("make sql"));
    if cfg!(feature = "sql") {
        let ran = Cmd::new(ALOG).args(["sql", "SELECT 1 AS one", "-"]).stdin(b"").run();
        assert_eq!(ran.expect_code(0).text(), "{\"one\":1}\n");
    }
}

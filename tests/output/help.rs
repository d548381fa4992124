//! Help, version, completions, manual page, and what is said of flags that do not exist.

use crate::programs::{ALL, ALOG, EVENTS};
use testkit::{Cmd, Ran};

fn ask(program: &str, flag: &str) -> Ran {
    Cmd::new(program).arg(flag).run().expect_code(0)
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[test]
fn help_is_short_or_long() {
    for program in ALL {
        let (short, long) = (ask(program, "-h"), ask(program, "--help"));
        assert!(short.stdout.len() < long.stdout.len() && short.stderr.is_empty());
        assert!(long.text().contains("Examples:") && !short.text().contains("Examples:"));
        for flag in
            ["--since", "--session", "--tz", "--files0-from", "--bad-lines", "--schema", "-j"]
        {
            assert!(short.text().contains(flag) && long.text().contains(flag), "{flag}");
        }
        let about = short.text().lines().next().unwrap_or_default();
        assert!(about.len() <= 70 && !about.ends_with('.'), "{about}");
    }
}

#[test]
fn versions_agree() {
    let version = env!("CARGO_PKG_VERSION");
    for program in ALL.into_iter().chain([ALOG]) {
        let want = format!("{} {version}\n", name(program));
        assert_eq!(ask(program, "--version").text(), want);
        assert_eq!(ask(program, "-V").text(), want);
    }
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    for program in ALL {
        for shell in ["bash", "zsh", "fish"] {
            let ran = Cmd::new(program).args(["--completions", shell]).run().expect_code(0);
            for part in [name(program), "files-from", "explain", "max-line"] {
                let flag_of_other = part == "explain" && program == EVENTS;
                assert!(flag_of_other || ran.text().contains(part), "{shell}: {part}");
            }
        }
        let wrong = Cmd::new(program).args(["--completions", "cmd.exe"]).run().expect_code(2);
        assert!(wrong.stderr.contains("bash"));
        let man = ask(program, "--man");
        assert!(man.text().contains(".TH") && man.text().contains(".SH"), "{}", man.text());
        assert!(man.text().contains("fail\\-empty"));
    }
}

#[test]
fn texts_about_a_command_need_no_input() {
    for program in ALL {
        for flag in ["--help", "--version", "--man", "--schema"] {
            let ran = Cmd::new(program).args([flag, "/nonexistent"]).run().expect_code(0);
            assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{flag}");
        }
    }
}

#[test]
fn a_flag_that_is_not_there_is_a_usage_error() {
    for program in ALL {
        for args in [
            &["--no-such-flag"][..],
            &["-n", "many"],
            &["-o", "xml"],
            &["-j", "0"],
            &["--max-line", "big"],
        ] {
            let ran = Cmd::new(program).args(args).arg("-").stdin(b"").run().expect_code(2);
            assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}");
        }
    }
}

#[test]
fn a_closed_pipe_is_fine_for_help_too() {
    let script = r#"{ "$@"; echo "status $?" >&2; } | true"#;
    for program in ALL {
        for flag in ["--help", "--man", "--schema", "--completions=bash"] {
            let ran = Cmd::new("sh").args(["-c", script, "sh", program, flag]).run();
            assert_eq!(ran.stderr, "status 0\n", "{flag}");
        }
    }
}

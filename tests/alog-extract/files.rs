//! `--out-dir`: a file a mode, each whole or not there.

use super::{extract, modes};
use crate::programs::{EXTRACT, Written, codex_prompt, lines};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use testkit::{Cmd, Workdir};

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect()
}

#[test]
fn every_mode_has_a_file_that_holds_what_it_prints() {
    let log = Written::clean(41);
    let out = Workdir::new();
    let dir = out.path().join("data");
    let ran = extract(&["--mode", "all", "--out-dir", &dir.display().to_string()], log.dir.path());
    assert_eq!(ran.expect_code(0).text(), "", "nothing on standard output");
    let want: BTreeSet<String> = modes().iter().map(|mode| format!("{mode}.jsonl")).collect();
    assert_eq!((want.len(), names(&dir)), (39, want));
    for mode in modes() {
        let file = fs::read_to_string(dir.join(format!("{mode}.jsonl"))).expect("a file");
        let printed = extract(&["--mode", &mode], log.dir.path()).expect_code(0);
        assert!(file == printed.text(), "{mode}");
    }
}

#[test]
fn a_file_in_the_way_is_not_replaced_unless_asked() {
    let log = Written::clean(42);
    let out = Workdir::new();
    out.write("sessions.jsonl", b"mine\n");
    let dir = out.path().display().to_string();
    let args = ["--mode", "rounds,sessions", "--out-dir", &dir];
    let refused = extract(&args, log.dir.path()).expect_code(2);
    assert!(
        refused.stderr.contains("sessions.jsonl is there already: --force"),
        "{}",
        refused.stderr
    );
    assert_eq!(names(out.path()), ["sessions.jsonl".to_owned()].into(), "nothing was written");
    let _ = extract(&[&args[..], &["--force"]].concat(), log.dir.path()).expect_code(0);
    let text = fs::read_to_string(out.path().join("sessions.jsonl")).expect("the file");
    assert!(text.starts_with("{\"schema\":\"alog.extract.sessions/1\",\"index\":1,"), "{text}");
    assert_eq!(names(out.path()).len(), 2);
}

#[test]
fn a_run_that_fails_leaves_no_file() {
    let (dir, out) = (Workdir::new(), Workdir::new());
    let rows = ["abcd-1111", "abcd-2222"].map(|sid| codex_prompt(0, "go").sid(sid));
    let log = dir.write("sse_lines.jsonl", &lines(&rows));
    let to = out.path().display().to_string();
    let ran = extract(&["--mode", "all", "--out-dir", &to, "--session", "abcd"], &log);
    assert!(ran.expect_code(2).stderr.contains("'abcd' is ambiguous"));
    assert_eq!(names(out.path()), BTreeSet::new());
    let nowhere = extract(&["--mode", "all", "--out-dir", "/dev/null/x"], &log);
    assert!(nowhere.expect_code(2).stderr.contains("--out-dir /dev/null/x"));
}

#[test]
fn a_directory_in_the_way_is_told_before_anything_is_written() {
    let (log, out) = (Written::clean(45), Workdir::new());
    out.write("config.jsonl", b"mine\n");
    out.write("plans.jsonl/file", b"");
    let to = out.path().display().to_string();
    let ran = extract(&["--mode", "config,plans", "--force", "--out-dir", &to], log.dir.path());
    assert!(ran.expect_code(2).stderr.contains("plans.jsonl is a directory"));
    let kept = fs::read_to_string(out.path().join("config.jsonl")).expect("the file");
    assert_eq!(kept, "mine\n");
    assert_eq!(names(out.path()).len(), 2);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let log = Written::clean(44);
    for (args, why) in [
        (&["--mode", "sizes,nothing"][..], "no mode is called 'nothing'"),
        (&["--mode", "all", "-o", "table"], "take one --mode"),
        (&["--mode", "sizes", "-o", "csv", "--out-dir", "x"], "it takes no -o"),
        (&["--force", "--mode", "sizes"], "--out-dir"),
        (&[], "--mode"),
    ] {
        let ran = extract(args, log.dir.path()).expect_code(2);
        assert!(ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
    }
    let piped = Cmd::new(EXTRACT).args(["--mode", "event_counts", "-"]).stdin(b"").run();
    assert_eq!(piped.expect_code(0).text(), "");
}

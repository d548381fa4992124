//! Files and folders that are named: which are read, which once, which not at all.

use crate::programs::{BOTH, EVENTS, PROMPTS, Written, codex_prompt, column, events, prompts};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use testkit::{Cmd, Ran, Workdir};

/// Writes a log with one prompt of that text, so many milliseconds late.
fn write(dir: &Workdir, name: &str, ms: i64) -> String {
    let path = dir.write(name, &codex_prompt(ms, name).turn_id(&ms.to_string()).to_bytes());
    path.display().to_string()
}

/// Texts of the prompts in the order of printing.
fn texts(ran: &Ran) -> Vec<String> {
    column(&ran.rows(), "text")
}

fn read(paths: &[&str]) -> Ran {
    prompts().args(["--summary"]).args(paths).run()
}

#[test]
fn a_folder_is_walked_for_the_names_of_logs() {
    let dir = Workdir::new();
    for (ms, name) in [
        (1, "a.jsonl"),
        (2, "deep/er/b.jsonl"),
        (3, "deep/c.jsonl.1"),
        (4, "deep/d.jsonl.2025-11-18"),
        (5, "archive_2025_11_18/e.jsonl"),
        (6, "requests/f.json"),
        (7, "not_requests/g.json"),
        (8, "h.txt"),
        (9, "jsonl"),
        (10, "i.json"),
    ] {
        write(&dir, name, ms);
    }
    let folder = dir.path().display().to_string();
    let ran = read(&[&folder]).expect_code(0);
    let mut found = texts(&ran);
    found.retain(|name| !name.starts_with("requests/"));
    let want = [
        "a.jsonl",
        "deep/er/b.jsonl",
        "deep/c.jsonl.1",
        "deep/d.jsonl.2025-11-18",
        "archive_2025_11_18/e.jsonl",
    ];
    assert_eq!(found, want);
    let named = dir.path().join("h.txt").display().to_string();
    assert_eq!(texts(&read(&[&named]).expect_code(0)), ["h.txt"], "a file that is named is read");
    let record = &read(&[&folder]).rows()[0];
    assert_eq!(record["src"]["path"], format!("{folder}/a.jsonl"));
}

#[test]
fn a_folder_without_logs_is_nothing() {
    let dir = Workdir::new();
    dir.write("notes.txt", b"hello");
    for program in BOTH {
        let ran = Cmd::new(program).arg("--summary").arg(dir.path()).run().expect_code(0);
        assert_eq!((ran.text(), &ran.summary()["files"]), ("", &json!(0)));
        let ran = Cmd::new(program).arg("--fail-empty").arg(dir.path()).run().expect_code(1);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn a_path_that_is_not_there_is_told_and_the_rest_read() {
    let dir = Workdir::new();
    let log = write(&dir, "log.jsonl", 0);
    for program in BOTH {
        let ran = Cmd::new(program).args(["/nonexistent/log.jsonl", &*log]).run().expect_code(2);
        assert_eq!(ran.rows().len(), 1);
        assert!(ran.stderr.contains("/nonexistent/log.jsonl"), "{}", ran.stderr);
        let ran = Cmd::new(program).arg("/nonexistent/log.jsonl").run().expect_code(2);
        assert!(ran.stdout.is_empty());
    }
    let failing = prompts().args(["--fail-empty", "/nonexistent"]).run();
    assert_eq!(failing.code, Some(2), "2 beats 1");
}

#[test]
fn a_file_without_permission_is_told_and_the_rest_read() {
    let dir = Workdir::new();
    let (open, shut) = (write(&dir, "open.jsonl", 0), write(&dir, "shut.jsonl", 1));
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).expect("our file");
    if fs::read(&shut).is_ok() {
        crate::programs::skip("this user can read everything");
        return;
    }
    for args in [[&*shut, &*open], [&*open, &*shut]] {
        let ran = prompts().args(args).run().expect_code(2);
        assert_eq!(texts(&ran), ["open.jsonl"]);
        assert!(ran.stderr.contains("shut.jsonl"), "{}", ran.stderr);
    }
}

#[test]
fn the_same_file_is_read_once() {
    let dir = Workdir::new();
    let log = write(&dir, "logs/log.jsonl", 0);
    let linked = dir.path().join("hard.jsonl");
    fs::hard_link(&log, &linked).expect("a hard link");
    let soft = dir.path().join("soft.jsonl");
    symlink(&log, &soft).expect("a link");
    let (linked, soft) = (linked.display().to_string(), soft.display().to_string());
    let dotted = format!("{}/logs/../logs/log.jsonl", dir.path().display());
    let folder = dir.path().display().to_string();
    let all = [&*log, &log, &linked, &soft, &dotted, &folder];
    // Some commands ask about files only once they are open.
    for (program, paths, first) in [
        (EVENTS, &all[..], &log),
        (PROMPTS, &all[..], &log),
        (PROMPTS, &[&folder], &linked),
        (PROMPTS, &[&folder, &log], &linked),
    ] {
        let ran = Cmd::new(program).args(paths).arg("--summary").run().expect_code(0);
        let records = ran.rows();
        assert_eq!((records.len(), &ran.summary()["files"]), (1, &json!(1)), "{program} {paths:?}");
        assert_eq!(
            records[0]["src"]["path"], **first,
            "{program} {paths:?}: the first name counts"
        );
    }
}

#[test]
fn a_plain_file_beats_its_compressed_copy() {
    let (dir, bytes) = (Workdir::new(), codex_prompt(0, "x").to_bytes());
    let plain = dir.write("l.jsonl", &bytes);
    let zst = dir.write_zst("l.jsonl.zst", &bytes);
    let gz = dir.write_gz("l.jsonl.gz", &bytes);
    let other = dir.write_gz("other.jsonl.gz", &codex_prompt(5, "y").turn_id("2").to_bytes());
    for paths in [vec![dir.path()], vec![&*zst, &*plain, &*gz, &*other]] {
        let ran = events().args(paths).run().expect_code(0);
        let sources: Vec<_> = ran.rows().iter().map(|event| event["src"]["path"].clone()).collect();
        assert_eq!(sources, [json!(plain), json!(other)]);
    }
    assert_eq!(events().arg(&zst).run().expect_code(0).rows().len(), 1, "alone it is read");
}

#[test]
fn compression_is_told_by_content_not_by_name() {
    let written = Written::clean(71);
    let (dir, bytes) = (&written.dir, &written.log.codex);
    let plain = events().arg(&written.paths[0]).run().expect_code(0).rows();
    let want = crate::programs::placeless(plain);
    let halves = bytes.split_at(bytes.len() / 2);
    let frames = [fs::read(dir.write_gz("1", halves.0)), fs::read(dir.write_gz("2", halves.1))];
    let frames = frames.map(|frame| frame.expect("gzip")).concat();
    let zstd = [fs::read(dir.write_zst("3", halves.0)), fs::read(dir.write_zst("4", halves.1))];
    let zstd = zstd.map(|frame| frame.expect("zstd")).concat();
    for path in [
        dir.write_gz("really-gzip.jsonl", bytes),
        dir.write_zst("really-zstd.txt", bytes),
        dir.write("really-plain.jsonl.gz", bytes),
        dir.write("members.gz", &frames),
        dir.write("frames.zst", &zstd),
    ] {
        let ran = events().arg(&path).run().expect_code(0);
        assert_eq!(crate::programs::placeless(ran.rows()), want, "{}", path.display());
    }
}

#[test]
fn a_compressed_file_that_ends_too_soon_gives_what_it_has() {
    let written = Written::clean(72);
    for pack in [Workdir::write_gz, Workdir::write_zst] {
        let whole = fs::read(pack(&written.dir, "whole.jsonl.x", &written.log.codex)).expect("it");
        let cut = written.dir.write("cut.jsonl.x", &whole[..whole.len() / 2]);
        let ran = events().arg(&cut).run().expect_code(2);
        assert!(ran.stderr.contains("cut.jsonl.x"), "{}", ran.stderr);
        let piped = events().arg("-").stdin(&whole[..whole.len() / 2]).run().expect_code(2);
        assert!(!piped.stderr.is_empty());
    }
}

#[test]
fn lists_of_paths() {
    let dir = Workdir::new();
    let (a, b) = (write(&dir, "a b.jsonl", 1), write(&dir, "line\nfeed.jsonl", 2));
    let c = write(&dir, "c.jsonl", 3);
    let by_line = dir.write("lines.txt", format!("{a}\n{c}\n").as_bytes());
    let by_nul = dir.write("nul.txt", format!("{b}\0{a}").as_bytes());
    let run =
        |args: &[&str], list: &Path| texts(&prompts().args(args).arg(list).run().expect_code(0));
    assert_eq!(run(&["--files-from"], &by_line), ["a b.jsonl", "c.jsonl"]);
    assert_eq!(run(&["--files0-from"], &by_nul), ["a b.jsonl", "line\nfeed.jsonl"]);
    assert_eq!(run(&[&c, "--files0-from"], &by_nul), ["a b.jsonl", "line\nfeed.jsonl", "c.jsonl"]);
    let piped = prompts().args(["--files-from", "-"]).stdin(format!("{c}\n{a}").as_bytes()).run();
    assert_eq!(texts(&piped.expect_code(0)), ["a b.jsonl", "c.jsonl"]);
    let piped = prompts().args(["--files0-from", "-"]).stdin(format!("{b}\0").as_bytes()).run();
    assert_eq!(texts(&piped.expect_code(0)), ["line\nfeed.jsonl"]);
    let missing = prompts().args(["--files-from", "/nonexistent/list"]).run().expect_code(2);
    assert!(missing.stderr.contains("/nonexistent/list"), "{}", missing.stderr);
    let empty = prompts().args(["--files-from", "-"]).stdin(b"").run().expect_code(0);
    assert!(empty.stdout.is_empty(), "an empty list names nothing, and is not the default roots");
}

#[test]
fn files_long_past_are_skipped_only_where_they_were_walked() {
    let dir = Workdir::new();
    let old = write(&dir, "logs/old.jsonl", 0);
    let day = std::time::Duration::from_secs(86_400);
    let touch = |ago: u32| {
        let file = fs::File::options().append(true).open(&old).expect("our file");
        file.set_modified(std::time::SystemTime::now() - ago * day).expect("a time");
    };
    let folder = dir.path().display().to_string();
    let skipped = |path: &str| {
        let ran = events().args(["--since", "1d", "--summary", path]).run().expect_code(0);
        ran.summary()["files_skipped"].clone()
    };
    touch(3);
    assert_eq!((skipped(&folder), skipped(&old)), (json!(1), json!(0)));
    touch(1);
    assert_eq!((skipped(&folder), skipped(&old)), (json!(0), json!(0)));
    let all = events().args(["--summary", &*folder]).run().expect_code(0);
    assert_eq!(all.summary()["files_skipped"], 0);
}

#[test]
fn a_source_can_be_asked_for() {
    let written = Written::clean(73);
    let count = |source: &str| {
        [EVENTS, PROMPTS].map(|program| written.run(program, &["--source", source]).rows().len())
    };
    assert_eq!(count("sse"), count("all"));
    assert_eq!(count("native"), [0, 0]);
}

#[test]
fn a_file_that_changes_while_it_is_read_does_no_harm() {
    let dir = Workdir::new();
    let row = codex_prompt(0, &"x".repeat(300)).to_bytes();
    let path = dir.write("log.jsonl", &row.repeat(20_000));
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            for round in 0..400u64 {
                let file = fs::File::options().append(true).open(&path).expect("the log");
                let len = if round % 2 == 0 { 100_000 } else { 9_000_000 };
                file.set_len(len).expect("a length");
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
        })
    };
    for program in [EVENTS, PROMPTS, EVENTS, PROMPTS] {
        let ran = Cmd::new(program).arg(&path).run();
        assert!(matches!(ran.code, Some(0 | 2)), "{:?} {}", ran.code, ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    writer.join().expect("the writer");
}

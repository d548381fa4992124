//! Files whose names come, go and change.

use super::{QUIET, WAYS, follow, next, rows};
use crate::live::child::Child;
use crate::programs::EVENTS;
use std::fs;
use std::time::Duration;
use testkit::Workdir;

#[test]
fn new_files_are_taken_in_with_new_folders() {
    for way in WAYS {
        let dir = Workdir::new();
        dir.write("a.jsonl", &rows([1]));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 1), [1]);
        dir.write("b.jsonl", &rows([2]));
        assert_eq!(next(&mut child, 1), [2]);
        dir.write("2026/11/21/c.jsonl", &rows([3]));
        assert_eq!(next(&mut child, 1), [3]);
        dir.append("2026/11/21/c.jsonl", &rows([4]));
        assert_eq!(next(&mut child, 1), [4]);
        // One that tells nothing yet, and one that never will.
        dir.write("2026/11/22/d.jsonl", b"");
        dir.write("2026/11/22/notes.txt", &rows([99]));
        assert!(child.is_silent_for(QUIET));
        dir.append("2026/11/22/d.jsonl", &rows([5]));
        assert_eq!(next(&mut child, 1), [5]);
    }
}

#[test]
fn a_named_file_is_waited_for() {
    for way in WAYS {
        let dir = Workdir::new();
        let mut child = follow(way, &dir.path().join("later.jsonl"));
        assert!(child.is_silent_for(QUIET));
        dir.write("later.jsonl", &rows([1]));
        dir.write("other.jsonl", &rows([99]));
        assert_eq!(next(&mut child, 1), [1]);
        assert!(child.is_silent_for(QUIET));
        child.signal("INT");
        let ended = child.end();
        assert_eq!(ended.code, Some(130));
        assert!(ended.stderr.contains("waited for"), "{}", ended.stderr);
    }
}

#[test]
fn a_log_that_is_rotated_is_read_to_its_end_and_then_the_new_one() {
    for way in WAYS {
        let dir = Workdir::new();
        let log = dir.write("a.jsonl", &rows([1]));
        // By its name alone, or in its directory: there the old one has a name, too.
        for target in [&log, dir.path()] {
            dir.write("a.jsonl", &rows([1]));
            let mut child = follow(way, target);
            assert_eq!(next(&mut child, 1), [1]);
            let mut writer = fs::OpenOptions::new().append(true).open(&log).expect("a log");
            fs::rename(&log, dir.path().join("a.jsonl.1")).expect("another name");
            // Who has it open goes on writing.
            std::io::Write::write_all(&mut writer, &rows([2])).expect("a row");
            dir.write("a.jsonl", &rows([3, 4]));
            assert_eq!(next(&mut child, 3), [2, 3, 4]);
            std::io::Write::write_all(&mut writer, &rows([5])).expect("a row");
            assert_eq!(next(&mut child, 1), [5]);
            dir.append("a.jsonl", &rows([6]));
            assert_eq!(next(&mut child, 1), [6]);
            assert!(child.is_silent_for(QUIET));
            fs::remove_file(dir.path().join("a.jsonl.1")).expect("the old one");
        }
    }
}

#[test]
fn what_is_cut_short_is_read_from_its_start() {
    for way in WAYS {
        let dir = Workdir::new();
        let log = dir.write("a.jsonl", &rows([1, 2, 3]));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 3), [1, 2, 3]);
        fs::write(&log, rows([4])).expect("a shorter one");
        assert_eq!(next(&mut child, 1), [4]);
        dir.append("a.jsonl", &rows([5]));
        let record = child.next();
        assert_eq!(record["src"]["line"], 2);
        // As long as before, but another content.
        fs::write(&log, rows([6, 7, 8])).expect("another one");
        assert_eq!(next(&mut child, 3), [6, 7, 8]);
        child.signal("INT");
        let stderr = child.end().stderr;
        assert!(stderr.contains("is read from its start"), "{stderr}");
    }
}

#[test]
fn a_file_in_the_place_of_another_is_a_new_one() {
    for way in WAYS {
        let dir = Workdir::new();
        dir.write("a.jsonl", &rows([1, 2]));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 2), [1, 2]);
        let other = dir.write("other.tmp", &rows([3, 4, 5]));
        fs::rename(other, dir.path().join("a.jsonl")).expect("in its place");
        assert_eq!(next(&mut child, 3), [3, 4, 5]);
    }
}

#[test]
fn an_old_file_that_is_compressed_or_copied_is_not_read_again() {
    for way in WAYS {
        let dir = Workdir::new();
        let old = dir.write("a.jsonl.1", &rows(1..5));
        let log = dir.write("a.jsonl", &rows(5..9));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        dir.write_gz("a.jsonl.1.gz", &rows(1..5));
        fs::remove_file(old).expect("the plain one");
        dir.write_zst("unknown.jsonl.zst", &rows([9]));
        assert_eq!(next(&mut child, 1), [9]);
        // Rotated by copying: with a row that came after it was read last.
        dir.write("a.jsonl.2", &rows(5..11));
        assert_eq!(next(&mut child, 2), [9, 10]);
        fs::write(&log, rows([11])).expect("cut short");
        assert_eq!(next(&mut child, 1), [11]);
        assert!(child.is_silent_for(Duration::from_millis(2500)));
    }
}

#[test]
fn a_log_that_is_deleted_is_forgotten_and_its_name_may_come_again() {
    for way in WAYS {
        let dir = Workdir::new();
        let log = dir.write("a.jsonl", &rows([1]));
        let mut child = follow(way, dir.path());
        assert_eq!(next(&mut child, 1), [1]);
        fs::remove_file(&log).expect("a file to delete");
        assert!(child.is_silent_for(QUIET));
        dir.write("a.jsonl", &rows([2]));
        assert_eq!(next(&mut child, 1), [2]);
    }
}

#[test]
fn links_are_followed_to_where_they_lead() {
    for way in WAYS {
        let (dir, other) = (Workdir::new(), Workdir::new());
        let log = other.write("real.jsonl", &rows([1]));
        let link = dir.path().join("link.jsonl");
        std::os::unix::fs::symlink(log, &link).expect("a link");
        let mut child = follow(way, &link);
        assert_eq!(next(&mut child, 1), [1]);
        other.append("real.jsonl", &rows([2]));
        assert_eq!(next(&mut child, 1), [2]);
    }
}

#[test]
fn paths_are_printed_as_they_were_named() {
    let dir = Workdir::new();
    dir.write("logs/a.jsonl", &rows([1]));
    let script = r#"cd "$1" && exec "$2" -f logs --first 3"#;
    let path = dir.path().to_str().expect("UTF-8");
    let mut child = Child::on("/bin/sh", ["-c", script, "sh", path, EVENTS]);
    let mut paths = vec![child.next()];
    dir.append("logs/a.jsonl", &rows([2]));
    dir.write("logs/new/b.jsonl", &rows([3]));
    paths.extend([child.next(), child.next()]);
    let mut paths: Vec<&str> = paths.iter().filter_map(|r| r["src"]["path"].as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["logs/a.jsonl", "logs/a.jsonl", "logs/new/b.jsonl"]);
    assert_eq!(child.end().code, Some(0));
}

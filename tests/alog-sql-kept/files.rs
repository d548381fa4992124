//! What becomes of logs between two runs: rotation, compression, truncation, replacement, deletion.

use super::{Keeping, VIEWS, all_of, codex, lines_of, middle, sorted};
use std::fs;
use std::path::Path;
use testkit::Ran;

/// Records of all views, without the paths of their logs.
fn placeless(ran: &Ran) -> Vec<String> {
    let mut rows: Vec<String> = sorted(ran);
    for row in &mut rows {
        while let Some(from) = row.find("'path': ") {
            let to = from + row[from..].find(',').expect("what follows the path");
            row.replace_range(from..=to, "");
        }
    }
    rows.sort();
    rows
}

/// `x.jsonl` is half read, grows to its end, and then `meanwhile` happens to it. Returns what the next
/// run says, when its tables are found to be those of the whole log.
fn read_on(meanwhile: impl FnOnce(&Keeping)) -> String {
    let (keeping, log) = (Keeping::new(), codex(501));
    keeping.write("x.jsonl", &log[..middle(&log)]);
    let all = all_of(&VIEWS);
    keeping.told(&all);
    keeping.append("x.jsonl", &log[middle(&log)..]);
    meanwhile(&keeping);
    let second = keeping.ask(&all).arg("--summary").run().expect_code(0);
    let whole = Keeping::new();
    whole.write("x.jsonl", &log);
    assert_eq!(placeless(&second), placeless(&whole.told(&all)), "{}", second.stderr);
    let lines = second.summary()["lines"].as_i64().expect("a number");
    assert!(lines < lines_of(&log) * 3 / 4, "{lines} lines: it was read from its start");
    second.stderr.lines().filter(|line| !line.starts_with('{')).map(str::to_owned).collect()
}

fn rename(keeping: &Keeping, to: &str) {
    fs::rename(keeping.log("x.jsonl"), keeping.log(to)).expect("to rename it");
}

#[test]
fn what_is_kept_is_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let keeping = Keeping::new();
    keeping.write("x.jsonl", &[&codex(700)[..], b"bad\n"].concat());
    let bad = keeping.dir.path().join("bad.jsonl");
    let mode = |path: &Path| fs::metadata(path).expect("the file").permissions().mode() & 0o777;
    let _ =
        keeping.ask("SELECT count(*) FROM turns").arg("--bad-lines").arg(&bad).run().expect_code(0);
    assert_eq!(mode(&keeping.file()), 0o600);
    assert_eq!(mode(&bad), mode(&keeping.log("x.jsonl")), "other files are as they always are");
}

#[test]
fn a_log_that_was_renamed_or_rotated_is_read_on() {
    assert_eq!(read_on(|_| {}), "");
    assert_eq!(read_on(|keeping| rename(keeping, "y.jsonl")), "");
    let rotated = read_on(|keeping| {
        rename(keeping, "x.jsonl.1");
        keeping.write("x.jsonl", b"");
    });
    assert_eq!(rotated, "");
}

#[test]
fn a_log_that_was_copied_and_truncated_is_read_on_in_the_copy() {
    let said = read_on(|keeping| {
        fs::copy(keeping.log("x.jsonl"), keeping.log("x.jsonl.1")).expect("a copy");
        fs::File::create(keeping.log("x.jsonl")).expect("to truncate it");
    });
    assert_eq!(said, "");
}

#[test]
fn a_log_that_was_compressed_is_read_on() {
    for end in ["gz", "zst"] {
        let said = read_on(|keeping| {
            let bytes = fs::read(keeping.log("x.jsonl")).expect("the log");
            let name = format!("logs/x.jsonl.{end}");
            match end {
                "gz" => keeping.dir.write_gz(&name, &bytes),
                _ => keeping.dir.write_zst(&name, &bytes),
            };
            fs::remove_file(keeping.log("x.jsonl")).expect("to remove it");
        });
        assert_eq!(said, "", "{end}");
    }
}

#[test]
fn records_of_a_log_that_is_gone_stay() {
    let (keeping, one, other) = (Keeping::new(), codex(511), codex(512));
    keeping.write("x.jsonl", &one);
    keeping.write("y.jsonl", &other[..middle(&other)]);
    let all = all_of(&VIEWS);
    let of_x = |ran: &Ran| -> Vec<String> {
        sorted(ran).into_iter().filter(|row| row.contains("logs/x.jsonl")).collect()
    };
    let before = of_x(&keeping.told(&all));
    fs::remove_file(keeping.log("x.jsonl")).expect("to remove it");
    let gone = keeping.told(&all);
    assert_eq!(gone.stderr, "alog-sql: logs/x.jsonl: gone since the last run\n");
    assert_eq!(of_x(&gone), before);
    for view in keeping.status() {
        assert_eq!((&view["logs"], &view["gone"]), (&2.into(), &1.into()), "{view}");
    }
    // What it told in its last seconds cannot be read again when others grow.
    keeping.append("y.jsonl", &other[middle(&other)..]);
    let later = keeping.told(&all);
    assert_eq!((of_x(&later), &*later.stderr), (before.clone(), ""));
    let whole = Keeping::new();
    whole.write("y.jsonl", &other);
    let of_y = |ran: &Ran| -> Vec<String> {
        sorted(ran).into_iter().filter(|row| row.contains("logs/y.jsonl")).collect()
    };
    assert_eq!(of_y(&later), of_y(&whole.told(&all)));
    // It is back.
    keeping.write("x.jsonl", &one);
    keeping.check(&VIEWS, "it is back");
    assert_eq!(keeping.status()[0]["gone"], 0);
}

#[test]
fn a_log_that_is_no_part_of_the_input_stays() {
    let (keeping, one, other) = (Keeping::new(), codex(513), codex(514));
    keeping.write("x/x.jsonl", &one);
    keeping.write("y/y.jsonl", &other[..middle(&other)]);
    let all = all_of(&VIEWS);
    keeping.told(&all);
    keeping.append("y/y.jsonl", &other[middle(&other)..]);
    let command = testkit::Cmd::new(super::SQL).cwd(keeping.dir.path());
    let part = command.args(["--db", "kept.duckdb", &all, "logs/y"]).run().expect_code(0);
    assert_eq!(part.stderr, "");
    let whole = testkit::Cmd::new(super::SQL).cwd(keeping.dir.path()).args([&all, "logs"]);
    assert_eq!(sorted(&part), sorted(&whole.run().expect_code(0)));
    keeping.check(&VIEWS, "all of it again");
}

#[test]
fn a_log_that_was_truncated_or_replaced_is_read_from_its_start() {
    let count = "SELECT count(*) FROM events";
    let (keeping, first) = (Keeping::new(), codex(521));
    keeping.write("x.jsonl", &first);
    let mut lines = lines_of(&first);
    assert_eq!(keeping.number(count), lines);
    for (anew, seed) in [(true, 522), (false, 523)] {
        if anew {
            fs::remove_file(keeping.log("x.jsonl")).expect("to remove it");
        }
        let next = codex(seed);
        keeping.write("x.jsonl", &next);
        lines += lines_of(&next);
        let ran = keeping.told(&format!("{count} UNION ALL SELECT count(*) FROM turns"));
        let said = "logs/x.jsonl: truncated or replaced since the last run";
        assert_eq!(ran.stderr.matches(said).count(), 1, "{}", ran.stderr);
        assert_eq!(keeping.number(count), lines, "records of what was there before stay");
    }
    assert_eq!(keeping.told(count).stderr, "");
}

#[test]
fn links_and_other_names_are_the_same_log() {
    let (keeping, log) = (Keeping::new(), codex(531));
    let real = keeping.dir.write("elsewhere/x.jsonl", &log);
    std::os::unix::fs::symlink(&real, keeping.log("x.jsonl")).expect("a link");
    let count = "SELECT count(*) AS n FROM events";
    assert_eq!(keeping.number("SELECT count(*) FROM events"), lines_of(&log));
    let command = testkit::Cmd::new(super::SQL).cwd(keeping.dir.path());
    let named = command.args(["--db", "kept.duckdb", count]).arg(&real).run().expect_code(0);
    assert_eq!(named.rows()[0]["n"], lines_of(&log));
}

#[test]
fn the_file_may_stand_among_the_logs() {
    let (keeping, log) = (Keeping::new(), codex(532));
    keeping.write("x.jsonl", &log);
    for _ in 0..2 {
        let command = testkit::Cmd::new(super::SQL).cwd(keeping.dir.path());
        let sql = "SELECT count(*) AS n FROM events";
        let ran = command.args(["--db", "logs/kept.duckdb", sql, "logs"]).run().expect_code(0);
        assert_eq!((&ran.rows()[0]["n"], &*ran.stderr), (&lines_of(&log).into(), ""));
    }
}

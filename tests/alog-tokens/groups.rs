//! Groups of any keys come to the same sums, and selection is of rows.

use super::{SUMS, by, sums, tokens};
use crate::programs::{TOKENS, Written, placeless};
use serde_json::{Value, json};
use testkit::{Cmd, Detail, Fault, LogBuilder};

fn written(seed: u64) -> Written {
    let builder = LogBuilder::new(seed).codex_sessions(3).claude_sessions(3).turns(2);
    Written::new(&builder.detail(Detail::Brief).faults(&Fault::ALL))
}

const LISTS: [&str; 14] = [
    "call",
    "turn",
    "session",
    "hour",
    "day",
    "week",
    "month",
    "model",
    "provider",
    "project",
    "day,model",
    "session,hour,model",
    "turn,call",
    "provider,project,all",
];

#[test]
fn any_groups_come_to_the_same() {
    let written = written(101);
    let all = by(&written, "all", &["--cost"]);
    assert_eq!(all.len(), 1);
    for keys in LISTS {
        let groups = by(&written, keys, &["--cost"]);
        assert_eq!(sums(&groups), sums(&all), "{keys}");
        assert_eq!(micro_dollars(&groups), micro_dollars(&all), "{keys}");
        assert!(groups.iter().all(|group| group["by"] == keys), "{keys}");
        assert!(groups.iter().all(|group| group["calls"].as_u64() > Some(0)), "{keys}");
        let times: Vec<&str> = groups.iter().filter_map(|group| group["t"].as_str()).collect();
        assert!(times.is_sorted(), "{keys}");
    }
    let calls = by(&written, "call", &[]);
    assert_eq!(json!(calls.len()), all[0]["calls"]);
    for group in by(&written, "session", &["--last", "3"]) {
        let of_it = calls.iter().filter(|call| call["sid"] == group["sid"]);
        let numbers: Vec<u64> = of_it.filter_map(|call| call["call"].as_u64()).collect();
        assert_eq!(numbers, (1..=group["calls"].as_u64().unwrap_or(0)).collect::<Vec<_>>());
    }
}

/// What records cost together, in millionths of a dollar of 10⁻¹² each: exact, as it is printed.
fn micro_dollars(records: &[Value]) -> i128 {
    let cost = |record: &Value| {
        let text = record["cost_usd"].to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        format!("{whole}{part:0<12}").parse::<i128>().unwrap_or(0)
    };
    records.iter().map(cost).sum()
}

#[test]
fn keys_that_were_not_asked_for_are_null() {
    let written = written(102);
    let own = ["session_turn", "call", "hour", "day", "week", "month", "project"];
    for keys in LISTS {
        for group in by(&written, keys, &[]) {
            for key in own.iter().filter(|key| !keys.split(',').any(|k| key.ends_with(k))) {
                assert!(group[key].is_null(), "{keys}: {group}");
            }
        }
    }
}

#[test]
fn rows_are_selected_and_not_groups() {
    let written = written(103);
    let calls = by(&written, "call", &[]);
    let middle = calls[calls.len() / 2]["t"].as_str().expect("a time");
    let before = by(&written, "all", &["--until", middle]);
    let after = by(&written, "all", &["--since", middle]);
    let both: Vec<Value> = [before, after].concat();
    assert_eq!(sums(&both)[..7], sums(&by(&written, "all", &[]))[..7], "all but duplicates");
    let until = calls.iter().filter(|call| call["t"].as_str() < Some(middle)).count();
    assert_eq!(both[0]["calls"], json!(until));

    for (flag, key) in [("--provider", "provider"), ("--session", "sid"), ("--cwd", "cwd")] {
        let value = calls.iter().find_map(|call| call[key].as_str()).expect(key);
        let some: Vec<Value> = calls.iter().filter(|call| call[key] == value).cloned().collect();
        let day = by(&written, "day", &[flag, value]);
        assert_eq!(sums(&day)[..7], sums(&some)[..7], "{flag} {value}");
    }
}

#[test]
fn a_part_of_an_id_that_fits_two_sessions_is_refused() {
    let written = written(104);
    let ran = written.run(TOKENS, &["--session", "019a", "--by", "day"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("ambiguous"), "{}", ran.stderr);
    let ran = written.run(TOKENS, &["--session", "nobody", "--fail-empty"]);
    assert_eq!((ran.code, ran.text()), (Some(1), ""));
    assert!(ran.stderr.contains("no such session"), "{}", ran.stderr);
}

#[test]
fn days_are_those_of_the_zone() {
    let written = Written::clean(105);
    let of = |zone: &str, key: &str| {
        let ran = Cmd::new(TOKENS).args(["--by", key, "--zone", zone]).args(&written.paths).run();
        let rows = ran.expect_code(0).rows();
        (rows[0]["t"].as_str().expect("a time")[..13].to_owned(), rows[0][key].clone())
    };
    let (t, hour) = of("UTC", "hour");
    assert_eq!(hour, json!(format!("{t}:00:00+00:00")));
    assert_eq!(of("+14:00", "day").1, "2025-11-18");
    assert_eq!(of("-11:00", "day").1, "2025-11-17");
    assert_eq!(of("UTC", "week").1, "2025-W47");
    assert_eq!(of("Asia/Kathmandu", "month").1, "2025-11");
}

/// Records without the paths of their rows, and these in one order, whatever the files are called.
fn pathless(records: Vec<Value>) -> Vec<Value> {
    let mut records = placeless(records);
    for rows in records.iter_mut().filter_map(|record| record["rows"].as_array_mut()) {
        for row in rows.iter_mut() {
            row["src"]["path"].take();
        }
        rows.sort_by_key(ToString::to_string);
    }
    records
}

#[test]
fn order_of_files_jobs_and_compression_do_not_matter() {
    let written = written(106);
    let reversed: Vec<_> = written.paths.iter().rev().collect();
    let gz = written.dir.write_gz("c.jsonl.gz", &written.log.codex);
    for keys in ["call", "session", "turn", "day,model"] {
        let want = placeless(by(&written, keys, &["--explain"]));
        for args in [&["-j1"][..], &["-j8"]] {
            let same = placeless(by(&written, keys, &[&["--explain"], args].concat())) == want;
            assert!(same, "{keys} {args:?}");
        }
        let base = ["--zone", "UTC", "--by", keys, "--explain"];
        let other = Cmd::new(TOKENS).args(base).args(&reversed).run().expect_code(0);
        assert!(pathless(other.rows()) == pathless(want.clone()), "{keys}: files the other way");
        let packed = Cmd::new(TOKENS).args(base).arg(&gz).arg(&written.paths[1]).run();
        assert!(pathless(packed.expect_code(0).rows()) == pathless(want), "{keys}: compressed");
    }
}

#[test]
fn a_pipe_gives_the_same_at_its_end() {
    let written = Written::clean(107);
    let ran = |cmd: Cmd| placeless(cmd.run().expect_code(0).rows());
    let from_file = ran(tokens().args(["--by", "turn"]).arg(&written.paths[0]));
    let piped = ran(tokens().args(["--by", "turn", "-"]).stdin(&written.log.codex));
    assert_eq!(piped, from_file);
    assert!(!piped.is_empty());
}

#[test]
fn a_table_ends_with_a_total() {
    let written = Written::clean(108);
    let all = by(&written, "all", &[]);
    let table = tokens().args(["--by", "provider", "-o", "table"]).args(&written.paths).run();
    let table = table.expect_code(0);
    let lines: Vec<&str> = table.text().lines().collect();
    assert!(lines[0].starts_with("provider") && lines[0].ends_with("total"), "{}", table.text());
    let total: Vec<String> =
        lines[lines.len() - 1].split_whitespace().map(|cell| cell.replace(',', "")).collect();
    assert_eq!(total[0], "total");
    assert_eq!(total[1], all[0]["calls"].to_string());
    assert_eq!(total[total.len() - 1], all[0]["total_tokens"].to_string());
    let one = tokens().args(["--by", "all", "-o", "table"]).args(&written.paths).run();
    assert_eq!(one.expect_code(0).text().lines().count(), 2, "one group is its own total");
    assert_eq!(SUMS.len(), sums(&all).len());
}

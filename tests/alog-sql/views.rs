//! Each view holds what its command prints, and numbers come to the same.

use super::*;
use crate::programs::expect_true;

/// What differs between the views and the commands.
fn untrue(logs: &Logs) -> Vec<String> {
    let one = |view: &View| {
        let query = format!("SELECT * FROM {} ORDER BY index", view.name);
        let found = difference(&logs.records(view, &[]), &logs.rows(&query, &[]));
        found.map(|found| format!("{}: {found}", view.name))
    };
    VIEWS.iter().filter_map(one).collect()
}

#[test]
fn views_hold_what_commands_print() {
    let logs = [Logs::fixtures(), Logs::native(61), Logs::both(62)];
    expect_true(logs.iter().map(|logs| (logs.name.clone(), untrue(logs))));
}

#[test]
fn views_hold_what_commands_print_of_a_large_log() {
    let logs = Logs::sse(63, 40);
    let bytes: u64 =
        logs.paths.iter().map(|path| std::fs::metadata(path).expect("a log").len()).sum();
    assert!(bytes > 4 << 20, "{bytes}");
    expect_true([(logs.name.clone(), untrue(&logs))]);
}

#[test]
fn views_hold_what_commands_print_of_samples() {
    let shared = std::env::var_os("ALOG_SHARED").map(PathBuf::from);
    let root = shared.unwrap_or_else(|| repository().join("../shared")).join("samples");
    if !root.exists() {
        return skip(&format!("no {} here", root.display()));
    }
    let folders = ["claude", "codex", "other"].map(|folder| root.join(folder));
    let here = folders.into_iter().filter(|folder| folder.exists());
    let logs =
        here.map(|path| Logs { name: path.display().to_string(), paths: vec![path], _dir: None });
    expect_true(logs.map(|logs| (logs.name.clone(), untrue(&logs))));
}

#[test]
fn counts_of_single_columns_are_those_of_all() {
    let logs = Logs::both(64);
    for view in &VIEWS {
        let records = logs.records(view, &[]);
        let count = format!("SELECT count(*) AS n, count(t) AS timed FROM {}", view.name);
        let timed = records.iter().filter(|record| !record["t"].is_null()).count();
        let want = json!({"n": records.len(), "timed": timed});
        assert_eq!(logs.rows(&count, &[]), [want], "{}", view.name);
        assert!(!records.is_empty(), "{}", view.name);
        let only = format!("SELECT count(*) AS n FROM {}", view.name);
        assert_eq!(logs.rows(&only, &[]), [json!({"n": records.len()})], "{}", view.name);
    }
}

#[test]
fn each_column_has_its_value_if_it_is_read_alone() {
    let logs = Logs::fixtures();
    for view in &VIEWS {
        let records = logs.records(view, &[]);
        let keys: Vec<&String> = records[0].as_object().expect("a record").keys().collect();
        let columns = logs.rows(&format!("DESCRIBE {}", view.name), &[]);
        let names: Vec<&str> =
            columns.iter().filter_map(|column| column["column_name"].as_str()).collect();
        assert_eq!(keys, names, "{}", view.name);
        // Texts, numbers and lists stand in one result: what they are is told by their JSON.
        for key in keys.into_iter().filter(|key| *key != "index") {
            let query =
                format!("SELECT \"{key}\" FROM {} ORDER BY t NULLS FIRST, index", view.name);
            let rows = logs.rows(&query, &[]);
            let alone: Vec<Value> = records.iter().map(|r| json!({key.as_str(): r[key]})).collect();
            let spelled = |rows: Vec<Value>| {
                let mut rows: Vec<String> =
                    rows.into_iter().map(|row| leveled(row).to_string()).collect();
                rows.sort();
                rows
            };
            assert!(spelled(alone) == spelled(rows), "{}.{key}", view.name);
        }
    }
}

#[test]
fn sums_of_tokens_are_those_of_alog_tokens() {
    for logs in [Logs::fixtures(), Logs::sse(65, 2), Logs::native(66), Logs::both(67)] {
        let all = logs.command(TOKENS, &["--by", "all", "--cost"]).expect_code(0).rows();
        let keys = [
            "calls",
            "input_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "output_tokens",
            "reasoning_tokens",
            "total_tokens",
            "unpriced_tokens",
        ];
        let sums: Vec<String> = keys.iter().map(|key| format!("sum({key}) AS {key}")).collect();
        for view in ["tokens", "tokens_by_call"] {
            let query = format!("SELECT {} FROM {view}", sums.join(", "));
            let rows = logs.rows(&query, &[]);
            for key in keys {
                assert_eq!(rows[0][key], all[0][key], "{}: {view}.{key}", logs.name);
            }
            let cost = logs.rows(&format!("SELECT sum(cost_usd) AS c FROM {view}"), &[]);
            let [sum, cost] =
                [&all[0]["cost_usd"], &cost[0]["c"]].map(|n| n.as_f64().unwrap_or(0.0));
            assert!((sum - cost).abs() < 1e-9, "{}: {view}: {sum} {cost}", logs.name);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let logs = Logs::both(68);
    for view in ["events", "calls", "tokens_by_call"] {
        let query = format!("SELECT * FROM {view} ORDER BY index");
        let [one, four] = ["1", "4"].map(|jobs| logs.sql(&query, &["-j", jobs]).expect_code(0));
        assert!(one.stdout == four.stdout, "{view}");
    }
}

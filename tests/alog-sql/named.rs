//! Queries that come with alog: each answers something on a log that has what it asks for.

use super::*;

/// All of them, as `--list` tells them: name and parameters with their values.
pub fn listed() -> Vec<(String, String, Vec<String>)> {
    let rows = Cmd::new(SQL).arg("--list").run().expect_code(0).rows();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let parameters = |row: &Value| {
        row["parameters"].as_array().expect("a list").iter().map(text).collect::<Vec<_>>()
    };
    rows.iter().map(|row| (text(&row["query"]), text(&row["answers"]), parameters(row))).collect()
}

#[test]
fn each_query_answers_on_each_kind_of_log() {
    let logs = [Logs::fixtures(), Logs::sse(91, 6), Logs::native(92), Logs::both(93)];
    for (name, ..) in listed() {
        let counts: Vec<usize> = logs.iter().map(|logs| logs.rows(&name, &[]).len()).collect();
        assert!(counts.iter().any(|count| *count > 0), "{name} gives nothing anywhere");
    }
}

#[test]
fn queries_take_their_parameters() {
    let logs = Logs::both(94);
    let sessions = logs.rows("@busiest-sessions", &["--param", "rows=1"]);
    assert_eq!(sessions.len(), 1);
    assert_eq!(logs.rows("@largest-rows", &["--param", "rows=3"]).len(), 3);
    let often = |times: &str| logs.rows("@retries", &["--param", &format!("times={times}")]);
    assert!(often("1").len() > often("100000").len());
    let sid = sessions[0]["sid"].as_str().expect("a session");
    let growth =
        logs.rows("@context-growth", &["--param", &format!("session={}", &sid[sid.len() - 8..])]);
    assert!(!growth.is_empty() && growth.iter().all(|row| row["sid"] == sid), "{growth:?}");
    let calls = logs
        .rows("SELECT call FROM tokens_by_call WHERE sid = $s", &["--param", &format!("s={sid}")]);
    assert_eq!(growth.len(), calls.len());
}

#[test]
fn their_answers_are_those_of_the_commands() {
    let logs = Logs::both(95);
    let turns = logs.records(&VIEWS[2], &[]);
    let ended = |record: &&Value| {
        ["aborted", "shutdown", "superseded"].iter().any(|status| record["status"] == *status)
    };
    assert_eq!(logs.rows("@aborted-turns", &[]).len(), turns.iter().filter(ended).count());
    let silent = |record: &&Value| record["reply"].is_null() && record["status"] != "open";
    assert_eq!(logs.rows("@unanswered-prompts", &[]).len(), turns.iter().filter(silent).count());
    let calls = logs.records(&VIEWS[6], &[]);
    let failed = calls.iter().filter(|record| record["state"] == "failed").count() as u64;
    let told: u64 = logs.rows("@errors", &[]).iter().filter_map(|row| row["failed"].as_u64()).sum();
    assert_eq!(told, failed);
    let days =
        logs.command(TOKENS, &["--by", "day,project,provider", "--cost"]).expect_code(0).rows();
    let sum =
        |rows: &[Value]| rows.iter().filter_map(|row| row["total_tokens"].as_u64()).sum::<u64>();
    let by_day = logs.rows("@cost-by-day", &[]);
    assert_eq!((sum(&by_day), by_day.len()), (sum(&days), days.len()));
}

#[test]
fn a_list_is_a_table_too() {
    let table = Cmd::new(SQL).args(["--list", "-o", "table"]).run().expect_code(0);
    assert_eq!(table.text().lines().count(), listed().len() + 1);
}

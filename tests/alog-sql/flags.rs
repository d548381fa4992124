//! Flags that choose records mean what they mean elsewhere; the query's own limits do the rest.

use super::*;

#[test]
fn flags_choose_what_they_choose_for_the_commands() {
    let logs = Logs::both(81);
    for view in &VIEWS {
        let all = logs.records(view, &[]);
        let of = |key: &str, at: usize| all[at][key].as_str().unwrap_or_default().to_owned();
        let timed: Vec<&Value> = all.iter().filter(|record| record["t"].is_string()).collect();
        let t = |of: usize| timed[timed.len() * of / 4]["t"].as_str().expect("a time").to_owned();
        let (since, until, sid) = (t(1), t(3), of("sid", all.len() / 2));
        let cwd =
            all.iter().filter_map(|record| record["cwd"].as_str()).next_back().expect("a folder");
        let part = &sid[sid.len().saturating_sub(12)..];
        let flags: [&[&str]; 9] = [
            &["--since", &since],
            &["--until", &until],
            &["--since", &since, "--until", &until],
            &["--provider", "claude"],
            &["--provider", "codex", "--since", &since],
            &["--session", &sid],
            &["--session", part, "--until", &until],
            &["--cwd", cwd],
            &["--source", "native"],
        ];
        for flags in flags {
            let query = format!("SELECT * FROM {} ORDER BY index", view.name);
            let found = difference(&logs.records(view, flags), &logs.rows(&query, flags));
            assert_eq!(found, None, "{} {flags:?}", view.name);
        }
    }
}

#[test]
fn flags_and_filters_hold_together() {
    let logs = Logs::both(82);
    let turns = logs.records(&VIEWS[2], &[]);
    let since = turns[turns.len() / 3]["t"].as_str().expect("a time");
    let until = turns[turns.len() * 2 / 3]["t"].as_str().expect("a time");
    let within = |record: &&Value| record["t"].as_str().is_some_and(|t| t >= since && t < until);
    let want = turns.iter().filter(within).filter(|record| record["provider"] == "claude").count();
    let query =
        format!("SELECT count(*) AS n FROM turns WHERE t < '{until}' AND provider = 'claude'");
    assert_eq!(logs.rows(&query, &["--since", since]), [json!({"n": want})]);
    assert!(want > 0);
}

#[test]
fn a_session_that_may_be_several_is_refused() {
    let rows: Vec<Row> = ["1111", "2222"]
        .map(|end| codex_prompt(0, "x").sid(&format!("019a9900-0000-7000-8000-00000000{end}")))
        .into();
    let logs = Logs::of(&rows);
    let mut refused = 0;
    for view in &VIEWS {
        let query = format!("SELECT * FROM {}", view.name);
        let args = ["--session", "019a9900"];
        let (ran, command) = (logs.sql(&query, &args), logs.command(view.program, &args));
        assert_eq!(ran.code, command.code, "{}", view.name);
        // A command that finds no row of either session need not know which is meant.
        if command.code == Some(0) {
            continue;
        }
        refused += 1;
        let told = ran.stdout.is_empty() && ran.stderr.contains("1111");
        assert!(told, "{}: {}", view.name, ran.stderr);
    }
    assert!(refused >= 3, "{refused}");
}

#[test]
fn records_are_counted_by_the_query() {
    let logs = Logs::fixtures();
    for flag in ["-n", "--last", "--first"] {
        let ran = logs.sql("SELECT 1", &[flag, "1"]).expect_code(2);
        assert!(ran.stderr.contains("LIMIT"), "{}", ran.stderr);
    }
}

#[test]
fn days_and_hours_are_those_of_the_zone() {
    let logs = Logs::of(&[codex_prompt(0, "x")]);
    let query = "SELECT t::DATE::VARCHAR AS day, hour(t) AS hour, t FROM prompts";
    // 2025-11-18T14:55:52Z
    for (zone, day, hour) in [
        ("UTC", "2025-11-18", 14),
        ("Asia/Tokyo", "2025-11-18", 23),
        ("Pacific/Auckland", "2025-11-19", 3),
    ] {
        let rows = logs.rows(query, &["--zone", zone]);
        assert_eq!((&rows[0]["day"], &rows[0]["hour"]), (&json!(day), &json!(hour)), "{zone}");
        assert_eq!(rows[0]["t"], "2025-11-18T14:55:52.402Z");
    }
    let ran = logs.sql(query, &["--zone", "+05:30"]).expect_code(2);
    assert!(ran.stderr.contains("--zone"), "{}", ran.stderr);
}

#[test]
fn a_log_on_standard_input_is_read_by_one_view_or_two() {
    let log = lines(&[
        claude_prompt(0, "one", "a"),
        claude(900, "claude.stop"),
        claude_prompt(20_000, "two", "b"),
    ]);
    let run =
        |query: &str| Cmd::new(SQL).args([query, "-"]).stdin(&log).run().expect_code(0).rows();
    assert_eq!(run("SELECT count(*) AS n FROM events"), [json!({"n": 3})]);
    assert_eq!(
        run("SELECT p.text AS a, u.prompt AS b FROM prompts p JOIN turns u USING (t) ORDER BY t"),
        [json!({"a": "one", "b": "one"}), json!({"a": "two", "b": "two"})]
    );
    let dir = Workdir::new();
    let file = dir.write("q.sql", b"SELECT count(*) AS n FROM turns -- of the log\n;\n");
    let ran = Cmd::new(SQL).arg("--file").arg(file).arg("-").stdin(&log).run();
    assert_eq!(ran.expect_code(0).rows(), [json!({"n": 2})]);
}

#[test]
fn no_row_is_a_status_if_that_is_asked_for() {
    let logs = Logs::fixtures();
    let none = "SELECT * FROM turns WHERE sid = 'none'";
    assert_eq!(logs.sql(none, &[]).code, Some(0));
    assert_eq!(logs.sql(none, &["--fail-empty"]).code, Some(1));
    assert_eq!(logs.sql("SELECT 1", &["--fail-empty"]).code, Some(0));
    assert_eq!(logs.sql("SELECT 1 FROM turns", &["--strict"]).code, Some(2));
}

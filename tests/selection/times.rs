//! `--since` and `--until`: half open, in every form in which people write a time.

use crate::programs::{BOTH, EVENTS, codex_prompt, column, lines, prompts, records, run_on};
use testkit::{Cmd, Row, Workdir};

/// Prompts at 14:55:52.402Z and 0, 1, 1000 ms and a day later.
fn rows() -> Vec<Row> {
    let row = |ms: i64| codex_prompt(ms, &ms.to_string()).turn_id(&ms.to_string());
    [0, 1, 1000, 86_400_000].into_iter().map(row).collect()
}

fn texts(program: &str, args: &[&str]) -> Vec<String> {
    let told = records(program, args, &rows());
    told.iter().map(|record| record["turn_id"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn since_is_in_and_until_is_out() {
    for program in BOTH {
        let check =
            |args: &[&str], want: &[&str]| assert_eq!(texts(program, args), want, "{args:?}");
        check(&["--since", "2025-11-18T14:55:52.402Z"], &["0", "1", "1000", "86400000"]);
        check(&["--since", "2025-11-18T14:55:52.403Z"], &["1", "1000", "86400000"]);
        check(&["--until", "2025-11-18T14:55:52.403Z"], &["0"]);
        check(&["--until", "2025-11-18T14:55:52.402Z"], &[]);
        let narrow = ["--since", "2025-11-18T14:55:52.403Z", "--until", "2025-11-18T14:55:52.404Z"];
        check(&narrow, &["1"]);
        let none = ["--since", "2025-11-18T14:55:53Z", "--until", "2025-11-18T14:55:53Z"];
        check(&none, &[]);
        check(&["--since", "2025-11-19T14:00:00Z", "-n", "5"], &["86400000"]);
        check(&["--until", "2025-11-19T14:00:00Z", "-n", "1"], &["1000"]);
        check(&["--since", "2025-11-18T14:55:52.403Z", "--first", "1"], &["1"]);
    }
}

#[test]
fn every_form_of_a_time() {
    let all = ["0", "1", "1000", "86400000"];
    let last = ["86400000"];
    for (time, want) in [
        ("2025-11-18", &all[..]),
        ("2025-11-19", &last),
        ("2025-11-19T14:55", &last),
        ("2025-11-19T14:55:52", &last),
        ("2025-11-19T14:55:53", &[]),
        ("2025-11-18T21:55:53+07:00", &["1000", "86400000"]),
        ("@1763477753", &["1000", "86400000"]),
        ("now", &[]),
        ("today", &[]),
        ("yesterday", &[]),
        ("monday", &[]),
        ("90s", &[]),
        ("2h", &[]),
        ("7d", &[]),
        ("2w", &[]),
        ("99999w", &all),
    ] {
        // Fixed logs, a clock that goes on: ages and names are long after them.
        assert_eq!(texts(EVENTS, &["--since", time]), want, "{time}");
    }
}

#[test]
fn days_begin_in_the_zone_that_is_stated() {
    for (zone, time, want) in [
        ("UTC", "2025-11-18T14:56", 1),
        ("+07:00", "2025-11-18T21:56", 1),
        ("+07:00", "2025-11-18T14:56", 4),
        ("America/New_York", "2025-11-19", 1),
        ("Pacific/Kiritimati", "2025-11-19", 4),
        ("-05:00", "2025-11-18T09:55:53", 2),
    ] {
        let told = texts(EVENTS, &["--zone", zone, "--since", time]);
        assert_eq!(told.len(), want, "{zone} {time}");
    }
    let dir = Workdir::new();
    let log = dir.write("log.jsonl", &lines(&rows()));
    let ran = Cmd::new(EVENTS).env("TZ", "Asia/Tokyo").args(["--since", "2025-11-19"]).arg(log);
    assert_eq!(ran.run().expect_code(0).rows().len(), 1, "local is the default");
    let wrong = run_on(EVENTS, &["--zone", "Nowhere", "--since", "today"], b"");
    assert!(wrong.expect_code(2).stderr.contains("--zone"));
}

#[test]
fn ages_and_days_refer_to_now() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    let now = now.as_millis() as i64;
    let row = |ago: i64, name: &str| {
        let stamp = testkit::stamp(now - ago);
        Row::codex(name).t(&stamp).without_round()
    };
    let hour = 3_600_000;
    let rows = [row(50 * hour, "a"), row(25 * hour, "b"), row(3 * hour, "c"), row(hour / 4, "d")];
    for (since, want) in [
        ("1h", &["d"][..]),
        ("4h", &["c", "d"]),
        ("2d", &["b", "c", "d"]),
        ("1w", &["a", "b", "c", "d"]),
        ("60s", &[]),
    ] {
        assert_eq!(column(&records(EVENTS, &["--since", since], &rows), "event"), want, "{since}");
    }
    assert_eq!(column(&records(EVENTS, &["--until", "now"], &rows), "event").len(), 4);
    let yesterday =
        column(&records(EVENTS, &["--since", "yesterday", "--zone", "UTC"], &rows), "event");
    assert!(yesterday.contains(&"d".into()) && !yesterday.contains(&"a".into()), "{yesterday:?}");
}

#[test]
fn what_is_no_time_is_a_usage_error_that_says_what_is_accepted() {
    for program in BOTH {
        for flag in ["--since", "--until"] {
            for time in
                ["nonsense", "2025-13-01", "2025-11-18T25:00", "12", "-5h", "3 days", "@x", ""]
            {
                let given = format!("{flag}={time}");
                let ran = run_on(program, &[&given], &lines(&rows())).expect_code(2);
                assert_eq!(ran.text(), "", "{time}");
                for accepted in ["RFC 3339", "YYYY-MM-DD", "@EPOCH", "yesterday", "2h"] {
                    assert!(ran.stderr.contains(accepted), "{time}: {}", ran.stderr);
                }
            }
        }
    }
    let ran = prompts().args(["--since", "nonsense"]).stdin(b"").run().expect_code(2);
    assert!(ran.stderr.starts_with("alog-prompts: "), "{}", ran.stderr);
}

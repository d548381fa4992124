//! What the clocks of the logs mean: found out from the log, or stated.

use crate::programs::{
    BOTH, EVENTS, PROMPTS, Written, codex, codex_prompt, column, lines, prompts, records, run_on,
};
use serde_json::json;
use testkit::{Cmd, LogBuilder, Row};

fn time_of(args: &[&str], row: &Row) -> String {
    column(&records(EVENTS, args, std::slice::from_ref(row)), "t").remove(0)
}

#[test]
fn a_stated_zone_beats_what_the_log_tells() {
    let row = codex_prompt(0, "x");
    for (zone, want) in [
        ("auto", "2025-11-18T14:55:52.402Z"),
        ("+00:00", "2025-11-18T21:55:52.402Z"),
        ("-09:30", "2025-11-19T07:25:52.402Z"),
        ("+05:45", "2025-11-18T16:10:52.402Z"),
        ("Europe/Paris", "2025-11-18T20:55:52.402Z"),
        ("America/New_York", "2025-11-19T02:55:52.402Z"),
        ("local", "2025-11-18T21:55:52.402Z"),
    ] {
        assert_eq!(time_of(&["--tz", zone], &row), want, "{zone}");
        let glued = format!("--tz={zone}");
        assert_eq!(time_of(&[&glued], &row), want, "{zone}");
    }
    for zone in ["Mars/Olympus", "7", "+25:00", ""] {
        let ran = prompts().args(["--tz", zone, "-"]).stdin(&row.to_bytes()).run().expect_code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("--tz"), "{}", ran.stderr);
    }
}

#[test]
fn without_evidence_the_clock_is_that_of_this_machine() {
    let row = codex(0, "turn.diff").to_bytes();
    let dir = testkit::Workdir::new();
    let path = dir.write("log.jsonl", &row);
    for (zone, want) in [
        ("UTC", "21:55:52.402Z"),
        ("Asia/Bangkok", "14:55:52.402Z"),
        ("Asia/Kathmandu", "16:10:52.402Z"),
    ] {
        let ran = Cmd::new(EVENTS).arg(&path).env("TZ", zone).run().expect_code(0);
        assert_eq!(ran.rows()[0]["t"], format!("2025-11-18T{want}"), "{zone}");
        let known = dir.write("known.jsonl", &codex_prompt(0, "x").to_bytes());
        let ran = Cmd::new(EVENTS).arg(&known).env("TZ", zone).run().expect_code(0);
        assert_eq!(ran.rows()[0]["t"], "2025-11-18T14:55:52.402Z", "evidence beats {zone}");
    }
}

#[test]
fn one_session_tells_nothing_of_another() {
    let other = codex(60_000, "turn.diff").pid(7);
    let told = records(EVENTS, &[], &[codex_prompt(0, "x"), codex(30_000, "turn.diff"), other]);
    let times = column(&told, "t");
    assert_eq!(times[..2], ["2025-11-18T14:55:52.402Z", "2025-11-18T14:56:22.402Z"]);
    assert_eq!(times[2], "2025-11-18T21:56:52.402Z", "another process is on its own");
}

#[test]
fn evidence_holds_for_earlier_rows_and_in_every_command() {
    let rows = [codex(-40_000, "turn.diff"), codex_prompt(0, "x")];
    for args in [&[][..], &["-e", "turn.diff"], &["--raw", "-e", "turn.diff"], &["-n", "5"]] {
        let ran = run_on(EVENTS, args, &lines(&rows)).expect_code(0);
        if !args.contains(&"--raw") {
            assert_eq!(ran.rows()[0]["t"], "2025-11-18T14:55:12.402Z", "{args:?}");
        }
    }
}

#[test]
fn the_offset_is_the_smallest_of_all_and_rounded_down() {
    // Rounds minted long before their prompts are logged make the offset look larger.
    let round_ms = 0x019a_9777_0a51_i64;
    let round = |ago: i64| {
        let ms = round_ms - ago;
        format!("{:08x}-{:04x}-7000-8000-0000000000d0", ms >> 16, ms & 0xffff)
    };
    let slow = codex_prompt(0, "slow").round(&round(40 * 60_000));
    let quick = codex_prompt(1000, "quick").turn_id("2").round(&round(-1000));
    let told = records(PROMPTS, &[], &[slow.clone(), quick]);
    assert_eq!(column(&told, "t"), ["2025-11-18T14:55:52.402Z", "2025-11-18T14:55:53.402Z"]);
    let early = codex_prompt(0, "minted 4 s after").round(&round(-4000));
    assert_eq!(time_of(&[], &early), "2025-11-18T14:55:52.402Z");
    let late = codex_prompt(0, "minted 14 min before").round(&round(14 * 60_000));
    assert_eq!(time_of(&[], &late), "2025-11-18T14:55:52.402Z");
}

#[test]
fn a_configured_session_is_evidence_only_if_it_is_new() {
    let sid = "019a9777-0a51-7000-8000-0000000000c0";
    let row = |messages: bool| {
        let mut payload = json!({"session_id": sid, "model": "gpt-x"});
        if messages {
            payload["initial_messages"] = json!([{"type": "user_message", "message": "old"}]);
        }
        codex(0, "turn.session_configured").sid(sid).without_round().payload(payload)
    };
    assert_eq!(time_of(&[], &row(false)), "2025-11-18T14:55:52.402Z");
    assert_eq!(time_of(&[], &row(true)), "2025-11-18T21:55:52.402Z");
}

#[test]
fn both_commands_find_the_same_times() {
    for offset in [-570, 345, 840, -720] {
        let written = Written::new(&LogBuilder::new(95).turns(2).offset_minutes(offset));
        let [events, prompts] = BOTH.map(|program| {
            let ran = match program {
                EVENTS => written.run(EVENTS, &["-e", "turn.user_message,claude.user_prompt"]),
                _ => written.run(PROMPTS, &[]),
            };
            column(&ran.expect_code(0).rows(), "t")
        });
        assert_eq!(events, prompts, "offset {offset}");
        assert_eq!(prompts, column(&written.log.truth.prompts, "t"));
    }
}

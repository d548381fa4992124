//! Prompts, turns, calls and tokens of logs whose truth is known, each case by itself and all at
//! once.

use super::{Home, full};
use crate::programs::{PROMPTS, TOKENS, TURNS, by_keys_of, column, expect_true};
use serde_json::{Value, json};
use testkit::{Cmd, NativeBuilder, NativeCase, Prng};

fn each(cases: &[NativeCase]) {
    expect_true(cases.iter().map(|case| {
        let home = Home::new(&NativeBuilder::new(3).turns(1).case(*case));
        (format!("{case:?}"), home.untrue())
    }));
}

#[test]
fn plain_sessions() {
    expect_true((10..16).map(|seed| {
        let builder = NativeBuilder::new(seed).claude_sessions(4).codex_threads(4).turns(3);
        (format!("seed {seed}"), Home::new(&builder).untrue())
    }));
}

#[test]
fn each_turn_of_claude() {
    each(&NativeCase::CLAUDE_TURNS);
}

#[test]
fn each_file_of_claude() {
    each(&NativeCase::CLAUDE_FILES);
}

#[test]
fn each_turn_of_codex() {
    each(&NativeCase::CODEX_TURNS);
}

#[test]
fn each_file_of_codex() {
    each(&NativeCase::CODEX_FILES);
}

#[test]
fn bare_items_of_several_turns() {
    let builder = NativeBuilder::new(3).claude_sessions(0).turns(3).case(NativeCase::BareItems);
    assert_eq!(Home::new(&builder).untrue(), Vec::<String>::new());
}

#[test]
fn a_copied_gateway_session_counts_once() {
    let cases = [NativeCase::NoRequestId, NativeCase::ResumeRewritten];
    let builder = NativeBuilder::new(3).codex_threads(0).cases(&cases);
    assert_eq!(Home::new(&builder).untrue(), Vec::<String>::new());
}

#[test]
fn each_damage() {
    each(&NativeCase::DAMAGE);
}

#[test]
fn all_at_once() {
    expect_true((20..26).map(|seed| (format!("seed {seed}"), Home::new(&full(seed)).untrue())));
}

#[test]
fn some_cases_at_once() {
    expect_true((100..116).map(|seed| {
        let mut prng = Prng::new(seed);
        let cases: Vec<NativeCase> =
            NativeCase::all().into_iter().filter(|_| prng.percent(35)).collect();
        let builder = NativeBuilder::new(seed).turns(prng.range(0, 3) as usize).cases(&cases);
        (format!("seed {seed}, {cases:?}"), Home::new(&builder).untrue())
    }));
}

#[test]
fn prompts_are_told_in_order_of_time() {
    let home = Home::new(&full(27));
    let times = column(&home.run(PROMPTS, &[]).expect_code(0).rows(), "t");
    let want: Vec<String> = home
        .log
        .truth
        .prompts
        .iter()
        .filter(|prompt| prompt["kind"] != "command")
        .map(|prompt| prompt["t"].as_str().expect("a time").to_owned())
        .collect();
    assert_eq!(times, want);
}

/// Turns that are told of by `alog-turns` used up what `alog-tokens` says.
#[test]
fn tokens_by_turn_are_those_of_the_turns() {
    let home = Home::new(&full(28));
    let turns = home.run(TURNS, &[]).expect_code(0).rows();
    let groups = Cmd::new(TOKENS).args(["--by", "session,turn"]).arg(home.dir.path()).run();
    let groups = groups.expect_code(0).rows();
    let mut compared = 0;
    for turn in turns.iter().filter(|turn| turn["tokens"].is_object()) {
        let is_its = |group: &&Value| {
            ["provider", "sid", "session_turn"].iter().all(|key| group[key] == turn[key])
        };
        let group = groups.iter().find(is_its).unwrap_or(&Value::Null);
        assert_eq!(by_keys_of(&turn["tokens"], group), turn["tokens"], "{turn}");
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
}

/// Only a price for one kind of cache writes: what is left is how many of these there were.
#[test]
fn cache_writes_of_an_hour_cost_their_own_price() {
    let home = Home::new(&NativeBuilder::new(29).case(NativeCase::HourCache));
    let model = json!({
        "model": "claude-sonnet-4-5", "input": 0, "cache_read": 0, "cache_write_5m": 0,
        "cache_write_1h": 1, "output": 0, "source": "made up", "date": "2026-02-10",
    });
    let prices = json!({"currency": "USD", "per_tokens": 1_000_000, "note": "", "models": [model]});
    let prices = home.dir.write("prices.json", prices.to_string().as_bytes());
    let prices = prices.display().to_string();
    let args = ["--provider", "claude", "--cost", "--prices", &prices];
    let command = Cmd::new(TOKENS).args(["--by", "session"]).args(args);
    let rows = command.arg(home.dir.path().join(".claude")).run().expect_code(0).rows();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let sid = row["sid"].as_str().expect("a session");
        let micros = row["cost_usd"].as_f64().expect("a cost") * 1e6;
        assert_eq!(micros.round() as u64, home.log.truth.cache_write_1h[sid], "{row}");
    }
    assert!(home.log.truth.cache_write_1h.values().any(|count| *count > 0));
}

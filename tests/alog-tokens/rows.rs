//! What single rows come to: sources, resets, limits, models, prices.

use crate::programs::{TOKENS, claude, codex, lines, records, run_on, t};
use serde_json::{Value, json};
use testkit::{Cmd, Row, Workdir};

fn usage(input: u64, cached: u64, output: u64) -> Value {
    json!({
        "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": 1, "total_tokens": input + output,
    })
}

/// A row of counters: totals, and the last request.
fn count(ms: i64, event: &str, totals: &Value, last: &Value) -> Row {
    let info = json!({
        "total_token_usage": totals, "last_token_usage": last, "model_context_window": 1000,
    });
    codex(ms, event).payload(json!({"info": info, "rate_limits": null}))
}

fn response(ms: i64, id: &str, model: &str, input: u64, cached: u64, output: u64) -> Row {
    let usage = json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": input + output,
    });
    codex(ms, "response.completed")
        .inner(json!({"type": "response.completed", "response": {"id": id, "model": model, "usage": usage}}))
}

fn limits(ms: i64, event: &str, percent: f64, resets_at: u64) -> Row {
    let primary = json!({"used_percent": percent, "window_minutes": 300, "resets_at": resets_at});
    codex(ms, event)
        .payload(json!({"info": null, "rate_limits": {"primary": primary, "secondary": null}}))
}

fn message_start(ms: i64, request: &str, input: u64, output: u64) -> Row {
    let usage = json!({
        "input_tokens": input, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
        "output_tokens": output,
    });
    let message = json!({"id": "msg_1", "model": "claude-sonnet-4-5-20250929", "usage": usage});
    claude(ms, "claude.message_start").payload(json!({"message": message, "request_id": request}))
}

fn message_delta(ms: i64, request: &str, output: u64) -> Row {
    let payload = json!({"usage": {"output_tokens": output}, "request_id": request});
    claude(ms, "claude.message_delta").payload(payload)
}

fn only(args: &[&str], rows: &[Row]) -> Value {
    let mut records = records(TOKENS, args, rows);
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn kinds(record: &Value) -> [u64; 6] {
    ["calls", "input_tokens", "cache_read_tokens", "output_tokens", "total_tokens", "duplicates"]
        .map(|key| record[key].as_u64().expect(key))
}

#[test]
fn the_best_source_counts_and_the_others_do_not() {
    let (one, two) = (usage(100, 40, 10), usage(300, 140, 30));
    let turn =
        [count(3, "turn.token_count", &one, &one), count(13, "turn.token_count", &two, &one)];
    let twin =
        [count(2, "codex.token_count", &one, &one), count(12, "codex.token_count", &two, &one)];
    let done =
        [response(1, "r1", "gpt-5.1", 100, 40, 10), response(11, "r2", "gpt-5.1", 200, 100, 20)];
    let want = [2, 160, 140, 30, 330, 0];
    let mut rows: Vec<Row> = done.to_vec();
    assert_eq!(kinds(&only(&[], &rows)), want, "response.completed");
    rows.extend(twin);
    assert_eq!(kinds(&only(&[], &rows)), want, "codex.token_count");
    rows.extend(turn);
    let all = only(&["--explain"], &rows);
    assert_eq!(kinds(&all), want, "turn.token_count");
    assert_eq!(all["model"], "gpt-5.1");
    assert_eq!((&all["context_tokens"], &all["context_window"]), (&json!(110), &json!(1000)));
    let uses: Vec<&str> = all["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["use"].as_str())
        .collect();
    let twin = "dropped: turn.token_count counts";
    let counted = ["first of its process: its last request", "growth of the totals"];
    assert_eq!(uses, [twin, twin, twin, twin, counted[0], counted[1]]);
}

#[test]
fn a_source_without_counts_is_none() {
    let rows = [limits(1, "turn.token_count", 5.0, 9), response(2, "r1", "m", 100, 0, 10)];
    let record = only(&[], &rows);
    assert_eq!(kinds(&record)[0], 1);
    assert_eq!(record["rate_limits"]["primary"]["last"], 5.0);
}

#[test]
fn heartbeats_duplicates_resets_and_overflows() {
    let (one, two) = (usage(100, 40, 10), usage(300, 140, 30));
    let window = json!({"input_tokens": 0, "output_tokens": 0, "total_tokens": 1000});
    let rows = [
        limits(0, "turn.token_count", 5.0, 9),
        count(1, "turn.token_count", &two, &one),
        count(2, "turn.token_count", &two, &one),
        count(3, "turn.token_count", &one, &one),
        count(4, "turn.token_count", &window, &window),
    ];
    let record = only(&["--tz", "+07:00"], &rows);
    assert_eq!(kinds(&record), [2, 120, 80, 20, 220, 1]);
    assert_eq!(record["resets"], 1);
    assert_eq!((&record["t"], &record["t_last"]), (&json!(t(1)), &json!(t(3))));
    assert_eq!(record["src"]["line"], 2);
}

/// Codex writes its rows from several tasks: those of one millisecond stand in any order.
#[test]
fn counts_of_one_millisecond_go_by_their_totals() {
    let last = usage(100, 0, 10);
    let totals = [1, 2, 2, 3].map(|n| usage(100 * n, 0, 10 * n));
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let mut rows = vec![count(0, "turn.token_count", &usage(50, 0, 5), &usage(50, 0, 5))];
        rows.extend(order.map(|i| count(5, "turn.token_count", &totals[i], &last)));
        rows.push(count(6, "turn.token_count", &usage(400, 0, 40), &last));
        let record = only(&[], &rows);
        let told = ["total_tokens", "calls", "resets", "duplicates"].map(|key| &record[key]);
        assert_eq!(told, [440, 5, 0, 1], "{order:?}");
    }
}

#[test]
fn usage_after_the_end_of_a_turn_is_in_none() {
    let rows = [
        crate::programs::codex_prompt(0, "a"),
        count(10, "turn.token_count", &usage(100, 0, 10), &usage(100, 0, 10)),
        codex(20, "turn.response.completed").payload(json!({})),
        codex(20, "codex.idle"),
        count(9000, "turn.token_count", &usage(200, 0, 20), &usage(100, 0, 10)),
    ];
    let groups = records(TOKENS, &["--by", "turn"], &rows);
    let turns: Vec<_> = groups.iter().map(|g| (&g["session_turn"], &g["total_tokens"])).collect();
    assert_eq!(turns, [(&json!(1), &json!(110)), (&json!(null), &json!(110))]);
}

#[test]
fn limits_go_from_first_to_last() {
    let rows = [
        limits(0, "turn.token_count", 7.0, 100),
        limits(1, "turn.token_count", 97.5, 100),
        limits(2, "turn.token_count", 1.0, 200),
    ];
    assert!(records(TOKENS, &[], &rows).is_empty(), "nothing was counted");
    let record = only(&["--rate-limits", "--tz", "+07:00"], &rows);
    let want =
        json!({"first": 7, "last": 1, "peak": 97.5, "resets_at": 200, "window_minutes": 300});
    assert_eq!(record["rate_limits"]["primary"], want);
    assert_eq!(record["rate_limits"]["secondary"], Value::Null);
    assert_eq!((&record["calls"], &record["t_last"]), (&json!(0), &Value::Null));
    assert_eq!(record["t"], t(0));
}

#[test]
fn a_request_counts_once_whatever_its_rows_say_again() {
    let rows = [
        message_start(0, "req_1", 10, 3).sid(""),
        message_start(1, "req_1", 10, 3),
        message_delta(5, "req_1", 20),
        message_delta(6, "req_1", 55),
        message_start(7, "req_2", 20, 4),
        message_delta(8, "req_3", 7),
    ];
    let record = only(&[], &rows);
    assert_eq!(kinds(&record), [3, 30, 100, 66, 396, 1]);
    assert_eq!(record["cache_write_tokens"], 200);
    assert_eq!(record["model"], "claude-sonnet-4-5-20250929");
    assert_eq!((&record["t"], &record["t_last"]), (&json!(t(0)), &json!(t(8))));
    assert_eq!((&record["context_tokens"], &record["context_window"]), (&json!(7), &Value::Null));
}

#[test]
fn a_model_is_the_one_that_was_named_last_or_else_first() {
    let of = |n: u64| usage(n * 100, 0, n * 10);
    let rows = [
        count(1, "turn.token_count", &of(1), &of(1)),
        response(2, "r1", "gpt-5", 1, 0, 1),
        count(3, "turn.token_count", &of(2), &of(1)),
        response(4, "r2", "gpt-5-mini", 1, 0, 1),
        count(5, "turn.token_count", &of(3), &of(1)),
    ];
    let groups = records(TOKENS, &["--by", "model", "--cost"], &rows);
    let told: Vec<Value> =
        groups.iter().map(|g| json!([g["model"], g["calls"], g["cost_usd"].to_string()])).collect();
    // 200·1.25 + 20·10 and 100·0.25 + 10·2 millionths
    assert_eq!(told, [json!(["gpt-5", 2, "0.00045"]), json!(["gpt-5-mini", 1, "0.000045"])]);
    assert_eq!(only(&[], &rows)["model"], Value::Null);
}

#[test]
fn two_conversations_in_one_process_are_two() {
    let (one, two) = (usage(100, 40, 10), usage(300, 140, 30));
    let rows = [
        count(1, "turn.token_count", &one, &one).sid("s-one"),
        count(2, "turn.token_count", &two, &two).sid("s-two"),
        count(3, "turn.token_count", &two, &one).sid("s-one"),
    ];
    let groups = records(TOKENS, &[], &rows);
    let told: Vec<_> =
        groups.iter().map(|g| (g["sid"].clone(), g["total_tokens"].clone())).collect();
    assert_eq!(told, [(json!("s-one"), json!(330)), (json!("s-two"), json!(330))]);
}

#[test]
fn a_row_that_lacks_its_process_is_of_the_one_that_wrote_last() {
    let of = |n: u64| usage(n * 100, 0, n * 10);
    let rows = [
        count(1, "turn.token_count", &of(5), &of(1)),
        count(2, "turn.token_count", &of(6), &of(1)).metadata("pid", Value::Null),
        count(3, "turn.token_count", &of(7), &of(1)),
    ];
    assert_eq!(kinds(&only(&[], &rows)), [3, 300, 0, 30, 330, 0]);
}

#[test]
fn what_has_no_price_is_said() {
    let rows = [message_start(0, "r", 10, 3), message_delta(1, "r", 20)];
    // 10·3 + 50·0.3 + 60·3.75 + 40·6 + 20·15 millionths
    let record = only(&["--cost"], &rows);
    assert_eq!(
        (record["cost_usd"].to_string(), &record["unpriced_tokens"]),
        ("0.00081".into(), &json!(0))
    );
    let none = only(&[], &rows);
    assert_eq!((&none["cost_usd"], &none["unpriced_tokens"]), (&Value::Null, &Value::Null));

    let dir = Workdir::new();
    let log = dir.write("sse_lines.jsonl", &lines(&rows));
    let run = |table: &str| {
        let table = dir.write("prices.json", table.as_bytes());
        Cmd::new(TOKENS).arg("--prices").arg(table).arg(&log).run()
    };
    let of = |models: &str| {
        run(&format!(r#"{{"currency":"USD","per_tokens":1000000,"models":[{models}]}}"#))
    };
    let part = of(r#"{"model":"claude-sonnet-4-5","output":15}"#).expect_code(0).rows().remove(0);
    assert_eq!(
        (part["cost_usd"].to_string(), &part["unpriced_tokens"]),
        ("0.0003".into(), &json!(160))
    );
    let other = of(r#"{"model":"claude-sonnet-4","output":15}"#).expect_code(0).rows().remove(0);
    assert_eq!((&other["cost_usd"], &other["unpriced_tokens"]), (&Value::Null, &json!(180)));

    let wrong = of(r#"{"model":"m","output":"15"}"#);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("prices.json: ") && wrong.stderr.contains("line 1"),
        "{}",
        wrong.stderr
    );
    let absent = run_on(TOKENS, &["--prices", "/nowhere/prices.json"], &lines(&rows));
    assert_eq!(absent.code, Some(2));
    assert!(absent.stderr.contains("/nowhere/prices.json"), "{}", absent.stderr);
}

#[test]
fn an_unknown_group_key_is_a_usage_error() {
    let ran = run_on(TOKENS, &["--by", "day,moon"], b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("moon") && ran.stderr.contains("month"), "{}", ran.stderr);
}

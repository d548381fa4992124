//! The truth about deltas, tokens and turns of a clean log, against an independent reading.

use crate::checks::streams::{streamed, text};
use crate::reading::Reading;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Log, LogBuilder};

fn clean() -> Log {
    LogBuilder::new(4).codex_sessions(2).claude_sessions(2).turns(3).build()
}

fn rows<'a>(table: &'a [Value], provider: &'a str) -> impl Iterator<Item = &'a Value> {
    table.iter().filter(move |row| row["provider"] == provider)
}

#[test]
fn codex_deltas_join_to_the_texts() {
    let log = clean();
    let file = Reading::new(&log.codex);
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for kind in ["output_text", "reasoning_summary_text", "function_call_arguments"] {
        joined.extend(streamed(&file, &format!("response.{kind}.delta")));
    }
    joined.extend(streamed(&file, "response.custom_tool_call_input.delta"));
    let told =
        rows(&log.truth.deltas, "codex").map(|row| (text(&row["item_id"]), text(&row["text"])));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), joined);
    assert!(log.truth.deltas.iter().all(|row| row["status"] == "complete"));
}

#[test]
fn claude_deltas_join_to_the_texts() {
    let log = clean();
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for row in Reading::new(&log.claude).of("claude.content_block_delta") {
        let body = row.body();
        let parts = ["text", "thinking", "partial_json"].map(|key| text(&body["delta"][key]));
        let key = format!("{}{}", body["request_id"], body["index"]);
        joined.entry(key).or_default().push_str(&parts.concat());
    }
    let told = rows(&log.truth.deltas, "claude")
        .map(|row| (format!("{}{}", row["request_id"], row["block_index"]), text(&row["text"])));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), joined);
}

#[test]
fn codex_tokens_are_the_last_totals_of_each_session() {
    let log = clean();
    let mut totals = BTreeMap::new();
    for row in Reading::new(&log.codex).of("turn.token_count") {
        let usage = &row.body()["info"]["total_token_usage"];
        if let Some(total) = usage["total_tokens"].as_u64() {
            totals.insert(text(&row.envelope["sid"]), total);
        }
    }
    let told = rows(&log.truth.tokens, "codex")
        .map(|row| (text(&row["sid"]), row["total_tokens"].as_u64().unwrap_or_default()));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), totals);
}

#[test]
fn each_prompt_has_its_turn() {
    let log = clean();
    let key = |row: &Value, text: &str| format!("{}{}{}", row["t"], row["sid"], row[text]);
    let prompts: Vec<String> = log.truth.prompts.iter().map(|row| key(row, "text")).collect();
    let turns: Vec<String> = log.truth.turns.iter().map(|row| key(row, "prompt")).collect();
    assert_eq!(prompts, turns);
    assert!(log.truth.turns.iter().all(|turn| turn["status"] == "completed"));
}

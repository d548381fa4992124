//! The truth about prompts, against an independent reading of the log.

use crate::reading::{Reading, Row};
use serde_json::Value;
use testkit::{Fault, Generation, Log, LogBuilder, Spelling, parse_stamp, stamp};

/// Provider, UTC time, session, pid, text, ordinal of each prompt, in order of time.
type Found = (String, String, String, u64, String, u64);

fn read(log: &Log, offset_minutes: i64) -> Vec<Found> {
    let mut found = Vec::new();
    for (provider, bytes) in [("codex", &log.codex), ("claude", &log.claude)] {
        let mut counts = std::collections::BTreeMap::new();
        for row in Reading::new(bytes).rows {
            let key = match row.name.as_str() {
                "turn.user_message" => "message",
                "claude.user_prompt" => "prompt",
                _ => continue,
            };
            let sid = row.envelope["sid"].as_str().expect("a session").to_owned();
            let sent = row.body()[key].as_str().expect("a text");
            let suffix = format!("\nYour agent Id is: {sid}");
            let text = sent.strip_suffix(&suffix).unwrap_or(sent).to_owned();
            let ordinal = counts.entry(sid.clone()).or_insert(0);
            *ordinal += 1;
            let pid = row.metadata()["pid"].as_u64().expect("a pid");
            found.push((provider.into(), utc(&row, offset_minutes), sid, pid, text, *ordinal));
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

fn utc(row: &Row, offset_minutes: i64) -> String {
    stamp(row.ms() - offset_minutes * 60_000) + "Z"
}

fn told(prompt: &Value) -> Found {
    let text = |key: &str| prompt[key].as_str().expect("a text").to_owned();
    let number = |key: &str| prompt[key].as_u64().expect("a number");
    let head = (text("provider"), text("t"), text("sid"));
    (head.0, head.1, head.2, number("pid"), text("text"), number("session_turn"))
}

#[test]
fn a_clean_log_says_what_the_truth_says() {
    for (seed, offset) in [(1, 420), (2, 0), (3, -570), (4, 345)] {
        let builder = LogBuilder::new(seed).codex_sessions(3).claude_sessions(3).turns(4);
        let log = builder.offset_minutes(offset).build();
        let truth: Vec<Found> = log.truth.prompts.iter().map(told).collect();
        assert_eq!(truth.len(), 24);
        assert_eq!(truth, read(&log, offset), "seed {seed}");
    }
}

#[test]
fn a_spelling_changes_no_prompt() {
    for generation in [Generation::G2, Generation::G3Prime, Generation::G4] {
        let spelling = Spelling { spaced: true, shuffle: Some(1), ..Spelling::of(generation) };
        let log = LogBuilder::new(9).turns(2).spelling(spelling).build();
        let truth: Vec<Found> = log.truth.prompts.iter().map(told).collect();
        assert_eq!(truth, read(&log, 420));
    }
}

#[test]
fn the_agent_id_is_taken_off_and_only_its_own() {
    let log = LogBuilder::new(3).turns(1).fault(Fault::ForeignAgentId).build();
    let texts = log.truth.prompts.iter().filter_map(|prompt| prompt["text"].as_str());
    let marked: Vec<&str> = texts.filter(|text| text.contains("Your agent Id is")).collect();
    assert_eq!(marked.len(), 1);
    assert!(String::from_utf8_lossy(&log.codex).contains(r"\\nYour agent Id is: 019a"));
}

#[test]
fn what_each_fault_adds_to_the_prompts() {
    let count = |fault: Option<Fault>, kind: &str| {
        let mut builder = LogBuilder::new(8).turns(1);
        if let Some(fault) = fault {
            builder = builder.fault(fault);
        }
        let log = builder.build();
        log.truth.prompts.iter().filter(|prompt| prompt["kind"] == kind).count()
    };
    assert_eq!((count(None, "prompt"), count(None, "queued")), (2, 0));
    for (fault, prompts, queued) in [
        (Fault::Steering, 3, 1),
        (Fault::LegacyPrompt, 3, 0),
        (Fault::LegacyPromptTwin, 3, 0),
        (Fault::DoubledPrompt, 3, 0),
        (Fault::DoubledPromptNoUuid, 3, 0),
        (Fault::QueuedPrompt, 3, 1),
        (Fault::QueueDequeued, 3, 0),
        (Fault::QueuePopped, 3, 0),
        (Fault::Resume, 3, 0),
        (Fault::NestedLog, 3, 0),
        (Fault::TwoConversations, 3, 0),
        (Fault::TornRow, 2, 0),
        (Fault::TwoWriters, 2, 0),
    ] {
        let found = (count(Some(fault), "prompt"), count(Some(fault), "queued"));
        assert_eq!(found, (prompts, queued), "{fault:?}");
    }
}

#[test]
fn a_prompt_without_time_takes_that_of_the_row_before() {
    let log = LogBuilder::new(8).turns(1).fault(Fault::NoTime).build();
    let file = Reading::new(&log.codex);
    let at = file.rows.iter().position(|row| row.envelope.get("t").is_none()).expect("the row");
    let before = utc(&file.rows[at - 1], 420);
    assert!(parse_stamp(&before).is_some());
    assert!(log.truth.prompts.iter().any(|prompt| prompt["t"] == before.as_str()));
}

#[test]
fn a_change_of_offset_leaves_true_time_in_order() {
    let log = LogBuilder::new(8).turns(2).fault(Fault::DstChange).build();
    let file = Reading::new(&log.claude);
    let prompts = file.of("claude.user_prompt");
    let told = log.truth.prompts.iter().filter(|prompt| prompt["provider"] == "claude");
    for (row, prompt) in prompts.iter().zip(told) {
        assert_eq!(row.inner["timestamp"], prompt["t"]);
    }
}

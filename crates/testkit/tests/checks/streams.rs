//! Faults of streamed items and of token counts.

use super::Checks;
use crate::reading::{Reading, Row};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Fault;

pub const CHECKS: Checks<12> = [
    (Fault::ScrambledTies, |file| {
        let mut last = BTreeMap::new();
        let delta = |row: &Row| row.name.starts_with("response.") && row.name.contains(".delta");
        file.any(|row| {
            let number = row.inner["sequence_number"].as_u64().unwrap_or_default();
            delta(row) && last.insert(text(&row.inner["item_id"]), number) > Some(number)
        })
    }),
    (Fault::TwinsOnly, |file| {
        let turns = |name: &str| -> BTreeSet<String> {
            file.of(name).iter().map(|row| row.turn()).collect()
        };
        let twins = turns("turn.agent_message.delta");
        !twins.is_subset(&turns("response.output_text.delta"))
    }),
    (Fault::SeveralParts, |file| {
        file.any(|row| row.inner["content_index"] == 1)
            && file.any(|r| r.inner["summary_index"] == 2)
    }),
    (Fault::RepeatedDelta, |file| {
        let mut seen = BTreeSet::new();
        file.any(|row| {
            let number = row.inner["sequence_number"].as_u64();
            let id = text(&row.inner["item_id"]);
            number.is_some() && !id.is_empty() && !seen.insert((id, number))
        })
    }),
    (Fault::DeltaMismatch, |file| {
        let streamed = streamed(file, "response.output_text.delta");
        let done = file.of("response.output_text.done").into_iter();
        done.filter(|row| row.inner["content_index"] == 0)
            .any(|row| streamed[&text(&row.inner["item_id"])] != text(&row.inner["text"]))
    }),
    (Fault::DeltaOrphan, |file| {
        let keys = |name: &str| -> BTreeSet<String> {
            file.of(name).iter().map(|row| block(row)).collect()
        };
        let started = keys("claude.content_block_start");
        !keys("claude.content_block_delta").is_subset(&started)
    }),
    (Fault::DoubledMessageStart, |file| {
        let mut seen = BTreeSet::new();
        let mut starts = file.of("claude.message_start").into_iter();
        starts.any(|row| !seen.insert(text(&row.body()["request_id"])))
    }),
    (Fault::WrongFlowId, |file| {
        let mut flows = BTreeMap::new();
        let mut deltas = file.of("claude.content_block_delta").into_iter();
        deltas.any(|row| {
            let flow = text(&row.envelope["flow_id"]);
            let old = flows.insert(text(&row.body()["request_id"]), flow.clone());
            old.is_some_and(|old| old != flow)
        })
    }),
    (Fault::AbandonedFlow, |file| {
        file.count("claude.message_stop") < file.count("claude.message_start")
            && file.count("claude.stop") == file.count("claude.user_prompt")
    }),
    (Fault::NoArgTool, |file| file.any(|row| row.body()["content_block"]["name"] == "TodoRead")),
    (Fault::TokenDuplicate, |file| {
        let counts = file.of("turn.token_count");
        counts.windows(2).any(|pair| {
            let totals = |row: &Row| row.body()["info"]["total_token_usage"].clone();
            totals(pair[0]).is_object() && totals(pair[0]) == totals(pair[1])
        })
    }),
    (Fault::TokenOverflow, |file| {
        file.any(|row| {
            let totals = &row.body()["info"]["total_token_usage"];
            totals["input_tokens"] == 0 && totals["total_tokens"] == 258_400
        })
    }),
];

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn block(row: &Row) -> String {
    format!("{}{}", row.body()["request_id"], row.body()["index"])
}

/// The joined deltas of each item, in order of the file.
pub fn streamed(file: &Reading, name: &str) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for row in file.of(name) {
        let delta = text(&row.inner["delta"]);
        texts.entry(text(&row.inner["item_id"])).or_default().push_str(&delta);
    }
    texts
}

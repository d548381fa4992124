//! Faults of prompts, rounds, turns, processes and sessions.

use super::Checks;
use crate::reading::{Reading, Row};
use std::collections::BTreeSet;
use testkit::Fault;

pub const CHECKS: Checks<34> = [
    (Fault::PromptAfterFollowers, |file| {
        let item = file.of("turn.item.started");
        both(&file.of("turn.user_message"), &item, |a, b| a.turn() == b.turn() && a.at > b.at)
    }),
    (Fault::TaskStartedOldRound, |file| {
        let other =
            |a: &Row, b: &Row| a.turn() == b.turn() && a.envelope["round"] != b.envelope["round"];
        both(&file.of("turn.user_message"), &file.of("turn.task_started"), other)
    }),
    (Fault::TailNewRound, |file| {
        let same =
            |a: &Row, b: &Row| a.turn() != b.turn() && a.envelope["round"] == b.envelope["round"];
        both(&file.of("turn.user_message"), &file.of("turn.diff"), same)
    }),
    (Fault::SharedRound, |file| {
        let same =
            |a: &Row, b: &Row| a.turn() != b.turn() && a.envelope["round"] == b.envelope["round"];
        both(&file.of("turn.user_message"), &file.of("turn.user_message"), same)
    }),
    (Fault::RoundOffByOne, |file| {
        let prompts = file.of("claude.user_prompt");
        both(&prompts, &prompts, |a, b| a.at < b.at && a.envelope["round"] == b.envelope["round"])
    }),
    (Fault::RandomTurnId, |file| {
        file.any(|row| row.metadata()["turn_id"].as_str().is_some_and(|id| id.len() == 36))
    }),
    (Fault::Steering, |file| {
        let prompts = file.of("turn.user_message");
        both(&prompts, &prompts, |a, b| a.at < b.at && a.turn() == b.turn())
    }),
    (Fault::LegacyPrompt, |file| {
        let twins = file.of("turn.user_message");
        let alone = |row: &&Row| !twins.iter().any(|twin| twin.turn() == row.turn());
        file.of("codex.user_prompt").iter().filter(|row| alone(row)).count() == 1
    }),
    (Fault::LegacyPromptTwin, |file| {
        let same = |a: &Row, b: &Row| a.inner["text"] == b.body()["message"];
        let twins = file.of("codex.user_prompt");
        twins.len() == 2 && both(&twins, &file.of("turn.user_message"), same)
    }),
    (Fault::PromptPayloadText, |file| file.any(|row| row.inner["payload"].is_string())),
    (Fault::PromptPayloadNested, |file| {
        file.any(|row| row.is("turn.user_message") && row.body()["message"].is_object())
    }),
    (Fault::ForeignAgentId, |file| {
        file.of("turn.user_message").iter().any(|row| {
            let text = row.body()["message"].as_str().unwrap_or_default();
            let id = text.rsplit_once("\nYour agent Id is: ").map(|(_, id)| id);
            id.is_some_and(|id| row.envelope["sid"] != id)
        })
    }),
    (Fault::DoubledPrompt, |file| {
        let same = |a: &Row, b: &Row| {
            let uuid = &a.body()["message_uuid"];
            a.at < b.at && uuid.is_string() && *uuid == b.body()["message_uuid"]
        };
        both(&file.of("claude.user_prompt"), &file.of("claude.user_prompt"), same)
    }),
    (Fault::DoubledPromptNoUuid, |file| {
        let bare = file.of("claude.user_prompt").into_iter();
        bare.filter(|row| row.body()["message_uuid"].is_null()).count() == 2
    }),
    (Fault::QueuedPrompt, |file| queue(file, "remove") == 1 && queue(file, "enqueue") == 1),
    (Fault::QueueDequeued, |file| queue(file, "dequeue") == 1 && queue(file, "enqueue") == 1),
    (Fault::QueuePopped, |file| queue(file, "popAll") == 1 && queue(file, "enqueue") == 2),
    (Fault::Aborted, |file| aborted(file).is_some_and(|turn| pending(file, &turn) == 0)),
    (Fault::AbortedUnanswered, |file| aborted(file).is_some_and(|turn| pending(file, &turn) == 1)),
    (Fault::Superseded, |file| unended(file).iter().any(|&(at, last)| at < last)),
    (Fault::OpenTurn, |file| unended(file).iter().any(|&(at, last)| at == last)),
    (Fault::ShutdownInTurn, |file| {
        let down = |row: &Row| row.is("turn.shutdown_complete") || row.is("claude.session_end");
        let ended = ended_turns(file);
        file.any(|row| {
            down(row) && row.is("turn.shutdown_complete") && !ended.contains(&row.turn())
        })
    }),
    (Fault::MissingShutdown, |file| {
        file.count("turn.shutdown_complete") + file.count("claude.session_end") == 0
    }),
    (Fault::MissingIdle, |file| file.count("codex.idle") < file.count("turn.response.completed")),
    (Fault::IdleFirst, |file| {
        let before = |a: &Row, b: &Row| a.turn() == b.turn() && a.at < b.at;
        both(&file.of("codex.idle"), &file.of("turn.response.completed"), before)
    }),
    (Fault::MissingStop, |file| file.count("claude.stop") < file.count("claude.user_prompt")),
    (Fault::SubAgent, |file| file.count("claude.turn_end") > file.count("claude.user_prompt")),
    (Fault::Resume, |file| resumed(file)),
    (Fault::TokenRestored, |file| resumed(file) && restored(file)),
    (Fault::TwoConversations, |file| {
        let same = |a: &Row, b: &Row| {
            let pid = |row: &Row| row.metadata()["pid"].clone();
            pid(a) == pid(b) && a.envelope["sid"] != b.envelope["sid"]
        };
        both(&file.of("turn.session_configured"), &file.of("turn.session_configured"), same)
    }),
    (Fault::ForkReusedIds, |file| {
        let items = file.of("turn.raw_response_item");
        both(&items, &items, |a, b| {
            let call = |row: &Row| row.body()["item"]["call_id"].clone();
            a.envelope["sid"] != b.envelope["sid"] && call(a).is_string() && call(a) == call(b)
        })
    }),
    (Fault::DstChange, |file| {
        let hours: BTreeSet<i64> = file.rows.iter().filter_map(offset_hours).collect();
        hours.len() > 1
    }),
    (Fault::NoResults, |file| {
        let sids = |name: &str| -> BTreeSet<String> {
            file.of(name).iter().map(|row| row.envelope["sid"].to_string()).collect()
        };
        sids("claude.user_prompt").len() > sids("claude.tool_result").len()
    }),
    (Fault::TokenReset, |file| {
        let totals = totals(file);
        totals.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].1)
    }),
];

fn both(a: &[&Row], b: &[&Row], holds: impl Fn(&Row, &Row) -> bool) -> bool {
    a.iter().any(|a| b.iter().any(|b| holds(a, b)))
}

fn queue(file: &Reading, operation: &str) -> usize {
    let rows = file.of("claude.queue_operation").into_iter();
    rows.filter(|row| row.body()["operation"] == operation).count()
}

fn aborted(file: &Reading) -> Option<String> {
    file.of("turn.response.aborted").first().map(|row| row.turn())
}

/// Calls of the turn without a result.
fn pending(file: &Reading, turn: &str) -> usize {
    let items = file.of("turn.raw_response_item").into_iter().filter(|row| row.turn() == turn);
    let (mut calls, mut results) = (0, 0);
    for row in items {
        let kind = row.body()["item"]["type"].as_str().unwrap_or_default();
        calls += usize::from(kind.ends_with("_call"));
        results += usize::from(kind.ends_with("_output"));
    }
    calls - results
}

fn ended_turns(file: &Reading) -> BTreeSet<String> {
    let ends = ["turn.response.completed", "turn.response.aborted"];
    let ended = file.rows.iter().filter(|row| ends.contains(&row.name.as_str()));
    ended.map(Row::turn).collect()
}

/// The place of each Codex prompt whose turn has no end, and that of the last prompt.
fn unended(file: &Reading) -> Vec<(usize, usize)> {
    let prompts = file.of("turn.user_message");
    let Some(last) = prompts.last().map(|row| row.at) else { return Vec::new() };
    let ended = ended_turns(file);
    let open = prompts.iter().filter(|row| !ended.contains(&row.turn()));
    open.map(|row| (row.at, last)).collect()
}

fn resumed(file: &Reading) -> bool {
    file.any(|row| row.body()["initial_messages"].is_array())
}

/// The first totals of a process are more than its first usage.
fn restored(file: &Reading) -> bool {
    file.of("turn.token_count").windows(2).any(|pair| {
        let pid = |row: &Row| row.metadata()["pid"].clone();
        let info = &pair[1].body()["info"];
        pid(pair[0]) != pid(pair[1]) && info["total_token_usage"] != info["last_token_usage"]
    })
}

/// Process and total of each row that counts.
fn totals(file: &Reading) -> Vec<(String, u64)> {
    let total = |row: &&Row| {
        let total = row.body()["info"]["total_token_usage"]["total_tokens"].as_u64()?;
        Some((row.metadata()["pid"].to_string(), total))
    };
    file.of("turn.token_count").iter().filter_map(total).collect()
}

/// Hours between the wall clock and the time in the round of a prompt's row.
fn offset_hours(row: &Row) -> Option<i64> {
    let prompt = row.is("turn.user_message") || row.is("claude.user_prompt");
    let round = row.envelope["round"].as_str().filter(|_| prompt)?.replace('-', "");
    let minted = i64::from_str_radix(&round[..12], 16).ok()?;
    Some((row.ms() - minted + 900_000).div_euclid(3_600_000))
}

//! What is told of many rows at once: counted as the rows were written.

use super::stage::{Id, Stage, Whose, distinct, percentile, utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A call, as far as statistics tell of it.
pub(super) struct Used {
    pub row: Id,
    pub whose: Whose,
    pub ms: i64,
    pub kind: &'static str,
    pub name: String,
    pub failed: bool,
    pub args_bytes: usize,
}

/// What a call to a model used up.
pub(super) struct Spent {
    pub row: Id,
    pub whose: Whose,
    pub model: Option<&'static str>,
    pub turn: u64,
    /// Fresh input, cache writes, cache reads, output.
    pub parts: [u64; 4],
}

/// Notes the records of the modes that count.
pub(super) fn tell(stage: &mut Stage) {
    let logged: Vec<Id> = stage.in_time().into_iter().filter(|id| stage.row(*id).logged).collect();
    events(stage, &logged);
    envelopes(stage, &logged);
    sessions(stage, &logged);
    rounds(stage, &logged);
    tools(stage);
    tokens(stage);
}

fn add(mut record: Value, more: Value) -> Value {
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    record
}

/// `event_counts` and `sizes`: rows of an event, and their sizes.
fn events(stage: &mut Stage, logged: &[Id]) {
    let mut by_event: BTreeMap<(&str, String), Vec<Id>> = BTreeMap::new();
    for id in logged {
        let row = stage.row(*id);
        by_event.entry((row.whose.provider, row.event.clone())).or_default().push(*id);
    }
    for ((_, event), rows) in by_event {
        let sizes: Vec<usize> = rows.iter().map(|id| stage.len(*id)).collect();
        let bytes: usize = sizes.iter().sum();
        let sessions = distinct(rows.iter().map(|id| stage.row(*id).whose.sid.clone()));
        let t_last = utc(rows.last().map_or(0, |id| stage.row(*id).ms));
        stage.tell(
            "event_counts",
            rows[0],
            json!({
                "kind": "event", "name": event, "rows": rows.len(), "bytes": bytes,
                "sessions": sessions, "t_last": t_last, "expected": null, "ok": null,
                "unsure": ["sid", "src", "t"],
            }),
        );
        stage.tell(
            "sizes",
            rows[0],
            json!({
                "kind": "event", "event": event, "rows": rows.len(), "bytes": bytes, "rank": null,
                "p50_bytes": percentile(&sizes, 50), "p90_bytes": percentile(&sizes, 90),
                "p99_bytes": percentile(&sizes, 99), "max_bytes": sizes.iter().max(),
                "cap_bytes": null, "saved_bytes": null, "unsure": ["sid", "src", "t", "rank"],
            }),
        );
    }
}

/// `envelope`: one record for each writer's version and order of keys.
fn envelopes(stage: &mut Stage, logged: &[Id]) {
    let mut forms: BTreeMap<(&str, &str), Vec<Id>> = BTreeMap::new();
    for id in logged {
        let row = stage.row(*id);
        if let Some(keys) = row.keys {
            forms.entry((row.whose.provider, keys)).or_default().push(*id);
        }
    }
    for ((provider, keys), rows) in forms {
        let sizes: Vec<usize> = rows.iter().map(|id| stage.len(*id)).collect();
        let events = distinct(rows.iter().map(|id| stage.row(*id).event.clone()));
        let generation = match (keys.contains("released"), keys.contains("round,metadata")) {
            (true, _) => "G4",
            (_, true) => "G3'",
            _ => "G3",
        };
        let ver = if provider == "codex" { "codex.0.60.1" } else { "claude-code-2.0.42" };
        stage.tell(
            "envelope",
            rows[0],
            json!({
                "generation": generation, "keys": keys, "missing": [], "events": events, "ver": ver,
                "rows": rows.len(), "bytes": sizes.iter().sum::<usize>(),
                "p50_bytes": percentile(&sizes, 50), "p95_bytes": percentile(&sizes, 95),
                "max_bytes": sizes.iter().max(), "unsure": ["sid"],
                "t_last": utc(rows.last().map_or(0, |id| stage.row(*id).ms)),
            }),
        );
    }
}

/// `sessions`: what the story says of each, with its rows.
fn sessions(stage: &mut Stage, logged: &[Id]) {
    for (whose, record) in std::mem::take(&mut stage.sessions) {
        let mine = |id: &&Id| {
            let row = &stage.row(**id).whose;
            (&row.sid, row.pid) == (&whose.sid, whose.pid)
        };
        let rows: Vec<Id> = logged.iter().filter(mine).copied().collect();
        let bytes: usize = rows.iter().map(|id| stage.len(*id)).sum();
        let t_end = utc(rows.last().map_or(0, |id| stage.row(*id).ms));
        let counted = json!({"pid": whose.pid, "rows": rows.len(), "bytes": bytes, "t_end": t_end});
        stage.tell("sessions", rows[0], add(counted, record));
    }
}

/// `rounds`: what the story says of each, with its rows.
fn rounds(stage: &mut Stage, logged: &[Id]) {
    for (whose, round, record) in std::mem::take(&mut stage.rounds) {
        let mine = |id: &&Id| {
            let row = stage.row(**id);
            row.round.as_ref() == Some(&round) && row.whose.sid == whose.sid
        };
        let rows: Vec<Id> = logged.iter().filter(mine).copied().collect();
        let t_last = utc(rows.last().map_or(0, |id| stage.row(*id).ms));
        let counted =
            json!({"pid": whose.pid, "round": round, "rows": rows.len(), "t_last": t_last});
        stage.tell("rounds", rows[0], add(counted, record));
    }
}

/// `tool_usage_stats`: the calls of a tool, of all sessions of an agent.
fn tools(stage: &mut Stage) {
    let mut calls = std::mem::take(&mut stage.calls);
    calls.sort_by_key(|call| call.ms);
    let mut by_tool: BTreeMap<(&str, &str, String), Vec<&Used>> = BTreeMap::new();
    for call in &calls {
        let tool = (call.whose.provider, call.kind, call.name.clone());
        by_tool.entry(tool).or_default().push(call);
    }
    for ((_, kind, name), calls) in by_tool {
        stage.tell(
            "tool_usage_stats",
            calls[0].row,
            json!({
                "kind": kind, "name": name, "calls": calls.len(),
                "sessions": distinct(calls.iter().map(|call| &call.whose.sid)),
                "failed": calls.iter().filter(|call| call.failed).count(),
                "bytes_in": calls.iter().map(|call| call.args_bytes).sum::<usize>(),
                "t_last": utc(calls.last().map_or(0, |call| call.ms)),
                "unsure": ["sid", "src"],
            }),
        );
    }
}

/// `token_usage`: each call, and the sums of a turn, a session, a model and the day.
fn tokens(stage: &mut Stage) {
    let mut spent = std::mem::take(&mut stage.spent);
    spent.sort_by_key(|call| stage.row(call.row).ms);
    let mut groups: BTreeMap<(&str, String), (Value, Vec<&Spent>)> = BTreeMap::new();
    let mut ordinals: BTreeMap<&str, u64> = BTreeMap::new();
    for call in &spent {
        let sid = &*call.whose.sid;
        let ordinal = ordinals.entry(sid).or_default();
        *ordinal += 1;
        let (nth, provider) = (call.turn, call.whose.provider);
        let whose = json!({"provider": provider, "sid": sid});
        let keys = [
            ("call", add(whose.clone(), json!({"call": *ordinal}))),
            ("turn", add(whose.clone(), json!({"session_turn": nth}))),
            ("session", whose),
            ("model", json!({"model": call.model})),
            ("day", json!({"day": "2026-03-02"})),
        ];
        for (by, key) in keys {
            let group = groups.entry((by, key.to_string()));
            group.or_insert_with(|| (key, Vec::new())).1.push(call);
        }
    }
    for ((by, _), (key, calls)) in groups {
        let sum = |part: usize| calls.iter().map(|call| call.parts[part]).sum::<u64>();
        let mut record = add(
            key,
            json!({
                "by": by, "calls": calls.len(), "input_tokens": sum(0), "cache_write_tokens": sum(1),
                "cache_read_tokens": sum(2), "output_tokens": sum(3),
                "total_tokens": (0..4).map(sum).sum::<u64>(), "cost_usd": null,
            }),
        );
        let of_one = record.get("sid").is_some();
        record["unsure"] =
            if of_one { json!(["t", "src"]) } else { json!(["t", "src", "sid", "provider"]) };
        stage.tell("token_usage", calls[0].row, record);
    }
}

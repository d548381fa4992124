//! `config`: the settings of an agent, once for each that differ.
//!
//! Settings are, of a captured call (no token counts, titles or other hosts): its body but for
//! prompts, tools and messages; of `turn.session_configured`: its payload but for what names the
//! session, its files and its history; of `turn_context`: its payload but for its turn, the date and
//! instructions, at any depth. All else is kept as it stands, so that settings yet unknown are
//! settings too.
//!
//! `hash` is of the settings as compact JSON with all keys sorted. Settings that were told before in
//! the same session count as a further use, whatever was told between. `changed` compares with those
//! that the same kind of row, or the same kind of request, told last in the session: other kinds name
//! other things, as a request to compact the conversation does. A key that is missing is null there.

use std::collections::HashMap;
use std::sync::Arc;

use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::{Map, Value};

use super::prints::{Spelled, print};
use crate::tools::{Tallies, Tally, or_null, sha256};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "config",
    about: "the settings of an agent, once for each that differ",
    sources: "captured requests, turn.session_configured, turn_context",
    own: OWN,
    key: &["sid", "hash"],
    table: &["t", "provider", "sid", "model", "source", "uses", "changed"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<Config>::default(),
};

const OWN: &[Field] = &[
    field(
        "source",
        Shape::OneOf(&["request", "session_configured", "turn_context"]),
        "where the settings were told first",
    ),
    field("hash", Shape::Text, "what names these settings: 16 hex digits of SHA-256"),
    field("config", Shape::Json, "the settings, without prompts, tools and messages"),
    field(
        "changed",
        Shape::Json,
        "what differs from the settings of the session before: for each key [before, now]; null for the first",
    ),
    field("uses", Shape::Count, "how often they were told"),
    field("t_last", Shape::Time, "when they were told last"),
];

#[derive(Default)]
struct Config {
    known: Tallies<u64, Settings>,
    /// What was told last in a session, by source and kind of request.
    last: HashMap<u64, Arc<Value>, FixedState>,
}

/// Settings, as they were told first.
struct Settings {
    source: &'static str,
    config: Arc<Value>,
    changed: Value,
}

impl Mode for Config {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let Some((source, config)) = settings_of(row) else { return };
        let sid = row.event.head.sid.as_deref();
        let of = print(sid, (source, row.asked().map(|(asked, _)| asked.kind)));
        let before = self.last.get(&of);
        let known = self.known.told(print(sid, Spelled::all(&config)), row.event, || Settings {
            source,
            changed: before.map_or(Value::Null, |before| changes(before, &config)),
            config: Arc::new(config),
        });
        self.last.insert(of, Arc::clone(&known.what.config));
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let values = |known: &Tally<Settings>| {
            let Settings { source, config, changed } = &known.what;
            vec![
                (*source).into(),
                sha256(sorted(config).to_string())[..16].into(),
                Value::clone(config),
                changed.clone(),
                known.uses.into(),
                or_null(known.t_last),
            ]
        };
        self.known.records(&INFO, values, out);
    }
}

/// The settings that a row tells, and which kind of row it is.
fn settings_of(row: &Row<'_>) -> Option<(&'static str, Value)> {
    if let Some((asked, _)) = row.asked() {
        let is_part = asked.is_call() && !asked.is_aside();
        return Some(("request", without(asked.body.as_object().filter(|_| is_part)?, SAID)));
    }
    let facts = row.facts?;
    match &*facts.name {
        "turn.session_configured" => {
            Some(("session_configured", without(facts.payload.as_object()?, SESSION)))
        }
        "turn_context" => {
            let payload = facts.payload.get("payload")?.as_object()?;
            Some(("turn_context", without_instructions(without(payload, TURN))))
        }
        _ => None,
    }
}

/// What a request says beside its settings.
const SAID: &[&str] = &[
    "system",
    "instructions",
    "messages",
    "input",
    "prompt",
    "tools",
    "functions",
    "previous_response_id",
];

/// What names a session, its files and its history.
const SESSION: &[&str] = &[
    "type",
    "session_id",
    "forked_from_id",
    "history_log_id",
    "history_entry_count",
    "initial_messages",
    "rollout_path",
];

/// What names a turn and its time.
const TURN: &[&str] = &["turn_id", "trace_id", "current_date"];

fn without(fields: &Map<String, Value>, left_out: &[&str]) -> Value {
    let kept = fields.iter().filter(|(key, _)| !left_out.contains(&&***key));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// A value without the prompts in it.
fn without_instructions(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(key, _)| !key.ends_with("instructions"));
            Value::Object(kept.map(|(key, value)| (key, without_instructions(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_instructions).collect(),
        scalar => scalar,
    }
}

/// What differs: for each key what it was and what it is.
fn changes(before: &Value, now: &Value) -> Value {
    let (Some(before), Some(now)) = (before.as_object(), now.as_object()) else {
        return Value::Null;
    };
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    let value = |of: &Map<String, Value>, key: &str| of.get(key).cloned().unwrap_or_default();
    let pairs = now.keys().chain(gone).filter_map(|key| {
        let pair = [value(before, key), value(now, key)];
        (pair[0] != pair[1]).then(|| (key.clone(), Value::from(pair.to_vec())))
    });
    Value::Object(pairs.collect())
}

/// A value with all keys sorted.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            Value::Object(fields.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{records, request, turn};
    use crate::tools::sha256;
    use serde_json::json;

    #[test]
    fn settings_of_requests_are_told_once() {
        let ask = |ms, tokens: u64| {
            request(
                ms,
                "messages",
                &json!({"model": "m", "max_tokens": tokens, "system": "s", "tools": [], "messages": [ms]}),
            )
        };
        let found = records("config", &[ask(0, 100), ask(1, 200), ask(2, 100), ask(3, 200)]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0]["config"], json!({"model": "m", "max_tokens": 100}));
        assert_eq!(found[0]["hash"], sha256(r#"{"max_tokens":100,"model":"m"}"#)[..16]);
        assert_eq!((&found[0]["changed"], &found[0]["uses"]), (&json!(null), &json!(2)));
        assert_eq!(found[0]["t_last"], "2026-01-01T00:00:00.002Z");
        assert_eq!(found[1]["changed"], json!({"max_tokens": [100, 200]}));
    }

    #[test]
    fn what_is_no_call_tells_no_settings() {
        let title = request(0, "messages", &json!({"model": "m", "system": "Write a title"}));
        let count = request(1, "messages/count_tokens", &json!({"model": "m", "messages": []}));
        assert!(records("config", &[title, count]).is_empty());
    }

    #[test]
    fn each_source_is_compared_with_itself() {
        let configured = |ms, effort| {
            turn(
                ms,
                "turn.session_configured",
                "1",
                &json!({"session_id": "s", "model": "gpt-x", "reasoning_effort": effort, "initial_messages": [1]}),
            )
        };
        let ask = request(1, "responses", &json!({"model": "gpt-x", "input": [], "store": false}));
        let found =
            records("config", &[configured(0, json!(null)), ask, configured(2, json!("high"))]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0]["config"], json!({"model": "gpt-x", "reasoning_effort": null}));
        assert_eq!((&found[1]["source"], &found[1]["changed"]), (&json!("request"), &json!(null)));
        assert_eq!(found[2]["changed"], json!({"reasoning_effort": [null, "high"]}));
    }

    #[test]
    fn a_request_to_compact_is_no_change() {
        let ask = |ms, kind, more: serde_json::Value| {
            let mut body = json!({"model": "m", "input": []});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request(ms, kind, &body)
        };
        let rows = [
            ask(0, "responses", json!({"store": false})),
            ask(1, "responses/compact", json!({})),
            ask(2, "responses", json!({"store": true})),
        ];
        let found = records("config", &rows);
        let changed: Vec<_> = found.iter().map(|record| &record["changed"]).collect();
        let (none, stored) = (json!(null), json!({"store": [false, true]}));
        assert_eq!(changed, [&none, &none, &stored]);
    }

    #[test]
    fn a_turn_of_a_rollout_without_its_instructions() {
        let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "turn_context", "payload": {"turn_id": "1", "cwd": "/w", "model": "gpt-x", "user_instructions": "u", "collaboration_mode": {"mode": "default", "settings": {"developer_instructions": "d", "model": "gpt-x"}}}});
        let found = records("config", &[row.to_string()]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0]["config"],
            json!({"cwd": "/w", "model": "gpt-x", "collaboration_mode": {"mode": "default", "settings": {"model": "gpt-x"}}})
        );
    }
}

//! Rows of transcripts and rollouts, opened and decoded, case by case; and against `serde_json`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dialect, Row, Thread, ThreadRow, UserRow, Wants, user_row};
use crate::event::{Queue, What};
use crate::zone::Clock;

fn with<T>(row: &Value, f: impl FnOnce(&Row<'_>) -> T) -> T {
    let text = row.to_string();
    f(&Row::parse(text.as_bytes()).unwrap())
}

fn whats(row: &Value) -> Vec<What> {
    with(row, |row| {
        let (mut arena, mut found) = (Vec::new(), Vec::new());
        row.decode(Wants::ALL, &mut arena, &mut |what, _| found.push(what));
        found
    })
}

fn user(content: &Value) -> Value {
    json!({"type": "user", "uuid": "u", "sessionId": "s", "message": {"role": "user", "content": content}})
}

#[test]
fn rows_say_whose_they_are() {
    for (row, dialect, name) in [
        (json!({"type": "user", "message": {}}), Dialect::Transcript, "user"),
        (json!({"type": "system", "subtype": "x", "uuid": "u"}), Dialect::Transcript, "system.x"),
        (json!({"message": {"usage": {}}, "sessionId": "s"}), Dialect::Transcript, "message"),
        (json!({"type": "world_state", "payload": {}}), Dialect::Rollout, "world_state"),
        (
            json!({"type": "event_msg", "payload": {"type": "token_count"}}),
            Dialect::Rollout,
            "event_msg.token_count",
        ),
        (json!({"type": "event_msg", "payload": null}), Dialect::Rollout, "event_msg"),
        (json!({"type": "reasoning", "summary": []}), Dialect::Rollout, "response_item.reasoning"),
        (json!({"record_type": "state"}), Dialect::Rollout, "state"),
        (
            json!({"id": "t", "timestamp": "2025-05-01T00:00:00Z", "instructions": null}),
            Dialect::Rollout,
            "session_meta",
        ),
    ] {
        with(&row, |found| {
            assert_eq!((found.dialect, &*found.name()), (dialect, name), "{row}");
        });
    }
    for text in ["{}", "[1]", "{\"a\":1}", "{\"role\":\"user\",\"message\":\"x\"}", "{\"type\":"] {
        assert!(Row::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn what_a_row_of_the_user_is() {
    use UserRow::*;
    let text = |text: &str| user(&json!(text));
    let and = |mut row: Value, key: &str, value: Value| {
        row[key] = value;
        row
    };
    let result =
        json!([{"type": "tool_result", "tool_use_id": "t"}, {"type": "text", "text": "no"}]);
    for (row, want) in [
        (text("do it"), Prompt),
        (user(&json!([{"type": "text", "text": "do"}, {"type": "image"}])), Prompt),
        (user(&json!([{"type": "image"}])), Prompt),
        (user(&json!([])), Empty),
        (text(""), Empty),
        (text("<system-reminder>x</system-reminder>"), Empty),
        (text("<command-name>/x</command-name>"), Command),
        (text("<command-message>x</command-message>"), Command),
        (text("<local-command-stdout>x"), Shell),
        (text("<bash-input>ls</bash-input>"), Shell),
        (text("[Request interrupted by user for tool use]"), Interruption),
        (text("[Request interrupted by user] and more"), Prompt),
        (text("<task-notification>x"), Automation),
        (and(text("x"), "origin", json!({"kind": "task-notification"})), Automation),
        (and(text("x"), "origin", json!({"kind": "human"})), Prompt),
        (and(text("x"), "isMeta", json!(true)), Meta),
        (and(text("x"), "isMeta", json!(false)), Prompt),
        (and(text("x"), "isCompactSummary", json!(true)), Summary),
        (and(text("x"), "isSidechain", json!(true)), Sidechain),
        (and(text("x"), "toolUseResult", json!("x")), Results),
        (user(&result), Results),
        // The first that fits counts.
        (and(and(user(&result), "isMeta", json!(true)), "isSidechain", json!(true)), Sidechain),
        (and(text("<command-name>/x"), "isMeta", json!(true)), Meta),
    ] {
        assert_eq!(with(&row, user_row), Some(want), "{row}");
    }
    assert_eq!(with(&json!({"type": "assistant", "message": {}}), user_row), None);
}

#[test]
fn what_the_program_adds_to_a_prompt_is_taken_off() {
    let prompt = |content: &Value| match &whats(&user(content))[..] {
        [What::Prompt(prompt)] => (prompt.text.clone().unwrap(), prompt.images),
        other => panic!("{other:?}"),
    };
    assert_eq!(prompt(&json!("a <system-reminder>x</system-reminder>b")), ("a b".into(), None));
    let blocks = json!([
        {"type": "text", "text": "<ide_opened_file>x</ide_opened_file>"},
        {"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"},
    ]);
    assert_eq!(prompt(&blocks), ("one\ntwo".into(), Some(1)));
}

#[test]
fn a_message_ends_a_turn_with_text_and_no_call() {
    let ends = |content: Value, stop: Value| {
        let row =
            json!({"type": "assistant", "message": {"content": content, "stop_reason": stop}});
        match &whats(&row)[0] {
            What::Message(message) => message.ends,
            other => panic!("{other:?}"),
        }
    };
    let (text, call) =
        (json!({"type": "text", "text": "x"}), json!({"type": "tool_use", "id": "t"}));
    assert!(ends(json!([text]), json!(null)) && ends(json!([text]), json!("end_turn")));
    assert!(!ends(json!([text]), json!("tool_use")));
    assert!(!ends(json!([text, call]), json!(null)) && !ends(json!([call]), json!(null)));
    assert!(!ends(json!([{"type": "thinking", "thinking": "x"}]), json!(null)));
}

#[test]
fn what_was_queued_and_delivered() {
    let queue = |row: Value| match &whats(&row)[..] {
        [What::Queue(queue)] => Some(queue.clone()),
        _ => None,
    };
    let row = |of: Value| json!({"type": "queue-operation", "operation": of, "content": "x"});
    assert_eq!(queue(row(json!("enqueue"))), Some(Queue::Enqueue("x".into())));
    assert_eq!(queue(row(json!("popAll"))), Some(Queue::PopAll));
    assert_eq!(queue(row(json!("new one"))), None);
    let sent = |of: Value| json!({"type": "attachment", "attachment": of});
    let by_user = json!({"type": "queued_command", "prompt": "x", "commandMode": "prompt"});
    assert_eq!(queue(sent(by_user)), Some(Queue::Delivered("x".into())));
    let by_task =
        json!({"type": "queued_command", "prompt": "x", "origin": {"kind": "task-notification"}});
    assert_eq!(queue(sent(by_task)), None);
}

#[test]
fn messages_of_the_program_are_none_of_the_models() {
    let row = json!({"type": "assistant", "message":
        {"model": "<synthetic>", "content": [{"type": "text", "text": "API Error"}],
         "usage": {"input_tokens": 0}}});
    assert_eq!(whats(&row), []);
}

#[test]
fn advice_of_another_model_is_a_message_of_its_own() {
    let row = json!({"type": "assistant", "message": {"id": "m", "usage": {"input_tokens": 1,
        "iterations": [{"type": "message", "input_tokens": 1},
                       {"type": "advisor_message", "model": "other", "input_tokens": 7}]}}});
    let inputs = |what: &What| match what {
        What::Message(message) => message.usage.map(|usage| usage.input),
        _ => None,
    };
    assert_eq!(whats(&row).iter().map(inputs).collect::<Vec<_>>(), [Some(1), Some(7)]);
}

/// Feeds rows to a thread; says for each whether it is its own.
fn own(rows: &[Value]) -> String {
    let mut thread = Thread::default();
    let own = |row: &Value| {
        let t = with(row, |row| match row.clock() {
            Clock::Utc(t) => Some(t),
            _ => None,
        });
        let rows = whats(row).into_iter().map(|what| thread.row(t, &what));
        match rows.last() {
            Some(ThreadRow::Copy) => 'c',
            _ => 'o',
        }
    };
    rows.iter().map(own).collect()
}

fn line(t: &str, kind: &str, payload: &Value) -> Value {
    json!({"timestamp": format!("2026-05-01T{t}Z"), "type": kind, "payload": payload})
}

fn meta(t: &str, id: &str, more: &Value) -> Value {
    let mut payload = json!({"id": id, "timestamp": format!("2026-05-01T{t}Z")});
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line(t, "session_meta", &payload)
}

fn said(t: &str) -> Value {
    line(t, "event_msg", &json!({"type": "user_message", "message": "x"}))
}

fn started(t: &str, at: &str) -> Value {
    let started_at = format!("2026-05-01T{at}Z");
    line(t, "event_msg", &json!({"type": "task_started", "turn_id": "t", "started_at": started_at}))
}

#[test]
fn a_fork_begins_with_a_copy_of_its_parent() {
    let fork = meta("12:00:00.100", "b", &json!({"forked_from_id": "a"}));
    let parent = meta("12:00:00.101", "a", &json!({}));
    // Written in one go, and then the fork's own.
    let burst = [said("12:00:00.102"), said("12:00:01.050"), said("12:00:09.000")];
    let rows = [&[fork.clone(), parent.clone()][..], &burst].concat();
    assert_eq!(own(&rows), "occco");
    // With the times of the originals.
    let before = [said("10:00:00.000"), said("11:00:00.000"), said("12:00:05.000")];
    let rows = [&[fork.clone(), meta("10:00:00.000", "a", &json!({}))][..], &before].concat();
    assert_eq!(own(&rows), "occco");
    // Its own turn, sooner than that.
    let turn = [started("12:00:00.102", "10:00:00"), started("12:00:00.300", "12:00:00")];
    let rows = [&[fork.clone(), parent][..], &turn, &[said("12:00:00.301")]].concat();
    assert_eq!(own(&rows), "occoo");
    // It keeps what it copied in another file.
    assert_eq!(own(&[fork, said("12:00:00.200")]), "oo");
}

#[test]
fn a_paginated_sub_agent_says_where_its_own_rows_begin() {
    let more = json!({"source": {"subagent": {"thread_spawn": {"parent_thread_id": "a"}}},
                      "subagent_history_start_ordinal": 7});
    let at = |ordinal: i64, mut row: Value| {
        row["ordinal"] = json!(ordinal);
        row
    };
    let rows = [
        meta("12:00:00.100", "b", &more),
        meta("12:00:00.101", "a", &json!({})),
        at(3, started("12:00:00.102", "12:00:00")),
        at(7, started("12:00:00.103", "12:00:00")),
        said("12:00:00.104"),
    ];
    assert_eq!(own(&rows), "occoo");
}

#[test]
fn rollouts_one_behind_the_other_are_two() {
    let rows = [
        meta("10:00:00.000", "a", &json!({})),
        said("10:00:01.000"),
        meta("09:00:00.000", "b", &json!({})),
        said("09:00:01.000"),
    ];
    assert_eq!(own(&rows), "oooo");
    let mut thread = Thread::default();
    for row in &rows {
        for what in whats(row) {
            thread.row(None, &what);
        }
    }
    assert_eq!(thread.head().sid.as_deref(), Some("b"));
}

#[test]
fn a_sub_agent_is_of_its_parents_session() {
    let mut thread = Thread::default();
    let spawned = json!({"source": {"subagent": {"thread_spawn": {"parent_thread_id": "a"}}}});
    for what in whats(&meta("10:00:00.000", "b", &spawned)) {
        thread.row(None, &what);
    }
    let head = thread.head();
    assert_eq!((head.sid.as_deref(), head.agent.as_deref()), (Some("a"), Some("b")));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z<\\\\\"é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![
            Just("type"),
            Just("message"),
            Just("id"),
            Just("model"),
            Just("usage"),
            Just("uuid"),
            Just("content"),
            Just("payload"),
            Just("input_tokens"),
            Just("sessionId"),
            Just("x"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    /// A row says what `serde_json` finds in it, whatever is in it.
    #[test]
    fn rows_are_what_serde_json_reads(row in any_json()) {
        let text = row.to_string();
        let Ok(found) = Row::parse(text.as_bytes()) else { return Ok(()) };
        prop_assert!(row.is_object());
        let text_of = |value: Option<&Value>| value.and_then(Value::as_str).filter(|s| !s.is_empty()).map(String::from);
        if found.dialect == Dialect::Transcript {
            prop_assert_eq!(found.head().sid, text_of(row.get("sessionId")).or_else(|| row.get("sessionId").filter(|v| v.is_number()).map(Value::to_string)));
            let model = row.get("message").and_then(|message| message.get("model"));
            prop_assert_eq!(found.model().and_then(|model| Some(model.str()?.into_owned())), text_of(model));
        }
        let (mut arena, mut told) = (Vec::new(), 0);
        found.decode(Wants::ALL, &mut arena, &mut |_, _| told += 1);
    }

    /// Whatever tells something of what is wanted has a needle in it.
    #[test]
    fn needles_lose_nothing(row in any_json(), kind in "user|assistant|system|queue-operation|attachment|progress|event_msg|response_item|token_usage_record|session_meta|turn_context") {
        let mut row = row;
        if let Some(object) = row.as_object_mut() {
            object.insert("type".into(), kind.into());
        }
        let text = row.to_string();
        let Ok(found) = Row::parse(text.as_bytes()) else { return Ok(()) };
        for wants in [
            Wants { prompts: true, ..Wants::default() },
            Wants { turns: true, ..Wants::default() },
            Wants { usage: true, ..Wants::default() },
            Wants { calls: true, ..Wants::default() },
        ] {
            let (mut arena, mut tells) = (Vec::new(), false);
            found.decode(wants, &mut arena, &mut |_, _| tells = true);
            let needles = wants.needles(found.dialect);
            let has = needles.iter().any(|needle| text.contains(needle));
            prop_assert!(!tells || has, "{:?} {}", wants, text);
            prop_assert!(!tells || !wants.passes(found.dialect, text.as_bytes()), "{}", text);
        }
    }
}

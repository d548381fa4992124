//! From a pipe: an item is printed as soon as it is final.

use crate::live::child::{Child, SOON};
use crate::programs::{DELTAS, codex, lines};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::Row;

fn delta(ms: i64, turn: &str, id: &str, seq: u64, text: &str) -> Row {
    let payload = json!({"item_id": id, "sequence_number": seq, "delta": text});
    codex(ms, "response.function_call_arguments.delta").inner(payload).turn_id(turn)
}

fn item(ms: i64, phase: &str, id: &str, arguments: &str) -> Row {
    let item = json!({"id": id, "type": "function_call", "name": "shell", "call_id": "call_1", "arguments": arguments});
    codex(ms, &format!("response.output_item.{phase}")).inner(json!({"item": item}))
}

fn twin(ms: i64, turn: &str, id: &str, text: &str) -> Row {
    let payload = json!({"item_id": id, "turn_id": turn, "delta": text});
    codex(ms, "turn.response.delta").payload(payload).turn_id(turn)
}

#[test]
fn a_whole_item_is_printed_at_once() {
    let mut child = Child::start(DELTAS, &[]);
    let rows = [item(0, "added", "fc", ""), delta(1, "1", "fc", 2, "{}")];
    child.write(&lines(&rows));
    assert!(child.is_silent_for(Duration::from_millis(900)), "it is not over");
    let start = Instant::now();
    child.write(&item(3, "done", "fc", "{}").to_bytes());
    let record = child.next();
    assert_eq!((&record["text"], &record["status"]), (&json!("{}"), &json!("complete")));
    assert!(start.elapsed() < Duration::from_millis(1800), "{:?}", start.elapsed());
    assert_eq!(child.end().rest, "");
}

#[test]
fn what_differs_waits_and_not_for_ever() {
    let mut child = Child::start(DELTAS, &[]);
    let rows = [
        item(0, "added", "fc", ""),
        delta(1, "1", "fc", 2, "{"),
        item(2, "done", "fc", "{}"),
        delta(3, "1", "other", 3, "x"),
    ];
    let start = Instant::now();
    child.write(&lines(&rows));
    let record = child.next();
    assert_eq!((&record["item_id"], &record["status"]), (&json!("fc"), &json!("mismatch")));
    assert!(start.elapsed() >= Duration::from_millis(1900), "{:?}", start.elapsed());
    // What is open is printed at the end.
    let rest = child.end().rest;
    assert!(rest.contains("\"other\"") && rest.contains("\"open\""), "{rest}");
}

#[test]
fn twins_are_printed_when_their_turn_is_over() {
    let mut child = Child::start(DELTAS, &[]);
    child.write(&lines(&[twin(0, "1", "a", "so "), twin(1, "1", "a", "it goes")]));
    // In this turn they are not needed.
    child.write(&lines(&[twin(5, "2", "b", "no"), delta(6, "2", "b", 1, "yes")]));
    let start = Instant::now();
    let record = child.next();
    assert_eq!((&record["text"], &record["deltas"]), (&json!("so it goes"), &json!(2)));
    assert!(start.elapsed() < SOON);
    let rest = child.end().rest;
    assert!(rest.contains("\"yes\"") && !rest.contains("\"no\""), "{rest}");
}

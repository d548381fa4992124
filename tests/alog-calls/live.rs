//! From a pipe: a call is told as soon as nothing can change it.

use super::given::{completed, output, prompt, raw_call, whole_turn};
use crate::live::child::{Child, SOON};
use crate::programs::{CALLS, codex, codex_prompt, lines, t};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_call_is_told_after_its_result() {
    let mut child = Child::start(CALLS, &[]);
    let mut rows = whole_turn();
    rows.truncate(10);
    child.write(&lines(&rows));
    let start = Instant::now();
    let call = child.next();
    assert_eq!((&call["state"], &call["session_turn"]), (&json!("completed"), &json!(1)));
    assert!(start.elapsed() >= Duration::from_millis(1500), "a second result may still come");
    child.write(&completed(900).to_bytes());
    assert_eq!(child.end().rest, "");
}

#[test]
fn log_time_settles_a_call() {
    let mut child = Child::start(CALLS, &[]);
    let start = Instant::now();
    child.write(&lines(&whole_turn()));
    child.write(&codex_prompt(30_000, "next").turn_id("2").to_bytes());
    assert_eq!(child.next()["call_id"], "c1");
    assert!(start.elapsed() < Duration::from_millis(1900), "{:?}", start.elapsed());
    assert_eq!(child.end().rest, "");
}

#[test]
fn a_call_without_a_result_is_told_with_its_turn() {
    let mut child = Child::start(CALLS, &[]);
    child.write(&lines(&[prompt(), raw_call(100, "x", "c1", "{}")]));
    assert!(child.is_silent_for(SOON), "its turn is open");
    let aborted = codex(60_000, "turn.response.aborted").payload(json!({"reason": "replaced"}));
    child.write(&aborted.to_bytes());
    let call = child.next();
    assert_eq!((&call["state"], &call["t"]), (&json!("cancelled"), &json!(t(100))));
    assert_eq!(child.end().rest, "");
}

#[test]
fn only_the_end_tells_that_results_were_never_logged() {
    let mut child = Child::start(CALLS, &["--check"]);
    child.write(&lines(&[prompt(), raw_call(100, "x", "c1", "{}"), completed(900)]));
    assert!(child.is_silent_for(Duration::from_millis(2600)));
    child.write(&output(70_000, "c9", json!("the first result")).to_bytes());
    let told = [child.next(), child.next()];
    let state =
        |id: &str| told.iter().find(|call| call["call_id"] == id).map(|call| call["state"].clone());
    assert_eq!((state("c1"), state("c9")), (Some(json!("unanswered")), Some(json!("orphan"))));
    assert_eq!(child.end().code, Some(1));
}

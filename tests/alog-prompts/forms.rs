//! What counts as a prompt, form by form, and what becomes of its text.

use crate::programs::{
    PROMPTS, claude, claude_prompt, codex, codex_prompt, column, lines, records, run_on, t,
};
use serde_json::{Value, json};
use testkit::Row;

fn told(args: &[&str], rows: &[Row]) -> Vec<Value> {
    records(PROMPTS, args, rows)
}

/// Kind, text and ordinal of each prompt.
fn said(args: &[&str], rows: &[Row]) -> Vec<(String, String, Option<u64>)> {
    let one = |record: &Value| {
        let text = |key: &str| record[key].as_str().expect("a text").to_owned();
        (text("kind"), text("text"), record["session_turn"].as_u64())
    };
    told(args, rows).iter().map(one).collect()
}

fn prompt(text: &str, turn: u64) -> (String, String, Option<u64>) {
    ("prompt".into(), text.into(), Some(turn))
}

fn queued(text: &str) -> (String, String, Option<u64>) {
    ("queued".into(), text.into(), None)
}

fn legacy(ms: i64, text: &str) -> Row {
    codex(ms, "codex.user_prompt").payload(json!({"text": text}))
}

fn queue(ms: i64, operation: &str, content: &str) -> Row {
    claude(ms, "claude.queue_operation")
        .payload(json!({"operation": operation, "content": content}))
}

#[test]
fn an_older_prompt_counts_only_without_its_twin_within_two_seconds() {
    for (apart, count) in [(-2000, 1), (2000, 1), (-2001, 2), (2001, 2), (0, 1)] {
        let mut rows = vec![codex_prompt(5000, "twin"), legacy(5000 + apart, "twin")];
        rows.sort_by_key(|row| row.to_bytes().split_off(20));
        rows.push(legacy(5000, "another"));
        rows.push(legacy(5000, "twin").sid("019a9776-4f00-7000-8000-00000000ffff"));
        let texts = column(&told(&[], &rows), "text");
        let twins = texts.iter().filter(|text| *text == "twin").count();
        assert_eq!((twins, texts.len()), (count + 1, count + 2), "{apart} ms apart");
    }
}

#[test]
fn what_else_says_a_users_words_is_no_prompt() {
    let message = json!({"type": "message", "role": "user",
        "content": [{"type": "input_text", "text": "environment"}]});
    let old = json!({"session_id": "x", "initial_messages": [
        {"type": "user_message", "message": "from long ago", "images": []}]});
    let rows = [
        codex(0, "turn.session_configured").payload(old),
        codex(1, "turn.raw_response_item").payload(json!({"item": message})),
        codex(2, "turn.item.completed").payload(json!({"item": {"type": "UserMessage",
            "content": [{"type": "text", "text": "mirror"}]}})),
        claude(3, "claude.tool_result")
            .payload(json!({"message": {"role": "user", "content": []}})),
        codex_prompt(4, "the only one"),
    ];
    assert_eq!(said(&[], &rows), [prompt("the only one", 1)]);
}

#[test]
fn a_further_prompt_in_the_open_turn_is_queued() {
    let steer = codex_prompt(2000, "and quickly");
    let next = codex_prompt(9000, "next").turn_id("2");
    let other = codex_prompt(9500, "of another process").pid(7).turn_id("2");
    let rows = [codex_prompt(0, "first"), steer, next, other];
    let want = [
        prompt("first", 1),
        queued("and quickly"),
        prompt("next", 2),
        prompt("of another process", 3),
    ];
    assert_eq!(said(&[], &rows), want);
}

#[test]
fn the_agent_id_is_taken_off_unless_asked_for() {
    let sid = "019a9776-4f00-7000-8000-0000000000c0";
    let text = format!("hello\nYour agent Id is: {sid}");
    let foreign = "hello\nYour agent Id is: 019a0000-0000-7000-8000-000000000000";
    let inside = format!("{text} or so");
    for (sent, want) in [(&*text, "hello"), (foreign, foreign), (&*inside, &*inside)] {
        assert_eq!(said(&[], &[codex_prompt(0, sent)]), [prompt(want, 1)]);
        assert_eq!(said(&["--raw-text"], &[codex_prompt(0, sent)]), [prompt(sent, 1)]);
    }
}

#[test]
fn a_claude_prompt_counts_once_per_uuid_or_text() {
    let rows = [
        claude_prompt(0, "a", "u1"),
        claude_prompt(60_000, "a", "u1"),
        claude_prompt(60_100, "a", "u2"),
        claude_prompt(100_000, "b", ""),
        claude_prompt(100_500, "b", ""),
        claude_prompt(101_001, "b", ""),
        claude_prompt(101_002, "c", ""),
    ];
    let times = column(&told(&[], &rows), "t");
    assert_eq!(times, [t(0), t(60_100), t(100_000), t(101_001), t(101_002)]);
}

#[test]
fn what_was_typed_meanwhile_is_queued_unless_it_came_back() {
    let rows = [
        claude_prompt(0, "start", "u1"),
        queue(10_000, "enqueue", "delivered inside"),
        queue(15_000, "remove", "delivered inside"),
        queue(20_000, "enqueue", "as the next prompt"),
        queue(25_000, "dequeue", ""),
        claude_prompt(25_010, "as the next prompt", "u2"),
        queue(30_000, "enqueue", "thought better of it"),
        queue(31_000, "enqueue", "and of this"),
        queue(35_000, "popAll", ""),
        queue(40_000, "enqueue", "still waiting"),
    ];
    let want = [
        prompt("start", 1),
        queued("delivered inside"),
        prompt("as the next prompt", 2),
        queued("still waiting"),
    ];
    assert_eq!(said(&[], &rows), want);
    assert_eq!(column(&told(&[], &rows), "t"), [t(0), t(10_000), t(25_010), t(40_000)]);
}

#[test]
fn slash_commands_are_shown_on_demand_and_never_count_as_turns() {
    let command = "<command-name>/review</command-name>\n<command-args>src</command-args>";
    let rows = [
        claude_prompt(0, "one", "u1"),
        claude_prompt(1000, command, "u2"),
        claude_prompt(2000, "two", "u3"),
    ];
    assert_eq!(said(&[], &rows), [prompt("one", 1), prompt("two", 2)]);
    let shown = said(&["--commands"], &rows);
    assert_eq!((&shown[0], &shown[2]), (&prompt("one", 1), &prompt("two", 2)));
    assert_eq!((shown[1].0.as_str(), shown[1].2), ("command", None));
    assert!(shown[1].1.contains("/review") && shown[1].1.contains("src"), "{shown:?}");
}

#[test]
fn images_are_counted() {
    let of = |images: Value| json!({"message": "look", "images": images});
    for (images, want) in [(json!([]), json!(0)), (json!(["a", "b"]), json!(2))] {
        let row = codex(0, "turn.user_message").payload(of(images));
        assert_eq!(told(&[], &[row])[0]["images"], want);
    }
    let unknown = codex(0, "turn.user_message").payload(json!({"message": "look"}));
    assert_eq!(told(&[], &[unknown])[0]["images"], Value::Null);
}

#[test]
fn explain_names_the_rows_and_what_they_counted_for() {
    let rows = [legacy(0, "twin"), codex_prompt(300, "twin"), legacy(800, "twin")];
    let told = told(&["--explain"], &rows);
    let list = told[0]["rows"].as_array().expect("rows");
    let places: Vec<u64> = list.iter().filter_map(|row| row["src"]["line"].as_u64()).collect();
    assert!(places.contains(&1) && places.contains(&2) && places.contains(&3), "{list:?}");
    assert!(list.iter().all(|row| row["use"].as_str().is_some_and(|text| !text.is_empty())));
    assert_eq!(told[0]["src"]["line"], 2);
    assert!(records(PROMPTS, &[], &rows)[0].get("rows").is_none());
}

#[test]
fn every_character_of_a_text_survives() {
    let text = "tab\t quote\" back\\slash \u{1} \u{7f} \u{2028} ÿ 日本 🦀 \u{fffd}\r\n<&>/";
    for row in [codex_prompt(0, text), claude_prompt(0, text, "u")] {
        assert_eq!(said(&[], &[row]), [prompt(text, 1)]);
    }
}

#[test]
fn lone_surrogates_survive() {
    let inner =
        r#"data: {"type":"turn.user_message","payload":{"message":"a\ud83db\udc00\ud83e\udd80"}}"#;
    let row = codex(0, "turn.user_message").line_text(inner);
    let ran = run_on(PROMPTS, &[], &lines(&[row])).expect_code(0);
    let printed = ran.text();
    let kept = r#""text":"a\ud83db\udc00"#;
    assert!(printed.contains(kept), "{printed}");
    let crab = &printed[printed.find(kept).expect("the text") + kept.len()..];
    assert!(crab.starts_with('🦀') || crab.starts_with(r"\ud83e\udd80"), "{printed}");
}

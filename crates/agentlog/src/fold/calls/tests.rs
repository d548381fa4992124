//! When calls are given out, and what is held meanwhile. What records say is tested with the
//! command.

use super::{Call, Calls, Options, RULES, State};
use crate::event::{
    Block, BlockKind, Item, ItemKind, ItemPhase, Output, Piece, Prompt, PromptForm, Stream,
};
use crate::event::{StreamKind, Turn, What};
use crate::fold::Fold;
use crate::fold::given::{Given, put};
use crate::json::Text;

fn item(id: &str, kind: ItemKind, phase: ItemPhase, arena: &mut Vec<u8>) -> Item {
    Item {
        phase,
        kind,
        item_id: Some(put(&format!("fc_{id}"), arena)),
        call_id: Some(put(id, arena)),
        name: Some(put("shell", arena)),
        text: Some(put("{}", arena)),
        output: None,
    }
}

fn announced(t: i64, id: &str) -> Given {
    Given::codex(t, |arena| What::Item(item(id, ItemKind::FunctionCall, ItemPhase::Done, arena)))
        .in_turn("1")
}

fn result(t: i64, id: &str) -> Given {
    Given::codex(t, |arena| {
        let output = Some(Output { bytes: 2, hash: t as u64, ..Output::default() });
        let item = item(id, ItemKind::Result, ItemPhase::Raw, arena);
        What::Item(Item { output, text: None, item_id: None, ..item })
    })
    .in_turn("1")
}

fn delta(t: i64, id: &str, text: &str) -> Given {
    Given::codex(t, |arena| {
        let stream = Stream::Item(put(&format!("fc_{id}"), arena));
        let text = put(text, arena);
        let seq = Some(t);
        What::Delta(Piece { stream, kind: StreamKind::Arguments, part: 0, seq, text })
    })
    .in_turn("1")
}

fn prompt(t: i64, turn: &str) -> Given {
    let text = Some(Text::from("go on"));
    let form = PromptForm::CodexMessage;
    Given::codex(t, |_| What::Prompt(Prompt { form, text, images: None, message_uuid: None }))
        .in_turn(turn)
}

fn ended(t: i64) -> Given {
    Given::codex(t, |_| What::Turn(Turn::Completed { reply: None })).in_turn("1")
}

fn feed(fold: &mut Calls, rows: &[Given]) -> Vec<Call> {
    let mut out = Vec::new();
    for row in rows {
        fold.feed(&row.event(), &mut out);
    }
    out
}

fn states(calls: &[Call]) -> Vec<State> {
    calls.iter().map(|call| call.state).collect()
}

#[test]
fn a_call_goes_out_two_seconds_after_its_result() {
    let mut fold = Calls::new(Options::default());
    let mut out = feed(&mut fold, &[prompt(0, "1"), announced(100, "a"), result(200, "a")]);
    fold.advance(2200, &mut out);
    assert!(out.is_empty() && fold.waits());
    fold.advance(2201, &mut out);
    assert_eq!(states(&out), [State::Completed]);
    assert_eq!(out[0].session_turn, Some(1));
    assert!(!fold.waits());
}

#[test]
fn the_clock_settles_what_log_time_would() {
    let mut fold = Calls::new(Options::default());
    let rows = [prompt(0, "1"), announced(100, "a"), result(200, "a"), announced(300, "b")];
    let mut out = feed(&mut fold, &rows);
    fold.advance(i64::MAX, &mut out);
    assert_eq!(states(&out), [State::Completed], "the turn of the other is open");
    // Log time has not moved by that.
    out.extend(feed(&mut fold, &[result(400, "b"), ended(500), result(600, "a")]));
    fold.finish(&mut out);
    assert_eq!(states(&out), [State::Completed; 3]);
    let told: Vec<_> = out.iter().map(|call| (call.t, call.call_id.as_deref())).collect();
    assert_eq!(told, [(Some(100), Some("a")), (Some(300), Some("b")), (Some(600), Some("a"))]);
    assert_eq!(out[2].violations[0].rule.code, "duplicate_output");
}

#[test]
fn a_call_without_a_result_goes_out_with_its_turn() {
    let mut fold = Calls::new(Options::default());
    let rows = [prompt(0, "1"), announced(100, "a"), result(110, "other"), ended(900)];
    let mut out = feed(&mut fold, &rows);
    assert!(out.is_empty());
    out.extend(feed(&mut fold, &[prompt(9000, "2")]));
    let unanswered = out.iter().find(|call| call.state == State::Unanswered).expect("it");
    assert_eq!(unanswered.violations[0].rule.code, "missing_output");
    assert_eq!(unanswered.violations[0].src, ended(900).src);
}

#[test]
fn nothing_is_held_of_calls_that_are_over() {
    let mut fold = Calls::new(Options::default());
    let mut out = Vec::new();
    for n in 0..200 {
        let t = n * 10_000;
        let id = format!("call{n}");
        out.extend(feed(
            &mut fold,
            &[
                delta(t, &id, "{"),
                delta(t + 1, &id, "}"),
                announced(t + 10, &id),
                result(t + 20, &id),
                delta(t + 30, "nobody", "x"),
            ],
        ));
    }
    assert!(fold.lives.len() <= 2, "{} places", fold.lives.len());
    assert!(fold.due.len() <= 16);
    let session = fold.sessions.get(0);
    assert!(session.calls.len() <= 1 && session.streams.len() <= 2);
    fold.finish(&mut out);
    assert_eq!(states(&out), [State::Completed; 200]);
    assert!(out.iter().all(|call| call.violations.is_empty()));
}

#[test]
fn a_stream_without_a_call_is_let_go_of() {
    let mut fold = Calls::new(Options::default());
    let mut out = feed(&mut fold, &[delta(0, "a", "{"), delta(50_000, "a", "}")]);
    fold.advance(100_000, &mut out);
    assert_eq!(fold.sessions.get(0).streams.len(), 1);
    fold.advance(120_000, &mut out);
    assert_eq!(fold.sessions.get(0).streams.len(), 0);
    fold.finish(&mut out);
    assert!(out.is_empty());
}

#[test]
fn deltas_after_all_have_a_record_of_their_own() {
    let mut fold = Calls::new(Options::default());
    let rows = [prompt(0, "1"), delta(90, "a", "{}"), announced(100, "a"), result(200, "a")];
    let mut out = feed(&mut fold, &rows);
    out.extend(feed(&mut fold, &[delta(9000, "a", "x"), delta(9001, "a", "y")]));
    fold.finish(&mut out);
    assert_eq!(states(&out), [State::Completed; 2]);
    let codes: Vec<_> = out[1].violations.iter().map(|broken| broken.rule.code).collect();
    assert_eq!(codes, ["late_delta"]);
}

#[test]
fn blocks_without_a_request_are_those_of_the_latest_start() {
    let start = |t, id: &'static str| {
        Given::claude(t, move |arena| {
            let kind = BlockKind::Tool { call_id: Some(put(id, arena)), name: None };
            What::Block(Block::Start { request: None, index: 0, kind })
        })
    };
    let delta = |t, text: &'static str| {
        Given::claude(t, move |arena| {
            let stream = Stream::Block { request: None, index: 0 };
            let text = put(text, arena);
            What::Delta(Piece { stream, kind: StreamKind::Arguments, part: 0, seq: None, text })
        })
    };
    let words = Given::claude(30, |_| {
        let kind = BlockKind::Words(StreamKind::Text);
        What::Block(Block::Start { request: None, index: 0, kind })
    });
    let rows = [start(0, "a"), delta(1, "{}"), start(10, "b"), delta(11, "{\"x\":1}"), words];
    let mut fold = Calls::new(Options::default());
    let mut out = feed(&mut fold, &rows);
    fold.finish(&mut out);
    let bytes: Vec<_> = out.iter().map(|call| (call.call_id.as_deref(), call.args_bytes)).collect();
    assert_eq!(bytes, [(Some("a"), Some(2)), (Some("b"), Some(7))]);
}

#[test]
fn the_page_has_the_table_of_rules() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands/alog-calls.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let start = page.find("## Rules").expect("its rules");
    let rows = page[start..].lines().filter(|line| line.starts_with("| `"));
    let want = RULES.iter().map(|rule| {
        let severity = rule.severity.name();
        format!("| `{}` | {severity} | {} | {} |", rule.code, rule.id, rule.says)
    });
    assert_eq!(rows.collect::<Vec<_>>(), want.collect::<Vec<_>>());
}

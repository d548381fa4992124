//! What the rows of a turn come to, case by case. How turns open and end is tested with the turn
//! book; the shapes of records with the command.

use super::*;
use crate::event::{
    Execution, Item, ItemKind, ItemPhase, Output, Phase, Piece, Prompt, PromptForm, RateLimits,
    Response, ResponsePhase, Stream, StreamKind, TokenCount, Tool, Usage,
};
use crate::fold::given::{Given, put};

/// The prompt that opens a turn of Codex.
fn prompt(t: i64, turn: &str) -> Given {
    let (form, text) = (PromptForm::CodexMessage, Some(Text::from("do it")));
    Given::codex(t, |_| What::Prompt(Prompt { form, text, images: None, message_uuid: None }))
        .in_turn(turn)
}

fn ask(t: i64, text: &str) -> Given {
    let (form, text) = (PromptForm::Claude, Some(Text::from(text)));
    Given::claude(t, |_| What::Prompt(Prompt { form, text, images: None, message_uuid: None }))
}

fn completed(t: i64, turn: &str, reply: Option<&str>) -> Given {
    Given::codex(t, |arena| {
        What::Turn(TurnRow::Completed { reply: reply.map(|text| put(text, arena)) })
    })
    .in_turn(turn)
}

fn said(t: i64, text: &str) -> Given {
    Given::codex(t, |arena| What::Said(put(text, arena))).in_turn("1")
}

fn item(t: i64, kind: ItemKind, call: &str, text: &str) -> Given {
    Given::codex(t, |arena| {
        What::Item(Item {
            phase: ItemPhase::Done,
            kind,
            item_id: None,
            call_id: Some(put(call, arena)),
            name: None,
            text: Some(put(text, arena)),
            output: (kind == ItemKind::Result).then(Output::default),
        })
    })
    .in_turn("1")
}

fn ran(t: i64, call: &str, by_user: bool, exit_code: i64) -> Given {
    Given::codex(t, |arena| {
        What::Execution(Execution {
            phase: Phase::End,
            tool: Tool::Shell,
            call_id: Some(put(call, arena)),
            name: None,
            by_user,
            exit_code: Some(exit_code),
            failed: None,
            duration_ms: None,
            truncated: false,
        })
    })
    .in_turn("1")
}

fn usage(input: i64) -> Usage {
    Usage { input, ..Usage::default() }
}

fn counted(t: i64, source: Source, total: i64, last: i64) -> Given {
    let (totals, last) = (Some(usage(total)), Some(usage(last)));
    let count =
        TokenCount { source, totals, last, context_window: None, limits: RateLimits::default() };
    Given::codex(t, |_| What::TokenCount(Box::new(count))).in_turn("1")
}

/// A row of a request of Claude: its start tells 100 of input, the rows behind it the output.
fn request(t: i64, id: &str, phase: ResponsePhase, output: i64, stopped: bool) -> Given {
    let usage = Some(Usage { input: 100, output, ..Usage::default() });
    Given::claude(t, |arena| {
        What::Response(Response {
            phase,
            id: Some(put(id, arena)),
            stopped,
            usage,
            recorded: false,
        })
    })
}

fn streamed(t: i64, id: &str, index: i64, text: &str) -> Given {
    Given::claude(t, |arena| {
        let stream = Stream::Block { request: Some(put(id, arena)), index };
        let text = put(text, arena);
        What::Delta(Piece { stream, kind: StreamKind::Text, part: 0, seq: None, text })
    })
}

fn turns(options: Options, rows: &[Given]) -> Vec<Turn> {
    let (mut fold, mut out) = (Turns::new(options), Vec::new());
    for row in rows {
        fold.feed(&row.event(), &mut out);
    }
    fold.finish(&mut out);
    out
}

fn one(rows: &[Given]) -> Turn {
    let mut turns = turns(Options::default(), rows);
    assert_eq!(turns.len(), 1);
    turns.remove(0)
}

fn said_last(turn: &Turn) -> (u64, Option<Text>) {
    (turn.replies, turn.reply.clone())
}

fn total(turn: &Turn) -> Option<u64> {
    turn.tokens.map(|tokens| tokens.total())
}

#[test]
fn the_last_message_by_the_rows_that_tell_most() {
    let message = item(20, ItemKind::Message, "", "item");
    let end = completed(90, "1", Some("end"));
    let told = |rows: &[&Given]| {
        let first = prompt(10, "1");
        let rows: Vec<Given> = [&first].into_iter().chain(rows.iter().copied()).cloned().collect();
        said_last(&one(&rows))
    };
    assert_eq!(told(&[]), (0, None));
    assert_eq!(told(&[&end]), (1, Some("end".into())));
    assert_eq!(
        told(&[&message, &end]),
        (1, Some("item".into())),
        "the item is nearer than the end"
    );
    let (a, b) = (said(30, "a"), said(40, "b"));
    assert_eq!(told(&[&message, &a, &b, &end]), (2, Some("b".into())));
}

#[test]
fn a_message_of_claude_is_one_when_it_is_over() {
    use ResponsePhase::{Going, Started};
    let mut rows = vec![
        ask(10, "a"),
        request(20, "r", Started, 5, false),
        streamed(30, "r", 1, "c"),
        streamed(31, "r", 0, "a"),
        streamed(32, "r", 0, "b"),
    ];
    assert_eq!(said_last(&one(&rows)), (0, None), "it is not whole yet");
    rows.push(request(40, "r", Going, 7, true));
    let turn = one(&rows);
    assert_eq!(said_last(&turn), (1, Some("ab\n\nc".into())));
    assert_eq!((turn.responses, total(&turn)), (1, Some(107)));
}

#[test]
fn a_call_counts_once_and_fails_only_with_a_result() {
    use ItemKind::{FunctionCall, Result};
    let turn = one(&[
        prompt(10, "1"),
        item(20, FunctionCall, "bad", "{}"),
        item(21, FunctionCall, "bad", "{}"),
        ran(30, "bad", false, 1),
        item(40, Result, "bad", ""),
        item(50, FunctionCall, "good", "{}"),
        ran(51, "good", false, 0),
        item(52, Result, "good", ""),
        item(60, FunctionCall, "unanswered", "{}"),
        ran(61, "unanswered", false, 1),
        // None of the agent's calls: nobody announced it, or the user ran it.
        item(70, Result, "orphan", ""),
        ran(80, "by user", true, 1),
    ]);
    assert_eq!((turn.tool_calls, turn.tool_errors), (3, 1));
}

#[test]
fn counters_count_what_they_grew_by() {
    let turn = one(&[
        counted(1, Source::Turn, 1000, 100).with(|head| head.turn_id = None),
        prompt(10, "1"),
        counted(20, Source::Turn, 1300, 300),
        // The same once more, and its twin.
        counted(21, Source::Turn, 1300, 300),
        counted(22, Source::Codex, 1300, 300),
        counted(30, Source::Turn, 1350, 50),
    ]);
    assert_eq!(total(&turn), Some(350));
    assert_eq!(total(&one(&[prompt(10, "1")])), None, "no row tells any");
}

#[test]
fn a_request_is_of_the_turn_of_its_first_row() {
    use ResponsePhase::{Going, Started};
    let turns = turns(
        Options::default(),
        &[
            ask(10, "a"),
            request(20, "r", Started, 5, false),
            ask(30, "b"),
            request(40, "r", Going, 7, true),
        ],
    );
    let told: Vec<_> = turns.iter().map(|turn| (turn.responses, total(turn))).collect();
    assert_eq!(told, [(1, Some(105)), (0, None)], "what comes late is not the next turn's");
}

#[test]
fn a_turn_ends_when_its_row_says_so_and_tells_how_long_it_took() {
    let turn = one(&[prompt(10, "1"), completed(90, "1", None)]);
    let told = (turn.status, turn.t_end, turn.duration_ms(), turn.session_turn);
    assert_eq!(told, (TurnStatus::Completed, Some(90), Some(80), Some(1)));
}

#[test]
fn no_text_keeps_the_counts() {
    let options = Options { no_text: true, explain: false };
    let turns = turns(options, &[prompt(10, "1"), said(20, "a")]);
    assert_eq!((&turns[0].prompt, said_last(&turns[0])), (&None, (1, None)));
}

#[test]
fn rows_are_kept_to_explain_and_add_up() {
    let rows = [
        prompt(10, "1"),
        said(15, "a"),
        counted(20, Source::Codex, 100, 100),
        counted(21, Source::Turn, 100, 100),
        counted(30, Source::Turn, 150, 50),
        completed(90, "1", None),
    ];
    assert!(turns(Options::default(), &rows)[0].rows.is_empty());
    let turn = turns(Options { no_text: false, explain: true }, &rows).remove(0);
    let offsets: Vec<u64> = turn.rows.iter().map(|row| row.src.offset).collect();
    assert_eq!(offsets, [10, 15, 20, 21, 30, 90], "each row once, in order of the file");
    let sum: u64 = turn.rows.iter().filter_map(|row| Some(row.tokens.as_ref()?.total())).sum();
    assert_eq!((Some(sum), turn.rows[2].tokens.is_none()), (total(&turn), true));
    assert_eq!(turn.rows[2].how, Source::Turn.instead());
}

#[test]
fn all_messages_with_what_names_them() {
    let rows = [
        prompt(10, "1"),
        item(20, ItemKind::Message, "", "a"),
        said(20, "a"),
        said(30, "b"),
        completed(90, "1", Some("b")),
    ];
    let (mut fold, mut out) = (Turns::new(Options::default()).with_messages(), Vec::new());
    for row in &rows {
        fold.feed(&row.event(), &mut out);
    }
    fold.finish(&mut out);
    let texts = |said: &[Said]| -> Vec<Text> { said.iter().map(|one| one.text.clone()).collect() };
    assert_eq!(texts(&out[0].messages), ["a".into(), "b".into()]);
    assert_eq!(out[0].messages[0].t, Some(20));
    assert_eq!(said_last(&out[0]), (2, Some("b".into())));
    assert!(one(&rows).messages.is_empty(), "unless they are asked for");
}

#[test]
fn where_rows_belong() {
    let (mut fold, mut out) = (Turns::new(Options::default()), Vec::new());
    let first = fold.place(&prompt(10, "1").event(), &mut out);
    assert!(first.is_some_and(|key| fold.is_open(key)));
    assert_eq!(fold.place(&said(20, "a").event(), &mut out), first);
    fold.place(&completed(30, "1", None).event(), &mut out);
    fold.finish(&mut out);
    assert_eq!(Some(out[0].key), first);
    assert!(!fold.is_open(out[0].key));
}

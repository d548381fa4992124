//! What counts as a prompt, case by case: each list of events, and the records it comes to.

use super::*;
use crate::event::{Prompt as Said, PromptForm, PromptForm::*, Queue};
use crate::fold::given::Given;

/// An event of session `s`, process 1, at so many milliseconds.
fn at(t: i64, what: What) -> Given {
    Given::codex(t, |_| what)
}

fn said(form: PromptForm, text: &str) -> What {
    What::Prompt(Said { form, text: Some(Text::from(text)), images: None, message_uuid: None })
}

fn with_id(text: &str, id: &str) -> What {
    What::Prompt(Said {
        form: Claude,
        text: Some(Text::from(text)),
        images: None,
        message_uuid: Some(id.into()),
    })
}

fn in_turn(t: i64, turn: &str, text: &str) -> Given {
    at(t, said(CodexMessage, text)).in_turn(turn)
}

fn enqueue(text: &str) -> What {
    What::Queue(Queue::Enqueue(Text::from(text)))
}

fn dequeue() -> What {
    What::Queue(Queue::Dequeue(Text::default()))
}

fn remove(text: &str) -> What {
    What::Queue(Queue::Remove(Text::from(text)))
}

/// `kind ordinal text` of each record, in the order in which they became final.
fn fold(events: Vec<Given>) -> Vec<String> {
    let (mut fold, mut out) = (Prompts::new(Options::default()), Vec::new());
    for event in events {
        fold.feed(&event.event(), &mut out);
    }
    fold.finish(&mut out);
    let show = |p: &Prompt| {
        let turn = p.session_turn.map_or("-".into(), |n| n.to_string());
        format!(
            "{} {turn} {}",
            p.kind.name(),
            p.text.as_ref().map_or("?".into(), Text::to_str_lossy)
        )
    };
    out.iter().map(show).collect()
}

#[test]
fn the_two_codex_forms_of_a_prompt_count_once() {
    for (old, new) in [(0, 1500), (1500, 0), (0, 2000)] {
        let events = vec![at(old, said(CodexPrompt, "a")), at(new, said(CodexMessage, "a"))];
        let mut sorted = events;
        sorted.sort_by_key(|e| e.t);
        assert_eq!(fold(sorted), ["prompt 1 a"], "{old} {new}");
    }
    let apart = vec![at(0, said(CodexPrompt, "a")), at(2001, said(CodexMessage, "a"))];
    assert_eq!(fold(apart), ["prompt 1 a", "prompt 2 a"]);
    let other = vec![at(0, said(CodexPrompt, "a")), at(1, said(CodexMessage, "b"))];
    assert_eq!(fold(other), ["prompt 1 a", "prompt 2 b"]);
}

#[test]
fn a_prompt_that_waits_for_its_twin_holds_back_those_behind_it() {
    let (mut fold, mut out) = (Prompts::new(Options::default()), Vec::new());
    fold.feed(&at(0, said(CodexPrompt, "a")).event(), &mut out);
    fold.feed(&at(10, said(CodexMessage, "b")).event(), &mut out);
    assert!(out.is_empty() && fold.waits());
    fold.advance(2000, &mut out);
    assert!(out.is_empty());
    fold.advance(2001, &mut out);
    assert_eq!(out.iter().map(|p| p.session_turn).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(!fold.waits());
}

#[test]
fn a_claude_prompt_counts_once_by_id_or_by_text_and_time() {
    let events = vec![
        at(0, with_id("a", "1")),
        at(60_000, with_id("a", "1")),
        at(61_000, with_id("a", "2")),
    ];
    assert_eq!(fold(events), ["prompt 1 a", "prompt 2 a"]);
    let events = [0, 400, 900, 1500].map(|t| at(t, said(Claude, "a")));
    assert_eq!(fold(events.into()), ["prompt 1 a", "prompt 2 a", "prompt 3 a"]);
}

#[test]
fn steering_is_a_further_prompt_of_the_open_turn() {
    let events = vec![in_turn(0, "3", "a"), in_turn(10, "3", "b"), in_turn(20, "4", "c")];
    assert_eq!(fold(events), ["prompt 1 a", "queued - b", "prompt 2 c"]);
    let random = "019a9776-b774-7de6-aa56-cbd6599008c5";
    let events = vec![in_turn(0, random, "a"), in_turn(10, random, "b")];
    assert_eq!(fold(events), ["prompt 1 a", "prompt 2 b"]);
}

#[test]
fn what_becomes_of_queued_prompts() {
    // Delivered inside the turn; by its text, else the oldest.
    let events =
        vec![at(0, enqueue("a")), at(1, enqueue("b")), at(2, remove("b")), at(3, remove(""))];
    assert_eq!(fold(events), ["queued - b", "queued - a"]);
    // Delivered as an ordinary prompt, whichever row comes first.
    let events = vec![at(0, enqueue("a")), at(1, dequeue()), at(2, with_id("a", "1"))];
    assert_eq!(fold(events), ["prompt 1 a"]);
    let events = vec![
        at(0, enqueue("a")),
        at(1, with_id("a", "1")),
        at(2, dequeue()),
        at(3, enqueue("b")),
        at(4, remove("")),
    ];
    assert_eq!(fold(events), ["prompt 1 a", "queued - b"]);
    // Taken back into the editor; never typed; never taken; taken, but the prompt is lost.
    let events = vec![at(0, enqueue("a")), at(1, What::Queue(Queue::PopAll))];
    assert!(fold(events).is_empty());
    assert!(fold(vec![at(0, enqueue("<task-notification>done"))]).is_empty());
    assert_eq!(fold(vec![at(0, enqueue("a"))]), ["queued - a"]);
    assert_eq!(fold(vec![at(0, enqueue("a")), at(1, dequeue())]), ["queued - a"]);
}

#[test]
fn the_agent_id_of_this_session_is_taken_off() {
    let own = "a\nYour agent Id is: s";
    assert_eq!(fold(vec![at(0, said(CodexMessage, own))]), ["prompt 1 a"]);
    let foreign = "a\nYour agent Id is: other";
    assert_eq!(fold(vec![at(0, said(CodexMessage, foreign))]), [format!("prompt 1 {foreign}")]);
    let mut raw = Prompts::new(Options { raw_text: true, ..Options::default() });
    let mut out = Vec::new();
    raw.feed(&at(0, said(CodexMessage, own)).event(), &mut out);
    assert_eq!(out[0].text, Some(Text::from(own)));
}

#[test]
fn raw_text_is_printed_but_not_compared() {
    let mut fold = Prompts::new(Options { raw_text: true, ..Options::default() });
    let mut out = Vec::new();
    fold.feed(&at(0, said(CodexPrompt, "a")).event(), &mut out);
    fold.feed(&at(300, said(CodexMessage, "a\nYour agent Id is: s")).event(), &mut out);
    fold.finish(&mut out);
    assert_eq!(out.len(), 1);
}

#[test]
fn slash_commands_are_told_by_their_tags() {
    let text = "<command-message>review</command-message>\n<command-name>/review</command-name>\n<command-args>the parser</command-args>";
    assert_eq!(fold(vec![at(0, said(Claude, text))]), ["command - /review the parser"]);
}

#[test]
fn a_prompt_that_was_cut_short_is_one_all_the_same() {
    let cut =
        || What::Prompt(Said { form: CodexMessage, text: None, images: None, message_uuid: None });
    assert_eq!(fold(vec![at(0, cut()), at(1, cut())]), ["prompt 1 ?", "prompt 2 ?"]);
}

#[test]
fn every_row_is_explained() {
    let mut fold = Prompts::new(Options { explain: true, ..Options::default() });
    let mut out = Vec::new();
    for event in [
        at(0, said(CodexPrompt, "a")),
        at(1, said(CodexMessage, "a")),
        at(2, said(CodexPrompt, "a")),
    ] {
        fold.feed(&event.event(), &mut out);
    }
    fold.finish(&mut out);
    let rows: Vec<_> = out[0].rows.iter().map(|used| (used.src.offset, used.how)).collect();
    let twin = "said by turn.user_message too";
    assert_eq!((out.len(), rows), (1, vec![(1, "prompt"), (0, twin), (2, twin)]));
}

#[test]
fn a_dropped_row_is_explained_with_its_own_record() {
    let mut fold = Prompts::new(Options { explain: true, ..Options::default() });
    let mut out = Vec::new();
    for (t, sid, id) in [(1, "s1", "u1"), (2, "s2", "u2"), (3, "s1", "u1")] {
        let event = at(t, with_id("hi", id)).with(|head| head.sid = Some(sid.into()));
        fold.feed(&event.event(), &mut out);
    }
    let rows: Vec<_> = out.iter().map(|p| p.rows.len()).collect();
    assert_eq!(rows, [2, 1]);
    let queued = [at(4, enqueue("x")), at(5, dequeue()), at(6, with_id("x", "3"))];
    for event in queued {
        fold.feed(&event.event(), &mut out);
    }
    let rows: Vec<_> = out[2].rows.iter().map(|used| used.src.offset).collect();
    assert_eq!(rows, [6, 4]);
}

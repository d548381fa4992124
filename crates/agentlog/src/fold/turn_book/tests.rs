//! How turns open and end, case by case. Events are written as `time turn what`, where turn is an
//! id, `-` for none.

use super::*;
use crate::event::{Prompt as Said, PromptForm, Response, ResponsePhase};
use crate::fold::given::Given;
use crate::json::Text;

fn what(name: &str) -> What {
    let prompt = |form, text: &str| {
        let text = Some(Text::from(text));
        What::Prompt(Said { form, text, images: None, message_uuid: None })
    };
    match name {
        "old" => prompt(PromptForm::CodexPrompt, "p"),
        "start" => What::Turn(Turn::Started),
        "done" => What::Turn(Turn::Completed { reply: None }),
        "abort" => What::Turn(Turn::Aborted),
        "idle" => What::Turn(Turn::Idle),
        "stop" => What::Turn(Turn::Stopped),
        "over" => What::Turn(Turn::Over),
        "shutdown" => What::Session(Session::Ended),
        "row" => What::Response(Response {
            phase: ResponsePhase::Going,
            id: None,
            stopped: false,
            usage: None,
            recorded: false,
        }),
        "ask" => prompt(PromptForm::Claude, "p"),
        _ => prompt(PromptForm::CodexMessage, name),
    }
}

fn given(line: &str) -> Given {
    let mut parts = line.split(' ');
    let t = parts.next().unwrap().parse().unwrap();
    let (turn, name) = (parts.next().unwrap(), parts.next().unwrap());
    let pid = parts.next().map_or(1, |pid| pid.parse().unwrap());
    Given::codex(t, |_| what(name)).with(|head| {
        head.pid = Some(pid);
        head.turn_id = Some(turn.to_owned()).filter(|turn| turn != "-");
    })
}

/// What became of turns, each as `ordinal status end idle`, in order of finality; then how many
/// `row`s fell to each.
fn turns(lines: &[&str]) -> Vec<String> {
    let (mut book, mut news) = (TurnBook::default(), Vec::new());
    let mut rows: HashMap<TurnKey, usize> = HashMap::new();
    for line in lines {
        let event = given(line);
        let key = book.place(&event.event(), &mut news);
        if let (Some(key), "row") = (key, line.split(' ').nth(2).unwrap()) {
            *rows.entry(key).or_default() += 1;
        }
    }
    book.finish(&mut news);
    let mut opened = HashMap::new();
    let mut ends = HashMap::new();
    let mut told = Vec::new();
    let show = |t: Option<i64>| t.map_or("-".to_owned(), |t| t.to_string());
    for piece in news {
        match piece {
            TurnNews::Opened { key, prompt } => {
                opened.insert(key, prompt.session_turn.unwrap());
            }
            TurnNews::Ended { key, status, t, .. } => {
                ends.insert(key, format!("{} {}", status.name(), show(t)));
            }
            TurnNews::Final { key, idle_t, .. } => {
                if let Some(turn) = opened.get(&key) {
                    let rows = rows.get(&key).copied().unwrap_or(0);
                    told.push(format!("{turn} {} {} {rows}", ends[&key], show(idle_t)));
                }
            }
        }
    }
    told.sort();
    told
}

#[test]
fn an_ordinary_turn() {
    let log = ["1 3 start", "1 3 a", "5 3 row", "9 3 done", "9 3 idle", "20 4 b", "30 4 row"];
    assert_eq!(turns(&log), ["1 completed 9 9 1", "2 open - - 1"]);
}

#[test]
fn rows_of_one_instant_have_no_order() {
    let mut log = ["1 3 start", "1 3 a", "1 3 row", "9 3 done", "9 3 idle", "9 4 b", "9 4 row"];
    let want = ["1 completed 9 9 1", "2 open - - 1"];
    for _ in 0..4 {
        log[3..].rotate_left(1);
        for _ in 0..3 {
            log[..3].rotate_left(1);
            assert_eq!(turns(&log), want, "{log:?}");
        }
    }
}

#[test]
fn a_later_prompt_supersedes_in_any_process() {
    assert_eq!(turns(&["1 3 a", "5 4 b", "9 4 abort"]), ["1 superseded - - 0", "2 aborted 9 - 0"]);
    assert_eq!(turns(&["1 3 a 1", "5 3 b 2"]), ["1 superseded - - 0", "2 open - - 0"]);
    // Its own end comes too late.
    assert_eq!(turns(&["1 3 a", "5 4 b", "7 3 done"]), ["1 superseded - - 0", "2 open - - 0"]);
}

#[test]
fn a_session_that_ends_shuts_its_turn_down() {
    assert_eq!(turns(&["1 3 a", "5 3 shutdown"]), ["1 shutdown 5 - 0"]);
    assert_eq!(turns(&["1 3 a", "5 3 done", "9 3 shutdown"]), ["1 completed 5 - 0"]);
    // Another process of the session.
    assert_eq!(turns(&["1 3 a 1", "5 3 shutdown 2"]), ["1 open - - 0"]);
}

#[test]
fn idle_belongs_to_the_latest_turn_that_ended_by_then() {
    assert_eq!(turns(&["1 3 a", "5 3 idle", "6 3 done"]), ["1 completed 6 5 0"]);
    assert_eq!(
        turns(&["1 3 a", "5 3 done", "6 4 b", "7 4 idle", "9 4 done", "9 4 idle"]),
        ["1 completed 5 7 0", "2 completed 9 9 0"]
    );
    assert_eq!(turns(&["1 3 a", "5 3 done", "4000 3 idle"]), ["1 completed 5 - 0"]);
    assert_eq!(turns(&["1 3 a", "5 3 idle", "9000 3 done"]), ["1 completed 9000 - 0"]);
}

#[test]
fn steering_opens_no_turn() {
    assert_eq!(turns(&["1 3 a", "5 3 b", "6 3 row", "9 3 done"]), ["1 completed 9 - 1"]);
}

#[test]
fn a_prompt_without_a_trustworthy_id_is_that_of_the_rows_around_it() {
    let random = "0d5bb01c-0000";
    for log in [
        ["1 3 start", &format!("1 {random} a"), "5 3 row", "9 3 done"],
        [&format!("1 {random} a"), "1 3 start", "5 3 row", "9 3 done"],
        ["1 - a", "1 - start", "5 - row", "9 - done"],
    ] {
        assert_eq!(turns(&log), ["1 completed 9 - 1"], "{log:?}");
    }
}

#[test]
fn an_older_prompt_counts_where_no_newer_one_says_the_same() {
    assert_eq!(turns(&["1 3 old", "5 3 row", "9 3 done"]), ["1 completed 9 - 1"]);
    assert_eq!(turns(&["1 - old", "5 - row", "9 - done"]), ["1 completed 9 - 1"]);
    assert_eq!(turns(&["1 3 old", "300 3 p", "305 3 row", "900 3 done"]), ["1 completed 900 - 1"]);
    assert_eq!(turns(&["1 3 p", "300 3 old", "305 3 row", "900 3 done"]), ["1 completed 900 - 1"]);
}

#[test]
fn a_turn_does_not_end_before_its_prompt_is_known_for_one() {
    // A row of another process comes while the older form of the prompt may still get its twin.
    let lines =
        ["0 7 old", "400 7 done", "400 7 idle", "900 1 row 2", "2300 1 row 2", "9000 1 row 2"];
    assert_eq!(turns(&lines), ["1 completed 400 400 0"]);
}

#[test]
fn claude_stops_or_at_least_ends_its_turn() {
    assert_eq!(turns(&["1 - ask", "5 - over", "9 - stop", "9 - over"]), ["1 completed 9 9 0"]);
    assert_eq!(
        turns(&["1 - ask", "5 - over", "9 - over", "600 - p2", "700 - row"]),
        ["1 completed 9 - 0", "2 open - - 1"]
    );
    assert_eq!(turns(&["1 - ask", "5 - over"]), ["1 completed 5 - 0"]);
}

#[test]
fn an_end_may_stand_before_its_prompt() {
    assert_eq!(turns(&["0 5 abort", "1 5 a", "3000 - row"]), ["1 aborted 0 - 1"]);
    assert_eq!(turns(&["0 5 done", "10 5 a"]), ["1 completed 0 - 0"]);
}

#[test]
fn rows_before_any_prompt_stand_outside() {
    let (mut book, mut news) = (TurnBook::default(), Vec::new());
    assert_eq!(book.place(&given("1 - row").event(), &mut news), None);
    book.finish(&mut news);
    assert!(news.is_empty());
}

#[test]
fn what_is_held_does_not_grow_with_the_log() {
    let (mut book, mut news) = (TurnBook::default(), Vec::new());
    for turn in 0..1000 {
        let t = turn * 10_000;
        for (at, name) in [(t, "start"), (t, "a"), (t + 10, "done"), (t + 10, "idle")] {
            book.place(&given(&format!("{at} {turn} {name}")).event(), &mut news);
        }
        book.place(&given(&format!("{} {} row", t + 5000, turn + 100_000)).event(), &mut news);
    }
    assert!(book.slots.len() < 70, "{}", book.slots.len());
    let finals = news.iter().filter(|n| matches!(n, TurnNews::Final { .. })).count();
    assert!(finals >= 999, "{finals}");
}

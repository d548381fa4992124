//! What is counted, case by case: each list of events, and the groups it comes to.

#![allow(clippy::vec_box)] // As groups come.

use proptest::prelude::*;

use super::*;
use crate::event::Usage;
use crate::event::{Prompt, PromptForm, RateLimit, Session};
use crate::fold::given::{Given, put};
use crate::json::Text;

fn counted(source: Source, total: i64, last: i64, percent: Option<f64>) -> What {
    let usage = |input| Some(Usage { input, ..Usage::default() }).filter(|_| input > 0);
    let limit = |used_percent| RateLimit { used_percent, window_minutes: None, resets_at: None };
    let limits = RateLimits { primary: percent.map(limit), secondary: None };
    let (totals, last, context_window) = (usage(total), usage(last), Some(1000));
    What::TokenCount(Box::new(TokenCount { source, totals, last, context_window, limits }))
}

/// A row of counters of Codex: the totals, and the last request.
fn count(t: i64, total: i64, last: i64) -> Given {
    Given::codex(t, |_| counted(Source::Turn, total, last, None))
}

fn configured(t: i64, model: &str) -> Given {
    let started = What::Session(Session::Started { resumed: false });
    Given::codex(t, |_| started).with(|head| head.model = Some(model.into()))
}

/// A row of a request of Claude.
fn request(t: i64, id: &str, phase: ResponsePhase, input: i64, output: i64) -> Given {
    Given::claude(t, |arena| {
        let usage = Some(Usage { input, output, ..Usage::default() });
        What::Response(Response {
            phase,
            id: Some(put(id, arena)),
            usage,
            stopped: false,
            recorded: false,
        })
    })
}

use ResponsePhase::{Going, Started};

fn shares(options: &Options, events: &[Given]) -> Vec<Share> {
    let (mut fold, mut out) = (TokenUse::new(options.clone()), Vec::new());
    for event in events {
        fold.feed(&event.event(), &mut out);
    }
    assert!(out.is_empty() && !fold.waits(), "nothing is final before the end");
    fold.finish(&mut out);
    out
}

fn grouped(by: &[By], events: &[Given]) -> Vec<Box<Group>> {
    groups(shares(&Options::new(by), events), by, None, false)
}

/// Sessions, calls and totals.
fn told(groups: &[Box<Group>]) -> Vec<(Option<&str>, u64, u64)> {
    groups.iter().map(|g| (g.head().sid.as_deref(), g.calls, g.tokens.total())).collect()
}

#[test]
fn rows_of_a_session_without_a_process_and_the_other_way() {
    let events = [
        count(1, 500, 100).with(|head| head.sid = None),
        count(2, 600, 100),
        count(3, 700, 100).with(|head| head.pid = None),
        count(4, 800, 100).with(|head| head.sid = None),
        count(5, 900, 100).with(|head| head.sid = Some("other".into())),
    ];
    let want = [(Some("s"), 4, 400), (Some("other"), 1, 100)];
    assert_eq!(told(&grouped(&[By::Session], &events)), want);
}

#[test]
fn a_new_process_starts_anew() {
    let process = |pid| move |head: &mut Head| head.pid = Some(pid);
    let events = [
        count(1, 100, 100),
        count(2, 90, 90).with(process(2)),
        // Its first row only repeats what the process before told.
        count(3, 90, 90).with(process(3)),
        count(4, 95, 5).with(process(3)),
    ];
    assert_eq!(told(&grouped(&[By::Session], &events)), [(Some("s"), 3, 195)]);
}

#[test]
fn a_request_belongs_to_the_session_that_any_of_its_rows_names() {
    let events = [
        request(1, "r", Started, 10, 1).with(|head| (head.sid, head.pid) = (None, None)),
        request(2, "r", Going, 0, 5),
    ];
    let by_session = grouped(&[By::Session], &events);
    assert_eq!(told(&by_session), [(Some("s"), 1, 15)]);
    let options =
        Options { wanted: Arc::new(|_, _, sid, _| sid == Some("s")), ..Options::new(&[By::All]) };
    assert_eq!(groups(shares(&options, &events), &[By::All], None, false).len(), 1);
}

#[test]
fn requests_are_remembered_up_to_a_number() {
    let id = |n: i64| format!("r{n}");
    let mut events: Vec<Given> = (0..10_000).map(|n| request(n, &id(n), Started, 10, 1)).collect();
    events.push(request(10_000, &id(9_999), Started, 10, 1));
    events.push(request(10_001, &id(6_000), Going, 0, 5));
    let all = grouped(&[By::All], &events);
    assert_eq!((all[0].calls, all[0].tokens.total()), (10_000, 110_004));
    assert_eq!(all[0].duplicates, 1);
    let mut fold = TokenUse::new(Options::new(&[By::All]));
    for event in &events {
        fold.feed(&event.event(), &mut Vec::new());
    }
    assert_eq!(fold.requests.finish().len(), 4096);
}

#[test]
fn rows_that_are_not_wanted_are_read_all_the_same() {
    let events = [count(1, 100, 100), count(10, 150, 1), count(11, 150, 1), count(20, 190, 1)];
    let options = Options {
        wanted: Arc::new(|t, _, _, _| t.is_some_and(|t| (10..20).contains(&t))),
        ..Options::new(&[By::All])
    };
    let all = groups(shares(&options, &events), &[By::All], None, false);
    assert_eq!((all[0].calls, all[0].tokens.total(), all[0].duplicates), (1, 50, 1));
    assert_eq!((all[0].t(), all[0].t_last()), (Some(10), Some(10)));
}

#[test]
fn the_model_is_the_first_where_none_is_known_yet() {
    let events = [
        count(1, 100, 100),
        configured(2, "a"),
        count(3, 200, 100),
        configured(4, "b"),
        count(5, 300, 100),
    ];
    let by_model = grouped(&[By::Model], &events);
    let models: Vec<_> = by_model
        .iter()
        .map(|g| (g.key.model.as_deref(), g.head().model.as_deref(), g.calls))
        .collect();
    assert_eq!(models, [(Some("a"), Some("a"), 2), (Some("b"), Some("b"), 1)]);
    assert_eq!(grouped(&[By::All], &events)[0].head().model, None, "they differ");
}

#[test]
fn what_stands_outside_of_turns_is_a_group_of_its_own() {
    let prompt = Prompt {
        form: PromptForm::CodexMessage,
        text: Some(Text::from("hi")),
        images: None,
        message_uuid: None,
    };
    let events = [
        count(1, 100, 100),
        Given::codex(10, |_| What::Prompt(prompt)).in_turn("1"),
        count(11, 130, 30).in_turn("1"),
        count(12, 150, 20).in_turn("1"),
    ];
    let turns = grouped(&[By::Turn], &events);
    let told: Vec<_> =
        turns.iter().map(|g| (g.key.session_turn, g.calls, g.tokens.total())).collect();
    assert_eq!(told, [(None, 1, 100), (Some(1), 2, 50)]);
}

#[test]
fn limits_are_told_by_rows_that_do_not_count() {
    let row = |t, form, percent| Given::codex(t, |_| counted(form, 0, 0, Some(percent)));
    let events = [
        row(1, Source::Codex, 1.0),
        row(2, Source::Turn, 5.0),
        row(3, Source::Turn, 50.0),
        row(4, Source::Turn, 7.0),
    ];
    let shares = shares(&Options::new(&[By::All]), &events);
    assert!(groups(shares.clone(), &[By::All], None, false).is_empty());
    let all = groups(shares, &[By::All], None, true);
    let [Some(primary), None] = &all[0].limits else { panic!("one limit") };
    let told = (primary.first.used_percent, primary.last.used_percent, primary.peak);
    assert_eq!((told, all[0].calls, all[0].t_last()), ((5.0, 7.0, 50.0), 0, None));
}

proptest! {
    /// What is told apart by all keys comes to the same groups for each of them.
    #[test]
    fn groups_by_one_of_many_keys_are_those_by_it_alone(
        rows in proptest::collection::vec((1..4i64, 0..3u8, 1..500i64, 0..3u8), 0..40),
    ) {
        let event = |(i, (pid, kind, n, model)): (usize, &(i64, u8, i64, u8))| {
            let t = i as i64 * 20_000_000;
            let given = match kind {
                0 => configured(t, &format!("m{model}")),
                1 => count(t, n * 10, *n),
                _ => request(t, &format!("r{n}"), if n % 2 == 0 { Started } else { Going }, *n, 1),
            };
            given.with(|head| head.pid = Some(*pid))
        };
        let events: Vec<Given> = rows.iter().enumerate().map(event).collect();
        let show = |groups: Vec<Box<Group>>| {
            let mut out = Vec::new();
            let paths = [crate::record::SrcPath::new(std::path::Path::new("-"))];
            for group in &groups {
                crate::record::tokens_into(group, 0, &paths, false, &mut out);
            }
            String::from_utf8(out).unwrap()
        };
        let all = [By::Call, By::Turn, By::Session, By::Model, By::Day];
        let together = shares(&Options::new(&all), &events);
        for by in all {
            let alone = groups(shares(&Options::new(&[by]), &events), &[by], None, false);
            let of_all = groups(together.clone(), &[by], None, false);
            prop_assert_eq!(show(of_all), show(alone));
        }
    }

    /// Shares come out of maps: their order must not matter.
    #[test]
    fn groups_do_not_depend_on_the_order_of_shares(
        rows in proptest::collection::vec((1..4i64, 0..3u8, 1..500i64, 0..3u8), 0..40),
        turn in 0..40usize,
    ) {
        let event = |(i, (pid, kind, n, model)): (usize, &(i64, u8, i64, u8))| {
            let t = i as i64 * 1_200_000;
            let given = match kind {
                0 => configured(t, &format!("m{model}")),
                1 => count(t, n * 10, *n),
                _ => request(t, &format!("r{n}"), if n % 2 == 0 { Started } else { Going }, *n, 1),
            };
            given.with(|head| (head.pid, head.cwd) = (Some(*pid), Some(format!("/w/{n}"))))
        };
        let events: Vec<Given> = rows.iter().enumerate().map(event).collect();
        for by in [&[By::Session][..], &[By::Hour, By::Model], &[By::Project], &[By::Call]] {
            let options = Options { explain: true, ..Options::new(by) };
            let mut shares = shares(&options, &events);
            let prices = Prices::built_in().unwrap();
            let show = |shares: Vec<Share>| {
                let groups = groups(shares, by, Some(&prices), true);
                let mut out = Vec::new();
                let paths = [crate::record::SrcPath::new(std::path::Path::new("-"))];
                for group in &groups {
                    crate::record::tokens_into(group, 0, &paths, true, &mut out);
                }
                String::from_utf8(out).unwrap()
            };
            let want = show(shares.clone());
            let cut = turn % shares.len().max(1);
            shares.rotate_left(cut);
            prop_assert_eq!(show(shares.clone()), want.clone());
            shares.reverse();
            prop_assert_eq!(show(shares), want);
        }
    }
}

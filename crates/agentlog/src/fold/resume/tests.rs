//! A log that is fed in parts gives what it gives at once, whatever fold it is fed to and wherever
//! it is cut; and a state that is damaged is refused.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use proptest::prelude::*;
use testkit::{Fault, LogBuilder, NativeBuilder, NativeCase};

use super::*;
use crate::event::{Head, LeftOut, Src, What};
use crate::fold::given::Given;
use crate::fold::tokens::{By, Group, TokenUse};
use crate::fold::{calls, deltas, prompts, tokens, turns};
use crate::native::{self, Dialect, Thread, ThreadRow, Wants};
use crate::sse::{self, Envelope, Scratch};
use crate::zone::Clock;

/// The events of logs of both agents with all faults, and of their own logs with all cases, in
/// order of time.
fn events(seed: u64, turns: usize) -> Vec<Given> {
    let log = LogBuilder::new(seed).turns(turns).faults(&Fault::ALL).giant_bytes(2000).build();
    let own = NativeBuilder::new(seed).turns(turns).cases(&NativeCase::all()).build();
    let mut rows = Rows::default();
    rows.sse(&log.codex);
    rows.sse(&log.claude);
    for file in &own.files {
        rows.native(&file.bytes);
    }
    // Rows without a time stay where they are.
    rows.events.sort_by_key(|(t, _)| *t);
    let events = rows.events.into_iter().map(|(_, event)| event);
    // Most rows are deltas, and long runs of them tell nothing new.
    let mut counts = HashMap::new();
    let mut few = |event: &Given| {
        let What::Delta(piece) = &event.what else { return true };
        let stream = std::mem::discriminant(&piece.stream);
        let count: &mut u32 = counts.entry((event.head.flow_id.clone(), stream)).or_default();
        *count += 1;
        *count < 6
    };
    events.filter(|event| few(event)).collect()
}

#[derive(Default)]
struct Rows {
    events: Vec<(i64, Given)>,
    heads: HashSet<Arc<Head>>,
    /// Where each row of a transcript came first.
    uuids: HashMap<String, Src>,
    files: u32,
    last: i64,
}

impl Rows {
    fn sse(&mut self, log: &[u8]) {
        self.lines(log, |rows, src, line| {
            let mut scratch = Scratch::default();
            let Ok(envelope) = Envelope::parse(line) else { return };
            let Some(row) = sse::Row::open(envelope, &mut scratch) else { return };
            let mut arena = Vec::new();
            let Some(what) = sse::what_of(&row, &mut arena) else { return };
            let t = rows.time(row.clock());
            let head = rows.shared(row.head());
            rows.push(Given { t, src, head, what, arena, left_out: None });
        });
    }

    fn native(&mut self, log: &[u8]) {
        let mut thread = Thread::default();
        self.lines(log, |rows, src, line| {
            let Ok(row) = native::Row::parse(line) else { return };
            let t = rows.time(row.clock());
            let mut whats = Vec::new();
            let mut arena = Vec::new();
            row.decode(Wants::ALL, &mut arena, &mut |what, _| whats.push(what));
            for what in whats {
                let (head, copy) = match row.dialect {
                    Dialect::Rollout => {
                        let copy = thread.row(t, &what) == ThreadRow::Copy;
                        (Head::clone(thread.head()), copy)
                    }
                    Dialect::Transcript => (row.head(), rows.is_known(&row, src)),
                };
                let (arena, left_out) = (arena.clone(), copy.then_some(LeftOut::Copy));
                let head = rows.shared(head);
                rows.push(Given { t, src, head, what, arena, left_out });
            }
        });
    }

    fn lines(&mut self, log: &[u8], mut each: impl FnMut(&mut Self, Src, &[u8])) {
        self.files += 1;
        self.last = i64::MIN;
        let mut offset = 0;
        for (line, bytes) in (1..).zip(log.split(|b| *b == b'\n')) {
            let len = bytes.len() as u64;
            each(self, Src { file: self.files, offset, line, len }, bytes);
            offset += len + 1;
        }
    }

    fn is_known(&mut self, row: &native::Row<'_>, src: Src) -> bool {
        let Some(uuid) = row.uuid() else { return false };
        *self.uuids.entry(uuid.raw.to_owned()).or_insert(src) != src
    }

    fn time(&mut self, clock: Clock) -> Option<i64> {
        let (Clock::Utc(t) | Clock::Local(t, _) | Clock::Stamped { utc: t, .. }) = clock else {
            return None;
        };
        self.last = t;
        Some(t)
    }

    /// Rows of one writer share their head.
    fn shared(&mut self, head: Head) -> Arc<Head> {
        let head = Arc::new(head);
        if let Some(same) = self.heads.get(&head) {
            return Arc::clone(same);
        }
        self.heads.insert(Arc::clone(&head));
        head
    }

    fn push(&mut self, event: Given) {
        self.events.push((event.t.unwrap_or(self.last), event));
    }
}

/// The same events as another run reads them: no head is shared with those of the run before.
fn read_anew(events: &[Given]) -> Vec<Given> {
    let mut rows = Rows::default();
    let anew =
        |event: &Given| Given { head: rows.shared(Head::clone(&event.head)), ..event.clone() };
    events.iter().map(anew).collect()
}

fn saved(fold: &impl Resume) -> Vec<u8> {
    let mut bytes = b"kept".to_vec();
    fold.save(&mut bytes);
    bytes.split_off(4)
}

/// All records, and then the last state, of events that are fed in parts which begin at `cuts`.
fn in_parts<F: Resume>(
    make: impl Fn() -> F,
    events: &[Given],
    cuts: &[usize],
) -> (Vec<F::Record>, Vec<u8>) {
    let (mut fold, mut out, mut start) = (make(), Vec::new(), 0);
    for end in cuts.iter().copied().chain([events.len()]) {
        for event in read_anew(&events[start..end]) {
            fold.feed(&event.event(), &mut out);
        }
        let bytes = saved(&fold);
        // What is open is told in each run; it changes nothing of what is kept.
        fold.finish(&mut Vec::new());
        fold = make();
        fold.load(&bytes).expect("a state of the same fold");
        assert!(saved(&fold) == bytes, "a state taken up is kept as it was");
        start = end;
    }
    let bytes = saved(&fold);
    fold.finish(&mut out);
    (out, bytes)
}

/// Compares what parts give with what all at once gives, as `told` tells it.
fn same_in_parts<F: Resume, T: Debug>(
    make: impl Fn() -> F,
    told: impl Fn(Vec<F::Record>) -> Vec<T>,
    events: &[Given],
    cuts: &[usize],
) {
    let (mut fold, mut whole) = (make(), Vec::new());
    for event in events {
        fold.feed(&event.event(), &mut whole);
    }
    let bytes = saved(&fold);
    fold.finish(&mut whole);
    let (parts, last) = in_parts(make, events, cuts);
    let (whole, parts) = (told(whole), told(parts));
    assert!(!whole.is_empty());
    for (whole, part) in whole.iter().zip(&parts) {
        assert_eq!(format!("{whole:?}"), format!("{part:?}"));
    }
    assert_eq!(whole.len(), parts.len());
    assert!(bytes == last, "the states are equal, too");
}

const BY: [&[By]; 4] = [
    &[By::Call],
    &[By::Turn, By::Model],
    &[By::Session],
    &[By::Day, By::Hour, By::Week, By::Month, By::Project, By::Provider],
];

/// What a record tells of a group.
fn told_of(group: &Group) -> impl Debug + use<> {
    let Group { key, calls, tokens, duplicates, resets, limits, rows, .. } = group.clone();
    let counts = (calls, tokens, duplicates, resets, limits);
    let context = (group.context_tokens(), group.context_window());
    ((key, group.head().clone()), (group.t(), group.t_last(), group.src()), counts, context, rows)
}

/// All folds, with and without explanations.
fn all_same_in_parts(events: &[Given], cuts: &[usize]) {
    for explain in [true, false] {
        same_with(explain, events, cuts);
    }
}

fn same_with(explain: bool, events: &[Given], cuts: &[usize]) {
    let options = prompts::Options { explain, raw_text: !explain };
    same_in_parts(|| prompts::Prompts::new(options), |all| all, events, cuts);
    let options = turns::Options { explain, no_text: !explain };
    same_in_parts(|| turns::Turns::new(options), |all| all, events, cuts);
    same_in_parts(|| turns::Turns::new(options).with_messages(), |all| all, events, cuts);
    let options = deltas::Options { explain, parse: false, twins: !explain };
    same_in_parts(|| deltas::Deltas::new(options), |all| all, events, cuts);
    let options = calls::Options { explain, ..calls::Options::default() };
    same_in_parts(|| calls::Calls::new(options), |all| all, events, cuts);
    for by in BY {
        let options = || tokens::Options { explain, ..tokens::Options::new(by) };
        let told = |shares| {
            let groups = tokens::groups(shares, by, None, true);
            groups.iter().map(|group| told_of(group)).collect()
        };
        same_in_parts(|| TokenUse::new(options()), told, events, cuts);
    }
}

#[test]
fn cut_over_and_over() {
    let events = events(1, 1);
    let cuts: Vec<usize> = (0..=events.len()).step_by(31).collect();
    all_same_in_parts(&events, &cuts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]
    #[test]
    fn cut_anywhere(
        seed in 0..1000u64,
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let events = events(seed, 1);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(events.len())).collect();
        cuts.sort_unstable();
        all_same_in_parts(&events, &cuts);
    }
}

/// The state of each fold in the middle of a log, and a way to take it up.
type Loads = Box<dyn Fn(&[u8]) -> Result<(), BadState>>;

fn states(explain: bool) -> Vec<(Vec<u8>, Loads)> {
    fn of<F: Resume>(make: impl Fn() -> F + 'static, events: &[Given]) -> (Vec<u8>, Loads) {
        let mut fold = make();
        for event in events {
            fold.feed(&event.event(), &mut Vec::new());
        }
        let fresh = saved(&make());
        let load = move |bytes: &[u8]| {
            let mut fold = make();
            let loaded = fold.load(bytes);
            assert!(loaded.is_ok() || saved(&fold) == fresh, "what fails changes nothing");
            loaded
        };
        (saved(&fold), Box::new(load))
    }
    let events = events(2, 2);
    let events = &events[..events.len() / 2];
    let (turn_options, delta_options) = (
        turns::Options { explain, ..Default::default() },
        deltas::Options { explain, ..Default::default() },
    );
    let (call_options, prompt_options) = (
        calls::Options { explain, ..Default::default() },
        prompts::Options { explain, ..Default::default() },
    );
    let token_options = tokens::Options { explain, ..tokens::Options::new(&[By::Turn]) };
    vec![
        of(move || prompts::Prompts::new(prompt_options), events),
        of(move || turns::Turns::new(turn_options), events),
        of(move || deltas::Deltas::new(delta_options), events),
        of(move || calls::Calls::new(call_options), events),
        of(move || TokenUse::new(token_options.clone()), events),
    ]
}

#[test]
fn the_form_is_that_of_the_version() {
    let sums = states(true).into_iter().map(|(bytes, _)| bytes[8..10].to_vec());
    let sums: Vec<u8> = sums.flatten().collect();
    assert_eq!(
        sums,
        [16, 217, 212, 94, 214, 174, 27, 16, 150, 151],
        "if a struct of a state changed, raise `FORM`; then write this here"
    );
}

#[test]
fn damage_is_refused() {
    for (bytes, load) in states(true) {
        assert_eq!(load(&bytes), Ok(()));
        for at in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
            assert!(load(&bytes[..at]).is_err());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(load(&flipped).is_err());
        }
    }
}

#[test]
fn states_of_other_folds_and_options_are_refused() {
    let (states, others) = (states(true), states(false));
    for (i, (bytes, _)) in states.iter().enumerate() {
        for (j, (_, load)) in states.iter().enumerate().filter(|(j, _)| *j != i) {
            assert_eq!(load(bytes), Err(BadState::Foreign), "{i} {j}");
        }
        assert_eq!(others[i].1(bytes), Err(BadState::OtherOptions), "{i}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    /// The sum tells damage. Beneath it, too, bytes that make no sense end in an error.
    #[test]
    fn bytes_of_no_sense_are_no_panic(at in any::<[prop::sample::Index; 50]>(), to in any::<u8>()) {
        for (bytes, load) in states(true) {
            for at in &at {
                let mut forged = bytes.clone();
                forged[16 + at.index(bytes.len() - 16)] = to;
                crate::state::forge(&mut forged);
                let _: Result<(), BadState> = load(&forged);
            }
        }
    }
}

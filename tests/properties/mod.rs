//! What holds for every log: ties have no order, a cut loses nothing that was final, and logs of
//! different sessions do not touch each other.

use crate::programs::{CALLS, DELTAS, PROMPTS, TOKENS, TURNS, Written};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Cmd, Fault, LogBuilder, Prng, Workdir};

/// The commands that fold rows into records, each with what it is asked.
const FOLDS: &[(&str, &[&str])] = &[
    (PROMPTS, &[]),
    (TURNS, &[]),
    (CALLS, &[]),
    (DELTAS, &[]),
    (TOKENS, &[]),
    (TOKENS, &["--by", "turn,model"]),
    (TOKENS, &["--by", "call"]),
];

/// Faults in which the order of rows is what is asked for. Twins have no sequence numbers: their
/// order is all there is.
const ORDERED: &[Fault] = &[Fault::LateRows, Fault::Disorder, Fault::TwinsOnly];

fn folded((program, args): (&str, &[&str]), files: &[(&str, &[u8])]) -> Vec<Value> {
    let dir = Workdir::new();
    let mut paths: Vec<_> = files.iter().map(|(name, bytes)| dir.write(name, bytes)).collect();
    paths.sort();
    let ran = Cmd::new(program).args(args).args(paths).run();
    ran.expect_code(0).rows()
}

fn both(fold: (&str, &[&str]), codex: &[u8], claude: &[u8]) -> Vec<Value> {
    folded(fold, &[("a.jsonl", codex), ("b.jsonl", claude)])
}

/// Records without what may depend on the order of ties: places, and their own order.
fn tieless(records: Vec<Value>) -> Vec<String> {
    let strip = |mut record: Value| {
        for key in ["index", "src", "rows"] {
            record[key].take();
        }
        for violation in record["violations"].as_array_mut().into_iter().flatten() {
            violation["src"].take();
        }
        record.to_string()
    };
    let mut texts: Vec<String> = records.into_iter().map(strip).collect();
    texts.sort();
    texts
}

fn lines(log: &[u8]) -> Vec<&[u8]> {
    log.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A row's time and session, as far as it is a row.
fn time_and_session(line: &[u8]) -> Option<(String, String)> {
    let row: Value = serde_json::from_slice(line).ok()?;
    Some((row["t"].as_str()?.to_owned(), row["sid"].as_str()?.to_owned()))
}

/// Lines of one millisecond, with their sessions.
type Group<'a> = (Option<String>, Vec<(String, &'a [u8])>);

/// The lines with those of one millisecond in any order; `keep_sessions` leaves the rows of a
/// session in theirs.
fn shuffled(log: &[u8], keep_sessions: bool, prng: &mut Prng) -> Vec<u8> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for line in lines(log) {
        let known = time_and_session(line);
        let (t, sid) = known.map_or((None, String::new()), |(t, sid)| (Some(t), sid));
        match groups.last_mut() {
            Some((last, group)) if t.is_some() && *last == t => group.push((sid, line)),
            _ => groups.push((t, vec![(sid, line)])),
        }
    }
    let mut out = Vec::new();
    for (_, mut group) in groups {
        if keep_sessions {
            let mut sessions: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
            for (sid, line) in &group {
                sessions.entry(sid.clone()).or_default().insert(0, line);
            }
            let mut order: Vec<String> = group.iter().map(|(sid, _)| sid.clone()).collect();
            shuffle(&mut order, prng);
            group = order
                .into_iter()
                .filter_map(|sid| Some((sid.clone(), sessions.get_mut(&sid)?.pop()?)))
                .collect();
        } else {
            shuffle(&mut group, prng);
        }
        out.extend(group.into_iter().flat_map(|(_, line)| line.iter().copied()));
    }
    out
}

fn shuffle<T>(items: &mut [T], prng: &mut Prng) {
    for i in (1..items.len()).rev() {
        items.swap(i, prng.range(0, i as u64) as usize);
    }
}

#[test]
fn rows_of_one_millisecond_have_no_order() {
    let faults: Vec<Fault> =
        Fault::ALL.iter().copied().filter(|fault| !ORDERED.contains(fault)).collect();
    let plain = LogBuilder::new(201).codex_sessions(3).claude_sessions(3);
    let builders = [plain.clone(), plain.faults(&faults), LogBuilder::new(202).turns(6)];
    let mut claude_changed = false;
    for builder in builders {
        let log = builder.build();
        for fold in FOLDS {
            let want = tieless(both(*fold, &log.codex, &log.claude));
            for seed in 0..4 {
                let mut prng = Prng::new(seed);
                let codex = shuffled(&log.codex, false, &mut prng);
                let claude = shuffled(&log.claude, true, &mut prng);
                assert!(codex != log.codex, "no tie changed places");
                // Its rows keep their order in a session, and few sessions share a millisecond.
                claude_changed |= claude != log.claude;
                let found = tieless(both(*fold, &codex, &claude));
                for (want, found) in want.iter().zip(&found) {
                    assert_eq!(want, found, "{} seed {seed}", fold.0);
                }
                assert_eq!(want.len(), found.len(), "{} seed {seed}", fold.0);
            }
        }
    }
    assert!(claude_changed, "no tie of Claude changed places");
}

#[test]
fn logs_of_different_sessions_do_not_touch_each_other() {
    let (one, other) = (LogBuilder::new(211).build(), Written::faulty(212).log);
    for fold in FOLDS {
        let a = [("a.jsonl", &one.codex[..]), ("b.jsonl", &one.claude[..])];
        let b = [("c.jsonl", &other.codex[..]), ("d.jsonl", &other.claude[..])];
        let both = tieless(folded(*fold, &[a, b].concat()));
        let mut each = tieless(folded(*fold, &a));
        each.extend(tieless(folded(*fold, &b)));
        each.sort();
        assert_eq!(both, each, "{}", fold.0);
    }
}

/// A log may be rotated within a millisecond. Its parts are named in any order.
#[test]
fn a_log_that_was_rotated_is_still_one() {
    let log = LogBuilder::new(215).claude_sessions(2).turns(3).build();
    for whole in [&log.codex, &log.claude] {
        let all = lines(whole);
        let tied = |i: &usize| {
            let time = |i: usize| time_and_session(all[i]).map(|(t, _)| t);
            time(*i).is_some() && time(i - 1) == time(*i)
        };
        let cuts: Vec<usize> = (1..all.len()).filter(tied).collect();
        for fold in FOLDS {
            let want = tieless(folded(*fold, &[("a.jsonl", whole)]));
            for cut in cuts.iter().step_by(cuts.len() / 5) {
                let (older, newer) = (all[..*cut].concat(), all[*cut..].concat());
                let got = tieless(folded(*fold, &[("b.jsonl", &older), ("a.jsonl", &newer)]));
                assert_eq!(got, want, "{} rotated at line {cut}", fold.0);
            }
        }
    }
}

/// The latest time in a part of a log.
fn latest(log: &[u8]) -> String {
    let times = lines(log).into_iter().filter_map(time_and_session).map(|(t, _)| t);
    times.max().unwrap_or_default()
}

#[test]
fn a_cut_loses_nothing_that_was_final() {
    let log = LogBuilder::new(221).codex_sessions(2).claude_sessions(2).turns(4).build();
    let utc = |t: &str| testkit::parse_stamp(t).map(|ms| testkit::utc_stamp(ms - 7 * 3_600_000));
    for fold in FOLDS {
        let whole = folded(*fold, &[("a.jsonl", &log.codex)]);
        let mut prng = Prng::new(7);
        let mut compared = 0;
        for _ in 0..12 {
            let cut = prng.range(0, log.codex.len() as u64) as usize;
            let (before, _) = log.codex.split_at(cut);
            let part = tieless(folded(*fold, &[("a.jsonl", before)]));
            let Some(end) = utc(&latest(before)) else { continue };
            // Two seconds of log time settle everything that has an end.
            let limit = testkit::parse_stamp(end.trim_end_matches('Z')).unwrap_or(0) - 2000;
            let is_final = |record: &&Value| {
                let end = ["t_end", "t_last", "t"].iter().find_map(|key| record[*key].as_str());
                let end = end.and_then(|t| testkit::parse_stamp(t.trim_end_matches('Z')));
                let open = ["open", "superseded", "pending", "unknown", "unanswered", "cancelled"];
                let ended = ["status", "state"]
                    .iter()
                    .all(|key| record[*key].as_str().is_none_or(|name| !open.contains(&name)));
                ended && end.is_some_and(|end| end < limit)
            };
            let finals: Vec<Value> = whole.iter().filter(is_final).cloned().collect();
            compared += finals.len();
            for record in tieless(finals) {
                assert!(part.binary_search(&record).is_ok(), "{} cut at {cut}: {record}", fold.0);
            }
        }
        assert!(compared > 0, "{} {:?}: nothing was final before any cut", fold.0, fold.1);
    }
}

/// What a session used up, by its id.
fn totals(files: &[(&str, &[u8])]) -> BTreeMap<String, u64> {
    let sessions = folded((TOKENS, &["--by", "session"]), files);
    let total = |record: &Value| {
        Some((record["sid"].as_str()?.to_owned(), record["total_tokens"].as_u64()?))
    };
    sessions.iter().filter_map(total).collect()
}

#[test]
fn a_log_that_was_cut_counts_no_token_twice() {
    let log = LogBuilder::new(231).codex_sessions(2).claude_sessions(2).turns(4).build();
    for whole in [&log.codex, &log.claude] {
        let want = totals(&[("a.jsonl", whole)]);
        let mut prng = Prng::new(8);
        for round in 0..16 {
            let at = prng.range(0, whole.len() as u64) as usize;
            // Every other cut is between two rows: then nothing is lost either.
            let between = round % 2 == 0;
            let at = if between {
                whole[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
            } else {
                at
            };
            let (head, tail) = whole.split_at(at);
            // The order in which the parts are named is either.
            for names in [["a.jsonl", "b.jsonl"], ["b.jsonl", "a.jsonl"]] {
                let got = totals(&[(names[0], head), (names[1], tail)]);
                for (sid, total) in &got {
                    assert!(*total <= want[sid], "cut at {at}: {sid}");
                }
                assert!(!between || got == want, "cut at {at}: {got:?} instead of {want:?}");
            }
        }
    }
}

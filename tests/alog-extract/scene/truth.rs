//! Every mode against the truth of the scene: as many records, in the same order, with the same
//! values of all keys that are sure. `ALOG_SCENE_MODE=LIST` compares only these modes.

use super::{Played, records};
use crate::programs::EXTRACT;
use serde_json::Value;
use testkit::SceneMode;

/// How many differences of a mode are told.
const TOLD: usize = 12;

#[test]
fn modes_tell_the_scene() {
    let played = Played::new();
    let out = played.files(&[]);
    let wrong: Vec<String> = played
        .modes()
        .filter_map(|told| {
            let mut found = differences(told, &records(out.path(), told.mode));
            let more = found.len().saturating_sub(TOLD);
            found.truncate(TOLD);
            if more > 0 {
                found.push(format!("and {more} more"));
            }
            (!found.is_empty()).then(|| format!("{}:\n    {}", told.mode, found.join("\n    ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{} modes tell it wrongly:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_scene_speaks_of_every_mode() {
    let list = testkit::Cmd::new(EXTRACT).arg("--list").run().expect_code(0);
    let names = list.text().lines().filter_map(|line| line.split(' ').next());
    let played = Played::new();
    let silent: Vec<&str> = names.filter(|name| played.truth.of(name).is_none()).collect();
    assert_eq!((silent, played.truth.modes.len()), (Vec::new(), 39));
}

/// Records are in order of time, whatever else is sure of them.
#[test]
fn records_are_in_order_of_time() {
    let played = Played::new();
    let out = played.files(&[]);
    for told in played.modes() {
        let records = records(out.path(), told.mode);
        let times: Vec<&str> = records.iter().filter_map(|record| record["t"].as_str()).collect();
        assert!(times.is_sorted(), "{}: {times:?}", told.mode);
    }
}

/// What is wrong with the records of a mode: its number, the key, what it should be, what it is.
fn differences(told: &SceneMode, got: &[Value]) -> Vec<String> {
    let got: Vec<&Value> = got.iter().filter(|record| told.speaks_of(record)).collect();
    if told.by.is_empty() {
        return in_order(&told.records, &got);
    }
    let mut left: Vec<Option<&Value>> = got.iter().copied().map(Some).collect();
    let mut found = Vec::new();
    for (at, want) in told.records.iter().enumerate() {
        let is_it = |record: &&mut Option<&Value>| {
            let keys = told.by.iter().filter_map(|key| Some((key, want.get(key)?)));
            record.is_some_and(|record| keys.into_iter().all(|(key, value)| record[key] == *value))
        };
        match left.iter_mut().find(is_it).and_then(Option::take) {
            Some(record) => found.extend(wrong(at, want, record)),
            None => found.push(format!("no record {at}: {want}")),
        }
    }
    found.extend(left.into_iter().flatten().map(|record| format!("too much: {record}")));
    found
}

fn in_order(want: &[Value], got: &[&Value]) -> Vec<String> {
    if want.len() != got.len() {
        return counts_differ(want, got);
    }
    let pairs = want.iter().zip(got).enumerate();
    pairs.flat_map(|(at, (want, got))| wrong(at, want, got)).collect()
}

/// Which records are missing or too much, by the keys that agree.
fn counts_differ(want: &[Value], got: &[&Value]) -> Vec<String> {
    let mut left: Vec<Option<&Value>> = got.iter().copied().map(Some).collect();
    let mut found = vec![format!("{} records, should be {}", got.len(), want.len())];
    for (at, want) in want.iter().enumerate() {
        let score = |got: Option<&Value>| got.map_or(usize::MAX, |got| wrong(at, want, got).len());
        let best = left.iter_mut().filter(|got| got.is_some()).min_by_key(|got| score(**got));
        let keys = want.as_object().map_or(0, serde_json::Map::len);
        match best.filter(|got| score(**got) * 2 < keys).and_then(Option::take) {
            Some(best) => found.extend(wrong(at, want, best)),
            None => found.push(format!("no record {at}: {want}")),
        }
    }
    found.extend(left.into_iter().flatten().map(|record| format!("too much: {record}")));
    found
}

/// The keys of a record that are not as they should be. Of `src` and of tokens only those count
/// that the truth names; other objects must be equal.
fn wrong(at: usize, want: &Value, got: &Value) -> Vec<String> {
    let Some(want) = want.as_object() else { return Vec::new() };
    let differs = |(key, want): &(&String, &Value)| {
        let got = got.get(key.as_str()).unwrap_or(&Value::Null);
        match (key.as_str(), want.as_object()) {
            ("src" | "tokens", Some(parts)) => parts.iter().any(|(part, want)| got[part] != *want),
            _ => got != *want,
        }
    };
    let keys = want.iter().filter(differs);
    keys.map(|(key, want)| {
        format!("record {at} ({}): {key} should be {want}, is {}", got["t"], got[key])
    })
    .collect()
}

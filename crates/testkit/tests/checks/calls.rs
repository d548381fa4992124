//! Faults of tool calls.

use super::Checks;
use super::streams::{streamed, text};
use crate::reading::{Reading, Row};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use testkit::Fault;

const DELTA: &str = "response.function_call_arguments.delta";
const DONE: &str = "response.function_call_arguments.done";

pub const CHECKS: Checks<12> = [
    (Fault::NoDeltas, |file| {
        let streamed = streamed(file, DELTA);
        file.of(DONE).iter().any(|row| !streamed.contains_key(&text(&row.inner["item_id"])))
    }),
    (Fault::BadArgs, |file| {
        let whole = |row: &&Row| {
            serde_json::from_str::<Map<String, Value>>(&text(&row.inner["arguments"])).is_ok()
        };
        !file.of(DONE).iter().all(whole)
    }),
    (Fault::ArgsMismatch, |file| {
        let streamed = streamed(file, DELTA);
        file.of(DONE).iter().any(|row| {
            let joined = streamed.get(&text(&row.inner["item_id"]));
            joined.is_some_and(|joined| *joined != text(&row.inner["arguments"]))
        }) && !late(file)
    }),
    (Fault::LateDelta, late),
    (Fault::DuplicateCall, |file| items(file, "_call").values().any(|rows| rows.len() > 1)),
    (Fault::MissingOutput, |file| {
        let (calls, results) = (items(file, "_call"), items(file, "_output"));
        calls.keys().any(|call| !results.contains_key(call))
    }),
    (Fault::DuplicateOutput, |file| items(file, "_output").values().any(|rows| rows.len() > 1)),
    (Fault::OrphanOutput, |file| {
        let (calls, results) = (items(file, "_call"), items(file, "_output"));
        results.keys().any(|call| !calls.contains_key(call))
    }),
    (Fault::EndWithoutBegin, |file| file.count("turn.exec.end") > file.count("turn.exec.begin")),
    (Fault::NeverEnded, |file| file.count("turn.exec.end") < file.count("turn.exec.begin")),
    (Fault::OutOfOrder, |file| {
        let results = items(file, "_output");
        file.of("turn.exec.end").iter().any(|end| {
            let result = results.get(&text(&end.body()["call_id"]));
            result.is_some_and(|rows| rows[0].ms() + 400 < end.ms())
        })
    }),
    (Fault::ExitMismatch, |file| {
        let results = items(file, "_output");
        file.of("turn.exec.end").iter().any(|end| {
            let Some(rows) = results.get(&text(&end.body()["call_id"])) else { return false };
            let output = text(&rows[0].body()["item"]["output"]);
            let output: Value = serde_json::from_str(&output).unwrap_or_default();
            output["metadata"]["exit_code"] != end.body()["exit_code"]
        })
    }),
];

fn late(file: &Reading) -> bool {
    let done: BTreeMap<String, i64> =
        file.of(DONE).iter().map(|row| (text(&row.inner["item_id"]), row.ms())).collect();
    file.of(DELTA).iter().any(|row| {
        let done = done.get(&text(&row.inner["item_id"]));
        done.is_some_and(|&done| done + 150 < row.ms())
    })
}

/// The raw items whose type ends so, by call.
fn items<'a>(file: &'a Reading, ending: &str) -> BTreeMap<String, Vec<&'a Row>> {
    let mut found: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in file.of("turn.raw_response_item") {
        let item = &row.body()["item"];
        if text(&item["type"]).ends_with(ending) {
            found.entry(text(&item["call_id"])).or_default().push(row);
        }
    }
    found
}

//! `--explain`: what rows added is what the record says, and every row stands where it says.

use super::{SUMS, by};
use crate::programs::Written;
use serde_json::{Value, json};
use std::collections::HashSet;
use testkit::{Detail, Fault, LogBuilder};

fn sum(rows: &[Value], key: &str) -> u64 {
    rows.iter().filter_map(|row| row[key].as_u64()).sum()
}

#[test]
fn rows_add_up_to_their_record() {
    let builder = LogBuilder::new(111).codex_sessions(2).claude_sessions(2).turns(2);
    let written = Written::new(&builder.detail(Detail::Brief).faults(&Fault::ALL));
    for keys in ["call", "turn", "session", "model", "hour,project", "all"] {
        let (mut seen, mut counted) = (HashSet::new(), 0);
        for record in by(&written, keys, &["--explain"]) {
            let rows = record["rows"].as_array().expect("rows");
            for key in SUMS.iter().filter(|key| key.ends_with("_tokens")) {
                assert_eq!(json!(sum(rows, key)), record[*key], "{keys} {key}: {record}");
            }
            let again = rows.iter().filter(|row| row["use"] == "dropped: told before").count();
            assert_eq!(json!(again), record["duplicates"], "{keys}: {record}");
            assert!(rows.iter().any(|row| row["src"] == record["src"]), "{keys}: {record}");
            for row in rows {
                assert!(seen.insert(row["src"].to_string()), "{keys}: {row} twice");
                counted += usize::from(row.get("total_tokens").is_some());
                let dropped = row["use"].as_str().is_some_and(|how| how.starts_with("dropped"));
                assert_eq!(row.get("total_tokens").is_none(), dropped, "{keys}: {row}");
            }
        }
        assert!(counted > 20, "{keys}");
    }
}

#[test]
fn an_explained_record_says_the_same() {
    let builder = LogBuilder::new(112).codex_sessions(2).claude_sessions(2).turns(2);
    let written = Written::new(&builder.detail(Detail::Brief).faults(&Fault::ALL));
    for keys in ["call", "turn", "session", "hour,model", "all"] {
        for flags in [&["--cost"][..], &["--rate-limits"]] {
            let mut explained = by(&written, keys, &[flags, &["--explain"]].concat());
            for record in &mut explained {
                assert!(record.as_object_mut().and_then(|object| object.remove("rows")).is_some());
            }
            assert_eq!(explained, by(&written, keys, flags), "{keys} {flags:?}");
        }
    }
}

#[test]
fn rows_of_other_kinds_stand_with_the_call_that_they_tell_too() {
    let written = Written::clean(113);
    let codex = |record: &&Value| record["provider"] == "codex";
    let calls = by(&written, "call", &["--explain"]);
    let calls: Vec<&Value> = calls.iter().filter(codex).collect();
    assert!(calls.len() > 3);
    for call in calls {
        let rows = call["rows"].as_array().expect("rows");
        let twins = rows.iter().filter(|row| row["use"] == "dropped: turn.token_count counts");
        assert!(twins.count() > 0, "{call}");
    }
}

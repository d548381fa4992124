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

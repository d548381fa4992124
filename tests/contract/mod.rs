//! The shape of the records: every key, in its order, with a value of its kind, and a place in the
//! log that holds the row. Records are read with `deny_unknown_fields`.

mod schema;
mod shapes;

use crate::programs::{
    ALL, CALLS, DELTAS, EVENTS, PROMPTS, TOKENS, TURNS, Written, codex_prompt, events, prompts,
    run_on,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
pub use shapes::{BadLine, Turn, checked};
use shapes::{Call, CallStats, Delta, Event, Prompt, Summary, Usage};
use std::collections::HashMap;
use std::fs;
use testkit::{Ran, Row, parse_stamp, utc_stamp};

/// All records of a run, each checked against its type.
fn typed<R: DeserializeOwned + Serialize>(ran: &Ran) -> Vec<Value> {
    let records: Vec<Value> = ran.text().lines().map(checked::<R>).collect();
    for (record, index) in records.iter().zip(1..) {
        assert_eq!(record["index"], json!(index));
    }
    records
}

/// The files that records speak of, each with the places of its line ends.
#[derive(Default)]
struct Files(HashMap<String, (Vec<u8>, Vec<usize>)>);

impl Files {
    /// The row at a place, with the number of its line checked.
    fn row_at(&mut self, src: &Value) -> Value {
        let path = src["path"].as_str().expect("a path");
        let (file, ends) = self.0.entry(path.to_owned()).or_insert_with(|| {
            let bytes = fs::read(path).expect("the file that the record names");
            let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
            (bytes, ends)
        });
        let number = |key: &str| src[key].as_u64().expect("a number") as usize;
        let (from, to) = (number("offset"), number("offset") + number("len"));
        assert_eq!(number("line"), ends.partition_point(|end| *end < from) + 1, "{src}");
        assert!(!file[from..to].ends_with(b"\r"), "{src}");
        serde_json::from_slice(&file[from..to]).expect("a whole row")
    }

    /// Checks what all records have.
    fn expect_head(&mut self, record: &Value, schema: &str) -> Value {
        assert_eq!(record["schema"], schema);
        let t = record["t"].as_str().expect("a time");
        let ms = t.strip_suffix('Z').and_then(parse_stamp);
        assert_eq!(ms.map(utc_stamp).as_deref(), Some(t), "RFC 3339, UTC, milliseconds");
        let texts = ["sid", "turn_id", "round", "flow_id", "cwd", "ver", "model"];
        assert!(texts.iter().all(|key| record[key] != ""), "unknown is null: {record}");
        let row = self.row_at(&record["src"]);
        for key in ["sid", "round", "flow_id"] {
            let said = row.get(key).filter(|text| **text != "").unwrap_or(&Value::Null);
            assert_eq!(record[key], *said, "{key} of {row}");
        }
        row
    }
}

#[test]
fn events_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        let records = typed::<Event>(&written.run(EVENTS, &[]).expect_code(0));
        assert!(records.len() > 300);
        let mut files = Files::default();
        for record in records.iter().step_by(7) {
            let row = files.expect_head(record, "alog.event/1");
            assert_eq!(row.get("event").unwrap_or(&record["event"]), &record["event"]);
            assert_eq!(row.get("data_count").unwrap_or(&Value::Null), &record["seq"]);
        }
    }
}

#[test]
fn tokens_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        for by in ["session", "call", "turn", "hour,model", "all"] {
            for args in [&[][..], &["--explain"], &["--cost", "--rate-limits"]] {
                let args = [&["--by", by], args].concat();
                let records = typed::<Usage>(&written.run(TOKENS, &args).expect_code(0));
                assert!(!records.is_empty());
                let mut files = Files::default();
                for record in &records {
                    assert_eq!(record["schema"], "alog.tokens/1");
                    assert!(files.row_at(&record["src"]).is_object());
                }
            }
        }
    }
}

#[test]
fn turns_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        for args in [&[][..], &["--explain"]] {
            let records = typed::<Turn>(&written.run(TURNS, args).expect_code(0));
            assert!(records.len() > 3);
            let mut files = Files::default();
            for record in &records {
                assert_eq!(record["schema"], "alog.turn/1");
                let row = files.row_at(&record["src"]);
                assert!(row.get("t").is_none_or(Value::is_string), "{row}");
            }
        }
    }
}

#[test]
fn calls_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        for args in [&[][..], &["--explain"]] {
            let mut files = Files::default();
            for record in typed::<Call>(&written.run(CALLS, args).expect_code(0)) {
                assert_eq!(record["schema"], "alog.call/1");
                let row = files.row_at(&record["src"]).to_string();
                let id = record["call_id"].as_str().expect("an id");
                assert!(row.contains(id), "{row}");
                for broken in record["violations"].as_array().into_iter().flatten() {
                    assert!(files.row_at(&broken["src"]).is_object(), "{broken}");
                }
                for used in record["rows"].as_array().into_iter().flatten() {
                    assert!(files.row_at(&used["src"]).is_object(), "{used}");
                }
            }
        }
        for record in typed::<CallStats>(&written.run(CALLS, &["--stats"]).expect_code(0)) {
            assert_eq!(record["schema"], "alog.call_stats/1");
        }
    }
}

#[test]
fn prompts_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        let records = typed::<Prompt>(&written.run(PROMPTS, &[]).expect_code(0));
        assert!(records.len() >= 4);
        let mut files = Files::default();
        for record in records {
            files.expect_head(&record, "alog.prompt/1");
            let kind = record["kind"].as_str().unwrap_or_default();
            assert!(["prompt", "queued"].contains(&kind), "{record}");
            assert_eq!(record["session_turn"].is_null(), kind == "queued", "{record}");
            assert!(record.get("rows").is_none());
        }
        for record in typed::<Prompt>(&written.run(PROMPTS, &["--explain"]).expect_code(0)) {
            let rows = record["rows"].as_array().expect("rows");
            assert!(rows.iter().any(|row| row["src"] == record["src"]), "{record}");
            assert!(rows.iter().all(|row| files.row_at(&row["src"]).is_object()));
        }
    }
}

#[test]
fn deltas_have_their_keys_and_places() {
    for written in [Written::clean(61), Written::faulty(62)] {
        let records = typed::<Delta>(&written.run(DELTAS, &[]).expect_code(0));
        assert!(records.len() > 10);
        let mut files = Files::default();
        for record in records {
            let row = files.row_at(&record["src"]);
            // What the rows of an item agree on is what its first says, if it is known.
            for key in ["sid", "round", "flow_id"] {
                let said = row.get(key).unwrap_or(&Value::Null);
                assert!(record[key].is_null() || record[key] == *said, "{key} of {row}");
            }
            let codex = record["provider"] == "codex";
            assert_eq!(record["request_id"].is_null() && record["block_index"].is_null(), codex);
            assert!(codex || record["item_id"].is_null(), "{record}");
            assert!(record.get("rows").is_none() && record["json"].is_null());
        }
        for record in typed::<Delta>(&written.run(DELTAS, &["--explain"]).expect_code(0)) {
            let rows = record["rows"].as_array().expect("rows");
            assert!(rows.iter().any(|row| row["src"] == record["src"]), "{record}");
            let counted = rows
                .iter()
                .filter(|row| row["use"].as_str().is_some_and(|how| how.starts_with("delta")));
            assert_eq!(json!(counted.count()), record["deltas"], "{record}");
            assert!(rows.iter().all(|row| files.row_at(&row["src"]).is_object()));
        }
    }
}

#[test]
fn the_summary_is_the_last_line_of_stderr() {
    let written = Written::faulty(64);
    for program in ALL {
        let ran = written.run(program, &["--summary"]).expect_code(0);
        let last = ran.stderr.lines().next_back().expect("a summary");
        let summary = checked::<Summary>(last);
        assert_eq!(summary["schema"], "alog.summary/1");
        assert_eq!(summary["records"], json!(ran.rows().len()));
        let plain = written.run(program, &[]);
        assert!(!plain.stderr.contains("alog.summary"), "{}", plain.stderr);
        assert_eq!(plain.stdout, ran.stdout);
    }
}

#[test]
fn standard_input_is_named_with_a_dash() {
    let bytes = codex_prompt(0, "x").to_bytes();
    for command in [events(), prompts()] {
        let ran = command.arg("-").stdin(&bytes).run().expect_code(0);
        let want = json!({"path": "-", "line": 1, "offset": 0, "len": bytes.len() - 1});
        assert_eq!(ran.rows()[0]["src"], want);
    }
}

#[test]
fn places_in_compressed_logs_count_decompressed_bytes() {
    let written = Written::clean(63);
    let gz = written.dir.write_gz("c.jsonl.gz", &written.log.codex);
    let plain = events().arg(&written.paths[0]).run().expect_code(0).rows();
    let packed = events().arg(&gz).run().expect_code(0).rows();
    assert_eq!(packed.len(), plain.len());
    for (packed, plain) in packed.iter().zip(&plain) {
        let place = |event: &Value| ["line", "offset", "len"].map(|key| event["src"][key].clone());
        assert_eq!(place(packed), place(plain));
        assert_eq!(packed["src"]["path"], gz.display().to_string());
    }
}

#[test]
fn a_row_without_any_time_says_null() {
    let row = Row::codex("turn.user_message").payload(json!({"message": "x"}));
    let bytes = row.without_t().without_round().to_bytes();
    for program in [EVENTS, PROMPTS] {
        let ran = run_on(program, &[], &bytes).expect_code(0);
        assert_eq!(ran.rows()[0]["t"], Value::Null, "{}", ran.text());
        let ran = run_on(program, &["--since", "2w"], &bytes).expect_code(0);
        assert_eq!(ran.text(), "");
    }
}

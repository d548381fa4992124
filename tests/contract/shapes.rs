//! The records as types, their keys in the order of the contract.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The record in a line. Panics on a key too many, too few, twice, or out of order.
pub fn checked<R: DeserializeOwned + Serialize>(line: &str) -> Value {
    let record: R = match serde_json::from_str(line) {
        Ok(record) => record,
        Err(error) => panic!("{error} in {line}"),
    };
    let value: Value = serde_json::from_str(line).expect("JSON");
    let in_order = serde_json::to_string(&record).expect("JSON");
    assert_eq!(value.to_string(), in_order, "keys or their order");
    value
}

/// `alog.event/1`.
#[allow(clippy::struct_field_names, reason = "the contract names the keys")]
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    schema: String,
    index: u64,
    t: Option<String>,
    provider: Option<String>,
    sid: Option<String>,
    pid: Option<u64>,
    turn_id: Option<String>,
    round: Option<String>,
    flow_id: Option<String>,
    cwd: Option<String>,
    ver: Option<String>,
    model: Option<String>,
    event: String,
    seq: Option<u64>,
    request_id: Option<String>,
    payload: Value,
    payload_error: Option<String>,
    src: Src,
}

/// `alog.prompt/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    schema: String,
    index: u64,
    t: Option<String>,
    provider: Option<String>,
    sid: Option<String>,
    pid: Option<u64>,
    turn_id: Option<String>,
    round: Option<String>,
    flow_id: Option<String>,
    cwd: Option<String>,
    ver: Option<String>,
    model: Option<String>,
    kind: String,
    text: String,
    images: Option<u64>,
    session_turn: Option<u64>,
    src: Src,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Used>>,
}

/// `alog.delta/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    schema: String,
    index: u64,
    t: Option<String>,
    provider: Option<String>,
    sid: Option<String>,
    pid: Option<u64>,
    turn_id: Option<String>,
    round: Option<String>,
    flow_id: Option<String>,
    cwd: Option<String>,
    ver: Option<String>,
    model: Option<String>,
    kind: Option<String>,
    item_id: Option<String>,
    request_id: Option<String>,
    block_index: Option<u64>,
    call_id: Option<String>,
    name: Option<String>,
    t_last: Option<String>,
    deltas: u64,
    bytes: Option<u64>,
    status: String,
    text: Option<String>,
    json: Value,
    src: Src,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Used>>,
}

/// `alog.bad_line/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BadLine {
    schema: String,
    path: String,
    line: u64,
    offset: u64,
    len: u64,
    reason: String,
    text: String,
}

/// `alog.summary/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    schema: String,
    files: u64,
    files_skipped: u64,
    bytes: u64,
    lines: u64,
    events: u64,
    records: u64,
    bad_lines: u64,
    partial_lines: u64,
    late_rows: u64,
    unknown_files: u64,
    elapsed_ms: u64,
}

/// The place of a row.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Src {
    path: String,
    line: u64,
    offset: u64,
    len: u64,
}

/// A row that a record was made of.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    src: Src,
    #[serde(rename = "use")]
    how: String,
}

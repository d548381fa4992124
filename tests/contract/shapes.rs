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

/// `alog.turn/1`.
#[allow(clippy::struct_field_names, reason = "the contract names the keys")]
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
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
    session_turn: Option<u64>,
    prompt: Option<String>,
    status: String,
    t_end: Option<String>,
    duration_ms: Option<u64>,
    idle_t: Option<String>,
    reply: Option<String>,
    replies: u64,
    responses: u64,
    tool_calls: u64,
    tool_errors: u64,
    tokens: Option<Tokens>,
    repaired: bool,
    src: Src,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Counted>>,
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
}

/// Token counts.
#[allow(clippy::struct_field_names, reason = "the contract names the keys")]
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    total_tokens: u64,
}

/// `alog.call/1`.
#[allow(clippy::struct_field_names, reason = "the contract names the keys")]
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
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
    call_id: Option<String>,
    item_id: Option<String>,
    request_id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    state: String,
    ok: Option<bool>,
    exit_code: Option<i64>,
    t_begin: Option<String>,
    t_end: Option<String>,
    duration_ms: Option<u64>,
    args_bytes: Option<u64>,
    output_bytes: Option<u64>,
    truncated: Option<bool>,
    session_turn: Option<u64>,
    violations: Vec<Violation>,
    src: Src,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Used>>,
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
}

/// A rule that a call broke.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    code: String,
    severity: String,
    rule: String,
    detail: String,
    src: Src,
}

/// `alog.call_stats/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallStats {
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
    name: Option<String>,
    kind: Option<String>,
    calls: u64,
    completed: u64,
    failed: u64,
    unanswered: u64,
    cancelled: u64,
    pending: u64,
    unknown: u64,
    orphan: u64,
    failures: u64,
    violating: u64,
    p50_ms: Option<u64>,
    p95_ms: Option<u64>,
    args_bytes: u64,
    output_bytes: u64,
    src: Src,
}

/// `alog.tokens/1`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
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
    by: String,
    session_turn: Option<u64>,
    call: Option<u64>,
    hour: Option<String>,
    day: Option<String>,
    week: Option<String>,
    month: Option<String>,
    project: Option<String>,
    t_last: Option<String>,
    calls: u64,
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    total_tokens: u64,
    context_tokens: Option<u64>,
    context_window: Option<u64>,
    duplicates: u64,
    resets: u64,
    cost_usd: Option<f64>,
    unpriced_tokens: Option<u64>,
    rate_limits: Option<Limits>,
    src: Src,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Counted>>,
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
}

/// How an account's limits went.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    primary: Option<Limit>,
    secondary: Option<Limit>,
}

/// How one of them went.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    first: Value,
    last: Value,
    peak: Value,
    resets_at: Option<i64>,
    window_minutes: Option<i64>,
}

/// A row that a record was made of, and what it added.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    src: Src,
    #[serde(rename = "use")]
    how: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_read_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
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
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    is_final: Option<bool>,
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

//! `alog-tokens`: usage, groups, costs, limits.

mod explain;
mod groups;
mod rows;
mod truth;

use crate::programs::{TOKENS, Written};
use serde_json::Value;
use testkit::Cmd;

/// `alog-tokens`, about to run, with days of UTC.
fn tokens() -> Cmd {
    Cmd::new(TOKENS).args(["--zone", "UTC"])
}

/// The keys that add up over groups.
const SUMS: [&str; 9] = [
    "calls",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "duplicates",
    "resets",
];

/// What the records come to together.
fn sums(records: &[Value]) -> [u64; SUMS.len()] {
    SUMS.map(|key| records.iter().map(|record| record[key].as_u64().expect(key)).sum())
}

/// The records of a log, by these keys and with these flags.
fn by(written: &Written, keys: &str, flags: &[&str]) -> Vec<Value> {
    tokens().args(["--by", keys]).args(flags).args(&written.paths).run().expect_code(0).rows()
}

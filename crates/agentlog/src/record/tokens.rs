//! `alog.tokens/1`: what a group of calls used up.

use super::{
    COUNTED_ROWS, FINAL, Field, RecordKind, RecordWriter, Shape, SrcPath, Values, field, key,
};
use crate::fold::tokens::Group;

/// The record of `alog-tokens`.
pub const TOKENS: RecordKind = RecordKind {
    schema: "alog.tokens/1",
    about: "what a group of calls used up",
    own: OWN,
    table: &["t", "provider", "sid", "model", "calls", "total_tokens"],
    rows: Some(&COUNTED_ROWS),
    is_final: Some(&FINAL),
};

const OWN: &[Field] = &[
    field("by", Shape::Text, "what calls are grouped by, as it was asked for"),
    field("session_turn", Shape::Count, "group key: ordinal of the turn in its session, from 1"),
    field("call", Shape::Count, "group key: ordinal of the call in its session, from 1"),
    field("hour", Shape::Text, "group key: start of the hour, with the offset of --zone"),
    field("day", Shape::Text, "group key: YYYY-MM-DD in --zone"),
    field("week", Shape::Text, "group key: ISO week in --zone, such as 2025-W47"),
    field("month", Shape::Text, "group key: YYYY-MM in --zone"),
    field("project", Shape::Text, "group key: working directory"),
    field("t_last", Shape::Time, "when the last counted row was written"),
    field("calls", Shape::Count, "calls to a model that were counted"),
    field("input_tokens", Shape::Count, "fresh input"),
    field("cache_read_tokens", Shape::Count, "input read from the cache"),
    field("cache_write_tokens", Shape::Count, "input written to the cache"),
    field("output_tokens", Shape::Count, "output, reasoning included"),
    field("reasoning_tokens", Shape::Count, "the part of the output that was reasoning"),
    field("total_tokens", Shape::Count, "input, cache_read, cache_write and output"),
    field("context_tokens", Shape::Count, "what the latest call had in its context"),
    field("context_window", Shape::Count, "the most that its model takes, if the log says"),
    field("duplicates", Shape::Count, "rows that only repeated what was counted"),
    field("resets", Shape::Count, "how often the totals of a process restarted"),
    field("cost_usd", Shape::Number, "with --cost: dollars for what has a price, not rounded"),
    field("unpriced_tokens", Shape::Count, "with --cost: tokens that have no price"),
    field("rate_limits", Shape::Limits, "how the account's limits went; null if not told"),
];

/// Appends a whole record. `paths` holds the path of each file of the input.
pub fn tokens_into(group: &Group, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
    let mut record = RecordWriter::begin(out, TOKENS.schema, index, group.t());
    tokens_values(group, paths, &mut record);
    if explain {
        record.counted_rows(paths, &group.rows);
    }
    record.end();
}

/// The values behind `t`, `src` among them.
pub fn tokens_values(group: &Group, paths: &[SrcPath], record: &mut impl Values) {
    let key = &group.key;
    record.head(group.head());
    record.name(key!("by"), Some(&group.by));
    record.count(key!("session_turn"), key.session_turn);
    record.count(key!("call"), key.call);
    record.shown(key!("hour"), key.hour);
    record.shown(key!("day"), key.day);
    record.shown(key!("week"), key.week);
    record.shown(key!("month"), key.month);
    record.str(key!("project"), key.project.as_deref());
    record.time(key!("t_last"), group.t_last());
    record.count(key!("calls"), Some(group.calls));
    record.token_keys(&group.tokens);
    record.count(key!("context_tokens"), group.context_tokens());
    record.count(key!("context_window"), group.context_window());
    record.count(key!("duplicates"), Some(group.duplicates));
    record.count(key!("resets"), Some(group.resets));
    record.money(key!("cost_usd"), group.cost.and_then(|cost| cost.usd));
    record.count(key!("unpriced_tokens"), group.cost.map(|cost| cost.unpriced));
    record.limits(key!("rate_limits"), &group.limits);
    record.src(paths, &group.src());
}

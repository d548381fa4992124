//! `alog.turn/1`: a prompt, how its turn ended, and what it took.

use super::{
    COUNTED_ROWS, FINAL, Field, RecordKind, RecordWriter, Shape, SrcPath, TOKEN_KEYS, Values,
    field, key,
};
use crate::fold::turns::Turn;

/// The record of `alog-turns`.
pub const TURN: RecordKind = RecordKind {
    schema: "alog.turn/1",
    about: "a turn: a prompt, how it ended, the last reply, and what it took",
    own: OWN,
    table: &["t", "provider", "sid", "status", "duration_ms", "tool_calls", "prompt", "reply"],
    rows: Some(&COUNTED_ROWS),
    is_final: Some(&FINAL),
};

const STATUSES: &[&str] = &["completed", "aborted", "shutdown", "superseded", "open"];

const OWN: &[Field] = &[
    field("session_turn", Shape::Count, "ordinal of the turn in its session, from 1"),
    field("prompt", Shape::Text, "what was typed"),
    field("status", Shape::OneOf(STATUSES), "how the turn ended"),
    field("t_end", Shape::Time, "when it was completed, aborted or shut down"),
    field("duration_ms", Shape::Count, "from the prompt to the end, in milliseconds"),
    field("idle_t", Shape::Time, "when the agent was idle again; null if that was not logged"),
    field("reply", Shape::Text, "the last whole message of the agent"),
    field("replies", Shape::Count, "whole messages of the agent"),
    field("responses", Shape::Count, "requests that went to the model"),
    field("tool_calls", Shape::Count, "tool calls that were announced, finished or not"),
    field("tool_errors", Shape::Count, "tool calls whose result is an error"),
    field(
        "tokens",
        Shape::Counts(TOKEN_KEYS),
        "tokens that the turn used up; null if none were logged",
    ),
    field("repaired", Shape::Bool, "whether the rounds of its rows contradicted each other"),
];

/// Appends a whole record. `paths` holds the path of each file of the input.
pub fn turn_into(turn: &Turn, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
    let mut record = RecordWriter::begin(out, TURN.schema, index, turn.t);
    turn_values(turn, paths, &mut record);
    if explain {
        record.counted_rows(paths, &turn.rows);
    }
    record.end();
}

/// The values behind `t`, `src` among them.
pub fn turn_values(turn: &Turn, paths: &[SrcPath], record: &mut impl Values) {
    let count = |n: u64| Some(n as i64);
    record.head(&turn.head);
    record.int(key!("session_turn"), turn.session_turn.and_then(count));
    record.text(key!("prompt"), turn.prompt.as_ref());
    record.name(key!("status"), Some(turn.status.name()));
    record.time(key!("t_end"), turn.t_end);
    record.int(key!("duration_ms"), turn.duration_ms());
    record.time(key!("idle_t"), turn.idle_t);
    record.text(key!("reply"), turn.reply.as_ref());
    record.int(key!("replies"), count(turn.replies));
    record.int(key!("responses"), count(turn.responses));
    record.int(key!("tool_calls"), count(turn.tool_calls));
    record.int(key!("tool_errors"), count(turn.tool_errors));
    record.tokens(key!("tokens"), turn.tokens.as_ref());
    record.bool(key!("repaired"), Some(turn.repaired));
    record.src(paths, &turn.src);
}

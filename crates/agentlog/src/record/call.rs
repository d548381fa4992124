//! `alog.call/1`: a tool call with its life; `alog.call_stats/1`: what the calls of a tool come to.

use super::{FINAL, Field, ROWS, RecordKind, RecordWriter, Shape, SrcPath, Values, field, key};
use crate::fold::calls::{Call, CallKind, CallStats, State};

/// The record of `alog-calls`.
pub const CALL: RecordKind = RecordKind {
    schema: "alog.call/1",
    about: "a tool call, with its life and the rules it broke",
    own: OWN,
    table: &[
        "t",
        "provider",
        "sid",
        "name",
        "kind",
        "state",
        "exit_code",
        "duration_ms",
        "violations",
    ],
    rows: Some(&ROWS),
    is_final: Some(&FINAL),
};

/// The record of `alog-calls --stats`.
pub const CALL_STATS: RecordKind = RecordKind {
    schema: "alog.call_stats/1",
    about: "what the calls of a tool come to",
    own: STATS,
    table: &[
        "provider",
        "name",
        "kind",
        "calls",
        "completed",
        "failed",
        "unanswered",
        "cancelled",
        "violating",
        "p50_ms",
        "p95_ms",
        "args_bytes",
        "output_bytes",
    ],
    rows: None,
    is_final: None,
};

const KIND: Field = field("kind", Shape::OneOf(&CallKind::NAMES), "kind of tool");

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "id of the call"),
    field("item_id", Shape::Text, "id of the item that announced it (Codex)"),
    field("request_id", Shape::Text, "request that announced it (Claude)"),
    field("name", Shape::Text, "name of the tool"),
    KIND,
    field("state", Shape::OneOf(&State::NAMES), "what became of it"),
    field("ok", Shape::Bool, "whether it went well; null if nothing tells"),
    field("exit_code", Shape::Integer, "exit code of a command"),
    field("t_begin", Shape::Time, "when it began to run"),
    field("t_end", Shape::Time, "when it ended"),
    field("duration_ms", Shape::Count, "from begin to end, in milliseconds"),
    field("args_bytes", Shape::Count, "bytes of the arguments"),
    field("output_bytes", Shape::Count, "bytes of the result"),
    field("truncated", Shape::Bool, "whether the writer cut arguments or output short"),
    field("session_turn", Shape::Count, "ordinal of its turn in the session"),
    field("violations", Shape::Json, "rules that it broke: {code, severity, rule, detail, src}"),
];

const STATS: &[Field] = &[
    field("name", Shape::Text, "name of the tool"),
    KIND,
    field("calls", Shape::Count, "how many calls"),
    field("completed", Shape::Count, "calls with a result, and no sign of failure"),
    field("failed", Shape::Count, "calls with a result, and failed"),
    field("unanswered", Shape::Count, "calls whose turn ended without a result"),
    field("cancelled", Shape::Count, "calls whose turn was cut off"),
    field("pending", Shape::Count, "calls whose turn is open"),
    field("unknown", Shape::Count, "unanswered calls of sessions without any result"),
    field("orphan", Shape::Count, "results without a call"),
    field("failures", Shape::Count, "calls that went wrong, with a result or without"),
    field("violating", Shape::Count, "calls that broke a rule"),
    field("p50_ms", Shape::Count, "half of the calls took at most so long"),
    field("p95_ms", Shape::Count, "95 of 100 calls took at most so long"),
    field("args_bytes", Shape::Count, "bytes of all arguments"),
    field("output_bytes", Shape::Count, "bytes of all results"),
];

/// Appends a whole record. `paths` holds the path of each file of the input.
pub fn call_into(call: &Call, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
    let mut record = RecordWriter::begin(out, CALL.schema, index, call.t);
    call_values(call, paths, &mut record);
    if explain {
        record.rows(paths, &call.rows);
    }
    record.end();
}

/// The values behind `t`, `src` among them.
pub fn call_values(call: &Call, paths: &[SrcPath], record: &mut impl Values) {
    record.head(&call.head);
    record.str(key!("call_id"), call.call_id.as_deref());
    record.str(key!("item_id"), call.item_id.as_deref());
    record.str(key!("request_id"), call.request_id.as_deref());
    record.str(key!("name"), call.name.as_deref());
    record.name(key!("kind"), call.kind.map(CallKind::name));
    record.name(key!("state"), Some(call.state.name()));
    record.bool(key!("ok"), call.ok);
    record.int(key!("exit_code"), call.exit_code);
    record.time(key!("t_begin"), call.t_begin);
    record.time(key!("t_end"), call.t_end);
    record.int(key!("duration_ms"), call.duration_ms);
    record.count(key!("args_bytes"), call.args_bytes);
    record.count(key!("output_bytes"), call.output_bytes);
    record.bool(key!("truncated"), call.truncated);
    record.count(key!("session_turn"), call.session_turn);
    record.violations(key!("violations"), &call.violations, paths);
    record.src(paths, &call.src);
}

/// Appends a whole record of `--stats`.
pub fn call_stats_into(tool: &CallStats, index: u64, paths: &[SrcPath], out: &mut Vec<u8>) {
    let mut record = RecordWriter::begin(out, CALL_STATS.schema, index, tool.t);
    record.head(&tool.head);
    record.str(key!("name"), tool.name.as_deref());
    record.name(key!("kind"), tool.kind.map(CallKind::name));
    let [completed, failed, unanswered, cancelled, pending, unknown, orphan] = tool.states;
    for (key, n) in [
        (key!("calls"), tool.calls),
        (key!("completed"), completed),
        (key!("failed"), failed),
        (key!("unanswered"), unanswered),
        (key!("cancelled"), cancelled),
        (key!("pending"), pending),
        (key!("unknown"), unknown),
        (key!("orphan"), orphan),
        (key!("failures"), tool.failures),
        (key!("violating"), tool.violating),
    ] {
        record.int(key, Some(n as i64));
    }
    record.int(key!("p50_ms"), tool.p50_ms);
    record.int(key!("p95_ms"), tool.p95_ms);
    record.int(key!("args_bytes"), Some(tool.args_bytes as i64));
    record.int(key!("output_bytes"), Some(tool.output_bytes as i64));
    record.src(paths, &tool.src);
    record.end();
}

//! `tool_usage_stats`: how a tool was used.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tool_usage_stats",
    about: "how a tool was used",
    sources: "logs of both agents",
    own: OWN,
    key: &["provider", "kind", "name"],
    table: &["provider", "kind", "name", "calls", "failed", "p50_ms", "p95_ms"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(ToolUsageStats),
};

const OWN: &[Field] = &[
    field("kind", Shape::Text, "the kind of its calls"),
    field("name", Shape::Text, "the tool's name"),
    field("sessions", Shape::Count, "sessions that called it"),
    field("calls", Shape::Count, "calls"),
    field("failed", Shape::Count, "calls that failed"),
    field("p50_ms", Shape::Integer, "median duration in milliseconds, of calls that tell it"),
    field("p95_ms", Shape::Integer, "95th percentile of the durations"),
    field("bytes_in", Shape::Count, "bytes of all arguments"),
    field("bytes_out", Shape::Count, "bytes of all results"),
    field("parallel", Shape::Count, "most calls of it that were open at once in a session"),
    field("t_last", Shape::Time, "when it was called last"),
];

struct ToolUsageStats;

impl Mode for ToolUsageStats {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

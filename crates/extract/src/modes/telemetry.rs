//! `telemetry`: how fast a turn went.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "telemetry",
    about: "how fast a turn went",
    sources: "SSE logs; in transcripts and rollouts what they tell",
    own: OWN,
    key: &["sid", "session_turn"],
    table: &[
        "t",
        "provider",
        "sid",
        "session_turn",
        "status",
        "ttft_ms",
        "duration_ms",
        "deltas_per_s",
    ],
    takes: Takes { deltas: true, left_out: true, selected: false },
    make: |_| Box::new(Telemetry),
};

const OWN: &[Field] = &[
    field("session_turn", Shape::Count, "ordinal of the prompt in its session, from 1"),
    field("status", Shape::Text, "how the turn ended"),
    field("ttft_ms", Shape::Integer, "milliseconds from the prompt to the first delta"),
    field("duration_ms", Shape::Integer, "milliseconds from the prompt to the end"),
    field("deltas", Shape::Count, "deltas streamed"),
    field("delta_bytes", Shape::Count, "bytes streamed"),
    field("deltas_per_s", Shape::Number, "deltas a second, from the first to the last"),
    field("stalls", Shape::Count, "gaps of 5 s or more between deltas of one flow"),
    field("longest_gap_ms", Shape::Integer, "the longest gap between deltas of one flow"),
    field("responses", Shape::Count, "answers of the model"),
    field("errors", Shape::Count, "errors told in the turn"),
    field("background", Shape::Count, "background events"),
    field(
        "mcp_failed",
        Shape::Json,
        "MCP servers that failed to start, with why; null if nothing tells",
    ),
];

struct Telemetry;

impl Mode for Telemetry {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

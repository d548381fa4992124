//! `api_errors`: an error between agent and provider.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "api_errors",
    about: "an error between agent and provider",
    sources: "response.failed, turn.error, turn.stream_error, turn.warning, claude.tool_result with is_api_error, api_error in transcripts, error and stream_error in rollouts",
    own: OWN,
    key: &["src"],
    table: &["t", "provider", "sid", "kind", "code", "status", "message"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(ApiErrors),
};

const OWN: &[Field] = &[
    field(
        "kind",
        Shape::OneOf(&[
            "response_failed",
            "response_incomplete",
            "stream_error",
            "error",
            "warning",
            "api_error",
            "rate_limit",
        ]),
        "what was told",
    ),
    field("code", Shape::Text, "the provider's code or type of the error"),
    field("status", Shape::Integer, "HTTP status"),
    field("message", Shape::Text, "what was told"),
    field("response_id", Shape::Text, "the response that failed"),
    field("retry", Shape::Count, "how many times it was tried again before; null if nothing tells"),
];

struct ApiErrors;

impl Mode for ApiErrors {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `call_index`: a request to a provider.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "call_index",
    about: "a request to a provider",
    sources: "captured requests",
    own: OWN,
    key: &["src"],
    table: &["t", "provider", "sid", "call", "kind", "model", "messages", "tools", "body_bytes"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(CallIndex),
};

const OWN: &[Field] = &[
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field(
        "kind",
        Shape::OneOf(&[
            "messages",
            "count_tokens",
            "responses",
            "compact",
            "chat_completions",
            "other",
        ]),
        "what was asked for",
    ),
    field("method", Shape::Text, "HTTP method"),
    field("url", Shape::Text, "where it went"),
    field("host", Shape::Text, "the host of the URL"),
    field("messages", Shape::Count, "messages or input items in it"),
    field("tools", Shape::Count, "tools defined in it"),
    field("body_bytes", Shape::Count, "bytes of the body, as JSON"),
    field("stream", Shape::Bool, "whether the answer was to be streamed"),
    field("linked_flow", Shape::Text, "the flow of the answer"),
    field("linked_response", Shape::Text, "the id of the answer: message or response"),
    field(
        "linked_request_id",
        Shape::Text,
        "the provider's id of the request, as the answer tells it",
    ),
    field("linked_t", Shape::Time, "when the answer began"),
    field("link_gap_ms", Shape::Integer, "milliseconds from the request to its answer"),
];

struct CallIndex;

impl Mode for CallIndex {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

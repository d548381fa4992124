//! `call_linkage`: what a request, or a tool call inside one, belongs to.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "call_linkage",
    about: "what a request, or a tool call inside one, belongs to",
    sources: "captured requests with SSE logs",
    own: OWN,
    key: &["link", "call", "call_id"],
    table: &["t", "provider", "sid", "link", "call", "call_id", "state", "flow"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(CallLinkage),
};

const OWN: &[Field] = &[
    field("link", Shape::OneOf(&["request", "function_call"]), "what is linked"),
    field(
        "state",
        Shape::OneOf(&["linked", "unlinked", "answered", "unanswered", "orphan"]),
        "whether the answer, or the output, is there",
    ),
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field("call_id", Shape::Text, "what names the tool call"),
    field("name", Shape::Text, "the tool's name"),
    field("call_item", Shape::Count, "place of the call in the messages or input, from 0"),
    field("output_item", Shape::Count, "place of its output"),
    field("flow", Shape::Text, "the flow of the answer"),
    field("response_id", Shape::Text, "the id of the answer: message or response"),
    field("request_id", Shape::Text, "the provider's id of the request"),
    field("gap_ms", Shape::Integer, "milliseconds from the request to its answer"),
    field("session_turn", Shape::Count, "ordinal of the turn's prompt in its session, from 1"),
    field("prompt", Shape::Text, "the prompt of the turn"),
];

struct CallLinkage;

impl Mode for CallLinkage {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `function_call_errors`: a tool call that went wrong.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "function_call_errors",
    about: "a tool call that went wrong",
    sources: "logs of both agents; captured requests where no log tells it",
    own: OWN,
    key: &["sid", "call_id", "class"],
    table: &["t", "provider", "sid", "call_id", "name", "class", "exit_code", "excerpt"],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(FunctionCallErrors),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field("name", Shape::Text, "the tool's name"),
    field(
        "class",
        Shape::OneOf(&[
            "timeout",
            "rejected",
            "not_found",
            "bad_args",
            "exit_code",
            "is_error",
            "failed",
            "text",
        ]),
        "what went wrong, the first that fits",
    ),
    field("exit_code", Shape::Integer, "exit code of a command"),
    field("excerpt", Shape::Text, "the first 500 characters that tell of it"),
];

struct FunctionCallErrors;

impl Mode for FunctionCallErrors {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

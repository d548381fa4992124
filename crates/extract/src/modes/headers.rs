//! `headers`: an HTTP header that requests were sent with.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "headers",
    about: "an HTTP header that requests were sent with",
    sources: "captured requests",
    own: OWN,
    key: &["provider", "name"],
    table: &["t", "provider", "name", "value", "distinct", "uses"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(Headers),
};

const OWN: &[Field] = &[
    field("name", Shape::Text, "the name, in lower case"),
    field(
        "value",
        Shape::Text,
        "its value, if all requests have the same one, else that of the last",
    ),
    field("distinct", Shape::Count, "how many values it had"),
    field("uses", Shape::Count, "how many requests had it"),
    field("identifies", Shape::Bool, "whether it names a session or conversation"),
    field("t_last", Shape::Time, "when it was sent last"),
];

struct Headers;

impl Mode for Headers {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

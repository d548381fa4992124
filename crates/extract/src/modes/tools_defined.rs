//! `tools_defined`: a tool that was offered to the model, once for each definition and session.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tools_defined",
    about: "a tool that was offered to the model, once for each definition and session",
    sources: "captured requests",
    own: OWN,
    key: &["sid", "name", "sha256"],
    table: &["t", "provider", "sid", "name", "kind", "bytes", "uses"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(ToolsDefined),
};

const OWN: &[Field] = &[
    field("name", Shape::Text, "the tool's name"),
    field("kind", Shape::Text, "its type: function, custom, or a type of the provider's own"),
    field("sha256", Shape::Text, "SHA-256 of the definition, in hex"),
    field("bytes", Shape::Count, "bytes of the definition, as JSON"),
    field("description", Shape::Text, "what the model is told of it"),
    field("parameters", Shape::Json, "the schema of its arguments, or the format of its input"),
    field("uses", Shape::Count, "how many requests offered it"),
    field("t_last", Shape::Time, "when it was offered last"),
];

struct ToolsDefined;

impl Mode for ToolsDefined {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! `model_identity_cutoff`: which model a session was told to be, asked for, and was given.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "model_identity_cutoff",
    about: "which model a session was told to be, asked for, and was given",
    sources: "captured requests, SSE logs, transcripts, rollouts",
    own: OWN,
    key: &["sid", "claimed", "requested", "served"],
    table: &["t", "provider", "sid", "claimed", "requested", "served", "cutoff", "mismatch"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(ModelIdentityCutoff),
};

const OWN: &[Field] = &[
    field("claimed", Shape::Text, "the model that the system prompt names"),
    field("claimed_id", Shape::Text, "the exact id that it names"),
    field("cutoff", Shape::Text, "the knowledge cutoff that it names"),
    field("requested", Shape::Text, "the model that was asked for"),
    field("served", Shape::Text, "the model that answered"),
    field("mismatch", Shape::Bool, "whether two of the ids that are known differ"),
    field("found_in", Shape::Text, "where the claim was found"),
    field("text", Shape::Text, "the sentence that claims it"),
    field("uses", Shape::Count, "how often this was seen"),
    field("t_last", Shape::Time, "when it was seen last"),
];

struct ModelIdentityCutoff;

impl Mode for ModelIdentityCutoff {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

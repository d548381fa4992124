//! `patches`: a patch that Codex applied.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "patches",
    about: "a patch that Codex applied",
    sources: "turn.patch_apply.begin and .end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "state", "ok", "files"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(Patches),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field(
        "state",
        Shape::OneOf(&["ended", "never_ended", "end_only"]),
        "which of its rows are there",
    ),
    field("auto_approved", Shape::Bool, "whether nobody was asked"),
    field(
        "files",
        Shape::Json,
        "for each file {path, change, move_path, added, removed}: lines added and removed",
    ),
    field("added", Shape::Count, "lines added"),
    field("removed", Shape::Count, "lines removed"),
    field("ok", Shape::Bool, "whether it went well"),
    field("stdout", Shape::Text, "what was said of it"),
    field("stderr", Shape::Text, "what went wrong"),
    field("t_end", Shape::Time, "when it ended"),
];

struct Patches;

impl Mode for Patches {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

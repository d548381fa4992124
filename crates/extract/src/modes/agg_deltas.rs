//! `agg_deltas`: a streamed item put together from its deltas, as alog-deltas gives it.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "agg_deltas",
    about: "a streamed item put together from its deltas, as alog-deltas gives it",
    sources: "as alog-deltas",
    own: agentlog::record::DELTA.own,
    key: &["sid", "item_id", "request_id", "block_index"],
    table: &["t", "provider", "sid", "kind", "status", "text"],
    takes: Takes { deltas: true, left_out: true, selected: false },
    make: |_| Box::new(AggDeltas),
};

struct AggDeltas;

impl Mode for AggDeltas {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

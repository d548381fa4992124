//! Token counts of one millisecond, in the order of their totals: Codex writes its rows from several
//! tasks, so that two of one instant may stand in the log the wrong way round, and the smaller one
//! would look like a counter that started anew.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::turn_book::TurnKey;
use crate::event::{Event, Head, LeftOut, Src, What};

/// Rows of one millisecond that tell totals.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Ties {
    held: Vec<Held>,
}

/// A row that tells totals, and the turn it was placed in.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct Held {
    t: i64,
    total: u64,
    src: Src,
    #[serde(with = "crate::state::head")]
    head: Arc<Head>,
    #[serde(with = "counts")]
    what: What,
    left_out: Option<LeftOut>,
    pub turn: Option<TurnKey>,
}

/// For a state that is kept: only token counts are held.
mod counts {
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::event::{TokenCount, What};

    pub(super) fn serialize<S: Serializer>(what: &What, to: S) -> Result<S::Ok, S::Error> {
        match what {
            What::TokenCount(count) => count.serialize(to),
            _ => Err(S::Error::custom("not a token count")),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<What, D::Error> {
        TokenCount::deserialize(from).map(|count| What::TokenCount(Box::new(count)))
    }
}

impl Held {
    /// The row as it was fed.
    pub fn event(&self) -> Event<'_> {
        let Self { t, src, head, what, left_out, .. } = self;
        let (t, left_out) = (Some(*t), *left_out);
        Event { t, src: *src, head, what, arena: &[], left_out, extra: None }
    }
}

impl Ties {
    /// Holds a row back; false if it tells no totals, or has no time to wait for.
    pub fn hold(&mut self, event: &Event<'_>, turn: Option<TurnKey>) -> bool {
        let What::TokenCount(count) = event.what else { return false };
        let (Some(t), Some(totals)) = (event.t, count.totals) else { return false };
        let total = totals.reading().total();
        let (head, what) = (Arc::clone(event.head), event.what.clone());
        let (src, left_out) = (event.src, event.left_out);
        self.held.push(Held { t, total, src, head, what, left_out, turn });
        true
    }

    /// The rows before `t`, in order.
    pub fn before(&mut self, t: i64) -> Vec<Held> {
        if self.held.first().is_none_or(|held| held.t >= t) {
            return Vec::new();
        }
        let mut rows = std::mem::take(&mut self.held);
        rows.sort_by_key(|held| (held.t, held.total));
        self.held = rows.split_off(rows.partition_point(|held| held.t < t));
        rows
    }
}

//! The rows of logs as columns: each block's are gathered where it is decoded.

use std::collections::BTreeSet;

use agentlog::capture::Request;
use agentlog::native;
use agentlog::record::{event_values, native_event_values, request_event_values};
use agentlog::sse;
use cli::{Choice, Chosen, Decode};
use warehouse::{Columns, View};

/// What a query wants of the rows.
pub struct EventRows<'a> {
    /// The columns that it reads.
    pub columns: &'a [String],
    /// The events' names, if it wants but some.
    pub events: Option<&'a BTreeSet<String>>,
    pub choice: Choice<'a>,
}

/// The columns of a block.
#[derive(Default)]
pub struct Block(pub Option<Columns>);

impl EventRows<'_> {
    fn fill(&self, block: &mut Block, fill: impl FnOnce(&mut Columns)) {
        let wanted = |name: &str| self.columns.iter().any(|column| column == name);
        let columns = block.0.get_or_insert_with(|| Columns::new(View::Events, wanted));
        columns.begin();
        fill(columns);
    }
}

impl Decode for EventRows<'_> {
    /// The session, if sessions are asked for.
    type Value = Option<String>;
    type Memory = Block;

    fn wants(&self, event: &str) -> bool {
        self.events.is_none_or(|wanted| wanted.contains(event))
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], block: &mut Block) -> Option<Option<String>> {
        let Chosen::Yes { sid } = self.choice.row(row) else { return None };
        self.fill(block, |columns| event_values(row, columns));
        Some(sid)
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        thread: Option<&native::Meta>,
        _: &[u8],
        block: &mut Block,
        each: &mut dyn FnMut(Option<String>),
    ) {
        if !self.wants(&row.name()) {
            return;
        }
        if let Chosen::Yes { sid } = self.choice.native(row, thread) {
            self.fill(block, |columns| native_event_values(row, thread, columns));
            each(sid);
        }
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(
        &self,
        request: &Request<'_>,
        _: &[u8],
        block: &mut Block,
    ) -> Option<Option<String>> {
        if !self.wants(request.kind().event()) {
            return None;
        }
        let Chosen::Yes { sid } = self.choice.request(request) else { return None };
        self.fill(block, |columns| request_event_values(request, columns));
        Some(sid)
    }
}

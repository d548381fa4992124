//! The rows of logs as columns: each block's are gathered where it is decoded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use agentlog::capture::Request;
use agentlog::event::{Event, Extra, Src};
use agentlog::fold::{BadState, Fold, Resume};
use agentlog::native::{self, Wants};
use agentlog::record::{event_values, native_event_values, request_event_values};
use agentlog::sse;
use cli::{Choice, Chosen, Decode, Kept, Memory};
use warehouse::{Columns, Row, View};

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

/// The rows of logs one by one, as the ordered stage takes them.
pub struct KeptRows;

/// A row whose turn has come.
pub struct KeptEvent {
    pub t: Option<i64>,
    pub src: Src,
    pub values: Row,
}

/// What is kept beside a row until then: it is taken from there, once.
struct Waiting(Mutex<Row>);

fn waiting(values: Row) -> Arc<Extra> {
    Arc::new(Waiting(Mutex::new(values)))
}

/// Hands rows on.
pub struct Onward;

impl Decode for KeptRows {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, _: &str) -> bool {
        true
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], memory: &mut Memory) -> Option<Kept> {
        let mut values = Row::default();
        event_values(row, &mut values);
        Some(memory.keep_with(row, |_, _| None, Some(waiting(values))))
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        thread: Option<&native::Meta>,
        raw: &[u8],
        memory: &mut Memory,
        each: &mut dyn FnMut(Kept),
    ) {
        let mut values = Row::default();
        native_event_values(row, thread, &mut values);
        memory.keep_native(row, raw, Wants::default(), Some(waiting(values)), each);
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(&self, request: &Request<'_>, _: &[u8], memory: &mut Memory) -> Option<Kept> {
        let mut values = Row::default();
        request_event_values(request, &mut values);
        Some(memory.keep_beside(request.head(), waiting(values)))
    }
}

impl Fold for Onward {
    type Record = KeptEvent;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<KeptEvent>) {
        let Some(Waiting(values)) = event.extra.and_then(|extra| extra.downcast_ref()) else {
            return;
        };
        if let Ok(mut values) = values.lock() {
            let values = std::mem::take(&mut *values);
            out.push(KeptEvent { t: event.t, src: event.src, values });
        }
    }

    fn advance(&mut self, _: i64, _: &mut Vec<KeptEvent>) {}

    fn waits(&self) -> bool {
        false
    }

    fn finish(&mut self, _: &mut Vec<KeptEvent>) {}
}

/// There is nothing to keep: rows go on as they come.
impl Resume for Onward {
    fn save(&self, _: &mut Vec<u8>) {}

    fn load(&mut self, _: &[u8]) -> Result<(), BadState> {
        Ok(())
    }
}

//! Events with `--state-file`: rows go through the ordered stage of folds, by a fold that hands them on.

use std::sync::Arc;

use agentlog::capture::Request;
use agentlog::event::{Event, Head, Src};
use agentlog::fold::{BadState, Fold, Resume};
use agentlog::native::{self, Wants};
use agentlog::record::{
    EVENT, RecordKind, RecordWriter, SrcPath, Values, event_into, native_event_into,
    request_event_into,
};
use agentlog::sse;
use agentlog::state;
use cli::{Decode, Kept, Memory, Record};

use crate::rows::EventRows;

/// Keeps the wanted rows as folds get them.
pub struct OnwardRows<'a>(pub EventRows<'a>);

/// What is kept of a row: the record but for its ends, or the source line.
struct Body {
    text: Vec<u8>,
    /// Whose it is, as far as that is asked for.
    head: Arc<Head>,
}

/// An event, ready to be printed but for its place in the output.
pub struct Row {
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
    text: Vec<u8>,
}

/// Hands rows on.
pub struct Onward;

impl Row {
    /// The source line, if lines were asked for.
    pub fn line(&self) -> &[u8] {
        &self.text
    }
}

impl Decode for OnwardRows<'_> {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, event: &str) -> bool {
        self.0.wants(event)
    }

    fn value(&self, row: &sse::Row<'_>, raw: &[u8], memory: &mut Memory) -> Option<Kept> {
        let head = self.0.selected_head(|| row.head())?;
        let body = self.body(head, raw, |text| event_into(row, text));
        Some(memory.keep_with(row, |_, _| None, Some(body)))
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        thread: Option<&native::Meta>,
        raw: &[u8],
        memory: &mut Memory,
        each: &mut dyn FnMut(Kept),
    ) {
        if !self.wants(&row.name()) {
            return;
        }
        let of_thread = || {
            let (head, sid) = (row.head(), thread.map(|own| own.session().to_owned()));
            let cwd = head.cwd.clone().or_else(|| thread?.cwd.clone());
            Head { sid: sid.or_else(|| head.sid.clone()), cwd, ..head }
        };
        let Some(head) = self.0.selected_head(of_thread) else { return };
        let body = self.body(head, raw, |text| native_event_into(row, thread, text));
        memory.keep_native(row, raw, Wants::default(), Some(body), each);
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(&self, request: &Request<'_>, raw: &[u8], memory: &mut Memory) -> Option<Kept> {
        if !self.wants(request.kind().event()) {
            return None;
        }
        let head = self.0.selected_head(|| request.head())?;
        let body = self.body(head, raw, |text| request_event_into(request, text));
        Some(memory.keep_beside(request.head(), body))
    }
}

impl OnwardRows<'_> {
    fn body(
        &self,
        head: Arc<Head>,
        raw: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Arc<agentlog::event::Extra> {
        let mut text = Vec::new();
        if self.0.is_raw() {
            text.extend_from_slice(raw);
        } else {
            write(&mut text);
        }
        Arc::new(Body { text, head })
    }
}

impl Fold for Onward {
    type Record = Row;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Row>) {
        if let Some(Body { text, head }) = event.extra.and_then(|extra| extra.downcast_ref()) {
            let (head, text) = (Arc::clone(head), text.clone());
            out.push(Row { t: event.t, src: event.src, head, text });
        }
    }

    fn advance(&mut self, _: i64, _: &mut Vec<Row>) {}

    fn waits(&self) -> bool {
        false
    }

    fn finish(&mut self, _: &mut Vec<Row>) {}
}

/// What its state is called.
const KIND: &str = "events";

impl Resume for Onward {
    fn save(&self, out: &mut Vec<u8>) {
        state::write(KIND, &(), out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        state::read(KIND, bytes)
    }
}

impl Record for Row {
    const KIND: &'static RecordKind = &EVENT;

    fn t(&self) -> Option<i64> {
        self.t
    }

    fn src(&self) -> Src {
        self.src
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn id(&self) -> Option<&str> {
        None
    }

    fn write(&self, index: u64, paths: &[SrcPath], _: bool, out: &mut Vec<u8>) {
        RecordWriter::begin(out, EVENT.schema, index, self.t);
        out.extend_from_slice(&self.text);
        let mut record = RecordWriter::new(out);
        record.src(paths, &self.src);
        record.end();
    }
}

//! A streamed item while it is open.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::part::Part;
use super::{Delta, Due, Options, Status};
use crate::event::{Event, Head, Src, StreamKind};
use crate::fold::{Agreed, Used};
use crate::json::{self, Text};

/// What is held of an item.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
#[allow(clippy::struct_field_names, reason = "ids are called as in records")]
pub(super) struct Item {
    pub item_id: Option<String>,
    pub request_id: Option<String>,
    pub block_index: Option<i64>,
    pub call_id: Option<String>,
    pub name: Option<String>,
    pub kind: Option<StreamKind>,
    /// Whether a row said that it starts.
    pub started: bool,
    /// Whether a row said that it is over.
    pub ended: bool,
    /// What that row says that its text is.
    pub done: Option<Vec<u8>>,
    /// Until when it waits, if it seems to be over.
    pub due: Option<Due>,
    /// Whether it was given out, and nothing came since: its stream seemed to have stopped.
    pub was_told: bool,
    /// What all rows but twins tell.
    own: Told,
    /// What the `turn.*` twins tell. Until they are needed they change nothing.
    twins: Option<Box<Told>>,
}

/// What rows tell of an item.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
struct Told {
    head: Agreed,
    /// The head of the first row: a flow that other rows may contradict.
    #[serde(with = "crate::state::some_head")]
    first: Option<Arc<Head>>,
    /// Time and row of the first delta, or of the first row as long as there is none.
    start: Option<(Option<i64>, Src)>,
    t_last: Option<i64>,
    /// When its last row was written, whatever that is.
    t_row: Option<i64>,
    /// What the deltas seem to be.
    kind: Option<StreamKind>,
    /// The texts, in order of their numbers.
    parts: Vec<Part>,
    /// Files whose rows it has, first come first: rows of Claude are in order of their places.
    files: Vec<u32>,
    rows: Vec<Used>,
}

/// A piece of an item.
#[derive(Clone, Copy)]
pub(super) struct Given<'e> {
    /// `sequence_number`.
    pub seq: Option<i64>,
    pub part: i64,
    pub kind: StreamKind,
    pub text: &'e [u8],
    /// Whether it comes from a `turn.*` twin.
    pub twin: bool,
}

impl Told {
    #[inline]
    fn saw(&mut self, event: &Event<'_>, how: &'static str, options: Options) {
        if self.start.is_none() {
            self.start = Some((event.t, event.src));
            self.first = Some(Arc::clone(event.head));
        }
        self.t_row = self.t_row.max(event.t);
        self.head.add(event.head);
        if options.explain {
            self.rows.push(Used { src: event.src, how });
        }
    }

    #[inline]
    fn push(&mut self, event: &Event<'_>, given: Given<'_>) {
        if !self.streamed() {
            self.start = Some((event.t, event.src));
        }
        self.t_last = self.t_last.max(event.t);
        self.kind = self.kind.or(Some(given.kind));
        let order = given.seq.unwrap_or_else(|| self.place(event.src));
        let row = self.rows.len().saturating_sub(1);
        self.part(given.part).push(order, given.text, row);
    }

    /// Rows of a file in physical order; files in the order in which the item's rows came.
    fn place(&mut self, src: Src) -> i64 {
        let rank = self.files.iter().position(|file| *file == src.file).unwrap_or_else(|| {
            self.files.push(src.file);
            self.files.len() - 1
        });
        (rank as i64) << 48 | src.offset as i64
    }

    fn part(&mut self, index: i64) -> &mut Part {
        let at = match self.parts.binary_search_by_key(&index, |part| part.index) {
            Ok(at) => at,
            Err(at) => {
                self.parts.insert(at, Part::new(index));
                at
            }
        };
        &mut self.parts[at]
    }

    fn streamed(&self) -> bool {
        self.parts.iter().any(Part::streamed)
    }

    /// The texts of the parts with a blank line between.
    fn joined(&self) -> Vec<u8> {
        join(self.parts.iter().map(Part::text))
    }
}

impl Item {
    /// Counts a row of the item.
    #[inline]
    pub(super) fn saw(&mut self, event: &Event<'_>, how: &'static str, options: Options) {
        self.was_told = false;
        self.own.saw(event, how, options);
    }

    /// When its last row was written.
    pub(super) fn last_t(&self) -> Option<i64> {
        self.own.t_row.max(self.twins.as_ref().and_then(|twins| twins.t_row))
    }

    /// Takes a delta.
    #[inline]
    pub(super) fn push(&mut self, event: &Event<'_>, given: Given<'_>, options: Options) {
        self.was_told = false;
        if given.twin {
            let twins = self.twins.get_or_insert_default();
            twins.saw(event, "delta of the twin stream", options);
            twins.push(event, given);
        } else {
            self.own.saw(event, "delta", options);
            self.own.push(event, given);
        }
    }

    /// Whether the row before was of the same turn, told by its head.
    pub(super) fn is_of(&self, head: &Arc<Head>) -> bool {
        self.own.head.last_was(head)
    }

    /// Takes the done row of a part.
    pub(super) fn part_is_done(&mut self, index: i64, text: &[u8]) {
        let part = self.own.part(index);
        if part.done.is_none() {
            part.done = Some(text.to_vec());
        }
    }

    /// Whether it has deltas.
    pub(super) fn streamed(&self) -> bool {
        self.own.streamed()
    }

    /// Whether it is a block of a Claude message.
    fn is_block(&self) -> bool {
        self.block_index.is_some()
    }

    /// The head of its first row.
    pub(super) fn first_head(&self) -> Option<&Head> {
        self.own.first.as_deref()
    }

    /// Time and row that records are ordered by.
    pub(super) fn start(&self) -> (Option<i64>, Src) {
        self.told().start.unwrap_or_default()
    }

    /// What counts: twins as long as there are no deltas.
    fn told(&self) -> &Told {
        self.twins.as_deref().filter(|_| !self.streamed()).unwrap_or(&self.own)
    }

    /// Whether its parts are over, but not the item itself, which may have more of them.
    pub(super) fn is_between_parts(&self) -> bool {
        let has_parts = matches!(self.kind(), Some(StreamKind::Text | StreamKind::Reasoning));
        self.started && !self.ended && has_parts && !self.is_block()
    }

    /// What it is: as its start or done row says, else as its deltas seem to be.
    fn kind(&self) -> Option<StreamKind> {
        self.kind.or(self.told().kind)
    }

    /// Whether anything but twins tells of the item.
    pub(super) fn is_more_than_twins(&self) -> bool {
        self.own.start.is_some()
    }

    /// Whether it is told by twins, as far as is known.
    pub(super) fn is_by_twins(&self) -> bool {
        self.twins.is_some() && !self.streamed()
    }

    /// The turn has the stream itself: its twins are not needed.
    pub(super) fn drop_twins(&mut self) {
        self.twins = None;
    }

    /// Whether a row told the end of all that is known of it.
    pub(super) fn is_over(&self) -> bool {
        let parts = &self.own.parts;
        self.ended || !parts.is_empty() && parts.iter().all(|part| part.done.is_some())
    }

    /// Whether nothing more is expected: the whole text is what the done rows say, and nothing
    /// is left that a row could add.
    pub(super) fn is_whole(&self) -> bool {
        let is_call = matches!(self.kind(), Some(StreamKind::Arguments | StreamKind::Input));
        let named = is_call && self.call_id.is_some();
        if !(named && self.is_over() || self.ended) || self.is_block() {
            return false;
        }
        let whole = |done: &Vec<u8>| *done == self.own.joined();
        self.streamed()
            && self.own.parts.iter().all(|part| part.done.is_none() || part.may_agree())
            && !self.differs()
            && self.done.iter().all(whole)
    }

    /// Whether what was streamed differs from the done rows. A part is compared with its own; the
    /// whole with that of the item, if a part has none. What was not streamed does not differ.
    fn differs(&self) -> bool {
        let (told, twins) = (self.told(), self.is_by_twins());
        if !told.streamed() {
            return false;
        }
        let parts = &told.parts;
        if !twins && parts.iter().any(|part| part.agrees() == Some(false)) {
            return true;
        }
        if !twins && parts.iter().all(|part| part.done.is_some()) {
            return false;
        }
        let done = if twins { self.done_text() } else { self.done.clone() };
        done.is_some_and(|done| done != told.joined())
    }

    /// What the done rows say.
    fn done_text(&self) -> Option<Vec<u8>> {
        let whole = || self.done.clone();
        if self.own.parts.is_empty() {
            return whole();
        }
        let texts = self.own.parts.iter().map(|part| part.done.as_deref());
        texts.collect::<Option<Vec<&[u8]>>>().map(join).or_else(whole)
    }

    fn text(&self) -> Option<Text> {
        let told = self.told();
        match &told.parts[..] {
            [part] if part.streamed() => Some(Text::from_wtf8(&part.text())),
            _ if told.streamed() => Some(Text::from_wtf8(&told.joined())),
            _ => Some(Text::from_wtf8(&self.done_text()?)),
        }
    }

    fn status(&self, text: Option<&Text>) -> Status {
        let claude = self.is_block();
        let invalid = || match (self.kind(), text) {
            (Some(StreamKind::Arguments), Some(text)) => {
                !(claude && text.as_bytes().is_empty() || is_object(text))
            }
            _ => false,
        };
        match () {
            () if claude && !self.started => Status::Orphan,
            () if !self.is_over() => Status::Open,
            () if self.differs() => Status::Mismatch,
            () if invalid() => Status::InvalidJson,
            () => Status::Complete,
        }
    }

    /// The record.
    pub(super) fn record(mut self, options: Options) -> Delta {
        let deltas = self.told().parts.iter().map(Part::count).sum::<usize>() as u64;
        let text = self.text();
        let status = self.status(text.as_ref());
        let told = if self.is_by_twins() { self.twins.take() } else { None };
        let told = match told {
            Some(mut twins) => {
                twins.head.add(self.own.head.head());
                twins.rows.extend(self.own.rows);
                *twins
            }
            None => self.own,
        };
        let Told { head, first, start, t_last, kind, parts, mut rows, .. } = told;
        if options.explain {
            for part in &parts {
                part.explain(&mut rows);
            }
            rows.sort_by_key(|row| row.src);
        }
        let (t, src) = start.unwrap_or_default();
        Delta {
            t,
            head: Arc::clone(head.head()),
            first: first.unwrap_or_default(),
            kind: self.kind.or(kind),
            item_id: self.item_id,
            request_id: self.request_id,
            block_index: self.block_index,
            call_id: self.call_id,
            name: self.name,
            t_last,
            deltas,
            status,
            text,
            parse: options.parse,
            src,
            rows,
        }
    }
}

fn join(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut joined = Vec::new();
    for (i, text) in texts.into_iter().enumerate() {
        if i > 0 {
            joined.extend_from_slice(b"\n\n");
        }
        joined.extend_from_slice(text.as_ref());
    }
    joined
}

/// Whether a text is a JSON object.
fn is_object(text: &Text) -> bool {
    json::fields(&text.to_str_lossy(), |_, _| {}).is_ok()
}

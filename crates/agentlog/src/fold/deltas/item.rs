//! A streamed item while it is open.

use std::sync::Arc;

use super::part::Part;
use super::{Delta, Due, Options, Status};
use crate::event::{Event, Head, Src, StreamKind};
use crate::fold::{Agreed, Used};
use crate::json::{self, Text};

/// What is held of an item.
#[derive(Debug)]
pub(super) struct Item {
    pub item_id: Option<String>,
    pub request_id: Option<String>,
    pub block_index: Option<i64>,
    pub call_id: Option<String>,
    pub name: Option<String>,
    pub kind: Option<StreamKind>,
    /// Whether a row said that it starts.
    pub started: bool,
    /// Whether a row said that it is over, and what its text is then, if that row tells.
    pub done: Option<Option<Vec<u8>>>,
    /// What is streamed: the text, or its parts in order of their numbers.
    parts: Vec<Part>,
    /// The same as the `turn.*` twins tell it.
    twins: Vec<Part>,
    /// Until when it waits, if it seems to be over.
    pub due: Option<Due>,
    head: Agreed,
    /// The head of its first row: a flow that other rows contradict.
    first: Arc<Head>,
    /// Time and row of the first delta, or of the first row as long as there is none.
    pub t: Option<i64>,
    pub src: Src,
    t_last: Option<i64>,
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
    pub text: &'e [u8],
    /// Whether it comes from a `turn.*` twin.
    pub twin: bool,
}

impl Item {
    pub(super) fn new(event: &Event<'_>) -> Self {
        Self {
            item_id: None,
            request_id: None,
            block_index: None,
            call_id: None,
            name: None,
            kind: None,
            started: false,
            done: None,
            parts: Vec::new(),
            twins: Vec::new(),
            due: None,
            head: Agreed::new(event.head),
            first: Arc::clone(event.head),
            t: event.t,
            src: event.src,
            t_last: None,
            files: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Counts a row of the item.
    #[inline]
    pub(super) fn saw(&mut self, event: &Event<'_>, how: &'static str, options: Options) {
        self.head.add(event.head);
        if options.explain {
            self.rows.push(Used { src: event.src, how });
        }
    }

    /// Whose rows they are: the head that was seen last is the same one.
    pub(super) fn is_of(&self, head: &Arc<Head>) -> bool {
        self.head.last_was(head)
    }

    /// Takes a delta.
    #[inline]
    pub(super) fn push(&mut self, event: &Event<'_>, given: Given<'_>) {
        if !self.streamed(given.twin) {
            (self.t, self.src, self.t_last) = (event.t, event.src, event.t);
        }
        self.t_last = self.t_last.max(event.t);
        let order = given.seq.unwrap_or_else(|| self.place(event.src));
        let row = self.rows.len().saturating_sub(1);
        self.part(given.part, given.twin).push(order, given.text, row);
    }

    /// Rows of a file in physical order; files in the order in which the item's rows came.
    fn place(&mut self, src: Src) -> i64 {
        let rank = self.files.iter().position(|file| *file == src.file).unwrap_or_else(|| {
            self.files.push(src.file);
            self.files.len() - 1
        });
        (rank as i64) << 48 | src.offset as i64
    }

    /// Takes the done row of a part.
    pub(super) fn part_is_done(&mut self, index: i64, text: &[u8]) {
        let part = self.part(index, false);
        if part.done.is_none() {
            part.done = Some(text.to_vec());
        }
    }

    fn part(&mut self, index: i64, twin: bool) -> &mut Part {
        let parts = if twin { &mut self.twins } else { &mut self.parts };
        let at = match parts.binary_search_by_key(&index, |part| part.index) {
            Ok(at) => at,
            Err(at) => {
                parts.insert(at, Part::new(index));
                at
            }
        };
        &mut parts[at]
    }

    /// Whether it has deltas, or their twins.
    pub(super) fn streamed(&self, twin: bool) -> bool {
        let parts = if twin { &self.twins } else { &self.parts };
        parts.iter().any(Part::streamed)
    }

    /// Whether it is a block of a Claude message.
    fn is_block(&self) -> bool {
        self.block_index.is_some()
    }

    /// Whether its rows started in that session and flow.
    pub(super) fn began_in(&self, head: &Head) -> bool {
        self.first.flow_id == head.flow_id && self.first.sid == head.sid
    }

    /// Whether its parts are over, but not the item itself, which may have more of them.
    pub(super) fn is_between_parts(&self) -> bool {
        let has_parts = matches!(self.kind, Some(StreamKind::Text | StreamKind::Reasoning));
        self.started && self.done.is_none() && has_parts && !self.is_block()
    }

    /// Whether anything but twins tells of the item.
    pub(super) fn is_more_than_twins(&self) -> bool {
        self.started || self.done.is_some() || !self.parts.is_empty()
    }

    /// Whether it is told by twins alone, as far as is known.
    pub(super) fn is_by_twins(&self) -> bool {
        self.streamed(true) && !self.streamed(false)
    }

    /// The turn has the stream itself: its twins are not needed.
    pub(super) fn drop_twins(&mut self) {
        self.twins = Vec::new();
    }

    /// Whether a row told the end of all that is known of it.
    pub(super) fn is_over(&self) -> bool {
        self.done.is_some() || !self.parts.is_empty() && self.parts.iter().all(|p| p.done.is_some())
    }

    /// Whether nothing more is expected: the whole text is what the done rows say, and nothing
    /// is left that a row could add.
    pub(super) fn is_whole(&self) -> bool {
        let is_call = matches!(self.kind, Some(StreamKind::Arguments | StreamKind::Input));
        let named = is_call && self.call_id.is_some();
        if !(named && self.is_over() || self.done.is_some()) || self.is_block() {
            return false;
        }
        let likely = self.parts.iter().all(|part| part.done.is_none() || part.may_agree());
        let whole = |done: &Vec<u8>| *done == self.joined(false);
        likely
            && self.streamed(false)
            && !self.differs()
            && self.done.iter().flatten().all(whole)
    }

    /// Whether what was streamed differs from the done rows. A part is compared with its own; the
    /// whole with that of the item, if a part has none. What was not streamed does not differ.
    fn differs(&self) -> bool {
        let twin = self.is_by_twins();
        if !self.streamed(twin) {
            return false;
        }
        if !twin && self.parts.iter().all(|part| part.done.is_some()) {
            return self.parts.iter().any(|part| part.agrees() == Some(false));
        }
        if !twin && self.parts.iter().any(|part| part.agrees() == Some(false)) {
            return true;
        }
        let done = if twin { self.done_text() } else { self.done.clone().flatten() };
        done.is_some_and(|done| done != self.joined(twin))
    }

    /// The texts of the parts with a blank line between.
    fn joined(&self, twin: bool) -> Vec<u8> {
        let parts = if twin { &self.twins } else { &self.parts };
        join(parts.iter().map(Part::text))
    }

    /// What the done rows say.
    fn done_text(&self) -> Option<Vec<u8>> {
        let whole = || self.done.as_ref().and_then(Clone::clone);
        if self.parts.is_empty() {
            return whole();
        }
        let texts: Option<Vec<&[u8]>> = self.parts.iter().map(|part| part.done.as_deref()).collect();
        texts.map(join).or_else(whole)
    }

    fn text(&self) -> Option<Text> {
        let twin = self.is_by_twins();
        match &self.parts[..] {
            [part] if !twin && part.streamed() => Some(Text::from_wtf8(&part.text())),
            _ if self.streamed(twin) => Some(Text::from_wtf8(&self.joined(twin))),
            _ => Some(Text::from_wtf8(&self.done_text()?)),
        }
    }

    fn status(&self, text: Option<&Text>) -> Status {
        let claude = self.is_block();
        let invalid = || match (self.kind, text) {
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
        let twin = self.is_by_twins();
        let parts = if twin { &self.twins } else { &self.parts };
        if options.explain {
            parts.iter().for_each(|part| part.explain(&mut self.rows));
        }
        let deltas = parts.iter().map(Part::count).sum::<usize>() as u64;
        let text = self.text();
        let status = self.status(text.as_ref());
        Delta {
            t: self.t,
            head: Arc::clone(self.head.head()),
            first: self.first,
            kind: self.kind,
            item_id: self.item_id,
            request_id: self.request_id,
            block_index: self.block_index,
            call_id: self.call_id,
            name: self.name,
            t_last: self.t_last,
            deltas,
            status,
            parse: options.parse,
            text,
            src: self.src,
            rows: self.rows,
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

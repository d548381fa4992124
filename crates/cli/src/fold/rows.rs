//! What is kept of the rows that a fold reads, block by block.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use agentlog::event::{Event, Extra, Head, LeftOut, Queue, What};
use agentlog::json::Value;
use agentlog::native::{self, Dialect, Meta, Wants};
use agentlog::sse;
use agentlog::zone::Clock;
use foldhash::fast::FixedState;
use jsonl::Needles;

use super::SharedHeads;
use crate::run::Row;
use crate::scan::Decode;

/// The rows that a fold reads.
pub struct FoldRows {
    /// Names of their events, list by list.
    pub events: &'static [&'static [&'static str]],
    /// Whether a row of such an event, told by its text, says nothing that is wanted: it is not
    /// even parsed then. May say no too often, never yes.
    pub passes: fn(event: &[u8], row: &[u8]) -> bool,
    /// What is made of a row; texts are appended to the arena.
    pub read: fn(&sse::Row<'_>, &mut Vec<u8>) -> Option<What>,
    /// What is wanted of transcripts and rollouts.
    pub native: NativeRows,
}

/// What is wanted of transcripts and rollouts.
pub struct NativeRows {
    wants: Wants,
    transcript: Option<Needles>,
    rollout: Option<Needles>,
}

impl NativeRows {
    /// Prepares to look for what is wanted.
    pub fn new(wants: Wants) -> Self {
        let needles = |dialect| Needles::new(&wants.needles(dialect));
        let (transcript, rollout) = (needles(Dialect::Transcript), needles(Dialect::Rollout));
        Self { wants, transcript, rollout }
    }
}

/// The most that is boxed of a row, about, in bytes.
const BOXED: usize = 256;

/// About what a head takes, in bytes.
const HEAD: usize = size_of::<Head>() + 256;

/// What is kept of a row.
pub struct Kept {
    pub(super) head: u32,
    pub(super) what: What,
    pub(super) origin: Origin,
    pub(super) left_out: Option<LeftOut>,
    extra: Option<Arc<Extra>>,
}

/// What has to be known of a row to tell copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Of a kind that no other file has a copy of: a row of an SSE log, a captured request.
    Once,
    /// A hash of the row's `uuid`.
    Transcript(u64),
    /// A row of a transcript without one, and a hash of all of it: the same in another file is a
    /// copy.
    Unnamed(u64),
    /// The rows before it say whose it is.
    Rollout,
}

/// What the rows of a block refer to.
#[derive(Default)]
pub struct Memory {
    arena: Vec<u8>,
    pub(super) heads: Vec<Arc<Head>>,
    /// Places in `heads`, by a hash of what a head is read from.
    known: HashMap<u64, u32, FixedState>,
    alike: sse::Alike,
    /// What is kept beside of deltas that are alike: the head of each kind of them, and for each
    /// event what is kept of its rows.
    beside: Vec<(u32, Vec<Beside>)>,
    /// For each head, whether a delta has it.
    streams: Vec<bool>,
}

/// An event, and what is kept of its rows.
type Beside = (Box<[u8]>, Arc<Extra>);

/// Reads rows for a fold.
pub trait ReadRows: Decode<Value = Kept, Memory = Memory> {}

impl<D: Decode<Value = Kept, Memory = Memory>> ReadRows for D {}

impl Decode for FoldRows {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|list| list.contains(&event))
    }

    fn passes(&self, event: &[u8], row: &[u8], _: &mut Memory) -> bool {
        (self.passes)(event, row)
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], memory: &mut Memory) -> Option<Kept> {
        memory.keep(row, self.read)
    }

    fn needles(&self, dialect: Dialect) -> Option<&Needles> {
        match dialect {
            Dialect::Transcript => self.native.transcript.as_ref(),
            Dialect::Rollout => self.native.rollout.as_ref(),
        }
    }

    fn passes_native(&self, dialect: Dialect, row: &[u8]) -> bool {
        self.native.wants.passes(dialect, row)
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        _: Option<&Meta>,
        raw: &[u8],
        memory: &mut Memory,
        each: &mut dyn FnMut(Kept),
    ) {
        memory.keep_native(row, raw, self.native.wants, None, each);
    }
}

impl Kept {
    fn new(head: u32, what: What, origin: Origin, extra: Option<Arc<Extra>>) -> Self {
        Self { head, what, origin, left_out: None, extra }
    }

    /// About how many bytes it refers to outside of its block's memory.
    pub(crate) fn bytes(&self) -> usize {
        let text = match &self.what {
            What::Prompt(prompt) => prompt.text.as_ref(),
            What::Queue(
                Queue::Enqueue(text)
                | Queue::Dequeue(text)
                | Queue::Remove(text)
                | Queue::Delivered(text),
            ) => Some(text),
            What::Results(results) => return size_of_val(&**results),
            What::Message(message) => return size_of_val(&**message),
            _ => None,
        };
        BOXED + text.map_or(0, |text| text.as_bytes().len())
    }
}

impl Memory {
    /// Reads a row and keeps what it says.
    pub(crate) fn keep(
        &mut self,
        row: &sse::Row<'_>,
        read: fn(&sse::Row<'_>, &mut Vec<u8>) -> Option<What>,
    ) -> Option<Kept> {
        let what = read(row, &mut self.arena)?;
        let (head, origin) = (self.head(row), Origin::Once);
        Some(Kept::new(head, what, origin, None))
    }

    /// Reads a row and keeps what it says, and something beside.
    pub fn keep_with(
        &mut self,
        row: &sse::Row<'_>,
        read: fn(&sse::Row<'_>, &mut Vec<u8>) -> Option<What>,
        extra: Option<Arc<Extra>>,
    ) -> Kept {
        let what = read(row, &mut self.arena).unwrap_or(What::Row);
        Kept::new(self.head(row), what, Origin::Once, extra)
    }

    /// Reads a row of a transcript or rollout and keeps what it says. What is kept beside comes
    /// last, as a [`What::Row`]: by then it is known whose the row is.
    pub fn keep_native(
        &mut self,
        row: &native::Row<'_>,
        raw: &[u8],
        wants: Wants,
        extra: Option<Arc<Extra>>,
        each: &mut dyn FnMut(Kept),
    ) {
        let mut arena = std::mem::take(&mut self.arena);
        let mut known = None;
        row.decode(wants, &mut arena, &mut |what, _| {
            let (head, origin) = *known.get_or_insert_with(|| self.native_head(row, raw));
            each(Kept::new(head, what, origin, None));
        });
        if extra.is_some() {
            let (head, origin) = *known.get_or_insert_with(|| self.native_head(row, raw));
            each(Kept::new(head, What::Row, origin, extra));
        }
        self.arena = arena;
    }

    /// Keeps something of a row that tells nothing else, such as a captured request.
    pub fn keep_beside(&mut self, head: Head, extra: Arc<Extra>) -> Kept {
        self.heads.push(Arc::new(head));
        let (head, extra) = (self.heads.len() as u32 - 1, Some(extra));
        Kept::new(head, What::Row, Origin::Once, extra)
    }

    fn native_head(&mut self, row: &native::Row<'_>, raw: &[u8]) -> (u32, Origin) {
        let writer = row.dialect as u8 + 4;
        let head = self.remember(writer, row.head_parts().into_iter(), || row.head());
        let hash = |bytes: &[u8]| FixedState::with_seed(0).hash_one(bytes);
        let origin = match (row.dialect, row.uuid()) {
            (Dialect::Rollout, _) => Origin::Rollout,
            (_, Some(uuid)) => Origin::Transcript(hash(uuid.raw.as_bytes())),
            (_, None) => Origin::Unnamed(hash(raw)),
        };
        (head, origin)
    }

    /// The place of a row's head. Rows of one writer have the same, so that it is read once.
    fn head(&mut self, row: &sse::Row<'_>) -> u32 {
        let envelope = &row.envelope;
        // Deltas, four fifths of a log, never name a model.
        let model = if row.name.ends_with("delta") { None } else { row.model() };
        let of = [envelope.sid, envelope.round, envelope.flow_id, envelope.metadata, model];
        let top = [envelope.pid, envelope.cwd];
        let writer = row.provider().map_or(0, |provider| provider as u8 + 1);
        self.remember(writer, of.into_iter().chain(top), || row.head())
    }

    /// The place of the head that is made of such parts; `read` reads it if there is none yet.
    fn remember<'v>(
        &mut self,
        writer: u8,
        parts: impl Iterator<Item = Option<Value<'v>>>,
        read: impl FnOnce() -> Head,
    ) -> u32 {
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        hasher.write_u8(writer);
        for value in parts {
            // The place of each is a part of what is hashed.
            hasher.write(value.map_or("\"", |value| value.raw).as_bytes());
            hasher.write_u8(0xff);
        }
        let next = self.heads.len() as u32;
        let heads = &mut self.heads;
        *self.known.entry(hasher.finish()).or_insert_with(|| {
            heads.push(Arc::new(read()));
            next
        })
    }

    /// Reads a delta row if it is like one that was read before.
    pub(crate) fn read_alike(&mut self, event: &[u8], row: &[u8]) -> Option<(Clock, Kept)> {
        let sse::AlikeRow { clock, what, head } = self.alike.read(event, row, &mut self.arena)?;
        Some((clock, Kept::new(head, what, Origin::Once, None)))
    }

    /// Remembers a delta row, for others like it.
    pub(crate) fn learn(&mut self, row: &sse::Row<'_>, raw: &[u8], kept: &Kept) {
        self.alike.learn(row, raw, &kept.what, kept.head);
    }

    /// Reads a delta row if it is like one that was read before and remembered by
    /// [`Memory::learn_with`]. `sibling` tells what is kept of a row of that event, by what was
    /// kept of a row of another that is like it in all else.
    pub fn read_alike_with(
        &mut self,
        event: &[u8],
        row: &[u8],
        sibling: fn(&Extra, &[u8]) -> Option<Arc<Extra>>,
    ) -> Option<(Clock, Kept)> {
        let sse::AlikeRow { clock, what, head } = self.alike.read(event, row, &mut self.arena)?;
        let (head, beside) = self.beside.get_mut(head as usize)?;
        let known = beside.iter().position(|(of, _)| **of == *event);
        let at = if let Some(at) = known {
            at
        } else {
            let extra = sibling(&*beside.first()?.1, event)?;
            beside.push((event.into(), extra));
            beside.len() - 1
        };
        let extra = Some(Arc::clone(&beside[at].1));
        Some((clock, Kept::new(*head, what, Origin::Once, extra)))
    }

    /// Remembers a delta row, for others like it, with what is kept of it beside.
    pub fn learn_with(&mut self, row: &sse::Row<'_>, raw: &[u8], kept: &Kept) {
        let (What::Delta(_), Some(extra)) = (&kept.what, &kept.extra) else { return };
        let mark = self.beside.len() as u32;
        self.beside.push((kept.head, vec![(row.name.as_bytes().into(), Arc::clone(extra))]));
        self.alike.learn(row, raw, &kept.what, mark);
    }

    /// Whether a row is the first delta with its head.
    pub(crate) fn is_first_delta(&mut self, kept: &Kept) -> bool {
        let head = kept.head as usize;
        if !matches!(kept.what, What::Delta(_)) {
            return false;
        }
        self.streams.resize(self.streams.len().max(head + 1), false);
        !std::mem::replace(&mut self.streams[head], true)
    }

    /// Remembers a row that is passed over, with all of its turn.
    pub(crate) fn pass(&mut self, row: &sse::Row<'_>, raw: &[u8]) {
        self.alike.pass(row, raw);
    }

    /// Whether a row is of a turn that is passed over.
    pub(crate) fn passes(&mut self, row: &[u8]) -> bool {
        self.alike.passes(row)
    }

    /// The head of a row that was kept.
    pub(crate) fn head_of(&self, kept: &Kept) -> &Head {
        &self.heads[kept.head as usize]
    }

    /// What a row got from where it stands: its head, if only that tells it, and whether it counts.
    pub(crate) fn of_place(&self, kept: &Kept) -> (Option<Arc<Head>>, Option<LeftOut>) {
        let is_told = kept.origin == Origin::Rollout;
        let head = is_told.then(|| Arc::clone(&self.heads[kept.head as usize]));
        (head, kept.left_out)
    }

    /// Gives a row that was read again what it got from where it stands.
    pub(crate) fn give_back(
        &mut self,
        kept: &mut Kept,
        was: (Option<&Arc<Head>>, Option<LeftOut>),
    ) {
        let (head, left_out) = was;
        kept.left_out = left_out;
        if let Some(head) = head {
            kept.head = self.place_of(head);
        }
    }

    /// The place of a head that rows get from where they stand.
    pub(super) fn place_of(&mut self, head: &Arc<Head>) -> u32 {
        if !self.heads.last().is_some_and(|last| Arc::ptr_eq(last, head)) {
            self.heads.push(Arc::clone(head));
        }
        self.heads.len() as u32 - 1
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.capacity() + self.heads.len() * HEAD
    }

    /// What the rows of a block need from now on, in no more memory than that takes. This is empty
    /// then, for another block.
    pub(crate) fn take(&mut self) -> Self {
        let kept = Self {
            arena: self.arena.as_slice().into(),
            heads: self.heads.drain(..).collect(),
            ..Self::default()
        };
        self.arena.clear();
        self.known.clear();
        self.streams.clear();
        (self.alike, self.beside) = (sse::Alike::default(), Vec::new());
        kept
    }

    /// Forgets what only rows of the same block need.
    pub(crate) fn forget_writers(&mut self) {
        self.known = HashMap::default();
        self.alike = sse::Alike::default();
        self.beside = Vec::new();
    }

    /// Shares heads with the blocks before.
    pub(crate) fn share(&mut self, shared: &mut SharedHeads) {
        self.forget_writers();
        self.heads.iter_mut().for_each(|head| shared.share(head));
    }

    /// A row as a fold is fed it.
    pub(crate) fn event<'a>(
        &'a self,
        t: Option<i64>,
        row: &'a Row<Kept>,
        left_out: Option<LeftOut>,
    ) -> Event<'a> {
        let head = &self.heads[row.value.head as usize];
        let Kept { what, extra, .. } = &row.value;
        let extra = extra.as_deref();
        Event { t, src: row.src, head, what, arena: &self.arena, left_out, extra }
    }
}

//! Streamed items, put together from their deltas: text, reasoning, arguments of tools.
//!
//! Codex: one record for each session and `item_id`, its pieces by `sequence_number`, since rows
//! of one instant swap places. Claude: one for each session, `request_id` and block, in order of
//! the file. The `turn.*` twins of Codex's deltas count only in turns without `response.*` deltas.

pub mod events;
mod item;
mod part;
mod record;
#[cfg(test)]
mod tests;
mod twins;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize, Serializer};

use super::resume::{self, Resume};
use super::{Fold, SETTLE_MS};
use crate::event::{
    self, Block, BlockKind, Event, Head, ItemKind, ItemPhase, Piece, Span, Src, Stream, StreamKind,
    Turn, What,
};
use crate::state::{self, BadState};
use item::{Given, Item};
pub use record::{Delta, Options, Status, kind_name};
pub use twins::turn_key;
use twins::{Place, Twins};

/// What the words of rows may be, see [`super::Used`].
pub(super) const HOWS: &[&str] = &[
    "delta",
    "delta of the twin stream",
    "start row",
    "stop row",
    "done row",
    "done row of the item",
    part::REPEATED,
];

/// The fold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Deltas {
    options: Options,
    /// Open items, by a hash of what names them.
    #[serde(serialize_with = "crate::state::sorted_map")]
    items: HashMap<u64, Item, FixedState>,
    /// Open Claude blocks with a request, by the flow that they began in.
    #[serde(serialize_with = "crate::state::sorted_map")]
    flows: HashMap<u64, u64, FixedState>,
    /// Items that were given out: their late rows start no new ones.
    given: Lately,
    /// When items are final, unless more comes.
    due: BTreeSet<Due>,
    /// Announced items whose parts are over, by session: more parts may follow.
    #[serde(serialize_with = "crate::state::sorted_map")]
    between: HashMap<u64, Vec<u64>, FixedState>,
    twins: Twins,
    /// The latest time.
    now: i64,
}

/// When an item is final; then, for those of one moment, what their records are ordered by.
type Due = (i64, Option<i64>, Src, u64);

impl Deltas {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self { options, now: i64::MIN, ..Self::default() }
    }
}

impl Fold for Deltas {
    type Record = Delta;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Delta>) {
        if let Some(t) = event.t {
            self.advance(t, out);
        }
        if self.twins.has_open() {
            let over = self.twins.end_others(event.head);
            self.settle_all(over);
        }
        match event.what {
            What::Delta(piece) => self.delta(event, piece, out),
            What::Done(piece) => self.part_is_done(event, piece, out),
            What::Item(item) => self.codex_item(event, item, out),
            What::Block(block) => self.claude_block(event, *block),
            What::Turn(Turn::Completed { .. } | Turn::Aborted) => {
                let ended = self.twins.end(turn_key(event.head));
                self.settle_all(ended);
            }
            _ => {}
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Delta>) {
        self.now = self.now.max(t);
        while let Some((due, _, _, key)) = self.due.first().copied()
            && due < t
        {
            self.give(key, out);
        }
    }

    fn waits(&self) -> bool {
        !self.due.is_empty()
    }

    fn open_records(&self, out: &mut Vec<Delta>) {
        let from = out.len();
        // Twins may turn out not to be needed; and what was not streamed has no first row yet.
        let known = |item: &&Item| item.is_more_than_twins() && (item.streamed() || item.is_over());
        let open = self.items.values().filter(known);
        out.extend(open.map(|item| item.clone().record(self.options)));
        out[from..].sort_by_key(|item| (item.t, item.src));
    }

    fn give_idle(&mut self, t: i64, out: &mut Vec<Delta>) -> bool {
        let from = out.len();
        let options = self.options;
        let mut more = false;
        for item in self.items.values_mut().filter(|item| item.due.is_none() && !item.was_told) {
            if item.last_t().is_some_and(|last| last < t) {
                item.was_told = true;
                out.push(item.clone().record(options));
            } else {
                more = true;
            }
        }
        out[from..].sort_by_key(|item| (item.t, item.src));
        more
    }

    fn finish(&mut self, out: &mut Vec<Delta>) {
        self.advance(i64::MAX, out);
        let left = self.items.drain().filter(|(_, item)| !item.was_told);
        let left = left.map(|(_, item)| item.record(self.options));
        let mut left: Vec<Delta> = left.collect();
        left.sort_by_key(|item| (item.t, item.src));
        out.append(&mut left);
    }
}

/// What stays when items are over: 8 to 10 bytes for each of the last 65,536 of them, and of turns.
impl Resume for Deltas {
    fn save(&self, out: &mut Vec<u8>) {
        state::write("deltas", self, out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        resume::load("deltas", bytes, self, |fold| fold.options)
    }
}

impl Deltas {
    fn delta(&mut self, event: &Event<'_>, piece: &Piece, out: &mut Vec<Delta>) {
        let (key, twin) = match piece.stream {
            Stream::Item(_) if self.options.twins => return,
            Stream::Item(id) => (key_of(event.head, b'i', event.bytes(id), 0), None),
            Stream::Block { request, index } => (self.block_key(event, request, index), None),
            Stream::Twin { item } => match self.twin_key(event, piece.kind, item) {
                Some(key) => (key, Some(item.is_some())),
                None => return,
            },
        };
        let options = self.options;
        let apart = twin.is_some() && !options.twins;
        let text = event.bytes(piece.text);
        let Piece { seq, part, kind, .. } = *piece;
        let given = Given { seq, part, kind, text, twin: apart };
        let Some(item) = self.item(key, event, piece.stream) else { return };
        let known = item.streamed() && item.is_of(event.head);
        item.push(event, given, options);
        let waits = item.due.is_some();
        if let Some(named) = twin {
            self.twins.add(turn_key(event.head), key, named);
        } else if !known && matches!(piece.stream, Stream::Item(_)) {
            let told = self.twins.streams(turn_key(event.head));
            self.drop_twins(&told);
        }
        if waits {
            self.goes_on(key, out);
        }
    }

    /// An item that seemed to be over has more: this makes it whole, or starts a new part.
    fn goes_on(&mut self, key: u64, out: &mut Vec<Delta>) {
        let Some(item) = self.items.get_mut(&key) else { return };
        if item.is_whole() {
            self.give(key, out);
        } else if !item.is_over()
            && let Some(due) = item.due.take()
        {
            self.due.remove(&due);
        }
    }

    /// The key of the item that a twin tells of; none if it is not needed.
    fn twin_key(&mut self, event: &Event<'_>, kind: StreamKind, id: Option<Span>) -> Option<u64> {
        let head = event.head;
        match (self.twins.place(head, kind, id.is_some()), id) {
            (Place::Named(not_needed), Some(id)) => {
                for key in not_needed {
                    self.forget(key);
                }
                Some(key_of(head, b'i', event.bytes(id), 0))
            }
            (Place::Run(n), _) => Some(key_of(head, b't', &turn_key(head).to_le_bytes(), n as i64)),
            _ => None,
        }
    }

    /// The turn of these items has the stream itself.
    fn drop_twins(&mut self, keys: &[u64]) {
        for key in keys {
            let Some(item) = self.items.get_mut(key) else { continue };
            item.drop_twins();
            if !item.is_more_than_twins() {
                self.forget(*key);
            }
        }
    }

    fn forget(&mut self, key: u64) {
        if let Some(due) = self.items.remove(&key).and_then(|item| item.due) {
            self.due.remove(&due);
        }
    }

    fn part_is_done(&mut self, event: &Event<'_>, piece: &Piece, out: &mut Vec<Delta>) {
        let Stream::Item(id) = piece.stream else { return };
        let key = key_of(event.head, b'i', event.bytes(id), 0);
        let options = self.options;
        let Some(item) = self.item(key, event, piece.stream) else { return };
        item.saw(event, "done row", options);
        item.kind = item.kind.or(Some(piece.kind));
        item.part_is_done(piece.part, event.bytes(piece.text));
        self.check(key, event, out);
    }

    /// `response.output_item.added` and `.done`.
    fn codex_item(&mut self, event: &Event<'_>, found: &event::Item, out: &mut Vec<Delta>) {
        let kind = match found.kind {
            ItemKind::Message => StreamKind::Text,
            ItemKind::Reasoning => StreamKind::Reasoning,
            ItemKind::FunctionCall => StreamKind::Arguments,
            ItemKind::CustomCall => StreamKind::Input,
            // Nothing of these is ever streamed.
            ItemKind::LocalShell | ItemKind::WebSearch | ItemKind::Result => return,
        };
        let (Some(id), ItemPhase::Added | ItemPhase::Done) = (found.item_id, found.phase) else {
            return;
        };
        let key = key_of(event.head, b'i', event.bytes(id), 0);
        let options = self.options;
        let Some(item) = self.item(key, event, Stream::Item(id)) else { return };
        let name_of = |span: Option<Span>| span.map(|span| event.name(span).to_owned());
        item.kind = Some(kind);
        item.call_id = item.call_id.take().or_else(|| name_of(found.call_id));
        item.name = item.name.take().or_else(|| name_of(found.name));
        if found.phase == ItemPhase::Added {
            item.saw(event, "start row", options);
            item.started = true;
            // Items of a session come one after the other.
            let over = self.between.remove(&session_key(event.head));
            self.settle_all(over.unwrap_or_default());
        } else {
            item.saw(event, "done row of the item", options);
            if !item.ended {
                item.done = found.text.map(|text| event.bytes(text).to_vec());
            }
            item.ended = true;
        }
        self.check(key, event, out);
    }

    fn claude_block(&mut self, event: &Event<'_>, block: Block) {
        let (Block::Start { request, index, .. } | Block::Stop { request, index }) = block;
        let key = self.block_key(event, request, index);
        let starts = match block {
            Block::Start { kind, .. } => Some(kind),
            // Of a block that only stops nothing is known.
            Block::Stop { .. } if !self.items.contains_key(&key) => return,
            Block::Stop { .. } => None,
        };
        if starts == Some(BlockKind::Other) && !self.items.contains_key(&key) {
            return;
        }
        let options = self.options;
        let Some(item) = self.item(key, event, Stream::Block { request, index }) else { return };
        item.saw(event, if starts.is_some() { "start row" } else { "stop row" }, options);
        match starts {
            Some(BlockKind::Words(kind)) => item.kind = Some(kind),
            Some(BlockKind::Tool { call_id, name }) => {
                let name_of = |span: Option<Span>| span.map(|span| event.name(span).to_owned());
                item.kind = Some(StreamKind::Arguments);
                item.call_id = item.call_id.take().or_else(|| name_of(call_id));
                item.name = item.name.take().or_else(|| name_of(name));
            }
            Some(BlockKind::Other) => {}
            None => {
                item.ended = true;
                return self.settle(key, event.t);
            }
        }
        item.started = true;
    }

    /// The item of that key, new if need be; none if it was given out already.
    #[inline]
    fn item(&mut self, key: u64, event: &Event<'_>, stream: Stream) -> Option<&mut Item> {
        if !self.items.contains_key(&key) {
            if self.given.has(key) {
                return None;
            }
            let name_of = |span: Span| event.name(span).to_owned();
            let mut item = Item::default();
            match stream {
                Stream::Item(id) => item.item_id = Some(name_of(id)),
                Stream::Twin { item: id } => item.item_id = id.map(name_of),
                Stream::Block { request, index } => {
                    item.request_id = request.map(name_of);
                    item.block_index = Some(index);
                }
            }
            if let (Some(_), Some(index)) = (&item.request_id, item.block_index) {
                self.flows.entry(flow_key(event.head, index)).or_insert(key);
            }
            self.items.insert(key, item);
        }
        self.items.get_mut(&key)
    }

    /// The key of a Claude block. Its request decides; a row without one belongs to an open block
    /// of its flow, if there is one.
    fn block_key(&self, event: &Event<'_>, request: Option<Span>, index: i64) -> u64 {
        let head = event.head;
        if let Some(request) = request {
            return key_of(head, b'r', event.bytes(request), index);
        }
        let key = flow_key(head, index);
        if head.flow_id.is_none() || self.items.contains_key(&key) {
            return key;
        }
        self.flows.get(&key).copied().unwrap_or(key)
    }

    /// Gives a Codex item out if it is whole, and sees to it that it does not wait for ever.
    fn check(&mut self, key: u64, event: &Event<'_>, out: &mut Vec<Delta>) {
        let Some(item) = self.items.get(&key) else { return };
        if item.is_whole() {
            self.give(key, out);
        } else if !item.is_over() || item.is_by_twins() && self.twins.is_open(turn_key(event.head))
        {
            // Its own end, or that of its turn, is still to come.
        } else if item.is_between_parts() {
            self.between.entry(session_key(event.head)).or_default().push(key);
        } else {
            self.settle(key, event.t);
        }
    }

    /// From `t` on the item waits for what may still come.
    fn settle(&mut self, key: u64, t: Option<i64>) {
        let Some(item) = self.items.get_mut(&key) else { return };
        let until = t.unwrap_or(self.now).saturating_add(SETTLE_MS);
        let (t, src) = item.start();
        let due = (until, t, src, key);
        if let Some(before) = item.due.replace(due) {
            self.due.remove(&before);
        }
        self.due.insert(due);
    }

    fn settle_all(&mut self, keys: Vec<u64>) {
        for key in keys {
            self.settle(key, None);
        }
    }

    fn give(&mut self, key: u64, out: &mut Vec<Delta>) {
        let Some(item) = self.items.remove(&key) else { return };
        if let Some(due) = item.due {
            self.due.remove(&due);
        }
        self.given.add(key);
        if let (Some(head), Some(index)) = (item.first_head(), item.block_index) {
            let flow = flow_key(head, index);
            if self.flows.get(&flow) == Some(&key) {
                self.flows.remove(&flow);
            }
        }
        out.push(item.record(self.options));
    }
}

/// A hash of what names an item. Two open items that share one are as likely as two equal ids.
fn key_of(head: &Head, what: u8, id: &[u8], index: i64) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(head.sid.as_deref().unwrap_or_default().as_bytes());
    hasher.write_u8(what);
    hasher.write(id);
    hasher.write_i64(index);
    hasher.finish()
}

/// Names the block of a flow; for one that begins in it, and for rows that lack their request.
fn flow_key(head: &Head, index: i64) -> u64 {
    key_of(head, b'f', head.flow_id.as_deref().unwrap_or_default().as_bytes(), index)
}

fn session_key(head: &Head) -> u64 {
    key_of(head, b's', b"", 0)
}

/// The keys of the last few items that were given out.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "VecDeque<u64>")]
struct Lately {
    keys: HashSet<u64, FixedState>,
    order: VecDeque<u64>,
}

/// How many items are remembered after they were given out: some megabytes at the most.
const REMEMBERED: usize = 1 << 16;

impl Serialize for Lately {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.order.serialize(to)
    }
}

impl From<VecDeque<u64>> for Lately {
    fn from(order: VecDeque<u64>) -> Self {
        Self { keys: order.iter().copied().collect(), order }
    }
}

impl Lately {
    fn has(&self, key: u64) -> bool {
        self.keys.contains(&key)
    }

    fn add(&mut self, key: u64) {
        if self.keys.insert(key) {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}

//! Reasoning of the model, each told once, from whatever tells it.
//!
//! The best source of each counts: its stream, put together by the fold of deltas, of SSE logs (with
//! what start and done rows say beside); else the item that an SSE log, a transcript or a rollout
//! holds; else, in turns without any of these that can be read, the events that repeat the text of
//! items (`turn.item.completed`, else `turn.reasoning` and `agent_reasoning`); else what later
//! requests send back.
//!
//! What may be told better waits until its turn is over. The same is what has the same id, the same
//! encrypted content or signature, or, where one of the two has none, the same words.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use agentlog::event::{
    Block, BlockKind, Event, Head, Item, ItemKind, ItemPhase, LeftOut, Piece, Session, Span, Src,
    Stream, StreamKind, Turn, What,
};
use agentlog::fold::deltas::{Delta, Deltas};
use agentlog::fold::{Fold, SETTLE_MS};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::folded::tells_of_items;
use crate::tools::text_at;
use crate::{Asked, Facts, Form, Place, Row};

/// Reasoning, final.
pub(super) struct Reasoning {
    pub t: Option<i64>,
    pub src: Src,
    pub head: Arc<Head>,
    /// The item, or request and block.
    pub item_id: Option<String>,
    pub source: &'static str,
    /// Of what was streamed.
    pub status: Option<&'static str>,
    /// What can be read; empty of what a request holds.
    pub text: String,
    pub text_bytes: u64,
    pub summaries: u64,
    pub encrypted_bytes: u64,
    pub signature_bytes: u64,
}

/// How good a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Request,
    Event,
    Completed,
    Item,
    Stream,
}

/// How many may wait in a session for the end of its turn: then the oldest are taken as they are.
const WAITING: usize = 1024;

/// Finds the reasoning in rows.
pub(super) struct Reasonings {
    deltas: Deltas,
    /// Whether requests are read.
    requests: bool,
    found: Vec<Delta>,
    /// What rows tell of streamed items beside their text, by what names them.
    beside: HashMap<u64, Beside, FixedState>,
    /// The best source by which each was told, by the hashes of what makes it the same.
    met: HashMap<u64, Level, FixedState>,
    /// The turns that go on, by session.
    open: HashMap<String, Waiting, FixedState>,
    /// Those that are over, with the time when nothing better can come any more.
    over: VecDeque<(i64, Waiting)>,
    /// The message of a transcript that has the latest row of a session or sub-agent, by its hash,
    /// and how many blocks of it were told.
    blocks: HashMap<String, (u64, usize), FixedState>,
}

/// What rows tell of a streamed item beside its text.
struct Beside {
    item_id: String,
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
    summaries: u64,
    encrypted: (u64, Option<u64>),
    signature: String,
}

/// What waits for the end of a turn.
#[derive(Default)]
struct Waiting {
    list: Vec<Candidate>,
    /// The best source so far that can be read.
    best: Level,
    /// Whether rows of streams tell of reasoning, readable or not.
    streamed: bool,
}

/// Reasoning that may be told better, or was.
struct Candidate {
    level: Level,
    same: Same,
    what: Reasoning,
}

/// What makes reasoning the same as other, in a session: hashes.
#[derive(Clone, Copy)]
struct Same {
    id: Option<u64>,
    /// Of encrypted content or signature.
    seal: Option<u64>,
    words: Option<u64>,
    /// Of the words, too: those of reasoning without a seal are kept apart.
    bare_words: Option<u64>,
}

/// Reasoning as an item or a block holds it.
#[derive(Default)]
struct Content<'v> {
    id: Option<&'v str>,
    text: String,
    summaries: u64,
    encrypted: &'v str,
    signature: &'v str,
}

impl Reasonings {
    /// An empty state.
    pub fn new(requests: bool) -> Self {
        Self {
            deltas: Deltas::default(),
            requests,
            found: Vec::new(),
            beside: HashMap::default(),
            met: HashMap::default(),
            open: HashMap::default(),
            over: VecDeque::new(),
            blocks: HashMap::default(),
        }
    }

    /// Takes the next row.
    pub fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Reasoning>) {
        let event = row.event;
        match event.what {
            What::Delta(Piece { stream: Stream::Block { .. }, kind, .. })
                if *kind != StreamKind::Reasoning => {}
            What::Delta(_) | What::Done(_) | What::Block(_) | What::Item(_) | What::Turn(_) => {
                self.come_to(event.t, out);
                self.stream(row, out);
            }
            What::Prompt(_) | What::Session(Session::Ended) => {
                self.come_to(event.t, out);
                self.turn_over(event);
            }
            What::Row => {
                let Some(facts) = row.facts else { return };
                if let Some((asked, place)) = row.asked() {
                    self.request(event, asked, place, out);
                } else {
                    self.row(event, facts, out);
                }
            }
            _ => {}
        }
    }

    /// Log time has come to `t`.
    pub fn advance(&mut self, t: i64, out: &mut Vec<Reasoning>) {
        self.deltas.advance(t, &mut self.found);
        self.give_streams(false, out);
        while self.over.front().is_some_and(|(until, _)| *until < t) {
            if let Some((_, waiting)) = self.over.pop_front() {
                self.decide(waiting, out);
            }
        }
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Reasoning>) {
        self.deltas.finish(&mut self.found);
        self.give_streams(true, out);
        let mut beside: Vec<_> = std::mem::take(&mut self.beside).into_values().collect();
        beside.sort_by_key(|beside| (beside.t, beside.src));
        for beside in beside {
            let sid = beside.head.sid.as_deref();
            let same = Same::of(sid, Some(&beside.item_id), beside.seal(), "");
            if !self.is_known_as(same, Level::Item) {
                self.meet(same, Level::Stream);
                out.push(beside.alone());
            }
        }
        for (_, waiting) in std::mem::take(&mut self.over) {
            self.decide(waiting, out);
        }
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (_, waiting) in open {
            self.decide(waiting, out);
        }
    }

    fn come_to(&mut self, t: Option<i64>, out: &mut Vec<Reasoning>) {
        if let Some(t) = t {
            self.advance(t, out);
        }
    }

    /// Takes a row of a stream, or the end of a turn.
    fn stream(&mut self, row: &Row<'_>, out: &mut Vec<Reasoning>) {
        let event = row.event;
        if let (What::Item(item), Some(facts)) = (event.what, row.facts)
            && item.kind == ItemKind::Reasoning
            && facts.form == Form::Sse
        {
            self.sse_item(event, item, facts, out);
        }
        if let What::Delta(piece) = event.what
            && piece.kind == StreamKind::Reasoning
            && let Some(waiting) = self.waiting(event.head)
        {
            waiting.streamed = true;
            if !piece.text.is_empty() {
                waiting.can_be_read(Level::Stream);
            }
        }
        if let (What::Block(Block::Start { kind: BlockKind::Other, .. }), Some(facts)) =
            (event.what, row.facts)
        {
            self.redacted(event, facts, out);
        }
        if tells_of_items(row) {
            self.fold(event);
            self.give_streams(false, out);
        }
        if let What::Turn(Turn::Completed { .. } | Turn::Aborted | Turn::Stopped) = event.what {
            self.turn_over(event);
        }
    }

    /// Feeds the fold. Of what is no reasoning only what places the rest: not its text.
    fn fold(&mut self, event: &Event<'_>) {
        let other = match event.what {
            What::Delta(piece) if piece.kind != StreamKind::Reasoning => {
                Some(What::Delta(Piece { text: Span::default(), ..*piece }))
            }
            What::Done(piece) if piece.kind != StreamKind::Reasoning => {
                Some(What::Done(Piece { text: Span::default(), ..*piece }))
            }
            What::Item(item) if item.kind != ItemKind::Reasoning => {
                Some(What::Item(Item { text: None, ..*item }))
            }
            What::Block(Block::Start { kind, .. })
                if *kind != BlockKind::Words(StreamKind::Reasoning) =>
            {
                return;
            }
            _ => None,
        };
        let event = Event { what: other.as_ref().unwrap_or(event.what), ..*event };
        self.deltas.feed(&event, &mut self.found);
    }

    /// Reasoning among the items of an SSE log of Codex. Start and done rows are those of its
    /// stream.
    fn sse_item(
        &mut self,
        event: &Event<'_>,
        item: &Item,
        facts: &Facts,
        out: &mut Vec<Reasoning>,
    ) {
        let payload = &facts.payload;
        let content = Content::of_item(payload.get("item").unwrap_or(payload));
        if item.phase == ItemPhase::Raw {
            if event.left_out.is_none() {
                self.hold(event, Level::Item, "item", content, out);
            }
            return;
        }
        let Some(id) = content.id else { return };
        if let Some(waiting) = self.waiting(event.head) {
            waiting.streamed = true;
        }
        if let Some(beside) = self.beside_of(event, id, id, None) {
            beside.summaries = beside.summaries.max(content.summaries);
            if !content.encrypted.is_empty() {
                beside.encrypted = (content.encrypted.len() as u64, Some(hash(content.encrypted)));
            }
        }
        if item.phase == ItemPhase::Done {
            // The stream will tell it: what repeats it need not wait for that.
            self.meet(content.same(event.head), Level::Stream);
        }
    }

    /// Takes the rows that no words tell.
    fn row(&mut self, event: &Event<'_>, facts: &Facts, out: &mut Vec<Reasoning>) {
        let payload = &facts.payload;
        let inner = payload.get("payload").unwrap_or(payload);
        let (level, source, content) = match &*facts.name {
            "claude.content_block_delta" => {
                self.come_to(event.t, out);
                return self.signature(event, payload);
            }
            "assistant" if facts.form == Form::Transcript => {
                return self.transcript(event, payload, out);
            }
            "response_item.reasoning" => (Level::Item, "transcript", Content::of_item(inner)),
            "event_msg.agent_reasoning" => {
                (Level::Event, "transcript", Content::said(inner, "text"))
            }
            "turn.reasoning" => (Level::Event, "item", Content::said(payload, "text")),
            "event_msg.item_completed"
                if text_at(inner, &["item", "type"]) == Some("Reasoning") =>
            {
                (Level::Completed, "transcript", Content::of_completed(&inner["item"]))
            }
            "turn.item.completed" if text_at(payload, &["item", "type"]) == Some("Reasoning") => {
                (Level::Completed, "item", Content::of_completed(&payload["item"]))
            }
            _ => return,
        };
        if event.left_out.is_none() {
            self.come_to(event.t, out);
            self.hold(event, level, source, content, out);
        }
    }

    /// A part of the signature of a block of Claude.
    fn signature(&mut self, event: &Event<'_>, payload: &Value) {
        let Some(part) = text_at(payload, &["delta", "signature"]) else { return };
        let index = payload["index"].as_i64().unwrap_or(0);
        let request = text_at(payload, &["request_id"]);
        let stream = request.or(event.head.flow_id.as_deref()).unwrap_or_default();
        if let Some(beside) = self.beside_of(event, &block_id(stream, index), stream, Some(index)) {
            beside.signature.push_str(part);
        }
    }

    /// A block of Claude that cannot be read at all; nothing of it is streamed.
    fn redacted(&mut self, event: &Event<'_>, facts: &Facts, out: &mut Vec<Reasoning>) {
        let block = &facts.payload["content_block"];
        let Some(content) = Content::of_block(block) else { return };
        let index = facts.payload["index"].as_i64().unwrap_or(0);
        let request = text_at(&facts.payload, &["request_id"]);
        let stream = request.or(event.head.flow_id.as_deref()).unwrap_or_default();
        let id = block_id(stream, index);
        let content = Content { id: Some(&id), ..content };
        let same = content.same(event.head);
        if !self.is_known(same, Level::Item) {
            self.meet(same, Level::Stream);
            out.push(content.reasoning(event, "stream"));
        }
    }

    /// The blocks of a row of a transcript.
    fn transcript(&mut self, event: &Event<'_>, row: &Value, out: &mut Vec<Reasoning>) {
        let Some(blocks) = row["message"]["content"].as_array() else { return };
        let id = text_at(row, &["requestId"]).or_else(|| text_at(row, &["message", "id"]));
        let first = id.map_or(0, |id| self.blocks_before(event.head, id, blocks.len()));
        if event.left_out.is_some() {
            return;
        }
        for (i, block) in blocks.iter().enumerate() {
            let Some(content) = Content::of_block(block) else { continue };
            self.come_to(event.t, out);
            let id = id.map(|id| block_id(id, (first + i) as i64));
            let content = Content { id: id.as_deref(), ..content };
            self.hold(event, Level::Item, "transcript", content, out);
        }
    }

    /// How many blocks of a message stand in the rows before, which mostly hold one each.
    fn blocks_before(&mut self, head: &Head, id: &str, blocks: usize) -> usize {
        let whose = head.counter().unwrap_or_default();
        if !self.blocks.contains_key(&*whose) {
            self.blocks.insert(whose.clone().into_owned(), (0, 0));
        }
        let Some((latest, told)) = self.blocks.get_mut(&*whose) else { return 0 };
        if *latest != hash(id) {
            (*latest, *told) = (hash(id), 0);
        }
        *told += blocks;
        *told - blocks
    }

    /// What a request sends back for the first time.
    fn request(
        &mut self,
        event: &Event<'_>,
        asked: &Asked,
        place: &Place,
        out: &mut Vec<Reasoning>,
    ) {
        if !self.requests || event.left_out.is_some() {
            return;
        }
        self.come_to(event.t, out);
        let fresh = asked.conversation().iter().zip(&place.fresh).filter(|(_, fresh)| **fresh);
        for (item, _) in fresh {
            if item["type"] == "reasoning" {
                self.hold(event, Level::Request, "request", Content::of_item(item), out);
            }
            let blocks = item["content"].as_array().filter(|_| item["role"] == "assistant");
            for block in blocks.into_iter().flatten() {
                if let Some(content) = Content::of_block(block) {
                    self.hold(event, Level::Request, "request", content, out);
                }
            }
        }
    }

    /// Keeps what may be told better.
    fn hold(
        &mut self,
        event: &Event<'_>,
        level: Level,
        source: &'static str,
        content: Content<'_>,
        out: &mut Vec<Reasoning>,
    ) {
        let same = content.same(event.head);
        let mut what = content.reasoning(event, source);
        if level == Level::Request {
            what.text = String::new();
        }
        let Some(waiting) = self.waiting(event.head) else { return };
        if level > Level::Request {
            if level < waiting.best {
                // Only events repeat what can be read elsewhere; an item may be one that was not.
                if level < Level::Item {
                    return;
                }
            } else if what.text_bytes > 0 {
                waiting.can_be_read(level);
            }
        }
        waiting.list.push(Candidate { level, same, what });
        if waiting.list.len() > WAITING {
            let list = waiting.list.drain(..WAITING / 2).collect();
            let oldest = Waiting { list, ..*waiting };
            self.decide(oldest, out);
        }
    }

    fn waiting(&mut self, head: &Head) -> Option<&mut Waiting> {
        let sid = head.sid.as_deref().unwrap_or_default();
        if !self.open.contains_key(sid) {
            self.open.insert(sid.to_owned(), Waiting::default());
        }
        self.open.get_mut(sid)
    }

    /// The turn of a session is over: soon nothing better will come.
    fn turn_over(&mut self, event: &Event<'_>) {
        if event.left_out == Some(LeftOut::Copy) || event.head.agent.is_some() {
            return;
        }
        let sid = event.head.sid.as_deref().unwrap_or_default();
        let Some(waiting) = self.open.remove(sid).filter(|waiting| !waiting.list.is_empty()) else {
            return;
        };
        // Streams of twins wait for the end of their turn, and then settle.
        let until = event.t.unwrap_or(i64::MIN).saturating_add(2 * SETTLE_MS);
        self.over.push_back((until, waiting));
    }

    /// Gives out what was not told better.
    fn decide(&mut self, waiting: Waiting, out: &mut Vec<Reasoning>) {
        let Waiting { mut list, best, streamed } = waiting;
        list.sort_by_key(|one| Reverse(one.level));
        for Candidate { level, same, what } in list {
            let repeats = match level {
                // There is nothing to compare it by.
                _ if same.is_nothing() => streamed || level == Level::Request,
                Level::Event | Level::Completed => level < best,
                _ => false,
            };
            if repeats {
                continue;
            }
            // Requests send the same back again and again.
            let known = match level {
                Level::Request => self.is_known(same, Level::Request),
                Level::Event => self.is_known(same, Level::Completed),
                Level::Completed => self.is_known(same, Level::Item),
                Level::Item | Level::Stream => self.is_known(same, Level::Stream),
            };
            self.meet(same, level);
            if !known {
                out.push(what);
            }
        }
    }

    /// Gives out what was streamed; `late` at the end of the input, when an item that its stream
    /// did not end for may have been told already.
    fn give_streams(&mut self, late: bool, out: &mut Vec<Reasoning>) {
        for item in std::mem::take(&mut self.found) {
            if item.kind != Some(StreamKind::Reasoning) {
                continue;
            }
            let (item_id, key) = named(&item);
            let beside = self.beside.remove(&key);
            let text = item.text.as_ref().map(|text| text.to_str_lossy().into_owned());
            let text = text.unwrap_or_default();
            let seal = beside.as_ref().and_then(Beside::seal);
            let head = &item.head;
            let same = Same::of(item.first.sid.as_deref(), item_id.as_deref(), seal, &text);
            if late && self.is_known_as(same, Level::Item) {
                continue;
            }
            self.meet(same, Level::Stream);
            let of_claude = item.block_index.is_some();
            let streamed = item.deltas > 0;
            out.push(Reasoning {
                t: item.t,
                src: item.src,
                head: Arc::clone(head),
                item_id,
                source: if streamed || of_claude { "stream" } else { "item" },
                status: streamed.then(|| item.status.name()),
                text_bytes: text.len() as u64,
                text,
                summaries: beside.as_ref().map_or(0, |beside| beside.summaries),
                encrypted_bytes: beside.as_ref().map_or(0, |beside| beside.encrypted.0),
                signature_bytes: beside.map_or(0, |beside| beside.signature.len() as u64),
            });
        }
    }

    /// What is told of a stream beside its text; none of one that was given out.
    fn beside_of(
        &mut self,
        event: &Event<'_>,
        item_id: &str,
        stream: &str,
        index: Option<i64>,
    ) -> Option<&mut Beside> {
        let key = stream_key(event.head, stream, index);
        if !self.beside.contains_key(&key) {
            let same = Same::of(event.head.sid.as_deref(), Some(item_id), None, "");
            if self.is_known_as(same, Level::Stream) {
                return None;
            }
            let beside = Beside {
                item_id: item_id.to_owned(),
                t: event.t,
                src: event.src,
                head: Arc::clone(event.head),
                summaries: 0,
                encrypted: (0, None),
                signature: String::new(),
            };
            self.beside.insert(key, beside);
        }
        self.beside.get_mut(&key)
    }

    fn meet(&mut self, same: Same, level: Level) {
        for hash in same.remembered() {
            let known = self.met.entry(hash).or_insert(level);
            *known = level.max(*known);
        }
    }

    /// Whether the same was told by so good a source, or a better one.
    fn is_known(&self, same: Same, level: Level) -> bool {
        same.asked().any(|hash| self.met.get(&hash).is_some_and(|known| *known >= level))
    }

    /// Whether the same was told by this very source.
    fn is_known_as(&self, same: Same, level: Level) -> bool {
        same.asked().any(|hash| self.met.get(&hash) == Some(&level))
    }
}

impl Waiting {
    /// A source tells what can be read: worse ones that only repeat it are not needed.
    fn can_be_read(&mut self, level: Level) {
        if level > self.best {
            self.best = level;
            self.list.retain(|one| {
                let repeats = matches!(one.level, Level::Event | Level::Completed);
                !repeats || one.level >= level
            });
        }
    }
}

impl Beside {
    fn seal(&self) -> Option<u64> {
        let signature = Some(&*self.signature).filter(|signature| !signature.is_empty());
        self.encrypted.1.or_else(|| signature.map(hash))
    }

    /// The record of an item of which nothing else is known.
    fn alone(self) -> Reasoning {
        let Self { item_id, t, src, head, summaries, encrypted, signature } = self;
        Reasoning {
            t,
            src,
            head,
            item_id: Some(item_id),
            source: "stream",
            status: None,
            text: String::new(),
            text_bytes: 0,
            summaries,
            encrypted_bytes: encrypted.0,
            signature_bytes: signature.len() as u64,
        }
    }
}

impl<'v> Content<'v> {
    /// An item `{id, summary, content, encrypted_content}`. Its summary is what can be read, else
    /// its content.
    fn of_item(item: &'v Value) -> Self {
        let texts = |key: &str| -> Vec<&'v str> {
            let parts = item.get(key).and_then(Value::as_array);
            parts.into_iter().flatten().filter_map(|part| text_at(part, &["text"])).collect()
        };
        let summary = texts("summary");
        let summaries = summary.len() as u64;
        let parts = if summary.is_empty() { texts("content") } else { summary };
        let encrypted = text_at(item, &["encrypted_content"]).unwrap_or_default();
        let id = text_at(item, &["id"]).filter(|id| !id.is_empty());
        Self { id, text: parts.join("\n\n"), summaries, encrypted, signature: "" }
    }

    /// The same in an event about it: `{id, summary_text, raw_content}`.
    fn of_completed(item: &'v Value) -> Self {
        let texts = |key: &str| -> Vec<&'v str> {
            let parts = item.get(key).and_then(Value::as_array);
            parts.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let summary = texts("summary_text");
        let summaries = summary.len() as u64;
        let parts = if summary.is_empty() { texts("raw_content") } else { summary };
        let id = text_at(item, &["id"]).filter(|id| !id.is_empty());
        Self { id, text: parts.join("\n\n"), summaries, ..Self::default() }
    }

    /// What an event says.
    fn said(payload: &Value, key: &str) -> Self {
        let text = text_at(payload, &[key]).unwrap_or_default().to_owned();
        Self { text, summaries: 1, ..Self::default() }
    }

    /// A block of a message of Claude; none if it is not reasoning.
    fn of_block(block: &'v Value) -> Option<Self> {
        let of = |key: &str| text_at(block, &[key]).unwrap_or_default();
        match of("type") {
            "thinking" => {
                let (text, signature) = (of("thinking").to_owned(), of("signature"));
                Some(Self { text, signature, ..Self::default() })
            }
            "redacted_thinking" => Some(Self { encrypted: of("data"), ..Self::default() }),
            _ => None,
        }
    }

    fn same(&self, head: &Head) -> Same {
        let seals = [self.encrypted, self.signature].into_iter();
        let seal = seals.filter(|seal| !seal.is_empty()).map(hash).next();
        Same::of(head.sid.as_deref(), self.id, seal, &self.text)
    }

    fn reasoning(self, event: &Event<'_>, source: &'static str) -> Reasoning {
        Reasoning {
            t: event.t,
            src: event.src,
            head: Arc::clone(event.head),
            item_id: self.id.map(String::from),
            source,
            status: None,
            text_bytes: self.text.len() as u64,
            text: self.text,
            summaries: self.summaries,
            encrypted_bytes: self.encrypted.len() as u64,
            signature_bytes: self.signature.len() as u64,
        }
    }
}

impl Same {
    fn of(sid: Option<&str>, id: Option<&str>, seal: Option<u64>, text: &str) -> Self {
        let in_session = |tag: u8, hash: u64| {
            let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
            hasher.write(sid.unwrap_or_default().as_bytes());
            hasher.write_u8(tag);
            hasher.write_u64(hash);
            hasher.finish()
        };
        // Twins lose the blank lines between summaries.
        let words: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let words = (!words.is_empty()).then(|| hash(&words));
        Self {
            id: id.map(|id| in_session(0, hash(id))),
            seal: seal.map(|seal| in_session(1, seal)),
            words: words.map(|words| in_session(2, words)),
            bare_words: words.map(|words| in_session(3, words)),
        }
    }

    /// Whether nothing tells it from other reasoning.
    fn is_nothing(self) -> bool {
        self.remembered().next().is_none()
    }

    /// What it is remembered by.
    fn remembered(self) -> impl Iterator<Item = u64> {
        let bare = self.bare_words.filter(|_| self.seal.is_none());
        [self.id, self.seal, self.words, bare].into_iter().flatten()
    }

    /// What it is looked up by. Words tell only where one of the two has no seal.
    fn asked(self) -> impl Iterator<Item = u64> {
        let words = if self.seal.is_some() { self.bare_words } else { self.words };
        [self.id, self.seal, words].into_iter().flatten()
    }
}

/// What names a streamed item in records, and among those that are open.
fn named(item: &Delta) -> (Option<String>, u64) {
    let (stream, index) = match (&item.request_id, item.block_index) {
        (Some(request), index) => (Some(&**request), index),
        (None, Some(index)) => (item.first.flow_id.as_deref(), Some(index)),
        (None, None) => (item.item_id.as_deref(), None),
    };
    let name = match (stream, index) {
        (Some(stream), Some(index)) => Some(block_id(stream, index)),
        (stream, _) => stream.map(String::from),
    };
    (name, stream_key(&item.first, stream.unwrap_or_default(), index))
}

/// Request and block.
fn block_id(request: &str, index: i64) -> String {
    format!("{request}:{index}")
}

fn stream_key(head: &Head, stream: &str, index: Option<i64>) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(head.sid.as_deref().unwrap_or_default().as_bytes());
    hasher.write_u8(0);
    hasher.write(stream.as_bytes());
    hasher.write_i64(index.unwrap_or(-1));
    hasher.finish()
}

fn hash(text: impl AsRef<[u8]>) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(text.as_ref());
    hasher.finish()
}

//! What the agent said in a turn: whole messages, and the last of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::work::hash;
use crate::event::{
    Event, Head, Item, ItemKind, ItemPhase, Message, Piece, Response, Span, Src, Stream, StreamKind,
};
use crate::json::Text;

/// The messages of a turn, from the rows that tell them.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Replies {
    /// Whether all messages are kept, not only the last.
    keep: bool,
    /// `turn.agent_message`, or whole messages of Claude.
    said: Messages,
    /// Items that are messages: where the writer was told to leave the others out.
    items: Messages,
    /// What the end of the turn gives as the last message.
    at_end: Option<Said>,
    /// Messages of Claude that are being streamed, by their requests.
    #[serde(serialize_with = "crate::state::sorted_map")]
    streams: HashMap<Box<[u8]>, Streamed, FixedState>,
    /// The message of a transcript that was told last.
    last_id: Option<u64>,
}

/// A whole message of the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Said {
    /// When its first row was written, in milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// Its first row.
    pub src: Src,
    /// Whose that is.
    #[serde(with = "crate::state::head")]
    pub head: Arc<Head>,
    /// What names it: the item of Codex, the request of Claude, else the message.
    pub id: Option<String>,
    /// What was said.
    pub text: Text,
}

impl Said {
    fn new(event: &Event<'_>, id: Option<Span>, text: Text) -> Self {
        let id = id.map(|id| event.name(id).to_owned()).filter(|id| !id.is_empty());
        Self { t: event.t, src: event.src, head: Arc::clone(event.head), id, text }
    }
}

/// Messages in their order: the last, or all of them if they are wanted.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
struct Messages {
    count: u64,
    kept: Vec<Said>,
}

impl Messages {
    fn add(&mut self, said: Said, keep: bool) {
        self.count += 1;
        if !keep {
            self.kept.clear();
        }
        self.kept.push(said);
    }
}

/// A message of Claude: its first delta, and the texts of its blocks, by their indices.
#[derive(Debug, Serialize, Deserialize, Clone)]
struct Streamed {
    first: Said,
    texts: BTreeMap<i64, Text>,
}

impl Replies {
    /// Keeps all messages, not only the last.
    pub fn keeping(keep: bool) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Whether it keeps all messages.
    pub fn keeps_all(&self) -> bool {
        self.keep
    }

    /// A whole message.
    pub fn said(&mut self, event: &Event<'_>, text: Span) -> &'static str {
        self.said.add(Said::new(event, None, event.text(text)), self.keep);
        "reply"
    }

    /// What the row of the end says was the last message.
    pub fn ended_with(&mut self, event: &Event<'_>, text: Span) {
        self.at_end = Some(Said::new(event, None, event.text(text)));
    }

    /// A Codex item: a message counts where no other row tells it.
    pub fn item(&mut self, event: &Event<'_>, item: &Item) -> Option<&'static str> {
        if (item.kind, item.phase) != (ItemKind::Message, ItemPhase::Done) {
            return None;
        }
        self.items.add(Said::new(event, item.item_id, event.text(item.text?)), self.keep);
        Some("message, counted if no other row tells it")
    }

    /// A delta of a Claude message.
    pub fn delta(&mut self, event: &Event<'_>, piece: &Piece) -> Option<&'static str> {
        let Stream::Block { request, index } = piece.stream else { return None };
        if piece.kind != StreamKind::Text {
            return None;
        }
        let key = match request {
            Some(id) => event.bytes(id),
            // `request_id` decides; where there is none, the flow is all that is known.
            None => event.head.flow_id.as_deref().unwrap_or_default().as_bytes(),
        };
        if !self.streams.contains_key(key) {
            let first = Said::new(event, request, Text::default());
            self.streams.insert(key.into(), Streamed { first, texts: BTreeMap::new() });
        }
        let text = event.text(piece.text);
        let message = self.streams.get_mut(key)?;
        message.texts.entry(index).and_modify(|known| known.push(&text)).or_insert(text);
        Some("part of a reply")
    }

    /// A message of Claude is over, by its stop row or the reason that was told before: it is whole.
    pub fn response(&mut self, event: &Event<'_>, response: &Response) -> Option<&'static str> {
        if !response.stopped {
            return None;
        }
        let request = match response.id {
            Some(id) => event.bytes(id),
            None => event.head.flow_id.as_deref()?.as_bytes(),
        };
        let Streamed { first, texts } = self.streams.remove(request)?;
        let mut whole = Text::default();
        for (i, text) in texts.values().enumerate() {
            if i > 0 {
                whole.push_str("\n\n");
            }
            whole.push(text);
        }
        self.said.add(Said { text: whole, ..first }, self.keep);
        Some("reply, whole")
    }

    /// A message of Claude as a transcript tells it, or a further block of it.
    pub fn message(&mut self, event: &Event<'_>, message: &Message) -> Option<&'static str> {
        let text = event.text(message.text.filter(|_| !message.sub_agent)?);
        let id = message.id.map(|id| hash(event.bytes(id)));
        if id.is_some()
            && self.last_id == id
            && let Some(last) = self.said.kept.last_mut()
        {
            last.text.push_str("\n\n");
            last.text.push(&text);
            return Some("part of a reply");
        }
        self.last_id = id;
        self.said.add(Said::new(event, message.request.or(message.id), text), self.keep);
        Some("reply")
    }

    /// How many messages there were, and those that were kept: the last, or all.
    pub fn finish(self) -> (u64, Vec<Said>) {
        let Self { mut said, mut items, at_end, .. } = self;
        match (said.count, items.count) {
            (0, 0) => (u64::from(at_end.is_some()), Vec::from_iter(at_end)),
            (0, count) => (count, items.kept),
            (count, _) => {
                name_by_items(&mut said.kept, &mut items.kept);
                (count, said.kept)
            }
        }
    }

    /// The messages that are whole by now.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Said> {
        self.said.kept.drain(..)
    }
}

/// Messages that name nothing have the ids of the items that say the same, each used once.
fn name_by_items(said: &mut [Said], items: &mut Vec<Said>) {
    for message in said.iter_mut().filter(|message| message.id.is_none()) {
        let same = items.iter().position(|item| item.text == message.text);
        message.id = same.and_then(|at| items.remove(at).id);
    }
}

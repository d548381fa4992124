//! What the agent said in a turn: whole messages, and the last of them.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::work::hash;
use crate::event::{
    Event, Item, ItemKind, ItemPhase, Message, Piece, Response, Stream, StreamKind,
};
use crate::json::Text;

/// The messages of a turn, from the rows that tell them.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// `turn.agent_message`, or whole messages of Claude.
    said: Messages,
    /// Items that are messages: where the writer was told to leave the others out.
    items: Messages,
    /// What the end of the turn gives as the last message.
    at_end: Option<Text>,
    /// Messages of Claude that are being streamed, by their requests.
    streams: HashMap<Box<[u8]>, Streamed, FixedState>,
    /// The message of a transcript that was told last.
    last_id: Option<u64>,
}

#[derive(Debug, Default)]
struct Messages {
    count: u64,
    last: Option<Text>,
}

impl Messages {
    fn add(&mut self, text: Text) {
        self.count += 1;
        self.last = Some(text);
    }
}

/// A message of Claude: the texts of its blocks, by their indices.
type Streamed = BTreeMap<i64, Text>;

impl Replies {
    /// A whole message.
    pub fn said(&mut self, text: Text) -> &'static str {
        self.said.add(text);
        "reply"
    }

    /// What the row of the end says was the last message.
    pub fn ended_with(&mut self, text: Text) {
        self.at_end = Some(text);
    }

    /// A Codex item: a message counts where no other row tells it.
    pub fn item(&mut self, event: &Event<'_>, item: &Item) -> Option<&'static str> {
        if (item.kind, item.phase) != (ItemKind::Message, ItemPhase::Done) {
            return None;
        }
        self.items.add(event.text(item.text?));
        Some("message, counted if no other row tells it")
    }

    /// A delta of a Claude message.
    pub fn delta(&mut self, event: &Event<'_>, piece: &Piece) -> Option<&'static str> {
        let Stream::Block { request, index } = piece.stream else { return None };
        if piece.kind != StreamKind::Text {
            return None;
        }
        let request = match request {
            Some(id) => event.bytes(id),
            // `request_id` decides; where there is none, the flow is all that is known.
            None => event.head.flow_id.as_deref().unwrap_or_default().as_bytes(),
        };
        if !self.streams.contains_key(request) {
            self.streams.insert(request.into(), Streamed::new());
        }
        let text = event.text(piece.text);
        let message = self.streams.get_mut(request)?;
        message.entry(index).and_modify(|known| known.push(&text)).or_insert(text);
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
        let mut whole = Text::default();
        for (i, text) in self.streams.remove(request)?.values().enumerate() {
            if i > 0 {
                whole.push_str("\n\n");
            }
            whole.push(text);
        }
        self.said.add(whole);
        Some("reply, whole")
    }

    /// A message of Claude as a transcript tells it, or a further block of it.
    pub fn message(&mut self, event: &Event<'_>, message: &Message) -> Option<&'static str> {
        let text = event.text(message.text.filter(|_| !message.sub_agent)?);
        let id = message.id.map(|id| hash(event.bytes(id)));
        if id.is_some() && self.last_id == id {
            let last = self.said.last.get_or_insert_default();
            last.push_str("\n\n");
            last.push(&text);
            return Some("part of a reply");
        }
        self.last_id = id;
        Some(self.said(text))
    }

    /// How many messages there were, and the last.
    pub fn finish(self) -> (u64, Option<Text>) {
        let Messages { count, last } = if self.said.count > 0 { self.said } else { self.items };
        match (count, last) {
            (0, _) => (u64::from(self.at_end.is_some()), self.at_end),
            (count, last) => (count, last),
        }
    }
}

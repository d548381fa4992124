//! What the agent said in a turn: whole messages, and the last of them.

use crate::event::{Event, Item, ItemKind, ItemPhase, Piece, Response, Stream, StreamKind};
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
    /// Messages of Claude that are being streamed.
    streams: Vec<Message>,
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

/// A message of Claude: the texts of its blocks, in order.
#[derive(Debug)]
struct Message {
    request: Vec<u8>,
    blocks: Vec<(i64, Text)>,
}

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
        let at = self.streams.iter().rposition(|message| message.request == request);
        let at = at.unwrap_or_else(|| {
            self.streams.push(Message { request: request.to_vec(), blocks: Vec::new() });
            self.streams.len() - 1
        });
        let blocks = &mut self.streams[at].blocks;
        let text = event.text(piece.text);
        match blocks.iter_mut().find(|(known, _)| *known == index) {
            Some((_, known)) => known.push(&text),
            None => blocks.push((index, text)),
        }
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
        let at = self.streams.iter().rposition(|message| message.request == request)?;
        let mut blocks = self.streams.remove(at).blocks;
        blocks.sort_by_key(|(index, _)| *index);
        let mut whole = Text::default();
        for (i, (_, text)) in blocks.iter().enumerate() {
            if i > 0 {
                whole.push_str("\n\n");
            }
            whole.push(text);
        }
        self.said.add(whole);
        Some("reply, whole")
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

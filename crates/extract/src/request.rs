//! Captured requests as the modes see them: what was sent, item by item, and what of it is new.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use serde_json::Value;

/// A request to a provider.
#[derive(Debug, Default)]
pub struct Asked {
    /// `messages`, `count_tokens`, `responses`, `compact`, `chat_completions`, `other`.
    pub kind: &'static str,
    /// `POST`, mostly.
    pub method: Option<String>,
    /// Where it went.
    pub url: Option<String>,
    /// Names in lower case, with values as they were sent, in their order.
    pub headers: Vec<(String, String)>,
    /// The body as an object, however it was spelled; null if it is none.
    pub body: Value,
    /// Bytes of the body as JSON.
    pub body_bytes: u64,
    /// For each message (`messages`) or item (`input`) of the body: its size and what names it.
    pub items: Vec<Piece>,
}

/// A message or item of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// A hash of what it says: equal for equal text.
    pub hash: u64,
    /// Bytes of it as JSON.
    pub bytes: u64,
}

/// A request in its conversation.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Ordinal of the request among those of its session, from 1.
    pub call: u64,
    /// How many of the first items are those of the request before.
    pub common: usize,
    /// The items of the request before.
    pub before: Vec<Piece>,
    /// For each item, whether no earlier request of the session held it.
    pub fresh: Vec<bool>,
}

impl std::fmt::Debug for Conversations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversations").field("sessions", &self.sessions.len()).finish()
    }
}

/// The conversations that requests carry on, by session. Requests that talk of something else
/// (titles, token counts, other hosts) are no part of one.
#[derive(Default)]
pub struct Conversations {
    sessions: HashMap<String, Conversation, FixedState>,
}

#[derive(Default)]
struct Conversation {
    calls: u64,
    last: Vec<Piece>,
    met: HashSet<u64, FixedState>,
}

impl Asked {
    /// Whether it asks a model to go on with a conversation.
    pub fn is_call(&self) -> bool {
        matches!(self.kind, "messages" | "responses" | "chat_completions" | "compact")
    }

    /// The messages or items of the body.
    pub fn conversation(&self) -> &[Value] {
        let list = self.body.get("messages").or_else(|| self.body.get("input"));
        list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl Conversations {
    /// Places the next request of a session, in order of time.
    pub fn place(&mut self, sid: Option<&str>, asked: &Asked) -> Place {
        let sid = sid.unwrap_or_default();
        if !self.sessions.contains_key(sid) {
            self.sessions.insert(sid.to_owned(), Conversation::default());
        }
        let Some(of) = self.sessions.get_mut(sid) else { return Place::default() };
        of.calls += 1;
        if !asked.is_call() {
            return Place { call: of.calls, ..Place::default() };
        }
        let same = asked.items.iter().zip(&of.last).take_while(|(a, b)| a == b);
        let common = same.count();
        let fresh = asked.items.iter().map(|item| of.met.insert(item.hash)).collect();
        let before = std::mem::replace(&mut of.last, asked.items.clone());
        Place { call: of.calls, common, before, fresh }
    }
}

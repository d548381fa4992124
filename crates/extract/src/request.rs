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

    /// Whether it only talks of a conversation: it asks for a title, or tries whether a model
    /// answers. Such a request offers no tools and tells to write a title or topic, or allows an
    /// answer of a few tokens.
    pub fn is_aside(&self) -> bool {
        if self.kind == "compact" {
            return false;
        }
        let limit = ["max_tokens", "max_output_tokens", "max_completion_tokens"];
        let limit = limit.into_iter().find_map(|key| self.body.get(key)?.as_u64());
        if limit.is_some_and(|tokens| tokens <= FEW_TOKENS) {
            return true;
        }
        let has_tools =
            self.body.get("tools").and_then(Value::as_array).is_some_and(|t| !t.is_empty());
        let instructions =
            ["system", "instructions"].into_iter().filter_map(|key| self.body.get(key));
        let last = self.conversation().last().and_then(|item| item.get("content"));
        !has_tools && instructions.chain(last).any(asks_for_title)
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

/// Nobody goes on with a conversation in so few tokens.
const FEW_TOKENS: u64 = 64;

/// How many bytes of a text are read for what it asks: such prompts are short.
const ASK_BYTES: usize = 4096;

/// Whether a text, or one of the blocks of a list, tells to write a title or topic.
fn asks_for_title(content: &Value) -> bool {
    match content {
        Value::String(text) => is_title_prompt(text),
        Value::Array(blocks) => blocks
            .iter()
            .filter_map(|block| block.get("text").and_then(Value::as_str))
            .any(is_title_prompt),
        _ => false,
    }
}

fn is_title_prompt(text: &str) -> bool {
    const VERBS: [&str; 8] =
        ["generate", "write", "create", "extract", "suggest", "come up with", "produce", "give"];
    let end = text.floor_char_boundary(ASK_BYTES);
    let text = text[..end].to_ascii_lowercase();
    let told = |at: usize| {
        let from = text.floor_char_boundary(at.saturating_sub(80));
        VERBS.iter().any(|verb| text[from..at].contains(verb))
    };
    text.contains("new conversation topic")
        || text.starts_with("summarize this coding conversation")
        || text.match_indices("title").any(|(at, _)| told(at))
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
        if !asked.is_call() || asked.is_aside() {
            return Place { call: of.calls, ..Place::default() };
        }
        let same = asked.items.iter().zip(&of.last).take_while(|(a, b)| a == b);
        let common = same.count();
        let fresh = asked.items.iter().map(|item| of.met.insert(item.hash)).collect();
        let before = std::mem::replace(&mut of.last, asked.items.clone());
        Place { call: of.calls, common, before, fresh }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(body: Value) -> Asked {
        Asked { kind: "messages", body, ..Asked::default() }
    }

    #[test]
    fn titles_and_trials_are_no_part_of_a_conversation() {
        let user = |text: &str| json!([{"role": "user", "content": text}]);
        for (body, aside) in [
            (json!({"max_tokens": 1, "messages": user("quota")}), true),
            (
                json!({"max_tokens": 512, "system": "Generate a concise title", "messages": user("x")}),
                true,
            ),
            (json!({"system": [{"type": "text", "text": "Extract a 2-3 word title."}]}), true),
            (json!({"messages": user("Please write a 5-10 word title for this")}), true),
            (json!({"tools": [{"name": "Bash"}], "messages": user("write a title for it")}), false),
            (json!({"max_tokens": 512, "messages": user("hello")}), false),
            (json!(null), false),
        ] {
            assert_eq!(asked(body.clone()).is_aside(), aside, "{body}");
        }
    }

    #[test]
    fn a_title_between_does_not_part_a_conversation() {
        let mut all = Conversations::default();
        let piece = |hash| Piece { hash, bytes: 1 };
        let call = |items: &[u64], body: Value| Asked {
            items: items.iter().map(|hash| piece(*hash)).collect(),
            ..asked(body)
        };
        all.place(Some("s"), &call(&[1], json!({})));
        let title = all.place(Some("s"), &call(&[9], json!({"system": "Write a title"})));
        assert_eq!((title.call, title.fresh), (2, vec![]));
        let next = all.place(Some("s"), &call(&[1, 2], json!({})));
        assert_eq!((next.call, next.common, next.fresh), (3, 1, vec![false, true]));
    }
}

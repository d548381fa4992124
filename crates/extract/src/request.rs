//! Captured requests as the modes see them: what was sent, item by item, and what of it is new.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};

use agentlog::capture::{Body, Request, RequestKind};
use foldhash::fast::FixedState;
use serde_json::Value;

use crate::value_of;

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
    /// What names the instructions and the tools.
    pub system: u64,
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

/// A request in its conversation. Which conversation of its session it goes on with is told by the
/// system prompt and the tools; if these are new, by the messages that it starts with.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Ordinal of the request among those of its session, from 1.
    pub call: u64,
    /// How many of the first items are those of the request before.
    pub common: usize,
    /// The items of the request before; none if it is the first of its conversation.
    pub before: Vec<Piece>,
    /// Whether it goes on with other instructions or tools than the request before.
    pub system_changed: bool,
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
    sessions: HashMap<String, Session, FixedState>,
}

#[derive(Default)]
struct Session {
    calls: u64,
    /// What its conversations came to, the latest last: what names the instructions, and the items.
    conversations: Vec<(u64, Vec<Piece>)>,
    met: HashSet<u64, FixedState>,
}

/// How many messages a request shares with a conversation that it goes on with under other
/// instructions.
const ALIKE: usize = 2;

/// How many conversations of a session are remembered: its own, those of sub-agents, titles.
const CONVERSATIONS: usize = 32;

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
            self.sessions.insert(sid.to_owned(), Session::default());
        }
        let Some(session) = self.sessions.get_mut(sid) else { return Place::default() };
        session.calls += 1;
        let call = session.calls;
        if !asked.is_call() || asked.is_aside() {
            return Place { call, ..Place::default() };
        }
        let fresh = asked.items.iter().map(|item| session.met.insert(item.hash)).collect();
        let found = session.take(asked);
        let system_changed = found.as_ref().is_some_and(|(system, _)| *system != asked.system);
        let before = found.map(|(_, items)| items).unwrap_or_default();
        let common = common(&before, &asked.items);
        session.conversations.push((asked.system, asked.items.clone()));
        Place { call, common, before, system_changed, fresh }
    }
}

impl Session {
    /// The conversation that a request goes on with. One with other instructions stays, too: a
    /// side call, such as that for a title, may start as the conversation does.
    fn take(&mut self, asked: &Asked) -> Option<(u64, Vec<Piece>)> {
        let same = self.conversations.iter().rposition(|(system, _)| *system == asked.system);
        if let Some(at) = same {
            return Some(self.conversations.remove(at));
        }
        let common = |(_, items): &&(u64, Vec<Piece>)| common(items, &asked.items);
        let best = self.conversations.iter().max_by_key(common);
        let best = best.filter(|one| common(one) >= ALIKE).cloned();
        if self.conversations.len() >= CONVERSATIONS {
            self.conversations.remove(0);
        }
        best
    }
}

fn common(a: &[Piece], b: &[Piece]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a.hash == b.hash).count()
}

impl Asked {
    /// What a captured request says.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let whole = request.body().map(Body::value);
        let body = whole.map_or(Value::Null, value_of);
        let url = request.url().map(Cow::into_owned);
        let headers = request.headers();
        let headers = headers.map(|header| {
            let name = header.name.trim_matches(|c: char| c.is_whitespace() || c.is_control());
            (name.to_lowercase(), header.value.into_owned())
        });
        let mut asked = Self {
            kind: kind_of(request.kind(), url.as_deref()),
            method: request.method().map(Cow::into_owned),
            url,
            headers: headers.collect(),
            body_bytes: whole.map_or(0, |value| value.raw.len() as u64),
            items: Vec::new(),
            system: 0,
            body,
        };
        asked.learn();
        asked
    }

    /// Names its items, and what it instructs the model with.
    pub(crate) fn learn(&mut self) {
        let sizes = self.conversation().iter().map(size_of_json);
        let hashes = self.conversation().iter().map(hash);
        self.items = hashes.zip(sizes).map(|(hash, bytes)| Piece { hash, bytes }).collect();
        let told = ["system", "instructions", "tools"].map(|key| self.body.get(key).map(hash));

        self.system = FixedState::with_seed(0).hash_one(told);
    }
}

fn kind_of(kind: RequestKind, url: Option<&str>) -> &'static str {
    match kind {
        RequestKind::Messages => "messages",
        RequestKind::CountTokens => "count_tokens",
        RequestKind::Responses if url.is_some_and(|url| url.ends_with("/compact")) => "compact",
        RequestKind::Responses => "responses",
        RequestKind::ChatCompletions => "chat_completions",
        RequestKind::Other => "other",
    }
}

/// A hash of what a value says. Marks for the cache are no part of that: they move on with each
/// request.
fn hash(value: &Value) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hash_into(value, &mut hasher);
    hasher.finish()
}

fn hash_into(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Object(fields) => {
            hasher.write_u8(1);
            for (key, value) in fields.iter().filter(|(key, _)| *key != "cache_control") {
                key.hash(hasher);
                hash_into(value, hasher);
            }
            hasher.write_u8(2);
        }
        Value::Array(items) => {
            hasher.write_u8(3);
            for item in items {
                hash_into(item, hasher);
            }
            hasher.write_u8(4);
        }
        Value::String(text) => text.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::Bool(value) => value.hash(hasher),
        Value::Null => hasher.write_u8(5),
    }
}

/// Bytes of a value as JSON without white space.
fn size_of_json(value: &Value) -> u64 {
    /// Counts what is written.
    struct Count(u64);

    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(0, |()| count.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(system: &str, messages: &[&str]) -> Asked {
        let messages: Vec<Value> = messages
            .iter()
            .map(|text| json!({"role": "user", "content": [{"type": "text", "text": text}]}))
            .collect();
        let body = json!({"system": system, "messages": messages});
        let mut asked = Asked { kind: "messages", body, ..Asked::default() };
        asked.learn();
        asked
    }

    #[test]
    fn a_request_goes_on_with_the_conversation_of_its_system_prompt() {
        let mut all = Conversations::default();
        let first = all.place(Some("s"), &asked("A", &["a"]));
        assert_eq!((first.call, first.before, first.fresh), (1, vec![], vec![true]));
        all.place(Some("s"), &asked("title", &["a"]));
        let third = all.place(Some("s"), &asked("A", &["a", "b"]));
        assert_eq!((third.call, third.common, third.system_changed), (3, 1, false));
        assert_eq!(third.fresh, [false, true]);
        let changed = all.place(Some("s"), &asked("B", &["a", "b", "c"]));
        assert_eq!((changed.common, changed.system_changed), (2, true));
        assert_eq!(all.place(Some("other"), &asked("B", &["a"])).before, []);
    }

    #[test]
    fn marks_for_the_cache_change_nothing() {
        let with = json!([{"text": "a", "cache_control": {"type": "ephemeral"}}]);
        assert_eq!(hash(&with), hash(&json!([{"text": "a"}])));
        assert_ne!(hash(&with), hash(&json!([{"text": "b"}])));
        assert_eq!(size_of_json(&json!({"a": [1, "é"]})), 14);
    }

    fn of(body: Value) -> Asked {
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
            assert_eq!(of(body.clone()).is_aside(), aside, "{body}");
        }
    }

    #[test]
    fn a_title_between_does_not_part_a_conversation() {
        let mut all = Conversations::default();
        let piece = |hash| Piece { hash, bytes: 1 };
        let call = |items: &[u64], body: Value| Asked {
            items: items.iter().map(|hash| piece(*hash)).collect(),
            ..of(body)
        };
        all.place(Some("s"), &call(&[1], json!({})));
        let title = all.place(Some("s"), &call(&[9], json!({"system": "Write a title"})));
        assert_eq!((title.call, title.fresh), (2, vec![]));
        let next = all.place(Some("s"), &call(&[1, 2], json!({})));
        assert_eq!((next.call, next.common, next.fresh), (3, 1, vec![false, true]));
    }
}

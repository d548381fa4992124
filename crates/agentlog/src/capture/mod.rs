//! Captured HTTP requests: what an agent asked of a model, one JSON document each, as the patched
//! agents write it to `requests/`. `docs/formats.md` says what is read.
//!
//! A document is walked once. What is in it is handed out as it stands there, but for a body that
//! was logged as text, which is decoded first.

mod body;
mod headers;
mod session;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::event::{Head, Provider};
use crate::json::{self, Kind, Value};
use crate::sse::Fault;
use crate::sse::envelope::{present, utf8};
use crate::time::Stamp;
use crate::zone::{Clock, ZoneKey};

pub use body::Body;
use body::{Members, Place};
pub use headers::Header;
use headers::Told;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// A message of Anthropic's API, `/v1/messages`.
    Messages,
    /// How many tokens such a message would have, `/v1/messages/count_tokens`.
    CountTokens,
    /// A response of `OpenAI`'s API, `/v1/responses` and what is below it.
    Responses,
    /// The older form of that, `/v1/chat/completions`.
    ChatCompletions,
    /// Anything else: telemetry, feature flags, accounts.
    Other,
}

impl RequestKind {
    /// The name of its event.
    pub fn event(self) -> &'static str {
        match self {
            Self::Messages => "request.messages",
            Self::CountTokens => "request.count_tokens",
            Self::Responses => "request.responses",
            Self::ChatCompletions => "request.chat_completions",
            Self::Other => "request.other",
        }
    }
}

/// The keys of a document, as they stand in it. `null` and `""` count as absent.
#[derive(Clone, Copy, Debug, Default)]
struct Keys<'a> {
    ts: Option<Value<'a>>,
    t: Option<Value<'a>>,
    pid: Option<Value<'a>>,
    cwd: Option<Value<'a>>,
    session_id: Option<Value<'a>>,
    sid: Option<Value<'a>>,
    method: Option<Value<'a>>,
    url: Option<Value<'a>>,
    headers: Option<Value<'a>>,
    body: Option<Value<'a>>,
    /// Whether there is a key that only the writer for Claude Code has.
    of_claude: bool,
    /// Whether a key of the format was seen, whatever its value.
    known: bool,
}

/// A captured request, opened.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    keys: Keys<'a>,
    /// What stands in its headers beside what was asked for.
    told: Told<'a>,
    kind: RequestKind,
    body: Option<Body<'a>>,
    body_error: Option<String>,
    sid: Option<String>,
}

impl<'a> Request<'a> {
    /// Reads and checks a whole document; white space around it is passed over.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let text = utf8(bytes)?;
        let (mut keys, mut members) = (Keys::default(), Members::default());
        let read = json::fields_and_inside(text, "body", |inside, key, value| {
            if inside {
                members.set(key, Place::of(text, value));
            } else {
                keys.set(key, value);
            }
        });
        if read.is_err() {
            return Err(match json::value(text) {
                Ok(_) => Fault::NotAnObject,
                Err(e) => Fault::NotJson(e),
            });
        }
        if !keys.known {
            return Err(Fault::NoRequestKey);
        }
        let (body, body_error) = match Body::open(text, keys.body, members) {
            Ok(body) => (body, None),
            Err(e) => (None, Some(format!("body: not JSON: {e}"))),
        };
        let told = Told::of(keys.headers);
        let kind = keys.kind(body.as_ref());
        let sid = session::find(&keys, &told, body.as_ref());
        Ok(Self { keys, told, kind, body, body_error, sid })
    }

    /// Whether the text starts as a document does that holds a request. The text may be cut short.
    pub fn is_start(text: &str) -> bool {
        let (mut method, mut url) = (false, false);
        // Where it is cut off the walk ends; the keys before that were handed out.
        let _ = json::leading_fields(text, |key, _| {
            method |= key == "method";
            url |= key == "url";
        });
        method && url
    }

    /// When it was sent, if the start of a document tells it in UTC. The text may be cut short.
    pub fn start_clock(text: &str) -> Clock {
        let mut keys = Keys::default();
        let _ = json::leading_fields(text, |key, value| keys.set(key, value));
        match keys.stamp() {
            Some(Stamp::Utc(ms)) => Clock::Utc(ms),
            _ => Clock::Missing,
        }
    }

    /// What was asked for.
    pub fn kind(&self) -> RequestKind {
        self.kind
    }

    /// The agent that asked: by whom it asked, then by what it asked for, then by who logged it.
    pub fn provider(&self) -> Option<Provider> {
        let url = self.url().unwrap_or_default();
        let (host, _) = host_and_path(&url);
        let of = |names: &[&str]| names.iter().any(|name| host.ends_with(name));
        match self.kind {
            _ if of(&["anthropic.com", "claude.ai", "claude.com"]) => Some(Provider::Claude),
            _ if of(&["openai.com", "chatgpt.com"]) => Some(Provider::Codex),
            RequestKind::Messages | RequestKind::CountTokens => Some(Provider::Claude),
            RequestKind::Responses | RequestKind::ChatCompletions => Some(Provider::Codex),
            RequestKind::Other => self.told.provider().or_else(|| self.keys.provider()),
        }
    }

    /// When it was sent.
    pub fn clock(&self) -> Clock {
        Clock::new(self.keys.stamp(), None, || ZoneKey::new(self.sid(), self.pid()))
    }

    /// The session that it belongs to.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The process that sent it.
    pub fn pid(&self) -> Option<i64> {
        self.keys.pid?.integer()
    }

    /// The working directory of that process.
    pub fn cwd(&self) -> Option<Cow<'a, str>> {
        self.keys.cwd?.str()
    }

    /// The method of HTTP.
    pub fn method(&self) -> Option<Cow<'a, str>> {
        self.keys.method?.str()
    }

    /// Where it was sent.
    pub fn url(&self) -> Option<Cow<'a, str>> {
        self.keys.url?.str()
    }

    /// The version of the agent, as its name in the headers tells it.
    pub fn ver(&self) -> Option<&str> {
        self.told.version()
    }

    /// The model that was asked.
    pub fn model(&self) -> Option<Value<'_>> {
        self.body.as_ref()?.model()
    }

    /// The headers as they were written, in order. One with several values comes several times.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> {
        headers::headers_of(self.keys.headers).into_iter()
    }

    /// What was sent.
    pub fn body(&self) -> Option<&Body<'a>> {
        self.body.as_ref()
    }

    /// Why the body cannot be read, if it was logged as text that is no JSON.
    pub fn body_error(&self) -> Option<&str> {
        self.body_error.as_deref()
    }

    /// Whose it is.
    pub fn head(&self) -> Head {
        Head {
            provider: self.provider(),
            sid: self.sid.clone(),
            pid: self.pid(),
            cwd: self.cwd().map(Cow::into_owned),
            ver: self.ver().map(str::to_owned),
            model: self.model().and_then(|model| Some(model.str()?.into_owned())),
            ..Head::default()
        }
    }
}

impl<'a> Keys<'a> {
    fn set(&mut self, key: &str, value: Value<'a>) {
        let slot = match key {
            "ts" => &mut self.ts,
            "t" => &mut self.t,
            "pid" => &mut self.pid,
            "cwd" => &mut self.cwd,
            "session_id" => &mut self.session_id,
            "sid" => &mut self.sid,
            "method" => &mut self.method,
            "url" => &mut self.url,
            "headers" => &mut self.headers,
            "body" => &mut self.body,
            "stream" | "transport" => return self.of_claude = true,
            _ => return,
        };
        *slot = present(value).or(*slot);
        self.of_claude |= matches!(key, "ts" | "session_id");
        self.known |= matches!(key, "method" | "url" | "headers" | "body");
    }

    fn stamp(&self) -> Option<Stamp> {
        self.ts.and_then(stamp_of).or_else(|| self.t.and_then(stamp_of))
    }

    /// The agent whose writer has these keys.
    fn provider(&self) -> Option<Provider> {
        match self {
            _ if self.of_claude => Some(Provider::Claude),
            Self { t: Some(_), .. } | Self { sid: Some(_), .. } => Some(Provider::Codex),
            _ => None,
        }
    }

    /// What was asked for, by the path; where there is none, by what the body has.
    fn kind(&self, body: Option<&Body<'_>>) -> RequestKind {
        let (messages, input) = body.map_or((false, false), Body::forms);
        let Some(url) = self.url.and_then(|url| url.str()) else {
            return match self.provider() {
                _ if input => RequestKind::Responses,
                Some(Provider::Codex) if messages => RequestKind::ChatCompletions,
                _ if messages => RequestKind::Messages,
                _ => RequestKind::Other,
            };
        };
        let (_, path) = host_and_path(&url);
        let path = path.trim_end_matches('/');
        match path {
            _ if path.ends_with("/messages/count_tokens") => RequestKind::CountTokens,
            _ if path.ends_with("/v1/messages") => RequestKind::Messages,
            _ if path.ends_with("/messages") && messages => RequestKind::Messages,
            _ if path.ends_with("/chat/completions") => RequestKind::ChatCompletions,
            _ if path.split('/').any(|part| part == "responses") => RequestKind::Responses,
            // As cloud providers take them, the model in the path.
            _ if messages && body.is_some_and(Body::is_of_anthropic) => RequestKind::Messages,
            _ => RequestKind::Other,
        }
    }
}

/// The parts of a URL; the host is empty if there is none.
fn host_and_path(url: &str) -> (&str, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else { return ("", url) };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (host.split(':').next().unwrap_or_default(), path)
}

/// A time as text, or as seconds or their thousandth, millionth or billionth parts since 1970.
fn stamp_of(value: Value<'_>) -> Option<Stamp> {
    let text = value.label()?;
    if let Some(stamp) = Stamp::parse(&text) {
        return Some(stamp);
    }
    let number: f64 = text.parse().ok()?;
    // Times of this century, whichever unit they are in.
    let scale = match number {
        1e9..1e10 => 1e3,
        1e12..1e13 => 1.0,
        1e15..1e16 => 1e-3,
        1e18..1e19 => 1e-6,
        _ => return None,
    };
    let is_spelled = value.kind == Kind::Number || text.bytes().all(|b| b.is_ascii_digit());
    is_spelled.then_some(Stamp::Utc((number * scale).floor() as i64))
}

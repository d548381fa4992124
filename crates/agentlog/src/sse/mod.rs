//! The dialect of centralized SSE logs: one row an event, both agents, five generations of
//! envelopes. `docs/formats.md` says what is read.

mod alike;
pub(crate) mod envelope;
mod inner;
mod meta;
mod prompt;
mod salvage;
pub(crate) mod what;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

pub use alike::{Alike, AlikeRow};
pub use envelope::{Envelope, leading_name};
pub(crate) use inner::member_or_empty as inner_member_or_empty;
pub use inner::{Inner, member};
pub use meta::Meta;
pub use prompt::{PROMPT_EVENTS, prompt_of};
pub use salvage::{Salvage, has_interior_row};
pub use what::{tells_no_call, tells_no_turn, what_of};

use crate::event::{Head, Provider};
use crate::json::{self, JsonError, Kind, Value};
use crate::time::{Stamp, uuid7_ms};
use crate::zone::{Clock, Evidence, ZoneKey};
use meta::MetaCache;

/// Why a line is bad.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 { at: usize },
    #[error("not JSON: {0}")]
    NotJson(JsonError),
    #[error("not a JSON object")]
    NotAnObject,
    #[error("none of the keys of an SSE log")]
    NoKnownKey,
    #[error("none of the keys of a transcript or rollout")]
    NoNativeKey,
    #[error("none of the keys of a captured request")]
    NoRequestKey,
}

/// Event names whose rows tell the writer's offset.
pub const ZONE_EVENTS: [&str; 4] =
    ["turn.user_message", "codex.user_prompt", "claude.user_prompt", "turn.session_configured"];

/// The keys of UTC times inside a row.
static UTC_KEYS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["timestamp", "released"].map(Finder::new));

static MODEL_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"model\""));

/// Memory for the unescaped insides of one row, reused from row to row.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The text of `line`, if it was escaped: [`Inner::text`].
    pub line: Vec<u8>,
    metadata: MetaCache,
}

/// A row, opened.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The event's name; `unknown` if nothing names it.
    pub name: Cow<'a, str>,
    /// The outer object.
    pub envelope: Envelope<'a>,
    /// The SSE text and its JSON.
    pub inner: Inner<'a>,
    /// Process and version of the writer.
    pub meta: Meta<'a>,
}

impl<'a> Row<'a> {
    /// Opens a row; none if it carries no event (the `event: …` half of an old two-row event, a
    /// comment).
    pub fn open(envelope: Envelope<'a>, scratch: &'a mut Scratch) -> Option<Self> {
        let Scratch { line, metadata } = scratch;
        let inner = Inner::open(&envelope, line);
        let name = match envelope.event_name() {
            Some(name) => name,
            None if inner.no_data && envelope.line.is_some() => return None,
            None => inner_name(&inner),
        };
        Some(Self { name, inner, meta: Meta::open(&envelope, metadata), envelope })
    }

    /// The agent, by the event's name, else by the writer's version.
    pub fn provider(&self) -> Option<Provider> {
        provider_of(&self.name).or_else(|| {
            let ver = self.meta.ver?.raw;
            match ver {
                _ if ver.starts_with("claude") => Some(Provider::Claude),
                _ if ver.starts_with("codex") => Some(Provider::Codex),
                _ => None,
            }
        })
    }

    /// The session id.
    pub fn sid(&self) -> Option<Cow<'a, str>> {
        self.envelope.sid?.label()
    }

    /// The process id; a string of digits is one too.
    pub fn pid(&self) -> Option<i64> {
        self.meta.pid?.integer()
    }

    /// The row's clock as [`Row::clock`] tells it, without opening more of the row than needed;
    /// for rows whose envelope names the event.
    pub fn clock_only(envelope: Envelope<'a>, scratch: &'a mut Scratch) -> Clock {
        // These keys are plain ASCII wherever they stand, so their text is in the raw row.
        let stamped =
            |line: Value<'_>| UTC_KEYS.iter().any(|key| key.find(line.raw.as_bytes()).is_some());
        let Scratch { line, metadata } = scratch;
        let opens = envelope.released.is_some() || envelope.line.is_some_and(stamped);
        let inner = if opens { Inner::open(&envelope, line) } else { Inner::default() };
        let meta = Meta::open(&envelope, metadata);
        Self { name: Cow::Borrowed(""), inner, meta, envelope }.clock()
    }

    /// When the row was written.
    pub fn clock(&self) -> Clock {
        let stamp = self.envelope.t.and_then(|t| Stamp::parse(&t.str()?));
        Clock::new(stamp, self.utc_stamp(), || self.zone_key())
    }

    /// The UTC time that the row holds beside its wall clock time.
    fn utc_stamp(&self) -> Option<i64> {
        if let Some(Stamp::Utc(ms)) = self.inner.timestamp.and_then(|t| Stamp::parse(&t.str()?)) {
            return Some(ms);
        }
        let released = self.envelope.released.or(self.inner.released);
        let released = released.or_else(|| {
            // Only queued rows of newer writers have it: do not walk every payload for it.
            let payload = self.inner.payload?;
            UTC_KEYS[1].find(payload.raw.as_bytes())?;
            member(payload, "released")
        });
        Some(released?.integer()? / 1_000_000)
    }

    fn zone_key(&self) -> ZoneKey {
        ZoneKey::new(self.sid().as_deref(), self.pid())
    }

    /// What the row tells of its writer's offset: see [`ZONE_EVENTS`]. A resumed session's id is
    /// older than the process, so it tells nothing.
    pub fn evidence(&self) -> impl Iterator<Item = Evidence> {
        // Most rows tell nothing: their stamps and ids are not even read.
        let tells = ZONE_EVENTS.contains(&&*self.name).then_some(self);
        tells.into_iter().flat_map(Self::evidence_told)
    }

    fn evidence_told(&self) -> impl Iterator<Item = Evidence> {
        let local = match self.envelope.t.and_then(|t| Stamp::parse(&t.str()?)) {
            Some(Stamp::Local(ms)) => Some(ms),
            _ => None,
        };
        let fresh = self.name == "turn.session_configured"
            && self.inner.member("initial_messages").is_none();
        let ids = [self.envelope.round, self.envelope.sid.filter(|_| fresh)];
        let (sid, pid) = (self.sid(), self.pid());
        // Rows that lack their session or process, or both, go by what the others tell.
        let keys = [(true, true), (true, false), (false, true), (false, false)]
            .map(|(s, p)| ZoneKey::new(sid.as_deref().filter(|_| s), pid.filter(|_| p)));
        let minted = ids.map(|id| uuid7_ms(&id?.str()?));
        minted.into_iter().flatten().flat_map(move |utc| {
            keys.into_iter().filter_map(move |key| Evidence::new(key, local?, utc))
        })
    }

    /// The model that the row itself names.
    pub fn model(&self) -> Option<Value<'a>> {
        let (mut own, mut response, mut message) = (None, None, None);
        let payload = self.inner.payload.filter(|v| v.kind == Kind::Object)?;
        // Few rows name one; a key is plain ASCII, and so is its text.
        MODEL_KEY.find(payload.raw.as_bytes())?;
        json::fields(payload.raw, |key, value| match key {
            "model" => own = Some(value),
            "response" => response = Some(value),
            "message" => message = Some(value),
            _ => {}
        })
        .ok()?;
        let inside =
            |value: Option<Value<'a>>| member(value.filter(|v| v.kind == Kind::Object)?, "model");
        let own = own.and_then(envelope::present);
        own.or_else(|| inside(response)).or_else(|| inside(message)).filter(Value::is_string)
    }

    /// The head of the event, owned.
    pub fn head(&self) -> Head {
        let text = |value: Option<Value<'_>>| Some(value?.label()?.into_owned());
        Head {
            provider: self.provider(),
            sid: text(self.envelope.sid),
            pid: self.pid(),
            turn_id: text(self.meta.turn_id),
            round: text(self.envelope.round),
            flow_id: text(self.envelope.flow_id),
            cwd: text(self.meta.cwd),
            ver: text(self.meta.ver),
            model: text(self.model()),
            agent: None,
        }
    }
}

/// The agent whose events bear such names.
pub fn provider_of(name: &str) -> Option<Provider> {
    match name.split_once('.')?.0 {
        "claude" => Some(Provider::Claude),
        "turn" | "codex" | "response" | "thread" | "item" => Some(Provider::Codex),
        _ => None,
    }
}

/// The name of an event whose envelope has none.
fn inner_name<'a>(inner: &Inner<'a>) -> Cow<'a, str> {
    let Some(outer) = inner.kind.and_then(|v| v.str()) else { return "unknown".into() };
    let nested = inner.wrapped.and_then(|p| member(p, "type")).and_then(|v| v.str());
    match nested {
        Some(kind) if outer == "event_msg" || (kind == outer && !outer.contains('.')) => {
            format!("claude.{kind}").into()
        }
        _ => outer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_row<T>(text: &str, f: impl FnOnce(Row<'_>) -> T) -> Option<T> {
        let mut scratch = Scratch::default();
        Some(f(Row::open(Envelope::parse(text.as_bytes()).unwrap(), &mut scratch)?))
    }

    #[test]
    fn names_by_envelope_then_by_what_is_inside() {
        for (text, name) in [
            (r#"{"event":"turn.diff","line":""}"#, Some("turn.diff")),
            (
                r#"{"line":"data: {\"type\":\"event_msg\",\"payload\":{\"type\":\"stop\"}}"}"#,
                Some("claude.stop"),
            ),
            (
                r#"{"line":"data: {\"type\":\"stop\",\"payload\":{\"type\":\"stop\"}}"}"#,
                Some("claude.stop"),
            ),
            (r#"{"event":"","line":"data: {\"type\":\"codex.idle\"}"}"#, Some("codex.idle")),
            (r#"{"line":{"type":"codex.idle"}}"#, Some("codex.idle")),
            (r#"{"t":"2025-11-18T21:55:31.188"}"#, Some("unknown")),
            (r#"{"line":"event: claude.stop","sid":"x"}"#, None),
        ] {
            assert_eq!(with_row(text, |r| r.name.into_owned()).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn metadata_as_text_or_object_or_not_at_all() {
        for text in [
            r#"{"event":"x","metadata":"{\"turn_id\":\"3\",\"pid\":41,\"cwd\":\"/w\",\"more\":[1]}"}"#,
            r#"{"event":"x","metadata":{"cwd":"/w","turn_id":3,"pid":"41"}}"#,
        ] {
            let head = with_row(text, |r| r.head()).unwrap();
            assert_eq!(
                (head.pid, head.turn_id.as_deref(), head.cwd.as_deref()),
                (Some(41), Some("3"), Some("/w")),
                "{text}"
            );
        }
        let old = r#"{"event":"x","pid":"81551","cwd":"","metadata":""}"#;
        let head = with_row(old, |r| r.head()).unwrap();
        assert_eq!((head.pid, head.cwd), (Some(81551), None));
        assert!(
            with_row(r#"{"event":"x","metadata":"{bad"}"#, |r| r.meta.error.is_some()).unwrap()
        );
    }

    #[test]
    fn evidence_of_the_offset() {
        let sid = "019a9776-b774-7de6-aa56-cbd6599008c5";
        let row = |event: &str, line: &str| {
            format!(
                r#"{{"event":"{event}","t":"2025-11-18T21:55:31.188","line":"data: {line}","round":"{sid}","sid":"{sid}"}}"#
            )
        };
        let count = |text: String| with_row(&text, |r| r.evidence().count()).unwrap();
        assert_eq!(count(row("turn.user_message", "{}")), 4);
        assert_eq!(count(row("turn.session_configured", "{}")), 8);
        assert_eq!(
            count(row("turn.session_configured", r#"{\"payload\":{\"initial_messages\":[]}}"#)),
            4
        );
        assert_eq!(count(row("turn.diff", "{}")), 0);
    }
}

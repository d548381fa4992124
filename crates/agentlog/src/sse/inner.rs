//! What stands inside a row: the SSE text of `line`, the JSON in it, and its effective payload.

use super::envelope::{Envelope, present};
use crate::json::{self, Kind, Value};

/// The inside of a row.
#[derive(Clone, Debug, Default)]
pub struct Inner<'a> {
    /// The SSE text of `line` if it had to be unescaped, and so stands in the scratch memory; else
    /// empty.
    pub text: &'a str,
    /// The inner object's `type`.
    pub kind: Option<Value<'a>>,
    /// `payload` as it stands, whatever its type.
    pub wrapped: Option<Value<'a>>,
    /// The effective payload: `payload` if it is an object, else the whole inner JSON.
    pub payload: Option<Value<'a>>,
    /// The inner `timestamp`, UTC.
    pub timestamp: Option<Value<'a>>,
    /// `released`, where the writer put it inside.
    pub released: Option<Value<'a>>,
    /// Why there is no payload though the row should have one.
    pub error: Option<String>,
    /// SSE text that carries no data: `event: …`, a comment, `[DONE]`, nothing.
    pub no_data: bool,
}

impl<'a> Inner<'a> {
    /// Opens the row's `line`. `scratch` holds the unescaped text for as long as the result
    /// lives.
    pub fn open(row: &Envelope<'a>, scratch: &'a mut Vec<u8>) -> Self {
        let Some(line) = row.line else { return Self { no_data: true, ..Self::default() } };
        match line.kind {
            Kind::String { escaped: false } => Self::of_sse(line.raw),
            Kind::String { escaped: true } => {
                let text = json::unescape_into(line.raw, scratch);
                Self { text, ..Self::of_sse(text) }
            }
            Kind::Object => Self::of_json(line.raw),
            _ => Self::failed("line is neither text nor an object".into()),
        }
    }

    fn of_sse(text: &'a str) -> Self {
        match data_of(text) {
            Some(data) => Self::of_json(data),
            None => Self { no_data: true, ..Self::default() },
        }
    }

    fn of_json(text: &'a str) -> Self {
        Self::of_flat(text).unwrap_or_else(|| Self::of_any(text))
    }

    /// Opens JSON of the shape `{"type":"NAME","payload":{…}}` with a flat payload, as deltas and
    /// so most rows have it, without a walk. None for all others.
    fn of_flat(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(r#"{"type":""#)?;
        let (name, rest) = rest.split_at(memchr::memchr2(b'"', b'\\', rest.as_bytes())?);
        let payload = rest.strip_prefix(r#"","payload":"#)?.strip_suffix('}')?;
        if name.bytes().any(|b| b < b' ') || !json::is_flat_object(payload.as_bytes()) {
            return None;
        }
        let kind = Value { kind: Kind::String { escaped: false }, raw: name, compact: true };
        let payload = Value { kind: Kind::Object, raw: payload, compact: true };
        let (wrapped, payload) = (Some(payload), Some(payload));
        Some(Self { kind: present(kind), wrapped, payload, ..Self::default() })
    }

    fn of_any(text: &'a str) -> Self {
        let mut inner = Self::default();
        let whole = json::fields(text, |key, value| match key {
            "type" => inner.kind = present(value),
            "payload" => inner.wrapped = Some(value).filter(|v| v.kind != Kind::Null),
            "timestamp" => inner.timestamp = present(value),
            "released" => inner.released = present(value),
            _ => {}
        });
        let whole = match whole {
            Ok(object) => object,
            Err(fault) => match json::value(text) {
                Ok(value) => value,
                Err(_) => return Self::failed(fault.to_string()),
            },
        };
        inner.payload = Some(inner.wrapped.filter(|p| p.kind == Kind::Object).unwrap_or(whole));
        inner
    }

    fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// A member of the effective payload.
    pub fn member(&self, name: &str) -> Option<Value<'a>> {
        member(self.payload?, name)
    }
}

/// A member of an object; none if it is null or `""`, or the value is no object.
pub fn member<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    present(member_or_empty(object, name)?)
}

/// A member even if it is the empty string: an empty prompt is a prompt.
pub(crate) fn member_or_empty<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    if object.kind != Kind::Object {
        return None;
    }
    let mut found = None;
    json::fields(object.raw, |key, value| {
        if key == name {
            found = Some(value).filter(|v| v.kind != Kind::Null);
        }
    })
    .ok()?;
    found
}

/// The JSON text in SSE text: what follows the first `data:`, less one space.
fn data_of(text: &str) -> Option<&str> {
    let data = match text.strip_prefix("data:") {
        Some(data) => data,
        None if text.starts_with('{') => return Some(text),
        None => text.split_once("\ndata:")?.1,
    };
    let data = data.strip_prefix(' ').unwrap_or(data);
    let bare = data.trim();
    (!bare.is_empty() && bare != "[DONE]").then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_finds_what_the_walk_finds(
            name in r#"(turn\.x|"|\\"|\\u0061|é|\x01|x{60}){0,2}"#,
            payload in r#"\{("a":("b(\\"|\\n)?"|10|01|\[\]|null|\{\}),?){0,3}\} ?"#,
            tail in r#"(|,"payload":1|,"released":12|\}| )\}?"#,
        ) {
            let text = format!(r#"{{"type":"{name}","payload":{payload}{tail}"#);
            if let Some(inner) = Inner::of_flat(&text) {
                prop_assert_eq!(format!("{inner:?}"), format!("{:?}", Inner::of_any(&text)));
            }
        }
    }

    #[test]
    fn deltas_are_opened_the_short_way() {
        for (text, short) in [
            (r#"{"type":"turn.x","payload":{"delta":"\"\\n","n":0}}"#, true),
            (r#"{"type":"","payload":{"delta":""}}"#, true),
            (r#"{"type":"turn.x","payload":{"a":{}}}"#, false),
            (r#"{"type":"turn.x","payload":{"a":1},"released":1}"#, false),
            (r#"{"type":"turn\u002ex","payload":{"a":1}}"#, false),
            (r#"{"type":"turn.x","payload":{"a":1}} "#, false),
            ("{\"type\":\"turn\u{1}x\",\"payload\":{\"a\":1}}", false),
        ] {
            assert_eq!(Inner::of_flat(text).is_some(), short, "{text}");
        }
    }

    fn payload(line: &str) -> Option<String> {
        Some(Inner::of_sse(line).payload?.raw.to_owned())
    }

    #[test]
    fn the_effective_payload_of_each_shape() {
        for (line, want) in [
            (r#"data: {"type":"turn.x","payload":{"a":1}}"#, Some(r#"{"a":1}"#)),
            (r#"data:{"type":"turn.x","payload":{"a":1}}"#, Some(r#"{"a":1}"#)),
            (r#"data: {"type":"codex.idle"}"#, Some(r#"{"type":"codex.idle"}"#)),
            (r#"data: {"type":"t","payload":null}"#, Some(r#"{"type":"t","payload":null}"#)),
            (r#"data: {"type":"t","payload":"hi"}"#, Some(r#"{"type":"t","payload":"hi"}"#)),
            ("event: x\ndata: {\"payload\":{}}\n\n", Some("{}")),
            ("data: [1]", Some("[1]")),
            ("data: [DONE]", None),
            ("event: claude.stop", None),
            (": ping", None),
        ] {
            assert_eq!(payload(line).as_deref(), want, "{line}");
        }
        assert!(Inner::of_sse(r#"data: {"type":"t","pay... [truncated"#).error.is_some());
    }
}

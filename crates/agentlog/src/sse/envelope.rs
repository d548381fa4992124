//! The outer object of a row. Its keys are told by name, never by place: writers order them
//! differently (generations G1 to G4) and add some of their own.

use std::borrow::Cow;

use super::Fault;
use crate::json::{self, Kind, Value};

/// The keys of an envelope, as they stand in the row. `null` and `""` count as absent.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Envelope<'a> {
    pub event: Option<Value<'a>>,
    pub t: Option<Value<'a>>,
    pub line: Option<Value<'a>>,
    pub metadata: Option<Value<'a>>,
    pub flow_id: Option<Value<'a>>,
    pub round: Option<Value<'a>>,
    pub data_count: Option<Value<'a>>,
    pub sid: Option<Value<'a>>,
    /// Top level before there was `metadata`.
    pub pid: Option<Value<'a>>,
    /// Top level before there was `metadata`.
    pub cwd: Option<Value<'a>>,
    /// Nanoseconds since the epoch, UTC, of a row that waited in the writer's queue.
    pub released: Option<Value<'a>>,
    /// Whether a key of the format was seen, whatever its value.
    known: bool,
}

impl<'a> Envelope<'a> {
    /// Reads and checks a whole row.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let text = utf8(bytes)?;
        let mut row = Self::default();
        match json::fields(text, |key, value| row.set(key, value)) {
            Ok(_) if row.known => Ok(row),
            Ok(_) => Err(Fault::NoKnownKey),
            Err(_) => match json::value(text) {
                Ok(_) => Err(Fault::NotAnObject),
                Err(e) => Err(Fault::NotJson(e)),
            },
        }
    }

    /// Checks a whole row that starts as most do ([`leading_name`]), without keeping anything.
    pub fn check(bytes: &[u8]) -> Result<(), Fault> {
        if json::is_flat_object(bytes) {
            return Ok(());
        }
        json::value(utf8(bytes)?).map(|_| ()).map_err(Fault::NotJson)
    }

    /// Reads the row at the start of `text`, whatever follows; also its length.
    pub(super) fn parse_leading(text: &'a str) -> Option<(Self, usize)> {
        let mut row = Self::default();
        let object = json::leading_fields(text, |key, value| row.set(key, value)).ok()?;
        row.known.then_some((row, object.raw.len()))
    }

    #[inline]
    fn set(&mut self, key: &str, value: Value<'a>) {
        let slot = match key {
            "event" => &mut self.event,
            "t" => &mut self.t,
            "line" => {
                // Empty SSE text is text that carries nothing, not a row without text.
                self.known = true;
                return self.line = Some(value).filter(|v| v.kind != Kind::Null);
            }
            "metadata" => &mut self.metadata,
            "flow_id" => &mut self.flow_id,
            "round" => &mut self.round,
            "data_count" => &mut self.data_count,
            "sid" => &mut self.sid,
            "pid" => return self.pid = present(value),
            "cwd" => return self.cwd = present(value),
            "released" => return self.released = present(value),
            _ => return,
        };
        self.known = true;
        *slot = present(value);
    }

    /// The event's name, if the envelope has one.
    pub fn event_name(&self) -> Option<Cow<'a, str>> {
        self.event?.str()
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    let at = |e: simdutf8::compat::Utf8Error| Fault::NotUtf8 { at: e.valid_up_to() };
    simdutf8::compat::from_utf8(bytes).map_err(at)
}

/// What a value says, if it says anything.
pub(crate) fn present(value: Value<'_>) -> Option<Value<'_>> {
    let empty = value.kind == Kind::Null || (value.is_string() && value.raw.is_empty());
    (!empty).then_some(value)
}

/// The name in a row that starts as most do, `{"event":"NAME"` with or without spaces, without
/// reading on. An empty name is none: what is inside names the event.
pub fn leading_name(row: &[u8]) -> Option<&[u8]> {
    let rest = if let Some(rest) = row.strip_prefix(br#"{"event":""#) {
        rest
    } else {
        let after = |text: &'_ [u8], token: &[u8]| -> Option<usize> {
            let inner = text.trim_ascii_start();
            inner.starts_with(token).then_some(text.len() - inner.len() + token.len())
        };
        let mut rest = row;
        for token in [b"{".as_slice(), b"\"event\"", b":", b"\""] {
            rest = &rest[after(rest, token)?..];
        }
        rest
    };
    let end = memchr::memchr2(b'"', b'\\', &rest[..rest.len().min(96)])?;
    (rest[end] == b'"' && end > 0).then_some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_at_the_start_of_a_row() {
        for (row, name) in [
            (r#"{"event":"codex.idle","t":1}"#, Some("codex.idle")),
            (r#" { "event" : "codex.idle", "t": 1}"#, Some("codex.idle")),
            (r#"{"t":1,"event":"codex.idle"}"#, None),
            (r#"{"event":"codex.\u0069dle"}"#, None),
            (r#"{"event":null}"#, None),
            (r#"{"event":"","t":1}"#, None),
            (r#"{"event":"torn"#, None),
            ("", None),
        ] {
            assert_eq!(leading_name(row.as_bytes()), name.map(str::as_bytes), "{row}");
        }
    }
}

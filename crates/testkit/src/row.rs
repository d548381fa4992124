//! One row of a centralized SSE log, built field by field and written in any spelling.
//! Nothing here checks that a row makes sense: tests also need those that do not.

use crate::spelling::Spelling;
use serde_json::{Map, Value, json};

/// The agent whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Codex CLI.
    Codex,
    /// Claude Code.
    Claude,
}

impl Provider {
    /// `codex` or `claude`, as records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }
}

/// What stands in `line`.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// The event's own fields, wrapped as its provider does.
    Payload(Value),
    /// The whole inner JSON.
    Inner(Value),
    /// The text of `line`, whatever it is.
    Text(String),
}

/// A row; the methods replace one field each and give the row back.
///
/// ```
/// use serde_json::json;
/// use testkit::Row;
/// let row = Row::codex("turn.user_message").payload(json!({"message": "hi"})).to_bytes();
/// assert!(row.starts_with(br#"{"event":"turn.user_message","t":"2025-11-18T21:55:52.402","#));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Row {
    pub(crate) provider: Provider,
    pub(crate) event: String,
    pub(crate) t: Option<String>,
    pub(crate) utc: Option<String>,
    pub(crate) line: Line,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) flow_id: String,
    pub(crate) round: Option<String>,
    pub(crate) data_count: Option<u64>,
    pub(crate) sid: String,
    pub(crate) released: Option<i64>,
    pub(crate) extra: Vec<(String, Value)>,
    pub(crate) spelling: Spelling,
}

impl Row {
    /// A Codex row with plausible defaults (7 hours east of UTC, pid 4100, turn 1).
    pub fn codex(event: &str) -> Self {
        let sid = "019a9776-4f00-7000-8000-0000000000c0";
        let metadata = json!({"turn_id": "1", "ver": "codex.0.60.1", "pid": 4100, "cwd": "/w/app"});
        Self::new(Provider::Codex, event, metadata).sid(sid).flow_id(&format!("{sid}__turn_1"))
    }

    /// A Claude row with plausible defaults (7 hours east of UTC, pid 81, flow `msg_01AAA`).
    pub fn claude(event: &str) -> Self {
        let metadata = json!({"ver": "claude-code-2.0.42", "pid": 81, "cwd": "/w/app"});
        let row = Self::new(Provider::Claude, event, metadata).flow_id("msg_01AAA");
        row.sid("6f0c8a52-1f6e-4b7a-9d25-3c1a0e5b7d10").utc("2025-11-18T14:55:52.402Z")
    }

    fn new(provider: Provider, event: &str, metadata: Value) -> Self {
        let Value::Object(metadata) = metadata else { unreachable!("written as an object above") };
        Self {
            provider,
            event: event.into(),
            t: Some("2025-11-18T21:55:52.402".into()),
            utc: None,
            line: Line::Payload(json!({})),
            metadata,
            flow_id: String::new(),
            round: Some("019a9777-0a51-7000-8000-0000000000d0".into()),
            data_count: Some(0),
            sid: String::new(),
            released: None,
            extra: Vec::new(),
            spelling: Spelling::default(),
        }
    }

    /// Local time, `YYYY-MM-DDTHH:MM:SS.mmm`.
    pub fn t(self, t: &str) -> Self {
        Self { t: Some(t.into()), ..self }
    }

    /// Leaves `t` out.
    pub fn without_t(self) -> Self {
        Self { t: None, ..self }
    }

    /// Claude: the inner `timestamp`, RFC 3339 with `Z`.
    pub fn utc(self, timestamp: &str) -> Self {
        Self { utc: Some(timestamp.into()), ..self }
    }

    /// Claude: leaves the inner `timestamp` out, and says the event's type in its place.
    pub fn without_utc(self) -> Self {
        Self { utc: None, ..self }
    }

    /// The event's own fields; the row wraps them as its writer does (`turn.*` in a payload,
    /// `response.*` and `codex.*` flat, Claude's in an `event_msg`).
    pub fn payload(self, payload: Value) -> Self {
        Self { line: Line::Payload(payload), ..self }
    }

    /// The inner JSON as a whole.
    pub fn inner(self, inner: Value) -> Self {
        Self { line: Line::Inner(inner), ..self }
    }

    /// The text of `line` as it is, JSON or not.
    pub fn line_text(self, text: &str) -> Self {
        Self { line: Line::Text(text.into()), ..self }
    }

    /// Sets a key of the metadata (`pid`, `turn_id`, `ver`, `cwd`, or one unknown).
    pub fn metadata(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.into(), value);
        self
    }

    /// The process id.
    pub fn pid(self, pid: u64) -> Self {
        self.metadata("pid", pid.into())
    }

    /// The turn's id (Codex).
    pub fn turn_id(self, turn_id: &str) -> Self {
        self.metadata("turn_id", turn_id.into())
    }

    /// The flow's id.
    pub fn flow_id(self, flow_id: &str) -> Self {
        Self { flow_id: flow_id.into(), ..self }
    }

    /// The round's `UUIDv7`.
    pub fn round(self, round: &str) -> Self {
        Self { round: Some(round.into()), ..self }
    }

    /// Leaves `round` out.
    pub fn without_round(self) -> Self {
        Self { round: None, ..self }
    }

    /// The row's number in its flow; `None` leaves it out.
    pub fn data_count(self, data_count: Option<u64>) -> Self {
        Self { data_count, ..self }
    }

    /// The session's id; may be empty.
    pub fn sid(self, sid: &str) -> Self {
        Self { sid: sid.into(), ..self }
    }

    /// Nanoseconds since the epoch (UTC) at which the row was written; printed by G4 only.
    pub fn released(self, nanoseconds: i64) -> Self {
        Self { released: Some(nanoseconds), ..self }
    }

    /// A key that no reader knows, just before `sid`.
    pub fn extra(mut self, key: &str, value: Value) -> Self {
        self.extra.push((key.into(), value));
        self
    }

    /// How to write it.
    pub fn spelling(self, spelling: Spelling) -> Self {
        Self { spelling, ..self }
    }
}

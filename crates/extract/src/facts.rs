//! What is kept of a row for the modes. It is made where rows are decoded, on all cores.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use agentlog::capture::Request;
use agentlog::event::Extra;
use agentlog::json::{self, Kind};
use agentlog::{native, sse};
use foldhash::fast::FixedState;
use serde_json::Value;

use crate::request::Asked;

/// The dialect of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A row of a centralized SSE log.
    Sse,
    /// A row of a transcript of Claude Code.
    Transcript,
    /// A row of a rollout of Codex CLI.
    Rollout,
    /// A captured HTTP request.
    Request,
}

/// What is kept of a row.
#[derive(Debug)]
pub struct Facts {
    /// The event's name, as `alog-events` prints it.
    pub name: Arc<str>,
    /// In which dialect it was written.
    pub form: Form,
    /// The keys of the envelope in the order in which they stand, joined by commas; SSE rows only.
    pub keys: Option<Arc<str>>,
    /// SSE rows: the effective payload. Transcripts and rollouts: the whole row. Null of a delta
    /// whose text is known anyway (not of a signature's), of a row without a payload, and of a request.
    pub payload: Value,
    /// The request, if it is one.
    pub asked: Option<Box<Asked>>,
}

impl Facts {
    /// What is kept of an SSE row.
    pub fn of_sse(row: &sse::Row<'_>) -> Arc<Extra> {
        let is_delta = row.name.ends_with(".delta") || row.name.ends_with("_block_delta");
        let payload =
            row.inner.payload.filter(|payload| !is_delta || is_signature(&row.name, payload.raw));
        Arc::new(Self {
            name: interned(&row.name),
            form: Form::Sse,
            keys: Some(interned(&keys_of(&row.envelope))),
            payload: payload.map_or(Value::Null, value_of),
            asked: None,
        })
    }

    /// What is kept of a delta that is like another, of which this is kept, but for its event.
    pub fn of_sibling(of: &Extra, event: &[u8]) -> Option<Arc<Extra>> {
        let Self { form, keys, .. } = of.downcast_ref()?;
        let name = interned(std::str::from_utf8(event).ok()?);
        let (form, keys) = (*form, keys.clone());
        Some(Arc::new(Self { name, form, keys, payload: Value::Null, asked: None }))
    }

    /// What is kept of a captured request.
    pub fn of_request(request: &Request<'_>) -> Arc<Extra> {
        Arc::new(Self {
            name: interned(request.kind().event()),
            form: Form::Request,
            keys: None,
            payload: Value::Null,
            asked: Some(Box::new(Asked::of(request))),
        })
    }

    /// What is kept of a row of a transcript or rollout; `raw` is all of it.
    pub fn of_native(row: &native::Row<'_>, raw: &[u8]) -> Arc<Extra> {
        let form = match row.dialect {
            native::Dialect::Transcript => Form::Transcript,
            native::Dialect::Rollout => Form::Rollout,
        };
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let payload = json::value(text).map_or(Value::Null, value_of);
        let name = interned(&row.name());
        Arc::new(Self { name, form, keys: None, payload, asked: None })
    }
}

/// Whether a delta is that of a signature: there are no words for these, so their payload is kept.
/// Inside of strings its quotes are escaped.
fn is_signature(name: &str, payload: &str) -> bool {
    name == "claude.content_block_delta" && payload.contains("\"signature_delta\"")
}

/// The keys of an envelope in the order in which they stand.
fn keys_of(row: &sse::Envelope<'_>) -> String {
    let known = [
        ("event", row.event),
        ("t", row.t),
        ("line", row.line),
        ("metadata", row.metadata),
        ("flow_id", row.flow_id),
        ("round", row.round),
        ("data_count", row.data_count),
        ("sid", row.sid),
        ("pid", row.pid),
        ("cwd", row.cwd),
        ("released", row.released),
    ];
    let mut placed: Vec<(usize, &str)> = Vec::with_capacity(known.len());
    placed.extend(
        known.iter().filter_map(|(key, value)| Some((value.as_ref()?.raw.as_ptr() as usize, *key))),
    );
    placed.sort_unstable();
    let mut keys = String::new();
    for (i, (_, key)) in placed.into_iter().enumerate() {
        if i > 0 {
            keys.push(',');
        }
        keys.push_str(key);
    }
    keys
}

/// A JSON value of the log as one that modes can walk. Lone surrogates become U+FFFD, and numbers
/// that no type holds become strings: `serde_json` refuses both.
pub fn value_of(value: json::Value<'_>) -> Value {
    let text = match value.kind {
        Kind::String { .. } => {
            return Value::String(
                value.text().map_or_else(String::new, |text| text.to_str_lossy().into_owned()),
            );
        }
        _ => value.raw,
    };
    serde_json::from_str(text).unwrap_or_else(|_| patient(value))
}

fn patient(value: json::Value<'_>) -> Value {
    match value.kind {
        Kind::Object => {
            let mut object = serde_json::Map::new();
            let walked = json::fields(value.raw, |key, value| {
                let key = json::Text::unescape(key).to_str_lossy().into_owned();
                object.insert(key, value_of(value));
            });
            walked.map_or(Value::Null, |_| Value::Object(object))
        }
        Kind::Array => {
            let mut items = Vec::new();
            let walked = json::items(value.raw, |item| items.push(value_of(item)));
            walked.map_or(Value::Null, |()| Value::Array(items))
        }
        _ => Value::String(value.raw.to_owned()),
    }
}

thread_local! {
    static NAMES: RefCell<HashMap<Box<str>, Arc<str>, FixedState>> = RefCell::default();
}

/// How many names are remembered.
const NAMES_KEPT: usize = 1024;

/// A name that many rows share, kept once a thread.
fn interned(name: &str) -> Arc<str> {
    NAMES.with_borrow_mut(|names| {
        if let Some(known) = names.get(name) {
            return Arc::clone(known);
        }
        if names.len() >= NAMES_KEPT {
            names.clear();
        }
        let new: Arc<str> = name.into();
        names.insert(name.into(), Arc::clone(&new));
        new
    })
}

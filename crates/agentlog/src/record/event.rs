//! `alog.event/1`: a row, decoded.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Field, Key, RecordKind, RecordWriter, Shape, Values, field, key};
use crate::capture::{Body, Request};
use crate::event::Provider;
use crate::json::{self, Kind, Value};
use crate::native;
use crate::sse::{Row, member};

/// The record of `alog-events`.
pub const EVENT: RecordKind = RecordKind {
    schema: "alog.event/1",
    about: "an event of a log, decoded",
    own: OWN,
    table: &["t", "provider", "sid", "event", "payload"],
    rows: None,
    is_final: None,
};

const OWN: &[Field] = &[
    field("event", Shape::Text, "the event's name"),
    field("seq", Shape::Count, "the writer's counter (`data_count`)"),
    field("request_id", Shape::Text, "API request (Claude)"),
    field("payload", Shape::Json, "the effective payload, as the log has it"),
    field("payload_error", Shape::Text, "why the payload or the metadata could not be read"),
];

const PAYLOAD: Key = key!("payload");
const PAYLOAD_ERROR: Key = key!("payload_error");

/// The values between `t` and `src`.
pub fn event_values(row: &Row<'_>, record: &mut impl Values) {
    event_head(row, record);
    record.json(PAYLOAD, row.inner.payload);
    event_tail(row, record);
}

/// Appends the keys of the record between `t` and `src`.
pub fn event_into(row: &Row<'_>, out: &mut Vec<u8>) {
    event_values(row, &mut RecordWriter::new(out));
}

/// Appends what stands between `t` and the payload's value.
pub fn event_head_into(row: &Row<'_>, out: &mut Vec<u8>) {
    let mut record = RecordWriter::new(out);
    event_head(row, &mut record);
    record.key(PAYLOAD);
}

/// Appends what stands between the payload's value and `src`.
pub fn event_tail_into(row: &Row<'_>, out: &mut Vec<u8>) {
    event_tail(row, &mut RecordWriter::new(out));
}

fn event_head(row: &Row<'_>, record: &mut impl Values) {
    record.name(key!("provider"), row.provider().map(Provider::name));
    record.value_str(key!("sid"), row.envelope.sid);
    record.int(key!("pid"), row.pid());
    record.value_str(key!("turn_id"), row.meta.turn_id);
    record.value_str(key!("round"), row.envelope.round);
    record.value_str(key!("flow_id"), row.envelope.flow_id);
    record.value_str(key!("cwd"), row.meta.cwd);
    record.value_str(key!("ver"), row.meta.ver);
    let known = Known::of(row);
    record.value_str(key!("model"), known.model);
    match row.envelope.event {
        // The name as it stands, which needs no spelling.
        Some(name) if name.kind == (Kind::String { escaped: false }) => {
            record.name(key!("event"), Some(name.raw));
        }
        _ => record.str(key!("event"), Some(&row.name)),
    }
    record.int(key!("seq"), row.envelope.data_count.and_then(|v| v.integer()));
    record.value_str(key!("request_id"), known.request_id);
}

fn event_tail(row: &Row<'_>, record: &mut impl Values) {
    let error = row.inner.error.as_deref();
    let metadata = row.meta.error.map(|e| format!("metadata: {e}"));
    record.str(PAYLOAD_ERROR, error.or(metadata.as_deref()));
}

/// The same values of a row of a transcript or rollout; `own` says what its file tells of all its
/// rows.
pub fn native_event_values(
    row: &native::Row<'_>,
    own: Option<&native::Meta>,
    record: &mut impl Values,
) {
    native_event_head(row, own, record);
    record.json(PAYLOAD, Some(row.payload));
    record.str(PAYLOAD_ERROR, None);
}

/// Appends the keys of the record between `t` and `src`.
pub fn native_event_into(row: &native::Row<'_>, own: Option<&native::Meta>, out: &mut Vec<u8>) {
    native_event_values(row, own, &mut RecordWriter::new(out));
}

/// Appends what stands between the payload's value and `src`.
pub fn native_event_tail_into(out: &mut Vec<u8>) {
    RecordWriter::new(out).str(PAYLOAD_ERROR, None);
}

/// Appends what stands between `t` and the payload's value.
pub fn native_event_head_into(
    row: &native::Row<'_>,
    own: Option<&native::Meta>,
    out: &mut Vec<u8>,
) {
    let mut record = RecordWriter::new(out);
    native_event_head(row, own, &mut record);
    record.key(PAYLOAD);
}

fn native_event_head(row: &native::Row<'_>, own: Option<&native::Meta>, record: &mut impl Values) {
    let head = row.head();
    // All rows of a rollout are of its thread, also those that it copied.
    let sid = own.map(native::Meta::session).or(head.sid.as_deref());
    let cwd = head.cwd.as_deref().or(own.and_then(|own| own.cwd.as_deref()));
    let ver = head.ver.as_deref().or(own.and_then(|own| own.ver.as_deref()));
    record.name(key!("provider"), Some(row.provider().name()));
    record.str(key!("sid"), sid);
    record.int(key!("pid"), None);
    record.str(key!("turn_id"), head.turn_id.as_deref());
    record.str(key!("round"), None);
    record.str(key!("flow_id"), None);
    record.str(key!("cwd"), cwd);
    record.str(key!("ver"), ver);
    record.value_str(key!("model"), row.model());
    record.str(key!("event"), Some(&row.name()));
    record.int(key!("seq"), row.seq());
    record.value_str(key!("request_id"), row.request_id());
}

/// The same values of a captured request, whose payload is its body.
pub fn request_event_values(request: &Request<'_>, record: &mut impl Values) {
    request_event_head(request, record);
    record.json(PAYLOAD, request.body().map(Body::value));
    record.str(PAYLOAD_ERROR, request.body_error());
}

/// Appends the keys of the record between `t` and `src`.
pub fn request_event_into(request: &Request<'_>, out: &mut Vec<u8>) {
    request_event_values(request, &mut RecordWriter::new(out));
}

/// Appends what stands between `t` and the payload's value.
pub fn request_event_head_into(request: &Request<'_>, out: &mut Vec<u8>) {
    let mut record = RecordWriter::new(out);
    request_event_head(request, &mut record);
    record.key(PAYLOAD);
}

fn request_event_head(request: &Request<'_>, record: &mut impl Values) {
    record.name(key!("provider"), request.provider().map(Provider::name));
    record.str(key!("sid"), request.sid());
    record.int(key!("pid"), request.pid());
    record.str(key!("turn_id"), None);
    record.str(key!("round"), None);
    record.str(key!("flow_id"), None);
    record.str(key!("cwd"), request.cwd().as_deref());
    record.str(key!("ver"), request.ver());
    record.value_str(key!("model"), request.model());
    record.name(key!("event"), Some(request.kind().event()));
    record.int(key!("seq"), None);
    record.str(key!("request_id"), None);
}

/// Appends what stands between the payload's value and `src`.
pub fn request_event_tail_into(request: &Request<'_>, out: &mut Vec<u8>) {
    RecordWriter::new(out).str(PAYLOAD_ERROR, request.body_error());
}

static KEYS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["\"model\"", "\"request_id\""].map(Finder::new));

/// What the payload tells for the head, found in one walk.
#[derive(Default)]
struct Known<'a> {
    model: Option<Value<'a>>,
    request_id: Option<Value<'a>>,
}

impl<'a> Known<'a> {
    fn of(row: &Row<'a>) -> Self {
        let mut known = Self::default();
        let Some(payload) = row.inner.payload.filter(|p| p.kind == Kind::Object) else {
            return known;
        };
        // Most payloads, deltas above all, have neither: do not walk them to find out.
        if KEYS.iter().all(|key| key.find(payload.raw.as_bytes()).is_none()) {
            return known;
        }
        let mut nested = None;
        let _ = json::fields(payload.raw, |key, value| match key {
            "model" if value.is_string() => known.model = Some(value),
            "request_id" if value.is_string() => known.request_id = Some(value),
            "response" | "message" if value.kind == Kind::Object => nested = Some(value),
            _ => {}
        });
        let model = || member(nested?, "model").filter(Value::is_string);
        known.model = known.model.or_else(model);
        known
    }
}

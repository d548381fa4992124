//! `alog.delta/1`: a streamed item, put together from its deltas.

use std::borrow::Cow;

use super::{FINAL, Field, ROWS, RecordKind, RecordWriter, Shape, SrcPath, Values, field, key};
use crate::event::StreamKind;
use crate::fold::deltas::{Delta, Status, kind_name};
use crate::json;

/// The record of `alog-deltas`.
pub const DELTA: RecordKind = RecordKind {
    schema: "alog.delta/1",
    about: "a streamed item, put together from its deltas",
    own: OWN,
    table: &["t", "provider", "sid", "kind", "name", "deltas", "status", "text"],
    rows: Some(&ROWS),
    is_final: Some(&FINAL),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["text", "reasoning", "tool_args"]), "what was streamed"),
    field("item_id", Shape::Text, "the item (Codex)"),
    field("request_id", Shape::Text, "API request (Claude)"),
    field("block_index", Shape::Count, "which block of the message it is (Claude)"),
    field("call_id", Shape::Text, "the tool call that arguments belong to"),
    field("name", Shape::Text, "the tool"),
    field("t_last", Shape::Time, "the last delta's time"),
    field("deltas", Shape::Count, "how many deltas it was put together from"),
    field("bytes", Shape::Count, "length of `text` in UTF-8"),
    field(
        "status",
        Shape::OneOf(&["orphan", "open", "mismatch", "invalid_json", "complete"]),
        "how far it came",
    ),
    field("text", Shape::Text, "what was streamed; without deltas what the done row says"),
    field("json", Shape::Json, "the arguments as JSON; only with `--parse`"),
];

/// Appends a whole record. `paths` holds the path of each file of the input.
pub fn delta_into(item: &Delta, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
    let mut record = RecordWriter::begin(out, DELTA.schema, index, item.t);
    delta_values(item, paths, &mut record);
    if explain {
        record.rows(paths, &item.rows);
    }
    record.end();
}

/// The values behind `t`, `src` among them.
pub fn delta_values(item: &Delta, paths: &[SrcPath], record: &mut impl Values) {
    record.head(&item.head);
    record.name(key!("kind"), item.kind.map(kind_name));
    record.str(key!("item_id"), item.item_id.as_deref());
    record.str(key!("request_id"), item.request_id.as_deref());
    record.int(key!("block_index"), item.block_index);
    record.str(key!("call_id"), item.call_id.as_deref());
    record.str(key!("name"), item.name.as_deref());
    record.time(key!("t_last"), item.t_last);
    record.int(key!("deltas"), Some(item.deltas as i64));
    record.int(key!("bytes"), item.text.as_ref().map(|text| text.as_bytes().len() as i64));
    record.name(key!("status"), Some(item.status.name()));
    record.text(key!("text"), item.text.as_ref());
    let text = arguments(item);
    record.json(key!("json"), text.as_deref().and_then(|text| json::fields(text, |_, _| {}).ok()));
    record.src(paths, &item.src);
}

/// The arguments of a function, if they are asked for: the text of a JSON object, or what should be
/// one.
fn arguments(item: &Delta) -> Option<Cow<'_, str>> {
    let wanted = item.parse && item.kind == Some(StreamKind::Arguments);
    let text = item.text.as_ref().filter(|_| wanted).map(json::Text::to_str_lossy);
    match text.as_deref() {
        // A tool of Claude without arguments, streamed as nothing or not at all.
        Some("") if item.block_index.is_some() => Some("{}".into()),
        None if wanted && item.block_index.is_some() && item.status == Status::Complete => {
            Some("{}".into())
        }
        _ => text,
    }
}

//! Streamed items: start row, deltas with sequence numbers and their twins, done rows.

use super::Codex;
use super::response::Response;
use crate::calendar::utc_stamp;
use crate::fault::Fault;
use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Reasoning,
    Arguments,
    Input,
}

impl Kind {
    /// The event's stem, the key of a part's number, the key of the whole text.
    fn names(self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::Text => ("response.output_text", Some("content_index"), "text"),
            Self::Reasoning => ("response.reasoning_summary_text", Some("summary_index"), "text"),
            Self::Arguments => ("response.function_call_arguments", None, "arguments"),
            Self::Input => ("response.custom_tool_call_input", None, "input"),
        }
    }

    fn twin(self) -> Option<&'static str> {
        match self {
            Self::Text => Some("turn.agent_message.delta"),
            Self::Reasoning => Some("turn.reasoning.delta"),
            Self::Arguments | Self::Input => None,
        }
    }

    fn record(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Reasoning => "reasoning",
            Self::Arguments | Self::Input => "tool_args",
        }
    }
}

/// An item as the model meant it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// The whole item with its final texts, as its done row gives it.
    pub(super) done: Value,
    /// The texts as streamed.
    pub(super) parts: Vec<String>,
    /// The text that the done row gives, where it differs.
    pub(super) final_text: Option<String>,
    /// The stream breaks off in its middle.
    pub(super) cut: bool,
    /// The last delta comes after the item's end.
    pub(super) late: bool,
}

/// What readers can find of an item.
#[derive(Debug, Default)]
struct Seen {
    texts: Vec<String>,
    deltas: u64,
    first: Option<i64>,
    last: i64,
    lost: bool,
    /// A delta that is written after the item's end.
    held: Option<Map<String, Value>>,
}

impl Codex {
    /// Streams the item and writes its row of the truth.
    pub(super) fn stream(&mut self, response: &mut Response, item: &Item) {
        let start = self.pen.ms;
        let begun = begun(&item.done);
        self.frame(response, "response.output_item.added", &json!({"item": begun}));
        let mut seen = Seen::default();
        let silent = item.kind == Kind::Arguments && self.pen.once(Fault::NoDeltas);
        for (number, part) in item.parts.iter().enumerate() {
            if !silent {
                self.deltas(response, item, number, part, &mut seen);
            }
            if !item.cut {
                let (stem, _, key) = item.kind.names();
                let mut body = body(item, number);
                body.insert(key.into(), json!(item.final_text.as_ref().unwrap_or(part)));
                self.frame(response, &format!("{stem}.done"), &Value::Object(body));
            }
        }
        if !item.cut {
            self.frame(response, "response.output_item.done", &json!({"item": item.done}));
            self.held_delta(response, item, &mut seen);
            response.items.push(item.done.clone());
        }
        response.index += 1;
        if silent {
            seen.texts.clone_from(&item.parts);
            (seen.first, seen.last) = (Some(start), self.pen.ms);
        }
        let row = self.delta_truth(item, &seen, silent);
        self.tables.deltas.push(row);
    }

    fn deltas(
        &mut self,
        response: &mut Response,
        item: &Item,
        number: usize,
        part: &str,
        seen: &mut Seen,
    ) {
        let lossy = item.kind == Kind::Text && self.pen.on(Fault::DeltaMismatch);
        let chunks = self.chunks(item, part, lossy);
        let last = chunks.len().saturating_sub(1);
        let mut text = String::new();
        for (i, chunk) in chunks.iter().enumerate() {
            if !self.pen.on(Fault::ScrambledTies) || i % 8 == 0 {
                self.pen.tick(0, 15);
            }
            if lossy && i == 1 && self.pen.once(Fault::DeltaMismatch) {
                response.sequence += 1;
                seen.lost = true;
                self.twins(item, chunk);
                continue;
            }
            text.push_str(chunk);
            seen.deltas += 1;
            let mut body = body(item, number);
            body.insert("delta".into(), json!(chunk));
            if item.late && i == last {
                seen.held = Some(body);
                continue;
            }
            (seen.first, seen.last) = (seen.first.or(Some(self.pen.ms)), self.pen.ms);
            self.delta_row(response, item, body);
            self.twins(item, chunk);
        }
        seen.texts.push(text);
    }

    fn chunks(&mut self, item: &Item, part: &str, lossy: bool) -> Vec<String> {
        let size = if lossy { (1, 8) } else { self.pen.settings.chunk() };
        let mut chunks = self.pen.prng.chunks(part, size);
        if item.cut {
            chunks.truncate((chunks.len() / 2).max(1));
        }
        chunks
    }

    fn delta_row(&mut self, response: &mut Response, item: &Item, mut body: Map<String, Value>) {
        let event = format!("{}.delta", item.kind.names().0);
        response.sequence += 1;
        body.insert("sequence_number".into(), json!(response.sequence));
        body.insert("output_index".into(), json!(response.index));
        if self.pen.on(Fault::TwinsOnly) {
            return;
        }
        let row = self.row(&event, Value::Object(body)).flow_id(&self.sid);
        if self.pen.once(Fault::RepeatedDelta) {
            self.pen.put(row.clone());
        }
        let scrambled = self.pen.on(Fault::ScrambledTies);
        let late_us = if scrambled { self.pen.prng.range(0, 900) as i64 } else { 0 };
        self.pen.put_as(row, late_us, None);
    }

    fn twins(&mut self, item: &Item, chunk: &str) {
        let wanted = !self.brief() || self.pen.on(Fault::TwinsOnly);
        let Some(twin) = item.kind.twin().filter(|_| wanted) else { return };
        self.turn_row(twin, json!({"delta": chunk}));
        let turn_id = self.turn_id.to_string();
        let mut union = json!({
            "thread_id": self.sid, "turn_id": turn_id, "item_id": item.id, "delta": chunk,
        });
        if item.kind == Kind::Reasoning {
            union["summary_index"] = json!(0);
        }
        self.turn_row("turn.response.delta", union);
    }

    fn held_delta(&mut self, response: &mut Response, item: &Item, seen: &mut Seen) {
        if let Some(body) = seen.held.take() {
            self.pen.tick(200, 200);
            seen.last = self.pen.ms;
            self.delta_row(response, item, body);
        }
    }

    fn delta_truth(&self, item: &Item, seen: &Seen, silent: bool) -> Value {
        let text = seen.texts.join("\n\n");
        let valid = serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        let status = match item.kind {
            _ if item.cut => "open",
            _ if seen.lost || item.final_text.is_some() => "mismatch",
            Kind::Arguments if !valid => "invalid_json",
            _ => "complete",
        };
        let mut row = json!({
            "t": seen.first.map(utc_stamp), "provider": "codex", "sid": self.sid,
            "kind": item.kind.record(), "item_id": item.id,
            "call_id": item.done.get("call_id"), "name": item.done.get("name"),
            "t_last": utc_stamp(seen.last), "deltas": if silent { 0 } else { seen.deltas },
            "status": status, "text": text,
        });
        if let Some(map) = row.as_object_mut() {
            if silent {
                map.remove("t_last");
            }
            if self.pen.on(Fault::TwinsOnly) {
                map.remove("status");
            }
        }
        row
    }
}

/// The keys that every row of a part has.
fn body(item: &Item, number: usize) -> Map<String, Value> {
    let mut body = Map::from_iter([("item_id".to_owned(), json!(item.id))]);
    if let Some(key) = item.kind.names().1 {
        body.insert(key.into(), json!(number));
    }
    body
}

/// The item as its start row gives it: no texts yet.
fn begun(done: &Value) -> Value {
    let mut begun = done.clone();
    for (key, value) in begun.as_object_mut().into_iter().flatten() {
        match key.as_str() {
            "status" => *value = json!("in_progress"),
            "arguments" | "input" => *value = json!(""),
            "content" | "summary" => *value = json!([]),
            _ => {}
        }
    }
    begun
}

//! A `Row` as bytes: the inner JSON in `line`, the metadata, the keys in their generation's order.
//! And what those bytes still say of the row, for the truth.

use crate::json_text::JsonText;
use crate::prng::Prng;
use crate::row::{Line, Provider, Row};
use crate::spelling::{Escape, Generation, LineForm, MetadataForm, PidForm};
use serde_json::{Map, Value, json};

const G0: [&str; 7] = ["t", "line", "flow_id", "data_count", "cwd", "pid", "sid"];
const G1: [&str; 8] = ["event", "t", "flow_id", "sid", "line", "data_count", "cwd", "pid"];
const G2: [&str; 7] = ["event", "t", "line", "metadata", "flow_id", "data_count", "sid"];
const G3: [&str; 8] = ["event", "t", "line", "metadata", "flow_id", "round", "data_count", "sid"];
const G3_PRIME: [&str; 8] =
    ["event", "t", "line", "round", "metadata", "flow_id", "data_count", "sid"];
const G4: [&str; 9] =
    ["event", "t", "line", "metadata", "flow_id", "round", "data_count", "released", "sid"];

impl Row {
    /// The row with its `\n`; in G0 two rows.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in self.lines() {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    /// The physical lines, without their ends; the last one is the row that holds the data.
    pub(crate) fn lines(&self) -> Vec<String> {
        let data = self.json_text().of(&self.envelope());
        if self.spelling.generation != Generation::G0 {
            return vec![data];
        }
        if self.event.is_empty() {
            return vec![data];
        }
        let name = Self { line: Line::Text(format!("event: {}", self.event)), ..self.clone() };
        vec![self.json_text().of(&name.envelope()), data]
    }

    /// What the row says of itself: `provider, event, sid, pid, turn_id, round, flow_id, cwd, ver,
    /// seq`, null where it is silent.
    pub(crate) fn head(&self) -> Map<String, Value> {
        let generation = self.spelling.generation;
        let topped = matches!(generation, Generation::G0 | Generation::G1);
        let broken = !topped && self.spelling.metadata == MetadataForm::Broken;
        let said = |key: &str| match self.metadata.get(key) {
            Some(value) if !broken && (!topped || key == "pid" || key == "cwd") => value.clone(),
            _ => Value::Null,
        };
        let round = self.round.clone().filter(|_| !topped && generation != Generation::G2);
        let known = |text: &String| if text.is_empty() { Value::Null } else { json!(text) };
        let head = json!({
            "provider": self.provider.name(), "event": self.event, "sid": known(&self.sid),
            "pid": said("pid"), "turn_id": said("turn_id"), "round": round,
            "flow_id": known(&self.flow_id), "cwd": said("cwd"), "ver": said("ver"),
            "seq": self.data_count,
        });
        if let Value::Object(map) = head { map } else { Map::new() }
    }

    /// The line is text that is not whole JSON.
    pub(crate) fn is_cut_short(&self) -> bool {
        matches!(&self.line, Line::Text(text) if serde_json::from_str::<Value>(
            text.trim_start_matches("data:")).is_err())
    }

    fn json_text(&self) -> JsonText {
        let ascii = self.spelling.escape != Escape::None;
        JsonText { spaced: self.spelling.spaced, ascii, letters: false }
    }

    fn envelope(&self) -> Value {
        let keys: &[&str] = match self.spelling.generation {
            Generation::G0 => &G0,
            Generation::G1 => &G1,
            Generation::G2 => &G2,
            Generation::G3 => &G3,
            Generation::G3Prime => &G3_PRIME,
            Generation::G4 => &G4,
        };
        let mut fields: Vec<(String, Value)> =
            keys.iter().filter_map(|&key| Some((key.to_owned(), self.field(key)?))).collect();
        let before_sid = fields.iter().position(|(key, _)| key == "sid").unwrap_or(fields.len());
        fields.splice(before_sid..before_sid, self.extra.iter().cloned());
        if let Some(seed) = self.spelling.shuffle {
            shuffle(&mut fields, seed);
        }
        Value::Object(fields.into_iter().collect())
    }

    fn field(&self, key: &str) -> Option<Value> {
        Some(match key {
            "event" => json!(self.event),
            "t" => json!(self.t.as_ref()?),
            "line" => self.line_field(),
            "metadata" => self.metadata_field(),
            "flow_id" => json!(self.flow_id),
            "round" => json!(self.round.as_ref()?),
            "data_count" => json!(self.data_count?),
            "released" => json!(self.released?),
            "sid" => json!(self.sid),
            "pid" => self.pid_field()?,
            top => self.metadata.get(top)?.clone(),
        })
    }

    fn line_field(&self) -> Value {
        let inner = match &self.line {
            Line::Text(text) => return json!(text),
            Line::Inner(inner) => inner.clone(),
            Line::Payload(payload) => self.wrapped(payload),
        };
        let escape = self.spelling.escape;
        let style = JsonText {
            spaced: self.spelling.spaced,
            ascii: matches!(escape, Escape::Inner | Escape::Letters),
            letters: escape == Escape::Letters,
        };
        match self.spelling.line {
            LineForm::Object => inner,
            LineForm::Data => json!(format!("data: {}", style.of(&inner))),
            LineForm::DataNoSpace => json!(format!("data:{}", style.of(&inner))),
        }
    }

    fn wrapped(&self, payload: &Value) -> Value {
        let flat = |kind: &str| {
            let mut inner = Map::from_iter([("type".to_owned(), json!(kind))]);
            inner.extend(
                payload.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())),
            );
            Value::Object(inner)
        };
        let event = self.event.as_str();
        match self.provider {
            Provider::Claude => {
                let kind = event.strip_prefix("claude.").unwrap_or(event);
                match &self.utc {
                    Some(utc) => {
                        json!({"timestamp": utc, "type": "event_msg", "payload": flat(kind)})
                    }
                    None => json!({"type": kind, "payload": flat(kind)}),
                }
            }
            Provider::Codex if is_flat(event) => flat(event),
            Provider::Codex => json!({"type": event, "payload": payload}),
        }
    }

    fn metadata_field(&self) -> Value {
        let mut metadata = self.metadata.clone();
        if let Some(pid) = self.pid_field() {
            metadata.insert("pid".into(), pid);
        }
        let metadata = Value::Object(metadata);
        match self.spelling.metadata {
            MetadataForm::Object => metadata,
            MetadataForm::Broken => json!("{turn_id: none"),
            MetadataForm::Text => json!(self.json_text().of(&metadata)),
        }
    }

    fn pid_field(&self) -> Option<Value> {
        let pid = self.metadata.get("pid")?;
        let as_text =
            self.spelling.pid == PidForm::Text || self.spelling.generation == Generation::G0;
        Some(if as_text { json!(pid.to_string()) } else { pid.clone() })
    }
}

/// Codex passes `response.*` frames on as they are, and its own `codex.*` rows follow suit, but
/// for the token counts, which mirror a `turn.*` event.
fn is_flat(event: &str) -> bool {
    event != "codex.token_count" && !event.starts_with("turn.")
}

fn shuffle(fields: &mut [(String, Value)], seed: u64) {
    let mut prng = Prng::new(seed);
    for i in (1..fields.len()).rev() {
        fields.swap(i, prng.range(0, i as u64) as usize);
    }
}

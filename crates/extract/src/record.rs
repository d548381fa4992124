//! What a mode gives out, and how it is written.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use agentlog::event::{Event, Head, Src};
use agentlog::json;
use agentlog::record::{Field, Key, RecordWriter, Shape, SrcPath, Values};
use serde_json::Value;

use crate::Info;
use crate::redact::Redact;

/// A record of a mode.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which mode made it.
    pub info: &'static Info,
    /// When it happened, in milliseconds since the epoch.
    pub t: Option<i64>,
    /// The row it starts from.
    pub src: Src,
    /// Whose it is.
    pub head: Arc<Head>,
    /// The values of the mode's own fields, in their order. A time is a number: milliseconds since
    /// the epoch.
    pub values: Vec<Value>,
}

impl Record {
    /// A record that starts from the row of an event.
    pub fn new(info: &'static Info, event: &Event<'_>, values: Vec<Value>) -> Self {
        debug_assert_eq!(values.len(), info.own.len(), "{}", info.name);
        let head = Arc::clone(event.head);
        Self { info, t: event.t, src: event.src, head, values }
    }

    /// The value of a field of its own.
    pub fn value(&self, name: &str) -> &Value {
        let at = self.info.own.iter().position(|field| field.name == name);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }

    /// What makes the record the same thing as another of its mode: the values of [`Info::key`].
    pub fn key(&self) -> Vec<String> {
        let head = &self.head;
        let part = |name: &&str| match *name {
            "sid" => head.sid.clone().unwrap_or_default(),
            "pid" => head.pid.map_or_else(String::new, |pid| pid.to_string()),
            "provider" => head.provider.map_or("", |provider| provider.name()).to_owned(),
            "ver" => head.ver.clone().unwrap_or_default(),
            "round" => head.round.clone().unwrap_or_default(),
            "model" => head.model.clone().unwrap_or_default(),
            "t" => self.t.map_or_else(String::new, |t| t.to_string()),
            "src" => format!("{:?}", self.src),
            own => self.value(own).to_string(),
        };
        self.info.key.iter().map(part).collect()
    }

    /// What the record says of its thing, but for how often and when last.
    pub fn content(&self) -> Vec<String> {
        let own = self.info.own.iter().zip(&self.values);
        own.filter(|(field, _)| !matches!(field.name, "uses" | "t_last" | "evidence" | "rows"))
            .map(|(_, value)| value.to_string())
            .collect()
    }

    /// Appends the record but for what is known only when it is printed: its index, and how many
    /// others it stands for. Those belong before and behind what is appended.
    pub fn body_into(&self, redact: Option<&Redact>, out: &mut Vec<u8>) {
        let mut writer = RecordWriter::new(out);
        writer.time(Key(",\"t\":"), self.t);
        match redact {
            Some(redact) => writer.head(&clean_head(redact, &self.head)),
            None => writer.head(&self.head),
        }
        for (field, value) in self.info.own.iter().zip(&self.values) {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b"\":");
            match (field.name, value, redact) {
                ("value", Value::String(text), Some(redact)) if self.info.name == "headers" => {
                    let name = self.value("name").as_str().unwrap_or_default();
                    json::string_into(redact.header(name, text).as_bytes(), out);
                }
                _ => value_into(field, value, redact, out),
            }
        }
    }

    /// Appends `src`, with its key.
    pub fn src_into(&self, paths: &[SrcPath], out: &mut Vec<u8>) {
        RecordWriter::new(out).src(paths, &self.src);
    }
}

fn value_into(field: &Field, value: &Value, redact: Option<&Redact>, out: &mut Vec<u8>) {
    match (field.shape, value.as_i64()) {
        (Shape::Time, Some(ms)) => {
            out.push(b'"');
            agentlog::time::write_utc(ms, out);
            out.push(b'"');
        }
        _ => json_into(value, redact, out),
    }
}

/// A head without secrets: directories and models may have some in their names.
fn clean_head<'h>(redact: &Redact, head: &'h Head) -> Cow<'h, Head> {
    let parts = [&head.cwd, &head.model, &head.ver];
    let is_clean = |part: &Option<String>| {
        part.as_deref().is_none_or(|text| matches!(redact.text(text), Cow::Borrowed(_)))
    };
    if parts.into_iter().all(is_clean) {
        return Cow::Borrowed(head);
    }
    let clean = |part: &Option<String>| part.as_deref().map(|text| redact.text(text).into_owned());
    let (cwd, model, ver) = (clean(&head.cwd), clean(&head.model), clean(&head.ver));
    Cow::Owned(Head { cwd, model, ver, ..head.clone() })
}

/// Appends a value; of strings what is secret is replaced. Keys are texts, too.
fn json_into(value: &Value, redact: Option<&Redact>, out: &mut Vec<u8>) {
    match (value, redact) {
        (Value::String(text), Some(redact)) => {
            json::string_into(redact.text(text).as_bytes(), out);
        }
        (Value::String(text), None) => json::string_into(text.as_bytes(), out),
        (Value::Array(items), _) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                json_into(item, redact, out);
            }
            out.push(b']');
        }
        (Value::Object(fields), _) => {
            out.push(b'{');
            for (i, (key, value)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                let name = redact.map_or(Cow::Borrowed(&**key), |redact| redact.text(key));
                json::string_into(name.as_bytes(), out);
                out.push(b':');
                match (value, redact) {
                    (Value::String(text), Some(redact)) => {
                        json::string_into(redact.member(key, text).as_bytes(), out);
                    }
                    _ => json_into(value, redact, out),
                }
            }
            out.push(b'}');
        }
        (scalar, _) => drop(write!(out, "{scalar}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODES;

    /// A record of a mode, as it is written: those of its own keys that are given, the others null.
    fn written(mode: &str, given: &[(&str, Value)], redact: Option<&Redact>) -> String {
        let info = MODES.into_iter().find(|info| info.name == mode).unwrap();
        let value = |field: &Field| {
            let found = given.iter().find(|(name, _)| *name == field.name);
            found.map_or(Value::Null, |(_, value)| value.clone())
        };
        let values = info.own.iter().map(value).collect();
        let record = Record { info, t: None, src: Src::default(), head: Arc::default(), values };
        let mut text = Vec::new();
        record.body_into(redact, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn secrets_are_hashed_in_texts_members_and_headers() {
        let redact = Redact::new();
        let nested =
            serde_json::json!({"files": [{"password": "swordfish", "x": "DB_PASSWORD=hunter2"}]});
        let text = written(
            "diffs",
            &[("diff", "+TOKEN=abc123def456\n".into()), ("files", nested)],
            Some(&redact),
        );
        assert!(text.contains(r#""diff":"+TOKEN=hash:"#), "{text}");
        assert!(
            text.contains(r#""password":"hash:"#) && text.contains(r#""x":"DB_PASSWORD=hash:"#)
        );
        assert!(!["abc123", "swordfish", "hunter2"].iter().any(|secret| text.contains(secret)));
        for (name, secret) in [("cookie", true), ("accept", false)] {
            let given = [("name", name.into()), ("value", "a=b".into())];
            let text = written("headers", &given, Some(&redact));
            assert_eq!(text.contains(r#""value":"hash:"#), secret, "{text}");
        }
        let text = written("diffs", &[("diff", "+TOKEN=abc123def456".into())], None);
        assert!(text.contains("abc123def456"));
    }
}

//! A naive reading of a log: every line parsed by `serde_json`, nothing repaired.

use serde_json::Value;

/// A line that is a JSON object.
pub struct Row {
    /// Its line in the file, from 0.
    pub at: usize,
    pub envelope: Value,
    pub inner: Value,
    /// The event's name, from the envelope or from the inner JSON.
    pub name: String,
}

/// One file.
pub struct Reading {
    pub bytes: Vec<u8>,
    pub lines: Vec<Vec<u8>>,
    pub rows: Vec<Row>,
}

impl Row {
    /// The event's own fields.
    pub fn body(&self) -> &Value {
        let payload = &self.inner["payload"];
        if payload.is_object() { payload } else { &self.inner }
    }

    pub fn metadata(&self) -> Value {
        match &self.envelope["metadata"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        }
    }

    /// Session, process and turn.
    pub fn turn(&self) -> String {
        let metadata = self.metadata();
        format!("{}/{}/{}", self.envelope["sid"], metadata["pid"], metadata["turn_id"])
    }

    /// The wall clock in milliseconds; 0 without one.
    pub fn ms(&self) -> i64 {
        self.envelope["t"].as_str().and_then(testkit::parse_stamp).unwrap_or_default()
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

impl Reading {
    pub fn new(bytes: &[u8]) -> Self {
        let lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        let rows = lines.iter().enumerate().filter_map(|(at, line)| row(at, line)).collect();
        Self { bytes: bytes.to_vec(), lines, rows }
    }

    /// The rows of that event.
    pub fn of(&self, name: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is(name)).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.of(name).len()
    }

    pub fn any(&self, holds: impl FnMut(&Row) -> bool) -> bool {
        self.rows.iter().any(holds)
    }

    /// The file holds these bytes.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let first = bytes[0];
        let starts = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
        starts.map(|(at, _)| at).any(|at| self.bytes[at..].starts_with(bytes))
    }

    /// A line that is not JSON and for which this holds.
    pub fn any_bad(&self, mut holds: impl FnMut(&[u8]) -> bool) -> bool {
        let (_, whole) = self.lines.split_last().expect("a line");
        let json = |line: &[u8]| serde_json::from_slice::<Value>(line).is_ok();
        whole.iter().any(|line| !line.trim_ascii().is_empty() && !json(line) && holds(line))
    }
}

fn row(at: usize, line: &[u8]) -> Option<Row> {
    let envelope: Value = serde_json::from_slice(line).ok()?;
    let line = envelope.as_object()?.get("line")?;
    let inner: Value = match line {
        Value::String(text) => {
            serde_json::from_str(text.trim_start_matches("data:")).unwrap_or_default()
        }
        other => other.clone(),
    };
    let kind =
        if inner["type"] == "event_msg" { &inner["payload"]["type"] } else { &inner["type"] };
    let name = match envelope["event"].as_str() {
        Some(name) => name.to_owned(),
        None if inner["type"] == "event_msg" => {
            format!("claude.{}", kind.as_str().unwrap_or_default())
        }
        None => kind.as_str().unwrap_or_default().to_owned(),
    };
    Some(Row { at, envelope, inner, name })
}

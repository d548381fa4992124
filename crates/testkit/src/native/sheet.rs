//! One file while it is written: rows as values, and how they become text at the end.

use crate::json_text::JsonText;
use crate::prng::Prng;
use crate::truth::Counts;
use serde_json::{Map, Value};

/// How the rows of native logs are written. The meaning never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeStyle {
    /// `{"type": "user", "uuid": …}` instead of `{"type":"user","uuid":…}`.
    pub spaced: bool,
    /// A seed by which the keys of all objects are shuffled.
    pub shuffle: Option<u64>,
    /// Non-ASCII characters are written as `\uXXXX`.
    pub ascii: bool,
}

/// A file of a native log.
#[derive(Clone, Debug)]
pub struct NativeFile {
    /// Its path below the home of its user.
    pub path: String,
    /// What is on disk.
    pub bytes: Vec<u8>,
    /// What is in it: the same, but for compressed files.
    pub plain: Vec<u8>,
    /// Whether another file of the log says the same and is read in its place.
    pub is_copy: bool,
    /// What a reader finds in it.
    pub counts: Counts,
}

#[derive(Clone, Debug)]
enum Line {
    Row(Value),
    /// A row that was cut short.
    Torn(Value),
    Blank(&'static str),
}

/// A file that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) path: String,
    lines: Vec<Line>,
    /// Whether the last line ends.
    pub(crate) ended: bool,
}

impl Sheet {
    pub(crate) fn new(path: String) -> Self {
        Self { path, lines: Vec::new(), ended: true }
    }

    pub(crate) fn row(&mut self, row: Value) {
        self.lines.push(Line::Row(row));
    }

    /// A line in the middle of which its writer died; the next one closed it.
    pub(crate) fn torn(&mut self, row: Value) {
        self.lines.push(Line::Torn(row));
    }

    pub(crate) fn blank(&mut self) {
        let text = if self.lines.len().is_multiple_of(2) { "" } else { " \t" };
        self.lines.push(Line::Blank(text));
    }

    /// The whole rows so far.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let rows = self.lines.iter().filter_map(|line| match line {
            Line::Row(row) => Some(row.clone()),
            _ => None,
        });
        rows.collect()
    }

    /// The file as it is on disk.
    pub(crate) fn file(&self, style: NativeStyle) -> NativeFile {
        let mut prng = Prng::new(style.shuffle.unwrap_or_default());
        let json = JsonText { spaced: style.spaced, ascii: style.ascii, letters: false };
        let mut text = |row: &Value| match style.shuffle {
            Some(_) => json.of(&shuffled(row, &mut prng)),
            None => json.of(row),
        };
        let (mut bytes, mut counts) = (Vec::new(), Counts::default());
        for line in &self.lines {
            counts.lines += 1;
            match line {
                Line::Row(row) => {
                    counts.events += 1;
                    bytes.extend_from_slice(text(row).as_bytes());
                }
                Line::Torn(row) => {
                    counts.bad_lines += 1;
                    bytes.extend_from_slice(cut(&text(row)).as_bytes());
                }
                Line::Blank(text) => {
                    counts.blank_lines += 1;
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
            bytes.push(b'\n');
        }
        if !self.ended {
            bytes.pop();
            if matches!(self.lines.last(), Some(Line::Torn(_))) {
                (counts.bad_lines, counts.partial_lines) = (counts.bad_lines - 1, 1);
            }
        }
        let (path, plain) = (self.path.clone(), bytes.clone());
        NativeFile { path, bytes, plain, is_copy: false, counts }
    }
}

/// Two thirds of the text, in which no object ends.
fn cut(text: &str) -> &str {
    let text = &text[..text.floor_char_boundary(text.len() * 2 / 3)];
    text.trim_end_matches(['}', ']', '"', ' '])
}

fn shuffled(value: &Value, prng: &mut Prng) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            for i in (1..keys.len()).rev() {
                keys.swap(i, prng.range(0, i as u64) as usize);
            }
            let members = keys.into_iter().map(|key| (key.clone(), shuffled(&map[key], prng)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| shuffled(item, prng)).collect(),
        other => other.clone(),
    }
}

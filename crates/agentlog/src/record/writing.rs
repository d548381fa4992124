//! Writing records key by key, without building them first.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ledger::{Money, Tokens};

use super::Values;
use crate::event::Src;
use crate::fold::calls::Violation;
use crate::fold::tokens::LimitSpans;
use crate::fold::{CountedRow, Used};
use crate::json::{self, Text, Value};
use crate::time;

/// Appends one record, key by key, to a buffer.
pub struct RecordWriter<'b> {
    out: &'b mut Vec<u8>,
}

/// A key as it stands in a record, behind the value before it: see [`key!`].
#[derive(Clone, Copy, Debug)]
pub struct Key(pub &'static str);

/// Spells a key, with the comma before it and the colon behind it, when the program is built.
macro_rules! key {
    ($name:literal) => {
        $crate::record::Key(concat!(",\"", $name, "\":"))
    };
}
pub(super) use key;

/// A path, spelled as JSON once and then used in every record of its file.
#[derive(Clone, Debug)]
pub struct SrcPath {
    spelled: Arc<str>,
    /// The path itself, if it is not spelled as it is.
    text: Option<Arc<str>>,
}

impl SrcPath {
    /// Spells a path. Bytes that are not UTF-8 become U+FFFD.
    pub fn new(path: &Path) -> Self {
        let text = path.to_string_lossy();
        let mut spelled = Vec::with_capacity(text.len() + 2);
        json::string_into(text.as_bytes(), &mut spelled);
        let spelled = String::from_utf8_lossy(&spelled);
        let differs = spelled.len() > text.len() + 2;
        Self { spelled: spelled.into(), text: differs.then(|| text.into()) }
    }

    /// The path as text.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(&self.spelled[1..self.spelled.len() - 1])
    }
}

impl<'b> RecordWriter<'b> {
    /// Goes on with a record in `out`.
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Starts a record: `schema`, `index`, `t`.
    pub fn begin(out: &'b mut Vec<u8>, schema: &str, index: u64, t: Option<i64>) -> Self {
        out.extend_from_slice(b"{\"schema\":\"");
        out.extend_from_slice(schema.as_bytes());
        out.extend_from_slice(b"\",\"index\":");
        out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
        let mut writer = Self { out };
        writer.time(key!("t"), t);
        writer
    }

    /// The buffer, to append a value to after [`RecordWriter::key`].
    #[inline]
    pub fn key(&mut self, key: Key) -> &mut Vec<u8> {
        self.out.extend_from_slice(key.0.as_bytes());
        self.out
    }

    fn null(&mut self, key: Key) {
        self.key(key).extend_from_slice(b"null");
    }

    /// `rows`: what each was used for.
    pub fn rows(&mut self, paths: &[SrcPath], rows: &[Used]) {
        let out = self.key(key!("rows"));
        out.push(b'[');
        for (i, row) in rows.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"{\"src\":" } else { b",{\"src\":" });
            place_into(paths, &row.src, out);
            out.extend_from_slice(b",\"use\":\"");
            out.extend_from_slice(row.how.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        out.push(b']');
    }

    /// `rows`, those that count with the tokens that each added.
    pub fn counted_rows(&mut self, paths: &[SrcPath], rows: &[CountedRow]) {
        let out = self.key(key!("rows"));
        out.push(b'[');
        for (i, row) in rows.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"{\"src\":" } else { b",{\"src\":" });
            place_into(paths, &row.src, out);
            let mut record = RecordWriter::new(out);
            record.name(key!("use"), Some(row.how));
            if let Some(tokens) = &row.tokens {
                record.token_keys(tokens);
            }
            out.push(b'}');
        }
        out.push(b']');
    }

    /// Ends the record.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

impl Values for RecordWriter<'_> {
    fn name(&mut self, key: Key, name: Option<&str>) {
        let Some(name) = name else { return self.null(key) };
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
    }

    fn str(&mut self, key: Key, text: Option<&str>) {
        match text {
            Some(text) => json::string_into(text.as_bytes(), self.key(key)),
            None => self.null(key),
        }
    }

    fn text(&mut self, key: Key, text: Option<&Text>) {
        match text {
            Some(text) => json::string_into(text.as_bytes(), self.key(key)),
            None => self.null(key),
        }
    }

    fn int(&mut self, key: Key, n: Option<i64>) {
        match n {
            Some(n) => self.key(key).extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            None => self.null(key),
        }
    }

    fn count(&mut self, key: Key, n: Option<u64>) {
        match n {
            Some(n) => self.key(key).extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            None => self.null(key),
        }
    }

    fn shown(&mut self, key: Key, name: Option<impl Display>) {
        match name {
            Some(name) => drop(write!(self.key(key), "\"{name}\"")),
            None => self.null(key),
        }
    }

    fn token_keys(&mut self, tokens: &Tokens) {
        for (key, n) in super::TOKEN_KEYS.iter().zip(super::token_counts(tokens)) {
            self.out.extend_from_slice(b",\"");
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"\":");
            self.out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
        }
    }

    fn bool(&mut self, key: Key, value: Option<bool>) {
        match value {
            Some(value) => self.key(key).extend_from_slice(if value { b"true" } else { b"false" }),
            None => self.null(key),
        }
    }

    fn tokens(&mut self, key: Key, tokens: Option<&Tokens>) {
        let Some(tokens) = tokens else { return self.null(key) };
        let out = self.key(key);
        for (i, (key, n)) in super::TOKEN_KEYS.iter().zip(super::token_counts(tokens)).enumerate() {
            out.extend_from_slice(if i == 0 { b"{\"" } else { b",\"" });
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
        }
        out.push(b'}');
    }

    fn time(&mut self, key: Key, ms: Option<i64>) {
        let Some(ms) = ms else { return self.null(key) };
        let out = self.key(key);
        out.push(b'"');
        time::write_utc(ms, out);
        out.push(b'"');
    }

    fn money(&mut self, key: Key, amount: Option<Money>) {
        match amount {
            Some(amount) => drop(write!(self.key(key), "{amount}")),
            None => self.null(key),
        }
    }

    fn json(&mut self, key: Key, value: Option<Value<'_>>) {
        match value {
            Some(value) => json::compact_into(&value, self.key(key)),
            None => self.null(key),
        }
    }

    fn limits(&mut self, key: Key, limits: &LimitSpans) {
        limits_into(limits, self.key(key));
    }

    fn violations(&mut self, key: Key, broken: &[Violation], paths: &[SrcPath]) {
        violations_into(broken, paths, self.key(key));
    }

    fn src(&mut self, paths: &[SrcPath], src: &Src) {
        place_into(paths, src, self.key(key!("src")));
    }
}

fn place_into(paths: &[SrcPath], src: &Src, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"path\":");
    out.extend_from_slice(paths[src.file as usize].spelled.as_bytes());
    for (key, n) in [(",\"line\":", src.line), (",\"offset\":", src.offset), (",\"len\":", src.len)]
    {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }
    out.push(b'}');
}

fn limits_into(limits: &LimitSpans, out: &mut Vec<u8>) {
    if *limits == [None, None] {
        return out.extend_from_slice(b"null");
    }
    for (name, limit) in ["{\"primary\":", ",\"secondary\":"].into_iter().zip(limits) {
        out.extend_from_slice(name.as_bytes());
        let Some(limit) = limit else {
            out.extend_from_slice(b"null");
            continue;
        };
        let (first, last, peak) = (limit.first, limit.last, limit.peak);
        let whole = |n: Option<i64>| n.map_or("null".to_owned(), |n| n.to_string());
        let (resets_at, minutes) = (whole(last.resets_at), whole(last.window_minutes));
        let text = format!(
            "{{\"first\":{},\"last\":{},\"peak\":{peak},\"resets_at\":{resets_at},\"window_minutes\":{minutes}}}",
            first.used_percent, last.used_percent,
        );
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'}');
}

fn violations_into(all: &[Violation], paths: &[SrcPath], out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, broken) in all.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"{\"code\":\"" } else { b",{\"code\":\"" });
        out.extend_from_slice(broken.rule.code.as_bytes());
        out.push(b'"');
        let mut record = RecordWriter::new(out);
        record.name(key!("severity"), Some(broken.rule.severity.name()));
        record.name(key!("rule"), Some(broken.rule.id));
        json::string_into(broken.detail.as_bytes(), record.key(key!("detail")));
        record.src(paths, &broken.src);
        record.end();
    }
    out.push(b']');
}

//! Writing records key by key, without building them first.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use crate::event::{Head, Src};
use crate::fold::Used;
use crate::fold::tokens::CountedRow;
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
pub struct SrcPath(Vec<u8>);

impl SrcPath {
    /// Spells a path. Bytes that are not UTF-8 become U+FFFD.
    pub fn new(path: &Path) -> Self {
        let mut spelled = Vec::new();
        json::string_into(path.to_string_lossy().as_bytes(), &mut spelled);
        Self(spelled)
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

    /// A string that needs no escapes, such as a name of ours.
    pub fn name(&mut self, key: Key, name: Option<&str>) {
        let Some(name) = name else { return self.null(key) };
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
    }

    /// A string.
    pub fn str(&mut self, key: Key, text: Option<&str>) {
        match text {
            Some(text) => json::string_into(text.as_bytes(), self.key(key)),
            None => self.null(key),
        }
    }

    /// A string.
    pub fn text(&mut self, key: Key, text: Option<&Text>) {
        match text {
            Some(text) => json::string_into(text.as_bytes(), self.key(key)),
            None => self.null(key),
        }
    }

    /// A string as the log spells it; one with escapes is spelled anew, so that equal strings
    /// are equal in print. A number is taken for the string of its digits.
    pub fn value_str(&mut self, key: Key, value: Option<Value<'_>>) {
        match value {
            Some(value) if value.kind == (json::Kind::String { escaped: true }) => {
                self.text(key, value.text().as_ref());
            }
            Some(value) => self.name(key, value.label().as_deref()),
            None => self.null(key),
        }
    }

    /// A whole number.
    pub fn int(&mut self, key: Key, n: Option<i64>) {
        match n {
            Some(n) => self.key(key).extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            None => self.null(key),
        }
    }

    /// A count.
    pub fn count(&mut self, key: Key, n: Option<u64>) {
        match n {
            Some(n) => self.key(key).extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            None => self.null(key),
        }
    }

    /// A number in its own spelling.
    pub fn number(&mut self, key: Key, n: Option<impl Display>) {
        match n {
            Some(n) => drop(write!(self.key(key), "{n}")),
            None => self.null(key),
        }
    }

    /// A name of ours in its own spelling.
    pub fn shown(&mut self, key: Key, name: Option<impl Display>) {
        match name {
            Some(name) => drop(write!(self.key(key), "\"{name}\"")),
            None => self.null(key),
        }
    }

    /// Token counts, each kind under its own key.
    pub fn token_keys(&mut self, tokens: &ledger::Tokens) {
        for (key, n) in super::TOKEN_KEYS.iter().zip(super::token_counts(tokens)) {
            self.out.extend_from_slice(b",\"");
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"\":");
            self.out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
        }
    }

    /// True or false.
    pub fn bool(&mut self, key: Key, value: Option<bool>) {
        match value {
            Some(value) => self.key(key).extend_from_slice(if value { b"true" } else { b"false" }),
            None => self.null(key),
        }
    }

    /// An object of token counts, with the keys of [`super::TOKEN_KEYS`].
    pub fn tokens(&mut self, key: Key, tokens: Option<&ledger::Tokens>) {
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

    /// A time in milliseconds since the epoch.
    pub fn time(&mut self, key: Key, ms: Option<i64>) {
        let Some(ms) = ms else { return self.null(key) };
        let out = self.key(key);
        out.push(b'"');
        time::write_utc(ms, out);
        out.push(b'"');
    }

    /// The head behind `t`, in records made of owned parts.
    pub fn head(&mut self, head: &Head) {
        self.name(key!("provider"), head.provider.map(crate::event::Provider::name));
        self.str(key!("sid"), head.sid.as_deref());
        self.int(key!("pid"), head.pid);
        self.str(key!("turn_id"), head.turn_id.as_deref());
        self.str(key!("round"), head.round.as_deref());
        self.str(key!("flow_id"), head.flow_id.as_deref());
        self.str(key!("cwd"), head.cwd.as_deref());
        self.str(key!("ver"), head.ver.as_deref());
        self.str(key!("model"), head.model.as_deref());
    }

    /// `src`. `paths` holds the path of each file of the input.
    pub fn src(&mut self, paths: &[SrcPath], src: &Src) {
        place_into(paths, src, self.key(key!("src")));
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

fn place_into(paths: &[SrcPath], src: &Src, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"path\":");
    out.extend_from_slice(&paths[src.file as usize].0);
    for (key, n) in [(",\"line\":", src.line), (",\"offset\":", src.offset), (",\"len\":", src.len)]
    {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }
    out.push(b'}');
}

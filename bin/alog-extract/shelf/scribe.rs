//! Records written down, and the slips by which they are found and compared.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use agentlog::record::{Key, RecordWriter, SrcPath, Values};
use extract::{Info, Record, Redact};

use crate::Dedup;

/// Writes records down.
pub(super) struct Scribe {
    pub modes: Vec<&'static Info>,
    pub paths: Vec<SrcPath>,
    pub dedup: Dedup,
    pub redact: Option<Arc<Redact>>,
}

/// What is known of a record whose text is on the shelf.
#[derive(Clone, Copy)]
pub(super) struct Slip {
    pub t: Option<i64>,
    /// The row that it starts from: file and offset.
    pub row: (u32, u64),
    /// Place of its mode among the chosen ones.
    pub mode: u16,
    /// Its session; 0 if it has none, or nobody asks.
    pub session: u32,
    /// Where its text is: bytes before `src`, and the bytes of that.
    pub at: u64,
    pub body: u64,
    pub tail: u32,
    /// What records share that say the same.
    pub same: u64,
    /// How many records it stands for.
    pub count: u32,
}

impl Scribe {
    /// The place of a record's mode among the chosen ones.
    pub fn mode(&self, record: &Record) -> usize {
        self.modes.iter().position(|info| info.name == record.info.name).unwrap_or(0)
    }

    /// What is to be kept of a record.
    pub fn slip(&self, record: &Record) -> (Slip, Vec<u8>) {
        let mut text = Vec::new();
        let mode = self.mode(record);
        record.body_into(self.redact.as_deref(), &mut text);
        let same = match self.dedup {
            Dedup::None => 0,
            Dedup::Exact => hash(&(mode, &text)),
            Dedup::Content => hash(&(mode, record.key(), record.content())),
            Dedup::Last => hash(&(mode, record.key())),
        };
        let body = text.len() as u64;
        record.src_into(&self.paths, &mut text);
        let tail = (text.len() as u64 - body) as u32;
        let row = (record.src.file, record.src.offset);
        let mode = mode as u16;
        let slip = Slip { t: record.t, row, mode, session: 0, at: 0, body, tail, same, count: 1 };
        (slip, text)
    }

    /// Appends the record of a slip, whose text is given.
    pub fn slip_into(&self, slip: &Slip, text: &[u8], index: u64, out: &mut Vec<u8>) {
        begin_into(self.modes[slip.mode as usize], index, out);
        let (body, src) = text.split_at(slip.body as usize);
        out.extend_from_slice(body);
        RecordWriter::new(out).count(COUNT, Some(slip.count.into()));
        out.extend_from_slice(src);
        out.push(b'}');
    }

    /// Appends a record as it comes.
    pub fn record_into(&self, record: &Record, index: u64, out: &mut Vec<u8>) {
        let (slip, text) = self.slip(record);
        self.slip_into(&slip, &text, index, out);
    }
}

const COUNT: Key = Key(",\"count\":");

/// The start of a record, up to its time.
fn begin_into(info: &Info, index: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"schema\":\"");
    out.extend_from_slice(info.kind().schema.as_bytes());
    out.push(b'"');
    RecordWriter::new(out).count(Key(",\"index\":"), Some(index));
}

fn hash(of: &impl Hash) -> u64 {
    foldhash::quality::FixedState::with_seed(0).hash_one(of)
}

/// A paragraph for people: who speaks, and what; nothing in it can steer a terminal.
pub(super) fn paragraph(body: &[u8]) -> String {
    let text = format!("{{\"_\":0{}}}", String::from_utf8_lossy(body));
    let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let at = |key: &str| record.get(key).and_then(serde_json::Value::as_str);
    let time = at("t").and_then(|t| t.get(..19)).unwrap_or("").replace('T', " ");
    let name = at("name").map_or_else(String::new, |name| format!(" {name}"));
    let said = at("text").unwrap_or("");
    let said = said.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}");
    format!("{time} {}{name}\n{said}", at("role").unwrap_or("?"))
}

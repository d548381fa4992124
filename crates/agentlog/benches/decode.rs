//! One thread, rows in memory: what it costs to open a row (its envelope, the JSON in its `line`,
//! the place of the payload) with our reader and with the libraries that could do it instead.
//! `docs/bench.md` says what follows from it.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use agentlog::json::{self, Kind};
use agentlog::sse;
use serde::Deserialize;
use serde::de::IgnoredAny;
use simd_json::prelude::*;
use testkit::LogBuilder;

/// How long a decoder runs.
const TIME: Duration = Duration::from_secs(2);

/// What a decoder must find, so that none can leave work out: lengths of the event's name, the
/// session's id and the inner type.
type Found = (usize, usize, usize);

fn main() {
    let log = LogBuilder::new(7).claude_sessions(0).codex_sessions(12).turns(8).build().codex;
    let rows: Vec<&[u8]> = log.split(|b| *b == b'\n').filter(|row| !row.is_empty()).collect();
    let bytes: usize = rows.iter().map(|row| row.len()).sum();
    println!("{} rows, {:.1} MB, one thread", rows.len(), bytes as f64 / 1e6);

    let mut ours = Ours::default();
    let want: Vec<Found> = rows.iter().map(|row| ours.open(row)).collect();
    let (mut tape, mut values, mut structs) = (Simd::new(), Simd::new(), Simd::new());
    let mut scratch = Vec::new();
    let mut cases: [(&str, Decoder<'_>); 8] = [
        ("agentlog::json", Box::new(|row| ours.open(row))),
        ("agentlog::sse, all keys", Box::new(|row| whole(row, &mut scratch))),
        ("serde_json, borrowed structs", Box::new(serde_structs)),
        ("serde_json, Value", Box::new(serde_values)),
        ("simd-json, tape", Box::new(|row| tape.tape(row))),
        ("simd-json, borrowed value", Box::new(|row| values.values(row))),
        ("simd-json, borrowed structs", Box::new(|row| structs.structs(row))),
        (
            "UTF-8 check alone (std)",
            Box::new(|row| (std::str::from_utf8(row).unwrap().len(), 0, 0)),
        ),
    ];
    for (name, open) in &mut cases {
        if !name.starts_with("UTF-8") {
            assert!(rows.iter().zip(&want).all(|(row, want)| open(row) == *want), "{name}");
        }
        println!("{name:<32} {:>6.0} MB/s", rate(&rows, bytes, open));
    }
}

type Decoder<'d> = Box<dyn FnMut(&[u8]) -> Found + 'd>;

/// The best pass over all rows, so that a busy machine does less harm.
fn rate(rows: &[&[u8]], bytes: usize, open: &mut Decoder<'_>) -> f64 {
    let start = Instant::now();
    let mut best = f64::MAX;
    while start.elapsed() < TIME {
        let pass = Instant::now();
        for row in rows {
            black_box(open(black_box(row)));
        }
        best = best.min(pass.elapsed().as_secs_f64());
    }
    bytes as f64 / 1e6 / best
}

fn data(line: &str) -> &str {
    line.strip_prefix("data: ").unwrap()
}

#[derive(Default)]
struct Ours {
    scratch: Vec<u8>,
}

impl Ours {
    fn open(&mut self, row: &[u8]) -> Found {
        let (mut event, mut sid, mut line) = (None, None, None);
        json::fields(std::str::from_utf8(row).unwrap(), |key, value| match key {
            "event" => event = Some(value),
            "sid" => sid = Some(value),
            "line" => line = Some(value),
            _ => {}
        })
        .unwrap();
        let line = line.unwrap();
        let text = match line.kind {
            Kind::String { escaped: true } => json::unescape_into(line.raw, &mut self.scratch),
            _ => line.raw,
        };
        let (mut kind, mut payload) = (None, None);
        json::fields(data(text), |key, value| match key {
            "type" => kind = Some(value),
            "payload" => payload = Some(value),
            _ => {}
        })
        .unwrap();
        black_box(payload);
        let len = |value: Option<json::Value<'_>>| value.unwrap().str().unwrap().len();
        (len(event), len(sid), len(kind))
    }
}

/// What the commands call: every key of the envelope, and more of what is inside.
fn whole(row: &[u8], scratch: &mut Vec<u8>) -> Found {
    let envelope = sse::Envelope::parse(row).unwrap();
    let inner = sse::Inner::open(&envelope, scratch);
    let len = |value: Option<json::Value<'_>>| value.unwrap().str().unwrap().len();
    (len(envelope.event), len(envelope.sid), len(inner.kind))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    sid: Cow<'a, str>,
    #[serde(borrow)]
    line: Cow<'a, str>,
}

/// The payload is checked and passed over: less than the others do, which can hand it on.
#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[allow(dead_code)]
    payload: Option<IgnoredAny>,
}

fn serde_structs(row: &[u8]) -> Found {
    let envelope: Envelope<'_> = serde_json::from_slice(row).unwrap();
    let inner: Inner<'_> = serde_json::from_str(data(&envelope.line)).unwrap();
    (envelope.event.len(), envelope.sid.len(), inner.kind.len())
}

fn serde_values(row: &[u8]) -> Found {
    let row: serde_json::Value = serde_json::from_slice(row).unwrap();
    let text = |key: &str| row[key].as_str().unwrap();
    let inner: serde_json::Value = serde_json::from_str(data(text("line"))).unwrap();
    (text("event").len(), text("sid").len(), inner["type"].as_str().unwrap().len())
}

/// simd-json decodes in place, so a row that must stay as it is (to be printed, to be told as
/// bad) has to be copied first; and again its inner text.
struct Simd {
    buffers: simd_json::Buffers,
    tape: simd_json::Tape<'static>,
    row: Vec<u8>,
    inner: Vec<u8>,
}

impl Simd {
    fn new() -> Self {
        let (buffers, tape) = (simd_json::Buffers::default(), simd_json::Tape::null());
        Self { buffers, tape, row: Vec::new(), inner: Vec::new() }
    }

    fn tape(&mut self, row: &[u8]) -> Found {
        let Self { buffers, tape, .. } = self;
        let mut outer = std::mem::replace(tape, simd_json::Tape::null()).reset();
        simd_json::fill_tape(copy(row, &mut self.row), buffers, &mut outer).unwrap();
        let envelope = outer.as_value();
        let text = |key: &str| envelope.get_str(key).unwrap();
        let (event, sid) = (text("event").len(), text("sid").len());
        let line = copy(data(text("line")).as_bytes(), &mut self.inner);
        let mut inner = outer.reset();
        simd_json::fill_tape(line, buffers, &mut inner).unwrap();
        let kind = inner.as_value().get_str("type").unwrap().len();
        *tape = inner.reset();
        (event, sid, kind)
    }

    fn values(&mut self, row: &[u8]) -> Found {
        let buffers = &mut self.buffers;
        let row = copy(row, &mut self.row);
        let row = simd_json::to_borrowed_value_with_buffers(row, buffers).unwrap();
        let text = |key: &str| row.get_str(key).unwrap();
        let inner = copy(data(text("line")).as_bytes(), &mut self.inner);
        let inner = simd_json::to_borrowed_value_with_buffers(inner, buffers).unwrap();
        (text("event").len(), text("sid").len(), inner.get_str("type").unwrap().len())
    }

    fn structs(&mut self, row: &[u8]) -> Found {
        let buffers = &mut self.buffers;
        let row = copy(row, &mut self.row);
        let envelope: Envelope<'_> =
            simd_json::serde::from_slice_with_buffers(row, buffers).unwrap();
        let inner = copy(data(&envelope.line).as_bytes(), &mut self.inner);
        let inner: Inner<'_> = simd_json::serde::from_slice_with_buffers(inner, buffers).unwrap();
        (envelope.event.len(), envelope.sid.len(), inner.kind.len())
    }
}

fn copy<'b>(bytes: &[u8], buffer: &'b mut Vec<u8>) -> &'b mut [u8] {
    buffer.clear();
    buffer.extend_from_slice(bytes);
    buffer
}

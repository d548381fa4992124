//! Sessions' rows put into one file: their order, the damage done to the bytes, and what the
//! finished file says of events and prompts, with their places.

use crate::calendar::{stamp, utc_stamp};
use crate::damage::{Damage, Piece, torn_row};
use crate::fault::Fault;
use crate::scribe::{Said, Written};
use crate::truth::Counts;
use serde_json::{Value, json};

/// Readers put rows in order within so many milliseconds.
const REORDER_WINDOW_MS: i64 = 5000;

/// A finished file and its truth.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    pub(crate) bytes: Vec<u8>,
    pub(crate) counts: Counts,
    pub(crate) events: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
    /// Time of the last event row, and the latest time seen.
    last_ms: i64,
    latest_ms: i64,
}

/// Puts the rows of all sessions of one provider into a file.
pub(crate) fn lay(sessions: Vec<Vec<Written>>, faults: &[Fault], seed: u64) -> Laid {
    let mut rows: Vec<Written> = sessions.into_iter().flatten().collect();
    if rows.is_empty() {
        return Laid::default();
    }
    let mut damage = Damage::new(faults, seed);
    damage.delay(&mut rows);
    rows.sort_by_key(|row| row.place_us);
    let mut laid = Laid::default();
    if damage.has(Fault::Bom) {
        laid.bytes.extend_from_slice(b"\xef\xbb\xbf");
    }
    let end: &[u8] = if damage.has(Fault::Crlf) { b"\r\n" } else { b"\n" };
    for piece in damage.pieces(rows) {
        laid.piece(piece, end);
    }
    if damage.has(Fault::NoFinalNewline) && !damage.has(Fault::PartialTail) {
        laid.bytes.truncate(laid.bytes.len() - end.len());
    }
    if damage.has(Fault::PartialTail) {
        laid.bytes.extend(torn_row());
        laid.counts.lines += 1;
        laid.counts.partial_lines += 1;
    }
    laid
}

impl Laid {
    fn piece(&mut self, piece: Piece, end: &[u8]) {
        match piece {
            Piece::Row(row) => self.row(b"", *row, end),
            Piece::BehindJunk(junk, row) => {
                self.counts.bad_lines += 1;
                self.row(&junk, *row, end);
            }
            Piece::Bad(bytes) => {
                self.counts.bad_lines += 1;
                self.line(&bytes, end);
            }
            Piece::Blank(bytes) => {
                self.counts.blank_lines += 1;
                self.line(&bytes, end);
            }
            Piece::Framing(mut row) => {
                self.counts.framing_rows += 1;
                row.t = Some(stamp(self.last_ms));
                for line in row.lines() {
                    self.line(line.as_bytes(), end);
                }
            }
        }
    }

    fn line(&mut self, bytes: &[u8], end: &[u8]) {
        self.counts.lines += 1;
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(end);
    }

    /// The row, after junk on the same physical line; in G0 its first line is framing.
    fn row(&mut self, junk: &[u8], written: Written, end: &[u8]) {
        let lines = written.row.lines();
        let Some((data, names)) = lines.split_last() else { return };
        for name in names {
            self.counts.framing_rows += 1;
            self.line(name.as_bytes(), end);
        }
        let offset = self.bytes.len() + junk.len();
        self.line(&[junk, data.as_bytes()].concat(), end);
        let src = json!({"line": self.counts.lines, "offset": offset, "len": data.len()});
        self.event(written, &src);
    }

    fn event(&mut self, written: Written, src: &Value) {
        let Written { row, ms, said, .. } = written;
        let ms = if row.t.is_none() { self.last_ms } else { ms };
        self.counts.events += 1;
        self.counts.late_rows += u64::from(ms < self.latest_ms - REORDER_WINDOW_MS);
        self.counts.payload_errors += u64::from(row.is_cut_short());
        self.last_ms = ms;
        self.latest_ms = self.latest_ms.max(ms);
        let mut event = row.head();
        event.insert("t".into(), json!(utc_stamp(ms)));
        event.insert("src".into(), src.clone());
        let event = Value::Object(event);
        if let Some(said) = said {
            self.prompts.push(prompt(&event, &said));
        }
        self.events.push(event);
    }
}

fn prompt(event: &Value, said: &Said) -> Value {
    json!({
        "t": event["t"], "provider": event["provider"], "sid": event["sid"], "pid": event["pid"],
        "turn_id": event["turn_id"], "round": event["round"], "flow_id": event["flow_id"],
        "cwd": event["cwd"], "ver": event["ver"], "model": null, "kind": said.kind,
        "text": said.text, "session_turn": said.session_turn, "src": event["src"],
    })
}

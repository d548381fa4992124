//! What happens to a file's bytes: rows late, torn, glued together, and lines that are no rows.

use crate::fault::Fault;
use crate::prng::Prng;
use crate::row::Row;
use crate::scribe::Written;
use serde_json::json;

/// A stretch of the file.
#[derive(Debug)]
pub(crate) enum Piece {
    Row(Box<Written>),
    /// Bytes that are no row, directly before a whole one.
    BehindJunk(Vec<u8>, Box<Written>),
    Bad(Vec<u8>),
    Blank(Vec<u8>),
    /// A row of the stream's framing: no event.
    Framing(Box<Row>),
}

/// The file faults that are on.
#[derive(Debug)]
pub(crate) struct Damage<'a> {
    faults: &'a [Fault],
    prng: Prng,
}

impl<'a> Damage<'a> {
    pub(crate) fn new(faults: &'a [Fault], seed: u64) -> Self {
        Self { faults, prng: Prng::new(seed) }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Gives some rows a later place in the file, never a later time.
    pub(crate) fn delay(&mut self, rows: &mut [Written]) {
        if self.has(Fault::Disorder) {
            // Twins have no sequence number: in one instant only their place orders them.
            let movable = |row: &&mut Written| {
                let name = &row.row.event;
                row.row.t.is_some() && !(name.starts_with("turn.") && name.contains(".delta"))
            };
            for row in rows.iter_mut().filter(movable) {
                if self.prng.percent(2) {
                    row.place_us += self.prng.range(20_000, 3_000_000) as i64;
                }
            }
        }
        if self.has(Fault::LateRows) {
            delay_beyond_the_window(rows);
        }
    }

    /// The rows in order, with everything that the faults put between them and before them.
    pub(crate) fn pieces(&self, rows: Vec<Written>) -> Vec<Piece> {
        let middle = rows.len() / 2;
        let mut pieces = Vec::with_capacity(rows.len() + 16);
        let (mut glue, mut nuls) = (self.has(Fault::TwoWriters), self.has(Fault::NulBytes));
        for (i, row) in rows.into_iter().enumerate() {
            if i == middle {
                pieces.extend(self.lines());
            }
            let whole = (glue || nuls) && row.row.to_bytes().starts_with(br#"{"event":""#);
            if glue && whole && row.said.is_some() && row.row.t.is_some() {
                glue = false;
                pieces.push(Piece::BehindJunk(torn_row(), Box::new(row)));
            } else if nuls && whole && i > middle {
                nuls = false;
                pieces.push(Piece::BehindJunk(vec![0; 32], Box::new(row)));
            } else {
                pieces.push(Piece::Row(Box::new(row)));
            }
        }
        pieces
    }

    /// Whole lines that no writer meant.
    fn lines(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if self.has(Fault::TornRow) {
            pieces.push(Piece::Bad(torn_row()));
        }
        let cut = br#"{"event":"turn.diff","t":"2025-11-18T21:55:52.402","line":""#;
        let bad: [(Fault, Vec<u8>); 4] = [
            (Fault::NotJson, b"thread 'main' panicked at src/main.rs:7".to_vec()),
            (Fault::NotAnObject, b"[1,2,3]".to_vec()),
            (Fault::NoKnownKeys, br#"{"a":1}"#.to_vec()),
            (Fault::InvalidUtf8, [&cut[..], b"\xff\xfe\"}"].concat()),
        ];
        pieces.extend(
            bad.into_iter()
                .filter(|(fault, _)| self.has(*fault))
                .map(|(_, bytes)| Piece::Bad(bytes)),
        );
        if self.has(Fault::BlankLines) {
            pieces.extend([Piece::Blank(Vec::new()), Piece::Blank(b"   ".to_vec())]);
        }
        if self.has(Fault::SseFraming) {
            let texts = ["event: response.in_progress", "", ": keep-alive", "data: [DONE]"];
            pieces.extend(texts.map(|text| Piece::Framing(Box::new(framing(text)))));
        }
        pieces
    }
}

/// A row as a proxy writes it: the line of the stream, the address, no `event`.
fn framing(text: &str) -> Row {
    let mut row = Row::codex("").line_text(text).sid("8f14e45fceea167a").without_round();
    row.metadata.clear();
    row.flow_id = "3c59dc04-8e88-4024-91ed-2f9a8b1c6d5e".into();
    row.spelling.generation = crate::spelling::Generation::G0;
    row.extra("url", json!("https://api.example.invalid/v1/responses"))
}

/// Rows that no record hangs on, moved 20 s down where others are written meanwhile.
fn delay_beyond_the_window(rows: &mut [Written]) {
    let mut places: Vec<i64> = rows.iter().map(|row| row.place_us).collect();
    places.sort_unstable();
    let passed = |from: i64| {
        let next = places.partition_point(|&place| place < from + 6_000_000);
        places.get(next).is_some_and(|&place| place < from + 20_000_000)
    };
    let harmless = |row: &&mut Written| {
        ["turn.item.started", "claude.message_stop"].contains(&row.row.event.as_str())
            && passed(row.place_us)
    };
    for row in rows.iter_mut().filter(harmless).take(3) {
        row.place_us += 20_000_000;
    }
}

/// The first part of a row that was being written when its writer died.
pub(crate) fn torn_row() -> Vec<u8> {
    let row = Row::codex("turn.user_message").payload(json!({"message": "never finished"}));
    let mut bytes = row.to_bytes();
    bytes.truncate(bytes.len() * 2 / 5);
    bytes
}

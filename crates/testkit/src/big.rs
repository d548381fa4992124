//! A large Codex log, written fast: one block of sessions is made, and written again and again
//! with its times and ids moved on. No truth but counts.

use crate::calendar::{parse_stamp, write_stamp};
use crate::log::LogBuilder;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The block's size is at most about this.
const BLOCK: u64 = 12 << 20;
const SESSION: u64 = 1 << 20;
const PROMPT: &[u8] = br#"{"event":"turn.user_message""#;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Big {
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Its rows, all of them whole.
    pub rows: u64,
    /// Its `turn.user_message` rows.
    pub prompts: u64,
}

/// Writes a Codex log of at least `bytes` (and less than one row more): full of deltas, in order
/// of time, its ids unique. The same arguments give the same bytes.
pub fn big(path: &Path, bytes: u64, seed: u64) -> io::Result<Big> {
    let mut block = Block::new(bytes, seed);
    let mut file = File::create(path)?;
    let mut big = Big::default();
    while big.bytes < bytes {
        let rows = block.rows_until(bytes - big.bytes);
        let end = rows.last().map_or(0, |row| row.end);
        file.write_all(&block.bytes[..end])?;
        big.bytes += end as u64;
        big.rows += rows.len() as u64;
        big.prompts += rows.iter().filter(|row| row.prompt).count() as u64;
        block.move_on();
    }
    file.flush()?;
    Ok(big)
}

#[derive(Clone, Copy, Debug)]
struct RowSpan {
    end: usize,
    prompt: bool,
}

/// Bytes that hold a time: a stamp of 23, or the first 13 of a `UUIDv7`.
#[derive(Clone, Copy, Debug)]
struct Dated {
    at: usize,
    ms: i64,
    uuid: bool,
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    rows: Vec<RowSpan>,
    dates: Vec<Dated>,
    span_ms: i64,
}

impl Block {
    fn new(bytes: u64, seed: u64) -> Self {
        let sessions = (bytes.min(BLOCK) / SESSION).max(1) as usize;
        let turns = if bytes < SESSION { 3 } else { 8 };
        let builder = LogBuilder::new(seed).claude_sessions(0).codex_sessions(sessions);
        let bytes = builder.turns(turns).build().codex;
        let mut block = Self { bytes, rows: Vec::new(), dates: Vec::new(), span_ms: 0 };
        block.index();
        block
    }

    /// Finds the rows, and the dates in them.
    fn index(&mut self) {
        let mut start = 0;
        for line in self.bytes.split_inclusive(|&byte| byte == b'\n') {
            let end = start + line.len();
            self.rows.push(RowSpan { end, prompt: line.starts_with(PROMPT) });
            self.dates.extend(stamp_in(line).map(|date| Dated { at: start + date.at, ..date }));
            start = end;
        }
        let near = |ms: i64| self.dates.iter().any(|date| (date.ms - ms).abs() < 2 * 86_400_000);
        let uuids: Vec<Dated> =
            (0..self.bytes.len()).filter_map(|at| uuid_at(&self.bytes, at)).collect();
        let mut known: Vec<i64> = uuids.iter().map(|date| date.ms).collect();
        known.sort_unstable();
        known.dedup();
        known.retain(|&ms| near(ms));
        let known = |date: &Dated| known.binary_search(&date.ms).is_ok();
        let stamps = self.dates.iter().map(|date| date.ms);
        let (first, last) = (stamps.clone().min().unwrap_or(0), stamps.max().unwrap_or(0));
        self.span_ms = (last - first) / 1000 * 1000 + 60_000;
        self.dates.extend(uuids.into_iter().filter(known));
    }

    /// The rows from the block's start that hold at least so many bytes, or all.
    fn rows_until(&self, bytes: u64) -> &[RowSpan] {
        let enough = self.rows.partition_point(|row| (row.end as u64) < bytes);
        &self.rows[..self.rows.len().min(enough + 1)]
    }

    /// Moves all times by the block's span.
    fn move_on(&mut self) {
        for date in &mut self.dates {
            date.ms += self.span_ms;
            if date.uuid {
                write_uuid_time(date.ms, &mut self.bytes[date.at..date.at + 13]);
            } else if let Ok(stamp) = (&mut self.bytes[date.at..date.at + 23]).try_into() {
                write_stamp(date.ms, stamp);
            }
        }
    }
}

/// The stamp in the row's `t`.
fn stamp_in(line: &[u8]) -> Option<Dated> {
    let key = br#""t":""#;
    let at = line.windows(key.len()).position(|window| window == key)? + key.len();
    let ms = parse_stamp(std::str::from_utf8(line.get(at..at + 23)?).ok()?)?;
    Some(Dated { at, ms, uuid: false })
}

/// The time of the `UUIDv7` that starts at `at`.
fn uuid_at(bytes: &[u8], at: usize) -> Option<Dated> {
    let id = bytes.get(at..at + 36)?;
    if [id[8], id[13], id[14], id[18]] != *b"--7-" {
        return None;
    }
    let digits = std::str::from_utf8(&id[..13]).ok()?;
    let high = i64::from_str_radix(&digits[..8], 16).ok()?;
    let low = i64::from_str_radix(&digits[9..], 16).ok()?;
    Some(Dated { at, ms: high << 16 | low, uuid: true })
}

fn write_uuid_time(ms: i64, out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut rest = ms;
    for at in (0..13).rev().filter(|&at| at != 8) {
        out[at] = DIGITS[(rest & 15) as usize];
        rest >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::big;
    use crate::{Workdir, parse_stamp};
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn whole_rows_in_order_and_unique_sessions() {
        let path = Workdir::new();
        let path = path.path().join("big.jsonl");
        let big = big(&path, 3 << 20, 7).expect("a file");
        let text = fs::read_to_string(&path).expect("UTF-8");
        assert!(text.len() >= 3 << 20 && text.len() < (3 << 20) + (1 << 16));
        let rows: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!((big.bytes, big.rows), (text.len() as u64, rows.len() as u64));
        let prompts = rows.iter().filter(|row| row["event"] == "turn.user_message").count();
        assert_eq!(big.prompts, prompts as u64);
        let times: Vec<&str> = rows.iter().filter_map(|row| row["t"].as_str()).collect();
        assert!(times.is_sorted());
        assert!(times.iter().all(|t| parse_stamp(t).is_some()));
        let started = rows.iter().filter(|row| row["event"] == "turn.session_configured");
        let sids: Vec<&str> = started.filter_map(|row| row["sid"].as_str()).collect();
        assert!(sids.len() > 1);
        assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len());
    }

    #[test]
    fn the_offset_stays_readable_from_the_round() {
        let dir = Workdir::new();
        let path = dir.path().join("big.jsonl");
        big(&path, 2 << 20, 1).expect("a file");
        let text = fs::read_to_string(&path).expect("UTF-8");
        for line in text.lines().filter(|line| line.contains("\"event\":\"turn.user_message\"")) {
            let row: Value = serde_json::from_str(line).expect("JSON");
            let round = row["round"].as_str().expect("a round").replace('-', "");
            let minted = i64::from_str_radix(&round[..12], 16).expect("hex");
            let local = parse_stamp(row["t"].as_str().expect("t")).expect("a stamp");
            assert_eq!(local - minted, 7 * 3_600_000, "{line}");
        }
    }

    #[test]
    fn mostly_deltas_of_about_500_bytes() {
        let dir = Workdir::new();
        let path = dir.path().join("big.jsonl");
        let big = big(&path, 2 << 20, 3).expect("a file");
        let text = fs::read_to_string(&path).expect("UTF-8");
        let deltas = text.lines().filter(|line| line[..64].contains(".delta\"")).count() as u64;
        assert!((70..92).contains(&(deltas * 100 / big.rows)), "{deltas} of {}", big.rows);
        assert!((400..700).contains(&(big.bytes / big.rows)), "{}", big.bytes / big.rows);
        let escapes = text.matches('\\').count() as u64 / big.rows;
        assert!((15..60).contains(&escapes), "{escapes} a row");
    }
}

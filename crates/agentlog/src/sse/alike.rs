//! Deltas come in runs of rows that are the same letter by letter, but for a time, counters, the
//! item's id and a few words. A row is read in full once; others are compared with it, and only
//! what differs is read.
//!
//! Rows are compared in two halves: up to the end of `line` they are like all rows of their event
//! (a [`Front`]), behind it like all of their turn (an [`Ending`]). This assumes nothing about how
//! rows are spelled: a half that is equal to one that was read, but for digits in place of digits
//! and good string contents in place of such, means the same but for these. What does not fit, or
//! holds what is not quickly decoded, is left to the reader of rows.

mod ending;
mod front;
mod gaps;
mod words;

use std::ops::Range;

use super::Row;
use crate::event::What;
use crate::json::{Kind, Value};
use crate::zone::Clock;
use ending::Ending;
use front::Front;

/// Rows that were read, for others like them.
#[derive(Debug, Default)]
pub struct Alike {
    fronts: Latest<Front>,
    endings: Latest<Ending>,
    /// Of rows that are passed over.
    passed: Latest<Ending>,
    learnt: usize,
    fitted: usize,
}

/// After so many rows it shows whether others are like them at all.
const TRIAL: usize = 64;

/// A delta row, or the done row of a stream, that is like one that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct AlikeRow {
    /// When it was written.
    pub clock: Clock,
    /// What it says. Spans that it shares with the row that was read are the same.
    pub what: What,
    /// What the caller knows of the head of rows that end so.
    pub head: u32,
}

impl Alike {
    /// Reads a row of that event if it is like ones that were read. Its text is appended to `arena`.
    pub fn read(&mut self, event: &[u8], row: &[u8], arena: &mut Vec<u8>) -> Option<AlikeRow> {
        let (ending, start) = self.endings.find(mark_of(row), |ending| ending.start_in(row))?;
        let (ending, front) = (&*ending, &row[..start]);
        let fits =
            |model: &Front| model.found_in(front).filter(|_| model.provider == ending.provider);
        let (model, found) = self.fronts.find(event.len() as u64, fits)?;
        let (what, stamps) = model.read(&found, arena)?;
        self.fitted += 1;
        let clock = Clock::new(Some(stamps.0), stamps.1, || ending.key);
        Some(AlikeRow { clock, what, head: ending.head })
    }

    /// Remembers a row that was read in full, if it is a delta or a done row: `what` and `head` are
    /// what was made of it.
    pub fn learn(&mut self, row: &Row<'_>, raw: &[u8], what: &What, head: u32) {
        if self.learnt > TRIAL && self.fitted < self.learnt {
            return;
        }
        let Some(line) = line_in(row, raw) else { return };
        let event = row.name.len() as u64;
        if self.fronts.find(event, |front| front.found_in(&raw[..line.end])).is_none() {
            let Some(front) = Front::of(row, raw, &line, what) else { return };
            self.learnt += 1;
            self.fronts.add(event, front);
        }
        if self.endings.find(mark_of(raw), |ending| ending.start_in(raw)).is_none()
            && let Some(ending) = Ending::of(row, raw, line.end, head)
        {
            self.learnt += 1;
            self.endings.add(mark_of(raw), ending);
        }
    }

    /// Whether a row ends like one that was passed over, and so is of the same turn.
    #[inline]
    pub fn passes(&mut self, row: &[u8]) -> bool {
        self.passed.find(mark_of(row), |ending| ending.start_in(row)).is_some()
    }

    /// Remembers how a row ends that is passed over, with all of its turn.
    pub fn pass(&mut self, row: &Row<'_>, raw: &[u8]) {
        let line = line_in(row, raw);
        if let Some(ending) = line.and_then(|line| Ending::of(row, raw, line.end, 0)) {
            self.passed.add(mark_of(raw), ending);
        }
    }
}

/// The last bytes of a row: mostly those of the session's id.
#[inline]
fn mark_of(row: &[u8]) -> u64 {
    row.last_chunk().map_or(0, |end| u64::from_le_bytes(*end))
}

/// The latest few things of a kind, each with a mark that tells quickly which may fit.
#[derive(Debug)]
struct Latest<T> {
    all: Vec<(u64, Box<T>)>,
}

/// How many are remembered: a few sessions go on at once, each with streams of a few kinds.
const LATEST: usize = 64;

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T> Latest<T> {
    #[inline]
    fn find<F>(&mut self, mark: u64, fits: impl Fn(&T) -> Option<F>) -> Option<(&mut T, F)> {
        let marked = self.all.iter_mut().rev().filter(|(known, _)| *known == mark);
        let mut fitting = marked.filter_map(|(_, one)| fits(one).map(|found| (&mut **one, found)));
        fitting.next()
    }

    fn add(&mut self, mark: u64, one: T) {
        if self.all.len() == LATEST {
            self.all.remove(0);
        }
        self.all.push((mark, Box::new(one)));
    }
}

/// Where `line` stands in a row, if only the event's name and the time of all that is known stand
/// before it, and there is no time but these.
fn line_in(row: &Row<'_>, raw: &[u8]) -> Option<Range<usize>> {
    let envelope = &row.envelope;
    let line = place_in(raw, envelope.line.filter(Value::is_string)?)?;
    let before = |value: Option<Value<'_>>| Some(place_in(raw, value?)?.end < line.start);
    let behind = |value: Option<Value<'_>>| {
        value.is_none_or(|value| place_in(raw, value).is_some_and(|place| place.start > line.end))
    };
    let others =
        [envelope.metadata, envelope.flow_id, envelope.round, envelope.data_count, envelope.sid];
    let first = before(envelope.event)? && before(envelope.t)?;
    let top_level = [envelope.pid, envelope.cwd, envelope.released];
    (first && others.into_iter().all(behind) && top_level.iter().all(Option::is_none))
        .then_some(line)
}

/// Where a value stands in the text that it was read from.
fn place_in(text: &[u8], value: Value<'_>) -> Option<Range<usize>> {
    let start = (value.raw.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + value.raw.len();
    (end <= text.len()).then_some(start..end)
}

/// Whether digits are a number as JSON spells it.
fn is_number(digits: &[u8]) -> bool {
    !matches!(digits, [] | [b'0', _, ..])
}

fn is_whole(value: &Value<'_>) -> bool {
    value.kind == Kind::Number && is_digits(value.raw)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Span, Stream, StreamKind};
    use crate::sse::{Envelope, Scratch, leading_name, what_of};
    use proptest::prelude::*;
    use testkit::LogBuilder;

    /// What a row says, spelled out.
    type Said = (Clock, bool, Vec<u8>, i64, StreamKind, i64, Option<i64>, Vec<u8>, u32);

    fn said(clock: Clock, what: &What, head: u32, arena: &[u8]) -> Option<Said> {
        let (What::Delta(piece) | What::Done(piece)) = what else { return None };
        let bytes = |span: Span| arena[span.range()].to_vec();
        let (id, index) = match piece.stream {
            Stream::Item(id) => (bytes(id), -1),
            Stream::Block { request, index } => (request.map(bytes).unwrap_or_default(), index),
            Stream::Twin { item } => (item.map(bytes).unwrap_or_default(), -2),
        };
        let done = matches!(what, What::Done(_));
        let text = bytes(piece.text);
        Some((clock, done, id, index, piece.kind, piece.part, piece.seq, text, head))
    }

    /// A reader that learns, and what it has read.
    #[derive(Default)]
    struct Reader {
        alike: Alike,
        arena: Vec<u8>,
        fitted: usize,
    }

    impl Reader {
        /// What the row says by the quick way, and in full. The head stands for all else that a
        /// head is made of.
        fn both(&mut self, row: &[u8]) -> (Option<Said>, Option<Said>) {
            let quick = leading_name(row)
                .and_then(|name| self.alike.read(name, row, &mut self.arena))
                .and_then(|row| said(row.clock, &row.what, row.head, &self.arena));
            self.fitted += usize::from(quick.is_some());
            let (mut scratch, mut arena) = (Scratch::default(), Vec::new());
            let Ok(envelope) = Envelope::parse(row) else { return (quick, None) };
            let Some(opened) = Row::open(envelope, &mut scratch) else { return (quick, None) };
            let Some(what) = what_of(&opened, &mut arena) else { return (quick, None) };
            let head = format!("{:?}", opened.head());
            let head = head.bytes().fold(7u32, |n, b| n.wrapping_mul(31) ^ u32::from(b));
            let full = said(opened.clock(), &what, head, &arena);
            if quick.is_none() {
                let what = what_of(&opened, &mut self.arena).unwrap();
                self.alike.learn(&opened, row, &what, head);
            }
            (quick, full)
        }

        fn agrees(&mut self, row: &[u8]) {
            let (quick, full) = self.both(row);
            if quick.is_some() {
                assert_eq!(quick, full, "{}", String::from_utf8_lossy(row));
            }
        }
    }

    fn rows(log: &[u8]) -> Vec<&[u8]> {
        log.split(|b| *b == b'\n').filter(|row| !row.is_empty()).collect()
    }

    #[test]
    fn whole_logs_read_the_same_and_mostly_quickly() {
        let log = LogBuilder::new(5).codex_sessions(3).claude_sessions(3).turns(4).build();
        for log in [&log.codex, &log.claude] {
            let mut reader = Reader::default();
            for row in rows(log) {
                reader.agrees(row);
            }
            let deltas =
                rows(log).iter().filter(|row| row.windows(7).any(|w| w == b"delta\",")).count();
            assert!(reader.fitted * 10 > deltas * 7, "{} of {deltas}", reader.fitted);
        }
    }

    #[test]
    fn faulty_logs_read_the_same() {
        for seed in 0..3 {
            let builder = LogBuilder::new(seed).turns(1).faults(&testkit::Fault::ALL);
            let log = builder.build();
            for log in [&log.codex, &log.claude] {
                let mut reader = Reader::default();
                for row in rows(log) {
                    reader.agrees(row);
                }
            }
        }
    }

    /// Delta rows of both agents in spellings of their own.
    fn spelled(shape: usize, seq: &str, text: &str, t: &str) -> String {
        let sid = "019a9776-b774-7de6-aa56-cbd6599008c5";
        let meta = r#""metadata":"{\"turn_id\":\"2\",\"pid\":7}""#;
        let codex = format!(
            r#"data: {{\"type\":\"x\",\"sequence_number\":{seq},\"item_id\":\"msg_a\",\"output_index\":0,\"delta\":\"{text}\"}}"#
        );
        let claude = format!(
            r#"data: {{\"timestamp\":\"{t}Z\",\"payload\":{{\"index\":1,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}},\"request_id\":\"req_{seq}\"}}}}"#
        );
        let name = "response.output_text.delta";
        match shape {
            0 => format!(
                r#"{{"event":"{name}","t":"{t}","line":"{codex}",{meta},"data_count":{seq},"sid":"{sid}"}}"#
            ),
            1 => format!(
                r#"{{"event":"{name}","data_count":{seq},"sid":"{sid}",{meta},"line":"{codex}","t":"{t}"}}"#
            ),
            2 => format!(
                r#"{{"event": "{name}", "line": "{codex}", "t": "{t}", {meta}, "sid": "{sid}"}}"#
            ),
            3 => {
                let twice = codex
                    .replace(r#"\"item_id"#, r#"\"delta\":\"no\",\"x\":{\"delta\":1},\"item_id"#);
                format!(
                    r#"{{"event":"{name}","t":"x","t":"{t}","line":"{twice}",{meta},"sid":"{sid}"}}"#
                )
            }
            4 => {
                let odd =
                    codex.replace("msg_a", r"m\\\\u00e9").replace(r#"\"x\""#, r#"\"\u0078\""#);
                format!(r#"{{"event":"{name}","t":"{t}","line":"{odd}",{meta},"sid":"{sid}"}}"#)
            }
            _ => format!(
                r#"{{"event":"claude.content_block_delta","t":"{t}","line":"{claude}",{meta},"data_count":{seq},"sid":"{sid}"}}"#
            ),
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a", "é", "日本", "🚀", r#"\\\""#, r"\\\\", r"\\n", r"\\t", r"\\u00e9", r"\\ud83d",
            r"\n", r#"\""#, r"\\", r"\", "\"", "\u{1}", " ", "", r"\\/", r"\u0041", "}", r#"\"}"#,
        ]);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_spelling_reads_the_same(
            shape in 0usize..6,
            given in prop::collection::vec((
                prop::sample::select(vec!["0", "1", "17", "007", "-3", "1.5", "\\\"4\\\"", "99999999999999999999", ""]),
                texts(),
                prop::sample::select(vec!["2025-11-18T21:55:31.188", "2025-11-18T21:55:31.201", "2025-13-18T21:55:31.188", "2025-11-18T21:55:32.0\"\"", "2025-11-18T21:55:31+07"]),
            ), 1..5),
        ) {
            let mut reader = Reader::default();
            reader.agrees(spelled(shape, "3", "so", "2025-11-18T21:55:31.188").as_bytes());
            for (seq, text, t) in &given {
                reader.agrees(spelled(shape, seq, text, t).as_bytes());
            }
        }

        #[test]
        fn any_damage_reads_the_same(
            shape in 0usize..6,
            at in any::<prop::sample::Index>(),
            cut in 0usize..4,
            put in prop::collection::vec(any::<u8>(), 0..4),
            put_sign in prop::sample::select(vec!["", "\"", "\\", "\\\"", "}", "{", ",", "0", "\\\\", ":"]),
        ) {
            let good = spelled(shape, "12", "some words", "2025-11-18T21:55:31.188");
            let mut reader = Reader::default();
            reader.agrees(good.as_bytes());
            reader.agrees(good.as_bytes());
            // What comes in another order, and letters that the line spells with six characters,
            // is left to the reader of rows.
            prop_assert_eq!(reader.fitted, usize::from([0, 3, 5].contains(&shape)), "{}", good);
            let at = at.index(good.len());
            for put in [&put[..], put_sign.as_bytes()] {
                let mut bad = good.as_bytes()[..at].to_vec();
                bad.extend_from_slice(put);
                bad.extend_from_slice(&good.as_bytes()[(at + cut).min(good.len())..]);
                reader.agrees(&bad);
            }
        }
    }

    #[test]
    fn an_ending_is_that_of_a_turn() {
        let row = |turn: &str, text: &str, count: &str| {
            format!(
                r#"{{"event":"turn.response.delta","t":"2025-11-18T21:55:31.188","line":"{text}","metadata":"{{\"turn_id\":\"{turn}\",\"pid\":7}}","data_count":{count},"sid":"s"}}"#
            )
        };
        let first = row("2", "data: {}", "4");
        let mut scratch = Scratch::default();
        let opened = Row::open(Envelope::parse(first.as_bytes()).unwrap(), &mut scratch).unwrap();
        let mut alike = Alike::default();
        alike.pass(&opened, first.as_bytes());
        for (other, fits) in [
            (row("2", "anything", "120"), true),
            (row("3", "data: {}", "5"), false),
            (row("2", "data: {}", ""), false),
            (row("12", "data: {}", "5"), false),
        ] {
            assert_eq!(alike.passes(other.as_bytes()), fits, "{other}");
        }
    }
}

//! Blocks of transcripts and rollouts: which lines are read, and what becomes of them.

use agentlog::native::{Dialect, Meta, Row};
use agentlog::zone::Clock;
use jsonl::{Block, Line, Needles};

use super::{Decode, Item, OVERSIZE_SHOWN, Scanned, Used, bad};
use crate::look::Look;
use crate::report::BadLine;

/// Decodes a block.
pub(super) fn block_into<D: Decode>(
    block: &Block<'_>,
    (dialect, thread): (Dialect, Option<&Meta>),
    look: Look<'_>,
    decode: &D,
    used: Used<D>,
) -> Scanned<D::Value, D::Memory> {
    let found = Scanned::new(block, used);
    let max_line = block.max_line;
    let mut scan = Scan { decode, dialect, thread, passing: false, max_line, found };
    scan.found.known = true;
    if let Some(len) = block.oversize {
        scan.oversize(&block.line_at(0, 0), len);
        return scan.found;
    }
    match (look, decode.needles(dialect)) {
        (Look::Grep(grep, _), _) => grep.lines(block, |line| scan.line(&line)),
        (Look::GrepStrict(grep), _) => {
            let mut matching = Vec::new();
            grep.lines(block, |line| matching.push(line.number));
            for line in block.lines() {
                scan.passing = matching.binary_search(&line.number).is_err();
                scan.line(&line);
            }
        }
        (Look::Names | Look::Needles(_), Some(needles)) => scan.lines_with(needles, block),
        _ => block.lines().for_each(|line| scan.line(&line)),
    }
    scan.found
}

struct Scan<'a, D: Decode> {
    decode: &'a D,
    dialect: Dialect,
    thread: Option<&'a Meta>,
    /// Whether rows are read without being wanted.
    passing: bool,
    max_line: u64,
    found: Scanned<D::Value, D::Memory>,
}

impl<D: Decode> Scan<'_, D> {
    /// Reads the lines with a needle, and those that were torn.
    fn lines_with(&mut self, needles: &Needles, block: &Block<'_>) {
        needles.lines(block, |line| {
            if !self.decode.passes_native(self.dialect, line.bytes) || is_torn(line.bytes) {
                self.line(&line);
            }
        });
        // A line that was cut short may lack the needle for that. To find such lines takes a look
        // at their ends alone.
        let (mut start, mut number) = (0, 0);
        while start < block.bytes.len() {
            let end = memchr::memchr(b'\n', &block.bytes[start..]);
            let end = end.map_or(block.bytes.len(), |len| start + len);
            let bytes = &block.bytes[start..end];
            if is_torn(bytes) && !needles.found_in(bytes) {
                self.line(&block.line_at(start, number));
            }
            (start, number) = (end + 1, number + 1);
        }
        self.found.bad.sort_by_key(|bad| bad.offset);
    }

    fn line(&mut self, line: &Line<'_>) {
        let len = line.bytes.len() as u64;
        if len > self.max_line {
            return self.oversize(line, len);
        }
        match Row::parse(line.bytes) {
            Ok(row) => self.row(&row, line),
            Err(_) if line.bytes.trim_ascii().is_empty() => {}
            Err(_) if !line.ended => {
                self.found.partial = Some(bad(line, 0..line.bytes.len(), String::new()));
            }
            Err(fault) => {
                self.found.bad.push(bad(line, 0..line.bytes.len(), fault.to_string()));
            }
        }
    }

    fn row(&mut self, row: &Row<'_>, line: &Line<'_>) {
        self.found.events += 1;
        let own = row.clock();
        if own != Clock::Missing {
            self.found.last = own;
        }
        if self.passing {
            return;
        }
        let (clock, len) = (self.found.last, line.bytes.len() as u64);
        let Scanned { items, arena, .. } = &mut self.found;
        self.decode.native(row, self.thread, line.bytes, arena, &mut |value| {
            items.push(Item { clock, line: line.number, offset: line.offset, len, value });
        });
    }

    fn oversize(&mut self, line: &Line<'_>, len: u64) {
        let shown = line.bytes.len().min(OVERSIZE_SHOWN);
        let bad = bad(line, 0..shown, format!("longer than --max-line: {len} bytes"));
        self.found.bad.push(BadLine { len, ..bad });
    }
}

/// Whether a line does not end as objects do.
fn is_torn(line: &[u8]) -> bool {
    match line.last() {
        Some(b'}') | None => false,
        _ => line.trim_ascii_end().last().is_some_and(|last| *last != b'}'),
    }
}

/// The time of the first row that has one.
pub(super) fn first_clock(block: &Block<'_>) -> Clock {
    let clocks = block.lines().filter_map(|line| Some(Row::parse(line.bytes).ok()?.clock()));
    clocks.into_iter().find(|clock| *clock != Clock::Missing).unwrap_or(Clock::Missing)
}

/// The time of the last row that has one.
pub(super) fn last_time(block: &Block<'_>) -> Option<i64> {
    let times = block.lines().filter_map(|line| match Row::parse(line.bytes).ok()?.clock() {
        Clock::Utc(t) => Some(t),
        _ => None,
    });
    times.last()
}

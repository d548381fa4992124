//! From a block of lines to decoded rows: the part that runs on all cores. It knows neither the
//! writer's offset nor the number of the block's first line; both are settled afterwards.

mod native;
mod request;

use agentlog::capture::Request;
use agentlog::native::{Dialect, Meta, Row as NativeRow};
use agentlog::sse::{self, Envelope, Row, Salvage, Scratch};
use agentlog::zone::{Clock, Evidence};
use jsonl::{Block, Line, Needles};

use crate::answers::Answers;
use crate::format::{self, About, Format};
use crate::look::{Look, wanted_name};
use crate::report::BadLine;

/// What a command makes of the rows it wants.
pub trait Decode: Sync {
    /// What it keeps of a row.
    type Value: Send;
    /// Memory of a block that the values refer to.
    type Memory: Default + Send;

    /// Whether rows of this event are wanted.
    fn wants(&self, event: &str) -> bool;

    /// Reads a row; `raw` is its text, `arena` memory that lives as long as the block's rows.
    fn value(&self, row: &Row<'_>, raw: &[u8], arena: &mut Self::Memory) -> Option<Self::Value>;

    /// What rows of transcripts and rollouts have in them if they are wanted; all are read if none.
    fn needles(&self, _dialect: Dialect) -> Option<&Needles> {
        None
    }

    /// Whether such a row, told by its text, can be passed over all the same.
    fn passes_native(&self, _dialect: Dialect, _row: &[u8]) -> bool {
        false
    }

    /// Reads a row of a transcript or rollout, which may tell several things; `thread` is whose the
    /// whole rollout is.
    fn native(
        &self,
        _row: &NativeRow<'_>,
        _thread: Option<&Meta>,
        _raw: &[u8],
        _arena: &mut Self::Memory,
        _each: &mut dyn FnMut(Self::Value),
    ) {
    }

    /// Whether captured requests are wanted. If not, they are not even parsed.
    fn wants_requests(&self) -> bool {
        false
    }

    /// Reads a captured request; `raw` is the document.
    fn request(
        &self,
        _request: &Request<'_>,
        _raw: &[u8],
        _arena: &mut Self::Memory,
    ) -> Option<Self::Value> {
        None
    }

    /// Whether a row of a wanted event, told by its first bytes, can be passed over all the same.
    fn passes(&self, _event: &[u8], _row: &[u8], _memory: &mut Self::Memory) -> bool {
        false
    }

    /// The clock and value of a wanted row that is like one that was read before. Whatever it
    /// gives must be what [`Decode::value`] would.
    fn alike(
        &self,
        _event: &[u8],
        _row: &[u8],
        _memory: &mut Self::Memory,
    ) -> Option<(Clock, Self::Value)> {
        None
    }

    /// Takes over what a value of a large row refers to: the unescaped text of the row's `line`,
    /// or a copy of the row made when that text is gone. A row of 100 MB must not be in memory
    /// three times.
    fn adopt(&self, _value: &mut Self::Value, _text: &mut Vec<u8>, _raw: &[u8]) {}

    /// The value of rows of which nothing but the time is wanted; such rows are not opened
    /// further than that takes.
    fn timed(&self) -> Option<Self::Value> {
        None
    }
}

/// A row that was wanted.
#[derive(Clone, Debug)]
pub struct Item<T> {
    /// When it was written, as far as the row tells.
    pub clock: Clock,
    /// Lines before it in its block.
    pub line: u64,
    /// Where it starts in its source.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// What the command kept.
    pub value: T,
}

/// What was found in a block.
#[derive(Debug)]
pub struct Scanned<T, M> {
    /// The wanted rows, in physical order.
    pub items: Vec<Item<T>>,
    /// Memory that the items refer to.
    pub arena: M,
    /// What the rows tell of offsets, each with where its row starts.
    pub evidence: Vec<(u64, Evidence)>,
    /// Lines that cannot be read; their numbers count from the block's first line as 0.
    pub bad: Vec<BadLine>,
    /// A last line without its end.
    pub partial: Option<BadLine>,
    /// The time of the block's last row that has one.
    pub last: Clock,
    /// Rows that were read.
    pub events: u64,
    /// Whether there is a row of a known kind, read or not.
    pub known: bool,
    /// Whether there is nothing but white space.
    pub blank: bool,
    /// Bytes of the block.
    pub bytes: u64,
}

/// Decodes a block.
pub fn block<D: Decode>(
    block: &Block<'_>,
    about: About<'_>,
    look: Look<'_>,
    decode: &D,
) -> Scanned<D::Value, D::Memory> {
    block_into(block, about, look, decode, (Vec::new(), D::Memory::default()))
}

/// Room for what is found in a block: it was used before and is empty again.
pub type Used<D> = (Vec<Item<<D as Decode>::Value>>, <D as Decode>::Memory);

/// Decodes a block, with memory that was used before.
pub fn block_into<D: Decode>(
    block: &Block<'_>,
    about: About<'_>,
    look: Look<'_>,
    decode: &D,
    used: Used<D>,
) -> Scanned<D::Value, D::Memory> {
    if let Some(dialect) = about.format.dialect() {
        return native::block_into(block, (dialect, about.thread), look, decode, used);
    }
    if about.format == Format::Request {
        return request::block_into(block, look, decode, used);
    }
    let mut scan = Scan {
        decode,
        block,
        scratch: Scratch::default(),
        passing: false,
        answers: Answers::default(),
        looked_back: (0, Clock::Missing),
        found: Scanned::new(block, used),
    };
    if let Some(len) = block.oversize {
        let line = block.line_at(0, 0);
        scan.oversize(&line, len);
        return scan.found;
    }
    match look {
        Look::All => block.lines().for_each(|line| scan.line(&line)),
        Look::Grep(grep, zones) => {
            zones.lines(block, |line| scan.evidence(&line));
            grep.lines(block, |line| scan.line(&line));
        }
        Look::GrepStrict(grep) => {
            let mut matching = Vec::new();
            grep.lines(block, |line| matching.push(line.number));
            for line in block.lines() {
                scan.passing = matching.binary_search(&line.number).is_err();
                scan.line(&line);
            }
        }
        Look::Names => block.lines().for_each(|line| scan.line_by_name(&line)),
        Look::Needles(needles) => needles.lines(block, |line| scan.line_by_name(&line)),
    }
    scan.found.last = scan.clock_before(block.bytes.len());
    scan.found.known = scan.found.events > 0
        || scan.found.last != Clock::Missing
        || format::of_text(&block.bytes[..block.bytes.len().min(64 << 10)]) == Format::Sse;
    scan.found
}

/// The clock of the first row that has one.
pub fn first_clock(block: &Block<'_>, about: About<'_>) -> Clock {
    if about.format == Format::Request {
        return request::clock(block);
    }
    if about.format.dialect().is_some() {
        return native::first_clock(block);
    }
    let mut scratch = Scratch::default();
    for line in block.lines() {
        let clock = clock_of(line.bytes, &mut scratch);
        if let Some(clock) = clock.filter(|clock| *clock != Clock::Missing) {
            return clock;
        }
    }
    Clock::Missing
}

/// The last time in rows of transcripts and rollouts.
pub fn last_time(block: &Block<'_>) -> Option<i64> {
    native::last_time(block)
}

/// The clock of a row; none if the line is no row. The row is opened only as far as that takes:
/// it may be a giant.
fn clock_of(line: &[u8], scratch: &mut Scratch) -> Option<Clock> {
    let envelope = Envelope::parse(line).ok()?;
    if envelope.event_name().is_some() {
        return Some(Row::clock_only(envelope, scratch));
    }
    Some(Row::open(envelope, scratch)?.clock())
}

impl<T, M> Scanned<T, M> {
    fn new(block: &Block<'_>, (items, arena): (Vec<Item<T>>, M)) -> Self {
        Self {
            items,
            arena,
            evidence: Vec::new(),
            bad: Vec::new(),
            partial: None,
            last: Clock::Missing,
            events: 0,
            known: false,
            blank: block.bytes.trim_ascii_start().is_empty(),
            bytes: block.oversize.unwrap_or(block.bytes.len() as u64),
        }
    }
}

struct Scan<'a, D: Decode> {
    decode: &'a D,
    block: &'a Block<'a>,
    scratch: Scratch,
    /// Whether rows are read without being wanted.
    passing: bool,
    /// Event names that were asked for, with the answers.
    answers: Answers,
    /// Up to where the block was searched for a time, and the last one found there.
    looked_back: (usize, Clock),
    found: Scanned<D::Value, D::Memory>,
}

/// How many rows of unknown writers are passed in search of one that is known.
const MOST_DOUBTS: usize = 64;

/// How much of a line over the limit is kept, in bytes.
const OVERSIZE_SHOWN: usize = 4096;

impl<D: Decode> Scan<'_, D> {
    /// Passes over a row of an event that is not wanted, unless another writer's row stands in it.
    fn line_by_name(&mut self, line: &Line<'_>) {
        let row = line.bytes;
        let Some(name) = sse::leading_name(row) else { return self.line(line) };
        let wanted = self.is_wanted(name);
        if !wanted || self.decode.passes(name, row, &mut self.found.arena) {
            if sse::has_interior_row(row) {
                self.line(line);
            }
        } else if row.len() as u64 <= self.block.max_line
            && let Some((clock, value)) = self.decode.alike(name, row, &mut self.found.arena)
        {
            self.found.events += 1;
            self.item(clock, line, row, line.offset, value);
        } else {
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        let len = line.bytes.len() as u64;
        if len > self.block.max_line {
            return self.oversize(line, len);
        }
        // Most rows are not wanted: those are checked, and that is all.
        if let Some(name) = sse::leading_name(line.bytes)
            && !self.is_wanted(name)
            && Envelope::check(line.bytes).is_ok()
        {
            self.found.events += 1;
            return;
        }
        match Envelope::parse(line.bytes) {
            Ok(envelope) => self.row(&envelope, line, line.bytes, line.offset),
            Err(_) if line.bytes.trim_ascii().is_empty() => {}
            Err(fault) => {
                let parts = Salvage::of(line.bytes);
                if !line.ended && parts.rows.is_empty() {
                    self.found.partial = Some(bad(line, 0..line.bytes.len(), String::new()));
                } else {
                    self.salvage(line, &parts, &fault);
                }
            }
        }
    }

    /// Whether rows of this event are looked into.
    #[inline]
    fn is_wanted(&mut self, name: &[u8]) -> bool {
        self.answers.get(name, |name| wanted_name(self.decode, name))
    }

    fn oversize(&mut self, line: &Line<'_>, len: u64) {
        let shown = line.bytes.len().min(OVERSIZE_SHOWN);
        let bad = bad(line, 0..shown, format!("longer than --max-line: {len} bytes"));
        self.found.bad.push(BadLine { len, ..bad });
    }

    /// Takes what a row tells of its writer's offset, and nothing else.
    fn evidence(&mut self, line: &Line<'_>) {
        if let Ok(envelope) = Envelope::parse(line.bytes)
            && let Some(row) = Row::open(envelope, &mut self.scratch)
        {
            self.found.evidence.extend(row.evidence().map(|told| (line.offset, told)));
        }
    }

    /// Takes the whole rows out of a line that is not one row.
    fn salvage(&mut self, line: &Line<'_>, parts: &Salvage, fault: &sse::Fault) {
        for range in &parts.rows {
            let bytes = &line.bytes[range.clone()];
            if let Ok(envelope) = Envelope::parse(bytes) {
                self.row(&envelope, line, bytes, line.offset + range.start as u64);
            }
        }
        if let (Some(first), Some(last)) = (parts.rest.first(), parts.rest.last()) {
            self.bad_line(line, first.start..last.end, fault.to_string());
            if parts.rest.len() > 1
                && let Some(bad) = self.found.bad.last_mut()
            {
                bad.text =
                    parts.rest.iter().flat_map(|part| &line.bytes[part.clone()]).copied().collect();
            }
        }
    }

    fn row(&mut self, envelope: &Envelope<'_>, line: &Line<'_>, raw: &[u8], offset: u64) {
        self.found.events += 1;
        if let Some(name) = envelope.event_name() {
            let wanted = !self.passing && self.decode.wants(&name);
            let tells_zone = sse::ZONE_EVENTS.contains(&&*name);
            if !wanted && !tells_zone {
                return;
            }
            if let (true, false, Some(value)) = (wanted, tells_zone, self.decode.timed()) {
                let clock = Row::clock_only(*envelope, &mut self.scratch);
                return self.item(clock, line, raw, offset, value);
            }
        }
        let Some(row) = Row::open(*envelope, &mut self.scratch) else {
            self.found.events -= 1;
            return;
        };
        self.found.evidence.extend(row.evidence().map(|told| (offset, told)));
        if self.passing || !self.decode.wants(&row.name) {
            return;
        }
        let clock = row.clock();
        if let Some(mut value) = self.decode.value(&row, raw, &mut self.found.arena) {
            self.decode.adopt(&mut value, &mut self.scratch.line, raw);
            self.item(clock, line, raw, offset, value);
        }
    }

    fn item(&mut self, clock: Clock, line: &Line<'_>, raw: &[u8], offset: u64, value: D::Value) {
        let here = (line.offset - self.block.offset) as usize;
        let clock = match clock {
            Clock::Missing => self.clock_before(here),
            // Who wrote the row is not known; its neighbour was written by the same clock.
            Clock::Local(_, key) if key.is_partial() => clock.or_offset_of(self.clock_before(here)),
            known => known,
        };
        let len = raw.len() as u64;
        self.found.items.push(Item { clock, line: line.number, offset, len, value });
    }

    fn bad_line(&mut self, line: &Line<'_>, part: std::ops::Range<usize>, reason: String) {
        self.found.bad.push(bad(line, part, reason));
    }

    /// The time of the last row that has one, before byte `end` of the block. Rows without one
    /// come together: what was looked at before is not looked at again.
    fn clock_before(&mut self, end: usize) -> Clock {
        let bytes = self.block.bytes;
        let (seen, known) = self.looked_back;
        let (mut to, mut doubts) = (end.min(bytes.len()), 0);
        let mut clock = Clock::Missing;
        while to > 0 && doubts < MOST_DOUBTS {
            if to <= seen {
                clock = clock.or_offset_of(known);
                break;
            }
            let from = memchr::memrchr(b'\n', &bytes[..to - 1]).map_or(0, |at| at + 1);
            let line = self.block.line_at(from, 0);
            to = from;
            let Some(own) = clock_of(line.bytes, &mut self.scratch) else { continue };
            clock = clock.or_offset_of(own);
            match clock {
                Clock::Missing => {}
                // The row is itself in doubt, but for its time.
                Clock::Local(_, key) if key.is_partial() => doubts += 1,
                _ => break,
            }
        }
        self.looked_back = (end, clock);
        clock
    }
}

fn bad(line: &Line<'_>, part: std::ops::Range<usize>, reason: String) -> BadLine {
    BadLine {
        line: line.number,
        offset: line.offset + part.start as u64,
        len: part.len() as u64,
        reason,
        text: line.bytes[part].to_vec(),
    }
}

//! Logs too large to be kept: they are read once for the order of their rows and once more to
//! print them. What is remembered in between are spans, not rows.
//!
//! A span is a part of a file whose wanted rows stand in order of time. A log in order is one
//! span, whatever its size; each row that stands too late starts another. Printing merges them.

mod spans;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::Mutex;

use agentlog::zone::Clock;
use anyhow::{Context, Result};
use jsonl::{Batch, Block, Opened, Placed, Reader, ReaderOptions};
use rayon::prelude::*;

use crate::arenas::Arenas;
use crate::inputs::Log;
use crate::look::Look;
use crate::run::{Placer, Row, Rows, Run};
use crate::scan::{self, Decode, Scanned};
use crate::select::Selection;
use crate::zones::Zones;
use spans::{Key, Span, find_spans};

/// Prints the rows that `decode` keeps, of all logs, in order of time. `times` keeps the same
/// rows, but nothing of them; `print` gets each row with its time and its block's arena.
pub fn replay<T: Decode, D: Decode<Memory = Vec<u8>>>(
    run: &mut Run,
    look: Look<'_>,
    times: &T,
    decode: &D,
    mut print: impl FnMut(Option<i64>, &mut Row<D::Value>, &D::Memory) -> Result<()> + Send,
) -> Result<()> {
    let spans = find_spans(run, look, times)?;
    let (zones, selection) = (run.zones.clone(), run.selection.clone());
    run.report.counts.late_rows += spans.late.rows();
    let mut found = spans.done;
    found.extend(spans.open);
    let from = spans.latest.map(|(_, mut latest)| latest.pop().map_or(NEVER, |Reverse(key)| key));
    if let Some(from) = from {
        found.retain(|span| span.last_t >= from.0);
    }
    found.sort_unstable_by_key(|span| span.first);
    let mut options = run.options.clone();
    // Many spans at once must not need more memory than a few.
    options.chunk = (AHEAD_BYTES as usize * 4 / found.len().max(1)).clamp(64 << 10, options.chunk);
    let (logs, selected) = (&run.logs, &selection);
    let (shrunk, arenas) = (Mutex::default(), Arenas::default());
    let opener = Opener {
        logs,
        options,
        look,
        decode,
        zones: &zones,
        selected,
        shrunk: &shrunk,
        arenas: &arenas,
    };
    let mut replay = Replay { opener, ahead: VecDeque::new() };
    replay.merge(found, |key, row, arena| {
        let t = Some(key.0).filter(|t| *t != i64::MIN);
        let wanted = from.is_none_or(|from| key >= from);
        if wanted { print(t, row, arena) } else { Ok(()) }
    })?;
    for file in shrunk.into_inner().unwrap_or_default() {
        let path = run.logs[file as usize].path.display().to_string();
        run.report.trouble(&format!("{path}: the file shrank while it was read: rows are missing"));
    }
    Ok(())
}

/// Later than every row.
const NEVER: Key = (i64::MAX, u32::MAX, u64::MAX);

/// How spans are opened and read.
struct Opener<'a, D> {
    logs: &'a [Log],
    options: ReaderOptions,
    look: Look<'a>,
    decode: &'a D,
    zones: &'a Zones,
    /// Rows of other times are passed over.
    selected: &'a Selection,
    /// Files that are shorter than they were.
    shrunk: &'a Mutex<BTreeSet<u32>>,
    arenas: &'a Arenas,
}

struct Replay<'a, D: Decode> {
    opener: Opener<'a, D>,
    /// Spans that were opened before their turn.
    ahead: VecDeque<Cursor<D::Value, D::Memory>>,
}

/// A span that is being printed.
struct Cursor<V, M> {
    reader: Reader,
    file: u32,
    placer: Placer,
    blocks: VecDeque<Rows<V, M>>,
    /// What was read while `blocks` were printed.
    ahead: Found<V, M>,
    over: bool,
    /// Next row of the first block.
    at: usize,
    end: u64,
}

/// What was found in some blocks.
type Found<V, M> = Vec<Placed<Scanned<V, M>>>;

/// How much of small spans is read ahead.
const AHEAD_BYTES: u64 = 8 << 20;
const AHEAD_SPANS: usize = 64;

impl<D: Decode<Memory = Vec<u8>>> Replay<'_, D> {
    fn merge(
        &mut self,
        spans: Vec<Span>,
        mut print: impl FnMut(Key, &mut Row<D::Value>, &D::Memory) -> Result<()> + Send,
    ) -> Result<()> {
        let zones = self.opener.zones;
        let mut active: Vec<Option<Cursor<D::Value, D::Memory>>> = Vec::new();
        let mut next: BinaryHeap<Reverse<(Key, usize)>> = BinaryHeap::new();
        let mut waiting = VecDeque::from(spans);
        let mut free = Vec::new();
        loop {
            let head = next.peek().map(|Reverse((key, _))| *key);
            if let Some(span) = waiting.front()
                && head.is_none_or(|head| span.first <= head)
            {
                let cursor = self.open(&mut waiting)?;
                if let Some(key) = cursor.key(zones) {
                    let slot = free.pop().unwrap_or(active.len());
                    if slot == active.len() {
                        active.push(None);
                    }
                    active[slot] = Some(cursor);
                    next.push(Reverse((key, slot)));
                }
                continue;
            }
            let Some(Reverse((_, slot))) = next.pop() else { return Ok(()) };
            let others = next.peek().map_or(NEVER, |Reverse((key, _))| *key);
            let limit = waiting.front().map_or(others, |span| others.min(span.first));
            let Some(cursor) = &mut active[slot] else { continue };
            if let Some(key) = self.opener.print_until(cursor, limit, &mut print)? {
                next.push(Reverse((key, slot)));
            } else {
                active[slot] = None;
                free.push(slot);
            }
        }
    }

    /// Opens the first of the waiting spans; small ones several at a time, on all cores.
    fn open(&mut self, waiting: &mut VecDeque<Span>) -> Result<Cursor<D::Value, D::Memory>> {
        let opener = &self.opener;
        if self.ahead.is_empty() {
            let mut bytes = 0;
            let few = waiting.iter().take(AHEAD_SPANS).take_while(|span| {
                let fits = bytes == 0 || bytes + (span.end - span.first.2) <= AHEAD_BYTES;
                bytes += span.end - span.first.2;
                fits
            });
            let few: Vec<&Span> = few.collect();
            let cursors: Vec<Result<Cursor<D::Value, D::Memory>>> =
                few.par_iter().map(|span| opener.cursor(span)).collect();
            self.ahead = cursors.into_iter().collect::<Result<_>>()?;
        }
        waiting.pop_front();
        self.ahead.pop_front().ok_or_else(|| anyhow::anyhow!("no span to open"))
    }
}

impl<D: Decode<Memory = Vec<u8>>> Opener<'_, D> {
    fn cursor(&self, span: &Span) -> Result<Cursor<D::Value, D::Memory>> {
        let (t, file, start) = span.first;
        let log = &self.logs[file as usize];
        let source = log.file().with_context(|| log.path.display().to_string())?;
        let end = span.end.min(source.metadata()?.len());
        if let (true, Ok(mut shrunk)) = (end < span.end, self.shrunk.lock()) {
            shrunk.insert(file);
        }
        let options = ReaderOptions { first_line: span.line, ..self.options.clone() };
        let part = Opened::File { file: source, start: start.min(end), end };
        let reader = log.reader(part, &options);
        let placer = Placer::starting_at(file, Clock::Utc(t));
        let (blocks, ahead) = (VecDeque::new(), Vec::new());
        let mut cursor = Cursor { reader, file, placer, blocks, ahead, over: false, at: 0, end };
        // Blocks without a wanted row are passed.
        while cursor.key(self.zones).is_none() {
            match self.read(&mut cursor.reader, cursor.file)? {
                Some(batch) => cursor.ahead = batch,
                None => cursor.over = true,
            }
            if !cursor.go_on(self.zones, self.selected) {
                break;
            }
        }
        Ok(cursor)
    }

    /// Prints a cursor's rows before `limit`; returns the next one's key, if there is one.
    fn print_until(
        &self,
        cursor: &mut Cursor<D::Value, D::Memory>,
        limit: Key,
        print: &mut (impl FnMut(Key, &mut Row<D::Value>, &D::Memory) -> Result<()> + Send),
    ) -> Result<Option<Key>> {
        loop {
            let Cursor { reader, file, blocks, ahead, over, at, end, .. } = cursor;
            let mut print_block = || self.print_block(blocks, at, *end, limit, print);
            // While rows are printed, the next are read.
            let printed = if ahead.is_empty() && !*over {
                let (printed, batch) = rayon::join(print_block, || self.read(reader, *file));
                match batch? {
                    Some(batch) => *ahead = batch,
                    None => *over = true,
                }
                printed?
            } else {
                print_block()?
            };
            if let Some(key) = printed {
                return Ok(Some(key));
            }
            if !cursor.go_on(self.zones, self.selected) {
                return Ok(None);
            }
        }
    }

    /// The next blocks; none at the end.
    fn read(&self, reader: &mut Reader, file: u32) -> Result<Option<Found<D::Value, D::Memory>>> {
        let work = |block: &Block<'_>| {
            scan::block_into(
                block,
                self.logs[file as usize].about(),
                self.look,
                self.decode,
                (Vec::new(), self.arenas.take()),
            )
        };
        match reader.next(&work)? {
            Batch::Blocks(blocks) => Ok(Some(blocks)),
            Batch::Quiet => Ok(Some(Vec::new())),
            Batch::End => Ok(None),
        }
    }

    /// Prints rows before `limit`; returns the key of the first that is not before it.
    fn print_block(
        &self,
        blocks: &mut VecDeque<Rows<D::Value, D::Memory>>,
        at: &mut usize,
        end: u64,
        limit: Key,
        print: &mut impl FnMut(Key, &mut Row<D::Value>, &Vec<u8>) -> Result<()>,
    ) -> Result<Option<Key>> {
        while let Some(block) = blocks.front_mut() {
            while let Some(row) = block.rows.get_mut(*at) {
                let t = self.zones.utc(row.clock).unwrap_or(i64::MIN);
                let key = (t, row.src.file, row.src.offset);
                if key >= limit {
                    return Ok(Some(key));
                }
                if row.src.offset < end {
                    print(key, row, &block.arena)?;
                }
                *at += 1;
            }
            self.arenas.give_back(blocks.pop_front().map(|block| block.arena).unwrap_or_default());
            *at = 0;
        }
        Ok(None)
    }
}

impl<V, M> Cursor<V, M> {
    /// The next row's key.
    fn key(&self, zones: &Zones) -> Option<Key> {
        let row = self.blocks.iter().find_map(|block| block.rows.get(self.at))?;
        Some((zones.utc(row.clock).unwrap_or(i64::MIN), row.src.file, row.src.offset))
    }

    /// Goes on with what was read ahead; false if the span is over.
    fn go_on(&mut self, zones: &Zones, selected: &Selection) -> bool {
        for block in std::mem::take(&mut self.ahead) {
            let mut block = self.placer.place(block);
            if selected.has_times() {
                // Other rows have no part in the order of the span.
                block.rows.retain(|row| selected.time(zones.utc(row.clock)));
            }
            self.blocks.push_back(block);
        }
        !(self.over && self.blocks.is_empty())
    }
}

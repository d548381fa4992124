//! From rows to records through a fold: one driver for all commands that print more than rows.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentlog::event::{Event, Head, What};
use agentlog::fold::{Fold, SETTLE_MS};
use agentlog::sse;
use agentlog::zone::Clock;
use anyhow::Result;
use foldhash::fast::FixedState;

use crate::live::{HOLD, Step};
use crate::look::Look;
use crate::order::Window;
use crate::run::{Row, Run};
use crate::scan::Decode;

/// The rows that a fold reads.
#[derive(Clone, Copy)]
pub struct FoldRows {
    /// Names of their events, list by list.
    pub events: &'static [&'static [&'static str]],
    /// Whether a row of such an event, told by its text, says nothing that is wanted: it is not
    /// even parsed then. May say no too often, never yes.
    pub passes: fn(event: &[u8], row: &[u8]) -> bool,
    /// What is made of a row; texts are appended to the arena.
    pub read: fn(&sse::Row<'_>, &mut Vec<u8>) -> Option<What>,
}

/// What is kept of a row.
pub struct Kept {
    head: u32,
    what: What,
}

/// What the rows of a block refer to.
#[derive(Default)]
pub struct Memory {
    arena: Vec<u8>,
    heads: Vec<Arc<Head>>,
    /// Places in `heads`, by a hash of what a head is read from.
    known: HashMap<u64, u32, FixedState>,
    alike: sse::Alike,
    /// For each head, whether a delta has it.
    streams: Vec<bool>,
}

/// Reads rows for a fold.
pub trait ReadRows: Decode<Value = Kept, Memory = Memory> {}

impl<D: Decode<Value = Kept, Memory = Memory>> ReadRows for D {}

impl Decode for FoldRows {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|list| list.contains(&event))
    }

    fn passes(&self, event: &[u8], row: &[u8], _: &mut Memory) -> bool {
        (self.passes)(event, row)
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], memory: &mut Memory) -> Option<Kept> {
        memory.keep(row, self.read)
    }
}

impl Memory {
    /// Reads a row and keeps what it says.
    pub(crate) fn keep(
        &mut self,
        row: &sse::Row<'_>,
        read: fn(&sse::Row<'_>, &mut Vec<u8>) -> Option<What>,
    ) -> Option<Kept> {
        let what = read(row, &mut self.arena)?;
        Some(Kept { head: self.head(row), what })
    }

    /// The place of a row's head. Rows of one writer have the same, so that it is read once.
    fn head(&mut self, row: &sse::Row<'_>) -> u32 {
        let envelope = &row.envelope;
        // Deltas, four fifths of a log, never name a model.
        let model = if row.name.ends_with("delta") { None } else { row.model() };
        let of = [envelope.sid, envelope.round, envelope.flow_id, envelope.metadata, model];
        let top = [envelope.pid, envelope.cwd];
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        hasher.write_u8(row.provider().map_or(0, |provider| provider as u8 + 1));
        for value in of.into_iter().chain(top) {
            // The place of each is a part of what is hashed.
            hasher.write(value.map_or("\"", |value| value.raw).as_bytes());
            hasher.write_u8(0xff);
        }
        let next = self.heads.len() as u32;
        let heads = &mut self.heads;
        *self.known.entry(hasher.finish()).or_insert_with(|| {
            heads.push(Arc::new(row.head()));
            next
        })
    }

    /// Reads a delta row if it is like one that was read before.
    pub(crate) fn read_alike(&mut self, event: &[u8], row: &[u8]) -> Option<(Clock, Kept)> {
        let sse::AlikeRow { clock, what, head } = self.alike.read(event, row, &mut self.arena)?;
        Some((clock, Kept { head, what }))
    }

    /// Remembers a delta row, for others like it.
    pub(crate) fn learn(&mut self, row: &sse::Row<'_>, raw: &[u8], kept: &Kept) {
        self.alike.learn(row, raw, &kept.what, kept.head);
    }

    /// Whether a row is the first delta with its head.
    pub(crate) fn is_first_delta(&mut self, kept: &Kept) -> bool {
        let head = kept.head as usize;
        if !matches!(kept.what, What::Delta(_)) {
            return false;
        }
        self.streams.resize(self.streams.len().max(head + 1), false);
        !std::mem::replace(&mut self.streams[head], true)
    }

    /// Remembers a row that is passed over, with all of its turn.
    pub(crate) fn pass(&mut self, row: &sse::Row<'_>, raw: &[u8]) {
        self.alike.pass(row, raw);
    }

    /// Whether a row is of a turn that is passed over.
    pub(crate) fn passes(&mut self, row: &[u8]) -> bool {
        self.alike.passes(row)
    }

    /// The head of a row that was kept.
    pub(crate) fn head_of(&self, kept: &Kept) -> &Head {
        &self.heads[kept.head as usize]
    }

    /// Shares heads with the blocks before.
    pub(crate) fn share(&mut self, shared: &mut SharedHeads) {
        self.known = HashMap::default();
        self.alike = sse::Alike::default();
        self.heads.iter_mut().for_each(|head| shared.share(head));
    }

    /// A row as a fold is fed it.
    pub(crate) fn event<'a>(&'a self, t: Option<i64>, row: &'a Row<Kept>) -> Event<'a> {
        let head = &self.heads[row.value.head as usize];
        Event { t, src: row.src, head, what: &row.value.what, arena: &self.arena }
    }
}

/// Heads of the last blocks: equal ones are made the same one.
#[derive(Default)]
pub(crate) struct SharedHeads {
    heads: HashSet<Arc<Head>>,
}

/// How many heads are remembered.
const HEADS: usize = 4096;

impl SharedHeads {
    fn share(&mut self, head: &mut Arc<Head>) {
        if let Some(same) = self.heads.get(head) {
            *head = Arc::clone(same);
            return;
        }
        if self.heads.len() >= HEADS {
            self.heads.clear();
        }
        self.heads.insert(Arc::clone(head));
    }
}

/// Takes the records of a fold.
pub trait Sink<R> {
    /// Takes records in the order in which they became final.
    fn take(&mut self, records: &mut Vec<R>) -> Result<()>;

    /// Forgets what was taken: the offsets of the log turned out to be others than they seemed,
    /// and it is read again.
    fn restart(&mut self);

    /// Hands what was printed to the reader.
    fn flush(&mut self) -> Result<()>;
}

/// Feeds all logs to a fold that `make` makes, in order of time, and its records to `sink`.
pub fn fold<F: Fold<Record: Send> + Send>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    make: impl Fn() -> F,
    sink: &mut (impl Sink<F::Record> + Send),
) -> Result<()> {
    if run.live {
        return live(run, look, rows, make(), sink);
    }
    let mut fold = make();
    let mut out = Vec::new();
    let mut again = false;
    loop {
        let known = run.feed(look, rows, |event| {
            fold.feed(&event, &mut out);
            // Few at a time: what is not wanted is dropped early.
            if out.len() >= 1024 { sink.take(&mut out) } else { Ok(()) }
        })?;
        if known || again {
            break;
        }
        again = true;
        fold = make();
        out.clear();
        sink.restart();
    }
    fold.finish(&mut out);
    sink.take(&mut out)
}

/// Hands on what is final as it comes.
fn live<F: Fold>(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    mut fold: F,
    sink: &mut impl Sink<F::Record>,
) -> Result<()> {
    let mut window: Window<(Instant, Row<Kept>, Arc<Memory>)> = Window::default();
    let (mut next, mut out) = (VecDeque::new(), Vec::new());
    run.read_live(look, rows, |step| {
        let mut come_to = None;
        match step {
            Step::Row(t, row, memory) => {
                window.push(t.unwrap_or(i64::MIN), (Instant::now(), row, memory), &mut next);
            }
            Step::Time(t) => {
                window.advance(t, &mut next);
                come_to = Some(t).filter(|_| window.is_empty());
            }
            Step::Pause(quiet) => {
                window.release_while(|(came, ..)| came.elapsed() >= HOLD, &mut next);
                let settled = quiet >= Duration::from_millis(SETTLE_MS as u64);
                come_to = Some(i64::MAX).filter(|_| settled && window.is_empty());
            }
        }
        feed_all(&mut fold, &mut next, &mut out);
        if let Some(t) = come_to {
            fold.advance(t, &mut out);
        }
        if !out.is_empty() {
            sink.take(&mut out)?;
            sink.flush()?;
        }
        Ok(!window.is_empty() || fold.waits())
    })?;
    window.release(&mut next);
    feed_all(&mut fold, &mut next, &mut out);
    run.report.counts.late_rows += window.late();
    fold.finish(&mut out);
    sink.take(&mut out)
}

type Came = (i64, (Instant, Row<Kept>, Arc<Memory>));

fn feed_all<F: Fold>(fold: &mut F, next: &mut VecDeque<Came>, out: &mut Vec<F::Record>) {
    for (t, (_, row, memory)) in next.drain(..) {
        fold.feed(&memory.event(Some(t).filter(|t| *t != i64::MIN), &row), out);
    }
}

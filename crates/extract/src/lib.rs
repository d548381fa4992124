//! The modes of `alog-extract`: state machines from the rows of logs, and captured requests, to
//! the records that people ask for. Pure, as the folds are: no files, no clock.
//!
//! [`MODES`] lists them. [`Extraction`] feeds the chosen ones, all in one pass.

mod facts;
#[cfg(test)]
mod given;
mod modes;
mod record;
mod redact;
mod request;
mod tools;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use agentlog::event::{Event, What};
use agentlog::fold::Fold;
use agentlog::fold::tokens::{OffsetAt, Wanted};
use agentlog::record::{Field, RecordKind, Shape};
use rayon::prelude::*;

pub use facts::{Facts, Form, value_of};
pub use modes::MODES;
pub use record::Record;
pub use redact::Redact;
pub use request::{Asked, Conversations, Piece, Place};

/// What is known of a mode before it runs.
#[derive(Clone, Copy)]
pub struct Info {
    /// Its name, on the command line and in the schema.
    pub name: &'static str,
    /// What one record of it is, in a line.
    pub about: &'static str,
    /// Which rows and requests it reads.
    pub sources: &'static str,
    /// The keys of its own.
    pub own: &'static [Field],
    /// The keys that make a record the same thing as another, for `--dedup content` and `last`.
    pub key: &'static [&'static str],
    /// The keys that a table shows.
    pub table: &'static [&'static str],
    /// Which rows it is fed.
    pub takes: Takes,
    /// Makes its state.
    pub make: fn(&Options) -> Box<dyn Mode>,
}

/// Which rows a mode is fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Deltas, four fifths of an SSE log.
    pub deltas: bool,
    /// Rows that count for nothing: copies, and those of sessions that have a better source.
    pub left_out: bool,
    /// Where `--session`, `--since` and so on are heeded.
    pub select: Select,
}

/// Where what was asked for is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// In the records of the mode.
    #[default]
    Records,
    /// In the rows that it is fed: its records sum up many sessions.
    Rows,
    /// In the mode itself: it has to read all rows, and sums up many sessions.
    Itself,
}

/// What modes have to know of what was asked for.
#[derive(Clone)]
pub struct Options {
    /// Which rows are selected.
    pub wanted: Arc<Wanted>,
    /// The offset of the zone that days are of, in seconds, at a time in milliseconds UTC.
    pub offset_at: Arc<OffsetAt>,
    /// What hides secrets, for modes that print but the beginning of a text: a part of a secret would
    /// not be known for one afterwards. None if they are printed.
    pub redact: Option<Arc<Redact>>,
}

impl std::fmt::Debug for Info {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Info").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A mode: a state machine that is fed rows in order of time.
pub trait Mode: Send {
    /// Takes the next row.
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>);

    /// Log time has come to `t`: nothing older follows.
    fn advance(&mut self, _t: i64, _out: &mut Vec<Record>) {}

    /// The input is over: gives out the rest.
    fn finish(&mut self, _out: &mut Vec<Record>) {}

    /// The input is over: gives out a part of the rest, for modes that have much. False if that was
    /// the last.
    fn finish_some(&mut self, out: &mut Vec<Record>) -> bool {
        self.finish(out);
        false
    }
}

/// A row as modes see it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What happened, where, and whose it is. A row of a transcript or rollout that tells several
    /// things comes once for each, and once for all of it.
    pub event: &'a Event<'a>,
    /// What is kept of the row beside; none where the row comes for one of the things it tells.
    pub facts: Option<&'a Facts>,
    /// Its place in its conversation, if it is a request.
    pub place: Option<&'a Place>,
}

impl<'a> Row<'a> {
    /// The event's name, where the row comes for all of it.
    pub fn name(&self) -> Option<&'a str> {
        self.facts.map(|facts| &*facts.name)
    }

    /// The request and its place, if the row is one.
    pub fn asked(&self) -> Option<(&'a Asked, &'a Place)> {
        self.facts?.asked.as_deref().zip(self.place)
    }
}

const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, about }
}

/// Feeds the chosen modes, all in one pass.
pub struct Extraction {
    modes: Vec<(Takes, Box<dyn Mode>)>,
    wanted: Arc<Wanted>,
    conversations: Conversations,
}

impl std::fmt::Debug for Extraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extraction").field("modes", &self.modes.len()).finish_non_exhaustive()
    }
}

impl Extraction {
    /// An empty state of each of the modes.
    pub fn new(modes: &[&'static Info], options: &Options) -> Self {
        let modes = modes::made(modes, options);
        Self { modes, wanted: Arc::clone(&options.wanted), conversations: Conversations::default() }
    }

    /// The place of a request in its conversation.
    fn place(&mut self, event: &Event<'_>) -> Option<Place> {
        let asked = facts_of(event)?.asked.as_deref()?;
        Some(self.conversations.place(event.head.sid.as_deref(), asked))
    }

    fn row<'a>(&self, event: &'a Event<'a>, place: Option<&'a Place>) -> Taken<'a> {
        let (head, facts) = (event.head, facts_of(event));
        let selected =
            (self.wanted)(event.t, head.provider, head.sid.as_deref(), head.cwd.as_deref());
        let is_delta = matches!(event.what, What::Delta(_));
        Taken { row: Row { event, facts, place }, is_delta, selected }
    }
}

/// A row, and what decides which modes take it.
struct Taken<'a> {
    row: Row<'a>,
    is_delta: bool,
    selected: bool,
}

impl Taken<'_> {
    fn feed(&self, takes: Takes, mode: &mut dyn Mode, out: &mut Vec<Record>) {
        if (takes.deltas || !self.is_delta)
            && (takes.left_out || self.row.event.left_out.is_none())
            && (takes.select != Select::Rows || self.selected)
        {
            mode.feed(&self.row, out);
        }
    }
}

fn facts_of<'a>(event: &Event<'a>) -> Option<&'a Facts> {
    event.extra?.downcast_ref()
}

impl Fold for Extraction {
    type Record = Record;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Record>) {
        let place = self.place(event);
        let row = self.row(event, place.as_ref());
        self.modes.iter_mut().for_each(|(takes, mode)| row.feed(*takes, &mut **mode, out));
    }

    fn takes_many(&self) -> bool {
        true
    }

    /// Each mode takes all of them, several at a time on all cores.
    fn feed_all(&mut self, events: &[Event<'_>], out: &mut Vec<Record>) {
        let places: Vec<Option<Place>> = events.iter().map(|event| self.place(event)).collect();
        let rows = events.iter().zip(&places).map(|(event, place)| self.row(event, place.as_ref()));
        let rows: Vec<Taken<'_>> = rows.collect();
        let given = self.modes.par_iter_mut().with_max_len(1).map(|(takes, mode)| {
            let mut given = Vec::new();
            for row in &rows {
                row.feed(*takes, &mut **mode, &mut given);
            }
            given
        });
        let given: Vec<Vec<Record>> = given.collect();
        out.extend(given.into_iter().flatten());
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        for (_, mode) in &mut self.modes {
            mode.advance(t, out);
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        while self.finish_some(out) {}
    }

    /// One mode after the other, each forgotten then: together they may hold much.
    fn finish_some(&mut self, out: &mut Vec<Record>) -> bool {
        self.conversations = Conversations::default();
        let Some((_, mode)) = self.modes.last_mut() else { return false };
        if !mode.finish_some(out) {
            self.modes.pop();
        }
        true
    }
}

/// The modes of a list of names, each once, in the order of [`MODES`]; `all` is all of them.
///
/// # Errors
/// The first name that is no mode's.
pub fn modes_of<'n>(
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Vec<&'static Info>, &'n str> {
    let mut chosen = BTreeSet::new();
    for name in names {
        if name.trim() == "all" {
            chosen.extend(0..MODES.len());
            continue;
        }
        let at = MODES.iter().position(|info| info.name == name.trim());
        chosen.insert(at.ok_or(name)?);
    }
    Ok(chosen.into_iter().map(|at| MODES[at]).collect())
}

/// The kinds of records of all modes, in the order of [`MODES`]. They live as long as the program.
static KINDS: LazyLock<Vec<RecordKind>> = LazyLock::new(|| {
    let count =
        field("count", Shape::Count, "how many records it stands for: more than 1 with --dedup");
    let kind = |info: &&'static Info| RecordKind {
        schema: format!("alog.extract.{}/1", info.name).leak(),
        about: info.about,
        own: info.own.iter().copied().chain([count]).collect::<Vec<_>>().leak(),
        table: info.table,
        rows: None,
        is_final: None,
    };
    MODES.iter().map(kind).collect()
});

impl Info {
    /// The kind of its records.
    pub fn kind(&self) -> &'static RecordKind {
        let at = MODES.iter().position(|info| info.name == self.name).unwrap_or(0);
        &KINDS[at]
    }
}

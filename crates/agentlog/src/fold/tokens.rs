//! Token usage: what each call to a model used up, in the groups that were asked for.
//!
//! The arithmetic is that of the crate `ledger`. This fold finds whose row it is, in which turn,
//! by which model, and keeps sums: what a process comes to in each group by each kind of its rows,
//! since only the end of the log tells which kind counts. The groups of all processes are then
//! put together by [`groups`].

mod calendar;
mod group;
mod process;
mod processes;
pub(super) mod requests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::FixedState;
use indexmap::IndexMap;
use indexmap::map::Entry;
use ledger::{Added, Prices, Source};
use serde::{Deserialize, Serialize};

use super::Fold;
use super::resume::Resume;
use super::ties::Ties;
use super::turn_book::{TurnBook, TurnKey, TurnNews};
use crate::event::{Event, Head, LeftOut, Provider, RateLimits, Response, ResponsePhase};
use crate::event::{TokenCount, What};
use crate::state::{self, BadState};
pub use calendar::{Day, Hour, Month, Week};
use group::{Addition, Named};
pub use group::{Group, LimitSpan, LimitSpans};
use process::Process;
use processes::Processes;
use requests::{Names, OpenRequest, Requests};

/// Events that the fold reads, beside those of the turn book if turns are asked for.
pub const EVENTS: &[&str] = &[
    "turn.token_count",
    "codex.token_count",
    "response.completed",
    // It names the model.
    "turn.session_configured",
    "claude.message_start",
    "claude.message_delta",
];

/// What the words of rows may be beside those of the ledger, see [`super::CountedRow`].
pub(super) const HOWS: &[&str] = requests::HOWS;

/// What calls are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum By {
    Call,
    Turn,
    Session,
    Hour,
    Day,
    Week,
    Month,
    Model,
    Provider,
    Project,
    All,
}

impl By {
    /// All of them with their names.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("call", Self::Call),
        ("turn", Self::Turn),
        ("session", Self::Session),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("model", Self::Model),
        ("provider", Self::Provider),
        ("project", Self::Project),
        ("all", Self::All),
    ];

    /// The name in records and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }
}

/// Whether a row counts: by its time, provider, session and working directory.
pub type Wanted =
    dyn Fn(Option<i64>, Option<Provider>, Option<&str>, Option<&str>) -> bool + Send + Sync;

/// The offset of the zone that days are of, in seconds, at a time in milliseconds UTC.
pub type OffsetAt = dyn Fn(i64) -> i32 + Send + Sync;

/// What to keep.
#[derive(Clone)]
pub struct Options {
    /// What calls are grouped by; no key twice.
    pub by: Arc<[By]>,
    /// Keep what each row counted for.
    pub explain: bool,
    /// Which rows count; the others are read all the same, since totals build on each other.
    pub wanted: Arc<Wanted>,
    /// What days are.
    pub offset_at: Arc<OffsetAt>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, explain, .. } = self;
        f.debug_struct("Options").field("by", by).field("explain", explain).finish_non_exhaustive()
    }
}

impl Default for Options {
    /// Groups of nothing but all.
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Options {
    /// Groups of all rows, by days of UTC.
    pub fn new(by: &[By]) -> Self {
        let (wanted, offset_at) =
            (Arc::new(|_, _, _: Option<&_>, _: Option<&_>| true), Arc::new(|_| 0));
        Self { by: by.into(), explain: false, wanted, offset_at }
    }

    fn has(&self, by: By) -> bool {
        self.by.contains(&by)
    }

    /// The group of a row of a process, which has learnt what the row itself says; none if the row is
    /// not wanted.
    fn key(&self, t: Option<i64>, head: &Head, process: &Process) -> Option<Key> {
        let cwd = process.cwd();
        let sid = process.sid.as_deref();
        if !(self.wanted)(t, head.provider, sid, cwd.as_deref()) {
            return None;
        }
        let mut key = Key::default();
        let hour = || t.map(|t| Hour::of(t, (self.offset_at)(t)));
        for by in self.by.iter() {
            match by {
                By::Hour => key.hour = hour(),
                By::Day => key.day = hour().map(Hour::day),
                By::Week => key.week = hour().map(|hour| hour.day().week()),
                By::Month => key.month = hour().map(|hour| hour.day().month()),
                By::Provider => key.provider = head.provider,
                By::Project => key.project.clone_from(&cwd),
                // Sessions and models may not be known yet, and calls are numbered.
                By::Turn | By::Session | By::Model | By::Call | By::All => {}
            }
        }
        Some(key)
    }
}

/// What makes a group. What was not asked for is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Key {
    pub session: Option<Arc<str>>,
    /// Ordinal of the turn in its session.
    pub session_turn: Option<u64>,
    /// Ordinal of the call in its session.
    pub call: Option<u64>,
    pub hour: Option<Hour>,
    pub day: Option<Day>,
    pub week: Option<Week>,
    pub month: Option<Month>,
    pub model: Option<Arc<str>>,
    pub provider: Option<Provider>,
    pub project: Option<Arc<str>>,
    /// The turn as long as its ordinal is not known.
    turn: Option<TurnKey>,
}

impl Key {
    /// What of it was asked for.
    fn only(self, by: &[By]) -> Self {
        let has = |key: By| by.contains(&key);
        Self {
            session: self.session.filter(|_| has(By::Session) || has(By::Turn)),
            session_turn: self.session_turn.filter(|_| has(By::Turn)),
            call: self.call.filter(|_| has(By::Call)),
            hour: self.hour.filter(|_| has(By::Hour)),
            day: self.day.filter(|_| has(By::Day)),
            week: self.week.filter(|_| has(By::Week)),
            month: self.month.filter(|_| has(By::Month)),
            model: self.model.filter(|_| has(By::Model)),
            provider: self.provider.filter(|_| has(By::Provider)),
            project: self.project.filter(|_| has(By::Project)),
            turn: None,
        }
    }
}

/// What a process used up in one group with one model.
#[derive(Clone, Debug)]
pub struct Share {
    /// Whose it is.
    pub sid: Option<Arc<str>>,
    key: Key,
    model: Option<Arc<str>>,
    /// Boxed: shares are many, and change hands.
    group: Box<Group>,
}

impl Share {
    fn new(
        sid: Option<Arc<str>>,
        key: Key,
        model: Option<Arc<str>>,
        mut group: Box<Group>,
    ) -> Self {
        group.model = model.clone().map_or(Named::Unknown, Named::One);
        Self { sid, key, model, group }
    }
}

/// The fold. Its records come at the end: [`groups`] puts them together.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub struct TokenUse {
    #[serde(skip)]
    options: Options,
    /// Only if turns are asked for.
    book: Option<TurnBook>,
    /// Empty between rows.
    #[serde(skip)]
    news: Vec<TurnNews>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    turns: HashMap<TurnKey, Option<u64>, FixedState>,
    processes: Processes,
    requests: Requests,
    #[serde(skip)]
    models: Names,
    ties: Ties,
    next_call: u64,
}

impl TokenUse {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self {
            book: options.has(By::Turn).then(TurnBook::default),
            options,
            news: Vec::new(),
            turns: HashMap::default(),
            processes: Processes::default(),
            requests: Requests::default(),
            models: Names::default(),
            ties: Ties::default(),
            next_call: 0,
        }
    }

    /// The turn of a row; none if it stands outside, or comes when its turn is over.
    fn turn_of(&mut self, event: &Event<'_>) -> Option<TurnKey> {
        let book = self.book.as_mut()?;
        let turn = book.place(event, &mut self.news);
        let turn = turn.filter(|turn| book.is_open(*turn));
        self.hear();
        turn
    }

    /// Counts the rows that were held back, now that the log has come to `t`.
    fn count_held(&mut self, t: i64) {
        for held in self.ties.before(t) {
            let event = held.event();
            match (event.what, event.left_out) {
                (What::TokenCount(_), Some(why)) => self.left_out(&event, why),
                (What::TokenCount(count), None) => self.count_row(&event, count, held.turn),
                _ => {}
            }
        }
    }

    /// Learns the ordinals of turns.
    fn hear(&mut self) {
        for news in self.news.drain(..) {
            if let TurnNews::Opened { key, prompt } = news {
                self.turns.insert(key, prompt.session_turn);
            }
        }
    }

    /// The group of a row of a process; none if it is not wanted.
    fn key(&mut self, t: Option<i64>, head: &Head, process: usize) -> Option<Key> {
        self.options.key(t, head, self.processes.at(process))
    }

    /// The number of a call, if they are told apart.
    fn number(&mut self) -> Option<u64> {
        self.next_call += 1;
        self.options.has(By::Call).then_some(self.next_call)
    }

    fn count_row(&mut self, event: &Event<'_>, count: &TokenCount, turn: Option<TurnKey>) {
        let at = self.processes.of(event.head);
        let (totals, last) = count.readings();
        let added = self.processes.at(at).counts().totals(count.source, totals, last);
        let window = count.context_window.and_then(|n| u64::try_from(n).ok());
        let context = (last.map(|last| last.total()), window);
        let row = Addition { event, added, context };
        self.codex_row(at, count.source, &row, turn, Some(&count.limits));
    }

    fn response_row(&mut self, event: &Event<'_>, response: &Response, turn: Option<TurnKey>) {
        let at = self.processes.of(event.head);
        let usage = response.usage.map(|usage| usage.reading());
        let id = response.id.map(|id| event.name(id));
        let counts = self.processes.at(at).counts();
        let (source, added) = if response.recorded {
            (Source::Record, counts.record(id, usage))
        } else {
            (Source::Response, counts.response(id, usage))
        };
        let context = (usage.map(|usage| usage.total()), None);
        self.codex_row(at, source, &Addition { event, added, context }, turn, None);
    }

    fn codex_row(
        &mut self,
        process: usize,
        source: Source,
        row: &Addition<'_>,
        turn: Option<TurnKey>,
        limits: Option<&RateLimits>,
    ) {
        let Addition { event, added: Added { how, .. }, .. } = row;
        let key = self.key(event.t, event.head, process).map(|key| {
            let call = if how.counts() { self.number() } else { None };
            Key { call, turn, ..key }
        });
        let explain = self.options.explain;
        self.processes.at(process).codex_row(source, key, row, limits, explain);
    }

    /// Takes a row about a request of Claude, or a message; false if it is not counted any more.
    fn request_row(&mut self, event: &Event<'_>, turn: Option<TurnKey>) -> bool {
        let Some(request) = self.requests.of(event) else { return false };
        request.row(event, &mut self.models, self.options.explain);
        request.turn = request.turn.or(turn);
        // It is placed by its first row, and by the first that names its session.
        let is_new = request.process.is_none();
        if is_new || (!request.knows_session && event.head.sid.is_some()) {
            let t = request.first.0;
            let process = self.processes.of(event.head);
            request.key = self.options.key(t, event.head, self.processes.at(process));
            request.process = Some(process);
            request.knows_session = event.head.sid.is_some();
        }
        while let Some(request) = self.requests.next_forgotten() {
            self.settle(request);
        }
        true
    }

    /// Takes a row that counts for nothing: what follows may grow from there.
    fn left_out(&mut self, event: &Event<'_>, why: LeftOut) {
        if let What::TokenCount(count) = event.what {
            let at = self.processes.of(event.head);
            self.processes.at(at).counts().baseline(count.source, count.readings().0);
        }
        let tells = match event.what {
            What::TokenCount(_) => true,
            What::Response(response) => response.usage.is_some(),
            What::Message(message) => message.usage.is_some(),
            _ => false,
        };
        if tells {
            self.dropped(event, why.name());
        }
    }

    /// Notes a row that was dropped, if rows are to be explained.
    fn dropped(&mut self, event: &Event<'_>, how: &'static str) {
        if !self.options.explain {
            return;
        }
        let at = self.processes.of(event.head);
        if let Some(key) = self.key(event.t, event.head, at) {
            self.processes.at(at).dropped(key, event, how);
        }
    }

    /// Counts a request that nothing can change any more.
    fn settle(&mut self, mut request: Box<OpenRequest>) {
        let (Some(process), Some(key)) = (request.process, request.key.take()) else { return };
        let key = Key { turn: request.turn, call: self.number(), ..key };
        let tokens = request.usage.tokens();
        let cells = &mut self.processes.at(process).claude;
        let cell = cells.at((key, request.model.clone()));
        cell.count(request.first, request.last, tokens, (Some(tokens.total()), None));
        cell.agreed.absorb(&request.agreed);
        cell.duplicates += request.repeats;
        cell.rows.append(&mut request.rows());
    }
}

impl Fold for TokenUse {
    type Record = Share;

    fn feed(&mut self, event: &Event<'_>, _: &mut Vec<Share>) {
        if let Some(t) = event.t {
            self.count_held(t);
        }
        let turn = self.turn_of(event);
        match (event.what, event.left_out) {
            _ if self.ties.hold(event, turn) => {}
            // What a copy tells of a message is compared with the rest, if its request names it: the
            // session, which may be another, does not.
            (What::Message(message), why)
                if why.is_none() || (why == Some(LeftOut::Copy) && message.request.is_some()) =>
            {
                let counted = message.usage.is_none() || self.request_row(event, turn);
                if !counted {
                    self.dropped(event, requests::LONG_AGO);
                }
            }
            (_, Some(why)) => self.left_out(event, why),
            (What::TokenCount(count), _) => self.count_row(event, count, turn),
            (What::Response(_), _) if event.head.provider == Some(Provider::Claude) => {
                self.request_row(event, turn);
            }
            (What::Response(response), _) if response.phase == ResponsePhase::Ended => {
                self.response_row(event, response, turn);
            }
            // It may name the model.
            (What::Session(_), _) => drop(self.processes.of(event.head)),
            _ => {}
        }
    }

    fn advance(&mut self, t: i64, _: &mut Vec<Share>) {
        self.count_held(t);
        if let Some(book) = &mut self.book {
            book.advance(t, &mut self.news);
            self.hear();
        }
    }

    fn waits(&self) -> bool {
        false
    }

    /// What it all comes to by now: the shares are another way to cut the same sums next time.
    fn open_records(&self, out: &mut Vec<Share>) {
        self.clone().finish(out);
    }

    fn finish(&mut self, out: &mut Vec<Share>) {
        self.count_held(i64::MAX);
        if let Some(book) = &mut self.book {
            book.finish(&mut self.news);
            self.hear();
        }
        for request in self.requests.finish() {
            self.settle(request);
        }
        let from = out.len();
        let processes = self.processes.take();
        out.reserve(processes.len());
        for process in processes {
            process.shares(out);
        }
        let by_session = self.options.has(By::Session) || self.options.has(By::Turn);
        for share in &mut out[from..] {
            share.key.session = share.sid.clone().filter(|_| by_session);
            let turn = share.key.turn.take();
            share.key.session_turn = turn.and_then(|turn| self.turns.get(&turn).copied().flatten());
        }
    }
}

/// What stays for ever: the counters and sums of each process, in each group, and with turns the
/// ordinal of each; 16 bytes for each message of a transcript. Sums are of the rows that
/// [`Options::wanted`] and [`Options::offset_at`] told when they came: both have to be the same
/// again, which is for the caller to see to.
impl Resume for TokenUse {
    fn save(&self, out: &mut Vec<u8>) {
        let Options { by, explain, .. } = &self.options;
        state::write(KIND, &(by, explain, self), out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        let (by, explain, kept): (Arc<[By]>, bool, Self) = state::read(KIND, bytes)?;
        if (by, explain) != (Arc::clone(&self.options.by), self.options.explain) {
            return Err(BadState::OtherOptions);
        }
        *self = Self { options: self.options.clone(), ..kept };
        Ok(())
    }
}

/// What its state is called.
const KIND: &str = "tokens";

/// Puts the shares of processes together to groups by some or all of what the fold told them apart
/// by, with what they cost if there are prices. A
/// group in which nothing was counted is one only if limits are asked for and it tells some.
#[allow(clippy::vec_box)] // There may be as many as calls: they are sorted and change hands.
pub fn groups(
    shares: impl IntoIterator<Item = Share>,
    by: &[By],
    prices: Option<&Prices>,
    limits: bool,
) -> Vec<Box<Group>> {
    let shares = shares.into_iter();
    // Sessions mostly have one process.
    let room = if by.contains(&By::Session) { shares.size_hint().0 } else { 0 };
    // In the order in which they came, which is mostly that of time.
    let mut groups: IndexMap<Key, Box<Group>, FixedState> =
        IndexMap::with_capacity_and_hasher(room, FixedState::default());
    for Share { key, model, mut group, .. } in shares {
        let mut key = key.only(by);
        if by.contains(&By::Model) {
            key.model.clone_from(&model);
        }
        group.cost = prices.map(|prices| prices.cost(model.as_deref(), &group.tokens));
        match groups.entry(key) {
            Entry::Vacant(new) => drop(new.insert(group)),
            Entry::Occupied(mut known) => known.get_mut().merge(*group),
        }
    }
    let by: Arc<str> = by.iter().map(|by| by.name()).collect::<Vec<_>>().join(",").into();
    let named = |(key, mut group): (Key, Box<Group>)| {
        (group.by, group.key) = (Arc::clone(&by), key);
        group
    };
    let mut groups: Vec<Box<Group>> = groups.into_iter().map(named).collect();
    groups.retain(|group| group.calls > 0 || (limits && group.limits != [None, None]));
    for group in &mut groups {
        group.settle();
    }
    groups.sort_unstable_by_key(|group| group.first);
    number_calls(&mut groups);
    groups
}

/// Numbers the calls of each session, in order of time.
fn number_calls(groups: &mut [Box<Group>]) {
    let mut calls: HashMap<Option<String>, u64, FixedState> = HashMap::default();
    for group in groups.iter_mut().filter(|group| group.key.call.is_some()) {
        let next = calls.entry(group.head().sid.clone()).or_default();
        *next += 1;
        group.key.call = Some(*next);
    }
}

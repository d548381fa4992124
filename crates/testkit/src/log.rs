//! The log builder: how many sessions of which agent, how many turns, which faults.

use crate::claude::Claude;
use crate::codex::{Codex, Kin};
use crate::fault::Fault;
use crate::layout::{Laid, lay};
use crate::place::Place;
use crate::prng::Prng;
use crate::scribe::Written;
use crate::settings::{Detail, Settings};
use crate::spelling::Spelling;
use crate::truth::{Tables, Truth};
use serde_json::Value;
use std::collections::BTreeSet;
use std::rc::Rc;

/// 2025-11-18T06:00:00.000Z
const START_MS: i64 = 1_763_445_600_000;

/// The logs of both agents as bytes, and their truth.
#[derive(Clone, Debug)]
pub struct Log {
    /// `codex/sse_lines.jsonl`; empty without Codex sessions.
    pub codex: Vec<u8>,
    /// `claude/sse_lines.jsonl`; empty without Claude sessions.
    pub claude: Vec<u8>,
    /// What they say.
    pub truth: Truth,
}

/// Builds a log. The same settings give the same bytes; without faults every row is well formed
/// and in order.
///
/// ```
/// use testkit::{Fault, LogBuilder};
/// let log = LogBuilder::new(7).turns(2).fault(Fault::TornRow).build();
/// assert_eq!(log.truth.all.bad_lines, 2);
/// assert_eq!(log.truth.prompts.len(), 4);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LogBuilder {
    seed: u64,
    codex: usize,
    claude: usize,
    faults: BTreeSet<Fault>,
    settings: Settings,
}

impl LogBuilder {
    /// One session of each agent, three turns each, written 7 hours east of UTC, no faults.
    pub fn new(seed: u64) -> Self {
        let settings = Settings {
            start_ms: START_MS,
            offset_minutes: 420,
            spelling: Spelling::default(),
            detail: Detail::Full,
            giant_bytes: 64 << 10,
            turns: 3,
            prompts: Rc::new([]),
        };
        Self { seed, codex: 1, claude: 1, faults: BTreeSet::new(), settings }
    }

    /// Sessions of Codex (interleaved in time).
    pub fn codex_sessions(self, count: usize) -> Self {
        Self { codex: count, ..self }
    }

    /// Sessions of Claude (interleaved in time).
    pub fn claude_sessions(self, count: usize) -> Self {
        Self { claude: count, ..self }
    }

    /// Ordinary turns a session, at least one; faults add theirs.
    pub fn turns(mut self, turns: usize) -> Self {
        self.settings.turns = turns;
        self
    }

    /// The offset of the writers' clocks, minutes east of UTC.
    pub fn offset_minutes(mut self, minutes: i64) -> Self {
        self.settings.offset_minutes = minutes;
        self
    }

    /// When the first session may start, milliseconds since the epoch.
    pub fn start_ms(mut self, ms: i64) -> Self {
        self.settings.start_ms = ms;
        self
    }

    /// How all rows are written, but for the turns of a spelling's fault. G0 and G1 are Claude's;
    /// a Codex row loses its turn's id in them.
    pub fn spelling(mut self, spelling: Spelling) -> Self {
        self.settings.spelling = spelling;
        self
    }

    /// How much is logged.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.settings.detail = detail;
        self
    }

    /// About the size of the row that `Fault::NestedLog` makes.
    pub fn giant_bytes(mut self, bytes: usize) -> Self {
        self.settings.giant_bytes = bytes;
        self
    }

    /// The texts of each session's prompts, in turn; made up without.
    pub fn prompts(mut self, texts: &[&'static str]) -> Self {
        self.settings.prompts = texts.into();
        self
    }

    /// Switches a fault on.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.insert(fault);
        self
    }

    /// Switches faults on.
    pub fn faults(mut self, faults: &[Fault]) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Writes the log.
    pub fn build(&self) -> Log {
        let mut prng = Prng::new(self.seed);
        let (codex, claude) = (Prng::new(prng.bits()), Prng::new(prng.bits()));
        let (codex_rows, mut tables) = self.codex_rows(codex);
        let (claude_rows, claude_tables) = self.claude_rows(claude);
        tables.extend(claude_tables);
        let faults: Vec<Fault> = self.faults.iter().copied().collect();
        let codex = lay(codex_rows, &faults, prng.bits());
        let claude_faults: Vec<Fault> =
            faults.into_iter().filter(|&fault| fault != Fault::Disorder).collect();
        let claude = lay(claude_rows, &claude_faults, prng.bits());
        let truth = truth(tables, &codex, &claude);
        Log { codex: codex.bytes, claude: claude.bytes, truth }
    }

    /// The faults that show inside a session, those that must come last at the end.
    fn turn_faults(&self, place: Place) -> Vec<Fault> {
        let ending = |fault: &Fault| *fault == Fault::OpenTurn;
        let own = |fault: &&Fault| [place, Place::AnyTurn].contains(&fault.place());
        let mut faults: Vec<Fault> = self.faults.iter().filter(own).copied().collect();
        faults.sort_by_key(ending);
        if self.faults.contains(&Fault::MissingShutdown) {
            faults.push(Fault::MissingShutdown);
        }
        faults
    }

    fn codex_rows(&self, mut prng: Prng) -> (Vec<Vec<Written>>, Vec<Tables>) {
        let mut sessions: Vec<Codex> = Vec::new();
        for i in 0..self.codex {
            let faults = if i == 0 { self.turn_faults(Place::CodexTurn) } else { Vec::new() };
            let own = Prng::new(prng.bits());
            sessions.push(Codex::write(own, &self.session_settings(i), &faults, Kin::default()));
        }
        let kin = sessions.first().map(|first| self.kin(first)).unwrap_or_default();
        for kin in kin {
            let own = Prng::new(prng.bits());
            sessions.push(Codex::write(own, &self.settings, &[], kin));
        }
        sessions.into_iter().map(|session| (session.pen.rows, session.tables)).unzip()
    }

    /// The settings with the given prompts rotated, so that each session has others.
    fn session_settings(&self, session: usize) -> Settings {
        let mut prompts = self.settings.prompts.to_vec();
        let first = session * self.settings.turns.max(1) % prompts.len().max(1);
        prompts.rotate_left(first);
        Settings { prompts: prompts.into(), ..self.settings.clone() }
    }

    /// The sessions that are related to the first one, if their faults are on.
    fn kin(&self, first: &Codex) -> Vec<Kin> {
        let mut kin = Vec::new();
        if self.faults.contains(&Fault::TwoConversations) {
            let (pid, mistaken_for) = (Some(first.first_pid), Some(first.sid.clone()));
            kin.push(Kin { pid, mistaken_for, forked: None });
        }
        if self.faults.contains(&Fault::ForkReusedIds) {
            let call = first.tables.calls.first().and_then(|call| call["call_id"].as_str());
            let forked = call.map(|call| (first.sid.clone(), call.to_owned()));
            kin.push(Kin { forked, ..Kin::default() });
        }
        kin
    }

    fn claude_rows(&self, mut prng: Prng) -> (Vec<Vec<Written>>, Vec<Tables>) {
        let silent = self.faults.contains(&Fault::NoResults) && self.claude > 0;
        let faults = (0..self.claude).map(|i| match i {
            0 => self.turn_faults(Place::ClaudeTurn),
            _ => Vec::new(),
        });
        let sessions = faults.chain(silent.then(|| vec![Fault::NoResults]));
        sessions
            .enumerate()
            .map(|(i, faults)| (self.session_settings(self.codex + i), faults))
            .map(|(settings, faults)| Claude::write(Prng::new(prng.bits()), &settings, &faults))
            .map(|session| (session.pen.rows, session.tables))
            .unzip()
    }
}

fn truth(tables: Vec<Tables>, codex: &Laid, claude: &Laid) -> Truth {
    let mut truth = Truth { codex: codex.counts, claude: claude.counts, ..Truth::default() };
    truth.all = codex.counts;
    truth.all += claude.counts;
    truth.prompts = [&codex.prompts[..], &claude.prompts].concat();
    truth.events = [&codex.events[..], &claude.events].concat();
    for table in tables {
        truth.turns.extend(table.turns);
        truth.deltas.extend(table.deltas);
        truth.tokens.extend(table.tokens);
        truth.calls.extend(table.calls);
    }
    let Truth { prompts, events, turns, deltas, calls, .. } = &mut truth;
    for rows in [prompts, events, turns, deltas, calls] {
        rows.sort_by_cached_key(|row: &Value| row["t"].as_str().unwrap_or_default().to_owned());
    }
    truth
}

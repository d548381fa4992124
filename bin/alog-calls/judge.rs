//! Which calls are printed, and whether one of them is reason to fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentlog::fold::calls::{self, Call, RULES, Severity};
use agentlog::record::SrcPath;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use cli::{Records, Run, Sink};

/// How bad a broken rule has to be.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors
    Error,
    /// Warnings too
    Warn,
}

/// A state, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State(calls::State);

impl ValueEnum for State {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [State; 7] = {
            let [a, b, c, d, e, f, g] = calls::State::ALL;
            [State(a), State(b), State(c), State(d), State(e), State(f), State(g)]
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// A rule, by the place of its code in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(usize);

impl ValueEnum for Code {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Code; RULES.len()] = {
            let mut all = [Code(0); RULES.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = Code(at);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(RULES[self.0].code))
    }
}

/// Which calls are printed.
pub struct Wanted {
    states: Vec<calls::State>,
    codes: Vec<&'static str>,
    /// Only those that broke a rule.
    broken: bool,
}

impl Wanted {
    /// Understands the flags.
    pub fn new(states: &[State], codes: &[Code], broken: bool) -> Self {
        let codes: Vec<_> = codes.iter().map(|code| RULES[code.0].code).collect();
        let broken = broken || !codes.is_empty();
        Self { states: states.iter().map(|state| state.0).collect(), codes, broken }
    }

    /// The worst of the rules asked for that the call broke.
    fn worst(&self, call: &Call) -> Option<Severity> {
        let chosen = |code: &&str| self.codes.is_empty() || self.codes.contains(code);
        let broken = call.violations.iter().map(|broken| broken.rule);
        broken.filter(|rule| chosen(&rule.code)).map(|rule| rule.severity).max()
    }

    fn state(&self, call: &Call) -> bool {
        self.states.is_empty() || self.states.contains(&call.state)
    }
}

/// Remembers whether a call was bad enough to fail.
#[derive(Clone)]
pub struct Judge {
    least: Severity,
    found: Arc<AtomicBool>,
}

impl Judge {
    /// Nothing was found yet.
    pub fn new(fail_on: FailOn) -> Self {
        let least = match fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warn => Severity::Warn,
        };
        Self { least, found: Arc::default() }
    }

    /// Whether there was such a call among those selected, whether or not `-n` lets it be printed.
    pub fn found(&self) -> bool {
        self.found.load(Ordering::Relaxed)
    }

    /// The test of which calls are wanted, heard by the judge.
    pub fn heard(&self, wanted: Wanted) -> impl FnMut(&Call) -> bool + Send + use<> {
        let judge = self.clone();
        move |call| {
            let worst = wanted.worst(call);
            let prints = wanted.state(call) && (worst.is_some() || !wanted.broken);
            if prints && worst.is_some_and(|severity| severity >= judge.least) {
                judge.found.store(true, Ordering::Relaxed);
            }
            prints
        }
    }

    /// The records, whose judge forgets what they forget.
    pub fn over(&self, records: Records<Call>) -> Judged {
        Judged { judge: self.clone(), records }
    }
}

/// Records under a judge.
pub struct Judged {
    judge: Judge,
    records: Records<Call>,
}

impl Judged {
    /// Prints what was kept.
    pub fn finish(self, run: &mut Run) -> anyhow::Result<()> {
        self.records.finish(run)
    }
}

impl Sink<Call> for Judged {
    fn take(&mut self, records: &mut Vec<Call>) -> anyhow::Result<()> {
        self.records.take(records)
    }

    fn restart(&mut self) {
        self.judge.found.store(false, Ordering::Relaxed);
        self.records.restart();
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.records.flush()
    }

    fn log_came(&mut self, path: &SrcPath) {
        self.records.log_came(path);
    }

    fn caught_up(&mut self) -> anyhow::Result<()> {
        self.records.caught_up()
    }

    fn wants_open(&self) -> Option<Duration> {
        self.records.wants_open()
    }

    fn take_open(&mut self, records: &mut Vec<Call>) -> anyhow::Result<()> {
        self.records.take_open(records)
    }

    fn has_enough(&self) -> bool {
        self.records.has_enough()
    }
}

/// A duration in milliseconds.
pub fn parse_ms(text: &str) -> Result<i64, String> {
    Ok(cli::parse_duration(text)?.as_millis() as i64)
}

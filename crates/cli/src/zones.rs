//! From a row's clock to UTC: the one place that knows the zone that was asked for, the offsets
//! that the log itself tells, and the zone of this machine.

use std::collections::HashMap;

use agentlog::zone::{Clock, Evidence, Offsets, ZoneKey};
use foldhash::fast::FixedState;
use jiff::tz::TimeZone;

use crate::when::{self, WhenError};

/// How wall clock times are understood.
#[derive(Clone, Debug)]
pub struct Zones {
    /// The zone that the user states; it overrides what the log tells.
    stated: Option<TimeZone>,
    offsets: Offsets,
    /// Whether all that the input tells was learnt.
    learnt: bool,
    local: TimeZone,
}

impl Zones {
    /// Reads `--tz`.
    pub fn new(tz: &str) -> Result<Self, WhenError> {
        let stated = if tz == "auto" { None } else { Some(when::zone("--tz", tz)?) };
        let local = TimeZone::system();
        Ok(Self { stated, offsets: Offsets::default(), learnt: false, local })
    }

    /// Takes evidence of all rows of the input.
    pub fn learn(&mut self, evidence: impl IntoIterator<Item = Evidence>) {
        evidence.into_iter().for_each(|e| self.offsets.add(e));
        self.learnt = true;
    }

    /// Whether every clock of the input can be told.
    pub fn are_known(&self) -> bool {
        self.learnt || self.stated.is_some()
    }

    /// The offset that the log tells for a session and process, in milliseconds.
    pub fn offset(&self, key: ZoneKey) -> Option<i64> {
        self.offsets.get(key)
    }

    /// Takes some of the evidence of the input.
    pub(crate) fn learn_some(&mut self, evidence: impl IntoIterator<Item = Evidence>) {
        evidence.into_iter().for_each(|e| self.offsets.add(e));
    }

    /// UTC in milliseconds as far as is known by now. What is not known for sure is noted in
    /// `guesses`: see [`Zones::settle`].
    pub(crate) fn utc_by_now(&self, clock: Clock, guesses: &mut Guesses) -> Option<i64> {
        let Clock::Local(local, key) = clock else { return self.utc(clock) };
        if self.are_known() {
            return self.utc(clock);
        }
        let offset = guesses.offset(key, |last| self.offsets.get(key).or(last));
        Some(offset.map_or_else(|| when::local_to_utc(local, &self.local), |ms| local - ms))
    }

    /// All evidence of the input was learnt; returns whether all guesses were right.
    pub(crate) fn settle(&mut self, guesses: &Guesses) -> bool {
        self.learnt = true;
        guesses.used.iter().all(|(key, offset)| self.offsets.get(*key) == *offset)
    }

    /// Takes evidence of a stream, where the first holds.
    pub fn learn_first(&mut self, evidence: impl IntoIterator<Item = Evidence>) {
        evidence.into_iter().for_each(|e| self.offsets.add_first(e));
    }

    /// Whether nothing more is to be learnt for the clock.
    pub fn knows(&self, clock: Clock) -> bool {
        match clock {
            Clock::Local(_, key) => self.stated.is_some() || self.offsets.get(key).is_some(),
            _ => true,
        }
    }

    /// UTC in milliseconds of rows that are fed before all of the log is there. `before` is the offset
    /// of the row before in its file: it is taken for one whose writer told none, else the zone of
    /// this machine.
    pub(crate) fn utc_behind(&self, clock: Clock, before: &mut Option<i64>) -> Option<i64> {
        let offset = match clock {
            Clock::Local(_, key) => self.offsets.get(key).or(*before),
            Clock::Stamped { local, utc } => Some(local - utc),
            Clock::Utc(_) | Clock::Missing => *before,
        };
        *before = offset;
        match (clock, offset) {
            (Clock::Local(local, _), Some(offset)) if self.stated.is_none() => Some(local - offset),
            _ => self.utc(clock),
        }
    }

    /// What the log told of offsets so far.
    pub(crate) fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Takes up what the log told before.
    pub(crate) fn take_up(&mut self, offsets: Offsets) {
        self.offsets = offsets;
    }

    /// UTC in milliseconds; none if the row has no time.
    pub fn utc(&self, clock: Clock) -> Option<i64> {
        match (clock, &self.stated) {
            (Clock::Missing, _) => None,
            (Clock::Utc(ms), _) | (Clock::Stamped { utc: ms, .. }, None) => Some(ms),
            (Clock::Local(local, _) | Clock::Stamped { local, .. }, Some(zone)) => {
                Some(when::local_to_utc(local, zone))
            }
            (Clock::Local(local, key), None) => Some(self.by_evidence(local, key)),
        }
    }

    fn by_evidence(&self, local: i64, key: ZoneKey) -> i64 {
        match self.offsets.get(key) {
            Some(offset) => local - offset,
            None => when::local_to_utc(local, &self.local),
        }
    }
}

/// Offsets that were used before all was known; none stands for the zone of this machine.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    used: HashMap<ZoneKey, Option<i64>, FixedState>,
    /// The last one looked up: rows of one writer follow each other.
    last: Option<(ZoneKey, Option<i64>)>,
}

impl Guesses {
    fn offset(&mut self, key: ZoneKey, first: impl Fn(Option<i64>) -> Option<i64>) -> Option<i64> {
        if let Some((last, offset)) = self.last
            && last == key
        {
            return offset;
        }
        let before = self.last.and_then(|(_, offset)| offset);
        let offset = *self.used.entry(key).or_insert_with(|| first(before));
        self.last = Some((key, offset));
        offset
    }
}

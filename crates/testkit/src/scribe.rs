//! One session's pen: a clock that only moves forward, a counter a flow, and the rows written so
//! far, each with the place in the file that it asks for.

use crate::calendar::{stamp, utc_stamp};
use crate::fault::Fault;
use crate::prng::Prng;
use crate::row::{Provider, Row};
use crate::settings::Settings;
use crate::spelling::{Escape, Generation, LineForm, MetadataForm, PidForm, Spelling};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a prompt's row stands for.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) session_turn: Option<u64>,
}

/// A row with its true time and its place.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Microseconds: rows of a file are written in this order.
    pub(crate) place_us: i64,
    /// True time, milliseconds since the epoch.
    pub(crate) ms: i64,
    pub(crate) row: Row,
    pub(crate) said: Option<Said>,
}

#[derive(Debug)]
pub(crate) struct Scribe {
    pub(crate) prng: Prng,
    pub(crate) ms: i64,
    pub(crate) settings: Settings,
    /// The fault of the turn that is being written.
    pub(crate) fault: Option<Fault>,
    /// Set once the fault of a turn's calls or deltas has been made.
    spent: bool,
    pub(crate) rows: Vec<Written>,
    counters: BTreeMap<String, u64>,
}

impl Scribe {
    pub(crate) fn new(prng: Prng, start_ms: i64, settings: Settings) -> Self {
        Self {
            prng,
            ms: start_ms,
            settings,
            fault: None,
            spent: false,
            rows: Vec::new(),
            counters: BTreeMap::new(),
        }
    }

    /// The turn that follows has this fault.
    pub(crate) fn begin(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.spent = false;
    }

    pub(crate) fn on(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether the turn has that fault and this is the first chance for it.
    pub(crate) fn once(&mut self, fault: Fault) -> bool {
        let now = self.on(fault) && !self.spent;
        self.spent |= now;
        now
    }

    /// Moves the clock.
    pub(crate) fn tick(&mut self, low: u64, high: u64) {
        self.ms += self.prng.range(low, high) as i64;
    }

    pub(crate) fn put(&mut self, row: Row) {
        self.put_as(row, 0, None);
    }

    /// Writes the row at the clock's time, `late_us` after its place in the file.
    pub(crate) fn put_as(&mut self, mut row: Row, late_us: i64, said: Option<Said>) {
        row.spelling = self.spelling();
        let step = if row.spelling.generation == Generation::G0 { 2 } else { 1 };
        let count = self.counters.entry(row.flow_id.clone()).or_insert(0);
        row.data_count = Some(*count);
        *count += step;
        row.t = Some(stamp(self.ms + self.settings.offset_minutes * 60_000));
        if row.provider == Provider::Claude && !self.on(Fault::ShortInner) {
            row.utc = Some(utc_stamp(self.ms));
        } else {
            row.utc = None;
        }
        row.released = Some(self.ms * 1_000_000 + 417_000);
        if self.on(Fault::ExtraKeys) {
            row = row.extra("host", json!("build-7")).extra("status", json!({"seen": [1, null]}));
            row = row.metadata("os", json!("linux"));
        }
        if self.on(Fault::NoTime) && said.is_some() {
            row.t = None;
        }
        self.rows.push(Written { place_us: self.ms * 1000 + late_us, ms: self.ms, row, said });
    }

    /// True time of now, as records print it.
    pub(crate) fn now(&self) -> Value {
        json!(utc_stamp(self.ms))
    }

    fn spelling(&mut self) -> Spelling {
        let base = self.settings.spelling;
        let of = |generation| Spelling { generation, ..base };
        match self.fault {
            Some(Fault::EnvelopeG0) => of(Generation::G0),
            Some(Fault::EnvelopeG1) => of(Generation::G1),
            Some(Fault::EnvelopeG2) => of(Generation::G2),
            Some(Fault::EnvelopeG3Prime) => of(Generation::G3Prime),
            Some(Fault::EnvelopeG4) => of(Generation::G4),
            Some(Fault::ShuffledKeys) => Spelling { shuffle: Some(self.prng.bits()), ..base },
            Some(Fault::SpacedJson) => Spelling { spaced: true, ..base },
            Some(Fault::EscapedOuter) => Spelling { escape: Escape::Outer, ..base },
            Some(Fault::EscapedInner) => Spelling { escape: Escape::Inner, ..base },
            Some(Fault::EscapedLetters) => Spelling { escape: Escape::Letters, ..base },
            Some(Fault::MetadataObject) => Spelling { metadata: MetadataForm::Object, ..base },
            Some(Fault::PidText) => Spelling { pid: PidForm::Text, ..base },
            Some(Fault::DataNoSpace) => Spelling { line: LineForm::DataNoSpace, ..base },
            Some(Fault::LineObject) => Spelling { line: LineForm::Object, ..base },
            _ => base,
        }
    }
}

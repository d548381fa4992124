//! Rows and notes while the story is told; files and truth when it is over.

use crate::calendar::utc_stamp;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// 2026-03-02T08:00:00.000Z: all times of the story are milliseconds after it.
pub(super) const BASE_MS: i64 = 1_772_438_400_000;

/// A time of the story as records print it.
pub(super) fn utc(ms: i64) -> String {
    utc_stamp(BASE_MS + ms)
}

/// A row that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(usize);

/// Whose rows they are.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    pub provider: &'static str,
    pub sid: String,
    pub pid: Option<u64>,
}

/// A row on its way into a file.
pub(super) struct Put {
    pub path: String,
    pub ms: i64,
    /// With its line end.
    pub bytes: Vec<u8>,
    pub event: String,
    pub whose: Whose,
    pub round: Option<String>,
    /// The keys of its envelope, if it has one.
    pub keys: Option<&'static str>,
    /// Whether it is a row of a log: requests are none.
    pub logged: bool,
}

struct Note {
    mode: &'static str,
    row: Id,
    record: Value,
}

/// Takes rows and notes.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) rows: Vec<Put>,
    notes: Vec<Note>,
    pub(super) calls: Vec<super::sums::Used>,
    pub(super) spent: Vec<super::sums::Spent>,
    pub(super) sessions: Vec<(Whose, Value)>,
    pub(super) rounds: Vec<(Whose, String, Value)>,
}

/// All files, and what each mode must tell.
pub(super) struct Done {
    pub files: BTreeMap<String, Vec<u8>>,
    pub notes: BTreeMap<&'static str, Vec<Value>>,
}

impl Stage {
    pub(super) fn put(&mut self, put: Put) -> Id {
        self.rows.push(put);
        Id(self.rows.len() - 1)
    }

    /// Notes a record of a mode that starts from a row. The record has the row's `t`, `provider`,
    /// `sid` and `src`, unless it says otherwise; `unsure` lists keys that are not sure.
    pub(super) fn tell(&mut self, mode: &'static str, row: Id, record: Value) {
        self.notes.push(Note { mode, row, record });
    }

    /// Notes how a process did in a session: the rest of it is counted at the end.
    pub(super) fn session(&mut self, whose: &Whose, record: Value) {
        self.sessions.push((whose.clone(), record));
    }

    /// Notes what a round holds: its rows are counted at the end.
    pub(super) fn round(&mut self, whose: &Whose, round: &str, record: Value) {
        self.rounds.push((whose.clone(), round.to_owned(), record));
    }

    /// Notes what a call to a model used up: fresh input, cache writes, cache reads, output.
    pub(super) fn spend(
        &mut self,
        row: Id,
        model: Option<&'static str>,
        turn: u64,
        parts: [u64; 4],
    ) {
        let whose = self.row(row).whose.clone();
        self.spent.push(super::sums::Spent { row, whose, model, turn, parts });
    }

    /// The length of a row, without its line end.
    pub(super) fn len(&self, row: Id) -> usize {
        self.rows[row.0].bytes.trim_ascii_end().len()
    }

    /// Row numbers in order of time, ties as written.
    pub(super) fn in_time(&self) -> Vec<Id> {
        let mut order: Vec<Id> = (0..self.rows.len()).map(Id).collect();
        order.sort_by_key(|row| (self.rows[row.0].ms, self.rows[row.0].path.clone(), *row));
        order
    }

    pub(super) fn row(&self, row: Id) -> &Put {
        &self.rows[row.0]
    }

    /// Lays the rows into files and puts all notes in order.
    pub(super) fn finish(mut self, dir: &Path) -> Done {
        super::sums::tell(&mut self);
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut lines: BTreeMap<Id, u64> = BTreeMap::new();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for id in self.in_time() {
            let row = self.row(id);
            let line = counts.entry(&row.path).or_default();
            *line += 1;
            lines.insert(id, *line);
            files.entry(row.path.clone()).or_default().extend_from_slice(&row.bytes);
        }
        let mut told: Vec<_> =
            self.notes.iter().map(|note| self.whole(note, dir, &lines)).collect();
        told.sort_by(|a, b| (&a.1, &a.2).cmp(&(&b.1, &b.2)));
        let mut notes: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
        for (mode, _, _, record) in told {
            notes.entry(mode).or_default().push(record);
        }
        Done { files, notes }
    }

    /// The mode, the time, the place and the record of a note.
    fn whole(
        &self,
        note: &Note,
        dir: &Path,
        lines: &BTreeMap<Id, u64>,
    ) -> (&'static str, String, (String, u64), Value) {
        let row = self.row(note.row);
        let line = lines.get(&note.row).copied().unwrap_or_default();
        let mut record = Map::new();
        record.insert("t".into(), utc(row.ms).into());
        record.insert("provider".into(), row.whose.provider.into());
        record.insert("sid".into(), row.whose.sid.as_str().into());
        let path = dir.join(&row.path).display().to_string();
        record.insert("src".into(), serde_json::json!({"path": path, "line": line}));
        let mut own = note.record.as_object().cloned().unwrap_or_default();
        let unsure = own.remove("unsure").unwrap_or_default();
        record.extend(own);
        let t = record.get("t").and_then(Value::as_str).unwrap_or_default().to_owned();
        for key in unsure.as_array().into_iter().flatten().filter_map(Value::as_str) {
            record.remove(key);
        }
        (note.mode, t, (row.path.clone(), line), Value::Object(record))
    }
}

/// Sizes that are told of many rows.
pub(super) fn percentile(sizes: &[usize], percent: usize) -> usize {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable_by_key(|size| Reverse(*size));
    // As many rows as that many hundredths are not larger: the nearest rank.
    let above = sizes.len() * (100 - percent) / 100;
    sizes.get(above).or(sizes.last()).copied().unwrap_or_default()
}

/// How many different ones there are.
pub(super) fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> usize {
    items.into_iter().collect::<BTreeSet<T>>().len()
}

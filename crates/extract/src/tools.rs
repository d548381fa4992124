//! What several modes need: names for texts, tallies, percentiles, records of other commands.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::Hash;
use std::sync::Arc;

use agentlog::event::{Event, Head, Src};
use agentlog::json;
use agentlog::record::{RecordKind, SrcPath};
use foldhash::fast::FixedState;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Info, Record, value_of};

/// SHA-256 of a text, in hex.
pub(crate) fn sha256(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The value below which `percent` of the sorted values lie, by the nearest rank; none of none.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Things that are told again and again, in the order in which they were told first.
pub(crate) struct Tallies<K, T> {
    list: Vec<Tally<T>>,
    known: HashMap<K, usize, FixedState>,
}

/// A thing that is told again and again.
pub(crate) struct Tally<T> {
    /// What it is.
    pub what: T,
    /// How often it was told.
    pub uses: u64,
    /// When it was told last, in milliseconds since the epoch.
    pub t_last: Option<i64>,
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
}

impl<K, T> Default for Tallies<K, T> {
    fn default() -> Self {
        Self { list: Vec::new(), known: HashMap::default() }
    }
}

impl<K: Hash + Eq, T> Tallies<K, T> {
    /// The thing of that name, which is told in the row of an event; `make` makes it if it is new.
    pub fn told(&mut self, key: K, event: &Event<'_>, make: impl FnOnce() -> T) -> &mut Tally<T> {
        let next = self.list.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            let (t, src, head) = (event.t, event.src, Arc::clone(event.head));
            self.list.push(Tally { what: make(), uses: 0, t_last: None, t, src, head });
        }
        let tally = &mut self.list[at];
        tally.uses += 1;
        tally.t_last = tally.t_last.max(event.t);
        tally
    }

    /// All of them, as records that start from the rows that told them first.
    pub fn records(
        &mut self,
        info: &'static Info,
        mut values: impl FnMut(&Tally<T>) -> Vec<Value>,
        out: &mut Vec<Record>,
    ) {
        self.known.clear();
        for tally in self.list.drain(..) {
            let values = values(&tally);
            let Tally { t, src, head, .. } = tally;
            out.push(Record { info, t, src, head, values });
        }
    }
}

/// The own values of a record of another command. `write` appends the whole record, whose `src`
/// has to be in file 0.
pub(crate) fn values_of_record(
    kind: &RecordKind,
    write: impl FnOnce(&[SrcPath], &mut Vec<u8>),
) -> Vec<Value> {
    let mut text = Vec::new();
    write(&[SrcPath::new("".as_ref())], &mut text);
    let text = String::from_utf8_lossy(&text);
    let mut values = vec![Value::Null; kind.own.len()];
    // The keys come in the order of the table.
    let mut fields = kind.own.iter().zip(&mut values).peekable();
    let read = json::fields(&text, |key, value| {
        if let Some((_, own)) = fields.next_if(|(field, _)| field.name == key) {
            *own = value_of(value);
        }
    });
    debug_assert!(read.is_ok(), "a record of ours is JSON");
    values
}

/// A value that may be missing.
pub(crate) fn or_null<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::Null, Into::into)
}

/// A text inside a value, by the keys that lead to it.
pub(crate) fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

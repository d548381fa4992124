//! The fold of `alog-calls`, as modes feed it: they see every row of the log, the fold reads only
//! those that tell of turns and calls.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use agentlog::event::{Event, Head, ItemKind, Src, StreamKind, What};
use agentlog::fold::Fold;
use agentlog::fold::calls::{Call, Calls, Options};
use foldhash::quality::FixedState;
use serde_json::Value;

use crate::{Info, Record};

/// Tells what became of calls.
pub(super) struct CallFold {
    calls: Calls,
    /// The latest time that the fold has heard of.
    now: i64,
}

impl Default for CallFold {
    fn default() -> Self {
        Self { calls: Calls::new(Options::default()), now: i64::MIN }
    }
}

impl CallFold {
    /// Takes a row. Calls that are final by its time are appended to `out`.
    pub fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Call>) {
        if is_read(event.what) {
            self.now = self.now.max(event.t.unwrap_or(i64::MIN));
            self.calls.feed(event, out);
        } else if let Some(t) = event.t {
            self.advance(t, out);
        }
    }

    /// Log time has come to `t`.
    pub fn advance(&mut self, t: i64, out: &mut Vec<Call>) {
        if t > self.now {
            self.now = t;
            self.calls.advance(t, out);
        }
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Call>) {
        self.calls.finish(out);
    }
}

/// Whether `alog-calls` reads such rows.
fn is_read(what: &What) -> bool {
    match what {
        What::Delta(piece) | What::Done(piece) => {
            matches!(piece.kind, StreamKind::Arguments | StreamKind::Input)
        }
        What::Item(item) => item.kind.is_call() || item.kind == ItemKind::Result,
        What::Said(_) | What::Response(_) | What::TokenCount(_) | What::Row | What::Thread(_) => {
            false
        }
        _ => true,
    }
}

/// Names a call among those of all sessions: 64 bits, so that what is remembered of calls that
/// are over stays small.
pub(super) fn call_key(head: &Head, id: &str) -> u64 {
    key(head.sid.as_deref(), b'c', id.as_bytes())
}

/// The key of a call as the fold gives it out: by its id, else by that of its item, else by the
/// row that announced it.
pub(super) fn key_of_call(call: &Call) -> u64 {
    key_of_ids(&call.head, call.call_id.as_deref(), call.item_id.as_deref(), call.src)
}

/// The key of the call that an item announces.
pub(super) fn key_of_ids(
    head: &Head,
    call_id: Option<&str>,
    item_id: Option<&str>,
    src: Src,
) -> u64 {
    let is_some = |id: &&str| !id.is_empty();
    match (call_id.filter(is_some), item_id.filter(is_some)) {
        (Some(id), _) => call_key(head, id),
        (None, Some(id)) => key(head.sid.as_deref(), b'i', id.as_bytes()),
        (None, None) => {
            let place = [u64::from(src.file).to_le_bytes(), src.offset.to_le_bytes()].concat();
            key(head.sid.as_deref(), b'r', &place)
        }
    }
}

/// A hash of a session and of something in it.
pub(super) fn key(sid: Option<&str>, what: u8, name: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(sid.unwrap_or_default().as_bytes());
    hasher.write_u8(what);
    hasher.write(name);
    hasher.finish()
}

/// What a record starts from.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub t: Option<i64>,
    pub src: Src,
    pub head: Arc<Head>,
}

impl Start {
    pub fn of(event: &Event<'_>) -> Self {
        Self { t: event.t, src: event.src, head: Arc::clone(event.head) }
    }

    pub fn of_call(call: &Call) -> Self {
        Self { t: call.t, src: call.src, head: Arc::clone(&call.head) }
    }

    /// What records that are given out at one moment are ordered by.
    pub fn order(&self) -> (Option<i64>, Src) {
        (self.t, self.src)
    }

    pub fn record(self, info: &'static Info, values: Vec<Value>) -> Record {
        debug_assert_eq!(values.len(), info.own.len(), "{}", info.name);
        Record { info, t: self.t, src: self.src, head: self.head, values }
    }
}

/// Puts the records from `from` on in order of time.
pub(super) fn sort_from(from: usize, out: &mut [Record]) {
    if let Some(new) = out.get_mut(from..) {
        new.sort_by_key(|record| (record.t, record.src));
    }
}

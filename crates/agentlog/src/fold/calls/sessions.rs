//! Which calls are open in which session, and by which names rows find them.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::args::Args;
use super::life::{Mark, Past};
use crate::event::{Event, Head, Span, Stream};

/// The place of an open call.
pub(super) type Slot = u32;

/// What rows of a session are matched by. Names are hashes of ids: 64 bits, so that what is
/// remembered of calls that are over stays small.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Session {
    /// Open calls by name.
    #[serde(serialize_with = "crate::state::sorted_map")]
    pub calls: HashMap<u64, Slot, FixedState>,
    /// Streams of arguments by name.
    #[serde(serialize_with = "crate::state::sorted_map")]
    pub streams: HashMap<u64, StreamOf, FixedState>,
    /// Open calls without an id of their own, oldest first.
    pub nameless: Vec<Slot>,
    /// Calls that were given out, and their streams, by name.
    #[serde(serialize_with = "crate::state::sorted_map")]
    pub past: HashMap<u64, Past, FixedState>,
    /// Whether there was a result.
    pub has_results: bool,
    /// Open calls that follow a turn that is final.
    pub astray: Vec<Slot>,
    /// Calls that wait for a first result to come.
    pub unsure: Vec<Slot>,
}

/// Whose arguments are streamed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StreamOf {
    /// Those of an open call.
    Call(Slot),
    /// The call is not known yet: the start row may come later, or be lost.
    Loose(Box<Loose>),
    /// Those of a second item of one call: its first one counts.
    Nobody,
}

/// A stream without a call.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Loose {
    pub args: Args,
    /// When the arguments were complete.
    pub stop: Option<Mark>,
    /// The last row's time.
    pub last_t: i64,
    pub rows: Vec<crate::fold::Used>,
}

/// All sessions.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    all: Vec<Session>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    places: HashMap<Box<str>, u32, FixedState>,
    /// Rows in a row mostly share their head.
    #[serde(skip)]
    last: Option<(Arc<Head>, u32)>,
}

impl Sessions {
    /// The number of a row's session.
    pub fn number(&mut self, head: &Arc<Head>) -> u32 {
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, head)
        {
            return *number;
        }
        let sid = head.sid.as_deref().unwrap_or_default();
        let known = self.places.get(sid).copied();
        let number = known.unwrap_or_else(|| {
            let number = self.all.len() as u32;
            self.places.insert(sid.into(), number);
            self.all.push(Session::default());
            number
        });
        self.last = Some((Arc::clone(head), number));
        number
    }

    /// Whether a session has a result.
    pub fn have_results(&self, number: u32) -> bool {
        self.all.get(number as usize).is_some_and(|session| session.has_results)
    }

    pub fn get(&mut self, number: u32) -> &mut Session {
        &mut self.all[number as usize]
    }
}

/// The name of a call by its id.
pub(super) fn name_of_call(id: &[u8]) -> u64 {
    hash(b'c', id, 0)
}

/// The name of a stream; none of a twin, which carries no arguments.
pub(super) fn name_of_stream(event: &Event<'_>, stream: Stream) -> Option<u64> {
    match stream {
        Stream::Item(id) => Some(item_name(event, id)),
        Stream::Block { request, index } => Some(block_name(event, request, index)),
        Stream::Twin { .. } => None,
    }
}

/// The name of the stream of a Codex item.
pub(super) fn item_name(event: &Event<'_>, id: Span) -> u64 {
    hash(b'i', event.bytes(id), 0)
}

/// The name of the stream of a Claude block.
pub(super) fn block_name(event: &Event<'_>, request: Option<Span>, index: i64) -> u64 {
    hash(b'b', request.map_or(b"", |id| event.bytes(id)), index)
}

fn hash(kind: u8, id: &[u8], index: i64) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write_u8(kind);
    hasher.write(id);
    hasher.write_i64(index);
    hasher.finish()
}

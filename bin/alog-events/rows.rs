//! What `alog-events` keeps of a row: the record but for what is not known yet where rows are
//! decoded, which is its index, its time in UTC, and the number of its line.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use agentlog::capture::Request;
use agentlog::event::Head;
use agentlog::json;
use agentlog::native;
use agentlog::record::{
    event_head_into, event_into, event_tail_into, native_event_head_into, native_event_into,
    native_event_tail_into, request_event_head_into, request_event_into, request_event_tail_into,
};
use agentlog::sse;
use anyhow::Context;
use cli::{Choice, Chosen, Decode, Selection};
use globset::{Glob, GlobSet, GlobSetBuilder};

/// Which events are wanted, by name.
pub struct Names {
    wanted: Option<GlobSet>,
    unwanted: GlobSet,
}

impl Names {
    /// Reads patterns; those that start with `!` exclude. A comma separates patterns.
    pub fn new(patterns: &[String]) -> anyhow::Result<Self> {
        let (mut wanted, mut unwanted) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut any = false;
        for pattern in patterns.iter().flat_map(|list| listed(list)) {
            anyhow::ensure!(!pattern.is_empty(), "-e: an empty pattern matches no event");
            if let Some(pattern) = pattern.strip_prefix('!') {
                unwanted.add(Glob::new(pattern).context("-e")?);
            } else {
                any = true;
                wanted.add(Glob::new(pattern).context("-e")?);
            }
        }
        let wanted = any.then(|| wanted.build()).transpose()?;
        Ok(Self { wanted, unwanted: unwanted.build()? })
    }

    /// Whether some events are not wanted.
    pub fn pick(&self) -> bool {
        self.wanted.is_some() || !self.unwanted.is_empty()
    }

    fn wants(&self, name: &str) -> bool {
        // An empty set of patterns takes its time, too, to say no.
        self.wanted.as_ref().is_none_or(|set| set.is_match(name))
            && (self.unwanted.is_empty() || !self.unwanted.is_match(name))
    }
}

/// The patterns of a list: commas part them, but not those within braces.
fn listed(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    list.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
}

/// Keeps the records of wanted events.
pub struct EventRows<'a> {
    names: &'a Names,
    choice: Choice<'a>,
    /// The source line instead of the record.
    raw: bool,
    room: &'a Room,
}

/// A limit on what is kept of all rows.
pub struct Room {
    left: AtomicUsize,
    over: AtomicBool,
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes), over: AtomicBool::new(false) }
    }

    /// Whether there was not room for all.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        let took = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if !took {
            self.over.store(true, Ordering::Relaxed);
        }
        took
    }
}

/// A record, but for its ends.
#[derive(Default)]
pub struct Body {
    /// In the block's arena: what stands between `t` and `src`, or the source line.
    pub text: Range<usize>,
    /// Session id, if sessions are asked for.
    pub sid: Option<String>,
    /// A payload or source line too large to be copied, and where it belongs in `text`.
    pub large: Option<Box<(usize, Large)>>,
}

/// A payload, or a source line, in the text that it stands in.
pub struct Large {
    text: Vec<u8>,
    range: Range<usize>,
    compact: bool,
}

/// From this size on a payload is not copied.
const LARGE: usize = 1 << 20;

impl Large {
    /// The payload, without white space between its tokens.
    pub fn payload(&mut self) -> &[u8] {
        if !self.compact {
            let len = json::compact_in_place(&mut self.text[self.range.clone()]);
            self.range.end = self.range.start + len;
            self.compact = true;
        }
        &self.text[self.range.clone()]
    }
}

impl Decode for EventRows<'_> {
    type Value = Body;
    type Memory = Vec<u8>;

    fn wants(&self, event: &str) -> bool {
        self.names.wants(event) && (!self.room.is_over() || self.choice.names_sessions())
    }

    fn value(&self, row: &sse::Row<'_>, raw: &[u8], arena: &mut Vec<u8>) -> Option<Body> {
        let Chosen::Yes { sid } = self.choice.row(row) else { return None };
        if !self.room.take(raw.len() + size_of::<Body>()) {
            return None;
        }
        if arena.is_empty() {
            // About as much as its block: growing would copy it over and over.
            arena.reserve(1 << 20);
        }
        let start = arena.len();
        let mut large = None;
        match row.inner.payload {
            _ if self.raw && raw.len() >= LARGE => {
                let text = Large { text: Vec::new(), range: 0..raw.len(), compact: true };
                large = Some(Box::new((start, text)));
            }
            _ if self.raw => arena.extend_from_slice(raw),
            Some(payload) if payload.raw.len() >= LARGE && !row.inner.text.is_empty() => {
                event_head_into(row, arena);
                let from = payload.raw.as_ptr() as usize - row.inner.text.as_ptr() as usize;
                let range = from..from + payload.raw.len();
                let text = Large { text: Vec::new(), range, compact: payload.compact };
                large = Some(Box::new((arena.len(), text)));
                event_tail_into(row, arena);
            }
            _ => event_into(row, arena),
        }
        Some(Body { text: start..arena.len(), sid, large })
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        thread: Option<&native::Meta>,
        raw: &[u8],
        arena: &mut Vec<u8>,
        each: &mut dyn FnMut(Body),
    ) {
        if !self.wants(&row.name()) {
            return;
        }
        let Chosen::Yes { sid } = self.choice.native(row, thread) else { return };
        if !self.room.take(raw.len() + size_of::<Body>()) {
            return;
        }
        let start = arena.len();
        let mut large = None;
        if self.raw {
            arena.extend_from_slice(raw);
        } else if row.payload.raw.len() >= LARGE {
            native_event_head_into(row, thread, arena);
            let from = row.payload.raw.as_ptr() as usize - raw.as_ptr() as usize;
            let range = from..from + row.payload.raw.len();
            let text = Large { text: raw.to_vec(), range, compact: row.payload.compact };
            large = Some(Box::new((arena.len(), text)));
            native_event_tail_into(arena);
        } else {
            native_event_into(row, thread, arena);
        }
        each(Body { text: start..arena.len(), sid, large });
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(&self, request: &Request<'_>, raw: &[u8], arena: &mut Vec<u8>) -> Option<Body> {
        if !self.wants(request.kind().event()) {
            return None;
        }
        let Chosen::Yes { sid } = self.choice.request(request) else { return None };
        if !self.room.take(raw.len() + size_of::<Body>()) {
            return None;
        }
        let start = arena.len();
        let mut large = None;
        // About as much as the record: growing would copy it over and over.
        arena.reserve(raw.len().min(LARGE));
        match request.body() {
            _ if self.raw => arena.extend_from_slice(raw),
            Some(body) if body.value().raw.len() >= LARGE => {
                request_event_head_into(request, arena);
                let ((text, range), compact) = (body.text(), body.value().compact);
                let text = Large { text: text.as_bytes().to_vec(), range, compact };
                large = Some(Box::new((arena.len(), text)));
                request_event_tail_into(request, arena);
            }
            _ => request_event_into(request, arena),
        }
        Some(Body { text: start..arena.len(), sid, large })
    }

    fn adopt(&self, body: &mut Body, text: &mut Vec<u8>, raw: &[u8]) {
        let Some(large) = &mut body.large else { return };
        let large = &mut large.1;
        large.text = std::mem::take(text);
        if self.raw {
            large.text = Vec::new();
            large.text = raw.to_vec();
        }
    }
}

impl<'a> EventRows<'a> {
    /// Keeps the wanted rows as long as there is room.
    pub fn new(names: &'a Names, selection: &'a Selection, raw: bool, room: &'a Room) -> Self {
        Self { names, choice: Choice::new(selection), raw, room }
    }

    /// Whether source lines are asked for.
    pub fn is_raw(&self) -> bool {
        self.raw
    }

    /// Whose a row is, if it is selected; all are nobody's if nobody is asked for.
    pub fn selected_head(&self, head: impl FnOnce() -> Head) -> Option<Arc<Head>> {
        if !self.choice.is_choosy() {
            return Some(Arc::default());
        }
        let head = head();
        self.choice.head(&head).then(|| Arc::new(head))
    }

    /// The sessions met so far, if sessions are asked for.
    pub fn met(&self) -> BTreeSet<String> {
        self.choice.met()
    }
}

/// Keeps nothing but the times of wanted events.
pub struct EventTimes<'a>(pub &'a EventRows<'a>);

impl Decode for EventTimes<'_> {
    type Value = ();
    type Memory = Vec<u8>;

    fn wants(&self, event: &str) -> bool {
        self.0.names.wants(event)
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], _: &mut Vec<u8>) -> Option<()> {
        matches!(self.0.choice.row(row), Chosen::Yes { .. }).then_some(())
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        thread: Option<&native::Meta>,
        _: &[u8],
        _: &mut Vec<u8>,
        each: &mut dyn FnMut(()),
    ) {
        let wanted = || matches!(self.0.choice.native(row, thread), Chosen::Yes { .. });
        if self.0.names.wants(&row.name()) && wanted() {
            each(());
        }
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(&self, request: &Request<'_>, _: &[u8], _: &mut Vec<u8>) -> Option<()> {
        let wanted = self.0.names.wants(request.kind().event());
        (wanted && matches!(self.0.choice.request(request), Chosen::Yes { .. })).then_some(())
    }

    fn timed(&self) -> Option<()> {
        (!self.0.choice.is_choosy()).then_some(())
    }
}

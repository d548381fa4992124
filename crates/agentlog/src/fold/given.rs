//! Events for the tests of folds: each owns what an event borrows.

use std::sync::Arc;

use crate::event::{Event, Head, LeftOut, Provider, Span, Src, What};

/// An event that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub t: Option<i64>,
    pub src: Src,
    pub head: Arc<Head>,
    pub what: What,
    pub arena: Vec<u8>,
    pub left_out: Option<LeftOut>,
}

impl Given {
    /// An event of Codex session `s`, process 1, at so many milliseconds; its row stands at a
    /// place that follows from its time. `what` keeps its texts with [`put`].
    pub fn codex(t: i64, what: impl FnOnce(&mut Vec<u8>) -> What) -> Self {
        Self::of(Provider::Codex, t, what)
    }

    /// The same of Claude.
    pub fn claude(t: i64, what: impl FnOnce(&mut Vec<u8>) -> What) -> Self {
        Self::of(Provider::Claude, t, what)
    }

    fn of(provider: Provider, t: i64, what: impl FnOnce(&mut Vec<u8>) -> What) -> Self {
        let (provider, sid) = (Some(provider), Some("s".into()));
        let head = Arc::new(Head { provider, sid, pid: Some(1), ..Head::default() });
        let mut arena = Vec::new();
        let what = what(&mut arena);
        let src = Src { offset: t as u64, ..Src::default() };
        Self { t: Some(t), src, head, what, arena, left_out: None }
    }

    /// The same with its head changed.
    pub fn with(mut self, change: impl FnOnce(&mut Head)) -> Self {
        change(Arc::make_mut(&mut self.head));
        self
    }

    /// In the turn of that id.
    pub fn in_turn(self, turn: &str) -> Self {
        self.with(|head| head.turn_id = Some(turn.into()))
    }

    pub fn event(&self) -> Event<'_> {
        Event {
            t: self.t,
            src: self.src,
            head: &self.head,
            what: &self.what,
            arena: &self.arena,
            left_out: self.left_out,
            extra: None,
        }
    }
}

/// Keeps a text.
pub(crate) fn put(text: &str, arena: &mut Vec<u8>) -> Span {
    let start = arena.len();
    arena.extend_from_slice(text.as_bytes());
    Span::since(start, arena)
}

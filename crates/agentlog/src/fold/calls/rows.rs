//! From rows to calls: which call each row is about, and what it says of it.

use std::cmp::Reverse;

use super::life::{Life, Mark, Step};
use super::sessions::{Loose, Slot, StreamOf, block_name, item_name, name_of_call, name_of_stream};
use super::{Calls, Due, LOOSE_MS};
use crate::event::{
    Block, BlockKind, Event, Execution, Item, ItemKind, ItemPhase, Output, Phase, Piece, Session,
    Span, Stream, StreamKind, ToolUse, Turn, What,
};
use crate::fold::Used;
use crate::fold::turn_book::{TurnKey, TurnStatus};

/// A delta that was said before, by its sequence number.
pub(super) const SAID_BEFORE: &str = "delta of the arguments, said before";

impl Calls {
    /// Takes a row.
    pub(super) fn take(&mut self, event: &Event<'_>, turn: Option<TurnKey>) {
        if event.left_out.is_some() {
            return;
        }
        match event.what {
            What::ToolUse(tool) => self.tool_use(event, tool, turn),
            What::Item(item) if item.kind.is_call() => self.item(event, item, turn),
            What::Item(Item { kind: ItemKind::Result, call_id, output, .. }) => {
                self.result(event, *call_id, output.unwrap_or_default(), turn);
            }
            What::Results(results) => {
                for result in results {
                    self.result(event, result.call_id, result.output, turn);
                }
            }
            What::Delta(piece) if is_args(piece) => self.stream(event, piece, false, turn),
            What::Done(piece) if is_args(piece) => self.stream(event, piece, true, turn),
            What::Block(block) => self.block(event, *block, turn),
            What::Execution(run) => self.execution(event, run, turn),
            What::Session(Session::Ended) => self.ended(event, TurnStatus::Shutdown),
            What::Turn(Turn::Aborted) => self.ended(event, TurnStatus::Aborted),
            What::Turn(Turn::Completed { .. } | Turn::Stopped) => {
                self.ended(event, TurnStatus::Completed);
            }
            _ => {}
        }
    }

    /// A turn ended, or what follows one without a prompt.
    fn ended(&mut self, event: &Event<'_>, how: TurnStatus) {
        let session = self.sessions.number(event.head);
        self.end_astray(session, how, event.t, Some(Mark::of(event)));
    }

    /// An item that announces a call.
    fn item(&mut self, event: &Event<'_>, item: &Item, turn: Option<TurnKey>) {
        // Local shells and searches may have no id but that of their item; results name that.
        let plain = matches!(item.kind, ItemKind::LocalShell | ItemKind::WebSearch);
        let id = item.call_id.or(item.item_id.filter(|_| plain));
        let borrowed = id.is_some() && item.call_id.is_none();
        let step = match item.phase {
            ItemPhase::Added => Step::Added,
            ItemPhase::Done => Step::Done,
            ItemPhase::Raw => Step::Raw,
        };
        let slot = match id {
            Some(id) => self.call(event, id, turn),
            None => self.nameless(event, turn, |life| {
                life.item == Some(item.kind) && life.count(step) == 0
            }),
        };
        if borrowed {
            self.is_nameless(slot);
        }
        self.announce(event, slot, step, turn);
        if let Some(id) = item.item_id {
            self.bind(event, item_name(event, id), slot);
        }
        let Some(life) = self.life(slot) else { return };
        life.item = life.item.or(Some(item.kind));
        life.item_id = life.item_id.take().or_else(|| text(event, item.item_id));
        life.name = life.name.take().or_else(|| text(event, item.name));
        if step != Step::Added {
            if let Some(said) = item.text {
                life.args.whole(event.bytes(said), Mark::of(event));
            }
            if step == Step::Done {
                life.stop = life.stop.or(Some(Mark::of(event)));
            }
        }
        self.schedule(slot);
    }

    /// A call of Claude, whole.
    fn tool_use(&mut self, event: &Event<'_>, tool: &ToolUse, turn: Option<TurnKey>) {
        let slot = match tool.call_id.filter(|id| !id.is_empty()) {
            Some(id) => self.call(event, id, turn),
            None => self.nameless(event, turn, |_| false),
        };
        self.announce(event, slot, Step::Raw, turn);
        if let Some(life) = self.life(slot) {
            life.name = life.name.take().or_else(|| text(event, tool.name));
            life.request_id = life.request_id.take().or_else(|| text(event, tool.request));
            life.stop = life.stop.or(Some(Mark::of(event)));
            if let Some(input) = tool.input {
                life.args.whole(event.bytes(input), Mark::of(event));
            }
        }
        self.schedule(slot);
    }

    /// Counts a row that announces a call; that row's turn is the call's.
    fn announce(&mut self, event: &Event<'_>, slot: Slot, step: Step, turn: Option<TurnKey>) {
        let now = self.now;
        let Some(life) = self.life(slot) else { return };
        let first = life.announced.is_none();
        life.step(step, event, now);
        if first && turn.is_some() && life.turn != turn {
            self.join(slot, turn);
        }
    }

    fn result(
        &mut self,
        event: &Event<'_>,
        id: Option<Span>,
        output: Output,
        turn: Option<TurnKey>,
    ) {
        let slot = match id.filter(|id| !id.is_empty()) {
            Some(id) => self.call(event, id, turn),
            None => self.nameless(event, turn, |life| life.result.is_none()),
        };
        let now = self.now;
        let Some(life) = self.life(slot) else { return };
        life.step(Step::Result, event, now);
        match &life.result {
            None => life.result = Some(output),
            Some(first) => {
                let same = (first.hash, first.bytes) == (output.hash, output.bytes);
                life.same_again = life.same_again.or(Some(same));
            }
        }
        let session = life.session;
        self.schedule(slot);
        if !std::mem::replace(&mut self.sessions.get(session).has_results, true) {
            self.wake(session);
        }
    }

    fn execution(&mut self, event: &Event<'_>, run: &Execution, turn: Option<TurnKey>) {
        let begins = run.phase == Phase::Begin;
        let slot = match run.call_id {
            Some(id) => self.call(event, id, turn),
            None => self.nameless(event, turn, |life| match life.ran {
                None => begins && life.item == Some(ItemKind::LocalShell),
                Some(ran) => !begins && ran == run.tool && life.is_running(),
            }),
        };
        let now = self.now;
        let Some(life) = self.life(slot) else { return };
        life.step(if begins { Step::Begin } else { Step::End }, event, now);
        life.ran = Some(run.tool);
        life.by_user |= run.by_user;
        life.name = life.name.take().or_else(|| text(event, run.name));
        if !begins {
            life.end = Some(*run);
        }
        self.schedule(slot);
    }

    fn block(&mut self, event: &Event<'_>, block: Block, turn: Option<TurnKey>) {
        match block {
            Block::Start { request, index, kind: BlockKind::Tool { call_id, name } } => {
                self.forget_unnamed(event, request, index);
                let slot = match call_id.filter(|id| !id.is_empty()) {
                    Some(id) => self.call(event, id, turn),
                    None => self.nameless(event, turn, |_| false),
                };
                self.announce(event, slot, Step::Added, turn);
                if let Some(life) = self.life(slot) {
                    life.name = life.name.take().or_else(|| text(event, name));
                    life.request_id = life.request_id.take().or_else(|| text(event, request));
                }
                self.bind(event, block_name(event, request, index), slot);
                self.schedule(slot);
            }
            Block::Start { request, index, .. } => self.forget_unnamed(event, request, index),
            Block::Stop { request, index } => self.block_stops(event, request, index),
        }
    }

    /// Without a request's id, a block has the name of one of the request before.
    fn forget_unnamed(&mut self, event: &Event<'_>, request: Option<Span>, index: i64) {
        if request.is_none() {
            let number = self.sessions.number(event.head);
            self.sessions.get(number).streams.remove(&block_name(event, None, index));
        }
    }

    fn block_stops(&mut self, event: &Event<'_>, request: Option<Span>, index: i64) {
        let number = self.sessions.number(event.head);
        let streams = &self.sessions.get(number).streams;
        let Some(StreamOf::Call(slot)) = streams.get(&block_name(event, request, index)) else {
            return;
        };
        let (slot, now) = (*slot, self.now);
        if let Some(life) = self.life(slot) {
            life.stop = life.stop.or(Some(Mark::of(event)));
            life.note(event, now, "end of the arguments");
        }
        self.schedule(slot);
    }

    /// A part of the arguments, or the whole of them.
    fn stream(&mut self, event: &Event<'_>, piece: &Piece, whole: bool, turn: Option<TurnKey>) {
        let Some(name) = name_of_stream(event, piece.stream) else { return };
        let number = self.sessions.number(event.head);
        let (now, explain) = (self.now, self.options.explain);
        let session = self.sessions.get(number);
        let slot = match session.streams.get_mut(&name) {
            Some(StreamOf::Nobody) => return,
            Some(StreamOf::Call(slot)) => *slot,
            Some(StreamOf::Loose(loose)) => return loose.take(event, piece, whole, now, explain),
            None if session.past.contains_key(&name) => self.afterwards(event, name, turn),
            None => {
                let mut loose = Box::<Loose>::default();
                loose.take(event, piece, whole, now, explain);
                session.streams.insert(name, StreamOf::Loose(loose));
                let until = now.saturating_add(LOOSE_MS);
                return self.due.push(Reverse((until, Due::Stream(number, name))));
            }
        };
        let Some(life) = self.life(slot) else { return };
        let how = life.args.take(event, piece, whole);
        if whole {
            life.stop = life.stop.or(Some(Mark::of(event)));
        }
        life.note(event, now, how);
        // Most deltas come long before a call can be over.
        if life.due.is_some() || life.past.is_some() {
            self.schedule(slot);
        }
    }

    /// A call for deltas that come when theirs is over.
    fn afterwards(&mut self, event: &Event<'_>, stream: u64, turn: Option<TurnKey>) -> Slot {
        let number = self.sessions.number(event.head);
        let past = self.sessions.get(number).past.get(&stream).copied();
        let slot = self.open(event, turn);
        if let Some(life) = self.life(slot) {
            life.past = past;
            match event.what {
                What::Delta(piece) | What::Done(piece) => match piece.stream {
                    Stream::Item(id) => life.item_id = text(event, Some(id)),
                    Stream::Block { request, .. } => life.request_id = text(event, request),
                    Stream::Twin { .. } => {}
                },
                _ => {}
            }
        }
        self.bind(event, stream, slot);
        slot
    }

    /// Ties a stream to its call.
    fn bind(&mut self, event: &Event<'_>, name: u64, slot: Slot) {
        let number = self.sessions.number(event.head);
        let streams = &mut self.sessions.get(number).streams;
        match streams.get(&name) {
            Some(StreamOf::Call(_) | StreamOf::Nobody) => return,
            Some(StreamOf::Loose(_)) | None => {}
        }
        let before = streams.remove(&name);
        let Some(life) = self.lives.get_mut(slot as usize).and_then(Option::as_deref_mut) else {
            return;
        };
        let first = life.stream.is_none();
        if first {
            life.stream = Some(name);
            if let Some(StreamOf::Loose(loose)) = before {
                loose.give_to(life);
            }
        }
        let of = if first { StreamOf::Call(slot) } else { StreamOf::Nobody };
        streams.insert(name, of);
    }

    /// The call of that id in the event's session: open, or over, or new.
    fn call(&mut self, event: &Event<'_>, id: Span, turn: Option<TurnKey>) -> Slot {
        let number = self.sessions.number(event.head);
        let session = self.sessions.get(number);
        let name = name_of_call(event.bytes(id));
        if let Some(slot) = session.calls.get(&name) {
            return *slot;
        }
        let past = session.past.get(&name).copied();
        let slot = self.open(event, turn);
        self.sessions.get(number).calls.insert(name, slot);
        if let Some(life) = self.life(slot) {
            (life.key, life.past) = (Some(name), past);
            life.by_user = past.is_some_and(|past| past.by_user);
            life.call_id = text(event, Some(id));
        }
        slot
    }

    /// The oldest open call without an id that fits, else a new one.
    fn nameless(
        &mut self,
        event: &Event<'_>,
        turn: Option<TurnKey>,
        fits: impl Fn(&Life) -> bool,
    ) -> Slot {
        let number = self.sessions.number(event.head);
        let known = self.sessions.get(number).nameless.clone();
        let fits = |slot: &Slot| {
            self.lives.get(*slot as usize).and_then(Option::as_deref).is_some_and(&fits)
        };
        if let Some(slot) = known.iter().copied().find(fits) {
            return slot;
        }
        let slot = self.open(event, turn);
        self.is_nameless(slot);
        slot
    }

    /// Notes that rows without an id may be about a call.
    fn is_nameless(&mut self, slot: Slot) {
        let Some(life) = self.lives.get_mut(slot as usize).and_then(Option::as_deref_mut) else {
            return;
        };
        life.call_id = None;
        let nameless = &mut self.sessions.get(life.session).nameless;
        if !nameless.contains(&slot) {
            nameless.push(slot);
        }
    }

    /// A new call, whose first row this is.
    fn open(&mut self, event: &Event<'_>, turn: Option<TurnKey>) -> Slot {
        let number = self.sessions.number(event.head);
        let life = Box::new(Life::new(event, number, self.now, self.options.explain));
        let slot = self.free.pop().unwrap_or(self.lives.len() as Slot);
        match self.lives.get_mut(slot as usize) {
            Some(place) => *place = Some(life),
            None => self.lives.push(Some(life)),
        }
        self.join(slot, turn);
        slot
    }
}

impl super::args::Args {
    /// Takes a row of the stream; says what it counted for.
    fn take(&mut self, event: &Event<'_>, piece: &Piece, whole: bool) -> &'static str {
        let (text, mark) = (event.bytes(piece.text), Mark::of(event));
        if whole {
            self.whole(text, mark);
            "whole arguments"
        } else if self.delta(piece.seq, text, mark) {
            "delta of the arguments"
        } else {
            SAID_BEFORE
        }
    }
}

impl Loose {
    fn take(&mut self, event: &Event<'_>, piece: &Piece, whole: bool, now: i64, explain: bool) {
        let how = self.args.take(event, piece, whole);
        self.last_t = now;
        if whole {
            self.stop = self.stop.or(Some(Mark::of(event)));
        }
        if explain {
            self.rows.push(Used { src: event.src, how });
        }
    }

    /// The call was found.
    fn give_to(self, life: &mut Life) {
        life.args = self.args;
        life.stop = life.stop.or(self.stop);
        if let Some(rows) = &mut life.rows {
            rows.extend(self.rows);
        }
    }
}

/// Whether a piece is of a call's arguments.
fn is_args(piece: &Piece) -> bool {
    matches!(piece.kind, StreamKind::Arguments | StreamKind::Input)
}

/// A text that names something; none if it is empty.
fn text(event: &Event<'_>, span: Option<Span>) -> Option<Box<str>> {
    span.map(|span| event.name(span)).filter(|text| !text.is_empty()).map(Box::from)
}

//! Modes that give what other commands print: their folds, and their records as those of a mode.

use std::sync::Arc;

use agentlog::event::{
    Block, Event, ItemKind, ItemPhase, Piece, Provider, ResponsePhase, Src, Stream, StreamKind,
    Turn as End, What,
};
use agentlog::fold::Fold;
use agentlog::fold::prompts::Prompt;
use agentlog::fold::tokens::Group;
use agentlog::fold::turns::{Turn, Turns};
use agentlog::fold::{deltas, turns};
use agentlog::record::{
    DELTA, PROMPT, RecordKind, Shape, SrcPath, TOKENS, TURN, delta_into, prompt_into, tokens_into,
    turn_into,
};
use agentlog::time::Stamp;
use serde_json::Value;

use crate::tools::values_of_record;
use crate::{Form, Info, Mode, Record, Row};

/// A mode whose records are turns: which turns are wanted, and when its record happened.
#[derive(Clone, Copy)]
pub(super) struct TurnMode {
    pub info: &'static Info,
    pub wanted: fn(&Turn) -> bool,
    pub time: fn(&Turn) -> Option<i64>,
}

/// The records of modes that are turns: one fold for all of them.
pub(super) struct TurnRecords {
    modes: Vec<TurnMode>,
    turns: Turns,
    found: Vec<Turn>,
}

impl TurnRecords {
    /// Those of these modes.
    pub fn new(modes: Vec<TurnMode>) -> Self {
        Self { modes, turns: Turns::new(turns::Options::default()), found: Vec::new() }
    }

    fn give(&mut self, out: &mut Vec<Record>) {
        for turn in self.found.drain(..) {
            let wanted = self.modes.iter().filter(|mode| (mode.wanted)(&turn));
            let records = wanted.map(|mode| (mode.info, (mode.time)(&turn)));
            let records: Vec<_> = records.collect();
            if records.is_empty() {
                continue;
            }
            let record = of_turn(records[0].0, turn);
            let as_of = |(info, t)| Record { info, t, ..record.clone() };
            out.extend(records.into_iter().map(as_of));
        }
    }
}

impl Mode for TurnRecords {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if tells_of_turns(row.event) {
            self.turns.feed(row.event, &mut self.found);
            self.give(out);
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.turns.advance(t, &mut self.found);
        self.give(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.turns.finish(&mut self.found);
        self.give(out);
    }
}

/// Whether the fold of turns needs the row: the same that `alog-turns` feeds it. Of the deltas that
/// is what Claude says, which no other row tells.
pub(super) fn tells_of_turns(event: &Event<'_>) -> bool {
    match event.what {
        What::Prompt(_)
        | What::Queue(_)
        | What::Session(_)
        | What::Turn(_)
        | What::Said(_)
        | What::TokenCount(_)
        | What::Execution(_)
        | What::Results(_)
        | What::Message(_)
        | What::ToolUse(_)
        | What::Block(Block::Start { .. }) => true,
        What::Response(response) => {
            event.head.provider == Some(Provider::Claude) || response.phase != ResponsePhase::Going
        }
        What::Item(item) => {
            item.phase != ItemPhase::Raw || item.kind.is_call() || item.kind == ItemKind::Result
        }
        What::Delta(Piece { stream: Stream::Block { .. }, kind, .. }) => *kind == StreamKind::Text,
        What::Delta(_)
        | What::Done(_)
        | What::Block(Block::Stop { .. })
        | What::Thread(_)
        | What::Row => false,
    }
}

/// Whether the fold of deltas needs the row: the same that `alog-deltas` feeds it from a pipe.
pub(super) fn tells_of_items(row: &Row<'_>) -> bool {
    // Items of rollouts were not streamed.
    let of_sse = || row.facts.is_some_and(|facts| facts.form == Form::Sse);
    match row.event.what {
        What::Delta(_) | What::Done(_) | What::Block(_) => true,
        What::Item(item) => item.phase != ItemPhase::Raw && of_sse(),
        What::Turn(end) => matches!(end, End::Completed { .. } | End::Aborted) && of_sse(),
        _ => false,
    }
}

/// A turn as a record of a mode that has the keys of `alog-turns`.
pub(super) fn of_turn(info: &'static Info, turn: Turn) -> Record {
    let (t, src, head) = (turn.t, turn.src, Arc::clone(&turn.head));
    let turn = Turn { src: in_first_file(src), ..turn };
    let values = values(&TURN, |paths, out| turn_into(&turn, 0, paths, false, out));
    Record { info, t, src, head, values }
}

/// A prompt as a record of a mode that has the keys of `alog-prompts`.
pub(super) fn of_prompt(info: &'static Info, prompt: Prompt) -> Record {
    let (t, src, head) = (prompt.t, prompt.src, Arc::clone(&prompt.head));
    let prompt = Prompt { src: in_first_file(src), ..prompt };
    let values = values(&PROMPT, |paths, out| prompt_into(&prompt, 0, paths, false, out));
    Record { info, t, src, head, values }
}

/// A streamed item as a record of a mode that has the keys of `alog-deltas`.
pub(super) fn of_delta(info: &'static Info, item: deltas::Delta) -> Record {
    let (t, src, head) = (item.t, item.src, Arc::clone(&item.head));
    let item = deltas::Delta { src: in_first_file(src), ..item };
    let values = values(&DELTA, |paths, out| delta_into(&item, 0, paths, false, out));
    Record { info, t, src, head, values }
}

/// A group of calls as a record of a mode that has the keys of `alog-tokens`.
pub(super) fn of_group(info: &'static Info, group: Group) -> Record {
    let (t, src, head) = (group.t(), group.src(), Arc::clone(group.head()));
    let group = group.in_file(0);
    let values = values(&TOKENS, |paths, out| tokens_into(&group, 0, paths, false, out));
    Record { info, t, src, head, values }
}

fn in_first_file(src: Src) -> Src {
    Src { file: 0, ..src }
}

/// The values that a command would print, its times as numbers.
fn values(kind: &RecordKind, write: impl FnOnce(&[SrcPath], &mut Vec<u8>)) -> Vec<Value> {
    let mut values = values_of_record(kind, write);
    for (field, value) in kind.own.iter().zip(&mut values) {
        if field.shape == Shape::Time
            && let Some(Stamp::Utc(ms) | Stamp::Local(ms)) = value.as_str().and_then(Stamp::parse)
        {
            *value = ms.into();
        }
    }
    values
}

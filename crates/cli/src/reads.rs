//! What the folds of the commands read of a log, for all who feed them.

use agentlog::fold::{calls, tokens, turn_book, turns};
use agentlog::native::Wants;
use agentlog::sse::{self, PROMPT_EVENTS, prompt_of};

use crate::deltas::DeltaRows;
use crate::fold::{FoldRows, NativeRows, ReadRows};

/// Bare words that every row with a prompt, or with evidence of its writer's zone, has in it.
pub const PROMPT_NEEDLES: [&str; 4] =
    ["user_message", "user_prompt", "queue_operation", "session_configured"];

/// What prompts are made of.
pub fn prompts() -> FoldRows {
    FoldRows {
        events: &[&PROMPT_EVENTS],
        passes: |_, _| false,
        read: |row, _| prompt_of(row),
        native: NativeRows::new(Wants { prompts: true, ..Wants::default() }),
    }
}

/// What turns are made of.
pub fn turns() -> FoldRows {
    FoldRows {
        events: &[turn_book::EVENTS, turns::EVENTS],
        passes: sse::tells_no_turn,
        read: sse::what_of,
        native: NativeRows::new(Wants::ALL),
    }
}

/// What calls are made of.
pub fn calls() -> FoldRows {
    FoldRows {
        events: &[turn_book::EVENTS, calls::EVENTS],
        passes: sse::tells_no_call,
        read: sse::what_of,
        native: NativeRows::new(Wants { usage: false, ..Wants::ALL }),
    }
}

/// What streamed items are put together from, twins included: the fold chooses.
pub fn deltas() -> impl ReadRows {
    DeltaRows::with_twins()
}

/// What tokens are counted from; with the rows that tell turns apart if usage is told by turn.
pub fn tokens(with_turns: bool) -> FoldRows {
    let events: &[&[&str]] =
        if with_turns { &[tokens::EVENTS, turn_book::EVENTS] } else { &[tokens::EVENTS] };
    let wants = Wants { usage: true, prompts: with_turns, turns: with_turns, ..Wants::default() };
    FoldRows { events, passes: |_, _| false, read: sse::what_of, native: NativeRows::new(wants) }
}

//! What all sessions of one log share: the clock's start, the zone, the spelling, the texts.

use crate::prng::Prng;
use crate::spelling::Spelling;
use std::rc::Rc;

/// How much of what an agent does its writer logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Every event, texts cut into deltas of a few characters, up to four requests a turn.
    #[default]
    Full,
    /// One or two requests a turn, long deltas, no mirrors of what other rows say (twins of deltas,
    /// items of prompts and messages): for logs that people read.
    Brief,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) start_ms: i64,
    pub(crate) offset_minutes: i64,
    pub(crate) spelling: Spelling,
    pub(crate) detail: Detail,
    pub(crate) giant_bytes: usize,
    pub(crate) turns: usize,
    pub(crate) prompts: Rc<[&'static str]>,
}

impl Settings {
    /// The text of a session's `ordinal`th prompt, from the given ones (in turn) or made up.
    pub(crate) fn prompt(&self, ordinal: usize, prng: &mut Prng) -> String {
        match self.prompts.len() {
            0 => prng.text(3, 60),
            len => self.prompts[ordinal % len].to_owned(),
        }
    }

    /// An answer or a thought of about so many words.
    pub(crate) fn words(&self, prng: &mut Prng, low: u64, high: u64) -> String {
        match self.detail {
            Detail::Full => prng.text(low, high),
            Detail::Brief => prng.pick(&REPLIES).to_owned(),
        }
    }

    /// What a user adds while the agent works.
    pub(crate) fn addition(&self, prng: &mut Prng) -> String {
        match self.detail {
            Detail::Full => format!("and also {}", prng.text(2, 9)),
            Detail::Brief => "And keep the old name as an alias".into(),
        }
    }

    /// Characters a delta.
    pub(crate) fn chunk(&self) -> (u64, u64) {
        match self.detail {
            Detail::Full => (1, 14),
            Detail::Brief => (24, 48),
        }
    }

    /// Requests before a turn's last one.
    pub(crate) fn steps(&self, prng: &mut Prng, first_turn: bool) -> usize {
        match self.detail {
            Detail::Brief => usize::from(first_turn),
            Detail::Full => prng.range(u64::from(first_turn), 3) as usize,
        }
    }
}

const REPLIES: [&str; 6] = [
    "The last line has no newline, so the reader never hands it on.",
    "I moved the check before the split; all 41 tests pass.",
    "The offset was counted in characters, not in bytes.",
    "Both files say the same: the lock is taken twice.",
    "Let me look at the test that fails first.",
    "Done. The report now names the file and the line.",
];

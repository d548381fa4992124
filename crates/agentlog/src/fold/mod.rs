//! Folds: state machines that are fed one event at a time, in order of time, and give out a
//! record as soon as nothing can change it any more. They hold what is open, not the log.

pub mod prompts;

use crate::event::Src;

/// A row that a fold read, and what it made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The row.
    pub src: Src,
    /// What it counted for, or why it was dropped.
    pub how: &'static str,
}

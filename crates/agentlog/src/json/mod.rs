//! A lazy JSON reader: it walks a text once, checks all of it against the grammar, and hands out
//! the raw text of the values asked for. Nothing is decoded until somebody wants it.
//!
//! Why not a library: what is printed must be the log's own text, with its numbers, escapes and
//! lone surrogates as they are spelled, which readers that build values lose or refuse; and the
//! rows that a command does not want are four fifths of a log, for which nothing should be built
//! (`docs/bench.md` has the comparison with `serde_json` and `simd-json`).

mod cursor;
mod flat;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod scan;
mod strings;
mod text;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod words;
mod write;

pub use cursor::{Kind, MAX_DEPTH, Value, fields, fields_and_inside, items, leading_fields, value};
pub use flat::is_flat_object;
pub use text::{Text, unescape_into, unescape_onto};
pub use write::{compact_in_place, compact_into, pretty_into, string_into};

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonError {
    /// Offset in the text that was read, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl JsonError {
    pub(crate) fn new(at: usize, what: &'static str) -> Self {
        Self { at, what }
    }
}

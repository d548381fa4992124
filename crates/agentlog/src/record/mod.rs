//! The records that commands print: which keys they have, and how values are written.
//!
//! Every record of a kind has the same keys in the same order. The tables here are the one place
//! that says which; writers, JSON Schemas and documentation are checked against them.

mod call;
mod delta;
mod event;
mod prompt;
mod tokens;
mod turn;
mod values;
mod writing;

pub use call::{CALL, CALL_STATS, call_into, call_stats_into, call_values};
pub use delta::{DELTA, delta_into, delta_values};
pub use event::{
    EVENT, event_head_into, event_into, event_tail_into, event_values, native_event_head_into,
    native_event_into, native_event_tail_into, native_event_values, request_event_head_into,
    request_event_into, request_event_tail_into, request_event_values,
};
pub use prompt::{PROMPT, prompt_into, prompt_values};
pub use tokens::{TOKENS, tokens_into, tokens_values};
pub use turn::{TURN, turn_into, turn_values};
pub use values::Values;
pub use writing::Key;
use writing::key;
pub use writing::{RecordWriter, SrcPath};

/// A kind of record.
#[derive(Clone, Copy, Debug)]
pub struct RecordKind {
    /// Its `schema`, such as `alog.event/1`.
    pub schema: &'static str,
    /// What one record is, in a few words.
    pub about: &'static str,
    /// The keys between the common head and `src`.
    pub own: &'static [Field],
    /// The keys that a table shows, in this order.
    pub table: &'static [&'static str],
    /// What `--explain` adds behind `src`, if it adds something: [`ROWS`] or [`COUNTED_ROWS`].
    pub rows: Option<&'static Field>,
    /// What `--emit` adds at the end, if earlier states of it can be told: [`FINAL`].
    pub is_final: Option<&'static Field>,
}

/// A key of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What its value is. Every value but `schema`, `index` and `src` may be null.
    pub shape: Shape,
    /// What it means.
    pub about: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The record's own schema name.
    Schema,
    /// The record's place among the printed.
    Index,
    /// A string.
    Text,
    /// One of a few strings.
    OneOf(&'static [&'static str]),
    /// A whole number, 0 or more.
    Count,
    /// A whole number of either sign.
    Integer,
    /// True or false.
    Bool,
    /// An object of whole numbers with these keys.
    Counts(&'static [&'static str]),
    /// A number, 0 or more.
    Number,
    /// How the limits of an account went.
    Limits,
    /// A time: RFC 3339, UTC, milliseconds.
    Time,
    /// Any JSON.
    Json,
    /// The place of a row.
    Src,
    /// Rows with what each was used for; only there with `--explain`.
    Rows,
    /// The same, those that count with the tokens that each added.
    CountedRows,
}

const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, about }
}

/// The keys that every record starts with.
pub const HEAD: &[Field] = &[
    field("schema", Shape::Schema, "kind and version of the record"),
    field("index", Shape::Index, "place among the printed records, from 1"),
    field("t", Shape::Time, "when it happened"),
    field("provider", Shape::OneOf(&["claude", "codex"]), "which agent"),
    field("sid", Shape::Text, "session id"),
    field("pid", Shape::Count, "process id of the agent"),
    field("turn_id", Shape::Text, "submission id of the turn (Codex)"),
    field("round", Shape::Text, "the writer's round"),
    field("flow_id", Shape::Text, "the writer's flow"),
    field("cwd", Shape::Text, "working directory of the agent"),
    field("ver", Shape::Text, "version of the agent"),
    field("model", Shape::Text, "model that the row names"),
];

/// The key that every record ends with.
pub const SRC: Field = field("src", Shape::Src, "the row that the record starts from");

/// Token counts by kind; the first four add up to the total.
pub const TOKEN_KEYS: &[&str] = &[
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
];

/// The counts by the keys of [`TOKEN_KEYS`].
pub fn token_counts(tokens: &ledger::Tokens) -> [u64; 6] {
    let ledger::Tokens { input, cache_read, cache_write, output, reasoning, .. } = *tokens;
    [input, cache_read, cache_write, output, reasoning, tokens.total()]
}

/// What `--explain` adds behind `src`.
pub const ROWS: Field = field(
    "rows",
    Shape::Rows,
    "the rows that were read for the record, and what each was used for",
);

/// The same where rows add tokens.
pub const COUNTED_ROWS: Field = field(
    "rows",
    Shape::CountedRows,
    "the rows that were read for the record, what each counted for, and the tokens that it added",
);

/// What `--emit` adds at the end.
pub const FINAL: Field =
    field("final", Shape::Bool, "whether nothing can change the record any more; with --emit");

impl RecordKind {
    /// All keys in order, without `rows` and `final`.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        HEAD.iter().chain(self.own).chain(std::iter::once(&SRC))
    }
}

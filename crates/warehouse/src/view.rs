//! The views that a query can name: which records each holds, and which type each key has.

use agentlog::record::{CALL, DELTA, EVENT, Field, PROMPT, RecordKind, Shape, TOKENS, TURN};

/// A view: the records of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// What `alog-events` prints.
    Events,
    /// What `alog-prompts` prints.
    Prompts,
    /// What `alog-turns` prints.
    Turns,
    /// What `alog-deltas` prints.
    Deltas,
    /// What `alog-tokens --cost` prints.
    Tokens,
    /// What `alog-tokens --by call,turn,hour,day,week,month,project --cost` prints.
    TokensByCall,
    /// What `alog-calls` prints.
    Calls,
}

impl View {
    /// All views, those that read the most of a log first.
    pub const ALL: [Self; 7] = [
        Self::Events,
        Self::Turns,
        Self::Calls,
        Self::Deltas,
        Self::Tokens,
        Self::TokensByCall,
        Self::Prompts,
    ];

    /// Its name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Prompts => "prompts",
            Self::Turns => "turns",
            Self::Deltas => "deltas",
            Self::Tokens => "tokens",
            Self::TokensByCall => "tokens_by_call",
            Self::Calls => "calls",
        }
    }

    /// The view of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// The table behind it, which has its name.
    pub(crate) fn table(self) -> String {
        format!("{SCHEMA}.{}", self.name())
    }

    /// The records that it holds.
    pub fn kind(self) -> &'static RecordKind {
        match self {
            Self::Events => &EVENT,
            Self::Prompts => &PROMPT,
            Self::Turns => &TURN,
            Self::Deltas => &DELTA,
            Self::Tokens | Self::TokensByCall => &TOKENS,
            Self::Calls => &CALL,
        }
    }

    /// The keys of its records that are columns of its table: all but `schema`.
    pub fn columns(self) -> impl Iterator<Item = &'static Field> {
        self.kind().fields().filter(|field| field.shape != Shape::Schema)
    }
}

/// Where the tables are, so that `SHOW TABLES` shows the views alone.
pub(crate) const SCHEMA: &str = "records";

/// The column of tables that says which file of the input a record is from, by its number.
pub(crate) const FILE: &str = "_file";

/// The column of tables that are kept which says whether a record was still open.
pub(crate) const OPEN: &str = "_open";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Json,
    Integer,
    Bool,
    Money,
    Time,
    Counts(&'static [&'static str]),
    Limits,
    Violations,
    Src,
}

/// The type of a key's column. Lists of rules are the one value that its shape does not tell.
pub(crate) fn type_of(field: &Field) -> Type {
    match field.shape {
        Shape::Json if field.name == "violations" => Type::Violations,
        Shape::Json | Shape::Rows | Shape::CountedRows => Type::Json,
        Shape::Schema | Shape::Text | Shape::OneOf(_) => Type::Text,
        Shape::Index | Shape::Count | Shape::Integer => Type::Integer,
        Shape::Bool => Type::Bool,
        Shape::Number => Type::Money,
        Shape::Time => Type::Time,
        Shape::Counts(keys) => Type::Counts(keys),
        Shape::Limits => Type::Limits,
        Shape::Src => Type::Src,
    }
}

/// Picodollars have 12 decimals: sums of them are exact.
pub(crate) const MONEY: (u8, i8) = (38, 12);
/// The numbers that tell how a limit went, and then the whole ones.
pub(crate) const LIMIT: ([&str; 3], [&str; 2]) =
    (["first", "last", "peak"], ["resets_at", "window_minutes"]);
/// The windows of an account.
pub(crate) const WINDOWS: [&str; 2] = ["primary", "secondary"];
/// The texts that tell of a broken rule, before the row that broke it.
pub(crate) const VIOLATION: [&str; 4] = ["code", "severity", "rule", "detail"];

impl Type {
    /// Its name in SQL.
    pub(crate) fn sql(self) -> String {
        const SRC: &str = "STRUCT(path VARCHAR, line BIGINT, \"offset\" BIGINT, len BIGINT)";
        let structure = |names: &[&str], of: &str| {
            names.iter().map(|name| format!("\"{name}\" {of}")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Text => "VARCHAR".into(),
            Self::Json => "JSON".into(),
            Self::Integer => "BIGINT".into(),
            Self::Bool => "BOOLEAN".into(),
            Self::Money => format!("DECIMAL({}, {})", MONEY.0, MONEY.1),
            Self::Time => "TIMESTAMPTZ".into(),
            Self::Counts(keys) => format!("STRUCT({})", structure(keys, "BIGINT")),
            Self::Limits => {
                let (numbers, whole) = LIMIT;
                let limit = format!(
                    "STRUCT({}, {})",
                    structure(&numbers, "DOUBLE"),
                    structure(&whole, "BIGINT")
                );
                format!("STRUCT({})", structure(&WINDOWS, &limit))
            }
            Self::Violations => {
                format!("STRUCT({}, src {SRC})[]", structure(&VIOLATION, "VARCHAR"))
            }
            Self::Src => SRC.into(),
        }
    }
}

/// A name as it stands in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_found_by_name() {
        for view in View::ALL {
            assert_eq!(View::named(view.name()), Some(view));
            assert_eq!(view.columns().next().map(|field| field.name), Some("index"));
            assert_eq!(view.columns().last().map(|field| field.name), Some("src"));
        }
        assert_eq!(View::named("_turns"), None);
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}

//! What can go wrong between a query and its answer.

use std::io;
use std::path::PathBuf;

use duckdb::Error;

/// A query that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// DuckDB does not take the query; its message has the line and a caret.
    #[error("{0}")]
    Query(String),
    /// A parameter that the query has, and that was not given, or the other way round.
    #[error("{0}")]
    Parameter(String),
    /// Another process has the file.
    #[error("{}: {by}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Who has it.
        by: String,
    },
    /// A file that cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// What was read could not be put into a table.
    #[error("DuckDB: {0}")]
    Store(String),
    /// The answer could not be printed.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// The message of DuckDB's error.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// An error in the query.
pub(crate) fn of_query(error: &Error) -> WarehouseError {
    let text = message(error);
    let refusals = [
        "disabled by configuration",
        "disabled through configuration",
        "configuration has been locked",
    ];
    let hint = if refusals.iter().any(|refusal| text.contains(refusal)) {
        "\nalog-sql reads nothing but logs: --unsafe allows files, extensions and the rest"
    } else {
        ""
    };
    WarehouseError::Query(format!("{text}{hint}"))
}

/// An error that is not the query's.
pub(crate) fn of_store(error: &Error) -> WarehouseError {
    WarehouseError::Store(message(error))
}

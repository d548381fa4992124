//! The query: as it was typed, from a file, or one of those that come with alog.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use cli::{Output, OutputFlags, Verdict};
use serde_json::json;
use warehouse::{NamedQuery, named_queries};

/// A statement with the values of its parameters.
pub struct Question {
    pub sql: String,
    pub parameters: Vec<(String, String)>,
}

impl Question {
    /// Finds the statement.
    pub fn new(
        query: Option<&str>,
        file: Option<&Path>,
        parameters: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let parameters = parameters.to_vec();
        match (file, query) {
            (Some(path), _) => Ok(Self { sql: read(path)?, parameters }),
            (None, Some(query)) => match query.strip_prefix('@') {
                Some(name) => Self::named(name, parameters),
                None => Ok(Self { sql: query.to_owned(), parameters }),
            },
            (None, None) => {
                anyhow::bail!("no query: give one, or @NAME of those that --list shows")
            }
        }
    }

    /// A query that comes with alog; parameters that were not given take their own values.
    fn named(name: &str, mut parameters: Vec<(String, String)>) -> anyhow::Result<Self> {
        let query = named_queries().find(|query| query.name == name);
        let query = query.with_context(|| format!("@{name}: no such query; --list shows them"))?;
        for (name, value, _) in &query.parameters {
            if !parameters.iter().any(|(given, _)| given == name) {
                parameters.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        Ok(Self { sql: query.sql.to_owned(), parameters })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.with_context(|| format!("--file: {}", path.display()))?;
    Ok(text)
}

/// Understands `NAME=VALUE`.
pub fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.trim_start_matches('$').to_owned(), value.to_owned()))
        }
        _ => Err("NAME=VALUE, such as days=7".into()),
    }
}

/// Prints the queries that come with alog.
pub fn list(flags: &OutputFlags) -> anyhow::Result<Verdict> {
    let keys = ["query", "answers", "parameters"];
    let mut output = Output::of_columns(flags, keys.map(String::from).to_vec(), &keys);
    for NamedQuery { name, about, parameters, .. } in named_queries() {
        let parameters: Vec<_> = parameters
            .into_iter()
            .map(|(name, value, about)| format!("{name}={value}: {about}"))
            .collect();
        let row = json!({"query": format!("@{name}"), "answers": about, "parameters": parameters});
        output.record(|_, out| out.extend_from_slice(row.to_string().as_bytes()))?;
    }
    output.finish()?;
    Ok(Verdict::Done)
}

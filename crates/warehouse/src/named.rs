//! Queries that come with alog: `.sql` files whose first comment says what they answer and what
//! their parameters are.

/// A query with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedQuery {
    /// Its name, as in `alog-sql @slow-tools`.
    pub name: &'static str,
    /// What it answers, in one line.
    pub about: &'static str,
    /// Its parameters: name, value if none is given, and meaning.
    pub parameters: Vec<(&'static str, &'static str, &'static str)>,
    /// The statement.
    pub sql: &'static str,
}

macro_rules! queries {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../queries/", $name, ".sql")))),*]
    };
}

const QUERIES: &[(&str, &str)] = queries![
    "aborted-turns",
    "busiest-sessions",
    "cache-hit-rate",
    "context-growth",
    "cost-by-day",
    "errors",
    "first-token",
    "largest-rows",
    "rate-limits",
    "retries",
    "sessions-in-parallel",
    "slow-tools",
    "tools-per-turn",
    "unanswered-prompts",
];

/// All of them, by name.
pub fn named_queries() -> impl Iterator<Item = NamedQuery> {
    QUERIES.iter().map(|(name, text)| NamedQuery::parse(name, text))
}

impl NamedQuery {
    /// Reads the comment: a line that says what is answered, then lines
    /// `-- $name = value: meaning`.
    fn parse(name: &'static str, text: &'static str) -> Self {
        let mut lines = text.lines().map_while(|line| line.strip_prefix("-- "));
        let about = lines.next().unwrap_or_default();
        let parameter = |line: &'static str| {
            let (name, rest) = line.strip_prefix('$')?.split_once(" = ")?;
            let (value, meaning) = rest.split_once(": ")?;
            Some((name, value, meaning))
        };
        Self { name, about, parameters: lines.filter_map(parameter).collect(), sql: text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_answers() {
        for query in named_queries() {
            assert!(!query.about.is_empty() && query.about.len() < 80, "{}", query.name);
            for (name, ..) in &query.parameters {
                assert!(query.sql.contains(&format!("${name}")), "{}: ${name}", query.name);
            }
        }
    }
}

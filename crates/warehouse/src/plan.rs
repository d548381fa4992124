//! What a query needs of the input: which views, which of their columns, and which records are
//! ruled out by what it compares them with.
//!
//! DuckDB says so itself: the query is planned over empty tables, and the scans of the plan are
//! read. What is not understood there rules out nothing; DuckDB filters again in any case.

use std::collections::{BTreeMap, BTreeSet};

use agentlog::time::Stamp;
use serde_json::Value;

use crate::view::View;

/// What a query needs of one view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// The columns that it reads.
    pub columns: Vec<String>,
    /// What all its records have in common.
    pub only: Only,
}

impl Need {
    /// All records of a view, and all their columns.
    pub fn all_of(view: View) -> Self {
        let columns = view.columns().map(|field| field.name.to_owned()).collect();
        Self { columns, only: Only::default() }
    }
}

/// What holds for all records that a query wants of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Not before that time, in milliseconds since the epoch.
    pub since: Option<i64>,
    /// Before that time, or at it.
    pub until: Option<i64>,
    /// The provider.
    pub provider: Option<String>,
    /// The session.
    pub sid: Option<String>,
    /// The events' names.
    pub events: Option<BTreeSet<String>>,
}

/// What a query needs, by view.
pub type Needs = BTreeMap<View, Need>;

/// Reads a physical plan, as `EXPLAIN (FORMAT json)` prints it.
pub(crate) fn needs_of(plan: &str) -> Option<Needs> {
    let mut needs = Needs::new();
    read(&serde_json::from_str(plan).ok()?, &mut needs);
    Some(needs)
}

/// What a text of SQL may need at the most: all of each view that it names. That is for statements
/// without a plan of their own: several in one text, and what DuckDB rewrites first, such as `PIVOT`.
pub(crate) fn needs_by_name(sql: &str) -> Needs {
    let sql = sql.to_lowercase();
    View::ALL
        .into_iter()
        .filter(|view| names(&sql, view.name()))
        .map(|view| (view, Need::all_of(view)))
        .collect()
}

fn read(node: &Value, needs: &mut Needs) {
    match node {
        Value::Array(nodes) => nodes.iter().for_each(|node| read(node, needs)),
        Value::Object(_) => {
            let told = &node["extra_info"];
            let table = told["Table"].as_str().unwrap_or_default();
            let is_behind = |view: &View| table.ends_with(&format!(".{}", view.table()));
            if let Some(view) = View::ALL.into_iter().find(is_behind) {
                scan(view, told, needs);
            }
            read(&node["children"], needs);
        }
        _ => {}
    }
}

fn scan(view: View, told: &Value, needs: &mut Needs) {
    let filters = texts(&told["Filters"]);
    let only = Only::of(filters.iter().flat_map(|filter| conjuncts(filter)));
    let mut columns = Vec::new();
    for field in view.columns() {
        let read = texts(&told["Projections"]).iter().any(|name| is_of(name, field.name));
        if read || filters.iter().any(|filter| names(filter, field.name)) {
            columns.push(field.name.to_owned());
        }
    }
    match needs.get_mut(&view) {
        None => drop(needs.insert(view, Need { columns, only })),
        Some(need) => {
            columns.retain(|column| !need.columns.contains(column));
            need.columns.append(&mut columns);
            need.only = need.only.or(&only);
        }
    }
}

/// A member that is a text, or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Whether what is projected is a column or a part of it.
fn is_of(projected: &str, column: &str) -> bool {
    let name = projected.trim_matches('"');
    name == column || name.strip_prefix(column).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a column's name stands in an expression. A text that happens to hold it does no harm.
fn names(expression: &str, column: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    expression.match_indices(column).any(|(at, _)| {
        let before = expression[..at].chars().next_back();
        let behind = expression[at + column.len()..].chars().next();
        !before.is_some_and(word) && !behind.is_some_and(word)
    })
}

/// The parts of a filter that all hold: what ` AND ` joins outside quotes and parentheses.
fn conjuncts(filter: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, c) in filter.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 && filter[at..].starts_with(" AND ") => {
                parts.push(&filter[start..at]);
                start = at + " AND ".len();
            }
            _ => {}
        }
    }
    // What an `OR` joins rules out nothing by itself.
    parts.push(&filter[start..]);
    if parts.iter().any(|part| part.contains(" OR ")) { Vec::new() } else { parts }
}

impl Only {
    fn of<'a>(conjuncts: impl Iterator<Item = &'a str>) -> Self {
        let mut only = Self::default();
        for part in conjuncts {
            only.add(part);
        }
        only
    }

    fn add(&mut self, part: &str) -> Option<()> {
        let part = part.strip_prefix("optional: ").unwrap_or(part);
        let at = part.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
        let (column, rest) = part.split_at(at);
        let value = rest.find('\'')?;
        let (operator, literal) = (&rest[..value], text(&rest[value..])?);
        match (column, operator) {
            ("provider", "=") => self.provider = Some(literal),
            ("sid", "=") => self.sid = Some(literal),
            ("event", "=") => self.events = Some([literal].into()),
            ("t", ">=" | ">" | "=" | "<" | "<=") => {
                let ms = milliseconds(&literal)?;
                if operator != "<" && operator != "<=" {
                    self.since = self.since.max(Some(ms));
                }
                if operator != ">" && operator != ">=" {
                    self.until = Some(self.until.map_or(ms, |until| until.min(ms)));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// What holds for the records of both.
    fn or(&self, other: &Self) -> Self {
        let same = |a: &Option<String>, b: &Option<String>| a.clone().filter(|_| a == b);
        Self {
            since: self.since.zip(other.since).map(|(a, b)| a.min(b)),
            until: self.until.zip(other.until).map(|(a, b)| a.max(b)),
            provider: same(&self.provider, &other.provider),
            sid: same(&self.sid, &other.sid),
            events: self.events.as_ref().zip(other.events.as_ref()).map(|(a, b)| a | b),
        }
    }
}

/// The time that a literal spells, in milliseconds since the epoch. Its offset may have no minutes.
fn milliseconds(literal: &str) -> Option<i64> {
    let bare = literal.len().checked_sub(3).is_some_and(|at| {
        literal.as_bytes()[at..].starts_with(b"+") || literal.as_bytes()[at..].starts_with(b"-")
    });
    let whole = if bare { format!("{literal}:00") } else { literal.to_owned() };
    match Stamp::parse(&whole)? {
        Stamp::Utc(ms) => Some(ms),
        Stamp::Local(_) => None,
    }
}

/// The text of a literal, behind which only its type may stand: `'…'`, `'…'::TYPE`.
fn text(literal: &str) -> Option<String> {
    let rest = literal.strip_prefix('\'')?;
    let end = rest.rfind('\'')?;
    let behind = &rest[end + 1..];
    let inner = &rest[..end];
    let whole = inner.replace("''", "").find('\'').is_none();
    (whole && (behind.is_empty() || behind.starts_with("::"))).then(|| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scanned(filters: &Value) -> Only {
        let filters = texts(filters);
        Only::of(filters.iter().flat_map(|filter| conjuncts(filter)))
    }

    #[test]
    fn comparisons_with_constants_rule_records_out() {
        let only = scanned(&json!([
            "t>='2026-01-01 05:30:00+05:30'::TIMESTAMP WITH TIME ZONE AND t<'2026-01-02 00:00:00.5+00'::TIMESTAMP WITH TIME ZONE",
            "provider='claude'",
            "sid='it''s AND (that'",
            "event='turn.diff'",
        ]));
        let want = Only {
            since: Some(1_767_225_600_000),
            until: Some(1_767_312_000_500),
            provider: Some("claude".into()),
            sid: Some("it's AND (that".into()),
            events: Some(["turn.diff".into()].into()),
        };
        assert_eq!(only, want);
    }

    #[test]
    fn what_is_not_understood_rules_out_nothing() {
        for filter in [
            "provider!='codex'",
            "((t > '2026-01-01 00:00:00+00'::TIMESTAMP WITH TIME ZONE) OR (t IS NULL))",
            "sid='a' OR sid='b'",
            "optional: sid IN ('a', 'b') AND starts_with(sid, 'turn.')",
            "src.path='x'",
            "t>=Dynamic Filter (t)",
            "sid>'a'",
            "t>'infinity'::TIMESTAMP WITH TIME ZONE",
            "",
        ] {
            assert_eq!(scanned(&json!(filter)), Only::default(), "{filter}");
        }
    }

    #[test]
    fn without_a_plan_all_of_the_named_views_is_needed() {
        let needs =
            needs_by_name("SELECT 1; PIVOT Turns ON x; FROM \"events\", my_calls, records.deltas");
        let views: Vec<View> = needs.keys().copied().collect();
        assert_eq!(views, [View::Events, View::Turns, View::Deltas]);
        assert_eq!(needs[&View::Turns], Need::all_of(View::Turns));
    }

    #[test]
    fn a_view_that_is_read_twice_needs_what_either_does() {
        let scan = |columns: Value, filters: Value| {
            json!({"name": "SEQ_SCAN", "children": [], "extra_info":
                {"Table": "memory.records.turns", "Projections": columns, "Filters": filters}})
        };
        let plan = json!([{"name": "JOIN", "extra_info": {}, "children": [
            scan(json!("sid"), json!("provider='claude'")),
            scan(json!(["src.path", "t"]), json!(["provider='claude'", "sid='x'", "n>4"])),
        ]}]);
        let needs = needs_of(&plan.to_string()).unwrap();
        let need = &needs[&View::Turns];
        assert_eq!(need.columns, ["provider", "sid", "t", "src"]);
        assert_eq!(need.only, Only { provider: Some("claude".into()), ..Only::default() });
        assert_eq!(needs.len(), 1);
        let [one, other] = ["event='a'", "event='b'"].map(|filter| scanned(&json!(filter)));
        assert_eq!(one.or(&other).events, Some(["a".into(), "b".into()].into()));
        assert_eq!(one.or(&Only::default()), Only::default());
    }
}

//! What DuckDB makes of a query, before anything was read for it.

use duckdb::Statement;
use duckdb::types::Value as SqlValue;

use crate::error::{WarehouseError, of_query};
use crate::plan::{Needs, needs_by_name, needs_of};
use crate::statements;
use crate::store::{Access, Warehouse, table, view_over};
use crate::view::{SCHEMA, View};

/// A query that DuckDB understood.
pub struct Query {
    pub(crate) sql: String,
    /// Values by the names of parameters.
    pub(crate) given: Vec<(String, String)>,
    /// What it needs.
    pub needs: Needs,
    /// Is taken down with the query, and not while its answer is waited for.
    _planner: Option<Planner>,
}

impl Query {
    /// Whether the text is surely no more than one statement: no `;` stands before another thing.
    pub(crate) fn is_one_statement(&self) -> bool {
        !self.sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).contains(';')
    }

    /// Finds what a query needs by planning it over empty tables. `parameters` are values by name.
    pub fn understood(
        sql: &str,
        parameters: &[(String, String)],
        access: &Access,
    ) -> Result<Self, WarehouseError> {
        let query = |needs, planner| {
            let (sql, given) = (sql.to_owned(), parameters.to_vec());
            Self { sql, given, needs, _planner: planner }
        };
        match statements::count(sql) {
            0 => Err(WarehouseError::Query("there is no statement in the query".into())),
            1 => {
                let planner = Planner::new(access)?;
                Ok(query(planner.needs(sql, parameters)?, Some(planner)))
            }
            // To plan the last would be to run those before it, and they are to be run once.
            _ => Ok(query(needs_by_name(sql), None)),
        }
    }
}

/// A database without records, over which queries are planned.
struct Planner {
    empty: Warehouse,
}

/// Without records, statistics would say that nothing has to be read.
const PLANNING: &str = "SET disabled_optimizers = 'statistics_propagation'";

impl Planner {
    fn new(access: &Access) -> Result<Self, WarehouseError> {
        let frugal =
            Access { threads: Some(1), memory: "256MB".into(), spill: None, ..access.clone() };
        let empty = Warehouse::unlocked(&frugal)?;
        let views = View::ALL
            .map(|view| format!("; {}; {}", table(view, |_| true), view_over(view, |_| true)));
        empty.run(&format!("{PLANNING}; CREATE SCHEMA {SCHEMA}{}", views.concat()))?;
        if !access.unsafe_ {
            empty.run("SET enable_external_access = false")?;
        }
        Ok(Self { empty })
    }

    fn needs(&self, sql: &str, given: &[(String, String)]) -> Result<Needs, WarehouseError> {
        let statement = self.empty.connection.prepare(sql).map_err(|e| of_query(&e))?;
        let parameters = parameters_of(&statement, given)?;
        drop(statement);
        let needs = self.plan(sql, &parameters).and_then(|plan| needs_of(&plan));
        Ok(needs.unwrap_or_else(|| needs_by_name(sql)))
    }

    /// The physical plan of a query; none for a statement that has none, such as `SHOW`.
    fn plan(&self, sql: &str, parameters: &[String]) -> Option<String> {
        let mut statement =
            self.empty.connection.prepare(&format!("EXPLAIN (FORMAT json) {sql}")).ok()?;
        bind(&mut statement, parameters).ok()?;
        statement.raw_execute().ok()?;
        let mut plan = None;
        let mut rows = statement.raw_query();
        while let Ok(Some(row)) = rows.next() {
            plan = row.get::<_, String>(1).ok();
        }
        plan
    }
}

/// The values of a statement's parameters, in its order.
pub(crate) fn parameters_of(
    statement: &Statement<'_>,
    given: &[(String, String)],
) -> Result<Vec<String>, WarehouseError> {
    let mut values = Vec::new();
    let mut names = Vec::new();
    for at in 1..=statement.parameter_count() {
        let name = statement.parameter_name(at).map_err(|e| of_query(&e))?;
        let Some((_, value)) = given.iter().find(|(known, _)| *known == name) else {
            let text =
                format!("the query has a parameter ${name}: give it with --param {name}=VALUE");
            return Err(WarehouseError::Parameter(text));
        };
        values.push(value.clone());
        names.push(name);
    }
    match given.iter().find(|(name, _)| !names.contains(name)) {
        Some((name, _)) => {
            let text = format!("--param {name}: the query has no ${name}");
            Err(WarehouseError::Parameter(text))
        }
        None => Ok(values),
    }
}

pub(crate) fn bind(statement: &mut Statement<'_>, values: &[String]) -> Result<(), WarehouseError> {
    for (i, value) in values.iter().enumerate() {
        let value = SqlValue::Text(value.clone());
        statement.raw_bind_parameter(i + 1, value).map_err(|e| of_query(&e))?;
    }
    Ok(())
}

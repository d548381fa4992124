//! The tables behind the views, and queries over them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use agentlog::record::Field;
use duckdb::arrow::array::Array;
use duckdb::{Appender, Config, Connection, Statement};

use crate::answer::row_into;
use crate::columns::Columns;
use crate::error::{WarehouseError, of_query, of_store};
use crate::file::KeptFile;
use crate::planner::{Query, bind, parameters_of};
use crate::view::{FILE, SCHEMA, View, quoted, type_of};

/// What a query may do, and with how much.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whether it may read and write files, load extensions, and change settings.
    pub unsafe_: bool,
    /// The zone of days and hours, an IANA name or an offset.
    pub zone: String,
    /// Threads; DuckDB's own choice if none is given.
    pub threads: Option<u16>,
    /// Where what does not fit into memory goes.
    pub spill: Option<PathBuf>,
    /// How much memory tables and queries may take, such as `2GB`.
    pub memory: String,
    /// Directories that it may write to and read from all the same.
    pub allowed: Vec<PathBuf>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            unsafe_: false,
            zone: "UTC".into(),
            threads: None,
            spill: None,
            memory: "2GB".into(),
            allowed: Vec::new(),
        }
    }
}

/// A database with the views.
pub struct Warehouse {
    pub(crate) connection: Connection,
    /// Where tables are kept, if they are.
    pub(crate) file: Option<KeptFile>,
}

impl Warehouse {
    /// A database that is gone when it is dropped.
    pub fn in_memory(access: &Access) -> Result<Self, WarehouseError> {
        let warehouse = Self::unlocked(access)?;
        warehouse.run(&format!("CREATE SCHEMA {SCHEMA}"))?;
        warehouse.lock(access)?;
        Ok(warehouse)
    }

    /// The same, but empty, and it may still do what queries may not.
    pub(crate) fn unlocked(access: &Access) -> Result<Self, WarehouseError> {
        let opened = access.config().and_then(Connection::open_in_memory_with_flags);
        let connection = opened.map_err(|e| of_store(&e))?;
        let warehouse = Self { connection, file: None };
        warehouse.set_up(access)?;
        Ok(warehouse)
    }

    pub(crate) fn set_up(&self, access: &Access) -> Result<(), WarehouseError> {
        let zone = literal(&access.zone);
        self.run(&format!("SET TimeZone = {zone}; SET arrow_lossless_conversion = true"))
    }

    /// From here on only that can be done which queries may do.
    pub(crate) fn lock(&self, access: &Access) -> Result<(), WarehouseError> {
        if access.unsafe_ {
            return Ok(());
        }
        let allowed: Vec<String> =
            access.allowed.iter().map(|path| literal(&path.to_string_lossy())).collect();
        if !allowed.is_empty() {
            self.run(&format!("SET allowed_directories = [{}]", allowed.join(", ")))?;
        }
        self.run("SET enable_external_access = false; SET lock_configuration = true")
    }

    pub(crate) fn run(&self, sql: &str) -> Result<(), WarehouseError> {
        self.connection.execute_batch(sql).map_err(|e| of_store(&e))
    }

    /// Makes the table of a view, with these columns alone, and the view over it.
    pub fn create(&self, view: View, columns: &[String]) -> Result<(), WarehouseError> {
        let has = |name: &str| columns.iter().any(|column| column == name);
        self.run(&table(view, has))?;
        self.run(&view_over(view, has))
    }

    /// Numbers the records of a view in order of time, those of one time by where they start.
    pub fn number(&self, view: View) -> Result<(), WarehouseError> {
        let table = view.table();
        let order = format!("t NULLS FIRST, {FILE}, src.\"offset\", src.line, src.len");
        self.run(&format!(
            "CREATE OR REPLACE TABLE {table} AS SELECT * REPLACE \
             (row_number() OVER (ORDER BY {order}) AS \"index\") FROM {table}"
        ))
    }

    /// Adds records to a view, which must have been made with the columns that they have.
    pub fn append(&self, view: View, columns: &mut Columns) -> Result<(), WarehouseError> {
        if columns.is_empty() {
            return Ok(());
        }
        let mut appender = self.appender(view.name())?;
        appender.append_record_batch(columns.take()).map_err(|e| of_store(&e))?;
        appender.flush().map_err(|e| of_store(&e))
    }

    /// Adds to one of the tables.
    pub(crate) fn appender(&self, table: &str) -> Result<Appender<'_>, WarehouseError> {
        self.connection.appender_to_db(table, SCHEMA).map_err(|e| of_store(&e))
    }

    /// Runs a query to its end.
    pub fn answer(&self, query: &Query) -> Result<Answer<'_>, WarehouseError> {
        let mut statement = self.connection.prepare(&query.sql).map_err(|e| of_query(&e))?;
        let parameters = parameters_of(&statement, &query.given)?;
        bind(&mut statement, &parameters)?;
        // Not streamed: what fails fails before the first row is handed out.
        statement.raw_execute().map_err(|e| of_query(&e))?;
        Ok(Answer { statement })
    }
}

/// The rows that a query gave.
pub struct Answer<'w> {
    statement: Statement<'w>,
}

impl Answer<'_> {
    /// The names of its columns. A name that is there already gets a number, as DuckDB does where it
    /// makes a table of a query: `a`, `a_1`. Keys of JSON that are alike are lost to most readers.
    pub fn columns(&self) -> Vec<String> {
        distinct(self.statement.schema().fields().iter().map(|field| field.name().as_str()))
    }

    /// Hands out each row, spelled as a JSON object.
    pub fn each_row<E: From<WarehouseError>>(
        self,
        mut row: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut text, names) = (Vec::new(), self.columns());
        while let Some(rows) = self.statement.step().map_err(|e| of_query(&e))? {
            for at in 0..rows.len() {
                text.clear();
                row_into(&names, &rows, at, &mut text);
                row(&text)?;
            }
        }
        Ok(())
    }
}

fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let mut taken: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let one = |(i, name): (usize, &&str)| {
        if !names[..i].contains(name) {
            return (*name).to_owned();
        }
        let mut numbered = (1..).map(|n: u32| format!("{name}_{n}"));
        numbered.find(|new| taken.insert(new.clone())).unwrap_or_default()
    };
    names.iter().enumerate().map(one).collect()
}

impl Access {
    pub(crate) fn config(&self) -> duckdb::Result<Config> {
        let mut config = Config::default()
            .enable_autoload_extension(self.unsafe_)?
            .custom_user_agent("alog-sql")?
            .max_memory(&self.memory)?;
        if let Some(threads) = self.threads {
            config = config.threads(threads.into())?;
        }
        if let Some(spill) = &self.spill {
            config = config.with("temp_directory", spill.to_string_lossy())?;
        }
        Ok(config)
    }
}

/// The statement that makes the table of a view with some of its columns.
pub(crate) fn table(view: View, has: impl Fn(&str) -> bool) -> String {
    format!("CREATE TABLE {} ({})", view.table(), table_columns(view, has))
}

/// The columns of the table of a view, with their types.
pub(crate) fn table_columns(view: View, has: impl Fn(&str) -> bool) -> String {
    let column = |field: &Field| format!("{} {}", quoted(field.name), type_of(field).sql());
    let wanted = view.columns().filter(|field| has(field.name)).map(column);
    let columns: Vec<String> = wanted.chain([format!("{FILE} INTEGER")]).collect();
    columns.join(", ")
}

/// The statement that makes a view over a table that has some of its columns. One that it has not
/// is an error if it is used after all, never a null.
pub(crate) fn view_over(view: View, has: impl Fn(&str) -> bool) -> String {
    let columns = view_columns(view, &has, "\"index\"");
    format!("CREATE VIEW {} AS SELECT {columns} FROM {}", quoted(view.name()), view.table())
}

/// What a view selects from its table; `index` says how records are numbered.
pub(crate) fn view_columns(view: View, has: &dyn Fn(&str) -> bool, index: &str) -> String {
    let schema = format!("{} AS \"schema\"", literal(view.kind().schema));
    let column = |name: &str, sql: &str| {
        let text = format!("alog-sql has not read column {name} of {}", view.name());
        if has(name) {
            let of = if name == "index" { index.to_owned() } else { quoted(name) };
            return format!("{of} AS {}", quoted(name));
        }
        format!("CAST(error({}) AS {sql}) AS {}", literal(&text), quoted(name))
    };
    let columns = view.columns().map(|field| column(field.name, &type_of(field).sql()));
    std::iter::once(schema).chain(columns).collect::<Vec<_>>().join(", ")
}

/// A text as it stands in SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::distinct;

    #[test]
    fn names_that_are_alike_get_numbers() {
        let names = distinct(["a", "b", "a", "a_1", "a", "b"].into_iter());
        assert_eq!(names, ["a", "b", "a_2", "a_1", "a_3", "b_1"]);
    }
}

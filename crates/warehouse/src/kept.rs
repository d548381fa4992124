//! Tables that are kept in a file, and how far the logs were read for each.
//!
//! Records of a view and the point that its logs were read to are written in one transaction:
//! whoever is killed leaves the file as it was after the last. Records that were still open then are
//! marked, and go when the next run knows more.

use std::collections::BTreeMap;

use duckdb::OptionalExt;

use crate::error::{WarehouseError, of_store};
use crate::file::CHECKPOINT;
use crate::planner::Query;
use crate::store::{Access, Warehouse, literal, table_columns, view_columns};
use crate::view::{FILE, OPEN, SCHEMA, View, quoted};

/// How far the logs were read for a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The flags that change what records are, as they were given.
    pub asked: String,
    /// Where reading stopped.
    pub point: Vec<u8>,
}

/// The form of tables and states. A file of another form is not read.
pub(crate) const FORM: &str = concat!("alog ", env!("CARGO_PKG_VERSION"), ", form 2");

impl Warehouse {
    /// Makes the tables that tell of the others.
    pub(crate) fn make_tables(&self) -> Result<(), WarehouseError> {
        self.run(&format!(
            "BEGIN; CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}._alog (form VARCHAR); \
             CREATE TABLE {SCHEMA}._read (view VARCHAR, asked VARCHAR, point BLOB, fold BLOB); \
             INSERT INTO {SCHEMA}._alog VALUES ({}); COMMIT; {CHECKPOINT}",
            literal(FORM)
        ))
    }

    pub(crate) fn one<T: duckdb::types::FromSql>(&self, sql: &str) -> Result<T, WarehouseError> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|e| of_store(&e))
    }

    /// How far the logs were read for a view; none if they never were.
    pub fn kept(&self, view: View) -> Result<Option<Kept>, WarehouseError> {
        if !self.is_open() {
            return Ok(None);
        }
        let sql = format!("SELECT asked, point FROM {SCHEMA}._read WHERE view = ?");
        let kept = self.connection.query_row(&sql, [view.name()], |row| {
            Ok(Kept { asked: row.get(0)?, point: row.get(1)? })
        });
        kept.optional().map_err(|e| of_store(&e))
    }

    /// What the fold of a view knew at the point that is kept.
    pub fn fold(&self, view: View) -> Result<Vec<u8>, WarehouseError> {
        let sql = format!("SELECT fold FROM {SCHEMA}._read WHERE view = ?");
        self.connection.query_row(&sql, [view.name()], |row| row.get(0)).map_err(|e| of_store(&e))
    }

    /// Starts to add to a view: what is done until [`Warehouse::keep`] is done whole or not at all.
    pub fn begin(&self, view: View) -> Result<(), WarehouseError> {
        self.run("BEGIN")?;
        self.run(&kept_table(view))
    }

    /// Lets go of the records that were open when the logs were read last. Those of absent logs,
    /// given by their numbers, stay until [`Warehouse::settle`]: their last rows cannot be read again.
    pub fn drop_open(&self, view: View, absent: &[usize]) -> Result<(), WarehouseError> {
        let (table, is_absent) =
            (view.table(), format!("list_contains({absent:?}::INTEGER[], {FILE})"));
        if !absent.is_empty() {
            self.run(&format!("UPDATE {table} SET {OPEN} = NULL WHERE {OPEN} AND {is_absent}"))?;
        }
        // A run that was killed may have left some for a log that is back.
        self.run(&format!("DELETE FROM {table} WHERE coalesce({OPEN}, NOT {is_absent})"))
    }

    /// Of records of absent logs that are there twice by now, keeps the one that knows more: what became
    /// final since, else what was known when the log could be read.
    pub fn settle(&self, view: View) -> Result<(), WarehouseError> {
        let (table, key) = (view.table(), key_of(view));
        let is_among = |which: &str| format!("{key} IN (SELECT {key} FROM {table} WHERE {which})");
        let (stays, is_final) = (format!("{OPEN} IS NULL"), format!("NOT {OPEN}"));
        if view == View::Tokens {
            // A session may go on in another log.
            self.run(&format!(
                "DELETE FROM {table} WHERE {stays} AND EXISTS (FROM {table} AS later WHERE \
                 later.{OPEN} AND later.sid IS NOT DISTINCT FROM {table}.sid \
                 AND later.calls >= {table}.calls)"
            ))?;
        }
        self.run(&format!("DELETE FROM {table} WHERE {stays} AND {}", is_among(&is_final)))?;
        self.run(&format!("DELETE FROM {table} WHERE {OPEN} AND {}", is_among(&stays)))?;
        self.run(&format!("UPDATE {table} SET {OPEN} = true WHERE {stays}"))
    }

    /// Keeps what was added since [`Warehouse::begin`], how far the logs were read for it, and what the
    /// fold knew then.
    pub fn keep(&self, view: View, kept: &Kept, fold: &[u8]) -> Result<(), WarehouseError> {
        self.run(&format!("DELETE FROM {SCHEMA}._read WHERE view = {}", literal(view.name())))?;
        // As a parameter it would be spelled in full in the text of the plan.
        let mut appender = self.appender("_read")?;
        let row = appender.append_row(duckdb::params![view.name(), kept.asked, kept.point, fold]);
        row.and_then(|()| appender.flush()).map_err(|e| of_store(&e))?;
        self.run(&format!("COMMIT; {CHECKPOINT}"))
    }

    /// How many records of a view are kept, and how many of them are open.
    pub fn counts(&self, view: View) -> Result<(u64, u64), WarehouseError> {
        if !self.tables()?.contains(&view) {
            return Ok((0, 0));
        }
        let sql = format!("SELECT count(*), count(*) FILTER ({OPEN}) FROM {}", view.table());
        let counts = self.connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        counts.map_err(|e| of_store(&e))
    }

    /// The views whose tables are there.
    fn tables(&self) -> Result<Vec<View>, WarehouseError> {
        let sql = format!(
            "SELECT string_agg(table_name, ' ') FROM duckdb_tables() \
             WHERE database_name = current_database() AND schema_name = '{SCHEMA}'"
        );
        let names: Option<String> = self.one(&sql)?;
        Ok(names.unwrap_or_default().split(' ').filter_map(View::named).collect())
    }

    /// Shows what is kept to one query. From here on nothing can be changed, and others may read.
    pub fn show(&mut self, query: &Query, access: &Access) -> Result<(), WarehouseError> {
        // Who has several statements could let go of the file, and attach it anew.
        if query.is_one_statement() && !access.unsafe_ {
            self.add_no_more()?;
        } else {
            self.open_alone(access)?;
        }
        self.make_views(|view| {
            let need = query.needs.get(&view);
            need.is_some_and(|need| need.columns.iter().any(|column| column == "index"))
        })?;
        self.lock(access)
    }

    /// Makes the views over what is kept, where they do not show it yet. Records are numbered if that is
    /// read.
    pub(crate) fn make_views(
        &mut self,
        reads_index: impl Fn(View) -> bool,
    ) -> Result<(), WarehouseError> {
        let tables = self.tables()?;
        let shows = |view: View| match (tables.contains(&view), reads_index(view)) {
            (false, _) => Shows::Nothing,
            (true, false) => Shows::Records,
            (true, true) => Shows::Numbered,
        };
        let mut views: BTreeMap<View, Shows> = View::ALL.map(|view| (view, shows(view))).into();
        let database: String = self.one("SELECT current_database()")?;
        let Some(file) = &mut self.file else { return Ok(()) };
        std::mem::swap(&mut file.views, &mut views);
        let is_new = |view: &View, shows: &Shows| views.get(view) != Some(shows);
        let new = file.views.iter().filter(|(view, shows)| is_new(view, shows));
        let sql: String = new.map(|(view, shows)| shown(&database, *view, *shows)).collect();
        self.run(&sql)
    }
}

/// What a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Its records were never read.
    Nothing,
    /// Its records without their numbers.
    Records,
    /// Its records with their numbers, for which all are put in order.
    Numbered,
}

/// What makes two records of a table the same: where they start, and what tells records apart that
/// start in one row.
fn key_of(view: View) -> String {
    let own: &[&str] = match view {
        View::Calls => &["call_id"],
        View::Deltas => &["kind", "item_id", "request_id", "block_index", "call_id"],
        View::Tokens => &["sid"],
        View::TokensByCall => &["call"],
        View::Events | View::Prompts | View::Turns => &[],
    };
    let places = [FILE, "src.\"offset\"", "src.len"];
    let all: Vec<_> = places.into_iter().chain(own.iter().copied()).collect();
    format!("row({})", all.join(", "))
}

/// The statement that makes the table of a view, with all that can be kept.
fn kept_table(view: View) -> String {
    let columns = table_columns(view, |name| name != "index");
    format!("CREATE TABLE IF NOT EXISTS {} ({columns}, {OPEN} BOOLEAN)", view.table())
}

/// The statement that makes a view.
fn shown(database: &str, view: View, shows: Shows) -> String {
    let has = |column: &str| match shows {
        Shows::Nothing => false,
        Shows::Records => column != "index",
        Shows::Numbered => true,
    };
    let order = format!("t NULLS FIRST, {FILE}, src.\"offset\", src.line, src.len");
    let index = format!("row_number() OVER (ORDER BY {order})");
    let columns = view_columns(view, &has, &index);
    let from = match shows {
        Shows::Nothing => "range(0)".to_owned(),
        _ => format!("{}.{}", quoted(database), view.table()),
    };
    let name = quoted(view.name());
    format!("CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM {from};")
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::file::tests::{folder, opened};
    use crate::{Access, View, Warehouse};

    #[test]
    fn open_records_of_absent_logs_stay_until_they_are_back() {
        let (_folder, path) = folder();
        let warehouse = opened(&path);
        let sids = || -> String {
            let sql = "SELECT coalesce(string_agg(sid, ' ' ORDER BY sid), '') FROM records.turns";
            warehouse.one(sql).expect("sessions")
        };
        warehouse.begin(View::Turns).expect("to begin");
        let add = |sid: &str, file: u8, offset: u8, open: bool| {
            let src = format!("{{path: 'x', line: 1, \"offset\": {offset}, len: 1}}");
            let columns = "(sid, _file, src, _open)";
            let sql = format!(
                "INSERT INTO records.turns {columns} VALUES ('{sid}', {file}, {src}, {open})"
            );
            warehouse.run(&sql).expect("a record");
        };
        for (sid, file, offset, open) in [
            ("final", 0, 0, false),
            ("absent", 0, 1, true),
            ("ended", 0, 2, true),
            ("here", 1, 0, true),
        ] {
            add(sid, file, offset, open);
        }
        warehouse.drop_open(View::Turns, &[0]).expect("to drop");
        assert_eq!(sids(), "absent ended final");
        // What is known of both by now: the one less than before, the other more.
        add("less", 0, 1, true);
        add("more", 0, 2, false);
        warehouse.settle(View::Turns).expect("to settle");
        assert_eq!(sids(), "absent final more");
        // A run that was killed has not settled; then the log is back.
        warehouse.drop_open(View::Turns, &[0]).expect("to drop");
        assert_eq!(sids(), "absent final more");
        warehouse.drop_open(View::Turns, &[]).expect("to drop");
        assert_eq!(sids(), "final more");
    }

    #[test]
    fn what_is_not_kept_is_not_there() {
        let (_folder, path) = folder();
        let kept = |n: u8| Kept { asked: "--tz auto".into(), point: vec![n, 0] };
        let warehouse = opened(&path);
        for n in [1, 2] {
            warehouse.begin(View::Turns).expect("to begin");
            warehouse.keep(View::Turns, &kept(n), &[n; 300]).expect("to keep");
        }
        warehouse.begin(View::Turns).expect("to begin");
        warehouse.run("INSERT INTO records.turns (sid) VALUES ('lost')").expect("a record");
        drop(warehouse);
        let warehouse =
            Warehouse::open_to_read(&path, &Access::default(), false).expect("the file");
        assert_eq!(warehouse.kept(View::Turns).expect("a state"), Some(kept(2)));
        assert_eq!(warehouse.fold(View::Turns).expect("a state"), [2; 300]);
        assert_eq!(warehouse.counts(View::Turns).expect("counts"), (0, 0));
        assert_eq!(warehouse.kept(View::Calls).expect("no state"), None);
    }
}

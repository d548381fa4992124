//! Tables that are kept in a file, and how far the logs were read for each.
//!
//! Records of a view and the point that its logs were read to are written in one transaction:
//! whoever is killed leaves the file as it was after the last. Records that were still open then are
//! marked, and go when the next run knows more.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use duckdb::{AccessMode, Connection, OptionalExt};

use crate::error::{WarehouseError, message, of_store};
use crate::store::{Access, Query, Warehouse, literal};
use crate::view::{FILE, OPEN, View, quoted};

/// How far the logs were read for a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The flags that change what records are, as they were given.
    pub asked: String,
    /// Where reading stopped.
    pub point: Vec<u8>,
    /// What the fold knew then.
    pub fold: Vec<u8>,
}

/// The form of tables and states. A file of another form is not read.
const FORM: &str = concat!("alog ", env!("CARGO_PKG_VERSION"), ", form 1");

/// What stands in a database, and where.
const MAGIC: (u64, &[u8]) = (8, b"DUCK");

const FOREIGN: &str = "is a database of something else";

/// How often it is tried again to open a file that another process has.
const PATIENCE: Duration = Duration::from_millis(200);

impl Warehouse {
    /// Opens a file to add records, or makes it. With `wait` another process that has it is waited
    /// for; with `anew` all that it holds is forgotten, whatever form it has.
    pub fn open(
        path: &Path,
        access: &Access,
        wait: bool,
        anew: bool,
    ) -> Result<Self, WarehouseError> {
        let warehouse = Self::opened(path, access, wait, &AccessMode::ReadWrite)?;
        let tables = "SELECT count(*) FROM duckdb_tables() WHERE NOT internal";
        let tables: i64 = warehouse.one(tables)?;
        let ours = warehouse.is_ours()?;
        if tables > 0 && !ours {
            return Err(foreign(path, FOREIGN));
        }
        if anew && ours {
            warehouse.forget_all()?;
        }
        if !ours || anew {
            warehouse.run(&format!(
                "BEGIN; CREATE TABLE _alog (form VARCHAR); \
                 CREATE TABLE _read (view VARCHAR PRIMARY KEY, asked VARCHAR, point BLOB, fold BLOB); \
                 INSERT INTO _alog VALUES ({}); COMMIT",
                literal(FORM)
            ))?;
        }
        warehouse.of_this_form(path)
    }

    /// Opens a file for queries alone.
    pub fn open_to_read(path: &Path, access: &Access, wait: bool) -> Result<Self, WarehouseError> {
        let warehouse = Self::opened(path, access, wait, &AccessMode::ReadOnly)?;
        if !warehouse.is_ours()? {
            return Err(foreign(path, FOREIGN));
        }
        warehouse.of_this_form(path)
    }

    /// Whether there are tables of ours.
    fn is_ours(&self) -> Result<bool, WarehouseError> {
        let ours = "SELECT count(*) FROM duckdb_tables() WHERE table_name = '_alog'";
        Ok(self.one::<i64>(ours)? > 0)
    }

    /// Itself, if its tables are those of this version.
    fn of_this_form(self, path: &Path) -> Result<Self, WarehouseError> {
        let form: String = self.one("SELECT form FROM _alog")?;
        if form != FORM {
            let text = format!("was made by {form}, and this is {FORM}: --rebuild makes it anew");
            return Err(foreign(path, &text));
        }
        Ok(self)
    }

    fn opened(
        path: &Path,
        access: &Access,
        wait: bool,
        mode: &AccessMode,
    ) -> Result<Self, WarehouseError> {
        // As a path from the root it is the name of a file, whatever else DuckDB reads in names such as
        // `:memory:` or `md:x`.
        let file = std::path::absolute(path)?;
        check_kind(path)?;
        loop {
            let config =
                access.config()?.access_mode(mode_again(mode)).map_err(|e| of_store(&e))?;
            match Connection::open_with_flags(&file, config) {
                Ok(connection) => return Self::prepared(connection, access),
                Err(e) => match locked(path, &e) {
                    Some(_) if wait => thread::sleep(PATIENCE),
                    Some(locked) => return Err(locked),
                    None => return Err(foreign(path, &message(&e))),
                },
            }
        }
    }

    fn one<T: duckdb::types::FromSql>(&self, sql: &str) -> Result<T, WarehouseError> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|e| of_store(&e))
    }

    /// How far the logs were read for a view; none if they never were.
    pub fn kept(&self, view: View) -> Result<Option<Kept>, WarehouseError> {
        let sql = "SELECT asked, point, fold FROM _read WHERE view = ?";
        let kept = self.connection.query_row(sql, [view.name()], |row| {
            Ok(Kept { asked: row.get(0)?, point: row.get(1)?, fold: row.get(2)? })
        });
        kept.optional().map_err(|e| of_store(&e))
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

    /// Keeps what was added since [`Warehouse::begin`], and how far the logs were read for it.
    pub fn keep(&self, view: View, kept: &Kept) -> Result<(), WarehouseError> {
        let sql = "INSERT OR REPLACE INTO _read VALUES (?, ?, ?, ?)";
        let values = duckdb::params![view.name(), kept.asked, kept.point, kept.fold];
        self.connection.execute(sql, values).map_err(|e| of_store(&e))?;
        self.run("COMMIT")
    }

    /// Forgets all that is kept.
    fn forget_all(&self) -> Result<(), WarehouseError> {
        let drops: String =
            View::ALL.map(|view| format!("DROP TABLE IF EXISTS {};", view.table())).concat();
        self.run(&format!("BEGIN; {drops} DROP TABLE IF EXISTS _read; DROP TABLE _alog; COMMIT"))
    }

    /// How many records of a view are kept, and how many of them are open.
    pub fn counts(&self, view: View) -> Result<(u64, u64), WarehouseError> {
        if !self.has_table(view)? {
            return Ok((0, 0));
        }
        let sql = format!("SELECT count(*), count(*) FILTER ({OPEN}) FROM {}", view.table());
        let counts = self.connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        counts.map_err(|e| of_store(&e))
    }

    fn has_table(&self, view: View) -> Result<bool, WarehouseError> {
        let sql = format!(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = {}",
            literal(&view.table())
        );
        Ok(self.one::<i64>(&sql)? > 0)
    }

    /// Makes the views over what is kept, for one query: records are numbered if it wants them to be.
    pub fn show(&self, query: &Query) -> Result<(), WarehouseError> {
        for view in View::ALL {
            if !self.has_table(view)? {
                self.run(&format!("CREATE TEMP TABLE {} ({FILE} INTEGER)", view.table()))?;
                self.run(&shown(view, &|_| false))?;
                continue;
            }
            let reads_index = query
                .needs
                .get(&view)
                .is_some_and(|need| need.columns.iter().any(|column| column == "index"));
            self.run(&shown(view, &|column| column != "index" || reads_index))?;
        }
        Ok(())
    }
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
    let columns = crate::store::table_columns(view, |name| name != "index");
    format!("CREATE TABLE IF NOT EXISTS {} ({columns}, {OPEN} BOOLEAN)", view.table())
}

/// The statement that makes a view over it.
fn shown(view: View, has: &dyn Fn(&str) -> bool) -> String {
    let order = format!("t NULLS FIRST, {FILE}, src.\"offset\", src.line, src.len");
    let index = format!("row_number() OVER (ORDER BY {order})");
    let columns = crate::store::view_columns(view, has, &index);
    let (name, table) = (quoted(view.name()), view.table());
    format!("CREATE TEMP VIEW {name} AS SELECT {columns} FROM {table}")
}

/// `AccessMode` cannot be copied.
fn mode_again(mode: &AccessMode) -> AccessMode {
    match mode {
        AccessMode::ReadOnly => AccessMode::ReadOnly,
        _ => AccessMode::ReadWrite,
    }
}

/// Refuses what is there and is no database. DuckDB itself takes a table in text for one, and a pipe
/// would be waited for.
fn check_kind(path: &Path) -> Result<(), WarehouseError> {
    let start = || -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        if fs::metadata(path)?.is_file() {
            File::open(path)?.take(MAGIC.0 + MAGIC.1.len() as u64).read_to_end(&mut start)?;
        }
        Ok(start)
    };
    match start() {
        Ok(start) if start.ends_with(MAGIC.1) => Ok(()),
        Ok(_) => Err(foreign(path, "is no DuckDB database")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(foreign(path, &e.to_string())),
    }
}

fn foreign(path: &Path, text: &str) -> WarehouseError {
    WarehouseError::File { path: path.to_owned(), why: text.into() }
}

/// Whether an error says that another process has the file, and what it says of it.
fn locked(path: &Path, error: &duckdb::Error) -> Option<WarehouseError> {
    let text = message(error);
    if !text.contains("Could not set lock on file") {
        return None;
    }
    let by = text.split_once("Conflicting lock is held in ").map(|(_, by)| by);
    let by = by.map(|by| by.split_once(". See also").map_or(by, |(by, _)| by));
    let by = format!("in use by {}; --wait waits", by.unwrap_or("another process"));
    Some(WarehouseError::Locked { path: path.to_owned(), by })
}

#[cfg(test)]
mod tests {
    use super::{FORM, Kept};
    use crate::{Access, View, Warehouse, WarehouseError};
    use duckdb::Connection;
    use std::path::{Path, PathBuf};

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kept");
        (folder, path)
    }

    fn run(path: &Path, sql: &str) {
        Connection::open(path).and_then(|file| file.execute_batch(sql)).expect("a database");
    }

    /// What is said of a file that is opened to add to, anew, and to read.
    fn refused(path: &Path) -> [Option<String>; 3] {
        let access = Access::default();
        let said = |opened: Result<Warehouse, WarehouseError>| opened.err().map(|e| e.to_string());
        [
            said(Warehouse::open_to_read(path, &access, false)),
            said(Warehouse::open(path, &access, false, false)),
            said(Warehouse::open(path, &access, false, true)),
        ]
    }

    #[test]
    fn a_database_of_something_else_is_left_alone() {
        let (_folder, path) = folder();
        run(&path, "CREATE TABLE mine AS SELECT 42 AS n");
        let said = Some(format!("{}: is a database of something else", path.display()));
        assert_eq!(refused(&path), [said.clone(), said.clone(), said]);
        run(&path, "SELECT error('lost') FROM mine HAVING sum(n) IS DISTINCT FROM 42");
    }

    #[test]
    fn a_file_of_another_form_is_made_anew_if_asked() {
        let (_folder, path) = folder();
        run(
            &path,
            "CREATE TABLE _alog AS SELECT 'alog 0.0, form 0' AS form; CREATE TABLE _turns (n INTEGER)",
        );
        let [read, added, anew] = refused(&path);
        let told =
            format!("was made by alog 0.0, form 0, and this is {FORM}: --rebuild makes it anew");
        assert!(read.is_some_and(|text| text.ends_with(&told)));
        assert!(added.is_some_and(|text| text.ends_with(&told)));
        assert_eq!(anew, None);
        assert_eq!(refused(&path), [None, None, None]);
    }

    #[test]
    fn open_records_of_absent_logs_stay_until_they_are_back() {
        let (_folder, path) = folder();
        let warehouse = Warehouse::open(&path, &Access::default(), false, false).expect("a file");
        let sids = || -> String {
            let sql = "SELECT coalesce(string_agg(sid, ' ' ORDER BY sid), '') FROM _turns";
            warehouse.one(sql).expect("sessions")
        };
        warehouse.begin(View::Turns).expect("to begin");
        let add = |sid: &str, file: u8, offset: u8, open: bool| {
            let src = format!("{{path: 'x', line: 1, \"offset\": {offset}, len: 1}}");
            let columns = "(sid, _file, src, _open)";
            let sql =
                format!("INSERT INTO _turns {columns} VALUES ('{sid}', {file}, {src}, {open})");
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
        let access = Access::default();
        let kept =
            |n: u8| Kept { asked: "--tz auto".into(), point: vec![n, 0], fold: vec![n; 300] };
        let warehouse = Warehouse::open(&path, &access, false, false).expect("a file");
        for n in [1, 2] {
            warehouse.begin(View::Turns).expect("to begin");
            warehouse.keep(View::Turns, &kept(n)).expect("to keep");
        }
        warehouse.begin(View::Turns).expect("to begin");
        warehouse.run("INSERT INTO _turns (sid) VALUES ('lost')").expect("a record");
        drop(warehouse);
        let warehouse = Warehouse::open_to_read(&path, &access, false).expect("the file");
        assert_eq!(warehouse.kept(View::Turns).expect("a state"), Some(kept(2)));
        assert_eq!(warehouse.counts(View::Turns).expect("counts"), (0, 0));
        assert_eq!(warehouse.kept(View::Calls).expect("no state"), None);
    }
}

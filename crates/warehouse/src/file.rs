//! The file that tables are kept in: opened to look, to add, and again to read alone.
//!
//! It is attached to a DuckDB that is there, in one way or the other: to start another takes longer than
//! most of what is done with it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use duckdb::{AccessMode, Connection};
use rustix::fs::Mode;
use rustix::process::umask;

use crate::error::{WarehouseError, message, of_store};
use crate::kept::{FORM, Shows};
use crate::store::{Access, Warehouse, literal};
use crate::view::{SCHEMA, View, quoted};

/// A file, and how it is attached.
pub(crate) struct KeptFile {
    path: PathBuf,
    /// Whether another process that has it is waited for.
    wait: bool,
    attached: Option<For>,
    /// The views that were made, each with what it shows.
    pub(crate) views: BTreeMap<View, Shows>,
}

/// What a file is attached for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Reading,
    Adding,
}

/// What stands in a database, and where.
const MAGIC: (u64, &[u8]) = (8, b"DUCK");

const FOREIGN: &str = "is a database of something else";

/// Rows that DuckDB writes together: all of them are written anew if one is added or goes. Blocks are
/// what it writes and reserves at the least. Both are smaller than its own choice, since most runs add
/// little.
const ROWS: &str = "ROW_GROUP_SIZE 32768";
const BLOCKS: &str = "BLOCK_SIZE 65536";

/// Changes are not written to a log before they are written to the file: [`CHECKPOINT`] does that, whole
/// or not at all.
const NO_LOG: &str = "RECOVERY_MODE no_wal_writes";

/// Writes what was committed.
pub(crate) const CHECKPOINT: &str = "CHECKPOINT kept";

/// How often it is tried again to open a file that another process has.
const PATIENCE: Duration = Duration::from_millis(200);

impl KeptFile {
    /// Tries to open the file until another process that has it lets go, if it is waited for.
    fn opened<T>(&self, open: impl Fn() -> duckdb::Result<T>) -> Result<T, WarehouseError> {
        loop {
            match open().map_err(|e| (locked(&self.path, &e), e)) {
                Ok(opened) => return Ok(opened),
                Err((Some(_), _)) if self.wait => thread::sleep(PATIENCE),
                Err((Some(locked), _)) => return Err(locked),
                Err((None, e)) => return Err(foreign(&self.path, &message(&e))),
            }
        }
    }
}

impl Warehouse {
    /// Looks what the file holds, if it is there.
    pub fn open_to_look(&mut self) -> Result<(), WarehouseError> {
        let Some(KeptFile { path, .. }) = &self.file else { return Ok(()) };
        check_kind(path)?;
        // What a killed run has left in the log of changes is for who may write.
        if path.exists() && !log_of_changes(path).exists() {
            self.attach(For::Reading)?;
            if self.form()?.is_some_and(|form| form == FORM) {
                self.make_views(|_| false)?;
            } else {
                self.detach()?;
            }
        }
        Ok(())
    }

    /// Opens a file to read what it holds, or says what it is.
    pub fn open_to_read(path: &Path, access: &Access, wait: bool) -> Result<Self, WarehouseError> {
        let mut warehouse = Self::over(path, access, wait)?;
        warehouse.attach(For::Reading)?;
        warehouse.check_form()?;
        Ok(warehouse)
    }

    /// Starts the DuckDB for a file, which is not touched yet. With `wait` another process that has it
    /// will be waited for.
    pub fn over(path: &Path, access: &Access, wait: bool) -> Result<Self, WarehouseError> {
        let (path, views) = (path.to_owned(), BTreeMap::new());
        let file = KeptFile { path, wait, attached: None, views };
        Ok(Self { file: Some(file), ..Self::unlocked(access)? })
    }

    /// Opens the file to add records, if it is not, or makes it. With `anew` all that it holds is
    /// forgotten, whatever form it has.
    pub fn open_to_add(&mut self, anew: bool) -> Result<(), WarehouseError> {
        if self.is_attached(For::Adding) && !anew {
            return Ok(());
        }
        self.attach(For::Adding)?;
        match self.schema_of_form()? {
            (0, None) => self.make_tables(),
            (_, None) => Err(self.refused(FOREIGN)),
            (_, Some(schema)) if anew => {
                self.forget_all(&schema)?;
                self.make_tables()
            }
            (_, Some(_)) => self.check_form(),
        }
    }

    /// From here on the file is only read, and others may read it too.
    pub(crate) fn add_no_more(&mut self) -> Result<(), WarehouseError> {
        if self.is_attached(For::Reading) { Ok(()) } else { self.attach(For::Reading) }
    }

    /// Takes another DuckDB, which has the file and nothing else and cannot write, whatever is attached.
    pub(crate) fn open_alone(&mut self, access: &Access) -> Result<(), WarehouseError> {
        self.detach()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let path = std::path::absolute(&file.path)?;
        let open = || {
            let config = access.config()?.access_mode(AccessMode::ReadOnly)?;
            Connection::open_with_flags(&path, config)
        };
        self.connection = file.opened(open)?;
        file.views.clear();
        file.attached = Some(For::Reading);
        self.set_up(access)
    }

    fn is_attached(&self, what_for: For) -> bool {
        self.file.as_ref().is_some_and(|file| file.attached == Some(what_for))
    }

    /// Whether there is a file to look at.
    pub fn is_open(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.attached.is_some())
    }

    fn attach(&mut self, what_for: For) -> Result<(), WarehouseError> {
        self.detach()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        check_kind(&file.path)?;
        // As a path from the root it is the name of a file, whatever else DuckDB reads in names such as
        // `:memory:` or `md:x`.
        let path = std::path::absolute(&file.path)?;
        let Some(name) = path.to_str() else {
            return Err(foreign(&file.path, "DuckDB takes names in UTF-8 only"));
        };
        let how = match what_for {
            For::Reading => "READ_ONLY".to_owned(),
            For::Adding if path.exists() => format!("READ_WRITE, {NO_LOG}, {ROWS}"),
            For::Adding => format!("READ_WRITE, {NO_LOG}, {ROWS}, {BLOCKS}"),
        };
        let sql = format!("ATTACH {} AS kept (TYPE duckdb, {how}); USE kept", literal(name));
        // If DuckDB makes the file, then for nobody else to read: logs hold secrets.
        let usual = umask(Mode::RWXG | Mode::RWXO);
        let attached = file.opened(|| self.connection.execute_batch(&sql));
        umask(usual);
        file.attached = attached.is_ok().then_some(what_for);
        attached
    }

    fn detach(&mut self) -> Result<(), WarehouseError> {
        if self.is_open() {
            self.run("USE memory; DETACH kept")?;
        }
        if let Some(file) = &mut self.file {
            file.attached = None;
        }
        Ok(())
    }

    /// How many tables there are, and the schema of the one that says of which form they are.
    fn schema_of_form(&self) -> Result<(i64, Option<String>), WarehouseError> {
        let sql = "SELECT count(*), max(schema_name) FILTER (table_name = '_alog') \
                   FROM duckdb_tables() WHERE database_name = current_database()";
        let found = self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        found.map_err(|e| of_store(&e))
    }

    /// Which form the tables are of; none in a database of something else.
    fn form(&self) -> Result<Option<String>, WarehouseError> {
        let (_, Some(schema)) = self.schema_of_form()? else { return Ok(None) };
        self.one(&format!("SELECT form FROM {}._alog", quoted(&schema))).map(Some)
    }

    /// Refuses tables that are not of this version.
    fn check_form(&self) -> Result<(), WarehouseError> {
        match self.form()? {
            Some(form) if form == FORM => Ok(()),
            Some(form) => Err(self.refused(&format!(
                "was made by {form}, and this is {FORM}: --rebuild makes it anew"
            ))),
            None if self.schema_of_form()?.0 == 0 => Err(self.refused(
                "holds nothing yet, since the run that made it was killed: the next query fills it",
            )),
            None => Err(self.refused(FOREIGN)),
        }
    }

    /// Forgets all that is kept. Tables of an older form stand beside others.
    fn forget_all(&self, schema: &str) -> Result<(), WarehouseError> {
        if schema == SCHEMA {
            return self.run(&format!("DROP SCHEMA {SCHEMA} CASCADE"));
        }
        let views =
            View::ALL.map(|view| format!("DROP TABLE IF EXISTS _{};", view.name())).concat();
        self.run(&format!("BEGIN; {views} DROP TABLE IF EXISTS _read; DROP TABLE _alog; COMMIT"))
    }

    fn refused(&self, why: &str) -> WarehouseError {
        let path = self.file.as_ref().map(|file| file.path.as_path());
        foreign(path.unwrap_or(Path::new("")), why)
    }
}

/// Where DuckDB keeps what it has not merged.
fn log_of_changes(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
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
    // What follows is advice for who has DuckDB's own shell.
    let advice = [". However", ". See also"];
    let by = by
        .map(|by| &by[..advice.iter().filter_map(|text| by.find(text)).min().unwrap_or(by.len())]);
    let by = format!("in use by {}; --wait waits", by.unwrap_or("another process"));
    Some(WarehouseError::Locked { path: path.to_owned(), by })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::FORM;
    use crate::{Access, Warehouse, WarehouseError};
    use duckdb::Connection;
    use std::path::{Path, PathBuf};

    pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kept");
        (folder, path)
    }

    /// A file that can be added to.
    pub(crate) fn opened(path: &Path) -> Warehouse {
        opened_anew(path, false).expect("a file")
    }

    fn opened_anew(path: &Path, anew: bool) -> Result<Warehouse, WarehouseError> {
        let mut warehouse = Warehouse::over(path, &Access::default(), false)?;
        warehouse.open_to_look()?;
        warehouse.open_to_add(anew).map(|()| warehouse)
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
            said(opened_anew(path, false)),
            said(opened_anew(path, true)),
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
    fn a_file_that_nothing_was_put_into_yet_can_be_added_to() {
        let (_folder, path) = folder();
        run(&path, "SELECT 1");
        let [read, added, _] = refused(&path);
        assert!(read.is_some_and(|text| text.contains("holds nothing")));
        assert_eq!(added, None);
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
}

//! `alog-sql`: forensic questions in SQL, over the records of all commands.

mod events;
mod export;
mod keep;
mod load;
mod question;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use cli::{CommonFlags, Output, Run, Selection, Verdict};
use question::Question;
use warehouse::{Access, Query, View, Warehouse, WarehouseError};

/// Ask logs in SQL: views events, prompts, turns, deltas, tokens, calls
///
/// Runs DuckDB over the records that the other commands print. Each is a row of the view with the
/// command's name; columns are the keys of its records. tokens_by_call holds one row a call to a
/// model. Only what the query names is read. `DESCRIBE turns` says which columns there are.
#[derive(Clone, Parser)]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
#[command(name = "alog-sql", version, after_long_help = EXAMPLES)]
struct Args {
    /// The query, or @NAME for one that comes with alog
    #[arg(value_name = "QUERY")]
    query: Option<String>,

    /// Read the query from FILE (- for standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    file: Option<PathBuf>,

    /// Set parameter $NAME of the query; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = question::parameter)]
    param: Vec<(String, String)>,

    /// List the queries that come with alog
    #[arg(long)]
    list: bool,

    /// Keep the records in FILE, a DuckDB database, and read only what the logs gained since
    ///
    /// The first run reads all logs for the views that the query names, later ones what is new in
    /// them. Takes no --since, --provider and the like: write them in the query.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["export", "list"])]
    db: Option<PathBuf>,

    /// With --db, forget what FILE holds and read all anew
    #[arg(long, requires = "db")]
    rebuild: bool,

    /// With --db, print what FILE holds of each view; takes no query
    #[arg(long, requires = "db", conflicts_with_all = ["rebuild", "file"])]
    status: bool,

    /// With --db, wait until no other process has FILE
    #[arg(long, requires = "db")]
    wait: bool,

    /// Write the views as Parquet below DIR, partitioned by provider and date
    ///
    /// One directory a view, such as DIR/turns/provider=codex/date=2025-11-18: what Spark, ClickHouse
    /// and DuckDB read as one table. Takes no query; dates are those of --zone.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "list", "param"])]
    export: Option<PathBuf>,

    /// With --export, only these views, separated by commas [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "export", value_parser = export::view)]
    views: Vec<View>,

    /// With --export, how Parquet is compressed
    #[arg(long, value_name = "CODEC", default_value = "zstd", requires = "export")]
    compression: export::Compression,

    /// How much memory tables may take, such as 512MB; the rest goes to a temporary directory
    #[arg(long, value_name = "SIZE", default_value = "2GB")]
    memory: String,

    /// Let the query read and write files, load extensions, and change settings
    #[arg(long = "unsafe")]
    unsafe_: bool,

    #[command(flatten)]
    common: CommonFlags,
}

const EXAMPLES: &str = "\
Examples:
  alog-sql 'SELECT provider, count(*) AS n FROM turns GROUP BY ALL'
  alog-sql @slow-tools -o table --since 7d            # a query that comes with alog
  alog-sql --list                                     # which there are, and their parameters
  alog-sql --export lake --zone UTC ~/logs            # Parquet for engines of clusters
  alog-sql \"SELECT t, payload->>'reason' AS why FROM events WHERE event = 'turn.response.aborted'\"

Exit status: 0 done; 1 no row and --fail-empty; 2 usage, a query that cannot be answered, unreadable
input, or a bad line and --strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR,
COLUMNS.";

fn main() -> ExitCode {
    cli::main("alog-sql", None, |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    if args.list {
        return question::list(&args.common.output);
    }
    if let Some(dir) = &args.export {
        return export::run(args, dir);
    }
    let spill = tempfile::tempdir().context("a temporary directory")?;
    if let (Some(path), true) = (&args.db, args.status) {
        let access = Asked::without_question(args).access(spill.path())?;
        return keep::status(path, args, &access);
    }
    let asked = Asked::of(args)?;
    let access = asked.access(spill.path())?;
    match &args.db {
        Some(path) => keep::ask(path, args, &asked, &access),
        None => ask(&asked, &access),
    }
}

/// Answers a query from the logs alone.
fn ask(asked: &Asked, access: &Access) -> anyhow::Result<Verdict> {
    let (query, warehouse) = asked.understood_while(access, || Warehouse::in_memory(access))?;
    let mut run = Run::sparing(&asked.common, load::spared(&query.needs))?;
    load::load(&warehouse, &query.needs, &mut run)?;
    run.report.counts.records = print(warehouse, query, asked)?;
    Ok(run.finish())
}

/// Prints the answer of a query, which is the last thing that is done with it. Returns how many rows it has.
fn print(warehouse: Warehouse, query: Query, asked: &Asked) -> anyhow::Result<u64> {
    let answer = warehouse.answer(&query)?;
    let columns = answer.columns();
    let mut output = Output::of_columns(&asked.common.output, columns.clone(), &columns);
    answer.each_row(|row| -> anyhow::Result<()> {
        Ok(output.record(|_, out| out.extend_from_slice(row))?)
    })?;
    output.finish()?;
    // The process ends. To take DuckDB apart before would take longer than many an answer.
    std::mem::forget((warehouse, query));
    Ok(output.printed())
}

/// What was asked for.
struct Asked {
    question: Question,
    common: CommonFlags,
    memory: String,
    unsafe_: bool,
}

impl Asked {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let mut common = args.common.clone();
        anyhow::ensure!(
            common.selection.last.is_none() && common.selection.first.is_none(),
            "-n and --first count records: write LIMIT in the query"
        );
        let query = match (&args.file, &args.query) {
            // With a file the first operand is a log.
            (Some(_), Some(path)) => {
                common.input.paths.insert(0, path.into());
                None
            }
            (_, query) => query.as_deref(),
        };
        let question = Question::new(query, args.file.as_deref(), &args.param)?;
        Ok(Self { question, common, memory: args.memory.clone(), unsafe_: args.unsafe_ })
    }

    /// The same for what takes no query.
    fn without_question(args: &Args) -> Self {
        let question = Question { sql: String::new(), parameters: Vec::new() };
        let common = args.common.clone();
        Self { question, common, memory: args.memory.clone(), unsafe_: args.unsafe_ }
    }

    /// Understands the query while a database is opened: each takes a DuckDB of its own, which is slow to
    /// start.
    fn understood_while(
        &self,
        access: &Access,
        open: impl FnOnce() -> Result<Warehouse, WarehouseError>,
    ) -> Result<(Query, Warehouse), WarehouseError> {
        let Question { sql, parameters } = &self.question;
        std::thread::scope(|scope| {
            let query = scope.spawn(|| Query::understood(sql, parameters, access));
            let warehouse = open();
            let query = query.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((query?, warehouse?))
        })
    }

    fn access(&self, spill: &Path) -> anyhow::Result<Access> {
        let zone = Selection::new(&self.common.selection)?.zone_name();
        Ok(Access {
            unsafe_: self.unsafe_,
            zone: zone.context("--zone: DuckDB has zones with names only, such as Asia/Kolkata")?,
            threads: self.common.input.jobs,
            spill: Some(spill.to_owned()),
            memory: self.memory.clone(),
            allowed: Vec::new(),
        })
    }
}

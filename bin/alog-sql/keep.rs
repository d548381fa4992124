//! `--db`: the records of views in a file, to which a run adds what the logs gained since the last.

use std::path::Path;

use agentlog::fold::calls::Calls;
use agentlog::fold::deltas::Deltas;
use agentlog::fold::prompts::{Kind, Prompt, Prompts};
use agentlog::fold::tokens::{self, By, TokenUse};
use agentlog::fold::turns::Turns;
use agentlog::fold::{BadState, Fold, Resume};
use agentlog::record::SrcPath;
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use cli::{
    CommonFlags, InColumns, Look, Output, ReadRows, Report, ResumePoint, Run, Shares, Sink,
    Verdict, fold_on, reads, saved,
};
use jsonl::Needles;
use ledger::Prices;
use serde_json::json;
use warehouse::{Access, Columns, Kept, Needs, View, Warehouse};

use crate::events::{KeptEvent, KeptRows, Onward};
use crate::load::{self, BY_CALL};
use crate::{Args, Asked, print};

/// Brings a file up to date, and answers a query from it.
pub fn ask(path: &Path, args: &Args, asked: &Asked, access: &Access) -> Result<Verdict> {
    let selection = &asked.common.selection;
    ensure!(
        selection.provider.is_none()
            && selection.session.is_empty()
            && selection.cwd.is_none()
            && selection.since.is_none()
            && selection.until.is_none(),
        "--db keeps all records: --since, --until, --provider, --session and --cwd are for the query"
    );
    let start = || Warehouse::over(path, access, args.wait);
    let (query, mut warehouse) = asked.understood_while(access, start)?;
    warehouse.open_to_look()?;
    if args.rebuild || !warehouse.is_open() {
        warehouse.open_to_add(args.rebuild)?;
    }
    let (mut report, added) = update(&mut warehouse, &query.needs, (&asked.common, &access.zone))?;
    let answer = || {
        added?;
        warehouse.show(&query, access)?;
        print(warehouse, query, asked)
    };
    let answered = answer();
    // What was read is kept, and not read again: whatever became of the query, this is the time to tell.
    report.counts.records = *answered.as_ref().unwrap_or(&0);
    let verdict = report.finish();
    answered.map(|_| verdict)
}

/// Prints what a file holds.
pub fn status(path: &Path, args: &Args, access: &Access) -> Result<Verdict> {
    ensure!(path.exists(), "--db: {}: there is no such file", path.display());
    let warehouse = Warehouse::open_to_read(path, access, args.wait)?;
    let keys = ["view", "records", "open", "logs", "gone", "bytes"];
    let flags = &args.common.output;
    let mut output = Output::of_columns(flags, keys.map(String::from).into(), &keys);
    for view in View::ALL {
        let Some(kept) = warehouse.kept(view)? else { continue };
        let (records, open) = warehouse.counts(view)?;
        let point = ResumePoint::from_bytes(&kept.point).map_err(|e| spoilt(view, e))?;
        let read: Vec<_> = point.read().collect();
        let row = json!({
            "view": view.name(),
            "records": records,
            "open": open,
            "logs": read.len(),
            "gone": read.iter().filter(|log| log.gone).count(),
            "bytes": read.iter().map(|log| log.bytes).sum::<u64>(),
        });
        output.record(|_, out| out.extend_from_slice(row.to_string().as_bytes()))?;
    }
    output.finish()?;
    Ok(Verdict::Done)
}

/// Adds to the views that are needed what the logs gained. Each view is of a reading of its own, since
/// each may have been read to another point; what they meet is told once, also if it fails.
fn update(
    warehouse: &mut Warehouse,
    needs: &Needs,
    (common, zone): (&CommonFlags, &str),
) -> Result<(Report, Result<()>)> {
    Run::use_threads(common)?;
    let mut report = Report::new(&common.checks, &common.output)?.of_readings();
    for view in View::ALL.into_iter().filter(|view| needs.contains_key(view)) {
        let asked = asked(view, common, zone);
        loop {
            report.begin_reading();
            let mut run = Run::to_go_on(common, report)?;
            run.stay_with(|log| load::may_hold(view, log, None));
            let is_done = bring_up_to_date(warehouse, view, &asked, &mut run);
            report = run.report;
            match is_done {
                Ok(true) => break,
                Ok(false) => {}
                Err(e) => return Ok((report, Err(e))),
            }
        }
    }
    Ok((report, Ok(())))
}

/// Adds to one view. False if another run has added by now: then it is to be looked again.
fn bring_up_to_date(
    warehouse: &mut Warehouse,
    view: View,
    asked: &str,
    run: &mut Run,
) -> Result<bool> {
    let mut kept = warehouse.kept(view)?.unwrap_or_default();
    if kept.point.is_empty() {
        asked.clone_into(&mut kept.asked);
    } else {
        check_asked(view, &kept.asked, asked)?;
    }
    let point = match &kept.point[..] {
        [] => ResumePoint::start(),
        bytes => ResumePoint::from_bytes(bytes).map_err(|e| spoilt(view, e))?,
    };
    run.go_on_from(point.clone(), "--rebuild reads all anew").context("--db")?;
    let has_gained = kept.point.is_empty() || run.has_gained();
    let mut point = point;
    if !has_gained && !point.learn_gone(run.resume_point()) {
        return Ok(true);
    }
    // So far others may have the file, too.
    warehouse.open_to_add(false)?;
    if warehouse.kept(view)?.unwrap_or_default().point != kept.point {
        return Ok(false);
    }
    if has_gained {
        Update { warehouse, view, kept }.add(run)?;
    } else {
        let fold = warehouse.fold(view)?;
        warehouse.begin(view)?;
        warehouse.keep(view, &Kept { point: point.to_bytes(), ..kept }, &fold)?;
    }
    Ok(true)
}

/// The flags that change what the records of a view are, one a line.
fn asked(view: View, common: &CommonFlags, zone: &str) -> String {
    let (input, selection) = (&common.input, &common.selection);
    let mut flags =
        vec![format!("--tz {}", selection.tz), format!("--max-line {}", input.max_line)];
    if view == View::TokensByCall {
        // One zone, whichever name this machine has for it.
        let zone = if ["Etc/UTC", "Etc/GMT+0"].contains(&zone) { "UTC" } else { zone };
        flags.push(format!("--zone {zone}"));
    }
    let source = input.source.and_then(|source| source.to_possible_value());
    flags.extend(source.map(|source| format!("--source {}", source.get_name())));
    flags.join("\n")
}

/// Refuses to add to a view what other flags would make of the logs.
fn check_asked(view: View, was: &str, is: &str) -> Result<()> {
    if was == is {
        return Ok(());
    }
    let only = |one: &str, other: &str| {
        let differ = one.lines().filter(|flag| other.lines().all(|known| known != *flag));
        let differ: Vec<&str> = differ.collect();
        if differ.is_empty() { "the default".to_owned() } else { differ.join(" ") }
    };
    bail!(
        "--db: {} was read with {}, and this is with {}: give the same flags, or --rebuild",
        view.name(),
        only(was, is),
        only(is, was)
    )
}

fn spoilt(view: View, error: BadState) -> anyhow::Error {
    anyhow::anyhow!("--db: what is kept of {} cannot be used: {error}; --rebuild", view.name())
}

/// One view that is brought up to date.
struct Update<'a> {
    warehouse: &'a mut Warehouse,
    view: View,
    kept: Kept,
}

impl Update<'_> {
    fn add(self, run: &mut Run) -> Result<()> {
        let look = if run.strict { Look::All } else { Look::Names };
        match self.view {
            View::Events => self.fold(run, (Look::All, &KeptRows), Onward, |_| true),
            View::Prompts => {
                let needles = Needles::new(&reads::PROMPT_NEEDLES).filter(|_| !run.strict);
                let look = needles.as_ref().map_or(Look::All, Look::Needles);
                let fold = Prompts::new(load::PROMPTS);
                let wanted = |prompt: &Prompt| prompt.kind != Kind::Command;
                self.fold(run, (look, &reads::prompts()), fold, wanted)
            }
            View::Turns => {
                self.fold(run, (look, &reads::turns()), Turns::new(load::turns(true)), |_| true)
            }
            View::Calls => {
                self.fold(run, (look, &reads::calls()), Calls::new(load::CALLS), |_| true)
            }
            View::Deltas => {
                run.take_all_sources();
                let fold = Deltas::new(load::deltas(true));
                self.fold(run, (look, &reads::deltas()), fold, |_| true)
            }
            View::Tokens => self.tokens(run, look, &[By::Session]),
            View::TokensByCall => self.tokens(run, look, &BY_CALL),
        }
    }

    /// Adds records as they become final, and at the end those that are open.
    fn fold<F>(
        self,
        run: &mut Run,
        (look, rows): (Look<'_>, &impl ReadRows),
        mut fold: F,
        wanted: impl Fn(&F::Record) -> bool + Send,
    ) -> Result<()>
    where
        F: Resume<Record: ToTable + Send> + Send,
    {
        let Self { warehouse, view, kept } = self;
        if !kept.point.is_empty() {
            fold.load(&warehouse.fold(view)?).map_err(|e| spoilt(view, e))?;
        }
        let absent: Vec<usize> = run.absent().collect();
        warehouse.begin(view)?;
        warehouse.drop_open(view, &absent)?;
        let columns = Columns::to_keep(view, false);
        let mut table = Table { warehouse, view, paths: paths(run), columns, wanted };
        let asked = kept.asked;
        let unfed = fold_on(run, look, rows, (&mut fold, &mut table), |point, fold, table| {
            table.append()?;
            let kept = Kept { asked: asked.clone(), point: point.to_bytes() };
            table.warehouse.keep(view, &kept, &saved(fold))?;
            Ok(table.warehouse.begin(view)?)
        })?;
        table.append()?;
        let state = saved(&fold);
        let mut open = Vec::new();
        unfed.feed(&mut fold, &mut open);
        fold.finish(&mut open);
        table.columns = Columns::to_keep(view, true);
        table.take(&mut open)?;
        table.append()?;
        if !absent.is_empty() {
            warehouse.settle(view)?;
        }
        let kept = Kept { asked, point: run.resume_point().to_bytes() };
        Ok(warehouse.keep(view, &kept, &state)?)
    }

    /// Groups grow as long as the log does: they are all put anew.
    fn tokens(self, run: &mut Run, look: Look<'_>, by: &[By]) -> Result<()> {
        let Self { warehouse, view, kept } = self;
        let mut fold = TokenUse::new(load::tokens(by, run));
        if !kept.point.is_empty() {
            fold.load(&warehouse.fold(view)?).map_err(|e| spoilt(view, e))?;
        }
        let mut shares = Shares::default();
        let rows = reads::tokens(by.contains(&By::Turn));
        // What is known half way is not worth a table.
        let unfed = fold_on(run, look, &rows, (&mut fold, &mut shares), |_, _, _| Ok(()))?;
        let state = saved(&fold);
        let mut open = Vec::new();
        unfed.feed(&mut fold, &mut open);
        fold.finish(&mut open);
        shares.take(&mut open)?;
        let shares = shares.of_named_sessions(run)?;
        let mut groups = tokens::groups(shares, by, Some(&Prices::built_in()?), false);
        let absent: Vec<usize> = run.absent().collect();
        warehouse.begin(view)?;
        warehouse.drop_open(view, &absent)?;
        let columns = Columns::to_keep(view, true);
        let mut table = Table { warehouse, view, paths: paths(run), columns, wanted: |_: &_| true };
        table.take(&mut groups)?;
        table.append()?;
        if !absent.is_empty() {
            warehouse.settle(view)?;
        }
        let kept = Kept { asked: kept.asked, point: run.resume_point().to_bytes() };
        Ok(warehouse.keep(view, &kept, &state)?)
    }
}

fn paths(run: &Run) -> Vec<SrcPath> {
    run.logs.iter().map(|log| log.src.clone()).collect()
}

/// What can be put into a table.
trait ToTable {
    fn put(&self, paths: &[SrcPath], columns: &mut Columns);
}

impl<R: InColumns> ToTable for R {
    fn put(&self, paths: &[SrcPath], columns: &mut Columns) {
        columns.place(None, self.t(), &self.src(), paths);
        self.values(paths, columns);
    }
}

impl ToTable for KeptEvent {
    fn put(&self, paths: &[SrcPath], columns: &mut Columns) {
        columns.place(None, self.t, &self.src, paths);
        self.values.add_to(columns);
    }
}

/// Puts records into the table of a view.
struct Table<'a, W> {
    warehouse: &'a mut Warehouse,
    view: View,
    paths: Vec<SrcPath>,
    columns: Columns,
    wanted: W,
}

impl<W> Table<'_, W> {
    fn append(&mut self) -> Result<()> {
        Ok(self.warehouse.append(self.view, &mut self.columns)?)
    }
}

impl<R: ToTable, W: Fn(&R) -> bool> Sink<R> for Table<'_, W> {
    fn take(&mut self, records: &mut Vec<R>) -> Result<()> {
        for record in records.drain(..) {
            if !(self.wanted)(&record) {
                continue;
            }
            self.columns.begin();
            record.put(&self.paths, &mut self.columns);
            if self.columns.are_full() {
                self.append()?;
            }
        }
        Ok(())
    }

    fn restart(&mut self) {
        // What goes on from where it stopped is never read again.
    }

    fn flush(&mut self) -> Result<()> {
        self.append()
    }
}

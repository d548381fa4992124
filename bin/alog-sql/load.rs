//! From logs to tables: each view that a query names gets the records of its command.

use std::sync::Arc;

use agentlog::event::Provider;
use agentlog::fold::calls::{self, Calls};
use agentlog::fold::deltas::{self, Deltas};
use agentlog::fold::prompts::{self, Kind, Prompt, Prompts};
use agentlog::fold::tokens::{self, By, TokenUse};
use agentlog::fold::turns::{self, Turns};
use agentlog::native::Dialect;
use anyhow::Result;
use cli::inputs::Log;
use cli::{Choice, InColumns, Look, Record, Records, Row, Run, Shares, fold, fold_deltas, reads};
use jsonl::Needles;
use ledger::Prices;
use warehouse::{Columns, Need, Needs, Only, View, Warehouse};

use crate::events::EventRows;

/// Calls to a model, each with all that it can be grouped by.
pub const BY_CALL: [By; 7] =
    [By::Call, By::Turn, By::Hour, By::Day, By::Week, By::Month, By::Project];

/// How rules judge rows that are out of order, as `alog-calls` does by default.
pub const CALLS: calls::Options = calls::Options { tolerance_ms: 50, explain: false };

pub const PROMPTS: prompts::Options = prompts::Options { raw_text: false, explain: false };

pub fn turns(texts: bool) -> turns::Options {
    turns::Options { explain: false, no_text: !texts }
}

pub fn deltas(parse: bool) -> deltas::Options {
    deltas::Options { explain: false, parse, twins: false }
}

pub fn tokens(by: &[By], run: &Run) -> tokens::Options {
    let (selected, zone) = (run.selection.clone(), run.selection.clone());
    tokens::Options {
        by: by.into(),
        explain: false,
        wanted: Arc::new(move |t, provider, sid, cwd| {
            selected.time(t) && selected.whose(provider, sid, cwd)
        }),
        offset_at: Arc::new(move |t| zone.offset_at(t)),
    }
}

/// The time before which no view needs a record, if files that ended before may be passed over: what
/// is counted from the start of a session cannot do without them.
pub fn spared(needs: &Needs) -> Option<i64> {
    let spares = |(view, need): (&View, &Need)| {
        let counts =
            need.columns.iter().any(|column| ["index", "session_turn"].contains(&&**column));
        let whole = matches!(view, View::Tokens | View::TokensByCall) || counts;
        need.only.since.filter(|_| !whole)
    };
    needs.iter().map(spares).collect::<Option<Vec<i64>>>()?.into_iter().min()
}

/// Makes all views, and fills those that are needed.
pub fn load(warehouse: &Warehouse, needs: &Needs, run: &mut Run) -> Result<()> {
    run.hold_live()?;
    for view in View::ALL {
        let Some(need) = needs.get(&view) else {
            warehouse.create(view, &[])?;
            continue;
        };
        let need = with_order(view, need);
        warehouse.create(view, &need.columns)?;
        Load { warehouse, view, need: &need }.fill(run)?;
        // What is bad was told by the view that reads the most.
        run.mark_read();
    }
    Ok(())
}

/// What is needed too: events are numbered by their times and places.
fn with_order(view: View, need: &Need) -> Need {
    let mut need = need.clone();
    if view == View::Events && need.columns.iter().any(|column| column == "index") {
        for column in ["t", "src"] {
            if !need.columns.iter().any(|known| known == column) {
                need.columns.push(column.to_owned());
            }
        }
    }
    need
}

/// The filling of one view.
struct Load<'a> {
    warehouse: &'a Warehouse,
    view: View,
    need: &'a Need,
}

impl Load<'_> {
    fn fill(&self, run: &mut Run) -> Result<()> {
        let asked = run.selection.clone();
        if !matches!(self.view, View::Tokens | View::TokensByCall) && !self.reads("index") {
            let Only { since, until, .. } = self.need.only;
            run.selection.narrow(since, until.map(|last| last.saturating_add(1)));
        }
        // All records are numbered, whoever wrote them.
        let provider = self.need.only.provider.as_deref().filter(|_| !self.reads("index"));
        let filled = run.with_only(|log| may_hold(self.view, log, provider), |run| self.read(run));
        run.selection = asked;
        filled
    }

    fn read(&self, run: &mut Run) -> Result<()> {
        let look = if run.strict { Look::All } else { Look::Names };
        match self.view {
            View::Events => self.events(run),
            View::Prompts => self.prompts(run),
            View::Turns => {
                let options = turns(self.reads_texts());
                let mut kept = records(run);
                fold(run, look, &reads::turns(), || Turns::new(options), &mut kept)?;
                self.append(run, kept)
            }
            View::Calls => {
                let mut kept = records(run);
                fold(run, look, &reads::calls(), || Calls::new(CALLS), &mut kept)?;
                self.append(run, kept)
            }
            View::Deltas => {
                run.take_all_sources();
                let options = deltas(self.reads("json"));
                let mut kept = records(run);
                fold_deltas(run, look, false, || Deltas::new(options), &mut kept)?;
                self.append(run, kept)
            }
            View::Tokens => self.tokens(run, look, &[By::Session]),
            View::TokensByCall => self.tokens(run, look, &BY_CALL),
        }
    }

    fn reads(&self, column: &str) -> bool {
        self.need.columns.iter().any(|name| name == column)
    }

    fn reads_texts(&self) -> bool {
        self.reads("prompt") || self.reads("reply")
    }

    fn columns(&self) -> Columns {
        Columns::new(self.view, |name| self.reads(name))
    }

    fn prompts(&self, run: &mut Run) -> Result<()> {
        let needles = Needles::new(&reads::PROMPT_NEEDLES).filter(|_| !run.strict);
        let look = needles.as_ref().map_or(Look::All, Look::Needles);
        let mut kept = records(run).only(|prompt: &Prompt| prompt.kind != Kind::Command);
        fold(run, look, &reads::prompts(), || Prompts::new(PROMPTS), &mut kept)?;
        self.append(run, kept)
    }

    fn tokens(&self, run: &mut Run, look: Look<'_>, by: &[By]) -> Result<()> {
        let options = tokens(by, run);
        let rows = reads::tokens(by.contains(&By::Turn));
        let mut shares = Shares::default();
        fold(run, look, &rows, || TokenUse::new(options.clone()), &mut shares)?;
        let shares = shares.of_named_sessions(run)?;
        let prices = Prices::built_in()?;
        let mut groups = tokens::groups(shares, by, Some(&prices), false);
        let mut kept = records(run).of_selected_rows();
        cli::Sink::take(&mut kept, &mut groups)?;
        self.append(run, kept)
    }

    /// Adds records in order of time, numbered as their command numbers them.
    fn append<R: InColumns>(&self, run: &mut Run, kept: Records<R>) -> Result<()> {
        let paths: Vec<_> = run.logs.iter().map(|log| log.src.clone()).collect();
        let mut columns = self.columns();
        for (i, record) in kept.gathered(run)?.into_iter().enumerate() {
            columns.begin();
            columns.place(Some(i as u64 + 1), record.t(), &record.src(), &paths);
            record.values(&paths, &mut columns);
            if columns.are_full() {
                self.warehouse.append(self.view, &mut columns)?;
            }
        }
        Ok(self.warehouse.append(self.view, &mut columns)?)
    }

    fn events(&self, run: &mut Run) -> Result<()> {
        let events = self.need.only.events.as_ref().filter(|_| !self.reads("index"));
        let look = if events.is_some() && !run.strict { Look::Names } else { Look::All };
        run.learn_zones()?;
        let mut selection = run.selection.clone();
        let asked = selection.clone();
        let rows = EventRows { columns: &self.need.columns, events, choice: Choice::new(&asked) };
        let paths: Vec<_> = run.logs.iter().map(|log| log.src.clone()).collect();
        let zones = run.zones.clone();
        let mut waiting = Vec::new();
        run.read_all(look, &rows, |block| {
            let Some(mut columns) = block.arena.0 else { return Ok(()) };
            for row in &block.rows {
                let t = zones.utc(row.clock);
                columns.place(None, t, &row.src, &paths);
                if asked.has_times() && !asked.names_sessions() {
                    columns.keep([asked.time(t)]);
                }
            }
            if asked.names_sessions() {
                waiting.push((columns, block.rows));
                return Ok(());
            }
            Ok(self.warehouse.append(self.view, &mut columns)?)
        })?;
        // Which sessions are meant is known when all were met.
        selection.settle(&rows.choice.met())?;
        for (mut columns, rows) in waiting {
            let meant = |row: &Row<Option<String>>| selection.session(row.value.as_deref());
            columns.keep(rows.iter().map(|row| meant(row) && asked.time(zones.utc(row.clock))));
            self.warehouse.append(self.view, &mut columns)?;
        }
        if self.reads("index") {
            self.warehouse.number(self.view)?;
        }
        Ok(())
    }
}

/// Keeps all records, to be handed on in order.
fn records<R: Record>(run: &Run) -> Records<R> {
    Records::new(run, &cli::OutputFlags::default(), false).gathering()
}

/// Whether a log may hold records of a view, and of that provider if one is given.
pub fn may_hold(view: View, log: &Log, provider: Option<&str>) -> bool {
    let dialect = log.about().format.dialect();
    let written_by = dialect.map(|dialect| match dialect {
        Dialect::Transcript => Provider::Claude.name(),
        Dialect::Rollout => Provider::Codex.name(),
    });
    let fits = match view {
        View::Events => true,
        View::Deltas => dialect.is_none() && !log.is_request(),
        _ => !log.is_request(),
    };
    fits && written_by.is_none_or(|name| provider.is_none_or(|wanted| wanted == name))
}

//! `alog-tokens`: who used how many tokens, and what did that cost?

mod onward;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use agentlog::fold::tokens::{By, Group, Options, TokenUse};
use agentlog::record::TOKENS;
use anyhow::Context;
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use cli::{CommonFlags, EmitFlags, FollowFlags, Look, Records, Run, StateFlags, Verdict, reads};
use ledger::Prices;
use onward::run_on;
use report::{Groups, columns};

/// Print how many tokens were used, in groups, and what they cost
///
/// Counts each call to a model once, however often the log tells of it, with one meaning of input,
/// cache and output for all providers. Reads Claude Code transcripts, Codex rollouts, and
/// centralized SSE logs of both.
#[derive(Parser)]
#[command(name = "alog-tokens", version, after_long_help = EXAMPLES)]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
struct Args {
    /// What calls are grouped by; several are separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "session", value_parser = by_name())]
    by: Vec<By>,

    /// Print groups without a call, too, if they tell limits of the account
    #[arg(long)]
    rate_limits: bool,

    /// Fill cost_usd from the price table that comes with the command
    #[arg(long)]
    cost: bool,

    /// Take prices from FILE instead; means --cost
    ///
    /// The form is that of crates/ledger/data/prices.json: US dollars per million tokens.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Add the rows that each record was made of, with what each added
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    follow: FollowFlags,

    #[command(flatten)]
    emit: EmitFlags,

    #[command(flatten)]
    runs: StateFlags,

    #[command(flatten)]
    common: CommonFlags,
}

const EXAMPLES: &str = "\
Examples:
  alog-tokens --by day,model --cost --since 7d -o table   # what the week cost
  alog-tokens --by session -n 5                           # the five latest sessions
  alog-tokens --by call --session 7f3a | jq .context_tokens
  alog-tokens --by hour --rate-limits --since today | jq -c '[.hour, .rate_limits.primary.peak]'
  alog-tokens --by all --explain LOG                      # every row behind the total

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

/// Small logs are read on all cores and dropped on one, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main("alog-tokens", Some(&TOKENS), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    let prices = prices(args)?;
    let look = if args.common.checks.strict { Look::All } else { Look::Names };
    let rows = reads::tokens(args.by.contains(&By::Turn));
    let mut run = Run::reading(&args.common, (&args.follow, &args.runs), (look, &rows))?;
    run.leave_out_requests();
    let options = options(args, &run);
    if args.runs.file.is_some() {
        run_on(args, &mut run, (look, &rows), (options, prices.as_ref()))?;
        return Ok(run.finish());
    }
    let records = Records::new(&run, &args.common.output, args.explain)
        .of_selected_rows()
        .table(&columns(&options.by, prices.is_some(), args.rate_limits), Group::total)
        .emitting(&args.emit);
    let groups = (Arc::clone(&options.by), prices, args.rate_limits);
    let mut groups = Groups::new(&run, records, groups);
    cli::fold(&mut run, look, &rows, || TokenUse::new(options.clone()), &mut groups)?;
    groups.finish(&mut run)?;
    Ok(run.finish())
}

fn by_name() -> impl TypedValueParser<Value = By> {
    let of = |name: String| By::NAMES.into_iter().find(|(known, _)| *known == name);
    PossibleValuesParser::new(By::NAMES.map(|(name, _)| name))
        .try_map(move |name| of(name).map(|(_, by)| by).ok_or("not a group key"))
}

fn options(args: &Args, run: &Run) -> Options {
    let mut by: Vec<By> = Vec::new();
    for key in &args.by {
        if !by.contains(key) {
            by.push(*key);
        }
    }
    let (selected, zone) = (run.selection.clone(), run.selection.clone());
    Options {
        by: by.into(),
        explain: args.explain,
        wanted: Arc::new(move |t, provider, sid, cwd| {
            selected.time(t) && selected.whose(provider, sid, cwd)
        }),
        offset_at: Arc::new(move |t| zone.offset_at(t)),
    }
}

/// The prices to use, if costs are asked for.
fn prices(args: &Args) -> anyhow::Result<Option<Prices>> {
    let of_file = |path: &Path| -> anyhow::Result<Prices> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Prices::parse(&text).with_context(|| path.display().to_string())
    };
    match &args.prices {
        Some(path) => Ok(Some(of_file(path)?)),
        None if args.cost => Ok(Some(Prices::built_in()?)),
        None => Ok(None),
    }
}

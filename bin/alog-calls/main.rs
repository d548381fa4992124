//! `alog-calls`: what became of each tool call, and did it keep to the rules?

mod judge;

use std::process::ExitCode;

use agentlog::fold::calls::{self, Call, Calls, Options};
use agentlog::record::{CALL, CALL_STATS, call_stats_into};
use clap::Parser;
use cli::{
    CommonFlags, EmitFlags, FollowFlags, Look, Output, Records, Run, StateFlags, Verdict, reads,
};
use judge::{Code, FailOn, Judge, State, Wanted, parse_ms};

/// Print tool calls, each with its life and the rules that it broke
///
/// A call lives from its announcement to the result that the model was given. --check prints those
/// that broke a rule and ends with status 1 if one is an error. Reads Claude Code transcripts, Codex
/// rollouts, and centralized SSE logs of both.
#[derive(Parser)]
#[command(name = "alog-calls", version, after_long_help = EXAMPLES)]
struct Args {
    /// Print only calls that broke a rule; status 1 if it was an error
    #[arg(long)]
    check: bool,

    /// How bad a broken rule has to be for status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error", requires = "check")]
    fail_on: FailOn,

    /// Only calls of these states, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    state: Vec<State>,

    /// Only calls that broke these rules, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    code: Vec<Code>,

    /// How far rows may be out of order, such as 50ms or 2s
    #[arg(long, value_name = "DURATION", default_value = "50ms", value_parser = parse_ms)]
    tolerance: i64,

    /// Print one record a tool: how many calls, how they ended, how long they took
    #[arg(long, conflicts_with_all = ["check", "explain", "state_file"])]
    stats: bool,

    /// Add the rows that each record was made of
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
  alog-calls --state failed -n 10 -o table         # what failed lately
  alog-calls --check --since today || echo broken  # did all calls keep to the rules?
  alog-calls --stats -o table                      # which tools are slow, which fail
  alog-calls --check --code missing_output LOG     # calls that never got an answer
  alog-calls -f -n 0                               # as they end

Exit status: 0 done; 1 --check found a broken rule, or no record and --fail-empty; 2 usage,
unreadable input, or a bad line and --strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR,
CODEX_HOME, NO_COLOR, COLUMNS.";

/// Small logs are read on all cores and dropped on one, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let kind = |args: &Args| Some(if args.stats { &CALL_STATS } else { &CALL });
    cli::main_of("alog-calls", kind, |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    if (args.check || args.stats) && args.emit.has_states() {
        anyhow::bail!("--emit goes with neither --check nor --stats: they judge whole lives");
    }
    let look = if args.common.checks.strict { Look::All } else { Look::Names };
    let rows = reads::calls();
    let mut run = Run::reading(&args.common, (&args.follow, &args.runs), (look, &rows))?;
    run.leave_out_requests();
    let options = Options { tolerance_ms: args.tolerance, explain: args.explain };
    let judge = Judge::new(args.fail_on);
    let wanted = Wanted::new(&args.state, &args.code, args.check);
    let records = Records::new(&run, &args.common.output, args.explain).emitting(&args.emit);
    let records = records.only(judge.heard(wanted));
    if args.stats {
        let mut records = records.gathering();
        cli::fold(&mut run, look, &rows, || Calls::new(options), &mut records)?;
        let calls = records.gathered(&mut run)?;
        print_stats(&mut run, args, &calls)?;
        return Ok(run.finish());
    }
    if args.runs.file.is_some() {
        let flags = (&args.runs, &args.common);
        cli::fold_stated(&mut run, flags, (look, &rows), Calls::new(options), records)?;
    } else {
        let mut records = judge.over(records);
        cli::fold(&mut run, look, &rows, || Calls::new(options), &mut records)?;
        records.finish(&mut run)?;
    }
    let failed = args.check && judge.found();
    Ok(run.finish().max(if failed { Verdict::Failed } else { Verdict::Done }))
}

fn print_stats(run: &mut Run, args: &Args, calls: &[Call]) -> anyhow::Result<()> {
    let mut output = Output::new(&args.common.output, &CALL_STATS, false);
    let paths: Vec<_> = run.logs.iter().map(|log| log.src.clone()).collect();
    for tool in calls::stats(calls) {
        output.record(|index, out| call_stats_into(&tool, index, &paths, out))?;
    }
    output.finish()?;
    run.report.counts.records = output.printed();
    Ok(())
}

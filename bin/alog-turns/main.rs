//! `alog-turns`: which turns were there, and how did they end?

use std::process::ExitCode;

use agentlog::fold::turn_book::TurnStatus;
use agentlog::fold::turns::{Options, Turn, Turns};
use agentlog::record::TURN;
use clap::{Parser, ValueEnum};
use cli::{CommonFlags, EmitFlags, FollowFlags, Look, Records, Run, StateFlags, Verdict, reads};

/// Print turns: a prompt, how it ended, the reply, and what it took
///
/// A turn starts with a prompt and ends when the agent is done, is interrupted, is shut down, or
/// gets the next prompt. Reads Claude Code transcripts, Codex rollouts, and centralized SSE logs of
/// both.
#[derive(Parser)]
#[command(name = "alog-turns", version, after_long_help = EXAMPLES)]
struct Args {
    /// Only turns that ended so; several are separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    status: Vec<Status>,

    /// Only turns after which the agent was logged as idle
    #[arg(long)]
    idle: bool,

    /// Leave prompts and replies out
    #[arg(long)]
    no_text: bool,

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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    Completed,
    Aborted,
    Shutdown,
    Superseded,
    Open,
}

const EXAMPLES: &str = "\
Examples:
  alog-turns --status aborted,superseded --since 7d    # what did not come to its end
  alog-turns -n 1 | jq -r .reply                       # the last reply
  alog-turns --since today --no-text -o table          # where the time went
  alog-turns -f -n 0                                   # each turn as it ends

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

/// Small logs are read on all cores and dropped on one, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main("alog-turns", Some(&TURN), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    let look = if args.common.checks.strict { Look::All } else { Look::Names };
    let rows = reads::turns();
    let mut run = Run::reading(&args.common, (&args.follow, &args.runs), (look, &rows))?;
    run.leave_out_requests();
    let options = Options { no_text: args.no_text, explain: args.explain };
    let (statuses, idle) = (args.status.clone(), args.idle);
    let wanted = move |turn: &Turn| {
        let status = statuses.is_empty() || statuses.iter().any(|s| s.is(turn.status));
        status && (!idle || turn.idle_t.is_some())
    };
    let mut records =
        Records::new(&run, &args.common.output, args.explain).emitting(&args.emit).only(wanted);
    if args.runs.file.is_some() {
        let flags = (&args.runs, &args.common);
        cli::fold_stated(&mut run, flags, (look, &rows), Turns::new(options), records)?;
        return Ok(run.finish());
    }
    cli::fold(&mut run, look, &rows, || Turns::new(options), &mut records)?;
    records.finish(&mut run)?;
    Ok(run.finish())
}

impl Status {
    fn is(self, status: TurnStatus) -> bool {
        let name = match self {
            Self::Completed => TurnStatus::Completed,
            Self::Aborted => TurnStatus::Aborted,
            Self::Shutdown => TurnStatus::Shutdown,
            Self::Superseded => TurnStatus::Superseded,
            Self::Open => TurnStatus::Open,
        };
        name == status
    }
}

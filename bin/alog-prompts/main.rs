//! `alog-prompts`: what did I ask, lately?

use std::process::ExitCode;

use agentlog::fold::prompts::{Kind, Options, Prompt, Prompts};
use agentlog::record::PROMPT;
use clap::Parser;
use cli::{CommonFlags, FollowFlags, Look, Records, Run, StateFlags, Verdict, reads};
use jsonl::Needles;

/// Print the prompts of the user, one record each, in order of time
///
/// Prints what was typed: once each, however often and in however many forms the logs have it.
/// Reads Claude Code transcripts, Codex rollouts, and centralized SSE logs of both.
#[derive(Parser)]
#[command(name = "alog-prompts", version, after_long_help = EXAMPLES)]
struct Args {
    /// Print slash commands too
    #[arg(long)]
    commands: bool,

    /// Keep the agent id that the writer adds to a process's first prompt
    #[arg(long)]
    raw_text: bool,

    /// Add the rows that each record was made of
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    follow: FollowFlags,

    #[command(flatten)]
    runs: StateFlags,

    #[command(flatten)]
    common: CommonFlags,
}

const EXAMPLES: &str = "\
Examples:
  alog-prompts -n 5 | jq -r .text                 # the last five prompts
  alog-prompts --since today -o table             # what was asked today
  alog-prompts --session 7f3a --explain LOG       # with the rows they come from
  alog-prompts -f -n 0                            # as they are typed

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

/// Small logs are read on all cores and dropped on one, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main("alog-prompts", Some(&PROMPT), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    let needles = Needles::new(&reads::PROMPT_NEEDLES).filter(|_| !args.common.checks.strict);
    let (look, rows) = (needles.as_ref().map_or(Look::All, Look::Needles), reads::prompts());
    let mut run = Run::reading(&args.common, (&args.follow, &args.runs), (look, &rows))?;
    run.leave_out_requests();
    let options = Options { raw_text: args.raw_text, explain: args.explain };
    let commands = args.commands;
    let mut records = Records::new(&run, &args.common.output, args.explain)
        .only(move |prompt: &Prompt| commands || prompt.kind != Kind::Command);
    if args.runs.file.is_some() {
        let flags = (&args.runs, &args.common);
        cli::fold_stated(&mut run, flags, (look, &rows), Prompts::new(options), records)?;
        return Ok(run.finish());
    }
    cli::fold(&mut run, look, &rows, || Prompts::new(options), &mut records)?;
    records.finish(&mut run)?;
    Ok(run.finish())
}

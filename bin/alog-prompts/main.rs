//! `alog-prompts`: what did I ask, lately?

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use agentlog::event::{Event, Head, What};
use agentlog::fold::prompts::{Kind, Options, Prompt, Prompts, TWIN_MS};
use agentlog::record::PROMPT;
use agentlog::sse::{self, PROMPT_EVENTS};
use clap::Parser;
use cli::{CommonFlags, Decode, Look, Merge, Records, Row, Run, Step, Verdict, Window};
use jsonl::Needles;

/// Print the prompts of the user, one record each, in order of time
///
/// Reads the logs of coding agents and prints what was typed: once each, however often and in
/// however many forms the log has it. This version reads centralized SSE logs of Claude Code and
/// Codex.
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
    common: CommonFlags,
}

const EXAMPLES: &str = "\
Examples:
  alog-prompts -n 5 | jq -r .text                 # the last five prompts
  alog-prompts --since today -o table             # what was asked today
  alog-prompts --session 7f3a --explain LOG       # with the rows they come from
  tail -f sse_lines.jsonl | alog-prompts -        # as they are typed

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

fn main() -> ExitCode {
    cli::main("alog-prompts", Some(&PROMPT), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    let mut run = Run::new(&args.common)?;
    let needles = Needles::new(&NEEDLES).filter(|_| !run.strict);
    let look = needles.as_ref().map_or(Look::All, Look::Needles);
    let printer = Printer {
        prompts: Prompts::new(Options { raw_text: args.raw_text, explain: args.explain }),
        commands: args.commands,
        records: Records::new(&run, &args.common.output, args.explain),
        out: Vec::new(),
    };
    if run.live {
        live(&mut run, look, printer)?;
    } else {
        files(&mut run, look, printer)?;
    }
    Ok(run.report.finish())
}

/// The fold, and what is printed of its records.
struct Printer {
    prompts: Prompts,
    commands: bool,
    records: Records<Prompt>,
    out: Vec<Prompt>,
}

impl Printer {
    fn take(&mut self) -> anyhow::Result<()> {
        self.out.retain(|prompt| self.commands || prompt.kind != Kind::Command);
        self.records.take(&mut self.out)
    }

    fn finish(mut self, run: &mut Run) -> anyhow::Result<()> {
        self.prompts.finish(&mut self.out);
        self.take()?;
        self.records.finish(run)
    }
}

/// Bare words that every row with a prompt, or with evidence of its writer's zone, has in it.
const NEEDLES: [&str; 4] = ["user_message", "user_prompt", "queue_operation", "session_configured"];

/// Keeps prompts and queue operations.
struct PromptRows;

impl Decode for PromptRows {
    type Value = (Head, What);

    fn wants(&self, event: &str) -> bool {
        PROMPT_EVENTS.contains(&event)
    }

    fn value(&self, row: &sse::Row<'_>, _: &[u8], _: &mut Vec<u8>) -> Option<Self::Value> {
        Some((row.head(), sse::prompt_of(row)?))
    }
}

fn event(t: Option<i64>, row: Row<(Head, What)>) -> Event {
    let (head, what) = row.value;
    Event { t, src: row.src, head, what }
}

/// Reads everything, then puts it in order.
fn files(run: &mut Run, look: Look<'_>, mut printer: Printer) -> anyhow::Result<()> {
    let mut files: Vec<Vec<Row<_>>> = run.logs.iter().map(|_| Vec::new()).collect();
    let mut evidence = Vec::new();
    run.read_all(look, &PromptRows, |block| {
        evidence.extend(block.evidence);
        for row in block.rows {
            files[row.src.file as usize].push(row);
        }
        Ok(())
    })?;
    run.zones.learn(evidence);
    let mut in_order = Vec::new();
    for rows in files {
        let (mut window, mut out) = (Window::default(), VecDeque::new());
        for row in rows {
            let t = run.zones.utc(row.clock);
            window.push(t.unwrap_or(i64::MIN), event(t, row), &mut out);
        }
        window.release(&mut out);
        run.report.counts.late_rows += window.late();
        in_order.push(out);
    }
    for (_, event) in Merge::new(in_order) {
        printer.prompts.feed(event, &mut printer.out);
    }
    printer.finish(run)
}

/// Prints what is final as it comes.
fn live(run: &mut Run, look: Look<'_>, mut printer: Printer) -> anyhow::Result<()> {
    let mut window: Window<(Instant, Event)> = Window::default();
    let mut next = VecDeque::new();
    run.read_live(look, &PromptRows, |step| {
        let Printer { prompts, out, .. } = &mut printer;
        let mut come_to = None;
        match step {
            Step::Row(t, row) => {
                let came = (Instant::now(), event(t, row));
                window.push(t.unwrap_or(i64::MIN), came, &mut next);
            }
            Step::Time(t) => {
                window.advance(t, &mut next);
                come_to = Some(t).filter(|_| window.is_empty());
            }
            Step::Pause(quiet) => {
                window.release_while(|(came, _)| came.elapsed() >= cli::HOLD, &mut next);
                come_to = Some(i64::MAX).filter(|_| quiet >= Duration::from_millis(TWIN_MS as u64));
            }
        }
        for (_, (_, event)) in next.drain(..) {
            prompts.feed(event, out);
        }
        if let Some(t) = come_to {
            prompts.advance(t, out);
        }
        if !out.is_empty() {
            printer.take()?;
            printer.records.flush()?;
        }
        Ok(!window.is_empty() || printer.prompts.waits())
    })?;
    window.release(&mut next);
    for (_, (_, event)) in next.drain(..) {
        printer.prompts.feed(event, &mut printer.out);
    }
    run.report.counts.late_rows += window.late();
    printer.finish(run)
}

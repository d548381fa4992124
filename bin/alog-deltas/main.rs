//! `alog-deltas`: what was streamed, put together again.

use std::process::ExitCode;
use std::time::Duration;

use agentlog::event::StreamKind;
use agentlog::fold::deltas::{Delta, Deltas, Options, Status};
use agentlog::record::DELTA;
use clap::{Parser, ValueEnum};
use cli::{
    CommonFlags, EmitFlags, FollowFlags, Look, Records, Run, StateFlags, Verdict, parse_duration,
};

/// Print streamed items, put together from their deltas
///
/// Reads the logs of coding agents and prints one record for each text, piece of reasoning and set
/// of tool arguments that was streamed: the whole of it, and whether it arrived whole. Only
/// centralized SSE logs hold what was streamed: transcripts and rollouts are left out.
#[derive(Parser)]
#[command(name = "alog-deltas", version, after_long_help = EXAMPLES)]
struct Args {
    /// Only flows whose id ends so
    #[arg(long, value_name = "SUFFIX")]
    flow: Option<String>,

    /// Only these kinds, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    kind: Vec<Kind>,

    /// Only the item of that id (Codex)
    #[arg(long, value_name = "ID")]
    item: Option<String>,

    /// Only the arguments of that tool call
    #[arg(long, value_name = "ID")]
    call: Option<String>,

    /// Only these statuses, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    status: Vec<StatusName>,

    /// Fill the key json with arguments that are a JSON object
    #[arg(long)]
    parse: bool,

    /// Print just the texts, with blank lines between
    #[arg(long, conflicts_with_all = ["output", "pretty", "explain", "parse"])]
    text_only: bool,

    /// Which of the two streams that Codex logs
    ///
    /// response: the response.* events, and turn.* where a turn has none of them. turn: the turn.*
    /// events alone.
    #[arg(long, value_name = "STREAM", default_value = "response")]
    stream: StreamName,

    /// Add the rows that each record was made of
    #[arg(long)]
    explain: bool,

    /// Print what nothing comes for after so long as `open`
    ///
    /// That is an item whose stream stopped. If it goes on, it is printed again when it is done.
    /// For logs that are being written: with -f, or from a pipe.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle_timeout: Option<Duration>,

    #[command(flatten)]
    follow: FollowFlags,

    #[command(flatten)]
    emit: EmitFlags,

    #[command(flatten)]
    runs: StateFlags,

    #[command(flatten)]
    common: CommonFlags,
}

/// Kinds of items.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    /// What the agent says
    Text,
    /// What it thinks
    Reasoning,
    /// Arguments of functions, input of custom tools
    ToolArgs,
}

/// How far an item came.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum StatusName {
    /// Claude: without a start row
    Orphan,
    /// Without a done or stop row
    Open,
    /// The text differs from the done row
    Mismatch,
    /// Arguments that are no JSON object
    InvalidJson,
    /// None of these
    Complete,
}

/// The streams of Codex.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StreamName {
    /// response.*
    Response,
    /// turn.*
    Turn,
}

const EXAMPLES: &str = "\
Examples:
  alog-deltas --kind text -n 3 --text-only        # the last three texts
  alog-deltas --status open,mismatch -o table     # what did not arrive whole
  alog-deltas --call call_1 --parse | jq .json    # the arguments of one call
  alog-deltas -f -n 0                             # as they are final

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

fn main() -> ExitCode {
    cli::main("alog-deltas", Some(&DELTA), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    let mut run = Run::of(&args.common, &args.follow, &args.runs)?;
    run.give_up = args.idle_timeout;
    run.take_all_sources();
    let native = run.native_logs();
    run.leave_out_native();
    run.leave_out_requests();
    let look = if run.strict { Look::All } else { Look::Names };
    let twins = args.stream == StreamName::Turn;
    let options = Options { explain: args.explain, parse: args.parse, twins };
    let wanted = Wanted::new(args);
    let mut records = Records::new(&run, &args.common.output, args.explain)
        .emitting(&args.emit)
        .only(move |item: &Delta| wanted.takes(item));
    if args.text_only {
        records = records.in_words(|item| item.text.as_ref());
    }
    if args.runs.file.is_some() {
        let flags = (&args.runs, &args.common);
        cli::fold_deltas_stated(&mut run, flags, look, Deltas::new(options), records)?;
    } else {
        cli::fold_deltas(&mut run, look, twins, || Deltas::new(options), &mut records)?;
        records.finish(&mut run)?;
    }
    // What comes through a pipe is known by now.
    let native = native + run.native_logs();
    if native > 0 {
        let s = if native == 1 { "" } else { "s" };
        run.report.remark(&format!(
            "{native} transcript{s} or rollout{s} left out: only SSE logs hold what was streamed"
        ));
    }
    Ok(run.finish())
}

/// Which items are printed.
struct Wanted {
    flow: Option<String>,
    kinds: Vec<Kind>,
    item: Option<String>,
    call: Option<String>,
    statuses: Vec<StatusName>,
    with_text: bool,
}

impl Wanted {
    fn new(args: &Args) -> Self {
        Self {
            flow: args.flow.clone(),
            kinds: args.kind.clone(),
            item: args.item.clone(),
            call: args.call.clone(),
            statuses: args.status.clone(),
            with_text: args.text_only,
        }
    }

    fn takes(&self, item: &Delta) -> bool {
        let is = |wanted: &Option<String>, id: &Option<String>| wanted.is_none() || wanted == id;
        let has_text = || item.text.as_ref().is_some_and(|text| !text.as_bytes().is_empty());
        is(&self.item, &item.item_id)
            && is(&self.call, &item.call_id)
            && self.takes_kind(item)
            && (self.statuses.is_empty() || self.statuses.contains(&name_of(item.status)))
            && self.flow.as_ref().is_none_or(|suffix| is_in_flow(item, suffix))
            && (!self.with_text || has_text())
    }

    fn takes_kind(&self, item: &Delta) -> bool {
        let kind = item.kind.map(|kind| match kind {
            StreamKind::Text => Kind::Text,
            StreamKind::Reasoning => Kind::Reasoning,
            StreamKind::Arguments | StreamKind::Input => Kind::ToolArgs,
        });
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind))
    }
}

fn name_of(status: Status) -> StatusName {
    match status {
        Status::Orphan => StatusName::Orphan,
        Status::Open => StatusName::Open,
        Status::Mismatch => StatusName::Mismatch,
        Status::InvalidJson => StatusName::InvalidJson,
        Status::Complete => StatusName::Complete,
    }
}

/// A Claude row can bear another request's flow; the first row of a block does not.
fn is_in_flow(item: &Delta, suffix: &str) -> bool {
    let ends = |flow: &Option<String>| flow.as_ref().is_some_and(|flow| flow.ends_with(suffix));
    ends(&item.head.flow_id) || ends(&item.first.flow_id)
}

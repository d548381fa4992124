//! `alog-extract`: the data that people ask for, from logs and captured requests, in one pass.

mod files;
mod rows;
mod shelf;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use agentlog::record::RecordKind;
use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use cli::{CommonFlags, Form, Look, Run, Verdict, schema_of};
use extract::{Extraction, Info, MODES, Options, Redact, modes_of};
use files::Files;
use rows::ExtractRows;
use shelf::Shelf;

/// Values of rows are made on all cores and dropped on one, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Print data of chosen modes from logs and captured requests
///
/// One pass over the input, whatever the number of modes. Reads Claude Code transcripts, Codex
/// rollouts, centralized SSE logs of both, and captured requests of both (requests/*.json).
/// Secrets are printed as hashes.
#[derive(Parser)]
#[command(name = "alog-extract", version, after_long_help = EXAMPLES)]
#[allow(clippy::doc_markdown)] // What stands here is printed as help.
struct Args {
    /// Modes, separated by commas, or all
    #[arg(short, long, value_name = "LIST", value_delimiter = ',', required_unless_present_any = ["list", "completions", "man"])]
    mode: Vec<String>,

    /// List the modes with what each prints
    #[arg(long)]
    list: bool,

    /// Write DIR/<mode>.jsonl for each mode instead of standard output
    ///
    /// Each file is there whole or not at all.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,

    /// Replace files that are in the way of --out-dir
    #[arg(long, requires = "out_dir")]
    force: bool,

    /// Which records that say the same thing are left out
    #[arg(long, value_name = "HOW", default_value = "none")]
    dedup: Dedup,

    /// Print secrets as they are
    #[arg(long)]
    no_redact: bool,

    #[command(flatten)]
    common: CommonFlags,
}

/// Which records are left out. `count` of the one that stays says how many it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dedup {
    /// None
    None,
    /// Those that are the same but for index and src
    Exact,
    /// Those of the same thing that say the same of it, whenever: the first stays
    Content,
    /// Those of the same thing: the last stays
    Last,
}

const EXAMPLES: &str = "\
Examples:
  alog-extract --list                                        # what there is
  alog-extract --mode all --out-dir data ~/centralized-logs  # everything, a file a mode
  alog-extract --mode system_prompts -n 1 | jq -r .text      # the latest system prompt
  alog-extract --mode tool_usage_stats -o table              # which tools fail, which are slow
  alog-extract --mode transcript --session 7f3a -o table     # a session to read

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

fn main() -> ExitCode {
    cli::main_of("alog-extract", kind, |args: &Args| &args.common, run)
}

/// The kind of record, if there is only one.
fn kind(args: &Args) -> Option<&'static RecordKind> {
    match &args.mode[..] {
        [one] => {
            modes_of([&**one]).ok().filter(|modes| modes.len() == 1).map(|modes| modes[0].kind())
        }
        _ => None,
    }
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    if args.list {
        list()?;
        return Ok(Verdict::Done);
    }
    let modes = modes_of(args.mode.iter().map(String::as_str))
        .map_err(|name| anyhow::anyhow!("--mode: no mode is called '{name}' (see --list)"))?;
    if args.common.output.schema {
        schemas(&modes)?;
        return Ok(Verdict::Done);
    }
    check_form(args, &modes)?;
    let files =
        args.out_dir.as_deref().map(|dir| Files::new(dir, &modes, args.force)).transpose()?;
    let mut run = Run::new(&args.common)?;
    let redact = (!args.no_redact).then(|| Arc::new(Redact::new()));
    let mut shelf = Shelf::new(&run, &modes, args.dedup, redact.clone());
    if files.is_none() && run.live && args.dedup == Dedup::None {
        shelf.print_at_once(&run, &args.common.output);
    }
    let options = options(&run, redact);
    let look = if run.strict { Look::All } else { Look::Names };
    cli::fold(&mut run, look, &ExtractRows, || Extraction::new(&modes, &options), &mut shelf)?;
    match files {
        Some(files) => shelf.write(&mut run, files)?,
        None => shelf.print(&mut run, &args.common.output)?,
    }
    Ok(run.finish())
}

/// Tables have the columns of one mode; files have the names that they have.
fn check_form(args: &Args, modes: &[&'static Info]) -> anyhow::Result<()> {
    let form = args.common.output.output;
    let mixed = matches!(form, Form::Ndjson | Form::Json);
    if modes.len() > 1 && !mixed {
        bail!("-o table, csv and tsv take one --mode: records of several have different keys");
    }
    ensure!(
        args.out_dir.is_none() || form == Form::Ndjson,
        "--out-dir writes NDJSON: it takes no -o"
    );
    Ok(())
}

fn options(run: &Run, redact: Option<Arc<Redact>>) -> Options {
    let (selection, zone) = (run.selection.clone(), run.selection.clone());
    Options {
        wanted: Arc::new(move |t, provider, sid, cwd| {
            selection.time(t) && selection.whose(provider, sid, cwd)
        }),
        offset_at: Arc::new(move |t| zone.offset_at(t)),
        redact,
    }
}

fn list() -> anyhow::Result<()> {
    let width = MODES.iter().map(|info| info.name.len()).max().unwrap_or(0);
    let lines = MODES.iter().map(|info| format!("{:width$}  {}\n", info.name, info.about));
    io::stdout().write_all(lines.collect::<String>().as_bytes()).context("standard output")
}

/// The schemas of several modes, as an array.
fn schemas(modes: &[&'static Info]) -> anyhow::Result<()> {
    let schemas: Vec<_> = modes.iter().map(|info| schema_of(info.kind())).collect();
    let mut text = serde_json::to_vec_pretty(&schemas)?;
    text.push(b'\n');
    io::stdout().write_all(&text).context("standard output")
}

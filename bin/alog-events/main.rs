//! `alog-events`: any log in, one shape out, ready for jq.

mod onward;
mod rows;

use std::process::ExitCode;

use agentlog::record::{EVENT, RecordWriter, SrcPath, Values};
use anyhow::Context;
use clap::Parser;
use cli::{
    CommonFlags, FollowFlags, Form, Lateness, Limit, Look, Output, Records, Row, Run, Selection,
    StateFlags, Step, Verdict, Wish, ZONE_NEEDLES,
};
use jsonl::{Grep, Needles};
use onward::{Onward, OnwardRows};
use rows::{Body, EventRows, EventTimes, Names, Room};

/// Print the events of the logs, decoded, in order of time
///
/// Every row becomes one record of the same shape, with the payload as the log has it. Lines that
/// cannot be read are counted and told, never dropped in silence. Reads Claude Code transcripts,
/// Codex rollouts, centralized SSE logs of both, and captured requests.
#[derive(Parser)]
#[command(name = "alog-events", version, after_long_help = EXAMPLES)]
struct Args {
    /// Only events with such names, such as 'turn.*' or '!*delta'
    ///
    /// May be given several times; commas part several patterns. Those that start with ! exclude.
    #[arg(short, long, value_name = "GLOB")]
    event: Vec<String>,

    /// Only lines that match a regular expression
    ///
    /// The line is searched as it stands in the log: quotes inside it are written \".
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,

    /// Print the source lines unchanged; takes no -o
    #[arg(long, conflicts_with_all = ["pretty", "schema"])]
    raw: bool,

    #[command(flatten)]
    follow: FollowFlags,

    #[command(flatten)]
    runs: StateFlags,

    #[command(flatten)]
    common: CommonFlags,
}

const EXAMPLES: &str = "\
Examples:
  alog-events -e turn.exec.end LOG | jq .payload.exit_code     # exit codes of all commands
  alog-events -e codex.idle,claude.stop -n 5                   # when the agents last stopped
  alog-events -e '!*delta' --since 2h -o table                 # two hours, without deltas
  alog-events --grep 'call_A1' --raw LOG                       # the source rows of one call

Exit status: 0 done; 1 no record and --fail-empty; 2 usage, unreadable input, or a bad line and
--strict. Environment: ALOG_ROOTS, CLAUDE_CONFIG_DIR, CODEX_HOME, NO_COLOR, COLUMNS.";

/// What may be kept in memory instead of reading the logs again, in bytes.
const ROOM: usize = 64 << 20;

fn main() -> ExitCode {
    cli::main("alog-events", Some(&EVENT), |args: &Args| &args.common, run)
}

fn run(args: &Args) -> anyhow::Result<Verdict> {
    if args.raw && args.common.output.output != Form::Ndjson {
        anyhow::bail!("--raw prints source lines: it takes no -o");
    }
    let names = Names::new(&args.event)?;
    let grep = args.grep.as_deref().map(Grep::new).transpose()?;
    let zones = Needles::new(&ZONE_NEEDLES).context("no needles")?;
    let look = match &grep {
        None => Look::All,
        Some(grep) if args.common.checks.strict => Look::GrepStrict(grep),
        Some(grep) => Look::Grep(grep, &zones),
    };
    let mut run = Run::of(&args.common, &args.follow, &args.runs)?;
    if args.runs.file.is_some() {
        run_on(args, &mut run, &names, look)?;
        return Ok(run.finish());
    }
    let printer = Printer {
        output: Output::new(&args.common.output, &EVENT, false),
        paths: run.logs.iter().map(|log| log.src.clone()).collect(),
        raw: args.raw,
        limit: run.selection.limit,
        no_session: run.selection.names_sessions(),
    };
    let at_once = !matches!(printer.limit, Limit::Last(_)) && !printer.output.waits_for_end();
    let goes_on = run.live && at_once || run.is_following();
    let mut command = Command { names, look, selection: run.selection.clone(), printer };
    if !(run.live && at_once) {
        command.files(&mut run)?;
    }
    if goes_on {
        command.live(&mut run)?;
    }
    command.printer.finish(&mut run)?;
    Ok(run.finish())
}

/// Prints the rows that the logs gained.
fn run_on(args: &Args, run: &mut Run, names: &Names, look: Look<'_>) -> anyhow::Result<()> {
    let (selection, room) = (run.selection.clone(), Room::new(usize::MAX));
    let rows = OnwardRows(EventRows::new(names, &selection, args.raw, &room));
    let mut records = Records::new(run, &args.common.output, false);
    if args.raw {
        records = records.in_lines(onward::Row::line);
    }
    let flags = (&args.runs, &args.common);
    cli::fold_stated(run, flags, (look, &rows), Onward, records)
}

struct Command<'a> {
    names: Names,
    look: Look<'a>,
    /// What was asked for: sessions may still come that are meant.
    selection: Selection,
    printer: Printer,
}

type Blocks = Vec<(Vec<Row<Body>>, Vec<u8>)>;

impl Command<'_> {
    /// What is little is sorted in memory; what is much is read again, in its order.
    fn files(&mut self, run: &mut Run) -> anyhow::Result<()> {
        let Self { names, look, printer, .. } = self;
        run.hold_live()?;
        run.mark_ends()?;
        let picks = names.pick() || !matches!(look, Look::All) || run.selection.is_choosy();
        let is_much = !picks && run.bytes_on_disk() > ROOM as u64;
        if !is_much && printer.kept(names, *look, run)? {
            return Ok(());
        }
        let (selection, room) = (run.selection.clone(), Room::new(usize::MAX));
        let rows = EventRows::new(names, &selection, printer.raw, &room);
        cli::replay(run, *look, &EventTimes(&rows), &rows, |t, row, arena| {
            printer.print(t, row, arena)
        })
    }

    /// Prints rows as they come.
    fn live(&mut self, run: &mut Run) -> anyhow::Result<()> {
        let Self { names, look, selection, printer } = self;
        let room = Room::new(usize::MAX);
        let rows = EventRows::new(names, selection, printer.raw, &room);
        let (following, mut late) = (run.is_following(), Lateness::default());
        printer.output.flush()?;
        run.read_live(
            *look,
            &rows,
            |_, _, _| (),
            |step| {
                match step {
                    Step::Log(path) => printer.paths.push(path.clone()),
                    Step::Row(t, mut row, arena) if selection.time(t) => {
                        if selection.names_sessions() {
                            selection.clone().settle(&rows.met())?;
                        }
                        late.row(0, t.unwrap_or(i64::MIN));
                        printer.print(t, &mut row, &arena)?;
                    }
                    Step::Pause(_) => printer.output.flush()?,
                    _ => {}
                }
                let enough = following && printer.has_enough();
                Ok(if enough { Wish::Enough } else { Wish::More })
            },
        )?;
        run.report.counts.late_rows += late.rows();
        printer.no_session &= selection.names_sessions() && rows.met().is_empty();
        Ok(())
    }
}

struct Printer {
    output: Output,
    paths: Vec<SrcPath>,
    raw: bool,
    limit: Limit,
    /// Whether sessions were asked for and none was met.
    no_session: bool,
}

impl Printer {
    /// Reads everything once, keeps the wanted rows, and prints them in order. False if there was
    /// not room for them: then nothing was printed, but the offsets and sessions are known, and
    /// what is bad was told.
    fn kept(&mut self, names: &Names, look: Look<'_>, run: &mut Run) -> anyhow::Result<bool> {
        let selection = run.selection.clone();
        let room = Room::new(if self.limit == Limit::Last(0) { 0 } else { ROOM });
        let rows = EventRows::new(names, &selection, self.raw, &room);
        let (mut blocks, mut evidence) = (Blocks::new(), Vec::new());
        run.read_all(look, &rows, |block| {
            evidence.extend(block.evidence.into_iter().map(|(_, told)| told));
            if room.is_over() {
                blocks = Blocks::new();
            } else if !block.rows.is_empty() {
                blocks.push((block.rows, block.arena));
            }
            Ok(())
        })?;
        run.zones.learn(evidence);
        let met = rows.met();
        self.no_session = selection.names_sessions() && met.is_empty();
        run.selection.settle(&met)?;
        if room.is_over() {
            run.mark_read();
            return Ok(false);
        }
        self.sorted(run, blocks)?;
        Ok(true)
    }

    /// Sorts and prints rows that were kept.
    fn sorted(&mut self, run: &mut Run, mut blocks: Blocks) -> anyhow::Result<()> {
        let mut order = Vec::new();
        let mut late = Lateness::default();
        for (b, (rows, _)) in blocks.iter().enumerate() {
            for (r, row) in rows.iter().enumerate() {
                let t = run.zones.utc(row.clock);
                let meant = run.selection.session(row.value.sid.as_deref());
                if meant && run.selection.time(t) {
                    late.row(row.src.file, t.unwrap_or(i64::MIN));
                    order.push(((t, row.src), (b, r)));
                }
            }
        }
        run.report.counts.late_rows += late.rows();
        order.sort_unstable_by_key(|(key, _)| *key);
        let skip = match self.limit {
            Limit::Last(n) => order.len().saturating_sub(n as usize),
            _ => 0,
        };
        for ((t, _), (b, r)) in order.drain(skip..) {
            let (rows, arena) = &mut blocks[b];
            self.print(t, &mut rows[r], arena)?;
        }
        Ok(())
    }

    fn print(&mut self, t: Option<i64>, row: &mut Row<Body>, arena: &[u8]) -> anyhow::Result<()> {
        if self.has_enough() {
            return Ok(());
        }
        let (paths, src) = (&self.paths, row.src);
        let text = &arena[row.value.text.clone()];
        let begin = |index: u64, out: &mut Vec<u8>| {
            RecordWriter::begin(out, EVENT.schema, index, t);
        };
        let end = |out: &mut Vec<u8>| {
            let mut record = RecordWriter::new(out);
            record.src(paths, &src);
            record.end();
        };
        match &mut row.value.large {
            Some(large) if self.raw => self.output.raw(large.1.payload())?,
            None if self.raw => self.output.raw(text)?,
            None => self.output.record(|index, out| {
                begin(index, out);
                out.extend_from_slice(text);
                end(out);
            })?,
            Some(large) => {
                let (at, large) = &mut **large;
                let (head, tail) = text.split_at(*at - row.value.text.start);
                let head = |index: u64, out: &mut Vec<u8>| {
                    begin(index, out);
                    out.extend_from_slice(head);
                };
                self.output.record_around(head, large.payload(), |out| {
                    out.extend_from_slice(tail);
                    end(out);
                })?;
            }
        }
        Ok(())
    }

    /// Whether all that was asked for was printed.
    fn has_enough(&self) -> bool {
        matches!(self.limit, Limit::First(n) if self.output.printed() >= n)
    }

    fn finish(mut self, run: &mut Run) -> anyhow::Result<()> {
        self.output.finish()?;
        if self.no_session {
            run.report.remark("--session: no such session in what was read");
        }
        run.report.counts.records = self.output.printed();
        Ok(())
    }
}

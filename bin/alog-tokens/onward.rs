//! Groups with `--state-file`: those that changed since the last run, with what they come to by now.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use agentlog::fold::Fold;
use agentlog::fold::tokens::{self, Group, Options, TokenUse};
use agentlog::record::SrcPath;
use agentlog::state;
use cli::{FoldRows, Look, Record, Records, Run, Shares, Sink};
use foldhash::quality::FixedState;
use ledger::Prices;

use crate::Args;

/// What the records are called that were printed last.
const PRINTED: &str = "printed groups";

/// Counts what the logs gained, and prints the groups that changed.
pub fn run_on(
    args: &Args,
    run: &mut Run,
    (look, rows): (Look<'_>, &FoldRows),
    (options, prices): (Options, Option<&Prices>),
) -> anyhow::Result<()> {
    let mut fold = TokenUse::new(options.clone());
    let (file, stated) = cli::go_on(run, (&args.runs, &args.common), &mut fold)?;
    let mut shares = Shares::default();
    let unfed = cli::fold_on(run, look, rows, (&mut fold, &mut shares), |point, fold, _| {
        // Nothing was printed by then: what changed is told at the end.
        file.write(point, &cli::saved(fold), stated.printed, &stated.beside)
    })?;
    let saved = cli::saved(&fold);
    let mut out = Vec::new();
    if args.runs.flush_open {
        unfed.feed(&mut fold, &mut out);
    }
    fold.finish(&mut out);
    shares.take(&mut out)?;
    let shares = shares.of_named_sessions(run)?;
    let mut groups = tokens::groups(shares, &options.by, prices, args.rate_limits);
    let before: BTreeSet<u64> = state::read(PRINTED, &stated.beside).unwrap_or_default();
    let now = only_new(&mut groups, &before, run, args.explain);
    let mut records = Records::new(run, &args.common.output, args.explain).of_selected_rows();
    records.go_on(run, stated.printed, BTreeSet::new());
    records.take(&mut groups)?;
    records.flush()?;
    let mut beside = Vec::new();
    state::write(PRINTED, &now, &mut beside);
    file.write(run.resume_point(), &saved, records.printed(), &beside)?;
    records.finish(run)
}

/// Leaves the groups whose records are others than those that were printed before. Returns the hashes
/// of all.
#[allow(clippy::vec_box)] // As they are made.
fn only_new(
    groups: &mut Vec<Box<Group>>,
    before: &BTreeSet<u64>,
    run: &Run,
    explain: bool,
) -> BTreeSet<u64> {
    let paths: Vec<SrcPath> = run.logs.iter().map(|log| log.src.clone()).collect();
    let (mut now, mut text) = (BTreeSet::new(), Vec::new());
    groups.retain(|group| {
        text.clear();
        group.write(0, &paths, explain, &mut text);
        let hash = FixedState::with_seed(0).hash_one(&text);
        now.insert(hash);
        !before.contains(&hash)
    });
    now
}

//! A run of a command with `--state-file`: what is new since the last run, in order of finality.

use agentlog::fold::Resume;
use agentlog::state;
use anyhow::{Result, ensure};

use super::file::REMEDY;
use super::{ResumePoint, StateFile, Stated};
use crate::flags::{CommonFlags, Form, StateFlags};
use crate::fold::{ReadRows, Sink, fold_on};
use crate::look::Look;
use crate::records::{Record, Records};
use crate::run::Run;
use crate::select::Limit;
use crate::start;

/// Feeds a fold what the logs gained since the state was kept, prints the records that are final by
/// now, and keeps the state of the next run. `records` prints them.
pub fn fold_stated<F>(
    run: &mut Run,
    (state, common): (&StateFlags, &CommonFlags),
    (look, rows): (Look<'_>, &impl ReadRows),
    mut fold: F,
    mut records: Records<F::Record>,
) -> Result<()>
where
    F: Resume<Record: Record + Send> + Send,
{
    let (file, stated) = go_on(run, (state, common), &mut fold)?;
    records.go_on(run, stated.printed, state::read(SESSIONS, &stated.beside).unwrap_or_default());
    let keep = |point: &ResumePoint, fold: &[u8], records: &mut Records<F::Record>| {
        // Printed first: who is killed in between prints some again, and loses none.
        records.flush()?;
        let mut sessions = Vec::new();
        state::write(SESSIONS, records.sessions(), &mut sessions);
        file.write(point, fold, records.printed(), &sessions)
    };
    let unfed = fold_on(run, look, rows, (&mut fold, &mut records), |point, fold, records| {
        keep(point, &saved(fold), records)
    })?;
    let saved = saved(&fold);
    if state.flush_open {
        let mut out = Vec::new();
        unfed.feed(&mut fold, &mut out);
        fold.finish(&mut out);
        records.take(&mut out)?;
    }
    keep(run.resume_point(), &saved, &mut records)?;
    records.finish(run)
}

/// What the sessions are called that `--session` met.
const SESSIONS: &str = "sessions";

/// Takes up the state of the last run.
pub fn go_on(
    run: &mut Run,
    (flags, common): (&StateFlags, &CommonFlags),
    fold: &mut impl Resume,
) -> Result<(StateFile, Stated)> {
    let Some(path) = &flags.file else { anyhow::bail!("--state-file: none is named") };
    ensure!(
        run.selection.limit == Limit::None,
        "--state-file prints what is new: it takes neither -n nor --first"
    );
    ensure!(
        matches!(common.output.output, Form::Ndjson | Form::Csv | Form::Tsv),
        "--state-file prints what is new as it goes on: it takes no -o table and no -o json"
    );
    let (file, mut stated) = StateFile::open(path, start::asked())?;
    file.load(&stated, fold)?;
    run.go_on_from(std::mem::take(&mut stated.point), REMEDY)?;
    Ok((file, stated))
}

/// The state of a fold.
pub fn saved(fold: &impl Resume) -> Vec<u8> {
    let mut bytes = Vec::new();
    fold.save(&mut bytes);
    bytes
}

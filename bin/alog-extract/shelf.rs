//! Records wait here until all are known. Then they are put in order, and those that say the same left out.

mod choice;
mod scribe;
mod spool;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use cli::{Form, Limit, Output, OutputFlags, Run, Selection, Sink};
use extract::{Info, Record, Redact, Select};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::Dedup;
use crate::files::Files;
use choice::{limit, without_doubles};
use scribe::{Scribe, Slip, paragraph};
use spool::Spool;

/// Takes the records of all modes.
pub struct Shelf {
    scribe: Scribe,
    selection: Selection,
    spool: Spool,
    /// In lots of [`LOT`]: a list of all would be moved again and again as it grows.
    kept: Vec<Vec<Slip>>,
    /// Sessions that were named and are there, with what names them in slips.
    sessions: BTreeSet<String>,
    ids: HashMap<String, u32, FixedState>,
    /// Where records go that are printed as they come.
    at_once: Option<Output>,
    /// How many of each mode were printed as they came.
    printed: Vec<u64>,
}

/// How many slips are kept in one list.
const LOT: usize = 16 << 10;

impl Shelf {
    /// An empty shelf for the records of modes.
    pub fn new(
        run: &Run,
        modes: &[&'static Info],
        dedup: Dedup,
        redact: Option<Arc<Redact>>,
    ) -> Self {
        Self {
            scribe: Scribe {
                modes: modes.to_vec(),
                paths: run.logs.iter().map(|log| log.src.clone()).collect(),
                dedup,
                redact,
            },
            selection: run.selection.clone(),
            spool: Spool::default(),
            kept: Vec::new(),
            sessions: BTreeSet::new(),
            ids: HashMap::default(),
            at_once: None,
            printed: vec![0; modes.len()],
        }
    }

    /// Prints records as they come, unless something is asked for that only the end can tell.
    pub fn print_at_once(&mut self, run: &Run, flags: &OutputFlags) {
        let output = Output::new(flags, self.scribe.modes[0].kind(), false);
        let waits = output.waits_for_end() || matches!(run.selection.limit, Limit::Last(_));
        self.at_once = (!waits).then_some(output);
    }

    /// Whether a record is wanted, as far as is known before the end.
    fn wants(&mut self, record: &Record) -> bool {
        if record.info.takes.select != Select::Records {
            return true;
        }
        let head = &record.head;
        let sid = head.sid.as_deref();
        if self.selection.names_sessions() && self.selection.session(sid) {
            self.sessions.extend(sid.map(String::from));
        }
        self.selection.time(record.t)
            && self.selection.whose(head.provider, sid, head.cwd.as_deref())
    }

    /// Keeps records. To write them down takes all cores.
    fn keep(&mut self, records: &[Record]) -> Result<()> {
        let scribe = &self.scribe;
        let slips: Vec<(Slip, Vec<u8>)> =
            records.par_iter().with_min_len(64).map(|record| scribe.slip(record)).collect();
        for (record, (slip, text)) in records.iter().zip(slips) {
            let asked =
                self.selection.names_sessions() && record.info.takes.select == Select::Records;
            let session = record.head.sid.as_deref().filter(|_| asked).map_or(0, |sid| {
                let next = self.ids.len() as u32 + 1;
                *self.ids.entry(sid.to_owned()).or_insert(next)
            });
            let at = self.spool.push(&text)?;
            if self.kept.last().is_none_or(|lot| lot.len() == LOT) {
                self.kept.push(Vec::with_capacity(LOT));
            }
            if let Some(lot) = self.kept.last_mut() {
                lot.push(Slip { session, at, ..slip });
            }
        }
        Ok(())
    }

    fn print_now(&mut self, record: &Record) -> Result<()> {
        let Some(output) = &mut self.at_once else { return Ok(()) };
        if self.selection.names_sessions() {
            self.selection.clone().settle(&self.sessions)?;
        }
        let mode = self.scribe.mode(record);
        if let Limit::First(n) = self.selection.limit
            && self.printed[mode] >= n
        {
            return Ok(());
        }
        self.printed[mode] += 1;
        let scribe = &self.scribe;
        Ok(output.record(|index, out| scribe.record_into(record, index, out))?)
    }

    /// The wanted records in order, those of each mode no more than were asked for.
    fn settle(&mut self, run: &mut Run) -> Result<Vec<Slip>> {
        self.selection.settle(&self.sessions)?;
        if self.selection.names_sessions() && self.sessions.is_empty() {
            run.report.remark("--session: no such session in what was read");
        }
        let kept = std::mem::take(&mut self.kept);
        let mut kept: Vec<Slip> = kept.into_iter().flatten().collect();
        let mut meant = vec![true; self.ids.len() + 1];
        for (sid, id) in &self.ids {
            meant[*id as usize] = self.selection.session(Some(sid));
        }
        kept.retain(|slip| meant[slip.session as usize]);
        kept.sort_unstable_by_key(|slip| (slip.t, slip.row, slip.mode, slip.at));
        if self.scribe.dedup != Dedup::None {
            kept = without_doubles(kept, self.scribe.dedup == Dedup::Last);
        }
        limit(&mut kept, self.selection.limit, self.scribe.modes.len());
        Ok(kept)
    }

    fn text(&self, slip: &Slip) -> Result<Cow<'_, [u8]>> {
        self.spool.get(slip.at, (slip.body + u64::from(slip.tail)) as usize)
    }

    /// Prints the records on standard output.
    pub fn print(mut self, run: &mut Run, flags: &OutputFlags) -> Result<()> {
        let kept = self.settle(run)?;
        let first = self.scribe.modes[0];
        let fresh = || Output::new(flags, first.kind(), false);
        let mut output = self.at_once.take().unwrap_or_else(fresh);
        let in_words = flags.output == Form::Table && first.name == "transcript";
        for slip in &kept {
            let text = self.text(slip)?;
            if in_words {
                output.paragraph(&paragraph(&text[..slip.body as usize]))?;
                continue;
            }
            output.record(|index, out| self.scribe.slip_into(slip, &text, index, out))?;
        }
        output.finish()?;
        run.report.counts.records = output.printed();
        Ok(())
    }

    /// Writes the records into files, one a mode.
    pub fn write(mut self, run: &mut Run, mut files: Files) -> Result<()> {
        let kept = self.settle(run)?;
        let mut indexes = vec![0; self.scribe.modes.len()];
        let mut record = Vec::new();
        for slip in &kept {
            let mode = slip.mode as usize;
            indexes[mode] += 1;
            record.clear();
            self.scribe.slip_into(slip, &self.text(slip)?, indexes[mode], &mut record);
            record.push(b'\n');
            files.write(mode, &record)?;
        }
        files.finish()?;
        run.report.counts.records = kept.len() as u64;
        Ok(())
    }
}

impl Sink<Record> for Shelf {
    fn take(&mut self, records: &mut Vec<Record>) -> Result<()> {
        records.retain(|record| self.wants(record));
        if self.at_once.is_none() {
            let kept = self.keep(records);
            records.clear();
            return kept;
        }
        records.drain(..).try_for_each(|record| self.print_now(&record))
    }

    fn restart(&mut self) {
        self.kept.clear();
        self.sessions.clear();
        self.spool = Spool::default();
    }

    fn flush(&mut self) -> Result<()> {
        self.at_once.as_mut().map_or(Ok(()), |output| Ok(output.flush()?))
    }
}

//! Records wait here until all are known: their texts in memory as long as they are few, else in a
//! temporary file without a name. Then they are put in order, and those that say the same left out.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::hash::{BuildHasher, Hash};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use agentlog::record::{Key, RecordWriter, SrcPath};
use anyhow::{Context, Result};
use cli::{Form, Limit, Output, OutputFlags, Run, Selection, Sink};
use extract::{Info, Record, Redact, Select};
use foldhash::fast::FixedState;
use rayon::prelude::*;

use crate::Dedup;
use crate::files::Files;

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

/// Writes records down.
struct Scribe {
    modes: Vec<&'static Info>,
    paths: Vec<SrcPath>,
    dedup: Dedup,
    redact: Option<Arc<Redact>>,
}

/// What is known of a record whose text is on the shelf.
#[derive(Clone, Copy)]
struct Slip {
    t: Option<i64>,
    /// The row that it starts from: file and offset.
    row: (u32, u64),
    /// Place of its mode among the chosen ones.
    mode: u16,
    /// Its session; 0 if it has none, or nobody asks.
    session: u32,
    /// Where its text is: bytes before `src`, and the bytes of that.
    at: u64,
    body: u32,
    tail: u32,
    /// What records share that say the same.
    same: u64,
    /// How many records it stands for.
    count: u32,
}

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
    pub fn print_at_once(&mut self, run: &Run, flags: &OutputFlags, modes: &[&'static Info]) {
        let output = Output::new(flags, modes[0].kind(), false);
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
        let Scribe { redact, paths, .. } = &self.scribe;
        output.record(|index, out| {
            begin_into(record.info, index, out);
            record.body_into(redact.as_deref(), out);
            RecordWriter::new(out).count(COUNT, Some(1));
            record.src_into(paths, out);
            out.push(b'}');
        })?;
        Ok(())
    }

    /// The wanted records in order, those of each mode no more than were asked for.
    fn settle(&mut self, run: &mut Run) -> Result<Vec<Slip>> {
        self.selection.settle(&self.sessions)?;
        if self.selection.names_sessions() && self.sessions.is_empty() {
            run.report.remark("--session: no such session in what was read");
        }
        let kept = std::mem::take(&mut self.kept);
        let mut kept: Vec<Slip> = kept.into_iter().flatten().collect();
        let meant: Vec<bool> = {
            let mut meant = vec![true; self.ids.len() + 1];
            self.ids
                .iter()
                .for_each(|(sid, id)| meant[*id as usize] = self.selection.session(Some(sid)));
            meant
        };
        kept.retain(|slip| meant[slip.session as usize]);
        kept.sort_unstable_by_key(|slip| (slip.t, slip.row, slip.mode, slip.at));
        if self.scribe.dedup != Dedup::None {
            kept = without_doubles(kept, self.scribe.dedup == Dedup::Last);
        }
        limit(&mut kept, self.selection.limit, self.scribe.modes.len());
        Ok(kept)
    }

    /// Prints the records on standard output.
    pub fn print(
        mut self,
        run: &mut Run,
        flags: &OutputFlags,
        modes: &[&'static Info],
    ) -> Result<()> {
        let kept = self.settle(run)?;
        let fresh = || Output::new(flags, modes[0].kind(), false);
        let mut output = self.at_once.take().unwrap_or_else(fresh);
        let words = flags.output == Form::Table && modes[0].name == "transcript";
        for slip in &kept {
            let text = self.spool.get(slip)?;
            if words {
                output.paragraph(&paragraph(&text[..slip.body as usize]))?;
                continue;
            }
            output.record(|index, out| slip_into(modes, slip, &text, index, out))?;
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
            slip_into(&self.scribe.modes, slip, &self.spool.get(slip)?, indexes[mode], &mut record);
            record.push(b'\n');
            files.write(mode, &record)?;
        }
        files.finish()?;
        run.report.counts.records = kept.len() as u64;
        Ok(())
    }
}

impl Scribe {
    /// The place of a record's mode among the chosen ones.
    fn mode(&self, record: &Record) -> usize {
        self.modes.iter().position(|info| info.name == record.info.name).unwrap_or(0)
    }

    /// What is to be kept of a record.
    fn slip(&self, record: &Record) -> (Slip, Vec<u8>) {
        let mut text = Vec::new();
        let mode = self.mode(record);
        record.body_into(self.redact.as_deref(), &mut text);
        let same = match self.dedup {
            Dedup::None => 0,
            Dedup::Exact => hash(&(mode, &text)),
            Dedup::Content => hash(&(mode, key_of(record), content_of(record))),
            Dedup::Last => hash(&(mode, key_of(record))),
        };
        let body = text.len() as u32;
        record.src_into(&self.paths, &mut text);
        let tail = text.len() as u32 - body;
        let row = (record.src.file, record.src.offset);
        let mode = mode as u16;
        let slip = Slip { t: record.t, row, mode, session: 0, at: 0, body, tail, same, count: 1 };
        (slip, text)
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

const COUNT: Key = Key(",\"count\":");

/// The start of a record, up to its time.
fn begin_into(info: &Info, index: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"schema\":\"");
    out.extend_from_slice(info.kind().schema.as_bytes());
    out.push(b'"');
    RecordWriter::new(out).count(Key(",\"index\":"), Some(index));
}

fn slip_into(modes: &[&'static Info], slip: &Slip, text: &[u8], index: u64, out: &mut Vec<u8>) {
    begin_into(modes[slip.mode as usize], index, out);
    let (body, src) = text.split_at(slip.body as usize);
    out.extend_from_slice(body);
    RecordWriter::new(out).count(COUNT, Some(slip.count.into()));
    out.extend_from_slice(src);
    out.push(b'}');
}

/// Of the slips that say the same the first, or the last, in their order.
fn without_doubles(kept: Vec<Slip>, last: bool) -> Vec<Slip> {
    let mut at: HashMap<u64, usize, FixedState> = HashMap::default();
    let mut single: Vec<Option<Slip>> = Vec::with_capacity(kept.len());
    for slip in kept {
        let next = single.len();
        let known = at.entry(slip.same).or_insert(next);
        match single.get_mut(*known) {
            Some(first) if last => {
                let count = first.take().map_or(0, |first| first.count) + slip.count;
                single.push(Some(Slip { count, ..slip }));
                *known = next;
            }
            Some(Some(first)) => first.count += slip.count,
            _ => single.push(Some(slip)),
        }
    }
    single.into_iter().flatten().collect()
}

/// Leaves as many of each mode as were asked for.
fn limit(kept: &mut Vec<Slip>, limit: Limit, modes: usize) {
    let mut left = vec![0u64; modes];
    let n = match limit {
        Limit::None => return,
        Limit::First(n) | Limit::Last(n) => n,
    };
    let mut fits = |slip: &Slip| {
        let taken = &mut left[slip.mode as usize];
        *taken += 1;
        *taken <= n
    };
    if matches!(limit, Limit::First(_)) {
        kept.retain(|slip| fits(slip));
        return;
    }
    let mut latest: Vec<Slip> = kept.iter().rev().filter(|slip| fits(slip)).copied().collect();
    latest.reverse();
    *kept = latest;
}

/// What makes a record the same thing as another.
fn key_of(record: &Record) -> Vec<String> {
    let head = &record.head;
    let part = |name: &&str| match *name {
        "sid" => head.sid.clone().unwrap_or_default(),
        "pid" => head.pid.map_or_else(String::new, |pid| pid.to_string()),
        "provider" => head.provider.map_or("", |provider| provider.name()).to_owned(),
        "ver" => head.ver.clone().unwrap_or_default(),
        "round" => head.round.clone().unwrap_or_default(),
        "model" => head.model.clone().unwrap_or_default(),
        "t" => record.t.map_or_else(String::new, |t| t.to_string()),
        "src" => format!("{:?}", record.src),
        own => record.value(own).to_string(),
    };
    record.info.key.iter().map(part).collect()
}

/// What a record says of its thing, but for how often and when last.
fn content_of(record: &Record) -> Vec<String> {
    let own = record.info.own.iter().zip(&record.values);
    own.filter(|(field, _)| !matches!(field.name, "uses" | "t_last" | "evidence" | "rows"))
        .map(|(_, value)| value.to_string())
        .collect()
}

fn hash(of: &impl Hash) -> u64 {
    foldhash::quality::FixedState::with_seed(0).hash_one(of)
}

/// A paragraph for people: who speaks, and what; nothing in it can steer a terminal.
fn paragraph(body: &[u8]) -> String {
    let text = format!("{{\"_\":0{}}}", String::from_utf8_lossy(body));
    let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let at = |key: &str| record.get(key).and_then(serde_json::Value::as_str);
    let time = at("t").and_then(|t| t.get(..19)).unwrap_or("").replace('T', " ");
    let name = at("name").map_or_else(String::new, |name| format!(" {name}"));
    let said = at("text").unwrap_or("");
    let said = said.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}");
    format!("{time} {}{name}\n{said}", at("role").unwrap_or("?"))
}

/// Texts, in memory up to a limit and then in a file.
#[derive(Default)]
struct Spool {
    memory: Vec<u8>,
    /// The file, and how much is in it: all that came before `memory`.
    file: Option<(File, u64)>,
}

/// How much stays in memory, in bytes.
const ROOM: usize = 16 << 20;

impl Spool {
    /// Appends a text; returns where it is.
    fn push(&mut self, text: &[u8]) -> Result<u64> {
        if self.memory.len() + text.len() > ROOM {
            self.spill()?;
        }
        let at = self.file.as_ref().map_or(0, |(_, len)| *len) + self.memory.len() as u64;
        self.memory.extend_from_slice(text);
        Ok(at)
    }

    fn spill(&mut self) -> Result<()> {
        let dir = || format!("temporary file in {}", std::env::temp_dir().display());
        let (mut file, len) = match self.file.take() {
            Some(open) => open,
            None => (tempfile::tempfile().with_context(dir)?, 0),
        };
        file.write_all(&self.memory).with_context(dir)?;
        self.file = Some((file, len + self.memory.len() as u64));
        self.memory.clear();
        Ok(())
    }

    /// The text of a slip.
    fn get(&self, slip: &Slip) -> Result<Cow<'_, [u8]>> {
        let (at, len) = (slip.at, (slip.body + slip.tail) as usize);
        let before = self.file.as_ref().map_or(0, |(_, len)| *len);
        if let Some(at) = at.checked_sub(before) {
            let at = at as usize;
            return Ok(self.memory[at..at + len].into());
        }
        let mut text = vec![0; len];
        if let Some((file, _)) = &self.file {
            file.read_exact_at(&mut text, at).context("temporary file")?;
        }
        Ok(text.into())
    }
}

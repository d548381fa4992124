//! From records that folds give out to those that are printed: selected, in order of time, as
//! many as were asked for.

mod kinds;
mod spelled;
mod states;

use std::collections::BTreeSet;
use std::time::Duration;

use agentlog::event::{Head, Src};
use agentlog::json::Text;
use agentlog::record::{RecordKind, SrcPath, Values};
use anyhow::Result;

use crate::flags::{EmitFlags, OutputFlags};
use crate::fold::Sink;
use crate::output::Output;
use crate::run::Run;
use crate::select::{Limit, Selection};
use states::States;

/// A record that a fold gave out.
pub trait Record: Sync {
    /// Its kind.
    const KIND: &'static RecordKind;
    /// When it happened, in milliseconds since the epoch.
    fn t(&self) -> Option<i64>;
    /// The row it starts from.
    fn src(&self) -> Src;
    /// What tells it from others that start from the same row.
    fn id(&self) -> Option<&str>;
    /// Whose it is.
    fn head(&self) -> &Head;
    /// Appends it as JSON.
    fn write(&self, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>);
}

/// A record whose values can go into columns.
pub trait InColumns: Record {
    /// Hands out its values behind `t`.
    fn values(&self, paths: &[SrcPath], values: &mut impl Values);
}

/// Takes records and prints those that are wanted.
pub struct Records<R> {
    output: Output,
    selection: Selection,
    paths: Vec<SrcPath>,
    explain: bool,
    /// Whether records are printed as they come.
    at_once: bool,
    /// Whether they will be, once what is there was read.
    at_once_later: bool,
    /// Wanted records that wait for the end.
    kept: Vec<R>,
    sessions: BTreeSet<String>,
    /// Records that earlier runs printed.
    before: u64,
    /// Which of the selected records are printed.
    only: Box<dyn FnMut(&R) -> bool + Send>,
    /// Sums records up, for tables.
    total: Option<fn(&[R]) -> R>,
    /// What is printed of a record instead of the whole.
    words: Option<fn(&R) -> Option<&Text>>,
    /// What is printed of a record as it stands in the log.
    lines: Option<fn(&R) -> &[u8]>,
    /// What was printed of records that are not final, if that is wanted.
    states: Option<States>,
    /// Memory for one of them.
    open_text: Vec<u8>,
}

/// How many records more than asked for are kept before the oldest are dropped.
const SPARE: usize = 4096;

impl<R: Record> Records<R> {
    /// Prepares to print the records of a run.
    pub fn new(run: &Run, flags: &OutputFlags, explain: bool) -> Self {
        let output = Output::new(flags, R::KIND, explain);
        let streams = !output.waits_for_end();
        let at_once = run.live && streams && !matches!(run.selection.limit, Limit::Last(_));
        let at_once_later = run.is_following() && streams;
        Self {
            output,
            selection: run.selection.clone(),
            paths: run.logs.iter().map(|log| log.src.clone()).collect(),
            explain,
            at_once,
            at_once_later,
            kept: Vec::new(),
            sessions: BTreeSet::new(),
            before: 0,
            only: Box::new(|_| true),
            total: None,
            words: None,
            lines: None,
            states: None,
            open_text: Vec::new(),
        }
    }

    /// Prints of each record a text and nothing else, with blank lines between; nothing of one
    /// that has none.
    #[must_use]
    pub fn in_words(self, words: fn(&R) -> Option<&Text>) -> Self {
        Self { words: Some(words), ..self }
    }

    /// Prints of each record a line of the log and nothing else.
    #[must_use]
    pub fn in_lines(self, lines: fn(&R) -> &[u8]) -> Self {
        Self { lines: Some(lines), ..self }
    }

    /// Prints other states of records, too, or instead.
    #[must_use]
    pub fn emitting(mut self, flags: &EmitFlags) -> Self {
        self.states = States::new(&flags.emit);
        self.output.set_states(self.states.is_some());
        self
    }

    /// Whether other states are printed, too.
    pub fn has_states(&self) -> bool {
        self.states.is_some()
    }

    /// Prints, of the selected records, only those that pass the test.
    #[must_use]
    pub fn only(self, test: impl FnMut(&R) -> bool + Send + 'static) -> Self {
        Self { only: Box::new(test), ..self }
    }

    /// The records were made of selected rows: only their number is still limited.
    #[must_use]
    pub fn of_selected_rows(self) -> Self {
        Self { selection: self.selection.only_limit(), ..self }
    }

    /// Shows these columns in tables, and what the printed records sum up to.
    #[must_use]
    pub fn table(mut self, columns: &[&'static str], total: fn(&[R]) -> R) -> Self {
        self.output.set_columns(columns);
        Self { total: Some(total), ..self }
    }
}

impl<R: Record> Sink<R> for Records<R> {
    fn take(&mut self, records: &mut Vec<R>) -> Result<()> {
        for record in records.drain(..) {
            if let Some(states) = &mut self.states {
                states.is_final(record.src(), record.id());
                if !states.end {
                    continue;
                }
            }
            if !self.wants(&record) {
                continue;
            }
            if self.at_once {
                // Two sessions that fit cannot both be meant, even if one was printed already.
                if self.selection.names_sessions() {
                    self.selection.clone().settle(&self.sessions)?;
                }
                self.print(&record)?;
            } else {
                self.kept.push(record);
            }
        }
        if let Limit::Last(n) = self.selection.limit
            && self.selection.sessions_are_clear()
            && self.kept.len() > n as usize + SPARE
        {
            self.sort();
            self.kept.drain(..self.kept.len() - n as usize);
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.kept.clear();
        self.sessions.clear();
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.output.flush()?)
    }

    fn log_came(&mut self, path: &SrcPath) {
        self.paths.push(path.clone());
    }

    fn caught_up(&mut self) -> Result<()> {
        if !self.at_once_later {
            return Ok(());
        }
        self.at_once = true;
        if let Limit::Last(n) = self.selection.limit {
            self.sort();
            self.kept.retain(|record| self.selection.session(record.head().sid.as_deref()));
            self.kept.drain(..self.kept.len().saturating_sub(n as usize));
        }
        if self.selection.names_sessions() {
            self.selection.clone().settle(&self.sessions)?;
        }
        for record in std::mem::take(&mut self.kept) {
            self.print(&record)?;
        }
        self.flush()
    }

    fn wants_open(&self) -> Option<Duration> {
        (self.has_states() && self.at_once).then_some(Duration::ZERO)
    }

    fn take_open(&mut self, records: &mut Vec<R>) -> Result<()> {
        for record in records.drain(..) {
            if !self.wants(&record) {
                continue;
            }
            self.open_text.clear();
            record.write(0, &self.paths, self.explain, &mut self.open_text);
            let states = self.states.as_mut();
            if states.is_some_and(|s| s.is_news(record.src(), record.id(), &self.open_text)) {
                self.print_state(&record, Some(false))?;
            }
        }
        Ok(())
    }

    fn has_enough(&self) -> bool {
        self.at_once
            && matches!(self.selection.limit, Limit::First(n) if self.output.printed() >= n)
    }
}

impl<R: Record> Records<R> {
    /// Goes on where an earlier run stopped, that printed so many and met these sessions: records are
    /// printed as they come.
    pub fn go_on(&mut self, run: &Run, printed: u64, sessions: BTreeSet<String>) {
        self.paths = run.logs.iter().map(|log| log.src.clone()).collect();
        (self.at_once, self.before, self.sessions) = (true, printed, sessions);
        self.output.go_on(printed);
    }

    /// How many were printed, in earlier runs too.
    pub fn printed(&self) -> u64 {
        self.output.printed()
    }

    /// The sessions met so far, if sessions are asked for.
    pub(crate) fn sessions(&self) -> &BTreeSet<String> {
        &self.sessions
    }

    /// Whether a record is selected.
    fn wants(&mut self, record: &R) -> bool {
        let head = record.head();
        let sid = head.sid.as_deref();
        if self.selection.names_sessions() && self.selection.session(sid) {
            self.sessions.extend(sid.map(String::from));
        }
        self.selection.time(record.t())
            && self.selection.whose(head.provider, sid, head.cwd.as_deref())
            && (self.only)(record)
    }

    fn sort(&mut self) {
        self.kept.sort_by_key(|record| (record.t(), record.src()));
    }

    /// Prints what was kept, in order of time, and ends the output.
    pub fn finish(mut self, run: &mut Run) -> Result<()> {
        let kept = self.settle(run)?;
        self.print_all(&kept)?;
        if let Some(total) = self.total {
            let printed = &kept[..kept.len().min(self.output.printed() as usize)];
            self.output.total(|out| total(printed).write(0, &self.paths, false, out));
        }
        self.output.finish()?;
        run.report.counts.records = self.output.printed() - self.before;
        // The process ends next: they are not let go one by one.
        std::mem::forget(kept);
        Ok(())
    }

    /// Keeps all records until the end, for [`Records::gathered`].
    #[must_use]
    pub fn gathering(self) -> Self {
        Self { at_once: false, at_once_later: false, ..self }
    }

    /// The wanted records in order of time, for those who print what they come to instead.
    pub fn gathered(mut self, run: &mut Run) -> Result<Vec<R>> {
        let mut kept = self.settle(run)?;
        if let Limit::First(n) = self.selection.limit {
            kept.truncate(n as usize);
        }
        Ok(kept)
    }

    /// What was kept and is wanted, now that all sessions are known.
    fn settle(&mut self, run: &Run) -> Result<Vec<R>> {
        self.selection.settle(&self.sessions)?;
        self.sort();
        let mut kept = std::mem::take(&mut self.kept);
        kept.retain(|record| self.selection.session(record.head().sid.as_deref()));
        if let Limit::Last(n) = self.selection.limit {
            kept.drain(..kept.len().saturating_sub(n as usize));
        }
        if self.selection.names_sessions() && self.sessions.is_empty() {
            run.report.remark("--session: no such session in what was read");
        }
        Ok(kept)
    }

    /// Whether each record is printed, as a whole and as it is spelled.
    fn prints_as_spelled(&self) -> bool {
        let is_limited = matches!(self.selection.limit, Limit::First(_));
        let in_parts = self.words.is_some() || self.lines.is_some();
        !is_limited && !in_parts && self.states.is_none() && self.output.is_plain()
    }

    /// Prints records in order. Many that are all printed are spelled on all cores, while those before
    /// are written.
    fn print_all(&mut self, records: &[R]) -> Result<()> {
        if !spelled::pays(records.len()) || !self.prints_as_spelled() {
            return records.iter().try_for_each(|record| self.print(record));
        }
        spelled::print(records, &mut self.output, (&self.paths, self.explain))
    }

    fn print(&mut self, record: &R) -> Result<()> {
        let is_final = self.states.is_some().then_some(true);
        self.print_state(record, is_final)
    }

    /// Prints a record; `is_final` is told in it, if it is to be told.
    fn print_state(&mut self, record: &R, is_final: Option<bool>) -> Result<()> {
        if let Limit::First(n) = self.selection.limit
            && self.output.printed() >= n
        {
            return Ok(());
        }
        if let Some(words) = self.words {
            let text = words(record).map(Text::to_str_lossy);
            return Ok(text.map_or(Ok(()), |text| self.output.paragraph(&text))?);
        }
        if let Some(lines) = self.lines {
            return Ok(self.output.raw(lines(record))?);
        }
        let (paths, explain) = (&self.paths, self.explain);
        Ok(self.output.record(|index, out| {
            record.write(index, paths, explain, out);
            if let (Some(is_final), Some(b'}')) = (is_final, out.last()) {
                out.pop();
                out.extend_from_slice(format!(",\"final\":{is_final}}}").as_bytes());
            }
        })?)
    }
}

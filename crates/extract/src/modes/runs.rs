//! What Codex ran: rows that tell of a begin or an end, and the two put together.
//!
//! An end belongs to the latest open begin of its call in its session, since a call that is tried
//! again runs again. Rows of one instant may swap places: an end without a begin waits for one
//! that is no more than 50 ms of log time later. Rollouts tell only ends.

use std::collections::{HashMap, VecDeque};

use agentlog::event::{Event, Execution, Phase, Tool, What, is_cut};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::call_fold::{Start, call_key};
use crate::tools::text_at;
use crate::{Form, Info, Mode, Record, Row};

/// How far rows of one instant may be out of order, in milliseconds.
const TOLERANCE_MS: i64 = 50;

/// A row that tells of a run.
pub(super) struct RunRow<'a> {
    pub tool: Tool,
    pub phase: Phase,
    pub call_id: Option<&'a str>,
    /// What the row tells; null where the writer cut it short.
    pub told: &'a Value,
    /// What could be read of a row that was cut.
    read: Option<&'a Execution>,
}

/// The run that a row tells of, if it comes for all of it.
pub(super) fn run_of<'a>(row: &Row<'a>) -> Option<RunRow<'a>> {
    let facts = row.facts?;
    let payload = &facts.payload;
    if facts.form == Form::Sse {
        let What::Execution(run) = row.event.what else { return None };
        let call_id = run.call_id.map(|id| row.event.name(id));
        let read = Some(run).filter(|_| payload.is_null());
        return Some(RunRow { tool: run.tool, phase: run.phase, call_id, told: payload, read });
    }
    if facts.form != Form::Rollout {
        return None;
    }
    let payload = payload.get("payload")?;
    let (tool, phase) = match facts.name.strip_prefix("event_msg.")? {
        "exec_command_begin" => (Tool::Shell, Phase::Begin),
        "exec_command_end" => (Tool::Shell, Phase::Whole),
        "mcp_tool_call_begin" => (Tool::Mcp, Phase::Begin),
        "mcp_tool_call_end" => (Tool::Mcp, Phase::Whole),
        "patch_apply_begin" => (Tool::Patch, Phase::Begin),
        "patch_apply_end" => (Tool::Patch, Phase::Whole),
        "item_completed" => {
            let item = payload.get("item")?;
            let tool = match text_at(item, &["type"])? {
                "CommandExecution" => Tool::Shell,
                "McpToolCall" => Tool::Mcp,
                "FileChange" => Tool::Patch,
                _ => return None,
            };
            let call_id = text_at(item, &["id"]);
            return Some(RunRow { tool, phase: Phase::Whole, call_id, told: item, read: None });
        }
        _ => return None,
    };
    let call_id = text_at(payload, &["call_id"]);
    Some(RunRow { tool, phase, call_id, told: payload, read: None })
}

impl<'a> RunRow<'a> {
    /// A member that is a string.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        text_at(self.told, &[key])
    }

    /// A member as it stands, unless it is null.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.told.get(key).filter(|value| !value.is_null())
    }

    /// A member that is yes or no.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.told.get(key)?.as_bool()
    }

    pub fn exit_code(&self) -> Option<i64> {
        let read = || self.read.and_then(|run| run.exit_code);
        self.told.get("exit_code").and_then(Value::as_i64).or_else(read)
    }

    /// Whether it went well, where the row cannot be read as a whole.
    pub fn read_ok(&self) -> Option<bool> {
        self.read.and_then(|run| run.failed).map(|failed| !failed)
    }

    /// How long it took, as the row says.
    pub fn duration_ms(&self) -> Option<i64> {
        let read = || self.read.and_then(|run| run.duration_ms);
        let told = || {
            let duration = self.told.get("duration")?;
            let secs = duration.get("secs")?.as_i64()?;
            let nanos = duration.get("nanos").and_then(Value::as_i64).unwrap_or(0);
            Some(secs.saturating_mul(1000).saturating_add(nanos / 1_000_000))
        };
        told().or_else(read).filter(|ms| *ms >= 0)
    }

    /// Whether the writer cut its output short.
    pub fn truncated(&self) -> bool {
        const OUTPUTS: [&str; 4] = ["stdout", "stderr", "aggregated_output", "formatted_output"];
        let is_cut = |key| self.text(key).is_some_and(|text| is_cut(text.as_bytes()));
        let says_so = || {
            let members = self.told.as_object().into_iter().flatten();
            members
                .filter(|(key, _)| key.ends_with("_truncated"))
                .any(|(_, value)| *value == Value::Bool(true))
        };
        self.read.is_some() || OUTPUTS.into_iter().any(is_cut) || says_so()
    }

    /// The key of the call in its session; runs without an id share one.
    pub fn key(&self, event: &Event<'_>) -> u64 {
        call_key(event.head, self.call_id.unwrap_or_default())
    }
}

/// The result of an MCP call.
pub(super) enum McpResult<'v> {
    /// It came, and says whether it is an error.
    Came(&'v Value, bool),
    /// There is none.
    Failed(&'v Value),
}

/// Reads `{"Ok": …}`, `{"Err": …}`, or the bare result of newer rollouts.
pub(super) fn mcp_result<'v>(run: &RunRow<'v>) -> Option<McpResult<'v>> {
    if let Some(error) = run.value("error") {
        return Some(McpResult::Failed(error));
    }
    let result = run.value("result")?;
    if let Some(error) = result.get("Err") {
        return Some(McpResult::Failed(error));
    }
    let ok = result.get("Ok").unwrap_or(result);
    let is_error = ["is_error", "isError"].iter().find_map(|key| ok.get(key)?.as_bool());
    Some(McpResult::Came(ok, is_error.unwrap_or(false)))
}

/// A begin, an end, or both.
pub(super) struct Pair<B, E> {
    /// The first of its rows.
    pub start: Start,
    pub begin: Option<B>,
    pub end: Option<E>,
    /// When it ended.
    pub t_end: Option<i64>,
}

impl<B, E> Pair<B, E> {
    /// Which of its rows are there.
    pub fn state(&self) -> &'static str {
        match (&self.begin, &self.end) {
            (Some(_), Some(_)) => "ended",
            (Some(_), None) => "never_ended",
            _ => "end_only",
        }
    }

    /// From begin to end, by the times of both rows.
    pub fn ms_between(&self) -> Option<i64> {
        let begin = self.begin.as_ref().and(self.start.t)?;
        self.t_end.map(|end| end - begin).filter(|ms| *ms >= 0)
    }
}

/// Puts begins and ends together.
pub(super) struct Pairs<B, E> {
    /// Open runs by call, the latest last.
    open: HashMap<u64, Vec<(Start, B)>, FixedState>,
    /// Ends that came before their begin, it may be; the oldest first.
    early: VecDeque<(u64, Start, E)>,
}

impl<B, E> Default for Pairs<B, E> {
    fn default() -> Self {
        Self { open: HashMap::default(), early: VecDeque::new() }
    }
}

impl<B, E> Pairs<B, E> {
    /// Something begins.
    pub fn begin(&mut self, key: u64, event: &Event<'_>, begin: B) -> Option<Pair<B, E>> {
        let is_early = |(of, end, _): &(u64, Start, E)| {
            let gap = event.t.zip(end.t).map_or(0, |(begin, end)| begin - end);
            *of == key && gap <= TOLERANCE_MS
        };
        let at = self.early.iter().position(is_early);
        if let Some((_, end, told)) = at.and_then(|at| self.early.remove(at)) {
            let (start, begin) = (Start::of(event), Some(begin));
            return Some(Pair { start, begin, end: Some(told), t_end: end.t });
        }
        self.open.entry(key).or_default().push((Start::of(event), begin));
        None
    }

    /// Something ends. `told_begin` says whether such rows have a begin of their own.
    pub fn end(
        &mut self,
        key: u64,
        event: &Event<'_>,
        end: E,
        told_begin: bool,
    ) -> Option<Pair<B, E>> {
        let open = self.open.get_mut(&key).and_then(Vec::pop);
        if self.open.get(&key).is_some_and(Vec::is_empty) {
            self.open.remove(&key);
        }
        let t_end = event.t;
        match open {
            Some((start, what)) => Some(Pair { start, begin: Some(what), end: Some(end), t_end }),
            None if told_begin => {
                self.early.push_back((key, Start::of(event), end));
                None
            }
            None => Some(Pair { start: Start::of(event), begin: None, end: Some(end), t_end }),
        }
    }

    /// The ends for which no begin can come any more, now that log time has come to `t`.
    pub fn alone(&mut self, t: i64) -> Option<Pair<B, E>> {
        let (_, first, _) = self.early.front()?;
        if first.t.is_some_and(|end| t.saturating_sub(end) <= TOLERANCE_MS) {
            return None;
        }
        let (_, start, end) = self.early.pop_front()?;
        let t_end = start.t;
        Some(Pair { start, begin: None, end: Some(end), t_end })
    }

    /// What is left when the input is over, in order of time.
    pub fn rest(&mut self) -> Vec<Pair<B, E>> {
        let mut rest: Vec<Pair<B, E>> = Vec::new();
        while let Some(pair) = self.alone(i64::MAX) {
            rest.push(pair);
        }
        let open = self.open.drain().flat_map(|(_, open)| open);
        rest.extend(open.map(|(start, begin)| Pair {
            start,
            begin: Some(begin),
            end: None,
            t_end: None,
        }));
        rest.sort_by_key(|pair| pair.start.order());
        rest
    }
}

/// What both rows of a run may tell.
pub(super) trait Told: Default + Send {
    /// What a row tells.
    fn of(run: &RunRow<'_>) -> Self;
    /// What the other row tells where this one does not.
    fn or(self, other: Self) -> Self;
}

/// A run, as far as its rows tell.
pub(super) struct Run<T, E> {
    /// Which of its rows are there.
    pub state: &'static str,
    pub told: T,
    /// What its end tells.
    pub end: Option<E>,
    /// From begin to end, by the times of both rows.
    pub ms_between: Option<i64>,
    /// When it ended.
    pub t_end: Option<i64>,
}

/// A kind of runs, each of which is a record of a mode.
pub(super) trait Kind: Send {
    /// The mode.
    const INFO: &'static Info;
    /// What runs.
    const TOOL: Tool;
    /// What both of its rows may tell.
    type Told: Told;
    /// What its end tells.
    type End: Send;

    /// What the row of its end tells.
    fn end(run: &RunRow<'_>) -> Self::End;
    /// The values of a run's record.
    fn values(run: Run<Self::Told, Self::End>) -> Vec<Value>;
}

/// The state of a mode whose records are runs.
pub(super) struct Runs<K: Kind> {
    pairs: Pairs<K::Told, (K::Told, K::End)>,
}

impl<K: Kind> Default for Runs<K> {
    fn default() -> Self {
        Self { pairs: Pairs::default() }
    }
}

impl<K: Kind> Mode for Runs<K> {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        if let Some(t) = row.event.t {
            self.advance(t, out);
        }
        let Some(run) = run_of(row).filter(|run| run.tool == K::TOOL) else { return };
        let (key, told) = (run.key(row.event), K::Told::of(&run));
        let pair = match run.phase {
            Phase::Begin => self.pairs.begin(key, row.event, told),
            phase => self.pairs.end(key, row.event, (told, K::end(&run)), phase == Phase::End),
        };
        out.extend(pair.map(record::<K>));
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        while let Some(pair) = self.pairs.alone(t) {
            out.push(record::<K>(pair));
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        out.extend(self.pairs.rest().into_iter().map(record::<K>));
    }
}

fn record<K: Kind>(pair: Pair<K::Told, (K::Told, K::End)>) -> Record {
    let (state, ms_between, t_end) = (pair.state(), pair.ms_between(), pair.t_end);
    let (of_end, end) = pair.end.unzip();
    let told = pair.begin.unwrap_or_default().or(of_end.unwrap_or_default());
    let values = K::values(Run { state, told, end, ms_between, t_end });
    pair.start.record(K::INFO, values)
}

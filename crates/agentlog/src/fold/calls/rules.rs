//! The rules that calls are checked against: one table, and one function for each line of it.

use super::life::{Life, Mark, Step};
use super::record::Severity::{Error, Warn};
use super::record::{Severity, State, Violation};
use crate::event::Phase;

/// A rule, and how to find out that a call broke it.
#[derive(Debug)]
pub struct Rule {
    /// What it is called when it is broken.
    pub code: &'static str,
    /// How bad that is.
    pub severity: Severity,
    /// Its number, which others use for it: `T01` and so on.
    pub id: &'static str,
    /// What holds for a good call.
    pub says: &'static str,
    breach: fn(&Facts<'_>) -> Option<Breach>,
}

/// All rules, errors first.
#[rustfmt::skip]
pub const RULES: [Rule; 11] = [
    rule("duplicate_call",    Error, "T01", "a call is announced once in each kind of row", duplicate_call),
    rule("missing_output",    Error, "T02", "a call has a result when its turn ends normally", missing_output),
    rule("args_mismatch",     Error, "T08", "the arguments as streamed are the arguments at the end", args_mismatch),
    rule("late_delta",        Error, "T11", "no delta of the arguments comes after their end", late_delta),
    rule("orphan_output",     Warn,  "T03", "a result belongs to a call of the same session", orphan_output),
    rule("duplicate_output",  Warn,  "T04", "a call has one result", duplicate_output),
    rule("end_without_begin", Warn,  "T05", "an execution that ends has begun", end_without_begin),
    rule("never_ended",       Warn,  "T05", "an execution that begins ends", never_ended),
    rule("out_of_order",      Warn,  "T06", "announced, arguments, begin, end, result: in this order of time", out_of_order),
    rule("bad_args",          Warn,  "T07", "the arguments of a function are a JSON object", bad_args),
    rule("exit_mismatch",     Warn,  "T13", "the result tells the exit code that the execution ended with", exit_mismatch),
];

const fn rule(
    code: &'static str,
    severity: Severity,
    id: &'static str,
    says: &'static str,
    breach: fn(&Facts<'_>) -> Option<Breach>,
) -> Rule {
    Rule { code, severity, id, says, breach }
}

impl Rule {
    /// The violation, if the call broke the rule.
    pub(super) fn broken_by(&'static self, facts: &Facts<'_>) -> Option<Violation> {
        let (mark, detail) = (self.breach)(facts)?;
        Some(Violation { rule: self, detail: detail.into(), src: mark.src })
    }
}

/// What a rule is decided by.
pub(super) struct Facts<'a> {
    pub life: &'a Life,
    pub state: State,
    /// How far rows may be out of order, in milliseconds.
    pub tolerance_ms: i64,
}

/// The row that broke a rule, and how.
type Breach = (Mark, String);

impl Facts<'_> {
    /// Whether its turn was cut off before there was a result: what is missing then is no fault.
    fn is_cut_off(&self) -> bool {
        matches!(self.state, State::Cancelled | State::Pending)
    }

    /// Whether a call with this id was given out before, with such rows.
    fn had(&self, step: Step) -> bool {
        self.life.past.is_some_and(|past| past.had(step))
    }

    /// Rows of a step, those before the call was given out counting as one.
    fn count(&self, step: Step) -> u64 {
        self.life.count(step) + u64::from(self.had(step))
    }

    /// The first row too many of a step.
    fn surplus(&self, step: Step) -> Option<Mark> {
        let seen = self.life.seen(step);
        if self.had(step) { seen.first } else { seen.second }
    }
}

fn duplicate_call(facts: &Facts<'_>) -> Option<Breach> {
    let steps = [(Step::Added, "start"), (Step::Done, "done"), (Step::Raw, "raw item")];
    let (step, name) = steps.into_iter().find(|(step, _)| facts.surplus(*step).is_some())?;
    let count = facts.count(step);
    Some((facts.surplus(step)?, format!("{count} rows of one kind ({name}) announce it")))
}

fn missing_output(facts: &Facts<'_>) -> Option<Breach> {
    let life = facts.life;
    if facts.state != State::Unanswered || life.past.is_some() || !life.is_ready() {
        return None;
    }
    let announced = life.announced?;
    let end = life.fate.and_then(|fate| fate.end);
    let after = end.and_then(|end| ms_between(announced, end));
    let after = after.map(|ms| format!(" {ms} ms after the call")).unwrap_or_default();
    Some((end.unwrap_or(announced), format!("its turn was completed{after} without a result")))
}

fn args_mismatch(facts: &Facts<'_>) -> Option<Breach> {
    let life = facts.life;
    let found = life.args.mismatch(life.count(Step::Added) > 0)?;
    let (streamed, said, at) = (found.streamed, found.said, found.at);
    Some((
        found.mark,
        format!(
            "{streamed} bytes were streamed, {said} are said in the end: they differ from byte {at} on"
        ),
    ))
}

fn late_delta(facts: &Facts<'_>) -> Option<Breach> {
    let (_, last) = facts.life.args.deltas?;
    if facts.life.past.is_some() {
        return Some((last, "a delta came after the call was over".into()));
    }
    let late = ms_between(facts.life.stop?, last)?;
    (late > facts.tolerance_ms)
        .then(|| (last, format!("a delta came {late} ms after the end of the arguments")))
}

fn orphan_output(facts: &Facts<'_>) -> Option<Breach> {
    if facts.state != State::Orphan || facts.life.past.is_some() {
        return None;
    }
    let bytes = facts.life.result?.bytes;
    let first = facts.life.seen(Step::Result).first?;
    Some((first, format!("a result of {bytes} bytes, and no call with its id in the session")))
}

fn duplicate_output(facts: &Facts<'_>) -> Option<Breach> {
    let (count, surplus) = (facts.count(Step::Result), facts.surplus(Step::Result)?);
    if facts.had(Step::Result) {
        return Some((surplus, "one more result after the call was over".into()));
    }
    let after = ms_between(facts.life.seen(Step::Result).first?, surplus);
    let after = after.map(|ms| format!(", {ms} ms after the first,")).unwrap_or_default();
    let says = if facts.life.same_again? { "the same" } else { "something else" };
    Some((surplus, format!("{count} results: the second{after} says {says}")))
}

fn end_without_begin(facts: &Facts<'_>) -> Option<Breach> {
    let (begins, ends) = (facts.count(Step::Begin), facts.count(Step::End));
    let end = facts.life.seen(Step::End).last?;
    if facts.life.end.is_some_and(|run| run.phase == Phase::Whole) {
        // Rollouts tell runs when they are over, and no begin.
        return None;
    }
    (ends > begins).then(|| (end, format!("{ends} ends of executions, {begins} begins")))
}

fn never_ended(facts: &Facts<'_>) -> Option<Breach> {
    let (begins, ends) = (facts.count(Step::Begin), facts.count(Step::End));
    if facts.is_cut_off() || begins <= ends {
        return None;
    }
    let begin = facts.life.seen(Step::Begin).last?;
    Some((begin, format!("{begins} begins of executions, {ends} ends")))
}

fn out_of_order(facts: &Facts<'_>) -> Option<Breach> {
    let life = facts.life;
    let first = |step| life.seen(step).first;
    // Items of the conversation are logged when the whole response is there, by when the call may
    // run already: they tell nothing of the order. Deltas after the end are `late_delta`.
    let chain = [
        ("the announcement", first(Step::Added)),
        ("the first delta", life.args.deltas.map(|(first, _)| first)),
        ("the end of the arguments", life.stop),
        ("the begin", first(Step::Begin)),
        ("the end", life.seen(Step::End).last),
        ("the result", first(Step::Result)),
    ];
    let steps = || chain.iter().enumerate().filter_map(|(i, (name, at))| Some((i, *name, (*at)?)));
    let pairs = steps().flat_map(|a| steps().map(move |b| (a, b)));
    let early = pairs.filter(|((i, ..), (j, ..))| i < j && (*i, *j) != (1, 2)).filter_map(
        |((_, before, a), (_, after, b))| {
            let ms = ms_between(b, a)?;
            (ms > facts.tolerance_ms).then_some((ms, before, after, b))
        },
    );
    let (ms, before, after, mark) = early.max_by_key(|(ms, ..)| *ms)?;
    Some((mark, format!("{after} came {ms} ms before {before}")))
}

fn bad_args(facts: &Facts<'_>) -> Option<Breach> {
    let life = facts.life;
    let cut = !life.is_ready();
    if !life.takes_json() || cut && facts.is_cut_off() || life.past.is_some() {
        return None;
    }
    // A Claude tool without arguments streams nothing.
    let (mark, bytes) = life.args.are_bad(life.item.is_none())?;
    Some((mark, format!("{bytes} bytes that are no JSON object")))
}

fn exit_mismatch(facts: &Facts<'_>) -> Option<Breach> {
    let ended = facts.life.end?.exit_code?;
    let told = facts.life.result?.exit_code?;
    let result = facts.life.seen(Step::Result).first?;
    (ended != told)
        .then(|| (result, format!("the execution ended with {ended}, the result says {told}")))
}

/// Milliseconds from one row to another.
fn ms_between(from: Mark, to: Mark) -> Option<i64> {
    Some(to.t? - from.t?)
}

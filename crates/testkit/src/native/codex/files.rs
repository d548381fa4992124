//! Rollouts beside those of a log's own threads: forks, sub-agents, other forms, copies.

use super::super::NativeCase;
use super::super::book::NativeTruth;
use super::super::sheet::{NativeFile, NativeStyle};
use super::pen::{Form, Pen, Totals};
use super::plain;
use crate::calendar::utc_stamp;
use crate::prng::Prng;
use serde_json::{Value, json};

/// Writes what a case adds. Sub-agents work in a turn of the first thread.
pub(super) fn add(
    case: NativeCase,
    first: &mut Pen,
    prng: Prng,
    style: NativeStyle,
    truth: &mut NativeTruth,
) -> Vec<NativeFile> {
    let pen = match case {
        NativeCase::ArchivedCopy => return Vec::new(),
        NativeCase::SubAgent | NativeCase::SubAgentFork => {
            return vec![sub_agent(case, first, prng).sheet.file(style)];
        }
        NativeCase::ForkOriginalTimes | NativeCase::ForkBurst => fork(case, first, prng),
        _ => other(case, first, prng),
    };
    let file = pen.sheet.file(style);
    pen.book.tell(truth);
    match case {
        NativeCase::Compressed => vec![compressed(file)],
        NativeCase::CompressedTwin => {
            let twin = NativeFile { is_copy: true, ..compressed(file.clone()) };
            vec![file, twin]
        }
        _ => vec![file],
    }
}

/// The same rollout, as it is moved when its thread is archived.
pub(super) fn archived(file: &NativeFile) -> NativeFile {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let path = format!(".codex/archived_sessions/{name}");
    NativeFile { path, is_copy: true, ..file.clone() }
}

fn compressed(file: NativeFile) -> NativeFile {
    let bytes = zstd::encode_all(&file.plain[..], 3).expect("memory");
    NativeFile { path: format!("{}.zst", file.path), bytes, ..file }
}

/// Where a case stands among those that add files: no two of these start at one time.
fn place(case: NativeCase) -> i64 {
    let place = NativeCase::CODEX_FILES.iter().position(|other| *other == case);
    place.unwrap_or_default() as i64
}

/// A thread of its own, in that form.
fn other(case: NativeCase, first: &Pen, prng: Prng) -> Pen {
    let form = match case {
        NativeCase::Paginated => Form::Paginated,
        NativeCase::NoTasks => Form::NoTasks,
        NativeCase::BareItems => Form::Bare,
        _ => Form::Events,
    };
    let start = first.now + 1000 + place(case) * 700;
    let mut pen = Pen::new(prng, start, &first.settings, form);
    pen.begin(&json!({}));
    if case == NativeCase::UsageRecords {
        return with_records(pen, first);
    }
    plain(&mut pen, &first.settings);
    pen
}

/// Requests that are told by records: those of other threads, and repeats, count for nothing.
fn with_records(mut pen: Pen, first: &Pen) -> Pen {
    pen.records = true;
    plain(&mut pen, &first.settings);
    pen.open();
    pen.step();
    pen.tick(90, 900);
    let foreign = Totals { input: 70, output: 7, total: 77, ..Totals::default() };
    pen.record(&first.thread, foreign);
    // A compaction is asked for elsewhere: only a record tells it.
    let asked = Totals { input: 5000, cached: 4000, output: 90, reasoning: 0, total: 5090 };
    let thread = pen.thread.clone();
    let record = pen.record(&thread, asked);
    pen.book.spent(asked.used());
    let compacted = json!({
        "message": "", "compaction_response_id": record["response_id"],
        "latest_token_usage_record": record,
    });
    pen.line("compacted", compacted);
    pen.line("token_usage_record", record);
    pen.finish();
    pen
}

/// A fork of the first thread: its rows again, then its own, whose totals go on from there.
fn fork(case: NativeCase, first: &Pen, prng: Prng) -> Pen {
    let start = first.now + 3_600_000 + place(case) * 700;
    let mut pen = Pen::new(prng, start, &first.settings, Form::Events);
    pen.begin(&json!({"forked_from_id": first.thread}));
    replay(&mut pen, first, case == NativeCase::ForkOriginalTimes);
    pen.totals = first.totals;
    plain(&mut pen, &first.settings);
    pen
}

/// The rows of the first thread again, written in one go.
fn replay(pen: &mut Pen, first: &Pen, keeps_times: bool) {
    for mut row in first.sheet.rows() {
        if !keeps_times {
            pen.now += i64::from(pen.prng.percent(40));
            row["timestamp"] = utc_stamp(pen.now).into();
        }
        pen.sheet.row(row);
    }
}

/// A sub-agent works while a turn of the first thread is open: what it uses up is that turn's.
fn sub_agent(case: NativeCase, first: &mut Pen, prng: Prng) -> Pen {
    first.open();
    first.step();
    let spawn = first.call("spawn_agent", &json!({"message": "Find the lock"}));
    first.tick(50, 500);
    let mut pen = Pen::new(prng, first.now, &first.settings, Form::Events);
    pen.is_agent = true;
    let spawned = json!({"parent_thread_id": first.thread, "depth": 1, "agent_role": "explorer"});
    let mut meta = json!({
        "session_id": first.thread, "parent_thread_id": first.thread,
        "source": {"subagent": {"thread_spawn": spawned}},
    });
    let forks = case == NativeCase::SubAgentFork;
    if forks {
        meta["forked_from_id"] = Value::from(first.thread.as_str());
    }
    pen.begin(&meta);
    std::mem::swap(&mut pen.book, &mut first.book);
    if forks {
        replay(&mut pen, first, false);
        pen.totals = first.totals;
        pen.line("inter_agent_communication_metadata", json!({"trigger_turn": true}));
    }
    pen.open_with("", "Find the lock");
    pen.step();
    pen.finish();
    std::mem::swap(&mut pen.book, &mut first.book);
    first.now = pen.now;
    first.result(&spawn, 0);
    first.count();
    first.finish();
    pen
}

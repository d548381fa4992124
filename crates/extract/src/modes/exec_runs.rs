//! `exec_runs`: a command that Codex ran.
//!
//! Begin and end belong together by session and `call_id`; a call that runs again gives a record
//! for each run. A begin without an end is given out when the input is over. Rollouts tell only
//! ends, so that their records are `end_only` and start from the end. `duration_ms` is what the
//! end says, else the time from begin to end. Where a rollout's writer emptied `stdout` and
//! `stderr`, `stdout_bytes` are those of `aggregated_output`, which has both.

use agentlog::event::Tool;
use agentlog::record::{Field, Shape};
use serde_json::Value;

use super::runs::{Kind, Run, RunRow, Runs, Told};
use crate::tools::or_null;
use crate::{Info, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "exec_runs",
    about: "a command that Codex ran",
    sources: "turn.exec.begin and turn.exec.end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "state", "exit_code", "duration_ms", "command"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<Runs<ExecRuns>>::default(),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field(
        "state",
        Shape::OneOf(&["ended", "never_ended", "end_only"]),
        "which of its rows are there",
    ),
    field("source", Shape::Text, "who ran it: agent, user_shell, or what the row says"),
    field("command", Shape::Json, "the command and its arguments"),
    field("workdir", Shape::Text, "the directory it ran in"),
    field("parsed", Shape::Json, "what Codex takes the command to be"),
    field("exit_code", Shape::Integer, "exit code"),
    field("ok", Shape::Bool, "whether it went well"),
    field("duration_ms", Shape::Integer, "milliseconds that it took"),
    field("stdout_bytes", Shape::Count, "bytes of its output"),
    field("stderr_bytes", Shape::Count, "bytes of its error output"),
    field("truncated", Shape::Bool, "whether the writer cut its output short"),
    field("t_end", Shape::Time, "when it ended"),
];

struct ExecRuns;

/// What both rows may tell.
#[derive(Default)]
struct What {
    call_id: Option<String>,
    source: Option<String>,
    command: Value,
    workdir: Option<String>,
    parsed: Value,
}

/// What the end tells.
struct End {
    exit_code: Option<i64>,
    ok: Option<bool>,
    duration_ms: Option<i64>,
    stdout_bytes: Option<usize>,
    stderr_bytes: Option<usize>,
    truncated: bool,
}

impl Kind for ExecRuns {
    const INFO: &'static Info = &INFO;
    const TOOL: Tool = Tool::Shell;
    type Told = What;
    type End = End;

    fn end(run: &RunRow<'_>) -> End {
        let bytes = |key| run.text(key).map(str::len);
        let (stdout, stderr, both) = (bytes("stdout"), bytes("stderr"), bytes("aggregated_output"));
        let emptied = stdout.unwrap_or(0) + stderr.unwrap_or(0) == 0;
        let exit_code = run.exit_code();
        End {
            exit_code,
            ok: exit_code.map(|code| code == 0).or_else(|| run.read_ok()),
            duration_ms: run.duration_ms(),
            stdout_bytes: if emptied { both.or(stdout) } else { stdout },
            stderr_bytes: stderr,
            truncated: run.truncated(),
        }
    }

    fn values(run: Run<What, End>) -> Vec<Value> {
        let Run { state, told, ms_between, t_end, .. } = run;
        let end = run.end.as_ref();
        vec![
            or_null(told.call_id),
            state.into(),
            or_null(told.source),
            told.command,
            or_null(told.workdir),
            told.parsed,
            or_null(end.and_then(|end| end.exit_code)),
            or_null(end.and_then(|end| end.ok)),
            or_null(end.and_then(|end| end.duration_ms).or(ms_between)),
            or_null(end.and_then(|end| end.stdout_bytes)),
            or_null(end.and_then(|end| end.stderr_bytes)),
            or_null(end.map(|end| end.truncated)),
            or_null(t_end),
        ]
    }
}

impl Told for What {
    fn of(run: &RunRow<'_>) -> Self {
        let owned = |key| run.text(key).map(String::from);
        Self {
            call_id: run.call_id.map(String::from),
            source: owned("source"),
            command: or_null(run.value("command").cloned()),
            workdir: owned("cwd"),
            parsed: or_null(run.value("parsed_cmd").cloned()),
        }
    }

    fn or(self, other: Self) -> Self {
        let or = |one: Value, other: Value| if one.is_null() { other } else { one };
        Self {
            call_id: self.call_id.or(other.call_id),
            source: self.source.or(other.source),
            command: or(self.command, other.command),
            workdir: self.workdir.or(other.workdir),
            parsed: or(self.parsed, other.parsed),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{records, turn};
    use serde_json::{Value, json};

    fn begin(ms: i64, call: &str) -> String {
        let told = json!({"call_id": call, "command": ["ls"], "cwd": "/w", "source": "agent", "parsed_cmd": [{"type": "list_files", "cmd": "ls"}]});
        turn(ms, "turn.exec.begin", "1", &told)
    }

    fn end(ms: i64, call: &str, code: i64) -> String {
        let told = json!({"call_id": call, "stdout": "ab\n", "stderr": "", "aggregated_output": "ab\n", "exit_code": code, "duration": {"secs": 1, "nanos": 5_000_000}});
        turn(ms, "turn.exec.end", "1", &told)
    }

    #[test]
    fn begin_and_end_make_a_run() {
        let found = records("exec_runs", &[begin(0, "a"), end(1200, "a", 2)]);
        assert_eq!(
            found,
            [json!({
                "t": "2026-01-01T00:00:00.000Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "state": "ended", "source": "agent", "command": ["ls"],
                "workdir": "/w", "parsed": [{"type": "list_files", "cmd": "ls"}], "exit_code": 2, "ok": false, "duration_ms": 1005,
                "stdout_bytes": 3, "stderr_bytes": 0, "truncated": false, "t_end": "2026-01-01T00:00:01.200Z", "line": 1,
            })]
        );
    }

    fn states(rows: &[String]) -> Vec<(Value, Value)> {
        let found = records("exec_runs", rows);
        found.iter().map(|run| (run["call_id"].clone(), run["state"].clone())).collect()
    }

    #[test]
    fn half_a_run_is_told_as_such() {
        let rows = [begin(0, "a"), end(10, "b", 0), begin(500, "b")];
        let want = [("b", "end_only"), ("a", "never_ended"), ("b", "never_ended")];
        assert_eq!(states(&rows), want.map(|(id, state)| (json!(id), json!(state))));
    }

    #[test]
    fn a_call_that_runs_again_gives_two_records() {
        let rows = [begin(0, "a"), end(5, "a", 1), begin(10, "a"), end(20, "a", 0)];
        let found = records("exec_runs", &rows);
        let told = |i: usize| (found[i]["ok"].clone(), found[i]["line"].clone());
        assert_eq!(found.len(), 2);
        assert_eq!([told(0), told(1)], [(json!(false), json!(1)), (json!(true), json!(3))]);
    }

    #[test]
    fn rows_of_an_instant_may_swap_places() {
        let found = records("exec_runs", &[end(5, "a", 0), begin(5, "a"), begin(900, "z")]);
        assert_eq!((&found[0]["state"], &found[0]["line"]), (&json!("ended"), &json!(2)));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn an_end_that_was_cut_short_tells_what_stands_before_the_cut() {
        let line = "data: {\"type\":\"turn.exec.end\",\"payload\":{\"call_id\":\"a\",\"exit_code\":3,\"stdout\":\"xx... [truncated after 2 bytes, omitted 9 bytes]";
        let row = json!({"event": "turn.exec.end", "t": "2026-01-01T00:00:01.000", "line": line, "metadata": "{}", "flow_id": "s", "data_count": 0, "sid": "s"});
        let found = records("exec_runs", &[begin(0, "a"), row.to_string()]);
        let run = &found[0];
        assert_eq!(
            (&run["exit_code"], &run["ok"], &run["truncated"]),
            (&json!(3), &json!(false), &json!(true))
        );
        assert_eq!((&run["stdout_bytes"], &run["duration_ms"]), (&Value::Null, &json!(1000)));
    }

    #[test]
    fn rollouts_tell_ends() {
        let row = |ordinal: u64, payload: Value| {
            json!({"timestamp": "2026-01-01T00:00:00.000Z", "ordinal": ordinal, "type": "event_msg", "payload": payload}).to_string()
        };
        let run = json!({"type": "exec_command_end", "call_id": "a", "command": ["ls"], "cwd": "/w", "source": "agent", "stdout": "", "stderr": "", "aggregated_output": "abc", "exit_code": 0, "duration": {"secs": 0, "nanos": 7_000_000}});
        let mut item = run.clone();
        item["type"] = "CommandExecution".into();
        item["id"] = "b".into();
        let found = records(
            "exec_runs",
            &[row(0, run), row(1, json!({"type": "item_completed", "item": item}))],
        );
        for (run, id) in found.iter().zip(["a", "b"]) {
            assert_eq!((&run["call_id"], &run["state"]), (&json!(id), &json!("end_only")));
            assert_eq!((&run["stdout_bytes"], &run["duration_ms"]), (&json!(3), &json!(7)));
            assert_eq!(run["t_end"], run["t"]);
        }
        assert_eq!(found.len(), 2);
    }
}

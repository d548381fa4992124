//! `exec_runs`: a command that Codex ran.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "exec_runs",
    about: "a command that Codex ran",
    sources: "turn.exec.begin and turn.exec.end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "state", "exit_code", "duration_ms", "command"],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(ExecRuns),
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

impl Mode for ExecRuns {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

//! What a built log really says, in the keys of the commands' records.
//! A key that a row leaves out is not known for sure: compare those that are there.

use serde_json::Value;
use std::ops::AddAssign;

/// Counts of one file, or of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Physical lines, the last one without a line end too.
    pub lines: u64,
    /// Rows that are events, a G0 pair once, rows found inside a bad line too.
    pub events: u64,
    /// Lines, or what is left of them, that cannot be read.
    pub bad_lines: u64,
    /// Last lines without a line end that are not whole.
    pub partial_lines: u64,
    /// Empty lines and lines of white space.
    pub blank_lines: u64,
    /// Rows of the stream's framing (`event: …`, comments, `[DONE]`): neither events nor bad.
    pub framing_rows: u64,
    /// Events whose time is over 5 s before the latest time above them in the file.
    pub late_rows: u64,
    /// Events whose inner JSON does not parse.
    pub payload_errors: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.events += other.events;
        self.bad_lines += other.bad_lines;
        self.partial_lines += other.partial_lines;
        self.blank_lines += other.blank_lines;
        self.framing_rows += other.framing_rows;
        self.late_rows += other.late_rows;
        self.payload_errors += other.payload_errors;
    }
}

/// The truth of a log. Rows of every table are in order of `t`, ties by place (Codex file first);
/// `src` is `{line, offset, len}` as records give it, without `path`.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// One row a prompt, whole but for `index`, `model` (null) and `images`.
    pub prompts: Vec<Value>,
    /// One row an event: `provider, event, sid, pid, turn_id, round, flow_id, cwd, ver, seq, t, src`.
    pub events: Vec<Value>,
    /// One row a turn.
    pub turns: Vec<Value>,
    /// One row a streamed item.
    pub deltas: Vec<Value>,
    /// One row a session with usage (as `--by session`); without `t`.
    pub tokens: Vec<Value>,
    /// One row a tool call; `violations` are codes in alphabetical order. `must_violate`, in its
    /// place, lists codes that must be there beside whatever else.
    pub calls: Vec<Value>,
    /// Counts of the Codex file.
    pub codex: Counts,
    /// Counts of the Claude file.
    pub claude: Counts,
    /// Counts of both.
    pub all: Counts,
}

/// What one session adds to the truth, but for what only the finished file can say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) turns: Vec<Value>,
    pub(crate) deltas: Vec<Value>,
    pub(crate) tokens: Vec<Value>,
    pub(crate) calls: Vec<Value>,
}

impl Tables {
    /// Where no result was ever logged, nothing can be said of a call that has none.
    pub(crate) fn without_results(&mut self) {
        for call in self.calls.iter_mut().filter(|call| call["state"] == "unanswered") {
            call["state"] = "unknown".into();
            if let Some(codes) = call["violations"].as_array_mut() {
                codes.retain(|code| code != "missing_output");
            }
        }
    }
}

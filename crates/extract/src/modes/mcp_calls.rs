//! `mcp_calls`: a call of an MCP tool.
//!
//! Begin and end belong together by session and `call_id`, as those of `exec_runs` do. A call went
//! wrong if it has no result (`Err`), or one that says so (`is_error`). `result_bytes` are those of
//! what is inside `Ok`, written without white space; there is none without a result.

use agentlog::event::Tool;
use agentlog::record::{Field, Shape};
use serde_json::Value;

use super::results::text_of;
use super::runs::{Kind, McpResult, Run, RunRow, Runs, Told, mcp_result};
use crate::tools::{or_null, text_at};
use crate::{Info, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "mcp_calls",
    about: "a call of an MCP tool",
    sources: "turn.mcp_tool_call.begin and .end, rollouts",
    own: OWN,
    key: &["sid", "call_id"],
    table: &["t", "provider", "sid", "call_id", "server", "tool", "state", "ok", "duration_ms"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<Runs<McpCalls>>::default(),
};

const OWN: &[Field] = &[
    field("call_id", Shape::Text, "what names the call"),
    field(
        "state",
        Shape::OneOf(&["ended", "never_ended", "end_only"]),
        "which of its rows are there",
    ),
    field("server", Shape::Text, "the MCP server"),
    field("tool", Shape::Text, "the tool"),
    field("args", Shape::Json, "the arguments"),
    field("ok", Shape::Bool, "whether it went well"),
    field("error", Shape::Text, "what went wrong"),
    field("result_bytes", Shape::Count, "bytes of the result, as JSON"),
    field("duration_ms", Shape::Integer, "milliseconds that it took"),
    field("t_end", Shape::Time, "when it ended"),
];

struct McpCalls;

/// What was asked for; both rows tell it.
#[derive(Default)]
struct Asked {
    call_id: Option<String>,
    server: Option<String>,
    tool: Option<String>,
    args: Value,
}

/// What the end tells.
#[derive(Default)]
struct End {
    ok: Option<bool>,
    error: Option<String>,
    result_bytes: Option<usize>,
    duration_ms: Option<i64>,
}

impl Kind for McpCalls {
    const INFO: &'static Info = &INFO;
    const TOOL: Tool = Tool::Mcp;
    type Told = Asked;
    type End = End;

    fn end(run: &RunRow<'_>) -> End {
        let (ok, error, result_bytes) = match mcp_result(run) {
            Some(McpResult::Came(result, is_error)) => {
                let error = is_error.then(|| text_of(result)).flatten();
                (Some(!is_error), error, Some(result.to_string().len()))
            }
            Some(McpResult::Failed(error)) => (Some(false), message(error), None),
            None => (run.read_ok(), None, None),
        };
        End { ok, error, result_bytes, duration_ms: run.duration_ms() }
    }

    fn values(run: Run<Asked, End>) -> Vec<Value> {
        let Run { state, told, end, ms_between, t_end } = run;
        let end = end.unwrap_or_default();
        vec![
            or_null(told.call_id),
            state.into(),
            or_null(told.server),
            or_null(told.tool),
            told.args,
            or_null(end.ok),
            or_null(end.error),
            or_null(end.result_bytes),
            or_null(end.duration_ms.or(ms_between)),
            or_null(t_end),
        ]
    }
}

impl Told for Asked {
    fn of(run: &RunRow<'_>) -> Self {
        // The items of newer rollouts have no `invocation` around it.
        let told = run.value("invocation").unwrap_or(run.told);
        let owned = |key| text_at(told, &[key]).map(String::from);
        Self {
            call_id: run.call_id.map(String::from),
            server: owned("server"),
            tool: owned("tool"),
            args: or_null(told.get("arguments").cloned()),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            call_id: self.call_id.or(other.call_id),
            server: self.server.or(other.server),
            tool: self.tool.or(other.tool),
            args: if self.args.is_null() { other.args } else { self.args },
        }
    }
}

/// What an error says: text, or `{message}`.
pub(super) fn message(error: &Value) -> Option<String> {
    let text = error.as_str().or_else(|| text_at(error, &["message"]));
    text.map(String::from).or_else(|| text_of(error))
}

#[cfg(test)]
mod tests {
    use crate::given::{records, turn};
    use serde_json::{Value, json};

    fn invocation() -> Value {
        json!({"server": "docs", "tool": "find", "arguments": {"q": "x"}})
    }

    fn begin(ms: i64) -> String {
        let told = json!({"call_id": "a", "invocation": invocation()});
        turn(ms, "turn.mcp_tool_call.begin", "1", &told)
    }

    fn end(ms: i64, result: &Value) -> String {
        let told = json!({"call_id": "a", "invocation": invocation(), "duration": {"secs": 0, "nanos": 5_000_000}, "result": result});
        turn(ms, "turn.mcp_tool_call.end", "1", &told)
    }

    #[test]
    fn begin_and_end_make_a_call() {
        let result =
            json!({"Ok": {"content": [{"type": "text", "text": "hit"}], "is_error": false}});
        let found = records("mcp_calls", &[begin(0), end(20, &result)]);
        assert_eq!(
            found,
            [json!({
                "t": "2026-01-01T00:00:00.000Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "call_id": "a", "state": "ended", "server": "docs", "tool": "find",
                "args": {"q": "x"}, "ok": true, "error": null, "result_bytes": 59, "duration_ms": 5,
                "t_end": "2026-01-01T00:00:00.020Z", "line": 1,
            })]
        );
    }

    #[test]
    fn errors_are_told_with_or_without_a_result() {
        let said = json!({"Ok": {"content": [{"type": "text", "text": "no"}, {"type": "text", "text": "such"}], "isError": true}});
        for (result, error, bytes) in [
            (said, json!("no\nsuch"), json!(86)),
            (json!({"Err": "timed out"}), json!("timed out"), Value::Null),
            (json!({"Err": {"message": "gone"}}), json!("gone"), Value::Null),
        ] {
            let call = &records("mcp_calls", &[begin(0), end(20, &result)])[0];
            assert_eq!((&call["ok"], &call["error"]), (&json!(false), &error), "{result}");
            assert_eq!(call["result_bytes"], bytes);
        }
    }

    #[test]
    fn a_call_that_never_ended_tells_nothing_of_its_end() {
        let call = &records("mcp_calls", &[begin(0)])[0];
        assert_eq!((&call["state"], &call["tool"]), (&json!("never_ended"), &json!("find")));
        for key in ["ok", "error", "result_bytes", "duration_ms", "t_end"] {
            assert_eq!(call[key], Value::Null, "{key}");
        }
    }

    #[test]
    fn rollouts_tell_ends() {
        let row = |payload: Value| {
            json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "event_msg", "payload": payload}).to_string()
        };
        let mut event = json!({"type": "mcp_tool_call_end", "call_id": "a", "invocation": invocation(), "duration": {"secs": 2, "nanos": 0}});
        event["result"] = json!({"Ok": {"content": []}});
        let mut item = invocation();
        (item["type"], item["id"], item["result"]) =
            ("McpToolCall".into(), "b".into(), json!({"content": [], "isError": false}));
        let found = records(
            "mcp_calls",
            &[row(event), row(json!({"type": "item_completed", "item": item}))],
        );
        assert_eq!(found.len(), 2);
        for (call, id) in found.iter().zip(["a", "b"]) {
            assert_eq!((&call["call_id"], &call["state"]), (&json!(id), &json!("end_only")));
            assert_eq!(
                (&call["server"], &call["args"], &call["ok"]),
                (&json!("docs"), &json!({"q": "x"}), &json!(true))
            );
        }
    }
}

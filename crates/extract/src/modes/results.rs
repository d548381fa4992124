//! Results of tool calls as rows of logs tell them, and what they say.

use agentlog::event::{Event, ItemKind, What, is_cut};
use serde_json::Value;

use super::asked_calls::is_output;
use crate::{Form, Row};

/// A result that a row tells.
pub(super) struct LogResult<'a> {
    pub call_id: Option<&'a str>,
    /// None where the writer cut the row short before it.
    pub content: Option<&'a Value>,
    /// `is_error`, where it is told.
    pub is_error: Option<bool>,
    /// Whether the writer cut the row short.
    pub cut: bool,
}

/// Calls `each` with the results that a row tells, if it comes for all of it.
pub(super) fn each_result<'a>(row: &Row<'a>, mut each: impl FnMut(LogResult<'a>)) {
    let Some(facts) = row.facts else { return };
    let payload = &facts.payload;
    match (facts.form, &*facts.name) {
        (Form::Sse, _) => match row.event.what {
            What::Item(item) if item.kind == ItemKind::Result => {
                if payload.is_null() {
                    let call_id = item.call_id.map(|id| row.event.name(id));
                    return each(LogResult { call_id, content: None, is_error: None, cut: true });
                }
                each(of_item(payload.get("item").unwrap_or(payload)));
            }
            What::Results(told) => {
                let mut any = false;
                of_message(payload.get("message"), &mut |result| {
                    any = true;
                    each(result);
                });
                if !any {
                    without_content(row.event, told, &mut each);
                }
            }
            _ => {}
        },
        (Form::Transcript, "user" | "assistant" | "message") => {
            of_message(payload.get("message"), &mut each);
        }
        (Form::Rollout, name) if name.strip_prefix("response_item.").is_some_and(is_output) => {
            each(of_item(payload.get("payload").unwrap_or(payload)));
        }
        _ => {}
    }
}

/// The results of a row of which the payload cannot be read.
fn without_content<'a>(
    event: &'a Event<'a>,
    told: &[agentlog::event::ToolResult],
    each: &mut impl FnMut(LogResult<'a>),
) {
    for result in told {
        let call_id = result.call_id.map(|id| event.name(id));
        each(LogResult { call_id, content: None, is_error: result.output.failed, cut: true });
    }
}

fn of_item(item: &Value) -> LogResult<'_> {
    let flag = |key: &str| item.get(key).and_then(Value::as_bool);
    LogResult {
        call_id: item.get("call_id").and_then(Value::as_str),
        content: item.get("output"),
        is_error: flag("is_error"),
        cut: flag("output_truncated").unwrap_or(false),
    }
}

fn of_message<'a>(message: Option<&'a Value>, each: &mut impl FnMut(LogResult<'a>)) {
    let blocks = message.and_then(|message| message.get("content")).and_then(Value::as_array);
    for block in blocks.map_or(&[][..], Vec::as_slice) {
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind == "tool_result" || kind.ends_with("_tool_result") {
            each(LogResult {
                call_id: block.get("tool_use_id").and_then(Value::as_str),
                content: block.get("content"),
                is_error: block.get("is_error").and_then(Value::as_bool),
                cut: false,
            });
        }
    }
}

/// What a result says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The text that the model was given, without what is no text; none if it cannot be read.
    pub text: Option<String>,
    /// The exit code that it tells.
    pub exit_code: Option<i64>,
    /// How long it says that it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whether it says that it failed (`success:false`).
    pub failed: Option<bool>,
    /// Whether the writer cut it short.
    pub truncated: bool,
}

impl Said {
    /// Reads the content of a result: a string, a list of parts, `{content, success}`, or the JSON
    /// text of a shell, `{output, metadata}`.
    pub fn of(content: Option<&Value>) -> Self {
        let Some(content) = content else { return Self::default() };
        let failed = content.get("success").and_then(Value::as_bool).map(|success| !success);
        let Some(text) = text_of(content) else { return Self { failed, ..Self::default() } };
        if let Some(shell) = shell_result(&text) {
            return Self { failed, ..shell };
        }
        let (exit_code, duration_ms) = heading(&text);
        let truncated = is_cut(text.as_bytes());
        Self { text: Some(text), exit_code, duration_ms, failed, truncated }
    }

    /// Whether the call failed, as far as its result tells; `is_error` is what stands beside the
    /// content.
    pub fn failed(&self, is_error: Option<bool>) -> Option<bool> {
        let signs = [is_error, self.failed, self.exit_code.map(|code| code != 0)];
        signs.into_iter().flatten().reduce(|a, b| a | b)
    }
}

/// The text of a content; parts of a list are joined by a line feed.
pub(super) fn text_of(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| {
                part.as_str().or_else(|| part.get("text").and_then(Value::as_str))
            });
            Some(texts.collect::<Vec<_>>().join("\n"))
        }
        Value::Object(_) => match content.get("content") {
            Some(inner) => text_of(inner),
            None => Some(content.to_string()),
        },
        _ => None,
    }
}

/// `{"output": …, "metadata": {"exit_code": …, "duration_seconds": …}}`.
fn shell_result(text: &str) -> Option<Said> {
    if !text.starts_with('{') || !text.contains("\"metadata\"") {
        return None;
    }
    let whole = agentlog::json::value(text).ok().map(crate::value_of)?;
    let output = whole.get("output")?.as_str()?;
    let metadata = whole.get("metadata").filter(|metadata| metadata.is_object())?;
    let seconds = metadata.get("duration_seconds").and_then(Value::as_f64);
    Some(Said {
        text: Some(output.to_owned()),
        exit_code: metadata.get("exit_code").and_then(Value::as_i64),
        duration_ms: seconds.and_then(ms_of_seconds),
        failed: None,
        truncated: is_cut(output.as_bytes()),
    })
}

fn ms_of_seconds(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    (0.0..1e15).contains(&ms).then_some(ms as i64)
}

/// How a heading of newer shells starts.
const HEADINGS: [&str; 3] = ["Chunk ID: ", "Wall time: ", "Exit code: "];
/// What stands between it and the output.
const OUTPUT: &str = "\nOutput:\n";

/// Exit code and duration in what newer shells put before the output, and in what Claude puts
/// before that of a command that failed: `Exit code 1`.
fn heading(text: &str) -> (Option<i64>, Option<i64>) {
    if let Some(rest) = text.strip_prefix("Exit code ") {
        let code = rest.split('\n').next().and_then(|code| code.trim().parse().ok());
        return (code, None);
    }
    if !HEADINGS.iter().any(|start| text.starts_with(start)) {
        return (None, None);
    }
    let (mut exit_code, mut duration_ms) = (None, None);
    for line in text.lines().take(8).take_while(|line| *line != "Output:") {
        let code = line.strip_prefix("Process exited with code ");
        if let Some(code) = code.or_else(|| line.strip_prefix("Exit code: ")) {
            exit_code = exit_code.or_else(|| code.trim().parse().ok());
        } else if let Some(time) = line.strip_prefix("Wall time: ") {
            let seconds = time.split(' ').next().and_then(|seconds| seconds.parse().ok());
            duration_ms = seconds.and_then(ms_of_seconds);
        }
    }
    (exit_code, duration_ms)
}

/// A text without the heading that a shell puts before its output.
pub(super) fn without_heading(text: &str) -> &str {
    let has_heading = HEADINGS.iter().any(|start| text.starts_with(start));
    let output = text.find(OUTPUT).filter(|_| has_heading).map(|at| &text[at + OUTPUT.len()..]);
    output.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn contents_of_all_shapes_are_read() {
        let said = |content: Value| Said::of(Some(&content));
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "input_text", "text": "b"}]);
        assert_eq!(said(parts).text.as_deref(), Some("a\nb"));
        assert_eq!(said(json!([{"type": "image"}])).text.as_deref(), Some(""));
        let old = said(json!({"content": "no", "success": false}));
        assert_eq!((old.text.as_deref(), old.failed), (Some("no"), Some(true)));
        assert_eq!(said(Value::Null), Said::default());
        assert_eq!(said(json!("{\"output\":1,\"metadata\":{}}")).exit_code, None);
        assert_eq!(said(json!({"x": 1})).text.as_deref(), Some("{\"x\":1}"));
    }

    #[test]
    fn shells_tell_exit_code_and_duration() {
        let shell = json!(
            "{\"output\":\"a\\n\",\"metadata\":{\"exit_code\":2,\"duration_seconds\":1.234}}"
        );
        let said = Said::of(Some(&shell));
        assert_eq!(said.text.as_deref(), Some("a\n"));
        assert_eq!((said.exit_code, said.duration_ms), (Some(2), Some(1234)));
        let newer = "Chunk ID: a1\nWall time: 0.5 seconds\nProcess exited with code 3\nOriginal token count: 1\nOutput:\nWall time: 9 seconds\n";
        assert_eq!(heading(newer), (Some(3), Some(500)));
        assert_eq!(without_heading(newer), "Wall time: 9 seconds\n");
        assert_eq!(heading("Exit code 127\n/bin/sh: x: command not found"), (Some(127), None));
        assert_eq!(heading("x\nExit code: 1"), (None, None));
        assert_eq!(without_heading("x\nOutput:\ny"), "x\nOutput:\ny");
    }
}

//! `api_errors`: an error between agent and provider.
//!
//! One record for each row that tells of an error. Of errors inside errors the innermost tells
//! code and message. Where no key tells the HTTP status, a message that spells it does
//! (`API Error: 529 …`, `last status: 429 …`); so it is with the number of the retry that follows
//! (`retrying 2/5`). An `error` or `api_error` is a `rate_limit` if its status is 429 or its code
//! is that of a limit; other kinds stay, since they say what was told.

use std::sync::LazyLock;

use agentlog::json;
use agentlog::record::{Field, Shape};
use regex::Regex;
use serde_json::Value;

use super::results::text_of;
use crate::tools::{or_null, text_at};
use crate::{Facts, Form, Info, Mode, Record, Row, Select, Takes, field, value_of};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "api_errors",
    about: "an error between agent and provider",
    sources: "response.failed, turn.error, turn.stream_error, turn.warning, claude.tool_result with is_api_error, api_error in transcripts, error and stream_error in rollouts",
    own: OWN,
    key: &["src"],
    table: &["t", "provider", "sid", "kind", "code", "status", "message"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::new(ApiErrors),
};

const OWN: &[Field] = &[
    field(
        "kind",
        Shape::OneOf(&[
            "response_failed",
            "response_incomplete",
            "stream_error",
            "error",
            "warning",
            "api_error",
            "rate_limit",
        ]),
        "what was told",
    ),
    field("code", Shape::Text, "the provider's code or type of the error"),
    field("status", Shape::Integer, "HTTP status"),
    field("message", Shape::Text, "what was told"),
    field("response_id", Shape::Text, "the response that failed"),
    field(
        "retry",
        Shape::Count,
        "the number of the retry that follows, as the row says; null if nothing tells",
    ),
];

struct ApiErrors;

impl Mode for ApiErrors {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let Some((kind, told)) = row.facts.and_then(told_in) else { return };
        let error = ApiError::of(told);
        let is_limit = matches!(kind, "error" | "api_error") && error.is_limit();
        let kind = if is_limit { "rate_limit" } else { kind };
        let values = vec![
            kind.into(),
            or_null(error.code),
            or_null(error.status),
            or_null(error.message),
            or_null(error.response_id),
            or_null(error.retry),
        ];
        out.push(Record::new(&INFO, row.event, values));
    }
}

/// The kind of error that a row tells, and where it stands.
fn told_in(facts: &Facts) -> Option<(&'static str, &Value)> {
    let payload = &facts.payload;
    match facts.form {
        Form::Sse => Some((kind_in_sse(&facts.name, payload)?, payload)),
        Form::Transcript => {
            let is_flagged = || payload.get("isApiErrorMessage") == Some(&Value::Bool(true));
            match &*facts.name {
                "system.api_error" => Some(("api_error", payload)),
                "assistant" if is_flagged() => Some(("api_error", payload)),
                _ => None,
            }
        }
        Form::Rollout => {
            let kind = match &*facts.name {
                "event_msg.error" => "error",
                "event_msg.stream_error" => "stream_error",
                "event_msg.warning" => "warning",
                _ => return None,
            };
            Some((kind, payload.get("payload")?))
        }
        Form::Request => None,
    }
}

fn kind_in_sse(name: &str, payload: &Value) -> Option<&'static str> {
    match name {
        "response.failed" => Some("response_failed"),
        "response.incomplete" => Some("response_incomplete"),
        "turn.error" | "error" | "response.error" => Some("error"),
        "turn.stream_error" => Some("stream_error"),
        "turn.warning" => Some("warning"),
        "claude.error" => Some("api_error"),
        "claude.tool_result" => {
            let is_error = payload.get("is_api_error") == Some(&Value::Bool(true));
            is_error.then_some("api_error")
        }
        _ => None,
    }
}

/// What is told of an error.
#[derive(Default)]
struct ApiError {
    code: Option<String>,
    status: Option<i64>,
    message: Option<String>,
    response_id: Option<String>,
    retry: Option<u64>,
}

/// How deep errors stand inside each other, at most.
const DEPTH: usize = 8;

impl ApiError {
    fn of(told: &Value) -> Self {
        let mut error = Self::default();
        let response = told.get("response");
        error.response_id = response.and_then(|response| text_at(response, &["id"])).map(owned);
        error.read(response.unwrap_or(told), DEPTH);
        if let Some(content) = told.get("message").and_then(|message| message.get("content")) {
            error.message = text_of_blocks(content).or(error.message);
        }
        error.retry = told.get("retryAttempt").and_then(Value::as_u64);
        error.read_message();
        error
    }

    /// Reads an object, the errors inside of it first.
    fn read(&mut self, told: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        match told.get("error") {
            // A word: the class of it.
            Some(Value::String(text)) => {
                let slot = if text.contains(' ') { &mut self.message } else { &mut self.code };
                *slot = slot.take().or(Some(text.clone()));
            }
            Some(inner) => self.read_error(inner, depth - 1),
            None => {}
        }
        let reason = text_at(told, &["incomplete_details", "reason"]);
        let code = text_at(told, &["code"]).or(reason);
        self.code = self.code.take().or(code.map(owned));
        if let Some(info) = told.get("codex_error_info") {
            self.read_info(info);
        }
        self.status = self.status.or_else(|| status_in(told));
        let message = ["message", "formatted"].iter().find_map(|key| text_at(told, &[key]));
        let message = message.filter(|text| !text.is_empty());
        self.message = self.message.take().or(message.map(owned));
    }

    /// Reads what stands as an error.
    fn read_error(&mut self, error: &Value, depth: usize) {
        self.read(error, depth);
        let named = ["type", "kind"].iter().find_map(|key| text_at(error, &[key]));
        let named = named.filter(|name| *name != "error");
        let connection = || text_at(error, &["connection", "code"]);
        self.code = self.code.take().or_else(|| named.or_else(connection).map(owned));
    }

    /// Codex: a word, or `{word: {http_status_code}}`.
    fn read_info(&mut self, info: &Value) {
        let variant = info.as_object().and_then(|info| info.iter().next());
        let code = info.as_str().or(variant.map(|(name, _)| name.as_str()));
        self.code = self.code.take().or(code.map(owned));
        self.status = self.status.or_else(|| status_in(variant?.1));
    }

    /// What the message spells out.
    fn read_message(&mut self) {
        static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"(?i-u)(?:api error:?|status(?: code)?:?|http) ([1-5][0-9][0-9])\b").ok()
        });
        static RETRY: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"(?i-u)(?:retrying|retry|attempt|reconnecting)[ .:]*([0-9]{1,6})/[0-9]")
                .ok()
        });
        let Some(message) = &self.message else { return };
        let found = |regex: &LazyLock<Option<Regex>>| {
            let found = regex.as_ref()?.captures(message)?;
            found.get(1)?.as_str().parse().ok()
        };
        self.status = self.status.or_else(|| found(&STATUS));
        let retry = || found(&RETRY).map(i64::unsigned_abs);
        self.retry = self.retry.or_else(retry);
        if self.code.is_none()
            && let Some(at) = message.find('{')
            && let Ok(body) = json::value(message[at..].trim_ascii_end())
        {
            let mut inner = Self::default();
            inner.read(&value_of(body), DEPTH);
            self.code = inner.code;
        }
    }

    fn is_limit(&self) -> bool {
        let limits = ["rate_limit", "usage_limit", "too_many_requests", "quota"];
        let by_code = |code: &str| limits.iter().any(|limit| code.contains(limit));
        self.status == Some(429) || self.code.as_deref().is_some_and(by_code)
    }
}

fn owned(text: &str) -> String {
    text.to_owned()
}

/// An HTTP status by one of its names.
fn status_in(told: &Value) -> Option<i64> {
    let mut found = ["status", "status_code", "http_status_code"].iter().filter_map(|key| {
        let status = told.get(key)?;
        status.as_i64().or_else(|| status.as_str()?.parse().ok())
    });
    found.find(|status| (100..600).contains(status))
}

/// The texts of a message's blocks, and of the results among them.
fn text_of_blocks(content: &Value) -> Option<String> {
    let Some(blocks) = content.as_array() else { return text_of(content) };
    let text = |block: &Value| {
        let text = || block.get("text").and_then(Value::as_str).map(owned);
        block.get("content").and_then(text_of).or_else(text)
    };
    let texts: Vec<String> = blocks.iter().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, sse, turn};
    use serde_json::{Value, json};

    #[test]
    fn a_response_that_failed_tells_code_and_message() {
        let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow down"}}});
        assert_eq!(
            records("api_errors", &[sse(5, "response.failed", "1", &failed)]),
            [json!({
                "t": "2026-01-01T00:00:00.005Z", "provider": "codex", "sid": "s", "pid": 1, "turn_id": "1", "flow_id": "s__turn_1",
                "cwd": "/w", "ver": "codex.0.60.1", "kind": "response_failed", "code": "rate_limit_exceeded", "status": null,
                "message": "slow down", "response_id": "resp_1", "retry": null, "line": 1,
            })]
        );
        let cut = json!({"type": "response.incomplete", "response": {"id": "resp_2", "incomplete_details": {"reason": "max_output_tokens"}}});
        let error = &records("api_errors", &[sse(5, "response.incomplete", "1", &cut)])[0];
        assert_eq!(
            (&error["kind"], &error["code"]),
            (&json!("response_incomplete"), &json!("max_output_tokens"))
        );
    }

    fn told(error: &Value) -> [Value; 5] {
        ["kind", "code", "status", "message", "retry"].map(|key| error[key].clone())
    }

    #[test]
    fn events_of_codex_tell_errors() {
        for (event, payload, want) in [
            (
                "turn.error",
                json!({"message": "no", "codex_error_info": "usage_limit_exceeded"}),
                json!(["rate_limit", "usage_limit_exceeded", null, "no", null]),
            ),
            (
                "turn.error",
                json!({"message": "no", "codex_error_info": {"http_connection_failed": {"http_status_code": 503}}}),
                json!(["error", "http_connection_failed", 503, "no", null]),
            ),
            (
                "turn.stream_error",
                json!({"message": "stream error: last status: 429 Too Many Requests; retrying 2/5 in 211ms"}),
                json!([
                    "stream_error",
                    null,
                    429,
                    "stream error: last status: 429 Too Many Requests; retrying 2/5 in 211ms",
                    2
                ]),
            ),
            (
                "turn.stream_error",
                json!({"message": "Reconnecting... 1/5"}),
                json!(["stream_error", null, null, "Reconnecting... 1/5", 1]),
            ),
            (
                "turn.warning",
                json!({"message": "long"}),
                json!(["warning", null, null, "long", null]),
            ),
        ] {
            let found = records("api_errors", &[turn(5, event, "1", &payload)]);
            assert_eq!(json!(told(&found[0])), want, "{event}");
        }
        assert!(
            records(
                "api_errors",
                &[turn(5, "turn.background_event", "1", &json!({"message": "x"}))]
            )
            .is_empty()
        );
    }

    #[test]
    fn claude_tells_errors_in_results_and_streams() {
        let result = |is_error: bool| {
            let block = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "API Error: 529 overloaded"});
            claude(
                5,
                &json!({"type": "tool_result", "message": {"role": "user", "content": [block]}, "is_api_error": is_error}),
            )
        };
        let found = records("api_errors", &[result(false), result(true)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            json!(told(&found[0])),
            json!(["api_error", null, 529, "API Error: 529 overloaded", null])
        );
        let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        let found = records("api_errors", &[claude(5, &error)]);
        assert_eq!(
            json!(told(&found[0])),
            json!(["api_error", "overloaded_error", null, "Overloaded", null])
        );
    }

    fn native(row: Value) -> Value {
        let mut row = row;
        row["timestamp"] = "2026-01-01T00:00:00.000Z".into();
        let found = records("api_errors", &[row.to_string()]);
        json!(found.iter().map(told).collect::<Vec<_>>())
    }

    #[test]
    fn transcripts_tell_errors_and_retries() {
        let error = json!({"status": 429, "headers": {}, "error": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}});
        let row = json!({"type": "system", "subtype": "api_error", "sessionId": "c", "uuid": "u", "error": error, "retryAttempt": 3, "maxRetries": 10});
        assert_eq!(native(row), json!([["rate_limit", "rate_limit_error", 429, "slow", 3]]));
        let error = json!({"message": "Connection error.", "formatted": "x", "connection": {"code": "ECONNRESET", "message": "y"}});
        let row = json!({"type": "system", "subtype": "api_error", "sessionId": "c", "uuid": "u", "error": error});
        assert_eq!(
            native(row),
            json!([["api_error", "ECONNRESET", null, "Connection error.", null]])
        );
        let text = "API Error: 500 {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"oops\"}}";
        let said = |flag: bool| json!({"type": "assistant", "sessionId": "c", "uuid": "u", "isApiErrorMessage": flag, "message": {"id": "m", "role": "assistant", "model": "<synthetic>", "content": [{"type": "text", "text": text}]}});
        assert_eq!(native(said(true)), json!([["api_error", "api_error", 500, text, null]]));
        assert_eq!(native(said(false)), json!([]));
    }

    #[test]
    fn rollouts_tell_errors() {
        let row = |payload: Value| native(json!({"type": "event_msg", "payload": payload}));
        let limit = json!({"type": "error", "error": {"kind": "rate_limit", "message": "Rate limit exceeded"}});
        assert_eq!(
            row(limit),
            json!([["rate_limit", "rate_limit", null, "Rate limit exceeded", null]])
        );
        assert_eq!(
            row(json!({"type": "stream_error", "message": "gone"})),
            json!([["stream_error", null, null, "gone", null]])
        );
        assert_eq!(
            row(json!({"type": "error", "error": null, "message": 7})),
            json!([["error", null, null, null, null]])
        );
    }
}

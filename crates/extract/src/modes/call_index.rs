//! `call_index`: a request to a provider.
//!
//! Every captured request is one, of whatever kind, retries too. `messages` counts the messages or
//! items of the body (a prompt that is a plain string is one), `tools` the tools: 0 where a call
//! offers none, null of anything else. `stream` is what the body says. `host` is without user and
//! port, in lower case.
//!
//! Which answer it got is told by [`super::linkage`]: a request waits for it for at most 60 s of log
//! time. Rows of SSE logs tell of answers even where a session's own log counts for all else, since
//! that knows no requests.

use agentlog::record::{Field, Shape};
use serde_json::Value;

use super::linkage::{Links, names_of};
use crate::tools::or_null;
use crate::{Asked, Info, Mode, Place, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "call_index",
    about: "a request to a provider",
    sources: "captured requests; response.created and claude.message_start for their answers",
    own: OWN,
    key: &["src"],
    table: &["t", "provider", "sid", "call", "kind", "model", "messages", "tools", "body_bytes"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<CallIndex>::default(),
};

const OWN: &[Field] = &[
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field(
        "kind",
        Shape::OneOf(&[
            "messages",
            "count_tokens",
            "responses",
            "compact",
            "chat_completions",
            "other",
        ]),
        "what was asked for",
    ),
    field("method", Shape::Text, "HTTP method"),
    field("url", Shape::Text, "where it went"),
    field("host", Shape::Text, "the host of the URL"),
    field("messages", Shape::Count, "messages or input items in it"),
    field("tools", Shape::Count, "tools defined in it"),
    field("body_bytes", Shape::Count, "bytes of the body, as JSON"),
    field("stream", Shape::Bool, "whether the answer was to be streamed"),
    field("linked_flow", Shape::Text, "the flow of the answer"),
    field("linked_response", Shape::Text, "the id of the answer: message or response"),
    field(
        "linked_request_id",
        Shape::Text,
        "the provider's id of the request, as the answer tells it",
    ),
    field("linked_t", Shape::Time, "when the answer began"),
    field("link_gap_ms", Shape::Integer, "milliseconds from the request to its answer"),
];

#[derive(Default)]
struct CallIndex {
    links: Links<Box<Record>>,
}

/// Where the values that tell of the answer begin.
const LINKED: usize = 9;

impl Mode for CallIndex {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        match row.asked() {
            Some((asked, place)) if row.event.left_out.is_none() => {
                let record = Record::new(&INFO, row.event, values(asked, place));
                self.links.ask(row.event, asked, Box::new(record));
            }
            _ => drop(self.links.hear(row)),
        }
        self.give_out(out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Record>) {
        self.links.advance(t);
        self.give_out(out);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.links.finish();
        self.give_out(out);
    }
}

impl CallIndex {
    fn give_out(&mut self, out: &mut Vec<Record>) {
        for (mut record, answer) in self.links.settled() {
            let [flow, response, request_id] = names_of(answer.as_ref());
            let t = or_null(answer.as_ref().map(|answer| answer.t));
            let gap = or_null(answer.as_ref().map(|answer| answer.gap_ms));
            record.values.truncate(LINKED);
            record.values.extend([flow, response, request_id, t, gap]);
            out.push(*record);
        }
    }
}

/// The values of a request, its answer unknown.
fn values(asked: &Asked, place: &Place) -> Vec<Value> {
    let body = &asked.body;
    let messages = body.get("messages").or_else(|| body.get("input"));
    let messages = match messages {
        Some(Value::Array(items)) => Some(items.len()),
        Some(Value::String(_)) => Some(1),
        _ => None,
    };
    let tools = match body.get("tools") {
        Some(Value::Array(tools)) => Some(tools.len()),
        _ => (asked.is_call() && body.is_object()).then_some(0),
    };
    let mut values = vec![
        place.call.into(),
        asked.kind.into(),
        or_null(asked.method.as_deref()),
        or_null(asked.url.as_deref()),
        or_null(asked.url.as_deref().and_then(host_of)),
        or_null(messages),
        or_null(tools),
        if body.is_null() { Value::Null } else { asked.body_bytes.into() },
        or_null(body.get("stream").and_then(Value::as_bool)),
    ];
    debug_assert_eq!(values.len(), LINKED);
    values.resize(OWN.len(), Value::Null);
    values
}

/// The host of a URL: without user and port, in lower case.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.find(']') {
        // An address of IPv6 has colons of its own.
        Some(end) => &host[..=end],
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::host_of;
    use crate::given::{claude, records, request, sse};
    use serde_json::{Value, json};

    fn ask(ms: i64, model: &str, text: &str) -> String {
        let message = json!({"role": "user", "content": text});
        request(
            ms,
            "messages",
            &json!({"model": model, "max_tokens": 32000, "stream": true, "tools": [{"name": "Bash"}], "messages": [message]}),
        )
    }

    fn start(ms: i64, id: &str, model: &str) -> String {
        claude(
            ms,
            &json!({"type": "message_start", "request_id": format!("req_{id}"), "message": {"id": format!("msg_{id}"), "model": model, "usage": {"input_tokens": 1}}}),
        )
    }

    fn linked(rows: &[String]) -> Vec<(Value, Value)> {
        let mut found = records("call_index", rows);
        found.sort_by_key(|record| record["line"].as_u64());
        found.iter().map(|r| (r["call"].clone(), r["linked_response"].clone())).collect()
    }

    #[test]
    fn a_request_with_its_answer() {
        let found = records("call_index", &[ask(0, "claude-x", "hi"), start(350, "A", "claude-x")]);
        assert_eq!(found.len(), 1);
        let expected = json!({
            "t": "2026-01-01T00:00:00.000Z", "provider": "claude", "sid": "c", "pid": 1, "model": "claude-x",
            "call": 1, "kind": "messages", "method": "POST", "url": "https://api.anthropic.com/v1/messages",
            "host": "api.anthropic.com", "messages": 1, "tools": 1, "body_bytes": found[0]["body_bytes"],
            "stream": true, "linked_flow": "msg_1", "linked_response": "msg_A", "linked_request_id": "req_A",
            "linked_t": "2026-01-01T00:00:00.350Z", "link_gap_ms": 350, "line": 1,
        });
        assert_eq!(found[0], expected);
    }

    #[test]
    fn the_latest_request_of_that_model_has_the_answer() {
        let rows = [
            ask(0, "claude-small", "a"),
            ask(10, "claude-x", "b"),
            ask(20, "claude-x", "c"),
            start(300, "C", "claude-x"),
            start(301, "C", "claude-x"),
            start(400, "A", "claude-small-20250101"),
            start(500, "B", "claude-x"),
            start(600, "D", "claude-x"),
        ];
        let expected = [(1, "msg_A"), (2, "msg_B"), (3, "msg_C")];
        assert_eq!(linked(&rows), expected.map(|(call, id)| (json!(call), json!(id))));
    }

    #[test]
    fn an_answer_is_not_waited_for_too_long() {
        let rows = [
            ask(0, "m", "a"),
            start(60_001, "A", "m"),
            ask(70_000, "m", "b"),
            start(130_000, "B", "m"),
        ];
        assert_eq!(linked(&rows), [(json!(1), json!(null)), (json!(2), json!("msg_B"))]);
    }

    #[test]
    fn what_is_no_call_has_no_answer() {
        let count = request(0, "messages/count_tokens", &json!({"model": "m", "messages": []}));
        let title = request(
            5,
            "messages",
            &json!({"model": "m", "max_tokens": 512, "system": "Generate a title", "messages": []}),
        );
        let other = json!({"t": "2026-01-01T00:00:00.010Z", "method": "POST", "url": "https://Stats.example:443/x", "headers": {}, "sid": "c", "body": null}).to_string();
        let rows = [count, title, other, start(100, "A", "m")];
        let found = records("call_index", &rows);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|record| record["linked_t"].is_null()));
        assert_eq!(
            (&found[2]["kind"], &found[2]["host"]),
            (&json!("other"), &json!("stats.example"))
        );
        assert_eq!((&found[2]["tools"], &found[2]["body_bytes"]), (&json!(null), &json!(null)));
    }

    #[test]
    fn of_a_retry_the_last_has_the_answer() {
        let rows =
            [ask(0, "m", "a"), ask(50, "m", "a"), start(100, "A", "m"), start(200, "B", "m")];
        assert_eq!(linked(&rows), [(json!(1), json!(null)), (json!(2), json!("msg_A"))]);
    }

    #[test]
    fn a_response_of_codex() {
        let body = json!({"model": "gpt-x", "input": "hello"});
        let created =
            json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-x"}});
        let found = records(
            "call_index",
            &[request(0, "responses", &body), sse(9, "response.created", "1", &created)],
        );
        assert_eq!(found[0]["linked_response"], "resp_1");
        assert_eq!(found[0]["linked_flow"], "s__turn_1");
        assert_eq!((&found[0]["messages"], &found[0]["tools"]), (&json!(1), &json!(0)));
        assert_eq!(found[0]["linked_request_id"], json!(null));
    }

    #[test]
    fn hosts() {
        for (url, host) in [
            ("https://u:p@Api.Example:8080/v1?x", Some("api.example")),
            ("http://[::1]:9/x", Some("[::1]")),
            ("https://", None),
            ("/v1/messages", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }
}

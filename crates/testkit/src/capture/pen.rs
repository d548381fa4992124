//! Writes the files of one session, and notes what they say.

use super::{CaptureCase, CaptureFile, CapturedRequest};
use crate::calendar::{stamp, utc_stamp};
use crate::prng::Prng;
use crate::row::Provider;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// How far the wall clock is ahead in [`CaptureCase::LocalTimes`].
const AHEAD_MS: i64 = 7 * 3_600_000;

/// What is sent.
pub(super) struct Sent {
    pub event: &'static str,
    pub url: String,
    pub body: Body,
}

/// What stands in the body.
pub(super) enum Body {
    Json(Value),
    /// Text that is no JSON.
    Form(String),
    None,
}

/// A session's writer.
pub(super) struct Pen<'a> {
    pub provider: Provider,
    cases: &'a BTreeSet<CaptureCase>,
    pub prng: Prng,
    pub ms: i64,
    pub sid: String,
    /// Random, as accounts are.
    pub account: String,
    pid: u64,
    pub files: Vec<CaptureFile>,
}

impl<'a> Pen<'a> {
    pub fn new(
        provider: Provider,
        cases: &'a BTreeSet<CaptureCase>,
        seed: u64,
        start: i64,
    ) -> Self {
        let mut prng = Prng::new(seed);
        let sid = match provider {
            Provider::Claude => prng.uuid4(),
            Provider::Codex => prng.uuid7(start),
        };
        let (account, pid) = (prng.uuid4(), prng.range(1000, 60_000));
        Self { provider, cases, prng, ms: start, sid, account, pid, files: Vec::new() }
    }

    pub fn has(&self, case: CaptureCase) -> bool {
        self.cases.contains(&case)
    }

    /// Whether the document itself says whose session it is.
    fn names_session(&self) -> bool {
        CaptureCase::SESSIONS.iter().all(|case| !self.has(*case))
    }

    /// Whether bodies say it.
    pub fn has_session_in_body(&self) -> bool {
        !self.has(CaptureCase::NoSession) && !self.has(CaptureCase::SessionInHeader)
    }

    fn has_session_in_headers(&self) -> bool {
        self.names_session() || self.has(CaptureCase::SessionInHeader)
    }

    /// The session, if a request with a body of the model's tells it, or one without.
    fn told_session(&self, in_body: bool) -> Option<String> {
        let told = self.has_session_in_headers() || (in_body && self.has_session_in_body());
        told.then(|| self.sid.clone())
    }

    /// Writes a request in the next second.
    pub fn write(&mut self, sent: Sent) {
        self.ms += self.prng.range(300, 1500) as i64;
        let headers = self.headers();
        let (body, is_form) = match &sent.body {
            Body::Json(body) => (body.clone(), false),
            Body::Form(_) => (Value::Null, true),
            Body::None => (Value::Null, false),
        };
        let count = |key: &str| body[key].as_array().map_or(0, Vec::len);
        let method = if body.is_null() && !is_form { "GET" } else { "POST" };
        let is_claude = self.provider == Provider::Claude;
        let in_body = !body["metadata"].is_null() || !body["prompt_cache_key"].is_null();
        let request = CapturedRequest {
            provider: self.provider,
            event: sent.event,
            sid: self.told_session(in_body),
            pid: self.pid,
            cwd: is_claude.then(|| "/home/u/project".to_owned()),
            ver: if is_claude { "2.0.42" } else { "0.50.0" }.into(),
            model: body["model"].as_str().map(str::to_owned),
            method,
            url: sent.url.clone(),
            headers: headers.clone(),
            messages: count("messages") + count("input"),
            tools: count("tools"),
            body,
            is_form,
        };
        let text = match sent.body {
            Body::Json(body) if self.has(CaptureCase::BodyAsText) => Some(self.spell(&body).into()),
            Body::Json(body) => Some(body),
            Body::Form(text) => Some(text.into()),
            Body::None => None,
        };
        let document = self.document(&request, text);
        self.put(document.into_bytes(), Some(request));
    }

    /// Writes a file that cannot be read.
    pub fn write_faulty(&mut self, bytes: &[u8]) {
        self.ms += 700;
        self.put(bytes.to_vec(), None);
    }

    /// The bytes of the file that was written last.
    pub fn last(&self) -> Vec<u8> {
        self.files.last().map(|file| file.bytes.clone()).unwrap_or_default()
    }

    fn put(&mut self, bytes: Vec<u8>, request: Option<CapturedRequest>) {
        let name = if self.names_session() { self.sid.as_str() } else { "unknown" };
        let time: String = stamp(self.ms).replace(['-', 'T', ':'], "_");
        let (time, millis) = time.split_once('.').unwrap_or((&time, "000"));
        let (folder, gap) = match self.provider {
            Provider::Claude => ("claude", "_"),
            Provider::Codex => ("codex", "_."),
        };
        let path = format!("{folder}/requests/{name}__{time}{gap}{millis}123.json");
        self.files.push(CaptureFile { path, bytes, ms: self.ms, request });
    }

    fn headers(&self) -> Vec<(String, String)> {
        let fixed: &[(&str, &str)] = match self.provider {
            Provider::Claude => &[
                ("accept", "application/json"),
                ("anthropic-beta", "claude-code-20250219"),
                ("anthropic-beta", "interleaved-thinking-2025-05-14"),
                ("anthropic-version", "2023-06-01"),
                ("authorization", "Bearer sk-ant-oat01-madeUpForTests"),
                ("User-Agent", "claude-cli/2.0.42 (external, cli)"),
            ],
            Provider::Codex => &[
                ("authorization", "Bearer eyJtYWRlIjoidXAifQ.e30.madeUpForTests"),
                ("originator", "codex_cli_rs"),
                ("user-agent", "codex_cli_rs/0.50.0 (Ubuntu 24.4.0; x86_64) xterm"),
            ],
        };
        let mut headers: Vec<(String, String)> =
            fixed.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        if self.has_session_in_headers() {
            let names: &[&str] = match self.provider {
                Provider::Claude => &["X-Claude-Code-Session-Id"],
                Provider::Codex => &["conversation_id", "session_id"],
            };
            headers.extend(names.iter().map(|name| ((*name).into(), self.sid.clone())));
        }
        headers
    }

    /// The members of the document in the order of the writer.
    fn document(&self, request: &CapturedRequest, body: Option<Value>) -> String {
        let is_claude = self.provider == Provider::Claude;
        let time = match (self.has(CaptureCase::TimeInName), self.has(CaptureCase::LocalTimes)) {
            (true, _) => None,
            (_, true) => Some(stamp(self.ms + AHEAD_MS)),
            _ => Some(utc_stamp(self.ms)),
        };
        let session = self.names_session().then_some(self.sid.as_str());
        let mut members: Vec<(&str, Value)> = Vec::new();
        if is_claude {
            members.extend(time.map(|time| ("ts", json!(time))));
            members.push(("pid", json!(self.pid)));
            members.push(("cwd", json!(request.cwd)));
            members.push(("session_id", json!(session.unwrap_or("unknown"))));
        } else {
            members.extend(time.map(|time| ("t", json!(time))));
            members.push(("pid", json!(self.pid)));
        }
        members.push(("method", json!(request.method)));
        members.push(("url", json!(request.url)));
        if !is_claude {
            members.extend(session.map(|sid| ("sid", json!(sid))));
        }
        members.push(("headers", self.spell_headers(&request.headers)));
        members.extend(body.map(|body| ("body", body)));
        if is_claude {
            members.push(("stream", json!(true)));
            members.push(("transport", json!("fetch")));
        }
        if self.has(CaptureCase::BodyFirst) {
            members.sort_by_key(|(key, _)| *key != "body");
        }
        let (gap, indent) = if self.has(CaptureCase::Pretty) { ("\n", "  ") } else { ("", "") };
        let member =
            |(key, value): &(&str, Value)| format!("{indent}\"{key}\":{}", self.spell(value));
        let members: Vec<String> = members.iter().map(member).collect();
        format!("{{{gap}{}{gap}}}\n", members.join(&format!(",{gap}")))
    }

    fn spell_headers(&self, headers: &[(String, String)]) -> Value {
        let pairs = (self.provider == Provider::Codex) != self.has(CaptureCase::HeadersOtherwise);
        if pairs {
            return headers.iter().map(|(name, value)| json!([name, value])).collect();
        }
        let mut object = Map::new();
        for (name, value) in headers {
            match object.get_mut(name) {
                None => drop(object.insert(name.clone(), value.as_str().into())),
                Some(Value::Array(list)) => list.push(value.as_str().into()),
                Some(first) => *first = json!([first.take(), value]),
            }
        }
        Value::Object(object)
    }

    fn spell(&self, value: &Value) -> String {
        if self.has(CaptureCase::Pretty) { format!("{value:#}") } else { value.to_string() }
    }
}

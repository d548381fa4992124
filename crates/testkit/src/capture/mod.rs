//! Captured requests of both agents, with a known truth: folders `claude/requests` and
//! `codex/requests`, one request a file, each with the conversation so far.

mod case;
mod claude;
mod codex;
mod pen;

pub use case::CaptureCase;

use crate::calendar::utc_stamp;
use crate::prng::Prng;
use crate::row::Provider;
use crate::workdir::Workdir;
use pen::Pen;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// 2026-02-11T08:00:00.250Z
const START_MS: i64 = 1_770_796_800_250;
/// How far apart sessions start.
const SESSION_MS: i64 = 9_000;

/// Files of requests, by path.
#[derive(Clone, Debug)]
pub struct CaptureLog {
    /// The files, those that cannot be read among them.
    pub files: Vec<CaptureFile>,
}

/// A file, and what it says.
#[derive(Clone, Debug)]
pub struct CaptureFile {
    /// Its path below the folder of the logs.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When it was made, in milliseconds since the epoch.
    pub ms: i64,
    /// What was asked; none if the file cannot be read.
    pub request: Option<CapturedRequest>,
}

/// What a request says.
#[derive(Clone, Debug)]
pub struct CapturedRequest {
    /// Who asked.
    pub provider: Provider,
    /// The name of its event, such as `request.messages`.
    pub event: &'static str,
    /// The session, if the file tells it.
    pub sid: Option<String>,
    /// The process.
    pub pid: u64,
    /// Its working directory, if the file tells it.
    pub cwd: Option<String>,
    /// The version of the agent.
    pub ver: String,
    /// The model, if one was asked.
    pub model: Option<String>,
    /// The method of HTTP.
    pub method: &'static str,
    /// Where it was sent.
    pub url: String,
    /// Names and values, in the order of pairs.
    pub headers: Vec<(String, String)>,
    /// What was sent; null if nothing, or nothing that is JSON.
    pub body: Value,
    /// Whether what was sent is text that is no JSON.
    pub is_form: bool,
    /// Messages, or items of the input, in the body.
    pub messages: usize,
    /// Tools in the body.
    pub tools: usize,
}

/// Builds captured requests. The same settings give the same bytes.
///
/// ```
/// use testkit::{CaptureBuilder, CaptureCase};
/// let log = CaptureBuilder::new(1).steps(3).case(CaptureCase::CutShort).build();
/// assert!(log.files[0].path.starts_with("claude/requests/"));
/// assert_eq!(log.faulty().count(), 2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CaptureBuilder {
    seed: u64,
    claude: usize,
    codex: usize,
    steps: usize,
    later_ms: i64,
    cases: BTreeSet<CaptureCase>,
}

impl CaptureBuilder {
    /// Two sessions of each agent, four requests each.
    pub fn new(seed: u64) -> Self {
        Self { seed, claude: 2, codex: 2, steps: 4, later_ms: 0, cases: BTreeSet::new() }
    }

    /// Sessions of Claude.
    pub fn claude_sessions(self, count: usize) -> Self {
        Self { claude: count, ..self }
    }

    /// Sessions of Codex.
    pub fn codex_sessions(self, count: usize) -> Self {
        Self { codex: count, ..self }
    }

    /// Requests a session. They take turns: one with a new prompt, one with the result of a tool.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// All that much later, in milliseconds.
    pub fn later(self, ms: i64) -> Self {
        Self { later_ms: ms, ..self }
    }

    /// Switches a case on.
    pub fn case(mut self, case: CaptureCase) -> Self {
        self.cases.insert(case);
        self
    }

    /// Switches cases on.
    pub fn cases(mut self, cases: &[CaptureCase]) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Writes the files.
    pub fn build(&self) -> CaptureLog {
        let mut prng = Prng::new(self.seed);
        let mut files = Vec::new();
        for (provider, sessions) in [(Provider::Claude, self.claude), (Provider::Codex, self.codex)]
        {
            for session in 0..sessions {
                let start = START_MS + self.later_ms + session as i64 * SESSION_MS;
                let mut pen = Pen::new(provider, &self.cases, prng.bits(), start);
                match provider {
                    Provider::Claude => claude::session(&mut pen, self.steps, session == 0),
                    Provider::Codex => codex::session(&mut pen, self.steps, session == 0),
                }
                files.append(&mut pen.files);
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        CaptureLog { files }
    }
}

impl CaptureLog {
    /// Writes the files and gives their paths in order.
    pub fn write_to(&self, dir: &Workdir) -> Vec<PathBuf> {
        self.files.iter().map(|file| dir.write(&file.path, &file.bytes)).collect()
    }

    /// The requests with their files, in order of time, ties by path.
    pub fn requests(&self) -> Vec<(&CaptureFile, &CapturedRequest)> {
        let readable = self.files.iter().filter_map(|file| Some((file, file.request.as_ref()?)));
        let mut requests: Vec<_> = readable.collect();
        requests.sort_by(|(a, _), (b, _)| (a.ms, &a.path).cmp(&(b.ms, &b.path)));
        requests
    }

    /// The files that cannot be read.
    pub fn faulty(&self) -> impl Iterator<Item = &CaptureFile> {
        self.files.iter().filter(|file| file.request.is_none())
    }

    /// The requests in the keys of `alog.event/1`, in order of time; without `index` and `src.path`.
    pub fn events(&self) -> Vec<Value> {
        self.requests().into_iter().map(|(file, request)| request.event_of(file)).collect()
    }
}

impl CapturedRequest {
    fn event_of(&self, file: &CaptureFile) -> Value {
        let len = file.bytes.trim_ascii_end().len();
        let mut event = json!({
            "schema": "alog.event/1", "t": utc_stamp(file.ms), "provider": self.provider.name(),
            "sid": self.sid, "pid": self.pid, "turn_id": null, "round": null, "flow_id": null,
            "cwd": self.cwd, "ver": self.ver, "model": self.model, "event": self.event,
            "seq": null, "request_id": null, "payload": self.body,
            "src": {"line": 1, "offset": 0, "len": len},
        });
        if !self.is_form {
            event["payload_error"] = Value::Null;
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::{CaptureBuilder, CaptureCase};
    use serde_json::Value;

    #[test]
    fn documents_are_json_and_faulty_ones_are_no_requests() {
        for case in CaptureCase::all() {
            let log = CaptureBuilder::new(1).case(case).build();
            assert!(log.files.is_sorted_by(|a, b| a.path < b.path), "{case:?}: names are unique");
            for file in &log.files {
                let document: Result<Value, _> = serde_json::from_slice(&file.bytes);
                let is_request = document.is_ok_and(|document| document["url"].is_string());
                assert_eq!(is_request, file.request.is_some(), "{case:?}: {}", file.path);
            }
        }
    }

    #[test]
    fn spellings_change_no_truth() {
        let plain = CaptureBuilder::new(2).cases(&CaptureCase::REQUESTS).build();
        let spelled = CaptureBuilder::new(2).cases(&CaptureCase::REQUESTS);
        let spelled = spelled.cases(&CaptureCase::SPELLINGS).build();
        let told = |mut event: Value| {
            event["src"].take();
            event
        };
        let (plain, spelled) = (plain.events(), spelled.events());
        assert!(plain.into_iter().map(told).eq(spelled.into_iter().map(told)));
    }

    #[test]
    fn conversations_grow() {
        let log = CaptureBuilder::new(3).steps(6).claude_sessions(1).codex_sessions(1).build();
        for name in ["claude", "codex"] {
            let of = |sizes: fn(&super::CapturedRequest) -> usize| -> Vec<usize> {
                let requests = log.requests();
                let own = requests.iter().filter(|(_, request)| request.provider.name() == name);
                own.map(|(_, request)| sizes(request)).collect()
            };
            let messages = of(|request| request.messages);
            assert!(messages.len() == 6 && messages.is_sorted_by(|a, b| a < b), "{messages:?}");
            assert!(of(|request| request.tools).iter().all(|tools| *tools >= 2));
        }
    }
}

//! `paths_repo_hints`: a path, repository or branch that a session works with.
//!
//! A hint is something that a session tells of where it works; `evidence` counts how often, deltas
//! apart. Only absolute paths count. Hints are:
//!
//! - `cwd`: what rows say in `metadata.cwd`, `cwd`, `session_configured.cwd`, `session_meta.cwd`,
//!   `turn_context.cwd` and `exec.begin.cwd`; the arguments `workdir` and `cwd` of tools; what the program
//!   tells the agent (`Working directory: …`, `<cwd>`, `# AGENTS.md instructions for …`);
//! - `repo`: a working directory of which the agent was told that it is a git repository, or whose
//!   rollout has `git`;
//! - `branch`: `gitBranch`, `git.branch`, `Current branch: …`, `Main branch …: …`;
//! - `file`: the arguments `file_path`, `notebook_path` and `path` of tools, and the files of patches.
//!
//! A call counts once for each id, whichever row tells it; of a request only what no request before it
//! held. Of a session 4,096 files are told, and 1,024 hints of each other kind; what is found beyond that
//! is counted in one record without a path (`found_in` is `more`).

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use agentlog::event::{Event, Head, Provider, Src, StreamKind, What};
use agentlog::fold::deltas::{Delta, Deltas};
use agentlog::fold::{Agreed, Fold};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::memo::Memo;
use crate::tools::{or_null, text_at};
use crate::{Asked, Facts, Form, Info, Mode, Place, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "paths_repo_hints",
    about: "a path, repository or branch that a session works with",
    sources: "all logs and captured requests",
    own: OWN,
    key: &["sid", "kind", "path"],
    table: &["t", "provider", "sid", "kind", "path", "found_in", "evidence"],
    takes: Takes { deltas: true, left_out: false, select: Select::Records },
    make: |_| Box::<PathsRepoHints>::default(),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["cwd", "repo", "branch", "file"]), "what it is"),
    field("path", Shape::Text, "the absolute path, or the branch's name"),
    field("found_in", Shape::Text, "where it was found first: the key, tag or phrase"),
    field("evidence", Shape::Count, "how often it was found"),
    field("t_last", Shape::Time, "when it was found last"),
];

/// How many files of a session are told one by one.
const FILES: usize = 4096;
/// How many hints of another kind.
const OTHERS: usize = 1024;
/// How many calls, and how many system prompts, are remembered to be read once.
const REMEMBERED: usize = 1 << 16;
/// No path is longer.
const PATH_LEN: usize = 4096;

/// What a hint is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cwd,
    Repo,
    Branch,
    File,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Cwd => "cwd",
            Self::Repo => "repo",
            Self::Branch => "branch",
            Self::File => "file",
        }
    }

    fn most(self) -> usize {
        if self == Self::File { FILES } else { OTHERS }
    }
}

/// A hint that was found.
struct Hint {
    kind: Kind,
    /// None of the rest, which is only counted.
    path: Option<String>,
    found_in: &'static str,
    agreed: Agreed,
    t: Option<i64>,
    src: Src,
    evidence: u64,
    t_last: Option<i64>,
}

/// The hints of a session.
#[derive(Default)]
struct Session {
    hints: Vec<Hint>,
    /// By hashes of kind and path.
    known: HashMap<u64, usize, FixedState>,
    /// How many there are of each kind.
    counts: [usize; 4],
}

impl Session {
    fn found(&mut self, event: &Event<'_>, kind: Kind, path: &str, found_in: &'static str) {
        let hash = |path: Option<&str>| FixedState::with_seed(0).hash_one((kind, path));
        let is_full = self.counts[kind as usize] >= kind.most();
        let known = self.known.contains_key(&hash(Some(path)));
        let (path, found_in) =
            if known || !is_full { (Some(path), found_in) } else { (None, "more") };
        let next = self.hints.len();
        let at = *self.known.entry(hash(path)).or_insert(next);
        if at == next {
            self.counts[kind as usize] += 1;
            self.hints.push(Hint {
                kind,
                path: path.map(String::from),
                found_in,
                agreed: Agreed::new(event.head),
                t: event.t,
                src: event.src,
                evidence: 0,
                t_last: None,
            });
        }
        let hint = &mut self.hints[at];
        hint.agreed.add(event.head);
        hint.evidence += 1;
        hint.t_last = hint.t_last.max(event.t);
    }
}

#[derive(Default)]
struct PathsRepoHints {
    heads: Memo<Head>,
    known: HashMap<Option<String>, usize, FixedState>,
    sessions: Vec<Session>,
    /// Puts the arguments of Claude's streamed calls together.
    deltas: Deltas,
    streamed: Vec<Delta>,
    /// Calls and system prompts that were read.
    read: HashSet<u64, FixedState>,
}

impl PathsRepoHints {
    fn session(&mut self, head: &Arc<Head>) -> &mut Session {
        let at = self.heads.get(head).unwrap_or_else(|| {
            let next = self.known.len();
            let at = *self.known.entry(head.sid.clone()).or_insert(next);
            self.heads.put(head, at);
            at
        });
        if at >= self.sessions.len() {
            self.sessions.resize_with(at + 1, Session::default);
        }
        &mut self.sessions[at]
    }

    /// Takes a path or a branch, if it is one.
    fn hint(&mut self, event: &Event<'_>, kind: Kind, text: &str, found_in: &'static str) {
        let text = text.trim();
        let told = match kind {
            Kind::Branch => is_branch(text),
            _ => is_absolute(text),
        };
        if told {
            self.session(event.head).found(event, kind, text, found_in);
        }
    }

    /// Whether something that several rows tell was not read yet.
    fn is_new(&mut self, what: (&Option<String>, &str)) -> bool {
        if self.read.len() >= REMEMBERED {
            self.read.clear();
        }
        self.read.insert(FixedState::with_seed(0).hash_one(what))
    }

    /// The arguments of a call, once; without an id each time.
    fn call(&mut self, event: &Event<'_>, id: Option<&str>, arguments: &Value) {
        if let Some(id) = id
            && !self.is_new((&event.head.sid, id))
        {
            return;
        }
        let Some(arguments) = arguments.as_object() else { return };
        for (key, kind, found_in) in ARGUMENTS {
            match arguments.get(*key) {
                Some(Value::String(path)) => self.hint(event, *kind, path, found_in),
                Some(Value::Object(files)) => {
                    files.keys().for_each(|path| self.hint(event, *kind, path, found_in));
                }
                _ => {}
            }
        }
    }

    fn call_text(&mut self, event: &Event<'_>, id: Option<&str>, arguments: &str) {
        let has = |(key, ..): &(&str, Kind, &str)| arguments.contains(key);
        if ARGUMENTS.iter().any(has)
            && let Ok(arguments) = serde_json::from_str(arguments)
        {
            self.call(event, id, &arguments);
        }
    }

    /// What the program tells the agent about where it works.
    fn environment(&mut self, event: &Event<'_>, text: &str) {
        if !MARKS.iter().any(|mark| text.contains(mark)) {
            return;
        }
        let mut cwd = None;
        for line in text.lines() {
            let line = line.trim().trim_start_matches("- ");
            let behind = |mark: &str| line.strip_prefix(mark).map(str::trim);
            if let Some(path) =
                behind("Working directory: ").or(behind("Primary working directory: "))
            {
                self.hint(event, Kind::Cwd, path, "Working directory");
                cwd = Some(path);
            } else if let Some(path) = behind("Current working directory: ") {
                self.hint(event, Kind::Cwd, path, "Current working directory");
            } else if let Some(paths) = behind("Additional working directories: ") {
                for path in paths.split(", ") {
                    self.hint(event, Kind::Cwd, path, "Additional working directories");
                }
            } else if let Some(answer) =
                behind("Is directory a git repo: ").or(behind("Is a git repository: "))
            {
                if let Some(cwd) = cwd.filter(|_| matches!(answer, "Yes" | "yes" | "true")) {
                    self.hint(event, Kind::Repo, cwd, "Is directory a git repo");
                }
            } else if let Some(branch) = behind("Current branch: ") {
                self.hint(event, Kind::Branch, branch, "Current branch");
            } else if let Some(branch) = line
                .strip_prefix("Main branch")
                .and_then(|rest| rest.split_once(": "))
                .map(|(_, branch)| branch)
            {
                self.hint(event, Kind::Branch, branch, "Main branch");
            } else if let Some(path) = behind("# AGENTS.md instructions for ") {
                self.hint(event, Kind::Cwd, path, "AGENTS.md instructions for");
            }
        }
        if let Some((_, rest)) = text.split_once("<cwd>")
            && let Some((path, _)) = rest.split_once("</cwd>")
        {
            self.hint(event, Kind::Cwd, path, "<cwd>");
        }
    }

    /// The texts and calls in the content of a message.
    fn content(&mut self, event: &Event<'_>, content: &Value) {
        if let Some(text) = content.as_str() {
            return self.environment(event, text);
        }
        for block in content.as_array().map_or(&[][..], Vec::as_slice) {
            match text_at(block, &["type"]).unwrap_or_default() {
                "tool_use" => {
                    let input = block.get("input").unwrap_or(&Value::Null);
                    self.call(event, text_at(block, &["id"]), input);
                }
                "text" | "input_text" => {
                    self.environment(event, text_at(block, &["text"]).unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// A message or item of a conversation.
    fn item(&mut self, event: &Event<'_>, item: &Value) {
        if let Some(content) = item.get("content").filter(|_| text_at(item, &["role"]).is_some()) {
            return self.content(event, content);
        }
        if let Some(arguments) = text_at(item, &["arguments"]) {
            self.call_text(event, text_at(item, &["call_id"]), arguments);
        } else if let Some(patch) = text_at(item, &["input"]) {
            self.patch(event, text_at(item, &["call_id"]), patch);
        } else if let Some(action) = item.get("action") {
            let directory = text_at(action, &["working_directory"]);
            if let Some(path) = directory {
                self.hint(event, Kind::Cwd, path, "working_directory");
            }
        }
    }

    /// The files that a patch names.
    fn patch(&mut self, event: &Event<'_>, id: Option<&str>, patch: &str) {
        if !patch.contains("*** ") || id.is_some_and(|id| !self.is_new((&event.head.sid, id))) {
            return;
        }
        for line in patch.lines() {
            let named = line.strip_prefix("*** ").and_then(|rest| rest.split_once(" File: "));
            if let Some((_, path)) = named {
                self.hint(event, Kind::File, path, "patch");
            }
        }
    }

    /// What of a request is new: items that no request before it held, and its system prompt.
    fn request(&mut self, event: &Event<'_>, asked: &Asked, place: &Place) {
        let body = &asked.body;
        let systems = [body.get("system"), body.get("instructions")];
        for system in systems.into_iter().flatten() {
            let blocks = system.as_array().map_or(std::slice::from_ref(system), Vec::as_slice);
            for block in blocks {
                let text = block.as_str().or_else(|| text_at(block, &["text"])).unwrap_or_default();
                if self.is_new((&event.head.sid, text)) {
                    self.environment(event, text);
                }
            }
        }
        let fresh = asked.conversation().iter().zip(&place.fresh).filter(|(_, fresh)| **fresh);
        for (item, _) in fresh {
            self.item(event, item);
        }
    }

    fn whole_row(&mut self, event: &Event<'_>, facts: &Facts) {
        let payload = &facts.payload;
        let inner = payload.get("payload").unwrap_or(payload);
        let text = |key| text_at(payload, &[key]);
        match facts.form {
            Form::Sse => {
                if let Some(cwd) = &event.head.cwd {
                    self.hint(event, Kind::Cwd, cwd, "metadata.cwd");
                }
                match &*facts.name {
                    "turn.session_configured" => {
                        if let Some(cwd) = text("cwd") {
                            self.hint(event, Kind::Cwd, cwd, "session_configured.cwd");
                        }
                    }
                    "turn.raw_response_item" => {
                        self.item(event, payload.get("item").unwrap_or(payload));
                    }
                    "response.output_item.done" => {
                        if let Some(item) = payload.get("item") {
                            self.item(event, item);
                        }
                    }
                    "turn.exec.begin" => {
                        if let Some(cwd) = text("cwd") {
                            self.hint(event, Kind::Cwd, cwd, "exec.begin.cwd");
                        }
                    }
                    "turn.patch_apply.begin" => self.call(event, None, payload),
                    _ => {}
                }
            }
            Form::Transcript => {
                for (key, kind) in [("cwd", Kind::Cwd), ("gitBranch", Kind::Branch)] {
                    if let Some(told) = text(key) {
                        self.hint(event, kind, told, key);
                    }
                }
                if let Some(content) = payload.get("message").and_then(|m| m.get("content")) {
                    self.content(event, content);
                }
            }
            Form::Rollout => match &*facts.name {
                "session_meta" => self.thread(event, inner),
                name if name.starts_with("response_item") => self.item(event, inner),
                name if name.starts_with("turn_context") => {
                    if let Some(cwd) = text_at(inner, &["cwd"]) {
                        self.hint(event, Kind::Cwd, cwd, "turn_context.cwd");
                    }
                }
                _ => {}
            },
            Form::Request => {}
        }
    }

    /// What a rollout tells of itself.
    fn thread(&mut self, event: &Event<'_>, meta: &Value) {
        let cwd = text_at(meta, &["cwd"]);
        if let Some(cwd) = cwd {
            self.hint(event, Kind::Cwd, cwd, "session_meta.cwd");
        }
        if let Some(git) = meta.get("git").filter(|git| git.is_object()) {
            if let Some(cwd) = cwd {
                self.hint(event, Kind::Repo, cwd, "session_meta.git");
            }
            if let Some(branch) = text_at(git, &["branch"]) {
                self.hint(event, Kind::Branch, branch, "session_meta.git.branch");
            }
        }
    }

    fn hear(&mut self) {
        for item in std::mem::take(&mut self.streamed) {
            let Some(arguments) = &item.text else { continue };
            let event = Event {
                t: item.t,
                src: item.src,
                head: &item.first,
                what: &What::Row,
                arena: &[],
                left_out: None,
                extra: None,
            };
            self.call_text(&event, item.call_id.as_deref(), &arguments.to_str_lossy());
        }
    }
}

/// Arguments of tools that name paths.
const ARGUMENTS: &[(&str, Kind, &str)] = &[
    ("file_path", Kind::File, "file_path"),
    ("notebook_path", Kind::File, "notebook_path"),
    ("path", Kind::File, "path"),
    ("changes", Kind::File, "changes"),
    ("workdir", Kind::Cwd, "workdir"),
    ("cwd", Kind::Cwd, "cwd"),
];

/// Without one of these a text tells nothing of where the agent works.
const MARKS: &[&str] =
    &["orking director", "git repo", "Current branch: ", "<cwd>", "# AGENTS.md instructions for "];

/// Whether a text is an absolute path, of Unix or Windows.
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let rooted = match bytes {
        [b'/', ..] | [b'\\', b'\\', ..] => true,
        [drive, b':', b'/' | b'\\', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    };
    rooted && bytes.len() <= PATH_LEN && !path.contains(char::is_control)
}

fn is_branch(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    !name.is_empty() && name != "HEAD" && name.len() <= 256 && name.chars().all(plain)
}

impl Mode for PathsRepoHints {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let event = row.event;
        match event.what {
            What::Delta(piece) if piece.kind != StreamKind::Arguments => return,
            What::Delta(_) | What::Block(_) if event.head.provider == Some(Provider::Claude) => {
                self.deltas.feed(event, &mut self.streamed);
                self.hear();
            }
            What::Delta(_) => return,
            _ => {}
        }
        if let Some((asked, place)) = row.asked() {
            self.request(event, asked, place);
        } else if let Some(facts) = row.facts
            && !matches!(event.what, What::Delta(_))
        {
            self.whole_row(event, facts);
        }
    }

    fn advance(&mut self, t: i64, _out: &mut Vec<Record>) {
        self.deltas.advance(t, &mut self.streamed);
        self.hear();
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.deltas.finish(&mut self.streamed);
        self.hear();
        for hint in self.sessions.drain(..).flat_map(|session| session.hints) {
            let values = vec![
                hint.kind.name().into(),
                or_null(hint.path),
                hint.found_in.into(),
                hint.evidence.into(),
                or_null(hint.t_last),
            ];
            let head = Arc::clone(hint.agreed.head());
            out.push(Record { info: &INFO, t: hint.t, src: hint.src, head, values });
        }
        self.known.clear();
        self.heads = Memo::default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FILES, is_absolute, is_branch};
    use crate::given::{claude, records, request, sse, turn};

    fn told(found: &[Value]) -> Vec<(&str, &str, &str, u64)> {
        found
            .iter()
            .map(|r| {
                let of = |key: &str| r[key].as_str().unwrap_or("-");
                (of("kind"), of("path"), of("found_in"), r["evidence"].as_u64().unwrap())
            })
            .collect()
    }

    #[test]
    fn codex_sse_rows() {
        let call = json!({"type": "function_call", "call_id": "c1", "name": "shell",
            "arguments": "{\"command\":[\"ls\"],\"workdir\":\"/w/sub\"}"});
        let rows = [
            turn(0, "turn.session_configured", "0", &json!({"cwd": "/w"})),
            turn(
                1,
                "turn.raw_response_item",
                "1",
                &json!({"item": {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "<environment_context>\n<cwd>/w</cwd>\n</environment_context>"}]}}),
            ),
            sse(
                2,
                "response.output_item.done",
                "1",
                &json!({"type": "response.output_item.done", "item": call}),
            ),
            turn(3, "turn.raw_response_item", "1", &json!({"item": call})),
            turn(
                4,
                "turn.exec.begin",
                "1",
                &json!({"call_id": "c1", "cwd": "/w/sub", "command": ["ls"]}),
            ),
            turn(
                5,
                "turn.patch_apply.begin",
                "1",
                &json!({"call_id": "p", "changes": {"/w/a.rs": {"type": "add"}, "b.rs": {}}}),
            ),
        ];
        let found = records("paths_repo_hints", &rows);
        assert_eq!(
            told(&found),
            [
                ("cwd", "/w", "metadata.cwd", 8),
                ("cwd", "/w/sub", "workdir", 2),
                ("file", "/w/a.rs", "changes", 1)
            ]
        );
        assert_eq!(
            (&found[1]["t"], &found[1]["t_last"]),
            (&json!("2026-01-01T00:00:00.002Z"), &json!("2026-01-01T00:00:00.004Z"))
        );
    }

    #[test]
    fn arguments_that_claude_streams() {
        let block = |ms, what: &str, more: Value| {
            let mut payload = json!({"type": what, "index": 0, "request_id": "r"});
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claude(ms, &payload)
        };
        let part = |ms, text: &str| {
            block(
                ms,
                "content_block_delta",
                json!({"delta": {"type": "input_json_delta", "partial_json": text}}),
            )
        };
        let rows = [
            block(
                1,
                "content_block_start",
                json!({"content_block": {"type": "tool_use", "id": "t", "name": "Read"}}),
            ),
            part(2, "{\"file_"),
            part(3, "path\":\"/w/x.rs\"}"),
            block(4, "content_block_stop", json!({})),
        ];
        let found = records("paths_repo_hints", &rows);
        assert_eq!(
            told(&found),
            [("cwd", "/w", "metadata.cwd", 2), ("file", "/w/x.rs", "file_path", 1)]
        );
        assert_eq!(found[1]["sid"], "c");
    }

    #[test]
    fn what_is_new_in_requests() {
        let system = "Here is\n<env>\nWorking directory: /w\nIs directory a git repo: Yes\nPlatform: linux\n</env>\n                      gitStatus: now\nCurrent branch: topic/x\n\nMain branch (you will usually use this for PRs): main\n";
        let first = json!({"role": "user", "content": "hi"});
        let second = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Edit", "input": {"file_path": "/w/a", "path": "rel"}}]});
        let body = |messages: &[&Value]| json!({"system": [{"type": "text", "text": system}], "messages": messages});
        let rows = [
            request(1, "messages", &body(&[&first])),
            request(2, "messages", &body(&[&first, &second])),
            request(3, "messages", &body(&[&first, &second])),
        ];
        let found = records("paths_repo_hints", &rows);
        assert_eq!(
            told(&found),
            [
                ("cwd", "/w", "Working directory", 1),
                ("repo", "/w", "Is directory a git repo", 1),
                ("branch", "topic/x", "Current branch", 1),
                ("branch", "main", "Main branch", 1),
                ("file", "/w/a", "file_path", 1),
            ]
        );
    }

    #[test]
    fn transcripts_and_rollouts() {
        let row = |s: i64, branch: &str| {
            json!({"type": "user", "uuid": format!("u{s}"), "sessionId": "c", "cwd": "/home/me/x", "gitBranch": branch,
                "timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "message": {"role": "user", "content": "hi"}}).to_string()
        };
        let found = records("paths_repo_hints", &[row(1, "main"), row(2, "main"), row(3, "")]);
        assert_eq!(
            told(&found),
            [("cwd", "/home/me/x", "cwd", 3), ("branch", "main", "gitBranch", 2)]
        );
        let line = |s: i64, kind: &str, payload: Value| {
            json!({"timestamp": format!("2026-01-01T00:00:0{s}.000Z"), "type": kind, "payload": payload}).to_string()
        };
        let rows = [
            line(
                0,
                "session_meta",
                json!({"id": "019a9900-0000-7000-8000-000000000001", "cwd": "/w", "git": {"branch": "dev"}}),
            ),
            line(1, "turn_context", json!({"cwd": "/w", "model": "x"})),
            line(
                2,
                "response_item",
                json!({"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch",
                "input": "*** Begin Patch\n*** Update File: /w/a.rs\n*** Add File: b.rs\n*** End Patch"}),
            ),
        ];
        let found = records("paths_repo_hints", &rows);
        assert_eq!(
            told(&found),
            [
                ("cwd", "/w", "session_meta.cwd", 2),
                ("repo", "/w", "session_meta.git", 1),
                ("branch", "dev", "session_meta.git.branch", 1),
                ("file", "/w/a.rs", "patch", 1),
            ]
        );
    }

    #[test]
    fn files_beyond_the_limit_are_only_counted() {
        let rows: Vec<String> = (0..FILES + 10)
            .map(|i| {
                turn(
                    i as i64,
                    "turn.patch_apply.begin",
                    "1",
                    &json!({"changes": {format!("/w/f{i}"): {}}}),
                )
            })
            .collect();
        let found = records("paths_repo_hints", &rows);
        assert_eq!(found.len(), FILES + 2);
        let rest = found.iter().find(|r| r["found_in"] == "more").unwrap();
        assert_eq!(
            (&rest["kind"], &rest["path"], &rest["evidence"]),
            (&json!("file"), &Value::Null, &json!(10))
        );
    }

    #[test]
    fn paths_and_branches() {
        for (path, absolute) in [
            ("/w", true),
            ("C:\\x", true),
            ("c:/x", true),
            ("\\\\server\\x", true),
            ("w", false),
            ("./w", false),
            ("~/w", false),
            ("", false),
            ("/a\nb", false),
            ("1:/x", false),
        ] {
            assert_eq!(is_absolute(path), absolute, "{path}");
        }
        assert!(
            is_branch("feature/x-1") && !is_branch("") && !is_branch("HEAD") && !is_branch("a b")
        );
    }
}

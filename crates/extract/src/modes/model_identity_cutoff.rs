//! `model_identity_cutoff`: which model a session was told to be, asked for, and was given.
//!
//! What is seen is a call with its answer, an answer whose request was not captured, a message of a
//! transcript, or a `turn_context` of a rollout; what is seen again in a session with the same
//! `claimed`, `requested` and `served` is told once.
//!
//! * `requested` is the `model` of the request; without one that of the last `session_configured` of
//!   the session, or of the `turn_context`. `served` is the model of the answer ([`super::linkage`]),
//!   or of the transcript's message (`<synthetic>` is none). Where requests of a session were linked,
//!   its transcript adds nothing.
//! * The claim is the first in the texts by which the request instructs the model, in the
//!   `instructions` that a response echoes, or in those of `session_meta` (it holds for the turns that
//!   follow). `claimed` is what stands in "You are powered by the model named X" or "…the model X",
//!   else in "You are …, based on X" or "You are X" where X begins with `GPT-`, `Codex` or `Claude` (not
//!   `Claude Code`). `claimed_id` is what stands behind "model ID is", or the X of "the model X" that is
//!   spelled like an id. `cutoff` is what stands behind "knowledge cutoff is", "…cutoff:" or "…cutoff date:".
//! * `found_in` is the role of the text (`system`, `developer`, `instructions`) or the name of the row
//!   (`session_meta`, `response.created`), `text` the sentence with the claim, else that with the cutoff.
//! * `mismatch` compares `claimed_id`, `requested` and `served`, as far as known: an alias is the same
//!   as the dated id that it stands for. It is null where fewer than two are known.

use std::collections::HashMap;
use std::sync::Arc;

use agentlog::event::{Event, Head, Src, What};
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::instructions::{of_request, of_row};
use super::linkage::{Heard, Links, same_model};
use super::prints::print;
use crate::tools::{Tallies, Tally, or_null, text_at};
use crate::{Asked, Facts, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "model_identity_cutoff",
    about: "which model a session was told to be, asked for, and was given",
    sources: "captured requests, SSE logs, transcripts, rollouts",
    own: OWN,
    key: &["sid", "claimed", "requested", "served"],
    table: &["t", "provider", "sid", "claimed", "requested", "served", "cutoff", "mismatch"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<ModelIdentityCutoff>::default(),
};

const OWN: &[Field] = &[
    field("claimed", Shape::Text, "the model that the system prompt names"),
    field("claimed_id", Shape::Text, "the exact id that it names"),
    field("cutoff", Shape::Text, "the knowledge cutoff that it names"),
    field("requested", Shape::Text, "the model that was asked for"),
    field("served", Shape::Text, "the model that answered"),
    field("mismatch", Shape::Bool, "whether two of the ids that are known differ"),
    field("found_in", Shape::Text, "where the claim was found"),
    field("text", Shape::Text, "the sentence that claims it"),
    field("uses", Shape::Count, "how often this was seen"),
    field("t_last", Shape::Time, "when it was seen last"),
];

#[derive(Default)]
struct ModelIdentityCutoff {
    known: Tallies<u64, Identity>,
    links: Links<Box<Waiting>>,
    sessions: HashMap<Option<String>, Session, FixedState>,
    /// What texts claim, by their prints: requests repeat their texts.
    claims: HashMap<u64, Option<Claim>, FixedState>,
}

/// A request that waits for its answer.
struct Waiting {
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
    claim: Option<Claim>,
    requested: Option<String>,
}

/// What is known of a session.
#[derive(Default)]
struct Session {
    /// What its first row claims.
    claim: Option<Claim>,
    /// The model that it was configured with.
    configured: Option<String>,
    /// The last message of its transcript: a message has several rows.
    message: Option<String>,
    linked: bool,
}

/// What is seen.
struct Identity {
    claim: Claim,
    requested: Option<String>,
    served: Option<String>,
}

/// How many texts are remembered.
const TEXTS: usize = 1024;

impl Mode for ModelIdentityCutoff {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        if let Some(t) = row.event.t {
            self.links.advance(t);
            self.settle();
        }
        match (row.asked(), row.facts) {
            (Some((asked, _)), _) => self.request(row, asked),
            (None, Some(facts)) => self.row(row, facts),
            (None, None) => self.message(row),
        }
        self.settle();
    }

    fn advance(&mut self, t: i64, _out: &mut Vec<Record>) {
        self.links.advance(t);
        self.settle();
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.links.finish();
        self.settle();
        self.known.records(&INFO, values, out);
    }
}

impl ModelIdentityCutoff {
    fn request(&mut self, row: &Row<'_>, asked: &Asked) {
        if !asked.is_call() || asked.is_aside() || row.event.left_out.is_some() {
            return;
        }
        let texts = of_request(asked);
        let claim = texts.iter().find_map(|told| self.claim_in(told.role, told.text));
        let requested = text_at(&asked.body, &["model"]).map(String::from);
        let Event { t, src, head, .. } = *row.event;
        let waiting = Waiting { t, src, head: Arc::clone(head), claim, requested };
        self.links.ask(row.event, asked, Box::new(waiting));
    }

    fn row(&mut self, row: &Row<'_>, facts: &Facts) {
        let event = row.event;
        match &*facts.name {
            "claude.message_start" | "response.created" => match self.links.hear(row) {
                Heard::Linked => self.session(event).linked = true,
                // A session with a log of its own tells its models there.
                Heard::Unasked(answer) if event.left_out.is_none() => {
                    let echoed = text_at(&facts.payload, &["response", "instructions"]);
                    let claim = echoed.and_then(|text| self.claim_in("response.created", text));
                    let requested = self.session(event).configured.clone();
                    self.see(event, claim, requested, answer.model);
                }
                _ => {}
            },
            _ if event.left_out.is_some() => {}
            "turn.session_configured" => {
                let model = text_at(&facts.payload, &["model"]).map(String::from);
                self.session(event).configured = model;
            }
            "session_meta" => {
                let texts = of_row(facts);
                let claim = texts.iter().find_map(|told| self.claim_in("session_meta", told.text));
                self.session(event).claim = claim;
            }
            "turn_context" => {
                let payload = facts.payload.get("payload").unwrap_or(&Value::Null);
                let requested = text_at(payload, &["model"]).map(String::from);
                let session = self.session(event);
                if !session.linked {
                    let claim = session.claim.clone();
                    self.see(event, claim, requested, None);
                }
            }
            _ => {}
        }
    }

    /// A message of a transcript.
    fn message(&mut self, row: &Row<'_>) {
        let (What::Message(message), event) = (row.event.what, row.event) else { return };
        let model = event.head.model.as_deref().filter(|model| *model != "<synthetic>");
        let Some(model) = model.filter(|_| event.left_out.is_none()) else { return };
        let id = message.id.map(|id| event.name(id).to_owned());
        let session = self.session(event);
        let again = id.is_some() && session.message == id;
        session.message = id;
        if !again && !session.linked {
            self.see(event, None, None, Some(model.to_owned()));
        }
    }

    fn settle(&mut self) {
        for (asked, answer) in self.links.settled() {
            let Waiting { t, src, head, claim, requested } = *asked;
            let (what, arena) = (&What::Row, &[]);
            let event = Event { t, src, head: &head, what, arena, left_out: None, extra: None };
            self.see(&event, claim, requested, answer.and_then(|answer| answer.model));
        }
    }

    fn see(
        &mut self,
        event: &Event<'_>,
        claim: Option<Claim>,
        requested: Option<String>,
        served: Option<String>,
    ) {
        let claim = claim.unwrap_or_default();
        if claim == Claim::default() && requested.is_none() && served.is_none() {
            return;
        }
        let key = print(event.head.sid.as_deref(), (&claim.name, &requested, &served));
        self.known.told(key, event, || Identity { claim, requested, served });
    }

    fn session(&mut self, event: &Event<'_>) -> &mut Session {
        self.sessions.entry(event.head.sid.clone()).or_default()
    }

    fn claim_in(&mut self, found_in: &'static str, text: &str) -> Option<Claim> {
        let key = print(None, (found_in, text));
        if self.claims.len() >= TEXTS && !self.claims.contains_key(&key) {
            self.claims.clear();
        }
        self.claims.entry(key).or_insert_with(|| Claim::find(found_in, text)).clone()
    }
}

fn values(known: &Tally<Identity>) -> Vec<Value> {
    let Identity { claim, requested, served } = &known.what;
    let text = |text: &Option<String>| or_null(text.as_deref());
    let ids: Vec<&str> =
        [&claim.id, requested, served].into_iter().flatten().map(|id| &**id).collect();
    let differ =
        ids.iter().enumerate().any(|(i, a)| ids[i + 1..].iter().any(|b| !same_model(a, b)));
    vec![
        text(&claim.name),
        text(&claim.id),
        text(&claim.cutoff),
        text(requested),
        text(served),
        or_null((ids.len() > 1).then_some(differ)),
        or_null(claim.found_in),
        text(&claim.text),
        known.uses.into(),
        or_null(known.t_last),
    ]
}

/// What a text claims of the model that it instructs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Claim {
    name: Option<String>,
    id: Option<String>,
    cutoff: Option<String>,
    found_in: Option<&'static str>,
    text: Option<String>,
}

impl Claim {
    fn find(found_in: &'static str, text: &str) -> Option<Self> {
        let named = named(text);
        let id = behind(text, "model ID is ").map(|at| word(&text[at..]));
        let id = id.filter(|id| !id.is_empty()).or_else(|| {
            let id = named.as_ref().map(|(_, name)| *name)?;
            (!id.contains(' ') && id.starts_with(|c: char| c.is_ascii_lowercase())).then_some(id)
        });
        let cutoff = cutoff(text);
        let at = named.map(|(at, _)| at).or_else(|| cutoff.map(|(at, _)| at));
        let at = at.or_else(|| behind(text, "model ID is "))?;
        Some(Self {
            name: named.map(|(_, name)| name.to_owned()),
            id: id.map(String::from),
            cutoff: cutoff.map(|(_, date)| date.to_owned()),
            found_in: Some(found_in),
            text: Some(sentence(text, at).to_owned()),
        })
    }
}

/// The model that a text names, and where.
fn named(text: &str) -> Option<(usize, &str)> {
    for start in ["powered by the model named ", "powered by the model "] {
        if let Some(at) = behind(text, start) {
            let name = sentence_from(&text[at..]);
            return (!name.is_empty()).then_some((at, name));
        }
    }
    text.match_indices("You are ").find_map(|(at, start)| {
        let rest = sentence_from(&text[at + start.len()..]);
        let name = match rest.find("based on ") {
            Some(based) => model_name(&rest[based + "based on ".len()..]),
            None => None,
        };
        Some((at, name.or_else(|| model_name(rest))?))
    })
}

/// The name of a model that a text begins with: words up to the first that cannot be a part of it.
fn model_name(text: &str) -> Option<&str> {
    let known = ["GPT-", "gpt-", "Codex", "Claude"].iter().any(|start| text.starts_with(start));
    if !known || text.starts_with("Claude Code") {
        return None;
    }
    let mut end = 0;
    for (i, part) in text.split_inclusive([' ', '\n']).enumerate() {
        let name = part.trim_end();
        let bare = name.trim_end_matches([',', '.', ';', ':', '!']);
        let is_part = i == 0
            || bare.starts_with(|c: char| c.is_ascii_digit())
            || matches!(bare, "Opus" | "Sonnet" | "Haiku" | "Codex" | "Max" | "Mini");
        if !is_part {
            break;
        }
        let from = part.as_ptr() as usize - text.as_ptr() as usize;
        end = from + bare.len();
        if bare.len() < part.trim_end().len() {
            break;
        }
    }
    Some(&text[..end]).filter(|name| !name.is_empty())
}

/// The cutoff that a text names, and where.
fn cutoff(text: &str) -> Option<(usize, &str)> {
    let starts = ["knowledge cutoff", "Knowledge cutoff"];
    let at = starts.into_iter().filter_map(|start| behind(text, start)).min()?;
    let rest = text[at..].strip_prefix(" date").unwrap_or(&text[at..]);
    let rest = rest.strip_prefix(" is").or_else(|| rest.strip_prefix(':'))?;
    let date = sentence_from(rest).trim();
    (!date.is_empty() && date.len() <= 40).then_some((at, date))
}

/// Where a text goes on behind the first occurrence of a part of it.
fn behind(text: &str, part: &str) -> Option<usize> {
    Some(text.find(part)? + part.len())
}

/// The first word, without the end of its sentence.
fn word(text: &str) -> &str {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ',', ';', ')'])
}

/// A text up to the end of its sentence or line: a full stop inside a number ends none.
fn sentence_from(text: &str) -> &str {
    let line = text.split('\n').next().unwrap_or_default();
    let end = line.find(". ").or_else(|| line.strip_suffix('.').map(str::len));
    line[..end.unwrap_or(line.len())].trim_end()
}

/// The sentence around a place, with its full stop.
fn sentence(text: &str, at: usize) -> &str {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |i| i + 1);
    let start = before[line..].rfind(". ").map_or(line, |i| line + i + 2);
    let end = at + sentence_from(&text[at..]).len();
    let end = if text[end..].starts_with('.') { end + 1 } else { end };
    text[start..end].trim_start_matches([' ', '-', '*', '\t']).trim_end()
}

#[cfg(test)]
mod tests {
    use super::Claim;
    use crate::given::{claude, records, request, sse, turn};
    use serde_json::{Value, json};

    fn claim(text: &str) -> Value {
        let claim = Claim::find("system", text).unwrap_or_default();
        json!([claim.name, claim.id, claim.cutoff, claim.text])
    }

    #[test]
    fn what_prompts_claim() {
        for (text, expected) in [
            (
                "# Env\n - You are powered by the model named Sonnet 4.5. The exact model ID is claude-sonnet-4-5-20250929.\n\nAssistant knowledge cutoff is January 2025.\n",
                json!([
                    "Sonnet 4.5",
                    "claude-sonnet-4-5-20250929",
                    "January 2025",
                    "You are powered by the model named Sonnet 4.5."
                ]),
            ),
            (
                "x. You are powered by the model claude-x.",
                json!(["claude-x", "claude-x", null, "You are powered by the model claude-x."]),
            ),
            (
                "You are Codex, based on GPT-5. You are running",
                json!(["GPT-5", null, null, "You are Codex, based on GPT-5."]),
            ),
            (
                "You are GPT-5.1 running in the Codex CLI, a",
                json!(["GPT-5.1", null, null, "You are GPT-5.1 running in the Codex CLI, a"]),
            ),
            (
                "You are Codex, a coding agent based on GPT-5. You",
                json!(["GPT-5", null, null, "You are Codex, a coding agent based on GPT-5."]),
            ),
            ("You are Codex.", json!(["Codex", null, null, "You are Codex."])),
            (
                "You are Claude Opus 4.1, made by",
                json!(["Claude Opus 4.1", null, null, "You are Claude Opus 4.1, made by"]),
            ),
            (
                "You are ChatGPT\nKnowledge cutoff: 2024-10\nCurrent",
                json!([null, null, "2024-10", "Knowledge cutoff: 2024-10"]),
            ),
            (
                "You are Claude Code, Anthropic's official CLI for Claude.",
                json!([null, null, null, null]),
            ),
            ("knowledge cutoff", json!([null, null, null, null])),
            ("powered by the model ", json!([null, null, null, null])),
        ] {
            assert_eq!(claim(text), expected, "{text}");
        }
    }

    fn ask(ms: i64, model: &str) -> String {
        let system =
            "You are powered by the model named X 1. The exact model ID is claude-x-1-20250101.";
        request(
            ms,
            "messages",
            &json!({"model": model, "system": [{"text": system}], "messages": [{"content": ms}]}),
        )
    }

    fn start(ms: i64, model: &str) -> String {
        claude(
            ms,
            &json!({"type": "message_start", "request_id": format!("req_{ms}"), "message": {"id": "m", "model": model}}),
        )
    }

    #[test]
    fn claimed_requested_and_served() {
        let rows = [
            ask(0, "claude-x-1"),
            start(5, "claude-x-1-20250101"),
            ask(10, "claude-x-1"),
            start(15, "claude-x-1-20250101"),
            ask(20, "claude-y"),
            start(70_000, "claude-z"),
        ];
        let found = records("model_identity_cutoff", &rows);
        assert_eq!(found.len(), 3);
        let expected = json!({
            "t": "2026-01-01T00:00:00.000Z", "provider": "claude", "sid": "c", "pid": 1, "model": "claude-x-1",
            "claimed": "X 1", "claimed_id": "claude-x-1-20250101", "cutoff": null, "requested": "claude-x-1",
            "served": "claude-x-1-20250101", "mismatch": false, "found_in": "system",
            "text": "You are powered by the model named X 1.", "uses": 2,
            "t_last": "2026-01-01T00:00:00.010Z", "line": 1,
        });
        assert_eq!(found[0], expected);
        let shown = |i: usize| {
            json!([
                found[i]["claimed"],
                found[i]["requested"],
                found[i]["served"],
                found[i]["mismatch"]
            ])
        };
        assert_eq!(shown(1), json!(["X 1", "claude-y", null, true]));
        assert_eq!(shown(2), json!([null, null, "claude-z", null]));
    }

    #[test]
    fn codex_logs_without_requests() {
        let created = json!({"type": "response.created", "response": {"id": "r", "model": "gpt-y", "instructions": "You are Codex, based on GPT-5."}});
        let rows = [
            turn(0, "turn.session_configured", "1", &json!({"model": "gpt-x"})),
            sse(5, "response.created", "1", &created),
        ];
        let found = records("model_identity_cutoff", &rows);
        assert_eq!(found.len(), 1);
        let r = &found[0];
        assert_eq!(
            json!([r["claimed"], r["requested"], r["served"], r["mismatch"], r["found_in"]]),
            json!(["GPT-5", "gpt-x", "gpt-y", true, "response.created"])
        );
    }

    #[test]
    fn rollouts_and_transcripts() {
        let t = "2026-01-01T00:00:00.000Z";
        let rollout = |kind: &str, payload: Value| {
            json!({"timestamp": t, "type": kind, "payload": payload}).to_string()
        };
        let message = |id: &str, model: &str| {
            json!({"timestamp": t, "type": "assistant", "uuid": "u", "sessionId": "t", "message": {"id": id, "role": "assistant", "model": model, "content": [{"type": "text", "text": "x"}]}}).to_string()
        };
        let rows = [
            rollout(
                "session_meta",
                json!({"id": "s", "base_instructions": {"text": "You are GPT-5."}}),
            ),
            rollout("turn_context", json!({"model": "gpt-x"})),
            message("m1", "claude-x"),
            message("m1", "claude-x"),
            message("m2", "claude-x"),
            message("m3", "<synthetic>"),
        ];
        let found = records("model_identity_cutoff", &rows);
        let shown: Vec<_> = found
            .iter()
            .map(|r| json!([r["claimed"], r["requested"], r["served"], r["uses"]]))
            .collect();
        assert_eq!(shown, [json!(["GPT-5", "gpt-x", null, 1]), json!([null, null, "claude-x", 2])]);
    }
}

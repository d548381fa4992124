//! Which answer a captured request got.
//!
//! An answer begins with `claude.message_start` or `response.created`. It is that of the latest
//! request of its session that was sent before it, at most 60 s before, that has no answer yet, and
//! whose model is the same where both are known ([`same_model`]). Since rows come in order of time,
//! this pairs the smallest gaps first, one to one.
//!
//! * A request that is no call never has an answer: token counts, other hosts, titles
//!   ([`crate::Asked::is_aside`]). Neither has one without a session or time.
//! * An answer that is told twice (2.0.47 wrote each `message_start` so) counts once.
//! * A request that says the same as one that still waits is a retry: the earlier one gets no
//!   answer any more.
//! * A request waits for 60 s of log time, and at most 256 of a session wait: the oldest give up.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use agentlog::event::{Event, Provider, Usage, What};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::prints::print;
use crate::tools::text_at;
use crate::{Asked, Row};

/// How long a request waits for its answer, in milliseconds of log time.
const LIMIT_MS: i64 = 60_000;

/// How many requests of a session may wait.
const WAITING: usize = 256;

/// How an answer began.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// When, in milliseconds since the epoch.
    pub t: i64,
    /// Milliseconds since its request; 0 if no request is known.
    pub gap_ms: i64,
    /// Its flow.
    pub flow: Option<String>,
    /// Its id: of a message, or of a response.
    pub response_id: Option<String>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// Which agent wrote it down: they count tokens in different ways.
    pub provider: Option<Provider>,
    /// The model that answers.
    pub model: Option<String>,
    /// What it used up, as far as its beginning tells.
    pub usage: Option<Usage>,
}

/// What a row is to requests that wait.
#[derive(Debug)]
pub(super) enum Heard {
    /// Not the beginning of an answer, or one that was told before.
    Nothing,
    /// The answer of a request, which is settled now.
    Linked,
    /// The answer of no request that is known.
    Unasked(Answer),
}

/// Requests that wait for their answers; `T` is what is to be done then.
pub(super) struct Links<T> {
    /// In the order in which they were sent.
    waiting: BTreeMap<u64, Waiting<T>>,
    sessions: HashMap<String, VecDeque<u64>, FixedState>,
    next: u64,
    /// Answers of the last minute, by their prints.
    answered: HashSet<u64, FixedState>,
    answers: VecDeque<(i64, u64)>,
    settled: Vec<(T, Option<Answer>)>,
}

struct Waiting<T> {
    sid: String,
    t: i64,
    model: Option<String>,
    /// What names all that it says.
    said: u64,
    what: T,
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            sessions: HashMap::default(),
            next: 0,
            answered: HashSet::default(),
            answers: VecDeque::new(),
            settled: Vec::new(),
        }
    }
}

impl<T> Links<T> {
    /// A request was sent.
    pub fn ask(&mut self, event: &Event<'_>, asked: &Asked, what: T) {
        let is_part = asked.is_call() && !asked.is_aside();
        let (Some(t), Some(sid)) = (event.t, event.head.sid.as_ref().filter(|_| is_part)) else {
            return self.settled.push((what, None));
        };
        self.advance(t);
        let model = text_at(&asked.body, &["model"]).map(String::from);
        let words = FixedState::with_seed(1).hash_one((
            asked.kind,
            &model,
            asked.items.iter().map(|item| item.hash).collect::<Vec<_>>(),
        ));
        let list = self.sessions.entry(sid.clone()).or_default();
        let repeats = list.back().filter(|last| {
            let before = self.waiting.get(last).map(|before| before.said);
            !asked.items.is_empty() && before == Some(words)
        });
        let gives_up = match repeats {
            Some(_) => list.pop_back(),
            None if list.len() >= WAITING => list.pop_front(),
            None => None,
        };
        list.push_back(self.next);
        let old = gives_up.and_then(|seq| self.waiting.remove(&seq));
        self.settled.extend(old.map(|old| (old.what, None)));
        self.waiting.insert(self.next, Waiting { sid: sid.clone(), t, model, said: words, what });
        self.next += 1;
    }

    /// Takes a row that is no request.
    pub fn hear(&mut self, row: &Row<'_>) -> Heard {
        if let Some(t) = row.event.t {
            self.advance(t);
        }
        let Some(mut answer) = answer_of(row) else { return Heard::Nothing };
        let sid = row.event.head.sid.as_deref();
        if let Some(id) = answer.request_id.as_ref().or(answer.response_id.as_ref()) {
            let print = print(sid, id);
            if !self.answered.insert(print) {
                return Heard::Nothing;
            }
            self.answers.push_back((answer.t, print));
        }
        let Some(asked) = self.asked_for(sid, &answer) else { return Heard::Unasked(answer) };
        answer.gap_ms = answer.t - asked.t;
        self.settled.push((asked.what, Some(answer)));
        Heard::Linked
    }

    /// Log time has come to `t`: what waits for longer than it may gives up.
    pub fn advance(&mut self, t: i64) {
        let over = |since: i64| since.saturating_add(LIMIT_MS) < t;
        while let Some(first) = self.waiting.first_entry().filter(|first| over(first.get().t)) {
            let (seq, asked) = first.remove_entry();
            self.forget(&asked.sid, seq);
            self.settled.push((asked.what, None));
        }
        while let Some((_, print)) = self.answers.front().filter(|(since, _)| over(*since)) {
            self.answered.remove(print);
            self.answers.pop_front();
        }
    }

    /// The input is over: what waits waits in vain.
    pub fn finish(&mut self) {
        self.sessions.clear();
        let left = std::mem::take(&mut self.waiting);
        self.settled.extend(left.into_values().map(|asked| (asked.what, None)));
    }

    /// Requests of which it is known now what answer they got, if any.
    pub fn settled(&mut self) -> Vec<(T, Option<Answer>)> {
        std::mem::take(&mut self.settled)
    }

    /// The latest request of the session that may have got this answer.
    fn asked_for(&mut self, sid: Option<&str>, answer: &Answer) -> Option<Waiting<T>> {
        let sid = sid?;
        let fits = |seq: &u64| {
            let asked = self.waiting.get(seq)?;
            let gap = answer.t - asked.t;
            let models = asked.model.as_deref().zip(answer.model.as_deref());
            let is_same = models.is_none_or(|(asked, served)| same_model(asked, served));
            (gap > 0 && gap <= LIMIT_MS && is_same).then_some((asked.t, *seq))
        };
        let (_, seq) = self.sessions.get(sid)?.iter().filter_map(fits).max()?;
        self.forget(sid, seq);
        self.waiting.remove(&seq)
    }

    fn forget(&mut self, sid: &str, seq: u64) {
        let Some(list) = self.sessions.get_mut(sid) else { return };
        list.retain(|known| *known != seq);
        if list.is_empty() {
            self.sessions.remove(sid);
        }
    }
}

/// The answer that begins in a row.
fn answer_of(row: &Row<'_>) -> Option<Answer> {
    let facts = row.facts?;
    let inside = match &*facts.name {
        "claude.message_start" => "message",
        "response.created" => "response",
        _ => return None,
    };
    let head = row.event.head;
    let text = |path: &[&str]| text_at(&facts.payload, path).map(String::from);
    let usage = match row.event.what {
        What::Response(response) => response.usage,
        _ => None,
    };
    Some(Answer {
        t: row.event.t?,
        gap_ms: 0,
        provider: head.provider,
        flow: head.flow_id.clone(),
        response_id: text(&[inside, "id"]),
        request_id: text(&["request_id"]),
        model: text(&[inside, "model"]).or_else(|| head.model.clone()),
        usage,
    })
}

/// Whether two ids name one model: an alias (`claude-x-1`, `claude-x-1-latest`) stands for the
/// dated id (`claude-x-1-20250101`, `gpt-x-2025-01-01`), and the note of a long context (`[1m]`) is
/// no part of an id.
pub(super) fn same_model(a: &str, b: &str) -> bool {
    let ((a, a_date), (b, b_date)) = (dated(a), dated(b));
    a.eq_ignore_ascii_case(b) && (a_date.is_empty() || b_date.is_empty() || a_date == b_date)
}

/// A model's id without its date, and the date.
fn dated(id: &str) -> (&str, &str) {
    let id = id.strip_suffix("[1m]").unwrap_or(id);
    let id = id.strip_suffix("-latest").unwrap_or(id);
    for len in [8, 10] {
        let Some(at) = id.len().checked_sub(len + 1) else { continue };
        let Some((name, date)) = id.split_at_checked(at) else { continue };
        let digits = date.bytes().filter(u8::is_ascii_digit).count();
        let dashes = date.bytes().filter(|b| *b == b'-').count();
        if date.starts_with('-') && digits == 8 && dashes == len - 7 {
            return (name, &date[1..]);
        }
    }
    (id, "")
}

/// The place of an answer among the values of a record, in their usual order: flow, response,
/// request id.
pub(super) fn names_of(answer: Option<&Answer>) -> [Value; 3] {
    let text = |value: Option<&String>| value.map_or(Value::Null, |text| text.as_str().into());
    let of = |get: fn(&Answer) -> Option<&String>| text(answer.and_then(get));
    [of(|a| a.flow.as_ref()), of(|a| a.response_id.as_ref()), of(|a| a.request_id.as_ref())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{claude, records, request, sse};
    use serde_json::json;

    #[test]
    fn no_request_is_too_odd() {
        let odd = [
            json!(null),
            json!([]),
            json!("x"),
            json!({"messages": "x", "system": 1, "tools": {}, "model": 5, "max_tokens": -1}),
            json!({"messages": [null, 1, "é", [], {"role": 1, "content": [null, 1, {"type": "tool_use"}, {"type": "tool_result", "content": [1]}]}]}),
            json!({"input": [{"type": "function_call"}, {"type": "x_output", "output": {}}, {"tool_calls": [{}, 1]}], "tools": [null, {}, {"function": 1}]}),
            json!({"input": {}, "instructions": [[], "<", "<é", "</env>", "<env", "# AGENTS.md instructions for "]}),
        ];
        let mut rows = Vec::new();
        for (i, body) in odd.iter().enumerate() {
            let ms = 10 * i as i64;
            rows.push(request(ms, "messages", body));
            rows.push(claude(ms + 1, &json!({"type": "message_start", "message": body})));
            rows.push(request(ms + 2, "responses", body));
            rows.push(sse(ms + 3, "response.created", "1", &json!({"response": body})));
            rows.push(json!({"timestamp": "2026-01-01T00:00:00Z", "type": "turn_context", "payload": body}).to_string());
            rows.push(json!({"timestamp": "2026-01-01T00:00:00Z", "type": "user", "uuid": "u", "sessionId": "s", "message": body}).to_string());
        }
        let modes = [
            "config",
            "call_index",
            "system_prompts",
            "tools_defined",
            "headers",
            "conversation_growth",
            "call_linkage",
            "model_identity_cutoff",
            "reminders_policies",
        ];
        for mode in modes {
            records(mode, &rows);
        }
        assert_eq!(records("call_index", &rows).len(), 2 * odd.len());
    }

    #[test]
    fn only_so_many_requests_wait() {
        let ask =
            |i: i64| request(i, "messages", &json!({"model": "m", "messages": [{"content": i}]}));
        let mut rows: Vec<_> = (0..300).map(ask).collect();
        rows.push(claude(
            400,
            &json!({"type": "message_start", "message": {"id": "a", "model": "m"}}),
        ));
        let found = records("call_index", &rows);
        assert_eq!(found.len(), 300);
        let linked: Vec<_> = found.iter().filter(|r| !r["linked_t"].is_null()).collect();
        assert_eq!((linked.len(), &linked[0]["line"]), (1, &json!(300)));
    }

    #[test]
    fn an_alias_stands_for_a_dated_id() {
        for (a, b, same) in [
            ("claude-x-4-5", "claude-x-4-5-20250929", true),
            ("claude-x-4-5-latest", "claude-x-4-5-20250929", true),
            ("claude-x-4-5[1m]", "claude-x-4-5", true),
            ("gpt-x", "gpt-x-2025-08-07", true),
            ("claude-x-20240620", "claude-x-20241022", false),
            ("claude-x-4", "claude-x-4-5", false),
            ("gpt-x", "gpt-x-codex", false),
            ("", "é", false),
            ("20250929", "-20250929", false),
        ] {
            assert_eq!(same_model(a, b), same, "{a} {b}");
        }
    }
}

//! Rows for the tests of modes: texts of logs are read as the command reads them.

use std::sync::Arc;

use agentlog::capture::Request;
use agentlog::event::{Event, Extra, Head, Src, What};
use agentlog::fold::Fold;
use agentlog::native::{self, Dialect, Thread, Wants};
use agentlog::sse::{self, Envelope, Scratch};
use agentlog::time::Stamp;
use serde_json::{Map, Value, json};

use crate::{Extraction, Facts, MODES, Options, Record};

/// A row, in what it tells.
struct Given {
    t: Option<i64>,
    head: Arc<Head>,
    what: What,
    arena: Vec<u8>,
    src: Src,
    extra: Option<Arc<Extra>>,
}

/// What a mode makes of rows, each the line of a log or a captured request, as
/// [`sse`], [`turn`], [`claude`] and [`request`] write them, or as they stand in a log: its
/// records as JSON, `t` first, then what is known of the head, then its own keys. Times are UTC.
pub(crate) fn records(mode: &str, rows: &[String]) -> Vec<Value> {
    let info = MODES.into_iter().find(|info| info.name == mode).unwrap();
    let options = Options {
        wanted: Arc::new(|_, _, _: Option<&_>, _: Option<&_>| true),
        offset_at: Arc::new(|_| 0),
        redact: None,
    };
    let mut extraction = Extraction::new(&[info], &options);
    let mut out = Vec::new();
    let mut thread = Thread::default();
    let mut given: Vec<Given> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let src =
            Src { file: 0, offset: 1000 * i as u64, line: i as u64 + 1, len: row.len() as u64 };
        given.extend(read(row, src, &mut thread));
    }
    given.sort_by_key(|given| given.t);
    for given in &given {
        let Given { t, head, what, arena, src, extra } = given;
        let event =
            Event { t: *t, src: *src, head, what, arena, left_out: None, extra: extra.as_deref() };
        extraction.feed(&event, &mut out);
    }
    extraction.finish(&mut out);
    out.iter().map(shown).collect()
}

fn shown(record: &Record) -> Value {
    let mut text = b"{\"_\":0".to_vec();
    record.body_into(None, &mut text);
    text.push(b'}');
    let mut shown: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    shown.remove("_");
    for key in ["provider", "sid", "pid", "turn_id", "round", "flow_id", "cwd", "ver", "model"] {
        if shown.get(key) == Some(&Value::Null) {
            shown.remove(key);
        }
    }
    shown.insert("line".into(), record.src.line.into());
    Value::Object(shown)
}

fn utc(clock: Option<Stamp>) -> Option<i64> {
    clock.map(|stamp| match stamp {
        Stamp::Utc(ms) | Stamp::Local(ms) => ms,
    })
}

fn read(row: &str, src: Src, thread: &mut Thread) -> Vec<Given> {
    let value: Value = serde_json::from_str(row).unwrap();
    if value.get("url").is_some() && value.get("method").is_some() {
        return vec![read_request(&value, src)];
    }
    let has = |key: &str| value.get(key).is_some();
    if has("line") || has("flow_id") {
        let mut scratch = Scratch::default();
        let row = sse::Row::open(Envelope::parse(row.as_bytes()).unwrap(), &mut scratch).unwrap();
        let mut arena = Vec::new();
        let what = sse::what_of(&row, &mut arena).unwrap_or(What::Row);
        let t = utc(row.envelope.t.and_then(|t| Stamp::parse(&t.str()?)));
        let (head, extra) = (Arc::new(row.head()), Some(Facts::of_sse(&row)));
        return vec![Given { t, head, what, arena, src, extra }];
    }
    let text = row;
    let row = native::Row::parse(row.as_bytes()).unwrap();
    let t = utc(value.get("timestamp").and_then(|t| Stamp::parse(t.as_str()?)));
    let wants = Wants { prompts: true, turns: true, usage: true, calls: true };
    let (mut arena, mut told) = (Vec::new(), Vec::new());
    row.decode(wants, &mut arena, &mut |what, _| told.push(what));
    told.push(What::Row);
    let last = told.len() - 1;
    let rows = told.into_iter().enumerate().map(|(i, what)| {
        let head = if row.dialect == Dialect::Rollout {
            thread.row(t, &what);
            Arc::clone(thread.head())
        } else {
            Arc::new(row.head())
        };
        let extra = (i == last).then(|| Facts::of_native(&row, text.as_bytes()));
        Given { t, head, what, arena: arena.clone(), src, extra }
    });
    rows.collect()
}

fn read_request(value: &Value, src: Src) -> Given {
    let text = value.to_string();
    let request = Request::parse(text.as_bytes()).unwrap();
    Given {
        t: utc(Stamp::parse(value["t"].as_str().unwrap())),
        head: Arc::new(request.head()),
        what: What::Row,
        arena: Vec::new(),
        src,
        extra: Some(Facts::of_request(&request)),
    }
}

/// A row of an SSE log of Codex session `s`, process 1, turn `turn`, so many milliseconds after
/// midnight of 2026-01-01; `payload` is the inner JSON.
pub(crate) fn sse(ms: i64, event: &str, turn: &str, payload: &Value) -> String {
    let mut t = Vec::new();
    agentlog::time::write_utc(1_767_225_600_000 + ms, &mut t);
    let t = String::from_utf8(t).unwrap();
    let meta = json!({"turn_id": turn, "ver": "codex.0.60.1", "pid": 1, "cwd": "/w"});
    json!({"event": event, "t": t.trim_end_matches('Z'), "line": format!("data: {payload}"), "metadata": meta.to_string(), "flow_id": format!("s__turn_{turn}"), "data_count": 0, "sid": "s"}).to_string()
}

/// A row of a `turn.*` event of Codex: its payload is wrapped.
pub(crate) fn turn(ms: i64, event: &str, turn: &str, payload: &Value) -> String {
    sse(ms, event, turn, &json!({"type": event, "payload": payload}))
}

/// A row of an SSE log of Claude, session `c`; `payload` has its type.
pub(crate) fn claude(ms: i64, payload: &Value) -> String {
    let mut t = Vec::new();
    agentlog::time::write_utc(1_767_225_600_000 + ms, &mut t);
    let t = String::from_utf8(t).unwrap();
    let event = format!("claude.{}", payload["type"].as_str().unwrap());
    let line = json!({"timestamp": t, "type": "event_msg", "payload": payload});
    let meta = json!({"ver": "claude-code-2.0.42", "pid": 2, "cwd": "/w"});
    json!({"event": event, "t": t.trim_end_matches('Z'), "line": format!("data: {line}"), "metadata": meta.to_string(), "flow_id": "msg_1", "data_count": 0, "sid": "c"}).to_string()
}

/// A captured request: of Claude session `c` for `messages`, else of Codex session `s`.
pub(crate) fn request(ms: i64, kind: &str, body: &Value) -> String {
    let mut t = Vec::new();
    agentlog::time::write_utc(1_767_225_600_000 + ms, &mut t);
    let (url, sid) = match kind {
        "messages" | "messages/count_tokens" => {
            (format!("https://api.anthropic.com/v1/{kind}"), "c")
        }
        _ => (format!("https://api.openai.com/v1/{kind}"), "s"),
    };
    json!({"t": String::from_utf8(t).unwrap(), "method": "POST", "url": url, "headers": {"Content-Type": "application/json"}, "sid": sid, "pid": 1, "body": body}).to_string()
}

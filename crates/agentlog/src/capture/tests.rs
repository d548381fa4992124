//! What requests say, compared with what `serde_json` reads, however they are spelled.

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

const SID: &str = "0b1c2d3e-4f50-4607-8809-a0b1c2d3e4f5";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn claude(with: &Json) -> Json {
    let mut request = json!({
        "ts": "2025-11-18T06:01:55.855Z", "pid": 41, "cwd": "/w", "method": "POST",
        "url": "https://api.anthropic.com/v1/messages?beta=true", "headers": {},
        "body": {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}]},
    });
    request.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    request
}

fn sid_of(request: &Json) -> Option<String> {
    let text = request.to_string();
    Request::parse(text.as_bytes()).unwrap().sid().map(str::to_owned)
}

#[test]
fn the_session_of_claude() {
    let user = |id: &str| json!({"metadata": {"user_id": id}, "messages": []});
    let marked = format!("user_ab12_account_{OTHER}_session_{SID}");
    let newer = json!({"device_id": "d", "account_uuid": OTHER, "session_id": SID}).to_string();
    let header = |name: &str| json!({name: SID});
    for (with, want) in [
        (json!({"session_id": SID, "headers": header("session_id")}), Some(SID)),
        (json!({"session_id": SID, "body": user(&format!("u_session_{OTHER}"))}), Some(SID)),
        (
            json!({"session_id": "unknown", "headers": header("X-Claude-Code-Session-Id")}),
            Some(SID),
        ),
        (json!({"session_id": "", "headers": [["Session_ID", SID]]}), Some(SID)),
        (json!({"session_id": null, "body": user(&marked)}), Some(SID)),
        (json!({"session_id": "unknown", "body": user(&marked).to_string()}), Some(SID)),
        (json!({"body": user(&newer)}), Some(SID)),
        (json!({"body": {"metadata": {"session_id": SID}}}), Some(SID)),
        (json!({"headers": {"session_id": "unknown"}, "body": user(&marked)}), Some(SID)),
        (json!({"session_id": "unknown", "body": user("user_ab_session_short")}), None),
        (json!({"session_id": "unknown", "body": user("{\"session_id\":\"\"}")}), None),
        (json!({"session_id": "unknown", "body": "session_id"}), None),
        (json!({}), None),
    ] {
        assert_eq!(sid_of(&claude(&with)).as_deref(), want, "{with}");
    }
}

#[test]
fn the_session_of_codex() {
    let url = "https://chatgpt.com/backend-api/codex/responses";
    for (rest, want) in [
        (json!({"sid": SID, "headers": [["conversation_id", OTHER]]}), Some(SID)),
        (json!({"headers": [["session_id", OTHER], ["conversation_id", SID]]}), Some(SID)),
        (json!({"headers": [["conversation-id", SID], ["session-id", OTHER]]}), Some(SID)),
        (json!({"headers": [["session-id", SID]], "body": {"prompt_cache_key": OTHER}}), Some(SID)),
        (json!({"headers": [], "body": {"prompt_cache_key": SID}}), Some(SID)),
        (
            json!({"sid": "unknown", "body": json!({"prompt_cache_key": SID}).to_string()}),
            Some(SID),
        ),
        (json!({"sid": null}), None),
    ] {
        let mut request = json!({"t": "2025-11-18T13:01:55.855", "method": "POST", "url": url});
        request.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        assert_eq!(sid_of(&request).as_deref(), want, "{rest}");
    }
}

#[test]
fn kinds_and_providers() {
    use Provider::{Claude, Codex};
    use RequestKind as K;
    let messages = json!({"messages": []});
    for (url, body, kind, provider) in [
        ("https://api.anthropic.com/v1/messages?beta=true", json!({}), K::Messages, Some(Claude)),
        ("http://localhost:4000/v1/messages/", json!({}), K::Messages, Some(Claude)),
        (
            "https://u:p@gate.example/anthropic/messages",
            messages.clone(),
            K::Messages,
            Some(Claude),
        ),
        (
            "https://api.anthropic.com/v1/messages/count_tokens",
            json!({}),
            K::CountTokens,
            Some(Claude),
        ),
        ("https://api.anthropic.com/v1/messages/batches", json!({}), K::Other, Some(Claude)),
        ("https://api.openai.com/v1/responses", json!({}), K::Responses, Some(Codex)),
        (
            "https://chatgpt.com/backend-api/codex/responses/compact",
            json!({}),
            K::Responses,
            Some(Codex),
        ),
        (
            "https://x.openai.azure.com/openai/responses?api-version=1",
            json!({}),
            K::Responses,
            Some(Codex),
        ),
        (
            "http://127.0.0.1:11434/v1/chat/completions",
            messages.clone(),
            K::ChatCompletions,
            Some(Codex),
        ),
        ("https://statsig.anthropic.com/v1/rgstr", json!({}), K::Other, Some(Claude)),
        ("https://ab.chatgpt.com/otlp/v1/metrics", json!({}), K::Other, Some(Codex)),
        ("https://telemetry.example/v1/log", json!({}), K::Other, None),
        (
            "https://eu-aiplatform.googleapis.com/v1/x/claude-sonnet-4-5:streamRawPredict",
            json!({"anthropic_version": "vertex-2023-10-16", "messages": []}),
            K::Messages,
            Some(Claude),
        ),
    ] {
        let text = json!({"method": "POST", "url": url, "body": body}).to_string();
        let request = Request::parse(text.as_bytes()).unwrap();
        assert_eq!((request.kind(), request.provider()), (kind, provider), "{url}");
    }
}

#[test]
fn the_writer_tells_the_agent_where_the_host_does_not() {
    let of = |with: Json| {
        let mut request = json!({"method": "POST", "url": "https://telemetry.example/v1/log"});
        request.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        Request::parse(request.to_string().as_bytes()).unwrap().provider()
    };
    assert_eq!(of(json!({"ts": 1, "transport": "fetch"})), Some(Provider::Claude));
    assert_eq!(of(json!({"t": "2025-11-18T13:01:55"})), Some(Provider::Codex));
    assert_eq!(
        of(json!({"headers": {"User-Agent": "claude-cli/2.0.42 (external)"}})),
        Some(Provider::Claude)
    );
    assert_eq!(
        of(json!({"headers": [["user-agent", "codex_cli_rs/0.50.0 (x)"]]})),
        Some(Provider::Codex)
    );
    assert_eq!(of(json!({})), None);
}

#[test]
fn clocks_in_all_spellings() {
    let clock = |with: Json| {
        let text = claude(&with).to_string();
        Request::parse(text.as_bytes()).unwrap().clock()
    };
    let utc = Clock::Utc(1_763_445_715_855);
    assert_eq!(clock(json!({})), utc);
    assert_eq!(clock(json!({"ts": "2025-11-18T13:01:55.855+07:00"})), utc);
    assert_eq!(clock(json!({"ts": 1_763_445_715_855_i64})), utc);
    assert_eq!(clock(json!({"ts": "1763445715855"})), utc);
    assert_eq!(clock(json!({"ts": 1_763_445_715.855})), utc);
    assert_eq!(clock(json!({"ts": 1_763_445_715})), Clock::Utc(1_763_445_715_000));
    assert_eq!(clock(json!({"ts": "", "t": "2025-11-18T06:01:55.855Z"})), utc);
    let key = ZoneKey::new(Some(SID), Some(41));
    let local = Clock::Local(1_763_445_715_855, key);
    assert_eq!(clock(json!({"ts": "2025-11-18T06:01:55.855", "session_id": SID})), local);
    for none in [json!(null), json!("soon"), json!(7), json!([1]), json!("nan"), json!("inf")] {
        assert_eq!(clock(json!({"ts": none})), Clock::Missing, "{none}");
    }
}

#[test]
fn versions_are_those_of_agents() {
    let ver = |agent: &str| {
        let text = claude(&json!({"headers": {"User-Agent": agent}})).to_string();
        Request::parse(text.as_bytes()).unwrap().ver().map(str::to_owned)
    };
    assert_eq!(ver("claude-cli/2.0.42 (external, cli)").as_deref(), Some("2.0.42"));
    assert_eq!(ver("codex_cli_rs/0.50.0 (Linux; x86_64)").as_deref(), Some("0.50.0"));
    assert_eq!(ver("codex-tui").as_deref(), None);
    assert_eq!(ver("axios/1.8.4"), None);
}

#[test]
fn faults_say_what_and_where() {
    let fault = |text: &str| Request::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(fault(""), "not JSON: the text ends early at byte 0");
    assert_eq!(fault("hello"), "not JSON: expected a value at byte 0");
    assert_eq!(fault("[1]"), "not a JSON object");
    assert_eq!(fault("{\"a\":1}"), "none of the keys of a captured request");
    assert!(fault("{\"url\":\"x\",\"body\":{\"messages\":[").starts_with("not JSON: "));
    assert!(fault("{\"url\":\"x\"} {\"url\":\"y\"}").starts_with("not JSON: text after"));
    assert_eq!(Request::parse(b"{\"url\":\"\xff\"}").unwrap_err(), Fault::NotUtf8 { at: 8 });
}

#[test]
fn bodies_that_are_no_objects() {
    let read = |body: Json| {
        let text = json!({"url": "/v1/messages", "body": body}).to_string();
        let request = Request::parse(text.as_bytes()).unwrap();
        let raw = request.body().map(|body| body.value().raw.to_owned());
        (raw, request.body_error().map(str::to_owned))
    };
    assert_eq!(read(json!(null)), (None, None));
    assert_eq!(read(json!("")), (None, None));
    assert_eq!(read(json!(" \n")), (None, None));
    assert_eq!(read(json!([1])), (Some("[1]".into()), None));
    assert_eq!(read(json!("[1, 2]")), (Some("[1, 2]".into()), None));
    let (raw, error) = read(json!("a=1&b=2"));
    assert_eq!((raw, error.as_deref()), (None, Some("body: not JSON: expected a value at byte 0")));
}

#[test]
fn a_start_is_told_by_its_keys() {
    assert!(Request::is_start("{\n  \"method\": \"POST\",\n  \"url\": \"x\",\n  \"body\": {\"a"));
    assert!(Request::is_start("{\"body\":{},\"url\":\"x\",\"method\":\"GET\"}"));
    assert!(!Request::is_start("{\"body\":{\"method\":1,\"url\":2}}"));
    assert!(!Request::is_start(
        "{\"request\":{\"method\":\"POST\",\"url\":\"x\"},\"response\":{}}"
    ));
    assert!(!Request::is_start(""));
}

/// How a request is spelled.
#[derive(Clone, Debug)]
struct Style {
    pretty: bool,
    body_as_text: bool,
    headers_as_pairs: bool,
    order: Vec<usize>,
}

fn styles() -> impl Strategy<Value = Style> {
    let order = Just((0..9).collect::<Vec<usize>>()).prop_shuffle();
    (any::<bool>(), any::<bool>(), any::<bool>(), order).prop_map(
        |(pretty, body_as_text, headers_as_pairs, order)| Style {
            pretty,
            body_as_text,
            headers_as_pairs,
            order,
        },
    )
}

/// Any JSON, but no floating point numbers, which are not read alike by everybody.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[a-z\"\\\\\\n é😀{}]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z\"\\\\é]{0,5}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// A request: the members in no order, the headers, and the body.
fn requests() -> impl Strategy<Value = (Map<String, Json>, Vec<(String, String)>, Json)> {
    let header = ("[a-zA-Z\"-]{1,9}", "[ -~é]{0,9}");
    let list = || prop::collection::vec(any_json(), 0..4);
    let body = (list(), list(), any_json(), "[a-z0-9-]{1,9}", any::<bool>());
    let body = body.prop_map(|(messages, tools, more, model, codex)| {
        let (history, system) =
            if codex { ("input", "instructions") } else { ("messages", "system") };
        json!({"model": model, history: messages, "tools": tools, "more": more, system: "be brief"})
    });
    let members =
        ("[A-Z]{1,5}", 0..9_999_999_i64, "/[a-z \"\\\\é]{0,9}", prop::option::of("[a-f0-9]{4,8}"))
            .prop_map(|(method, pid, cwd, sid)| {
                let url = "https://api.anthropic.com/v1/messages";
                let members = json!({
                    "method": method, "pid": pid, "cwd": cwd, "session_id": sid, "url": url,
                    "ts": "2025-11-18T06:01:55.855Z", "stream": true,
                });
                members.as_object().unwrap().clone()
            });
    (members, prop::collection::vec(header, 0..5), body)
}

fn spell(
    (members, headers, body): &(Map<String, Json>, Vec<(String, String)>, Json),
    style: &Style,
) -> String {
    let written = |value: &Json| {
        if style.pretty {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        }
        .unwrap()
    };
    let mut all: Vec<(String, Json)> = members.clone().into_iter().collect();
    let pairs = || headers.iter().map(|(name, value)| json!([name, value])).collect();
    let lists = || {
        let mut lists: Map<String, Json> = Map::new();
        for (name, value) in headers {
            let list = lists.entry(name.clone()).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(value.as_str().into());
        }
        Json::Object(lists)
    };
    all.push(("headers".into(), if style.headers_as_pairs { pairs() } else { lists() }));
    let body = if style.body_as_text { written(body).into() } else { body.clone() };
    all.push(("body".into(), body));
    let (gap, indent) = if style.pretty { ("\n", "  ") } else { ("", "") };
    let parts: Vec<String> = style
        .order
        .iter()
        .map(|i| &all[*i])
        .map(|(key, value)| format!("{indent}{}:{indent}{}", written(&json!(key)), written(value)))
        .collect();
    format!("{{{gap}{}{gap}}}", parts.join(&format!(",{gap}")))
}

fn parsed(value: Value<'_>) -> Json {
    let mut text = Vec::new();
    json::compact_into(&value, &mut text);
    serde_json::from_slice(&text).unwrap()
}

proptest! {
    #[test]
    fn requests_say_the_same_however_they_are_spelled(truth in requests(), style in styles()) {
        let text = spell(&truth, &style);
        let (members, headers, body) = &truth;
        let request = Request::parse(text.as_bytes()).unwrap();
        prop_assert!(Request::is_start(&text));
        let text_of = |key: &str| members[key].as_str().map(str::to_owned);
        prop_assert_eq!(request.method().map(Cow::into_owned), text_of("method"));
        prop_assert_eq!(request.url().map(Cow::into_owned), text_of("url"));
        prop_assert_eq!(request.cwd().map(Cow::into_owned), text_of("cwd"));
        prop_assert_eq!(request.pid(), members["pid"].as_i64());
        prop_assert_eq!(request.sid().map(str::to_owned), text_of("session_id"));
        prop_assert_eq!(request.clock(), Clock::Utc(1_763_445_715_855));
        prop_assert_eq!(request.kind(), RequestKind::Messages);
        let mut got: Vec<(String, String)> =
            request.headers().map(|h| (h.name.into_owned(), h.value.into_owned())).collect();
        let mut want = headers.clone();
        if !style.headers_as_pairs {
            // An object keeps the order of the values of one name only.
            got.sort_by(|a, b| a.0.cmp(&b.0));
            want.sort_by(|a, b| a.0.cmp(&b.0));
        }
        prop_assert_eq!(got, want);
        let ours = request.body().unwrap();
        prop_assert_eq!(&parsed(ours.value()), body);
        prop_assert_eq!(ours.model().and_then(|m| m.str()).map(Cow::into_owned), body["model"].as_str().map(str::to_owned));
        let (whole, range) = ours.text();
        prop_assert_eq!(&whole[range], ours.value().raw);
        prop_assert_eq!(matches!(whole, Cow::Owned(_)), style.body_as_text);
    }

    #[test]
    fn a_request_cut_short_is_bad_wherever(truth in requests(), style in styles(), cut in 0.0..1.0) {
        let text = spell(&truth, &style);
        let cut = text.floor_char_boundary((cut * text.len() as f64) as usize);
        prop_assert!(Request::parse(&text.as_bytes()[..cut]).is_err());
    }
}

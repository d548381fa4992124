//! Records before they are final, for those who want to see things begin.

use super::QUIET;
use crate::contract;
use crate::live::child::Child;
use crate::programs::{CALLS, DELTAS, TOKENS, TURNS, claude, codex, codex_prompt};
use serde_json::{Value, json};
use testkit::{Cmd, Workdir};

fn start(program: &str, args: &[&str], dir: &Workdir) -> Child {
    let path = dir.path().to_str().expect("UTF-8").to_owned();
    let args = args.iter().map(|arg| (*arg).to_owned());
    Child::on(program, ["-f".to_owned()].into_iter().chain(args).chain([path]))
}

fn delta(ms: i64, text: &str) -> Vec<u8> {
    let payload = json!({
        "type": "content_block_delta", "index": 0, "request_id": "r1",
        "delta": {"type": "text_delta", "text": text},
    });
    claude(ms, "claude.content_block_delta").payload(payload).to_bytes()
}

fn block_start(ms: i64) -> Vec<u8> {
    let payload = json!({
        "type": "content_block_start", "index": 0, "request_id": "r1",
        "content_block": {"type": "text", "text": ""},
    });
    claude(ms, "claude.content_block_start").payload(payload).to_bytes()
}

fn block_stop(ms: i64) -> Vec<u8> {
    let payload = json!({"type": "content_block_stop", "index": 0, "request_id": "r1"});
    claude(ms, "claude.content_block_stop").payload(payload).to_bytes()
}

#[test]
fn a_turn_is_printed_as_it_begins_as_it_changes_and_as_it_stays() {
    for (emit, want) in [
        ("start,update,end", &[("open", false), ("completed", false), ("completed", true)][..]),
        ("start,end", &[("open", false), ("completed", true)]),
        ("update", &[("open", false), ("completed", false)]),
        ("start", &[("open", false)]),
    ] {
        let dir = Workdir::new();
        dir.write("a.jsonl", b"");
        let mut child = start(TURNS, &["--emit", emit], &dir);
        dir.append("a.jsonl", &codex_prompt(0, "first").to_bytes());
        let mut states = vec![child.next()];
        let end = codex(900, "turn.response.completed").payload(json!({}));
        dir.append("a.jsonl", &end.to_bytes());
        if emit.contains("update") {
            states.push(child.next());
        }
        // Two seconds later by the log it is settled.
        dir.append("a.jsonl", &codex(3500, "turn.diff").turn_id("2").to_bytes());
        if emit.contains("end") {
            states.push(child.next());
        }
        child.signal("TERM");
        assert_eq!(child.end().rest, "", "--emit {emit}");
        let told: Vec<_> =
            states.iter().map(|s: &Value| (s["status"].as_str(), s["final"].as_bool())).collect();
        let want: Vec<_> = want.iter().map(|(s, f)| (Some(*s), Some(*f))).collect();
        assert_eq!(told, want, "--emit {emit}");
        assert!(states.iter().all(|state| state["src"] == states[0]["src"]));
    }
}

#[test]
fn an_item_is_printed_as_far_as_it_was_streamed() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &block_start(0));
    let mut child = start(DELTAS, &["--emit", "start,update,end"], &dir);
    let mut last = None;
    for (n, text) in ["a", "b", "c"].into_iter().enumerate() {
        dir.append("a.jsonl", &delta(n as i64 * 10, text));
        let mut record = child.next();
        assert_eq!(record["text"], "abc"[..=n]);
        assert_eq!((&record["status"], &record["final"]), (&json!("open"), &json!(false)));
        last = Some(record["src"].take());
    }
    dir.append("a.jsonl", &block_stop(40));
    let states = [child.next(), child.next()];
    let finals: Vec<_> = states.iter().map(|state| state["final"].as_bool()).collect();
    assert_eq!(finals, [Some(false), Some(true)]);
    assert_eq!(
        (&states[1]["status"], Some(&states[1]["src"])),
        (&json!("complete"), last.as_ref())
    );
}

#[test]
fn an_item_that_stops_is_printed_as_open_and_again_when_it_is_done() {
    let dir = Workdir::new();
    dir.write("a.jsonl", &[block_start(0), delta(1, "half")].concat());
    let mut child = start(DELTAS, &["--idle-timeout", "600ms"], &dir);
    let record = child.next();
    assert_eq!((&record["status"], &record["text"]), (&json!("open"), &json!("half")));
    assert!(record.get("final").is_none());
    assert!(child.is_silent_for(QUIET));
    dir.append("a.jsonl", &[delta(1000, " and half"), block_stop(1001)].concat());
    let record = child.next();
    assert_eq!((&record["status"], &record["text"]), (&json!("complete"), &json!("half and half")));
    // What was printed as open and had no more is not printed again at the end.
    dir.append("a.jsonl", &block_start(9000));
    child.signal("INT");
    assert_eq!(child.end().code, Some(130));
}

#[test]
fn calls_and_groups_of_tokens_have_states_too() {
    let log = testkit::LogBuilder::new(21).turns(3).build();
    for (program, emit) in [(CALLS, "start,update,end"), (TOKENS, "update,end")] {
        let dir = Workdir::new();
        dir.write("a.jsonl", &log.codex[..log.codex.len() / 2]);
        let child = start(program, &["--emit", emit, "--until-idle", "2500ms"], &dir);
        std::thread::sleep(QUIET);
        for part in log.codex[log.codex.len() / 2..].chunks(10_000) {
            dir.append("a.jsonl", part);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let ended = child.end();
        let states: Vec<Value> =
            ended.rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let of = |is_final: bool| states.iter().filter(move |state| state["final"] == is_final);
        assert!(of(false).count() > 0, "{program}");
        let whole = Cmd::new(program).arg(dir.path()).run().expect_code(0);
        let bare = |state: &Value| {
            let mut state = state.clone();
            if let Some(state) = state.as_object_mut() {
                state.remove("final");
                state.insert("index".into(), Value::Null);
            }
            state
        };
        let mut finals: Vec<Value> = of(true).map(bare).collect();
        let mut wanted: Vec<Value> = whole.rows().iter().map(bare).collect();
        let by_place = |state: &Value| state["src"]["offset"].as_u64();
        finals.sort_by_key(by_place);
        wanted.sort_by_key(by_place);
        assert_eq!(finals, wanted, "{program}");
    }
}

#[test]
fn states_have_the_keys_of_their_schema() {
    let dir = Workdir::new();
    let path = dir.write("a.jsonl", &codex_prompt(0, "first").to_bytes());
    let bytes = std::fs::read(&path).expect("a log");
    let ran = Cmd::new(TURNS).args(["--emit", "start,end", "-"]).stdin(&bytes).run();
    let ran = ran.expect_code(0);
    let lines: Vec<Value> = ran.text().lines().map(contract::checked::<contract::Turn>).collect();
    assert!(lines.iter().all(|turn| turn["final"].is_boolean()), "{lines:?}");
    let csv = ["--emit", "start,end", "-o", "csv", "-"];
    let ran = Cmd::new(TURNS).args(csv).stdin(&bytes).run().expect_code(0);
    assert!(ran.text().lines().next().is_some_and(|header| header.ends_with("src,final")));
    let ran = Cmd::new(CALLS).args(["--emit", "start", "--check", "-"]).stdin(b"").run();
    assert!(ran.expect_code(2).stderr.contains("--check"));
}

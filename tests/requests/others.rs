//! The other commands, other files among requests, and requests among other files.

use super::Captured;
use crate::programs::{ALL, EVENTS, column, events, records};
use serde_json::json;
use testkit::{CaptureBuilder, CaptureCase as Case, Cmd, LogBuilder, Workdir};

#[test]
fn the_other_commands_pass_over_requests() {
    let cases = [&Case::REQUESTS[..], &Case::FAULTS].concat();
    let captured = Captured::new(&CaptureBuilder::new(30).cases(&cases));
    let skipped = captured.log.files.len();
    for program in ALL.into_iter().filter(|program| *program != EVENTS) {
        let ran = Cmd::new(program).arg("--summary").arg(captured.dir.path()).run().expect_code(0);
        assert_eq!(ran.text(), "", "{program}");
        let want = json!({"files": 0, "files_skipped": skipped, "bytes": 0, "bad_lines": 0, "unknown_files": 0});
        assert_eq!(crate::programs::by_keys_of(&want, &ran.summary()), want, "{program}");
        assert_eq!(ran.stderr.lines().count(), 1, "{program}: {}", ran.stderr);
        let piped = &captured.log.files[0].bytes;
        let ran = Cmd::new(program).arg("-").stdin(piped).run().expect_code(0);
        assert_eq!((ran.text(), &*ran.stderr), ("", ""), "{program}");
    }
}

#[test]
fn requests_beside_logs_change_nothing_of_these() {
    let (dir, log) = (Workdir::new(), LogBuilder::new(31).build());
    dir.write_log(&log);
    let run = |program: &str| Cmd::new(program).arg(dir.path()).run().expect_code(0);
    let before: Vec<Vec<u8>> = ALL.iter().map(|program| run(program).stdout).collect();
    let requests = CaptureBuilder::new(31).cases(&Case::FAULTS).build();
    requests.write_to(&dir);
    for (program, before) in ALL.into_iter().zip(before) {
        if program == EVENTS {
            let rows = run(program).rows();
            let others = rows
                .iter()
                .filter(|row| !row["event"].as_str().expect("a name").starts_with("request."));
            assert_eq!(others.count(), String::from_utf8_lossy(&before).lines().count());
        } else {
            assert_eq!(run(program).stdout, before, "{program}");
        }
    }
}

#[test]
fn a_source_that_is_named_has_no_requests() {
    let captured = Captured::new(&CaptureBuilder::new(32));
    for (source, want) in
        [("all", captured.log.files.len()), ("sse", 0), ("native", 0), ("mirror", 0)]
    {
        let ran = captured.events(&["--source", source]).expect_code(0);
        assert_eq!(ran.rows().len(), want, "{source}");
    }
}

#[test]
fn other_captures_are_named_and_skipped() {
    let dir = Workdir::new();
    let one = r#"{"method":"POST","url":"https://api.anthropic.com/v1/messages","body":{}}"#;
    dir.write("several.jsonl", format!("{one}\n{one}\n").as_bytes());
    dir.write("pairs.jsonl", format!("{{\"request\":{one},\"response\":null}}\n").as_bytes());
    let ran = events().arg("--summary").arg(dir.path()).run();
    assert_eq!(ran.summary()["unknown_files"], 2);
    assert!(ran.stderr.contains("files of several captured requests are not read: 1 skipped"));
    assert!(ran.stderr.contains("claude-trace pairs are not read: 1 skipped"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(2));
}

/// Rows of a log may stand in a folder of that name.
#[test]
fn the_content_tells_the_kind_in_folders_of_requests_too() {
    let rows = [crate::programs::codex_prompt(0, "hello")];
    let want = records(EVENTS, &[], &rows);
    let dir = Workdir::new();
    let path = dir.write("requests/log.json", &crate::programs::lines(&rows));
    let rows = events().arg(path).run().expect_code(0).rows();
    assert_eq!(column(&rows, "payload"), column(&want, "payload"));
}

//! The forms of output, and the texts that a command has about itself.

mod help;

use crate::programs::{
    BOTH, EVENTS, PROMPTS, Written, codex, codex_prompt, lines, prompts, records, run_on,
};
use serde_json::{Value, json};
use testkit::{Cmd, Row};

const AWKWARD: &str = "a \"b\", c\td\r\ne\u{1b}[31mé";

fn two() -> Vec<Row> {
    vec![codex_prompt(0, AWKWARD), codex_prompt(5, "plain").turn_id("2")]
}

fn output(program: &str, args: &[&str]) -> String {
    run_on(program, args, &lines(&two())).expect_code(0).text().to_owned()
}

#[test]
fn json_is_one_array() {
    for program in BOTH {
        let want = records(program, &[], &two());
        for args in [&["-o", "json"][..], &["-o", "json", "--pretty"]] {
            let mut got: Vec<Value> =
                serde_json::from_str(&output(program, args)).expect("an array");
            for (got, want) in got.iter_mut().zip(&want) {
                got["src"]["path"] = want["src"]["path"].clone();
            }
            assert_eq!(got, want);
        }
        let none = run_on(program, &["-o", "json", "-n", "0"], &lines(&two())).expect_code(0);
        assert_eq!(serde_json::from_str::<Value>(none.text()).expect("JSON"), json!([]));
    }
}

#[test]
fn pretty_is_the_same_json_indented() {
    for program in BOTH {
        let text = output(program, &["--pretty"]);
        assert!(text.starts_with("{\n  \"schema\": \""), "{text}");
        let stream = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let mut got: Vec<Value> = stream.map(|value| value.expect("JSON")).collect();
        let want = records(program, &[], &two());
        for (got, want) in got.iter_mut().zip(&want) {
            got["src"]["path"] = want["src"]["path"].clone();
        }
        assert_eq!(got, want);
    }
    let exact = r#"{"n":[1.50,{}],"s":"\ud800","e":[]}"#;
    let row =
        codex(0, "turn.x").line_text(&format!(r#"data: {{"type":"turn.x","payload":{exact}}}"#));
    let text = run_on(EVENTS, &["--pretty"], &row.to_bytes()).expect_code(0);
    assert!(text.text().contains("1.50") && text.text().contains(r#""\ud800""#), "{}", text.text());
}

#[test]
fn records_may_end_with_nul() {
    for program in BOTH {
        let text = output(program, &["-0"]);
        assert_eq!(text.matches('\0').count(), 2);
        assert!(text.ends_with("}\0") && !text.contains('\n'), "{text}");
    }
}

#[test]
fn comma_separated_values() {
    let text = output(PROMPTS, &["-o", "csv"]);
    let header = "schema,index,t,provider,sid,pid,turn_id,round,flow_id,cwd,ver,model,kind,text,images,session_turn,src\n";
    let rest = text.strip_prefix(header).unwrap_or_else(|| panic!("{text}"));
    assert!(rest.contains("\"a \"\"b\"\", c\td\r\ne\u{1b}[31mé\",0,1,"), "{rest}");
    assert!(rest.starts_with("alog.prompt/1,1,2025-11-18T14:55:52.402Z,codex,"), "{rest}");
    assert!(rest.contains(",codex.0.60.1,,prompt,plain,0,2,\"{\"\"path\"\":"), "{rest}");
    let none = output(PROMPTS, &["-o", "csv", "-n", "0"]);
    assert_eq!(none, header);
    let explained = output(PROMPTS, &["-o", "csv", "--explain"]);
    assert!(explained.starts_with(&header.replace("src\n", "src,rows\n")));
}

#[test]
fn nested_values_are_json_in_csv() {
    let text = output(EVENTS, &["-o", "csv"]);
    assert!(
        text.lines()
            .next()
            .is_some_and(|head| head.ends_with("event,seq,request_id,payload,payload_error,src"))
    );
    assert!(text.contains(r#""{""message"":""plain"",""images"":[]}""#), "{text}");
}

#[test]
fn tab_separated_values() {
    let text = output(PROMPTS, &["-o", "tsv"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0].split('\t').count(), 17);
    let last: Vec<&str> = lines.last().expect("a row").split('\t').collect();
    assert_eq!((last.len(), last[12], last[13]), (17, "prompt", "plain"));
}

#[test]
fn tables_are_for_people_and_harmless() {
    let text = output(PROMPTS, &["-o", "table"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "a text with line feeds is one row: {text}");
    let columns = |word: &str, line: &str| line.find(word);
    assert_eq!(columns("kind", lines[0]), columns("prompt", lines[2]), "{text}");
    assert!(lines[2].trim_end().ends_with("plain"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.contains("[31m"), "what was there is shown, not dropped");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let row = lines(&[codex_prompt(0, "plain")]);
    let run = |args: &[&str], key: &str| {
        let command = Cmd::new(PROMPTS).args(["-o", "table"]).args(args).env(key, "1");
        command.arg("-").stdin(&row).run().expect_code(0).text().to_owned()
    };
    assert!(!run(&[], "X").contains('\u{1b}'), "a pipe is no terminal");
    assert!(run(&["--color", "always"], "X").contains('\u{1b}'));
    assert!(run(&["--color", "always"], "NO_COLOR").contains('\u{1b}'), "stated beats assumed");
    assert!(!run(&["--color", "never"], "X").contains('\u{1b}'));
}

#[test]
fn every_form_has_every_record() {
    let written = Written::clean(111);
    for program in BOTH {
        let count = written.run(program, &[]).rows().len();
        let table = written.run(program, &["-o", "table"]).expect_code(0);
        assert_eq!(table.text().lines().count(), count + 1);
        let nul = written.run(program, &["-0"]).expect_code(0);
        assert_eq!(nul.text().matches('\0').count(), count);
        let array: Value =
            serde_json::from_slice(&written.run(program, &["-o", "json"]).stdout).expect("JSON");
        assert_eq!(array.as_array().map(Vec::len), Some(count));
        assert_eq!(
            written.run(program, &["-o", "ndjson"]).stdout,
            written.run(program, &[]).stdout
        );
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let written = Written::new(&testkit::LogBuilder::new(112).turns(40));
    assert!(written.log.codex.len() > 1 << 20, "more than a pipe holds");
    let script = r#"{ "$@"; echo "status $?" >&2; } | head -n 1"#;
    for program in BOTH {
        for args in [&[][..], &["-o", "csv"], &["-o", "table"], &["-o", "json"], &["--pretty"]] {
            let command = Cmd::new("sh").args(["-c", script, "sh", program]).args(args);
            let ran = command.args(&written.paths).run().expect_code(0);
            assert_eq!(ran.stderr, "status 0\n", "{args:?}");
            assert_eq!(ran.text().lines().count(), 1);
        }
    }
    let raw = Cmd::new("sh").args(["-c", script, "sh", EVENTS, "--raw"]).args(&written.paths).run();
    assert_eq!(raw.stderr, "status 0\n");
    let piped = Cmd::new("sh")
        .args(["-c", &format!("cat \"$0\" | {}", script.replace("\"$@\"", "\"$1\" -"))]);
    let ran = piped.arg(&written.paths[0]).arg(EVENTS).run().expect_code(0);
    assert_eq!(ran.stderr, "status 0\n");
}

#[test]
fn a_full_disk_is_an_error() {
    if !std::path::Path::new("/dev/full").exists() {
        crate::programs::skip("no /dev/full here");
        return;
    }
    let written = Written::clean(113);
    for program in BOTH {
        let command = Cmd::new("sh").args(["-c", r#""$@" > /dev/full"#, "sh", program]);
        let ran = command.args(&written.paths).run().expect_code(2);
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn quiet_silences_remarks_and_not_errors() {
    let bad = [&codex_prompt(0, "x").to_bytes()[..], b"bad\n"].concat();
    let quiet = run_on(PROMPTS, &["-q", "--strict"], &bad).expect_code(2);
    assert_eq!(quiet.rows().len(), 1);
    let ran = prompts().args(["-q", "/nonexistent"]).run().expect_code(2);
    assert!(ran.stderr.contains("/nonexistent"));
}

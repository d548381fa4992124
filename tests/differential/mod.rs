//! Ways to the same records: with and without the prefilter, and one log in many spellings.

use crate::programs::{ALL, EVENTS, PROMPTS, Written, spelled_alike};
use serde_json::Value;
use testkit::{
    Cmd, Escape, Fault, Generation, LineForm, LogBuilder, MetadataForm, PidForm, Spelling,
};

#[test]
fn the_prefilter_loses_no_prompt() {
    let faults: Vec<Fault> = Fault::ALL.into();
    let builder = LogBuilder::new(151).codex_sessions(2).claude_sessions(2).turns(3);
    for builder in
        [builder.clone(), builder.faults(&faults), LogBuilder::new(152).turns(1).faults(&faults)]
    {
        let written = Written::new(&builder.detail(testkit::Detail::Brief));
        for args in [&[][..], &["--explain"], &["--raw-text", "--commands"], &["-n", "4"]] {
            let quick = written.run(PROMPTS, args).expect_code(0);
            let whole = written.run(PROMPTS, &[args, &["--strict"]].concat());
            assert!(quick.stdout == whole.stdout, "{args:?}");
            assert!(!quick.stdout.is_empty());
        }
    }
}

#[test]
fn choosing_events_is_choosing_from_all() {
    let written = Written::faulty(153);
    let all = written.run(EVENTS, &[]).expect_code(0).rows();
    for (glob, wanted) in [
        ("turn.user_message", &(|name: &str| name == "turn.user_message") as &dyn Fn(&str) -> bool),
        ("claude.*", &|name| name.starts_with("claude.")),
        ("!*delta*", &|name| !name.contains("delta")),
        ("*.user_prompt,codex.idle", &|name| {
            name.ends_with(".user_prompt") || name == "codex.idle"
        }),
    ] {
        let some = written.run(EVENTS, &["-e", glob]).expect_code(0).rows();
        let want: Vec<Value> = all
            .iter()
            .filter(|event| event["event"].as_str().is_some_and(wanted))
            .cloned()
            .collect();
        assert!(!want.is_empty());
        assert!(without_index(some) == without_index(want), "{glob}");
    }
}

fn without_index(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        record["index"].take();
    }
    records
}

/// Spellings that say the same, key for key.
fn spellings() -> Vec<Spelling> {
    let today = Spelling::default();
    let escapes = [Escape::Outer, Escape::Inner, Escape::Letters];
    let mut all: Vec<Spelling> =
        escapes.into_iter().map(|escape| Spelling { escape, ..today }).collect();
    all.extend([1, 2, 3].map(|seed| Spelling { shuffle: Some(seed), ..today }));
    all.extend([
        Spelling { spaced: true, ..today },
        Spelling { spaced: true, shuffle: Some(4), escape: Escape::Letters, ..today },
        Spelling { metadata: MetadataForm::Object, ..today },
        Spelling { metadata: MetadataForm::Object, spaced: true, shuffle: Some(5), ..today },
        Spelling { line: LineForm::DataNoSpace, ..today },
        Spelling { line: LineForm::Object, ..today },
        Spelling { line: LineForm::Object, spaced: true, shuffle: Some(6), ..today },
        Spelling { pid: PidForm::Text, ..today },
        Spelling::of(Generation::G3Prime),
        Spelling::of(Generation::G4),
        Spelling {
            spaced: true,
            shuffle: Some(7),
            escape: Escape::Letters,
            ..Spelling::of(Generation::G4)
        },
    ]);
    all
}

fn builder(spelling: Spelling) -> LogBuilder {
    let faults =
        [Fault::Steering, Fault::LegacyPromptTwin, Fault::QueuedPrompt, Fault::DoubledPrompt];
    LogBuilder::new(154).turns(2).faults(&faults).spelling(spelling)
}

#[test]
fn a_spelling_changes_no_record() {
    let today = Written::new(&builder(Spelling::default()));
    let want = ALL.map(|program| spelled_alike(today.run(program, &[]).expect_code(0).rows()));
    for spelling in spellings() {
        let written = Written::new(&builder(spelling));
        assert_ne!(written.log.codex, today.log.codex);
        for (program, want) in ALL.into_iter().zip(&want) {
            let got = spelled_alike(written.run(program, &[]).expect_code(0).rows());
            let differs = got.iter().zip(want).find(|(got, want)| got != want);
            assert!(differs.is_none(), "{spelling:?}: {differs:?}");
            assert_eq!(got.len(), want.len(), "{spelling:?}");
        }
        for program in ALL {
            let whole = written.run(program, &["--strict"]).expect_code(0);
            assert_eq!(whole.stdout, written.run(program, &[]).stdout, "{program} {spelling:?}");
        }
    }
}

#[test]
fn text_that_is_escaped_is_text() {
    let texts = ["grüße, 日本語 🦀 \"quoted\" back\\slash\nnew line\u{1}"];
    let of = |escape: Escape| {
        let spelling = Spelling { escape, ..Spelling::default() };
        let log = LogBuilder::new(155).turns(1).prompts(&texts).spelling(spelling).build();
        let dir = testkit::Workdir::new();
        let paths = dir.write_log(&log);
        let ran = Cmd::new(PROMPTS).args(paths).run().expect_code(0);
        ran.rows().iter().map(|record| record["text"].clone()).collect::<Vec<_>>()
    };
    for escape in [Escape::None, Escape::Outer, Escape::Inner, Escape::Letters] {
        assert_eq!(of(escape), [texts[0], texts[0]], "{escape:?}");
    }
}

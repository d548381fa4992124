//! What holds for all modes alike: their keys are those of their schemas, and neither the number of
//! threads nor the way out changes a record.

use super::{Played, chosen, records};
use crate::programs::EXTRACT;
use serde_json::Value;
use testkit::Cmd;

#[test]
fn records_have_the_keys_of_their_schemas() {
    let played = Played::new();
    let out = played.files(&[]);
    for told in played.modes() {
        let ran = Cmd::new(EXTRACT).args(["--mode", told.mode, "--schema"]).run();
        let schema: Value = serde_json::from_slice(&ran.expect_code(0).stdout).expect("a schema");
        let schema = schema.as_array().map_or(&schema, |schemas| &schemas[0]);
        let known = schema["properties"].as_object().expect("properties");
        let keys: Vec<&String> = known.keys().collect();
        for record in records(out.path(), told.mode) {
            let found: Vec<&String> = record.as_object().expect("an object").keys().collect();
            assert_eq!(found, keys, "{}", told.mode);
        }
    }
}

#[test]
fn threads_change_nothing() {
    let played = Played::new();
    let (one, eight) = (played.files(&["-j1"]), played.files(&["-j8"]));
    for told in played.modes() {
        let read = |dir: &std::path::Path| {
            std::fs::read(dir.join(format!("{}.jsonl", told.mode))).expect("the mode's file")
        };
        assert!(read(one.path()) == read(eight.path()), "{}", told.mode);
    }
}

#[test]
fn standard_output_has_the_same_records() {
    let played = Played::new();
    let out = played.files(&[]);
    for told in played.modes() {
        let printed = played.extract(&["--mode", told.mode]).run().expect_code(0).rows();
        assert_eq!(printed, records(out.path(), told.mode), "{}", told.mode);
    }
    let all = played.extract(&["--mode", &chosen()]).run().expect_code(0).rows();
    let filed: usize = std::fs::read_dir(out.path())
        .expect("the folder")
        .map(|file| {
            std::fs::read_to_string(file.expect("a file").path()).expect("text").lines().count()
        })
        .sum();
    assert_eq!(all.len(), filed);
}

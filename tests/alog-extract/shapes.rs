//! Every record of a mode has the keys of its schema, in their order.

use super::{extract, modes};
use crate::programs::{EXTRACT, Written, repository};
use serde_json::Value;
use std::fs;
use testkit::Cmd;

fn schema(mode: &str) -> Value {
    let printed = Cmd::new(EXTRACT).args(["--mode", mode, "--schema"]).run().expect_code(0);
    serde_json::from_str(printed.text()).expect("a schema")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Whether a value is what its schema says, as far as type and enum go.
fn fits(value: &Value, schema: &Value) -> bool {
    if let Some(one_of) = schema.get("enum").and_then(Value::as_array) {
        return one_of.contains(value);
    }
    if let Some(only) = schema.get("const") {
        return only == value;
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = |kind: &Value| kind == name || (kind == "number" && name == "integer");
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(allowed),
        Some(kind) => allowed(kind),
        None => true,
    }
}

#[test]
fn records_have_the_keys_of_their_schemas() {
    let log = Written::faulty(51);
    for mode in modes() {
        let schema = schema(&mode);
        assert_eq!(schema["title"], format!("alog.extract.{mode}/1"));
        for record in extract(&["--mode", &mode], log.dir.path()).expect_code(0).rows() {
            assert_eq!(keys(&record), keys(&schema["properties"]), "{mode}");
            for (key, value) in record.as_object().expect("an object") {
                let known = &schema["properties"][key];
                assert!(fits(value, known), "{mode}.{key}: {value} is not {known}");
            }
        }
    }
}

#[test]
fn the_committed_schemas_are_those_that_are_printed() {
    for mode in modes() {
        let path = repository().join(format!("docs/schemas/alog.extract.{mode}.1.json"));
        let kept: Value =
            serde_json::from_slice(&fs::read(&path).expect("a schema")).expect("JSON");
        assert_eq!(kept, schema(&mode), "{mode}: run make docs");
    }
}

#[test]
fn every_mode_has_a_page() {
    for mode in modes() {
        let page = repository().join(format!("docs/commands/alog-extract/{mode}.md"));
        let text = fs::read_to_string(&page).unwrap_or_default();
        assert!(text.contains(&format!("alog.extract.{mode}/1")), "{}: no example", page.display());
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let log = Written::faulty(52);
    let all = |jobs: &str| extract(&["--mode", "all", "-j", jobs], log.dir.path()).expect_code(0);
    assert!(all("1").text() == all("8").text());
}

//! `--schema`, and the copies of it in the documentation.

use crate::programs::{CALLS, DELTAS, EVENTS, PROMPTS, TOKENS, TURNS, Written, repository};
use serde_json::Value;
use std::fs;
use testkit::Cmd;

fn schema_of(program: &str) -> (String, Value) {
    schema_with(program, &[])
}

fn schema_with(program: &str, args: &[&str]) -> (String, Value) {
    let ran = Cmd::new(program).args(args).arg("--schema").run().expect_code(0);
    let schema = serde_json::from_slice(&ran.stdout).expect("JSON");
    (ran.text().to_owned(), schema)
}

/// What is wrong with a value by a schema, as far as our schemas use JSON Schema. Panics on a
/// keyword that is not known here, so that none goes unchecked.
fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().expect("a schema") {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "format" => true,
            "type" => has_type(rule, value),
            "const" => rule == value,
            "enum" => rule.as_array().is_some_and(|values| values.contains(value)),
            "minimum" => value.as_i64().is_none_or(|n| rule.as_i64().is_some_and(|min| n >= min)),
            "required" if !value.is_object() => true,
            "required" => names(rule).iter().all(|name| value.get(name).is_some()),
            "additionalProperties" => knows_all(schema, value),
            "properties" => {
                for (name, rule) in rule.as_object().expect("properties") {
                    let inner = value.get(name).map(|value| faults(rule, value, name));
                    found.extend(inner.into_iter().flatten());
                }
                true
            }
            "items" => {
                let items = value.as_array().expect("an array");
                found.extend(items.iter().flat_map(|item| faults(rule, item, at)));
                true
            }
            unknown => panic!("what does {unknown} mean?"),
        };
        if !holds {
            found.push(format!("{at}: {value} breaks {keyword}: {rule}"));
        }
    }
    found
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let of = |name: &str| match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("what is a {other}?"),
    };
    match rule {
        Value::String(name) => of(name),
        rule => names(rule).iter().any(|name| of(name)),
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn knows_all(schema: &Value, value: &Value) -> bool {
    let known = |name: &String| schema["properties"].get(name).is_some();
    value.as_object().is_none_or(|object| object.keys().all(known))
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn the_schema_fits_the_records() {
    let written = Written::faulty(65);
    for (program, args, title) in [
        (EVENTS, &[][..], "alog.event/1"),
        (PROMPTS, &[], "alog.prompt/1"),
        (PROMPTS, &["--explain"], "alog.prompt/1"),
        (CALLS, &[], "alog.call/1"),
        (CALLS, &["--explain"], "alog.call/1"),
        (CALLS, &["--stats"], "alog.call_stats/1"),
        (TOKENS, &["--cost"], "alog.tokens/1"),
        (TOKENS, &["--by", "turn", "--explain"], "alog.tokens/1"),
        (TURNS, &[], "alog.turn/1"),
        (TURNS, &["--explain"], "alog.turn/1"),
        (DELTAS, &["--parse"], "alog.delta/1"),
        (DELTAS, &["--explain"], "alog.delta/1"),
    ] {
        let (_, schema) = schema_with(program, args);
        assert_eq!(schema["title"], title);
        let records = written.run(program, args).expect_code(0).rows();
        for record in records.iter().step_by(if program == EVENTS { 9 } else { 1 }) {
            assert_eq!(faults(&schema, record, "record"), Vec::<String>::new(), "{record}");
        }
        let explained = args.contains(&"--explain");
        let mut described = keys(&schema["properties"]);
        let required: Vec<String> =
            names(&schema["required"]).into_iter().map(Into::into).collect();
        let always = |key: &&String| !["rows", "final"].contains(&key.as_str());
        assert_eq!(required, described.iter().filter(always).cloned().collect::<Vec<_>>());
        described.retain(|key| key != "final" && (explained || key != "rows"));
        assert_eq!(keys(&records[0]), described);
    }
}

#[test]
fn a_record_that_breaks_the_schema_is_found() {
    let (_, schema) = schema_of(PROMPTS);
    let written = Written::clean(65);
    let good = written.run(PROMPTS, &[]).rows().remove(0);
    for (key, value) in
        [("kind", "shout".into()), ("index", 0.into()), ("more", Value::Null), ("pid", "7".into())]
    {
        let mut bad = good.clone();
        bad[key] = value;
        assert_eq!(faults(&schema, &bad, "record").len(), 1, "{key}");
    }
}

#[test]
fn the_documented_schemas_are_those_of_the_commands() {
    let folder = repository().join("docs/schemas");
    if !folder.exists() {
        crate::programs::skip("no docs/schemas");
        return;
    }
    let files = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let texts: Vec<String> =
        files.map(|path| fs::read_to_string(path).expect("a schema")).collect();
    let kinds = [EVENTS, PROMPTS, TURNS, TOKENS, CALLS, DELTAS].map(|program| (program, &[][..]));
    for (program, args) in kinds.into_iter().chain([(CALLS, &["--stats"][..])]) {
        let (text, schema) = schema_with(program, args);
        let title = &schema["title"];
        let of_it = |text: &&String| {
            serde_json::from_str::<Value>(text).is_ok_and(|schema| schema["title"] == *title)
        };
        let found: Vec<&String> = texts.iter().filter(of_it).collect();
        assert_eq!(found.len(), 1, "one file in docs/schemas describes {title}: run make docs");
        assert_eq!(*found[0], text, "{title}: run make docs");
    }
}

//! `tools_defined`: a tool that was offered to the model, once for each definition and session.
//!
//! Each tool of the body of a call is one, once for each session, name and definition. `name` is its
//! own, or its type where it has none (tools that the provider runs). `kind` is its type; a tool
//! without a type that states a schema of arguments is a `function`. `parameters` is `parameters`,
//! `input_schema` or `format`. What the older chat API puts inside `function`, and its `functions`,
//! are read alike.
//!
//! `bytes` and `sha256` are of the definition as compact JSON, keys as they stand, but without
//! `cache_control`, which moves from tool to tool.

use agentlog::record::{Field, Shape};
use serde_json::Value;

use super::prints::{Spelled, print};
use crate::tools::{Tallies, Tally, or_null, sha256, text_at};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "tools_defined",
    about: "a tool that was offered to the model, once for each definition and session",
    sources: "captured requests",
    own: OWN,
    key: &["sid", "name", "sha256"],
    table: &["t", "provider", "sid", "name", "kind", "bytes", "uses"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<ToolsDefined>::default(),
};

const OWN: &[Field] = &[
    field("name", Shape::Text, "the tool's name"),
    field("kind", Shape::Text, "its type: function, custom, or a type of the provider's own"),
    field("sha256", Shape::Text, "SHA-256 of the definition, in hex"),
    field("bytes", Shape::Count, "bytes of the definition, as JSON"),
    field("description", Shape::Text, "what the model is told of it"),
    field("parameters", Shape::Json, "the schema of its arguments, or the format of its input"),
    field("uses", Shape::Count, "how many requests offered it"),
    field("t_last", Shape::Time, "when it was offered last"),
];

#[derive(Default)]
struct ToolsDefined {
    known: Tallies<u64, Value>,
}

/// What is no part of a definition.
const NO_PART: &[&str] = &["cache_control"];

impl Mode for ToolsDefined {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let Some((asked, _)) = row.asked().filter(|(asked, _)| asked.is_call()) else { return };
        let sid = row.event.head.sid.as_deref();
        let lists = ["tools", "functions"].map(|key| asked.body.get(key).and_then(Value::as_array));
        for tool in lists.into_iter().flatten().flatten().filter(|tool| tool.is_object()) {
            let key = print(sid, Spelled { value: tool, without: NO_PART });
            self.known.told(key, row.event, || tool.clone());
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.known.records(&INFO, values, out);
    }
}

fn values(known: &Tally<Value>) -> Vec<Value> {
    let mut tool = known.what.clone();
    if let Some(fields) = tool.as_object_mut() {
        for key in NO_PART {
            fields.shift_remove(*key);
        }
    }
    let inner = tool.get("function").filter(|inner| inner.is_object()).unwrap_or(&tool);
    let kind = tool.get("type").and_then(Value::as_str);
    let parameters = ["parameters", "input_schema", "format"];
    let parameters = parameters.into_iter().find_map(|key| inner.get(key)).cloned();
    let kind_or = kind.or_else(|| parameters.is_some().then_some("function"));
    let definition = tool.to_string();
    vec![
        or_null(text_at(inner, &["name"]).or(kind)),
        or_null(kind_or),
        sha256(&definition).into(),
        definition.len().into(),
        or_null(text_at(inner, &["description"])),
        parameters.unwrap_or_default(),
        known.uses.into(),
        or_null(known.t_last),
    ]
}

#[cfg(test)]
mod tests {
    use crate::given::{records, request};
    use crate::tools::sha256;
    use serde_json::{Value, json};

    #[test]
    fn a_definition_is_told_once_wherever_the_cache_ends() {
        let schema = json!({"type": "object"});
        let bash = json!({"name": "Bash", "description": "runs", "input_schema": schema});
        let mut cached = bash.clone();
        cached["cache_control"] = json!({"type": "ephemeral"});
        let ask =
            |ms, tools: Value| request(ms, "messages", &json!({"tools": tools, "messages": []}));
        let other = json!({"name": "Bash", "description": "runs more", "input_schema": schema});
        let found = records(
            "tools_defined",
            &[ask(0, json!([bash])), ask(1, json!([cached])), ask(2, json!([other]))],
        );
        assert_eq!(found.len(), 2);
        let text = bash.to_string();
        let expected = json!({
            "t": "2026-01-01T00:00:00.000Z", "provider": "claude", "sid": "c", "pid": 1, "name": "Bash",
            "kind": "function", "sha256": sha256(&text), "bytes": text.len(), "description": "runs",
            "parameters": {"type": "object"}, "uses": 2, "t_last": "2026-01-01T00:00:00.001Z", "line": 1,
        });
        assert_eq!(found[0], expected);
    }

    #[test]
    fn tools_of_all_spellings() {
        let tools = json!([
            {"type": "function", "name": "shell", "parameters": {"a": 1}, "strict": false},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
            {"type": "web_search"},
            {"type": "function", "function": {"name": "old", "description": "d", "parameters": {}}},
            "odd",
        ]);
        let found = records(
            "tools_defined",
            &[request(0, "responses", &json!({"tools": tools, "input": []}))],
        );
        let shown: Vec<_> =
            found.iter().map(|r| [&r["name"], &r["kind"], &r["parameters"]]).collect();
        let expected = json!([
            ["shell", "function", {"a": 1}],
            ["apply_patch", "custom", {"type": "grammar"}],
            ["web_search", "web_search", null],
            ["old", "function", {}],
        ]);
        assert_eq!(json!(shown), expected);
    }
}

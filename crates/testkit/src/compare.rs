//! Records against the truth: every key that the truth has must be equal, others are ignored.

use serde_json::Value;

/// What is wrong with `got`, one text a finding; empty if nothing is. Rows are counterparts if
/// they agree in all `keys`, the first such ones first. `violations` of records are compared by
/// their sorted codes, `must_violate` as a part of them, objects by the truth's keys.
pub fn differences(want: &[Value], got: &[Value], keys: &[&str]) -> Vec<String> {
    let mut left: Vec<Option<&Value>> = got.iter().map(Some).collect();
    let mut found = Vec::new();
    for truth in want {
        let same = |row: &&Value| keys.iter().all(|key| row.get(key) == truth.get(key));
        match left.iter_mut().find(|row| row.as_ref().is_some_and(same)).and_then(Option::take) {
            None => found.push(format!("missing: {truth}")),
            Some(row) => found.extend(wrong(truth, row)),
        }
    }
    found.extend(left.into_iter().flatten().map(|row| format!("not in the truth: {row}")));
    found
}

fn wrong(truth: &Value, row: &Value) -> Option<String> {
    let keys = truth.as_object()?.iter();
    let bad: Vec<String> = keys
        .filter(|(key, want)| !agrees(key, want, row))
        .map(|(key, want)| format!("{key} should be {want}, is {}", row[key]))
        .collect();
    (!bad.is_empty()).then(|| format!("{} in {row}", bad.join("; ")))
}

fn agrees(key: &str, want: &Value, row: &Value) -> bool {
    match (key, want) {
        ("must_violate", Value::Array(must)) => {
            let codes = codes(&row["violations"]);
            must.iter().all(|code| codes.contains(code))
        }
        ("violations", Value::Array(codes_wanted)) => *codes_wanted == codes(&row[key]),
        (_, Value::Object(map)) => map.iter().all(|(inner, want)| row[key][inner] == *want),
        _ => row.get(key) == Some(want),
    }
}

fn codes(violations: &Value) -> Vec<Value> {
    let code = |violation: &Value| violation.get("code").unwrap_or(violation).clone();
    let mut codes: Vec<Value> = violations.as_array().into_iter().flatten().map(code).collect();
    codes.sort_by_key(ToString::to_string);
    codes
}

#[cfg(test)]
mod tests {
    use super::differences;
    use serde_json::json;

    #[test]
    fn only_keys_of_the_truth_count() {
        let want = [json!({"id": 1, "src": {"line": 2}}), json!({"id": 1, "violations": ["a"]})];
        let got = [
            json!({"id": 1, "t": "x", "src": {"path": "p", "line": 2}}),
            json!({"id": 1, "violations": [{"code": "a", "severity": "warn"}]}),
        ];
        assert_eq!(differences(&want, &got, &["id"]), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_wrong_or_too_much() {
        let want = [json!({"id": 1, "x": 1}), json!({"id": 2, "must_violate": ["a"]})];
        let got = [json!({"id": 1, "x": 2}), json!({"id": 3})];
        let found = differences(&want, &got, &["id"]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("x should be 1, is 2"), "{found:?}");
    }
}

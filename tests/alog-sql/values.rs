//! Types of columns, what JSON a log may hold, and how all types of DuckDB are printed.

use super::*;

#[test]
fn columns_have_types() {
    let logs = Logs::fixtures();
    for view in &VIEWS {
        let (mut typeofs, mut types) = (Vec::new(), serde_json::Map::new());
        for column in logs.rows(&format!("DESCRIBE {}", view.name), &[]) {
            let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
            let (name, declared) = (text("column_name"), text("column_type"));
            let want = match name.as_str() {
                "t" | "t_end" | "t_last" | "idle_t" | "t_result" => "TIMESTAMP WITH TIME ZONE",
                "payload" | "json" => "JSON",
                "cost_usd" => "DECIMAL(38,12)",
                "src" => "STRUCT(path VARCHAR, line BIGINT, \"offset\" BIGINT, len BIGINT)",
                "index" | "seq" | "pid" | "total_tokens" | "duration_ms" | "session_turn" => {
                    "BIGINT"
                }
                "schema" | "sid" | "provider" | "event" | "prompt" | "status" => "VARCHAR",
                "violations" => {
                    assert!(
                        declared.starts_with("STRUCT(code VARCHAR") && declared.ends_with("[]")
                    );
                    &declared
                }
                _ => &declared,
            };
            assert_eq!(declared, want, "{}.{name}", view.name);
            typeofs.push(format!("typeof(\"{name}\") AS \"{name}\""));
            types.insert(name, declared.into());
        }
        let query = format!("SELECT DISTINCT {} FROM {}", typeofs.join(", "), view.name);
        assert_eq!(logs.rows(&query, &[]), [Value::Object(types)], "{}", view.name);
    }
}

/// Rows whose payloads hold what JSON can hold and most readers cannot.
fn odd() -> Logs {
    let payload = |text: &str| {
        let inner = format!(r#"{{"type":"turn.odd","payload":{text}}}"#);
        codex(0, "turn.odd").line_text(&format!("data: {inner}"))
    };
    Logs::of(&[
        payload(r#"{"is":"surrogate","v":"a\ud83dz","low":"\ude00","pair":"\ud83d\ude00"}"#),
        payload(r#"{"is":"huge","v":1e999,"w":-1e999,"n":123456789012345678901234567890}"#),
        payload(r#"{"is":"nul","v":"a\u0000b","\u0000":1}"#),
        payload(r#"{"is":"twice","v":1,"v":2}"#),
        payload(r#"{"is":"deep","v":[[[[[[[[[[1]]]]]]]]]]}"#),
        payload(r#"{"is":"quote","v":"'\"\\/\b\f\n\r\t'","é😀":"ünï"}"#),
    ])
}

#[test]
fn no_payload_ends_a_query() {
    let logs = odd();
    let query = "SELECT payload->>'$.is' AS kind, payload->>'$.v' AS v, json_valid(payload) AS fine, \
                 json_keys(payload) AS keys FROM events ORDER BY src.line";
    let rows = logs.rows(query, &[]);
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["kind"].as_str()).collect();
    assert_eq!(kinds, ["surrogate", "huge", "nul", "twice", "deep", "quote"]);
    assert!(rows.iter().all(|row| row["fine"] == true), "{rows:?}");
    assert_eq!(rows[0]["v"], "a\u{fffd}z");
    assert_eq!(rows[2]["v"], "a\0b");
    assert_eq!(rows[5]["v"], "'\"\\/\u{8}\u{c}\n\r\t'");
    let other = logs.rows(
        "SELECT payload->>'$.low' AS low, payload->>'$.pair' AS pair FROM events WHERE payload->>'$.is' = 'surrogate'",
        &[],
    );
    assert_eq!(other, [json!({"low": "\u{fffd}", "pair": "\u{1f600}"})]);
    let huge = "SELECT payload->>'$.n' AS n FROM events WHERE payload->>'$.is' = 'huge'";
    assert!(logs.rows(huge, &[])[0]["n"].as_str().is_some_and(|n| n.starts_with("1234567890")));
}

#[test]
fn a_payload_is_printed_as_alog_events_prints_it() {
    let logs = odd();
    let printed = logs.command(EVENTS, &[]).expect_code(0);
    let ran = logs.sql("SELECT * FROM events ORDER BY index", &[]).expect_code(0);
    let want =
        printed.text().replace(r"a\ud83dz", r"a\ufffdz").replace(r#":"\ude00"#, r#":"\ufffd"#);
    assert_eq!(ran.text(), want);
}

/// Values, and the JSON that they are printed as.
const TYPES: [(&str, &str); 47] = [
    ("TRUE", "true"),
    ("NULL", "null"),
    ("(-128)::TINYINT", "-128"),
    ("255::UTINYINT", "255"),
    ("(-32768)::SMALLINT", "-32768"),
    ("65535::USMALLINT", "65535"),
    ("4294967295::UINTEGER", "4294967295"),
    ("9223372036854775807", "9223372036854775807"),
    ("18446744073709551615::UBIGINT", "18446744073709551615"),
    (
        "(-170141183460469231731687303715884105728)::HUGEINT",
        "-170141183460469231731687303715884105728",
    ),
    (
        "340282366920938463463374607431768211455::UHUGEINT",
        "340282366920938463463374607431768211455",
    ),
    (
        "'-123456789012345678901234567890123456789012'::BIGNUM",
        "-123456789012345678901234567890123456789012",
    ),
    ("1.500::DECIMAL(10,3)", "1.5"),
    ("(-0.05)::DECIMAL(4,2)", "-0.05"),
    (
        "99999999999999999999999999.999999999999::DECIMAL(38,12)",
        "99999999999999999999999999.999999999999",
    ),
    ("0.1::FLOAT", "0.1"),
    ("0.1::DOUBLE", "0.1"),
    ("1e300::DOUBLE", "1e+300"),
    ("'nan'::DOUBLE", "null"),
    ("'-inf'::FLOAT", "null"),
    ("'é \"q\" \\ ' || chr(10)", "\"é \\\"q\\\" \\\\ \\n\""),
    ("'a' || chr(0) || 'b'", "\"a\\u0000b\""),
    ("'\\xAA\\x00'::BLOB", "\"aa00\""),
    ("'0101'::BIT", "\"0101\""),
    ("'4f2c1b0a-0000-4000-8000-0123456789ab'::UUID", "\"4f2c1b0a-0000-4000-8000-0123456789ab\""),
    ("DATE '2025-11-18'", "\"2025-11-18\""),
    ("'-infinity'::DATE", "\"-infinity\""),
    ("TIME '10:00:00.5'", "\"10:00:00.500\""),
    ("TIMETZ '10:00:00.5-09:30'", "\"10:00:00.5-09:30\""),
    ("TIMESTAMP '2025-11-18 01:02:03'", "\"2025-11-18T01:02:03\""),
    ("TIMESTAMP_S '2025-11-18 01:02:03'", "\"2025-11-18T01:02:03\""),
    ("TIMESTAMP_NS '2025-11-18 01:02:03.123456789'", "\"2025-11-18T01:02:03.123456789\""),
    ("'infinity'::TIMESTAMP", "\"infinity\""),
    ("TIMESTAMPTZ '2025-11-18 01:02:03.004+02'", "\"2025-11-17T23:02:03.004Z\""),
    ("TIMESTAMPTZ '2025-11-18 01:02:03.004005+00'", "\"2025-11-18T01:02:03.004005Z\""),
    ("'infinity'::TIMESTAMPTZ", "\"infinity\""),
    ("INTERVAL '14 months 3 days 3723.5 seconds'", "\"P1Y2M3DT1H2M3.5S\""),
    ("INTERVAL '-90 seconds'", "\"PT-1M-30S\""),
    ("[1, NULL, 3]", "[1,null,3]"),
    ("[]::VARCHAR[]", "[]"),
    ("[1, 2]::INTEGER[2]", "[1,2]"),
    ("{'a': [{'b': NULL}], 'c': 'x'::BLOB}", "{\"a\":[{\"b\":null}],\"c\":\"78\"}"),
    ("ROW(1, 'a')", "[1,\"a\"]"),
    ("MAP {'k\"': 1, 'l': NULL}", "{\"k\\\"\":1,\"l\":null}"),
    ("union_value(n := 2)", "2"),
    ("'y'::ENUM ('x', 'y')", "\"y\""),
    ("'{\"a\": [1,  2]}'::JSON", "{\"a\": [1,  2]}"),
];

#[test]
fn all_types_are_printed_as_json() {
    let values: Vec<String> =
        TYPES.iter().enumerate().map(|(i, (sql, _))| format!("{sql} AS v{i}")).collect();
    let query = format!("SELECT {}", values.join(", "));
    let run = |form: &str| Cmd::new(SQL).args([&query, "-o", form, "-"]).stdin(b"").run();
    let want: Vec<String> =
        TYPES.iter().enumerate().map(|(i, (_, text))| format!("\"v{i}\":{text}")).collect();
    assert_eq!(run("ndjson").expect_code(0).text(), format!("{{{}}}\n", want.join(",")));
    let rows: Value = serde_json::from_slice(&run("json").expect_code(0).stdout).expect("JSON");
    assert_eq!(rows[0]["v0"], true);
    for form in ["csv", "tsv", "table"] {
        let ran = run(form).expect_code(0);
        assert!(ran.text().lines().count() >= 2, "{form}: {}", ran.text());
    }
}

#[test]
fn a_column_of_many_rows_keeps_each_value() {
    let query = "SELECT i, i::HUGEINT AS h, [i] AS l, {'a': i::VARCHAR} AS s, \
                 CASE WHEN i % 3 = 0 THEN NULL ELSE i / 10 END AS d FROM range(5000) r(i)";
    let rows = Cmd::new(SQL).args([query, "-"]).stdin(b"").run().expect_code(0).rows();
    assert_eq!(rows.len(), 5000);
    for (i, row) in rows.iter().enumerate() {
        let d = if i % 3 == 0 { Value::Null } else { json!(i as f64 / 10.0) };
        let want = json!({"i": i, "h": i, "l": [i], "s": {"a": i.to_string()}, "d": d});
        assert_eq!(*row, want);
    }
}

#[test]
fn columns_of_one_name_are_kept_apart() {
    let logs = Logs::of(&[codex_prompt(0, "x")]);
    let rows = logs.rows("SELECT a.sid, b.sid, a.pid AS sid_1 FROM prompts a, prompts b", &[]);
    let keys: Vec<&String> = rows[0].as_object().expect("a row").keys().collect();
    assert_eq!(keys, ["sid", "sid_2", "sid_1"]);
    let all = logs.rows("SELECT * FROM prompts p JOIN turns t ON p.sid = t.sid", &[]);
    let columns = |view: &str| logs.rows(&format!("DESCRIBE {view}"), &[]).len();
    let keys = all[0].as_object().expect("a row").len();
    assert_eq!(keys, columns("prompts") + columns("turns"));
}

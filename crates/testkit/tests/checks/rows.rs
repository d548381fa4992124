//! Faults of single rows and of their spelling.

use super::Checks;
use crate::reading::Row;
use serde_json::Value;
use testkit::Fault;

pub const CHECKS: Checks<23> = [
    (Fault::EnvelopeG0, |file| {
        file.any(|row| {
            line(row).starts_with("event: claude.")
                && row.envelope["pid"].is_string()
                && row.envelope.get("event").is_none()
        })
    }),
    (Fault::EnvelopeG1, |file| {
        file.any(|row| keys(row) == "event,t,flow_id,sid,line,data_count,cwd,pid")
    }),
    (Fault::EnvelopeG2, |file| {
        file.any(|row| keys(row) == "event,t,line,metadata,flow_id,data_count,sid")
    }),
    (Fault::EnvelopeG3Prime, |file| {
        file.any(|row| keys(row) == "event,t,line,round,metadata,flow_id,data_count,sid")
    }),
    (Fault::EnvelopeG4, |file| file.any(|row| row.envelope["released"].is_i64())),
    (Fault::ShuffledKeys, |file| file.any(|row| !keys(row).ends_with("sid"))),
    (Fault::SpacedJson, |file| file.holds(b"{\"event\": \"")),
    (Fault::EscapedOuter, |file| escapes(&file.bytes, 1)),
    (Fault::EscapedInner, |file| escapes(&file.bytes, 2)),
    (Fault::EscapedLetters, |file| file.holds(br"\\u0061")),
    (Fault::MetadataObject, |file| file.any(|row| row.envelope["metadata"].is_object())),
    (Fault::PidText, |file| file.any(|row| row.metadata()["pid"].is_string())),
    (Fault::DataNoSpace, |file| file.any(|row| line(row).starts_with("data:{"))),
    (Fault::LineObject, |file| file.any(|row| row.envelope["line"].is_object())),
    (Fault::ExtraKeys, |file| file.any(|row| row.envelope.get("host").is_some())),
    (Fault::ShortInner, |file| {
        file.any(|row| row.name.starts_with("claude.") && row.inner["timestamp"].is_null())
    }),
    (Fault::MetadataBroken, |file| {
        file.any(|row| row.envelope["metadata"].is_string() && row.metadata().is_null())
    }),
    (Fault::EmptySid, |file| file.any(|row| row.envelope["sid"] == "")),
    (Fault::FlowIdle, |file| file.any(|row| row.envelope["flow_id"] == "idle")),
    (Fault::NoTime, |file| {
        file.any(|row| row.is("turn.user_message") && row.envelope.get("t").is_none())
    }),
    (Fault::UnknownEvent, |file| file.any(|row| row.name.ends_with(".future_thing"))),
    (Fault::TruncatedInner, |file| {
        file.any(|row| line(row).contains("[truncated after") && row.inner.is_null())
    }),
    (Fault::NestedLog, |file| {
        let log = r#"{"event":"turn.user_message""#;
        file.any(|row| row.body()["stdout"].as_str().is_some_and(|text| text.contains(log)))
    }),
];

fn line(row: &Row) -> &str {
    row.envelope["line"].as_str().unwrap_or_default()
}

fn keys(row: &Row) -> String {
    let map = row.envelope.as_object().cloned().unwrap_or_default();
    map.keys().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// A `\uXXXX` behind exactly so many backslashes.
fn escapes(bytes: &[u8], backslashes: usize) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices("\\u").any(|(at, _)| {
        let before = text[..at].bytes().rev().take_while(|&byte| byte == b'\\').count();
        before + 1 == backslashes && text.get(at + 2..at + 6).is_some_and(is_hex)
    })
}

fn is_hex(text: &str) -> bool {
    u32::from_str_radix(text, 16).is_ok() && Value::from(text).is_string()
}

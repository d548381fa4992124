//! Any bytes as a row: nothing panics, and what is JSON for serde_json is JSON for us.
#![no_main]

use agentlog::json;
use agentlog::sse::{Envelope, Fault, Row, Salvage, Scratch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let parsed = Envelope::parse(bytes);
    match std::str::from_utf8(bytes) {
        Err(_) => assert!(matches!(parsed, Err(Fault::NotUtf8 { .. }))),
        Ok(text) => agrees(text, !matches!(parsed, Err(Fault::NotJson(_)))),
    }
    let mut scratch = Scratch::default();
    if let Ok(envelope) = parsed
        && let Some(row) = Row::open(envelope, &mut scratch)
    {
        (row.head(), row.clock(), row.evidence().count());
        agentlog::sse::what_of(&row, &mut Vec::new());
        if let Some(payload) = row.inner.payload {
            assert!(json::value(payload.raw).is_ok());
        }
    }
    covers(bytes, &Salvage::of(bytes));
});

/// Checked without making values, serde_json takes lone surrogates and any number, as we do; only
/// we have a limit for the depth.
fn agrees(text: &str, ours: bool) {
    assert_eq!(ours, json::value(text).is_ok());
    let openings = text.bytes().filter(|b| matches!(b, b'{' | b'[')).count();
    if openings <= json::MAX_DEPTH {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(text);
        assert_eq!(ours, theirs.is_ok(), "{text:?}: {theirs:?}");
    }
}

/// What salvage leaves is in order and within the line, and what it leaves out is white space.
fn covers(line: &[u8], salvage: &Salvage) {
    let mut parts: Vec<_> = salvage.rows.iter().chain(&salvage.rest).cloned().collect();
    parts.sort_by_key(|part| part.start);
    let mut at = 0;
    for part in parts {
        assert!(line[at..part.start].trim_ascii().is_empty());
        at = part.end;
    }
    assert!(line[at..].trim_ascii().is_empty());
}

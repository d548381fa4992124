//! Faults of the file's bytes.

use super::Checks;
use testkit::Fault;

pub const CHECKS: Checks<15> = [
    (Fault::TornRow, |file| {
        file.any_bad(|line| line.starts_with(b"{\"event\":\"turn.user_message\"") && !glued(line))
    }),
    (Fault::TwoWriters, |file| file.any_bad(|line| line[0] == b'{' && glued(line))),
    (Fault::PartialTail, |file| {
        let last = file.lines.last().expect("a line");
        last.starts_with(b"{") && !last.ends_with(b"}")
    }),
    (Fault::NoFinalNewline, |file| file.bytes.ends_with(b"}")),
    (Fault::Crlf, |file| file.holds(b"}\r\n") && file.bytes.ends_with(b"\r\n")),
    (Fault::Bom, |file| file.bytes.starts_with(b"\xef\xbb\xbf{")),
    (Fault::InvalidUtf8, |file| std::str::from_utf8(&file.bytes).is_err()),
    (Fault::NulBytes, |file| file.any_bad(|line| line[0] == 0 && glued(line))),
    (Fault::NotJson, |file| file.any_bad(|line| line[0] != b'{' && line[0] != 0)),
    (Fault::NotAnObject, |file| file.lines.iter().any(|line| line.starts_with(b"["))),
    (Fault::NoKnownKeys, |file| file.holds(b"\n{\"a\":1}\n")),
    (Fault::BlankLines, |file| file.holds(b"\n\n   \n")),
    (Fault::SseFraming, |file| file.any(|row| row.envelope["line"] == "data: [DONE]")),
    (Fault::Disorder, |file| !file.rows.iter().map(crate::reading::Row::ms).is_sorted()),
    (Fault::LateRows, |file| {
        let mut latest = 0;
        file.any(|row| {
            latest = latest.max(row.ms());
            row.ms() < latest - 5000
        })
    }),
];

/// A whole row starts inside the line.
fn glued(line: &[u8]) -> bool {
    let key = b"{\"event\":\"";
    let at = (1..line.len()).find(|&at| line[at..].starts_with(key));
    at.is_some_and(|at| serde_json::from_slice::<serde_json::Value>(&line[at..]).is_ok())
}

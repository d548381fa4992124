//! Which kind of log a file is, told by its first lines.

use std::io::{self, Read};

use agentlog::json;
use jsonl::{Block, Opened};

/// Kinds of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A centralized SSE log.
    Sse,
    /// A known kind that these commands do not read yet; its name, in the plural.
    NotYet(&'static str),
    /// Nothing known.
    Unknown,
    /// No line at all.
    Empty,
}

/// How far to look for the first line of a known kind.
const FAR: u64 = 16 << 20;

/// Looks at the start of a source, which is then used up.
pub fn of(source: Opened) -> io::Result<Format> {
    let mut bytes = source.into_reader();
    let mut head = Vec::new();
    let mut want = 64 << 10;
    loop {
        let before = head.len() as u64;
        // A compressed file that ends in the middle tells its kind all the same.
        let read = bytes.by_ref().take(want - before).read_to_end(&mut head);
        let format = of_text(&head);
        let over = head.len() as u64 == before || want >= FAR;
        match (format, read) {
            (Format::Sse | Format::NotYet(_), _) => return Ok(format),
            (_, Err(e)) => return Err(e),
            _ if over => return Ok(format),
            _ => want *= 4,
        }
    }
}

pub(crate) fn of_text(head: &[u8]) -> Format {
    let mut format = Format::Empty;
    for line in (Block { bytes: head, offset: 0, oversize: None, max_line: u64::MAX }).lines() {
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        match of_line(line.bytes) {
            Format::Unknown => format = Format::Unknown,
            known => return known,
        }
    }
    format
}

/// The keys that tell an SSE row, the surest first.
const KEYS: [&str; 2] = ["line", "event"];

/// The kind of log that a line belongs to. The line may be cut short: its first keys are enough.
fn of_line(line: &[u8]) -> Format {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&line[..e.valid_up_to()]).unwrap_or_default(),
    };
    let mut keys = Vec::new();
    let mut provider = None;
    let read = json::fields(text, |key, value| {
        keys.push(key);
        if key == "event" {
            provider = value.str().and_then(|name| agentlog::sse::provider_of(&name));
        }
    });
    // A line that is cut short ends inside a value whose key was read: it is near the start.
    let start = &text[..text.floor_char_boundary(4096)];
    if let (Err(_), Some(key)) = (read, KEYS.iter().find(|k| start.contains(&format!("\"{k}\"")))) {
        keys.push(key);
    }
    let has = |key: &str| keys.contains(&key);
    let count = |set: &[&str]| set.iter().filter(|key| has(key)).count();
    if provider.is_some()
        || (has("line") && count(&["event", "t", "sid", "flow_id"]) > 0)
        || (has("event") && count(&["t", "sid", "flow_id", "metadata"]) > 0)
        || (keys == ["line"] && start.contains("data:"))
    {
        return Format::Sse;
    }
    if count(&["method", "url"]) == 2 || count(&["request", "response"]) == 2 {
        return Format::NotYet("captured requests");
    }
    if has("type") && count(&["timestamp", "payload"]) == 2 || has("record_type") {
        return Format::NotYet("Codex rollouts");
    }
    if has("type") && count(&["uuid", "parentUuid", "sessionId", "leafUuid", "messageId"]) > 0 {
        return Format::NotYet("Claude Code transcripts");
    }
    Format::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_known_line() {
        let sse = Format::Sse;
        let claude = Format::NotYet("Claude Code transcripts");
        let codex = Format::NotYet("Codex rollouts");
        for (text, want) in [
            ("", Format::Empty),
            ("\n \n", Format::Empty),
            ("hello\n[1]\n", Format::Unknown),
            ("{\"a\":1}\nnot json\n{\"event\":\"codex.idle\",\"t\":\"x\"}\n", sse),
            ("{\"event\":\"turn.user_message\",\"t\":\"2025-11", sse),
            ("{\"line\":\"data: {}\",\"sid\":\"\"}", sse),
            ("{\"event\":\"login\",\"level\":\"info\"}", Format::Unknown),
            ("{\"type\":\"user\",\"uuid\":\"1\"}", claude),
            ("{\"timestamp\":\"\",\"type\":\"event_msg\",\"payload\":{}}", codex),
        ] {
            let source = Opened::from_reader(io::Cursor::new(text.as_bytes().to_vec()));
            assert_eq!(of(source).unwrap(), want, "{text}");
        }
    }
}

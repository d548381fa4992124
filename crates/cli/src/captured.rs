//! Files that are one captured request: how they are told, and how they are read.

use std::path::Path;

use agentlog::capture::Request;
use agentlog::json;
use jsonl::{Opened, Reader, ReaderOptions};

use crate::format::Format;
use crate::inputs::Log;

/// The largest request, in bytes: no provider takes more.
pub(crate) const LARGEST: u64 = 32 << 20;

/// Several requests in one file, which nobody is known to write.
const SEVERAL: Format = Format::NotYet("files of several captured requests");

/// What a text is whose first line that is not blank is that of a request.
pub(crate) fn of_first_line(head: &[u8]) -> Format {
    let head = head.trim_ascii();
    let line = memchr::memchr(b'\n', head).map_or(head, |end| &head[..end]);
    let is_whole = line.len() < head.len() && line.trim_ascii_end().ends_with(b"}");
    if is_whole && json::value(start_of(line)).is_ok() { SEVERAL } else { Format::Request }
}

/// Whether a text starts as a request over many lines does.
pub(crate) fn is_start(head: &[u8]) -> bool {
    Request::is_start(start_of(head))
}

/// The kind of a file, if it is in a place where there is nothing but requests: what is nothing
/// known there was one.
pub(crate) fn in_its_place(path: &Path, format: Format) -> Format {
    let folder = path.parent().and_then(Path::file_name);
    let is_placed = folder.is_some_and(|folder| folder == "requests")
        && path.extension().is_some_and(|end| end == "json");
    match format {
        Format::Unknown | Format::Empty if is_placed => Format::Request,
        known => known,
    }
}

/// The part of a text before what is no UTF-8: it may be cut within a character.
fn start_of(text: &[u8]) -> &str {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&text[..e.valid_up_to()]).unwrap_or_default(),
    }
}

impl Log {
    /// Starts to read what was opened of the log: a request as one text, anything else by lines.
    pub(crate) fn reader(&self, source: Opened, options: &ReaderOptions) -> Reader {
        match self.format {
            Format::Request => Reader::whole(source, options, options.max_line.min(LARGEST)),
            _ => Reader::new(source, options),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::of_text;

    #[test]
    fn requests_are_told_by_their_keys() {
        let request = Format::Request;
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(9000));
        for (text, want) in [
            ("{\"ts\":1,\"method\":\"POST\",\"url\":\"x\",\"body\":{\"a".into(), request),
            ("{\n \"ts\": 1,\n \"method\": \"POST\",\n \"url\": \"x\",\n \"bo".into(), request),
            (" \n{ \"t\": 1,\n\"method\": \"POST\", \"url\": \"x\" }\n\n".into(), request),
            (format!("{{\"body\":{body},\"method\":\"POST\",\"url\":\"x\"}}"), request),
            (
                "{\"method\":\"GET\",\"url\":\"x\"}\n{\"method\":\"GET\",\"url\":\"y\"}\n".into(),
                SEVERAL,
            ),
            ("{\"request\":{},\"response\":null}".into(), Format::NotYet("claude-trace pairs")),
            ("{\n\"body\":{\"method\":1,\"url\":2}}".into(), Format::Unknown),
        ] {
            let text: String = text;
            assert_eq!(of_text(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn what_is_nothing_known_was_a_request_in_its_place() {
        let kind = |path: &str, format| in_its_place(Path::new(path), format);
        assert_eq!(kind("claude/requests/a.json", Format::Empty), Format::Request);
        assert_eq!(kind("requests/a.json", Format::Unknown), Format::Request);
        assert_eq!(kind("requests/a.json", Format::Sse), Format::Sse);
        assert_eq!(kind("requests/a.jsonl", Format::Unknown), Format::Unknown);
        assert_eq!(kind("other/a.json", Format::Empty), Format::Empty);
    }
}

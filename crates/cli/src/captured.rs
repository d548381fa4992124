//! Files that are one captured request: how they are told, and how they are read.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use agentlog::capture::Request;
use agentlog::json;
use agentlog::zone::Clock;
use anyhow::Result;
use jsonl::{Batch, Opened, Placed, Reader, ReaderOptions};
use rayon::prelude::*;

use crate::format::Format;
use crate::inputs::{FIRST, Log};
use crate::look::Look;
use crate::progress::Progress;
use crate::run::{Placer, Rows, Run};
use crate::scan::{self, Decode, Scanned};

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

/// When a request was sent, as far as its start tells.
pub(crate) fn start_clock(head: &[u8]) -> Clock {
    Request::start_clock(start_of(head))
}

/// The kind of a file, if it is in a place where there is nothing but requests: what is nothing
/// known there was one.
pub(crate) fn in_its_place(path: &Path, format: Format) -> Format {
    let is_placed = || {
        let folder = path.parent().and_then(Path::file_name);
        folder.is_some_and(|folder| folder == "requests")
            && path.extension().is_some_and(|end| end == "json")
    };
    match format {
        Format::Unknown | Format::Empty if is_placed() => Format::Request,
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
            _ => match self.place() {
                FIRST => Reader::new(source, options),
                (first_offset, first_line) => {
                    let options = ReaderOptions { first_line, first_offset, ..options.clone() };
                    Reader::new(source, &options)
                }
            },
        }
    }
}

/// How much of small requests is read at once, in bytes and in files: they are many, and to wake a
/// thread takes longer than to read one.
const BYTES_AT_ONCE: u64 = 8 << 20;
const FILES_AT_ONCE: usize = 256;

/// What was found in a file, and how many lines and bytes it has.
type Found<D> = (Option<Placed<Scanned<<D as Decode>::Value, <D as Decode>::Memory>>>, (u64, u64));

impl Run {
    /// The requests from `file` on that can be read together; none if it is none, or a large one.
    pub(crate) fn requests_from(&self, file: usize) -> Range<usize> {
        let mut bytes = 0;
        let fits = |log: &&Log| {
            bytes += log.size.unwrap_or(u64::MAX).min(BYTES_AT_ONCE);
            log.format == Format::Request && bytes < BYTES_AT_ONCE
        };
        let few = self.logs[file..].iter().take(FILES_AT_ONCE).take_while(fits).count();
        file..file + few
    }

    /// Reads requests on all cores. `sink` gets what they say, in order.
    pub(crate) fn read_requests<D: Decode>(
        &mut self,
        files: Range<usize>,
        look: Look<'_>,
        decode: &D,
        progress: &mut Progress,
        sink: &mut impl FnMut(Rows<D::Value, D::Memory>) -> Result<()>,
    ) -> Result<()> {
        let (logs, options) = (Arc::clone(&self.logs), self.options.clone());
        let few: Vec<io::Result<Found<D>>> = logs[files.clone()]
            .par_iter()
            .with_min_len(8)
            .map(|log| read_request(log, &options, look, decode))
            .collect();
        for (file, found) in files.zip(few) {
            match found {
                Ok((block, read)) => {
                    if let Some(block) = block {
                        progress.read(block.value.bytes);
                        self.tell(file, &block);
                        sink(Placer::new(file, &logs[file]).place(block))?;
                    }
                    self.count(read);
                }
                Err(e) => self.unreadable(file, &e),
            }
        }
        Ok(())
    }
}

fn read_request<D: Decode>(
    log: &Log,
    options: &ReaderOptions,
    look: Look<'_>,
    decode: &D,
) -> io::Result<Found<D>> {
    let mut reader = log.reader(log.open()?, options);
    let work = |block: &jsonl::Block<'_>| scan::block(block, log.about(), look, decode);
    let found = match reader.next(&work)? {
        Batch::Blocks(blocks) => blocks.into_iter().next(),
        Batch::Quiet | Batch::End => None,
    };
    Ok((found, (reader.lines(), reader.bytes())))
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

//! Blocks that are one captured request each, over any number of lines.

use agentlog::capture::Request;
use agentlog::zone::Clock;
use jsonl::{Block, Grep, Line};

use super::{Decode, Item, OVERSIZE_SHOWN, Scanned, Used, bad};
use crate::captured::LARGEST;
use crate::look::Look;
use crate::report::BadLine;

/// Decodes a request. What was cut short is bad, and not partial: it is never written on.
pub(super) fn block_into<D: Decode>(
    block: &Block<'_>,
    look: Look<'_>,
    decode: &D,
    used: Used<D>,
) -> Scanned<D::Value, D::Memory> {
    let mut found = Scanned::new(block, used);
    found.known = true;
    if !decode.wants_requests() {
        return found;
    }
    let all = Line { bytes: block.bytes, number: 0, offset: block.offset, ended: false };
    if let Some(len) = block.oversize {
        found.bad.push(oversize(&all, len));
        return found;
    }
    let matches = |grep: &Grep| {
        let mut any = false;
        grep.lines(block, |_| any = true);
        any
    };
    let wanted = match look {
        // What does not match is not judged.
        Look::Grep(grep, _) if !matches(grep) => return found,
        Look::GrepStrict(grep) => matches(grep),
        _ => true,
    };
    let text = document(block);
    match Request::parse(text.bytes) {
        Ok(request) => {
            found.events += 1;
            let clock = request.clock();
            found.last = clock;
            let value = || decode.request(&request, text.bytes, &mut found.arena);
            if let Some(value) = wanted.then(value).flatten() {
                let (line, offset, len) = (text.number, text.offset, text.bytes.len() as u64);
                found.items.push(Item { clock, line, offset, len, value });
            }
        }
        Err(fault) => found.bad.push(bad(&all, 0..block.bytes.len(), fault.to_string())),
    }
    found
}

/// When a request was sent, as far as it tells.
pub(super) fn clock(block: &Block<'_>) -> Clock {
    Request::parse(document(block).bytes).map_or(Clock::Missing, |request| request.clock())
}

/// The request without a byte order mark before it and white space behind it.
fn document<'a>(block: &Block<'a>) -> Line<'a> {
    let first = block.line_at(0, 0);
    let mark = (first.offset - block.offset) as usize;
    Line { bytes: block.bytes[mark..].trim_ascii_end(), ..first }
}

fn oversize(line: &Line<'_>, len: u64) -> BadLine {
    let reason = if len > LARGEST {
        format!("larger than any request, which are of 32 MiB at the most: {len} bytes")
    } else {
        format!("longer than --max-line: {len} bytes")
    };
    let shown = line.bytes.len().min(OVERSIZE_SHOWN);
    BadLine { len, ..bad(line, 0..shown, reason) }
}

//! Which rows are read, and what is kept of them: all of them, with what the modes look into.

use agentlog::capture::Request;
use agentlog::native::{self, Meta, Wants};
use agentlog::sse;
use agentlog::zone::Clock;
use cli::{Decode, Kept, Memory};
use extract::Facts;

/// Keeps every row.
pub struct ExtractRows;

impl Decode for ExtractRows {
    type Value = Kept;
    type Memory = Memory;

    fn wants(&self, _: &str) -> bool {
        true
    }

    fn alike(&self, event: &[u8], row: &[u8], memory: &mut Memory) -> Option<(Clock, Kept)> {
        if !event.ends_with(b"delta") {
            return None;
        }
        memory.read_alike_with(event, row, Facts::of_sibling)
    }

    fn value(&self, row: &sse::Row<'_>, raw: &[u8], memory: &mut Memory) -> Option<Kept> {
        let kept = memory.keep_with(row, sse::what_of, Some(Facts::of_sse(row)));
        memory.learn_with(row, raw, &kept);
        Some(kept)
    }

    fn wants_requests(&self) -> bool {
        true
    }

    fn request(&self, request: &Request<'_>, _: &[u8], memory: &mut Memory) -> Option<Kept> {
        Some(memory.keep_beside(request.head(), Facts::of_request(request)))
    }

    fn native(
        &self,
        row: &native::Row<'_>,
        _: Option<&Meta>,
        raw: &[u8],
        memory: &mut Memory,
        each: &mut dyn FnMut(Kept),
    ) {
        memory.keep_native(row, raw, Wants::ALL, Some(Facts::of_native(row, raw)), each);
    }
}

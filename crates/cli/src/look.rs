//! Which lines of a log are looked at, and which are passed over unread.

use agentlog::sse;
use jsonl::{Grep, LongLine, Needles};

use crate::format::About;
use crate::scan::Decode;

/// Which lines are looked at.
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// Every line.
    All,
    /// Lines that start with the name of a wanted event, or with no event's name.
    Names,
    /// Lines that hold a needle. Rows that start with another event's name are passed over.
    Needles(&'a Needles),
    /// Lines that match. Lines with one of the needles tell offsets, but no more.
    Grep(&'a Grep, &'a Needles),
    /// The same, but the other lines are checked too.
    GrepStrict(&'a Grep),
}

impl Look<'_> {
    /// Whether a line that reaches far past its chunk has to be read.
    pub fn peek<D: Decode>(
        self,
        about: About<'_>,
        decode: &D,
        line: &LongLine<'_>,
    ) -> std::io::Result<bool> {
        if let Some(dialect) = about.format.dialect() {
            let reads_some = matches!(self, Self::Names | Self::Needles(_));
            let needles = decode.needles(dialect).filter(|_| reads_some);
            let has =
                |needles: &Needles| line.any(needles.longest(), |window| needles.found_in(window));
            return needles.map_or(Ok(true), has);
        }
        let needles = match self {
            Self::Needles(needles) => Some(needles),
            Self::Names => None,
            _ => return Ok(true),
        };
        let head = line.head()?;
        match sse::leading_name(&head) {
            // Only a whole row of another writer behind this one could matter. Its mark has 10
            // bytes, so that it cannot hide in a seam of 16.
            Some(name) if !wanted_name(decode, name) => line.any(16, sse::has_interior_row),
            Some(_) => Ok(true),
            None => needles.map_or(Ok(true), |needles| {
                line.any(needles.longest(), |window| needles.found_in(window))
            }),
        }
    }
}

pub(crate) fn wanted_name<D: Decode>(decode: &D, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return true };
    decode.wants(name) || sse::ZONE_EVENTS.contains(&name)
}

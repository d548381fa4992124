//! What rows of one turn have in common: how they end.

use std::ops::Range;

use super::{is_number, is_whole, place_in};
use crate::event::Provider;
use crate::sse::{Row, provider_of};
use crate::zone::ZoneKey;

/// A row from the quote that ends `line`: with the metadata, flow, round and session of its turn.
#[derive(Debug)]
pub(super) struct Ending {
    text: Vec<u8>,
    /// Where `data_count` stands in it, if it is there.
    count: Option<Range<usize>>,
    pub key: ZoneKey,
    pub provider: Provider,
    /// What the caller knows of the head.
    pub head: u32,
}

impl Ending {
    pub(super) fn of(row: &Row<'_>, raw: &[u8], start: usize, head: u32) -> Option<Self> {
        let key = row.zone_key();
        if key.is_partial() || row.envelope.metadata.is_none() {
            return None;
        }
        let count = match row.envelope.data_count {
            Some(count) => Some(place_in(raw, Some(count).filter(is_whole)?)?),
            None => None,
        };
        let count = count.map(|count| count.start - start..count.end - start);
        let provider = provider_of(&row.name)?;
        Some(Self { text: raw[start..].to_vec(), count, key, provider, head })
    }

    /// Where the ending starts in a row that ends so. If the row is JSON at all, it is of the same
    /// turn: outside a string the quote that comes first would start one, and what follows would
    /// be no JSON; and no other value could follow the ending.
    #[inline]
    pub(super) fn start_in(&self, row: &[u8]) -> Option<usize> {
        let rest = match &self.count {
            None => row.strip_suffix(&self.text[..])?,
            Some(count) => {
                let rest = row.strip_suffix(&self.text[count.end..])?;
                let digits = rest.iter().rev().take_while(|b| b.is_ascii_digit()).count();
                let (rest, number) = rest.split_at(rest.len() - digits);
                rest.strip_suffix(&self.text[..count.start]).filter(|_| is_number(number))?
            }
        };
        Some(rest.len())
    }
}

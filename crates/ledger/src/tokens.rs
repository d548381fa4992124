//! Token usage with one meaning for all providers.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// What was used up, in tokens. Sums stop at the largest number rather than start anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Fresh input: neither read from the cache nor written to it.
    pub input: u64,
    /// Input that was read from the cache.
    pub cache_read: u64,
    /// Input that was written to the cache.
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour, and costs more.
    pub cache_write_1h: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
}

impl Tokens {
    /// Everything: fresh input, cache and output.
    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }

    /// What was sent: fresh input and cache.
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// Whether nothing was used up.
    pub fn is_zero(&self) -> bool {
        self.total() == 0
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        let Self { input, cache_read, cache_write, cache_write_1h, output, reasoning } = other;
        for (mine, more) in [
            (&mut self.input, input),
            (&mut self.cache_read, cache_read),
            (&mut self.cache_write, cache_write),
            (&mut self.cache_write_1h, cache_write_1h),
            (&mut self.output, output),
            (&mut self.reasoning, reasoning),
        ] {
            *mine = mine.saturating_add(more);
        }
    }
}

impl Add for Tokens {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::iter::Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

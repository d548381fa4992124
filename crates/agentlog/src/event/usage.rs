//! Tokens as rows report them. What they add up to is a matter of folds.

use serde::{Deserialize, Serialize};

/// Token counts as one row tells them, in the writer's own meaning: Codex's `input` includes what
/// was read from the cache, Claude's does not. What a row does not say is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// `input_tokens`.
    pub input: i64,
    /// `cached_input_tokens`, `cached_tokens`, `cache_read_input_tokens`.
    pub cache_read: i64,
    /// `cache_creation_input_tokens`.
    pub cache_write: i64,
    /// The part of `cache_write` that is kept for an hour.
    pub cache_write_1h: i64,
    /// `output_tokens`.
    pub output: i64,
    /// `reasoning_output_tokens`, `reasoning_tokens`: a part of the output.
    pub reasoning: i64,
    /// `total_tokens`; none if the row does not say.
    pub total: Option<i64>,
}

impl Usage {
    /// As counters of Codex, for [`ledger::Counts`].
    pub fn reading(&self) -> ledger::Reading {
        ledger::Reading {
            input: count(self.input),
            cached: count(self.cache_read),
            output: count(self.output),
            reasoning: count(self.reasoning),
            total: self.total.map(count),
        }
    }

    /// As what a request of Claude used up.
    pub fn tokens(&self) -> ledger::Tokens {
        ledger::Tokens {
            input: count(self.input),
            cache_read: count(self.cache_read),
            cache_write: count(self.cache_write),
            cache_write_1h: count(self.cache_write_1h),
            output: count(self.output),
            reasoning: count(self.reasoning),
        }
    }
}

/// Nothing is used up less than not at all, whatever a row says.
fn count(told: i64) -> u64 {
    u64::try_from(told).unwrap_or(0)
}

/// `turn.token_count`, `codex.token_count`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenCount {
    /// Which of the twins it is.
    pub source: ledger::Source,
    /// What the process used up so far (`total_token_usage`); none where `info` is null.
    pub totals: Option<Usage>,
    /// What the last request used up.
    pub last: Option<Usage>,
    /// `model_context_window`, in tokens.
    pub context_window: Option<i64>,
    /// The account's limits, if told.
    pub limits: RateLimits,
}

impl TokenCount {
    /// Totals and last request, as counters of Codex.
    pub fn readings(&self) -> (Option<ledger::Reading>, Option<ledger::Reading>) {
        let reading = |usage: Option<Usage>| usage.map(|usage| usage.reading());
        (reading(self.totals), reading(self.last))
    }
}

/// The limits of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct RateLimits {
    pub primary: Option<RateLimit>,
    pub secondary: Option<RateLimit>,
}

/// How much of a limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Percent.
    pub used_percent: f64,
    /// Length of the window in minutes.
    pub window_minutes: Option<i64>,
    /// When the window ends, in seconds since the epoch.
    pub resets_at: Option<i64>,
}

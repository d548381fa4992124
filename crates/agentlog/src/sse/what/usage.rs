//! Token counts in rows of both agents.

use super::{object, whole};
use crate::event::{RateLimit, RateLimits, TokenCount, Usage, UsageForm, What};
use crate::json::{self, Kind, Value};
use crate::sse::{Row, member};

/// A token count row of Codex: `{info: null | {…}, rate_limits}`.
pub(super) fn count(row: &Row<'_>, form: UsageForm) -> Option<What> {
    let info = object(row, "info");
    let of = |key| member(info?, key);
    row.inner.payload?;
    Some(What::TokenCount(Box::new(TokenCount {
        form,
        totals: of("total_token_usage").and_then(usage),
        last: of("last_token_usage").and_then(usage),
        context_window: of("model_context_window").and_then(whole),
        limits: object(row, "rate_limits").map(limits).unwrap_or_default(),
    })))
}

/// The counts in a usage object of either agent; none if it is no object.
pub(super) fn usage(value: Value<'_>) -> Option<Usage> {
    if value.kind != Kind::Object {
        return None;
    }
    let mut usage = Usage::default();
    json::fields(value.raw, |key, value| {
        let slot = match key {
            "input_tokens" => &mut usage.input,
            "cached_input_tokens" | "cache_read_input_tokens" => &mut usage.cache_read,
            "cache_creation_input_tokens" => &mut usage.cache_write,
            "output_tokens" => &mut usage.output,
            "reasoning_output_tokens" => &mut usage.reasoning,
            "total_tokens" => return usage.total = whole(value),
            "input_tokens_details" => return set(&mut usage.cache_read, value, "cached_tokens"),
            "output_tokens_details" => return set(&mut usage.reasoning, value, "reasoning_tokens"),
            "cache_creation" => {
                return set(&mut usage.cache_write_1h, value, "ephemeral_1h_input_tokens");
            }
            _ => return,
        };
        *slot = whole(value).unwrap_or(*slot);
    })
    .ok()?;
    Some(usage)
}

fn set(slot: &mut i64, details: Value<'_>, key: &str) {
    if let Some(count) = member(details, key).and_then(whole) {
        *slot = count;
    }
}

fn limits(value: Value<'_>) -> RateLimits {
    let limit = |key| {
        let window = member(value, key)?;
        Some(RateLimit {
            used_percent: percent(member(window, "used_percent")?)?,
            window_minutes: member(window, "window_minutes").and_then(whole),
            resets_at: member(window, "resets_at").and_then(whole),
        })
    };
    RateLimits { primary: limit("primary"), secondary: limit("secondary") }
}

/// A number that can be printed: `1e999` is JSON, too.
fn percent(value: Value<'_>) -> Option<f64> {
    value.raw.parse().ok().filter(|n: &f64| n.is_finite())
}

//! Token counts in rows of both agents.

use ledger::Source;

use super::whole;
use crate::event::{RateLimit, RateLimits, TokenCount, Usage, What};
use crate::json::{self, Kind, Value};
use crate::sse::{Row, member};

/// A token count row of Codex: `{info: null | {…}, rate_limits}`. Every object in it is walked
/// once: these rows are many.
pub(super) fn count(row: &Row<'_>, source: Source) -> Option<What> {
    Some(What::TokenCount(Box::new(count_of(row.inner.payload?, source))))
}

/// The counts in the payload of such a row.
pub(crate) fn count_of(payload: Value<'_>, source: Source) -> TokenCount {
    let mut count = TokenCount {
        source,
        totals: None,
        last: None,
        context_window: None,
        limits: RateLimits::default(),
    };
    each(payload, |key, value| match key {
        "info" => each(value, |key, value| match key {
            "total_token_usage" => count.totals = usage(value),
            "last_token_usage" => count.last = usage(value),
            "model_context_window" => count.context_window = whole(value),
            _ => {}
        }),
        "rate_limits" => each(value, |key, value| match key {
            "primary" => count.limits.primary = limit(value),
            "secondary" => count.limits.secondary = limit(value),
            _ => {}
        }),
        _ => {}
    });
    count
}

/// Walks an object; anything else has no members.
fn each<'a>(value: Value<'a>, visit: impl FnMut(&'a str, Value<'a>)) {
    if value.kind == Kind::Object {
        // What is not JSON was told when the row was opened.
        let _ = json::fields(value.raw, visit);
    }
}

/// The counts in a usage object of either agent; none if it is no object.
pub(crate) fn usage(value: Value<'_>) -> Option<Usage> {
    usage_and(value, |_, _| {})
}

/// The same; `other` is told what else stands in it.
pub(crate) fn usage_and<'a>(
    value: Value<'a>,
    mut other: impl FnMut(&'a str, Value<'a>),
) -> Option<Usage> {
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
            _ => return other(key, value),
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

fn limit(value: Value<'_>) -> Option<RateLimit> {
    let (mut used_percent, mut window_minutes, mut resets_at) = (None, None, None);
    each(value, |key, value| match key {
        "used_percent" => used_percent = percent(value),
        "window_minutes" => window_minutes = whole(value),
        "resets_at" => resets_at = whole(value),
        _ => {}
    });
    Some(RateLimit { used_percent: used_percent?, window_minutes, resets_at })
}

/// A number that can be printed: `1e999` is JSON, too.
fn percent(value: Value<'_>) -> Option<f64> {
    value.raw.parse().ok().filter(|n: &f64| n.is_finite())
}

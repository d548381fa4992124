//! The columns of a table: what calls are grouped by, what they used up, and what was asked for.

use agentlog::fold::tokens::By;

/// The columns of a table: what calls are grouped by, what they used up, and what was asked for.
pub fn columns(by: &[By], cost: bool, limits: bool) -> Vec<&'static str> {
    let mut columns: Vec<&'static str> = Vec::new();
    let mut add = |more: &[&'static str]| {
        for column in more {
            if !columns.contains(column) {
                columns.push(column);
            }
        }
    };
    for key in by {
        add(match key {
            By::Session => &["t", "provider", "sid"],
            By::Turn => &["t", "provider", "sid", "session_turn"],
            By::Call => &["t", "provider", "sid", "call", "model"],
            By::Hour => &["hour"],
            By::Day => &["day"],
            By::Week => &["week"],
            By::Month => &["month"],
            By::Model => &["model"],
            By::Provider => &["provider"],
            By::Project => &["project"],
            By::All => &["by"],
        });
    }
    add(&["calls", "input_tokens", "cache_read_tokens", "cache_write_tokens"]);
    add(&["output_tokens", "total_tokens"]);
    if by.contains(&By::Call) {
        add(&["context_tokens"]);
    }
    if cost {
        add(&["cost_usd", "unpriced_tokens"]);
    }
    if limits {
        add(&["rate_limits.primary.last", "rate_limits.primary.peak"]);
        add(&["rate_limits.secondary.last", "rate_limits.secondary.peak"]);
    }
    columns
}

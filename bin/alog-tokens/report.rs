//! From what processes used up to what is printed: the sessions that are meant, and the columns of
//! a table.

use std::collections::BTreeSet;

use agentlog::fold::tokens::{By, Share};
use anyhow::Result;
use cli::{Run, Sink};

/// What processes used up, until all sessions of the input are known.
#[derive(Default)]
pub struct Shares(Vec<Share>);

impl Sink<Share> for Shares {
    fn take(&mut self, records: &mut Vec<Share>) -> Result<()> {
        self.0.append(records);
        Ok(())
    }

    fn restart(&mut self) {
        self.0.clear();
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Shares {
    /// Those of the sessions that `--session` means, now that all that fit are known.
    pub fn of_named_sessions(mut self, run: &mut Run) -> Result<Vec<Share>> {
        if run.selection.names_sessions() {
            let sids: BTreeSet<String> =
                self.0.iter().filter_map(|share| Some(share.sid.as_deref()?.to_owned())).collect();
            if sids.is_empty() {
                run.report.remark("--session: no such session in what was read");
            }
            run.selection.settle(&sids)?;
            self.0.retain(|share| run.selection.session(share.sid.as_deref()));
        }
        Ok(self.0)
    }
}

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

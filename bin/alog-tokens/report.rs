//! The columns of a table: what calls are grouped by, what they used up, and what was asked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use agentlog::fold::tokens::{self, By, Group, Share};
use agentlog::record::SrcPath;
use anyhow::Result;
use cli::{Records, Run, Selection, Sink};
use ledger::Prices;

/// What processes used up, until all sessions of the input are known.
pub struct Groups {
    used: Vec<Share>,
    records: Records<Box<Group>>,
    by: Arc<[By]>,
    prices: Option<Prices>,
    limits: bool,
    /// Which sessions are meant.
    selection: Selection,
}

/// How often running groups are printed: they are put together from all that is known.
const RUNNING: Duration = Duration::from_secs(1);

impl Sink<Share> for Groups {
    fn take(&mut self, records: &mut Vec<Share>) -> Result<()> {
        self.used.append(records);
        Ok(())
    }

    fn restart(&mut self) {
        self.used.clear();
    }

    fn flush(&mut self) -> Result<()> {
        self.records.flush()
    }

    fn log_came(&mut self, path: &SrcPath) {
        self.records.log_came(path);
    }

    fn wants_open(&self) -> Option<Duration> {
        self.records.has_states().then_some(RUNNING)
    }

    fn take_open(&mut self, shares: &mut Vec<Share>) -> Result<()> {
        shares.retain(|share| self.selection.session(share.sid.as_deref()));
        let mut groups = self.groups(std::mem::take(shares));
        self.records.take_open(&mut groups)
    }
}

impl Groups {
    /// Nothing was used up yet. Groups are made by these keys, with what they cost if there are
    /// prices, and with those that tell nothing but limits if these are wanted.
    pub fn new(
        run: &Run,
        records: Records<Box<Group>>,
        (by, prices, limits): (Arc<[By]>, Option<Prices>, bool),
    ) -> Self {
        let (used, selection) = (Vec::new(), run.selection.clone());
        Self { used, records, by, prices, limits, selection }
    }

    #[allow(clippy::vec_box)] // As they are made.
    fn groups(&self, shares: Vec<Share>) -> Vec<Box<Group>> {
        tokens::groups(shares, &self.by, self.prices.as_ref(), self.limits)
    }

    /// Prints the groups, now that all sessions that fit those of `--session` are known.
    pub fn finish(mut self, run: &mut Run) -> Result<()> {
        if run.selection.names_sessions() {
            let sids = self.used.iter().filter_map(|share| Some(share.sid.as_deref()?.to_owned()));
            let sids: BTreeSet<String> = sids.collect();
            if sids.is_empty() {
                run.report.remark("--session: no such session in what was read");
            }
            run.selection.settle(&sids)?;
            self.used.retain(|share| run.selection.session(share.sid.as_deref()));
        }
        let shares = std::mem::take(&mut self.used);
        let mut groups = self.groups(shares);
        self.records.take(&mut groups)?;
        self.records.finish(run)
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

//! What the calls of each tool come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::{Call, CallKind, State};
use crate::event::{Head, Provider, Src};
use crate::fold::Agreed;

/// The calls of one tool.
#[derive(Clone, Debug)]
pub struct CallStats {
    /// The first call's time, in milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// The row that the first call starts from.
    pub src: Src,
    /// What the calls agree on.
    pub head: Arc<Head>,
    /// The tool's name.
    pub name: Option<Box<str>>,
    /// Its kind.
    pub kind: Option<CallKind>,
    /// How many calls.
    pub calls: u64,
    /// How many of each state, in the order of [`State::ALL`].
    pub states: [u64; State::ALL.len()],
    /// How many went wrong, with or without a result.
    pub failures: u64,
    /// How many broke a rule.
    pub violating: u64,
    /// Half of the durations known are at most so long, in milliseconds.
    pub p50_ms: Option<i64>,
    /// 95 of 100 are.
    pub p95_ms: Option<i64>,
    /// Bytes of all arguments.
    pub args_bytes: u64,
    /// Bytes of all results.
    pub output_bytes: u64,
}

/// Adds the calls up by agent, name and kind of the tool; most calls first.
pub fn stats(calls: &[Call]) -> Vec<CallStats> {
    type Tool<'a> = (Option<Provider>, Option<&'a str>, Option<CallKind>);
    let mut tools: BTreeMap<Tool<'_>, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        let tool = (call.head.provider, call.name.as_deref(), call.kind);
        tools.entry(tool).or_default().push(call);
    }
    let mut all: Vec<_> = tools.into_values().filter_map(|calls| of_tool(&calls)).collect();
    all.sort_by_key(|tool| std::cmp::Reverse(tool.calls));
    all
}

fn of_tool(calls: &[&Call]) -> Option<CallStats> {
    let first = calls.iter().min_by_key(|call| (call.t, call.src))?;
    let mut agreed = Agreed::default();
    for call in calls {
        agreed.add(&call.head);
    }
    let mut durations: Vec<i64> = calls.iter().filter_map(|call| call.duration_ms).collect();
    durations.sort_unstable();
    let count = |wanted: &dyn Fn(&Call) -> bool| calls.iter().filter(|c| wanted(c)).count() as u64;
    let sum = |of: fn(&Call) -> Option<u64>| calls.iter().filter_map(|call| of(call)).sum();
    Some(CallStats {
        t: first.t,
        src: first.src,
        head: Arc::clone(agreed.head()),
        name: first.name.clone(),
        kind: first.kind,
        calls: calls.len() as u64,
        states: State::ALL.map(|state| count(&|call| call.state == state)),
        failures: count(&|call| call.ok == Some(false)),
        violating: count(&|call| !call.violations.is_empty()),
        p50_ms: percentile(&durations, 50),
        p95_ms: percentile(&durations, 95),
        args_bytes: sum(|call| call.args_bytes),
        output_bytes: sum(|call| call.output_bytes),
    })
}

/// The smallest value that so many percent are not above (nearest rank).
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_by_nearest_rank() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 95), Some(95));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[1, 2, 3], 50), Some(2));
        assert_eq!(percentile(&[], 50), None);
    }
}

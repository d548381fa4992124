//! Which records stay: of those that say the same one, and of each mode no more than were asked for.

use std::collections::HashMap;

use cli::Limit;
use foldhash::fast::FixedState;

use super::scribe::Slip;

/// Of the slips that say the same the first, or the last, in their order.
pub(super) fn without_doubles(kept: Vec<Slip>, last: bool) -> Vec<Slip> {
    let mut at: HashMap<u64, usize, FixedState> = HashMap::default();
    let mut single: Vec<Option<Slip>> = Vec::with_capacity(kept.len());
    for slip in kept {
        let next = single.len();
        let known = at.entry(slip.same).or_insert(next);
        match single.get_mut(*known) {
            Some(first) if last => {
                let count = first.take().map_or(0, |first| first.count) + slip.count;
                single.push(Some(Slip { count, ..slip }));
                *known = next;
            }
            Some(Some(first)) => first.count += slip.count,
            _ => single.push(Some(slip)),
        }
    }
    single.into_iter().flatten().collect()
}

/// Leaves as many of each mode as were asked for.
pub(super) fn limit(kept: &mut Vec<Slip>, limit: Limit, modes: usize) {
    let mut left = vec![0u64; modes];
    let n = match limit {
        Limit::None => return,
        Limit::First(n) | Limit::Last(n) => n,
    };
    let mut fits = |slip: &Slip| {
        let taken = &mut left[slip.mode as usize];
        *taken += 1;
        *taken <= n
    };
    if matches!(limit, Limit::First(_)) {
        kept.retain(|slip| fits(slip));
        return;
    }
    let mut latest: Vec<Slip> = kept.iter().rev().filter(|slip| fits(slip)).copied().collect();
    latest.reverse();
    *kept = latest;
}

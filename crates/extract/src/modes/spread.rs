//! How many there are, and how large, in memory that does not grow with them.

/// So many values are kept as they are.
const EXACT: usize = 4096;
/// Steps within one power of two: a value is told to half a step, four thousandths of itself.
const STEPS: u64 = 128;

/// Values: how many, their sum, the largest, and percentiles. Percentiles are exact while there are
/// fewer than 4,096 values, and within 1 % of the true value from then on.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// How many there are.
    pub count: u64,
    /// What they add up to.
    pub sum: u64,
    /// The largest.
    pub max: u64,
    values: Vec<u64>,
    /// How many values there are on each step, once they are too many to be kept.
    steps: Vec<u64>,
}

impl Spread {
    /// Takes a value.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.max = self.max.max(value);
        if !self.steps.is_empty() {
            return self.step(value);
        }
        self.values.push(value);
        if self.values.len() >= EXACT {
            for value in std::mem::take(&mut self.values) {
                self.step(value);
            }
        }
    }

    fn step(&mut self, value: u64) {
        let at = step_of(value);
        if at >= self.steps.len() {
            self.steps.resize(at + 1, 0);
        }
        self.steps[at] += 1;
    }

    /// The values below which so many percent of all lie, by the nearest rank; none of none.
    pub fn percentiles<const N: usize>(&mut self, percents: [u64; N]) -> [Option<u64>; N] {
        self.values.sort_unstable();
        percents.map(|percent| {
            let rank = (self.count.checked_mul(percent)?).div_ceil(100).max(1);
            if self.steps.is_empty() {
                return self.values.get(rank as usize - 1).copied();
            }
            let mut below = 0;
            let step = self.steps.iter().position(|count| {
                below += count;
                below >= rank
            });
            step.map(|step| value_of(step).min(self.max))
        })
    }
}

/// The step that a value is on: values below [`STEPS`] have one each.
fn step_of(value: u64) -> usize {
    let power = (value | 1).ilog2().saturating_sub(STEPS.ilog2());
    (u64::from(power) * STEPS + (value >> power)) as usize
}

/// The middle of a step.
fn value_of(step: usize) -> u64 {
    let step = step as u64;
    if step < 2 * STEPS {
        return step;
    }
    let power = step / STEPS - 1;
    let low = (step - power * STEPS) << power;
    low + (1 << power) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentiles([50]), [None]);
        for value in (1..=100).rev() {
            spread.add(value * 1001);
        }
        assert_eq!(
            spread.percentiles([50, 90, 99, 100]),
            [50, 90, 99, 100].map(|n| Some(n * 1001))
        );
        assert_eq!((spread.count, spread.sum, spread.max), (100, 5050 * 1001, 100_100));
    }

    #[test]
    fn many_values_are_told_within_one_percent() {
        let mut spread = Spread::default();
        for value in 1..=100_000u64 {
            spread.add(value * 37);
        }
        for percent in [1, 10, 50, 90, 99, 100] {
            let [Some(found)] = spread.percentiles([percent]) else { panic!() };
            let exact = percent as f64 * 1000.0 * 37.0;
            assert!((found as f64 / exact - 1.0).abs() < 0.01, "{percent}: {found} {exact}");
        }
        assert_eq!(spread.max, 3_700_000);
        assert!(spread.values.is_empty() && spread.steps.len() < 5000);
        spread.add(u64::MAX);
        assert_eq!(spread.percentiles([100])[0], Some(value_of(step_of(u64::MAX))));
    }

    #[test]
    fn steps_and_values_fit() {
        for value in (0..70_000).chain([1 << 33, (1 << 40) + 12345]) {
            let back = value_of(step_of(value));
            assert!(back.abs_diff(value) * 200 <= value, "{value} {back}");
        }
    }
}

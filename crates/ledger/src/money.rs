//! Sums of money without rounding.

use std::fmt;
use std::ops::AddAssign;

/// An amount of US dollars. It is a whole number of picodollars (10⁻¹²): the price of a token is,
/// since prices per million tokens have at most six decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i128);

/// Decimals that are printed at the least.
const DECIMALS: usize = 6;

impl Money {
    /// The amount in picodollars.
    pub fn picodollars(self) -> i128 {
        self.0
    }

    /// So many tokens at a price per million of them.
    pub(crate) fn of(tokens: u64, price: Self) -> Self {
        Self(i128::from(tokens) * price.0 / 1_000_000)
    }

    /// Reads an amount as it is written, such as `1.25`; none if it is negative, not a decimal, or
    /// finer than six decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || part.len() > DECIMALS || !digits(part) {
            return None;
        }
        let whole: i128 = whole.parse().ok().filter(|_| digits(whole))?;
        let part: i128 = format!("{part:0<6}").parse().ok()?;
        Some(Self((whole * 1_000_000 + part) * 1_000_000))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for Money {
    /// All decimals that are not 0, and six at the least: `0.001250`, `0.00000125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DOLLAR: i128 = 1_000_000_000_000;
        let part = format!("{:012}", self.0 % DOLLAR);
        let exact = part.trim_end_matches('0').len().max(DECIMALS);
        write!(f, "{}.{}", self.0 / DOLLAR, &part[..exact])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_as_they_are_written() {
        for (text, shown) in [
            ("0", Some("0.000000")),
            ("3", Some("3.000000")),
            ("1.25", Some("1.250000")),
            ("0.0375", Some("0.037500")),
            ("0.000001", Some("0.000001")),
            ("0.0000001", None),
            ("-1", None),
            ("1e3", None),
            ("+1", None),
            ("", None),
            (".5", None),
            ("9999999999999", None),
        ] {
            assert_eq!(Money::parse(text).map(|m| m.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn nothing_is_rounded() {
        let price = Money::parse("0.075").unwrap();
        assert_eq!(Money::of(1, price).to_string(), "0.000000075");
        assert_eq!(Money::of(1_000_000, price), price);
        let mut sum = Money::default();
        for _ in 0..3 {
            sum += Money::of(7, price);
        }
        assert_eq!(sum, Money::of(21, price));
        assert_eq!(Money::of(u64::MAX, Money::parse("999999").unwrap()).to_string().len(), 27);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(whole in 0..1_000_000u64, part in 0..1_000_000u64) {
            let text = format!("{whole}.{part:06}");
            prop_assert_eq!(Money::parse(&text).unwrap().to_string(), text);
        }
    }
}

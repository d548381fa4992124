//! What tokens cost: a table of models and prices, which is data and never fetched.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Money, Tokens};

/// The table that comes with this crate. Its entries say where each price is from, and of when.
const TABLE: &str = include_str!("../data/prices.json");

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// It is not JSON, or not of this form.
    #[error("not a price table")]
    Form(#[from] serde_json::Error),
    /// It is in another currency or for another number of tokens.
    #[error("prices must be in USD per 1000000 tokens, not in {currency} per {per_tokens}")]
    Unit {
        /// What the table says.
        currency: String,
        /// What the table says.
        per_tokens: u64,
    },
    /// A price that is none.
    #[error("model {model}: {part} is {price}: expected dollars with at most six decimals")]
    Price {
        /// Of which model.
        model: String,
        /// Of which part.
        part: &'static str,
        /// What the table says.
        price: String,
    },
    /// A model is there twice.
    #[error("model {0}: is there twice")]
    Twice(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    currency: String,
    per_tokens: u64,
    #[serde(default)]
    #[allow(dead_code, reason = "for the reader of the table")]
    note: String,
    models: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    model: String,
    input: Option<f64>,
    cache_read: Option<f64>,
    cache_write_5m: Option<f64>,
    cache_write_1h: Option<f64>,
    output: Option<f64>,
    #[serde(default)]
    #[allow(dead_code, reason = "for the reader of the table")]
    source: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for the reader of the table")]
    date: String,
}

/// What a model costs, per million tokens. A part that has no price is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Fresh input.
    pub input: Option<Money>,
    /// Input read from the cache.
    pub cache_read: Option<Money>,
    /// Input written to the cache for five minutes.
    pub cache_write_5m: Option<Money>,
    /// Input written to the cache for an hour.
    pub cache_write_1h: Option<Money>,
    /// Output, reasoning included.
    pub output: Option<Money>,
}

impl Price {
    fn of(entry: &Entry) -> Result<Self, PriceError> {
        let price = |part, dollars: Option<f64>| {
            // The shortest text of a float is what was written.
            let read = |dollars: f64| {
                Money::parse(&dollars.to_string()).ok_or_else(|| PriceError::Price {
                    model: entry.model.clone(),
                    part,
                    price: dollars.to_string(),
                })
            };
            dollars.map(read).transpose()
        };
        Ok(Self {
            input: price("input", entry.input)?,
            cache_read: price("cache_read", entry.cache_read)?,
            cache_write_5m: price("cache_write_5m", entry.cache_write_5m)?,
            cache_write_1h: price("cache_write_1h", entry.cache_write_1h)?,
            output: price("output", entry.output)?,
        })
    }
}

/// What usage costs, as far as there are prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of the tokens that have a price; none if none has.
    pub usd: Option<Money>,
    /// Tokens without a price.
    pub unpriced: u64,
}

impl Cost {
    /// The cost of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let usd = match (self.usd, other.usd) {
            (Some(mut usd), Some(more)) => {
                usd += more;
                Some(usd)
            }
            (one, other) => one.or(other),
        };
        Self { usd, unpriced: self.unpriced.saturating_add(other.unpriced) }
    }
}

/// Prices of models, by the start of their names.
#[derive(Clone, Debug)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// The table that comes with this crate.
    pub fn built_in() -> Result<Self, PriceError> {
        Self::parse(TABLE)
    }

    /// Reads a table of the same form as `data/prices.json`.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let Table { currency, per_tokens, models, .. } = serde_json::from_str(text)?;
        if currency != "USD" || per_tokens != 1_000_000 {
            return Err(PriceError::Unit { currency, per_tokens });
        }
        let mut prices = BTreeMap::new();
        for entry in models {
            let price = Price::of(&entry)?;
            if prices.insert(entry.model.clone(), price).is_some() {
                return Err(PriceError::Twice(entry.model));
            }
        }
        Ok(Self(prices))
    }

    /// The price of a model: that of its name, else of the longest known name that it starts with,
    /// if what follows is a date or `latest` and so names the same model.
    pub fn of(&self, model: &str) -> Option<&Price> {
        // Routers put the provider before the name: `anthropic/claude-…`.
        let name = model.rsplit('/').next()?;
        let dated = || {
            let cuts = name.rmatch_indices(['-', '@']);
            cuts.filter(|(at, _)| is_date(&name[at + 1..]))
                .find_map(|(at, _)| self.0.get(&name[..at]))
        };
        self.0.get(name).or_else(dated)
    }

    /// What a model's usage costs. Usage of a model that is not known has no price.
    pub fn cost(&self, model: Option<&str>, tokens: &Tokens) -> Cost {
        let price = model.and_then(|model| self.of(model)).copied().unwrap_or_default();
        let hour = tokens.cache_write_1h.min(tokens.cache_write);
        let parts = [
            (tokens.input, price.input),
            (tokens.cache_read, price.cache_read),
            (tokens.cache_write - hour, price.cache_write_5m),
            (hour, price.cache_write_1h),
            (tokens.output, price.output),
        ];
        let cost = |(tokens, price): (u64, Option<Money>)| match price {
            Some(price) => Cost { usd: Some(Money::of(tokens, price)), unpriced: 0 },
            None => Cost { usd: None, unpriced: tokens },
        };
        parts.map(cost).into_iter().fold(Cost::default(), Cost::plus)
    }
}

/// Whether the end of a model's name only says which edition it is: `20250929`, `2025-08-07`,
/// `latest`.
fn is_date(end: &str) -> bool {
    let digits = end.bytes().filter(u8::is_ascii_digit).count();
    let rest = end.bytes().filter(|b| *b != b'-').count() - digits;
    end == "latest" || (digits == 8 && rest == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(models: &str) -> String {
        format!(r#"{{"currency":"USD","per_tokens":1000000,"models":[{models}]}}"#)
    }

    #[test]
    fn the_built_in_table_is_whole() {
        let prices = Prices::built_in().unwrap();
        for (model, input, output) in [
            ("claude-sonnet-4-5-20250929", "3", "15"),
            ("claude-sonnet-4-20250514", "3", "15"),
            ("claude-opus-4-1-20250805", "15", "75"),
            ("claude-haiku-4-5-20251001", "1", "5"),
            ("claude-3-5-haiku-latest", "0.8", "4"),
            ("anthropic/claude-3-7-sonnet@20250219", "3", "15"),
            ("gpt-5.1-codex-max", "1.25", "10"),
            ("gpt-5-2025-08-07", "1.25", "10"),
            ("gpt-5-codex", "1.25", "10"),
            ("codex-mini-latest", "1.5", "6"),
            ("o3", "2", "8"),
            ("o4-mini", "1.1", "4.4"),
        ] {
            let price = prices.of(model).unwrap_or_else(|| panic!("{model}"));
            assert_eq!(price.input, Money::parse(input), "{model}");
            assert_eq!(price.output, Money::parse(output), "{model}");
        }
        for (name, price) in &prices.0 {
            assert!(price.input.is_some() && price.output.is_some(), "{name}");
            assert!(price.cache_read.is_none_or(|read| Some(read) < price.input), "{name}");
            let claude = name.starts_with("claude");
            assert_eq!(price.cache_write_5m.is_some(), claude, "{name}");
            assert_eq!(price.cache_write_1h > price.cache_write_5m, claude, "{name}");
        }
        for entry in serde_json::from_str::<Table>(TABLE).unwrap().models {
            assert!(!entry.source.is_empty() && entry.date.len() == 10, "{}", entry.model);
        }
    }

    #[test]
    fn another_model_is_not_taken_for_one_with_a_shorter_name() {
        let prices = Prices::parse(&table(
            r#"{"model":"gpt-5","input":1},{"model":"gpt-5-mini","input":2}"#,
        ))
        .unwrap();
        let input = |model| prices.of(model).and_then(|price| price.input);
        assert_eq!(input("gpt-5-2025-08-07"), Money::parse("1"));
        assert_eq!(input("gpt-5-mini-2025-08-07"), Money::parse("2"));
        for other in ["gpt-5-nano", "gpt-5.9", "gpt-50", "gpt", "", "gpt-5-", "gpt-5-1234567"] {
            assert_eq!(input(other), None, "{other}");
        }
    }

    #[test]
    fn parts_without_a_price_are_counted() {
        let prices = Prices::parse(&table(
            r#"{"model":"m","input":3,"output":15,"cache_write_5m":3.75,"cache_write_1h":6}"#,
        ))
        .unwrap();
        let tokens = Tokens {
            input: 1000,
            cache_read: 70,
            cache_write: 30,
            cache_write_1h: 10,
            output: 100,
            reasoning: 9,
        };
        let cost = prices.cost(Some("m"), &tokens);
        // 1000·3 + 20·3.75 + 10·6 + 100·15 = 4635 millionths
        assert_eq!((cost.usd.unwrap().to_string().as_str(), cost.unpriced), ("0.004635", 70));
        for model in [None, Some("unknown")] {
            assert_eq!(prices.cost(model, &tokens), Cost { usd: None, unpriced: 1200 });
        }
        let both = cost.plus(prices.cost(None, &tokens));
        assert_eq!((both.usd, both.unpriced), (cost.usd, 1270));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (text, words) in [
            ("[1", "line 1 column 2"),
            (&table(r#"{"input":1}"#), "missing field `model`"),
            (&table(r#"{"model":"m","inptu":1}"#), "unknown field `inptu`"),
            (&table(r#"{"model":"m","input":-1}"#), "model m: input is -1"),
            (&table(r#"{"model":"m","output":0.0000001}"#), "model m: output is 0.0000001"),
            (&table(r#"{"model":"m"},{"model":"m"}"#), "model m: is there twice"),
            (r#"{"currency":"EUR","per_tokens":1000,"models":[]}"#, "not in EUR per 1000"),
        ] {
            let error = Prices::parse(text).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let error = format!("{error}: {}", source.unwrap_or_default());
            assert!(error.contains(words), "{error}");
        }
    }
}

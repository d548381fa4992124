//! What agents' token counts add up to, and what that costs. Numbers in, numbers out: no logs, no
//! files, no clock.
//!
//! [`Tokens`] is the principal type: usage with one meaning for all providers. [`Counts`] makes it
//! of the counts of a Codex process, [`Request`] of a request of Claude, and [`Prices`] says what
//! it costs.
//!
//! ```
//! use ledger::{Counts, Reading, Source};
//!
//! let said = |input, output| Some(Reading { input, output, ..Reading::default() });
//! let mut counts = Counts::default();
//! // The first row of a process adds its last request, later ones what the totals grew by.
//! assert_eq!(counts.totals(Source::Turn, said(900, 90), said(100, 10)).tokens.total(), 110);
//! assert_eq!(counts.totals(Source::Turn, said(1000, 100), None).tokens.total(), 110);
//! assert_eq!(counts.totals(Source::Turn, said(1000, 100), None).tokens.total(), 0);
//! assert_eq!(counts.chosen(), Some(Source::Turn));
//! ```

mod counts;
mod meter;
mod money;
mod prices;
mod request;
mod tokens;

pub use counts::{Counts, PerSource, Source};
pub use meter::{Added, How, Meter, Reading};
pub use money::Money;
pub use prices::{Cost, Price, PriceError, Prices};
pub use request::Request;
pub use tokens::Tokens;

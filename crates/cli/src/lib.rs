//! What all commands share: flags, the logs they name, the loop from bytes to rows, order,
//! output, and exit statuses.
//!
//! A command is a type with clap's `Parser` and a function from it to a [`Verdict`]; [`main`] ties
//! them together. [`Run`] is the principal type: it reads the logs and hands out rows.
//!
//! ```no_run
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: cli::CommonFlags,
//! }
//!
//! fn run(args: &Args) -> anyhow::Result<cli::Verdict> {
//!     let run = cli::Run::new(&args.common)?;
//!     Ok(run.report.finish())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     cli::main("alog-example", None, |args: &Args| &args.common, run)
//! }
//! ```

mod answers;
mod arenas;
mod captured;
mod deltas;
mod feed;
mod flags;
mod fold;
mod follow;
mod format;
pub mod inputs;
mod live;
mod look;
mod order;
mod output;
mod progress;
mod records;
mod replay;
mod report;
mod run;
mod scan;
mod select;
mod start;
mod table;
mod when;
mod zones;

pub use deltas::fold_deltas;
pub use flags::{
    CheckFlags, CommonFlags, EmitFlags, FollowFlags, Form, HelpFlags, InputFlags, OutputFlags,
    SelectionFlags, Source, parse_duration,
};
pub use fold::{FoldRows, Kept, Memory, NativeRows, ReadRows, Sink, fold};
pub use live::{Step, Wish};
pub use look::Look;
pub use order::Lateness;
pub use output::{Output, schema_of};
pub use records::{Record, Records};
pub use replay::replay;
pub use report::{BadLine, Counts, Report, Verdict};
pub use run::{Row, Rows, Run, ZONE_NEEDLES};
pub use scan::{Decode, Item, Scanned};
pub use select::{Limit, SelectError, Selection};
pub(crate) use start::command_name;
pub use start::{main, main_of};
pub use when::WhenError;
pub use zones::Zones;

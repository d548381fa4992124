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
//!     Ok(run.finish())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     cli::main("alog-example", None, |args: &Args| &args.common, run)
//! }
//! ```

mod answers;
mod arenas;
mod captured;
mod choice;
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
pub mod reads;
mod records;
mod replay;
mod report;
mod resume;
mod run;
mod scan;
mod select;
mod shares;
mod start;
mod table;
mod when;
mod zones;

pub use choice::{Choice, Chosen};
pub use deltas::{fold_deltas, fold_deltas_stated};
pub use flags::{
    CheckFlags, CommonFlags, EmitFlags, FollowFlags, Form, HelpFlags, InputFlags, OutputFlags,
    SelectionFlags, Source, StateFlags, parse_duration,
};
pub use fold::{FoldRows, Kept, Memory, NativeRows, ReadRows, Sink, Unfed, fold, fold_on};
pub use live::{Step, Wish};
pub use look::Look;
pub use order::Lateness;
pub use output::{Output, schema_of};
pub use records::{InColumns, Record, Records};
pub use replay::replay;
pub use report::{BadLine, Counts, Report, Verdict};
pub use resume::{ReadSoFar, ResumePoint, StateFile, Stated, fold_stated, go_on, saved};
pub use run::{Row, Rows, Run, ZONE_NEEDLES};
pub use scan::{Decode, Item, Scanned};
pub use select::{Limit, SelectError, Selection};
pub use shares::Shares;
pub(crate) use start::command_name;
pub use start::{main, main_of};
pub use when::WhenError;
pub use zones::Zones;

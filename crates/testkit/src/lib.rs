//! For tests only: logs of both agents whose truth is known, places to put them, and a way to run
//! a command on them. Logs are made from a seed alone: no clock, no environment.
//!
//! [`LogBuilder`] makes whole logs with faults switched on one by one ([`Fault`]), [`Row`] single
//! rows in any [`Spelling`], [`big`] a large log for benchmarks, [`NativeBuilder`] transcripts and
//! rollouts ([`NativeCase`]), [`CaptureBuilder`] captured requests ([`CaptureCase`]), [`Scene`] all
//! of these for the modes of `alog-extract`. [`Workdir`] and [`Cmd`] run a command on them; [`differences`] compares what it printed with the truth.
//!
//! ```
//! use testkit::{Fault, LogBuilder, Workdir};
//! let log = LogBuilder::new(1).fault(Fault::DoubledPrompt).build();
//! let dir = Workdir::new();
//! let paths = dir.write_log(&log);
//! assert!(paths[0].ends_with("codex/sse_lines.jsonl"));
//! ```

mod big;
mod calendar;
mod capture;
mod claude;
mod cmd;
mod codex;
mod compare;
mod damage;
mod envelope;
mod fault;
pub mod fixtures;
mod json_text;
mod layout;
mod log;
mod native;
mod place;
mod prng;
mod row;
mod scene;
mod scribe;
mod settings;
mod spelling;
mod truth;
mod workdir;

pub use big::{Big, big};
pub use calendar::{parse_stamp, stamp, utc_stamp};
pub use capture::{CaptureBuilder, CaptureCase, CaptureFile, CaptureLog, CapturedRequest};
pub use cmd::{Cmd, Ran};
pub use compare::differences;
pub use fault::Fault;
pub use log::{Log, LogBuilder};
pub use native::{NativeBuilder, NativeCase, NativeFile, NativeLog, NativeStyle, NativeTruth};
pub use prng::Prng;
pub use row::{Provider, Row};
pub use scene::{Scene, SceneMode, SceneTruth};
pub use settings::Detail;
pub use spelling::{Escape, Generation, LineForm, MetadataForm, PidForm, Spelling};
pub use truth::{Counts, Truth};
pub use workdir::Workdir;

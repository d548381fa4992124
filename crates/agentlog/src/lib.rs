//! What the rows of agents' logs mean: bytes in, values out. No files, no clock, no environment.
//!
//! [`sse::Row`] is the principal type: a row, opened as far as somebody wants to know. From rows
//! come [`event::Event`]s, from events the [`fold`]s make [`record`]s.
//!
//! ```
//! use agentlog::sse::{Envelope, Row, Scratch};
//!
//! let line = br#"{"event":"codex.idle","t":"2025-11-18T21:55:52.402","line":"data: {}","sid":"s"}"#;
//! let mut scratch = Scratch::default();
//! let row = Row::open(Envelope::parse(line)?, &mut scratch).expect("it carries an event");
//! assert_eq!((&*row.name, row.sid().as_deref()), ("codex.idle", Some("s")));
//! # Ok::<(), agentlog::sse::Fault>(())
//! ```

pub mod capture;
pub mod event;
pub mod fold;
pub mod json;
pub mod native;
pub mod record;
pub mod sse;
pub mod state;
pub mod time;
pub mod zone;

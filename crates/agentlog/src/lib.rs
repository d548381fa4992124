//! What the rows of agents' logs mean.
#![allow(missing_docs)]
pub mod event;
pub mod fold;
pub mod json;
pub mod record;
pub mod sse;
pub mod time;
pub mod zone;

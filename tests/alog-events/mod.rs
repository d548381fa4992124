//! `alog-events`: every row one record, the payload as the log has it.

mod choosing;
mod large;
mod naming;
mod payload;

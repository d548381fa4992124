//! The commands, run as users run them: one module a command, and one for each promise that all
//! commands share. Logs and their truth come from the testkit; nothing here reads the sources.

mod programs;

mod alog;
#[path = "alog-deltas/mod.rs"]
mod alog_deltas;
#[path = "alog-events/mod.rs"]
mod alog_events;
#[path = "alog-prompts/mod.rs"]
mod alog_prompts;

mod contract;
mod damage;
mod differential;
mod docs;
mod inputs;
mod live;
mod order;
mod output;
mod selection;
mod shared;

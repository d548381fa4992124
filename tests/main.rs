//! The commands, run as users run them: one module a command, and one for each promise that all
//! commands share. Logs and their truth come from the testkit; nothing here reads the sources.

mod programs;

mod alog;
#[path = "alog-calls/mod.rs"]
mod alog_calls;
#[path = "alog-deltas/mod.rs"]
mod alog_deltas;
#[path = "alog-events/mod.rs"]
mod alog_events;
#[path = "alog-extract/mod.rs"]
mod alog_extract;
#[path = "alog-prompts/mod.rs"]
mod alog_prompts;
#[cfg(feature = "sql")]
#[path = "alog-sql/mod.rs"]
mod alog_sql;
#[cfg(feature = "sql")]
#[path = "alog-sql-kept/mod.rs"]
mod alog_sql_kept;
#[path = "alog-tokens/mod.rs"]
mod alog_tokens;
#[path = "alog-turns/mod.rs"]
mod alog_turns;

mod contract;
mod damage;
mod differential;
mod docs;
mod follow;
mod inputs;
mod live;
mod native;
mod order;
mod output;
mod properties;
mod requests;
mod resume;
mod samples;
mod selection;
mod shared;

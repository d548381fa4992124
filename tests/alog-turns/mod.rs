//! `alog-turns`: each prompt with how its turn ended, and what it took.

mod flags;
mod truth;

//! `alog-calls`: each tool call once, with what became of it and the rules that it broke.

mod flags;
mod given;
mod live;
mod lives;
mod orders;
mod rules;
mod truth;

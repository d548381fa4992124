//! `alog-deltas`: each streamed item once, whole, and with what is wrong with it.

mod forms;
mod live;
mod truth;

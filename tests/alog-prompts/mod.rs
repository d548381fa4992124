//! `alog-prompts`: each prompt once, with the text that the user typed.

mod forms;
mod truth;

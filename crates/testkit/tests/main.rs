//! What the builder promises, checked on its bytes by a reader that shares no code with it.

mod checks;
mod faults;
mod prompts;
mod reading;
mod spelling;
mod tables;

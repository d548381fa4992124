//! Bad input: nothing of it stops a run, nothing is lost in silence, and the status says so only
//! where it was asked to.

mod bytes;
mod telling;

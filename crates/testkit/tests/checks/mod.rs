//! What to look for in the bytes to see that a fault is there.

use crate::reading::Reading;
use testkit::Fault;

pub mod bytes;
pub mod calls;
pub mod prompts;
pub mod rows;
pub mod streams;

/// A fault and how it shows in one file.
pub type Check = fn(&Reading) -> bool;

/// A table of them.
pub type Checks<const N: usize> = [(Fault, Check); N];

//! JSON Lines as bytes: where they come from, where each line starts, and which lines can be
//! passed over unread. This crate knows nothing of what the lines mean.
//!
//! [`Reader`] is the principal type: it takes an [`Opened`] source, hands whole lines in blocks
//! to a function on all cores, and gives the results back in the order of the input.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use jsonl::{Batch, Opened, Reader, ReaderOptions};
//!
//! let source = Opened::from_reader(&b"{\"a\":1}\n{\"b\":2}\n"[..]);
//! let mut reader = Reader::new(source, &ReaderOptions::default());
//! let mut lines = 0;
//! while let Batch::Blocks(blocks) = reader.next(&|block| block.lines().count())? {
//!     lines += blocks.iter().map(|block| block.value).sum::<usize>();
//! }
//! assert_eq!(lines, 2);
//! # Ok(())
//! # }
//! ```

mod block;
mod chunks;
mod grep;
mod growing;
mod input;
mod needles;
mod reader;
mod source;
mod stream;
mod whole;
mod writer;

pub use block::{Block, Line, Lines};
pub use chunks::LongLine;
pub use grep::{Grep, GrepError};
pub use growing::{Copied, FileId, Growing, Growth, Mark, id_of};
pub use input::{Found, Inputs, is_log_name, walk, walk_names};
pub use needles::Needles;
pub use reader::{Batch, Placed, Reader, ReaderOptions};
pub use source::{Opened, Origin};
pub use writer::{Closed, Writer};

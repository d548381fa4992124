//! Many records: they are spelled on all cores, while those before are written.

use agentlog::record::SrcPath;
use anyhow::Result;
use rayon::prelude::*;

use super::Record;
use crate::output::Output;

/// How many records are spelled before they are written, how many of them by one thread, and how many
/// are not worth waking another.
const AT_ONCE: usize = 1024;
const LOT: usize = 64;
const FEW: usize = 256;

/// Whether so many records are worth it.
pub(super) fn pays(records: usize) -> bool {
    records >= FEW
}

/// Prints records in order.
pub(super) fn print<R: Record>(
    records: &[R],
    output: &mut Output,
    (paths, explain): (&[SrcPath], bool),
) -> Result<()> {
    let mut index = output.printed();
    let mut ready = Vec::new();
    for records in records.chunks(AT_ONCE) {
        let spelled = || spelled(records, index + 1, paths, explain);
        let (next, printed) = rayon::join(spelled, || print_spelled(output, &ready));
        printed?;
        (ready, index) = (next, index + records.len() as u64);
    }
    print_spelled(output, &ready)
}

/// Records, spelled one behind the other, and where each ends.
type Spelled = (Vec<u8>, Vec<usize>);

/// Spells records, of which the first has that index.
fn spelled<R: Record>(records: &[R], index: u64, paths: &[SrcPath], explain: bool) -> Vec<Spelled> {
    let lot = |(lot, records): (usize, &[R])| {
        let mut ends = Vec::with_capacity(records.len());
        let mut text = Vec::new();
        for (at, record) in records.iter().enumerate() {
            record.write(index + (lot * LOT + at) as u64, paths, explain, &mut text);
            ends.push(text.len());
        }
        (text, ends)
    };
    records.par_chunks(LOT).enumerate().map(lot).collect()
}

fn print_spelled(output: &mut Output, lots: &[Spelled]) -> Result<()> {
    for (text, ends) in lots {
        let mut start = 0;
        for end in ends {
            output.record(|_, out| out.extend_from_slice(&text[start..*end]))?;
            start = *end;
        }
    }
    Ok(())
}

//! Any bytes as a block: its lines, with their ends, are the block; and the prefilter finds the
//! lines that hold a needle, no others.
#![no_main]

use jsonl::{Block, Needles};
use libfuzzer_sys::fuzz_target;

const MARK: &[u8] = b"\xef\xbb\xbf";

fuzz_target!(|bytes: &[u8]| {
    let block = Block { bytes, offset: 0, oversize: None, max_line: u64::MAX };
    let mut joined = Vec::with_capacity(bytes.len());
    for (number, line) in block.lines().enumerate() {
        assert_eq!(line.number, number as u64);
        if joined.is_empty() && line.offset == MARK.len() as u64 {
            joined.extend_from_slice(MARK);
        }
        assert_eq!(line.offset, joined.len() as u64);
        joined.extend_from_slice(line.bytes);
        if line.ended && bytes[joined.len()] == b'\r' || !line.ended && joined.len() < bytes.len() {
            joined.push(b'\r');
        }
        joined.extend(line.ended.then_some(b'\n'));
    }
    assert_eq!(joined, bytes);

    let words = ["ab", "\"e", "aab"];
    let holds = |line: &[u8]| words.iter().any(|w| has(line, w.as_bytes()));
    let mut found = Vec::new();
    Needles::new(&words).unwrap().lines(&block, |line| found.push(line));
    assert_eq!(found, block.lines().filter(|line| holds(line.bytes)).collect::<Vec<_>>());
});

fn has(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}

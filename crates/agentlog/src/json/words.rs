//! Marks by 64-bit arithmetic, for processors without a module of their own; tests hold the two
//! against each other.
#![cfg_attr(target_arch = "x86_64", allow(dead_code))]

use super::JsonError;
use super::scan::{BLOCK, Marks, StringEnd, index_into_by, string_end_by};

pub(super) fn index_into(bytes: &[u8], index: &mut Vec<u32>) -> bool {
    index_into_by(bytes, index, marks, plain_escapes)
}

pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
    string_end_by(bytes, start, marks)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
    Marks {
        quotes: gather(block, |v| equal(v, b'"')),
        backslashes: gather(block, |v| equal(v, b'\\')),
        controls: gather(block, |v| zeros(v & (ONES * 0xe0))),
    }
}

pub(super) fn plain_escapes(block: &[u8; BLOCK]) -> u64 {
    gather(block, |v| b"\"\\/bfnrt".iter().fold(0, |found, b| found | equal(v, *b)))
}

fn equal(v: u64, b: u8) -> u64 {
    zeros(v ^ (ONES * u64::from(b)))
}

/// The high bit of each byte that is zero; exact, since no carry leaves its byte.
fn zeros(x: u64) -> u64 {
    !(((x & !HIGH) + !HIGH) | x | !HIGH)
}

fn gather(block: &[u8; BLOCK], test: impl Fn(u64) -> u64) -> u64 {
    let words = block.as_chunks::<8>().0.iter().enumerate();
    words.fold(0, |bits, (i, word)| {
        // The multiplication moves the eight high bits into one byte, lowest first.
        let high = test(u64::from_le_bytes(*word)) >> 7;
        bits | (high.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i)
    })
}

//! Marks by 64-bit arithmetic, for processors without a module of their own; tests hold the two
//! against each other.
#![cfg_attr(target_arch = "x86_64", allow(dead_code))]

use super::JsonError;
use super::flat::{Flat, Punctuation, Separators, Ways, flat_by};
use super::scan::{BLOCK, Marks, StringEnd, index_into_by, prefix_xor, string_end_by};

pub(super) fn index_into(bytes: &[u8], index: &mut Vec<u32>) -> bool {
    index_into_by(bytes, index, marks, plain_escapes)
}

pub(super) fn flat(bytes: &[u8]) -> Option<Flat> {
    flat_by::<false>(
        bytes,
        &mut Separators::default(),
        &Ways { marks, plain_escapes, punctuation, prefix_xor },
    )
}

pub(super) fn flat_index(bytes: &[u8], found: &mut Separators) -> Option<Flat> {
    flat_by::<true>(bytes, found, &Ways { marks, plain_escapes, punctuation, prefix_xor })
}

/// There is no fast way here.
pub(super) fn unhide(_: &[u8], _: &mut [u8]) -> (usize, usize) {
    (0, 0)
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
        high: gather(block, |v| v & HIGH),
    }
}

pub(super) fn punctuation(block: &[u8; BLOCK]) -> Punctuation {
    Punctuation {
        colons: gather(block, |v| equal(v, b':')),
        commas: gather(block, |v| equal(v, b',')),
        digits: gather(block, |v| {
            let least = |b: u8| (v & !HIGH) + ONES * u64::from(0x80 - b);
            least(b'0') & !least(b'9' + 1) & !v & HIGH
        }),
        zeros: gather(block, |v| equal(v, b'0')),
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

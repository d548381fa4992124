//! Marks on x86-64, 16 to 64 bytes at a time. The one place with `unsafe` code: intrinsics.
#![allow(unsafe_code)]

use super::JsonError;
use super::scan::{BLOCK, Marks, StringEnd, index_into_by, string_end_by};
use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
    _mm_or_si128, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
    _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_set1_epi8,
};

/// The escapes of two characters, by their second.
const PLAIN: &[u8; 8] = b"\"\\/bfnrt";

#[inline]
pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just found to be there.
        unsafe { string_end_avx2(bytes, start) }
    } else {
        string_end_by(bytes, start, marks)
    }
}

#[inline]
pub(super) fn index_into(bytes: &[u8], index: &mut Vec<u32>) -> bool {
    if is_x86_feature_detected!("avx512bw") {
        // SAFETY: AVX-512BW was just found to be there.
        unsafe { index_into_avx512(bytes, index) }
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just found to be there.
        unsafe { index_into_avx2(bytes, index) }
    } else {
        index_into_by(bytes, index, marks, plain_escapes)
    }
}

#[target_feature(enable = "avx512bw")]
fn index_into_avx512(bytes: &[u8], index: &mut Vec<u32>) -> bool {
    let escapes = |block: &[u8; BLOCK]| any64(load64(block), PLAIN);
    index_into_by(bytes, index, |block| marks_avx512(block), escapes)
}

#[target_feature(enable = "avx2")]
fn index_into_avx2(bytes: &[u8], index: &mut Vec<u32>) -> bool {
    let escapes = |block: &[u8; BLOCK]| gather32(block, |v| any32(v, PLAIN));
    index_into_by(bytes, index, |block| marks_avx2(block), escapes)
}

/// SSE2 belongs to every x86-64 processor, so it need not be detected.
#[inline]
pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
    // SAFETY: SSE2 is there.
    unsafe { marks_sse2(block) }
}

#[inline]
pub(super) fn plain_escapes(block: &[u8; BLOCK]) -> u64 {
    // SAFETY: SSE2 is there.
    unsafe { gather16(block, |v| any16(v, PLAIN)) }
}

#[target_feature(enable = "avx2")]
fn string_end_avx2(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
    string_end_by(bytes, start, |block| marks_avx2(block))
}

#[target_feature(enable = "sse2")]
#[inline]
fn marks_sse2(block: &[u8; BLOCK]) -> Marks {
    Marks {
        quotes: gather16(block, |v| any16(v, b"\"")),
        backslashes: gather16(block, |v| any16(v, b"\\")),
        controls: gather16(block, |v| _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v)),
    }
}

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn marks_avx2(block: &[u8; BLOCK]) -> Marks {
    let control = _mm256_set1_epi8(0x1f);
    Marks {
        quotes: gather32(block, |v| any32(v, b"\"")),
        backslashes: gather32(block, |v| any32(v, b"\\")),
        controls: gather32(block, |v| _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v)),
    }
}

#[target_feature(enable = "avx512bw")]
#[inline]
fn marks_avx512(block: &[u8; BLOCK]) -> Marks {
    let v = load64(block);
    Marks {
        quotes: any64(v, b"\""),
        backslashes: any64(v, b"\\"),
        controls: _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)),
    }
}

#[target_feature(enable = "avx512bw")]
#[inline]
fn load64(block: &[u8; BLOCK]) -> __m512i {
    // SAFETY: a block has the 64 bytes that are loaded, and needs no alignment.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

#[target_feature(enable = "avx512bw")]
#[inline]
fn any64<const N: usize>(v: __m512i, set: &[u8; N]) -> u64 {
    let equal = |b: u8| _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(b.cast_signed()));
    set[1..].iter().fold(equal(set[0]), |found, b| found | equal(*b))
}

#[target_feature(enable = "sse2")]
#[inline]
fn any16<const N: usize>(v: __m128i, set: &[u8; N]) -> __m128i {
    let equal = |b: u8| _mm_cmpeq_epi8(v, _mm_set1_epi8(b.cast_signed()));
    set[1..].iter().fold(equal(set[0]), |found, b| _mm_or_si128(found, equal(*b)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn any32<const N: usize>(v: __m256i, set: &[u8; N]) -> __m256i {
    let equal = |b: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(b.cast_signed()));
    set[1..].iter().fold(equal(set[0]), |found, b| _mm256_or_si256(found, equal(*b)))
}

#[target_feature(enable = "sse2")]
#[inline]
fn gather16(block: &[u8; BLOCK], test: impl Fn(__m128i) -> __m128i) -> u64 {
    let lanes = block.as_chunks::<16>().0.iter().enumerate();
    lanes.fold(0, |bits, (i, lane)| {
        // SAFETY: a lane has the 16 bytes that are loaded, and needs no alignment.
        let v = unsafe { _mm_loadu_si128(lane.as_ptr().cast()) };
        bits | u64::from(_mm_movemask_epi8(test(v)).cast_unsigned()) << (16 * i)
    })
}

#[target_feature(enable = "avx2")]
#[inline]
fn gather32(block: &[u8; BLOCK], test: impl Fn(__m256i) -> __m256i) -> u64 {
    let lanes = block.as_chunks::<32>().0.iter().enumerate();
    lanes.fold(0, |bits, (i, lane)| {
        // SAFETY: a lane has the 32 bytes that are loaded, and needs no alignment.
        let v = unsafe { _mm256_loadu_si256(lane.as_ptr().cast()) };
        bits | u64::from(_mm256_movemask_epi8(test(v)).cast_unsigned()) << (32 * i)
    })
}

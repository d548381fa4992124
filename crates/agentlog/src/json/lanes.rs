//! Marks on x86-64, 16 to 64 bytes at a time. The one place with `unsafe` code: intrinsics.
#![allow(unsafe_code)]

use super::JsonError;
use super::flat::{Flat, Punctuation, Separators, Ways, flat_by};
use super::scan::{BLOCK, Marks, StringEnd, index_into_by, prefix_xor, string_end_by};
use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64,
    _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    _mm_sub_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8, _mm512_cmpeq_epi8_mask,
    _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_maskz_compress_epi8, _mm512_movepi8_mask,
    _mm512_set1_epi8, _mm512_storeu_epi8, _mm512_sub_epi8,
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

/// What [`flat_by`] finds, without the places.
#[inline]
pub(super) fn flat(bytes: &[u8]) -> Option<Flat> {
    flat_into::<false>(bytes, &mut Separators::default())
}

/// What [`flat_by`] finds, and the places of the separators.
#[inline]
pub(super) fn flat_index(bytes: &[u8], found: &mut Separators) -> Option<Flat> {
    flat_into::<true>(bytes, found)
}

#[inline]
fn flat_into<const INDEX: bool>(bytes: &[u8], found: &mut Separators) -> Option<Flat> {
    let multiplies = is_x86_feature_detected!("pclmulqdq");
    if multiplies && is_x86_feature_detected!("avx512bw") {
        // SAFETY: AVX-512BW and PCLMULQDQ were just found to be there.
        unsafe { flat_avx512::<INDEX>(bytes, found) }
    } else if multiplies && is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 and PCLMULQDQ were just found to be there.
        unsafe { flat_avx2::<INDEX>(bytes, found) }
    } else {
        let ways = Ways { marks, plain_escapes, punctuation, prefix_xor };
        flat_by::<INDEX>(bytes, found, &ways)
    }
}

/// What each set of instructions that this processor has finds.
#[cfg(test)]
pub(super) fn flat_in_all_ways(bytes: &[u8]) -> Vec<(Option<Flat>, Vec<u32>)> {
    let mut all = Vec::new();
    let mut add = |way: &dyn Fn(&mut Separators) -> Option<Flat>| {
        let mut found = Separators::default();
        all.push((way(&mut found), found.places().to_vec()));
    };
    let ways = Ways { marks, plain_escapes, punctuation, prefix_xor };
    add(&|found| flat_by::<true>(bytes, found, &ways));
    add(&|found| flat_index(bytes, found));
    if is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 and PCLMULQDQ were just found to be there.
        add(&|found| unsafe { flat_avx2::<true>(bytes, found) });
    }
    all
}

#[target_feature(enable = "avx512bw,pclmulqdq")]
fn flat_avx512<const INDEX: bool>(bytes: &[u8], found: &mut Separators) -> Option<Flat> {
    let ways = Ways {
        marks: |block: &[u8; BLOCK]| marks_avx512(block),
        plain_escapes: |block: &[u8; BLOCK]| any64(load64(block), PLAIN),
        punctuation: |block: &[u8; BLOCK]| punctuation_avx512(block),
        prefix_xor: |bits: u64| prefix_xor_clmul(bits),
    };
    flat_by::<INDEX>(bytes, found, &ways)
}

#[target_feature(enable = "avx2,pclmulqdq")]
fn flat_avx2<const INDEX: bool>(bytes: &[u8], found: &mut Separators) -> Option<Flat> {
    let ways = Ways {
        marks: |block: &[u8; BLOCK]| marks_avx2(block),
        plain_escapes: |block: &[u8; BLOCK]| gather32(block, |v| any32(v, PLAIN)),
        punctuation: |block: &[u8; BLOCK]| punctuation_avx2(block),
        prefix_xor: |bits: u64| prefix_xor_clmul(bits),
    };
    flat_by::<INDEX>(bytes, found, &ways)
}

/// What [`prefix_xor`] does, by one multiplication without carries.
#[target_feature(enable = "pclmulqdq")]
#[inline]
fn prefix_xor_clmul(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits.cast_signed()), _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product).cast_unsigned()
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

/// Copies text from its start and leaves out the backslashes of its escapes, as far as these
/// only hide what follows: `\"` and `\\`. Returns how many bytes were read and written. `out`
/// must be longer than the text by a block.
#[inline]
pub(super) fn unhide(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi2") {
        // SAFETY: AVX-512BW and VBMI2 were just found to be there.
        unsafe { unhide_avx512(bytes, out) }
    } else {
        (0, 0)
    }
}

#[target_feature(enable = "avx512bw,avx512vbmi2")]
fn unhide_avx512(bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let (mut last, mut valid) = ([0; BLOCK], u64::MAX);
        let rest = &bytes[from..];
        let block = rest.first_chunk().unwrap_or_else(|| {
            valid = (1 << rest.len()) - 1;
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        let marks = marks_avx512(block);
        let mut over = false;
        let hidden = marks.escaped_by(&mut over);
        let Some(room) = out[to..].first_chunk_mut::<BLOCK>() else { break };
        if hidden & !(marks.quotes | marks.backslashes) != 0 {
            break;
        }
        let keep = valid & (!marks.backslashes | hidden);
        let packed = _mm512_maskz_compress_epi8(keep, load64(block));
        // SAFETY: a block has room for the 64 bytes that are stored, and needs no alignment.
        unsafe { _mm512_storeu_epi8(room.as_mut_ptr().cast(), packed) };
        to += keep.count_ones() as usize;
        // A backslash at the end of the block is read again, with what it hides.
        from += (BLOCK - usize::from(over)).min(rest.len());
    }
    (from, to)
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
        high: gather16(block, |v| v),
    }
}

#[inline]
pub(super) fn punctuation(block: &[u8; BLOCK]) -> Punctuation {
    // SAFETY: SSE2 is there.
    unsafe { punctuation_sse2(block) }
}

#[target_feature(enable = "sse2")]
#[inline]
fn punctuation_sse2(block: &[u8; BLOCK]) -> Punctuation {
    let digit = |v| {
        let past = _mm_sub_epi8(v, _mm_set1_epi8(b'0'.cast_signed()));
        _mm_cmpeq_epi8(_mm_min_epu8(past, _mm_set1_epi8(9)), past)
    };
    Punctuation {
        colons: gather16(block, |v| any16(v, b":")),
        commas: gather16(block, |v| any16(v, b",")),
        digits: gather16(block, digit),
        zeros: gather16(block, |v| any16(v, b"0")),
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
        high: gather32(block, |v| v),
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn punctuation_avx2(block: &[u8; BLOCK]) -> Punctuation {
    let digit = |v| {
        let past = _mm256_sub_epi8(v, _mm256_set1_epi8(b'0'.cast_signed()));
        _mm256_cmpeq_epi8(_mm256_min_epu8(past, _mm256_set1_epi8(9)), past)
    };
    Punctuation {
        colons: gather32(block, |v| any32(v, b":")),
        commas: gather32(block, |v| any32(v, b",")),
        digits: gather32(block, digit),
        zeros: gather32(block, |v| any32(v, b"0")),
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
        high: _mm512_movepi8_mask(v),
    }
}

#[target_feature(enable = "avx512bw")]
#[inline]
fn punctuation_avx512(block: &[u8; BLOCK]) -> Punctuation {
    let v = load64(block);
    let past = _mm512_sub_epi8(v, _mm512_set1_epi8(b'0'.cast_signed()));
    Punctuation {
        colons: any64(v, b":"),
        commas: any64(v, b","),
        digits: _mm512_cmplt_epu8_mask(past, _mm512_set1_epi8(10)),
        zeros: any64(v, b"0"),
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

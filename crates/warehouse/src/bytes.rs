//! Types of DuckDB that Arrow does not have, and that come as bytes: their texts, as DuckDB casts
//! them. Bytes that are not what the type says have no text.

use std::fmt::Write as _;

/// `BIT`: a byte that says how many bits of the next are no part of it, then bits.
pub(crate) fn bits(bytes: &[u8]) -> Option<String> {
    let (padding, bytes) = bytes.split_first()?;
    let all = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
    Some(all.skip((*padding).into()).map(|bit| char::from(b'0' + bit)).collect())
}

/// Seconds that an offset of `TIMETZ` is counted down from.
const MOST_OFFSET: i64 = 16 * 3600 - 1;

/// `TIMETZ`: 40 bits of microseconds, and 24 of an offset.
pub(crate) fn time_with_offset(bytes: &[u8]) -> Option<String> {
    let packed = u64::from_le_bytes(bytes.try_into().ok()?);
    let (micros, offset) = (packed >> 24, MOST_OFFSET - (packed & 0xff_ffff) as i64);
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let fraction = format!(".{rest:06}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let (sign, ahead) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let [hours, minutes] = [ahead / 3600, ahead / 60 % 60];
    let behind = match ahead % 60 {
        0 => String::new(),
        seconds => format!(":{seconds:02}"),
    };
    Some(format!(
        "{:02}:{:02}:{:02}{fraction}{sign}{hours:02}:{minutes:02}{behind}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ))
}

/// `BIGNUM`: three bytes of sign and length, then a number, the first byte worth the most; of a
/// negative one all bits are turned.
pub(crate) fn big_number(bytes: &[u8]) -> Option<String> {
    let (header, number) = bytes.split_at_checked(3)?;
    let is_negative = header[0] & 0x80 == 0;
    let turned = if is_negative { 0xff } else { 0 };
    // Digits in base 10⁹, the first worth the least.
    let mut digits: Vec<u64> = vec![0];
    for byte in number {
        let mut carry = u64::from(byte ^ turned);
        for digit in &mut digits {
            let n = *digit * 256 + carry;
            (*digit, carry) = (n % 1_000_000_000, n / 1_000_000_000);
        }
        digits.extend((carry > 0).then_some(carry));
    }
    let mut text = String::from(if is_negative { "-" } else { "" });
    for (i, digit) in digits.iter().rev().enumerate() {
        let width = if i == 0 { 0 } else { 9 };
        let _ = write!(text, "{digit:0width$}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_spelled_as_duckdb_casts_them() {
        assert_eq!(bits(&[4, 0xf5]).as_deref(), Some("0101"));
        assert_eq!(bits(&[]), None);
        let time = |offset: i64| {
            let packed = (36_000_500_000_u64 << 24) | (MOST_OFFSET - offset) as u64;
            time_with_offset(&packed.to_le_bytes())
        };
        assert_eq!(time(7200).as_deref(), Some("10:00:00.5+02:00"));
        assert_eq!(time(-34_201).as_deref(), Some("10:00:00.5-09:30:01"));
        assert_eq!(time_with_offset(&[1]), None);
        assert_eq!(big_number(&[0x80, 0, 1, 0]).as_deref(), Some("0"));
        assert_eq!(big_number(&[0x7f, 0xff, 0xfd, 0xfe, 0xff]).as_deref(), Some("-256"));
        assert_eq!(
            big_number(&[0x80, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0]).as_deref(),
            Some("18446744073709551616")
        );
        assert_eq!(big_number(&[0x80]), None);
    }
}

//! Times as logs write them: RFC 3339 with or without an offset, and the milliseconds at the
//! head of a UUIDv7. No zones here: what an offset-less stamp means is for the caller to settle.

/// A time as a row states it, in milliseconds since 1970-01-01T00:00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// On the wall clock of the writer, whose offset the row does not say.
    Local(i64),
    /// UTC.
    Utc(i64),
}

const MS_PER_DAY: i64 = 86_400_000;

impl Stamp {
    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction][Z|±HH:MM]`; a space may stand for the `T`. Digits
    /// past the millisecond are cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let (head, mut rest) = b.split_at_checked(19)?;
        if head[4] != b'-' || head[7] != b'-' || head[13] != b':' || head[16] != b':' {
            return None;
        }
        if !matches!(head[10], b'T' | b't' | b' ') {
            return None;
        }
        let field = |from: usize, len: usize| digits(&head[from..from + len]);
        let days = days_from_civil(field(0, 4)?, field(5, 2)?, field(8, 2)?)?;
        let (h, m, s) = (field(11, 2)?, field(14, 2)?, field(17, 2)?);
        if h > 23 || m > 59 || s > 60 {
            return None;
        }
        let mut ms = days * MS_PER_DAY + ((h * 60 + m) * 60 + s) * 1000;
        if let [b'.', fraction @ ..] = rest {
            let len = fraction.iter().take_while(|c| c.is_ascii_digit()).count();
            let mut thousandths = 0;
            for i in 0..3 {
                thousandths =
                    thousandths * 10 + fraction[..len].get(i).map_or(0, |c| i64::from(c - b'0'));
            }
            ms += thousandths;
            rest = &fraction[len..];
        }
        match rest {
            [] => Some(Self::Local(ms)),
            [b'Z' | b'z'] => Some(Self::Utc(ms)),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = digits(&[*h1, *h2])? * 60 + digits(&[*m1, *m2])?;
                Some(Self::Utc(if *sign == b'-' {
                    ms + minutes * 60_000
                } else {
                    ms - minutes * 60_000
                }))
            }
            _ => None,
        }
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years start in March here, so that the leap day is the last of its year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era_day = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    Some(era_day + (153 * m + 2) / 5 + day - 1 - 719_468)
}

/// Appends `ms` since the epoch as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub fn write_utc(ms: i64, out: &mut Vec<u8>) {
    let (days, of_day) = (ms.div_euclid(MS_PER_DAY), ms.rem_euclid(MS_PER_DAY));
    let (year, month, day) = civil_from_days(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: usize, len: usize, mut n: i64| {
        for i in (at..at + len).rev() {
            text[i] = b'0' + (n % 10) as u8;
            n /= 10;
        }
    };
    put(0, 4, year.clamp(0, 9999));
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, of_day / 3_600_000);
    put(14, 2, of_day / 60_000 % 60);
    put(17, 2, of_day / 1000 % 60);
    put(20, 3, of_day % 1000);
    out.extend_from_slice(&text);
}

/// Year, month and day of the days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let m = (5 * doy + 2) / 153;
    let (month, day) = (if m < 10 { m + 3 } else { m - 9 }, doy - (153 * m + 2) / 5 + 1);
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// The creation time in a UUIDv7: its first 48 bits, milliseconds since the epoch, UTC.
pub fn uuid7_ms(uuid: &str) -> Option<i64> {
    let b = uuid.as_bytes();
    if b.len() != 36 || b[8] != b'-' || b[13] != b'-' || b[14] != b'7' {
        return None;
    }
    let hex = |part: &[u8]| i64::from_str_radix(std::str::from_utf8(part).ok()?, 16).ok();
    Some(hex(&b[..8])? << 16 | hex(&b[9..13])?)
}

/// Whether a text is a UUID as it is mostly spelled, of any version.
pub fn is_uuid(text: &str) -> bool {
    let fits = |(i, byte): (usize, u8)| match i {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_in_all_spellings() {
        let local = Stamp::Local(1_763_502_931_188);
        for (text, stamp) in [
            ("2025-11-18T21:55:31.188", Some(local)),
            ("2025-11-18 21:55:31.188999", Some(local)),
            ("2025-11-18T21:55:31", Some(Stamp::Local(1_763_502_931_000))),
            ("2025-11-18T21:55:31.1", Some(Stamp::Local(1_763_502_931_100))),
            ("2025-11-18T21:55:31.188Z", Some(Stamp::Utc(1_763_502_931_188))),
            ("2025-11-18T21:55:31.188+07:00", Some(Stamp::Utc(1_763_502_931_188 - 7 * 3_600_000))),
            ("2025-11-18T21:55:31.188-05:30", Some(Stamp::Utc(1_763_502_931_188 + 330 * 60_000))),
            ("2025-02-29T00:00:00", None),
            ("2025-11-18T21:55", None),
            ("2025-11-18T25:00:00", None),
            ("2025-11-18T21:55:31.188x", None),
            ("", None),
        ] {
            assert_eq!(Stamp::parse(text), stamp, "{text}");
        }
    }

    #[test]
    fn every_day_there_and_back() {
        for days in (-1_000..50_000).chain([-719_468 + 366]) {
            let mut out = Vec::new();
            write_utc(days * MS_PER_DAY + 7, &mut out);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(Stamp::parse(&text), Some(Stamp::Utc(days * MS_PER_DAY + 7)), "{text}");
        }
    }

    #[test]
    fn a_uuid7_tells_its_time() {
        assert_eq!(uuid7_ms("019a9776-b774-7de6-aa56-cbd6599008c5"), Some(1_763_477_731_188));
        assert_eq!(uuid7_ms("6f0c9a11-1111-4111-8111-111111111111"), None);
    }
}

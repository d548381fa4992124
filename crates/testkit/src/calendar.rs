//! Milliseconds since the epoch as the date and time that logs print, and back.
//! Proleptic Gregorian, no leap seconds, no zones: the caller adds the offset.

const DAY_MS: i64 = 86_400_000;

/// `YYYY-MM-DDTHH:MM:SS.mmm` of `ms` since the epoch, without an offset.
pub fn stamp(ms: i64) -> String {
    let mut text = *b"0000-00-00T00:00:00.000";
    write_stamp(ms, &mut text);
    text.iter().map(|&byte| char::from(byte)).collect()
}

/// The stamp with `Z`.
pub fn utc_stamp(ms: i64) -> String {
    stamp(ms) + "Z"
}

/// The stamp's milliseconds since the epoch; `None` if it is not `YYYY-MM-DDTHH:MM:SS.mmm`.
pub fn parse_stamp(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    Some(days * DAY_MS + seconds * 1000 + number(20, 23)?)
}

/// Writes the stamp over the 23 bytes of `out`.
pub(crate) fn write_stamp(ms: i64, out: &mut [u8; 23]) {
    let (year, month, day) = civil_from_days(ms.div_euclid(DAY_MS));
    let rest = ms.rem_euclid(DAY_MS);
    let fields = [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, rest / 3_600_000),
        (14, 2, rest / 60_000 % 60),
        (17, 2, rest / 1000 % 60),
        (20, 3, rest % 1000),
    ];
    for (at, width, mut value) in fields {
        for digit in out[at..at + width].iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
    }
}

/// Hinnant's `civil_from_days`: year, month and day of a count of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{parse_stamp, stamp, utc_stamp};

    #[test]
    fn known_instants() {
        assert_eq!(utc_stamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(stamp(1_763_477_680_874), "2025-11-18T14:54:40.874");
        assert_eq!(stamp(1_709_164_800_000), "2024-02-29T00:00:00.000");
        assert_eq!(stamp(-1), "1969-12-31T23:59:59.999");
    }

    #[test]
    fn back_again() {
        for ms in (-10_i64.pow(12)..4 * 10_i64.pow(12)).step_by(86_400_321 * 7) {
            assert_eq!(parse_stamp(&stamp(ms)), Some(ms));
        }
    }
}

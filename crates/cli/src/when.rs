//! Times as users type them, and zones by name.

use agentlog::time::Stamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};

/// A time or zone that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum WhenError {
    /// Not a time.
    #[error(
        "{flag}: '{text}' is not a time: use RFC 3339, YYYY-MM-DD[THH:MM[:SS]], @EPOCH, now, \
         today, yesterday, a weekday, or an age such as 90s, 15m, 2h, 7d, 2w"
    )]
    Time {
        /// The flag.
        flag: &'static str,
        /// What was typed.
        text: String,
    },
    /// Not a zone.
    #[error("{flag}: '{text}' is not a zone: use local, a name such as Europe/Paris, or ±HH:MM")]
    Zone {
        /// The flag.
        flag: &'static str,
        /// What was typed.
        text: String,
    },
}

/// Reads a zone: `local`, an IANA name, or an offset.
pub fn zone(flag: &'static str, text: &str) -> Result<TimeZone, WhenError> {
    let found = match text {
        "local" => Some(TimeZone::system()),
        "Z" => Some(TimeZone::UTC),
        _ => offset(text).map(TimeZone::fixed).or_else(|| TimeZone::get(text).ok()),
    };
    found.ok_or_else(|| WhenError::Zone { flag, text: text.to_owned() })
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()
}

/// Reads a time into milliseconds since the epoch. `now` says what ages and days refer to.
pub fn time(flag: &'static str, text: &str, now: &Zoned) -> Result<i64, WhenError> {
    let error = || WhenError::Time { flag, text: text.to_owned() };
    let lower = text.trim().to_ascii_lowercase();
    let at = match lower.as_str() {
        "now" => Some(now.timestamp()),
        "today" => midnight(now, 0),
        "yesterday" => midnight(now, 1),
        _ => weekday(&lower, now)
            .or_else(|| age(&lower, now))
            .or_else(|| epoch(&lower))
            .or_else(|| stamp(text.trim(), now.time_zone())),
    };
    at.map(Timestamp::as_millisecond).ok_or_else(error)
}

fn midnight(now: &Zoned, days_ago: i64) -> Option<Timestamp> {
    let date = now.date().checked_sub(days_ago.days()).ok()?;
    Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// The latest such day that is not after today.
fn weekday(text: &str, now: &Zoned) -> Option<Timestamp> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let named = |(name, _): &&(&str, Weekday)| *name == text || name[..3] == *text;
    let (_, day) = DAYS.iter().find(named)?;
    midnight(now, i64::from(day.until(now.weekday())))
}

/// An age in exact hours: a day is 24 of them, whatever the clocks did.
fn age(text: &str, now: &Zoned) -> Option<Timestamp> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let seconds = digits.parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(unit)?;
    now.timestamp().checked_sub(jiff::SignedDuration::from_secs(seconds)).ok()
}

fn epoch(text: &str) -> Option<Timestamp> {
    let number = text.strip_prefix('@')?;
    match number.split_once('.') {
        None => Timestamp::from_second(number.parse().ok()?).ok(),
        Some((seconds, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => {
            let ms: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
            let seconds: i64 = seconds.parse().ok()?;
            Timestamp::from_millisecond(seconds.checked_mul(1000)? + ms).ok()
        }
        Some(_) => None,
    }
}

fn stamp(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let full = match text.len() {
        10 => format!("{text}T00:00:00"),
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    };
    match Stamp::parse(&full)? {
        Stamp::Utc(ms) => Timestamp::from_millisecond(ms).ok(),
        Stamp::Local(ms) => Timestamp::from_millisecond(local_to_utc(ms, zone)).ok(),
    }
}

/// The UTC time of a wall clock time, both in milliseconds. Of a time that a zone has twice, the
/// first is meant; one that it skips is moved on.
pub fn local_to_utc(ms: i64, zone: &TimeZone) -> i64 {
    let civil = Timestamp::from_millisecond(ms).ok().map(|t| Offset::UTC.to_datetime(t));
    let utc = |civil: DateTime| zone.to_ambiguous_timestamp(civil).compatible().ok();
    civil.and_then(utc).map_or(ms, Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_time() {
        // A Tuesday.
        let now: Zoned = "2025-11-18T21:55:31+07:00[Asia/Bangkok]".parse().unwrap();
        for (text, want) in [
            ("now", "2025-11-18T14:55:31Z"),
            ("today", "2025-11-17T17:00:00Z"),
            ("yesterday", "2025-11-16T17:00:00Z"),
            ("tuesday", "2025-11-17T17:00:00Z"),
            ("Wed", "2025-11-11T17:00:00Z"),
            ("90s", "2025-11-18T14:54:01Z"),
            ("2h", "2025-11-18T12:55:31Z"),
            ("2w", "2025-11-04T14:55:31Z"),
            ("@1763477731", "2025-11-18T14:55:31Z"),
            ("2025-11-18", "2025-11-17T17:00:00Z"),
            ("2025-11-18T09:30", "2025-11-18T02:30:00Z"),
            ("2025-11-18 09:30:15", "2025-11-18T02:30:15Z"),
            ("2025-11-18T09:30:15Z", "2025-11-18T09:30:15Z"),
            ("2025-11-18T09:30:15-05:00", "2025-11-18T14:30:15Z"),
        ] {
            let want: Timestamp = want.parse().unwrap();
            assert_eq!(time("--since", text, &now).unwrap(), want.as_millisecond(), "{text}");
        }
        for text in
            ["nonsense", "", "7", "2 days", "-2h", "2025-13-01", "@", "5y", "99999999999999w"]
        {
            assert!(time("--since", text, &now).is_err(), "{text}");
        }
    }

    #[test]
    fn zones_by_name_and_offset() {
        assert!(zone("--tz", "Europe/Paris").is_ok());
        let half = zone("--tz", "-09:30").unwrap();
        assert_eq!(local_to_utc(0, &half), 34_200_000);
        assert!(zone("--tz", "+25:00").is_err());
        assert!(zone("--tz", "Mars").is_err());
    }

    #[test]
    fn clocks_that_change() {
        let paris = zone("--tz", "Europe/Paris").unwrap();
        let at = |text| match Stamp::parse(text) {
            Some(Stamp::Local(ms) | Stamp::Utc(ms)) => ms,
            None => panic!("{text}"),
        };
        assert_eq!(local_to_utc(at("2025-10-26T02:30:00"), &paris), at("2025-10-26T00:30:00"));
        assert_eq!(local_to_utc(at("2025-03-30T02:30:00"), &paris), at("2025-03-30T01:30:00"));
    }
}

//! Hours, days, weeks and months of a zone, as numbers to group by and as texts to print.

use serde::{Deserialize, Serialize};

use crate::time::{civil_from_days, days_from_civil};

const HOUR_MS: i64 = 3_600_000;

/// An hour of the wall clock: hours since 1970-01-01T00, and the zone's offset in seconds, which
/// tells the two hours apart that a clock shows when summer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hour(i64, i32);

/// A day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day(i64);

/// An ISO week, by its Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Week(Day);

/// A month, by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month(Day);

impl Hour {
    /// The hour of a time in UTC where the offset is so many seconds.
    pub fn of(t: i64, offset: i32) -> Self {
        Self((t + i64::from(offset) * 1000).div_euclid(HOUR_MS), offset)
    }

    /// The day it is in.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }
}

impl Day {
    /// The week it is in.
    pub fn week(self) -> Week {
        // Day 0 was a Thursday.
        Week(Self(self.0 - (self.0 + 3).rem_euclid(7)))
    }

    /// The month it is in.
    pub fn month(self) -> Month {
        let (_, _, day) = civil_from_days(self.0);
        Month(Self(self.0 - day + 1))
    }
}

impl std::fmt::Display for Hour {
    /// RFC 3339: `2025-11-18T13:00:00+07:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, minutes) = (if self.1 < 0 { '-' } else { '+' }, self.1.abs() / 60);
        let (hour, h, m) = (self.0.rem_euclid(24), minutes / 60, minutes % 60);
        write!(f, "{}T{hour:02}:00:00{sign}{h:02}:{m:02}", self.day())
    }
}

impl std::fmt::Display for Day {
    /// `2025-11-18`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl std::fmt::Display for Week {
    /// `2025-W47`: a week belongs to the year that its Thursday is in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let thursday = self.0.0 + 3;
        let (year, ..) = civil_from_days(thursday);
        let new_year = days_from_civil(year, 1, 1).unwrap_or(thursday);
        write!(f, "{year:04}-W{:02}", (thursday - new_year) / 7 + 1)
    }
}

impl std::fmt::Display for Month {
    /// `2025-11`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, _) = civil_from_days(self.0.0);
        write!(f, "{year:04}-{month:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Stamp;

    fn ms(text: &str) -> i64 {
        match Stamp::parse(text) {
            Some(Stamp::Utc(ms) | Stamp::Local(ms)) => ms,
            None => panic!("{text}"),
        }
    }

    #[test]
    fn texts() {
        for (t, offset, hour, week, month) in [
            ("2025-11-18T06:01:51.375Z", 0, "2025-11-18T06:00:00+00:00", "2025-W47", "2025-11"),
            ("2025-11-18T20:59:00Z", 25_200, "2025-11-19T03:00:00+07:00", "2025-W47", "2025-11"),
            ("2025-12-01T01:00:00Z", -34_200, "2025-11-30T15:00:00-09:30", "2025-W48", "2025-11"),
            // Weeks of another year than their days, and the one before 1970.
            ("2024-12-30T00:00:00Z", 0, "2024-12-30T00:00:00+00:00", "2025-W01", "2024-12"),
            ("2027-01-03T23:59:59Z", 0, "2027-01-03T23:00:00+00:00", "2026-W53", "2027-01"),
            ("1969-12-28T23:00:00Z", 0, "1969-12-28T23:00:00+00:00", "1969-W52", "1969-12"),
        ] {
            let of = Hour::of(ms(t), offset);
            let texts = [of.to_string(), of.day().week().to_string(), of.day().month().to_string()];
            assert_eq!(texts, [hour, week, month]);
            assert_eq!(of.day().to_string(), hour[..10]);
        }
    }

    #[test]
    fn weeks_start_on_monday() {
        let week = |text: &str| Hour::of(ms(text), 0).day().week();
        assert_eq!(week("2025-11-17T00:00:00Z"), week("2025-11-23T23:59:59Z"));
        assert!(week("2025-11-16T23:59:59Z") < week("2025-11-17T00:00:00Z"));
    }

    #[test]
    fn the_hour_that_comes_twice_is_two() {
        let summer = Hour::of(ms("2025-10-26T00:30:00Z"), 7200);
        let winter = Hour::of(ms("2025-10-26T01:30:00Z"), 3600);
        assert_eq!(summer.0, winter.0);
        assert_ne!(summer, winter);
    }
}

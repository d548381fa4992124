//! The time that the name of a log tells.

use agentlog::time::{Stamp, days_from_civil};

/// The time in a name: `…YYYY_MM_DD[_HH_MM_SS[_fraction]]…` or with dashes, as archives and request
/// files have it. Milliseconds since the epoch.
pub(super) fn time_in_name(name: &str) -> Option<i64> {
    let numbers = numbers_of(name);
    // A session id before it may hold digits that look alike, but hardly such a date.
    (0..numbers.len()).find_map(|at| time_at(name, &numbers[at..]))
}

/// The time at the start of the name of a request: the milliseconds since the epoch.
pub(super) fn epoch_in_name(name: &str) -> Option<i64> {
    const DIGITS: usize = 13;
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let is_alone = !name[digits..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_time = digits == DIGITS && is_alone && name.starts_with('1');
    is_time.then(|| name[..digits].parse().ok()).flatten()
}

/// Where the runs of digits stand.
fn numbers_of(name: &str) -> Vec<std::ops::Range<usize>> {
    let mut numbers: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in name.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match numbers.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => numbers.push(at..at + 1),
        }
    }
    numbers
}

/// The time that starts with the first of these numbers of a name.
fn time_at(name: &str, numbers: &[std::ops::Range<usize>]) -> Option<i64> {
    let part = |i: usize, len: usize| {
        numbers.get(i).filter(|at| at.len() == len).map(|at| &name[at.clone()])
    };
    let (year, month, day) = (part(0, 4)?, part(1, 2)?, part(2, 2)?);
    let number = |text: &str| text.parse::<i64>().ok();
    let in_range = (1990..2100).contains(&number(year)?);
    days_from_civil(number(year)?, number(month)?, number(day)?).filter(|_| in_range)?;
    let clock = match (part(3, 2), part(4, 2), part(5, 2)) {
        (Some(h), Some(m), Some(s)) => {
            format!("{h}:{m}:{s}.{}", fraction(name, numbers).unwrap_or("0"))
        }
        _ => "00:00:00".to_owned(),
    };
    match Stamp::parse(&format!("{year}-{month}-{day}T{clock}"))? {
        Stamp::Local(ms) | Stamp::Utc(ms) => Some(ms),
    }
}

/// The digits behind the second, if they are a part of one: not the start of an id.
fn fraction<'a>(name: &'a str, numbers: &[std::ops::Range<usize>]) -> Option<&'a str> {
    let at = numbers.get(6).filter(|at| [3, 6, 9].contains(&at.len()))?.clone();
    let rest = &name[at.end..];
    let rest = rest.strip_prefix(['Z', 'z']).unwrap_or(rest);
    let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    (!goes_on).then_some(&name[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_names() {
        let day = 1_763_424_000_000;
        let then = day + 3_723_000;
        for (name, want) in [
            ("archive_2025_11_18", Some(day)),
            ("x__2025_11_18_01_02_03_.123456.json", Some(then + 123)),
            ("0b1c2d3e-2011-22-99__2025_11_18_01_02_03_123456.json", Some(then + 123)),
            ("unknown__2025_11_18_01_02_03.json", Some(then)),
            ("2025-11-18T01-02-03-345Z_x.json", Some(then + 345)),
            ("rollout-2025-11-18T01-02-03-019a9776-b774.jsonl", Some(then)),
            ("rollout-2025-11-18T01-02-03-019a-b774.jsonl", Some(then)),
            ("2025_13_18", None),
            ("1234-11-18", None),
            ("sse_lines.jsonl.1", None),
            ("", None),
        ] {
            assert_eq!(time_in_name(name), want, "{name}");
        }
    }

    #[test]
    fn milliseconds_in_names() {
        assert_eq!(epoch_in_name("1731400000123_unknown.json"), Some(1_731_400_000_123));
        assert_eq!(epoch_in_name("1731400000123.json"), Some(1_731_400_000_123));
        for name in ["17314000001234.json", "1731400000123a.json", "x1731400000123.json", ""] {
            assert_eq!(epoch_in_name(name), None, "{name}");
        }
    }
}

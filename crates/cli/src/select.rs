//! Which records are wanted: the selection flags, understood.

use std::collections::BTreeSet;

use agentlog::event::Provider;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::flags::{ProviderName, SelectionFlags};
use crate::when::{self, WhenError};

/// A selection.
#[derive(Clone, Debug)]
pub struct Selection {
    provider: Option<Provider>,
    sessions: Vec<String>,
    /// Whether `sessions` holds whole ids.
    settled: bool,
    cwd: Option<String>,
    /// First time that is wanted, in milliseconds since the epoch.
    pub since: Option<i64>,
    until: Option<i64>,
    /// How many of the records.
    pub limit: Limit,
    /// What days and hours are.
    zone: TimeZone,
}

/// How many of the selected records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// All of them.
    None,
    /// The first.
    First(u64),
    /// The latest.
    Last(u64),
}

/// A selection that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// A time or zone.
    #[error(transparent)]
    When(#[from] WhenError),
    /// A part of an id that several sessions share.
    #[error("--session: '{given}' is ambiguous: {}", matches.join(", "))]
    Ambiguous {
        /// What was typed.
        given: String,
        /// The sessions that match.
        matches: Vec<String>,
    },
}

impl Selection {
    /// Understands the flags.
    pub fn new(flags: &SelectionFlags) -> Result<Self, SelectError> {
        let now = Zoned::now().with_time_zone(when::zone("--zone", &flags.zone)?);
        let time = |flag, text: &Option<String>| {
            text.as_deref().map(|text| when::time(flag, text, &now)).transpose()
        };
        Ok(Self {
            provider: flags.provider.map(|name| match name {
                ProviderName::Claude => Provider::Claude,
                ProviderName::Codex => Provider::Codex,
            }),
            sessions: flags.session.clone(),
            settled: false,
            cwd: flags.cwd.as_deref().map(clean_path),
            since: time("--since", &flags.since)?,
            until: time("--until", &flags.until)?,
            limit: match (flags.first, flags.last) {
                (Some(n), _) => Limit::First(n),
                (_, Some(n)) => Limit::Last(n),
                _ => Limit::None,
            },
            zone: now.time_zone().clone(),
        })
    }

    /// Takes only records from `since` on and before `until`, in milliseconds since the epoch.
    pub fn narrow(&mut self, since: Option<i64>, until: Option<i64>) {
        self.since = self.since.max(since);
        self.until = self.until.into_iter().chain(until).min();
    }

    /// The name of the zone of days and hours in the IANA database; none for an offset that has
    /// none.
    pub fn zone_name(&self) -> Option<String> {
        let fixed = || {
            let seconds = self.zone.to_fixed_offset().ok()?.seconds();
            // Names of offsets have their signs the other way round.
            (seconds % 3600 == 0).then(|| format!("Etc/GMT{:+}", -seconds / 3600))
        };
        self.zone.iana_name().map(String::from).or_else(fixed)
    }

    /// The same number of records, of all there are.
    pub(crate) fn only_limit(&self) -> Self {
        let Self { limit, zone, .. } = self;
        Self {
            provider: None,
            sessions: Vec::new(),
            settled: true,
            cwd: None,
            since: None,
            until: None,
            limit: *limit,
            zone: zone.clone(),
        }
    }

    /// The offset of the zone of days and hours at a time, in seconds.
    pub fn offset_at(&self, t: i64) -> i32 {
        let at = Timestamp::from_millisecond(t).unwrap_or(Timestamp::MIN);
        self.zone.to_offset(at).seconds()
    }

    /// Whether times are asked for.
    pub fn has_times(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether a record of that time is wanted. One without a time is, unless times are asked for.
    pub fn time(&self, t: Option<i64>) -> bool {
        match t {
            Some(t) => self.since.is_none_or(|s| t >= s) && self.until.is_none_or(|u| t < u),
            None => !self.has_times(),
        }
    }

    /// Whether records of that agent, session and directory are wanted.
    pub fn whose(&self, provider: Option<Provider>, sid: Option<&str>, cwd: Option<&str>) -> bool {
        self.provider.is_none_or(|wanted| provider == Some(wanted))
            && self.session(sid)
            && self.cwd.as_deref().is_none_or(|dir| cwd.is_some_and(|cwd| is_below(cwd, dir)))
    }

    /// Whether [`Selection::whose`] can say no.
    pub fn is_choosy(&self) -> bool {
        self.provider.is_some() || self.cwd.is_some() || self.names_sessions()
    }

    /// Whether sessions are named.
    pub fn names_sessions(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// Whether it is known already which sessions are meant.
    pub(crate) fn sessions_are_clear(&self) -> bool {
        self.settled || !self.names_sessions()
    }

    /// Whether a session is named.
    pub fn session(&self, sid: Option<&str>) -> bool {
        let named = |sid: &str| {
            self.sessions.iter().any(|id| sid == id || (!self.settled && matches(sid, id)))
        };
        self.sessions.is_empty() || sid.is_some_and(named)
    }

    /// Narrows the named sessions to those meant, now that all session ids of the input are known.
    /// A whole id means that session, even if others start with it.
    pub fn settle(&mut self, seen: &BTreeSet<String>) -> Result<(), SelectError> {
        for given in &mut self.sessions {
            let found: Vec<&String> = seen.iter().filter(|sid| matches(sid, given)).collect();
            match &found[..] {
                [] => {}
                [one] => given.clone_from(one),
                _ if found.contains(&&*given) => {}
                _ => {
                    return Err(SelectError::Ambiguous {
                        given: given.clone(),
                        matches: found.into_iter().cloned().collect(),
                    });
                }
            }
        }
        self.settled = true;
        Ok(())
    }
}

/// Whether what was typed names a session: its whole id, or 4 or more characters of an end.
fn matches(sid: &str, given: &str) -> bool {
    sid == given || (given.len() >= 4 && (sid.starts_with(given) || sid.ends_with(given)))
}

/// A directory as it would stand in a log: absolute, without a slash at its end.
fn clean_path(dir: &str) -> String {
    let absolute =
        std::path::absolute(dir).map_or_else(|_| dir.into(), |p| p.to_string_lossy().into_owned());
    match absolute.trim_end_matches('/') {
        "" => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

fn is_below(path: &str, dir: &str) -> bool {
    match path.strip_prefix(dir) {
        Some(rest) => rest.is_empty() || dir.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(session: &[&str], cwd: Option<&str>) -> Selection {
        let flags = SelectionFlags {
            session: session.iter().map(|s| (*s).to_owned()).collect(),
            cwd: cwd.map(String::from),
            zone: "local".into(),
            ..SelectionFlags::default()
        };
        Selection::new(&flags).unwrap()
    }

    #[test]
    fn sessions_by_either_end() {
        let seen = ["abcd-1111", "abcd-2222", "abcd"].map(String::from).into();
        let mut one = selection(&["2222"], None);
        assert!(
            one.session(Some("abcd-2222")) && !one.session(Some("abcd-1111")) && !one.session(None)
        );
        one.settle(&seen).unwrap();
        assert!(one.session(Some("abcd-2222")));
        let mut whole = selection(&["abcd"], None);
        whole.settle(&seen).unwrap();
        assert!(whole.session(Some("abcd")) && !whole.session(Some("abcd-1111")));
        let error = selection(&["abcd-"], None).settle(&seen).unwrap_err();
        assert!(error.to_string().contains("abcd-1111, abcd-2222"), "{error}");
    }

    #[test]
    fn a_directory_and_what_is_below() {
        let of = |cwd| selection(&[], Some("/w/")).whose(None, None, Some(cwd));
        assert!(of("/w") && of("/w/app") && !of("/work") && !of("/"));
        assert!(selection(&[], Some("/")).whose(None, None, Some("/w")));
    }
}

//! What an offset-less time means. Envelope times are the writer's wall clock; the UUIDv7 of a
//! round tells the true time of the prompt that opened it, so the two together tell the offset.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use serde::{Deserialize, Serialize};

use crate::time::Stamp;

/// Offsets are multiples of this, in milliseconds.
const STEP_MS: i64 = 15 * 60_000;
/// No place on earth is further from UTC.
const MAX_MS: i64 = 14 * 3_600_000;
/// How far a round may be minted before its prompt is logged without shifting the offset, and
/// how far the two clocks may be apart the other way.
const SLACK_MS: i64 = 5000;

/// Names a session and process: a hash of both. Its lowest bit says whether one is not known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct ZoneKey(u64);

impl ZoneKey {
    /// The key of a session id and process id, as far as they are known.
    pub fn new(sid: Option<&str>, pid: Option<i64>) -> Self {
        // A fixed seed: the same in every thread and run.
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        hasher.write(sid.unwrap_or_default().as_bytes());
        hasher.write_i64(pid.unwrap_or(-1));
        Self(hasher.finish() & !1 | u64::from(sid.is_none() || pid.is_none()))
    }

    /// Whether the session or the process is not known.
    pub fn is_partial(self) -> bool {
        self.0 & 1 == 1
    }
}

/// When a row was written, as far as the row itself tells. Milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// The row's own time is UTC.
    Utc(i64),
    /// Wall clock of the writer, and the same in UTC as another stamp in the row tells it.
    Stamped {
        /// Wall clock.
        local: i64,
        /// UTC.
        utc: i64,
    },
    /// Wall clock of the writer; its offset is a matter of the session and process.
    Local(i64, ZoneKey),
    /// The row has no time.
    Missing,
}

impl Clock {
    /// The clock of an earlier row if this is missing; its offset if this row's writer is not
    /// known.
    #[must_use]
    pub fn or_offset_of(self, earlier: Self) -> Self {
        match (self, earlier) {
            (Self::Missing, _) => earlier,
            (Self::Local(_, key), _) if !key.is_partial() => self,
            (Self::Local(ms, _), Self::Local(_, key)) => Self::Local(ms, key),
            (Self::Local(ms, _), Self::Stamped { local, utc }) => {
                Self::Stamped { local: ms, utc: ms - (local - utc) }
            }
            _ => self,
        }
    }

    /// Combines a row's own stamp with a UTC stamp inside the row, which decides the offset.
    pub fn new(stamp: Option<Stamp>, utc: Option<i64>, key: impl FnOnce() -> ZoneKey) -> Self {
        match (stamp, utc) {
            (Some(Stamp::Utc(ms)), _) | (None, Some(ms)) => Self::Utc(ms),
            (Some(Stamp::Local(ms)), Some(utc)) => match nearest_step(ms - utc) {
                Some(offset) => Self::Stamped { local: ms, utc: ms - offset },
                None => Self::Local(ms, key()),
            },
            (Some(Stamp::Local(ms)), None) => Self::Local(ms, key()),
            (None, None) => Self::Missing,
        }
    }
}

fn nearest_step(ms: i64) -> Option<i64> {
    let offset = (ms + STEP_MS / 2).div_euclid(STEP_MS) * STEP_MS;
    (offset.abs() <= MAX_MS).then_some(offset)
}

/// What one row tells of its writer's offset: how far its wall clock is ahead of the UTC time in
/// a UUIDv7, which was minted then or somewhat earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whose offset it is.
    pub key: ZoneKey,
    /// Wall clock less UTC, in milliseconds.
    pub ahead_ms: i64,
}

impl Evidence {
    /// Takes evidence if the offset it leads to is one that exists.
    pub fn new(key: ZoneKey, local_ms: i64, uuid7_ms: i64) -> Option<Self> {
        let ahead_ms = local_ms - uuid7_ms;
        (offset_of(ahead_ms).abs() <= MAX_MS).then_some(Self { key, ahead_ms })
    }
}

fn offset_of(ahead_ms: i64) -> i64 {
    (ahead_ms + SLACK_MS).div_euclid(STEP_MS) * STEP_MS
}

/// The offsets of sessions and processes, as the evidence tells them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Offsets {
    #[serde(serialize_with = "crate::state::sorted_map")]
    ahead_ms: HashMap<ZoneKey, i64, foldhash::fast::FixedState>,
}

impl Offsets {
    /// Adds evidence: the smallest difference counts, since a round is never minted after its
    /// rows.
    pub fn add(&mut self, evidence: Evidence) {
        let known = self.ahead_ms.entry(evidence.key).or_insert(evidence.ahead_ms);
        *known = evidence.ahead_ms.min(*known);
    }

    /// Adds evidence of a session and process of which none is known yet.
    pub fn add_first(&mut self, evidence: Evidence) {
        self.ahead_ms.entry(evidence.key).or_insert(evidence.ahead_ms);
    }

    /// The offset in milliseconds: wall clock less UTC.
    pub fn get(&self, key: ZoneKey) -> Option<i64> {
        self.ahead_ms.get(&key).map(|ahead| offset_of(*ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_smallest_difference_decides_rounded_down() {
        let key = ZoneKey::new(Some("s"), Some(1));
        for offset in [7 * HOUR, -HOUR * 19 / 2, 23 * HOUR / 4, 0, -12 * HOUR, 14 * HOUR] {
            let mut offsets = Offsets::default();
            for age in [600_000, 3, -4000, 100 * HOUR] {
                if let Some(e) =
                    Evidence::new(key, 1_000_000_000_000 + offset + age, 1_000_000_000_000)
                {
                    offsets.add(e);
                }
            }
            assert_eq!(offsets.get(key), Some(offset));
        }
    }

    #[test]
    fn a_utc_stamp_decides_for_its_row() {
        let key = || ZoneKey::new(None, None);
        let at = |ms| Some(Stamp::Local(ms));
        let stamped = |local, utc| Clock::Stamped { local, utc };
        assert_eq!(Clock::new(at(7 * HOUR + 20), Some(0), key), stamped(7 * HOUR + 20, 20));
        assert_eq!(Clock::new(at(-HOUR), Some(25), key), stamped(-HOUR, 0));
        assert_eq!(Clock::new(at(40 * HOUR), Some(0), key), Clock::Local(40 * HOUR, key()));
        assert_eq!(Clock::new(None, None, key), Clock::Missing);
    }
}

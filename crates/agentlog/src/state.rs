//! State that is kept between runs, as bytes: how folds, and what is kept beside them, are written
//! and taken up.
//!
//! The form is of one version of the program and of nothing else. It holds hashes of ids, and
//! follows the structs as they are, so another version could only misread it: it refuses instead,
//! and the log is read from its start. A sum over all bytes tells damage before anything is made
//! of them. Who forges a state with the right sum gets what he made up.
//!
//! Texts that fold records share (heads) are written once. Maps are written in the order of their
//! keys, so that equal states have equal bytes.

mod heads;

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

pub use heads::{head, some_head};

/// To be raised by whoever changes what a struct of a state holds, or what that means, within one
/// version of the package. A test of folds notices if their bytes are others.
const FORM: u64 = 2;

/// The stamp and the sum stand before the rest.
const FRONT: usize = 16;

/// Why a state cannot be taken up. Whoever gets one reads the log from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadState {
    /// It is no state, or one of another version or of another fold.
    #[error("the state is of another version or command")]
    Foreign,
    /// It was cut short or changed.
    #[error("the state is damaged")]
    Damaged,
    /// The fold that wrote it was asked for something else.
    #[error("the state was made with other options")]
    OtherOptions,
}

/// Appends the state of something. `kind` says what it is: only that can be made of it again.
pub fn write(kind: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(&stamp(kind).to_le_bytes());
    match heads::shared(|| postcard::to_stdvec(value)) {
        Ok(body) => {
            out.extend_from_slice(&sum(&body).to_le_bytes());
            out.extend_from_slice(&body);
        }
        // Memory does not fail, and what is written has a known length. If it did, the state would
        // be one that is refused.
        Err(error) => debug_assert!(false, "{kind}: {error}"),
    }
}

/// Reads what [`write()`] appended, all of `bytes`.
pub fn read<T: DeserializeOwned>(kind: &str, bytes: &[u8]) -> Result<T, BadState> {
    let (front, body) = bytes.split_at_checked(FRONT).ok_or(BadState::Damaged)?;
    let (stamped, summed) = front.split_at(FRONT / 2);
    if stamped != stamp(kind).to_le_bytes() {
        return Err(BadState::Foreign);
    }
    if summed != sum(body).to_le_bytes() {
        return Err(BadState::Damaged);
    }
    match heads::shared(|| postcard::take_from_bytes(body)) {
        Ok((value, [])) => Ok(value),
        _ => Err(BadState::Damaged),
    }
}

/// Tells versions and kinds apart. It changes, too, if the hashes that the state holds do.
fn stamp(kind: &str) -> u64 {
    let mut hasher = hasher();
    hasher.write_u64(FORM);
    for text in ["alog state", env!("CARGO_PKG_VERSION"), kind] {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = hasher();
    hasher.write(bytes);
    hasher.finish()
}

fn hasher() -> impl Hasher {
    foldhash::quality::FixedState::with_seed(0).build_hasher()
}

/// Writes a map in the order of its keys.
pub fn sorted_map<K: Ord + Serialize, V: Serialize, H, S: Serializer>(
    map: &HashMap<K, V, H>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<(&K, &V)> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    to.collect_map(entries)
}

/// Writes a set in its order.
pub fn sorted_set<K: Ord + Serialize, H, S: Serializer>(
    set: &HashSet<K, H>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut keys: Vec<&K> = set.iter().collect();
    keys.sort_unstable();
    to.collect_seq(keys)
}

/// Writes a heap in its order.
pub(crate) fn sorted_heap<K: Ord + Serialize, S: Serializer>(
    heap: &BinaryHeap<K>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<&K> = heap.iter().collect();
    entries.sort_unstable();
    to.collect_seq(entries)
}

/// Makes the sum right again, so that tests can see what damage does beneath it.
#[cfg(test)]
pub(crate) fn forge(bytes: &mut [u8]) {
    let sum = sum(&bytes[FRONT..]).to_le_bytes();
    bytes[FRONT / 2..FRONT].copy_from_slice(&sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    type Map = HashMap<u64, String>;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let map: Map = (0..50).map(|n| (n, n.to_string())).collect();
        let mut bytes = b"before".to_vec();
        write("numbers", &map, &mut bytes);
        let bytes = &bytes[6..];
        assert_eq!(read("numbers", bytes), Ok(map));
        assert_eq!(read::<Map>("others", bytes), Err(BadState::Foreign));
        for end in 0..bytes.len() {
            assert!(read::<Map>("numbers", &bytes[..end]).is_err(), "{end}");
            let mut flipped = bytes.to_vec();
            flipped[end] ^= 1 << (end % 8);
            assert!(read::<Map>("numbers", &flipped).is_err(), "{end}");
        }
        let more = [bytes, b"x"].concat();
        assert_eq!(read::<Map>("numbers", &more), Err(BadState::Damaged));
    }
}

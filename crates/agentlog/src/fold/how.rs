//! What rows count for, in words: all that folds may say, so that a state that was kept gives back
//! the very same words.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::{calls, deltas, prompts, tokens, turns};
use crate::event::LeftOut;
use ledger::{How, Source};

/// The words themselves, if they are known.
fn known(how: &str) -> Option<&'static str> {
    let lists = [prompts::HOWS, turns::HOWS, tokens::HOWS, deltas::HOWS, calls::HOWS];
    let own = lists.into_iter().flatten().copied();
    let of_left_out = [LeftOut::Copy, LeftOut::OtherSource].map(LeftOut::name);
    let of_ledger = How::ALL.map(How::name).into_iter().chain(Source::ALL.map(Source::instead));
    own.chain(of_left_out).chain(of_ledger).find(|known| *known == how)
}

pub(super) fn serialize<S: Serializer>(how: &&'static str, to: S) -> Result<S::Ok, S::Error> {
    debug_assert!(known(how).is_some(), "{how:?} is missing in a list of words");
    to.serialize_str(how)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    let how = <&str>::deserialize(from)?;
    known(how).ok_or_else(|| Error::custom("a row counts for something unknown"))
}

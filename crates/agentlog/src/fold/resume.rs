//! Folds that are kept between runs: a log that grew is read from where the last run stopped.

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use super::Fold;
use crate::state::{self, BadState};

/// A fold whose state can be kept and taken up later.
///
/// Feeding a log in parts, with [`Resume::save`] and [`Resume::load`] between them, gives the
/// records that feeding it at once gives, in the same order. What [`Fold::feed`] and
/// [`Fold::advance`] give out is final: it is not in the state any more. What [`Fold::finish`] gives
/// out is still open: whoever saves first and calls `finish` on the same fold then gets records
/// that are provisional, and the run that takes up the state gives out each of them again, or what
/// became of it.
pub trait Resume: Fold {
    /// Appends all that the fold knows, in a form of this version alone.
    fn save(&self, out: &mut Vec<u8>);

    /// Takes up what [`Resume::save`] wrote, in a fold that was made with the same options. After an
    /// error the fold is as it was.
    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState>;
}

/// Takes up the state of a fold that keeps its options with it.
pub(super) fn load<F: DeserializeOwned, O: PartialEq>(
    kind: &str,
    bytes: &[u8],
    fold: &mut F,
    options: fn(&F) -> O,
) -> Result<(), BadState> {
    let kept = state::read(kind, bytes)?;
    if options(&kept) != options(fold) {
        return Err(BadState::OtherOptions);
    }
    *fold = kept;
    Ok(())
}

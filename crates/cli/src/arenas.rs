//! Memory of blocks that were printed, for blocks that are read next.

use std::sync::Mutex;

/// Arenas to be used again: fresh memory has to be cleared by the system first, which takes as long
/// as to fill it.
#[derive(Default)]
pub(crate) struct Arenas(Mutex<Vec<Vec<u8>>>);

/// How many arenas are kept, and up to which size.
const ARENAS: usize = 8;
const ARENA_BYTES: usize = 2 << 20;

impl Arenas {
    /// One that was given back, or an empty one.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default()
    }

    /// Keeps an arena that nothing refers to any more, unless there are enough.
    pub(crate) fn give_back(&self, mut arena: Vec<u8>) {
        arena.clear();
        if let Ok(mut kept) = self.0.lock()
            && kept.len() < ARENAS
            && (1..=ARENA_BYTES).contains(&arena.capacity())
        {
            kept.push(arena);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_arenas_are_kept_and_no_large_ones() {
        let arenas = Arenas::default();
        arenas.give_back(Vec::new());
        arenas.give_back(Vec::with_capacity(ARENA_BYTES + 1));
        assert_eq!(arenas.take().capacity(), 0);
        (0..2 * ARENAS).for_each(|_| arenas.give_back(Vec::with_capacity(10)));
        let kept = (0..2 * ARENAS).filter(|_| arenas.take().capacity() > 0).count();
        assert_eq!(kept, ARENAS);
    }
}

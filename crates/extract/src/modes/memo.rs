//! What is known by a pointer: rows of one writer share their heads, and rows of one kind their
//! names, so that most of millions of rows need no look at the text.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

/// How many pointers are remembered.
const SLOTS: usize = 64;

/// Numbers of things that were met lately, by their pointers.
pub(super) struct Memo<T: ?Sized> {
    /// Holding what a pointer points at keeps others from getting the same pointer.
    slots: Vec<Option<(Arc<T>, usize)>>,
}

impl<T: ?Sized> Default for Memo<T> {
    fn default() -> Self {
        Self { slots: (0..SLOTS).map(|_| None).collect() }
    }
}

impl<T: ?Sized> Memo<T> {
    /// The number of a thing; none if it was not met lately.
    pub fn get(&self, thing: &Arc<T>) -> Option<usize> {
        let (known, number) = self.slots[slot(thing)].as_ref()?;
        Arc::ptr_eq(known, thing).then_some(*number)
    }

    /// Remembers the number of a thing.
    pub fn put(&mut self, thing: &Arc<T>, number: usize) {
        self.slots[slot(thing)] = Some((Arc::clone(thing), number));
    }
}

fn slot<T: ?Sized>(thing: &Arc<T>) -> usize {
    let address = Arc::as_ptr(thing).cast::<u8>() as usize;
    (address >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - SLOTS.ilog2())
}

/// Numbers of names, in the order in which they came.
#[derive(Default)]
pub(super) struct Names {
    memo: Memo<str>,
    known: HashMap<Arc<str>, usize, FixedState>,
}

impl Names {
    /// The number of a name, a new one if need be.
    pub fn number(&mut self, name: &Arc<str>) -> usize {
        if let Some(number) = self.memo.get(name) {
            return number;
        }
        let next = self.known.len();
        let number = *self.known.entry(Arc::clone(name)).or_insert(next);
        self.memo.put(name, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_one_number() {
        let mut names = Names::default();
        let texts: Vec<Arc<str>> = (0..200).map(|i| format!("n{}", i % 100).into()).collect();
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(names.number(text), i % 100);
        }
        assert_eq!(names.number(&texts[3]), 3);
    }
}

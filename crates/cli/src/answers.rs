//! Answers that are asked for once for each name of an event.

/// Answers by event name. A log has few names, and asks for each often: a table without chains is
/// enough, where names that share a place are asked for again.
pub(crate) struct Answers {
    slots: [(Vec<u8>, bool); 64],
}

impl Default for Answers {
    fn default() -> Self {
        Self { slots: [const { (Vec::new(), false) }; 64] }
    }
}

impl Answers {
    #[inline]
    /// The answer for a name, asked for if it is not known.
    pub(crate) fn get(&mut self, name: &[u8], ask: impl FnOnce(&[u8]) -> bool) -> bool {
        let end = name.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let mixed = (end ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (known, answer) = &mut self.slots[(mixed >> 58) as usize];
        if known != name {
            *answer = ask(name);
            known.clear();
            known.extend_from_slice(name);
        }
        *answer
    }
}

//! Small logs are read while they are looked at: to open a file takes longer than to read one. What
//! they tell waits in memory, as long as there is room; the others are opened again in their turn.

use std::cell::Cell;
use std::mem::replace;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use jsonl::{Block, Placed};

use super::ahead::Ahead;
use crate::flags::{CommonFlags, FollowFlags, StateFlags};
use crate::fold::{Kept, Memory, ReadRows};
use crate::format::About;
use crate::inputs::How;
use crate::look::Look;
use crate::run::Run;
use crate::scan::{self, Item, Scanned};

/// How much is kept of what small logs tell, in bytes: that of some 30,000 logs of a few rows.
const ROOM: usize = 96 << 20;

/// What is made of each log, beside its rows and what they refer to.
const EACH: usize = size_of::<Ahead>() + size_of::<Placed<Scanned<Kept, Memory>>>() + 64;

thread_local! {
    /// Room for what logs tell, before it is known how much that is: they are many.
    static USED: Cell<(Vec<Item<Kept>>, Memory)> = Cell::default();
}

/// The room that is left, in bytes.
struct Room(AtomicUsize);

impl Run {
    /// As [`Run::of`], for a fold of these rows: small logs are read while they are looked at, unless
    /// more of them is to be read later.
    pub fn reading(
        flags: &CommonFlags,
        (follow, state): (&FollowFlags, &StateFlags),
        (look, rows): (Look<'_>, &impl ReadRows),
    ) -> Result<Self> {
        // They remember up to where they read each log, and need it open or marked for that.
        if follow.follow || state.file.is_some() {
            return Self::of(flags, follow, state);
        }
        crate::start::take_small_pages();
        let room = Room(AtomicUsize::new(ROOM));
        let max_line = flags.input.max_line;
        let read = |text: &[u8], about: About<'_>| room.read(text, about, (look, rows), max_line);
        Self::following_as(flags, follow, How { at_sight: Some(&read), ..How::default() })
    }

    /// What was read at sight of each log. If it is to be read again, nothing was.
    pub(super) fn take_at_sight(&mut self) -> Vec<Option<Box<Ahead>>> {
        match Arc::get_mut(&mut self.logs) {
            Some(logs) => logs.iter_mut().map(|log| log.at_sight.take()).collect(),
            None => self.logs.iter().map(|_| None).collect(),
        }
    }
}

impl Room {
    /// Reads a log of which this is all the text; none if there is no room for what it tells, or if
    /// it has bad lines, whose text would have to be kept.
    fn read(
        &self,
        text: &[u8],
        about: About<'_>,
        (look, rows): (Look<'_>, &impl ReadRows),
        max_line: u64,
    ) -> Option<Box<Ahead>> {
        if self.0.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let block = Block::of_all(text, max_line);
        let (mut found, mut taken) = (Vec::with_capacity(1), EACH);
        if !text.is_empty() {
            let used = USED.take();
            let mut value = scan::block_into(&block, about, look, rows, used);
            let items = value.items.drain(..).collect();
            let kept = value.arena.take();
            USED.set((replace(&mut value.items, items), replace(&mut value.arena, kept)));
            taken += kept_of(&value)?;
            found.push(Placed { first_line: 1, value });
        }
        self.take(taken).then(|| {
            let (lines, bytes) = (block.line_count(), text.len() as u64);
            // What came next would belong to a last line without an end.
            let ended = text.last().is_none_or(|last| *last == b'\n');
            let reached = (bytes, lines + u64::from(ended));
            Box::new(Ahead { read: (lines, bytes), reached, found, broken: None })
        })
    }

    /// Takes so many bytes. Once that fails nothing is left, and nothing more is tried.
    fn take(&self, bytes: usize) -> bool {
        let left = |left: usize| Some(left.saturating_sub(bytes));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        before.is_ok_and(|before| before >= bytes)
    }
}

/// About how many bytes are kept of a log; none if it has bad lines.
fn kept_of(found: &Scanned<Kept, Memory>) -> Option<usize> {
    let of_row = |item: &Item<Kept>| size_of::<Item<Kept>>() + item.value.bytes();
    let partial = found.partial.as_ref().map_or(0, |partial| partial.text.len());
    let rows: usize = found.items.iter().map(of_row).sum();
    found.bad.is_empty().then(|| rows + partial + found.arena.bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use agentlog::native::Wants;
    use agentlog::sse;
    use jsonl::{Opened, Reader, ReaderOptions};

    use super::super::ahead::read;
    use super::*;
    use crate::fold::{FoldRows, NativeRows};
    use crate::format::Format;

    const ABOUT: About<'static> = About { format: Format::Transcript, thread: None };

    fn rows() -> FoldRows {
        let native = NativeRows::new(Wants { prompts: true, ..Wants::default() });
        FoldRows { events: &[], passes: |_, _| false, read: sse::what_of, native }
    }

    fn prompt(text: &str) -> String {
        format!(
            r#"{{"type":"user","uuid":"{text}","sessionId":"s","message":{{"role":"user","content":"{text}"}}}}"#
        )
    }

    /// Lines and bytes; number, offset and length of each row that was found; partial lines.
    type Told = ((u64, u64), Vec<(u64, u64, u64)>, usize);

    fn told(read: (u64, u64), found: &[Placed<Scanned<Kept, Memory>>]) -> Told {
        let items = found.iter().flat_map(|block| {
            block
                .value
                .items
                .iter()
                .map(|item| (block.first_line + item.line, item.offset, item.len))
        });
        let partial = found.iter().filter(|block| block.value.partial.is_some()).count();
        (read, items.collect(), partial)
    }

    #[test]
    fn a_log_read_at_sight_is_what_a_reader_finds() {
        let (a, b) = (prompt("a"), prompt("b"));
        for text in [
            String::new(),
            format!("{a}\n{b}\n"),
            format!("\u{feff}{a}\r\n\n  \n{b}"),
            format!("{a}\n{}", &b[..b.len() - 9]),
            "\n".repeat(3),
        ] {
            let room = Room(AtomicUsize::new(ROOM));
            let ahead = room.read(text.as_bytes(), ABOUT, (Look::Names, &rows()), 1 << 30);
            let ahead = ahead.expect("there is room");
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(text.as_bytes()).expect("it is written");
            let source = Opened::path(file.path()).expect("it opens");
            let mut reader = Reader::new(source, &ReaderOptions::default());
            let mut found = Vec::new();
            while let Some(more) = read(&mut reader, ABOUT, Look::Names, &rows()).expect("it reads")
            {
                found.extend(more);
            }
            let want = told((reader.lines(), reader.bytes()), &found);
            assert_eq!(ahead.reached, reader.reached(), "{text:?}");
            assert_eq!(told(ahead.read, &ahead.found), want, "{text:?}");
        }
    }

    #[test]
    fn what_finds_no_room_is_left_to_be_read_in_its_turn() {
        let room = Room(AtomicUsize::new(2 * EACH + 4096));
        let read = |text: &str| {
            room.read(text.as_bytes(), ABOUT, (Look::Names, &rows()), 1 << 30).is_some()
        };
        assert!(!read("{\"type\":\"user\", torn}\n"), "a bad line");
        assert!(read(&prompt("short")));
        assert!(!read(&prompt(&"long".repeat(2000))), "the prompt itself counts");
        assert!(!read(&prompt("short")), "nothing is left");
    }
}

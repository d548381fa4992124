//! Prompts typed while the agent was busy, and what becomes of them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Kind, Options, Prompt, Row};
use crate::event::Queue;
use crate::fold::Used;
use crate::json::Text;

/// The queue of one session.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct PromptQueue {
    entries: VecDeque<Entry>,
    /// What was removed last, if no row said yet that it was delivered.
    removed: Option<Text>,
}

#[derive(Debug, Serialize, Deserialize, Clone)]
struct Entry {
    record: Prompt,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Waiting,
    /// Taken from the queue; an ordinary prompt should follow.
    Dequeued,
    /// The ordinary prompt came before the row that says it was taken.
    Delivered,
}

impl Entry {
    fn says(&self, text: &Text) -> bool {
        self.record.text.as_ref() == Some(text)
    }
}

impl PromptQueue {
    /// Takes a change; returns the record that is final by it.
    pub fn change(&mut self, row: Row, change: Queue, options: Options) -> Option<Prompt> {
        match change {
            // Messages of background tasks travel through the queue too; nobody typed them.
            Queue::Enqueue(text) if text.as_bytes().starts_with(b"<task-notification>") => {}
            Queue::Enqueue(text) => {
                let rows = vec![Used { src: row.src, how: "queued" }];
                let record = options.record(row, Kind::Queued, Some(text), rows);
                self.entries.push_back(Entry { record, state: State::Waiting });
            }
            Queue::Remove(text) => {
                let entry = self.entries.remove(self.next(&text)?)?;
                let mut record = (entry.state == State::Waiting).then_some(entry.record)?;
                self.removed.clone_from(&record.text);
                if options.explain {
                    let how = "removed: delivered inside the turn";
                    record.rows.push(Used { src: row.src, how });
                }
                return Some(record);
            }
            Queue::Dequeue(text) => {
                let at = self.next(&text)?;
                match self.entries[at].state {
                    State::Delivered => drop(self.entries.remove(at)),
                    _ => self.entries[at].state = State::Dequeued,
                }
            }
            Queue::Delivered(text)
                if self.removed.take_if(|removed| *removed == text).is_some() => {}
            Queue::Delivered(text) => {
                let waiting = |entry: &Entry| entry.state == State::Waiting && entry.says(&text);
                let entry = self.entries.iter().position(waiting);
                let mut record = match entry.and_then(|at| self.entries.remove(at)) {
                    Some(entry) => entry.record,
                    // Only this row tells it.
                    None => options.record(row.clone(), Kind::Queued, Some(text), Vec::new()),
                };
                if options.explain {
                    record.rows.push(Used { src: row.src, how: "delivered inside the turn" });
                }
                return Some(record);
            }
            Queue::PopAll => self.entries.retain(|entry| entry.state == State::Dequeued),
        }
        None
    }

    /// An ordinary prompt came: if it waited here, that entry is told by it.
    pub fn came_as_prompt(&mut self, text: &Text) -> Option<Used> {
        let of = |state| move |entry: &Entry| entry.state == state && entry.says(text);
        let how = "queued, and came as this prompt";
        if let Some(at) = self.entries.iter().position(of(State::Dequeued)) {
            let entry = self.entries.remove(at)?;
            return Some(Used { src: entry.record.src, how });
        }
        let at = self.entries.iter().position(of(State::Waiting))?;
        self.entries[at].state = State::Delivered;
        Some(Used { src: self.entries[at].record.src, how })
    }

    /// What never came: it was typed, so it is told.
    pub fn left(&mut self) -> impl Iterator<Item = Prompt> {
        let left = self.entries.drain(..).filter(|entry| entry.state != State::Delivered);
        left.map(|entry| entry.record)
    }

    /// The entry that a row with this text means: that text's, else the oldest.
    fn next(&self, text: &Text) -> Option<usize> {
        let there = |entry: &Entry| entry.state != State::Dequeued;
        let same = self.entries.iter().position(|entry| there(entry) && entry.says(text));
        same.or_else(|| self.entries.iter().position(there))
    }
}

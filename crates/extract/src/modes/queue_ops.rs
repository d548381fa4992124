//! `queue_ops`: a prompt that was queued, and what became of it.
//!
//! `enqueue` starts a record; what ends it is the `dequeue` (it goes on as an ordinary prompt), the
//! `remove` (delivered inside the running turn; newer transcripts tell that by an attachment, too) or
//! the `popAll` (back in the editor) that means it: the one with the same text, else the oldest that
//! waits. What never ends stays `queued`. Messages of background tasks, which go the same way, take
//! their places in the queue but have no records.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use agentlog::event::{Head, Queue, Src, What};
use agentlog::json::Text;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "queue_ops",
    about: "a prompt that was queued, and what became of it",
    sources: "claude.queue_operation, queue-operation in transcripts",
    own: OWN,
    key: &["sid", "text", "t"],
    table: &["t", "provider", "sid", "state", "waited_ms", "text"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::<QueueOps>::default(),
};

const OWN: &[Field] = &[
    field("text", Shape::Text, "what was typed"),
    field("state", Shape::OneOf(&["queued", "dequeued", "removed", "popped"]), "what became of it"),
    field("t_end", Shape::Time, "when that was"),
    field("waited_ms", Shape::Integer, "how long it waited"),
];

/// What background tasks say travels through the queue too; nobody typed that.
const NOTIFICATION: &[u8] = b"<task-notification>";

/// Something that waits.
struct Entry {
    text: Text,
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
}

impl Entry {
    fn record(self, state: &'static str, t_end: Option<i64>) -> Option<Record> {
        if self.text.as_bytes().starts_with(NOTIFICATION) {
            return None;
        }
        let waited = t_end.zip(self.t).and_then(|(end, start)| end.checked_sub(start));
        let text = self.text.to_str_lossy().into_owned();
        let values = vec![text.into(), state.into(), or_null(t_end), or_null(waited)];
        Some(Record { info: &INFO, t: self.t, src: self.src, head: self.head, values })
    }
}

/// The queue of a session.
#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// What was removed last, if no row said yet that it was delivered.
    removed: Option<Text>,
}

impl Waiting {
    /// Takes out the entry with that text; without a text, or where none has it, the oldest.
    fn take(&mut self, text: &Text) -> Option<Entry> {
        let same = self.entries.iter().position(|entry| entry.text == *text);
        self.entries.remove(same.unwrap_or(0))
    }
}

#[derive(Default)]
struct QueueOps {
    sessions: HashMap<Option<String>, Waiting, FixedState>,
}

impl Mode for QueueOps {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        let What::Queue(change) = event.what else { return };
        if event.left_out.is_some() || event.head.agent.is_some() {
            return;
        }
        let queue = self.sessions.entry(event.head.sid.clone()).or_default();
        match change {
            Queue::Enqueue(text) => {
                let (t, src, head) = (event.t, event.src, Arc::clone(event.head));
                queue.entries.push_back(Entry { text: text.clone(), t, src, head });
            }
            Queue::Dequeue(text) => {
                out.extend(queue.take(text).and_then(|entry| entry.record("dequeued", event.t)));
            }
            Queue::Remove(text) => {
                let entry = queue.take(text);
                queue.removed = entry.as_ref().map(|entry| entry.text.clone());
                out.extend(entry.and_then(|entry| entry.record("removed", event.t)));
            }
            Queue::Delivered(text) => {
                let told = queue.removed.take_if(|removed| removed == text).is_some();
                let waits = queue.entries.iter().any(|entry| entry.text == *text);
                if !told && waits {
                    out.extend(queue.take(text).and_then(|entry| entry.record("removed", event.t)));
                }
            }
            Queue::PopAll => {
                let all = queue.entries.drain(..);
                out.extend(all.filter_map(|entry| entry.record("popped", event.t)));
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let left = self.sessions.drain().flat_map(|(_, queue)| queue.entries);
        let mut left: Vec<Record> = left.filter_map(|entry| entry.record("queued", None)).collect();
        left.sort_by_key(|record| (record.t, record.src));
        out.append(&mut left);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{claude, records};

    fn op(ms: i64, operation: &str, content: &str) -> String {
        claude(ms, &json!({"type": "queue_operation", "operation": operation, "content": content}))
    }

    fn told(found: &[Value]) -> Vec<(&str, &str)> {
        found.iter().map(|r| (r["text"].as_str().unwrap(), r["state"].as_str().unwrap())).collect()
    }

    #[test]
    fn what_became_of_each() {
        let rows = [
            op(1000, "enqueue", "a"),
            op(1001, "enqueue", "b"),
            op(1002, "enqueue", "c"),
            op(1500, "dequeue", ""),
            op(2500, "remove", "c"),
            op(2600, "popAll", "b"),
            op(2700, "enqueue", "d"),
        ];
        let found = records("queue_ops", &rows);
        assert_eq!(
            told(&found),
            [("a", "dequeued"), ("c", "removed"), ("b", "popped"), ("d", "queued")]
        );
        assert_eq!(
            (&found[0]["waited_ms"], &found[0]["t_end"]),
            (&json!(500), &json!("2026-01-01T00:00:01.500Z"))
        );
        assert_eq!(
            (&found[1]["t"], &found[1]["line"]),
            (&json!("2026-01-01T00:00:01.002Z"), &json!(3))
        );
        assert_eq!((&found[3]["waited_ms"], &found[3]["t_end"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_remove_without_text_takes_the_oldest() {
        let found = records(
            "queue_ops",
            &[op(1, "enqueue", "a"), op(2, "enqueue", "b"), op(3, "remove", "")],
        );
        assert_eq!(told(&found), [("a", "removed"), ("b", "queued")]);
    }

    #[test]
    fn notifications_take_their_place_but_are_not_told() {
        let note = "<task-notification>done</task-notification>";
        let rows = [
            op(1, "enqueue", note),
            op(2, "enqueue", "b"),
            op(3, "dequeue", ""),
            op(4, "dequeue", ""),
        ];
        let found = records("queue_ops", &rows);
        assert_eq!(told(&found), [("b", "dequeued")]);
        assert_eq!(found[0]["waited_ms"], 2);
    }

    #[test]
    fn transcripts_tell_that_it_was_delivered() {
        let op = |t: i64, operation: &str, content: &str| {
            json!({"type": "queue-operation", "operation": operation, "content": content, "sessionId": "c",
                "timestamp": format!("2026-01-01T00:00:0{t}.000Z")}).to_string()
        };
        let delivered = |t: i64, text: &str| {
            json!({"type": "attachment", "uuid": format!("u{t}"), "sessionId": "c", "timestamp": format!("2026-01-01T00:00:0{t}.000Z"),
                "attachment": {"type": "queued_command", "prompt": text}}).to_string()
        };
        let rows = [
            op(1, "enqueue", "a"),
            op(2, "remove", "a"),
            delivered(3, "a"),
            op(4, "enqueue", "b"),
            delivered(5, "b"),
            op(6, "dequeue", ""),
        ];
        let found = records("queue_ops", &rows);
        assert_eq!(told(&found), [("a", "removed"), ("b", "removed")]);
        assert_eq!((&found[0]["waited_ms"], &found[1]["waited_ms"]), (&json!(1000), &json!(1000)));
    }

    #[test]
    fn ends_without_a_start_are_nothing() {
        let rows = [
            op(1, "dequeue", ""),
            op(2, "remove", "x"),
            op(3, "popAll", ""),
            op(4, "strange", "y"),
        ];
        assert!(records("queue_ops", &rows).is_empty());
    }
}

//! `conversation_growth`: what a request added to its conversation, and what it took away.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "conversation_growth",
    about: "what a request added to its conversation, and what it took away",
    sources: "captured requests",
    own: OWN,
    key: &["src"],
    table: &[
        "t",
        "provider",
        "sid",
        "call",
        "change",
        "items",
        "added",
        "removed",
        "common_prefix",
    ],
    takes: Takes { deltas: false, left_out: false, selected: false },
    make: |_| Box::new(ConversationGrowth),
};

const OWN: &[Field] = &[
    field("call", Shape::Count, "ordinal of the request in its session, from 1"),
    field("items", Shape::Count, "messages or input items in it"),
    field("bytes", Shape::Count, "bytes of them, as JSON"),
    field("added", Shape::Count, "items behind the common prefix"),
    field("removed", Shape::Count, "items of the request before that are not in the common prefix"),
    field("common_prefix", Shape::Count, "items that it starts with, and the request before too"),
    field("common_prefix_bytes", Shape::Count, "bytes of those: what a prompt cache can have kept"),
    field(
        "change",
        Shape::OneOf(&["first", "grew", "same", "shrank", "rewritten"]),
        "what became of the conversation",
    ),
    field(
        "reason",
        Shape::OneOf(&["compaction", "rewind", "edit"]),
        "why it shrank or was rewritten, as far as it can be told",
    ),
    field(
        "system_changed",
        Shape::Bool,
        "whether the system prompt or the tools changed, so that nothing was cached",
    ),
    field("context_tokens", Shape::Count, "tokens of the whole request, as its answer tells"),
    field(
        "cache_read_tokens",
        Shape::Count,
        "tokens of it that were read from the cache, as its answer tells",
    ),
];

struct ConversationGrowth;

impl Mode for ConversationGrowth {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}

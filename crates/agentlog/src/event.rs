//! The vocabulary that all commands speak: what happened, to whom, and in which row.

mod call;
mod message;
mod stream;
mod turn;
mod usage;

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::Text;
use crate::native::Told;

pub use call::{Execution, Item, ItemKind, ItemPhase, Output, Phase, Tool, ToolResult, is_cut};
pub use message::{Message, ToolUse};
pub use stream::{Block, BlockKind, Piece, Stream, StreamKind};
pub use turn::{Response, ResponsePhase, Session, Turn};
pub use usage::{RateLimit, RateLimits, TokenCount, Usage};

/// Which agent wrote a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Provider {
    Claude,
    Codex,
}

impl Provider {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }
}

/// The row that something was read from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Src {
    /// Number of the file in the input.
    pub file: u32,
    /// Where the row starts, in (decompressed) bytes.
    pub offset: u64,
    /// Line number, from 1.
    pub line: u64,
    /// Bytes, without the line's end.
    pub len: u64,
}

/// Whose event it is. What a row does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Head {
    pub provider: Option<Provider>,
    pub sid: Option<String>,
    pub pid: Option<i64>,
    pub turn_id: Option<String>,
    pub round: Option<String>,
    pub flow_id: Option<String>,
    pub cwd: Option<String>,
    pub ver: Option<String>,
    pub model: Option<String>,
    /// The sub-agent whose row it is; none if the main agent's. No record shows it.
    pub agent: Option<String>,
}

impl Head {
    /// Whose counters a row tells: its session's, or those of a sub-agent in it.
    pub fn counter(&self) -> Option<std::borrow::Cow<'_, str>> {
        match (&self.agent, &self.sid) {
            (Some(agent), sid) => {
                Some(format!("{}\0{agent}", sid.as_deref().unwrap_or_default()).into())
            }
            (None, sid) => sid.as_deref().map(Into::into),
        }
    }

    /// The submission id of a Codex turn, if it is one that can be trusted: a number.
    pub fn numeric_turn_id(&self) -> Option<&str> {
        let id = self.turn_id.as_deref()?;
        id.bytes().all(|b| b.is_ascii_digit()).then_some(id)
    }
}

/// Something that happened, in its place and time.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Milliseconds since the epoch, UTC; none if neither row nor file tells.
    pub t: Option<i64>,
    /// The row.
    pub src: Src,
    /// Whose it is. Rows of one writer share it.
    pub head: &'a Arc<Head>,
    /// What happened.
    pub what: &'a What,
    /// What the [`Span`]s of `what` refer to.
    pub arena: &'a [u8],
    /// Why it counts for nothing, if it does not.
    pub left_out: Option<LeftOut>,
    /// What a command keeps of the row for folds of its own.
    pub extra: Option<&'a Extra>,
}

/// What a command keeps of a row beside what happened in it.
pub type Extra = dyn Any + Send + Sync;

/// Why a row that tells something counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LeftOut {
    /// A fork, a sub-agent or a resumed session starts with a copy of it.
    Copy,
    /// Its session has a better source in the same input.
    OtherSource,
}

impl LeftOut {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "dropped: a copy of another session's history",
            Self::OtherSource => "dropped: the session's own log counts",
        }
    }
}

impl<'a> Event<'a> {
    /// The text of a span: UTF-8, but for lone surrogates (see [`Text`]).
    pub fn bytes(&self, span: Span) -> &'a [u8] {
        &self.arena[span.start..span.start + span.len]
    }

    /// The text of a span that names something. A name that is not UTF-8 is none of ours: empty.
    pub fn name(&self, span: Span) -> &'a str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> Text {
        Text::from_wtf8(self.bytes(span))
    }
}

/// A text that stands in the memory of a block of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: usize,
    len: usize,
}

impl Span {
    /// What was appended to `arena` since it was `start` bytes long.
    pub fn since(start: usize, arena: &[u8]) -> Self {
        Self { start, len: arena.len() - start }
    }

    /// Where the text stands in its arena.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }

    /// Bytes of the text.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there is no text.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What happened: one kind for each kind of row, whichever agent wrote it.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The user said something.
    Prompt(Prompt),
    /// The queue of prompts typed while the agent was busy changed.
    Queue(Queue),
    /// A process took up a session or left it.
    Session(Session),
    /// A turn began or ended.
    Turn(Turn),
    /// The agent said something, whole (`turn.agent_message`).
    Said(Span),
    /// A request to the model went on.
    Response(Response),
    /// Codex counted its tokens (boxed: it is large, and rare).
    TokenCount(Box<TokenCount>),
    /// An item of Codex's conversation: a message, a tool call, a result.
    Item(Item),
    /// A block of a Claude message started or stopped.
    Block(Block),
    /// A part of a streamed item.
    Delta(Piece),
    /// The text of a streamed item, or of a part of it, whole.
    Done(Piece),
    /// Codex ran something for a call.
    Execution(Execution),
    /// Results that Claude was given, in the order of the row.
    Results(Vec<ToolResult>),
    /// A message of Claude, as a transcript tells it (boxed: it is large).
    Message(Box<Message>),
    /// A tool call of Claude, as a transcript tells it.
    ToolUse(ToolUse),
    /// Nothing that these words tell: the row is there for what is kept of it beside.
    Row,
    /// Who writes a rollout, and what is next in it: the context of the rows that follow.
    Thread(Box<Told>),
}

/// A prompt as a row tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Which kind of row it stands in.
    pub form: PromptForm,
    /// What was typed; none if the row does not let it be read.
    pub text: Option<Text>,
    /// Images that came with it, as far as the row tells.
    pub images: Option<u64>,
    /// Claude's id of the message.
    pub message_uuid: Option<String>,
}

/// The rows that hold prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptForm {
    /// `turn.user_message`.
    CodexMessage,
    /// `codex.user_prompt`, the older form: may stand beside a `turn.user_message`.
    CodexPrompt,
    /// `claude.user_prompt`.
    Claude,
    /// A row of type `user` in a transcript.
    Transcript,
    /// `user_message` in a rollout.
    CodexEvent,
    /// A message of the user among the items of a rollout: counts where no event tells prompts.
    CodexItem,
}

/// `claude.queue_operation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Typed while the agent was busy.
    Enqueue(Text),
    /// The oldest goes on as an ordinary prompt.
    Dequeue(Text),
    /// Delivered inside the running turn: the one with this text, else the oldest.
    Remove(Text),
    /// Delivered inside the running turn, as the agent was told it.
    Delivered(Text),
    /// All went back into the editor.
    PopAll,
}

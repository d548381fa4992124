//! The vocabulary that all commands speak: what happened, to whom, and in which row.

use crate::json::Text;

/// Which agent wrote a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
}

impl Head {
    /// The submission id of a Codex turn, if it is one that can be trusted: a number.
    pub fn numeric_turn_id(&self) -> Option<&str> {
        let id = self.turn_id.as_deref()?;
        id.bytes().all(|b| b.is_ascii_digit()).then_some(id)
    }
}

/// Something that happened, in its place and time.
#[derive(Clone, Debug)]
pub struct Event {
    /// Milliseconds since the epoch, UTC; none if neither row nor file tells.
    pub t: Option<i64>,
    /// The row.
    pub src: Src,
    /// Whose it is.
    pub head: Head,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The user said something.
    Prompt(Prompt),
    /// The queue of prompts typed while the agent was busy changed.
    Queue(Queue),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptForm {
    /// `turn.user_message`.
    CodexMessage,
    /// `codex.user_prompt`, the older form: may stand beside a `turn.user_message`.
    CodexPrompt,
    /// `claude.user_prompt`.
    Claude,
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
    /// All went back into the editor.
    PopAll,
}

//! Which rows are prompts of the user, each told once.
//!
//! Rules: a `codex.user_prompt` counts only where no `turn.user_message` says the same within
//! 2 s; a `claude.user_prompt` counts once per message id, or without one once per text within
//! 500 ms; what was typed while the agent was busy counts as `queued` unless it came back as an
//! ordinary prompt or went back into the editor.

mod queue;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::resume::{self, Resume};
use super::{Fold, Used};
use crate::event::{self, Event, Head, Src, What};
use crate::json::Text;
use crate::state::{self, BadState};
use session::{Session, Told};

/// How far the two forms of one Codex prompt may be apart, in milliseconds.
pub const TWIN_MS: i64 = 2000;
/// What the writer adds to a session's first prompt, before the session's id.
const AGENT_ID: &str = "\nYour agent Id is: ";

/// What the words of rows may be, see [`super::Used`].
pub(super) const HOWS: &[&str] = &[
    "prompt",
    "queued",
    "removed: delivered inside the turn",
    "delivered inside the turn",
    "queued, and came as this prompt",
    "said before with this id",
    "said again within 500 ms",
    session::TWIN,
    session::ITEM,
];

/// What to make of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Keep the agent id that the writer adds to a prompt.
    pub raw_text: bool,
    /// Keep what was used for each record.
    pub explain: bool,
}

/// How a prompt was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// It opened a turn.
    Prompt,
    /// Typed while the agent worked, delivered inside a turn.
    Queued,
    /// A slash command.
    Command,
}

impl Kind {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Queued => "queued",
            Self::Command => "command",
        }
    }
}

/// A prompt, final.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prompt {
    /// Milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// Whose it is, as its row says.
    #[serde(with = "crate::state::head")]
    pub head: Arc<Head>,
    /// How it was given.
    pub kind: Kind,
    /// What was typed; none if its row was cut short.
    pub text: Option<Text>,
    /// Images that came with it.
    pub images: Option<u64>,
    /// Ordinal among the prompts of its session; none if queued or a command.
    pub session_turn: Option<u64>,
    /// Its row.
    pub src: Src,
    /// The rows that were read for it, with [`Options::explain`].
    pub rows: Vec<Used>,
}

/// The fold.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub struct Prompts {
    options: Options,
    #[serde(serialize_with = "crate::state::sorted_map")]
    sessions: HashMap<Option<String>, Box<Session>, FixedState>,
    /// Claude messages that were told, by the hashes of their ids.
    #[serde(serialize_with = "crate::state::sorted_map")]
    messages: HashMap<u64, Src, FixedState>,
    /// Sessions in which a record waits, in an order that does not differ from run to run.
    waiting: BTreeSet<Option<String>>,
}

impl Prompts {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }
}

impl Fold for Prompts {
    type Record = Prompt;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Prompt>) {
        if let Some(t) = event.t {
            self.advance(t, out);
        }
        if event.left_out.is_some() || event.head.agent.is_some() {
            // Agents speak to sub-agents; nobody typed that.
            return;
        }
        let row = || Row { t: event.t, src: event.src, head: Arc::clone(event.head) };
        match event.what {
            What::Prompt(said) => self.prompt(row(), said.clone(), out),
            What::Queue(change) => {
                let session = self.sessions.entry(event.head.sid.clone()).or_default();
                out.extend(session.queue.change(row(), change.clone(), self.options));
            }
            _ => {}
        }
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Prompt>) {
        let sessions = &mut self.sessions;
        self.waiting.retain(|sid| {
            let Some(session) = sessions.get_mut(sid) else { return false };
            session.release(Some(t), out);
            session.holds()
        });
    }

    fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn finish(&mut self, out: &mut Vec<Prompt>) {
        self.advance(i64::MAX, out);
        let mut left: Vec<_> =
            self.sessions.values_mut().flat_map(|session| session.queue.left()).collect();
        left.sort_by_key(|prompt| (prompt.t, prompt.src));
        out.append(&mut left);
    }
}

/// What stays for ever: of each session the number of its prompts, its last turns' ids and up to 256
/// prompts of the last two seconds; of each message of Claude with an id 16 to 40 bytes.
impl Resume for Prompts {
    fn save(&self, out: &mut Vec<u8>) {
        state::write("prompts", self, out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        resume::load("prompts", bytes, self, |fold| fold.options)
    }
}

impl Prompts {
    /// Whether the row waits to become a record.
    pub(super) fn holds(&self, sid: Option<&String>, src: Src) -> bool {
        let session = self.sessions.get(&sid.cloned());
        self.waits() && session.is_some_and(|session| session.holds_row(src))
    }

    fn prompt(&mut self, row: Row, said: event::Prompt, out: &mut Vec<Prompt>) {
        // Texts are compared without what the writer adds, whatever is printed.
        let typed = said.text.as_ref().map(|text| without_agent_id(text, &row.head));
        let session = self.sessions.entry(row.head.sid.clone()).or_default();
        let told = Told { t: row.t, form: said.form, text: typed.clone(), src: row.src };
        let before = match said.message_uuid {
            Some(id) => {
                let id = FixedState::with_seed(0).hash_one(id);
                let first = *self.messages.entry(id).or_insert(row.src);
                (first != row.src).then_some((first, "said before with this id"))
            }
            None => session.told_before(&told),
        };
        if let Some((of, how)) = before {
            return session.note(of, Used { src: row.src, how }, out);
        }
        let mut rows = vec![Used { src: row.src, how: "prompt" }];
        rows.extend(session.drop_twins(&told));
        let (kind, args) = session.kind_of(&row.head, said.form, typed.as_ref());
        // A slash command was queued as it was typed.
        let queued = args.as_ref().or(typed.as_ref());
        rows.extend(queued.and_then(|text| session.queue.came_as_prompt(text)));
        let text = args.or(if self.options.raw_text { said.text } else { typed });
        let mut record = self.options.record(row, kind, text, rows);
        record.images = said.images;
        let whose = record.head.sid.clone();
        session.take(record, told);
        session.release(None, out);
        if session.holds() {
            self.waiting.insert(whose);
        }
    }
}

/// The row of an event, but for what it says.
#[derive(Clone, Debug)]
struct Row {
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
}

impl Options {
    fn record(self, row: Row, kind: Kind, text: Option<Text>, rows: Vec<Used>) -> Prompt {
        let Row { t, src, head } = row;
        let rows = if self.explain { rows } else { Vec::new() };
        Prompt { t, head, kind, text, images: None, session_turn: None, src, rows }
    }
}

/// Takes off the agent id that the writer adds to the first prompt of a process.
fn without_agent_id(text: &Text, head: &Head) -> Text {
    let mut text = text.clone();
    if let Some(sid) = &head.sid
        && let suffix = format!("{AGENT_ID}{sid}")
        && let Some(rest) = text.as_bytes().strip_suffix(suffix.as_bytes())
    {
        let len = rest.len();
        text.truncate(len);
    }
    text
}

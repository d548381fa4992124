//! Which rows are prompts of the user, each told once.
//!
//! Rules: a `codex.user_prompt` counts only where no `turn.user_message` says the same within
//! 2 s; a `claude.user_prompt` counts once per message id, or without one once per text within
//! 500 ms; what was typed while the agent was busy counts as `queued` unless it came back as an
//! ordinary prompt or went back into the editor.

use std::collections::{HashMap, HashSet, VecDeque};

use super::Used;
use crate::event::{self, Event, Head, PromptForm, Queue, Src, What};
use crate::json::Text;

/// How far the two forms of one Codex prompt may be apart, in milliseconds.
pub const TWIN_MS: i64 = 2000;
/// How soon a Claude prompt without an id may be logged again, in milliseconds.
const AGAIN_MS: i64 = 500;
/// What the writer adds to a session's first prompt, before the session's id.
const AGENT_ID: &str = "\nYour agent Id is: ";

/// What to make of the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the agent id that the writer adds to a prompt.
    pub raw_text: bool,
    /// Keep what was used for each record.
    pub explain: bool,
}

/// How a prompt was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// Whose it is, as its row says.
    pub head: Head,
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
#[derive(Debug, Default)]
pub struct Prompts {
    options: Options,
    sessions: HashMap<Option<String>, Session>,
    /// Ids of Claude messages that were told.
    told: HashSet<String>,
    /// Sessions in which a record waits, in no order.
    waiting: HashSet<Option<String>>,
}

/// What a session holds open.
#[derive(Debug, Default)]
struct Session {
    prompts: u64,
    /// Records in order of their rows; the first waits for its twin.
    line: VecDeque<Held>,
    /// Texts told lately, with their times.
    lately: VecDeque<(Option<i64>, PromptForm, Option<Text>)>,
    /// For each process: the turn that its last prompt opened.
    turn: HashMap<Option<i64>, String>,
    queue: VecDeque<Queued>,
}

#[derive(Debug)]
struct Held {
    record: Prompt,
    /// Time of the row, if a twin may still replace it.
    until_twin: Option<i64>,
}

#[derive(Debug)]
struct Queued {
    record: Prompt,
    state: QueueState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueState {
    Waiting,
    /// Taken from the queue; an ordinary prompt should follow.
    Dequeued,
    /// The ordinary prompt came before the row that says it was taken.
    Delivered,
}

impl Prompts {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Takes the next event. Records that are final now are appended to `out`.
    pub fn feed(&mut self, event: Event, out: &mut Vec<Prompt>) {
        if let Some(t) = event.t {
            self.advance(t, out);
        }
        let Event { t, src, head, what } = event;
        match what {
            What::Prompt(said) => self.prompt(t, src, head, said, out),
            What::Queue(change) => self.queue(t, src, head, change, out),
        }
    }

    /// Log time has come to `t`: nothing older follows.
    pub fn advance(&mut self, t: i64, out: &mut Vec<Prompt>) {
        let sessions = &mut self.sessions;
        self.waiting.retain(|sid| {
            let Some(session) = sessions.get_mut(sid) else { return false };
            session.release(Some(t), out);
            !session.line.is_empty()
        });
    }

    /// Whether a record waits for a twin, and so for time to pass.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The input is over.
    pub fn finish(&mut self, out: &mut Vec<Prompt>) {
        self.advance(i64::MAX, out);
        let mut left: Vec<Prompt> = Vec::new();
        for session in self.sessions.values_mut() {
            let open = session.queue.drain(..).filter(|q| q.state != QueueState::Delivered);
            left.extend(open.map(|q| q.record));
        }
        left.sort_by_key(|p| (p.t, p.src));
        out.append(&mut left);
    }

    fn prompt(
        &mut self,
        t: Option<i64>,
        src: Src,
        head: Head,
        said: event::Prompt,
        out: &mut Vec<Prompt>,
    ) {
        let text = match said.text {
            Some(text) if !self.options.raw_text => Some(without_agent_id(text, &head)),
            text => text,
        };
        let session = self.sessions.entry(head.sid.clone()).or_default();
        session.forget(t);
        let mut twins = Vec::new();
        let drop_as = match said.form {
            PromptForm::CodexMessage => {
                twins = session.drop_twins(text.as_ref());
                None
            }
            PromptForm::CodexPrompt => {
                let twin = session.told_lately(t, TWIN_MS, text.as_ref(), PromptForm::CodexMessage);
                twin.then_some("said by turn.user_message too")
            }
            PromptForm::Claude => {
                if let Some(id) = said.message_uuid {
                    (!self.told.insert(id)).then_some("said before with this id")
                } else {
                    let again = session.told_lately(t, AGAIN_MS, text.as_ref(), PromptForm::Claude);
                    again.then_some("said again within 500 ms")
                }
            }
        };
        if let Some(how) = drop_as {
            return session.note(text.as_ref(), Used { src, how }, out);
        }
        session.take_from_queue(text.as_ref());
        session.lately.push_back((t, said.form, text.clone()));
        let (kind, text) = session.kind_of(&head, said.form, text);
        let mut record = self.options.record(t, head, kind, text, said.images, src);
        for src in twins {
            self.options.note(&mut record, Used { src, how: "said by turn.user_message too" });
        }
        let session_id = record.head.sid.clone();
        let until_twin = t.filter(|_| said.form == PromptForm::CodexPrompt);
        session.line.push_back(Held { record, until_twin });
        session.release(None, out);
        if !session.line.is_empty() {
            self.waiting.insert(session_id);
        }
    }

    fn queue(
        &mut self,
        t: Option<i64>,
        src: Src,
        head: Head,
        change: Queue,
        out: &mut Vec<Prompt>,
    ) {
        let session = self.sessions.entry(head.sid.clone()).or_default();
        match change {
            Queue::Enqueue(text) if is_notice(&text) => {}
            Queue::Enqueue(text) => {
                let record = self.options.record(t, head, Kind::Queued, Some(text), None, src);
                session.queue.push_back(Queued { record, state: QueueState::Waiting });
            }
            Queue::Remove(text) => {
                if let Some(mut queued) = session.unqueue(&text) {
                    self.options.note(
                        &mut queued.record,
                        Used { src, how: "removed: delivered inside the turn" },
                    );
                    out.push(queued.record);
                }
            }
            Queue::Dequeue(text) => session.dequeue(&text),
            Queue::PopAll => session.queue.retain(|q| q.state == QueueState::Dequeued),
        }
    }
}

impl Options {
    fn record(
        self,
        t: Option<i64>,
        head: Head,
        kind: Kind,
        text: Option<Text>,
        images: Option<u64>,
        src: Src,
    ) -> Prompt {
        let how = if kind == Kind::Queued { "queued" } else { "prompt" };
        let rows = if self.explain { vec![Used { src, how }] } else { Vec::new() };
        Prompt { t, head, kind, text, images, session_turn: None, src, rows }
    }

    fn note(self, record: &mut Prompt, used: Used) {
        if self.explain {
            record.rows.push(used);
        }
    }
}

impl Session {
    /// Gives out what waits no longer: at time `now`, or if it never waited.
    fn release(&mut self, now: Option<i64>, out: &mut Vec<Prompt>) {
        while let Some(held) = self.line.front() {
            if let Some(since) = held.until_twin
                && now.is_none_or(|now| now <= since + TWIN_MS)
            {
                return;
            }
            let Some(Held { mut record, .. }) = self.line.pop_front() else { return };
            if record.kind == Kind::Prompt {
                self.prompts += 1;
                record.session_turn = Some(self.prompts);
            }
            out.push(record);
        }
    }

    /// A `turn.user_message` came: the rows that hold its older form are dropped.
    fn drop_twins(&mut self, text: Option<&Text>) -> Vec<Src> {
        let mut dropped = Vec::new();
        self.line.retain(|held| {
            let twin = held.until_twin.is_some() && same(held.record.text.as_ref(), text);
            if twin {
                dropped.push(held.record.src);
            }
            !twin
        });
        dropped
    }

    fn told_lately(
        &self,
        t: Option<i64>,
        within: i64,
        text: Option<&Text>,
        form: PromptForm,
    ) -> bool {
        self.lately.iter().any(|(told, f, said)| {
            let near = match (t, told) {
                (Some(t), Some(told)) => (t - told).abs() <= within,
                _ => true,
            };
            near && *f == form && same(said.as_ref(), text)
        })
    }

    fn forget(&mut self, now: Option<i64>) {
        let Some(now) = now else { return };
        while let Some((Some(t), ..)) = self.lately.front()
            && now - t > TWIN_MS
        {
            self.lately.pop_front();
        }
    }

    /// Notes a dropped row with the record that says the same, if it is still here.
    fn note(&mut self, text: Option<&Text>, used: Used, out: &mut [Prompt]) {
        let waiting = self.line.iter_mut().map(|held| &mut held.record);
        let record = waiting.chain(out.iter_mut()).rfind(|record| same(record.text.as_ref(), text));
        if let Some(record) = record.filter(|record| !record.rows.is_empty()) {
            record.rows.push(used);
        }
    }

    /// A further prompt with the open turn's id is steering; a slash command is told by its tag.
    fn kind_of(
        &mut self,
        head: &Head,
        form: PromptForm,
        text: Option<Text>,
    ) -> (Kind, Option<Text>) {
        if let (PromptForm::CodexMessage, Some(turn)) = (form, head.numeric_turn_id()) {
            let open = self.turn.insert(head.pid, turn.to_owned());
            return (if open.as_deref() == Some(turn) { Kind::Queued } else { Kind::Prompt }, text);
        }
        match (form, text.as_ref().and_then(command_args)) {
            (PromptForm::Claude, Some(args)) => (Kind::Command, Some(args)),
            _ => (Kind::Prompt, text),
        }
    }

    /// An ordinary prompt came: if it waited in the queue, that entry is told by it.
    fn take_from_queue(&mut self, text: Option<&Text>) {
        let of = |state| move |q: &Queued| q.state == state && same(q.record.text.as_ref(), text);
        if let Some(at) = self.queue.iter().position(of(QueueState::Dequeued)) {
            self.queue.remove(at);
        } else if let Some(at) = self.queue.iter().position(of(QueueState::Waiting)) {
            self.queue[at].state = QueueState::Delivered;
        }
    }

    fn dequeue(&mut self, text: &Text) {
        let Some(at) = self.next_in_queue(text) else { return };
        match self.queue[at].state {
            QueueState::Delivered => drop(self.queue.remove(at)),
            _ => self.queue[at].state = QueueState::Dequeued,
        }
    }

    fn unqueue(&mut self, text: &Text) -> Option<Queued> {
        let at = self.next_in_queue(text)?;
        self.queue.remove(at).filter(|q| q.state == QueueState::Waiting)
    }

    /// The entry that a row with this text means: that text's, else the oldest.
    fn next_in_queue(&self, text: &Text) -> Option<usize> {
        let there = |q: &Queued| q.state != QueueState::Dequeued;
        let same = self.queue.iter().position(|q| there(q) && q.record.text.as_ref() == Some(text));
        same.or_else(|| self.queue.iter().position(there))
    }
}

/// Whether two texts are known and the same.
fn same(a: Option<&Text>, b: Option<&Text>) -> bool {
    a.is_some() && a == b
}

/// Takes off the agent id that the writer adds to the first prompt of an attachment.
fn without_agent_id(mut text: Text, head: &Head) -> Text {
    let Some(sid) = &head.sid else { return text };
    let suffix = format!("{AGENT_ID}{sid}");
    if let Some(rest) = text.as_bytes().strip_suffix(suffix.as_bytes()) {
        let len = rest.len();
        text.truncate(len);
    }
    text
}

/// Messages of background tasks travel through the queue too; nobody typed them.
fn is_notice(text: &Text) -> bool {
    text.as_bytes().starts_with(b"<task-notification>")
}

/// What was given to a slash command, if the text is one.
fn command_args(text: &Text) -> Option<Text> {
    let text = text.to_str_lossy();
    if !text.starts_with("<command-name>") && !text.starts_with("<command-message>") {
        return None;
    }
    let tag = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim().to_owned())
    };
    let name = tag("command-name").unwrap_or_default();
    let args = tag("command-args").unwrap_or_default();
    Some(Text::from([name, args].join(" ").trim()))
}

#[cfg(test)]
mod tests;

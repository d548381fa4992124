//! Turns: a prompt, how it ended, what the agent said last, and what it took.
//!
//! Where rows belong and how turns end is told by the [turn book](super::turn_book); this fold
//! gathers what stands in the rows of each turn.

mod reply;
mod spent;
#[cfg(test)]
mod tests;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use ledger::{Source, Tokens};
use serde::{Deserialize, Serialize};

use super::resume::{self, Resume};
use super::ties::Ties;
use super::turn_book::{TurnBook, TurnKey, TurnNews, TurnStatus};
use super::{Agreed, CountedRow, Fold};
use crate::event::{Event, Head, Src, Turn as TurnRow, What};
use crate::json::Text;
use crate::state::{self, BadState};
use reply::Replies;
pub use reply::Said;
use spent::{Owners, Processes, Spent};
use work::Work;

/// Events that the fold reads beside those of the turn book.
pub const EVENTS: &[&str] = &[
    "turn.agent_message",
    "response.created",
    "response.completed",
    "response.failed",
    "response.incomplete",
    "response.output_item.added",
    "response.output_item.done",
    "turn.raw_response_item",
    "turn.exec.begin",
    "turn.exec.end",
    "turn.mcp_tool_call.begin",
    "turn.mcp_tool_call.end",
    "turn.patch_apply.begin",
    "turn.patch_apply.end",
    "turn.token_count",
    "codex.token_count",
    "claude.message_start",
    "claude.message_delta",
    "claude.message_stop",
    "claude.content_block_start",
    "claude.content_block_delta",
    "claude.tool_result",
];

/// What the words of rows may be beside those of prompts, see [`super::CountedRow`].
pub(super) const HOWS: &[&str] = &[
    "task start",
    "idle",
    "turn end, of a sub-agent too",
    "end",
    "session",
    "request",
    "request, again",
    "item of no count",
    "message, again",
    "message, counted if no other row tells it",
    "reply",
    "part of a reply",
    "reply, whole",
    "tool call",
    "tool call, again",
    "end of a tool's run",
    "result",
];

/// What to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Leave prompt and reply out.
    pub no_text: bool,
    /// Keep what was used for each record.
    pub explain: bool,
}

/// A turn, final.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// When its prompt was given, in milliseconds since the epoch, UTC.
    pub t: Option<i64>,
    /// What its rows agree on.
    #[serde(with = "crate::state::head")]
    pub head: Arc<Head>,
    /// Ordinal of its prompt in the session.
    pub session_turn: Option<u64>,
    /// What was typed.
    pub prompt: Option<Text>,
    /// How it ended.
    pub status: TurnStatus,
    /// When it ended, if it was completed, aborted or shut down.
    pub t_end: Option<i64>,
    /// When the agent was idle again.
    pub idle_t: Option<i64>,
    /// The last whole message of the agent.
    pub reply: Option<Text>,
    /// How many whole messages there were.
    pub replies: u64,
    /// How many requests went to the model.
    pub responses: u64,
    /// Tool calls that were announced.
    pub tool_calls: u64,
    /// Of these, how many failed.
    pub tool_errors: u64,
    /// What it used up; none if no row tells it.
    pub tokens: Option<Tokens>,
    /// Whether rounds contradicted the turn.
    pub repaired: bool,
    /// The prompt's row.
    pub src: Src,
    /// The rows that were read for it, with [`Options::explain`].
    pub rows: Vec<CountedRow>,
    /// What names the turn in [`Turns::place`].
    pub key: TurnKey,
    /// What the agent said, whole, with [`Turns::with_messages`].
    pub messages: Vec<Said>,
}

/// The fold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Turns {
    options: Options,
    book: TurnBook,
    processes: Processes,
    ties: Ties,
    /// The turns of Claude's latest requests: one that goes on into the next turn counts once.
    requests: Owners,
    #[serde(serialize_with = "crate::state::sorted_map")]
    open: HashMap<TurnKey, OpenTurn, FixedState>,
    /// Empty between rows.
    #[serde(skip)]
    news: Vec<TurnNews>,
    messages: Option<Messages>,
}

/// What the agent said outside of turns, if all messages are wanted.
#[derive(Debug, Serialize, Deserialize)]
struct Messages {
    open: Replies,
    whole: Vec<Said>,
}

/// What is known of a turn that is not final.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
struct OpenTurn {
    agreed: Agreed,
    /// The record as far as it is known; none before the prompt came.
    record: Option<Turn>,
    /// How and when it ended, which may be told before the prompt's row.
    end: Option<(TurnStatus, Option<i64>)>,
    replies: Replies,
    work: Work,
    spent: Spent,
    rows: Vec<CountedRow>,
}

impl Turns {
    /// An empty fold.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Keeps all that the agent says, not only the last of each turn.
    #[must_use]
    pub fn with_messages(self) -> Self {
        let messages = Messages { open: Replies::keeping(true), whole: Vec::new() };
        Self { messages: Some(messages), ..self }
    }

    /// Takes the next event, as [`Fold::feed`] does. Returns the turn that it belongs to, if that is
    /// not final: it may never get a prompt.
    pub fn place(&mut self, event: &Event<'_>, out: &mut Vec<Turn>) -> Option<TurnKey> {
        if let Some(t) = event.t {
            self.take_held(t);
        }
        let key = self.book.place(event, &mut self.news);
        if !self.news.is_empty() {
            self.hear(out);
        }
        let key = self.requests.owner(event, key);
        let open = key.filter(|key| self.book.is_open(*key));
        if let Some(key) = open {
            // It is there as soon as it has a row, even if that waits.
            self.turn(key);
        }
        if !self.ties.hold(event, key) {
            self.take(event, key);
        }
        open
    }

    /// Whether rows may still be placed in a turn.
    pub fn is_open(&self, key: TurnKey) -> bool {
        self.book.is_open(key)
    }

    /// What the agent said in no turn that has a prompt, with [`Turns::with_messages`].
    pub fn outside(&mut self) -> Vec<Said> {
        self.messages
            .as_mut()
            .map(|messages| std::mem::take(&mut messages.whole))
            .unwrap_or_default()
    }

    /// A turn that is not final, new if need be.
    fn turn(&mut self, key: TurnKey) -> &mut OpenTurn {
        let keep = self.messages.is_some();
        let new = || OpenTurn { replies: Replies::keeping(keep), ..OpenTurn::default() };
        self.open.entry(key).or_insert_with(new)
    }

    /// Takes what became of turns.
    fn hear(&mut self, out: &mut Vec<Turn>) {
        for news in std::mem::take(&mut self.news) {
            match news {
                TurnNews::Opened { key, prompt } => {
                    let Options { no_text, explain } = self.options;
                    let turn = self.turn(key);
                    turn.agreed.add(&prompt.head);
                    if explain {
                        turn.rows.extend(prompt.rows.iter().copied().map(CountedRow::from));
                    }
                    let text = prompt.text.filter(|_| !no_text);
                    turn.record =
                        Some(Turn::opened(key, prompt.t, prompt.session_turn, text, prompt.src));
                }
                TurnNews::Ended { key, status, t, .. } => {
                    self.turn(key).end = Some((status, t));
                }
                TurnNews::Final { key, idle_t, repaired } => {
                    let Some(turn) = self.open.remove(&key) else { continue };
                    if let (None, Some(messages)) = (&turn.record, &mut self.messages) {
                        messages.whole.extend(turn.replies.finish().1);
                        continue;
                    }
                    let head = turn.agreed.head();
                    let source = self.processes.chosen(head.sid.as_deref(), head.pid);
                    let turn = turn.finish(source, self.options);
                    out.extend(turn.map(|turn| Turn { idle_t, repaired, ..turn }));
                }
            }
        }
    }
}

impl Fold for Turns {
    type Record = Turn;

    fn feed(&mut self, event: &Event<'_>, out: &mut Vec<Turn>) {
        self.place(event, out);
    }

    fn advance(&mut self, t: i64, out: &mut Vec<Turn>) {
        self.take_held(t);
        self.book.advance(t, &mut self.news);
        self.hear(out);
    }

    fn waits(&self) -> bool {
        self.book.waits()
    }

    fn open_records(&self, out: &mut Vec<Turn>) {
        let from = out.len();
        for (key, turn) in self.open.iter().filter(|(_, turn)| turn.record.is_some()) {
            let head = turn.agreed.head();
            let source = self.processes.chosen(head.sid.as_deref(), head.pid);
            let mut turn = turn.clone();
            turn.end = turn.end.or_else(|| self.book.end_by_now(*key));
            out.extend(turn.finish(source, self.options));
        }
        out[from..].sort_by_key(|turn| (turn.t, turn.src));
    }

    fn finish(&mut self, out: &mut Vec<Turn>) {
        self.take_held(i64::MAX);
        self.book.finish(&mut self.news);
        self.hear(out);
    }
}

/// What stays for ever: the counters of each process, and where rows that come late find its last 32
/// turns.
impl Resume for Turns {
    fn save(&self, out: &mut Vec<u8>) {
        state::write("turns", self, out);
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        resume::load("turns", bytes, self, |fold| (fold.options, fold.messages.is_some()))
    }
}

impl Turns {
    /// Takes the rows that were held back, now that the log has come to `t`.
    fn take_held(&mut self, t: i64) {
        for held in self.ties.before(t) {
            self.take(&held.event(), held.turn);
        }
    }

    /// Takes a row of a turn. A turn that is final takes no more.
    fn take(&mut self, event: &Event<'_>, key: Option<TurnKey>) {
        let added = self.processes.read(event);
        if event.left_out.is_some() {
            return;
        }
        let Some(turn) = key.and_then(|key| self.open.get_mut(&key)) else {
            return self.messages.iter_mut().for_each(|messages| messages.take(event));
        };
        turn.agreed.add(event.head);
        let explain = self.options.explain;
        let mut how = turn.row(event, explain);
        let mut tokens = None;
        if let Some((source, added)) = added {
            turn.spent.add(source, event.src, &added, explain);
            tokens = added.how.counts().then(|| Box::new(added.tokens));
            how = how.or(Some(added.how.name()));
        }
        if explain && let Some(how) = how {
            turn.rows.push(CountedRow { src: event.src, how, tokens });
        }
    }
}

impl Messages {
    /// Takes a row that stands in no turn. Items of Codex mostly say the same as its events.
    fn take(&mut self, event: &Event<'_>) {
        let told = match event.what {
            What::Said(text) => Some(self.open.said(event, *text)),
            What::Delta(piece) => self.open.delta(event, piece),
            What::Response(response) => self.open.response(event, response),
            What::Message(message) => self.open.message(event, message),
            _ => None,
        };
        if told.is_some() {
            self.whole.extend(self.open.drain());
        }
    }
}

impl OpenTurn {
    /// Takes a row; says what it counted for.
    fn row(&mut self, event: &Event<'_>, explain: bool) -> Option<&'static str> {
        Some(match event.what {
            // Prompts are told by the turn book, counts by the processes.
            What::Prompt(_)
            | What::Queue(_)
            | What::TokenCount(_)
            | What::Done(_)
            | What::Thread(_)
            | What::Row => return None,
            What::Turn(turn) => {
                if let TurnRow::Completed { reply: Some(reply) } = turn {
                    self.replies.ended_with(event, *reply);
                }
                match turn {
                    TurnRow::Started => "task start",
                    TurnRow::Idle => "idle",
                    TurnRow::Over => "turn end, of a sub-agent too",
                    _ => "end",
                }
            }
            What::Session(_) => "session",
            What::Said(text) => self.replies.said(event, *text),
            What::Delta(piece) => self.replies.delta(event, piece)?,
            What::Response(response) => {
                if spent::is_claude(event) {
                    self.spent.request(event, explain);
                }
                let reply = self.replies.response(event, response);
                self.work.response(event, response.id).or(reply).unwrap_or("request, again")
            }
            What::Item(item) => {
                let reply = self.replies.item(event, item);
                self.work.item(event, item).or(reply).unwrap_or("item of no count")
            }
            What::Block(block) => self.work.block(event, block)?,
            What::Execution(run) => self.work.execution(event, run)?,
            What::Results(results) => self.work.results(event, results),
            What::Message(message) => {
                self.spent.request(event, explain);
                let reply = self.replies.message(event, message);
                self.work.response(event, message.id).or(reply).unwrap_or("message, again")
            }
            What::ToolUse(tool) => self.work.tool_use(event, tool)?,
        })
    }

    fn finish(mut self, source: Option<Source>, options: Options) -> Option<Turn> {
        let mut record = self.record?;
        record.head = Arc::clone(self.agreed.head());
        (record.status, record.t_end) = self.end.unwrap_or((TurnStatus::Open, None));
        if options.explain {
            self.spent.explain(source, &mut self.rows);
        }
        record.tokens = self.spent.finish(source);
        let keep = self.replies.keeps_all();
        (record.replies, record.messages) = self.replies.finish();
        if !options.no_text {
            record.reply = match record.messages.last() {
                Some(last) if keep => Some(last.text.clone()),
                _ => record.messages.pop().map(|last| last.text),
            };
        }
        if !keep {
            record.messages.clear();
        }
        let work = self.work.finish();
        record.responses = work.responses;
        record.tool_calls = work.calls;
        record.tool_errors = work.errors;
        record.rows = self.rows;
        record.rows.sort_by_key(|row| row.src);
        Some(record)
    }
}

impl Turn {
    fn opened(
        key: TurnKey,
        t: Option<i64>,
        session_turn: Option<u64>,
        prompt: Option<Text>,
        src: Src,
    ) -> Self {
        Self {
            key,
            messages: Vec::new(),
            t,
            head: Arc::default(),
            session_turn,
            prompt,
            status: TurnStatus::Open,
            t_end: None,
            idle_t: None,
            reply: None,
            replies: 0,
            responses: 0,
            tool_calls: 0,
            tool_errors: 0,
            tokens: None,
            repaired: false,
            src,
            rows: Vec::new(),
        }
    }

    /// From the prompt to the end, in milliseconds.
    pub fn duration_ms(&self) -> Option<i64> {
        Some(self.t_end? - self.t?)
    }
}

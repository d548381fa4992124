//! The dialects that the agents themselves write: Claude Code transcripts and Codex rollouts. A row
//! says for itself which of the two it is, so that a file may hold both. `docs/formats.md` says
//! what is read.

mod rollout;
#[cfg(test)]
mod tests;
mod thread;
mod transcript;

use std::borrow::Cow;

use crate::event::{Head, Provider, What};
use crate::json::{self, JsonError, Kind, Value};
use crate::sse::envelope::{present, utf8};
use crate::sse::{Fault, member};
use crate::time::Stamp;
use crate::zone::Clock;

pub use thread::{Meta, Thread, ThreadRow, Told};
pub use transcript::{UserRow, user_row};

/// Who wrote a row, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Claude Code.
    Transcript,
    /// Codex CLI.
    Rollout,
}

/// What is wanted of rows: the rest is not looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// What the user typed.
    pub prompts: bool,
    /// How turns begin and end, and what the agent said.
    pub turns: bool,
    /// Token counts.
    pub usage: bool,
    /// Tool calls and their results.
    pub calls: bool,
}

/// The keys of a row, as they stand in it. `null` and `""` count as absent.
#[derive(Clone, Copy, Debug, Default)]
struct Keys<'a> {
    kind: Option<Value<'a>>,
    subtype: Option<Value<'a>>,
    timestamp: Option<Value<'a>>,
    id: Option<Value<'a>>,
    // Those of transcripts.
    uuid: Option<Value<'a>>,
    session: Option<Value<'a>>,
    sidechain: Option<Value<'a>>,
    agent: Option<Value<'a>>,
    cwd: Option<Value<'a>>,
    version: Option<Value<'a>>,
    request: Option<Value<'a>>,
    message: Option<Value<'a>>,
    is_meta: Option<Value<'a>>,
    is_summary: Option<Value<'a>>,
    result: Option<Value<'a>>,
    origin: Option<Value<'a>>,
    operation: Option<Value<'a>>,
    content: Option<Value<'a>>,
    attachment: Option<Value<'a>>,
    data: Option<Value<'a>>,
    forked: Option<Value<'a>>,
    // Those of rollouts.
    payload: Option<Value<'a>>,
    ordinal: Option<Value<'a>>,
    record_type: Option<Value<'a>>,
    instructions: bool,
    has_payload: bool,
}

/// The keys inside `message`.
#[derive(Clone, Copy, Debug, Default)]
struct Message<'a> {
    id: Option<Value<'a>>,
    model: Option<Value<'a>>,
    usage: Option<Value<'a>>,
    content: Option<Value<'a>>,
    stop_reason: Option<Value<'a>>,
}

/// A row, opened.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Whose it is.
    pub dialect: Dialect,
    /// What is in it: the whole row of a transcript, the `payload` of a rollout.
    pub payload: Value<'a>,
    keys: Keys<'a>,
    message: Message<'a>,
}

impl Wants {
    /// Everything.
    pub const ALL: Self = Self { prompts: true, turns: true, usage: true, calls: true };

    /// Bare words of which every row that tells something of this has one in it. Rows that tell of
    /// their thread are among them: the others mean nothing without.
    pub fn needles(self, dialect: Dialect) -> Vec<&'static str> {
        let Self { prompts, turns, usage, calls } = self;
        let parts: &[(bool, &[&'static str])] = match dialect {
            Dialect::Transcript => &[
                (prompts, &["\"user\"", "queue-operation", "queued_command"]),
                (turns, &["\"assistant\"", "\"user\"", "turn_duration"]),
                (usage, &["\"usage\""]),
                (calls, &["tool_use"]),
            ],
            Dialect::Rollout => &[
                (true, thread::NEEDLES),
                (prompts, &["user_message", "UserMessage", "\"user\""]),
                (turns, &["agent_message", "AgentMessage", "\"assistant\"", "token_"]),
                (usage, &["token_"]),
                (calls, &["_call", "exec_command_end", "patch_apply_end"]),
            ],
        };
        let mut needles = Vec::new();
        for needle in parts.iter().filter(|(wanted, _)| *wanted).flat_map(|(_, list)| *list) {
            if !needles.contains(needle) {
                needles.push(*needle);
            }
        }
        needles
    }

    /// Whether a line that has a needle in it says nothing that is wanted all the same. May say no
    /// too often, never yes.
    pub fn passes(self, dialect: Dialect, line: &[u8]) -> bool {
        let only_prompts = Self { prompts: true, ..Self::default() };
        dialect == Dialect::Transcript && self == only_prompts && transcript::has_results(line)
    }
}

impl<'a> Row<'a> {
    /// Reads and checks a whole line.
    pub fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let text = utf8(line)?;
        match Self::read(text, |_, _, _| {}) {
            Ok(row) => row.ok_or(Fault::NoNativeKey),
            Err(_) => Err(match json::value(text) {
                Ok(_) => Fault::NotAnObject,
                Err(e) => Fault::NotJson(e),
            }),
        }
    }

    /// The same of what is UTF-8. `each` is told all members of the object, and (`true`) those of its
    /// `message` before that, for who does not know yet what it is; none if it is no such row.
    pub fn read(
        text: &'a str,
        mut each: impl FnMut(bool, &'a str, Value<'a>),
    ) -> Result<Option<Self>, JsonError> {
        let (mut keys, mut message) = (Keys::default(), Message::default());
        let whole = json::fields_and_inside(text, "message", |inside, key, value| {
            each(inside, key, value);
            if inside { message.set(key, value) } else { keys.set(key, value) }
        })?;
        let of_dialect = |dialect| {
            let payload = keys.payload.filter(|_| dialect == Dialect::Rollout).unwrap_or(whole);
            Self { dialect, payload, keys, message }
        };
        Ok(keys.dialect().map(of_dialect))
    }

    /// The event's name: `TYPE`, or `TYPE.SUBTYPE`.
    pub fn name(&self) -> Cow<'a, str> {
        let text = |value: Option<Value<'a>>| value.and_then(|value| value.str());
        match self.dialect {
            Dialect::Transcript => {
                let kind = text(self.keys.kind).unwrap_or("message".into());
                joined(kind, text(self.keys.subtype))
            }
            Dialect::Rollout => rollout::name(self),
        }
    }

    /// When it was written.
    pub fn clock(&self) -> Clock {
        match self.keys.timestamp.and_then(|t| Stamp::parse(&t.str()?)) {
            // These writers mean UTC, always.
            Some(Stamp::Utc(ms) | Stamp::Local(ms)) => Clock::Utc(ms),
            None => Clock::Missing,
        }
    }

    /// The agent that wrote it.
    pub fn provider(&self) -> Provider {
        match self.dialect {
            Dialect::Transcript => Provider::Claude,
            Dialect::Rollout => Provider::Codex,
        }
    }

    /// What the row itself says of whose it is. Rows of a rollout say little: see [`Thread`].
    pub fn head(&self) -> Head {
        let text = |value: Option<Value<'_>>| Some(value?.label()?.into_owned());
        match self.dialect {
            Dialect::Transcript => Head {
                provider: Some(Provider::Claude),
                // A fork keeps whose rows it copied.
                sid: text(self.copied_from().or(self.keys.session)),
                cwd: text(self.keys.cwd),
                ver: text(self.keys.version),
                model: text(self.model()),
                agent: self.is_sidechain().then(|| text(self.keys.agent).unwrap_or_default()),
                ..Head::default()
            },
            Dialect::Rollout => rollout::head(self),
        }
    }

    /// What a head is read from, so that equal ones need not be read again.
    pub fn head_parts(&self) -> [Option<Value<'a>>; 7] {
        let Keys { session, forked, cwd, version, agent, sidechain, .. } = self.keys;
        match self.dialect {
            Dialect::Transcript => [session, forked, cwd, version, agent, sidechain, self.model()],
            // The rows before it say whose a row is.
            Dialect::Rollout => [None; 7],
        }
    }

    /// The model that the row names.
    pub fn model(&self) -> Option<Value<'a>> {
        match self.dialect {
            Dialect::Transcript => self.message.model.filter(Value::is_string),
            Dialect::Rollout => rollout::model(self),
        }
    }

    /// The writer's counter.
    pub fn seq(&self) -> Option<i64> {
        self.keys.ordinal?.integer()
    }

    /// The API request that the row names.
    pub fn request_id(&self) -> Option<Value<'a>> {
        self.keys.request.filter(Value::is_string)
    }

    /// The thread that the row says the rollout is of.
    pub fn meta(&self) -> Option<Meta> {
        (self.dialect == Dialect::Rollout).then(|| rollout::meta_of(self)).flatten()
    }

    /// What names the row, whichever file it was copied to; none of rows of rollouts.
    pub fn uuid(&self) -> Option<Value<'a>> {
        self.keys.uuid.filter(|_| self.dialect == Dialect::Transcript)
    }

    /// The session that the row says it was copied from.
    fn copied_from(&self) -> Option<Value<'a>> {
        member(self.keys.forked?, "sessionId")
    }

    /// What happened in the row: one thing or several, or nothing that is wanted. Texts are
    /// appended to `arena`.
    pub fn decode(
        &self,
        wants: Wants,
        arena: &mut Vec<u8>,
        each: &mut impl FnMut(What, &mut Vec<u8>),
    ) {
        match self.dialect {
            Dialect::Transcript => transcript::decode(self, wants, arena, each),
            Dialect::Rollout => rollout::decode(self, wants, arena, each),
        }
    }

    fn is_sidechain(&self) -> bool {
        self.keys.sidechain.is_some_and(is_true)
    }

    /// The row's `type`, as it is spelled.
    fn kind(&self) -> &'a str {
        self.keys.kind.filter(Value::is_string).map_or("", |kind| kind.raw)
    }
}

impl<'a> Keys<'a> {
    fn set(&mut self, key: &str, value: Value<'a>) {
        let slot = match key {
            "type" => &mut self.kind,
            "subtype" => &mut self.subtype,
            "timestamp" => &mut self.timestamp,
            "id" => &mut self.id,
            "uuid" => &mut self.uuid,
            "sessionId" => &mut self.session,
            "isSidechain" => &mut self.sidechain,
            "agentId" => &mut self.agent,
            "cwd" => &mut self.cwd,
            "version" => &mut self.version,
            "requestId" => &mut self.request,
            "message" => &mut self.message,
            "isMeta" => &mut self.is_meta,
            "isCompactSummary" | "isVisibleInTranscriptOnly" if is_true(value) => {
                &mut self.is_summary
            }
            "toolUseResult" | "sourceToolAssistantUUID" => &mut self.result,
            "origin" => &mut self.origin,
            "operation" => &mut self.operation,
            "content" => &mut self.content,
            "attachment" => &mut self.attachment,
            "data" => &mut self.data,
            "forkedFrom" => &mut self.forked,
            "payload" => {
                self.has_payload = true;
                self.payload = Some(value).filter(|v| v.kind == Kind::Object);
                return;
            }
            "ordinal" => &mut self.ordinal,
            "record_type" => &mut self.record_type,
            "instructions" | "git" => return self.instructions = true,
            _ => return,
        };
        *slot = present(value).or(*slot);
    }

    /// Whose keys these are.
    fn dialect(&self) -> Option<Dialect> {
        let kind = self.kind.filter(Value::is_string).map(|kind| kind.raw);
        let is_bare = kind.is_some_and(rollout::is_bare_item);
        let of_claude = self.uuid.is_some() || self.session.is_some();
        let header = || self.instructions && self.id.is_some() && self.timestamp.is_some();
        match kind {
            Some(_) if self.has_payload || (is_bare && !of_claude) => Some(Dialect::Rollout),
            None if self.record_type.is_some() || header() => Some(Dialect::Rollout),
            Some(_) => Some(Dialect::Transcript),
            None if self.message.is_some_and(|m| m.kind == Kind::Object) => {
                Some(Dialect::Transcript)
            }
            None => None,
        }
    }
}

impl<'a> Message<'a> {
    fn set(&mut self, key: &str, value: Value<'a>) {
        let slot = match key {
            "id" => &mut self.id,
            "model" => &mut self.model,
            "usage" => &mut self.usage,
            "content" => return self.content = Some(value),
            "stop_reason" => &mut self.stop_reason,
            _ => return,
        };
        *slot = present(value);
    }
}

fn is_true(value: Value<'_>) -> bool {
    value.raw == "true" && value.kind == Kind::Bool
}

/// `TYPE.SUBTYPE`.
fn joined<'a>(kind: Cow<'a, str>, subtype: Option<Cow<'a, str>>) -> Cow<'a, str> {
    match subtype {
        Some(subtype) => format!("{kind}.{subtype}").into(),
        None => kind,
    }
}

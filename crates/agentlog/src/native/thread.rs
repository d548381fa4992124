//! What the rows of a rollout leave out: whose they are. A rollout says once which thread it is,
//! now and then which turn and model come next, and a fork or a sub-agent starts with a copy of
//! its parent's rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Head, Provider, What};

/// How far the rows of a copy may be apart, in milliseconds: they are written in one go.
const BURST_MS: i64 = 1000;

/// In every row that tells of its thread.
pub(super) const NEEDLES: &[&str] = &[
    "session_meta",
    "\"instructions\"",
    "turn_context",
    "task_started",
    "turn_started",
    "task_complete",
    "turn_complete",
    "turn_aborted",
    "thread_settings_applied",
    "inter_agent_communication",
];

/// What a row tells of its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Which thread it is (`session_meta`).
    Meta(Meta),
    /// What holds from here on (`turn_context`, `thread_settings_applied`).
    Context {
        /// The turn that comes.
        turn_id: Option<String>,
        /// The model that is asked.
        model: Option<String>,
        /// The working directory.
        cwd: Option<String>,
    },
    /// A turn begins (`task_started`).
    Started {
        /// Which.
        turn_id: Option<String>,
        /// When, in milliseconds since the epoch.
        started_at: Option<i64>,
        /// The row's place in a paginated thread.
        ordinal: Option<i64>,
    },
    /// The turn is over.
    Ended,
    /// A message of another agent starts a turn.
    Triggered,
    /// What a request of a thread used up comes next.
    Usage {
        /// Whose request.
        thread: Option<String>,
    },
}

/// `session_meta`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The thread.
    pub id: String,
    /// The session, which all threads of a tree share; older writers leave it out.
    pub session: Option<String>,
    /// The thread that spawned a sub-agent.
    pub parent: Option<String>,
    /// The thread that this one is a copy of.
    pub forked_from: Option<String>,
    /// Whether an agent speaks to it, and not the user.
    pub is_sub_agent: bool,
    /// When the thread was made, in milliseconds since the epoch.
    pub born: Option<i64>,
    /// Working directory.
    pub cwd: Option<String>,
    /// Version of the writer.
    pub ver: Option<String>,
    /// Where the rows of a paginated sub-agent begin to be its own.
    pub own_from: Option<i64>,
}

impl Meta {
    /// The session that the thread is a part of.
    pub fn session(&self) -> &str {
        if !self.is_sub_agent {
            return &self.id;
        }
        let parent = self.parent.as_ref().or(self.forked_from.as_ref());
        self.session.as_ref().or(parent).unwrap_or(&self.id)
    }

    /// Whether it may start with a copy of its parent's rows.
    fn has_parent(&self) -> bool {
        self.forked_from.is_some() || self.parent.is_some() || self.is_sub_agent
    }
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadRow {
    /// It is the thread's own.
    Own,
    /// It tells again what happened in the thread's parent.
    Copy,
}

/// The state of a rollout, fed its rows as they stand in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thread {
    meta: Meta,
    #[serde(with = "crate::state::head")]
    head: Arc<Head>,
    known: bool,
    /// The latest time in the copy that is being passed.
    copying: Option<i64>,
    /// Whether own rows have begun.
    live: bool,
    /// Whether the usage that comes next is of another thread.
    of_other: bool,
}

impl Default for Thread {
    fn default() -> Self {
        let head = Head { provider: Some(Provider::Codex), ..Head::default() };
        let (head, meta) = (Arc::new(head), Meta::default());
        Self { meta, head, known: false, copying: None, live: false, of_other: false }
    }
}

impl Thread {
    /// Takes the next row.
    pub fn row(&mut self, t: Option<i64>, what: &What) -> ThreadRow {
        self.leave_copy(t, what);
        if let What::Thread(told) = what {
            self.told(t, told);
        }
        self.live |= self.copying.is_none() && !matches!(what, What::Thread(_));
        let of_other = self.of_other && matches!(what, What::Response(_));
        if self.copying.is_some() || of_other {
            return ThreadRow::Copy;
        }
        ThreadRow::Own
    }

    /// The head of the rows that follow.
    pub fn head(&self) -> &Arc<Head> {
        &self.head
    }

    fn told(&mut self, t: Option<i64>, told: &Told) {
        match told {
            Told::Meta(meta) if !self.known => self.begin(meta),
            Told::Meta(meta) if meta.id == self.meta.id => {}
            // The first row of the copy. Behind own rows it is another rollout in the same stream.
            Told::Meta(_) if self.meta.has_parent() && !self.live => {
                self.copying = Some(t.unwrap_or(i64::MIN));
            }
            Told::Meta(meta) => self.begin(meta),
            Told::Context { turn_id, model, cwd } => {
                let mut head = Head::clone(&self.head);
                head.turn_id = turn_id.clone().or(head.turn_id);
                head.model = model.clone().or(head.model);
                head.cwd = cwd.clone().or(head.cwd);
                self.set(head);
            }
            Told::Started { turn_id, .. } => {
                self.live |= self.copying.is_none();
                self.set(Head { turn_id: turn_id.clone(), ..Head::clone(&self.head) });
            }
            Told::Ended => self.set(Head { turn_id: None, ..Head::clone(&self.head) }),
            Told::Usage { thread } => {
                self.of_other = thread.as_ref().is_some_and(|thread| *thread != self.meta.id);
            }
            Told::Triggered => {}
        }
    }

    fn begin(&mut self, meta: &Meta) {
        self.known = true;
        (self.copying, self.live) = (None, false);
        self.meta = meta.clone();
        self.set(Head {
            provider: Some(Provider::Codex),
            sid: Some(meta.session().to_owned()).filter(|id| !id.is_empty()),
            cwd: meta.cwd.clone(),
            ver: meta.ver.clone(),
            agent: meta.is_sub_agent.then(|| meta.id.clone()),
            ..Head::default()
        });
    }

    fn set(&mut self, head: Head) {
        if *self.head != head {
            self.head = Arc::new(head);
        }
    }

    /// Whether the copy is over: a turn of the thread's own begins, or time has passed since the
    /// copy was written. Rows of a copy have the times of their originals, or that of the copy.
    fn leave_copy(&mut self, t: Option<i64>, what: &What) {
        let Some(last) = self.copying else { return };
        let over = match what {
            What::Thread(told) => match &**told {
                Told::Triggered => true,
                Told::Started { started_at, ordinal, .. } => {
                    let by_ordinal = self.meta.own_from.zip(*ordinal).map(|(from, at)| at >= from);
                    // Told in whole seconds.
                    let born = self.meta.born.map(|born| born.div_euclid(1000) * 1000);
                    // The row of a turn that began before, in the same second, is older than the thread.
                    let is_older = t.zip(self.meta.born).is_some_and(|(t, born)| t < born);
                    let by_time =
                        || !is_older && born.zip(*started_at).is_some_and(|(born, at)| at >= born);
                    by_ordinal.unwrap_or_else(by_time)
                }
                Told::Meta(_) => false,
                _ => self.is_later(last, t),
            },
            _ => self.is_later(last, t),
        };
        if over {
            (self.copying, self.live) = (None, true);
        } else {
            self.copying = t.max(Some(last));
        }
    }

    /// Whether a row stands so long behind the copy's last one that it was written afterwards.
    fn is_later(&self, last: i64, t: Option<i64>) -> bool {
        let (Some(t), Some(born)) = (t, self.meta.born) else { return false };
        t > last.max(born).saturating_add(BURST_MS)
    }
}

//! Whose process a row is of. Key: session and process; two conversations in one process are two.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::event::Head;

/// All processes so far.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Processes {
    /// Boxed: they are large, and their number grows.
    #[allow(clippy::vec_box)]
    list: Vec<Box<Process>>,
    /// Numbers of the sessions, and of the sub-agents in them, by their names.
    #[serde(serialize_with = "crate::state::sorted_map")]
    sessions: HashMap<String, usize, FixedState>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    known: HashMap<(Option<usize>, Option<i64>), usize, FixedState>,
    /// By the numbers of sessions; none before a session has a process.
    latest_of_session: Vec<Option<usize>>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    latest_of_pid: HashMap<i64, usize, FixedState>,
    /// The last row's head: rows in a row mostly share it.
    #[serde(skip)]
    last: Option<(Arc<Head>, usize)>,
}

impl Processes {
    /// The process of a row, which takes what the row's head tells of it. A row that lacks its
    /// session or process is of the one that wrote last.
    pub fn of(&mut self, head: &Arc<Head>) -> usize {
        if let Some((last, at)) = &self.last
            && Arc::ptr_eq(last, head)
        {
            return *at;
        }
        // A sub-agent has counters of its own, and its parent's session.
        let (sid, pid) = (head.counter().map(|name| self.session(&name)), head.pid);
        let found = self.known.get(&(sid, pid)).copied();
        let found = found.or_else(|| match (sid, pid) {
            (Some(sid), None) => self.latest_of_session[sid],
            (None, Some(pid)) => self.latest_of_pid.get(&pid).copied(),
            _ => None,
        });
        let at = found.unwrap_or_else(|| self.begin(sid, pid));
        if let Some(sid) = sid {
            self.latest_of_session[sid] = Some(at);
        }
        if let Some(pid) = pid {
            self.latest_of_pid.insert(pid, at);
        }
        self.list[at].learn(head);
        self.last = Some((Arc::clone(head), at));
        at
    }

    /// The number of a session.
    fn session(&mut self, name: &str) -> usize {
        if let Some(known) = self.sessions.get(name) {
            return *known;
        }
        self.latest_of_session.push(None);
        self.sessions.insert(name.to_owned(), self.latest_of_session.len() - 1);
        self.latest_of_session.len() - 1
    }

    fn begin(&mut self, sid: Option<usize>, pid: Option<i64>) -> usize {
        // Rows that came before the session or the process was known.
        let nameless = [(sid, None), (None, pid)];
        let mut nameless = nameless.iter().filter(|_| sid.is_some() && pid.is_some());
        let at = nameless.find_map(|key| self.known.remove(key)).unwrap_or_else(|| {
            let before = sid.and_then(|sid| self.latest_of_session[sid]);
            let process = before.map(|at| Process::taking_over(&self.list[at]));
            self.list.push(process.unwrap_or_default().into());
            self.list.len() - 1
        });
        self.known.insert((sid, pid), at);
        at
    }

    /// A process.
    pub fn at(&mut self, at: usize) -> &mut Process {
        &mut self.list[at]
    }

    /// All of them.
    #[allow(clippy::vec_box)] // As they are kept.
    pub fn take(&mut self) -> Vec<Box<Process>> {
        let Self { list, .. } = std::mem::take(self);
        list
    }
}

//! Which rows are wanted as they stand, decided where they are decoded.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Mutex;

use agentlog::capture::Request;
use agentlog::event::{Head, Provider};
use agentlog::native;
use agentlog::sse;

use crate::select::Selection;

/// Decides by provider, session and directory.
pub struct Choice<'a> {
    selection: &'a Selection,
    /// The sessions met, if sessions are asked for.
    met: Mutex<BTreeSet<String>>,
}

/// Whether a row is wanted.
pub enum Chosen {
    /// It is not.
    No,
    /// It is.
    Yes {
        /// Its session, if sessions are asked for.
        sid: Option<String>,
    },
}

impl<'a> Choice<'a> {
    /// Decides by what was selected.
    pub fn new(selection: &'a Selection) -> Self {
        Self { selection, met: Mutex::default() }
    }

    /// Whether some rows may not be wanted.
    pub fn is_choosy(&self) -> bool {
        self.selection.is_choosy()
    }

    /// Whether sessions are asked for.
    pub fn names_sessions(&self) -> bool {
        self.selection.names_sessions()
    }

    /// The sessions met so far, if sessions are asked for.
    pub fn met(&self) -> BTreeSet<String> {
        self.met.lock().map(|met| met.clone()).unwrap_or_default()
    }

    /// Whether a row of an SSE log is wanted.
    pub fn row(&self, row: &sse::Row<'_>) -> Chosen {
        if !self.selection.is_choosy() {
            return Chosen::Yes { sid: None };
        }
        let cwd = row.meta.cwd.and_then(|cwd| cwd.str());
        self.choose(row.provider(), row.sid(), cwd.as_deref())
    }

    /// Whether a row of a transcript or rollout is wanted; `own` says what its file tells of all.
    pub fn native(&self, row: &native::Row<'_>, own: Option<&native::Meta>) -> Chosen {
        if !self.selection.is_choosy() {
            return Chosen::Yes { sid: None };
        }
        let head = row.head();
        let sid = own.map(|own| own.session().to_owned()).or(head.sid);
        let cwd = head.cwd.or_else(|| own?.cwd.clone());
        self.choose(head.provider, sid.map(Cow::Owned), cwd.as_deref())
    }

    /// Whether a captured request is wanted.
    pub fn request(&self, request: &Request<'_>) -> Chosen {
        if !self.selection.is_choosy() {
            return Chosen::Yes { sid: None };
        }
        let sid = request.sid().map(Cow::Borrowed);
        self.choose(request.provider(), sid, request.cwd().as_deref())
    }

    /// Whether what has that head is wanted, as far as that is known before all sessions are.
    pub fn head(&self, head: &Head) -> bool {
        self.selection.whose(head.provider, head.sid.as_deref(), head.cwd.as_deref())
    }

    fn choose(
        &self,
        provider: Option<Provider>,
        sid: Option<Cow<'_, str>>,
        cwd: Option<&str>,
    ) -> Chosen {
        if !self.selection.whose(provider, sid.as_deref(), cwd) {
            return Chosen::No;
        }
        let sid = sid.filter(|_| self.selection.names_sessions()).map(Cow::into_owned);
        if let (Some(sid), Ok(mut met)) = (&sid, self.met.lock())
            && !met.contains(sid)
        {
            met.insert(sid.clone());
        }
        Chosen::Yes { sid }
    }
}

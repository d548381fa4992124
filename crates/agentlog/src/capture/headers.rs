//! The headers of a request: an object, whose values may be lists, or a list of pairs.

use std::borrow::Cow;

use super::session;
use crate::event::Provider;
use crate::json::{self, Kind, Value};

/// A header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name, as it was written.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: Cow<'a, str>,
}

/// All headers, in order.
pub(super) fn headers_of(headers: Option<Value<'_>>) -> Vec<Header<'_>> {
    let mut found = Vec::new();
    each_header(headers, |name, value| {
        found.extend(value.label().map(|value| Header { name, value }));
    });
    found
}

/// Calls `each` with the name and value of each header.
fn each_header<'a>(headers: Option<Value<'a>>, mut each: impl FnMut(Cow<'a, str>, Value<'a>)) {
    let Some(headers) = headers else { return };
    // The grammar was checked when the document was read.
    let _ = match headers.kind {
        Kind::Object => json::fields(headers.raw, |name, value| {
            let kind = Kind::String { escaped: name.contains('\\') };
            let name = Value { kind, raw: name, compact: true }.str().unwrap_or_default();
            each_value(value, |value| each(name.clone(), value));
        })
        .map(|_| ()),
        Kind::Array => json::items(headers.raw, |pair| {
            let mut name = None;
            each_value(pair, |part| match &name {
                None => name = part.str(),
                Some(name) => each(name.clone(), part),
            });
        }),
        _ => Ok(()),
    };
}

/// Calls `each` with the items of a list, or with the value if it is none.
fn each_value<'a>(value: Value<'a>, each: impl FnMut(Value<'a>)) {
    match value.kind {
        Kind::Array => drop(json::items(value.raw, each)),
        _ => std::iter::once(value).for_each(each),
    }
}

/// What the headers tell beside what was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Told<'a> {
    /// The session, with the rank of the header that names it: the lowest counts.
    session: Option<(usize, Cow<'a, str>)>,
    agent: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    pub fn of(headers: Option<Value<'a>>) -> Self {
        let mut told = Self::default();
        each_header(headers, |name, value| told.take(&name, value));
        told
    }

    fn take(&mut self, name: &str, value: Value<'a>) {
        if name.eq_ignore_ascii_case("user-agent") {
            self.agent = value.str();
        } else if let Some(rank) = session::rank_of_header(name)
            && self.session.as_ref().is_none_or(|(known, _)| rank < *known)
            && let Some(id) = session::id_of(value)
        {
            self.session = Some((rank, id));
        }
    }

    /// The session.
    pub fn session(&self) -> Option<&str> {
        self.session.as_ref().map(|(_, id)| &**id)
    }

    /// The agent that calls itself so.
    pub fn provider(&self) -> Option<Provider> {
        match &**self.agent.as_ref()? {
            agent if agent.starts_with("claude") => Some(Provider::Claude),
            agent if agent.starts_with("codex") => Some(Provider::Codex),
            _ => None,
        }
    }

    /// The agent's version: what stands behind its name, as in `claude-cli/2.0.42 (external, cli)`.
    pub fn version(&self) -> Option<&str> {
        self.provider()?;
        let (_, version) = self.agent.as_ref()?.split_once('/')?;
        version.split([' ', ';', '(']).next().filter(|version| !version.is_empty())
    }
}

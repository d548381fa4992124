//! Whose session a request belongs to. Writers name files `unknown__…` while they do not know it
//! yet, but the request may tell all the same.

use std::borrow::Cow;

use super::headers::Told;
use super::{Body, Keys};
use crate::json::{self, Value};
use crate::sse::member;
use crate::time::is_uuid;

/// The headers that name a session, the surest first.
const HEADERS: [&str; 6] = [
    "x-claude-code-session-id",
    "conversation_id",
    "conversation-id",
    "session_id",
    "session-id",
    "x-session-id",
];

/// Where a session stands in Claude's `user_id`.
const MARK: &str = "_session_";

/// How sure a header names the session, 0 the most; none if it names none.
pub(super) fn rank_of_header(name: &str) -> Option<usize> {
    HEADERS.iter().position(|header| header.eq_ignore_ascii_case(name))
}

/// A value that names a session.
pub(super) fn id_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    value.label().filter(|id| !id.is_empty() && id != "unknown")
}

/// The session: what the writer says, else the headers, else the body.
pub(super) fn find(keys: &Keys<'_>, told: &Told<'_>, body: Option<&Body<'_>>) -> Option<String> {
    let written = keys.session_id.and_then(id_of).or_else(|| keys.sid.and_then(id_of));
    if let Some(id) = written {
        return Some(id.into_owned());
    }
    if let Some(id) = told.session() {
        return Some(id.to_owned());
    }
    let body = body?;
    let of_metadata = || of_metadata(body.metadata()?);
    of_metadata().or_else(|| Some(id_of(body.cache_key()?)?.into_owned()))
}

/// The session in the `metadata` of a message: in `user_id`, or under a key of its own.
fn of_metadata(metadata: Value<'_>) -> Option<String> {
    let named = |key| id_of(member(metadata, key)?).map(Cow::into_owned);
    let of_user = || of_user_id(&member(metadata, "user_id")?.str()?);
    of_user().or_else(|| named("session_id")).or_else(|| named("sessionId"))
}

/// The session in a `user_id`: `user_…_account_…_session_UUID`, or, as newer versions have it,
/// JSON with a `session_id`.
fn of_user_id(user: &str) -> Option<String> {
    if let Some((_, rest)) = user.rsplit_once(MARK) {
        return rest.get(..36).filter(|id| is_uuid(id)).map(str::to_owned);
    }
    let mut found = None;
    let _ = json::fields(user, |key, value| {
        if key == "session_id" {
            found = id_of(value).map(Cow::into_owned);
        }
    });
    found
}

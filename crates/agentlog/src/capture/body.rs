//! The body of a request. It may stand in the document as an object or as text that holds one.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, JsonError, Kind, Value};
use crate::sse::envelope::present;

/// What was sent, opened.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    /// What it stands in: the document, or the decoded text.
    text: Cow<'a, str>,
    whole: Place,
    members: Members,
}

/// A value by where it stands in a text: the text may be owned by what holds the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    start: usize,
    len: usize,
    kind: Kind,
    compact: bool,
}

impl Place {
    /// The place of a value of `text`.
    pub fn of(text: &str, value: Value<'_>) -> Self {
        let start = value.raw.as_ptr() as usize - text.as_ptr() as usize;
        Self { start, len: value.raw.len(), kind: value.kind, compact: value.compact }
    }

    fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }

    fn value(self, text: &str) -> Value<'_> {
        Value { kind: self.kind, raw: &text[self.range()], compact: self.compact }
    }
}

/// The members of the body that are asked for often, noted while it was walked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Members {
    model: Option<Place>,
    messages: Option<Place>,
    input: Option<Place>,
    metadata: Option<Place>,
    cache_key: Option<Place>,
    anthropic_version: bool,
}

impl Members {
    pub fn set(&mut self, key: &str, place: Place) {
        let slot = match key {
            "model" => &mut self.model,
            "messages" => &mut self.messages,
            "input" => &mut self.input,
            "metadata" => &mut self.metadata,
            "prompt_cache_key" => &mut self.cache_key,
            "anthropic_version" => return self.anthropic_version = true,
            _ => return,
        };
        *slot = Some(place);
    }
}

impl<'a> Body<'a> {
    /// Opens the body of the document `text`; `members` are those of a body that is an object
    /// there. None if there is none, an error if it is text that is no JSON.
    pub(super) fn open(
        text: &'a str,
        body: Option<Value<'a>>,
        members: Members,
    ) -> Result<Option<Self>, JsonError> {
        let Some(body) = body else { return Ok(None) };
        match body.str() {
            None => {
                let whole = Place::of(text, body);
                Ok(Some(Self { text: Cow::Borrowed(text), whole, members }))
            }
            Some(inside) if inside.trim().is_empty() => Ok(None),
            Some(inside) => Self::of_text(inside).map(Some),
        }
    }

    fn of_text(text: Cow<'a, str>) -> Result<Self, JsonError> {
        let mut members = Members::default();
        let object = json::fields(&text, |key, value| members.set(key, Place::of(&text, value)));
        let whole = match object {
            Ok(object) => Place::of(&text, object),
            Err(_) => Place::of(&text, json::value(&text)?),
        };
        Ok(Self { text, whole, members })
    }

    /// The whole of it: an object, wherever an agent sent it.
    pub fn value(&self) -> Value<'_> {
        self.whole.value(&self.text)
    }

    /// The text that it stands in, and where: the document as it was read, or, if the body was
    /// logged as text, what that says.
    pub fn text(&self) -> (&Cow<'a, str>, Range<usize>) {
        (&self.text, self.whole.range())
    }

    /// The model that is asked.
    pub fn model(&self) -> Option<Value<'_>> {
        self.value_of(self.members.model).filter(Value::is_string)
    }

    /// `metadata`.
    pub fn metadata(&self) -> Option<Value<'_>> {
        self.value_of(self.members.metadata)
    }

    /// What requests of one conversation share, for the provider's cache (`OpenAI`).
    pub fn cache_key(&self) -> Option<Value<'_>> {
        self.value_of(self.members.cache_key)
    }

    /// Whether it has `messages`, and whether it has an `input`.
    pub(super) fn forms(&self) -> (bool, bool) {
        (self.members.messages.is_some(), self.members.input.is_some())
    }

    /// Whether it says which version of Anthropic's API it is for.
    pub(super) fn is_of_anthropic(&self) -> bool {
        self.members.anthropic_version
    }

    fn value_of(&self, place: Option<Place>) -> Option<Value<'_>> {
        present(place?.value(&self.text))
    }
}

//! The search for leads, and what is asked where one stands.

use std::ops::Range;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::assigned;
use super::tokens::{SPECIAL, Special, TOKENS, Token};

/// What a lead may be the start of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lead {
    /// A token of a well-known form, which starts with the lead.
    Token(&'static Token),
    /// A secret that is told in a way of its own.
    Special(&'static Special),
    /// A part of a key to which a secret is assigned.
    Key,
}

/// The searches for all leads. There are several: what looks for few texts at once is fastest, and
/// a short text among them would slow the search for the long ones.
#[derive(Debug)]
pub(super) struct Leads {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    texts: Vec<(&'static str, Lead)>,
    /// None on machines that cannot compare many bytes at once.
    fast: Option<Searcher>,
}

/// How many texts are looked for at once.
const AT_ONCE: usize = 48;

impl Leads {
    pub fn new() -> Self {
        let tokens = TOKENS.iter().map(|token| (token.lead, Lead::Token(token)));
        let special = SPECIAL.iter().flat_map(|special| {
            special.leads.iter().map(move |lead| (*lead, Lead::Special(special)))
        });
        let keys = assigned::LEADS.iter().map(|lead| (*lead, Lead::Key));
        let all: Vec<_> = tokens.chain(special).chain(keys).collect();
        let (short, long): (Vec<_>, Vec<_>) = all.into_iter().partition(|(text, _)| text.len() < 3);
        let groups = long.chunks(AT_ONCE).chain(short.chunks(AT_ONCE));
        Self { groups: groups.map(|texts| Group::new(texts.to_vec())).collect() }
    }

    /// Looks for leads in a text.
    pub fn search<'s>(&'s self, text: &'s [u8]) -> Search<'s> {
        let next = self.groups.iter().map(|group| group.find(text, 0)).collect();
        Search { groups: &self.groups, text, next }
    }
}

impl Group {
    fn new(texts: Vec<(&'static str, Lead)>) -> Self {
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        let fast = builder.extend(texts.iter().map(|(text, _)| text)).build();
        Self { texts, fast }
    }

    /// The next lead from `from` on: where, and which.
    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from >= text.len() {
            return None;
        }
        if let Some(fast) = &self.fast {
            let span = aho_corasick::Span { start: from, end: text.len() };
            let found = fast.find_in(text, span)?;
            return Some((found.start(), found.pattern().as_usize()));
        }
        (from..text.len()).find_map(|at| {
            let lead =
                self.texts.iter().position(|(lead, _)| text[at..].starts_with(lead.as_bytes()));
            Some((at, lead?))
        })
    }
}

/// A search in one text.
pub(super) struct Search<'s> {
    groups: &'s [Group],
    text: &'s [u8],
    /// What each group found next.
    next: Vec<Option<(usize, usize)>>,
}

impl Search<'_> {
    /// The next place with a lead, and the lead.
    pub fn next_hit(&mut self) -> Option<(usize, Lead)> {
        let found = self.next.iter().enumerate().filter_map(|(i, hit)| Some((hit.as_ref()?.0, i)));
        let (at, i) = found.min()?;
        let group = &self.groups[i];
        let (_, lead) = self.next[i]?;
        self.next[i] = group.find(self.text, at + 1);
        Some((at, group.texts[lead].1))
    }

    /// What stands before `to` is done with.
    pub fn skip_to(&mut self, to: usize) {
        for (group, next) in self.groups.iter().zip(&mut self.next) {
            if next.is_some_and(|(at, _)| at < to) {
                *next = group.find(self.text, to);
            }
        }
    }
}

/// The secret that the lead at `at` tells of, if there is one; not before `from`.
pub(super) fn secret_at(text: &str, at: usize, lead: Lead, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let found = match lead {
        Lead::Token(token) => token.find(bytes, at),
        Lead::Special(special) => (special.find)(bytes, at),
        Lead::Key => assigned::find(text, at, from),
    };
    found.filter(|secret| secret.start >= from && secret.start < secret.end)
}

//! Secrets: what looks like one is printed as a hash, so that the same secret still looks the same.
//!
//! Every pattern has leads: short texts of which one stands in each secret of its kind, or right
//! before it. A search for all leads at once passes over everything else; only where a lead stands
//! a text is looked at closely. `docs/secrets.md` lists the patterns.

mod assigned;
mod leads;
mod tokens;

use std::borrow::Cow;
use std::ops::Range;

use crate::tools::sha256;
use leads::Leads;

/// What stands before the digits of a hash.
const HASH: &str = "hash:";
/// How many digits of SHA-256 are printed.
const DIGITS: usize = 16;
/// The shortest text that can hold a secret.
const SHORTEST: usize = 8;

/// Headers whose values are secret.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-goog-api-key",
    "x-goog-iam-authorization-token",
    "x-amz-security-token",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-xsrf-token",
    "x-github-token",
    "private-token",
    "x-vault-token",
    "x-functions-key",
    "ocp-apim-subscription-key",
    "openai-api-key",
    "anthropic-api-key",
];

/// Replaces secrets in strings.
#[derive(Debug)]
pub struct Redact {
    leads: Leads,
}

impl Default for Redact {
    fn default() -> Self {
        Self::new()
    }
}

impl Redact {
    /// Knows the patterns of `docs/secrets.md`.
    pub fn new() -> Self {
        Self { leads: Leads::new() }
    }

    /// The text without its secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() < SHORTEST {
            return Cow::Borrowed(text);
        }
        let mut clean = String::new();
        let mut copied = 0;
        let mut search = self.leads.search(text.as_bytes());
        while let Some((at, lead)) = search.next_hit() {
            let Some(secret) = leads::secret_at(text, at, lead, copied) else { continue };
            let Some(found) = text.get(secret.clone()) else { continue };
            clean.push_str(text.get(copied..secret.start).unwrap_or_default());
            clean.push_str(&hash(found));
            copied = secret.end;
            search.skip_to(copied);
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(clean)
    }

    /// The value of a member of an object without its secrets: where the key says that the value is
    /// one, all of it.
    pub fn member<'t>(&self, key: &str, value: &'t str) -> Cow<'t, str> {
        match assigned::secret_of_member(key, value) {
            Some(secret) => self.all_but(value, secret),
            None => self.text(value),
        }
    }

    /// The value of a header without its secrets; `name` in any case.
    pub fn header<'t>(&self, name: &str, value: &'t str) -> Cow<'t, str> {
        let is_secret = SECRET_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known));
        match is_secret {
            true if value.is_empty() || is_hash(value) => Cow::Borrowed(value),
            true => Cow::Owned(hash(value)),
            false => self.member(name, value),
        }
    }

    fn all_but<'t>(&self, text: &'t str, secret: Range<usize>) -> Cow<'t, str> {
        let Some(found) = text.get(secret.clone()) else { return self.text(text) };
        let before = text.get(..secret.start).unwrap_or_default();
        let behind = text.get(secret.end..).unwrap_or_default();
        Cow::Owned([before, &hash(found), behind].concat())
    }
}

/// What is printed instead of a secret.
fn hash(secret: &str) -> String {
    let digits = sha256(secret);
    [HASH, digits.get(..DIGITS).unwrap_or(&digits)].concat()
}

/// Whether a text is what is printed instead of a secret.
fn is_hash(text: &str) -> bool {
    text.strip_prefix(HASH)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_lower_hex))
}

fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests;

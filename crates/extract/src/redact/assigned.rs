//! Secrets that are told by the key to which they are assigned: `DB_PASSWORD=…`, `"api_key": "…"`,
//! `--token …`, `Authorization: …`.

use std::ops::Range;

use super::is_hash;
use super::tokens::{is_told, run, run_before, token_at, trimmed};

/// Parts of keys, in the spellings that are in use.
pub(super) const LEADS: &[&str] = &[
    "assword",
    "ASSWORD",
    "assWord",
    "asswd",
    "ASSWD",
    "assphrase",
    "ASSPHRASE",
    "Pwd",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "pi_key",
    "PI_KEY",
    "pi-key",
    "pi-Key",
    "PI-KEY",
    "piKey",
    "pikey",
    "PIKEY",
    "ccess_key",
    "CCESS_KEY",
    "ccess-key",
    "ccessKey",
    "rivate_key",
    "RIVATE_KEY",
    "rivateKey",
    "ccountKey",
    "ccount_key",
    "CCOUNT_KEY",
    "uthorization",
    "UTHORIZATION",
];

/// What a key says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Chosen by a person: may be short, may be words.
    Password,
    /// Made by a machine.
    Token,
    /// `Authorization`: a token, often behind the name of a scheme.
    Header,
}

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// In quotes, or as the value of an object.
    Quoted,
    /// `NAME=value`, as in the environment, or `--name value`.
    Plain,
    /// `name = value` or `name: value`, which code writes too.
    Loose,
}

/// How long a key may be.
const KEY_LEN: usize = 128;
/// How long a quoted value may be.
const VALUE_LEN: usize = 8 << 10;

fn in_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// The secret that is assigned to the key of which a part stands at `at`; `from` is where the text
/// begins that was not looked at.
pub(super) fn find(text: &str, at: usize, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = at - run_before(&bytes[from.min(at)..at], at - from.min(at), KEY_LEN, in_key);
    let end = at + run(&bytes[..bytes.len().min(at + KEY_LEN)], at, in_key);
    let key = bytes.get(start..end)?;
    let kind = kind_of(key)?;
    let (value, separated) = separator(bytes, start, end)?;
    let (mut value, manner) = match quote(bytes, value) {
        Some((quote, slashes, open)) => (quoted(bytes, open, quote, slashes)?, Manner::Quoted),
        None => (plain(bytes, value), manner_of(key, separated)),
    };
    if kind == Kind::Header {
        value = behind_scheme(bytes, value, manner);
    }
    // A token of a known form looks the same wherever it stands.
    if let Some(token) = token_at(bytes, value.start) {
        return Some(token);
    }
    if manner != Manner::Quoted {
        value = trimmed(bytes, value);
    }
    let next = bytes.get(value.end).copied();
    is_secret(kind, manner, text.get(value.clone())?, next).then_some(value)
}

/// The secret in the value of a member of an object, if its key says that it is one.
pub(super) fn secret_of_member(key: &str, value: &str) -> Option<Range<usize>> {
    let kind = kind_of(key.as_bytes())?;
    let mut found = 0..value.len();
    if kind == Kind::Header {
        found = behind_scheme(value.as_bytes(), found, Manner::Quoted);
    }
    if let Some(token) = token_at(value.as_bytes(), found.start) {
        return Some(token);
    }
    is_secret(kind, Manner::Quoted, value.get(found.clone())?, None).then_some(found)
}

/// What the value of a key is, told by the key's last words.
fn kind_of(key: &[u8]) -> Option<Kind> {
    let digits = run_before(key, key.len(), 3, |b| b.is_ascii_digit() || b == b'_');
    let key = &key[..key.len() - digits];
    let ends = |words: &[&str]| words.iter().any(|word| ends_with(key, word.as_bytes()));
    match key.last()?.to_ascii_lowercase() {
        // `PWD` is the working directory.
        b'd' if ends(&["pwd"]) => (key.len() > 3 || key == b"Pwd").then_some(Kind::Password),
        b'd' | b'e' if ends(&["password", "passwd", "passphrase"]) => Some(Kind::Password),
        b'n' if ends(&["authorization"]) => Some(Kind::Header),
        b'n' if ends(&["token"]) => Some(Kind::Token),
        b't' if ends(&["secret"]) => Some(Kind::Token),
        b'y' if ends(&["apikey", "accesskey", "privatekey", "accountkey", "secretkey"]) => {
            Some(Kind::Token)
        }
        _ => None,
    }
}

/// Whether a key ends with a word, however its letters and parts are written.
fn ends_with(key: &[u8], word: &[u8]) -> bool {
    let mut letters = key.iter().rev().filter(|b| b.is_ascii_alphanumeric());
    word.iter().rev().all(|b| letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(b)))
}

/// Where the value starts behind a key that ends at `end`, and by what it is set apart.
fn separator(text: &[u8], start: usize, end: usize) -> Option<(usize, u8)> {
    let blank = |from| from + run(text, from, |b| matches!(b, b' ' | b'\t'));
    let closed = end + run(text, end, |b| matches!(b, b'\\' | b'"' | b'\'' | b'`' | b']')).min(12);
    let at = blank(closed);
    let rest = text.get(at..)?;
    let len = match rest {
        [b':', b'=', ..] | [b'=', b'>', ..] => 2,
        [b'=', b'=' | b'~', ..] | [b':', b':', ..] => return None,
        [b':' | b'=', ..] => 1,
        // `--password value`
        [_, ..] if at > closed && closed == end && text[start..].starts_with(b"--") => {
            return Some((at, b' '));
        }
        _ => return None,
    };
    Some((blank(at + len), rest[0]))
}

/// The quote that opens a value, how many backslashes stand before it, and where the value starts.
fn quote(text: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let slashes = run(text, at, |b| b == b'\\');
    let quote = text.get(at + slashes).copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    Some((quote, slashes, at + slashes + 1))
}

/// The value up to the quote that closes it: one with as many backslashes before it.
fn quoted(text: &[u8], open: usize, quote: u8, slashes: usize) -> Option<Range<usize>> {
    let part = &text[open..text.len().min(open + VALUE_LEN)];
    for at in memchr::memchr2_iter(quote, b'\n', part) {
        if part[at] == b'\n' {
            return None;
        }
        let before = run_before(part, at, at, |b| b == b'\\');
        // With none before the first, one makes the next a part of the text.
        let closes = if slashes == 0 { before % 2 == 0 } else { before <= slashes };
        if closes {
            let end = if slashes == 0 { at } else { at - before };
            return Some(open..open + end);
        }
    }
    None
}

/// The value up to what ends a word.
fn plain(text: &[u8], from: usize) -> Range<usize> {
    let ends = |b: u8| {
        b.is_ascii_whitespace() || b.is_ascii_control() || b"\"'`\\,;&<>(){}[]|".contains(&b)
    };
    from..from + run(text, from, |b| !ends(b))
}

fn manner_of(key: &[u8], separated: u8) -> Manner {
    let loud = !key.iter().any(u8::is_ascii_lowercase);
    match separated {
        b' ' => Manner::Plain,
        b'=' if loud || key.starts_with(b"--") || key.starts_with(b"Pwd") => Manner::Plain,
        _ => Manner::Loose,
    }
}

/// Behind the name of the scheme: `Bearer …`, `token …`.
fn behind_scheme(text: &[u8], value: Range<usize>, manner: Manner) -> Range<usize> {
    let word = run(&text[..value.end], value.start, |b| b.is_ascii_alphabetic() || b == b'-');
    let next = value.start + word;
    if word == 0 || text.get(next) != Some(&b' ') {
        return value;
    }
    let from = next + run(text, next, |b| b == b' ');
    match manner {
        Manner::Quoted => from.min(value.end)..value.end,
        _ => plain(text, from),
    }
}

/// Words that stand for a value in code, schemas and examples.
const NAMES: &[&str] = &[
    "string",
    "str",
    "text",
    "bytes",
    "char",
    "varchar",
    "number",
    "object",
    "boolean",
    "bool",
    "any",
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "optional",
    "required",
    "unknown",
    "hidden",
    "password",
    "passwd",
    "token",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "value",
    "input",
    "secretstr",
    "redacted",
    "[redacted]",
    "current-password",
    "new-password",
    "bearer",
    "basic",
];

/// Whether a value is a secret, not a variable, a type or a message about one.
fn is_secret(kind: Kind, manner: Manner, value: &str, next: Option<u8>) -> bool {
    let bytes = value.as_bytes();
    let is_name = NAMES.iter().any(|name| value.eq_ignore_ascii_case(name));
    if is_name || !is_told(bytes) || bytes.iter().any(u8::is_ascii_whitespace) || is_hash(value) {
        return false;
    }
    if is_place(value) || value == "hash" && next == Some(b':') {
        return false;
    }
    let called = matches!(next, Some(b'(' | b'[' | b'{'));
    if manner != Manner::Quoted && called {
        return false;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let marked = bytes.iter().any(|b| b"!@#%^*+~?=$/".contains(b));
    let is_path_of_code = is_code(bytes);
    match (kind, manner) {
        (Kind::Password, Manner::Quoted | Manner::Plain) => bytes.len() >= 4 && !is_path_of_code,
        (Kind::Password, Manner::Loose) => {
            bytes.len() >= 6 && (digits > 0 || marked || bytes.contains(&b'-')) && !is_path_of_code
        }
        (_, Manner::Loose) => {
            let long = bytes.len() >= 12 && digits >= 2 || bytes.len() >= 24 && digits > 0;
            long && letters > 0 && !is_path_of_code && !is_snake(bytes)
        }
        _ => {
            let strong = digits > 0 && letters > 0 || marked || bytes.len() >= 12;
            bytes.len() >= 8 && letters > 0 && strong && !is_path_of_code
        }
    }
}

/// Whether a value is the place of a file or a page.
fn is_place(value: &str) -> bool {
    ["/", "./", "../", "~/", "http://", "https://", "file:", "arn:", "projects/"]
        .iter()
        .any(|start| value.starts_with(start))
        && !value.ends_with('=')
}

/// Whether a value is a path of names with points between, as code has them: `self.token`,
/// `process.env.TOKEN`.
fn is_code(value: &[u8]) -> bool {
    let is_name = |name: &[u8]| {
        name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && name.len() <= 32
            && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && name.iter().filter(|b| b.is_ascii_digit()).count() <= 2
    };
    value.contains(&b'.') && value.split(|b| *b == b'.').all(is_name)
}

/// Whether a value is a name of small letters, as code has them: `parse_token_v2`.
fn is_snake(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    value.contains(&b'_')
        && digits <= 4
        && value.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
}

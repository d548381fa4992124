//! Secrets that can be told by their own form, wherever they stand.

use std::ops::Range;

use super::{is_hash, is_lower_hex};

/// Tokens that start with a text of their own, of letters that are known.
#[derive(Debug)]
pub(super) struct Token {
    /// What it starts with.
    pub lead: &'static str,
    /// What it goes on with.
    body: fn(u8) -> bool,
    /// How many of these there are at least, and at most.
    len: (usize, usize),
}

/// Secrets that take more to be told.
#[derive(Debug)]
pub(super) struct Special {
    /// One of these stands where `find` is asked.
    pub leads: &'static [&'static str],
    /// The secret that the lead at a place tells of.
    pub find: fn(&[u8], usize) -> Option<Range<usize>>,
}

/// No token is longer.
const ANY: usize = 2048;

const fn token(lead: &'static str, body: fn(u8) -> bool, min: usize, max: usize) -> Token {
    Token { lead, body, len: (min, max) }
}

/// Tokens with a lead of their own.
pub(super) const TOKENS: &[Token] = &[
    token("ghp_", alphanumeric, 30, ANY),
    token("gho_", alphanumeric, 30, ANY),
    token("ghu_", alphanumeric, 30, ANY),
    token("ghs_", word, 30, ANY),
    token("ghr_", alphanumeric, 30, ANY),
    token("github_pat_", word, 22, ANY),
    token("glpat-", url_safe, 20, ANY),
    token("gldt-", url_safe, 20, ANY),
    token("glrt-", url_safe, 20, ANY),
    token("glptt-", url_safe, 20, ANY),
    token("xapp-", url_safe, 20, ANY),
    token("AKIA", upper, 16, 16),
    token("ASIA", upper, 16, 16),
    token("ABIA", upper, 16, 16),
    token("AIza", url_safe, 35, 35),
    token("ya29.", dotted, 20, ANY),
    token("GOCSPX-", url_safe, 24, 32),
    token("1//0", url_safe, 40, ANY),
    token("sk_live_", alphanumeric, 10, ANY),
    token("rk_live_", alphanumeric, 10, ANY),
    token("sk_test_", alphanumeric, 10, ANY),
    token("rk_test_", alphanumeric, 10, ANY),
    token("whsec_", base64, 24, ANY),
    token("npm_", alphanumeric, 30, ANY),
    token("hf_", alphanumeric, 30, ANY),
    token("dop_v1_", is_lower_hex, 40, ANY),
    token("doo_v1_", is_lower_hex, 40, ANY),
    token("dor_v1_", is_lower_hex, 40, ANY),
    token("key-", is_lower_hex, 32, 32),
    token("shpat_", alphanumeric, 32, ANY),
    token("shpss_", alphanumeric, 32, ANY),
    token("shpca_", alphanumeric, 32, ANY),
    token("shppa_", alphanumeric, 32, ANY),
    token("sq0atp-", url_safe, 22, ANY),
    token("sq0csp-", url_safe, 43, ANY),
    token("lin_api_", alphanumeric, 30, ANY),
    token("ntn_", alphanumeric, 40, ANY),
    token("dapi", is_lower_hex, 32, 32),
    token("dp.pt.", alphanumeric, 40, ANY),
    token("hvs.", url_safe, 24, ANY),
    token("hvb.", url_safe, 24, ANY),
    token("glsa_", word, 32, ANY),
    token("glc_eyJ", base64, 32, ANY),
    token("NRAK-", alphanumeric, 27, 27),
    token("pscale_tkn_", dotted, 32, ANY),
    token("pscale_pw_", dotted, 32, ANY),
    token("PMAK-", url_safe, 59, 59),
    token("rubygems_", is_lower_hex, 48, 48),
    token("sbp_", is_lower_hex, 40, 40),
    token("gsk_", alphanumeric, 40, ANY),
    token("xai-", alphanumeric, 60, ANY),
    token("pplx-", alphanumeric, 40, ANY),
    token("r8_", alphanumeric, 37, 37),
    token("lsv2_", word, 40, ANY),
    token("ATATT3", url_safe_padded, 100, ANY),
    token("ATBB", alphanumeric, 32, 32),
    token("dckr_pat_", url_safe, 27, ANY),
    token("AGE-SECRET-KEY-1", upper, 58, 58),
    token("sntrys_", base64_word, 60, ANY),
    token("figd_", url_safe, 40, ANY),
    token("HRKU-", url_safe, 30, ANY),
];

/// Secrets that take more to be told.
pub(super) const SPECIAL: &[Special] = &[
    Special { leads: &["sk-"], find: sk },
    Special { leads: &["pypi-"], find: pypi },
    Special { leads: &["xox"], find: slack },
    Special { leads: &["hooks.slack.com/"], find: slack_hook },
    Special { leads: &["/api/webhooks/"], find: discord_hook },
    Special { leads: &["SG."], find: sendgrid },
    Special { leads: &["eyJ"], find: jwt },
    Special { leads: &["-----BEGIN "], find: private_key },
    Special { leads: &["earer ", "EARER "], find: bearer },
    Special { leads: &["asic ", "ASIC "], find: basic },
    Special { leads: &["://"], find: url_password },
    Special { leads: &[":AA"], find: telegram },
    Special { leads: &["sig="], find: azure_signature },
    Special { leads: &["-us"], find: mailchimp },
    Special { leads: &["-u ", "--user "], find: curl_password },
    Special { leads: &["SK"], find: twilio },
    Special { leads: &["MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"], find: discord },
];

impl Token {
    /// The token that starts at `at`.
    pub fn find(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        if !starts(text, at) {
            return None;
        }
        let (min, max) = self.len;
        let body = at + self.lead.len();
        let len = run(text, body, self.body);
        (min..=max).contains(&len).then_some(at..body + len)
    }
}

/// The token of a known form that starts at `at`.
pub(super) fn token_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let mut tokens = TOKENS.iter().filter(|token| rest.starts_with(token.lead.as_bytes()));
    let specials = [("sk-", sk as Finder), ("pypi-", pypi), ("xox", slack), ("SG.", sendgrid)];
    let more = [("eyJ", jwt as Finder), ("-----BEGIN ", private_key)];
    let specials = specials.into_iter().chain(more);
    let mut of_special = specials.filter(|(lead, _)| rest.starts_with(lead.as_bytes()));
    let found = tokens.find_map(|token| token.find(text, at));
    found.or_else(|| of_special.find_map(|(_, find)| find(text, at)))
}

type Finder = fn(&[u8], usize) -> Option<Range<usize>>;

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn url_safe(b: u8) -> bool {
    word(b) || b == b'-'
}

fn url_safe_padded(b: u8) -> bool {
    url_safe(b) || b == b'='
}

fn dotted(b: u8) -> bool {
    url_safe(b) || b == b'.'
}

fn base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')
}

fn base64_word(b: u8) -> bool {
    base64(b) || b == b'_'
}

/// How long a word may be that is looked at: what is longer is data, and a text full of leads must
/// not be read again for each of them.
const WORD_LEN: usize = 8 << 10;

/// How many bytes from `from` on are of a kind; so many as a word may have at the most.
pub(super) fn run(text: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().take(WORD_LEN).take_while(|b| of(**b)).count()
}

/// How many bytes right before `to` are of a kind; `most` at the most.
pub(super) fn run_before(text: &[u8], to: usize, most: usize, of: impl Fn(u8) -> bool) -> usize {
    text.get(..to).unwrap_or_default().iter().rev().take(most).take_while(|b| of(**b)).count()
}

/// Whether a word may start at `at`: no letter or digit stands before it, but for the last of an
/// escape (`\n`, `\u003d`, `%3D`) or of a terminal's colour.
fn starts(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let Some(last) = before.last().filter(|b| b.is_ascii_alphanumeric()) else { return true };
    let ends = |len: usize, head: &[u8]| {
        let tail = &before[before.len().saturating_sub(len)..];
        tail.len() == len
            && tail.starts_with(head)
            && tail[head.len()..].iter().all(u8::is_ascii_hexdigit)
    };
    let escape = matches!(last, b'n' | b'r' | b't' | b'b' | b'f')
        && before.len() > 1
        && before[before.len() - 2] == b'\\';
    let colour = || {
        let rest = &before[..before.len() - 1];
        let digits = run_before(rest, rest.len(), 16, |b| b.is_ascii_digit() || b == b';');
        rest[..rest.len() - digits].ends_with(b"[")
    };
    escape
        || ends(3, b"%")
        || ends(6, b"\\u")
        || ends(4, b"\\x")
        || (matches!(last, b'm' | b'K') && colour())
}

/// The longest run of letters and digits in a text.
fn longest_run(text: &[u8]) -> usize {
    text.split(|b| !b.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0)
}

/// Keys of Anthropic (`sk-ant-…`), `OpenAI` (`sk-…`, `sk-proj-…`) and those who took after them.
fn sk(text: &[u8], at: usize) -> Option<Range<usize>> {
    const KINDS: [&[u8]; 5] = [b"ant-", b"proj-", b"svcacct-", b"admin-", b"or-v1-"];
    if !starts(text, at) {
        return None;
    }
    let body = at + 3;
    let len = run(text, body, url_safe);
    let rest = &text[body..body + len];
    let known = KINDS.iter().any(|kind| rest.starts_with(kind));
    let long = if known { len >= 20 } else { longest_run(rest) >= 20 };
    long.then_some(at..body + len)
}

/// Tokens of `PyPI`.
fn pypi(text: &[u8], at: usize) -> Option<Range<usize>> {
    let body = at + 5;
    let len = run(text, body, url_safe);
    let long = len >= 32 && longest_run(&text[body..body + len]) >= 16;
    (long && starts(text, at)).then_some(at..body + len)
}

/// Tokens of Slack: `xoxb-…` and the like.
fn slack(text: &[u8], at: usize) -> Option<Range<usize>> {
    let kind = text.get(at + 3).copied().filter(|b| b"abcdeoprs".contains(b))?;
    let is_cookie = kind == b'd';
    let body = Some(at + 5).filter(|_| text.get(at + 4) == Some(&b'-'))?;
    let more = |b: u8| is_cookie && matches!(b, b'%' | b'/' | b'+');
    let len = run(text, body, |b| b.is_ascii_alphanumeric() || b == b'-' || more(b));
    let has_digit = text[body..body + len].iter().any(u8::is_ascii_digit);
    (len >= 10 && has_digit && starts(text, at)).then_some(at..body + len)
}

/// What lets anyone write to a channel: the path of a webhook of Slack.
fn slack_hook(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at + "hooks.slack.com/".len()..)?;
    let kind = ["services/", "workflows/", "triggers/"].into_iter();
    let kind = kind.filter(|kind| rest.starts_with(kind.as_bytes())).map(str::len).next()?;
    let from = text.len() - rest.len() + kind;
    let len = run(text, from, |b| url_safe(b) || b == b'/');
    (len >= 20).then_some(from..from + len)
}

/// The secret part of the path of a webhook of Discord.
fn discord_hook(text: &[u8], at: usize) -> Option<Range<usize>> {
    let id = at + "/api/webhooks/".len();
    let digits = run(text, id, |b| b.is_ascii_digit());
    let from = id + digits + 1;
    let len = run(text, from, url_safe);
    (digits >= 15 && text.get(from - 1) == Some(&b'/') && len >= 30).then_some(from..from + len)
}

/// Keys of `SendGrid`: `SG.x.y`.
fn sendgrid(text: &[u8], at: usize) -> Option<Range<usize>> {
    let first = run(text, at + 3, url_safe);
    let from = at + 3 + first + 1;
    let second = run(text, from, url_safe);
    let whole = first >= 16 && second >= 16 && text.get(from - 1) == Some(&b'.');
    (whole && starts(text, at)).then_some(at..from + second)
}

/// JSON web tokens, signed (three parts) or encrypted (five).
fn jwt(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !starts(text, at) {
        return None;
    }
    let mut end = at + run(text, at, url_safe);
    let first = end - at;
    let mut parts = Vec::with_capacity(4);
    while parts.len() < 4 && text.get(end) == Some(&b'.') {
        let len = run(text, end + 1, url_safe);
        if len == 0 {
            // The key of an encrypted token may be empty; the end of a sentence is no part.
            let more = text.get(end + 1) == Some(&b'.') && run(text, end + 2, url_safe) > 0;
            if parts.is_empty() && more {
                parts.push(0);
                end += 1;
                continue;
            }
            break;
        }
        parts.push(len);
        end += 1 + len;
    }
    let whole = first >= 12 && parts.len() >= 2 && parts.iter().sum::<usize>() >= 16;
    whole.then_some(at..end)
}

/// How long a private key may be.
const KEY_LEN: usize = 32 << 10;

/// A private key in PEM: from its first line to its last, or as far as it goes.
fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    const END: &[u8] = b"-----END ";
    let label = at + "-----BEGIN ".len();
    let len = run(text, label, |b| upper(b) || b == b' ');
    let name = &text[label..label + len];
    let body = label + len + 5;
    if !(name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK"))
        || text.get(body - 5..body) != Some(b"-----")
    {
        return None;
    }
    let rest = &text[body..text.len().min(body + KEY_LEN)];
    let end = match memchr::memmem::find(rest, END) {
        Some(end) => {
            let tail = body + end + END.len();
            let label = run(text, tail, |b| upper(b) || b == b' ');
            tail + label + run(text, tail + label, |b| b == b'-').min(5)
        }
        None => body + run(rest, 0, |b| base64(b) || b.is_ascii_whitespace() || b == b'\\'),
    };
    // Code names the lines between which a key stands, without one.
    let is_key = text[body..end].split(|b| !base64(*b)).any(|line| line.len() >= 16);
    is_key.then_some(at..end)
}

fn credentials(b: u8) -> bool {
    base64(b) || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// What follows `Bearer `.
fn bearer(text: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at + "earer ".len();
    let len = run(text, from, credentials);
    let found = trimmed(text, from..from + len);
    let token = text.get(found.clone())?;
    let has_digit = token.iter().any(u8::is_ascii_digit);
    let is_long = if has_digit { token.len() >= 8 } else { longest_run(token) >= 20 };
    let b = at.checked_sub(1).map(|at| text[at])?;
    (matches!(b, b'B' | b'b') && is_long && starts(text, at - 1)).then_some(found)
}

/// Without the point that ends a sentence.
pub(super) fn trimmed(text: &[u8], found: Range<usize>) -> Range<usize> {
    let marks = run_before(&text[..found.end], found.end, found.len(), |b| {
        matches!(b, b'.' | b'!' | b'?' | b',' | b':')
    });
    found.start..found.end - marks
}

/// What follows `Basic `, if it spells a name and a password.
fn basic(text: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at + "asic ".len();
    let len = run(text, from, |b| base64(b) || matches!(b, b'-' | b'_'));
    let b = at.checked_sub(1).map(|at| text[at])?;
    let spells = || {
        let plain = decoded(&text[from..from + len]);
        plain.contains(&b':')
            && std::str::from_utf8(&plain).is_ok_and(|plain| plain.chars().all(|c| !c.is_control()))
    };
    (matches!(b, b'B' | b'b') && (4..=4096).contains(&len) && spells()).then_some(from..from + len)
}

/// What Base64 spells.
fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut bits, mut known) = (Vec::with_capacity(text.len()), 0u32, 0);
    for b in text {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        (bits, known) = (bits << 6 | u32::from(six), known + 6);
        if known >= 8 {
            known -= 8;
            plain.push((bits >> known) as u8);
        }
    }
    plain
}

/// How long the name or password in a URL may be.
const USER_LEN: usize = 512;

/// The password in `scheme://user:password@host`.
fn url_password(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !at.checked_sub(1).is_some_and(|at| text[at].is_ascii_alphanumeric()) {
        return None;
    }
    let from = at + 3;
    let len = run(text, from, |b| !b.is_ascii_whitespace() && !b"/\"'`<>\\()|^".contains(&b));
    let part = &text[from..from + len.min(2 * USER_LEN)];
    let end = memchr::memrchr(b'@', part)?;
    let colon = memchr::memchr(b':', &part[..end])?;
    let password = &part[colon + 1..end];
    let is_name = |b: &u8| !b.is_ascii_control() && !b"?#,;={}[]".contains(b);
    let whole =
        part[..colon].iter().all(is_name) && memchr::memmem::find(password, b"://").is_none();
    (whole && is_told(password)).then_some(from + colon + 1..from + end)
}

/// Whether a password is told, not just named: no variable, no row of stars, not a hash already.
pub(super) fn is_told(password: &[u8]) -> bool {
    let Some(first) = password.first() else { return false };
    let same = password.len() > 2 && password.iter().all(|b| b == first);
    let named = b"${<[%*".contains(first) && !is_percent_code(password);
    !(same || named || std::str::from_utf8(password).is_ok_and(is_hash))
}

/// Whether a text starts with a letter as URLs write it: `%40`.
fn is_percent_code(text: &[u8]) -> bool {
    text.first() == Some(&b'%') && run(text, 1, |b| b.is_ascii_hexdigit()) >= 2
}

/// Tokens of bots of Telegram: `123456789:AA…`.
fn telegram(text: &[u8], at: usize) -> Option<Range<usize>> {
    let digits = run_before(text, at, 11, |b| b.is_ascii_digit());
    let body = run(text, at + 1, url_safe);
    let from = at - digits;
    // In URLs they stand behind `bot`.
    let fresh = starts(text, from) || text[..from].ends_with(b"bot");
    ((8..=10).contains(&digits) && (34..=36).contains(&body) && fresh)
        .then_some(from..at + 1 + body)
}

/// The signature in the URL of something stored at Azure.
fn azure_signature(text: &[u8], at: usize) -> Option<Range<usize>> {
    let from = at + "sig=".len();
    let len = run(text, from, |b| base64(b) || b == b'%');
    let in_url = at.checked_sub(1).is_some_and(|at| matches!(text[at], b'?' | b'&' | b';'));
    (in_url && len >= 40).then_some(from..from + len)
}

/// Keys of Mailchimp: 32 hex digits, then the place, such as `-us12`.
fn mailchimp(text: &[u8], at: usize) -> Option<Range<usize>> {
    let place = run(text, at + 3, |b| b.is_ascii_digit());
    if !(1..=2).contains(&place) || run_before(text, at, 33, is_lower_hex) != 32 {
        return None;
    }
    let end = at + 3 + place;
    let ends = !text.get(end).is_some_and(|b| url_safe(*b));
    (ends && starts(text, at - 32)).then_some(at - 32..end)
}

/// The password in `curl -u name:password`.
fn curl_password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let line = &text[at.saturating_sub(1024)..at];
    let line = &line[memchr::memrchr(b'\n', line).map_or(0, |end| end + 1)..];
    memchr::memmem::find(line, b"curl")?;
    let mut from = at + memchr::memchr(b' ', &text[at..])? + 1;
    from += run(text, from, |b| matches!(b, b'"' | b'\'' | b'\\'));
    let name = run(text, from, |b| dotted(b) || matches!(b, b'@' | b'+'));
    let colon = from + name;
    let len = run(text, colon + 1, |b| !b.is_ascii_whitespace() && !b"\"'\\`".contains(&b));
    let password = text.get(colon + 1..colon + 1 + len)?;
    (text[colon] == b':' && is_told(password)).then_some(colon + 1..colon + 1 + len)
}

/// Keys of Twilio.
fn twilio(text: &[u8], at: usize) -> Option<Range<usize>> {
    let hex = run(text, at + 2, is_lower_hex) == 32;
    let ends = !text.get(at + 34).is_some_and(|b| alphanumeric(*b));
    (hex && ends && starts(text, at)).then_some(at..at + 34)
}

/// Tokens of bots of Discord. The first part is the bot's id in Base64, digits all.
fn discord(text: &[u8], at: usize) -> Option<Range<usize>> {
    if !starts(text, at) {
        return None;
    }
    let first = run(text, at, url_safe);
    if !(23..=28).contains(&first) || text.get(at + first) != Some(&b'.') {
        return None;
    }
    let middle = at + first + 1;
    let second = run(text, middle, url_safe);
    let last = middle + second + 1;
    let third = run(text, last, url_safe);
    let whole = (6..=7).contains(&second) && text.get(last - 1) == Some(&b'.') && third >= 27;
    let is_id = || decoded(&text[at..at + first]).iter().all(u8::is_ascii_digit);
    (whole && is_id()).then_some(at..last + third)
}

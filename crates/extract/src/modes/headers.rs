//! `headers`: an HTTP header that requests were sent with.
//!
//! Every captured request counts, of whatever kind, apart for each provider. A header that stands in a
//! request more than once counts once, its values joined by `, `. `distinct` counts values up to
//! 65,536. A header `identifies` where its name ends in `session_id`, `conversation_id` or `thread_id`
//! (however it is dashed), or its value is the session's id.
//!
//! Values are those that were sent; what is secret in them is replaced when they are printed.
//! Sessions' ids are no secret.

use std::collections::{BTreeMap, HashSet};

use agentlog::event::Provider;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::prints::print;
use crate::tools::{Tallies, Tally, or_null};
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "headers",
    about: "an HTTP header that requests were sent with",
    sources: "captured requests",
    own: OWN,
    key: &["provider", "name"],
    table: &["t", "provider", "name", "value", "distinct", "uses"],
    takes: Takes { deltas: false, left_out: false, select: Select::Rows },
    make: |_| Box::<Headers>::default(),
};

const OWN: &[Field] = &[
    field("name", Shape::Text, "the name, in lower case"),
    field(
        "value",
        Shape::Text,
        "its value, if all requests have the same one, else that of the last",
    ),
    field("distinct", Shape::Count, "how many values it had"),
    field("uses", Shape::Count, "how many requests had it"),
    field("identifies", Shape::Bool, "whether it names a session or conversation"),
    field("t_last", Shape::Time, "when it was sent last"),
];

#[derive(Default)]
struct Headers {
    known: Tallies<(Option<Provider>, Box<str>), Header>,
}

struct Header {
    name: Box<str>,
    value: String,
    distinct: HashSet<u64, FixedState>,
    identifies: bool,
}

impl Header {
    fn new(name: &str) -> Self {
        let (value, distinct) = (String::new(), HashSet::default());
        Self { name: name.into(), value, distinct, identifies: false }
    }
}

/// How many values of a header are told apart.
const VALUES: usize = 1 << 16;

impl Mode for Headers {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let Some((asked, _)) = row.asked() else { return };
        let sid = row.event.head.sid.as_deref();
        let mut sent: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in &asked.headers {
            let all = sent.entry(name).or_default();
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(value);
        }
        for (name, value) in sent {
            let key = (row.event.head.provider, name.into());
            let header = &mut self.known.told(key, row.event, || Header::new(name)).what;
            header.identifies |= is_id(name) || (sid == Some(&*value) && !value.is_empty());
            if header.distinct.len() < VALUES {
                header.distinct.insert(print(None, &value));
            }
            header.value = value;
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let values = |known: &Tally<Header>| {
            let Header { name, value, distinct, identifies } = &known.what;
            vec![
                (&**name).into(),
                value.as_str().into(),
                distinct.len().into(),
                known.uses.into(),
                (*identifies).into(),
                or_null(known.t_last),
            ]
        };
        self.known.records(&INFO, values, out);
    }
}

/// Whether a header of that name names a session or conversation.
fn is_id(name: &str) -> bool {
    let name = name.replace('-', "_");
    ["session_id", "conversation_id", "thread_id"].iter().any(|id| name.ends_with(id))
}

#[cfg(test)]
mod tests {
    use crate::given::records;
    use serde_json::{Value, json};

    fn ask(ms: u64, url: &str, headers: &Value) -> String {
        json!({"t": format!("2026-01-01T00:00:00.{ms:03}Z"), "method": "POST", "url": url, "headers": headers, "sid": "s", "body": {}}).to_string()
    }

    #[test]
    fn headers_by_provider_and_name() {
        let (claude, codex) =
            ("https://api.anthropic.com/v1/messages", "https://api.openai.com/v1/responses");
        let rows = [
            ask(0, claude, &json!({"Anthropic-Beta": "a", "X-Claude-Code-Session-Id": "z"})),
            ask(1, claude, &json!({"anthropic-beta": "b"})),
            ask(2, claude, &json!({"anthropic-beta": "b"})),
            ask(3, codex, &json!({"conversation_id": "s", "x-me": "s", "anthropic-beta": "a"})),
        ];
        let found = records("headers", &rows);
        let shown: Vec<_> = found
            .iter()
            .map(|r| {
                json!([
                    r["provider"],
                    r["name"],
                    r["value"],
                    r["distinct"],
                    r["uses"],
                    r["identifies"]
                ])
            })
            .collect();
        let expected = json!([
            ["claude", "anthropic-beta", "b", 2, 3, false],
            ["claude", "x-claude-code-session-id", "z", 1, 1, true],
            ["codex", "anthropic-beta", "a", 1, 1, false],
            ["codex", "conversation_id", "s", 1, 1, true],
            ["codex", "x-me", "s", 1, 1, true],
        ]);
        assert_eq!(json!(shown), expected);
        assert_eq!(found[0]["t_last"], "2026-01-01T00:00:00.002Z");
        assert_eq!(found[0]["line"], 1);
    }
}

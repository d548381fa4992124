//! What takes the values of a record: text for NDJSON, or the columns of a table.

use std::fmt::Display;

use ledger::{Money, Tokens};

use super::writing::key;
use super::{Key, SrcPath};
use crate::event::{Head, Provider, Src};
use crate::fold::calls::Violation;
use crate::fold::tokens::LimitSpans;
use crate::json::{self, Text, Value};

/// Takes the values of a record, key by key, in the order of its table. What is unknown is none.
pub trait Values {
    /// A string that needs no escapes, such as a name of ours.
    fn name(&mut self, key: Key, name: Option<&str>);

    /// A string.
    fn str(&mut self, key: Key, text: Option<&str>);

    /// A string.
    fn text(&mut self, key: Key, text: Option<&Text>);

    /// A whole number.
    fn int(&mut self, key: Key, n: Option<i64>);

    /// True or false.
    fn bool(&mut self, key: Key, value: Option<bool>);

    /// An amount of money.
    fn money(&mut self, key: Key, amount: Option<Money>);

    /// A name of ours in its own spelling.
    fn shown(&mut self, key: Key, name: Option<impl Display>);

    /// A time in milliseconds since the epoch.
    fn time(&mut self, key: Key, ms: Option<i64>);

    /// Any JSON, as the log has it but for white space between its tokens.
    fn json(&mut self, key: Key, value: Option<Value<'_>>);

    /// Token counts, each kind under its own key of [`super::TOKEN_KEYS`].
    fn token_keys(&mut self, tokens: &Tokens);

    /// An object of token counts, with the keys of [`super::TOKEN_KEYS`].
    fn tokens(&mut self, key: Key, tokens: Option<&Tokens>);

    /// How the limits of an account went; null if nothing is known of either.
    fn limits(&mut self, key: Key, limits: &LimitSpans);

    /// Rules that were broken. `paths` holds the path of each file of the input.
    fn violations(&mut self, key: Key, broken: &[Violation], paths: &[SrcPath]);

    /// `src`. `paths` holds the path of each file of the input.
    fn src(&mut self, paths: &[SrcPath], src: &Src);

    /// A count.
    fn count(&mut self, key: Key, n: Option<u64>) {
        self.int(key, n.map(|n| n as i64));
    }

    /// A string as the log spells it; one with escapes is spelled anew, so that equal strings
    /// are equal in print. A number is taken for the string of its digits.
    fn value_str(&mut self, key: Key, value: Option<Value<'_>>) {
        match value {
            Some(value) if value.kind == (json::Kind::String { escaped: true }) => {
                self.text(key, value.text().as_ref());
            }
            Some(value) => self.name(key, value.label().as_deref()),
            None => self.name(key, None),
        }
    }

    /// The head behind `t`, in records made of owned parts.
    fn head(&mut self, head: &Head) {
        self.name(key!("provider"), head.provider.map(Provider::name));
        self.str(key!("sid"), head.sid.as_deref());
        self.int(key!("pid"), head.pid);
        self.str(key!("turn_id"), head.turn_id.as_deref());
        self.str(key!("round"), head.round.as_deref());
        self.str(key!("flow_id"), head.flow_id.as_deref());
        self.str(key!("cwd"), head.cwd.as_deref());
        self.str(key!("ver"), head.ver.as_deref());
        self.str(key!("model"), head.model.as_deref());
    }
}

//! Fingerprints: numbers that are equal for equal texts and values, so that what is told again and
//! again is known again without being kept, escaped or hashed in earnest.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use serde_json::Value;

/// A fingerprint of a thing of a session.
pub(super) fn print(sid: Option<&str>, of: impl Hash) -> u64 {
    FixedState::with_seed(0x616c_6f67).hash_one((sid, of))
}

/// A value, but for the keys of an object that are left out: hashed as it is spelled, in the order
/// of its keys.
pub(super) struct Spelled<'v> {
    /// The value.
    pub value: &'v Value,
    /// Keys that are left out where the value itself is an object.
    pub without: &'static [&'static str],
}

impl<'v> Spelled<'v> {
    /// All of a value.
    pub fn all(value: &'v Value) -> Self {
        Self { value, without: &[] }
    }
}

impl Hash for Spelled<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.value {
            Value::Null => state.write_u8(0),
            Value::Bool(yes) => (1u8, yes).hash(state),
            Value::Number(number) => (2u8, number).hash(state),
            Value::String(text) => (3u8, text).hash(state),
            Value::Array(items) => {
                (4u8, items.len()).hash(state);
                for item in items {
                    Self::all(item).hash(state);
                }
            }
            Value::Object(fields) => {
                state.write_u8(5);
                for (key, value) in fields {
                    if !self.without.contains(&&**key) {
                        key.hash(state);
                        Self::all(value).hash(state);
                    }
                }
                state.write_u8(6);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prints_tell_sessions_and_values_apart() {
        let of = |value: &Value| print(Some("s"), Spelled::all(value));
        let values = [json!(null), json!([]), json!([[]]), json!({}), json!({"a": 1}), json!("a")];
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(of(a) == of(b), i == j, "{a} {b}");
            }
        }
        assert_ne!(print(None, "a"), print(Some(""), "a"));
        let (with, without) = (json!({"a": 1, "b": 2}), json!({"a": 1}));
        let b = Spelled { value: &with, without: &["b"] };
        assert_eq!(print(None, b), print(None, Spelled::all(&without)));
    }
}

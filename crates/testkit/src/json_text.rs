//! JSON values as text, spaced and escaped as a `Spelling` asks.

use serde_json::Value;

/// Every so many letters of a text one is escaped, where letters are.
const LETTER_STEP: usize = 3;

/// Inner keys whose values name things that readers search for in the raw text.
const NAMES: [&str; 2] = ["type", "event"];

/// How to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonText {
    pub(crate) spaced: bool,
    pub(crate) ascii: bool,
    pub(crate) letters: bool,
}

impl JsonText {
    pub(crate) fn of(self, value: &Value) -> String {
        if !(self.spaced || self.ascii || self.letters) {
            return value.to_string();
        }
        let mut out = String::new();
        self.write(value, self.letters, &mut out);
        out
    }

    fn write(self, value: &Value, letters: bool, out: &mut String) {
        match value {
            Value::String(text) => self.write_text(text, letters, out),
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(i, out);
                    self.write(item, letters, out);
                }
                out.push(']');
            }
            Value::Object(map) => {
                out.push('{');
                for (i, (key, item)) in map.iter().enumerate() {
                    self.separate(i, out);
                    self.write_text(key, false, out);
                    out.push_str(if self.spaced { ": " } else { ":" });
                    self.write(item, letters && !NAMES.contains(&key.as_str()), out);
                }
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
    }

    fn separate(self, index: usize, out: &mut String) {
        if index > 0 {
            out.push_str(if self.spaced { ", " } else { "," });
        }
    }

    fn write_text(self, text: &str, letters: bool, out: &mut String) {
        let mut seen = 0;
        out.push('"');
        for c in text.chars() {
            seen += usize::from(c.is_ascii_alphabetic());
            let chosen = letters && c.is_ascii_alphabetic() && seen % LETTER_STEP == 1;
            if chosen || self.ascii && !c.is_ascii() {
                escape(c, out);
                continue;
            }
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0'..='\x1f' => escape(c, out),
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

/// `\uXXXX`, twice for what lies above the basic plane.
fn escape(c: char, out: &mut String) {
    use std::fmt::Write;
    for unit in c.encode_utf16(&mut [0; 2]) {
        let written = write!(out, "\\u{unit:04x}");
        debug_assert!(written.is_ok(), "a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::JsonText;
    use serde_json::{Value, json};

    #[test]
    fn any_style_reads_back_the_same() {
        let value =
            json!({"type": "a.b", "naïve": ["日本 🚀 \u{1}\n\"\\", 1.5, null, {"x": "letters"}]});
        for bits in 0..8 {
            let style =
                JsonText { spaced: bits & 1 > 0, ascii: bits & 2 > 0, letters: bits & 4 > 0 };
            let text = style.of(&value);
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value, "{text}");
            assert!(text.contains("\"a.b\""), "names stay readable: {text}");
        }
    }

    #[test]
    fn what_each_style_does() {
        let text = |spaced, ascii, letters| {
            JsonText { spaced, ascii, letters }.of(&json!({"k": "abé", "n": 1}))
        };
        assert_eq!(text(true, false, false), r#"{"k": "abé", "n": 1}"#);
        assert_eq!(text(false, true, false), r#"{"k":"ab\u00e9","n":1}"#);
        assert_eq!(text(false, true, true), r#"{"k":"\u0061b\u00e9","n":1}"#);
    }
}

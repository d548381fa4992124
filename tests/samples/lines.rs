//! The same rows spelled otherwise.

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Serializer, Value};
use std::io::{self, Write};

/// How rows are spelled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelled {
    /// As they are.
    Same,
    /// With a space after each colon and comma, as Python writes JSON.
    Spaced,
    /// With the keys of each object in reverse order.
    Reversed,
    /// Both.
    SpacedAndReversed,
}

impl Spelled {
    pub const ALL: [Self; 4] = [Self::Same, Self::Spaced, Self::Reversed, Self::SpacedAndReversed];

    /// The lines, spelled again. What is no JSON stays as it is.
    pub fn lines(self, text: &[u8]) -> Vec<u8> {
        text.split_inclusive(|byte| *byte == b'\n').flat_map(|line| self.line(line)).collect()
    }

    fn line(self, line: &[u8]) -> Vec<u8> {
        let Ok(value) = serde_json::from_slice::<Value>(line) else { return line.to_vec() };
        if self == Self::Same {
            return line.to_vec();
        }
        let value = if self == Self::Spaced { value } else { reversed(value) };
        let mut out = Vec::new();
        if self == Self::Reversed {
            out = value.to_string().into_bytes();
        } else {
            let mut serializer = Serializer::with_formatter(&mut out, Spaces);
            value.serialize(&mut serializer).expect("memory");
        }
        out.push(b'\n');
        out
    }
}

fn reversed(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| (key, reversed(value)));
            let members: Vec<_> = members.collect();
            Value::Object(members.into_iter().rev().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(reversed).collect()),
        other => other,
    }
}

struct Spaces;

impl Formatter for Spaces {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[test]
fn rows_are_spelled_again() {
    let text = b"{\"a\":1,\"b\":[2,{\"c\":\"x: y\",\"d\":null}]}\n{\"torn";
    let spelled = |how: Spelled| String::from_utf8(how.lines(text)).expect("UTF-8");
    assert_eq!(spelled(Spelled::Same).as_bytes(), text);
    let want = "{\"a\": 1, \"b\": [2, {\"c\": \"x: y\", \"d\": null}]}\n{\"torn";
    assert_eq!(spelled(Spelled::Spaced), want);
    let want = "{\"b\":[2,{\"d\":null,\"c\":\"x: y\"}],\"a\":1}\n{\"torn";
    assert_eq!(spelled(Spelled::Reversed), want);
}

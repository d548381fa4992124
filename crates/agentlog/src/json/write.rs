//! Writing: decoded text as a JSON string, and raw values without their white space.

use super::{Value, scan, text::surrogate};

/// Appends text (UTF-8 or WTF-8) as a JSON string with quotes. Lone surrogates become escapes.
pub fn string_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    while from < bytes.len() {
        let run = plain_run(bytes, from);
        out.extend_from_slice(&bytes[from..from + run]);
        from += run;
        let Some(&b) = bytes.get(from) else { break };
        if let Some(unit) = bytes[from..].first_chunk().copied().and_then(surrogate) {
            out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            from += 3;
        } else {
            escape(b, out);
            from += 1;
        }
    }
    out.push(b'"');
}

/// Bytes from `from` that stand in a JSON string as they are. Stops also before 0xed, which may
/// start a surrogate; if it does not, the byte is passed on by `escape`.
fn plain_run(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f | 0xed))
        .unwrap_or(bytes.len() - from)
}

fn escape(b: u8, out: &mut Vec<u8>) {
    let short = match b {
        b'"' | b'\\' => b,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        0..=0x1f => return out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
        _ => return out.push(b),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends a checked value as it stands, less the white space outside its strings.
pub fn compact_into(value: &Value<'_>, out: &mut Vec<u8>) {
    if value.is_string() {
        out.push(b'"');
        out.extend_from_slice(value.raw.as_bytes());
        out.push(b'"');
        return;
    }
    let bytes = value.raw.as_bytes();
    if value.compact {
        return out.extend_from_slice(bytes);
    }
    let start = out.len();
    out.extend_from_slice(bytes);
    let len = compact_in_place(&mut out[start..]);
    out.truncate(start + len);
}

/// Takes the white space outside strings out of a checked value, where it stands; returns its new
/// length.
pub fn compact_in_place(bytes: &mut [u8]) -> usize {
    let (mut at, mut to) = (0, 0);
    while at < bytes.len() {
        let end = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'"' => scan::string_end(bytes, at + 1).map_or(bytes.len(), |end| end.quote + 1),
            _ => at + 1,
        };
        bytes.copy_within(at..end, to);
        to += end - at;
        at = end;
    }
    to
}

/// Appends a checked, compact value with line breaks and two spaces a level. Strings and numbers
/// stay as they are spelled.
pub fn pretty_into(compact: &str, level: usize, out: &mut Vec<u8>) {
    let bytes = compact.as_bytes();
    let mut level = level;
    let mut at = 0;
    while at < bytes.len() {
        let next = bytes.get(at + 1);
        match bytes[at] {
            b'"' => {
                let end = scan::string_end(bytes, at + 1).map_or(bytes.len(), |end| end.quote + 1);
                out.extend_from_slice(&bytes[at..end]);
                at = end;
                continue;
            }
            open @ (b'{' | b'[') => {
                out.push(open);
                if let Some(close @ (b'}' | b']')) = next {
                    out.push(*close);
                    at += 1;
                } else {
                    level += 1;
                    line_break(level, out);
                }
            }
            close @ (b'}' | b']') => {
                level -= 1;
                line_break(level, out);
                out.push(close);
            }
            b',' => {
                out.push(b',');
                line_break(level, out);
            }
            b':' => out.extend_from_slice(b": "),
            b => out.push(b),
        }
        at += 1;
    }
}

fn line_break(level: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * level, b' ');
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in any::<String>()) {
            let mut out = Vec::new();
            string_into(text.as_bytes(), &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn indented_as_serde_json_does() {
        let compact = r#"{"a":[1,{"b:":"x,\"{"},[],{}],"c":-1.50e3,"d":{"e":null}}"#;
        let mut out = Vec::new();
        pretty_into(compact, 0, &mut out);
        let value: serde_json::Value = serde_json::from_str(compact).unwrap();
        let theirs = serde_json::to_string_pretty(&value).unwrap().replace("-1500.0", "-1.50e3");
        assert_eq!(String::from_utf8(out).unwrap(), theirs);
    }

    #[test]
    fn lone_surrogates_are_written_as_escapes() {
        let mut out = Vec::new();
        string_into(Text::unescape("\\ud800 ퟿ \\udfff").as_bytes(), &mut out);
        assert_eq!(out, "\"\\ud800 ퟿ \\udfff\"".as_bytes());
    }

    #[test]
    fn white_space_goes_but_not_from_strings() {
        let value = crate::json::value(" { \"a b\" : [ 1 , \"x  \\\" y\" ] }\r").unwrap();
        let mut out = Vec::new();
        compact_into(&value, &mut out);
        assert_eq!(out, br#"{"a b":[1,"x  \" y"]}"#);
    }
}

//! Halves of surrogate pairs, which JSON can spell and DuckDB's reader refuses: one of them would
//! end a query over a whole log.

/// The escape of U+FFFD, which is as long as what it replaces.
const REPLACEMENT: &[u8; 6] = b"\\ufffd";

/// Replaces the escapes of lone surrogates in a JSON text by that of U+FFFD.
pub(crate) fn replace_lone_surrogates(text: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|b| *b == b'\\') {
        at += found;
        match unit(&text[at..]) {
            Some(0xd800..=0xdbff) if matches!(unit(&text[at + 6..]), Some(0xdc00..=0xdfff)) => {
                at += 12;
            }
            Some(0xd800..=0xdfff) => {
                text[at..at + 6].copy_from_slice(REPLACEMENT);
                at += 6;
            }
            _ => at = (at + 2).min(text.len()),
        }
    }
}

/// The unit that an escape `\uXXXX` at the start of a text spells.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        replace_lone_surrogates(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        assert_eq!(
            replaced(r#"{"a":"\ud83d\ude00 \ud83d \uDE00x"}"#),
            r#"{"a":"\ud83d\ude00 \ufffd \ufffdx"}"#
        );
        assert_eq!(
            replaced(r#"["\\ud83d","\\\ud83d","\u00e9"]"#),
            r#"["\\ud83d","\\\ufffd","\u00e9"]"#
        );
        assert_eq!(replaced(r#""\ud83d\ud83d\ude00""#), r#""\ufffd\ud83d\ude00""#);
        assert_eq!(replaced(r#""\"#), r#""\"#);
    }
}

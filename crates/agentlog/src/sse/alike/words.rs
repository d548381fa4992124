//! Decoding of text that stands in a JSON string in a JSON string, in one step.

use crate::event::Span;

/// Appends the text of a JSON string that stands in a JSON string; none if it is not one, or has
/// escapes that are seldom met.
pub(super) fn decode(escaped: &[u8], arena: &mut Vec<u8>) -> Option<Span> {
    let start = arena.len();
    let decoded = decode_onto(escaped, arena);
    if decoded.is_none() {
        arena.truncate(start);
    }
    decoded.map(|()| Span::since(start, arena))
}

#[inline]
fn decode_onto(escaped: &[u8], arena: &mut Vec<u8>) -> Option<()> {
    let mut rest = escaped;
    let mut ascii = true;
    loop {
        let run = rest.iter().position(|b| {
            ascii &= b.is_ascii();
            matches!(b, b'"' | b'\\' | 0..=0x1f)
        });
        let Some(run) = run else { break };
        arena.extend_from_slice(&rest[..run]);
        // A backslash of the inner string is two of the outer one, and a quote has its own.
        let (c, len) = match &rest[run..] {
            [b'\\', b'\\', b'\\', c @ (b'"' | b'\\'), ..] => (*c, 4),
            [b'\\', b'\\', b'n', ..] => (b'\n', 3),
            [b'\\', b'\\', b't', ..] => (b'\t', 3),
            [b'\\', b'\\', b'r', ..] => (b'\r', 3),
            _ => return None,
        };
        arena.push(c);
        rest = &rest[run + len..];
    }
    arena.extend_from_slice(rest);
    (ascii || simdutf8::basic::from_utf8(escaped).is_ok()).then_some(())
}

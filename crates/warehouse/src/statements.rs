//! How many statements a text holds: enough of SQL's spelling to tell a `;` that ends one from a
//! `;` in a text, a name or a comment.

/// Counts statements; what is only space and comments is none. A spelling that is not known here,
/// such as `$$…$$`, can make it more, and then more is read than is needed.
pub(crate) fn count(sql: &str) -> usize {
    let (mut count, mut is_open, mut rest) = (0, false, sql);
    while let Some(c) = rest.chars().next() {
        let len = match c {
            ';' => {
                is_open = false;
                1
            }
            '-' if rest.starts_with("--") => until(rest, "\n"),
            '/' if rest.starts_with("/*") => until(rest, "*/"),
            c if c.is_whitespace() => c.len_utf8(),
            c => {
                count += usize::from(!is_open);
                is_open = true;
                if c == '\'' || c == '"' { quoted(rest, c) } else { c.len_utf8() }
            }
        };
        rest = &rest[len..];
    }
    count
}

/// The length of a text up to that end, or all of it.
fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// The length of what a text starts with in quotes. A doubled quote is read as two texts.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn statements_are_what_semicolons_part() {
        for (sql, statements) in [
            ("", 0),
            (" ;; \n -- SELECT 1\n/* ; SELECT 2; */ ;", 0),
            ("SELECT 1", 1),
            ("SELECT 'a;''b;' AS \"c;\"\"d\" -- ; e\n ;; ", 1),
            ("SELECT 1 /* ; */ - 2; -- done", 1),
            ("SELECT 1; SELECT 2", 2),
            ("SELECT 'é';SELECT ';", 2),
            ("/* never closed; SELECT 1", 0),
        ] {
            assert_eq!(count(sql), statements, "{sql}");
        }
    }
}

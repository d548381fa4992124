//! Aligned columns for people. Control characters of the log are shown, never sent to the
//! terminal.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// A table that is laid out when all rows are known.
pub struct Table {
    columns: &'static [&'static str],
    colour: bool,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
}

/// Characters of an id that are shown: its end, which tells sessions apart.
const ID: usize = 8;

impl Table {
    /// An empty table with these columns of the record.
    pub fn new(columns: &'static [&'static str], colour: bool) -> Self {
        Self { columns, colour, rows: Vec::new(), row: vec![String::new(); columns.len()] }
    }

    /// Takes a cell of the current row, if its column is shown.
    pub fn cell(&mut self, column: &str, text: &str) {
        let Some(at) = self.columns.iter().position(|c| *c == column) else { return };
        let text = match column {
            "sid" => text.char_indices().rev().nth(ID - 1).map_or(text, |(from, _)| &text[from..]),
            _ => text,
        };
        self.row[at] = text.chars().take(2000).map(shown).collect();
    }

    /// Ends the current row.
    pub fn end_row(&mut self) {
        let empty = vec![String::new(); self.columns.len()];
        self.rows.push(std::mem::replace(&mut self.row, empty));
    }

    /// Lays the table out. The last column takes what is left of the line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let heads: Vec<String> = self.columns.iter().map(|c| (*c).to_owned()).collect();
        let widths: Vec<usize> = (0..heads.len())
            .map(|i| self.rows.iter().chain([&heads]).map(|row| width(&row[i])).max().unwrap_or(0))
            .collect();
        let (bold, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut text = format!("{bold}{}{plain}\n", line(&heads, &widths));
        for row in &self.rows {
            let _ = writeln!(text, "{}", line(row, &widths));
        }
        out.extend_from_slice(text.as_bytes());
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let limit = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(120);
    let mut line = String::new();
    let mut used = 0;
    for (i, cell) in row.iter().enumerate() {
        if i + 1 == row.len() {
            line.push_str(&cut(cell, limit.max(used + 20) - used));
        } else {
            let _ = write!(line, "{cell}{:1$}", "", widths[i] + 2 - width(cell));
            used += widths[i] + 2;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text cut to a width, with an ellipsis if something is left out.
fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= limit
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// A character that is safe to show: control characters as their pictures.
fn shown(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or(' '),
        '\x7f' => '␡',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_harmless() {
        let mut table = Table::new(&["t", "sid", "text"], false);
        for (t, sid, text) in [("1", "0123456789ab", "a\x1b[31mb\n"), ("222", "x", "日本語")] {
            for (column, cell) in [("t", t), ("sid", sid), ("other", "no"), ("text", text)] {
                table.cell(column, cell);
            }
            table.end_row();
        }
        let mut out = Vec::new();
        table.write(&mut out);
        let want = "t    sid       text\n1    456789ab  a␛[31mb␊\n222  x         日本語\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn long_text_is_cut_by_width() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}

//! Aligned columns for people. Control characters of the log are shown, never sent to the
//! terminal.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// A table that is laid out when all rows are known.
pub struct Table {
    columns: Vec<String>,
    colour: bool,
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
}

#[derive(Clone, Default)]
struct Cell {
    text: String,
    /// Numbers stand at the right of their column.
    number: bool,
}

/// Characters of an id that are shown: its end, which tells sessions apart.
const ID: usize = 8;

impl Table {
    /// An empty table with these columns of the record. A dot leads into nested values.
    pub fn new(columns: &[impl ToString], colour: bool) -> Self {
        let row = vec![Cell::default(); columns.len()];
        let columns = columns.iter().map(ToString::to_string).collect();
        Self { columns, colour, rows: Vec::new(), row }
    }

    /// Takes other columns, before the first row.
    pub fn set_columns(&mut self, columns: &[&'static str]) {
        *self = Self::new(columns, self.colour);
    }

    /// Whether something inside the object of that key is shown.
    pub fn looks_into(&self, key: &str) -> bool {
        let inside = |c: &String| c.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.columns.iter().any(inside)
    }

    /// Takes a cell of the current row, if its column is shown.
    pub fn cell(&mut self, column: &str, text: &str, number: bool) {
        let Some(at) = self.columns.iter().position(|c| *c == column) else { return };
        let text = match column {
            "sid" => text.char_indices().rev().nth(ID - 1).map_or(text, |(from, _)| &text[from..]),
            _ => text,
        };
        let mut text: String = text.chars().take(2000).map(shown).collect();
        // Money of people has few decimals; the records have them all.
        if let (true, Ok(usd)) = (column.ends_with("_usd"), text.parse::<f64>()) {
            text = format!("{usd:.4}");
        }
        self.row[at] = Cell { text: if number { in_thousands(&text) } else { text }, number };
    }

    /// Ends the current row.
    pub fn end_row(&mut self) {
        let empty = vec![Cell::default(); self.columns.len()];
        self.rows.push(std::mem::replace(&mut self.row, empty));
    }

    /// Ends the current row as the one that sums the others up.
    pub fn end_total(&mut self) {
        if let Some(first) = self.row.first_mut().filter(|first| !first.number) {
            first.text = "total".into();
        }
        self.end_row();
    }

    /// Lays the table out. The last column takes what is left of the line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let heads: Vec<Cell> = (0..self.columns.len()).map(|at| self.head(at)).collect();
        let width_of = |at: usize| {
            let cells = self.rows.iter().chain([&heads]).map(|row| width(&row[at].text));
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width_of).collect();
        let (bold, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut text = format!("{bold}{}{plain}\n", line(&heads, &widths));
        for row in &self.rows {
            let _ = writeln!(text, "{}", line(row, &widths));
        }
        out.extend_from_slice(text.as_bytes());
    }

    /// The head of a column. What all counts of tokens have in their names is left out.
    fn head(&self, at: usize) -> Cell {
        let name = &*self.columns[at];
        let name = name.split_once('.').map_or(name, |(_, inside)| inside);
        let text = name.strip_suffix("_tokens").unwrap_or(name).to_owned();
        Cell { text, number: self.rows.iter().any(|row| row[at].number) }
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let limit = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(120);
    let mut line = String::new();
    let mut used = 0;
    for (i, Cell { text, number }) in row.iter().enumerate() {
        let space = widths[i] - width(text);
        if *number {
            let _ = write!(line, "{:1$}{text}  ", "", space);
        } else if i + 1 == row.len() {
            line.push_str(&cut(text, limit.max(used + 20) - used));
        } else {
            let _ = write!(line, "{text}{:1$}", "", space + 2);
        }
        used += widths[i] + 2;
    }
    line.truncate(line.trim_end().len());
    line
}

/// A number with its thousands apart: `1,234,567.89`.
fn in_thousands(number: &str) -> String {
    let (whole, part) = number.split_at(number.find(['.', 'e', 'E']).unwrap_or(number.len()));
    let mut text = String::new();
    for (i, digit) in whole.chars().enumerate() {
        let left = whole.len() - i;
        if i > 0 && left % 3 == 0 && text.ends_with(|c: char| c.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text + part
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
                table.cell(column, cell, false);
            }
            table.end_row();
        }
        let mut out = Vec::new();
        table.write(&mut out);
        let want = "t    sid       text\n1    456789ab  a␛[31mb␊\n222  x         日本語\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let mut table = Table::new(&["sid", "calls", "in_tokens", "a.b", "note"], false);
        assert!(table.looks_into("a") && !table.looks_into("calls"));
        for (calls, tokens) in [("1", "1234567"), ("1000", "-12.5"), ("", "100")] {
            table.cell("sid", "s", false);
            table.cell("calls", calls, !calls.is_empty());
            table.cell("in_tokens", tokens, true);
            table.cell("a.b", "1", true);
            table.cell("note", "x", false);
            table.end_row();
        }
        table.cell("calls", "1001", true);
        table.end_total();
        let mut out = Vec::new();
        table.write(&mut out);
        let want = "sid    calls         in  b  note\n\
                    s          1  1,234,567  1  x\n\
                    s      1,000      -12.5  1  x\n\
                    s                   100  1  x\n\
                    total  1,001\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn long_text_is_cut_by_width() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}

//! Records on standard output, in the form that was asked for.

use std::io::{self, IsTerminal, Write};

use agentlog::json::{self, Kind, Value};
use agentlog::record::{RecordKind, Shape, TOKEN_KEYS};
use agentlog::sse::member;
use jsonl::Writer;

use crate::flags::{Color, Form, OutputFlags};
use crate::table::Table;

/// Prints records of one kind.
pub struct Output {
    writer: Writer<Box<dyn Write + Send>>,
    form: Form,
    pretty: bool,
    /// Whether records end with line feeds.
    line_feeds: bool,
    /// The keys of a record.
    keys: Vec<String>,
    /// Whether records end with `final`.
    states: bool,
    table: Table,
    record: Vec<u8>,
    printed: u64,
    /// Whether texts are printed instead of records.
    in_words: bool,
    /// Whether it goes on from what an earlier run printed.
    goes_on: bool,
}

impl Output {
    /// Prepares standard output for records of a kind.
    pub fn new(flags: &OutputFlags, kind: &'static RecordKind, explain: bool) -> Self {
        let rows = explain.then_some("rows".to_owned());
        let keys = kind.fields().map(|field| field.name.to_owned()).chain(rows).collect();
        Self::of_columns(flags, keys, kind.table)
    }

    /// Prepares standard output for rows with these keys, of which a table shows some.
    pub fn of_columns(flags: &OutputFlags, keys: Vec<String>, shown: &[impl ToString]) -> Self {
        let stdout = io::stdout();
        let colour = match flags.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        };
        Self {
            writer: Writer::new(Box::new(stdout), if flags.null { 0 } else { b'\n' }),
            form: flags.output,
            pretty: flags.pretty,
            line_feeds: !flags.null,
            keys,
            states: false,
            table: Table::new(shown, colour),
            record: Vec::new(),
            printed: 0,
            in_words: false,
            goes_on: false,
        }
    }

    /// Shows other columns in tables than the kind of record does.
    pub fn set_columns(&mut self, columns: &[&'static str]) {
        self.table.set_columns(columns);
    }

    /// Tells in each record whether it is final.
    pub(crate) fn set_states(&mut self, states: bool) {
        self.states = states;
    }

    /// Adds the row to a table that sums the others up.
    pub fn total(&mut self, build: impl FnOnce(&mut Vec<u8>)) {
        if self.form == Form::Table && self.printed > 1 {
            let mut record = Vec::new();
            build(&mut record);
            self.cells(&String::from_utf8_lossy(&record));
            self.table.end_total();
        }
    }

    /// Goes on behind so many records that earlier runs printed, as if they were of one.
    pub fn go_on(&mut self, printed: u64) {
        (self.printed, self.goes_on) = (printed, true);
    }

    /// Records printed so far.
    pub fn printed(&self) -> u64 {
        self.printed
    }

    /// Whether nothing is shown before the end.
    pub fn waits_for_end(&self) -> bool {
        self.form == Form::Table
    }

    /// Whether records are printed as they are spelled.
    pub(crate) fn is_plain(&self) -> bool {
        self.form == Form::Ndjson && !self.pretty
    }

    /// Prints the record that `build` appends, whose index is given to it.
    pub fn record(&mut self, build: impl FnOnce(u64, &mut Vec<u8>)) -> io::Result<()> {
        self.printed += 1;
        if self.is_plain() {
            build(self.printed, self.writer.record());
            return self.writer.end_record();
        }
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        build(self.printed, &mut record);
        let printed = self.in_form(&String::from_utf8_lossy(&record));
        self.record = record;
        printed
    }

    /// Prints a record as [`Output::record`] does, with a large value in the middle, which is not
    /// copied if that can be helped.
    pub fn record_around(
        &mut self,
        head: impl FnOnce(u64, &mut Vec<u8>),
        value: &[u8],
        tail: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        if self.form != Form::Ndjson || self.pretty {
            return self.record(|index, out| {
                head(index, out);
                out.extend_from_slice(value);
                tail(out);
            });
        }
        self.printed += 1;
        head(self.printed, self.writer.record());
        self.writer.pass_through(value)?;
        tail(self.writer.record());
        self.writer.end_record()
    }

    /// Prints a line of the log as it is.
    pub fn raw(&mut self, line: &[u8]) -> io::Result<()> {
        self.printed += 1;
        self.writer.pass_through(line)?;
        self.writer.end_record()
    }

    /// Prints a text, a blank line between it and the one before (nothing between texts that NUL
    /// ends).
    pub fn paragraph(&mut self, text: &str) -> io::Result<()> {
        self.printed += 1;
        self.in_words = true;
        if self.printed > 1 && self.line_feeds {
            self.writer.record().push(b'\n');
        }
        self.writer.pass_through(text.as_bytes())?;
        self.writer.end_record()
    }

    /// Hands what was printed so far to the reader.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Ends the output.
    pub fn finish(&mut self) -> io::Result<()> {
        match self.form {
            Form::Json => {
                let end: &[u8] = if self.printed == 0 { b"[]" } else { b"\n]" };
                self.writer.record().extend_from_slice(end);
                self.writer.end_record()?;
            }
            Form::Table if !self.in_words => {
                self.table.write(self.writer.record());
            }
            Form::Csv | Form::Tsv if self.printed == 0 && !self.goes_on => self.header()?,
            _ => {}
        }
        self.writer.flush()
    }

    fn in_form(&mut self, record: &str) -> io::Result<()> {
        match self.form {
            Form::Ndjson => {
                json::pretty_into(record, 0, self.writer.record());
                self.writer.end_record()
            }
            Form::Json => {
                let out = self.writer.record();
                out.extend_from_slice(if self.printed == 1 { b"[\n" } else { b",\n" });
                if self.pretty {
                    out.extend_from_slice(b"  ");
                    json::pretty_into(record, 1, out);
                } else {
                    out.extend_from_slice(record.as_bytes());
                }
                self.writer.spill()
            }
            Form::Csv | Form::Tsv => {
                if self.printed == 1 {
                    self.header()?;
                }
                let mut cells = Vec::new();
                each_field(record, |_, value| cells.push(cell(value)));
                self.row(&cells)
            }
            Form::Table => {
                self.cells(record);
                self.table.end_row();
                Ok(())
            }
        }
    }

    /// Takes the cells of a table's row, nested ones under the keys that lead to them.
    fn cells(&mut self, record: &str) {
        let table = &mut self.table;
        each_field(record, |key, value| {
            if value.kind == Kind::Object && table.looks_into(key) {
                each_cell(key, value, &mut |key, value| {
                    table.cell(key, &shown(value), value.kind == Kind::Number);
                });
            }
            table.cell(key, &shown(value), value.kind == Kind::Number);
        });
    }

    fn header(&mut self) -> io::Result<()> {
        let states = self.states.then_some("final".to_owned());
        let keys: Vec<String> = self.keys.iter().cloned().chain(states).collect();
        self.row(&keys)
    }

    fn row(&mut self, cells: &[String]) -> io::Result<()> {
        let delimiter = if self.form == Form::Tsv { b'\t' } else { b',' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(cells).map_err(io::Error::other)?;
        let line = writer.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
        self.writer.record().extend_from_slice(line.strip_suffix(b"\n").unwrap_or(&line));
        self.writer.end_record()
    }
}

/// The fields of a record of ours, which is JSON by construction.
fn each_field<'a>(record: &'a str, visit: impl FnMut(&'a str, Value<'a>)) {
    let _ = json::fields(record, visit);
}

/// The values inside an object, each with the keys that lead to it.
fn each_cell(path: &str, object: Value<'_>, visit: &mut impl FnMut(&str, Value<'_>)) {
    each_field(object.raw, |key, value| {
        let path = format!("{path}.{key}");
        match value.kind {
            Kind::Object => each_cell(&path, value, visit),
            _ => visit(&path, value),
        }
    });
}

/// A value as a cell: text as it is, nothing for null, the rest as JSON.
fn cell(value: Value<'_>) -> String {
    match value.kind {
        Kind::Null => String::new(),
        Kind::String { .. } => value.str().unwrap_or_default().into_owned(),
        _ => value.raw.to_owned(),
    }
}

/// A value for people: of a list of things with codes, the codes.
fn shown(value: Value<'_>) -> String {
    if value.kind != Kind::Array {
        return cell(value);
    }
    let mut codes = Vec::new();
    let code = |item| codes.extend(member(item, "code").and_then(|code| code.str()));
    match json::items(value.raw, code) {
        Ok(()) if !codes.is_empty() || value.raw == "[]" => codes.join(" "),
        _ => cell(value),
    }
}

/// The JSON Schema (2020-12) of a kind of record.
pub fn schema_of(kind: &RecordKind) -> serde_json::Value {
    use serde_json::{Map, Value, json};
    let mut properties = Map::new();
    for field in kind.fields().chain(kind.rows).chain(kind.is_final) {
        let mut schema = shape_of(field.shape, kind.schema);
        schema["description"] = Value::from(field.about);
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<&str> = kind.fields().map(|f| f.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.schema,
        "description": kind.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn shape_of(shape: Shape, schema: &str) -> serde_json::Value {
    use serde_json::{Value, json};
    let count = json!({"type": "integer", "minimum": 0});
    let src = json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "line": {"type": "integer", "minimum": 1},
            "offset": count,
            "len": count,
        },
        "required": ["path", "line", "offset", "len"],
        "additionalProperties": false,
    });
    match shape {
        Shape::Schema => json!({"const": schema}),
        Shape::Index => json!({"type": "integer", "minimum": 1}),
        Shape::Text => json!({"type": ["string", "null"]}),
        Shape::OneOf(names) => {
            let names = names.iter().map(|n| Value::from(*n)).chain([Value::Null]);
            json!({"enum": names.collect::<Vec<_>>()})
        }
        Shape::Count => json!({"type": ["integer", "null"], "minimum": 0}),
        Shape::Integer => json!({"type": ["integer", "null"]}),
        Shape::Number => json!({"type": ["number", "null"], "minimum": 0}),
        Shape::Limits => limits(),
        Shape::Bool => json!({"type": ["boolean", "null"]}),
        Shape::Counts(keys) => {
            let properties: serde_json::Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), count.clone())).collect();
            json!({
                "type": ["object", "null"],
                "properties": properties,
                "required": keys,
                "additionalProperties": false,
            })
        }
        Shape::Time => json!({"type": ["string", "null"], "format": "date-time"}),
        Shape::Json => json!({}),
        Shape::Src => src,
        Shape::Rows => rows(&src, &[]),
        Shape::CountedRows => rows(&src, TOKEN_KEYS),
    }
}

/// Rows with what each was used for, and these counts where they count.
fn rows(src: &serde_json::Value, counts: &[&str]) -> serde_json::Value {
    use serde_json::json;
    let mut properties = json!({"src": src, "use": {"type": "string"}});
    for key in counts {
        properties[key] = json!({"type": "integer", "minimum": 0});
    }
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": properties,
            "required": ["src", "use"],
            "additionalProperties": false,
        },
    })
}

fn limits() -> serde_json::Value {
    use serde_json::json;
    let (number, count) = (json!({"type": "number"}), json!({"type": ["integer", "null"]}));
    let limit = json!({
        "type": ["object", "null"],
        "properties": {
            "first": number, "last": number, "peak": number,
            "resets_at": count, "window_minutes": count,
        },
        "required": ["first", "last", "peak", "resets_at", "window_minutes"],
        "additionalProperties": false,
    });
    json!({
        "type": ["object", "null"],
        "properties": {"primary": limit, "secondary": limit},
        "required": ["primary", "secondary"],
        "additionalProperties": false,
    })
}

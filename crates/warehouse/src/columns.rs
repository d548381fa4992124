//! Records as columns: the values of records go into Arrow arrays, never through text.

use std::fmt::Display;
use std::sync::Arc;

use agentlog::event::Src;
use agentlog::fold::calls::Violation;
use agentlog::fold::tokens::LimitSpans;
use agentlog::json::{self, Text, Value};
use agentlog::record::{Field, Key, SrcPath, Values, token_counts};
use duckdb::arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Decimal128Builder, Float64Builder, Int32Builder,
    Int64Builder, ListArray, NullBufferBuilder, RecordBatch, StringBuilder, StructArray,
    TimestampMicrosecondBuilder,
};
use duckdb::arrow::buffer::OffsetBuffer;
use duckdb::arrow::compute::filter_record_batch;
use duckdb::arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema};
use ledger::{Money, Tokens};

use crate::surrogates::replace_lone_surrogates;
use crate::view::{FILE, LIMIT, MONEY, OPEN, Type, VIOLATION, View, WINDOWS, type_of};

/// The records of a view, column by column. Values of columns that are not wanted are passed over.
pub struct Columns {
    /// The wanted columns of the table behind the view, in its order.
    table: Vec<Column>,
    /// Where the value of each key behind `t` goes, if it is wanted.
    places: Vec<Option<usize>>,
    index: Option<usize>,
    t: Option<usize>,
    src: Option<usize>,
    files: Int32Builder,
    /// For tables that are kept, whether the records are still open.
    open: Option<bool>,
    /// Whether each record is handed on, if some may not be.
    kept: Vec<bool>,
    /// The key whose value comes next.
    next: usize,
    rows: usize,
    bytes: usize,
}

/// Rows after which, and bytes of texts after which columns are to be handed on.
const ENOUGH: (usize, usize) = (100_000, 32 << 20);

impl Columns {
    /// Prepares the columns of a view; `wanted` says which.
    pub fn new(view: View, wanted: impl Fn(&str) -> bool) -> Self {
        let mut columns = Vec::new();
        let mut places = Vec::new();
        for field in view.columns() {
            let place = wanted(field.name).then_some(columns.len());
            columns.extend(place.map(|_| Column::new(field)));
            places.push((field.name, place));
        }
        let place_of = |name| places.iter().find(|(key, _)| *key == name).and_then(|(_, at)| *at);
        let (index, t, src) = (place_of("index"), place_of("t"), place_of("src"));
        let own = |name: &str| !["index", "t", "src"].contains(&name);
        let places = places.iter().filter(|(name, _)| own(name)).map(|(_, at)| *at).collect();
        let (kept, next, rows, bytes) = (Vec::new(), 0, 0, 0);
        Self {
            table: columns,
            places,
            index,
            t,
            src,
            files: Int32Builder::new(),
            open: None,
            kept,
            next,
            rows,
            bytes,
        }
    }

    /// The same for a table that is kept, which has all columns; `open` says whether the records
    /// are.
    pub fn to_keep(view: View, open: bool) -> Self {
        Self { open: Some(open), ..Self::new(view, |name| name != "index") }
    }

    /// Starts a record, whose values behind `t` come next.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// Says of the next record that has no place yet what it is, when it was, and where it starts.
    pub fn place(&mut self, index: Option<u64>, t: Option<i64>, src: &Src, paths: &[SrcPath]) {
        if let Some(at) = self.index {
            self.table[at].integer(index.map(|n| n as i64));
        }
        if let Some(at) = self.t {
            self.table[at].time(t);
        }
        if let Some(at) = self.src {
            self.table[at].src(paths[src.file as usize].text(), src);
        }
        self.files.append_value(src.file as i32);
        self.rows += 1;
    }

    /// Hands on only the records that are marked so, of all those that have no mark yet.
    pub fn keep(&mut self, kept: impl IntoIterator<Item = bool>) {
        self.kept.extend(kept);
    }

    /// Whether there is enough to hand on.
    pub fn are_full(&self) -> bool {
        self.rows >= ENOUGH.0 || self.bytes >= ENOUGH.1
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Hands on what was gathered.
    pub fn take(&mut self) -> RecordBatch {
        let mut fields: Vec<ArrowField> = Vec::with_capacity(self.table.len() + 1);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.table.len() + 1);
        for column in &mut self.table {
            let array = column.values.finish();
            fields.push(ArrowField::new(column.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        fields.push(ArrowField::new(FILE, DataType::Int32, true));
        arrays.push(Arc::new(self.files.finish()));
        if let Some(open) = self.open {
            fields.push(ArrowField::new(OPEN, DataType::Boolean, true));
            arrays.push(Arc::new(BooleanArray::from(vec![open; self.rows])));
        }
        (self.rows, self.bytes) = (0, 0);
        let kept = BooleanArray::from(std::mem::take(&mut self.kept));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .and_then(
                |all| if kept.is_empty() { Ok(all) } else { filter_record_batch(&all, &kept) },
            )
            .unwrap_or_else(|e| unreachable!("columns of one length: {e}"))
    }

    fn slot(&mut self) -> Option<&mut Column> {
        let place = self.places.get(self.next).copied().flatten();
        self.next += 1;
        place.map(|at| &mut self.table[at])
    }
}

struct Column {
    name: &'static str,
    values: Builder,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Bool(BooleanBuilder),
    Money(Decimal128Builder),
    Time(TimestampMicrosecondBuilder),
    Counts(&'static [&'static str], Vec<Int64Builder>, NullBufferBuilder),
    Limits(Box<[LimitBuilder; 2]>, NullBufferBuilder),
    Violations(Box<([StringBuilder; 4], SrcBuilder)>, Vec<usize>),
    Src(Box<SrcBuilder>),
}

#[derive(Default)]
struct LimitBuilder {
    numbers: [Float64Builder; 3],
    whole: [Int64Builder; 2],
    known: Known,
}

/// Which rows are known.
struct Known(NullBufferBuilder);

impl Default for Known {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

#[derive(Default)]
struct SrcBuilder {
    path: StringBuilder,
    line: Int64Builder,
    offset: Int64Builder,
    len: Int64Builder,
}

impl SrcBuilder {
    fn append(&mut self, path: &str, src: &Src) {
        self.path.append_value(path);
        self.line.append_value(src.line as i64);
        self.offset.append_value(src.offset as i64);
        self.len.append_value(src.len as i64);
    }

    fn finish(&mut self) -> StructArray {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.path.finish()),
            Arc::new(self.line.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.len.finish()),
        ];
        structure(["path", "line", "offset", "len"], arrays, None)
    }
}

impl LimitBuilder {
    fn append(&mut self, limit: Option<([f64; 3], [Option<i64>; 2])>) {
        self.known.0.append(limit.is_some());
        for (i, builder) in self.numbers.iter_mut().enumerate() {
            builder.append_option(limit.map(|(numbers, _)| numbers[i]));
        }
        for (i, builder) in self.whole.iter_mut().enumerate() {
            builder.append_option(limit.and_then(|(_, whole)| whole[i]));
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let numbers = self.numbers.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let whole = self.whole.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let arrays = numbers.chain(whole).collect();
        let names = LIMIT.0.into_iter().chain(LIMIT.1);
        Arc::new(structure(names, arrays, Some(&mut self.known.0)))
    }
}

/// A structure of arrays of one length.
fn structure<'n>(
    names: impl IntoIterator<Item = &'n str>,
    arrays: Vec<ArrayRef>,
    known: Option<&mut NullBufferBuilder>,
) -> StructArray {
    let field =
        |(name, array): (&str, &ArrayRef)| ArrowField::new(name, array.data_type().clone(), true);
    let fields: Fields = names.into_iter().zip(&arrays).map(field).collect();
    StructArray::new(fields, arrays, known.and_then(NullBufferBuilder::finish))
}

impl Column {
    fn new(field: &Field) -> Self {
        let values = match type_of(field) {
            Type::Text | Type::Json => Builder::Text(StringBuilder::new()),
            Type::Integer => Builder::Integer(Int64Builder::new()),
            Type::Bool => Builder::Bool(BooleanBuilder::new()),
            Type::Money => Builder::Money(
                Decimal128Builder::new().with_data_type(DataType::Decimal128(MONEY.0, MONEY.1)),
            ),
            Type::Time => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Type::Counts(keys) => {
                let counts = keys.iter().map(|_| Int64Builder::new()).collect();
                Builder::Counts(keys, counts, NullBufferBuilder::new(0))
            }
            Type::Limits => Builder::Limits(Box::default(), NullBufferBuilder::new(0)),
            Type::Violations => Builder::Violations(Box::default(), Vec::new()),
            Type::Src => Builder::Src(Box::default()),
        };
        Self { name: field.name, values }
    }

    /// A value that is not what the record's table says is a fault of ours, which the tests find.
    fn mismatch(&self) -> ! {
        unreachable!("{}: not what its table says", self.name)
    }

    fn text(&mut self, text: Option<&str>) -> usize {
        let Builder::Text(builder) = &mut self.values else { self.mismatch() };
        builder.append_option(text);
        text.map_or(0, str::len)
    }

    fn integer(&mut self, n: Option<i64>) {
        let Builder::Integer(builder) = &mut self.values else { self.mismatch() };
        builder.append_option(n);
    }

    fn time(&mut self, ms: Option<i64>) {
        let Builder::Time(builder) = &mut self.values else { self.mismatch() };
        builder.append_option(ms.and_then(|ms| ms.checked_mul(1000)));
    }

    fn src(&mut self, path: &str, src: &Src) {
        let Builder::Src(builder) = &mut self.values else { self.mismatch() };
        builder.append(path, src);
    }
}

impl Builder {
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Money(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Counts(keys, counts, known) => {
                let arrays = counts.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
                Arc::new(structure(keys.iter().copied(), arrays, Some(known)))
            }
            Self::Limits(windows, known) => {
                let arrays = windows.iter_mut().map(LimitBuilder::finish).collect();
                Arc::new(structure(WINDOWS, arrays, Some(known)))
            }
            Self::Violations(builders, lengths) => {
                let (texts, src) = &mut **builders;
                let texts = texts.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
                let arrays = texts.chain([Arc::new(src.finish()) as ArrayRef]).collect();
                let items = structure(VIOLATION.into_iter().chain(["src"]), arrays, None);
                let item = ArrowField::new("item", items.data_type().clone(), true);
                let offsets = OffsetBuffer::from_lengths(lengths.drain(..));
                Arc::new(ListArray::new(Arc::new(item), offsets, Arc::new(items), None))
            }
            Self::Src(builder) => Arc::new(builder.finish()),
        }
    }
}

impl Values for Columns {
    fn name(&mut self, key: Key, name: Option<&str>) {
        self.str(key, name);
    }

    fn str(&mut self, _: Key, text: Option<&str>) {
        self.bytes += self.slot().map_or(0, |column| column.text(text));
    }

    fn text(&mut self, key: Key, text: Option<&Text>) {
        self.str(key, text.map(Text::to_str_lossy).as_deref());
    }

    fn int(&mut self, _: Key, n: Option<i64>) {
        if let Some(column) = self.slot() {
            column.integer(n);
        }
    }

    fn bool(&mut self, _: Key, value: Option<bool>) {
        let Some(column) = self.slot() else { return };
        let Builder::Bool(builder) = &mut column.values else { column.mismatch() };
        builder.append_option(value);
    }

    fn money(&mut self, _: Key, amount: Option<Money>) {
        let Some(column) = self.slot() else { return };
        let Builder::Money(builder) = &mut column.values else { column.mismatch() };
        builder.append_option(amount.map(Money::picodollars));
    }

    fn shown(&mut self, key: Key, name: Option<impl Display>) {
        self.str(key, name.map(|name| name.to_string()).as_deref());
    }

    fn time(&mut self, _: Key, ms: Option<i64>) {
        if let Some(column) = self.slot() {
            column.time(ms);
        }
    }

    fn json(&mut self, _: Key, value: Option<Value<'_>>) {
        let Some(column) = self.slot() else { return };
        let spelled = value.map(|value| spelled(&value));
        self.bytes += column.text(spelled.as_deref());
    }

    fn token_keys(&mut self, tokens: &Tokens) {
        for n in token_counts(tokens) {
            if let Some(column) = self.slot() {
                column.integer(Some(n as i64));
            }
        }
    }

    fn tokens(&mut self, _: Key, tokens: Option<&Tokens>) {
        let Some(column) = self.slot() else { return };
        let Builder::Counts(_, builders, known) = &mut column.values else { column.mismatch() };
        known.append(tokens.is_some());
        let counts = tokens.map(token_counts);
        for (i, builder) in builders.iter_mut().enumerate() {
            builder.append_option(counts.map(|counts| counts[i] as i64));
        }
    }

    fn limits(&mut self, _: Key, limits: &LimitSpans) {
        let Some(column) = self.slot() else { return };
        let Builder::Limits(windows, known) = &mut column.values else { column.mismatch() };
        known.append(limits.iter().any(Option::is_some));
        for (window, limit) in windows.iter_mut().zip(limits) {
            window.append(limit.as_ref().map(|limit| {
                let (first, last) = (limit.first.used_percent, limit.last);
                let whole = [last.resets_at, last.window_minutes];
                ([first, last.used_percent, limit.peak], whole)
            }));
        }
    }

    fn violations(&mut self, _: Key, broken: &[Violation], paths: &[SrcPath]) {
        let Some(column) = self.slot() else { return };
        let Builder::Violations(builders, lengths) = &mut column.values else { column.mismatch() };
        let (texts, src) = &mut **builders;
        lengths.push(broken.len());
        for one in broken {
            let rule = one.rule;
            let told = [rule.code, rule.severity.name(), rule.id, &one.detail];
            for (builder, text) in texts.iter_mut().zip(told) {
                builder.append_value(text);
            }
            src.append(paths[one.src.file as usize].text(), &one.src);
        }
    }

    /// Where a record starts is told by [`Columns::place`].
    fn src(&mut self, _: &[SrcPath], _: &Src) {}
}

/// JSON as DuckDB reads it.
pub(crate) fn spelled(value: &Value<'_>) -> String {
    let mut text = Vec::with_capacity(value.raw.len());
    json::compact_into(value, &mut text);
    replace_lone_surrogates(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

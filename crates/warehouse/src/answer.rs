//! What a query answers: rows of any types, spelled as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use agentlog::json;
use agentlog::time;
use duckdb::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, StructArray,
};
use duckdb::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use duckdb::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::bytes;

/// How a column's values are spelled.
enum Spelling {
    /// As Arrow displays them, which is good JSON.
    Plain,
    /// The same in quotes.
    Quoted,
    /// JSON as it is.
    Json,
    /// An instant: RFC 3339, UTC.
    Instant,
    /// Whole numbers of 128 bits, with or without a sign.
    Huge {
        signed: bool,
    },
    Uuid,
    Decimal(i8),
    Float,
    Interval,
    /// Yes or no in a byte.
    Flag,
    Bits,
    TimeWithOffset,
    BigNumber,
}

/// Appends row `row` of a result as a JSON object with those keys.
pub(crate) fn row_into(names: &[String], rows: &StructArray, row: usize, out: &mut Vec<u8>) {
    let keys = names.iter().map(String::as_str);
    members_into(keys, rows, row, out);
}

fn members_into<'n>(
    keys: impl Iterator<Item = &'n str>,
    of: &StructArray,
    row: usize,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (i, ((key, field), column)) in keys.zip(of.fields()).zip(of.columns()).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        json::string_into(key.as_bytes(), out);
        out.push(b':');
        value_into(field, column, row, out);
    }
    out.push(b'}');
}

/// A structure as an object; one without names, as `ROW(1, 2)` makes them, as an array.
fn structure_into(of: &StructArray, row: usize, out: &mut Vec<u8>) {
    if of.fields().iter().any(|field| !field.name().is_empty()) {
        return members_into(of.fields().iter().map(|field| field.name().as_str()), of, row, out);
    }
    out.push(b'[');
    for (i, (field, column)) in of.fields().iter().zip(of.columns()).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        value_into(field, column, row, out);
    }
    out.push(b']');
}

fn value_into(field: &Field, column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match column.data_type() {
        DataType::Null => out.extend_from_slice(b"null"),
        DataType::Struct(_) => structure_into(column.as_struct(), row, out),
        DataType::List(item) => items_into(item, &column.as_list::<i32>().value(row), out),
        DataType::LargeList(item) => items_into(item, &column.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(item, _) => {
            items_into(item, &column.as_fixed_size_list().value(row), out);
        }
        DataType::Map(..) => map_into(&column.as_map().value(row), out),
        DataType::Union(fields, _) => {
            let union = column.as_union();
            let kind = union.type_id(row);
            match fields.iter().find(|(id, _)| *id == kind) {
                Some((_, field)) => {
                    value_into(field, union.child(kind), union.value_offset(row), out);
                }
                None => out.extend_from_slice(b"null"),
            }
        }
        _ => spell(&spelling_of(field), column, row, out),
    }
}

fn items_into(item: &Field, items: &ArrayRef, out: &mut Vec<u8>) {
    out.push(b'[');
    for row in 0..items.len() {
        if row > 0 {
            out.push(b',');
        }
        value_into(item, items, row, out);
    }
    out.push(b']');
}

/// A map as an object, whose keys are texts.
fn map_into(entries: &StructArray, out: &mut Vec<u8>) {
    out.push(b'{');
    for row in 0..entries.len() {
        if row > 0 {
            out.push(b',');
        }
        json::string_into(displayed(entries.column(0), row).as_bytes(), out);
        out.push(b':');
        let DataType::Struct(fields) = entries.data_type() else { break };
        value_into(&fields[1], entries.column(1), row, out);
    }
    out.push(b'}');
}

fn spelling_of(field: &Field) -> Spelling {
    let extension = field.metadata().get("ARROW:extension:name").map(String::as_str);
    let vendor = || field.metadata().get("ARROW:extension:metadata").map_or("", String::as_str);
    match (field.data_type(), extension) {
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, Some("arrow.json")) => {
            Spelling::Json
        }
        (DataType::Int8, Some("arrow.bool8")) => Spelling::Flag,
        (DataType::FixedSizeBinary(16), Some("arrow.uuid")) => Spelling::Uuid,
        (DataType::FixedSizeBinary(16), _) if vendor().contains("\"hugeint\"") => {
            Spelling::Huge { signed: true }
        }
        (DataType::FixedSizeBinary(16), _) if vendor().contains("\"uhugeint\"") => {
            Spelling::Huge { signed: false }
        }
        (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, _) => match vendor() {
            told if told.contains("\"bit\"") => Spelling::Bits,
            told if told.contains("\"bignum\"") => Spelling::BigNumber,
            _ => Spelling::Quoted,
        },
        (DataType::FixedSizeBinary(8), _) if vendor().contains("\"time_tz\"") => {
            Spelling::TimeWithOffset
        }
        (DataType::Timestamp(TimeUnit::Microsecond, Some(_)), _) => Spelling::Instant,
        (DataType::Decimal128(_, scale), _) => Spelling::Decimal(*scale),
        (DataType::Float32 | DataType::Float64, _) => Spelling::Float,
        (DataType::Interval(_), _) => Spelling::Interval,
        (kind, _) if kind.is_integer() || *kind == DataType::Boolean => Spelling::Plain,
        _ => Spelling::Quoted,
    }
}

fn spell(spelling: &Spelling, column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    match spelling {
        Spelling::Plain => plain_into(column, row, out),
        Spelling::Json => out.extend_from_slice(string(column, row).as_bytes()),
        Spelling::Flag => {
            let is = column.as_primitive::<Int8Type>().value(row) != 0;
            out.extend_from_slice(if is { b"true" } else { b"false" });
        }
        Spelling::Instant => {
            instant_into(column.as_primitive::<TimestampMicrosecondType>().value(row), out);
        }
        Spelling::Huge { signed } => huge_into(column.as_fixed_size_binary(), row, *signed, out),
        Spelling::Uuid => uuid_into(column.as_fixed_size_binary().value(row), out),
        Spelling::Decimal(scale) => {
            let value = column.as_primitive::<Decimal128Type>().value(row);
            out.extend_from_slice(decimal(value, *scale).as_bytes());
        }
        Spelling::Float => float_into(column, row, out),
        Spelling::BigNumber => {
            let digits = bytes::big_number(bytes(column, row));
            out.extend_from_slice(digits.as_deref().unwrap_or("null").as_bytes());
        }
        Spelling::Quoted | Spelling::Interval | Spelling::Bits | Spelling::TimeWithOffset => {
            json::string_into(text(spelling, column, row).as_bytes(), out);
        }
    }
}

/// The text of a value that is printed in quotes.
fn text<'c>(spelling: &Spelling, column: &'c ArrayRef, row: usize) -> Cow<'c, str> {
    let made = match spelling {
        Spelling::Bits => bytes::bits(bytes(column, row)),
        Spelling::TimeWithOffset => bytes::time_with_offset(bytes(column, row)),
        Spelling::Interval => {
            let value = column.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Some(interval(value.months, value.days, value.nanoseconds))
        }
        _ => match column.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                return string(column, row).into();
            }
            _ => None,
        },
    };
    made.unwrap_or_else(|| displayed(column, row)).into()
}

fn bytes(column: &ArrayRef, row: usize) -> &[u8] {
    match column.data_type() {
        DataType::FixedSizeBinary(_) => column.as_fixed_size_binary().value(row),
        DataType::LargeBinary => column.as_binary::<i64>().value(row),
        DataType::BinaryView => column.as_binary_view().value(row),
        _ => column.as_binary::<i32>().value(row),
    }
}

fn string(column: &ArrayRef, row: usize) -> &str {
    match column.data_type() {
        DataType::LargeUtf8 => column.as_string::<i64>().value(row),
        DataType::Utf8View => column.as_string_view().value(row),
        _ => column.as_string::<i32>().value(row),
    }
}

/// A value as Arrow shows it; days and times that are infinite as DuckDB does.
fn displayed(column: &ArrayRef, row: usize) -> String {
    if let Some(text) = infinite(column, row) {
        return text.into();
    }
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(column.as_ref(), &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(e) => e.to_string(),
    }
}

fn infinite(column: &ArrayRef, row: usize) -> Option<&'static str> {
    let (value, most) = match column.data_type() {
        DataType::Date32 => {
            (column.as_primitive::<Date32Type>().value(row).into(), i32::MAX.into())
        }
        DataType::Timestamp(unit, None) => {
            let value = match unit {
                TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value(row),
                TimeUnit::Millisecond => {
                    column.as_primitive::<TimestampMillisecondType>().value(row)
                }
                TimeUnit::Microsecond => {
                    column.as_primitive::<TimestampMicrosecondType>().value(row)
                }
                TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value(row),
            };
            (value, i64::MAX)
        }
        _ => return None,
    };
    match value {
        n if n == most => Some("infinity"),
        n if n == -most => Some("-infinity"),
        _ => None,
    }
}

fn plain_into(column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    macro_rules! whole {
        ($($kind:ident => $of:ty),*) => {
            match column.data_type() {
                $(DataType::$kind => {
                    let n = column.as_primitive::<$of>().value(row);
                    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
                })*
                _ => {
                    let is = |array: &BooleanArray| array.value(row);
                    let word: &[u8] = if is(column.as_boolean()) { b"true" } else { b"false" };
                    out.extend_from_slice(word);
                }
            }
        };
    }
    whole!(
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type
    );
}

/// An instant as all records spell it: RFC 3339, UTC, milliseconds; with microseconds if it has
/// some.
fn instant_into(micros: i64, out: &mut Vec<u8>) {
    let (ms, rest) = (micros.div_euclid(1000), micros.rem_euclid(1000));
    out.push(b'"');
    match micros {
        i64::MAX => out.extend_from_slice(b"infinity"),
        n if n == -i64::MAX => out.extend_from_slice(b"-infinity"),
        _ => {
            time::write_utc(ms, out);
            if rest > 0 {
                out.pop();
                out.extend_from_slice(format!("{rest:03}Z").as_bytes());
            }
        }
    }
    out.push(b'"');
}

fn huge_into(column: &FixedSizeBinaryArray, row: usize, signed: bool, out: &mut Vec<u8>) {
    let Ok(bytes) = <[u8; 16]>::try_from(column.value(row)) else {
        return out.extend_from_slice(b"null");
    };
    let mut buffer = itoa::Buffer::new();
    let text = if signed {
        buffer.format(i128::from_le_bytes(bytes))
    } else {
        buffer.format(u128::from_le_bytes(bytes))
    };
    out.extend_from_slice(text.as_bytes());
}

fn uuid_into(bytes: &[u8], out: &mut Vec<u8>) {
    let mut text = String::with_capacity(38);
    text.push('"');
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    out.extend_from_slice(text.as_bytes());
}

/// A decimal number without the zeros at its end.
fn decimal(value: i128, scale: i8) -> String {
    let Some(scale) = usize::try_from(scale).ok().filter(|scale| *scale > 0) else {
        return value.to_string();
    };
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", value.unsigned_abs(), scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

/// A number; JSON has no infinity and no NaN, which are null.
fn float_into(column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    let number = match column.data_type() {
        DataType::Float32 => {
            let n = column.as_primitive::<Float32Type>().value(row);
            serde_json::Number::from_f64(n.to_string().parse().unwrap_or(f64::NAN))
        }
        _ => serde_json::Number::from_f64(column.as_primitive::<Float64Type>().value(row)),
    };
    let text = number.map_or("null".to_owned(), |number| number.to_string());
    out.extend_from_slice(text.as_bytes());
}

/// An interval in ISO 8601, such as `P1Y2M3DT4H5M6.5S`.
fn interval(months: i32, days: i32, nanoseconds: i64) -> String {
    let mut text = String::from("P");
    let mut part = |n: i64, unit: char| {
        if n != 0 {
            let _ = write!(text, "{n}{unit}");
        }
    };
    part((months / 12).into(), 'Y');
    part((months % 12).into(), 'M');
    part(days.into(), 'D');
    let micros = nanoseconds / 1000;
    if micros != 0 {
        let (minutes, micros) = (micros / 60_000_000, micros % 60_000_000);
        text.push('T');
        for (n, unit) in [(minutes / 60, 'H'), (minutes % 60, 'M')] {
            if n != 0 {
                let _ = write!(text, "{n}{unit}");
            }
        }
        if micros != 0 {
            let _ = write!(text, "{}S", decimal(micros.into(), 6));
        }
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times() {
        assert_eq!(decimal(1_250_000_000, 12), "0.00125");
        assert_eq!((decimal(-15, 1).as_str(), decimal(300, 2).as_str()), ("-1.5", "3"));
        assert_eq!(interval(14, 3, 3_723_500_000_000), "P1Y2M3DT1H2M3.5S");
        assert_eq!(interval(0, 0, 0), "PT0S");
        let spelled = |micros| {
            let mut out = Vec::new();
            instant_into(micros, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(spelled(1_500), "\"1970-01-01T00:00:00.001500Z\"");
        assert_eq!(spelled(-1_000), "\"1969-12-31T23:59:59.999Z\"");
    }
}

//! A row of a Parquet file → a line of JSON, so that it is read as the rows of other files are.

use std::io::Write as _;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::data_type::Decimal;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use super::super::records::RECORD_BYTES_MAX;

/// Most digits behind the point: a few bytes could ask for billions.
const SCALE_MAX: i32 = 1_000;

/// A column, with its name as JSON.
#[derive(Debug)]
pub(super) struct Column {
    quoted: Vec<u8>,
    is_nanoseconds: bool,
}

/// A row that is longer than a row may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl Column {
    pub fn new(name: &str, of: &Type) -> Self {
        let logical = of.get_basic_info().logical_type_ref();
        let is_nanoseconds =
            matches!(logical, Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::NANOS);
        Self { quoted: quoted(name), is_nanoseconds }
    }
}

/// Writes a row as an object with a member for each column.
pub(super) fn row(row: &Row, columns: &[Column], into: &mut Vec<u8>) -> Result<(), TooLong> {
    let limit = into.len() + RECORD_BYTES_MAX;
    for (at, ((_, field), column)) in row.get_column_iter().zip(columns).enumerate() {
        into.push(if at == 0 { b'{' } else { b',' });
        into.extend_from_slice(&column.quoted);
        into.push(b':');
        match field {
            Field::Long(since) if column.is_nanoseconds => {
                let time = Timestamp::from_nanosecond(i128::from(*since));
                spell_time(time, *since, into);
            }
            field => spell(field, into, limit)?,
        }
    }
    into.push(b'}');
    if into.len() > limit { Err(TooLong) } else { Ok(()) }
}

fn spell(field: &Field, into: &mut Vec<u8>, limit: usize) -> Result<(), TooLong> {
    if into.len() > limit {
        return Err(TooLong);
    }
    match field {
        Field::Null => into.extend_from_slice(b"null"),
        Field::Float16(value) => spell_float(f64::from(value.to_f32()), &value.to_f32(), into),
        Field::Float(value) => spell_float(f64::from(*value), value, into),
        Field::Double(value) => spell_float(*value, value, into),
        Field::Decimal(value) => spell_decimal(value, field, into),
        Field::Str(text) => into.extend_from_slice(&quoted(text)),
        Field::Bytes(bytes) => spell_bytes(bytes.data(), into),
        Field::Date(days) => {
            match Date::constant(1970, 1, 1).checked_add(i64::from(*days).days()) {
                Ok(date) => put(into, &format_args!("\"{date}\"")),
                Err(_) => put(into, days),
            }
        }
        Field::TimeMillis(since) => spell_clock(i64::from(*since).saturating_mul(1_000), into),
        Field::TimeMicros(since) => spell_clock(*since, into),
        Field::TimestampMillis(since) => {
            spell_time(Timestamp::from_millisecond(*since), *since, into);
        }
        Field::TimestampMicros(since) => {
            spell_time(Timestamp::from_microsecond(*since), *since, into);
        }
        Field::Group(row) => {
            into.push(b'{');
            for (at, (name, field)) in row.get_column_iter().enumerate() {
                into.extend_from_slice(if at > 0 { b"," } else { b"" });
                into.extend_from_slice(&quoted(name));
                into.push(b':');
                spell(field, into, limit)?;
            }
            into.push(b'}');
        }
        Field::ListInternal(list) => {
            into.push(b'[');
            for (at, field) in list.elements().iter().enumerate() {
                into.extend_from_slice(if at > 0 { b"," } else { b"" });
                spell(field, into, limit)?;
            }
            into.push(b']');
        }
        // A list of pairs: keys may be of any type, and there twice.
        Field::MapInternal(map) => {
            into.push(b'[');
            for (at, (key, value)) in map.entries().iter().enumerate() {
                into.extend_from_slice(if at > 0 { b",[" } else { b"[" });
                spell(key, into, limit)?;
                into.push(b',');
                spell(value, into, limit)?;
                into.push(b']');
            }
            into.push(b']');
        }
        // Numbers and truth values are spelled as JSON spells them.
        other => put(into, other),
    }
    Ok(())
}

fn put(into: &mut Vec<u8>, what: &impl std::fmt::Display) {
    let _memory_takes_all = write!(into, "{what}");
}

fn quoted(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_default()
}

/// What is no number in JSON is a word: `"NaN"`, `"inf"`, `"-inf"`.
fn spell_float(value: f64, shown: &impl std::fmt::Debug, into: &mut Vec<u8>) {
    match value.is_finite() {
        true => put(into, &format_args!("{shown:?}")),
        false => put(into, &format_args!("\"{value}\"")),
    }
}

fn spell_decimal(value: &Decimal, field: &Field, into: &mut Vec<u8>) {
    if value.data().is_empty() || !(0..=SCALE_MAX).contains(&value.scale()) {
        return spell_bytes(value.data(), into);
    }
    let text = field.to_string();
    match serde_json::from_str::<serde_json::Number>(&text) {
        Ok(_) => put(into, &text),
        Err(_) => into.extend_from_slice(&quoted(&text)),
    }
}

/// Text as such, everything else as `0x…`: no two values are spelled alike.
fn spell_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    match std::str::from_utf8(bytes).ok().filter(|text| !text.starts_with("0x")) {
        Some(text) => into.extend_from_slice(&quoted(text)),
        None => {
            into.extend_from_slice(b"\"0x");
            bytes.iter().for_each(|byte| put(into, &format_args!("{byte:02x}")));
            into.push(b'"');
        }
    }
}

/// A time that no calendar has stays a number.
fn spell_time(time: Result<Timestamp, jiff::Error>, since: i64, into: &mut Vec<u8>) {
    match time {
        // Whether it is meant in UTC is not known from every file.
        Ok(time) => put(into, &format_args!("\"{}\"", time.to_string().trim_end_matches('Z'))),
        Err(_) => put(into, &since),
    }
}

fn spell_clock(micros: i64, into: &mut Vec<u8>) {
    if !(0..86_400_000_000).contains(&micros) {
        return put(into, &micros);
    }
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    put(into, &format_args!("\"{hours:02}:{minutes:02}:{seconds:02}.{micros:06}\""));
}

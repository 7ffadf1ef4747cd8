//! JSON that has one spelling: RFC 8785, with guards against values that others round silently.
//!
//! The guards and the limits are specified in `docs/format/json.md`. Reading the fields of a
//! record out of a [`Value`] is in [`Fields`].

mod fields;
mod number;
mod parser;
mod writer;

use std::cmp::Ordering;

pub use fields::{FieldError, Fields};
pub use number::{Number, NumberError};

use super::{DecodeError, ObjectId, Timestamp};
use parser::{Mode, Parser};

/// How many lists and objects may lie inside one another.
///
/// Source: `docs/format/json.md`; deep enough for any configuration, shallow enough for any stack.
pub const DEPTH_MAX: usize = 64;

/// A JSON value that canonical JSON can spell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`; no record of ours holds one, but parameters of users may.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number within the guards.
    Number(Number),
    /// Any Unicode text.
    Text(String),
    /// Values in an order that means something.
    List(Vec<Value>),
    /// Values under names.
    Object(Object),
}

/// Values under names, each name once.
///
/// Shape: kept in the order of RFC 8785 §3.2.3, by the UTF-16 code units of the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(String, Value)>);

impl Value {
    /// Spells the value in its only way.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        writer::write(self, &mut bytes);
        bytes
    }

    /// Takes a list of anything that is a value.
    pub fn list<V: Into<Self>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// Takes a count or a size, which must not exceed 2^53 − 1.
    pub fn count(count: u64) -> Result<Self, NumberError> {
        Number::from_u64(count).map(Self::Number)
    }

    /// Takes an instant, in the form of records; years 0000 to 9999 have one.
    pub fn from_instant(instant: Timestamp) -> Result<Self, FieldError> {
        let text = instant.to_record().map(Self::Text);
        text.ok_or_else(|| FieldError::new("time is outside the years 0000 to 9999"))
    }

    /// Takes a number as it was written somewhere: exactly, or else its text as it stands.
    ///
    /// Shape: `text` that is a JSON number and keeps its value under the guards gives a number;
    /// any other text is kept as text.
    pub fn number_or_text(text: &str) -> Self {
        match Number::exact(text) {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Text(text.to_owned()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<ObjectId> for Value {
    fn from(id: ObjectId) -> Self {
        Self::Text(id.to_record())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl Object {
    /// Starts with no names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `value` under `name`, in place of what was there.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.position(&name) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Puts a value there is under `name`; an absent one leaves no trace.
    pub fn set_some<V: Into<Value>>(&mut self, name: &str, value: Option<V>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Finds the value under `name`.
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.0.get(self.position(name).ok()?).map(|(_, value)| value)
    }

    /// Lists names and values in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Counts the names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| compare_names(other, name))
    }

    /// Takes members in any order; gives back the first name that occurs twice.
    pub fn from_members(mut members: Vec<(String, Value)>) -> Result<Self, String> {
        members.sort_by(|(a, _), (b, _)| compare_names(a, b));
        let twice = members.windows(2).find_map(|pair| match pair {
            [(a, _), (b, _)] if a == b => Some(a.clone()),
            _ => None,
        });
        twice.map_or(Ok(Self(members)), Err)
    }
}

/// Orders names by their UTF-16 code units (RFC 8785 §3.2.3), which differs from the order of
/// bytes where a character beyond U+FFFF meets one from U+E000 to U+FFFF.
fn compare_names(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a.cmp(b);
    }
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Reads canonical JSON: parses it, and insists that it is the only spelling of what it says.
///
/// Shape: one value and nothing else. Units: `bytes_max` in bytes, inclusive.
/// Errors: [`DecodeError`] for anything else, `what` being the caller's word for the value.
/// Cost: one pass and one comparison; memory is at most about 40 times the input.
/// Source: `docs/format/json.md`; RFC 8785.
pub fn decode(bytes: &[u8], what: &'static str, bytes_max: usize) -> Result<Value, DecodeError> {
    let value = Parser::new(bytes, what, bytes_max, Mode::Exact)?.document()?;
    let mut spelling = Vec::with_capacity(bytes.len());
    writer::write(&value, &mut spelling);
    if spelling == bytes {
        return Ok(value);
    }
    let same = spelling.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    let offset = u64::try_from(same).unwrap_or(u64::MAX);
    Err(DecodeError::new(what, offset, "not the canonical spelling of RFC 8785"))
}

/// Reads JSON that somebody else wrote, in any spelling, without losing anything.
///
/// Shape: as [`decode`], but blanks, any order of names and any escapes are fine, and a number
/// that would not survive is kept as text with the digits it had.
/// So are `NaN`, `Infinity` and `-Infinity`, which Python and others write as if they were JSON.
/// Errors: [`DecodeError`] for what is not JSON, or breaks another guard of `docs/format/json.md`.
pub fn capture(bytes: &[u8], what: &'static str, bytes_max: usize) -> Result<Value, DecodeError> {
    Parser::new(bytes, what, bytes_max, Mode::Capture)?.document()
}

/// Reads a record: canonical JSON, an object, and exactly the fields that `read` takes.
///
/// Errors: as [`decode`], and whatever `read` refuses, with the offset of the field.
pub fn decode_record<T>(
    bytes: &[u8],
    what: &'static str,
    bytes_max: usize,
    read: impl FnOnce(&mut Fields<'_>) -> Result<T, FieldError>,
) -> Result<T, DecodeError> {
    let value = decode(bytes, what, bytes_max)?;
    value.record(read).map_err(|error| error.locate(&value, what))
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;

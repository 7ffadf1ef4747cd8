//! Strict access to the fields of a record: each is taken once, and none may be left over.

use super::{NumberError, Object, Value, writer};
use crate::object::{DecodeError, ObjectId, Timestamp};

/// Tells which field of a record is wrong, and why.
///
/// Built where the value is looked at; each level above adds its name or index on the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// From the innermost to the outermost.
    path: Vec<Step>,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl FieldError {
    /// Says what is wrong with the value at hand.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    /// Says that the wrong value is the one under `name` inside the value at hand.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        self.path.push(Step::Name(name.to_owned()));
        self
    }

    /// Says that the wrong value is the one at `index` of the list at hand.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.path.push(Step::Index(index));
        self
    }

    /// Turns the error into that of a whole record, whose canonical bytes give the offset.
    pub(super) fn locate(&self, root: &Value, what: &'static str) -> DecodeError {
        let offset = u64::try_from(offset_of(root, &self.path)).unwrap_or(u64::MAX);
        DecodeError::new(what, offset, self.to_string())
    }
}

impl From<NumberError> for FieldError {
    fn from(error: NumberError) -> Self {
        Self::new(error.to_string())
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (depth, step) in self.path.iter().rev().enumerate() {
            match step {
                Step::Name(name) if depth == 0 => write!(f, "{}", name.escape_debug())?,
                Step::Name(name) => write!(f, ".{}", name.escape_debug())?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        let separator = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{separator}{}", self.reason)
    }
}

/// Finds where the value at `path` (innermost step first) begins in the canonical bytes of
/// `root`, as far as the path leads.
fn offset_of(root: &Value, path: &[Step]) -> usize {
    let mut before = Vec::new();
    let mut value = root;
    for step in path.iter().rev() {
        let inner = match (value, step) {
            (Value::Object(object), Step::Name(name)) => skip_members(object, name, &mut before),
            (Value::List(list), Step::Index(index)) => skip_items(list, *index, &mut before),
            _ => None,
        };
        let Some(inner) = inner else { break };
        value = inner;
    }
    before.len()
}

fn skip_members<'a>(object: &'a Object, name: &str, before: &mut Vec<u8>) -> Option<&'a Value> {
    object.find(name)?;
    before.push(b'{');
    for (index, (other, value)) in object.iter().enumerate() {
        writer::separate(index, before);
        writer::write_name(other, before);
        if other == name {
            return Some(value);
        }
        writer::write(value, before);
    }
    None
}

fn skip_items<'a>(list: &'a [Value], index: usize, before: &mut Vec<u8>) -> Option<&'a Value> {
    let item = list.get(index)?;
    before.push(b'[');
    for (position, value) in list.iter().take(index).enumerate() {
        writer::separate(position, before);
        writer::write(value, before);
    }
    writer::separate(index, before);
    Some(item)
}

/// Fields that a record often lacks: room for their names spares allocations.
const SPARE: usize = 8;

/// The fields of one object, while a record is read out of it.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Object,
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Takes a field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        self.optional(name, read)?.ok_or_else(|| FieldError::new(format!("{name} is missing")))
    }

    /// Takes a field that may be absent.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        self.taken.push(name);
        let Some(value) = self.object.find(name) else { return Ok(None) };
        read(value).map(Some).map_err(|error| error.under(name))
    }

    /// Tells whether a field is there, without taking it.
    pub fn has(&self, name: &str) -> bool {
        self.object.find(name).is_some()
    }

    /// Takes the field `schema`, which must be this very text.
    pub fn schema(&mut self, expected: &str) -> Result<(), FieldError> {
        self.required("schema", |value| match value.text()? {
            found if found == expected => Ok(()),
            _ => Err(FieldError::new(format!("must be \"{expected}\""))),
        })
    }

    /// Refuses fields that nobody took.
    fn finish(self) -> Result<(), FieldError> {
        match self.object.iter().find(|(name, _)| !self.taken.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(FieldError::new("unknown field").under(name)),
        }
    }
}

impl Value {
    /// Reads an object out of which `read` takes every field there is.
    pub fn record<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        let object = self.object()?;
        let mut fields = Fields { object, taken: Vec::with_capacity(object.len() + SPARE) };
        let record = read(&mut fields)?;
        fields.finish()?;
        Ok(record)
    }

    /// Reads an object as it is.
    pub fn object(&self) -> Result<&Object, FieldError> {
        match self {
            Self::Object(object) => Ok(object),
            _ => Err(FieldError::new("must be an object")),
        }
    }

    /// Reads a list, item by item.
    pub fn items<'a, T>(
        &'a self,
        read: impl Fn(&'a Self) -> Result<T, FieldError>,
    ) -> Result<Vec<T>, FieldError> {
        let Self::List(list) = self else { return Err(FieldError::new("must be a list")) };
        list.iter()
            .enumerate()
            .map(|(index, item)| read(item).map_err(|error| error.at(index)))
            .collect()
    }

    /// Reads a text.
    pub fn text(&self) -> Result<&str, FieldError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(FieldError::new("must be a text")),
        }
    }

    /// Reads a text without control characters, of at most `bytes_max` bytes.
    pub fn line(&self, bytes_max: usize) -> Result<String, FieldError> {
        let text = self.text()?;
        if text.len() > bytes_max {
            return Err(FieldError::new(format!("must not be longer than {bytes_max} bytes")));
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(FieldError::new("must not contain control characters"));
        }
        Ok(text.to_owned())
    }

    /// Reads `true` or `false`.
    pub fn boolean(&self) -> Result<bool, FieldError> {
        match self {
            Self::Bool(value) => Ok(*value),
            _ => Err(FieldError::new("must be true or false")),
        }
    }

    /// Reads a number.
    pub fn number(&self) -> Result<super::Number, FieldError> {
        match self {
            Self::Number(number) => Ok(*number),
            _ => Err(FieldError::new("must be a number")),
        }
    }

    /// Reads an integer from 0 to 2^53 − 1.
    pub fn counted(&self) -> Result<u64, FieldError> {
        self.number()?.as_u64().ok_or_else(|| FieldError::new("must be an integer, 0 or more"))
    }

    /// Reads an id in the form of records, `blake3:<64 hex>`.
    pub fn id(&self) -> Result<ObjectId, FieldError> {
        ObjectId::parse_record(self.text()?).map_err(|error| FieldError::new(error.to_string()))
    }

    /// Reads an instant in the form of records, `2026-07-31T09:30:00.000Z`.
    pub fn instant(&self) -> Result<Timestamp, FieldError> {
        let instant = Timestamp::parse_record(self.text()?);
        instant.ok_or_else(|| FieldError::new("must be a time like 2026-07-31T09:30:00.000Z"))
    }
}

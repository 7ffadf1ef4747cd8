//! What the tables of an artifact hold: the attachment that `profile` of an artifact names.

use super::DecodeError;
use super::canonical::{FieldError, Fields, Number, Object, Value, decode_record};
use super::commit::{filled_line, line, list_of};

/// Most bytes of an encoded profile.
///
/// Source: `docs/format/profile.md`.
pub const PROFILE_BYTES_MAX: usize = 16 << 20;
const WHAT: &str = "profile";
const SCHEMA: &str = "provenance/profile/v1";

/// What the tables of a file or a directory hold.
///
/// Source: `docs/format/profile.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Files that are tables.
    pub tables: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// How many columns there are.
    pub column_count: u64,
    /// The first of them, in the order of the tables.
    pub columns: Vec<ColumnProfile>,
    /// How the rows are spread over the values of the label column, if one is declared.
    pub label: Option<LabelProfile>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnProfile {
    /// Its name, shortened to one line; may be empty.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// Rows without a value.
    pub missing: u64,
    /// The least number, where all values are numbers.
    pub min: Option<Number>,
    /// The greatest number, where all values are numbers.
    pub max: Option<Number>,
}

/// What the values of a column are. Source: `docs/format/profile.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// There are none.
    Empty,
    /// `true` and `false`, in any case of letters.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// Anything.
    Text,
    /// Lists or objects of JSON are among them.
    Nested,
}

/// How rows are spread over labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelProfile {
    /// The column.
    pub column: String,
    /// The most frequent values with their rows, the most frequent first.
    pub values: Vec<(String, u64)>,
    /// Rows with other values.
    pub other_rows: u64,
}

impl ColumnKind {
    /// Every kind, in the order of the format page.
    pub const ALL: [Self; 6] =
        [Self::Empty, Self::Boolean, Self::Integer, Self::Number, Self::Text, Self::Nested];

    /// Gives the word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Nested => "nested",
        }
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        let word = value.text()?;
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        known.ok_or_else(|| FieldError::new("unknown type of column"))
    }
}

impl Profile {
    /// Gives the canonical bytes.
    ///
    /// Errors: a value that decoding refuses.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let value =
            self.to_value().map_err(|error| DecodeError::new(WHAT, 0, error.to_string()))?;
        let bytes = value.encode();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads the canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, PROFILE_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            let column = |item: &Value| item.record(ColumnProfile::read);
            Ok(Self {
                tables: fields.required("tables", Value::counted)?,
                rows: fields.required("rows", Value::counted)?,
                column_count: fields.required("column_count", Value::counted)?,
                columns: fields.required("columns", |value| value.items(column))?,
                label: fields.optional("label", |value| value.record(LabelProfile::read))?,
                notes: fields.required("notes", |value| value.items(filled_line))?,
            })
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("tables", Value::count(self.tables)?);
        object.set("rows", Value::count(self.rows)?);
        object.set("column_count", Value::count(self.column_count)?);
        object.set("columns", list_of(&self.columns, ColumnProfile::to_value)?);
        object.set_some("label", self.label.as_ref().map(LabelProfile::to_value).transpose()?);
        object.set("notes", Value::list(self.notes.iter().map(String::as_str)));
        Ok(object.into())
    }
}

impl ColumnProfile {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", line)?,
            kind: fields.required("type", ColumnKind::read)?,
            missing: fields.required("missing", Value::counted)?,
            min: fields.optional("min", Value::number)?,
            max: fields.optional("max", Value::number)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("type", self.kind.as_str());
        object.set("missing", Value::count(self.missing)?);
        object.set_some("min", self.min.map(Value::Number));
        object.set_some("max", self.max.map(Value::Number));
        Ok(object.into())
    }
}

impl LabelProfile {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        let value = |item: &Value| {
            item.record(|fields| {
                Ok((fields.required("value", line)?, fields.required("rows", Value::counted)?))
            })
        };
        Ok(Self {
            column: fields.required("column", filled_line)?,
            values: fields.required("values", |list| list.items(value))?,
            other_rows: fields.required("other_rows", Value::counted)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let value = |(value, rows): &(String, u64)| {
            let mut object = Object::new();
            object.set("value", value.as_str());
            object.set("rows", Value::count(*rows)?);
            Ok(object.into())
        };
        let mut object = Object::new();
        object.set("column", self.column.as_str());
        object.set("values", list_of(&self.values, value)?);
        object.set("other_rows", Value::count(self.other_rows)?);
        Ok(object.into())
    }
}

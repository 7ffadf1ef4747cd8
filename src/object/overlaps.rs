//! What two splits of the data have in common: the attachment that `overlaps` of a commit names.

use super::canonical::{FieldError, Fields, Object, Value, decode_record};
use super::commit::{any_path, filled_line, list_of};
use super::{DecodeError, ObjectId};

/// Most bytes of an encoded document.
///
/// Source: `docs/format/overlaps.md`.
pub const OVERLAPS_BYTES_MAX: usize = 16 << 20;
const WHAT: &str = "overlaps";
const SCHEMA: &str = "provenance/overlaps/v1";

/// What the splits of one state of the data have in common.
///
/// Source: `docs/format/overlaps.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlaps {
    /// Stands for what was compared: the same again has the same id.
    pub of: ObjectId,
    /// The splits, from the smallest to the largest.
    pub splits: Vec<SplitSize>,
    /// Pairs that share something, in the order of `splits`.
    pub pairs: Vec<Overlap>,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
}

/// How much a split holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitSize {
    /// Its word: `train`.
    pub split: String,
    /// Files that are not empty.
    pub files: u64,
    /// Rows of its tables.
    pub rows: u64,
}

/// What one split has that another one has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The smaller split.
    pub split: String,
    /// The other one.
    pub other: String,
    /// Files of the smaller one that the other has too.
    pub files: u64,
    /// Rows of the smaller one that the other has too.
    pub rows: u64,
    /// The first of both.
    pub samples: Vec<OverlapSample>,
}

/// Where the same stands in two splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlapSample {
    /// File of the smaller split.
    pub path: String,
    /// Line there, from 1; none where the whole file is the same.
    pub line: Option<u64>,
    /// File of the other split.
    pub other_path: String,
    /// Line there.
    pub other_line: Option<u64>,
}

impl Overlaps {
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
        decode_record(bytes, WHAT, OVERLAPS_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self {
                of: fields.required("of", Value::id)?,
                splits: fields.required("splits", |value| records(value, SplitSize::read))?,
                pairs: fields.required("pairs", |value| records(value, Overlap::read))?,
                notes: fields.required("notes", |value| value.items(filled_line))?,
            })
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("of", self.of);
        object.set("splits", list_of(&self.splits, SplitSize::to_value)?);
        object.set("pairs", list_of(&self.pairs, Overlap::to_value)?);
        object.set("notes", Value::list(self.notes.iter().map(String::as_str)));
        Ok(object.into())
    }
}

fn records<T>(
    value: &Value,
    read: impl Fn(&mut Fields<'_>) -> Result<T, FieldError>,
) -> Result<Vec<T>, FieldError> {
    value.items(|item| item.record(&read))
}

impl SplitSize {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            split: fields.required("split", filled_line)?,
            files: fields.required("files", Value::counted)?,
            rows: fields.required("rows", Value::counted)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("split", self.split.as_str());
        object.set("files", Value::count(self.files)?);
        object.set("rows", Value::count(self.rows)?);
        Ok(object.into())
    }
}

impl Overlap {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            split: fields.required("split", filled_line)?,
            other: fields.required("other", filled_line)?,
            files: fields.required("files", Value::counted)?,
            rows: fields.required("rows", Value::counted)?,
            samples: fields.required("samples", |value| records(value, OverlapSample::read))?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("split", self.split.as_str());
        object.set("other", self.other.as_str());
        object.set("files", Value::count(self.files)?);
        object.set("rows", Value::count(self.rows)?);
        object.set("samples", list_of(&self.samples, OverlapSample::to_value)?);
        Ok(object.into())
    }
}

impl OverlapSample {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            path: fields.required("path", any_path)?,
            line: fields.optional("line", Value::counted)?,
            other_path: fields.required("other_path", any_path)?,
            other_line: fields.optional("other_line", Value::counted)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("path", self.path.as_str());
        object.set_some("line", self.line.map(Value::count).transpose()?);
        object.set("other_path", self.other_path.as_str());
        object.set_some("other_line", self.other_line.map(Value::count).transpose()?);
        Ok(object.into())
    }
}

//! One line of a stream: what it says, before anything is looked up.

use super::base64;
use super::describe::{Described, describe};
use crate::object::canonical::{FieldError, Fields, Value, capture};
use crate::object::{Commit, ObjectId};
use crate::repo::ref_name::RefKind;

/// Longest line, in bytes. Source: `docs/format/exchange.md`.
pub(super) const LINE_BYTES_MAX: usize = 24 << 20;

/// What the first line of each stream says.
pub(super) const SCHEMA: &str = "provenance/exchange/v1";

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    /// The stream begins; whether it says where it ends.
    Begin { has_end: bool },
    /// A commit, exactly.
    Commit(Box<ExactCommit>),
    /// A node of a tree, exactly.
    Node { id: ObjectId, bytes: Vec<u8> },
    /// What is kept with a record.
    Attachment { id: ObjectId, bytes: Vec<u8> },
    /// A piece of a file's content.
    Content { id: ObjectId, bytes: Vec<u8>, is_last: bool },
    /// A commit to be made.
    Described(Box<Described>),
    /// A name for a commit.
    Ref { name: String, commit: Named },
    /// The stream ends, after so many lines.
    End { lines: u64 },
}

/// A commit and its bytes.
#[derive(Debug)]
pub(super) struct ExactCommit {
    pub id: ObjectId,
    pub bytes: Vec<u8>,
    pub commit: Commit,
    /// What its own bytes would not give: none for one that only a `ref` line names.
    pub ref_name: Option<String>,
}

/// A commit as a line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// By its id.
    Id(ObjectId),
    /// By the label of an earlier line.
    Label(String),
}

impl Named {
    /// Reads an id or a label.
    pub fn read(value: &Value) -> Result<Self, FieldError> {
        let text = value.text()?;
        match ObjectId::parse_record(text) {
            Ok(id) => Ok(Self::Id(id)),
            Err(error) if text.starts_with("blake3:") => Err(FieldError::new(error.to_string())),
            Err(_) if text.is_empty() => Err(FieldError::new("must not be empty")),
            Err(_) => Ok(Self::Label(text.to_owned())),
        }
    }
}

/// Reads a line, without its end.
///
/// Errors: in words, with the field.
pub(super) fn parse(bytes: &[u8]) -> Result<Line, String> {
    let value = capture(bytes, "line", LINE_BYTES_MAX);
    let value = value.map_err(|error| format!("{}, at byte {}", error.reason, error.offset))?;
    value.record(read).map_err(|error| error.to_string())
}

fn read(fields: &mut Fields<'_>) -> Result<Line, FieldError> {
    if fields.has("schema") {
        fields.schema(SCHEMA)?;
        let has_end = fields.optional("end", Value::boolean)?.unwrap_or(false);
        return Ok(Line::Begin { has_end });
    }
    if fields.has("record") {
        return match fields.has("commit") {
            true => exact(fields),
            false => describe(fields).map(|described| Line::Described(Box::new(described))),
        };
    }
    if fields.has("ref") {
        let name = fields.required("ref", ref_name)?;
        return Ok(Line::Ref { name, commit: fields.required("commit", Named::read)? });
    }
    if let Some(id) = fields.optional("node", Value::id)? {
        return Ok(Line::Node { id, bytes: named_bytes(fields, id)? });
    }
    if let Some(id) = fields.optional("attachment", Value::id)? {
        return Ok(Line::Attachment { id, bytes: named_bytes(fields, id)? });
    }
    if let Some(id) = fields.optional("content", Value::id)? {
        let is_last = fields.optional("last", Value::boolean)?.unwrap_or(true);
        return Ok(Line::Content { id, bytes: some_bytes(fields)?, is_last });
    }
    if fields.has("lines") {
        return Ok(Line::End { lines: fields.required("lines", Value::counted)? });
    }
    let known = "schema, record, ref, node, attachment, content or lines";
    Err(FieldError::new(format!("must have one of {known}")))
}

/// Reads a commit with its id: the record's canonical spelling is the commit.
fn exact(fields: &mut Fields<'_>) -> Result<Line, FieldError> {
    let id = fields.required("commit", Value::id)?;
    let bytes = fields.required("record", |record| Ok(record.encode()))?;
    if ObjectId::of(&bytes) != id {
        return Err(FieldError::new("is not the id of the record").under("commit"));
    }
    let commit = Commit::decode(&bytes);
    let commit = commit.map_err(|error| FieldError::new(error.reason).under("record"))?;
    let ref_name = fields.optional("ref", ref_name)?;
    Ok(Line::Commit(Box::new(ExactCommit { id, bytes, commit, ref_name })))
}

/// Reads the bytes that an id names.
fn named_bytes(fields: &mut Fields<'_>, id: ObjectId) -> Result<Vec<u8>, FieldError> {
    let bytes = some_bytes(fields)?;
    match ObjectId::of(&bytes) == id {
        true => Ok(bytes),
        false => Err(FieldError::new("the bytes are not those of the id")),
    }
}

fn some_bytes(fields: &mut Fields<'_>) -> Result<Vec<u8>, FieldError> {
    if let Some(text) = fields.optional("text", Value::text)? {
        return Ok(text.as_bytes().to_vec());
    }
    fields.required("base64", |value| {
        base64::decode(value.text()?).ok_or_else(|| FieldError::new("must be base64, padded"))
    })
}

/// Reads the full name of a ref.
pub(super) fn ref_name(value: &Value) -> Result<String, FieldError> {
    let full = value.text()?;
    let kinds = [RefKind::Branch, RefKind::Tag, RefKind::Run];
    let kind = kinds.into_iter().find_map(|kind| Some((kind, kind.short_name(full)?)));
    let Some((kind, short)) = kind else {
        return Err(FieldError::new("must begin with heads/, tags/ or runs/"));
    };
    kind.full_name(short).map_err(|error| FieldError::new(error.to_string()))
}

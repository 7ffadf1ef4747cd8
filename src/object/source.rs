//! What a check of a source has found, and its canonical JSON.
//!
//! Specified in `docs/format/source.md`. How a fingerprint is made is `capture/upstream.rs`, which
//! content belongs to it `repo/source`.

use super::canonical::{FieldError, Fields, Object, Value, decode_record};
use super::commit::{any_path, ascending, filled_line};
use super::{DecodeError, LINE_BYTES_MAX, ObjectId, Timestamp};

/// Most bytes of an encoded check.
///
/// Source: `docs/format/source.md`.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;
const WHAT: &str = "check of a source";
const SCHEMA: &str = "provenance/source/v1";

/// What a check of a source asked and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCheck {
    /// The source; one line, not empty.
    pub name: String,
    /// Where it is, without secrets; always there unless a command asks.
    pub uri: Option<String>,
    /// How the fingerprint is made.
    pub method: SourceMethod,
    /// What comes from it; strictly ascending, not empty.
    pub paths: Vec<String>,
    /// When this check was.
    pub checked: Timestamp,
    /// The newest fingerprint that is known.
    pub found: Option<Fingerprint>,
    /// Why this check found nothing.
    pub failure: Option<String>,
}

/// How the fingerprint of a source is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceMethod {
    /// From the content of a file or a directory.
    File,
    /// From the headers of an HTTP resource.
    Http,
    /// From what a command prints: its words, without secrets.
    Command(Vec<String>),
}

/// What tells one state of a source from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The fingerprint.
    pub id: ObjectId,
    /// What it was made from, for people; one line.
    pub evidence: Option<String>,
    /// When it took the place of another; none for the first.
    pub changed: Option<Timestamp>,
}

impl SourceMethod {
    /// Gives the word of the format.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Command(_) => "command",
        }
    }
}

impl SourceCheck {
    /// Gives the canonical bytes.
    ///
    /// Errors: a value that the format refuses, in the words with which decoding refuses it.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let refused = |error: FieldError| DecodeError::new(WHAT, 0, error.to_string());
        let bytes = self.to_value().map_err(refused)?.encode();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads the canonical bytes, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, SOURCE_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            let check = Self {
                name: fields.required("name", filled_line)?,
                uri: fields.optional("uri", filled_line)?,
                method: read_method(fields)?,
                paths: fields.required("paths", read_paths)?,
                checked: fields.required("checked", Value::instant)?,
                found: read_found(fields)?,
                failure: fields.optional("failure", filled_line)?,
            };
            let needs_uri = !matches!(check.method, SourceMethod::Command(_));
            if needs_uri && check.uri.is_none() {
                return Err(FieldError::new("is missing").under("uri"));
            }
            if check.found.is_none() && check.failure.is_none() {
                return Err(FieldError::new("must have a fingerprint or a failure"));
            }
            Ok(check)
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("name", self.name.as_str());
        object.set_some("uri", self.uri.as_deref());
        object.set("method", self.method.word());
        if let SourceMethod::Command(words) = &self.method {
            object.set("command", Value::list(words.iter().map(String::as_str)));
        }
        object.set("paths", Value::list(self.paths.iter().map(String::as_str)));
        object.set("checked", Value::from_instant(self.checked)?);
        if let Some(found) = &self.found {
            object.set("fingerprint", found.id);
            object.set_some("evidence", found.evidence.as_deref());
            object.set_some("changed", found.changed.map(Value::from_instant).transpose()?);
        }
        object.set_some("failure", self.failure.as_deref());
        Ok(object.into())
    }
}

fn read_method(fields: &mut Fields<'_>) -> Result<SourceMethod, FieldError> {
    let method = fields.required("method", |value| match value.text()? {
        "file" => Ok(SourceMethod::File),
        "http" => Ok(SourceMethod::Http),
        "command" => Ok(SourceMethod::Command(Vec::new())),
        _ => Err(FieldError::new("is not a known method")),
    })?;
    let SourceMethod::Command(_) = method else { return Ok(method) };
    let words = fields.required("command", |list| list.items(|word| word.line(LINE_BYTES_MAX)))?;
    match words.is_empty() {
        true => Err(FieldError::new("must not be empty").under("command")),
        false => Ok(SourceMethod::Command(words)),
    }
}

fn read_paths(value: &Value) -> Result<Vec<String>, FieldError> {
    let paths = value.items(any_path)?;
    ascending(&paths, String::as_str)?;
    match paths.is_empty() {
        true => Err(FieldError::new("must not be empty")),
        false => Ok(paths),
    }
}

fn read_found(fields: &mut Fields<'_>) -> Result<Option<Fingerprint>, FieldError> {
    let Some(id) = fields.optional("fingerprint", Value::id)? else { return Ok(None) };
    let evidence = fields.optional("evidence", filled_line)?;
    let changed = fields.optional("changed", Value::instant)?;
    Ok(Some(Fingerprint { id, evidence, changed }))
}

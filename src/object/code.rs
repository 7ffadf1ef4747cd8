//! The git checkout around a commit: which code ran, exactly.

use super::ObjectId;
use super::canonical::{FieldError, Fields, Object, Value};
use super::commit::{filled_line, line};

/// The state of a git checkout, including what git does not have.
///
/// Source: `docs/format/commit.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Where the code is published, without credentials.
    pub repository: Option<String>,
    /// The git commit that is checked out, as 40 or 64 hexadecimal digits; absent before the
    /// first commit.
    pub git_commit: Option<String>,
    /// The git branch that is checked out.
    pub branch: Option<String>,
    /// Whether files differ from the git commit, or are not in it.
    pub dirty: bool,
    /// The tree of the files that differ or are not in it.
    pub changes: Option<ObjectId>,
}

impl Code {
    /// Reads the object `code`.
    pub fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            repository: fields.optional("repository", filled_line)?,
            git_commit: fields.optional("git_commit", git_id)?,
            branch: fields.optional("branch", filled_line)?,
            dirty: fields.required("dirty", Value::boolean)?,
            changes: fields.optional("changes", Value::id)?,
        })
    }

    /// Gives the object `code`.
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set_some("repository", self.repository.as_deref());
        object.set_some("git_commit", self.git_commit.as_deref());
        object.set_some("branch", self.branch.as_deref());
        object.set("dirty", self.dirty);
        object.set_some("changes", self.changes);
        object.into()
    }
}

fn git_id(value: &Value) -> Result<String, FieldError> {
    let text = line(value)?;
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex && matches!(text.len(), 40 | 64) {
        return Ok(text);
    }
    Err(FieldError::new("must be 40 or 64 lower-case hexadecimal digits"))
}

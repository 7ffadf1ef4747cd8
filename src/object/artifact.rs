//! What files are to the people who made them: a dataset, a model, a script.

use super::canonical::{FieldError, Fields, Object, Value};
use super::commit::{any_path, filled_line};
use super::{ObjectId, PathError, TreePath};

/// What an artifact is. Source: `docs/format/commit.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactKind {
    /// Data to learn from or to be judged by.
    Dataset,
    /// Code that is executed.
    Script,
    /// Settings.
    Config,
    /// Weights that stand on their own.
    Model,
    /// Weights that adapt a base model.
    Adapter,
    /// Measured results.
    Metrics,
    /// A description of what the code ran in.
    Environment,
    /// What a program printed.
    Log,
    /// Anything else.
    Other,
}

impl ArtifactKind {
    /// Every kind, in the order of the format page.
    pub const ALL: [Self; 9] = [
        Self::Dataset,
        Self::Script,
        Self::Config,
        Self::Model,
        Self::Adapter,
        Self::Metrics,
        Self::Environment,
        Self::Log,
        Self::Other,
    ];

    /// Gives the word used in records and in `provenance.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Script => "script",
            Self::Config => "config",
            Self::Model => "model",
            Self::Adapter => "adapter",
            Self::Metrics => "metrics",
            Self::Environment => "environment",
            Self::Log => "log",
            Self::Other => "other",
        }
    }

    /// Finds the kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Reads the word from a record.
    pub(super) fn read(value: &Value) -> Result<Self, FieldError> {
        Self::parse(value.text()?).ok_or_else(|| FieldError::new("unknown kind of artifact"))
    }
}

impl std::fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ArtifactKind> for Value {
    fn from(kind: ArtifactKind) -> Self {
        kind.as_str().into()
    }
}

/// A file or a directory of the recorded tree that has a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Name under which it is declared, or its path where it was detected; not empty.
    pub name: String,
    /// Where it is in the tree: relative, `/` between names.
    pub path: String,
    /// What it is, and how much.
    pub content: Content,
    /// What part of a larger whole it is: `train`, `validation`, `test`, or any other word.
    pub split: Option<String>,
    /// What it was made from: the name of another artifact, or of a published model.
    pub base: Option<String>,
    /// A JSON document that says what its tables hold.
    pub profile: Option<ObjectId>,
}

/// Identity and size of a file or a directory, with what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is.
    pub kind: ArtifactKind,
    /// The blob of a file, or the tree of a directory.
    pub id: ObjectId,
    /// How many files: 1 for a file.
    pub files: u64,
    /// Their bytes in all.
    pub bytes: u64,
}

impl Artifact {
    /// Reads one item of `artifacts`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", filled_line)?,
            path: fields.required("path", tree_path)?,
            content: Content::read(fields)?,
            split: fields.optional("split", filled_line)?,
            base: fields.optional("base", filled_line)?,
            profile: fields.optional("profile", Value::id)?,
        })
    }

    /// Gives the JSON of one item of `artifacts`.
    pub(super) fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("path", self.path.as_str());
        self.content.write(&mut object)?;
        object.set_some("split", self.split.as_deref());
        object.set_some("base", self.base.as_deref());
        object.set_some("profile", self.profile);
        Ok(object.into())
    }
}

impl Content {
    /// Reads the four fields that artifacts, inputs and outputs share.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            kind: fields.required("kind", ArtifactKind::read)?,
            id: fields.required("id", Value::id)?,
            files: fields.required("files", Value::counted)?,
            bytes: fields.required("bytes", Value::counted)?,
        })
    }

    /// Adds the four fields.
    pub(super) fn write(&self, object: &mut Object) -> Result<(), FieldError> {
        object.set("kind", self.kind);
        object.set("id", self.id);
        object.set("files", Value::count(self.files)?);
        object.set("bytes", Value::count(self.bytes)?);
        Ok(())
    }
}

/// Reads the path of something inside a tree.
pub(super) fn tree_path(value: &Value) -> Result<String, FieldError> {
    let path = any_path(value)?;
    match TreePath::new(path.as_str()) {
        Ok(_) => Ok(path),
        Err(PathError::Name { source, .. }) => Err(FieldError::new(source.to_string())),
        Err(error) => Err(FieldError::new(error.to_string())),
    }
}

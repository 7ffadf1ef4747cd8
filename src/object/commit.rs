//! The record of a commit, and its canonical JSON.
//!
//! Specified in `docs/format/commit.md` and `docs/schema/commit-v1.json`. What a run adds is in
//! `run.rs`, what describes files in `artifact.rs`.

use super::artifact::Artifact;
use super::canonical::{self, FieldError, Fields, Object, Value};
use super::code::Code;
use super::fine_tune::FineTune;
use super::run::Run;
use super::{DecodeError, ObjectId, Timestamp};

const WHAT: &str = "commit";
const SCHEMA: &str = "provenance/commit/v1";

/// Largest record, in bytes; what is larger belongs into attachments.
pub const COMMIT_BYTES_MAX: usize = 4 << 20;
/// Most parents of one commit.
pub const PARENTS_MAX: usize = 1024;
/// Longest name, path or other text of one line, in bytes.
pub const LINE_BYTES_MAX: usize = 4096;

/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 65_535;

/// What a commit records: a state of the files, where it came from, and how it was made.
///
/// Shape: as `docs/format/commit.md` says; [`Commit::encode`] refuses everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The root of the directory that was recorded.
    pub tree: ObjectId,
    /// The commits before this one, none twice; the first is the branch that was continued.
    pub parents: Vec<ObjectId>,
    /// Who made it.
    pub author: Author,
    /// When its author says it was made.
    pub time: Timestamp,
    /// What its author says about it.
    pub message: String,
    /// The machine it was made on.
    pub system: System,
    /// What the files are, strictly ascending by path, then name.
    pub artifacts: Vec<Artifact>,
    /// The execution that made it.
    pub run: Option<Run>,
    /// The git checkout around it.
    pub code: Option<Code>,
    /// A JSON document that describes interpreter, packages and variables.
    pub environment: Option<ObjectId>,
    /// How a base model was adapted.
    pub fine_tune: Option<FineTune>,
    /// A JSON document that says what the splits of the data have in common.
    pub overlaps: Option<ObjectId>,
}

/// A person or a program that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// One line, not empty.
    pub name: String,
    /// One line; may be empty.
    pub email: String,
}

/// The machine a commit was made on, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// Name of the machine.
    pub host: Option<String>,
    /// Name of the account.
    pub user: Option<String>,
    /// Operating system and its version.
    pub os: Option<String>,
    /// Kernel and its version.
    pub kernel: Option<String>,
    /// Model of the processor.
    pub cpu: Option<String>,
    /// Logical processors.
    pub cores: Option<u64>,
    /// Main memory, in bytes.
    pub memory: Option<u64>,
    /// Accelerators; an empty list says that none was found.
    pub gpus: Option<Vec<Gpu>>,
    /// Version of the driver of the accelerators.
    pub driver: Option<String>,
    /// Version of CUDA.
    pub cuda: Option<String>,
}

/// One accelerator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Model.
    pub name: String,
    /// Its own memory, in bytes.
    pub memory: Option<u64>,
    /// What tells it from another of the same model.
    pub uuid: Option<String>,
}

impl Commit {
    /// Spells the record; BLAKE3 of the bytes is the commit's id.
    ///
    /// Errors: a value that the format refuses, in the words with which decoding refuses it.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let value =
            self.to_value().map_err(|error| DecodeError::new(WHAT, 0, error.to_string()))?;
        let bytes = value.encode();
        // One set of rules, that of the decoder, holds for what is written too.
        if Self::decode(&bytes)? == *self {
            return Ok(bytes);
        }
        Err(DecodeError::new(WHAT, 0, "metrics must be ascending by name, each name once"))
    }

    /// Reads a record, strictly: every rule of `docs/format/commit.md` is checked.
    ///
    /// Cost: linear in the bytes, of which at most [`COMMIT_BYTES_MAX`] are accepted.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode_record(bytes, WHAT, COMMIT_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self {
                tree: fields.required("tree", Value::id)?,
                parents: fields.required("parents", read_parents)?,
                author: fields.required("author", |value| value.record(Author::read))?,
                time: fields.required("time", Value::instant)?,
                message: fields.required("message", |value| Ok(value.text()?.to_owned()))?,
                system: fields.required("system", |value| value.record(System::read))?,
                artifacts: fields.required("artifacts", read_artifacts)?,
                run: fields.optional("run", |value| value.record(Run::read))?,
                code: fields.optional("code", |value| value.record(Code::read))?,
                environment: fields.optional("environment", Value::id)?,
                fine_tune: fields.optional("fine_tune", |value| value.record(FineTune::read))?,
                overlaps: fields.optional("overlaps", Value::id)?,
            })
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("tree", self.tree);
        object.set("parents", Value::list(self.parents.clone()));
        object.set("author", self.author.to_value());
        object.set("time", Value::from_instant(self.time)?);
        object.set("message", self.message.as_str());
        object.set("system", self.system.to_value()?);
        object.set("artifacts", list_of(&self.artifacts, Artifact::to_value)?);
        object.set_some("run", self.run.as_ref().map(Run::to_value).transpose()?);
        object.set_some("code", self.code.as_ref().map(Code::to_value));
        object.set_some("environment", self.environment);
        object.set_some("fine_tune", self.fine_tune.as_ref().map(FineTune::to_value).transpose()?);
        object.set_some("overlaps", self.overlaps);
        Ok(object.into())
    }
}

impl Author {
    /// Reads name and email.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", filled_line)?,
            email: fields.required("email", line)?,
        })
    }

    /// Gives the JSON of the author.
    pub(super) fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("email", self.email.as_str());
        object.into()
    }
}

impl System {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            host: fields.optional("host", line)?,
            user: fields.optional("user", line)?,
            os: fields.optional("os", line)?,
            kernel: fields.optional("kernel", line)?,
            cpu: fields.optional("cpu", line)?,
            cores: fields.optional("cores", Value::counted)?,
            memory: fields.optional("memory", Value::counted)?,
            gpus: fields.optional("gpus", |list| list.items(|gpu| gpu.record(Gpu::read)))?,
            driver: fields.optional("driver", line)?,
            cuda: fields.optional("cuda", line)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set_some("host", self.host.as_deref());
        object.set_some("user", self.user.as_deref());
        object.set_some("os", self.os.as_deref());
        object.set_some("kernel", self.kernel.as_deref());
        object.set_some("cpu", self.cpu.as_deref());
        object.set_some("cores", self.cores.map(Value::count).transpose()?);
        object.set_some("memory", self.memory.map(Value::count).transpose()?);
        let gpus = self.gpus.as_ref().map(|gpus| list_of(gpus, Gpu::to_value));
        object.set_some("gpus", gpus.transpose()?);
        object.set_some("driver", self.driver.as_deref());
        object.set_some("cuda", self.cuda.as_deref());
        Ok(object.into())
    }
}

impl Gpu {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", line)?,
            memory: fields.optional("memory", Value::counted)?,
            uuid: fields.optional("uuid", line)?,
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set_some("memory", self.memory.map(Value::count).transpose()?);
        object.set_some("uuid", self.uuid.as_deref());
        Ok(object.into())
    }
}

fn read_parents(value: &Value) -> Result<Vec<ObjectId>, FieldError> {
    let parents = value.items(Value::id)?;
    if parents.len() > PARENTS_MAX {
        return Err(FieldError::new(format!("must not be more than {PARENTS_MAX}")));
    }
    let mut sorted = parents.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < parents.len() {
        return Err(FieldError::new("must not name a commit twice"));
    }
    Ok(parents)
}

fn read_artifacts(value: &Value) -> Result<Vec<Artifact>, FieldError> {
    let artifacts = value.items(|item| item.record(Artifact::read))?;
    ascending(&artifacts, |artifact| (artifact.path.as_str(), artifact.name.as_str()))?;
    Ok(artifacts)
}

/// Refuses items that are not strictly ascending by `key`.
pub(super) fn ascending<'a, T, K: Ord>(
    items: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Result<(), FieldError> {
    let out_of_order = items.windows(2).position(|pair| match pair {
        [before, after] => key(before) >= key(after),
        _ => false,
    });
    match out_of_order {
        None => Ok(()),
        Some(index) => Err(FieldError::new("must come after the one before").at(index + 1)),
    }
}

/// Reads a text of one line.
pub(super) fn line(value: &Value) -> Result<String, FieldError> {
    value.line(LINE_BYTES_MAX)
}

/// Reads a text of one line that is not empty.
pub(super) fn filled_line(value: &Value) -> Result<String, FieldError> {
    let text = line(value)?;
    if text.is_empty() {
        return Err(FieldError::new("must not be empty"));
    }
    Ok(text)
}

/// Reads a path: not empty, without NUL, of at most [`PATH_BYTES_MAX`] bytes.
pub(super) fn any_path(value: &Value) -> Result<String, FieldError> {
    let path = value.text()?;
    if path.is_empty() || path.len() > PATH_BYTES_MAX || path.contains('\0') {
        let reason = format!("must be a path of 1 to {PATH_BYTES_MAX} bytes, without NUL");
        return Err(FieldError::new(reason));
    }
    Ok(path.to_owned())
}

/// Spells a list whose items may be refused.
pub(super) fn list_of<T>(
    items: &[T],
    to_value: impl Fn(&T) -> Result<Value, FieldError>,
) -> Result<Value, FieldError> {
    items.iter().map(to_value).collect::<Result<Vec<_>, _>>().map(Value::List)
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;

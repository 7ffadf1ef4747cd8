//! What a run needs to be recorded, kept while its command runs.
//!
//! Specified in `docs/format/run-state.md`.

use crate::object::canonical::{FieldError, Object, Value, decode_record};
use crate::object::{Code, DecodeError, ObjectId, Timestamp};

/// Longest file in bytes.
pub const STATE_BYTES_MAX: usize = 4 << 20;

const WHAT: &str = "run state";
const SCHEMA: &str = "provenance/run-state/v1";

/// A run that is under way, or whose machine died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// Its name, or the beginning of one that is not taken.
    pub name: String,
    /// Whether the user gave the name.
    pub named: bool,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Where it was started, relative to the worktree's root.
    pub directory: String,
    /// When.
    pub started: Timestamp,
    /// What was staged then.
    pub tree: ObjectId,
    /// The commit that was checked out.
    pub parent: Option<ObjectId>,
    /// The branch that was checked out, in full.
    pub branch: Option<String>,
    /// Whether the branch may move on.
    pub advance: bool,
    /// What it reads.
    pub inputs: Vec<String>,
    /// What it writes.
    pub outputs: Vec<String>,
    /// Parameters that were known before.
    pub params: Object,
    /// Files of parameters.
    pub params_files: Vec<String>,
    /// Files of metrics.
    pub metrics_files: Vec<String>,
    /// The git checkout around it.
    pub code: Option<Code>,
    /// What it runs in: the id of the file `environment.json`.
    pub environment: Option<ObjectId>,
    /// Whether the files that it opens are seen.
    pub trace: bool,
    /// What the user says of it.
    pub message: String,
    /// The command as typed, for the journal.
    pub journal: String,
}

impl RunState {
    /// Gives the bytes of the file.
    ///
    /// Errors: a time that no record can spell.
    pub fn encode(&self) -> Result<Vec<u8>, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("name", self.name.as_str());
        object.set("named", self.named);
        object.set("command", Value::list(self.command.clone()));
        object.set("directory", self.directory.as_str());
        object.set("started", Value::from_instant(self.started)?);
        object.set("tree", self.tree);
        object.set_some("parent", self.parent);
        object.set_some("branch", self.branch.as_deref());
        object.set("advance", self.advance);
        object.set("inputs", Value::list(self.inputs.clone()));
        object.set("outputs", Value::list(self.outputs.clone()));
        object.set("params", self.params.clone());
        object.set("params_files", Value::list(self.params_files.clone()));
        object.set("metrics_files", Value::list(self.metrics_files.clone()));
        object.set_some("code", self.code.as_ref().map(Code::to_value));
        object.set_some("environment", self.environment);
        object.set_some("trace", self.trace.then_some(true));
        object.set("message", self.message.as_str());
        object.set("journal", self.journal.as_str());
        Ok(Value::from(object).encode())
    }

    /// Takes the bytes of the file.
    ///
    /// Errors: anything that `encode` does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, STATE_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self {
                name: fields.required("name", text)?,
                named: fields.required("named", Value::boolean)?,
                command: fields.required("command", texts)?,
                directory: fields.required("directory", text)?,
                started: fields.required("started", Value::instant)?,
                tree: fields.required("tree", Value::id)?,
                parent: fields.optional("parent", Value::id)?,
                branch: fields.optional("branch", text)?,
                advance: fields.required("advance", Value::boolean)?,
                inputs: fields.required("inputs", texts)?,
                outputs: fields.required("outputs", texts)?,
                params: fields.required("params", |value| value.object().cloned())?,
                params_files: fields.required("params_files", texts)?,
                metrics_files: fields.required("metrics_files", texts)?,
                code: fields.optional("code", |value| value.record(Code::read))?,
                environment: fields.optional("environment", Value::id)?,
                trace: fields.optional("trace", only_true)?.is_some(),
                message: fields.required("message", text)?,
                journal: fields.required("journal", text)?,
            })
        })
    }
}

fn only_true(value: &Value) -> Result<bool, FieldError> {
    match value.boolean()? {
        true => Ok(true),
        false => Err(FieldError::new("must be true, or absent")),
    }
}

fn text(value: &Value) -> Result<String, FieldError> {
    value.text().map(str::to_owned)
}

fn texts(value: &Value) -> Result<Vec<String>, FieldError> {
    value.items(text)
}

//! One execution as a commit records it: command, parameters, inputs, outputs, results.

use super::artifact::Content;
use super::canonical::{FieldError, Fields, Number, Object, Value};
use super::commit::{any_path, ascending, filled_line, list_of};
use super::trace::{Trace, only_true};
use super::{ObjectId, Timestamp};

/// One execution. Source: `docs/format/commit.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Name under which it is found again, unique among the refs `runs/`; not empty.
    pub name: String,
    /// Program and arguments, at least the program.
    pub command: Vec<String>,
    /// Where it was started, relative to the worktree's root, `.` for the root itself.
    pub directory: String,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended; absent where nobody saw it.
    pub ended: Option<Timestamp>,
    /// What it exited with, 128 + n after signal n; absent where nobody saw it.
    pub exit_code: Option<u8>,
    /// Settings, by name.
    pub params: Params,
    /// Results, by name.
    pub metrics: Metrics,
    /// What it read, strictly ascending by path.
    pub inputs: Vec<Input>,
    /// What it wrote, strictly ascending by path.
    pub outputs: Vec<Output>,
    /// What it printed.
    pub log: Option<ObjectId>,
    /// What it used up.
    pub resources: Resources,
    /// Which files it opened, where that was seen.
    pub trace: Option<Trace>,
}

/// Parameters of a run, inside the record or beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Params {
    /// Any JSON values under their names.
    Here(Object),
    /// A canonical JSON document that is attached, because it is large.
    Attached(ObjectId),
}

/// Metrics of a run, inside the record or beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metrics {
    /// Names, strictly ascending in the order of canonical JSON, and what was measured.
    Here(Vec<(String, Metric)>),
    /// A canonical JSON document of the same shape that is attached, because it is large.
    Attached(ObjectId),
}

/// What was measured under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// Once.
    Single(Reading),
    /// Step by step.
    Series(Series),
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A number.
    Number(Number),
    /// What canonical JSON cannot hold as a number: `NaN`, `Infinity`, or digits as they came.
    Text(String),
}

/// What the record keeps of a metric that has many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// How many values, at least one.
    pub count: u64,
    /// The first value.
    pub first: Reading,
    /// The last value.
    pub last: Reading,
    /// The smallest number; absent where there is none.
    pub min: Option<Number>,
    /// The largest number; absent where there is none.
    pub max: Option<Number>,
    /// The attachment that holds all values.
    pub series: Option<ObjectId>,
}

/// What a run read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it was: relative to the worktree's root, or absolute outside of it.
    pub path: String,
    /// What it was.
    pub content: Content,
    /// The commit that made it, where one is known.
    pub commit: Option<ObjectId>,
    /// Whether it was seen to be read, and not declared.
    pub is_observed: bool,
}

/// What a run wrote, or should have written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it is: relative to the worktree's root, or absolute outside of it.
    pub path: String,
    /// What it is; nothing where it was declared and is missing.
    pub content: Option<Content>,
    /// Whether it was seen to be written, and not declared.
    pub is_observed: bool,
}

/// What a run used up, as far as it was measured, over all its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Time that passed, in milliseconds.
    pub elapsed_ms: Option<u64>,
    /// Time on processors in user mode, in milliseconds.
    pub user_ms: Option<u64>,
    /// Time on processors in the kernel, in milliseconds.
    pub system_ms: Option<u64>,
    /// Most main memory at one time, in bytes.
    pub memory_bytes_max: Option<u64>,
    /// Bytes read from disks.
    pub read_bytes: Option<u64>,
    /// Bytes written to disks.
    pub written_bytes: Option<u64>,
}

impl Run {
    /// Reads the object `run`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", filled_line)?,
            command: fields.required("command", command)?,
            directory: fields.required("directory", any_path)?,
            started: fields.required("started", Value::instant)?,
            ended: fields.optional("ended", Value::instant)?,
            exit_code: fields.optional("exit_code", exit_code)?,
            params: fields.required("params", Params::read)?,
            metrics: fields.required("metrics", Metrics::read)?,
            inputs: fields.required("inputs", |value| {
                let inputs = value.items(|item| item.record(Input::read))?;
                ascending(&inputs, |input| input.path.as_str())?;
                Ok(inputs)
            })?,
            outputs: fields.required("outputs", |value| {
                let outputs = value.items(|item| item.record(Output::read))?;
                ascending(&outputs, |output| output.path.as_str())?;
                Ok(outputs)
            })?,
            log: fields.optional("log", Value::id)?,
            resources: fields.required("resources", |value| value.record(Resources::read))?,
            trace: fields.optional("trace", |value| value.record(Trace::read))?,
        })
    }

    /// Gives the object `run`.
    pub(super) fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("command", Value::list(self.command.clone()));
        object.set("directory", self.directory.as_str());
        object.set("started", Value::from_instant(self.started)?);
        object.set_some("ended", self.ended.map(Value::from_instant).transpose()?);
        object.set_some(
            "exit_code",
            self.exit_code.map(|code| Value::count(code.into())).transpose()?,
        );
        object.set("params", self.params.to_value());
        object.set("metrics", self.metrics.to_value()?);
        object.set("inputs", list_of(&self.inputs, Input::to_value)?);
        object.set("outputs", list_of(&self.outputs, Output::to_value)?);
        object.set_some("log", self.log);
        object.set("resources", self.resources.to_value()?);
        object.set_some("trace", self.trace.map(Trace::to_value).transpose()?);
        Ok(object.into())
    }
}

impl Params {
    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Text(_) => value.id().map(Self::Attached),
            _ => value.object().cloned().map(Self::Here),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Here(object) => object.clone().into(),
            Self::Attached(id) => (*id).into(),
        }
    }
}

impl Metrics {
    /// Gives the canonical JSON under which they are attached where they are large.
    ///
    /// Errors: a count that no number of JSON holds.
    pub fn encode(&self) -> Result<Vec<u8>, FieldError> {
        Ok(self.to_value()?.encode())
    }

    /// Reads attached metrics: what [`Metrics::encode`] gave, as canonical JSON.
    pub fn from_value(value: &Value) -> Result<Self, FieldError> {
        Self::read(value)
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        if let Value::Text(_) = value {
            return value.id().map(Self::Attached);
        }
        let named = value.object()?.iter().map(|(name, metric)| {
            let metric = Metric::read(metric).map_err(|error| error.under(name))?;
            Ok((name.to_owned(), metric))
        });
        named.collect::<Result<_, _>>().map(Self::Here)
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let named = match self {
            Self::Attached(id) => return Ok((*id).into()),
            Self::Here(named) => named,
        };
        let mut object = Object::new();
        for (name, metric) in named {
            object.set(name.as_str(), metric.to_value()?);
        }
        Ok(object.into())
    }
}

impl Metric {
    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(_) => value.record(Series::read).map(Self::Series),
            _ => Reading::read(value).map(Self::Single),
        }
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        match self {
            Self::Single(reading) => Ok(reading.to_value()),
            Self::Series(series) => series.to_value(),
        }
    }
}

impl Reading {
    /// Reads a number, or a text for what is none.
    pub(super) fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Number(number) => Ok(Self::Number(*number)),
            Value::Text(_) => filled_line(value).map(Self::Text),
            _ => Err(FieldError::new("must be a number or a text")),
        }
    }

    /// Gives the JSON.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl Series {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            count: fields.required("count", |value| match value.counted()? {
                0 => Err(FieldError::new("must be at least 1")),
                count => Ok(count),
            })?,
            first: fields.required("first", Reading::read)?,
            last: fields.required("last", Reading::read)?,
            min: fields.optional("min", Value::number)?,
            max: fields.optional("max", Value::number)?,
            series: fields.optional("series", Value::id)?,
        })
    }

    /// Gives the JSON.
    ///
    /// Errors: a count that no number of JSON holds.
    pub fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("count", Value::count(self.count)?);
        object.set("first", self.first.to_value());
        object.set("last", self.last.to_value());
        object.set_some("min", self.min);
        object.set_some("max", self.max);
        object.set_some("series", self.series);
        Ok(object.into())
    }
}

impl Input {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            path: fields.required("path", any_path)?,
            content: Content::read(fields)?,
            commit: fields.optional("commit", Value::id)?,
            is_observed: fields.optional("observed", only_true)?.is_some(),
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("path", self.path.as_str());
        self.content.write(&mut object)?;
        object.set_some("commit", self.commit);
        object.set_some("observed", self.is_observed.then_some(true));
        Ok(object.into())
    }
}

impl Output {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        let path = fields.required("path", any_path)?;
        let content = match fields.has("id") {
            true => Some(Content::read(fields)?),
            false => None,
        };
        let is_observed = fields.optional("observed", only_true)?.is_some();
        Ok(Self { path, content, is_observed })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("path", self.path.as_str());
        self.content.as_ref().map_or(Ok(()), |content| content.write(&mut object))?;
        object.set_some("observed", self.is_observed.then_some(true));
        Ok(object.into())
    }
}

impl Resources {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            elapsed_ms: fields.optional("elapsed_ms", Value::counted)?,
            user_ms: fields.optional("user_ms", Value::counted)?,
            system_ms: fields.optional("system_ms", Value::counted)?,
            memory_bytes_max: fields.optional("memory_bytes_max", Value::counted)?,
            read_bytes: fields.optional("read_bytes", Value::counted)?,
            written_bytes: fields.optional("written_bytes", Value::counted)?,
        })
    }

    fn to_value(self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        for (name, count) in [
            ("elapsed_ms", self.elapsed_ms),
            ("user_ms", self.user_ms),
            ("system_ms", self.system_ms),
            ("memory_bytes_max", self.memory_bytes_max),
            ("read_bytes", self.read_bytes),
            ("written_bytes", self.written_bytes),
        ] {
            object.set_some(name, count.map(Value::count).transpose()?);
        }
        Ok(object.into())
    }
}

fn command(value: &Value) -> Result<Vec<String>, FieldError> {
    let words = value.items(|word| Ok(word.text()?.to_owned()))?;
    match words.first().is_some_and(|program| !program.is_empty()) {
        true => Ok(words),
        false => Err(FieldError::new("must name a program")),
    }
}

fn exit_code(value: &Value) -> Result<u8, FieldError> {
    let code = u8::try_from(value.counted()?);
    code.map_err(|_| FieldError::new("must be from 0 to 255"))
}

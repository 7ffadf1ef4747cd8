//! A commit that a line describes: a record in which much may be left out, to a whole record.
//!
//! What may be left out is in `docs/format/exchange.md`. The checks are those of a commit's own
//! decoder. What was not recorded is said to be unknown; nothing of this machine gets in.

use super::line::{Named, ref_name};
use crate::capture::metrics::series_of;
use crate::capture::redact;
use crate::object::canonical::{FieldError, Fields, Object, Value};
use crate::object::{ArtifactKind, Commit, ObjectId, Reading, Timestamp, TreePath};
use crate::repo::ref_name::RefKind;
use crate::worktree::detect;

/// Stands for a command that nobody wrote down.
const UNKNOWN: &str = "unknown";

/// Longest parameters, metrics or environment that stay in the record, bytes of their JSON.
const VALUES_BYTES_MAX: usize = 256 << 10;

/// A commit to be made.
#[derive(Debug)]
pub(super) struct Described {
    /// Under which later lines name it.
    pub label: Option<String>,
    /// The ref that is to name it.
    pub ref_name: Option<String>,
    pub parents: Vec<Named>,
    /// The record; its parents are not looked up yet, and its files not taken in.
    pub record: Object,
    /// Its commit, if nothing has to be looked up.
    pub commit: Option<(Vec<u8>, Commit)>,
    /// What is kept beside the record.
    pub attachments: Vec<Vec<u8>>,
    /// Where the files lie that are to be taken in, ascending, each once.
    pub files: Vec<TreePath>,
    /// Those among them that are taken in under the same path, and must be there.
    pub listed: Vec<TreePath>,
}

/// Reads a line with a `record` and no `commit`.
pub(super) fn describe(fields: &mut Fields<'_>) -> Result<Described, FieldError> {
    let label = fields.optional("label", |value| match value.text()? {
        "" => Err(FieldError::new("must not be empty")),
        label => Ok(label.to_owned()),
    })?;
    let given = match fields.has("ref") {
        true => Some(fields.required("ref", |value| match value {
            Value::Null => Ok(None),
            name => ref_name(name).map(Some),
        })?),
        false => None,
    };
    let mut described =
        fields.required("record", |value| value.record(|record| read_record(record)))?;
    let name = described.record.find("run").and_then(|run| run.object().ok()?.find("name"));
    let name = name.and_then(|name| name.text().ok()).map(str::to_owned);
    described.ref_name = match (given, &name) {
        (Some(given), _) => given,
        (None, Some(name)) => Some(RefKind::Run.full_name(name).map_err(|error| {
            FieldError::new(error.to_string()).under("name").under("run").under("record")
        })?),
        (None, None) => None,
    };
    described.label = label.or(name);
    let is_ready = described.files.is_empty()
        && described.parents.iter().all(|parent| matches!(parent, Named::Id(_)));
    if is_ready {
        let bytes = Value::from(described.record.clone()).encode();
        let commit = checked(&bytes)?;
        described.commit = Some((bytes, commit));
    }
    Ok(described)
}

/// Checks the bytes of a record by the rules of every commit.
pub(super) fn checked(bytes: &[u8]) -> Result<Commit, FieldError> {
    Commit::decode(bytes).map_err(|error| FieldError::new(error.reason).under("record"))
}

fn read_record(fields: &mut Fields<'_>) -> Result<Described, FieldError> {
    let mut described = Described {
        label: None,
        ref_name: None,
        parents: Vec::new(),
        record: Object::new(),
        commit: None,
        attachments: Vec::new(),
        files: Vec::new(),
        listed: Vec::new(),
    };
    if fields.has("schema") {
        fields.schema("provenance/commit/v1")?;
    }
    described.parents =
        fields.optional("parents", |value| value.items(Named::read))?.unwrap_or_default();
    let paths = fields.optional("files", |value| value.items(tree_path))?.unwrap_or_default();
    described.files.extend(paths.iter().cloned());
    described.listed = paths;
    let mut times = (None, None);
    let run = fields
        .optional("run", |value| value.record(|run| read_run(run, &mut described, &mut times)))?;
    let time = fields.optional("time", instant)?.or(times.1).or(times.0);
    let time = time.ok_or_else(|| FieldError::new("time is missing"))?;
    let name = run.as_ref().and_then(|run| run.find("name")).and_then(|name| name.text().ok());
    let message = fields.optional("message", |value| Ok(value.text()?.to_owned()))?;
    let message = message.or_else(|| name.map(|name| format!("run {name}")));
    let message = message.ok_or_else(|| FieldError::new("message is missing"))?;
    let author = fields.optional("author", |value| Ok(value.clone()))?.unwrap_or_else(unknown);
    let as_is = |value: &Value| Ok::<_, FieldError>(value.clone());
    let system = fields.optional("system", as_is)?.unwrap_or_else(|| Object::new().into());
    let (code, fine_tune) = (fields.optional("code", as_is)?, fields.optional("fine_tune", as_is)?);
    let environment = fields.optional("environment", |value| {
        Ok(match value {
            Value::Object(document) => {
                let document = Value::from(redact::object(document)).encode();
                let id = ObjectId::of(&document);
                described.attachments.push(document);
                id.into()
            }
            other => other.clone(),
        })
    })?;
    let record = &mut described.record;
    record.set("schema", "provenance/commit/v1");
    record.set("tree", crate::object::tree::EMPTY_TREE);
    let parents = described.parents.iter().filter_map(|parent| match parent {
        Named::Id(id) => Some(*id),
        Named::Label(_) => None,
    });
    record.set("parents", Value::list(parents));
    record.set("author", author);
    record.set("time", Value::from_instant(time)?);
    record.set("message", redact::text(&message).into_owned());
    record.set("system", system);
    record.set("artifacts", Value::List(Vec::new()));
    record.set_some("run", run);
    record.set_some("code", code);
    record.set_some("environment", environment);
    record.set_some("fine_tune", fine_tune);
    described.files.sort();
    described.files.dedup();
    Ok(described)
}

fn unknown() -> Value {
    let mut author = Object::new();
    author.set("name", UNKNOWN);
    author.set("email", "");
    author.into()
}

/// Reads a run; gives its record, and when it began and ended.
fn read_run(
    fields: &mut Fields<'_>,
    described: &mut Described,
    times: &mut (Option<Timestamp>, Option<Timestamp>),
) -> Result<Object, FieldError> {
    let mut run = Object::new();
    run.set("name", fields.required("name", |value| Ok(value.text()?.to_owned()))?);
    let command = fields.optional("command", |value| match value {
        Value::Text(text) => Ok(vec![text.clone()]),
        words => words.items(|word| Ok(word.text()?.to_owned())),
    })?;
    let command = command.unwrap_or_else(|| vec![UNKNOWN.to_owned()]);
    run.set("command", Value::list(redact::arguments(&command)));
    let directory = fields.optional("directory", |value| Ok(value.clone()))?;
    run.set("directory", directory.unwrap_or_else(|| ".".into()));
    times.0 = Some(fields.required("started", instant)?);
    times.1 = fields.optional("ended", instant)?;
    run.set_some("started", times.0.map(Value::from_instant).transpose()?);
    run.set_some("ended", times.1.map(Value::from_instant).transpose()?);
    run.set_some("exit_code", fields.optional("exit_code", |value| Ok(value.clone()))?);
    let params = fields.optional("params", |value| Ok(redact::object(value.object()?)))?;
    run.set("params", described.small(params.unwrap_or_default()));
    let metrics = fields.optional("metrics", |value| described.metrics(value.object()?))?;
    run.set("metrics", described.small(metrics.unwrap_or_default()));
    let inputs = fields.optional("inputs", |value| described.uses(value, true))?;
    run.set("inputs", Value::List(inputs.unwrap_or_default()));
    let outputs = fields.optional("outputs", |value| described.uses(value, false))?;
    run.set("outputs", Value::List(outputs.unwrap_or_default()));
    let log = fields.optional("log", |value| match value {
        Value::Object(_) => {
            let text = value.record(|log| log.required("text", |text| Ok(text.text()?.to_owned())));
            let text = redact::text(&text?).into_owned().into_bytes();
            let id = ObjectId::of(&text);
            described.attachments.push(text);
            Ok(id.into())
        }
        id => Ok(id.clone()),
    })?;
    run.set_some("log", log);
    let resources = fields.optional("resources", |value| Ok(value.clone()))?;
    run.set("resources", resources.unwrap_or_else(|| Object::new().into()));
    Ok(run)
}

impl Described {
    /// Puts values into the record, or beside it where they are large.
    fn small(&mut self, values: Object) -> Value {
        // A name and a value of one digit take at least five bytes; most are far from the limit.
        let value = Value::from(values);
        let bytes = value.encode();
        if bytes.len() <= VALUES_BYTES_MAX {
            return value;
        }
        let id = ObjectId::of(&bytes);
        self.attachments.push(bytes);
        id.into()
    }

    /// Reads metrics: of a list all values, of anything else what it is.
    fn metrics(&mut self, metrics: &Object) -> Result<Object, FieldError> {
        let mut read = Vec::with_capacity(metrics.len());
        for (name, value) in metrics.iter() {
            let metric = match value {
                Value::List(_) => self.series(Vec::new(), readings(value)),
                Value::Object(object) if object.find("values").is_some() => {
                    value.record(|fields| {
                        let values = fields.required("values", readings);
                        let step = |value: &Value| match value {
                            Value::Null => Ok(None),
                            step => step.number().map(Some),
                        };
                        let steps = fields.optional("steps", |steps| steps.items(step))?;
                        self.series(steps.unwrap_or_default(), values)
                    })
                }
                other => Ok(other.clone()),
            };
            read.push((name.to_owned(), metric.map_err(|error| error.under(name))?));
        }
        // Each name is there once, so that nothing can be refused.
        Ok(Object::from_members(read).unwrap_or_default())
    }

    fn series(
        &mut self,
        steps: Vec<Option<crate::object::canonical::Number>>,
        values: Result<Vec<Reading>, FieldError>,
    ) -> Result<Value, FieldError> {
        let values = values?;
        if !steps.is_empty() && steps.len() != values.len() {
            return Err(FieldError::new("must be as many as values").under("steps"));
        }
        let Some((series, bytes)) = series_of(steps, values) else {
            return Err(FieldError::new("must not be empty"));
        };
        self.attachments.push(bytes);
        series.to_value()
    }

    /// Reads inputs or outputs, sorted; one without an id is a file to be taken in.
    fn uses(&mut self, value: &Value, is_input: bool) -> Result<Vec<Value>, FieldError> {
        let read = |item: &Value| {
            item.record(|fields| {
                let path = fields.required("path", |value| Ok(value.text()?.to_owned()))?;
                let kind = fields.optional("kind", |kind| Ok(kind.clone()))?;
                let as_is = |value: &Value| Ok::<_, FieldError>(value.clone());
                let mut used = Object::new();
                used.set("path", path.as_str());
                let id = fields.optional("id", as_is)?;
                if is_input {
                    used.set_some("commit", fields.optional("commit", as_is)?);
                }
                let (files, bytes) =
                    (fields.optional("files", as_is)?, fields.optional("bytes", as_is)?);
                let from = fields.optional("from", |from| tree_path(from).map(|_| from.clone()))?;
                let is_known = id.is_some();
                if is_known {
                    let one = Value::count(1)?;
                    let known = kind.unwrap_or_else(|| kind_of(&path).as_str().into());
                    used.set("kind", known);
                    used.set("files", files.unwrap_or(one));
                    used.set_some("bytes", bytes);
                } else {
                    used.set_some("kind", kind);
                    used.set_some("from", from);
                }
                used.set_some("id", id);
                Ok((path, used, is_known))
            })
        };
        let mut used = value.items(read)?;
        used.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, item, _) in used.iter().filter(|(_, _, is_known)| !is_known) {
            let path = tree_path(&Value::from(path.as_str()))?;
            let from = item.find("from").map(tree_path).transpose()?;
            self.files.push(from.unwrap_or(path));
        }
        Ok(used.into_iter().map(|(_, used, _)| used.into()).collect())
    }
}

/// Guesses what a file is by its name.
pub(super) fn kind_of(path: &str) -> ArtifactKind {
    detect::file_kind(path.rsplit('/').next().unwrap_or(path).as_bytes())
}

fn readings(value: &Value) -> Result<Vec<Reading>, FieldError> {
    value.items(|item| match item {
        Value::Number(number) => Ok(Reading::Number(*number)),
        Value::Text(text) => Ok(Reading::Text(text.clone())),
        _ => Err(FieldError::new("must be a number or a text")),
    })
}

fn tree_path(value: &Value) -> Result<TreePath, FieldError> {
    TreePath::new(value.text()?).map_err(|error| FieldError::new(error.to_string()))
}

/// Reads a time: RFC 3339 of any zone, or milliseconds since 1970.
fn instant(value: &Value) -> Result<Timestamp, FieldError> {
    let refused = || FieldError::new("must be a time like 2026-07-31T09:30:00Z, or milliseconds");
    let at = match value {
        Value::Number(ms) => ms.as_i64().map(Timestamp),
        Value::Text(text) => Timestamp::parse_record(text).or_else(|| {
            let at: jiff::Timestamp = text.parse().ok()?;
            Some(Timestamp(at.as_millisecond()))
        }),
        _ => None,
    };
    at.filter(|at| at.to_record().is_some()).ok_or_else(refused)
}

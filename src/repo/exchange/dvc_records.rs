//! The records of what DVC has: one of a git commit, one of a stage that was run.

use super::describe::{checked, describe};
use super::dvc_contents::{Item, Taken, Used};
use crate::capture::dvc::{GitCommit, Stage, Tracked};
use crate::capture::mlflow::ref_name;
use crate::object::ObjectId;
use crate::object::canonical::{Object, Value};
use crate::object::tree::Target;

/// Most artifacts that one record lists; its tree has all of them.
pub(super) const ARTIFACTS_MAX: usize = 1024;

/// What records are made of.
pub(super) struct Of<'o> {
    pub git: &'o GitCommit,
    pub taken: &'o Taken,
    pub address: Option<&'o str>,
}

/// A record's bytes, and what is kept beside it.
type Made = (Vec<u8>, Vec<Vec<u8>>);

/// Makes the record of a git commit.
///
/// Errors: in words.
pub(super) fn commit(of: &Of<'_>, parents: &[ObjectId]) -> Result<Made, String> {
    let mut record = begin(of);
    record.set("parents", Value::list(parents.iter().copied()));
    record.set("message", of.git.message.trim_end_matches('\n'));
    finish(record, of)
}

/// Makes the record of a run.
///
/// Errors: in words.
pub(super) fn run(
    of: &Of<'_>,
    stage: &Stage,
    used: &Used,
    parent: ObjectId,
    name: &str,
) -> Result<Made, String> {
    let mut run = Object::new();
    run.set("name", name);
    run.set("command", stage.command.as_str());
    run.set("directory", stage.directory.as_str());
    // DVC does not say when; it was before the commit.
    run.set("started", Value::from_instant(of.git.time).map_err(|error| error.to_string())?);
    let mut params: Vec<(String, Value)> =
        stage.params.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let mut dvc = Object::new();
    dvc.set("stage", stage.name.as_str());
    for (role, tracked) in [("deps", &stage.inputs), ("outs", &stage.outputs)] {
        let absent = tracked.iter().filter(|one| !used.items.contains_key(&one.path));
        let absent = absent.map(named).collect::<Result<Vec<_>, _>>()?;
        dvc.set_some(role, (!absent.is_empty()).then_some(Value::List(absent)));
    }
    params.push(("dvc".to_owned(), dvc.into()));
    let params = Object::from_members(params)
        .map_err(|name| format!("a parameter is called {name:?}, as what DVC says is here"))?;
    run.set("params", params);
    run.set("metrics", used.metrics.clone());
    run.set("inputs", uses(&stage.inputs, used)?);
    run.set("outputs", uses(&stage.outputs, used)?);
    let mut record = begin(of);
    record.set("parents", Value::list([parent]));
    record.set("run", run);
    finish(record, of)
}

/// Makes the name of a run: its stage, and the first digits of the git commit.
pub(super) fn run_name(stage: &str, commit: &str) -> String {
    ref_name(stage, commit, "dvc")
}

fn begin(of: &Of<'_>) -> Object {
    let mut author = Object::new();
    let name = of.git.author.trim();
    author.set("name", if name.is_empty() { "unknown" } else { name });
    author.set("email", of.git.email.as_str());
    let mut code = Object::new();
    code.set("git_commit", of.git.id.as_str());
    code.set("dirty", false);
    code.set_some("repository", of.address);
    let mut record = Object::new();
    record.set("author", author);
    record.set("code", code);
    record.set("time", Value::from(of.git.time.to_record().unwrap_or_default()));
    record
}

/// Completes a record as one that a stream describes, and checks it.
fn finish(record: Object, of: &Of<'_>) -> Result<Made, String> {
    let mut line = Object::new();
    line.set("record", record);
    let described = Value::from(line).record(describe).map_err(|error| error.to_string())?;
    let mut record = described.record;
    record.set("tree", of.taken.tree);
    let mut artifacts = Vec::new();
    for (path, item) in of.taken.items.iter().take(ARTIFACTS_MAX) {
        let mut artifact = content(path, item)?;
        artifact.set("name", path.as_str());
        artifacts.push(Value::from(artifact));
    }
    record.set("artifacts", Value::List(artifacts));
    let bytes = Value::from(record).encode();
    checked(&bytes).map_err(|error| error.to_string())?;
    Ok((bytes, described.attachments))
}

/// Names content that nobody has here, as DVC does.
fn named(tracked: &Tracked) -> Result<Value, String> {
    let mut named = Object::new();
    named.set("path", tracked.path.as_str());
    named.set("md5", tracked.name());
    let bytes = tracked.bytes.map(Value::count).transpose();
    named.set_some("size", bytes.map_err(|error| error.to_string())?);
    Ok(named.into())
}

/// Lists what was used and is known by its content; the others are in `params.dvc`.
fn uses(tracked: &[Tracked], used: &Used) -> Result<Value, String> {
    let mut uses = Vec::new();
    for one in tracked {
        if let Some(item) = used.items.get(&one.path) {
            uses.push(Value::from(content(&one.path, item)?));
        }
    }
    Ok(Value::List(uses))
}

fn content(path: &str, item: &Item) -> Result<Object, String> {
    let (files, bytes) = match item.target {
        Target::File { size, .. } => (1, size),
        Target::Directory { files, bytes, .. } => (files, bytes),
        _ => (1, 0),
    };
    let count = |count| Value::count(count).map_err(|error| error.to_string());
    let mut content = Object::new();
    content.set("path", path);
    content.set("kind", item.kind.as_str());
    content.set("id", item.target.id());
    content.set("files", count(files)?);
    content.set("bytes", count(bytes)?);
    Ok(content)
}

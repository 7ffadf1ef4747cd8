//! What differs between two runs beside their files: parameters, metrics, code, machine, packages.

use std::collections::BTreeMap;

use super::data_diff::data_diff;
use super::revision::Resolver;
use super::runs::field;
use super::{Error, Repository};
use crate::object::canonical::{self, Object, Value};
use crate::object::{Commit, Metrics, ObjectId, Params, Run, System};
use crate::store::Reader;

/// Longest description of an environment that is compared, bytes.
const ENVIRONMENT_BYTES_MAX: usize = 16 << 20;

/// One value that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueDiff {
    /// Its name.
    pub name: String,
    /// What it was; none if it was not there.
    pub old: Option<String>,
    /// What it is; none if it is not there any more.
    pub new: Option<String>,
    /// How much it grew, where both are numbers.
    pub delta: Option<f64>,
}

/// What differs between two commits beside their files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunDiff {
    /// What tables hold, by artifact.
    pub data: Vec<ValueDiff>,
    /// Parameters, by name.
    pub params: Vec<ValueDiff>,
    /// Metrics, of series their last value, by name.
    pub metrics: Vec<ValueDiff>,
    /// Command, exit code, git commit, machine, base model.
    pub facts: Vec<ValueDiff>,
    /// Installed packages and the interpreter, by name.
    pub packages: Vec<ValueDiff>,
}

impl RunDiff {
    /// Lists the parts that differ, what a person looks for first, first.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &[ValueDiff])> {
        let parts = [
            ("Params", &self.params),
            ("Metrics", &self.metrics),
            ("Data", &self.data),
            ("Run", &self.facts),
            ("Packages", &self.packages),
        ];
        parts
            .into_iter()
            .map(|(name, diffs)| (name, diffs.as_slice()))
            .filter(|(_, d)| !d.is_empty())
    }
}

/// Compares the runs of two commits, as typed: two names, or `A..B`.
///
/// Shape: `None` if these are not two commits, or of no runs and with the same data.
pub fn run_diff(repository: &Repository, names: &[Vec<u8>]) -> Result<Option<RunDiff>, Error> {
    let Some((old, new)) = two(names) else { return Ok(None) };
    let mut resolver = Resolver::new(repository)?;
    // A directory of a commit is compared as files alone.
    let (Ok(old), Ok(new)) = (resolver.commit(&old), resolver.commit(&new)) else {
        return Ok(None);
    };
    let mut reader = repository.store.reader();
    let (old, new) = (reader.commit(&old)?, reader.commit(&new)?);
    let data = data_diff(&mut reader, &old, &new)?;
    let (Some(old_run), Some(new_run)) = (&old.run, &new.run) else {
        return Ok((!data.is_empty()).then(|| RunDiff { data, ..RunDiff::default() }));
    };
    let values = |names: fn(&Run) -> Vec<String>| {
        let of = |commit: &Commit, run: &Run| -> BTreeMap<String, String> {
            let value = |name: String| {
                let text = field(commit, run, &name)?.text().into_owned();
                Some((name.split_once('.')?.1.to_owned(), text))
            };
            names(run).into_iter().filter_map(value).collect()
        };
        compared(&of(&old, old_run), &of(&new, new_run))
    };
    Ok(Some(RunDiff {
        data,
        params: values(param_names),
        metrics: values(metric_names),
        facts: compared(&facts(&old, old_run), &facts(&new, new_run)),
        packages: compared(
            &packages(&mut reader, old.environment)?,
            &packages(&mut reader, new.environment)?,
        ),
    }))
}

/// Takes two names apart, or `A..B`.
fn two(names: &[Vec<u8>]) -> Option<(Vec<u8>, Vec<u8>)> {
    match names {
        [old, new] => Some((old.clone(), new.clone())),
        [range] => {
            let at = range.windows(2).position(|pair| pair == b"..")?;
            let (old, new) = (range.get(..at)?, range.get(at + 2..)?);
            (!old.is_empty() && !new.is_empty()).then(|| (old.to_vec(), new.to_vec()))
        }
        _ => None,
    }
}

pub(super) fn compared(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<ValueDiff> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let mut diffs = Vec::new();
    for name in names {
        let (old, new) = (old.get(name).cloned(), new.get(name).cloned());
        if old == new {
            continue;
        }
        let number = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
        let delta = number(&new).zip(number(&old)).map(|(new, old)| new - old);
        let delta = delta.filter(|delta| delta.is_finite());
        diffs.push(ValueDiff { name: name.clone(), old, new, delta });
    }
    diffs
}

/// Names every parameter, those inside of others too.
fn param_names(run: &Run) -> Vec<String> {
    fn add(value: &Value, name: &str, names: &mut Vec<String>) {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                inner.iter().for_each(|(key, value)| add(value, &format!("{name}.{key}"), names));
            }
            _ => names.push(name.to_owned()),
        }
    }
    let mut names = Vec::new();
    if let Params::Here(params) = &run.params {
        params.iter().for_each(|(name, value)| add(value, &format!("params.{name}"), &mut names));
    }
    names
}

fn metric_names(run: &Run) -> Vec<String> {
    match &run.metrics {
        Metrics::Here(metrics) => {
            metrics.iter().map(|(name, _)| format!("metrics.{name}")).collect()
        }
        Metrics::Attached(_) => Vec::new(),
    }
}

fn facts(commit: &Commit, run: &Run) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("command", Some(run.command.join(" ")));
    put("exit code", run.exit_code.map(|code| code.to_string()));
    let code = commit.code.as_ref();
    put("git commit", code.and_then(|code| code.git_commit.clone()));
    put("git changes", code.and_then(|code| Some(code.changes?.short())));
    put("base model", commit.fine_tune.as_ref().and_then(|tuned| tuned.base.clone()));
    facts.extend(machine(&commit.system));
    facts
}

/// Tells what of a machine can change a result.
pub(super) fn machine(system: &System) -> BTreeMap<String, String> {
    let gpus = system.gpus.iter().flatten().map(|gpu| gpu.name.clone());
    let gpus = Some(gpus.collect::<Vec<_>>().join(", ")).filter(|gpus| !gpus.is_empty());
    let facts = [
        ("host", system.host.clone()),
        ("cpu", system.cpu.clone()),
        ("gpus", gpus),
        ("driver", system.driver.clone()),
        ("cuda", system.cuda.clone()),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Reads interpreter and packages with their versions.
fn packages(
    reader: &mut Reader<'_>,
    environment: Option<ObjectId>,
) -> Result<BTreeMap<String, String>, Error> {
    Ok(environment_of(reader, environment)?.map_or_else(BTreeMap::new, |it| packages_in(&it)))
}

/// Reads the description of what a run ran in.
pub(super) fn environment_of(
    reader: &mut Reader<'_>,
    environment: Option<ObjectId>,
) -> Result<Option<Object>, Error> {
    let Some(id) = environment else { return Ok(None) };
    let bytes = reader.record(&id)?;
    match canonical::decode(&bytes, "environment", ENVIRONMENT_BYTES_MAX)? {
        Value::Object(document) => Ok(Some(document)),
        _ => Ok(None),
    }
}

/// Lists interpreter and packages with their versions.
pub(super) fn packages_in(document: &Object) -> BTreeMap<String, String> {
    let text = |value: &Value, key: &str| match value {
        Value::Object(object) => match object.find(key)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    let named = |value: &Value| Some((text(value, "name")?, text(value, "version")?));
    let mut found = BTreeMap::new();
    if let Some(Value::List(packages)) = document.find("packages") {
        found.extend(packages.iter().filter_map(named));
    }
    let interpreter = document.find("interpreter").and_then(|value| text(value, "version"));
    found.extend(interpreter.map(|version| ("(interpreter)".to_owned(), version)));
    found
}

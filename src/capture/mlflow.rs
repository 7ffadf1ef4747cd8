//! The file store of MLflow (`mlruns/`), run by run, as records that a stream can hold.
//!
//! What MLflow has and a record has not is kept below the parameter `mlflow`; docs/runs.md says
//! what becomes of what. Nothing in the store is written to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::CaptureError;
use super::values;
use crate::listing;
use crate::object::canonical::{Object, Value};

/// Files of one run that are looked at, artifacts among them.
const FILES_MAX: usize = 100_000;
/// Most bytes of a parameter or a tag.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// A store whose runs are read one after the other.
#[derive(Debug)]
pub struct MlflowStore {
    root: PathBuf,
    /// Folders of runs, and the names of their experiments; the first to be read comes last.
    runs: Vec<(PathBuf, String)>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl MlflowStore {
    /// Finds the runs of a store, sorted.
    ///
    /// Errors: a folder that cannot be read, or holds no experiment.
    pub fn open(root: &Path) -> Result<Self, CaptureError> {
        let mut store = Self { root: root.to_owned(), runs: Vec::new(), notes: Vec::new() };
        let mut experiments = 0;
        for folder in folders(root)? {
            let Ok(meta) = values::read_params(&folder.join("meta.yaml")) else { continue };
            if meta.find("experiment_id").is_none() {
                continue;
            }
            experiments += 1;
            let name = text(&meta, "name").unwrap_or_else(|| "unknown".to_owned());
            for run in folders(&folder)? {
                if run.join("meta.yaml").is_file() {
                    store.runs.push((run, name.clone()));
                }
            }
        }
        if experiments == 0 {
            let reason = "no experiment of MLflow is here: name the folder that mlflow calls \
                          mlruns"
                .to_owned();
            return Err(CaptureError::Values { path: root.to_owned(), reason });
        }
        store.runs.reverse();
        Ok(store)
    }

    /// Gives the next run as a line of a stream; nothing after the last.
    pub fn next_line(&mut self) -> Option<Object> {
        while let Some((folder, experiment)) = self.runs.pop() {
            match self.read(&folder, &experiment) {
                Ok(line) => return Some(line),
                Err(reason) => {
                    let name = folder.file_name().unwrap_or_default().to_string_lossy();
                    self.notes.push(format!("run {name} is left out: {reason}"));
                }
            }
        }
        None
    }

    fn read(&mut self, folder: &Path, experiment: &str) -> Result<Object, String> {
        let meta = values::read_params(&folder.join("meta.yaml")).map_err(|e| e.to_string())?;
        if text(&meta, "lifecycle_stage").as_deref() == Some("deleted") {
            return Err("it is deleted in MLflow".to_owned());
        }
        let status = status(&meta);
        if matches!(status, "RUNNING" | "SCHEDULED") {
            return Err(format!("it has not ended, status={status}"));
        }
        let id = text(&meta, "run_id").or_else(|| text(&meta, "run_uuid"));
        let id = id.ok_or("its meta.yaml has no run_id")?;
        let tags = texts(&folder.join("tags"))?;
        let tag = |name: &str| tags.get(name).cloned();
        let name = text(&meta, "run_name").or_else(|| tag("mlflow.runName")).unwrap_or_default();
        let name = ref_name(&name, &id, "mlflow");
        let mut run = Object::new();
        run.set("name", name.as_str());
        run.set_some("started", meta.find("start_time").cloned());
        run.set_some("ended", meta.find("end_time").filter(|at| **at != Value::Null).cloned());
        let source = tag("mlflow.source.name").or_else(|| text(&meta, "source_name"));
        run.set_some("command", source.filter(|source| !source.is_empty()));
        run.set("params", self.params(folder, &meta, experiment, status, &tags)?);
        run.set("metrics", metrics(&folder.join("metrics"))?);
        run.set("outputs", self.artifacts(folder)?);
        let mut record = Object::new();
        let user = text(&meta, "user_id").or_else(|| tag("mlflow.user"));
        if let Some(user) = user.filter(|user| !user.is_empty()) {
            let mut author = Object::new();
            author.set("name", user);
            author.set("email", "");
            record.set("author", author);
        }
        record.set_some("message", tag("mlflow.note.content").filter(|note| !note.is_empty()));
        record.set_some("code", code(&tags));
        record.set("run", run);
        let mut line = Object::new();
        line.set("record", record);
        Ok(line)
    }

    fn params(
        &self,
        folder: &Path,
        meta: &Object,
        experiment: &str,
        status: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Object, String> {
        let mut members: Vec<(String, Value)> = texts(&folder.join("params"))?
            .into_iter()
            .map(|(name, text)| (name, values::literal(&text)))
            .collect();
        let mut mlflow = Object::new();
        mlflow.set("experiment", experiment);
        mlflow.set("status", status);
        mlflow.set_some("run_id", text(meta, "run_id"));
        let known = ["mlflow.note.content", "mlflow.source.name", "mlflow.user"];
        let others = tags.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let others: Vec<(String, Value)> =
            others.map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        mlflow.set("tags", Object::from_members(others).unwrap_or_default());
        let datasets = self.datasets(folder);
        if !datasets.is_empty() {
            mlflow.set("datasets", Value::List(datasets));
        }
        members.push(("mlflow".to_owned(), mlflow.into()));
        Object::from_members(members).map_err(|name| format!("a parameter is called {name:?}"))
    }

    /// Describes the datasets that a run has read, as far as MLflow does.
    fn datasets(&self, folder: &Path) -> Vec<Value> {
        let inputs = folders(&folder.join("inputs")).unwrap_or_default();
        let experiment = folder.parent().unwrap_or(&self.root);
        let mut datasets = Vec::new();
        for input in inputs {
            let Ok(meta) = values::read_params(&input.join("meta.yaml")) else { continue };
            let Some(id) = text(&meta, "source_id") else { continue };
            let path = experiment.join("datasets").join(&id).join("meta.yaml");
            let Ok(found) = values::read_params(&path) else { continue };
            let mut dataset = Object::new();
            for field in ["name", "digest", "source", "source_type"] {
                dataset.set_some(field, text(&found, field));
            }
            datasets.push(dataset.into());
        }
        datasets
    }

    /// Lists the artifacts of a run: where they lie, and their paths among each other.
    fn artifacts(&self, folder: &Path) -> Result<Value, String> {
        let root = folder.join("artifacts");
        let mut outputs = Vec::new();
        for path in files(&root)? {
            let shown = |path: &Path| path.to_str().map(str::to_owned);
            let inner = path.strip_prefix(&root).ok().and_then(shown);
            let from = path.strip_prefix(&self.root).ok().and_then(shown);
            let (Some(inner), Some(from)) = (inner, from) else {
                return Err(format!("the name of an artifact is not UTF-8, path={path:?}"));
            };
            let mut output = Object::new();
            output.set("path", inner);
            output.set("from", from);
            outputs.push(output.into());
        }
        Ok(Value::List(outputs))
    }
}

fn status(meta: &Object) -> &'static str {
    let number = match meta.find("status") {
        Some(Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    match number {
        Some(1) => "RUNNING",
        Some(2) => "SCHEDULED",
        Some(3) => "FINISHED",
        Some(4) => "FAILED",
        Some(5) => "KILLED",
        _ => "unknown",
    }
}

/// Makes a name that no other run has: its own, as far as a ref may have it, else that of the
/// `tracker`, and a part of its id.
pub fn ref_name(name: &str, id: &str, tracker: &str) -> String {
    let is_good = |c: char| c.is_alphanumeric() || c == '_';
    let mut clean = String::new();
    for c in name.chars().take(100) {
        match is_good(c) || (c == '.' && !clean.ends_with('.')) {
            true => clean.push(c),
            false if !clean.ends_with('-') => clean.push('-'),
            false => {}
        }
    }
    let clean = clean.trim_matches(['-', '.']);
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric()).take(8).collect();
    format!("{}-{id}", if clean.is_empty() { tracker } else { clean })
}

/// Says which git commit was run. MLflow does not say whether the checkout was clean.
fn code(tags: &BTreeMap<String, String>) -> Option<Object> {
    let commit = tags.get("mlflow.source.git.commit")?;
    let is_hex = commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || !matches!(commit.len(), 40 | 64) {
        return None;
    }
    let mut code = Object::new();
    code.set("git_commit", commit.as_str());
    code.set("dirty", true);
    let filled = |name: &str| tags.get(name).filter(|text| !text.is_empty()).cloned();
    let address = filled("mlflow.source.git.repoURL");
    code.set_some("repository", address.map(|url| super::redact::url(&url).into_owned()));
    code.set_some("branch", filled("mlflow.source.git.branch"));
    Some(code)
}

/// Reads metrics: a file each, a line a value: time, value, step.
fn metrics(folder: &Path) -> Result<Object, String> {
    let mut members = Vec::new();
    for path in files(folder)? {
        let name = name_below(folder, &path)?;
        let text = read_text(&path, usize::MAX)?;
        let (mut readings, mut steps) = (Vec::new(), Vec::new());
        let whole = text.lines().filter(|line| !line.trim().is_empty());
        for line in whole {
            let mut words = line.split_whitespace();
            let (_, value) = (words.next(), words.next());
            let step = words.next().map_or(Value::Null, Value::number_or_text);
            let Some(value) = value.and_then(values::number) else {
                return Err(format!("the metric {name:?} has a line that is none: {line:?}"));
            };
            readings.push(value);
            steps.push(if matches!(step, Value::Number(_)) { step } else { Value::Null });
        }
        let one = readings.len() == 1 && steps.iter().all(|step| *step == Value::Number(zero()));
        let metric = match (one, readings.pop()) {
            (_, None) => continue,
            (true, Some(reading)) => reading,
            (false, Some(last)) => {
                readings.push(last);
                let mut series = Object::new();
                series.set("values", Value::List(readings));
                series.set("steps", Value::List(steps));
                series.into()
            }
        };
        members.push((name, metric));
    }
    Object::from_members(members).map_err(|name| format!("a metric is there twice: {name:?}"))
}

fn zero() -> crate::object::canonical::Number {
    crate::object::canonical::Number::from_u64(0).expect("it is small")
}

/// Reads the texts of a folder by the names of their files, which may lie in folders.
fn texts(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut texts = BTreeMap::new();
    for path in files(folder)? {
        let text = read_text(&path, TEXT_BYTES_MAX)?;
        texts.insert(name_below(folder, &path)?, text.trim_end_matches('\n').to_owned());
    }
    Ok(texts)
}

fn name_below(folder: &Path, path: &Path) -> Result<String, String> {
    let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
    name.map(str::to_owned).ok_or_else(|| format!("a name is not UTF-8, path={path:?}"))
}

fn read_text(path: &Path, bytes_max: usize) -> Result<String, String> {
    let bytes = values::read_bounded(path).map_err(|error| error.to_string())?;
    if bytes.len() > bytes_max {
        return Err(format!("a text is longer than {bytes_max} bytes, path={path:?}"));
    }
    String::from_utf8(bytes).map_err(|_| format!("a text is not UTF-8, path={path:?}"))
}

fn text(of: &Object, name: &str) -> Option<String> {
    match of.find(name)? {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) => {
            let spelled = of.find(name)?.encode();
            String::from_utf8(spelled).ok()
        }
        _ => None,
    }
}

/// Lists the folders in a folder, sorted; hidden ones (`.trash`) are none, nor are links.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, CaptureError> {
    let refused = |source| CaptureError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in listing::entries(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let is_hidden = entry.name.as_encoded_bytes().starts_with(b".");
        if !is_hidden && entry.kind().map_err(refused)?.is_dir() {
            found.push(entry.path);
        }
    }
    found.sort();
    Ok(found)
}

/// Lists the files below a folder, sorted; none if it is not there.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        let Ok(entries) = listing::entries(&next) else { continue };
        for entry in entries {
            let entry = entry.map_err(|error| format!("{error}, path={next:?}"))?;
            let kind = entry.kind().map_err(|error| format!("{error}, path={next:?}"))?;
            if kind.is_dir() {
                open.push(entry.path);
            } else if kind.is_file() {
                found.push(entry.path);
            }
            if found.len() + open.len() > FILES_MAX {
                return Err(format!("more than {FILES_MAX} files, path={folder:?}"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_a_ref_may_have() {
        for (name, told) in [
            ("bald-eagle-12", "bald-eagle-12-0a1b2c3d"),
            ("lr 0.1 / (best)", "lr-0.1-best-0a1b2c3d"),
            ("..", "mlflow-0a1b2c3d"),
            ("", "mlflow-0a1b2c3d"),
            ("a..b~^:c", "a.-b-c-0a1b2c3d"),
        ] {
            assert_eq!(ref_name(name, "0a1b2c3d4e5f", "mlflow"), told);
        }
    }
}

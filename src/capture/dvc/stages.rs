//! The stages of a `dvc.lock`: what was run, with which settings, and what it read and wrote.

use super::Snapshot;
use super::tracked::{self, Tracked};
use crate::object::ObjectId;
use crate::object::canonical::{Object, Value};

/// A stage as it was last run.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name, after that of the folder its pipeline is in.
    pub name: String,
    /// What was run.
    pub command: String,
    /// Where, from the root; `.` for the root.
    pub directory: String,
    /// Its settings, those with dots in their names as objects.
    pub params: Object,
    /// The files the settings come from.
    pub param_files: Vec<String>,
    /// What it read, as far as it has an MD5.
    pub inputs: Vec<Tracked>,
    /// What it wrote, as far as it has an MD5.
    pub outputs: Vec<Tracked>,
    /// Paths of those outputs that hold metrics.
    pub metrics: Vec<String>,
    /// Tells it from the same stage run another time.
    pub mark: ObjectId,
}

/// Reads the stages of a `dvc.lock`; `pipeline` is the `dvc.yaml` beside it.
pub(super) fn read(folder: &str, lock: &Object, pipeline: Option<&Object>, into: &mut Snapshot) {
    // Before 2.0 there was no `schema`, and the stages were the document.
    let stages = match lock.find("stages") {
        Some(Value::Object(stages)) if lock.find("schema").is_some() => stages,
        _ if lock.find("schema").is_none() => lock,
        _ => return,
    };
    for (name, value) in stages.iter() {
        let declared = pipeline.and_then(|pipeline| declaration(pipeline, name));
        let shown = tracked::join(folder, name).unwrap_or_else(|| name.to_owned());
        match stage(folder, &shown, value, declared, &mut into.notes) {
            Ok(mut stage) => {
                if let Some(pipeline) = pipeline {
                    stage.add_metrics(folder, pipeline.find("metrics"));
                }
                for out in &stage.outputs {
                    into.tracked.insert(out.path.clone(), out.clone());
                }
                into.stages.push(stage);
            }
            Err(reason) => into.notes.push(format!("stage {shown}: {reason}")),
        }
    }
}

/// Finds what `dvc.yaml` says of a stage; one of several made by `foreach` is called `NAME@KEY`.
fn declaration<'p>(pipeline: &'p Object, name: &str) -> Option<&'p Object> {
    let stages = pipeline.find("stages")?.object().ok()?;
    let whole = name.split_once('@').map_or(name, |(whole, _)| whole);
    let stage = stages.find(name).or_else(|| stages.find(whole))?.object().ok()?;
    Some(stage.find("do").and_then(|one| one.object().ok()).unwrap_or(stage))
}

fn stage(
    folder: &str,
    name: &str,
    value: &Value,
    declared: Option<&Object>,
    notes: &mut Vec<String>,
) -> Result<Stage, String> {
    let stage = value.object().map_err(|error| error.to_string())?;
    let command = match stage.find("cmd") {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::List(list)) => {
            let words: Vec<&str> = list.iter().filter_map(|one| one.text().ok()).collect();
            words.join(" && ")
        }
        _ => return Err("it has no cmd".to_owned()),
    };
    let wdir = declared.and_then(|declared| declared.find("wdir")?.text().ok()).unwrap_or(".");
    if wdir.contains("${") {
        return Err(format!("its wdir is a template, {wdir:?}"));
    }
    let folder_of = tracked::join(folder, wdir);
    let within = folder_of.ok_or_else(|| format!("its wdir leads outside, {wdir:?}"))?;
    let mut uses = |role: &str| -> Vec<Tracked> {
        let Some(Value::List(list)) = stage.find(role) else { return Vec::new() };
        let mut uses: Vec<Tracked> = Vec::new();
        for item in list {
            match tracked::read_one(&within, item) {
                Ok(one) => uses.push(one),
                Err(reason) => notes.push(format!("stage {name}: {reason}")),
            }
        }
        uses.sort_by(|a, b| a.path.cmp(&b.path));
        uses.dedup_by(|a, b| a.path == b.path);
        uses
    };
    let (inputs, outputs) = (uses("deps"), uses("outs"));
    let mut read = Stage {
        name: name.to_owned(),
        command,
        directory: if within.is_empty() { ".".to_owned() } else { within.clone() },
        params: Object::new(),
        param_files: Vec::new(),
        inputs,
        outputs,
        metrics: Vec::new(),
        mark: ObjectId::of(&value.encode()),
    };
    if let Some(Value::Object(files)) = stage.find("params") {
        read.read_params(&within, files)?;
    }
    read.add_metrics(&within, declared.and_then(|declared| declared.find("metrics")));
    Ok(read)
}

impl Stage {
    /// Reads settings, by file; of two files with one name, the later keeps its own with the file.
    fn read_params(&mut self, within: &str, files: &Object) -> Result<(), String> {
        let mut nested: Vec<(String, Value)> = Vec::new();
        let mut files: Vec<_> = files.iter().collect();
        // That file is the one meant where none is named.
        files.sort_by_key(|(file, _)| *file != "params.yaml");
        for (file, params) in files {
            self.param_files.extend(tracked::join(within, file));
            let Value::Object(params) = params else { continue };
            for (name, value) in params.iter() {
                let parts: Vec<&str> = name.split('.').collect();
                let is_whole = parts.iter().any(|part| part.is_empty());
                let parts = if is_whole { vec![name] } else { parts };
                if !put(&mut nested, &parts, value) {
                    nested.push((format!("{file}:{name}"), value.clone()));
                }
            }
        }
        self.params = Object::from_members(nested)
            .map_err(|name| format!("the parameter {name:?} is there twice"))?;
        Ok(())
    }

    /// Notes which outputs hold metrics: a list of paths, or of objects with a path as name.
    fn add_metrics(&mut self, within: &str, listed: Option<&Value>) {
        let Some(Value::List(listed)) = listed else { return };
        for item in listed {
            let path = match item {
                Value::Text(path) => Some(path.as_str()),
                Value::Object(object) => object.iter().next().map(|(name, _)| name),
                _ => None,
            };
            let path = path.and_then(|path| tracked::join(within, path));
            let written = path.filter(|path| self.outputs.iter().any(|out| out.path == *path));
            if let Some(path) = written.filter(|path| !self.metrics.contains(path)) {
                self.metrics.push(path);
            }
        }
    }
}

/// Puts a value at a path of names; false where something else is there.
fn put(members: &mut Vec<(String, Value)>, path: &[&str], value: &Value) -> bool {
    let Some((first, below)) = path.split_first() else { return false };
    let there = members.iter_mut().find(|(name, _)| name == first);
    match (there, below) {
        (Some(_), []) => false,
        (None, []) => {
            members.push(((*first).to_owned(), value.clone()));
            true
        }
        (Some((_, Value::Object(object))), _) => {
            let mut inner: Vec<(String, Value)> =
                object.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let is_put = put(&mut inner, below, value);
            *object = Object::from_members(inner).unwrap_or_default();
            is_put
        }
        (Some(_), _) => false,
        (None, _) => {
            let mut inner = Vec::new();
            let is_put = put(&mut inner, below, value);
            members.push((
                (*first).to_owned(),
                Object::from_members(inner).unwrap_or_default().into(),
            ));
            is_put
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::values::{ValuesFormat, parse_params};

    fn snapshot(lock: &str, pipeline: &str) -> Snapshot {
        let parse = |text: &str| parse_params(text.as_bytes(), ValuesFormat::Yaml).expect("YAML");
        let mut snapshot = Snapshot::default();
        read("sub", &parse(lock), Some(&parse(pipeline)), &mut snapshot);
        snapshot
    }

    #[test]
    fn a_stage_is_read_with_its_folder_params_and_metrics() {
        let lock = "schema: '2.0'\nstages:\n  train@a:\n    cmd: [one, two]\n    deps:\n    \
            - {path: ../../x.csv, md5: d41d8cd98f00b204e9800998ecf8427e}\n    \
            - {path: 's3://b/k', etag: e}\n    params:\n      params.yaml: {lr: 0.1, opt.name: \
            adam, opt.beta: 2}\n      other.yaml: {lr: 3}\n    outs:\n    - {path: m.json, hash: \
            md5, md5: d41d8cd98f00b204e9800998ecf8427e.dir, size: 3}\n";
        let pipeline = "stages:\n  train:\n    foreach: [a]\n    do:\n      wdir: in\n      \
            metrics: [{m.json: {cache: false}}]\n";
        let read = snapshot(lock, pipeline);
        let [stage] = &read.stages[..] else { panic!("{read:?}") };
        assert_eq!((stage.name.as_str(), stage.directory.as_str()), ("sub/train@a", "sub/in"));
        assert_eq!(stage.command, "one && two");
        assert_eq!(stage.inputs[0].path, "x.csv");
        assert!(stage.inputs[0].is_older && !stage.outputs[0].is_older);
        assert!(stage.outputs[0].is_directory);
        assert_eq!(stage.metrics, ["sub/in/m.json"]);
        let params = String::from_utf8(Value::from(stage.params.clone()).encode()).expect("JSON");
        let told = r#"{"lr":0.1,"opt":{"beta":2,"name":"adam"},"other.yaml:lr":3}"#;
        assert_eq!(params, told);
        assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
    }

    #[test]
    fn a_lock_of_before_2_0_has_its_stages_at_the_top() {
        let read = snapshot("train: {cmd: x, outs: []}\n", "{}");
        assert_eq!(read.stages.len(), 1);
        let read = snapshot("train: {cmd: 1}\nother: 7\n", "{}");
        assert_eq!((read.stages.len(), read.notes.len()), (0, 2));
    }
}

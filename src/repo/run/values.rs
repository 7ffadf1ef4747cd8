//! Parameters and metrics of a run, out of its files and what it wrote for us.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::begin::tree_paths;
use super::text;
use crate::capture::metrics::MetricsReader;
use crate::capture::{fine_tune as adapter, redact, values};
use crate::object::canonical::{Object, Value};
use crate::object::{FineTune, Metric, TreePath};
use crate::repo::{Error, Repository};
use crate::worktree::run_folder::{RunFolder, RunState};

/// File of an adapter that says how its base was adapted.
const ADAPTER_FILE: &str = "adapter_config.json";

/// What a run was told and what it measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub params: Object,
    pub metrics: Vec<(String, Metric)>,
    /// All values of the series among them, to be attached.
    pub series: Vec<Vec<u8>>,
    /// Files of metrics that are not there.
    pub missing: Vec<String>,
    pub notes: Vec<String>,
}

/// Reads the parameters that are known before the command starts; typed ones count more.
///
/// Errors: `Usage` for a file that cannot be read: a run without its parameters is no record.
pub(super) fn params_before(
    repository: &Repository,
    files: &[TreePath],
    typed: &[String],
) -> Result<Object, Error> {
    let mut params = Object::new();
    for file in files {
        let path = on_disk(repository, file);
        insist_on_file(&path).map_err(Error::Usage)?;
        let found = values::read_params(&path);
        merge(&mut params, found.map_err(|error| Error::Usage(error.to_string()))?);
    }
    for text in typed {
        let (name, value) = values::parse_param(text).map_err(Error::Usage)?;
        params.set(name, value);
    }
    Ok(redact::object(&params))
}

/// Reads what the command wrote.
pub(super) fn measured(
    repository: &Repository,
    state: &RunState,
    folder: &RunFolder,
) -> Result<Measured, Error> {
    let mut found = Measured { params: state.params.clone(), ..Measured::default() };
    match values::read_params(&folder.params()) {
        Ok(logged) => merge(&mut found.params, redact::object(&logged)),
        Err(error) => found.notes.push(error.to_string()),
    }
    let mut reader = MetricsReader::new();
    if let Err(error) = reader.read_file(&folder.metrics()) {
        found.notes.push(error.to_string());
    }
    for path in tree_paths(&state.metrics_files)? {
        let file = on_disk(repository, &path);
        if let Err(reason) = insist_on_file(&file) {
            found.notes.push(reason);
            continue;
        }
        match reader.read_file(&file) {
            Ok(()) => {}
            Err(_) if file.symlink_metadata().is_err() => {
                found.missing.push(text(&path));
            }
            Err(error) => found.notes.push(error.to_string()),
        }
    }
    let captured = reader.finish();
    found.notes.extend(captured.notes);
    (found.metrics, found.series) = (captured.metrics, captured.series);
    Ok(found)
}

/// Reads how a base was adapted, if an output is an adapter.
pub(super) fn fine_tune(repository: &Repository, outputs: &[TreePath]) -> Option<FineTune> {
    outputs.iter().find_map(|output| {
        let path = on_disk(repository, output);
        let file = if path.is_dir() { path.join(ADAPTER_FILE) } else { path };
        let is_adapter = file.file_name() == Some(OsStr::new(ADAPTER_FILE));
        is_adapter.then(|| adapter::read_adapter(&file).ok()).flatten()
    })
}

/// Refuses what would be waited for: a pipe has no content before somebody writes into it.
fn insist_on_file(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(format!("no regular file, path={path:?}")),
        _ => Ok(()),
    }
}

/// Puts the members of one object over those of another.
fn merge(into: &mut Object, from: Object) {
    let mut members: Vec<(String, Value)> = Vec::with_capacity(into.len() + from.len());
    let owned = |(name, value): (&str, &Value)| (name.to_owned(), value.clone());
    members.extend(into.iter().filter(|(name, _)| from.find(name).is_none()).map(owned));
    members.extend(from.iter().map(owned));
    // Each name is there once, so that nothing can be refused.
    *into = Object::from_members(members).unwrap_or_default();
}

fn on_disk(repository: &Repository, path: &TreePath) -> PathBuf {
    repository.location.root.join(OsStr::from_bytes(path.as_bytes()))
}

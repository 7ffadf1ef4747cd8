//! Before the command: what it reads is staged, and what the record needs is written down.

use std::os::unix::ffi::OsStrExt as _;

use super::name::Chance;
use super::{Beginning, Begun, RunRequest, code, known, text, values};
use crate::capture::environment::{self, EnvironmentRequest, Variables};
use crate::capture::redact;
use crate::object::canonical::Value;
use crate::object::tree;
use crate::object::{ObjectId, Timestamp, TreePath};
use crate::progress::Progress;
use crate::repo::add::stage_changes;
use crate::repo::ref_name::RefKind;
use crate::repo::{AddRequest, Error, Head, Repository};
use crate::worktree::run_folder::{RunFolder, RunState};

/// Stages what changed and what the run reads, and makes the run's folder.
pub(super) fn begin(
    repository: &Repository,
    request: &RunRequest<'_>,
    progress: &Progress,
) -> Result<Beginning, Error> {
    let chance =
        Chance::draw().map_err(|_| Error::Internal("the system has no randomness".to_owned()))?;
    if let Some(name) = &request.name {
        RefKind::Run.full_name(name)?;
    }
    insist_on_text(request)?;
    let _lock = repository.lock(progress)?;
    let mut notes = Vec::new();
    stage(repository, request, progress, &mut notes)?;
    let command = words(request);
    if request.command.iter().any(|word| word.to_str().is_none()) {
        notes.push("an argument is not UTF-8; the record shows it with replacements".to_owned());
    }
    let environment = environment::look(EnvironmentRequest {
        command: &command,
        directory: &request.directory,
        root: &repository.location.root,
        variables: &Variables::of_this_program(),
    });
    notes.extend(environment.notes);
    let environment = Value::from(environment.document).encode();
    let started = repository.clock.now();
    let state = RunState {
        code: code::changed(repository, progress, &mut notes)?,
        environment: Some(ObjectId::of(&environment)),
        ..state(repository, request, chance, started)?
    };
    if request.skips_known
        && let Some(known) = known::find(repository, &state, progress)?
    {
        return Ok(Beginning::Known(Box::new(known)));
    }
    let id = chance.id(started);
    let bytes = state.encode().map_err(|error| Error::Usage(error.to_string()))?;
    let folder = RunFolder::make(&repository.location.folder, &id, &bytes, &environment)?;
    Ok(Beginning::Begun(Box::new(Begun { folder, id, state, notes })))
}

/// Stages tracked files that changed, and all inputs.
fn stage(
    repository: &Repository,
    request: &RunRequest<'_>,
    progress: &Progress,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let tracked = AddRequest { tracked_only: true, ..AddRequest::default() };
    let mut reports = vec![stage_changes(repository, &tracked, progress)?];
    let mut paths: Vec<TreePath> = request.inputs.clone();
    paths.extend(request.params_files.iter().cloned());
    if !paths.is_empty() {
        paths.sort();
        paths.dedup();
        let declared = AddRequest { paths, takes_ignored: true, ..AddRequest::default() };
        let report = stage_changes(repository, &declared, progress)?;
        if let Some(name) = report.missing_path() {
            return Err(Error::NotFound { what: "input", name });
        }
        reports.push(report);
    }
    insist_on_inputs(repository, request)?;
    for (path, failure) in reports.iter().flat_map(|report| &report.failures) {
        notes.push(format!("a file {failure} and is recorded as it was before, path={path}"));
    }
    Ok(())
}

/// Refuses paths that a record cannot spell: with other letters they would name nothing.
fn insist_on_text(request: &RunRequest<'_>) -> Result<(), Error> {
    let RunRequest { inputs, outputs, params_files, metrics_files, .. } = request;
    let mut all = [inputs, outputs, params_files, metrics_files].into_iter().flatten();
    let is_text = |path: &TreePath| std::str::from_utf8(path.as_bytes()).is_ok();
    match all.find(|path| !is_text(path)) {
        None => Ok(()),
        Some(path) => Err(Error::Usage(format!(
            "the name is not UTF-8, so no record can hold it: rename it, or name the directory \
             that it lies in, path={path}"
        ))),
    }
}

/// Refuses inputs that are not in the stage now: a pipe or a device has no content to record.
fn insist_on_inputs(repository: &Repository, request: &RunRequest<'_>) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    let staged = repository.staged_tree(&mut reader)?;
    for path in request.inputs.iter().chain(&request.params_files) {
        if tree::find(&staged, path, |id| reader.node(id))?.is_none() {
            let text =
                format!("the input is no file or directory that can be recorded, path={path}");
            return Err(Error::Usage(text));
        }
    }
    Ok(())
}

fn state(
    repository: &Repository,
    request: &RunRequest<'_>,
    chance: Chance,
    started: Timestamp,
) -> Result<RunState, Error> {
    let branch = match repository.head()? {
        Head::Branch(name) => Some(name),
        Head::Detached(_) => None,
    };
    let directory = repository.tree_path(&request.directory, ".".as_ref())?;
    let params = values::params_before(repository, &request.params_files, &request.params)?;
    Ok(RunState {
        name: request.name.clone().unwrap_or_else(|| chance.name()),
        named: request.name.is_some(),
        command: redact::arguments(&words(request)),
        directory: directory.map_or_else(|| ".".to_owned(), |path| text(&path)),
        started,
        tree: repository.staged_tree(&mut repository.store.reader())?,
        parent: repository.head_commit()?,
        branch,
        advance: request.advances,
        inputs: request.inputs.iter().map(text).collect(),
        outputs: request.outputs.iter().map(text).collect(),
        params,
        params_files: request.params_files.iter().map(text).collect(),
        metrics_files: request.metrics_files.iter().map(text).collect(),
        code: None,
        environment: None,
        trace: request.traces,
        message: redact::text(&request.message).into_owned(),
        journal: redact::text(&request.journal).into_owned(),
    })
}

fn words(request: &RunRequest<'_>) -> Vec<String> {
    request.command.iter().map(|word| word.to_string_lossy().into()).collect()
}

/// Gives paths of the state back as paths in the tree; one that is none was not written by us.
pub(super) fn tree_paths(paths: &[String]) -> Result<Vec<TreePath>, Error> {
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        let path = std::ffi::OsStr::new(path).as_bytes();
        found.push(TreePath::new(path).map_err(|error| Error::Corrupt(error.to_string()))?);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

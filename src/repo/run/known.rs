//! Whether a run like this one is recorded already: then it need not run again.

use std::collections::BTreeMap;

use super::inputs::declared_inputs;
use crate::object::{Commit, LeftOut, ObjectId, Params, Run, TraceFile, TraceFiles, TreePath};
use crate::progress::Progress;
use crate::repo::artifacts::content_at;
use crate::repo::runs::each_run;
use crate::repo::{Error, Repository};
use crate::store::Reader;
use crate::worktree::run_folder::RunState;

/// Finds the latest run of the same command with the same inputs and parameters that succeeded.
///
/// Shape: parameters that a command appended itself do not count. Cost: reads every run.
pub(super) fn find(
    repository: &Repository,
    state: &RunState,
    progress: &Progress,
) -> Result<Option<(ObjectId, Commit)>, Error> {
    let mut reader = repository.store.reader();
    let sought: BTreeMap<String, ObjectId> = declared_inputs(&mut reader, state)?
        .into_iter()
        .map(|input| (input.path, input.content.id))
        .collect();
    let is_declared = |run: &Run| {
        let read = run.inputs.iter().filter(|input| !input.is_observed);
        let written = run.outputs.iter().filter(|output| !output.is_observed);
        read.map(|input| (&input.path, &input.content.id)).eq(&sought)
            && written.map(|output| &output.path).eq(&state.outputs)
    };
    // What a run was seen to read counts like what was declared, if all of it was seen.
    let is_seen = |run: &Run| match &run.trace {
        Some(trace) => trace.missed == 0,
        None => !state.trace,
    };
    let is_same = |run: &Run| {
        run.exit_code == Some(0)
            && run.command == state.command
            && run.directory == state.directory
            && run.outputs.iter().all(|output| output.content.is_some())
            && is_declared(run)
            && is_seen(run)
            && has_params(&run.params, state)
    };
    let mut alike = Vec::new();
    each_run(repository, progress, |id, commit| {
        if let Some(run) = commit.run.as_ref().filter(|run| is_same(run)) {
            alike.push((run.started, id));
        }
        Ok(())
    })?;
    alike.sort_unstable_by(|a, b| b.cmp(a));
    for (_, id) in alike {
        let commit = reader.commit(&id)?;
        if let Some(run) = &commit.run
            && is_as_read(&mut reader, state, run)?
        {
            return Ok(Some((id, commit)));
        }
    }
    Ok(None)
}

/// Tells whether what a run was seen to read in the worktree is staged as it was read.
///
/// Shape: a run that read there what is not recorded (ignored, or changed meanwhile) is not known.
fn is_as_read(reader: &mut Reader<'_>, state: &RunState, run: &Run) -> Result<bool, Error> {
    let Some(trace) = &run.trace else { return Ok(true) };
    let opened = TraceFiles::decode(&reader.attachment(&trace.files)?)?;
    let is_lost =
        |file: &TraceFile| file.is_read && file.left_out.is_some_and(|why| why != LeftOut::Package);
    if opened.files.iter().any(is_lost) {
        return Ok(false);
    }
    for input in run.inputs.iter().filter(|input| input.is_observed) {
        let Ok(path) = TreePath::new(input.path.as_str()) else { return Ok(false) };
        let staged = content_at(reader, &state.tree, &path)?;
        if staged.is_none_or(|staged| staged.id != input.content.id) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_params(params: &Params, state: &RunState) -> bool {
    match params {
        Params::Attached(_) => false,
        Params::Here(params) => {
            state.params.iter().all(|(name, value)| params.find(name) == Some(value))
        }
    }
}

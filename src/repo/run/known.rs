//! Whether a run like this one is recorded already: then it need not run again.

use super::begin::tree_paths;
use super::inputs::inputs;
use crate::object::{Params, Run};
use crate::progress::Progress;
use crate::repo::{Error, FoundRun, Repository, RunsRequest, runs};
use crate::worktree::run_folder::RunState;

/// Finds the latest run of the same command with the same inputs and parameters that succeeded.
///
/// Shape: parameters that a command appended itself do not count. Cost: reads every run.
pub(super) fn find(
    repository: &Repository,
    state: &RunState,
    progress: &Progress,
) -> Result<Option<FoundRun>, Error> {
    let mut reader = repository.store.reader();
    let paths = tree_paths(&state.inputs)?;
    let sought: Vec<_> = inputs(&mut reader, &state.tree, &paths, None)?
        .into_iter()
        .map(|input| (input.path, input.content.id))
        .collect();
    let is_same = |run: &Run| {
        let read = run.inputs.iter().map(|input| (&input.path, &input.content.id));
        run.exit_code == Some(0)
            && run.command == state.command
            && run.directory == state.directory
            && run.outputs.iter().all(|output| output.content.is_some())
            && run.outputs.iter().map(|output| &output.path).eq(&state.outputs)
            && read.eq(sought.iter().map(|(path, id)| (path, id)))
            && has_params(&run.params, state)
    };
    let found = runs(repository, &RunsRequest::default(), progress)?;
    Ok(found.into_iter().find(|found| found.run().is_some_and(is_same)))
}

fn has_params(params: &Params, state: &RunState) -> bool {
    match params {
        Params::Attached(_) => false,
        Params::Here(params) => {
            state.params.iter().all(|(name, value)| params.find(name) == Some(value))
        }
    }
}

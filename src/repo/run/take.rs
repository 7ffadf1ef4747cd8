//! What a run read and wrote is taken in: what was declared, then what was seen.

use std::os::unix::ffi::OsStrExt as _;

use super::apart::Taken;
use super::begin::tree_paths;
use super::lookup::find_all;
use super::observed::Observed;
use super::outputs::{beside, staged};
use crate::object::{LeftOut, ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::worktree::run_folder::{RunFolder, RunState};
use crate::worktree::scan::ProblemKind;

/// Where results go.
pub(super) struct Taking<'a> {
    pub repository: &'a Repository,
    pub folder: &'a RunFolder,
    pub state: &'a RunState,
    /// Whether the stage is left alone.
    pub is_beside: bool,
    pub progress: &'a Progress,
}

impl Taking<'_> {
    /// Takes in what was declared; rules do not keep it out.
    pub(super) fn declared(&self, notes: &mut Vec<String>) -> Result<ObjectId, Error> {
        let mut paths = tree_paths(&self.state.outputs)?;
        paths.extend(tree_paths(&self.state.metrics_files)?);
        paths.sort();
        paths.dedup();
        let taken = self.take(self.state.tree, &paths, true)?;
        notes.extend(taken.notes);
        Ok(taken.tree)
    }

    /// Takes in what was seen, on top of `tree`; what rules ignore stays out.
    pub(super) fn observed(
        &self,
        tree: ObjectId,
        observed: &mut Observed,
        notes: &mut Vec<String>,
    ) -> Result<ObjectId, Error> {
        let paths = observed.to_take_in();
        let taken = self.take(tree, &paths, false)?;
        notes.extend(taken.notes);
        for problem in taken.left {
            let why = match problem.kind {
                ProblemKind::Ignored => LeftOut::Ignored,
                ProblemKind::NotFound => LeftOut::Gone,
                _ => LeftOut::Unrecordable,
            };
            if let Ok(path) = TreePath::new(problem.path.as_bytes()) {
                observed.leave_out(&path, why);
            }
        }
        // What could not be read, or lies in a repository of its own, is not in the tree either.
        let mut reader = self.repository.store.reader();
        let paths = observed.to_take_in();
        let found = find_all(&mut reader, &taken.tree, &paths)?;
        for path in paths.iter().filter(|path| !found.contains_key(*path)) {
            observed.leave_out(path, LeftOut::Unrecordable);
        }
        Ok(taken.tree)
    }

    fn take(
        &self,
        tree: ObjectId,
        paths: &[TreePath],
        takes_ignored: bool,
    ) -> Result<Taken, Error> {
        let (repository, progress) = (self.repository, self.progress);
        match self.is_beside {
            // No path would mean every path.
            _ if paths.is_empty() => Ok(Taken { tree, notes: Vec::new(), left: Vec::new() }),
            false => staged(repository, tree, paths, takes_ignored, progress),
            true => beside(repository, self.folder, tree, paths, takes_ignored, progress),
        }
    }
}

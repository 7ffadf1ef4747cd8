//! Brings single files back: in the worktree from the stage or a commit, or in the stage.

use super::revision::Resolver;
use super::write_out::{WriteOut, Written};
use super::{Error, Repository, union};
use crate::object::tree::{self, Change, Edit};
use crate::object::{ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::worktree::local;

/// Says what to bring back.
#[derive(Debug, Clone, Default)]
pub struct RestoreRequest {
    /// Files and directories; none means everything.
    pub paths: Vec<TreePath>,
    /// The commit to take them from, as typed; else the stage, or the head for the stage itself.
    pub source: Option<Vec<u8>>,
    /// Whether the stage is restored.
    pub in_stage: bool,
    /// Whether the worktree is restored.
    pub in_worktree: bool,
}

/// Tells what was brought back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// What was done to files.
    pub written: Written,
    /// Paths that were staged differently.
    pub staged: u64,
}

/// Brings files back.
///
/// Shape: changes of these files that are recorded nowhere are lost: that is what it is for. Files
/// that are not tracked stay. Errors: [`Error::NotFound`] for a path that is neither in the source
/// nor tracked; nothing has changed then.
pub fn restore(
    repository: &Repository,
    request: &RestoreRequest,
    progress: &Progress,
) -> Result<RestoreReport, Error> {
    let _lock = repository.lock(progress)?;
    let mut reader = repository.store.reader();
    let stage = repository.staged_tree(&mut reader)?;
    let source = match (&request.source, request.in_stage) {
        (Some(typed), _) => Resolver::new(repository)?.tree(typed)?,
        (None, true) => repository.tree_of(&mut reader, repository.head_commit()?)?,
        (None, false) => stage,
    };
    let paths = outermost(&request.paths);
    check_paths(repository, &paths, stage, source)?;
    let mut report = RestoreReport::default();
    let mut next = stage;
    if request.in_stage {
        (next, report.staged) = restage(repository, &paths, stage, source)?;
    }
    if request.in_worktree {
        let stamps = repository.stamps(&mut reader, stage)?;
        progress.begin(Phase { name: "writing files", ..Phase::default() });
        let is_restaged = request.in_stage;
        let out = WriteOut {
            changes: &|visit| union::visit(repository, stage, source, &paths, visit),
            stamps: &stamps,
            overwrites: true,
            is_staged: &|change: &Change| is_restaged || change.old == change.new,
            progress,
        };
        report.written = repository.replace_files(&out, next)?;
    }
    if next != stage {
        local::save_stage(&repository.location.folder, next)?;
    }
    Ok(report)
}

/// Leaves out paths that are below another one.
pub(super) fn outermost(paths: &[TreePath]) -> Vec<TreePath> {
    let mut outermost: Vec<TreePath> = Vec::new();
    for path in paths {
        if !outermost.last().is_some_and(|last| path.starts_with(last)) {
            outermost.push(path.clone());
        }
    }
    outermost
}

pub(super) fn check_paths(
    repository: &Repository,
    paths: &[TreePath],
    stage: ObjectId,
    source: ObjectId,
) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    for path in paths {
        let mut is_in = |tree: &ObjectId| -> Result<bool, Error> {
            Ok(tree::find(tree, path, |id| reader.node(id))?.is_some())
        };
        if !is_in(&source)? && !is_in(&stage)? {
            return Err(Error::NotFound { what: "recorded path", name: path.to_string() });
        }
    }
    Ok(())
}

/// Stages what the source has at the paths; gives the tree and how many files differ.
pub(super) fn restage(
    repository: &Repository,
    paths: &[TreePath],
    stage: ObjectId,
    source: ObjectId,
) -> Result<(ObjectId, u64), Error> {
    let mut edits = Vec::new();
    union::visit(repository, stage, source, paths, &mut |change| {
        if change.old != change.new {
            edits.push((change.path, change.new.map_or(Edit::Remove, Edit::Put)));
        }
        Ok(())
    })?;
    let count = edits.len() as u64;
    let mut reader = repository.store.reader();
    let transaction = repository.store.transaction()?;
    let summary = tree::edit(
        Some(stage),
        edits,
        |id| reader.node(id).map_err(Error::from),
        |node| Ok(transaction.put_node(node)?),
    )?;
    transaction.finish()?;
    Ok((summary.id, count))
}

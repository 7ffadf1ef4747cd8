//! Stops tracking files, and removes them from the worktree unless told otherwise.

use super::status::{Difference, StatusRequest, status};
use super::{Error, Repository};
use crate::object::tree::{self, Edit};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::worktree::stamps::{Stamp, StampsWriter};
use crate::worktree::{local, open, remove};

/// Says what to stop tracking.
#[derive(Debug, Clone, Default)]
pub struct RmRequest {
    /// Files and directories, at least one.
    pub paths: Vec<TreePath>,
    /// Whether the files in the worktree stay.
    pub keeps_files: bool,
    /// Whether directories are meant with all that is in them.
    pub is_recursive: bool,
    /// Whether changes that are recorded nowhere may be lost.
    pub is_forced: bool,
    /// Whether to tell what would be removed, and do nothing.
    pub is_dry_run: bool,
}

/// Tells what is no longer tracked.
#[derive(Debug, Default)]
pub struct RmReport {
    /// The files, in the order of paths.
    pub removed: Vec<TreePath>,
    /// Files that could not be removed from the worktree, and why; they are tracked still.
    pub failures: Vec<(TreePath, std::io::Error)>,
}

/// Stops tracking files.
///
/// Errors: [`Error::NotFound`] for a path under which nothing is tracked, [`Error::Conflict`] for
/// files with changes that are recorded nowhere; nothing has happened then. If it ends in the
/// middle, the files that are left are tracked still, and the same command again completes it.
pub fn rm(
    repository: &Repository,
    request: &RmRequest,
    progress: &Progress,
) -> Result<RmReport, Error> {
    let lock = repository.lock(progress)?;
    let mut reader = repository.store.reader();
    let stage = repository.staged_tree(&mut reader)?;
    let mut removed: Vec<TreePath> = Vec::new();
    for path in &request.paths {
        let found = tree::find(&stage, path, |id| reader.node(id))?;
        let Some(target) = found else {
            let name = path.to_string();
            return Err(Error::NotFound { what: "tracked file", name });
        };
        if target.is_directory() && !request.is_recursive {
            return Err(Error::Usage(format!(
                "{path} is a directory: give -r to remove all of it"
            )));
        }
        for entry in tree::walk(&stage, Some(path), |id| reader.node(id))? {
            let entry = entry?;
            if !entry.target.is_directory() {
                removed.push(entry.path);
            }
        }
    }
    removed.sort();
    removed.dedup();
    let root = repository.open_root()?;
    // Taken before they are compared with what is recorded: what is changed from here on stays.
    let looks: Vec<Option<Stamp>> = match request.is_forced || request.keeps_files {
        true => Vec::new(),
        false => removed.iter().map(|path| open::look_at_link(&root, path).ok()).collect(),
    };
    if !request.is_forced {
        refuse_losses(repository, &removed, progress, request.keeps_files)?;
    }
    if request.is_dry_run {
        return Ok(RmReport { removed, failures: Vec::new() });
    }
    let known = repository.stamps(&mut reader, stage)?;
    let mut stamps =
        StampsWriter::new(Some(&known), &local::temporaries(&repository.location.folder), 0)?;
    // Before any file goes: there may be no room for it.
    let mut without = stored_without(repository, stage, &removed)?;
    let mut failures = Vec::new();
    if !request.keeps_files {
        for (at, path) in removed.iter().enumerate() {
            let look = looks.get(at).copied().flatten();
            let may_go = |now: &Stamp| request.is_forced || look == Some(*now);
            if let Err(error) = remove::remove(&root, path, may_go) {
                failures.push((path.clone(), error));
            }
        }
    }
    if !failures.is_empty() {
        // What is left stays tracked, so that the same command again can remove it.
        removed.retain(|path| failures.binary_search_by(|(left, _)| left.cmp(path)).is_err());
        without = stored_without(repository, stage, &removed)?;
    }
    for path in &removed {
        stamps.remove(path)?;
    }
    let folder = &repository.location.folder;
    local::save_stage(folder, without)?;
    stamps.finish(&local::stamps_file(folder), &without)?;
    drop(lock);
    Ok(RmReport { removed, failures })
}

/// Refuses to remove what no commit holds.
fn refuse_losses(
    repository: &Repository,
    removed: &[TreePath],
    progress: &Progress,
    keeps_files: bool,
) -> Result<(), Error> {
    let request = StatusRequest { paths: removed.to_vec(), lists_new: false };
    let report = status(repository, &request, progress)?;
    let is_lost = |difference: Difference| {
        matches!(difference, Difference::Modified | Difference::KindChanged | Difference::Added)
    };
    // What stays in the worktree is only lost from the stage, and then only if it differs.
    let staged = report.staged.iter().filter(|_| !keeps_files);
    let lost: Vec<String> = staged
        .chain(report.unstaged.iter().filter(|_| !keeps_files))
        .filter(|entry| is_lost(entry.difference))
        .take(5)
        .map(|entry| entry.path.to_string())
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "changes would be lost that no commit holds, paths={}: commit them, keep the files with \
         --cached, or give --force",
        lost.join(" ")
    )))
}

/// Stores the tree without the files, which is not staged yet.
fn stored_without(
    repository: &Repository,
    stage: ObjectId,
    removed: &[TreePath],
) -> Result<ObjectId, Error> {
    let mut reader = repository.store.reader();
    let transaction = repository.store.transaction()?;
    let edited = tree::edit(
        Some(stage),
        removed.iter().map(|path| (path.clone(), Edit::Remove)),
        |id| reader.node(id).map_err(Error::from),
        |node| Ok(transaction.put_node(node)?),
    )?;
    transaction.finish()?;
    Ok(edited.id)
}

//! The git checkout around a run, with the files that git does not have.

use std::path::Path;

use super::apart::take_apart;
use crate::capture::git::{self, ChangeKind, Checkout};
use crate::object::tree::{self, EMPTY_TREE, Edit};
use crate::object::{Code, ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::worktree::local;
use crate::worktree::stamps::Stamps;

/// Uncommitted files of more than this together are worth a word, bytes.
const TOLD_BYTES_MIN: u64 = 32 << 20;

/// Describes the checkout, and stores what it has changed.
///
/// Shape: none where there is no checkout, or where it cannot be read, with a note. Cost: two
/// starts of git; what is staged already is not read again.
pub(super) fn changed(
    repository: &Repository,
    progress: &Progress,
    notes: &mut Vec<String>,
) -> Result<Option<Code>, Error> {
    let checkout = match git::look(&repository.location.root) {
        Ok(Some(checkout)) => checkout,
        Ok(None) => return Ok(None),
        Err(error) => {
            notes.push(error.to_string());
            return Ok(None);
        }
    };
    let paths = paths_in_worktree(repository, &checkout, notes);
    let changes = match paths.is_empty() {
        true => None,
        false => Some(store(repository, &paths, progress, notes)?).filter(|id| *id != EMPTY_TREE),
    };
    let dirty = checkout.is_dirty();
    let Checkout { repository, commit, branch, .. } = checkout;
    Ok(Some(Code { repository, git_commit: commit, branch, dirty, changes }))
}

/// Gives the changed files that lie in the worktree, and names how many do not.
fn paths_in_worktree(
    repository: &Repository,
    checkout: &Checkout,
    notes: &mut Vec<String>,
) -> Vec<TreePath> {
    let root = &repository.location.root;
    let mut paths = Vec::new();
    let mut outside = 0_u64;
    for change in &checkout.changes {
        if matches!(change.kind, ChangeKind::Deleted | ChangeKind::Submodule) {
            continue;
        }
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&change.path);
        match repository.tree_path(&checkout.root, Path::new(name)) {
            Ok(Some(path)) => paths.push(path),
            Ok(None) | Err(_) => outside += 1,
        }
    }
    if outside > 0 {
        notes.push(format!(
            "{outside} changed files of the git checkout lie outside of the worktree and are not \
             recorded, worktree={root:?}"
        ));
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Stores files as a tree: out of the stage where they are in it, else read now.
fn store(
    repository: &Repository,
    paths: &[TreePath],
    progress: &Progress,
    notes: &mut Vec<String>,
) -> Result<ObjectId, Error> {
    let mut reader = repository.store.reader();
    let staged = repository.staged_tree(&mut reader)?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for path in paths {
        match tree::find(&staged, path, |id| reader.node(id))? {
            Some(target) => known.push((path.clone(), Edit::Put(target))),
            None => unknown.push(path.clone()),
        }
    }
    let mut read = EMPTY_TREE;
    if !unknown.is_empty() {
        let nothing = Stamps::none(&local::temporaries(&repository.location.folder))?;
        let taken = take_apart(repository, &nothing, &unknown, true, progress)?;
        notes.extend(taken.notes);
        read = taken.tree;
    }
    let transaction = repository.store.transaction()?;
    let tree = tree::edit(
        Some(read),
        known,
        |id| reader.node(id).map_err(Error::from),
        |node| Ok(transaction.put_node(node)?),
    )?;
    transaction.finish()?;
    if tree.bytes > TOLD_BYTES_MIN {
        let (files, bytes) = (tree.files, tree.bytes >> 20);
        notes.push(format!(
            "{files} files that git does not have were recorded, {bytes} MiB: ignore in .gitignore \
             what is no code"
        ));
    }
    Ok(tree.id)
}

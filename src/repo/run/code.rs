//! The git checkout around a run, with the files that git does not have.

use std::path::Path;

use crate::capture::git::{self, ChangeKind, Checkout};
use crate::object::tree::{self, EMPTY_TREE, Edit};
use crate::object::{Code, ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::intake::Intake;
use crate::repo::{Error, Repository};
use crate::worktree::local;
use crate::worktree::stamps::{self, Stamps, StampsWriter};

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
        false => Some(store(repository, &paths, progress)?).filter(|id| *id != EMPTY_TREE),
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
    let read = read(repository, &unknown, progress)?;
    let transaction = repository.store.transaction()?;
    let tree = tree::edit(
        (read != EMPTY_TREE).then_some(read),
        known,
        |id| reader.node(id).map_err(Error::from),
        |node| Ok(transaction.put_node(node)?),
    )?;
    transaction.finish()?;
    Ok(tree.id)
}

/// Reads files that are not staged into a tree of their own.
fn read(
    repository: &Repository,
    paths: &[TreePath],
    progress: &Progress,
) -> Result<ObjectId, Error> {
    if paths.is_empty() {
        return Ok(EMPTY_TREE);
    }
    let temporaries = local::temporaries(&repository.location.folder);
    let moment = stamps::moment(&temporaries)
        .map_err(|error| Error::io("make a temporary file", &temporaries, error))?;
    let nothing = Stamps::none(&temporaries)?;
    let mut writer = StampsWriter::new(Some(&nothing), &temporaries, moment)?;
    let transaction = repository.store.transaction()?;
    let intake =
        Intake { paths, takes_ignored: true, takes_new: true, is_dry_run: false, progress };
    let taken = repository.take_in(&intake, &nothing, &mut writer, &transaction)?;
    transaction.finish()?;
    Ok(taken.tree.map_or(EMPTY_TREE, |summary| summary.id))
}
